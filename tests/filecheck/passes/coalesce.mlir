// RUN: nki-opt %s -p coalesce --split-input-file | filecheck %s
// RUN: nki-opt %s -p coalesce --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @blocks_that_follow_one_another
// CHECK: [[X:%.*]] = tile.read {{%.*}}({{%.*}}) [8192 * s0 + d0 in * to 98432 by 1] : memref<98432xf32> -> tensor<8192xf32>
// CHECK: [[C:%.*]] = arith.constant dense<2.000000e+00> : tensor<8192xf32>
// CHECK: [[Y:%.*]] = arith.mulf [[X]], [[C]] : tensor<8192xf32>
// CHECK: tile.write [[Y]] to {{%.*}}({{%.*}}) [8192 * s0 + d0 in * to 98432 by 1] : tensor<8192xf32>
func.func @blocks_that_follow_one_another(%in: memref<98432xf32>, %out: memref<98432xf32>) {
  tile.programs (%i) in [13] {
    %x = tile.read %in(%i) [8192 * s0 + 1024 * d0 + d1 in * to 98432 by 1] : memref<98432xf32> -> tensor<8x1024xf32>
    %c = arith.constant dense<2.0> : tensor<8x1024xf32>
    %y = arith.mulf %x, %c : tensor<8x1024xf32>
    tile.write %y to %out(%i) [8192 * s0 + 1024 * d0 + d1 in * to 98432 by 1] : tensor<8x1024xf32> -> memref<98432xf32>
  }
  func.return
}

// Coordinates without bounds are one address.
// CHECK-LABEL: func.func @whole_rows
// CHECK: tile.read {{%.*}}({{%.*}}) [32768 * s0 + d0 by 1] : memref<256x256xf32> -> tensor<32768xf32>
// CHECK: tile.write {{.*}} : tensor<32768xf32> -> memref<256x256xf32>
func.func @whole_rows(%in: memref<256x256xf32>, %out: memref<256x256xf32>) {
  tile.programs (%i) in [2] {
    %x = tile.read %in(%i) [128 * s0 + d0 by 256, d1 by 1] : memref<256x256xf32> -> tensor<128x256xf32>
    tile.write %x to %out(%i) [128 * s0 + d0 by 256, d1 by 1] : tensor<128x256xf32> -> memref<256x256xf32>
  }
  func.return
}

// Dimensions around those that are merged keep their order; axes and what loops carry follow.
// CHECK-LABEL: func.func @around_a_reduction
// CHECK: [[X:%.*]] = tile.read {{%.*}} [{{.*}}] : memref<128x4x32xf32> -> tensor<512x32xf32>
// CHECK: [[S:%.*]] = scf.for {{.*}} iter_args({{%.*}} = [[X]]) -> (tensor<512x32xf32>)
// CHECK: [[P:%.*]] = tile.permute [[S]] order [1, 0] : tensor<512x32xf32> -> tensor<32x512xf32>
// CHECK: [[M:%.*]] = tile.reduce max [[P]] axis 0 : tensor<32x512xf32> -> tensor<512xf32>
// CHECK: tile.write [[M]] to {{%.*}} [d0 by 1] : tensor<512xf32> -> memref<512xf32>
func.func @around_a_reduction(%in: memref<128x4x32xf32>, %out: memref<512xf32>) {
  %zero = arith.constant 0 : index
  %four = arith.constant 4 : index
  %one = arith.constant 1 : index
  %x = tile.read %in [d0 by 128, d1 by 32, d2 by 1] : memref<128x4x32xf32> -> tensor<128x4x32xf32>
  %s = scf.for %i = %zero to %four step %one iter_args(%a = %x) -> (tensor<128x4x32xf32>) {
    %b = arith.addf %a, %x : tensor<128x4x32xf32>
    scf.yield %b : tensor<128x4x32xf32>
  }
  %p = tile.permute %s order [2, 0, 1] : tensor<128x4x32xf32> -> tensor<32x128x4xf32>
  %m = tile.reduce max %p axis 0 : tensor<32x128x4xf32> -> tensor<128x4xf32>
  tile.write %m to %out [4 * d0 + d1 by 1] : tensor<128x4xf32> -> memref<512xf32>
  func.return
}

