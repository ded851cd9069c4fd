// RUN: nki-opt %s -p sum-by-products --split-input-file | filecheck %s
// RUN: nki-opt %s -p sum-by-products --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @rows_of_all_programs
// CHECK: [[X:%.*]] = tile.read
// CHECK: [[ONES:%.*]] = tile.splat {{%.*}} : f32 -> tensor<32xf32>
// CHECK: [[S:%.*]] = tile.dot [[ONES]], [[X]] over [0] x [0] : tensor<32xf32>, tensor<32x64xf32> -> tensor<64xf32>
// CHECK: tile.write [[S]]
func.func @rows_of_all_programs(%x: memref<32x1024xf32>, %y: memref<1024xf32>) {
  tile.programs (%i) in [16] {
    %v = tile.read %x(%i) [1024 * d0 by 1, 64 * s0 + d1 by 1] : memref<32x1024xf32> -> tensor<32x64xf32>
    %s = tile.reduce sum %v axis 0 : tensor<32x64xf32> -> tensor<64xf32>
    tile.write %s to %y(%i) [64 * s0 + d0 by 1] : tensor<64xf32> -> memref<1024xf32>
  }
  func.return
}

// What is computed of several; the second dimension of three. What is only widened is multiplied as it is.
// CHECK-LABEL: func.func @what_is_computed
// CHECK: [[E:%.*]] = math.exp
// CHECK: tile.dot {{%.*}}, [[E]] over [0] x [1] : tensor<128xf32>, tensor<4x128x64xf32> -> tensor<4x64xf32>
// CHECK: tile.splat {{%.*}} : bf16 -> tensor<128xbf16>
// CHECK: tile.dot {{%.*}} over [0] x [1] : tensor<128xbf16>, tensor<4x128x64xbf16> -> tensor<4x64xf32>
func.func @what_is_computed(%x: memref<4x128x64xbf16>, %y: memref<4x64xf32>, %z: memref<4x64xf32>) {
  %v = tile.read %x [8192 * d0 + 64 * d1 + d2 by 1] : memref<4x128x64xbf16> -> tensor<4x128x64xbf16>
  %w = tile.cast %v : tensor<4x128x64xbf16> -> tensor<4x128x64xf32>
  %e = math.exp %w : tensor<4x128x64xf32>
  %s = tile.reduce sum %e axis 1 : tensor<4x128x64xf32> -> tensor<4x64xf32>
  tile.write %s to %y [64 * d0 + d1 by 1] : tensor<4x64xf32> -> memref<4x64xf32>
  %t = tile.reduce sum %w axis 1 : tensor<4x128x64xf32> -> tensor<4x64xf32>
  tile.write %t to %z [64 * d0 + d1 by 1] : tensor<4x64xf32> -> memref<4x64xf32>
  func.return
}

// What each row is multiplied by is the other factor.
// CHECK-LABEL: func.func @weighted_rows
// CHECK: [[W:%.*]] = tile.read %w
// CHECK: [[X:%.*]] = tile.read %x
// CHECK: [[V:%.*]] = tile.reshape {{%.*}} : tensor<128x1xf32> -> tensor<128xf32>
// CHECK: tile.dot [[V]], [[X]] over [0] x [0] : tensor<128xf32>, tensor<128x64xf32> -> tensor<64xf32>
// CHECK: tile.dot {{%.*}} over [0] x [0] : tensor<128xf32>, tensor<128x64xf32> -> tensor<64xf32>
func.func @weighted_rows(%x: memref<128x64xf32>, %w: memref<128xf32>, %y: memref<64xf32>, %z: memref<64xf32>) {
  %u = tile.read %w [d0 by 1] : memref<128xf32> -> tensor<128xf32>
  %v = tile.read %x [64 * d0 + d1 by 1] : memref<128x64xf32> -> tensor<128x64xf32>
  %c = tile.expand_dims %u axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %f = tile.broadcast %c : tensor<128x1xf32> -> tensor<128x64xf32>
  %p = arith.mulf %f, %v : tensor<128x64xf32>
  %s = tile.reduce sum %p axis 0 : tensor<128x64xf32> -> tensor<64xf32>
  tile.write %s to %y [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  %q = arith.mulf %v, %v : tensor<128x64xf32>
  %t = tile.reduce sum %q axis 0 : tensor<128x64xf32> -> tensor<64xf32>
  tile.write %t to %z [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  func.return
}

// Along memory; few terms; extrema; integers; and what was not read.
// CHECK-LABEL: func.func @others
// CHECK-COUNT-4: tile.reduce
// CHECK: [[P:%.*]] = tile.dot {{.*}} -> tensor<64x64xf32>
// CHECK: tile.reduce sum [[P]] axis 0
func.func @others(%x: memref<64x64xf32>, %i: memref<64x64xi32>, %y: memref<64xf32>, %z: memref<64xi32>) {
  %v = tile.read %x [64 * d0 + d1 by 1] : memref<64x64xf32> -> tensor<64x64xf32>
  %a = tile.reduce sum %v axis 1 : tensor<64x64xf32> -> tensor<64xf32>
  tile.write %a to %y [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  %w = tile.read %x [64 * d0 + d1 by 1] : memref<64x64xf32> -> tensor<8x64xf32>
  %b = tile.reduce sum %w axis 0 : tensor<8x64xf32> -> tensor<64xf32>
  tile.write %b to %y [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  %c = tile.reduce max %v axis 0 : tensor<64x64xf32> -> tensor<64xf32>
  tile.write %c to %y [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  %n = tile.read %i [64 * d0 + d1 by 1] : memref<64x64xi32> -> tensor<64x64xi32>
  %d = tile.reduce sum %n axis 0 : tensor<64x64xi32> -> tensor<64xi32>
  tile.write %d to %z [d0 by 1] : tensor<64xi32> -> memref<64xi32>
  %p = tile.dot %v, %v over [1] x [0] : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
  %e = tile.reduce sum %p axis 0 : tensor<64x64xf32> -> tensor<64xf32>
  tile.write %e to %y [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  func.return
}

// Columns of different programs would not be beside one another: each has a matrix of its own.
// CHECK-LABEL: func.func @a_matrix_each
// CHECK-NOT: tile.dot
// CHECK: tile.reduce sum
func.func @a_matrix_each(%x: memref<16x32x64xf32>, %y: memref<16x64xf32>) {
  tile.programs (%i) in [16] {
    %v = tile.read %x(%i) [2048 * s0 + 64 * d0 + d1 by 1] : memref<16x32x64xf32> -> tensor<32x64xf32>
    %s = tile.reduce sum %v axis 0 : tensor<32x64xf32> -> tensor<64xf32>
    tile.write %s to %y(%i) [64 * s0 + d0 by 1] : tensor<64xf32> -> memref<16x64xf32>
  }
  func.return
}
