// RUN: nki-opt %s -p bound-loops,canonicalize --split-input-file | filecheck %s
// RUN: nki-opt %s -p bound-loops,canonicalize --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_bound_that_an_outer_counter_gives
// CHECK-NOT: scf.for
// CHECK: "test.op"([[ZERO:%.*]]) : (index) -> ()
// CHECK: scf.for
// CHECK-NEXT: "test.op"
// CHECK: scf.for
// CHECK-NEXT: "test.op"
// CHECK-NOT: scf.for
func.func @a_bound_that_an_outer_counter_gives() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  scf.for %i = %c0 to %c3 step %c1 {
    %end = arith.addi %i, %c1 : index
    scf.for %j = %c0 to %end step %c1 {
      "test.op"(%j) : (index) -> ()
    }
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @more_than_are_written_out
// CHECK: arith.constant 300 : index
// CHECK: scf.for [[I:%.*]] =
// CHECK: [[R:%.*]] = scf.for [[J:%.*]] = {{%.*}} to {{%.*}} step {{%.*}} iter_args([[A:%.*]] =
// CHECK: [[C:%.*]] = tile.compare lt [[J]], {{%.*}} : index
// CHECK: scf.if [[C]] -> (f32)
// CHECK: "test.op"([[J]], [[A]])
// CHECK: else
// CHECK: scf.yield [[A]]
func.func @more_than_are_written_out() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c300 = arith.constant 300 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c300 step %c1 {
    %end = arith.addi %i, %c1 : index
    %r = scf.for %j = %c0 to %end step %c1 iter_args(%a = %zero) -> (f32) {
      %b = "test.op"(%j, %a) : (index, f32) -> f32
      scf.yield %b : f32
    }
    "test.op"(%r) : (f32) -> ()
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @what_the_loops_carry
// CHECK: [[T:%.*]] = "test.op"({{%.*}}, %x)
// CHECK: [[S:%.*]] = scf.for [[J:%.*]] = {{.*}} iter_args([[B:%.*]] = [[T]])
// CHECK-NEXT: "test.op"([[J]], [[B]])
// CHECK: "test.op"([[S]])
func.func @what_the_loops_carry(%x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %r = scf.for %i = %c0 to %c2 step %c1 iter_args(%a = %x) -> (f32) {
    %end = arith.addi %i, %c1 : index
    %s = scf.for %j = %c0 to %end step %c1 iter_args(%b = %a) -> (f32) {
      %t = "test.op"(%j, %b) : (index, f32) -> f32
      scf.yield %t : f32
    }
    scf.yield %s : f32
  }
  "test.op"(%r) : (f32) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @leaves_alone
// CHECK: scf.for {{%.*}} = {{%.*}} to %n
// CHECK: scf.for {{%.*}} = {{%.*}} to {{%.*}} step
// CHECK: "test.op"
// CHECK-NOT: "test.op"
func.func @leaves_alone(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  scf.for %i = %c0 to %n step %c1 {
    scf.for %j = %c0 to %c3 step %c1 {
      "test.op"(%i, %j) : (index, index) -> ()
    }
  }
  func.return
}
