// RUN: nki-opt %s -p induction,dce --split-input-file | filecheck %s
// RUN: nki-opt %s -p induction,dce --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_pointer_that_advances(
// CHECK-SAME: [[START:%.*]]: !tile.ptr<f32>
// CHECK: [[STEP:%.*]] = arith.constant 4 : index
// CHECK: scf.for [[I:%.*]] = {{%.*}} to {{%.*}} step {{%.*}} {
// CHECK-NEXT: [[MOVED:%.*]] = arith.muli [[I]], [[STEP]] : index
// CHECK-NEXT: [[P:%.*]] = tile.add_ptr [[START]], [[MOVED]]
// CHECK-NEXT: "test.op"([[P]])
// CHECK-NEXT: }
// CHECK-NEXT: [[TRIPS:%.*]] = arith.constant 8 : index
// CHECK-NEXT: [[ALL:%.*]] = arith.muli [[TRIPS]], [[STEP]] : index
// CHECK-NEXT: [[END:%.*]] = tile.add_ptr [[START]], [[ALL]]
// CHECK-NEXT: "test.op"([[END]])
func.func @a_pointer_that_advances(%start: !tile.ptr<f32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %step = arith.constant 4 : index
  %end = scf.for %i = %c0 to %c8 step %c1 iter_args(%p = %start) -> (!tile.ptr<f32>) {
    "test.op"(%p) : (!tile.ptr<f32>) -> ()
    %next = tile.add_ptr %p, %step : !tile.ptr<f32>, index -> !tile.ptr<f32>
    scf.yield %next : !tile.ptr<f32>
  }
  "test.op"(%end) : (!tile.ptr<f32>) -> ()
  func.return
}

// The step of several statements, one of which subtracts and one of which is an i32, is made in front of the loop.
// CHECK-LABEL: func.func @steps_of_several_parts(
// CHECK-SAME: [[START:%.*]]: tensor<8x!tile.ptr<f32>>, [[A:%.*]]: tensor<8xindex>, [[B:%.*]]: tensor<8xi32>
// CHECK: [[ZERO:%.*]] = tile.splat
// CHECK: [[DOWN:%.*]] = arith.subi [[ZERO]], [[A]] : tensor<8xindex>
// CHECK: [[WIDE:%.*]] = tile.cast [[B]] : tensor<8xi32> -> tensor<8xindex>
// CHECK: [[STEP:%.*]] = arith.addi [[DOWN]], [[WIDE]] : tensor<8xindex>
// CHECK: scf.for [[I:%.*]] = {{%.*}} to {{%.*}} step {{%.*}} {
// CHECK-NEXT: [[IS:%.*]] = tile.splat [[I]]
// CHECK-NEXT: [[MOVED:%.*]] = arith.muli [[IS]], [[STEP]] : tensor<8xindex>
// CHECK-NEXT: [[P:%.*]] = tile.add_ptr [[START]], [[MOVED]]
// CHECK: [[Q:%.*]] = tile.add_ptr [[P]], {{%.*}}
// CHECK-NEXT: "test.op"([[Q]])
func.func @steps_of_several_parts(%start: tensor<8x!tile.ptr<f32>>, %a: tensor<8xindex>, %b: tensor<8xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %end = scf.for %i = %c0 to %c8 step %c1 iter_args(%p = %start) -> (tensor<8x!tile.ptr<f32>>) {
    %zero = tile.splat %c0 : index -> tensor<8xindex>
    %down = arith.subi %zero, %a : tensor<8xindex>
    %q = tile.add_ptr %p, %down : tensor<8x!tile.ptr<f32>>, tensor<8xindex> -> tensor<8x!tile.ptr<f32>>
    "test.op"(%q) : (tensor<8x!tile.ptr<f32>>) -> ()
    %next = tile.add_ptr %q, %b : tensor<8x!tile.ptr<f32>>, tensor<8xi32> -> tensor<8x!tile.ptr<f32>>
    scf.yield %next : tensor<8x!tile.ptr<f32>>
  }
  func.return
}

