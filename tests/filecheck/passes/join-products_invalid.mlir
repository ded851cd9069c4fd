// RUN: nki-opt %s -p join-products --verify-diagnostics | filecheck %s


func.func @tensors_are_of_tile(%x: memref<64xf32>) {
  // CHECK: takes tile; this module is at neuron.mem already
  %a = neuron.mem.accumulator : !neuron.mem.tile<psum, 128x512xf32, [d0:128] x [d1]>
  func.return
}
