// RUN: nki-opt %s -p expand-trigonometry --split-input-file | filecheck %s
// RUN: nki-opt %s -p expand-trigonometry --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @sine(
// CHECK-SAME: [[X:%.*]]: tensor<8xf32>
// CHECK: [[TURNS:%.*]] = arith.mulf [[X]], {{.*}} : tensor<8xf32>
// CHECK: arith.constant 0x4B400000 : f32
// CHECK: [[SHIFTED:%.*]] = arith.addf [[TURNS]]
// CHECK: [[WHOLE:%.*]] = arith.subf [[SHIFTED]]
// CHECK: arith.constant 6.281250e+00 : f32
// CHECK: [[A:%.*]] = arith.mulf [[WHOLE]]
// CHECK: [[B:%.*]] = arith.subf [[X]], [[A]]
// CHECK: [[C:%.*]] = arith.mulf [[WHOLE]]
// CHECK: [[D:%.*]] = arith.subf [[B]], [[C]]
// CHECK: [[E:%.*]] = arith.mulf [[WHOLE]]
// CHECK: [[R:%.*]] = arith.subf [[D]], [[E]]
// CHECK: [[UPPER:%.*]] = arith.subf {{.*}}, [[R]]
// CHECK: [[LOW:%.*]] = arith.minimumf [[R]], [[UPPER]]
// CHECK: [[LOWER:%.*]] = arith.subf {{.*}}, [[LOW]]
// CHECK: [[IN:%.*]] = arith.maximumf [[LOW]], [[LOWER]]
// CHECK: [[Y:%.*]] = math.sin [[IN]]
// CHECK: "test.op"([[Y]])
func.func @sine(%x: tensor<8xf32>) {
  %y = math.sin %x : tensor<8xf32>
  "test.op"(%y) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @cosine_of_a_scalar(
// CHECK-SAME: [[X:%.*]]: f32
// CHECK: arith.mulf [[X]], {{.*}} : f32
// CHECK: [[SIZE:%.*]] = math.absf
// CHECK: [[IN:%.*]] = arith.subf {{.*}}, [[SIZE]]
// CHECK: [[Y:%.*]] = math.sin [[IN]] : f32
// CHECK: "test.op"([[Y]])
// CHECK-NOT: math.cos
func.func @cosine_of_a_scalar(%x: f32) {
  %y = math.cos %x : f32
  "test.op"(%y) : (f32) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @short_floats_become_fp32(
// CHECK-SAME: [[X:%.*]]: tensor<8xbf16>
// CHECK: [[WIDE:%.*]] = tile.cast [[X]] : tensor<8xbf16> -> tensor<8xf32>
// CHECK: arith.mulf [[WIDE]]
// CHECK: [[Y:%.*]] = math.sin {{.*}} : tensor<8xf32>
// CHECK: [[SHORT:%.*]] = tile.cast [[Y]] : tensor<8xf32> -> tensor<8xbf16>
// CHECK: "test.op"([[SHORT]])
func.func @short_floats_become_fp32(%x: tensor<8xbf16>) {
  %y = math.sin %x : tensor<8xbf16>
  "test.op"(%y) : (tensor<8xbf16>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @other_functions_stay(
// CHECK-NEXT: math.tanh
// CHECK-NEXT: "test.op"
func.func @other_functions_stay(%x: tensor<8xf32>) {
  %y = math.tanh %x : tensor<8xf32>
  "test.op"(%y) : (tensor<8xf32>) -> ()
  func.return
}
