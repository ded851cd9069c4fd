// RUN: nki-opt %s -p sum-programs --split-input-file | filecheck %s
// RUN: nki-opt %s -p sum-programs --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @all_add_to_one_number
// CHECK: tile.programs ({{%.*}}) in [1] anonymous
// CHECK: arith.constant 64 : index
// CHECK: [[SUM:%.*]] = scf.for [[I:%[a-z_0-9]+]] = {{.*}} iter_args([[S:%[a-z_0-9]+]] = {{%.*}}) -> (f32)
// CHECK: tile.read %x([[I]])
// CHECK: [[T:%.*]] = tile.reduce sum
// CHECK: [[A:%.*]] = arith.addf [[S]], [[T]] : f32
// CHECK: scf.yield [[A]]
// CHECK: [[OLD:%.*]] = tile.read %y [0 by 1]
// CHECK: [[NEW:%.*]] = arith.addf [[OLD]], [[SUM]] : f32
// CHECK: tile.write [[NEW]] to %y [0 by 1] atomic
func.func @all_add_to_one_number(%x: memref<65536xf32>, %y: memref<1xf32>) {
  tile.programs (%i) in [64] {
    %v = tile.read %x(%i) [1024 * s0 + d0 by 1] : memref<65536xf32> -> tensor<1024xf32>
    %t = tile.reduce sum %v axis 0 : tensor<1024xf32> -> f32
    %old = tile.read %y [0 by 1] : memref<1xf32> -> f32
    %new = arith.addf %old, %t : f32
    tile.write %new to %y [0 by 1] atomic : f32 -> memref<1xf32>
  }
  func.return
}

// A row for each program of the other axis, which stay programs; numbers of 16 bits are added up in fp32. What else a
// program writes, it writes in the loop.
// CHECK-LABEL: func.func @a_row_for_each_of_the_others
// CHECK: tile.programs ([[COLUMN:%.*]], {{%.*}}) in [4, 1] anonymous
// CHECK: scf.for [[ROW:%[a-z_0-9]+]] = {{.*}} -> (tensor<128xf32>)
// CHECK: [[V:%.*]] = tile.read %x([[ROW]], [[COLUMN]])
// CHECK: tile.write [[V]] to %z([[ROW]], [[COLUMN]])
// CHECK: [[WIDE:%.*]] = tile.cast [[V]] : tensor<128xbf16> -> tensor<128xf32>
// CHECK: arith.addf {{%.*}}, [[WIDE]] : tensor<128xf32>
// CHECK: [[OLD:%.*]] = tile.read %y([[COLUMN]]) {{.*}} -> tensor<128xbf16>
// CHECK: tile.cast [[OLD]]
// CHECK: [[NEW:%.*]] = tile.cast {{%.*}} : tensor<128xf32> -> tensor<128xbf16>
// CHECK: tile.write [[NEW]] to %y([[COLUMN]])
func.func @a_row_for_each_of_the_others(%x: memref<64x512xbf16>, %y: memref<512xbf16>, %z: memref<64x512xbf16>) {
  tile.programs (%column, %row) in [4, 64] {
    %v = tile.read %x(%row, %column) [512 * s0 + 128 * s1 + d0 by 1] : memref<64x512xbf16> -> tensor<128xbf16>
    tile.write %v to %z(%row, %column) [512 * s0 + 128 * s1 + d0 by 1] : tensor<128xbf16> -> memref<64x512xbf16>
    %old = tile.read %y(%column) [128 * s0 + d0 by 1] : memref<512xbf16> -> tensor<128xbf16>
    %new = arith.addf %v, %old : tensor<128xbf16>
    tile.write %new to %y(%column) [128 * s0 + d0 by 1] atomic : tensor<128xbf16> -> memref<512xbf16>
  }
  func.return
}

// Each has a place of its own.
// CHECK-LABEL: func.func @places_of_their_own
// CHECK: tile.programs (%i) in [64] {
func.func @places_of_their_own(%x: memref<65536xf32>, %y: memref<64xf32>) {
  tile.programs (%i) in [64] {
    %v = tile.read %x(%i) [1024 * s0 + d0 by 1] : memref<65536xf32> -> tensor<1024xf32>
    %t = tile.reduce sum %v axis 0 : tensor<1024xf32> -> f32
    %old = tile.read %y(%i) [s0 by 1] : memref<64xf32> -> f32
    %new = arith.addf %old, %t : f32
    tile.write %new to %y(%i) [s0 by 1] atomic : f32 -> memref<64xf32>
  }
  func.return
}

