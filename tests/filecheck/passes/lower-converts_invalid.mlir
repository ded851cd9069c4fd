// RUN: nki-opt %s -p lower-converts --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p lower-converts,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @gaps_between_partitions_of_psum() {
  %x = "test.op"() : () -> !neuron.mem.tile<psum, 3x5xf32, [d0, d1:8] x []>
  // CHECK: what lies like !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x []> is not copied to or from psum: the partitions do not follow one another
  %r = neuron.mem.convert %x : !neuron.mem.tile<psum, 3x5xf32, [d0, d1:8] x []> -> !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1] x []>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 3x5xf32, [d0, d1] x []>) -> ()
  func.return
}

// -----

func.func @a_way_that_can_not_be() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xi8, [d0] x [d1]>
  // CHECK: by vector: blocks are turned of matrices, of elements of 2 or 4 bytes
  %r = neuron.mem.convert %x by vector : !neuron.mem.tile<sbuf, 64x32xi8, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi8, [d1] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 64x32xi8, [d1] x [d0]>) -> ()
  func.return
}
