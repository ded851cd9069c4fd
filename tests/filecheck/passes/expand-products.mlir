// RUN: nki-opt %s -p expand-products --split-input-file | filecheck %s
// RUN: nki-opt %s -p expand-products --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

// CHECK-LABEL: func.func @dimensions_are_exchanged(
// CHECK: [[A:%.*]] = tile.permute %a order [1, 0] : tensor<8x4xf32> -> tensor<4x8xf32>
// CHECK-NEXT: [[B:%.*]] = tile.permute %b order [1, 0] : tensor<2x8xf32> -> tensor<8x2xf32>
// CHECK-NEXT: [[C:%.*]] = tile.dot [[A]], [[B]] acc %d over [1] x [0] : tensor<4x8xf32>, tensor<8x2xf32> -> tensor<4x2xf32>
// CHECK-NEXT: "test.op"([[C]])
func.func @dimensions_are_exchanged(%a: tensor<8x4xf32>, %b: tensor<2x8xf32>, %d: tensor<4x2xf32>) {
  %c = tile.dot %a, %b acc %d over [0] x [1] : tensor<8x4xf32>, tensor<2x8xf32> -> tensor<4x2xf32>
  "test.op"(%c) : (tensor<4x2xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @several_are_merged(
// CHECK: [[A:%.*]] = tile.reshape %a : tensor<3x4x8x5xbf16> -> tensor<12x40xbf16>
// CHECK-NEXT: [[P:%.*]] = tile.permute %b order [2, 0, 1] : tensor<5x2x8xbf16> -> tensor<8x5x2xbf16>
// CHECK-NEXT: [[B:%.*]] = tile.reshape [[P]] : tensor<8x5x2xbf16> -> tensor<40x2xbf16>
// CHECK-NEXT: [[D:%.*]] = tile.reshape %d : tensor<3x4x2xf32> -> tensor<12x2xf32>
// CHECK-NEXT: [[C:%.*]] = tile.dot [[A]], [[B]] acc [[D]] over [1] x [0] : tensor<12x40xbf16>, tensor<40x2xbf16> -> tensor<12x2xf32>
// CHECK-NEXT: tile.reshape [[C]] : tensor<12x2xf32> -> tensor<3x4x2xf32>
func.func @several_are_merged(%a: tensor<3x4x8x5xbf16>, %b: tensor<5x2x8xbf16>, %d: tensor<3x4x2xf32>) {
  %c = tile.dot %a, %b acc %d over [2, 3] x [2, 0] : tensor<3x4x8x5xbf16>, tensor<5x2x8xbf16> -> tensor<3x4x2xf32>
  "test.op"(%c) : (tensor<3x4x2xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @common_dimensions_are_the_diagonal_of_one_product(
// CHECK: [[A:%.*]] = tile.reshape %a : tensor<4x16x8xbf16> -> tensor<64x8xbf16>
// CHECK-NEXT: [[P:%.*]] = tile.permute %b order [1, 0, 2] : tensor<4x8x32xbf16> -> tensor<8x4x32xbf16>
// CHECK-NEXT: [[B:%.*]] = tile.reshape [[P]] : tensor<8x4x32xbf16> -> tensor<8x128xbf16>
// CHECK-NEXT: [[ALL:%.*]] = tile.dot [[A]], [[B]] over [1] x [0] : tensor<64x8xbf16>, tensor<8x128xbf16> -> tensor<64x128xf32>
// CHECK-NEXT: [[APART:%.*]] = tile.reshape [[ALL]] : tensor<64x128xf32> -> tensor<4x16x4x32xf32>
// CHECK-NEXT: tile.arange 0 to 4
// CHECK: [[ALIKE:%.*]] = tile.compare eq %{{.*}} : tensor<4x16x4x32xindex>
// CHECK: [[KEPT:%.*]] = tile.select [[ALIKE]], [[APART]], %{{.*}} : tensor<4x16x4x32xi1>
// CHECK-NEXT: [[SUM:%.*]] = tile.reduce sum [[KEPT]] axis 2 : tensor<4x16x4x32xf32> -> tensor<4x16x32xf32>
// CHECK-NEXT: arith.addf [[SUM]], %d
func.func @common_dimensions_are_the_diagonal_of_one_product(%a: tensor<4x16x8xbf16>, %b: tensor<4x8x32xbf16>, %d: tensor<4x16x32xf32>) {
  %c = tile.dot %a, %b acc %d over [2] x [1] batch [0] x [0] : tensor<4x16x8xbf16>, tensor<4x8x32xbf16> -> tensor<4x16x32xf32>
  "test.op"(%c) : (tensor<4x16x32xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @leaves_alone(
// CHECK-NEXT: [[C:%.*]] = tile.dot %a, %b acc %d over [1] x [0]
// CHECK-NEXT: "test.op"([[C]])
func.func @leaves_alone(%a: tensor<4x8xf32>, %b: tensor<8x2xf32>, %d: tensor<4x2xf32>) {
  %c = tile.dot %a, %b acc %d over [1] x [0] : tensor<4x8xf32>, tensor<8x2xf32> -> tensor<4x2xf32>
  "test.op"(%c) : (tensor<4x2xf32>) -> ()
  func.return
}
