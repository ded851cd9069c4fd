// RUN: nki-opt %s -p carried-indices --split-input-file | filecheck %s
// RUN: nki-opt %s -p carried-indices --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

// CHECK-LABEL: func.func @a_pointer_is_its_distance(
// CHECK: [[P:%.*]] = tile.base %x
// CHECK: [[ZERO:%.*]] = arith.constant 0 : i32
// CHECK-NEXT: [[D:%.*]] = scf.for %{{.*}} iter_args([[N:%.*]] = [[ZERO]]) -> (i32) {
// CHECK-NEXT: [[I:%.*]] = tile.cast [[N]] : i32 -> index
// CHECK-NEXT: [[Q:%.*]] = tile.add_ptr [[P]], [[I]]
// CHECK-NEXT: [[V:%.*]] = tile.load [[Q]]
// CHECK: [[OLD:%.*]] = tile.cast [[N]] : i32 -> index
// CHECK-NEXT: [[STEP:%.*]] = tile.cast [[V]] : i32 -> index
// CHECK-NEXT: [[NEW:%.*]] = arith.addi [[OLD]], [[STEP]] : index
// CHECK-NEXT: [[NEXT:%.*]] = tile.cast [[NEW]] : index -> i32
// CHECK-NEXT: scf.yield [[NEXT]] : i32
// CHECK: [[E:%.*]] = tile.cast [[D]] : i32 -> index
// CHECK-NEXT: [[END:%.*]] = tile.add_ptr [[P]], [[E]]
// CHECK-NEXT: "test.op"([[END]])
func.func @a_pointer_is_its_distance(%x: memref<64xi32>) {
  %p = tile.base %x : memref<64xi32> -> !tile.ptr<i32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %end = scf.for %i = %c0 to %c8 step %c1 iter_args(%q = %p) -> (!tile.ptr<i32>) {
    %v = tile.load %q : !tile.ptr<i32> -> i32
    %next = tile.add_ptr %q, %v : !tile.ptr<i32>, i32 -> !tile.ptr<i32>
    scf.yield %next : !tile.ptr<i32>
  }
  "test.op"(%end) : (!tile.ptr<i32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @indices_of_a_while(
// CHECK: [[START:%.*]] = tile.cast %n : index -> i32
// CHECK-NEXT: [[ZERO:%.*]] = arith.constant 0 : i32
// CHECK-NEXT: [[R:%.*]], [[S:%.*]] = scf.while ([[A:%.*]] = [[START]], [[B:%.*]] = [[ZERO]]) : (i32, i32) -> (i32, i32) {
// CHECK: [[I:%.*]] = tile.cast [[A]] {tile.carried} : i32 -> index
// CHECK-NEXT: [[GOES:%.*]] = tile.compare gt [[I]], %n
// CHECK-NEXT: scf.condition([[GOES]]) [[A]], [[B]] : i32, i32
// CHECK: ^{{.*}}([[C:%.*]]: i32, [[D:%.*]]: i32):
// CHECK-NEXT: [[DI:%.*]] = tile.cast [[D]] {tile.carried} : i32 -> index
// CHECK-NEXT: [[DS:%.*]] = tile.splat [[DI]]
// CHECK-NEXT: [[T:%.*]] = arith.addi %t, [[DS]] : tensor<4xindex>
// CHECK-NEXT: [[CI:%.*]] = tile.cast [[C]] {tile.carried} : i32 -> index
// CHECK-NEXT: "test.op"([[T]])
// CHECK-NEXT: [[TWICE:%.*]] = arith.muli [[CI]], [[CI]]
// CHECK: [[NEXT:%.*]] = tile.cast [[TWICE]] : index -> i32
// CHECK: [[MORE:%.*]] = arith.subi %{{.*}}, [[CI]] : index
// CHECK-NEXT: [[ONE:%.*]] = tile.cast [[MORE]] : index -> i32
// CHECK-NEXT: scf.yield [[NEXT]], [[ONE]] : i32, i32
// CHECK: [[SI:%.*]] = tile.cast [[S]] {tile.carried} : i32 -> index
// CHECK-NEXT: [[SS:%.*]] = tile.splat [[SI]]
// CHECK-NEXT: [[ALL:%.*]] = arith.addi %t, [[SS]]
// CHECK: "test.op"(%{{.*}}, [[ALL]])
func.func @indices_of_a_while(%n: index, %t: tensor<4xindex>) {
  %r:2 = scf.while (%a = %n, %b = %t) : (index, tensor<4xindex>) -> (index, tensor<4xindex>) {
    %goes = tile.compare gt %a, %n : index, index -> i1
    scf.condition(%goes) %a, %b : index, tensor<4xindex>
  } do {
  ^bb0(%c: index, %d: tensor<4xindex>):
    "test.op"(%d) : (tensor<4xindex>) -> ()
    %next = arith.muli %c, %c : index
    %s = tile.splat %c : index -> tensor<4xindex>
    %less = arith.subi %d, %s : tensor<4xindex>
    scf.yield %next, %less : index, tensor<4xindex>
  }
  "test.op"(%r#0, %r#1) : (index, tensor<4xindex>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @elements_that_move_apart_are_numbers(
// CHECK: arith.constant dense<0> : tensor<4xi32>
// CHECK-NEXT: scf.for %{{.*}} -> (tensor<4xi32>) {
// CHECK: [[I:%.*]] = tile.cast %{{.*}} : tensor<4xi32> -> tensor<4xindex>
// CHECK-NEXT: tile.add_ptr %p, [[I]]
func.func @elements_that_move_apart_are_numbers(%p: tensor<4x!tile.ptr<i32>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %end = scf.for %i = %c0 to %c8 step %c1 iter_args(%q = %p) -> (tensor<4x!tile.ptr<i32>>) {
    %v = tile.load %q : tensor<4x!tile.ptr<i32>> -> tensor<4xi32>
    %next = tile.add_ptr %q, %v : tensor<4x!tile.ptr<i32>>, tensor<4xi32> -> tensor<4x!tile.ptr<i32>>
    scf.yield %next : tensor<4x!tile.ptr<i32>>
  }
  "test.op"(%end) : (tensor<4x!tile.ptr<i32>>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @what_stays_the_same_is_a_number(
// CHECK: scf.for %{{.*}} iter_args([[N:%.*]] = %{{.*}}) -> (i32) {
// CHECK: [[K:%.*]] = tile.cast [[N]] {tile.carried} : i32 -> index
// CHECK: [[M:%.*]] = tile.cast [[K]] : index -> i32
// CHECK-NEXT: scf.yield [[M]] : i32
func.func @what_stays_the_same_is_a_number(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %end = scf.for %i = %c0 to %c8 step %c1 iter_args(%k = %n) -> (index) {
    "test.op"(%k) : (index) -> ()
    scf.yield %k : index
  }
  "test.op"(%end) : (index) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @leaves_alone(
// CHECK: scf.for %{{.*}} iter_args(%{{.*}} = %f, %{{.*}} = %p) -> (f32, !tile.ptr<i32>) {
// CHECK: scf.while (%{{.*}} = %n) : (index) -> f32 {
func.func @leaves_alone(%f: f32, %n: index, %p: !tile.ptr<i32>, %o: !tile.ptr<i32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %a, %b = scf.for %i = %c0 to %c8 step %c1 iter_args(%g = %f, %q = %p) -> (f32, !tile.ptr<i32>) {
    %h = arith.addf %g, %g : f32
    %next = tile.add_ptr %o, %i : !tile.ptr<i32>, index -> !tile.ptr<i32>
    scf.yield %h, %next : f32, !tile.ptr<i32>
  }
  %r = scf.while (%k = %n) : (index) -> f32 {
    %goes = tile.compare gt %k, %n : index, index -> i1
    scf.condition(%goes) %f : f32
  } do {
  ^bb0(%c: f32):
    scf.yield %n : index
  }
  "test.op"(%a, %b, %r) : (f32, !tile.ptr<i32>, f32) -> ()
  func.return
}
