// RUN: nki-opt %s -p fold-constants --split-input-file | filecheck %s
// RUN: nki-opt %s -p fold-constants --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @arithmetic
// CHECK: [[FIVE:%.*]] = arith.constant 5.000000e+00 : f32
// CHECK: [[A:%.*]] = tile.splat [[FIVE]] : f32 -> tensor<8xf32>
// CHECK: [[B:%.*]] = arith.constant -5.000000e+00 : f32
// CHECK: [[C:%.*]] = tile.splat [[B]] : f32 -> tensor<8xf32>
// CHECK: "test.op"([[A]], [[C]])
func.func @arithmetic() {
  %two = arith.constant 2.0 : f32
  %three = arith.constant 3.0 : f32
  %twos = tile.splat %two : f32 -> tensor<8xf32>
  %threes = tile.splat %three : f32 -> tensor<8xf32>
  %a = arith.addf %twos, %threes : tensor<8xf32>
  %b = arith.negf %a : tensor<8xf32>
  "test.op"(%a, %b) : (tensor<8xf32>, tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @rounds_to_the_type
// CHECK: arith.constant 3.000000e+00 : bf16
// CHECK: "test.op"
func.func @rounds_to_the_type() {
  %a = arith.constant 1.0 : bf16
  %b = arith.constant 2.0 : bf16
  %c = arith.constant 0.00390625 : bf16
  %d = arith.addf %a, %b : bf16
  %e = arith.addf %d, %c : bf16
  "test.op"(%e) : (bf16) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @integers_wrap
// CHECK: [[I:%.*]] = arith.constant -56 : i8
// CHECK: [[WIDE:%.*]] = arith.constant 44 : index
// CHECK: [[U:%.*]] = tile.cast [[WIDE]] : index -> ui8
// CHECK: "test.op"([[I]], [[U]])
func.func @integers_wrap() {
  %a = arith.constant 100 : i8
  %b = arith.addi %a, %a : i8
  %c = arith.constant 150 : index
  %d = tile.cast %c : index -> ui8
  %e = "arith.addi"(%d, %d) : (ui8, ui8) -> ui8
  "test.op"(%b, %e) : (i8, ui8) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_comparison_of_constants
// CHECK: [[FALSE:%.*]] = arith.constant false
// CHECK: [[MASK:%.*]] = tile.splat [[FALSE]] : i1 -> tensor<8xi1>
// CHECK: "test.op"([[MASK]])
func.func @a_comparison_of_constants() {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %zeros = tile.splat %zero : index -> tensor<8xindex>
  %ones = tile.splat %one : index -> tensor<8xindex>
  %mask = tile.compare eq %zeros, %ones : tensor<8xindex>, tensor<8xindex> -> tensor<8xi1>
  "test.op"(%mask) : (tensor<8xi1>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_choice_by_a_constant(
// CHECK-SAME: [[X:%.*]]: tensor<8xf32>, [[Y:%.*]]: tensor<8xf32>
// CHECK: "test.op"([[X]])
func.func @a_choice_by_a_constant(%x: tensor<8xf32>, %y: tensor<8xf32>) {
  %true = arith.constant true
  %all = tile.splat %true : i1 -> tensor<8xi1>
  %a = tile.select %all, %x, %y : tensor<8xi1>, tensor<8xf32>, tensor<8xf32> -> tensor<8xf32>
  "test.op"(%a) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_constant_goes_to_the_right(
// CHECK-SAME: [[X:%.*]]: i32
// CHECK: [[C:%.*]] = arith.constant 3 : i32
// CHECK: arith.ori [[X]], [[C]] : i32
// CHECK: arith.subi [[C]], [[X]] : i32
func.func @a_constant_goes_to_the_right(%x: i32) {
  %c = arith.constant 3 : i32
  %a = arith.ori %c, %x : i32
  %b = arith.subi %c, %x : i32
  "test.op"(%a, %b) : (i32, i32) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @leaves_alone
// CHECK: arith.muli
// CHECK: math.exp
// CHECK: arith.addf
// CHECK: tile.reduce
func.func @leaves_alone(%x: tensor<8xf32>) {
  %i = arith.constant 3 : index
  %j = arith.muli %i, %i : index
  %two = arith.constant 2.0 : f32
  %twos = tile.splat %two : f32 -> tensor<8xf32>
  %a = math.exp %twos : tensor<8xf32>
  %b = arith.addf %twos, %x : tensor<8xf32>
  %c = tile.reduce sum %twos axis 0 : tensor<8xf32> -> f32
  "test.op"(%j, %a, %b, %c) : (index, tensor<8xf32>, tensor<8xf32>, f32) -> ()
  func.return
}
