// RUN: nki-opt %s -p normalize-loops --split-input-file | filecheck %s
// RUN: nki-opt %s -p normalize-loops --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @starts_at_zero_with_step_one
// CHECK: [[ZERO:%.*]] = arith.constant 0 : index
// CHECK: [[TRIPS:%.*]] = arith.constant 2 : index
// CHECK: [[ONE:%.*]] = arith.constant 1 : index
// CHECK: scf.for [[I:%.*]] = [[ZERO]] to [[TRIPS]] step [[ONE]]
// CHECK: [[STEP:%.*]] = arith.constant 16 : index
// CHECK: [[SCALED:%.*]] = arith.muli [[I]], [[STEP]] : index
// CHECK: arith.addi [[SCALED]]
func.func @starts_at_zero_with_step_one() {
  %low = arith.constant 8 : index
  %high = arith.constant 40 : index
  %step = arith.constant 16 : index
  scf.for %k = %low to %high step %step {
    "test.op"(%k) : (index) -> ()
  }
  func.return
}

// CHECK-LABEL: func.func @starts_at_zero_with_another_step
// CHECK: [[TRIPS:%.*]] = arith.constant 3 : index
// CHECK: scf.for [[I:%.*]] = {{%.*}} to [[TRIPS]] step
// CHECK: arith.muli [[I]], {{%.*}} : index
func.func @starts_at_zero_with_another_step() {
  %low = arith.constant 0 : index
  %high = arith.constant 9 : index
  %step = arith.constant 4 : index
  scf.for %k = %low to %high step %step {
    "test.op"(%k) : (index) -> ()
  }
  func.return
}

// CHECK-LABEL: func.func @one_iteration_is_its_body
// CHECK-NOT: scf.for
// CHECK: [[SUM:%.*]] = arith.addf
// CHECK: "test.op"([[SUM]])
func.func @one_iteration_is_its_body(%x: f32) {
  %low = arith.constant 0 : index
  %high = arith.constant 4 : index
  %step = arith.constant 4 : index
  %r = scf.for %k = %low to %high step %step iter_args(%acc = %x) -> (f32) {
    %sum = arith.addf %acc, %acc : f32
    scf.yield %sum : f32
  }
  "test.op"(%r) : (f32) -> ()
  func.return
}

// CHECK-LABEL: func.func @no_iteration_gives_the_initial_value(
// CHECK-SAME: [[X:%.*]]: f32
// CHECK-NOT: scf.for
// CHECK: "test.op"([[X]])
func.func @no_iteration_gives_the_initial_value(%x: f32) {
  %low = arith.constant 4 : index
  %step = arith.constant 1 : index
  %r = scf.for %k = %low to %low step %step iter_args(%acc = %x) -> (f32) {
    %sum = arith.addf %acc, %acc : f32
    scf.yield %sum : f32
  }
  "test.op"(%r) : (f32) -> ()
  func.return
}

// CHECK-LABEL: func.func @leaves_alone
// CHECK: scf.for
// CHECK-NOT: arith.muli
// CHECK: func.return
func.func @leaves_alone() {
  %low = arith.constant 0 : index
  %high = arith.constant 5 : index
  %step = arith.constant 1 : index
  scf.for %k = %low to %high step %step {
    "test.op"(%k) : (index) -> ()
  }
  func.return
}

// CHECK-LABEL: func.func @a_loop_of_none_around_others
// CHECK-NOT: scf.for
// CHECK: func.return
func.func @a_loop_of_none_around_others(%n: index) {
  %low = arith.constant 4 : index
  %one = arith.constant 1 : index
  scf.for %i = %low to %low step %one {
    scf.for %j = %one to %low step %one {
      "test.op"(%j) : (index) -> ()
    }
    scf.for %j = %one to %n step %one {
      "test.op"(%j) : (index) -> ()
    }
  }
  func.return
}

// CHECK-LABEL: func.func @a_bound_that_is_known_once_the_outer_loop_is_gone
// CHECK: [[TRIPS:%.*]] = arith.constant 3 : index
// CHECK: scf.for {{%.*}} = {{%.*}} to [[TRIPS]] step
// CHECK-NOT: scf.for
func.func @a_bound_that_is_known_once_the_outer_loop_is_gone() {
  %low = arith.constant 4 : index
  %high = arith.constant 7 : index
  %one = arith.constant 1 : index
  scf.for %i = %low to %high step %low {
    scf.for %j = %i to %high step %one {
      "test.op"(%j) : (index) -> ()
    }
  }
  func.return
}

// -----

// What is known at run time only stays.
// CHECK-LABEL: func.func @run_time
// CHECK: scf.for %{{.*}} = %low to %n step %step {
// CHECK-NEXT: "test.op"
// CHECK: scf.while
// CHECK: scf.if
func.func @run_time(%n: index, %c: i1) {
  %low = arith.constant 3 : index
  %step = arith.constant 2 : index
  scf.for %k = %low to %n step %step {
    "test.op"(%k) : (index) -> ()
  }
  scf.while () : () -> () {
    scf.condition(%c)
  } do {
    scf.if %c {
      "test.op"(%n) : (index) -> ()
    }
    scf.yield
  }
  func.return
}

// Bounds that are computed of a program's id, and always equally far apart.
// CHECK-LABEL: func.func @as_often_in_all_programs
// CHECK: arith.subi
// CHECK: [[TRIPS:%.*]] = arith.constant 64 : index
// CHECK: [[ONE:%.*]] = arith.constant 1 : index
// CHECK: scf.for {{%.*}} = {{%.*}} to [[TRIPS]] step [[ONE]]
func.func @as_often_in_all_programs(%x: memref<64xf32>) {
  tile.programs (%i) in [32] {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %rows = arith.constant 64 : index
    %all = arith.constant 2048 : index
    %low = arith.muli %i, %rows : index
    %next = arith.addi %i, %one : index
    %end = arith.muli %next, %rows : index
    %high = arith.minsi %end, %all : index
    %trips = arith.subi %high, %low : index
    scf.for %k = %zero to %trips step %one {
      %v = tile.read %x(%k) [s0 by 1] : memref<64xf32> -> f32
      tile.write %v to %x(%k) [s0 by 1] : f32 -> memref<64xf32>
    }
  }
  func.return
}
