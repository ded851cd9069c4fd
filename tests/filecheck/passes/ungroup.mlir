// RUN: nki-opt %s -p ungroup --split-input-file | filecheck %s
// RUN: nki-opt %s -p ungroup --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// Groups of two rows, of which the last has one.
// CHECK-LABEL: func.func @groups
// CHECK: tile.programs ([[M:%.*]], [[N:%.*]]) in [5, 3] anonymous {
// CHECK-NOT: arith.divsi
// CHECK-NOT: arith.remsi
// CHECK: tile.write {{%.*}}([[M]], [[N]]) [s0 by 3, s1 by 1]
func.func @groups(%in: memref<5x3xf32>, %out: memref<5x3xf32>) {
  tile.programs (%pid) in [15] {
    %two = arith.constant 2 : index
    %five = arith.constant 5 : index
    %six = arith.constant 6 : index
    %group = arith.divsi %pid, %six : index
    %first = arith.muli %group, %two : index
    %left = arith.subi %five, %first : index
    %size = arith.minsi %left, %two : index
    %inside = arith.remsi %pid, %six : index
    %row = arith.remsi %inside, %size : index
    %m = arith.addi %first, %row : index
    %n = arith.divsi %inside, %size : index
    %v = tile.read %in(%m, %n) [s0 by 3, s1 by 1] : memref<5x3xf32> -> f32
    tile.write %v to %out(%m, %n) [s0 by 3, s1 by 1] : f32 -> memref<5x3xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @quotient_and_remainder
// CHECK: tile.programs ([[M:%.*]], [[N:%.*]]) in [4, 8] anonymous {
// CHECK: tile.write {{%.*}}([[M]], [[N]]) [s0 by 8, s1 by 1]
func.func @quotient_and_remainder(%in: memref<4x8xf32>, %out: memref<4x8xf32>) {
  tile.programs (%pid) in [32] {
    %eight = arith.constant 8 : index
    %n = arith.remsi %pid, %eight : index
    %m = arith.divsi %pid, %eight : index
    %v = tile.read %in(%m, %n) [s0 by 8, s1 by 1] : memref<4x8xf32> -> f32
    tile.write %v to %out(%m, %n) [s0 by 8, s1 by 1] : f32 -> memref<4x8xf32>
  }
  func.return
}

// The id of the third axis stays; what is used is affine in the new ids.
// CHECK-LABEL: func.func @columns_first
// CHECK: tile.programs ([[N:%.*]], [[M:%.*]], [[B:%.*]]) in [3, 4, 2] anonymous {
// CHECK-DAG: [[AT:%.*]] = arith.addi {{%.*}}, {{%.*}} : index
// CHECK: tile.write {{%.*}}({{%.*}}, [[N]], [[B]])
func.func @columns_first(%in: memref<24xf32>, %out: memref<24xf32>) {
  tile.programs (%pid, %b) in [12, 2] {
    %two = arith.constant 2 : index
    %four = arith.constant 4 : index
    %m = arith.remsi %pid, %four : index
    %n = arith.divsi %pid, %four : index
    %double = arith.muli %m, %two : index
    %at = arith.addi %double, %two : index
    %v = tile.read %in(%m, %n, %b) [6 * s0 by 1, 2 * s1 by 1, s2 by 1] : memref<24xf32> -> f32
    tile.write %v to %out(%at, %n, %b) [3 * s0 + -6 by 1, 2 * s1 by 1, s2 by 1] : f32 -> memref<24xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @three_digits
// CHECK: tile.programs ([[B:%.*]], [[M:%.*]], [[N:%.*]]) in [2, 3, 4] anonymous {
// CHECK: tile.write {{%.*}}([[B]], [[M]], [[N]])
func.func @three_digits(%in: memref<24xf32>, %out: memref<24xf32>) {
  tile.programs (%pid) in [24] {
    %three = arith.constant 3 : index
    %four = arith.constant 4 : index
    %twelve = arith.constant 12 : index
    %b = arith.divsi %pid, %twelve : index
    %rows = arith.divsi %pid, %four : index
    %m = arith.remsi %rows, %three : index
    %n = arith.remsi %pid, %four : index
    %v = tile.read %in(%b, %m, %n) [12 * s0 + 4 * s1 + s2 by 1] : memref<24xf32> -> f32
    tile.write %v to %out(%b, %m, %n) [12 * s0 + 4 * s1 + s2 by 1] : f32 -> memref<24xf32>
  }
  func.return
}

// What is computed of one new id stays; so does a condition.
// CHECK-LABEL: func.func @of_one_new_id
// CHECK: tile.programs ([[H:%.*]], [[N:%.*]]) in [6, 4] anonymous {
// CHECK: [[SHARED:%.*]] = arith.divsi [[H]], {{%.*}} : index
// CHECK: [[LATER:%.*]] = tile.compare gt [[N]], [[H]] : index, index -> i1
// CHECK: tile.read {{%.*}}([[SHARED]], [[N]])
// CHECK: tile.select [[LATER]]
// CHECK: tile.write {{%.*}}([[H]], [[N]])
func.func @of_one_new_id(%in: memref<3x4xf32>, %out: memref<6x4xf32>) {
  tile.programs (%pid) in [24] {
    %zero = arith.constant 0.0 : f32
    %two = arith.constant 2 : index
    %four = arith.constant 4 : index
    %h = arith.divsi %pid, %four : index
    %n = arith.remsi %pid, %four : index
    %shared = arith.divsi %h, %two : index
    %later = tile.compare gt %n, %h : index, index -> i1
    %v = tile.read %in(%shared, %n) [s0 by 4, s1 by 1] : memref<3x4xf32> -> f32
    %w = tile.select %later, %v, %zero : i1, f32, f32 -> f32
    tile.write %w to %out(%h, %n) [s0 by 4, s1 by 1] : f32 -> memref<6x4xf32>
  }
  func.return
}

// Numbers of 32 bits, a choice, bits and a quotient below 0, which is rounded towards it.
// CHECK-LABEL: func.func @other_arithmetic
// CHECK: tile.programs ([[M:%.*]], [[N:%.*]]) in [4, 4] anonymous {
// CHECK-NOT: tile.select
// CHECK: [[WORD:%.*]] = tile.cast [[M]] : index -> i32
// CHECK: arith.sitofp [[WORD]]
// CHECK-NOT: arith.xori
// CHECK: tile.write {{%.*}}([[M]], [[N]])
func.func @other_arithmetic(%out: memref<4x4xf32>) {
  tile.programs (%pid) in [16] {
    %zero = arith.constant 0 : index
    %three = arith.constant 3 : i32
    %two = arith.constant 2 : i32
    %four = arith.constant 4 : index
    %seventeen = arith.constant -17 : index
    %word = tile.cast %pid : index -> i32
    %n32 = arith.andi %word, %three : i32
    %m32 = arith.shrsi %word, %two : i32
    %n = tile.cast %n32 : i32 -> index
    %m = tile.cast %m32 : i32 -> index
    %below = arith.addi %pid, %seventeen : index
    %back = arith.divsi %below, %four : index
    %no = tile.compare gt %back, %zero : index, index -> i1
    %same = tile.select %no, %zero, %m : i1, index, index -> index
    %v = arith.sitofp %m32 : i32 to f32
    tile.write %v to %out(%same, %n) [s0 by 4, s1 by 1] : f32 -> memref<4x4xf32>
  }
  func.return
}

// Pointers say what they point at where they are structured: a copy is.
// CHECK-LABEL: func.func @pointers
// CHECK: tile.programs ({{%.*}}, {{%.*}}) in [4, 8] anonymous {
// CHECK: tile.store
func.func @pointers(%out: memref<32xf32>) {
  tile.programs (%pid) in [32] {
    %one = arith.constant 1.0 : f32
    %eight = arith.constant 8 : index
    %four = arith.constant 4 : index
    %n = arith.remsi %pid, %eight : index
    %m = arith.divsi %pid, %eight : index
    %column = arith.muli %n, %four : index
    %at = arith.addi %column, %m : index
    %base = tile.base %out : memref<32xf32> -> !tile.ptr<f32>
    %p = tile.add_ptr %base, %at : !tile.ptr<f32>, index -> !tile.ptr<f32>
    tile.store %p, %one : !tile.ptr<f32>, f32
  }
  func.return
}

// CHECK-LABEL: func.func @an_id_as_it_is
// CHECK: tile.programs ({{%.*}}) in [32] {
func.func @an_id_as_it_is(%in: memref<32xf32>, %out: memref<64xf32>) {
  tile.programs (%pid) in [32] {
    %two = arith.constant 2 : index
    %v = tile.read %in(%pid) [s0 by 1] : memref<32xf32> -> f32
    %at = arith.muli %pid, %two : index
    tile.write %v to %out(%at) [s0 by 1] : f32 -> memref<64xf32>
  }
  func.return
}

// Two programs do the same.
// CHECK-LABEL: func.func @no_bijection
// CHECK: tile.programs ({{%.*}}) in [32] {
func.func @no_bijection(%in: memref<4x8xf32>, %out: memref<4x8xf32>) {
  tile.programs (%pid) in [32] {
    %four = arith.constant 4 : index
    %eight = arith.constant 8 : index
    %m = arith.remsi %pid, %four : index
    %n = arith.remsi %pid, %eight : index
    %v = tile.read %in(%m, %n) [s0 by 8, s1 by 1] : memref<4x8xf32> -> f32
    tile.write %v to %out(%m, %n) [s0 by 8, s1 by 1] : f32 -> memref<4x8xf32>
  }
  func.return
}

// The product of both digits is affine in neither.
// CHECK-LABEL: func.func @a_product
// CHECK: tile.programs ({{%.*}}) in [32] {
func.func @a_product(%in: memref<32xf32>, %out: memref<4x8xf32>) {
  tile.programs (%pid) in [32] {
    %eight = arith.constant 8 : index
    %m = arith.divsi %pid, %eight : index
    %n = arith.remsi %pid, %eight : index
    %at = arith.muli %m, %n : index
    %v = tile.read %in(%at) [s0 by 1] : memref<32xf32> -> f32
    tile.write %v to %out(%m, %n) [s0 by 8, s1 by 1] : f32 -> memref<4x8xf32>
  }
  func.return
}

// The groups are an axis too where the id itself is used.
// CHECK-LABEL: func.func @an_id_beside_its_groups
// CHECK: tile.programs ([[GROUP:%.*]], [[N:%.*]], [[ROW:%.*]]) in [2, 2, 2] anonymous {
// CHECK: tile.write {{%.*}}({{%.*}}, [[N]])
func.func @an_id_beside_its_groups(%in: memref<8xf32>, %out: memref<4x2xf32>) {
  tile.programs (%pid) in [8] {
    %two = arith.constant 2 : index
    %four = arith.constant 4 : index
    %group = arith.divsi %pid, %four : index
    %first = arith.muli %group, %two : index
    %inside = arith.remsi %pid, %four : index
    %row = arith.remsi %inside, %two : index
    %m = arith.addi %first, %row : index
    %n = arith.divsi %inside, %two : index
    %v = tile.read %in(%pid) [s0 by 1] : memref<8xf32> -> f32
    tile.write %v to %out(%m, %n) [s0 by 2, s1 by 1] : f32 -> memref<4x2xf32>
  }
  func.return
}

// The id itself is used, and with a last group of one row it is no sum of multiples of the others.
// CHECK-LABEL: func.func @an_id_beside_ragged_groups
// CHECK: tile.programs ({{%.*}}) in [6] {
func.func @an_id_beside_ragged_groups(%in: memref<6xf32>, %out: memref<3x2xf32>) {
  tile.programs (%pid) in [6] {
    %two = arith.constant 2 : index
    %three = arith.constant 3 : index
    %four = arith.constant 4 : index
    %group = arith.divsi %pid, %four : index
    %first = arith.muli %group, %two : index
    %left = arith.subi %three, %first : index
    %size = arith.minsi %left, %two : index
    %inside = arith.remsi %pid, %four : index
    %row = arith.remsi %inside, %size : index
    %m = arith.addi %first, %row : index
    %n = arith.divsi %inside, %size : index
    %v = tile.read %in(%pid) [s0 by 1] : memref<6xf32> -> f32
    tile.write %v to %out(%m, %n) [s0 by 2, s1 by 1] : f32 -> memref<3x2xf32>
  }
  func.return
}

// Each row is written by eight programs, and the last one's is there in the end.
// CHECK-LABEL: func.func @that_write_one_element
// CHECK: tile.programs ({{%.*}}) in [32] {
func.func @that_write_one_element(%in: memref<4x8xf32>, %out: memref<4xf32>) {
  tile.programs (%pid) in [32] {
    %four = arith.constant 4 : index
    %m = arith.remsi %pid, %four : index
    %n = arith.divsi %pid, %four : index
    %v = tile.read %in(%m, %n) [s0 by 8, s1 by 1] : memref<4x8xf32> -> f32
    tile.write %v to %out(%m) [s0 by 1] : f32 -> memref<4xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @too_many_programs
// CHECK: tile.programs ({{%.*}}) in [65538] {
func.func @too_many_programs(%in: memref<32769x2xf32>, %out: memref<32769x2xf32>) {
  tile.programs (%pid) in [65538] {
    %two = arith.constant 2 : index
    %m = arith.divsi %pid, %two : index
    %n = arith.remsi %pid, %two : index
    %v = tile.read %in(%m, %n) [s0 by 2, s1 by 1] : memref<32769x2xf32> -> f32
    tile.write %v to %out(%m, %n) [s0 by 2, s1 by 1] : f32 -> memref<32769x2xf32>
  }
  func.return
}

// The last block of a row ends with the row, and has nothing in common with the first one below.
// CHECK-LABEL: func.func @ragged_blocks
// CHECK: tile.programs ([[M:%.*]], [[N:%.*]]) in [5, 4] anonymous {
func.func @ragged_blocks(%x: memref<37x50xf32>) {
  tile.programs (%pid) in [20] {
    %four = arith.constant 4 : index
    %m = arith.divsi %pid, %four : index
    %n = arith.remsi %pid, %four : index
    %v = tile.read %x(%m, %n) [8 * s0 + d0 in * to 37 by 50, 16 * s1 + d1 in * to 50 by 1] : memref<37x50xf32> -> tensor<8x16xf32>
    tile.write %v to %x(%m, %n) [8 * s0 + d0 in * to 37 by 50, 16 * s1 + d1 in * to 50 by 1] : tensor<8x16xf32> -> memref<37x50xf32>
  }
  func.return
}

// Without the bound the last block of a row reaches into the next row.
// CHECK-LABEL: func.func @blocks_beyond_a_row
// CHECK: tile.programs ({{%.*}}) in [16] {
func.func @blocks_beyond_a_row(%x: memref<37x50xf32>) {
  tile.programs (%pid) in [16] {
    %four = arith.constant 4 : index
    %m = arith.divsi %pid, %four : index
    %n = arith.remsi %pid, %four : index
    %v = tile.read %x(%m, %n) [8 * s0 + d0 by 50, 16 * s1 + d1 in * to 51 by 1] : memref<37x50xf32> -> tensor<8x16xf32>
    tile.write %v to %x(%m, %n) [8 * s0 + d0 by 50, 16 * s1 + d1 in * to 51 by 1] : tensor<8x16xf32> -> memref<37x50xf32>
  }
  func.return
}

// Blocks that overlap by a column.
// CHECK-LABEL: func.func @blocks_that_overlap
// CHECK: tile.programs ({{%.*}}) in [16] {
func.func @blocks_that_overlap(%x: memref<32x50xf32>) {
  tile.programs (%pid) in [16] {
    %four = arith.constant 4 : index
    %m = arith.divsi %pid, %four : index
    %n = arith.remsi %pid, %four : index
    %v = tile.read %x(%m, %n) [8 * s0 + d0 by 50, 15 * s1 + d1 in * to 50 by 1] : memref<32x50xf32> -> tensor<8x16xf32>
    tile.write %v to %x(%m, %n) [8 * s0 + d0 by 50, 15 * s1 + d1 in * to 50 by 1] : tensor<8x16xf32> -> memref<32x50xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @many_blocks
// CHECK: tile.programs ({{%.*}}, {{%.*}}) in [64, 64] anonymous {
func.func @many_blocks(%x: memref<2048x2048xf32>) {
  tile.programs (%pid) in [4096] {
    %many = arith.constant 64 : index
    %m = arith.divsi %pid, %many : index
    %n = arith.remsi %pid, %many : index
    %v = tile.read %x(%m, %n) [32 * s0 + d0 by 2048, 32 * s1 + d1 by 1] : memref<2048x2048xf32> -> tensor<32x32xf32>
    tile.write %v to %x(%m, %n) [32 * s0 + d0 by 2048, 32 * s1 + d1 by 1] : tensor<32x32xf32> -> memref<2048x2048xf32>
  }
  func.return
}

// Numbers of 8 bits wrap around: 64 * 3 is -64, and the columns are 0, 1, -2 and -1.
// CHECK-LABEL: func.func @numbers_that_wrap_around
// CHECK: tile.programs ([[M:%.*]], [[N:%.*]]) in [2, 4] anonymous {
// CHECK: arith.constant -2 : index
// CHECK: tile.write {{%.*}}([[M]], {{%.*}})
func.func @numbers_that_wrap_around(%out: memref<2x4xf32>) {
  tile.programs (%pid) in [8] {
    %one = arith.constant 1.0 : f32
    %four = arith.constant 4 : index
    %large = arith.constant 64 : i8
    %six = arith.constant 6 : i8
    %m = arith.divsi %pid, %four : index
    %byte = tile.cast %pid : index -> i8
    %high = arith.muli %byte, %large : i8
    %low = arith.shrsi %high, %six : i8
    %n = tile.cast %low : i8 -> index
    tile.write %one to %out(%m, %n) [s0 by 4, s1 + 2 by 1] : f32 -> memref<2x4xf32>
  }
  func.return
}

// What some programs can't compute is no id.
// CHECK-LABEL: func.func @a_quotient_by_zero
// CHECK: tile.programs ({{%.*}}) in [6] {
func.func @a_quotient_by_zero(%out: memref<6x7xf32>) {
  tile.programs (%pid) in [6] {
    %one = arith.constant 1.0 : f32
    %three = arith.constant 3 : index
    %six = arith.constant 6 : index
    %m = arith.remsi %pid, %three : index
    %n = arith.divsi %six, %m : index
    tile.write %one to %out(%m, %n) [s0 by 7, s1 by 1] : f32 -> memref<6x7xf32>
  }
  func.return
}

// Groups of programs are the compiler's own.
// CHECK-LABEL: func.func @of_groups
// CHECK: tile.programs ({{%.*}}) in [4] by [2] of [8] {
func.func @of_groups(%out: memref<2x2xf32>) {
  tile.programs (%pid) in [4] by [2] of [8] {
    %one = arith.constant 1.0 : f32
    %two = arith.constant 2 : index
    %m = arith.divsi %pid, %two : index
    %n = arith.remsi %pid, %two : index
    tile.write %one to %out(%m, %n) [s0 by 2, s1 by 1] : f32 -> memref<2x2xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @atomic_operations
// CHECK: tile.programs ({{%.*}}) in [4] {
func.func @atomic_operations(%out: memref<4xf32>, %sum: memref<4xf32>) {
  tile.programs (%pid) in [4] {
    %one = arith.constant 1.0 : f32
    %two = arith.constant 2 : index
    %m = arith.divsi %pid, %two : index
    %n = arith.remsi %pid, %two : index
    %base = tile.base %sum : memref<4xf32> -> !tile.ptr<f32>
    %p = tile.add_ptr %base, %m : !tile.ptr<f32>, index -> !tile.ptr<f32>
    %old = tile.atomic add %p, %one : !tile.ptr<f32>, f32 -> f32
    tile.write %old to %out(%m, %n) [s0 by 2, s1 by 1] : f32 -> memref<4xf32>
  }
  func.return
}
