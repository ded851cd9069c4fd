// The pass rejects nothing itself; what it is given is verified before it runs.
// RUN: nki-opt %s -p split-sums --split-input-file --verify-diagnostics | filecheck %s

func.func @a_product_of_shapes_that_do_not_multiply(%a: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 16x16xf32, [d0] x [d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  // CHECK: shapes [64, 32] and [16, 16] do not multiply
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 16x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}
