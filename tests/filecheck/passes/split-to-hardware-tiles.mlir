// RUN: nki-opt %s -p split-to-hardware-tiles --split-input-file | filecheck %s
// RUN: nki-opt %s -p split-to-hardware-tiles --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @rows_columns_and_terms(
// CHECK: [[Z:%.*]] = neuron.mem.accumulator
// CHECK: [[P1:%.*]] = neuron.mem.matmul {{.*}} acc [[Z]] part [0, 0, 0]
// CHECK: [[P2:%.*]] = neuron.mem.matmul {{.*}} acc [[P1]] part [0, 0, 1]
// CHECK: [[P3:%.*]] = neuron.mem.matmul {{.*}} acc [[P2]] part [0, 1, 0]
// CHECK: [[P4:%.*]] = neuron.mem.matmul {{.*}} acc [[P3]] part [0, 1, 1]
// CHECK: "test.op"([[P4]])
func.func @rows_columns_and_terms(%a: !neuron.mem.tile<sbuf, 64x256xf32, [d1/2:128] x [d1:2, d0]>, %b: !neuron.mem.tile<sbuf, 256x1024xf32, [d0/2:128] x [d0:2, d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x1024xf32, [d0] x [d1]>
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x256xf32, [d1/2:128] x [d1:2, d0]>, !neuron.mem.tile<sbuf, 256x1024xf32, [d0/2:128] x [d0:2, d1]>, !neuron.mem.tile<psum, 64x1024xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x1024xf32, [d0] x [d1]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 64x1024xf32, [d0] x [d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @leaves_alone
// CHECK-NOT: part
// CHECK: func.return
func.func @leaves_alone(%a: !neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 128x512xf32, [d0] x [d1]>
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 128x512xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 128x512xf32, [d0] x [d1]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 128x512xf32, [d0] x [d1]>) -> ()
  func.return
}
