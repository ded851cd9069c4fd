// The pass rejects nothing itself; what it is given is verified before it runs.
// RUN: nki-opt %s -p maximum-first --split-input-file --verify-diagnostics | filecheck %s

func.func @a_product_of_shapes_that_do_not_multiply(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>) {
  // CHECK: 'over' pairs dimensions of one size, got [8] and [4]
  %p = tile.dot %a, %b over [1] x [0] : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
  func.return
}
