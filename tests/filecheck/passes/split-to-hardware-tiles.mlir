// RUN: nki-opt %s -p split-to-hardware-tiles --split-input-file | filecheck %s
// RUN: nki-opt %s -p split-to-hardware-tiles --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @rows_columns_and_terms(
// CHECK: [[Z:%.*]] = neuron.mem.accumulator
// CHECK: [[P1:%.*]] = neuron.mem.matmul {{.*}} acc [[Z]] part [0, 0, 0]
// CHECK: [[P2:%.*]] = neuron.mem.matmul {{.*}} acc [[P1]] part [0, 0, 1]
// CHECK: [[P3:%.*]] = neuron.mem.matmul {{.*}} acc [[P2]] part [0, 1, 0]
// CHECK: [[P4:%.*]] = neuron.mem.matmul {{.*}} acc [[P3]] part [0, 1, 1]
// CHECK: "test.op"([[P4]])
func.func @rows_columns_and_terms(%a: !neuron.mem.tile<sbuf, 128 x [2, 64] x f32, dim 1 of [64, 256]>, %b: !neuron.mem.tile<sbuf, 128 x [2, 1024] x f32, dim 0 of [256, 1024]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64 x [1024] x f32, dim 0 of [64, 1024]>
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 128 x [2, 64] x f32, dim 1 of [64, 256]>, !neuron.mem.tile<sbuf, 128 x [2, 1024] x f32, dim 0 of [256, 1024]>, !neuron.mem.tile<psum, 64 x [1024] x f32, dim 0 of [64, 1024]> -> !neuron.mem.tile<psum, 64 x [1024] x f32, dim 0 of [64, 1024]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 64 x [1024] x f32, dim 0 of [64, 1024]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @leaves_alone
// CHECK-NOT: part
// CHECK: func.return
func.func @leaves_alone(%a: !neuron.mem.tile<sbuf, 128 x [128] x f32, dim 1 of [128, 128]>, %b: !neuron.mem.tile<sbuf, 128 x [512] x f32, dim 0 of [128, 512]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 128 x [512] x f32, dim 0 of [128, 512]>
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 128 x [128] x f32, dim 1 of [128, 128]>, !neuron.mem.tile<sbuf, 128 x [512] x f32, dim 0 of [128, 512]>, !neuron.mem.tile<psum, 128 x [512] x f32, dim 0 of [128, 512]> -> !neuron.mem.tile<psum, 128 x [512] x f32, dim 0 of [128, 512]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 128 x [512] x f32, dim 0 of [128, 512]>) -> ()
  func.return
}