// Indices that count through both dimensions are counted anew.
// CHECK-LABEL: func.func @indices
// CHECK: [[A:%.*]] = tile.arange 0 to 8192 : tensor<8192xindex>
// CHECK: [[N:%.*]] = arith.addi {{%.*}}, [[A]] : tensor<8192xindex>
// CHECK: [[F:%.*]] = tile.cast [[N]] : tensor<8192xindex> -> tensor<8192xf32>
// CHECK: tile.write [[F]]
func.func @indices(%out: memref<8192xf32>) {
  %r = tile.arange 0 to 8 : tensor<8xindex>
  %e = tile.expand_dims %r axis 1 : tensor<8xindex> -> tensor<8x1xindex>
  %b = tile.broadcast %e : tensor<8x1xindex> -> tensor<8x1024xindex>
  %k = arith.constant dense<1024> : tensor<8x1024xindex>
  %m = arith.muli %b, %k : tensor<8x1024xindex>
  %c = tile.arange 0 to 1024 : tensor<1024xindex>
  %f = tile.expand_dims %c axis 0 : tensor<1024xindex> -> tensor<1x1024xindex>
  %g = tile.broadcast %f : tensor<1x1024xindex> -> tensor<8x1024xindex>
  %n = arith.addi %m, %g : tensor<8x1024xindex>
  %v = tile.cast %n : tensor<8x1024xindex> -> tensor<8x1024xf32>
  tile.write %v to %out [1024 * d0 + d1 by 1] : tensor<8x1024xf32> -> memref<8192xf32>
  func.return
}

// CHECK-LABEL: func.func @a_row_each
// CHECK: tile.reduce max {{%.*}} axis 1 : tensor<128x256xf32> -> tensor<128xf32>
// CHECK: tile.write {{.*}} : tensor<128x256xf32> -> memref<128x256xf32>
func.func @a_row_each(%in: memref<128x256xf32>, %out: memref<128x256xf32>) {
  %x = tile.read %in [256 * d0 + d1 by 1] : memref<128x256xf32> -> tensor<128x256xf32>
  %m = tile.reduce max %x axis 1 : tensor<128x256xf32> -> tensor<128xf32>
  %c = tile.expand_dims %m axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %b = tile.broadcast %c : tensor<128x1xf32> -> tensor<128x256xf32>
  %y = arith.subf %x, %b : tensor<128x256xf32>
  tile.write %y to %out [256 * d0 + d1 by 1] : tensor<128x256xf32> -> memref<128x256xf32>
  func.return
}

// CHECK-LABEL: func.func @rows_apart
// CHECK: tile.read {{.*}} : memref<128x256xf32> -> tensor<128x128xf32>
func.func @rows_apart(%in: memref<128x256xf32>, %out: memref<128x128xf32>) {
  %x = tile.read %in [d0 by 256, d1 by 1] : memref<128x256xf32> -> tensor<128x128xf32>
  tile.write %x to %out [d0 by 128, d1 by 1] : tensor<128x128xf32> -> memref<128x128xf32>
  func.return
}

// CHECK-LABEL: func.func @partitions_stay_even
// CHECK: tile.read {{.*}} : memref<125x781xf32> -> tensor<125x781xf32>
func.func @partitions_stay_even(%in: memref<125x781xf32>, %out: memref<125x781xf32>) {
  %x = tile.read %in [d0 by 781, d1 by 1] : memref<125x781xf32> -> tensor<125x781xf32>
  tile.write %x to %out [d0 by 781, d1 by 1] : tensor<125x781xf32> -> memref<125x781xf32>
  func.return
}

