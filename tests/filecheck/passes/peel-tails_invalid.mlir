// RUN: nki-opt %s -p peel-tails --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p peel-tails,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @an_extent_of_no_loop(%x: memref<1024xf32>, %n: index) {
  // CHECK: what is valid of this tile is no expression of loop counters
  %v = neuron.mem.load %x(%n) [d0 by 1, s0 + d0 in * to 500 by 0] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>) -> ()
  func.return
}

// -----

func.func @a_mask_of_no_loop(%n: index) {
  // CHECK: what is valid of this tile is no expression of loop counters
  %m = neuron.mem.mask(%n) [s0 + d0 in * to 5 by 0] -> !neuron.mem.tile<sbuf, 8xi1, [d0] x []>
  "test.op"(%m) : (!neuron.mem.tile<sbuf, 8xi1, [d0] x []>) -> ()
  func.return
}

// -----

func.func @too_many_copies(%x: memref<1024xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %many = arith.constant 10000 : index
  // CHECK: masks that change with the loop counters would need 4097 copies of its body
  scf.for %i = %c0 to %many step %c1 {
    %v = neuron.mem.load %x(%i) [d0 by 1, d0 - s0 in 0 to * by 0] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    %w = neuron.mem.load %x(%i) [d0 by 1, (s0) mod 2 in 0 to 1 by 0] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    "test.op"(%v, %w) : (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>, !neuron.mem.tile<sbuf, 8xf32, [d0] x []>) -> ()
  }
  func.return
}
