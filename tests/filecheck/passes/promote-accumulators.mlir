// RUN: nki-opt %s -p promote-accumulators --split-input-file | filecheck %s
// RUN: nki-opt %s -p promote-accumulators --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_sum_of_products_stays_in_psum
// CHECK: [[Z:%.*]] = neuron.mem.accumulator
// CHECK: [[SUM:%.*]] = scf.for {{.*}} iter_args([[ACC:%.*]] = [[Z]]) -> (!neuron.mem.tile<psum
// CHECK-NEXT: [[P:%.*]] = neuron.mem.matmul {{.*}} acc [[ACC]]
// CHECK-NEXT: scf.yield [[P]]
// CHECK: [[OUT:%.*]] = neuron.mem.convert [[SUM]]
// CHECK: "test.op"([[OUT]])
func.func @a_sum_of_products_stays_in_psum(%a: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %start = arith.constant 0.0 : f32
  %a0 = neuron.mem.fill %start : f32 -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %s = scf.for %k = %c0 to %c8 step %c1 iter_args(%acc = %a0) -> (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) {
    %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
    %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
    %m = neuron.mem.convert %p by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
    %sum = neuron.mem.binary add %acc, %m : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
    scf.yield %sum : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  }
  "test.op"(%s) : (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @leaves_alone_a_sum_that_does_not_start_from_zero
// CHECK: iter_args({{%.*}} = {{%.*}}) -> (!neuron.mem.tile<sbuf
// CHECK: neuron.mem.binary add
func.func @leaves_alone_a_sum_that_does_not_start_from_zero(%a: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %start = arith.constant 1.0 : f32
  %a0 = neuron.mem.fill %start : f32 -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %s = scf.for %k = %c0 to %c8 step %c1 iter_args(%acc = %a0) -> (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) {
    %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
    %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
    %m = neuron.mem.convert %p by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
    %sum = neuron.mem.binary add %acc, %m : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
    scf.yield %sum : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  }
  "test.op"(%s) : (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @leaves_alone_a_sum_that_the_body_reads
// CHECK: iter_args({{%.*}} = {{%.*}}) -> (!neuron.mem.tile<sbuf
// CHECK: neuron.mem.binary add
func.func @leaves_alone_a_sum_that_the_body_reads(%a: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %start = arith.constant 0.0 : f32
  %a0 = neuron.mem.fill %start : f32 -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %s = scf.for %k = %c0 to %c8 step %c1 iter_args(%acc = %a0) -> (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) {
    %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
    %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
    %m = neuron.mem.convert %p by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
    %sum = neuron.mem.binary add %acc, %m : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
    "test.op"(%acc) : (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) -> ()
    scf.yield %sum : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  }
  "test.op"(%s) : (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) -> ()
  func.return
}

// The products lie with their columns on the partitions; the sum is turned once, behind the loop.
// CHECK-LABEL: func.func @a_sum_that_is_turned
// CHECK: [[Z:%.*]] = neuron.mem.accumulator
// CHECK: [[SUM:%.*]] = scf.for {{.*}} iter_args([[ACC:%.*]] = [[Z]]) -> (!neuron.mem.tile<psum, 64x16xf32
// CHECK-NEXT: [[P:%.*]] = neuron.mem.matmul {{.*}} acc [[ACC]]
// CHECK-NEXT: scf.yield [[P]]
// CHECK: [[TURNED:%.*]] = neuron.mem.relabel [[SUM]] permute [1, 0]
// CHECK-NEXT: [[OUT:%.*]] = neuron.mem.convert [[TURNED]]
// CHECK: "test.op"([[OUT]])
func.func @a_sum_that_is_turned(%a: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %start = arith.constant 0.0 : f32
  %a0 = neuron.mem.fill %start : f32 -> !neuron.mem.tile<sbuf, 16x64xf32, [d1] x [d0]>
  %s = scf.for %k = %c0 to %c8 step %c1 iter_args(%acc = %a0) -> (!neuron.mem.tile<sbuf, 16x64xf32, [d1] x [d0]>) {
    %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
    %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
    %t = neuron.mem.relabel %p permute [1, 0] : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 16x64xf32, [d1] x [d0]>
    %m = neuron.mem.convert %t by copy : !neuron.mem.tile<psum, 16x64xf32, [d1] x [d0]> -> !neuron.mem.tile<sbuf, 16x64xf32, [d1] x [d0]>
    %sum = neuron.mem.binary add %acc, %m : !neuron.mem.tile<sbuf, 16x64xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 16x64xf32, [d1] x [d0]> -> !neuron.mem.tile<sbuf, 16x64xf32, [d1] x [d0]>
    scf.yield %sum : !neuron.mem.tile<sbuf, 16x64xf32, [d1] x [d0]>
  }
  "test.op"(%s) : (!neuron.mem.tile<sbuf, 16x64xf32, [d1] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @two_products_are_one_sum
// CHECK: [[Z:%.*]] = neuron.mem.accumulator
// CHECK-NEXT: [[P:%.*]] = neuron.mem.matmul %a, %b acc [[Z]]
// CHECK-NEXT: [[Q:%.*]] = neuron.mem.matmul %c, %d acc [[P]]
// CHECK-NEXT: [[OUT:%.*]] = neuron.mem.convert [[Q]]
// CHECK-NEXT: "test.op"([[OUT]])
func.func @two_products_are_one_sum(%a: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %c: !neuron.mem.tile<sbuf, 64x8xf32, [d1] x [d0]>, %d: !neuron.mem.tile<sbuf, 8x16xf32, [d0] x [d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %m = neuron.mem.convert %p by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %y = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %q = neuron.mem.matmul %c, %d acc %y : !neuron.mem.tile<sbuf, 64x8xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 8x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %n = neuron.mem.convert %q by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %sum = neuron.mem.binary add %n, %m : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  "test.op"(%sum) : (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) -> ()
  func.return
}

// What the terms are added to is added once.
// CHECK-LABEL: func.func @products_that_are_added_to_another_term
// CHECK: [[Z:%.*]] = neuron.mem.accumulator
// CHECK-NEXT: [[P:%.*]] = neuron.mem.matmul %a, %b acc [[Z]]
// CHECK-NEXT: [[Q:%.*]] = neuron.mem.matmul %c, %d acc [[P]]
// CHECK-NEXT: [[R:%.*]] = neuron.mem.matmul %a, %d acc [[Q]]
// CHECK-NEXT: [[M:%.*]] = neuron.mem.convert [[R]]
// CHECK-NEXT: [[SUM:%.*]] = neuron.mem.binary add [[M]], %x
// CHECK-NEXT: "test.op"([[SUM]])
func.func @products_that_are_added_to_another_term(%x: !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, %a: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %c: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %d: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>) {
  %z0 = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %p0 = neuron.mem.matmul %a, %b acc %z0 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %m0 = neuron.mem.convert %p0 by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %s0 = neuron.mem.binary add %x, %m0 : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %z1 = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %p1 = neuron.mem.matmul %c, %d acc %z1 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %m1 = neuron.mem.convert %p1 by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %s1 = neuron.mem.binary add %s0, %m1 : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %z2 = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %p2 = neuron.mem.matmul %a, %d acc %z2 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %m2 = neuron.mem.convert %p2 by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %s2 = neuron.mem.binary add %m2, %s1 : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  "test.op"(%s2) : (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) -> ()
  func.return
}

// The sum in between is read, or is no sum.
// CHECK-LABEL: func.func @leaves_alone_what_is_read_in_between
// CHECK-COUNT-2: neuron.mem.binary add
// CHECK: neuron.mem.binary subtract
// CHECK-NEXT: [[Z:%.*]] = neuron.mem.accumulator
// CHECK-NEXT: neuron.mem.matmul %c, %b acc [[Z]]
// CHECK: neuron.mem.binary add
func.func @leaves_alone_what_is_read_in_between(%x: !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, %a: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %c: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %d: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>) {
  %z0 = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %p0 = neuron.mem.matmul %a, %b acc %z0 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %m0 = neuron.mem.convert %p0 by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %s0 = neuron.mem.binary add %x, %m0 : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %z1 = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %p1 = neuron.mem.matmul %c, %d acc %z1 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %m1 = neuron.mem.convert %p1 by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %s1 = neuron.mem.binary add %s0, %m1 : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  "test.op"(%s0, %s1) : (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) -> ()
  %z2 = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %p2 = neuron.mem.matmul %a, %d acc %z2 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %m2 = neuron.mem.convert %p2 by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %s2 = neuron.mem.binary subtract %x, %m2 : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %z3 = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %p3 = neuron.mem.matmul %c, %b acc %z3 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %m3 = neuron.mem.convert %p3 by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %s3 = neuron.mem.binary add %s2, %m3 : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  "test.op"(%s3) : (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) -> ()
  func.return
}

// One of them lies the other way round: their sum is made elsewhere.
// CHECK-LABEL: func.func @two_products_that_lie_apart
// CHECK: neuron.mem.binary add
func.func @two_products_that_lie_apart(%a: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 32x64xf32, [d0] x [d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x64xf32, [d0] x [d1]>
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x64xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x64xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x64xf32, [d0] x [d1]>
  %m = neuron.mem.convert %p by copy : !neuron.mem.tile<psum, 64x64xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x64xf32, [d0] x [d1]>
  %y = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x64xf32, [d0] x [d1]>
  %q = neuron.mem.matmul %a, %b acc %y : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x64xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x64xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x64xf32, [d0] x [d1]>
  %t = neuron.mem.relabel %q permute [1, 0] : !neuron.mem.tile<psum, 64x64xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x64xf32, [d1] x [d0]>
  %n = neuron.mem.convert %t : !neuron.mem.tile<psum, 64x64xf32, [d1] x [d0]> -> !neuron.mem.tile<sbuf, 64x64xf32, [d0] x [d1]>
  %sum = neuron.mem.binary add %n, %m : !neuron.mem.tile<sbuf, 64x64xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x64xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x64xf32, [d0] x [d1]>
  "test.op"(%sum) : (!neuron.mem.tile<sbuf, 64x64xf32, [d0] x [d1]>) -> ()
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
  %start = neuron.mem.fill %zero : f32 -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %s = scf.for %k = %c1 to %c0 step %c1 iter_args(%acc = %start) -> (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) {
    %a = neuron.mem.load %x [d1 by 64, d0 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
    %b = neuron.mem.load %x [d0 by 16, d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>
    %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
    %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
    %m = neuron.mem.convert %p : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
    %t = neuron.mem.binary add %acc, %m : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
    scf.yield %t : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  }
  neuron.mem.store %s to %x [d0 by 16, d1 by 1] : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> memref<2048xf32>
  func.return
}

// CHECK-LABEL: func.func @a_product_with_another_use_stays_an_addition
// CHECK: neuron.mem.fill
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>)
// CHECK: neuron.mem.binary add
func.func @a_product_with_another_use_stays_an_addition(%x: memref<2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %start = neuron.mem.fill %zero : f32 -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  %s = scf.for %k = %c0 to %c4 step %c1 iter_args(%acc = %start) -> (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) {
    %a = neuron.mem.load %x [d1 by 64, d0 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
    %b = neuron.mem.load %x [d0 by 16, d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>
    %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
    %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
    %m = neuron.mem.convert %p : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
    neuron.mem.store %m to %x [d0 by 16, d1 by 1] : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> memref<2048xf32>
    %t = neuron.mem.binary add %acc, %m : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
    scf.yield %t : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  }
  neuron.mem.store %s to %x [d0 by 16, d1 by 1] : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> memref<2048xf32>
  func.return
}

// -----

// A loop that may not run at all leaves nothing in PSUM.
// CHECK-LABEL: func.func @a_run_time_bound
// CHECK: scf.for
// CHECK: neuron.mem.accumulator
// CHECK: neuron.mem.binary add
func.func @a_run_time_bound(%x: memref<64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %a = neuron.mem.load %x [d0 by 8, d1 by 1] : memref<64xf32> -> !neuron.mem.tile<sbuf, 8x8xf32, [d1] x [d0]>
  %b = neuron.mem.load %x [d0 by 8, d1 by 1] : memref<64xf32> -> !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>
  %start = neuron.mem.fill %zero : f32 -> !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %start) -> (!neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>) {
    %empty = neuron.mem.accumulator : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
    %p = neuron.mem.matmul %a, %b acc %empty : !neuron.mem.tile<sbuf, 8x8xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
    %m = neuron.mem.convert %p : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>
    %t = neuron.mem.binary add %s, %m : !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>
    scf.yield %t : !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>
  }
  neuron.mem.store %r to %x [d0 by 8, d1 by 1] : !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]> -> memref<64xf32>
  func.return
}