// Of a product: rows, columns, and terms that are neighbours in both operands.
// CHECK-LABEL: func.func @products
// CHECK: [[A:%.*]] = tile.read {{%.*}} [2048 * d0 + d1 by 1] : {{.*}} -> tensor<256x192xf32>
// CHECK: [[B:%.*]] = tile.read {{%.*}} [512 * d0 + d1 by 1] : {{.*}} -> tensor<192x512xf32>
// CHECK: [[S:%.*]] = tile.dot [[A]], [[B]] over [1] x [0] : tensor<256x192xf32>, tensor<192x512xf32> -> tensor<256x512xf32>
// CHECK: tile.write [[S]] to {{%.*}} [512 * d0 + d1 by 1] : tensor<256x512xf32>
func.func @products(%a: memref<2048x2048xf32>, %b: memref<2048x512xf32>, %c: memref<2048x512xf32>) {
  %x = tile.read %a [64 * d0 + d1 by 2048, 64 * d2 + d3 by 1] : memref<2048x2048xf32> -> tensor<4x64x3x64xf32>
  %y = tile.read %b [64 * d0 + d1 by 512, 128 * d2 + d3 by 1] : memref<2048x512xf32> -> tensor<3x64x4x128xf32>
  %s = tile.dot %x, %y over [2, 3] x [0, 1] : tensor<4x64x3x64xf32>, tensor<3x64x4x128xf32> -> tensor<4x64x4x128xf32>
  tile.write %s to %c [64 * d0 + d1 by 512, 128 * d2 + d3 by 1] : tensor<4x64x4x128xf32> -> memref<2048x512xf32>
  func.return
}

// Terms that are summed over in another order stay apart, and so do rows and columns.
// CHECK-LABEL: func.func @terms_in_another_order
// CHECK: tile.dot {{%.*}}, {{%.*}} over [1, 2] x [1, 0] : tensor<64x3x64xf32>, tensor<64x3x128xf32> -> tensor<64x128xf32>
func.func @terms_in_another_order(%a: memref<64x192xf32>, %b: memref<192x128xf32>, %c: memref<64x128xf32>) {
  %x = tile.read %a [d0 by 192, 64 * d1 + d2 by 1] : memref<64x192xf32> -> tensor<64x3x64xf32>
  %y = tile.read %b [d0 + 64 * d1 by 128, d2 by 1] : memref<192x128xf32> -> tensor<64x3x128xf32>
  %s = tile.dot %x, %y over [1, 2] x [1, 0] : tensor<64x3x64xf32>, tensor<64x3x128xf32> -> tensor<64x128xf32>
  tile.write %s to %c [d0 by 128, d1 by 1] : tensor<64x128xf32> -> memref<64x128xf32>
  func.return
}

// Common places of a product, with what is added to it.
// CHECK-LABEL: func.func @common_places
// CHECK: tile.dot {{%.*}}, {{%.*}} acc {{%.*}} over [2] x [1] batch [0] x [0] : tensor<6x32x16xf32>, tensor<6x16x64xf32> -> tensor<6x32x64xf32>
func.func @common_places(%a: memref<6x32x16xf32>, %b: memref<6x16x64xf32>, %c: memref<6x32x64xf32>) {
  %x = tile.read %a [1536 * d0 + 512 * d1 + 16 * d2 + d3 by 1] : memref<6x32x16xf32> -> tensor<2x3x32x16xf32>
  %y = tile.read %b [3072 * d0 + 1024 * d1 + 64 * d2 + d3 by 1] : memref<6x16x64xf32> -> tensor<2x3x16x64xf32>
  %z = tile.read %c [6144 * d0 + 2048 * d1 + 64 * d2 + d3 by 1] : memref<6x32x64xf32> -> tensor<2x3x32x64xf32>
  %s = tile.dot %x, %y acc %z over [3] x [2] batch [0, 1] x [0, 1] : tensor<2x3x32x16xf32>, tensor<2x3x16x64xf32> -> tensor<2x3x32x64xf32>
  tile.write %s to %c [6144 * d0 + 2048 * d1 + 64 * d2 + d3 by 1] : tensor<2x3x32x64xf32> -> memref<6x32x64xf32>
  func.return
}

