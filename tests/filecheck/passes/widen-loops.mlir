// RUN: nki-opt %s -p widen-loops --split-input-file | filecheck %s
// RUN: nki-opt %s -p widen-loops --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @rows_are_added_up
// CHECK: [[NONE:%.*]] = tile.splat {{%.*}} : f32 -> tensor<500x512xf32>
// CHECK: arith.constant 2 : index
// CHECK: [[ROWS:%.*]] = scf.for [[K:%.*]] = {{.*}} iter_args([[S:%.*]] = [[NONE]]) -> (tensor<500x512xf32>)
// CHECK: [[V:%.*]] = tile.read %x([[K]]) [256000 * s0 + 512 * d0 + d1 by 1] : {{.*}} -> tensor<500x512xf32>
// CHECK: [[T:%.*]] = arith.addf [[S]], [[V]] : tensor<500x512xf32>
// CHECK: scf.yield [[T]]
// CHECK: [[ONES:%.*]] = tile.splat {{%.*}} : f32 -> tensor<500xf32>
// CHECK: [[ROW:%.*]] = tile.dot [[ONES]], [[ROWS]] over [0] x [0] : {{.*}} -> tensor<512xf32>
// CHECK: [[SUM:%.*]] = arith.addf %start, [[ROW]]
// CHECK: tile.write [[SUM]] to %y
func.func @rows_are_added_up(%x: memref<1024x512xf32>, %y: memref<512xf32>) {
  %start = arith.constant dense<3.0> : tensor<512xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 1000 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%s = %start) -> (tensor<512xf32>) {
    %v = tile.read %x(%k) [512 * s0 + d0 by 1] : memref<1024x512xf32> -> tensor<512xf32>
    %t = arith.addf %s, %v : tensor<512xf32>
    scf.yield %t : tensor<512xf32>
  }
  tile.write %sum to %y [d0 by 1] : tensor<512xf32> -> memref<512xf32>
  func.return
}

// What iterations write, all of them write at once; numbers that they carry become a column, an extremum is one of it.
// 131 is no multiple of the width: the rest follows.
// CHECK-LABEL: func.func @what_they_write_and_an_extremum
// CHECK: [[LOW:%.*]] = arith.constant 0x7fc00000 : f32
// CHECK: tile.splat [[LOW]] : f32 -> tensor<[[W:[0-9]+]]xf32>
// CHECK: tile.write {{%.*}} to %y
// CHECK-SAME: tensor<[[W]]x512xf32>
// CHECK: [[M:%.*]] = tile.reduce maxnum {{%.*}} axis 0 : tensor<[[W]]xf32> -> f32
// CHECK: arith.maxnumf {{%.*}}, [[M]] : f32
// CHECK: tile.write {{%.*}} to %z
func.func @what_they_write_and_an_extremum(%x: memref<131x512xf32>, %y: memref<131x512xf32>, %z: memref<1xf32>) {
  %start = arith.constant 0.0 : f32
  %low = arith.constant 0 : index
  %high = arith.constant 131 : index
  %one = arith.constant 1 : index
  %most = scf.for %k = %low to %high step %one iter_args(%m = %start) -> (f32) {
    %v = tile.read %x(%k) [512 * s0 + d0 by 1] : memref<131x512xf32> -> tensor<512xf32>
    %e = math.exp %v : tensor<512xf32>
    tile.write %e to %y(%k) [512 * s0 + d0 by 1] : tensor<512xf32> -> memref<131x512xf32>
    %r = tile.reduce maxnum %v axis 0 : tensor<512xf32> -> f32
    %n = arith.maxnumf %m, %r : f32
    scf.yield %n : f32
  }
  tile.write %most to %z [0 by 1] : f32 -> memref<1xf32>
  func.return
}

// A sum of integers is one of integers.
// CHECK-LABEL: func.func @integers
// CHECK: arith.constant dense<0> : tensor<{{[0-9]+}}xi32>
// CHECK: tile.reduce sum {{%.*}} axis 0 : tensor<{{[0-9]+}}xi32> -> i32
func.func @integers(%x: memref<256x512xi32>, %z: memref<1xi32>) {
  %start = arith.constant 0 : i32
  %low = arith.constant 0 : index
  %high = arith.constant 256 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%s = %start) -> (i32) {
    %v = tile.read %x(%k) [512 * s0 + d0 by 1] : memref<256x512xi32> -> tensor<512xi32>
    %r = tile.reduce sum %v axis 0 : tensor<512xi32> -> i32
    %n = arith.addi %s, %r : i32
    scf.yield %n : i32
  }
  tile.write %sum to %z [0 by 1] : i32 -> memref<1xi32>
  func.return
}

// The programs fill the partitions by themselves.
// CHECK-LABEL: func.func @many_programs
// CHECK: arith.constant 8 : index
// CHECK: scf.for {{.*}} -> (f32)
// CHECK: tile.read {{.*}} -> tensor<512xf32>
func.func @many_programs(%x: memref<1024x4096xf32>, %y: memref<1024xf32>) {
  tile.programs (%i) in [1024] {
    %start = arith.constant 0.0 : f32
    %low = arith.constant 0 : index
    %high = arith.constant 8 : index
    %one = arith.constant 1 : index
    %sum = scf.for %k = %low to %high step %one iter_args(%s = %start) -> (f32) {
      %v = tile.read %x(%i, %k) [4096 * s0 + 512 * s1 + d0 by 1] : memref<1024x4096xf32> -> tensor<512xf32>
      %r = tile.reduce sum %v axis 0 : tensor<512xf32> -> f32
      %t = arith.addf %s, %r : f32
      scf.yield %t : f32
    }
    tile.write %sum to %y(%i) [s0 by 1] : f32 -> memref<1024xf32>
  }
  func.return
}

