// RUN: nki-opt %s -p peel-tails --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p peel-tails,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @an_extent_of_no_loop(%x: memref<1024xf32>, %valid: index) {
  %c0 = arith.constant 0 : index
  // CHECK: this access has an extent that is no expression of loop counters
  %v = neuron.mem.load %x[%c0] strides [1] valid [%valid] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>) -> ()
  func.return
}
