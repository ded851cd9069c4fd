// RUN: nki-opt %s -p unwrap --split-input-file | filecheck %s
// RUN: nki-opt %s -p unwrap --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

// Rows and columns of a product that wrap around are those that no store takes; both use the same numbers.
// CHECK-LABEL: func.func @a_product
// CHECK: tile.read {{%.*}}({{%.*}}) [64 * s0 + d0 in * to 1000 by 300, d1 by 1] other 0.000000e+00 : f32
// CHECK: tile.read {{%.*}}({{%.*}}) [d0 by 1000, 64 * s0 + d1 in * to 1000 by 1] : memref<300x1000xf32>
func.func @a_product(%a: memref<1000x300xf32>, %b: memref<300x1000xf32>, %c: memref<1000x1000xf32>) {
  tile.programs (%i, %j) in [16, 16] {
    %n = arith.constant 64 : index
    %size = arith.constant 1000 : index
    %sizes = tile.splat %size : index -> tensor<64xindex>
    %place = tile.arange 0 to 64 : tensor<64xindex>
    %i0 = arith.muli %i, %n : index
    %i1 = tile.splat %i0 : index -> tensor<64xindex>
    %i2 = arith.addi %i1, %place : tensor<64xindex>
    %rows = arith.remsi %i2, %sizes : tensor<64xindex>
    %j0 = arith.muli %j, %n : index
    %j1 = tile.splat %j0 : index -> tensor<64xindex>
    %j2 = arith.addi %j1, %place : tensor<64xindex>
    %columns = arith.remui %j2, %sizes : tensor<64xindex>
    %x = tile.read %a index(%rows : tensor<64xindex>) [t0(d0) by 300, d1 by 1] other 0.0 : f32 : memref<1000x300xf32> -> tensor<64x300xf32>
    %y = tile.read %b index(%columns : tensor<64xindex>) [d0 by 1000, t0(d1) by 1] : memref<300x1000xf32> -> tensor<300x64xf32>
    %z = tile.dot %x, %y over [1] x [0] : tensor<64x300xf32>, tensor<300x64xf32> -> tensor<64x64xf32>
    tile.write %z to %c(%i, %j) [64 * s0 + d0 in * to 1000 by 1000, 64 * s1 + d1 in * to 1000 by 1] : tensor<64x64xf32> -> memref<1000x1000xf32>
  }
  func.return
}

// A bound below the divisor will do, and what is carried by a loop or summed along another dimension is followed. Other
// index tiles stay, under new numbers.
// CHECK-LABEL: func.func @rows_of_a_loop
// CHECK: tile.read {{%.*}}({{%.*}}) index({{%.*}} : tensor<40xi32>) [64 * s0 + d0 in * to 1000 by 300, t0(d1) by 1]
func.func @rows_of_a_loop(%x: memref<1000x300xf32>, %table: memref<40xi32>, %out: memref<1000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  tile.programs (%i) in [16] {
    %n = arith.constant 64 : index
    %size = arith.constant 1000 : index
    %sizes = tile.splat %size : index -> tensor<64xindex>
    %place = tile.arange 0 to 64 : tensor<64xindex>
    %i0 = arith.muli %i, %n : index
    %i1 = tile.splat %i0 : index -> tensor<64xindex>
    %i2 = arith.addi %i1, %place : tensor<64xindex>
    %rows = arith.remsi %i2, %sizes : tensor<64xindex>
    %columns = tile.read %table [d0 by 1] : memref<40xi32> -> tensor<40xi32>
    %start = tile.splat %zero : f32 -> tensor<64xf32>
    %sum = scf.for %k = %c0 to %c3 step %c1 iter_args(%so_far = %start) -> (tensor<64xf32>) {
      %v = tile.read %x index(%rows, %columns : tensor<64xindex>, tensor<40xi32>) [t0(d0) by 300, t1(d1) by 1] : memref<1000x300xf32> -> tensor<64x40xf32>
      %s = tile.reduce sum %v axis 1 : tensor<64x40xf32> -> tensor<64xf32>
      %more = arith.addf %so_far, %s : tensor<64xf32>
      scf.yield %more : tensor<64xf32>
    }
    tile.write %sum to %out(%i) [64 * s0 + d0 in * to 990 by 1] : tensor<64xf32> -> memref<1000xf32>
  }
  func.return
}

