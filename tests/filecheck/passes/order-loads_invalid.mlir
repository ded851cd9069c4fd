// RUN: nki-opt %s -p order-loads --split-input-file --verify-diagnostics | filecheck %s

!tile = !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>

func.func @a_tile() {
  // CHECK: order-loads takes buffers, and there are tiles that have none: run bufferize first
  %e = neuron.engine.empty : !tile
  func.return
}