// Each iteration reads what the one before wrote.
// CHECK-LABEL: func.func @one_after_another
// CHECK: scf.for
// CHECK: tile.read {{.*}} -> tensor<512xf32>
func.func @one_after_another(%x: memref<1024x512xf32>) {
  %low = arith.constant 0 : index
  %high = arith.constant 1000 : index
  %one = arith.constant 1 : index
  scf.for %k = %low to %high step %one {
    %v = tile.read %x(%k) [512 * s0 + d0 by 1] : memref<1024x512xf32> -> tensor<512xf32>
    tile.write %v to %x(%k) [512 * s0 + d0 + 512 by 1] : tensor<512xf32> -> memref<1024x512xf32>
  }
  func.return
}

// A sum that something in the loop sees, one that is scaled, and one that is another's.
// CHECK-LABEL: func.func @no_plain_sums
// CHECK-COUNT-3: scf.for {{.*}} -> (tensor<512xf32>{{.*}})
func.func @no_plain_sums(%x: memref<1024x512xf32>, %y: memref<1024x512xf32>, %z: memref<512xf32>) {
  %start = arith.constant dense<0.0> : tensor<512xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 1000 : index
  %one = arith.constant 1 : index
  %seen = scf.for %k = %low to %high step %one iter_args(%s = %start) -> (tensor<512xf32>) {
    %v = tile.read %x(%k) [512 * s0 + d0 by 1] : memref<1024x512xf32> -> tensor<512xf32>
    %t = arith.addf %s, %v : tensor<512xf32>
    tile.write %t to %y(%k) [512 * s0 + d0 by 1] : tensor<512xf32> -> memref<1024x512xf32>
    scf.yield %t : tensor<512xf32>
  }
  %scaled = scf.for %k = %low to %high step %one iter_args(%s = %seen) -> (tensor<512xf32>) {
    %v = tile.read %x(%k) [512 * s0 + d0 by 1] : memref<1024x512xf32> -> tensor<512xf32>
    %m = arith.mulf %s, %v : tensor<512xf32>
    %t = arith.addf %m, %v : tensor<512xf32>
    scf.yield %t : tensor<512xf32>
  }
  %a, %b = scf.for %k = %low to %high step %one iter_args(%s = %scaled, %o = %seen) -> (tensor<512xf32>, tensor<512xf32>) {
    %v = tile.read %x(%k) [512 * s0 + d0 by 1] : memref<1024x512xf32> -> tensor<512xf32>
    %t = arith.addf %s, %v : tensor<512xf32>
    %u = arith.addf %o, %v : tensor<512xf32>
    scf.yield %u, %t : tensor<512xf32>, tensor<512xf32>
  }
  %ab = arith.addf %a, %b : tensor<512xf32>
  tile.write %ab to %z [d0 by 1] : tensor<512xf32> -> memref<512xf32>
  func.return
}

// Blocks of columns go on along memory: there the new dimension is, in front of the columns.
// CHECK-LABEL: func.func @blocks_of_columns
// CHECK: tile.read {{.*}} -> tensor<4x[[W:[0-9]+]]x64xf32>
// CHECK: [[E:%.*]] = math.exp {{%.*}} : tensor<4x[[W]]x64xf32>
// CHECK: tile.write [[E]] to %y
func.func @blocks_of_columns(%x: memref<4x8192xf32>, %y: memref<4x8192xf32>) {
  %low = arith.constant 0 : index
  %high = arith.constant 128 : index
  %one = arith.constant 1 : index
  scf.for %k = %low to %high step %one {
    %v = tile.read %x(%k) [8192 * d0 by 1, 64 * s0 + d1 by 1] : memref<4x8192xf32> -> tensor<4x64xf32>
    %e = math.exp %v : tensor<4x64xf32>
    tile.write %e to %y(%k) [8192 * d0 by 1, 64 * s0 + d1 by 1] : tensor<4x64xf32> -> memref<4x8192xf32>
  }
  func.return
}

// The rows of a matrix are on partitions already; and what all iterations write is the same.
// CHECK-LABEL: func.func @matrices_and_what_is_the_same
// CHECK: scf.for {{.*}} -> (tensor<32x64xf32>)
// CHECK: scf.for
// CHECK: tile.write %same
func.func @matrices_and_what_is_the_same(%x: memref<1024x64xf32>, %y: memref<32x64xf32>, %z: memref<1024x64xf32>, %w: memref<64xf32>) {
  %start = arith.constant dense<0.0> : tensor<32x64xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%s = %start) -> (tensor<32x64xf32>) {
    %v = tile.read %x(%k) [2048 * s0 + 64 * d0 + d1 by 1] : memref<1024x64xf32> -> tensor<32x64xf32>
    %t = arith.addf %s, %v : tensor<32x64xf32>
    scf.yield %t : tensor<32x64xf32>
  }
  tile.write %sum to %y [64 * d0 + d1 by 1] : tensor<32x64xf32> -> memref<32x64xf32>
  %same = tile.read %w [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  %rows = arith.constant 1024 : index
  scf.for %k = %low to %rows step %one {
    tile.write %same to %z(%k) [64 * s0 + d0 by 1] : tensor<64xf32> -> memref<1024x64xf32>
  }
  func.return
}
