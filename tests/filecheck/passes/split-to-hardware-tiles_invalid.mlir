// RUN: nki-opt %s -p split-to-hardware-tiles --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p split-to-hardware-tiles,cse --split-input-file --verify-diagnostics | filecheck %s

// Whatever is a matmul can be split; what can't be is none.

func.func @terms_that_are_not_dealt_out(%a: !neuron.mem.tile<sbuf, 64x200xf32, [d1/2:100] x [d1:2, d0]>, %b: !neuron.mem.tile<sbuf, 200x16xf32, [d0/2:100] x [d0:2, d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  // CHECK: the contraction dimension must be on the partitions: dim 1 of lhs and dim 0 of rhs
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x200xf32, [d1/2:100] x [d1:2, d0]>, !neuron.mem.tile<sbuf, 200x16xf32, [d0/2:100] x [d0:2, d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @columns_that_cross_banks(%a: !neuron.mem.tile<sbuf, 200x32xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 32x700xf32, [d0] x [d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 200x700xf32, [d0:128] x [d0/128:2, d1]>
  // CHECK: row groups 2800 bytes apart cross banks of 2048 bytes
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 200x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x700xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 200x700xf32, [d0:128] x [d0/128:2, d1]> -> !neuron.mem.tile<psum, 200x700xf32, [d0:128] x [d0/128:2, d1]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 200x700xf32, [d0:128] x [d0/128:2, d1]>) -> ()
  func.return
}