// A reshape makes one of dimensions that are one already; so does a dimension of size 1 with another one beside it.
// CHECK-LABEL: func.func @blocks_of_columns
// CHECK: [[X:%.*]] = tile.read {{%.*}} [1024 * d0 + d1 by 1] : {{.*}} -> tensor<128x1024xf32>
// CHECK: [[M:%.*]] = tile.reduce max [[X]] axis 1 : tensor<128x1024xf32> -> tensor<128xf32>
// CHECK: [[C:%.*]] = tile.expand_dims [[M]] axis 1 : tensor<128xf32> -> tensor<128x1xf32>
// CHECK-NOT: tile.expand_dims
// CHECK: [[B:%.*]] = tile.broadcast [[C]] : tensor<128x1xf32> -> tensor<128x1024xf32>
// CHECK: arith.subf [[X]], [[B]] : tensor<128x1024xf32>
// CHECK-NOT: tile.reshape
// CHECK-LABEL: func.func @a_dimension_in_front
func.func @blocks_of_columns(%in: memref<128x1024xf32>, %out: memref<128x1024xf32>) {
  %x = tile.read %in [1024 * d0 + 128 * d1 + d2 by 1] : memref<128x1024xf32> -> tensor<128x8x128xf32>
  %r = tile.reshape %x : tensor<128x8x128xf32> -> tensor<128x1024xf32>
  %m = tile.reduce max %r axis 1 : tensor<128x1024xf32> -> tensor<128xf32>
  %c = tile.expand_dims %m axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %d = tile.expand_dims %c axis 1 : tensor<128x1xf32> -> tensor<128x1x1xf32>
  %b = tile.broadcast %d : tensor<128x1x1xf32> -> tensor<128x8x128xf32>
  %y = arith.subf %x, %b : tensor<128x8x128xf32>
  tile.write %y to %out [1024 * d0 + 128 * d1 + d2 by 1] : tensor<128x8x128xf32> -> memref<128x1024xf32>
  func.return
}

// Behind another one of size 1, and in front of what is merged.
// CHECK: [[X:%.*]] = tile.read {{%.*}} [d0 + d1 by 1] : {{.*}} -> tensor<1x1024xf32>
// CHECK-NOT: tile.expand_dims
// CHECK: arith.negf [[X]] : tensor<1x1024xf32>
func.func @a_dimension_in_front(%in: memref<1024xf32>, %out: memref<1024xf32>) {
  %x = tile.read %in [d0 + 128 * d1 + d2 by 1] : memref<1024xf32> -> tensor<1x8x128xf32>
  %y = tile.expand_dims %x axis 1 : tensor<1x8x128xf32> -> tensor<1x1x8x128xf32>
  %z = arith.negf %y : tensor<1x1x8x128xf32>
  tile.write %z to %out [d0 + d1 + 128 * d2 + d3 by 1] : tensor<1x1x8x128xf32> -> memref<1024xf32>
  func.return
}

// So do dimensions of size 1 behind it, and in front of a reshape that cuts it.
// CHECK-LABEL: func.func @dimensions_behind
// CHECK: [[X:%.*]] = tile.read {{%.*}} [d0 by 1] : {{.*}} -> tensor<1024xf32>
// CHECK-NOT: tile.reshape
// CHECK: [[Y:%.*]] = arith.negf [[X]] : tensor<1024xf32>
// CHECK: tile.write [[Y]]
func.func @dimensions_behind(%in: memref<1024xf32>, %out: memref<1024xf32>) {
  %x = tile.read %in [d0 + d1 + d2 by 1] : memref<1024xf32> -> tensor<1024x1x1xf32>
  %y = tile.reshape %x : tensor<1024x1x1xf32> -> tensor<1024xf32>
  %z = arith.negf %y : tensor<1024xf32>
  tile.write %z to %out [d0 by 1] : tensor<1024xf32> -> memref<1024xf32>
  func.return
}