// What was there before is seen by something else: its number, or one of another place of that memory.
// CHECK-LABEL: func.func @somebody_sees_it
// CHECK: tile.programs (%i) in [64] {
// CHECK: tile.programs (%i_1) in [64] {
func.func @somebody_sees_it(%x: memref<65536xf32>, %y: memref<2xf32>, %z: memref<64xf32>) {
  tile.programs (%i) in [64] {
    %v = tile.read %x(%i) [s0 by 1] : memref<65536xf32> -> f32
    %old = tile.read %y [0 by 1] : memref<2xf32> -> f32
    %new = arith.addf %old, %v : f32
    tile.write %old to %z(%i) [s0 by 1] : f32 -> memref<64xf32>
    tile.write %new to %y [0 by 1] atomic : f32 -> memref<2xf32>
  }
  tile.programs (%i) in [64] {
    %v = tile.read %y [1 by 1] : memref<2xf32> -> f32
    %old = tile.read %y [0 by 1] : memref<2xf32> -> f32
    %new = arith.addf %old, %v : f32
    tile.write %new to %y [0 by 1] atomic : f32 -> memref<2xf32>
  }
  func.return
}

// Programs that also write over what others write, one that replaces what is there, and what is not atomic: which is a
// race, and stays one.
// CHECK-LABEL: func.func @other_writes
// CHECK: tile.programs (%i) in [64] {
// CHECK: tile.programs (%i_1) in [64] {
// CHECK: tile.programs (%i_2) in [64] {
// CHECK: tile.programs (%i_3) in [64] {
func.func @other_writes(%x: memref<65536xf32>, %y: memref<1xf32>, %z: memref<1xf32>) {
  tile.programs (%i) in [64] {
    %v = tile.read %x(%i) [s0 by 1] : memref<65536xf32> -> f32
    tile.write %v to %z [0 by 1] : f32 -> memref<1xf32>
    %old = tile.read %y [0 by 1] : memref<1xf32> -> f32
    %new = arith.addf %old, %v : f32
    tile.write %new to %y [0 by 1] atomic : f32 -> memref<1xf32>
  }
  tile.programs (%i) in [64] {
    %v = tile.read %x(%i) [s0 by 1] : memref<65536xf32> -> f32
    tile.write %v to %y [0 by 1] : f32 -> memref<1xf32>
  }
  tile.programs (%i) in [64] {
    %v = tile.read %x(%i) [s0 by 1] : memref<65536xf32> -> f32
    %old = tile.read %y [0 by 1] : memref<1xf32> -> f32
    %new = arith.addf %old, %v : f32
    tile.write %new to %y [0 by 1] : f32 -> memref<1xf32>
  }
  tile.programs (%i) in [64] {
    %v = tile.read %x(%i) [s0 + d0 by 1] : memref<65536xf32> -> tensor<2xf32>
    tile.write %v to %x(%i) [1024 + s0 + d0 by 1] : tensor<2xf32> -> memref<65536xf32>
    %s = tile.reduce sum %v axis 0 : tensor<2xf32> -> f32
    %old = tile.read %y [0 by 1] : memref<1xf32> -> f32
    %new = arith.addf %old, %s : f32
    tile.write %new to %y [0 by 1] atomic : f32 -> memref<1xf32>
  }
  func.return
}

// Of numbers of 64 bits there are no running sums.
// CHECK-LABEL: func.func @long_numbers
// CHECK: tile.programs (%i) in [64] {
func.func @long_numbers(%x: memref<64xi64>, %y: memref<1xi64>) {
  tile.programs (%i) in [64] {
    %v = tile.read %x(%i) [s0 by 1] : memref<64xi64> -> i64
    %old = tile.read %y [0 by 1] : memref<1xi64> -> i64
    %new = arith.addi %old, %v : i64
    tile.write %new to %y [0 by 1] atomic : i64 -> memref<1xi64>
  }
  func.return
}
