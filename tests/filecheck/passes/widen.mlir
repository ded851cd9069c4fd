// RUN: nki-opt %s -p widen --split-input-file | filecheck %s
// RUN: nki-opt %s -p widen --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @rows_are_lanes
// CHECK: tile.programs ([[I:%.*]]) in [8] by [125] of [1000]
// CHECK: [[X:%.*]] = tile.read {{%.*}}([[I]]) [125 * s0 + d0 by 4096, d1 by 1] : memref<1000x4096xf32> -> tensor<125x4096xf32>
// CHECK: [[M:%.*]] = tile.reduce max [[X]] axis 1 : tensor<125x4096xf32> -> tensor<125xf32>
// CHECK: [[C:%.*]] = tile.expand_dims [[M]] axis 1
// CHECK: [[B:%.*]] = tile.broadcast [[C]] : tensor<125x1xf32> -> tensor<125x4096xf32>
// CHECK: [[Y:%.*]] = arith.subf [[X]], [[B]] : tensor<125x4096xf32>
// CHECK: tile.write [[Y]] to {{%.*}}([[I]]) [125 * s0 + d0 by 4096, d1 by 1]
func.func @rows_are_lanes(%in: memref<1000x4096xf32>, %out: memref<1000x4096xf32>) {
  tile.programs (%i) in [1000] {
    %x = tile.read %in(%i) [s0 by 4096, d0 by 1] : memref<1000x4096xf32> -> tensor<4096xf32>
    %m = tile.reduce max %x axis 0 : tensor<4096xf32> -> f32
    %b = tile.splat %m : f32 -> tensor<4096xf32>
    %y = arith.subf %x, %b : tensor<4096xf32>
    tile.write %y to %out(%i) [s0 by 4096, d0 by 1] : tensor<4096xf32> -> memref<1000x4096xf32>
  }
  func.return
}

// As many rows on each partition as on any other: 129 have no such width, and go 128 and then 1.
// CHECK-LABEL: func.func @rows_that_are_not_even
// CHECK: tile.programs ({{%.*}}) in [2] by [128] of [129]
func.func @rows_that_are_not_even(%in: memref<129x96xf32>) {
  tile.programs (%i) in [129] {
    %x = tile.read %in(%i) [s0 by 96, d0 by 1] : memref<129x96xf32> -> tensor<96xf32>
    %m = tile.reduce max %x axis 0 : tensor<96xf32> -> f32
    %b = tile.splat %m : f32 -> tensor<96xf32>
    %y = arith.subf %x, %b : tensor<96xf32>
    tile.write %y to %in(%i) [s0 by 96, d0 by 1] : tensor<96xf32> -> memref<129x96xf32>
  }
  func.return
}