// A reshape that cuts a dimension, and one of dimensions that something else tells apart.
// CHECK-LABEL: func.func @reshapes
// CHECK: tile.reshape {{%.*}} : tensor<128x1024xf32> -> tensor<128x8x128xf32>
// CHECK: tile.reshape {{%.*}} : tensor<128x8x128xf32> -> tensor<1024x128xf32>
func.func @reshapes(%in: memref<128x1024xf32>, %out: memref<128x8xf32>, %other: memref<1024x128xf32>) {
  %x = tile.read %in [1024 * d0 + d1 by 1] : memref<128x1024xf32> -> tensor<128x1024xf32>
  %y = tile.reshape %x : tensor<128x1024xf32> -> tensor<128x8x128xf32>
  %m = tile.reduce max %y axis 2 : tensor<128x8x128xf32> -> tensor<128x8xf32>
  tile.write %m to %out [8 * d0 + d1 by 1] : tensor<128x8xf32> -> memref<128x8xf32>
  %s = tile.scan sum %y axis 0 : tensor<128x8x128xf32> -> tensor<128x8x128xf32>
  %z = tile.reshape %s : tensor<128x8x128xf32> -> tensor<1024x128xf32>
  tile.write %z to %other [128 * d0 + d1 by 1] : tensor<1024x128xf32> -> memref<1024x128xf32>
  func.return
}

// A row for all rows of blocks, whose new dimension of size 1 is part of that of the rows, and the sum of several steps.
// CHECK-LABEL: func.func @rows_of_blocks
// CHECK-NOT: tile.reshape
// CHECK: [[R:%.*]] = tile.expand_dims {{%.*}} axis 0 : tensor<512xf32> -> tensor<1x512xf32>
// CHECK: [[W:%.*]] = tile.broadcast [[R]] : tensor<1x512xf32> -> tensor<256x512xf32>
// CHECK: [[S:%.*]] = arith.addf {{%.*}}, [[W]] : tensor<256x512xf32>
// CHECK: tile.reduce sum [[S]] axis 1 : tensor<256x512xf32> -> tensor<256xf32>
func.func @rows_of_blocks(%a: memref<256x512xf32>, %r: memref<512xf32>, %c: memref<256xf32>) {
  %x = tile.read %a [65536 * d0 + 512 * d1 + 64 * d2 + d3 by 1] : memref<256x512xf32> -> tensor<2x128x8x64xf32>
  %y = tile.read %r [64 * d0 + d1 by 1] : memref<512xf32> -> tensor<8x64xf32>
  %row = tile.expand_dims %y axis 0 : tensor<8x64xf32> -> tensor<1x8x64xf32>
  %block = tile.expand_dims %row axis 0 : tensor<1x8x64xf32> -> tensor<1x1x8x64xf32>
  %all = tile.broadcast %block : tensor<1x1x8x64xf32> -> tensor<2x128x8x64xf32>
  %s = arith.addf %x, %all : tensor<2x128x8x64xf32>
  %terms = tile.reshape %s : tensor<2x128x8x64xf32> -> tensor<2x128x512xf32>
  %q = tile.reduce sum %terms axis 2 : tensor<2x128x512xf32> -> tensor<2x128xf32>
  tile.write %q to %c [128 * d0 + d1 by 1] : tensor<2x128xf32> -> memref<256xf32>
  func.return
}

// A new dimension between two that are one in memory keeps them apart, and so does a reshape of another kind.
// CHECK-LABEL: func.func @dimensions_between
// CHECK: tile.expand_dims {{%.*}} axis 1 : tensor<128x128xf32> -> tensor<128x1x128xf32>
// CHECK: tile.reshape {{%.*}} : tensor<128x3x128xf32> -> tensor<64x6x128xf32>
func.func @dimensions_between(%a: memref<128x128xf32>, %c: memref<128x384xf32>) {
  %x = tile.read %a [128 * d0 + d1 by 1] : memref<128x128xf32> -> tensor<128x128xf32>
  %y = tile.expand_dims %x axis 1 : tensor<128x128xf32> -> tensor<128x1x128xf32>
  %z = tile.broadcast %y : tensor<128x1x128xf32> -> tensor<128x3x128xf32>
  %w = tile.reshape %z : tensor<128x3x128xf32> -> tensor<64x6x128xf32>
  tile.write %w to %c [768 * d0 + 128 * d1 + d2 by 1] : tensor<64x6x128xf32> -> memref<128x384xf32>
  func.return
}

