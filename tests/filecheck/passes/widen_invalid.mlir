// RUN: nki-opt %s -p widen --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p "widen{width=4}" --split-input-file --verify-diagnostics | filecheck %s


func.func @programs_are_of_tile() {
  // CHECK: widen takes tile; this module is at neuron.mem already
  %a = neuron.mem.accumulator : !neuron.mem.tile<psum, 128x512xf32, [d0:128] x [d1]>
  func.return
}