// What is stored beyond the divisor, without a bound, or elsewhere than it was loaded from; what is summed; what may be
// negative; what is an index itself; what is added to something.
// CHECK-LABEL: func.func @left_alone
// CHECK: tile.read {{%.*}} index({{%.*}}) [t0(d0) by 1]
// CHECK: tile.read {{%.*}} index({{%.*}}) [t0(d0) by 1]
// CHECK: tile.read {{%.*}} index({{%.*}}) [t0(d0) by 1]
// CHECK: tile.read {{%.*}} index({{%.*}}) [t0(d0) by 1]
// CHECK: tile.read {{%.*}} index({{%.*}}) [t0(d0) by 1]
// CHECK: tile.read {{%.*}} index({{%.*}}) [t0(d0) by 1]
// CHECK: tile.read {{%.*}} index({{%.*}}) [t0(d0) in * to 500 by 1]
// CHECK: tile.read {{%.*}} index({{%.*}} : tensor<64xi32>) [t0(d0) by 1]
// CHECK: tile.read {{%.*}} index({{%.*}}) [64 + t0(d0) by 1]
func.func @left_alone(%x: memref<2000xf32>, %t: memref<2000xi32>, %out: memref<2000xf32>) {
  tile.programs (%i) in [16] {
    %n = arith.constant 64 : index
    %size = arith.constant 1000 : index
    %sizes = tile.splat %size : index -> tensor<64xindex>
    %place = tile.arange 0 to 64 : tensor<64xindex>
    %i0 = arith.muli %i, %n : index
    %i1 = tile.splat %i0 : index -> tensor<64xindex>
    %i2 = arith.addi %i1, %place : tensor<64xindex>
    %wrapped = arith.remsi %i2, %sizes : tensor<64xindex>
    %less = arith.subi %i2, %sizes : tensor<64xindex>
    %signed = arith.remsi %less, %sizes : tensor<64xindex>
    %a = tile.read %x index(%wrapped : tensor<64xindex>) [t0(d0) by 1] : memref<2000xf32> -> tensor<64xf32>
    tile.write %a to %out(%i) [64 * s0 + d0 in * to 1001 by 1] : tensor<64xf32> -> memref<2000xf32>
    %b = tile.read %x index(%wrapped : tensor<64xindex>) [t0(d0) by 1] : memref<2000xf32> -> tensor<64xf32>
    %twice = arith.addf %b, %b : tensor<64xf32>
    %four = arith.addf %twice, %twice : tensor<64xf32>
    tile.write %four to %out(%i) [64 * s0 + d0 by 1] : tensor<64xf32> -> memref<2000xf32>
    %c = tile.read %x index(%wrapped : tensor<64xindex>) [t0(d0) by 1] : memref<2000xf32> -> tensor<64xf32>
    tile.write %c to %out(%i) [32 * s0 + d0 in * to 1000 by 1] : tensor<64xf32> -> memref<2000xf32>
    %d = tile.read %x index(%wrapped : tensor<64xindex>) [t0(d0) by 1] : memref<2000xf32> -> tensor<64xf32>
    %sum = tile.reduce sum %d axis 0 : tensor<64xf32> -> f32
    tile.write %sum to %out(%i) [s0 by 1] : f32 -> memref<2000xf32>
    %e = tile.read %x index(%signed : tensor<64xindex>) [t0(d0) by 1] : memref<2000xf32> -> tensor<64xf32>
    tile.write %e to %out(%i) [64 * s0 + d0 - 1000 in * to 1000 by 1] : tensor<64xf32> -> memref<2000xf32>
    %f = tile.read %t index(%wrapped : tensor<64xindex>) [t0(d0) by 1] : memref<2000xi32> -> tensor<64xi32>
    %g = tile.read %x index(%wrapped : tensor<64xindex>) [t0(d0) in * to 500 by 1] : memref<2000xf32> -> tensor<64xf32>
    tile.write %g to %out(%i) [64 * s0 + d0 in * to 1000 by 1] : tensor<64xf32> -> memref<2000xf32>
    %h = tile.read %x index(%f : tensor<64xi32>) [t0(d0) by 1] : memref<2000xf32> -> tensor<64xf32>
    tile.write %h to %out(%i) [64 * s0 + d0 in * to 1000 by 1] : tensor<64xf32> -> memref<2000xf32>
    %k = tile.read %x index(%wrapped : tensor<64xindex>) [64 + t0(d0) by 1] : memref<2000xf32> -> tensor<64xf32>
    tile.write %k to %out(%i) [64 * s0 + d0 in * to 1000 by 1] : tensor<64xf32> -> memref<2000xf32>
  }
  func.return
}
