// RUN: nki-opt %s -p split-to-hardware-tiles --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p split-to-hardware-tiles,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @columns_that_are_no_whole_banks(%a: !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, %b: !neuron.mem.tile<sbuf, 32 x [700] x f32, dim 0 of [32, 700]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64 x [700] x f32, dim 0 of [64, 700]>
  // CHECK: a product of 700 columns does not divide into PSUM banks of 512 fp32
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, !neuron.mem.tile<sbuf, 32 x [700] x f32, dim 0 of [32, 700]>, !neuron.mem.tile<psum, 64 x [700] x f32, dim 0 of [64, 700]> -> !neuron.mem.tile<psum, 64 x [700] x f32, dim 0 of [64, 700]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 64 x [700] x f32, dim 0 of [64, 700]>) -> ()
  func.return
}
