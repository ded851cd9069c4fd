// RUN: nki-opt %s -p split-to-hardware-tiles --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p split-to-hardware-tiles,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @columns_that_are_no_whole_banks(%a: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 32x700xf32, [d0] x [d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x700xf32, [d0] x [d1]>
  // CHECK: a product of 700 columns does not divide into PSUM banks of 512 fp32
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x700xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x700xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x700xf32, [d0] x [d1]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 64x700xf32, [d0] x [d1]>) -> ()
  func.return
}
