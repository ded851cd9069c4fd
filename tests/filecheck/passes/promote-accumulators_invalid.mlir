// The pass rejects nothing itself; what it is given is verified before it runs.
// RUN: nki-opt %s -p promote-accumulators --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p promote-accumulators,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @a_product_of_shapes_that_do_not_multiply(%a: !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, %b: !neuron.mem.tile<sbuf, 16 x [16] x f32, dim 0 of [16, 16]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
  // CHECK: shapes [64, 32] and [16, 16] do not multiply
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, !neuron.mem.tile<sbuf, 16 x [16] x f32, dim 0 of [16, 16]>, !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
  func.return
}