// The dimensions beside that of a scan, of what it goes on from, and of its last place.
// CHECK-LABEL: func.func @beside_a_scan
// CHECK: [[I:%.*]] = tile.read %i [d0 by 1] : memref<256xf32> -> tensor<256xf32>
// CHECK: [[S:%.*]] = tile.scan sum {{%.*}} initial [[I]] : tensor<256xf32> axis 1 : tensor<256x50xf32> -> tensor<256x50xf32>
// CHECK: tile.last [[S]] axis 1 : tensor<256x50xf32> -> tensor<256xf32>
func.func @beside_a_scan(%x: memref<256x50xf32>, %i: memref<256xf32>) {
  %v = tile.read %x [3200 * d0 + 50 * d1 + d2 by 1] : memref<256x50xf32> -> tensor<4x64x50xf32>
  %h = tile.read %i [64 * d0 + d1 by 1] : memref<256xf32> -> tensor<4x64xf32>
  %s = tile.scan sum %v initial %h : tensor<4x64xf32> axis 2 : tensor<4x64x50xf32> -> tensor<4x64x50xf32>
  %l = tile.last %s axis 2 : tensor<4x64x50xf32> -> tensor<4x64xf32>
  tile.write %s to %x [3200 * d0 + 50 * d1 + d2 by 1] : tensor<4x64x50xf32> -> memref<256x50xf32>
  tile.write %l to %i [64 * d0 + d1 by 1] : tensor<4x64xf32> -> memref<256xf32>
  func.return
}

// What is scanned keeps its dimension, and the one in front of it.
// CHECK-LABEL: func.func @along_a_scan
// CHECK: tile.scan sum {{%.*}} initial {{%.*}} : tensor<4x50xf32> axis 1 : tensor<4x64x50xf32> -> tensor<4x64x50xf32>
func.func @along_a_scan(%x: memref<256x50xf32>, %i: memref<4x50xf32>) {
  %v = tile.read %x [3200 * d0 + 50 * d1 + d2 by 1] : memref<256x50xf32> -> tensor<4x64x50xf32>
  %h = tile.read %i [50 * d0 + d1 by 1] : memref<4x50xf32> -> tensor<4x50xf32>
  %s = tile.scan sum %v initial %h : tensor<4x50xf32> axis 1 : tensor<4x64x50xf32> -> tensor<4x64x50xf32>
  tile.write %s to %x [3200 * d0 + 50 * d1 + d2 by 1] : tensor<4x64x50xf32> -> memref<256x50xf32>
  func.return
}

// What is the same along both, one element of each: of two dimensions one is left.
// CHECK-LABEL: func.func @the_same_along_both
// CHECK: [[B:%.*]] = tile.expand_dims {{%.*}} axis 0 : tensor<50xf32> -> tensor<1x50xf32>
// CHECK-NEXT: tile.broadcast [[B]] : tensor<1x50xf32> -> tensor<256x50xf32>
func.func @the_same_along_both(%x: memref<256x50xf32>, %w: memref<50xf32>) {
  %v = tile.read %x [3200 * d0 + 50 * d1 + d2 by 1] : memref<256x50xf32> -> tensor<4x64x50xf32>
  %a = tile.read %w [d0 by 1] : memref<50xf32> -> tensor<50xf32>
  %b = tile.expand_dims %a axis 0 : tensor<50xf32> -> tensor<1x50xf32>
  %c = tile.expand_dims %b axis 0 : tensor<1x50xf32> -> tensor<1x1x50xf32>
  %d = tile.broadcast %c : tensor<1x1x50xf32> -> tensor<4x64x50xf32>
  %s = arith.mulf %v, %d : tensor<4x64x50xf32>
  tile.write %s to %x [3200 * d0 + 50 * d1 + d2 by 1] : tensor<4x64x50xf32> -> memref<256x50xf32>
  func.return
}

