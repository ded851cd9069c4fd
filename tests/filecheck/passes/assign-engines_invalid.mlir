// RUN: nki-opt %s -p assign-engines --verify-diagnostics | filecheck %s

func.func @another_level(%x: memref<8xf32>) {
  // CHECK: error: assign-engines takes neuron.engine; this module is at neuron.mem: run select-instructions,clean,combine-instructions,stage-in-psum first
  %v = neuron.mem.load %x [d0 by 1] : memref<8xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  neuron.mem.store %v to %x [d0 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<8xf32>
  func.return
}
