// RUN: nki-opt %s -p promote-accumulators --split-input-file | filecheck %s
// RUN: nki-opt %s -p promote-accumulators --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_sum_of_products_stays_in_psum
// CHECK: [[Z:%.*]] = neuron.mem.accumulator
// CHECK: [[SUM:%.*]] = scf.for {{.*}} iter_args([[ACC:%.*]] = [[Z]]) -> (!neuron.mem.tile<psum
// CHECK-NEXT: [[P:%.*]] = neuron.mem.matmul {{.*}} acc [[ACC]]
// CHECK-NEXT: scf.yield [[P]]
// CHECK: [[OUT:%.*]] = neuron.mem.move [[SUM]]
// CHECK: "test.op"([[OUT]])
func.func @a_sum_of_products_stays_in_psum(%a: !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, %b: !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %start = arith.constant 0.0 : f32
  %a0 = neuron.mem.fill %start : f32 -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
  %s = scf.for %k = %c0 to %c8 step %c1 iter_args(%acc = %a0) -> (!neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>) {
    %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
    %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>, !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
    %m = neuron.mem.move %p : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
    %sum = neuron.mem.binary add %acc, %m : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>, !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
    scf.yield %sum : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
  }
  "test.op"(%s) : (!neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @leaves_alone_a_sum_that_does_not_start_from_zero
// CHECK: iter_args({{%.*}} = {{%.*}}) -> (!neuron.mem.tile<sbuf
// CHECK: neuron.mem.binary add
func.func @leaves_alone_a_sum_that_does_not_start_from_zero(%a: !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, %b: !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %start = arith.constant 1.0 : f32
  %a0 = neuron.mem.fill %start : f32 -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
  %s = scf.for %k = %c0 to %c8 step %c1 iter_args(%acc = %a0) -> (!neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>) {
    %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
    %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>, !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
    %m = neuron.mem.move %p : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
    %sum = neuron.mem.binary add %acc, %m : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>, !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
    scf.yield %sum : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
  }
  "test.op"(%s) : (!neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @leaves_alone_a_sum_that_the_body_reads
// CHECK: iter_args({{%.*}} = {{%.*}}) -> (!neuron.mem.tile<sbuf
// CHECK: neuron.mem.binary add
func.func @leaves_alone_a_sum_that_the_body_reads(%a: !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, %b: !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %start = arith.constant 0.0 : f32
  %a0 = neuron.mem.fill %start : f32 -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
  %s = scf.for %k = %c0 to %c8 step %c1 iter_args(%acc = %a0) -> (!neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>) {
    %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
    %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>, !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
    %m = neuron.mem.move %p : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
    %sum = neuron.mem.binary add %acc, %m : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>, !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
    "test.op"(%acc) : (!neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>) -> ()
    scf.yield %sum : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
  }
  "test.op"(%s) : (!neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>) -> ()
  func.return
}

// What would stay in PSUM would never be written.
// CHECK-LABEL: func.func @a_loop_of_no_iterations
// CHECK: [[ZERO:%.*]] = neuron.mem.fill
// CHECK-NOT: scf.for
// CHECK-NOT: neuron.mem.accumulator
// CHECK: neuron.mem.store [[ZERO]]
func.func @a_loop_of_no_iterations(%x: memref<2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %start = neuron.mem.fill %zero : f32 -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
  %s = scf.for %k = %c1 to %c0 step %c1 iter_args(%acc = %start) -> (!neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>) {
    %a = neuron.mem.load %x[%c0] strides [1, 64] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>
    %b = neuron.mem.load %x[%c0] strides [16, 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>
    %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
    %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>, !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
    %m = neuron.mem.move %p : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
    %t = neuron.mem.binary add %acc, %m : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>, !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
    scf.yield %t : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
  }
  neuron.mem.store %s to %x[%c0] strides [16, 1] : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]> -> memref<2048xf32>
  func.return
}

// CHECK-LABEL: func.func @a_product_with_another_use_stays_an_addition
// CHECK: neuron.mem.fill
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (!neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>)
// CHECK: neuron.mem.binary add
func.func @a_product_with_another_use_stays_an_addition(%x: memref<2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %start = neuron.mem.fill %zero : f32 -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
  %s = scf.for %k = %c0 to %c4 step %c1 iter_args(%acc = %start) -> (!neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>) {
    %a = neuron.mem.load %x[%c0] strides [1, 64] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>
    %b = neuron.mem.load %x[%c0] strides [16, 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>
    %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
    %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>, !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
    %m = neuron.mem.move %p : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
    neuron.mem.store %m to %x[%c0] strides [16, 1] : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]> -> memref<2048xf32>
    %t = neuron.mem.binary add %acc, %m : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>, !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
    scf.yield %t : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
  }
  neuron.mem.store %s to %x[%c0] strides [16, 1] : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]> -> memref<2048xf32>
  func.return
}
