// RUN: nki-opt %s -p diagonal-products --verify-diagnostics | filecheck %s

func.func @a_sum_below_tile(%x: memref<64xf32>) {
  %v = neuron.mem.load %x [d0 by 1] : memref<64xf32> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  // CHECK: diagonal-products takes tile; this module is at neuron.mem already
  neuron.mem.store %v to %x [d0 by 1] : !neuron.mem.tile<sbuf, 64xf32, [d0] x []> -> memref<64xf32>
  func.return
}
