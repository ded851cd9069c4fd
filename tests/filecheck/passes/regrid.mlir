// RUN: nki-opt %s -p regrid --split-input-file | filecheck %s
// RUN: nki-opt %s -p regrid --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @rows_at_a_stride
// CHECK: tile.programs ([[ROW:%.*]]) in [1000] anonymous {
// CHECK: tile.read {{%.*}}([[ROW]]) [s0 by 64, d0 by 1]
// CHECK: tile.write {{%.*}}([[ROW]]) [s0 by 64, d0 by 1]
func.func @rows_at_a_stride(%in: memref<1000x64xf32>, %out: memref<1000x64xf32>) {
  tile.programs (%i) in [16] {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %sixteen = arith.constant 16 : index
    %last = arith.constant 1015 : index
    %left = arith.subi %last, %i : index
    %end = arith.divsi %left, %sixteen : index
    scf.for %k = %zero to %end step %one {
      %x = tile.read %in(%k, %i) [16 * s0 + s1 by 64, d0 by 1] : memref<1000x64xf32> -> tensor<64xf32>
      %down = arith.muli %k, %sixteen : index
      %row = arith.addi %i, %down : index
      tile.write %x to %out(%row) [s0 by 64, d0 by 1] : tensor<64xf32> -> memref<1000x64xf32>
    }
  }
  func.return
}

// What programs read first, each row reads; a program's id is what a row leaves when it is divided.
// CHECK-LABEL: func.func @what_comes_first
// CHECK: tile.programs ([[ROW:%.*]]) in [6] anonymous {
// CHECK: arith.remsi [[ROW]]
// CHECK: tile.read {{%.*}}([[ROW]]) [s0 by 1]
// CHECK: tile.write {{%.*}}([[ROW]]) [s0 by 1]
func.func @what_comes_first(%in: memref<8xf32>, %out: memref<6xf32>) {
  tile.programs (%i) in [8] {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %eight = arith.constant 8 : index
    %last = arith.constant 13 : index
    %left = arith.subi %last, %i : index
    %end = arith.divsi %left, %eight : index
    %x = tile.read %in(%i) [s0 by 1] : memref<8xf32> -> f32
    scf.for %k = %zero to %end step %one {
      tile.write %x to %out(%k, %i) [8 * s0 + s1 by 1] : f32 -> memref<6xf32>
    }
  }
  func.return
}

// CHECK-LABEL: func.func @loops_of_blocks
// CHECK: tile.programs ([[I:%.*]], [[J:%.*]], [[K:%.*]]) in [4, 8, 3] anonymous {
// CHECK-NOT: scf.for
// CHECK: tile.write {{%.*}}([[I]], [[J]], [[K]])
func.func @loops_of_blocks(%x: memref<4x8x192xf32>) {
  tile.programs (%i) in [4] {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %three = arith.constant 3 : index
    %eight = arith.constant 8 : index
    scf.for %j = %zero to %eight step %one {
      scf.for %k = %zero to %three step %one {
        %v = tile.read %x(%i, %j, %k) [s0 by 1536, s1 by 192, 64 * s2 + d0 by 1] : memref<4x8x192xf32> -> tensor<64xf32>
        tile.write %v to %x(%i, %j, %k) [s0 by 1536, s1 by 192, 64 * s2 + d0 by 1] : tensor<64xf32> -> memref<4x8x192xf32>
      }
    }
  }
  func.return
}

// CHECK-LABEL: func.func @rows_that_use_those_before
// CHECK: tile.programs ({{%.*}}) in [4] {
// CHECK: scf.for
func.func @rows_that_use_those_before(%x: memref<100x64xf32>) {
  tile.programs (%i) in [4] {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %many = arith.constant 24 : index
    scf.for %k = %zero to %many step %one {
      %v = tile.read %x(%k, %i) [4 * s0 + s1 by 64, d0 by 1] : memref<100x64xf32> -> tensor<64xf32>
      tile.write %v to %x(%k, %i) [4 * s0 + s1 + 4 by 64, d0 by 1] : tensor<64xf32> -> memref<100x64xf32>
    }
  }
  func.return
}

// CHECK-LABEL: func.func @sums_over_rows
// CHECK: tile.programs ({{%.*}}) in [4] {
// CHECK: scf.for
func.func @sums_over_rows(%x: memref<100xf32>, %y: memref<4xf32>) {
  tile.programs (%i) in [4] {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %many = arith.constant 25 : index
    %start = arith.constant 0.0 : f32
    %sum = scf.for %k = %zero to %many step %one iter_args(%a = %start) -> (f32) {
      %v = tile.read %x(%k, %i) [4 * s0 + s1 by 1] : memref<100xf32> -> f32
      %b = arith.addf %a, %v : f32
      scf.yield %b : f32
    }
    tile.write %sum to %y(%i) [s0 by 1] : f32 -> memref<4xf32>
  }
  func.return
}

// Each program runs as often as its id says: they don't take turns.
// CHECK-LABEL: func.func @a_triangle
// CHECK: tile.programs ({{%.*}}) in [4] {
// CHECK: scf.for
func.func @a_triangle(%x: memref<4x4xf32>, %one: f32) {
  tile.programs (%i) in [4] {
    %zero = arith.constant 0 : index
    %step = arith.constant 1 : index
    scf.for %k = %zero to %i step %step {
      tile.write %one to %x(%i, %k) [s0 by 4, s1 by 1] : f32 -> memref<4x4xf32>
    }
  }
  func.return
}
