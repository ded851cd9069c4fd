// RUN: nki-opt %s -p expand-rounding --split-input-file | filecheck %s
// RUN: nki-opt %s -p expand-rounding --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @floor(
// CHECK-SAME: [[X:%.*]]: tensor<8xf32>
// CHECK: [[I:%.*]] = tile.cast [[X]] : tensor<8xf32> -> tensor<8xi32>
// CHECK: [[K:%.*]] = tile.cast [[I]] : tensor<8xi32> -> tensor<8xf32>
// CHECK: [[WRONG:%.*]] = tile.compare gt [[K]], [[X]]
// CHECK: [[ONE:%.*]] = tile.cast [[WRONG]]
// CHECK: [[D:%.*]] = arith.subf [[K]], [[ONE]]
// CHECK: [[SIZE:%.*]] = math.absf [[X]]
// CHECK: [[SMALL:%.*]] = tile.compare lt [[SIZE]]
// CHECK: [[F:%.*]] = tile.select [[SMALL]], [[D]], [[X]]
// CHECK: "test.op"([[F]])
func.func @floor(%x: tensor<8xf32>) {
  %f = math.floor %x : tensor<8xf32>
  "test.op"(%f) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @ceil(
// CHECK-SAME: [[X:%.*]]: tensor<8xbf16>
// CHECK: [[WIDE:%.*]] = tile.cast [[X]] : tensor<8xbf16> -> tensor<8xf32>
// CHECK: tile.compare lt {{.*}}, [[WIDE]]
// CHECK: arith.addf
// CHECK: [[F:%.*]] = tile.cast {{.*}} : tensor<8xf32> -> tensor<8xbf16>
// CHECK: "test.op"([[F]])
func.func @ceil(%x: tensor<8xbf16>) {
  %f = math.ceil %x : tensor<8xbf16>
  "test.op"(%f) : (tensor<8xbf16>) -> ()
  func.return
}

// -----

// A conversion to an integer saturates by itself.
// CHECK-LABEL: func.func @truncated_to_an_integer(
// CHECK-SAME: [[X:%.*]]: tensor<8xf32>
// CHECK: [[SIZE:%.*]] = math.absf [[X]]
// CHECK: tile.cast [[SIZE]] : tensor<8xf32> -> tensor<8xi32>
// CHECK: [[NEGATIVE:%.*]] = tile.compare lt [[X]]
// CHECK: [[F:%.*]] = tile.select [[NEGATIVE]]
// CHECK-NEXT: [[I:%.*]] = tile.cast [[F]] : tensor<8xf32> -> tensor<8xi32>
// CHECK-NEXT: "test.op"([[I]])
func.func @truncated_to_an_integer(%x: tensor<8xf32>) {
  %f = math.trunc %x : tensor<8xf32>
  %i = tile.cast %f : tensor<8xf32> -> tensor<8xi32>
  "test.op"(%i) : (tensor<8xi32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_scalar(
// CHECK-SAME: [[X:%.*]]: f32
// CHECK: tile.splat [[X]] : f32 -> tensor<1xf32>
// CHECK: [[F:%.*]] = tile.reduce max {{.*}} axis 0 : tensor<1xf32> -> f32
// CHECK: "test.op"([[F]])
func.func @a_scalar(%x: f32) {
  %f = math.floor %x : f32
  "test.op"(%f) : (f32) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @conversions_stay(
// CHECK-NEXT: tile.cast
// CHECK-NEXT: "test.op"
func.func @conversions_stay(%x: tensor<8xf32>) {
  %i = tile.cast %x : tensor<8xf32> -> tensor<8xi32>
  "test.op"(%i) : (tensor<8xi32>) -> ()
  func.return
}