// Programs write 13 elements each, where both bounds are kept: the first three of 16 are the program's before.
// CHECK-LABEL: func.func @bounds_apart
// CHECK: tile.programs ({{%.*}}) in [2] by [64] of [100]
func.func @bounds_apart(%in: memref<2048xf32>, %out: memref<2048xf32>) {
  tile.programs (%i) in [100] {
    %x = tile.read %in(%i) [13 * s0 + d0 by 1] : memref<2048xf32> -> tensor<32xf32>
    tile.write %x to %out(%i) [d0 in * to 16 by 1, 13 * s0 by 1, d0 in 3 to * by 0] : tensor<32xf32> -> memref<2048xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @bounds_that_meet
// CHECK: tile.programs ({{%.*}}) in [100] {
func.func @bounds_that_meet(%in: memref<2048xf32>, %out: memref<2048xf32>) {
  tile.programs (%i) in [100] {
    %x = tile.read %in(%i) [13 * s0 + d0 by 1] : memref<2048xf32> -> tensor<32xf32>
    tile.write %x to %out(%i) [d0 in * to 16 by 1, 13 * s0 by 1, d0 in 2 to * by 0] : tensor<32xf32> -> memref<2048xf32>
  }
  func.return
}

// Scans of what differs, or that go on from what differs, and their last places.
// CHECK-LABEL: func.func @scans
// CHECK: [[S:%.*]] = tile.scan sum {{%.*}} scale {{%.*}} : tensor<1000x64xf32> initial {{%.*}} : tensor<1000xf32> axis 1 : tensor<1000x64xf32> -> tensor<1000x64xf32>
// CHECK: [[L:%.*]] = tile.last [[S]] axis 1 : tensor<1000x64xf32> -> tensor<1000xf32>
// CHECK: [[W:%.*]] = tile.expand_dims {{%.*}} axis 0 : tensor<64xf32> -> tensor<1x64xf32>
// CHECK: [[B:%.*]] = tile.broadcast [[W]] : tensor<1x64xf32> -> tensor<1000x64xf32>
// CHECK: tile.scan sum [[B]] initial [[L]] : tensor<1000xf32> axis 1 : tensor<1000x64xf32> -> tensor<1000x64xf32>
func.func @scans(%in: memref<1000x64xf32>, %w: memref<64xf32>, %out: memref<1000x64xf32>) {
  tile.programs (%i) in [1000] {
    %half = arith.constant 0.5 : f32
    %x = tile.read %in(%i) [s0 by 64, d0 by 1] : memref<1000x64xf32> -> tensor<64xf32>
    %v = tile.read %w [d0 by 1] : memref<64xf32> -> tensor<64xf32>
    %s = tile.scan sum %x scale %v : tensor<64xf32> initial %half : f32 axis 0 : tensor<64xf32> -> tensor<64xf32>
    %l = tile.last %s axis 0 : tensor<64xf32> -> f32
    %r = tile.scan sum %v initial %l : f32 axis 0 : tensor<64xf32> -> tensor<64xf32>
    tile.write %r to %out(%i) [s0 by 64, d0 by 1] : tensor<64xf32> -> memref<1000x64xf32>
  }
  func.return
}

// Rows that are scanned are on the partitions: those of several programs where they are as many as there are partitions.
// CHECK-LABEL: func.func @rows_that_are_scanned
// CHECK: tile.programs ({{%.*}}) in [2] by [8] of [16]
// CHECK: tile.broadcast {{%.*}} : tensor<1x1x512xf32> -> tensor<8x16x512xf32>
// CHECK: tile.scan sum {{%.*}} axis 2 : tensor<8x16x512xf32>
func.func @rows_that_are_scanned(%in: memref<256x512xf32>, %w: memref<512xf32>) {
  tile.programs (%i) in [16] {
    %x = tile.read %in(%i) [16 * s0 + d0 by 512, d1 by 1] : memref<256x512xf32> -> tensor<16x512xf32>
    %v = tile.read %w [d0 by 1] : memref<512xf32> -> tensor<512xf32>
    %b = tile.expand_dims %v axis 0 : tensor<512xf32> -> tensor<1x512xf32>
    %c = tile.broadcast %b : tensor<1x512xf32> -> tensor<16x512xf32>
    %y = arith.mulf %x, %c : tensor<16x512xf32>
    %s = tile.scan sum %y axis 1 : tensor<16x512xf32> -> tensor<16x512xf32>
    tile.write %s to %in(%i) [16 * s0 + d0 by 512, d1 by 1] : tensor<16x512xf32> -> memref<256x512xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @few_rows_that_are_scanned
// CHECK: tile.programs ({{%.*}}) in [1] by [4] of [4]
// CHECK: tile.scan sum {{%.*}} axis 2 : tensor<4x16x512xf32>
func.func @few_rows_that_are_scanned(%in: memref<64x512xf32>) {
  tile.programs (%i) in [4] {
    %x = tile.read %in(%i) [16 * s0 + d0 by 512, d1 by 1] : memref<64x512xf32> -> tensor<16x512xf32>
    %s = tile.scan sum %x axis 1 : tensor<16x512xf32> -> tensor<16x512xf32>
    tile.write %s to %in(%i) [16 * s0 + d0 by 512, d1 by 1] : tensor<16x512xf32> -> memref<64x512xf32>
  }
  func.return
}

// 262 rows are not evenly on the partitions.
// CHECK-LABEL: func.func @rows_that_are_scanned_and_not_even
// CHECK: tile.programs ({{%.*}}) in [2] {
func.func @rows_that_are_scanned_and_not_even(%in: memref<262x512xf32>) {
  tile.programs (%i) in [2] {
    %x = tile.read %in(%i) [131 * s0 + d0 by 512, d1 by 1] : memref<262x512xf32> -> tensor<131x512xf32>
    %s = tile.scan sum %x axis 1 : tensor<131x512xf32> -> tensor<131x512xf32>
    tile.write %s to %in(%i) [131 * s0 + d0 by 512, d1 by 1] : tensor<131x512xf32> -> memref<262x512xf32>
  }
  func.return
}

// No number of groups divides a prime: the last one has fewer rows.
// CHECK-LABEL: func.func @the_last_group_has_fewer
// CHECK: tile.programs ([[I:%.*]]) in [8] by [128] of [1021]
// CHECK: tile.read {{%.*}}([[I]]) [128 * s0 + d0 in * to 1021 by 4096, d1 by 1]
// CHECK: tile.write {{.*}} [128 * s0 + d0 in * to 1021 by 4096, d1 by 1] : tensor<128x4096xf32>
func.func @the_last_group_has_fewer(%in: memref<1021x4096xf32>, %out: memref<1021x4096xf32>) {
  tile.programs (%i) in [1021] {
    %x = tile.read %in(%i) [s0 by 4096, d0 by 1] : memref<1021x4096xf32> -> tensor<4096xf32>
    %m = tile.reduce max %x axis 0 : tensor<4096xf32> -> f32
    %b = tile.splat %m : f32 -> tensor<4096xf32>
    %y = arith.subf %x, %b : tensor<4096xf32>
    tile.write %y to %out(%i) [s0 by 4096, d0 by 1] : tensor<4096xf32> -> memref<1021x4096xf32>
  }
  func.return
}

// Where a bound on the address leaves out what no program does, it stays the only one.
// CHECK-LABEL: func.func @a_bound_that_says_so
// CHECK: tile.programs ([[I:%.*]]) in [2] by [4] of [7]
// CHECK: tile.read {{%.*}}([[I]]) [4096 * s0 + 1024 * d0 + d1 in * to 7000 by 1] : memref<7000xf32> -> tensor<4x1024xf32>
func.func @a_bound_that_says_so(%in: memref<7000xf32>, %out: memref<7000xf32>) {
  tile.programs (%i) in [7] {
    %x = tile.read %in(%i) [1024 * s0 + d0 in * to 7000 by 1] : memref<7000xf32> -> tensor<1024xf32>
    tile.write %x to %out(%i) [1024 * s0 + d0 in * to 7000 by 1] : tensor<1024xf32> -> memref<7000xf32>
  }
  func.return
}

// Rows of which a bound leaves out what lies in the next one.
// CHECK-LABEL: func.func @rows_with_bounds
// CHECK: tile.programs ([[I:%.*]]) in [2] by [500] of [1000]
// CHECK: tile.read {{%.*}}([[I]]) [{{.*}}d1 in * to 50 by 1] {{.*}} -> tensor<500x64xf32>
func.func @rows_with_bounds(%in: memref<1000x50xf32>, %out: memref<1000x50xf32>) {
  tile.programs (%i) in [1000] {
    %x = tile.read %in(%i) [s0 by 50, d0 in * to 50 by 1] : memref<1000x50xf32> -> tensor<64xf32>
    %y = arith.negf %x : tensor<64xf32>
    tile.write %y to %out(%i) [s0 by 50, d0 in * to 50 by 1] : tensor<64xf32> -> memref<1000x50xf32>
  }
  func.return
}

// The weights are the same for all programs; scalars of a program become vectors, numbers of programs indices.
// CHECK-LABEL: func.func @what_programs_share_stays
// CHECK: [[W:%.*]] = tile.read {{%.*}} [d0 by 1] : memref<64xf32> -> tensor<64xf32>
// CHECK: [[S:%.*]] = tile.read {{%.*}} [100 * s0 + d0 by 1] : memref<100xf32> -> tensor<100xf32>
// CHECK: tile.expand_dims [[W]] axis 0 : tensor<64xf32> -> tensor<1x64xf32>
// CHECK: arith.mulf {{.*}} : tensor<100x64xf32>
// CHECK: [[N:%.*]] = tile.cast {{%.*}} : tensor<100xindex> -> tensor<100xf32>
// CHECK: arith.addf [[S]], [[N]] : tensor<100xf32>
func.func @what_programs_share_stays(%in: memref<100xf32>, %w: memref<64xf32>, %out: memref<100x64xf32>) {
  tile.programs (%i) in [100] {
    %row = tile.read %w [d0 by 1] : memref<64xf32> -> tensor<64xf32>
    %s = tile.read %in(%i) [s0 by 1] : memref<100xf32> -> f32
    %b = tile.splat %s : f32 -> tensor<64xf32>
    %y = arith.mulf %row, %b : tensor<64xf32>
    %n = tile.cast %i : index -> f32
    %t = arith.addf %s, %n : f32
    %c = tile.splat %t : f32 -> tensor<64xf32>
    %z = arith.addf %y, %c : tensor<64xf32>
    %r = tile.reduce sum %z axis 0 : tensor<64xf32> -> f32
    %d = tile.splat %r : f32 -> tensor<64xf32>
    tile.write %d to %out(%i) [s0 by 64, d0 by 1] : tensor<64xf32> -> memref<100x64xf32>
  }
  func.return
}

// What a loop carries has a row for each program where it starts or ends as something that differs between them.
// CHECK-LABEL: func.func @loops_carry_rows
// CHECK: scf.for {{.*}} iter_args([[A:%.*]] = {{%.*}}) -> (tensor<64xf32>)
// CHECK: tile.read {{.*}} -> tensor<64x256xf32>
// CHECK: tile.reduce sum {{.*}} axis 1 : tensor<64x256xf32> -> tensor<64xf32>
// CHECK: arith.addf [[A]], {{%.*}} : tensor<64xf32>
// CHECK: scf.yield {{%.*}} : tensor<64xf32>
func.func @loops_carry_rows(%in: memref<64x1024xf32>, %out: memref<64xf32>) {
  tile.programs (%i) in [64] {
    %zero = arith.constant 0 : index
    %four = arith.constant 4 : index
    %one = arith.constant 1 : index
    %start = arith.constant 0.0 : f32
    %sum = scf.for %j = %zero to %four step %one iter_args(%a = %start) -> (f32) {
      %x = tile.read %in(%i, %j) [s0 by 1024, 256 * s1 + d0 by 1] : memref<64x1024xf32> -> tensor<256xf32>
      %s = tile.reduce sum %x axis 0 : tensor<256xf32> -> f32
      %b = arith.addf %a, %s : f32
      scf.yield %b : f32
    }
    tile.write %sum to %out(%i) [s0 by 1] : f32 -> memref<64xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @divided_ids
// CHECK: tile.programs ({{%.*}}) in [256] {
func.func @divided_ids(%in: memref<16x4096xf32>, %out: memref<16x4096xf32>) {
  tile.programs (%pid) in [256] {
    %sixteen = arith.constant 16 : index
    %row = arith.divsi %pid, %sixteen : index
    %column = arith.remsi %pid, %sixteen : index
    %x = tile.read %in(%row, %column) [s0 by 4096, 256 * s1 + d0 by 1] : memref<16x4096xf32> -> tensor<256xf32>
    %y = arith.addf %x, %x : tensor<256xf32>
    tile.write %y to %out(%row, %column) [s0 by 4096, 256 * s1 + d0 by 1] : tensor<256xf32> -> memref<16x4096xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @programs_that_write_the_same
// CHECK: tile.programs ({{%.*}}) in [64] {
func.func @programs_that_write_the_same(%in: memref<64x256xf32>, %out: memref<512xf32>) {
  tile.programs (%i) in [64] {
    %x = tile.read %in(%i) [s0 by 256, d0 by 1] : memref<64x256xf32> -> tensor<256xf32>
    tile.write %x to %out(%i) [4 * s0 + d0 by 1] : tensor<256xf32> -> memref<512xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @programs_that_read_what_others_write
// CHECK: tile.programs ({{%.*}}) in [64] {
func.func @programs_that_read_what_others_write(%x: memref<65x256xf32>) {
  tile.programs (%i) in [64] {
    %v = tile.read %x(%i) [s0 + 1 by 256, d0 by 1] : memref<65x256xf32> -> tensor<256xf32>
    tile.write %v to %x(%i) [s0 by 256, d0 by 1] : tensor<256xf32> -> memref<65x256xf32>
  }
  func.return
}

// In place: each program reads and writes rows of its own.
// CHECK-LABEL: func.func @in_place
// CHECK: tile.programs ({{%.*}}) in [1] by [64] of [64]
func.func @in_place(%x: memref<64x256xf32>) {
  tile.programs (%i) in [64] {
    %v = tile.read %x(%i) [s0 by 256, d0 by 1] : memref<64x256xf32> -> tensor<256xf32>
    %s = tile.reduce sum %v axis 0 : tensor<256xf32> -> f32
    %b = tile.splat %s : f32 -> tensor<256xf32>
    tile.write %b to %x(%i) [s0 by 256, d0 by 1] : tensor<256xf32> -> memref<64x256xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @memory_that_overlaps_in_some_way
// CHECK: tile.programs ({{%.*}}) in [64] {
func.func @memory_that_overlaps_in_some_way(%x: memref<64x256xf32>, %y: memref<64x256xf32>) attributes {tile.aliases = array<i64: 0, 0>} {
  tile.programs (%i) in [64] {
    %v = tile.read %x(%i) [s0 by 256, d0 by 1] : memref<64x256xf32> -> tensor<256xf32>
    tile.write %v to %y(%i) [s0 by 256, d0 by 1] : tensor<256xf32> -> memref<64x256xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @a_loop_by_what_differs
// CHECK: tile.programs ({{%.*}}) in [64] {
func.func @a_loop_by_what_differs(%x: memref<64x256xf32>) {
  tile.programs (%i) in [64] {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    scf.for %j = %zero to %i step %one {
      %v = tile.read %x(%i) [s0 by 256, d0 by 1] : memref<64x256xf32> -> tensor<256xf32>
      %w = arith.addf %v, %v : tensor<256xf32>
      tile.write %w to %x(%i) [s0 by 256, d0 by 1] : tensor<256xf32> -> memref<64x256xf32>
    }
  }
  func.return
}

// Programs that share one operand of a product: rows of one go on in front of its rows, columns of the other in front of
// its columns, and so they do in the variables of a loop. Operands that have to be turned are read least often.
// CHECK-LABEL: func.func @products
// CHECK: tile.programs ([[I:%.*]], [[J:%.*]]) in [8, 1] by [4, 16] of [32, 16] {
// CHECK: [[Z:%.*]] = {{.*}}tensor<4x64x16x128xf32>
// CHECK: scf.for {{.*}} iter_args([[ACC:%.*]] = [[Z]]) -> (tensor<4x64x16x128xf32>)
// CHECK: [[A:%.*]] = tile.read {{%.*}}([[I]], {{%.*}}) [256 * s0 + 64 * d0 + d1 by 16384, 128 * s1 + d2 by 1] : {{.*}} -> tensor<4x64x128xf32>
// CHECK: [[B:%.*]] = tile.read {{%.*}}({{%.*}}, [[J]]) [128 * s0 + d0 by 2048, 2048 * s1 + 128 * d1 + d2 by 1] : {{.*}} -> tensor<128x16x128xf32>
// CHECK: [[S:%.*]] = tile.dot [[A]], [[B]] acc [[ACC]] over [2] x [0] : {{.*}} -> tensor<4x64x16x128xf32>
// CHECK: math.exp {{.*}} : tensor<4x64x16x128xf32>
// CHECK: tile.write {{.*}}([[I]], [[J]]) [256 * s0 + 64 * d0 + d1 by 2048, 2048 * s1 + 128 * d2 + d3 by 1] : tensor<4x64x16x128xf32>
func.func @products(%a: memref<2048x16384xf32>, %b: memref<16384x2048xf32>, %c: memref<2048x2048xf32>) {
  tile.programs (%i, %j) in [32, 16] {
    %zero = arith.constant dense<0.0> : tensor<64x128xf32>
    %low = arith.constant 0 : index
    %high = arith.constant 128 : index
    %one = arith.constant 1 : index
    %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x128xf32>) {
      %x = tile.read %a(%i, %k) [64 * s0 + d0 by 16384, 128 * s1 + d1 by 1] : memref<2048x16384xf32> -> tensor<64x128xf32>
      %y = tile.read %b(%k, %j) [128 * s0 + d0 by 2048, 128 * s1 + d1 by 1] : memref<16384x2048xf32> -> tensor<128x128xf32>
      %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x128xf32>, tensor<128x128xf32> -> tensor<64x128xf32>
      scf.yield %s : tensor<64x128xf32>
    }
    %r = math.exp %sum : tensor<64x128xf32>
    tile.write %r to %c(%i, %j) [64 * s0 + d0 by 2048, 128 * s1 + d1 by 1] : tensor<64x128xf32> -> memref<2048x2048xf32>
  }
  func.return
}

// In short loops the results of one group are written while the next one is multiplied: both are in PSUM, each in half of
// its banks.
// CHECK-LABEL: func.func @products_in_short_loops
// CHECK: tile.programs ({{%.*}}) in [8, 2] by [4, 8] of [32, 16] {
func.func @products_in_short_loops(%a: memref<2048x512xf32>, %b: memref<512x2048xf32>, %c: memref<2048x2048xf32>) {
  tile.programs (%i, %j) in [32, 16] {
    %zero = arith.constant dense<0.0> : tensor<64x128xf32>
    %low = arith.constant 0 : index
    %high = arith.constant 4 : index
    %one = arith.constant 1 : index
    %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x128xf32>) {
      %x = tile.read %a(%i, %k) [64 * s0 + d0 by 512, 128 * s1 + d1 by 1] : memref<2048x512xf32> -> tensor<64x128xf32>
      %y = tile.read %b(%k, %j) [128 * s0 + d0 by 2048, 128 * s1 + d1 by 1] : memref<512x2048xf32> -> tensor<128x128xf32>
      %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x128xf32>, tensor<128x128xf32> -> tensor<64x128xf32>
      scf.yield %s : tensor<64x128xf32>
    }
    %r = math.exp %sum : tensor<64x128xf32>
    tile.write %r to %c(%i, %j) [64 * s0 + d0 by 2048, 128 * s1 + d1 by 1] : tensor<64x128xf32> -> memref<2048x2048xf32>
  }
  func.return
}

// What is the same in each row of a program, such as a triangle of it, would have to be told apart from the other rows'.
// CHECK-LABEL: func.func @a_part_of_each_block
// CHECK: tile.programs ({{%.*}}) in [8] {
func.func @a_part_of_each_block(%x: memref<1024x128xf32>, %w: memref<128x128xf32>, %m: memref<128x128xf32>, %y: memref<1024x128xf32>) {
  tile.programs (%i) in [8] {
    %a = tile.read %x(%i) [128 * s0 + d0 by 128, d1 by 1] : memref<1024x128xf32> -> tensor<128x128xf32>
    %b = tile.read %w [d0 by 128, d1 by 1] : memref<128x128xf32> -> tensor<128x128xf32>
    %p = tile.dot %a, %b over [1] x [0] : tensor<128x128xf32>, tensor<128x128xf32> -> tensor<128x128xf32>
    %t = tile.read %m [d0 by 128, d1 by 1] : memref<128x128xf32> -> tensor<128x128xf32>
    %r = arith.addf %p, %t : tensor<128x128xf32>
    tile.write %r to %y(%i) [128 * s0 + d0 by 128, d1 by 1] : tensor<128x128xf32> -> memref<1024x128xf32>
  }
  func.return
}

// Columns that are the first dimension of the second operand, before it is turned.
// CHECK-LABEL: func.func @turned_operands
// CHECK: tile.programs ([[J:%.*]]) in [2] by [16] of [32] {
// CHECK: [[B:%.*]] = tile.read {{%.*}}([[J]]) [2048 * s0 + 128 * d0 + d1 by 128, d2 by 1] : {{.*}} -> tensor<16x128x128xf32>
// CHECK: [[T:%.*]] = tile.permute [[B]] order [2, 0, 1] : tensor<16x128x128xf32> -> tensor<128x16x128xf32>
// CHECK: tile.dot {{%.*}}, [[T]] over [1] x [0] : {{.*}} -> tensor<128x16x128xf32>
// CHECK: tile.write {{.*}}([[J]]) [d0 by 4096, 2048 * s0 + 128 * d1 + d2 by 1] : tensor<128x16x128xf32>
func.func @turned_operands(%a: memref<128x128xf32>, %b: memref<4096x128xf32>, %c: memref<128x4096xf32>) {
  tile.programs (%j) in [32] {
    %x = tile.read %a [d0 by 128, d1 by 1] : memref<128x128xf32> -> tensor<128x128xf32>
    %y = tile.read %b(%j) [128 * s0 + d0 by 128, d1 by 1] : memref<4096x128xf32> -> tensor<128x128xf32>
    %t = tile.permute %y order [1, 0] : tensor<128x128xf32> -> tensor<128x128xf32>
    %p = tile.dot %x, %t over [1] x [0] : tensor<128x128xf32>, tensor<128x128xf32> -> tensor<128x128xf32>
    tile.write %p to %c(%j) [d0 by 4096, 128 * s0 + d1 by 1] : tensor<128x128xf32> -> memref<128x4096xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @products_of_two_that_differ
// CHECK: tile.programs ({{%.*}}) in [8] {
func.func @products_of_two_that_differ(%x: memref<1024x128xf32>, %w: memref<1024x128xf32>, %y: memref<1024x128xf32>) {
  tile.programs (%i) in [8] {
    %a = tile.read %x(%i) [128 * s0 + d0 by 128, d1 by 1] : memref<1024x128xf32> -> tensor<128x128xf32>
    %b = tile.read %w(%i) [128 * s0 + d0 by 128, d1 by 1] : memref<1024x128xf32> -> tensor<128x128xf32>
    %p = tile.dot %a, %b over [1] x [0] : tensor<128x128xf32>, tensor<128x128xf32> -> tensor<128x128xf32>
    tile.write %p to %y(%i) [128 * s0 + d0 by 128, d1 by 1] : tensor<128x128xf32> -> memref<1024x128xf32>
  }
  func.return
}

// Columns go on in the dimension that there is, also where they end within a group, or within a block.
// CHECK-LABEL: func.func @columns_in_whole_groups
// CHECK: tile.programs ({{%.*}}) in [1] by [8] of [8]
// CHECK: tile.read {{.*}} [d0 by 128, 128 * s0 + 16 * d1 + d2 by 1] : memref<16x128xf32> -> tensor<16x8x16xf32>
func.func @columns_in_whole_groups(%x: memref<16x128xf32>) {
  tile.programs (%j) in [8] {
    %v = tile.read %x(%j) [d0 by 128, 16 * s0 + d1 by 1] : memref<16x128xf32> -> tensor<16x16xf32>
    %w = arith.addf %v, %v : tensor<16x16xf32>
    tile.write %w to %x(%j) [d0 by 128, 16 * s0 + d1 by 1] : tensor<16x16xf32> -> memref<16x128xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @columns_in_no_whole_groups
// CHECK: tile.programs ({{%.*}}) in [2] by [4] of [7]
// CHECK: tile.read {{.*}} [d0 by 112, 64 * s0 + 16 * d1 + d2 in * to 112 by 1] {{.*}} -> tensor<16x4x16xf32>
func.func @columns_in_no_whole_groups(%x: memref<16x112xf32>) {
  tile.programs (%j) in [7] {
    %v = tile.read %x(%j) [d0 by 112, 16 * s0 + d1 by 1] : memref<16x112xf32> -> tensor<16x16xf32>
    %w = arith.addf %v, %v : tensor<16x16xf32>
    tile.write %w to %x(%j) [d0 by 112, 16 * s0 + d1 by 1] : tensor<16x16xf32> -> memref<16x112xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @columns_that_end_within_a_block
// CHECK: tile.programs ({{%.*}}) in [2] by [200] of [400]
// CHECK: tile.read {{.*}} [d0 by 6394, 3200 * s0 + 16 * d1 + d2 in * to 6394 by 1] {{.*}} -> tensor<16x200x16xf32>
func.func @columns_that_end_within_a_block(%x: memref<16x6394xf32>) {
  tile.programs (%j) in [400] {
    %v = tile.read %x(%j) [d0 by 6394, 16 * s0 + d1 in * to 6394 by 1] : memref<16x6394xf32> -> tensor<16x16xf32>
    %w = arith.addf %v, %v : tensor<16x16xf32>
    tile.write %w to %x(%j) [d0 by 6394, 16 * s0 + d1 in * to 6394 by 1] : tensor<16x16xf32> -> memref<16x6394xf32>
  }
  func.return
}

// Where something tells columns apart, their blocks are a dimension of their own, in front of the rows. Whole groups
// need no bound, which would be on two dimensions with the rows between them.
// CHECK-LABEL: func.func @maxima_of_columns_in_whole_groups
// CHECK: tile.programs ({{%.*}}) in [1] by [6] of [6]
// CHECK: tile.read {{.*}} [d1 by 96, 96 * s0 + 16 * d0 + d2 by 1] : memref<16x96xf32> -> tensor<6x16x16xf32>
func.func @maxima_of_columns_in_whole_groups(%x: memref<16x96xf32>, %y: memref<16x6xf32>) {
  tile.programs (%j) in [6] {
    %v = tile.read %x(%j) [d0 by 96, 16 * s0 + d1 by 1] : memref<16x96xf32> -> tensor<16x16xf32>
    %m = tile.reduce max %v axis 1 : tensor<16x16xf32> -> tensor<16xf32>
    tile.write %m to %y(%j) [d0 by 6, s0 by 1] : tensor<16xf32> -> memref<16x6xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @maxima_of_columns_that_end_within_a_block
// CHECK: tile.programs ({{%.*}}) in [6] {
func.func @maxima_of_columns_that_end_within_a_block(%x: memref<16x90xf32>, %y: memref<16x6xf32>) {
  tile.programs (%j) in [6] {
    %v = tile.read %x(%j) [d0 by 90, 16 * s0 + d1 in * to 90 by 1] : memref<16x90xf32> -> tensor<16x16xf32>
    %m = tile.reduce max %v axis 1 : tensor<16x16xf32> -> tensor<16xf32>
    tile.write %m to %y(%j) [d0 by 6, s0 by 1] : tensor<16xf32> -> memref<16x6xf32>
  }
  func.return
}

// Of rows that each have a number of their own, a group has as many as there are partitions; then it has long ones,
// also where a row's beginning lacks elements.
// CHECK-LABEL: func.func @a_number_for_each_row
// CHECK: tile.programs ({{%.*}}, {{%.*}}) in [32, 1] by [8, 16] of [256, 16]
// CHECK: tile.read {{.*}} [524288 * s0 + 65536 * d0 + 4096 * d1 by 1, -3 + 4096 * s1 + 256 * d2 + d3 in 0 to * by 1] {{.*}} -> tensor<8x16x16x256xbf16>
func.func @a_number_for_each_row(%x: memref<4096x4096xbf16>, %w: memref<4096xbf16>, %out: memref<4096x4096xbf16>) {
  tile.programs (%c, %t) in [256, 16] {
    %v = tile.read %x(%c, %t) [65536 * s0 + 4096 * d0 by 1, -3 + 256 * s1 + d1 in 0 to * by 1] : memref<4096x4096xbf16> -> tensor<16x256xbf16>
    %n = tile.read %w(%c) [16 * s0 + d0 by 1] : memref<4096xbf16> -> tensor<16xbf16>
    %e = tile.expand_dims %n axis 1 : tensor<16xbf16> -> tensor<16x1xbf16>
    %b = tile.broadcast %e : tensor<16x1xbf16> -> tensor<16x256xbf16>
    %1 = arith.mulf %v, %b : tensor<16x256xbf16>
    %2 = arith.addf %1, %b : tensor<16x256xbf16>
    %3 = arith.mulf %2, %v : tensor<16x256xbf16>
    %4 = arith.addf %3, %b : tensor<16x256xbf16>
    %5 = arith.mulf %4, %v : tensor<16x256xbf16>
    %6 = arith.addf %5, %b : tensor<16x256xbf16>
    tile.write %6 to %out(%c, %t) [65536 * s0 + 4096 * d0 by 1, 256 * s1 + d1 by 1] : tensor<16x256xbf16> -> memref<4096x4096xbf16>
  }
  func.return
}

// 61 of them are too many for a group, and no other number divides it.
// CHECK-LABEL: func.func @maxima_of_columns_in_no_whole_groups
// CHECK: tile.programs ({{%.*}}) in [61] {
func.func @maxima_of_columns_in_no_whole_groups(%x: memref<128x62464xf32>, %y: memref<128x61xf32>) {
  tile.programs (%j) in [61] {
    %v = tile.read %x(%j) [d0 by 62464, 1024 * s0 + d1 by 1] : memref<128x62464xf32> -> tensor<128x1024xf32>
    %m = tile.reduce max %v axis 1 : tensor<128x1024xf32> -> tensor<128xf32>
    tile.write %m to %y(%j) [d0 by 61, s0 by 1] : tensor<128xf32> -> memref<128x61xf32>
  }
  func.return
}

// Rows of what is loaded grow along one axis, rows of what is stored along the other: blocks are wide along both.
// CHECK-LABEL: func.func @a_transpose
// CHECK:         tile.programs (%i, %j) in [4, 4] by [16, 16] of [64, 64]
// CHECK:           tile.read {{.*}} -> tensor<16x64x16x64xf32>
// CHECK:           tile.write {{.*}} : tensor<16x64x16x64xf32>
func.func @a_transpose(%x: memref<4096x4096xf32>, %y: memref<4096x4096xf32>) {
  tile.programs (%i, %j) in [64, 64] {
    %v = tile.read %x(%i, %j) [64 * s0 + d0 by 4096, 64 * s1 + d1 by 1] : memref<4096x4096xf32> -> tensor<64x64xf32>
    %t = tile.permute %v order [1, 0] : tensor<64x64xf32> -> tensor<64x64xf32>
    tile.write %t to %y(%j, %i) [64 * s0 + d0 by 4096, 64 * s1 + d1 by 1] : tensor<64x64xf32> -> memref<4096x4096xf32>
  }
  func.return
}

// Left alone: where the last ones end within a block, all rows are together first.
// CHECK-LABEL: func.func @a_transpose_with_ends
// CHECK:         tile.programs (%i, %j) in [1, 6] by [16, 8] of [16, 47]
func.func @a_transpose_with_ends(%x: memref<1000x3000xf32>, %y: memref<3000x1000xf32>) {
  tile.programs (%i, %j) in [16, 47] {
    %v = tile.read %x(%i, %j) [64 * s0 + d0 in * to 1000 by 3000, 64 * s1 + d1 in * to 3000 by 1] : memref<1000x3000xf32> -> tensor<64x64xf32>
    %t = tile.permute %v order [1, 0] : tensor<64x64xf32> -> tensor<64x64xf32>
    tile.write %t to %y(%j, %i) [64 * s0 + d0 in * to 3000 by 1000, 64 * s1 + d1 in * to 1000 by 1] : tensor<64x64xf32> -> memref<3000x1000xf32>
  }
  func.return
}

// Slices of what differs between programs, and parts of which only some do.
// CHECK-LABEL: func.func @pieces_that_differ
// CHECK: tile.programs ([[I:%.*]]) in [2] by [500] of [1000]
// CHECK: [[V:%.*]] = tile.read %w
// CHECK: [[S:%.*]] = tile.slice {{%.*}} axis 1 at 30 : tensor<500x64xf32> -> tensor<500x32xf32>
// CHECK: [[B:%.*]] = tile.broadcast {{%.*}} : tensor<1x16xf32> -> tensor<500x16xf32>
// CHECK: [[C:%.*]] = tile.concat [[B]], [[S]] axis 1 : tensor<500x16xf32>, tensor<500x32xf32> -> tensor<500x48xf32>
// CHECK: tile.write [[C]] to %out([[I]]) [500 * s0 + d0 by 48, d1 by 1]
func.func @pieces_that_differ(%in: memref<1000x64xf32>, %w: memref<16xf32>, %out: memref<1000x48xf32>) {
  tile.programs (%i) in [1000] {
    %x = tile.read %in(%i) [s0 by 64, d0 by 1] : memref<1000x64xf32> -> tensor<64xf32>
    %v = tile.read %w [d0 by 1] : memref<16xf32> -> tensor<16xf32>
    %s = tile.slice %x axis 0 at 30 : tensor<64xf32> -> tensor<32xf32>
    %c = tile.concat %v, %s axis 0 : tensor<16xf32>, tensor<32xf32> -> tensor<48xf32>
    tile.write %c to %out(%i) [s0 by 48, d0 by 1] : tensor<48xf32> -> memref<1000x48xf32>
  }
  func.return
}
