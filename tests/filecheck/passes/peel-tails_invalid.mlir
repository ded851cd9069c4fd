// RUN: nki-opt %s -p peel-tails --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p peel-tails,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @an_extent_of_no_loop(%x: memref<1024xf32>, %valid: index) {
  %c0 = arith.constant 0 : index
  // CHECK: this access has an extent that is no expression of loop counters
  %v = neuron.mem.load %x[%c0] strides [1] valid [%valid] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>) -> ()
  func.return
}

// -----

func.func @an_extent_that_varies_with_a_run_time_loop(%x: memref<64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  scf.for %i = %c0 to %n step %c1 {
    %left = arith.subi %c9, %i : index
    // CHECK: this access has an extent that varies with a loop of run-time bounds
    %v = neuron.mem.load %x[%c0] strides [1] valid [%left] : memref<64xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x[%c0] strides [1] valid [%left] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<64xf32>
  }
  func.return
}