// Dimensions beside that of slices and parts.
// CHECK-LABEL: func.func @beside_pieces
// CHECK: [[V:%.*]] = tile.read %x [50 * d0 + d1 by 1] : memref<256x50xf32> -> tensor<256x50xf32>
// CHECK: [[S:%.*]] = tile.slice [[V]] axis 1 at 3 : tensor<256x50xf32> -> tensor<256x10xf32>
// CHECK: [[T:%.*]] = tile.slice [[V]] axis 1 at 20 : tensor<256x50xf32> -> tensor<256x20xf32>
// CHECK: tile.concat [[S]], [[T]] axis 1 : tensor<256x10xf32>, tensor<256x20xf32> -> tensor<256x30xf32>
func.func @beside_pieces(%x: memref<256x50xf32>, %y: memref<256x30xf32>) {
  %v = tile.read %x [3200 * d0 + 50 * d1 + d2 by 1] : memref<256x50xf32> -> tensor<4x64x50xf32>
  %s = tile.slice %v axis 2 at 3 : tensor<4x64x50xf32> -> tensor<4x64x10xf32>
  %t = tile.slice %v axis 2 at 20 : tensor<4x64x50xf32> -> tensor<4x64x20xf32>
  %c = tile.concat %s, %t axis 2 : tensor<4x64x10xf32>, tensor<4x64x20xf32> -> tensor<4x64x30xf32>
  tile.write %c to %y [1920 * d0 + 30 * d1 + d2 by 1] : tensor<4x64x30xf32> -> memref<256x30xf32>
  func.return
}

// With the dimensions behind it, one that is cut is one.
// CHECK-LABEL: func.func @pieces_of_slow_dimensions
// CHECK: [[V:%.*]] = tile.read %x [d0 by 1] : memref<512xf32> -> tensor<512xf32>
// CHECK: [[S:%.*]] = tile.slice [[V]] axis 0 at 256 : tensor<512xf32> -> tensor<256xf32>
// CHECK: [[T:%.*]] = tile.slice [[V]] axis 0 at 128 : tensor<512xf32> -> tensor<128xf32>
// CHECK: tile.concat [[S]], [[T]] axis 0 : tensor<256xf32>, tensor<128xf32> -> tensor<384xf32>
func.func @pieces_of_slow_dimensions(%x: memref<512xf32>, %y: memref<384xf32>) {
  %v = tile.read %x [128 * d0 + d1 by 1] : memref<512xf32> -> tensor<4x128xf32>
  %s = tile.slice %v axis 0 at 2 : tensor<4x128xf32> -> tensor<2x128xf32>
  %t = tile.slice %v axis 0 at 1 : tensor<4x128xf32> -> tensor<1x128xf32>
  %c = tile.concat %s, %t axis 0 : tensor<2x128xf32>, tensor<1x128xf32> -> tensor<3x128xf32>
  tile.write %c to %y [128 * d0 + d1 by 1] : tensor<3x128xf32> -> memref<384xf32>
  func.return
}

// The one in front of it stays.
// CHECK-LABEL: func.func @pieces_of_rows
// CHECK: tile.slice {{%.*}} axis 1 at 0 : tensor<4x128xf32> -> tensor<4x64xf32>
func.func @pieces_of_rows(%x: memref<512xf32>, %y: memref<256xf32>) {
  %v = tile.read %x [128 * d0 + d1 by 1] : memref<512xf32> -> tensor<4x128xf32>
  %s = tile.slice %v axis 1 at 0 : tensor<4x128xf32> -> tensor<4x64xf32>
  tile.write %s to %y [64 * d0 + d1 by 1] : tensor<4x64xf32> -> memref<256xf32>
  func.return
}