// A splat moves by a scalar.
// CHECK-LABEL: func.func @integers(
// CHECK: [[TWO:%.*]] = arith.constant 2 : i32
// CHECK: scf.for [[I:%.*]] = {{%.*}} to {{%.*}} step {{%.*}} {
// CHECK-NEXT: [[COUNT:%.*]] = tile.cast [[I]] : index -> i32
// CHECK-NEXT: [[UP:%.*]] = arith.muli [[COUNT]], [[TWO]] : i32
// CHECK-NEXT: [[UPS:%.*]] = tile.splat [[UP]] : i32 -> tensor<8xi32>
// CHECK-NEXT: [[T:%.*]] = arith.addi {{%.*}}, [[UPS]] : tensor<8xi32>
// CHECK-NEXT: [[COUNT:%.*]] = tile.cast [[I]] : index -> i32
// CHECK-NEXT: [[DOWN:%.*]] = arith.muli [[COUNT]], {{%.*}} : i32
// CHECK-NEXT: [[N:%.*]] = arith.addi {{%.*}}, [[DOWN]] : i32
// CHECK-NEXT: "test.op"([[T]], [[N]])
func.func @integers(%t0: tensor<8xi32>, %n0: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %two = arith.constant 2 : i32
  %twos = tile.splat %two : i32 -> tensor<8xi32>
  scf.for %i = %c0 to %c8 step %c1 iter_args(%t = %t0, %n = %n0) -> (tensor<8xi32>, i32) {
    "test.op"(%t, %n) : (tensor<8xi32>, i32) -> ()
    %t1 = arith.addi %twos, %t : tensor<8xi32>
    %n1 = arith.subi %n, %two : i32
    scf.yield %t1, %n1 : tensor<8xi32>, i32
  }
  func.return
}

// Loops are normalised, and what the inner loop leaves is a step of the outer one; the sum stays.
// CHECK-LABEL: func.func @a_nest(
// CHECK-SAME: [[START:%.*]]: index, [[SUM:%.*]]: tensor<8xf32>
// CHECK: {{%.*}} = scf.for [[I:%.*]] = {{%.*}} to {{%.*}} step {{%.*}} iter_args([[A:%.*]] = [[SUM]]) -> (tensor<8xf32>) {
// CHECK: [[N:%.*]] = arith.addi [[START]], {{%.*}} : index
// CHECK: [[INNER:%.*]] = scf.for [[J:%.*]] = {{%.*}} to {{%.*}} step {{%.*}} iter_args([[B:%.*]] = [[A]]) -> (tensor<8xf32>) {
// CHECK: [[M:%.*]] = arith.addi [[N]], {{%.*}} : index
// CHECK: "test.op"([[M]])
// CHECK: scf.yield {{%.*}} : tensor<8xf32>
// CHECK: scf.yield [[INNER]] : tensor<8xf32>
func.func @a_nest(%start: index, %sum: tensor<8xf32>) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %end, %total = scf.for %i = %c2 to %c8 step %c2 iter_args(%n = %start, %a = %sum) -> (index, tensor<8xf32>) {
    %last, %part = scf.for %j = %c1 to %c8 step %c2 iter_args(%m = %n, %b = %a) -> (index, tensor<8xf32>) {
      "test.op"(%m) : (index) -> ()
      %d = arith.addf %b, %b : tensor<8xf32>
      %m1 = arith.addi %m, %c2 : index
      scf.yield %m1, %d : index, tensor<8xf32>
    }
    %n1 = arith.addi %last, %c1 : index
    scf.yield %n1, %part : index, tensor<8xf32>
  }
  "test.op"(%total) : (tensor<8xf32>) -> ()
  func.return
}

// A pointer that the counter sets: before the first iteration it is what an iteration -1 would have set.
// CHECK-LABEL: func.func @set_anew(
// CHECK: [[BASE:%.*]] = tile.base
// CHECK: [[STEP:%.*]] = arith.constant 8 : index
// CHECK: scf.for [[I:%.*]] = {{%.*}} to {{%.*}} step {{%.*}} {
// CHECK: [[MOVED:%.*]] = arith.muli [[I]], [[STEP]] : index
// CHECK: [[P:%.*]] = tile.add_ptr [[BASE]], [[MOVED]]
// CHECK: "test.op"([[P]])
// CHECK: }
// CHECK: [[TRIPS:%.*]] = arith.constant 8 : index
// CHECK: [[ALL:%.*]] = arith.muli [[TRIPS]], [[STEP]] : index
// CHECK: [[END:%.*]] = tile.add_ptr [[BASE]], [[ALL]]
// CHECK: "test.op"([[END]])
func.func @set_anew(%x: memref<64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %base = tile.base %x : memref<64xf32> -> !tile.ptr<f32>
  %end = scf.for %i = %c0 to %c8 step %c1 iter_args(%p = %base) -> (!tile.ptr<f32>) {
    "test.op"(%p) : (!tile.ptr<f32>) -> ()
    %n = arith.addi %i, %c1 : index
    %at = arith.muli %n, %c8 : index
    %next = tile.add_ptr %base, %at : !tile.ptr<f32>, index -> !tile.ptr<f32>
    scf.yield %next : !tile.ptr<f32>
  }
  "test.op"(%end) : (!tile.ptr<f32>) -> ()
  func.return
}

