// The pass rejects nothing itself; what it is given is verified before it runs.
// RUN: nki-opt %s -p peel-masks --verify-diagnostics | filecheck %s

func.func @a_mask_of_another_shape(%x: tensor<4x8xf32>, %m: tensor<4x4xi1>) {
  // CHECK: the condition must be i1 of shape (4, 8)
  %s = tile.select %m, %x, %x : tensor<4x4xi1>, tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
  func.return
}