// Nobody reads what an iteration before made of it: only the last one counts, affine or not.
// CHECK-LABEL: func.func @set_anew_and_read_after(
// CHECK: scf.for {{%.*}} = {{%.*}} to {{%.*}} step {{%.*}} {
// CHECK: [[SEVEN:%.*]] = arith.constant 7 : index
// CHECK: [[SQUARE:%.*]] = arith.muli [[SEVEN]], [[SEVEN]] : index
// CHECK: "test.op"([[SQUARE]])
func.func @set_anew_and_read_after(%start: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %end = scf.for %i = %c0 to %c8 step %c1 iter_args(%n = %start) -> (index) {
    %square = arith.muli %i, %i : index
    "test.op"(%square) : (index) -> ()
    scf.yield %square : index
  }
  "test.op"(%end) : (index) -> ()
  func.return
}

// The maximum is the counter wherever there is an iteration, not before.
// CHECK-LABEL: func.func @set_anew_by_what_is_affine_in_the_loop(
// CHECK: [[STEP:%.*]] = arith.constant 1 : index
// CHECK: scf.for [[I:%.*]] = {{%.*}} to {{%.*}} step {{%.*}} {
// CHECK: [[MOVED:%.*]] = arith.muli [[I]], {{%.*}} : index
// CHECK: [[N:%.*]] = arith.addi [[START:%.*]], [[MOVED]] : index
// CHECK: "test.op"([[N]])
func.func @set_anew_by_what_is_affine_in_the_loop() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %minus = arith.constant -1 : index
  scf.for %i = %c0 to %c8 step %c1 iter_args(%n = %minus) -> (index) {
    "test.op"(%n) : (index) -> ()
    %n1 = arith.maxsi %i, %c0 : index
    scf.yield %n1 : index
  }
  func.return
}

// CHECK-LABEL: func.func @what_does_not_change(
// CHECK-SAME: [[START:%.*]]: index
// CHECK: scf.for {{%.*}} = {{%.*}} to {{%.*}} step {{%.*}} {
// CHECK-NEXT: "test.op"([[START]])
// CHECK: }
// CHECK-NEXT: "test.op"([[START]])
func.func @what_does_not_change(%start: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %end = scf.for %i = %c0 to %c8 step %c1 iter_args(%n = %start) -> (index) {
    "test.op"(%n) : (index) -> ()
    scf.yield %n : index
  }
  "test.op"(%end) : (index) -> ()
  func.return
}

// -----

// Twice itself; a step that is the counter; data; too few bits for the iterations; set anew from another start; two by
// turns; itself subtracted.
// CHECK-LABEL: func.func @leaves_alone(
// CHECK: scf.for {{.*}} -> (index, index, i32, i8, index, index, index, index) {
func.func @leaves_alone(%start: index, %x: memref<8xi32>, %n0: i8) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  %one = arith.constant 1 : i32
  %ones = arith.constant 1 : i8
  %data = tile.read %x [0 by 1] : memref<8xi32> -> i32
  %r:8 = scf.for %i = %c0 to %c128 step %c1
      iter_args(%a = %start, %b = %start, %d = %data, %n = %n0, %s = %start, %p = %start, %q = %start, %t = %start)
      -> (index, index, i32, i8, index, index, index, index) {
    "test.op"(%a, %b, %d, %n, %s, %p, %t) : (index, index, i32, i8, index, index, index) -> ()
    %a1 = arith.addi %a, %a : index
    %b1 = arith.addi %b, %i : index
    %d1 = arith.addi %d, %one : i32
    %n1 = arith.addi %n, %ones : i8
    %s1 = arith.muli %i, %c1 : index
    %t1 = arith.subi %c1, %t : index
    scf.yield %a1, %b1, %d1, %n1, %s1, %q, %p, %t1 : index, index, i32, i8, index, index, index, index
  }
  "test.op"(%r#0, %r#6) : (index, index) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_loop_of_run_time
// CHECK: scf.for [[I:%.*]] = {{%.*}} to %n step {{%.*}} {
// CHECK: arith.muli [[I]]
// CHECK: [[TRIPS:%.*]] = arith.maxsi %n
// CHECK: [[END:%.*]] = arith.muli [[TRIPS]]
// CHECK: "test.op"({{%.*}}) : (index) -> ()
// CHECK-NEXT: func.return
func.func @a_loop_of_run_time(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %end = scf.for %i = %c0 to %n step %c1 iter_args(%m = %c0) -> (index) {
    "test.op"(%m) : (index) -> ()
    %m8 = arith.addi %m, %c8 : index
    scf.yield %m8 : index
  }
  "test.op"(%end) : (index) -> ()
  func.return
}
