// RUN: nki-opt %s -p trim --split-input-file | filecheck %s
// RUN: nki-opt %s -p trim --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_softmax
// CHECK: [[X:%.*]] = tile.read {{%.*}} [s0 by 781, d0 by 1] : memref<1000x781xf32> -> tensor<781xf32>
// CHECK: tile.reduce max [[X]] axis 0 : tensor<781xf32> -> f32
// CHECK: tile.splat {{%.*}} : f32 -> tensor<781xf32>
// CHECK: tile.reduce sum {{%.*}} axis 0 : tensor<781xf32> -> f32
// CHECK: tile.write {{%.*}} to {{%.*}} [s0 by 781, d0 by 1] : tensor<781xf32>
func.func @a_softmax(%in: memref<1000x781xf32>, %out: memref<1000x781xf32>) {
  tile.programs (%i) in [1000] {
    %x = tile.read %in(%i) [s0 by 781, d0 in * to 781 by 1] other 0xff800000 : f32 : memref<1000x781xf32> -> tensor<1024xf32>
    %m = tile.reduce max %x axis 0 : tensor<1024xf32> -> f32
    %b = tile.splat %m : f32 -> tensor<1024xf32>
    %d = arith.subf %x, %b : tensor<1024xf32>
    %e = math.exp %d : tensor<1024xf32>
    %s = tile.reduce sum %e axis 0 : tensor<1024xf32> -> f32
    %c = tile.splat %s : f32 -> tensor<1024xf32>
    %y = arith.divf %e, %c : tensor<1024xf32>
    tile.write %y to %out(%i) [s0 by 781, d0 in * to 781 by 1] : tensor<1024xf32> -> memref<1000x781xf32>
  }
  func.return
}

// Bounds on one dimension shorten what others of it are broadcast to; masks that then always hold are constants.
// CHECK-LABEL: func.func @a_variance
// CHECK: tile.read {{.*}} [d0 by 200, d1 by 1] : memref<16x200xf32> -> tensor<16x200xf32>
// CHECK: tile.broadcast {{%.*}} : tensor<16x1xf32> -> tensor<16x200xf32>
// CHECK: tile.arange 0 to 200 : tensor<200xindex>
// CHECK: [[T:%.*]] = arith.constant true
// CHECK: tile.splat [[T]] : i1 -> tensor<16x200xi1>
// CHECK: tile.reduce sum {{%.*}} axis 1 : tensor<16x200xf32> -> tensor<16xf32>
func.func @a_variance(%in: memref<16x200xf32>, %out: memref<16xf32>) {
  %x = tile.read %in [d0 by 200, d1 in * to 200 by 1] other 0.0 : f32 : memref<16x200xf32> -> tensor<16x256xf32>
  %t = tile.reduce sum %x axis 1 : tensor<16x256xf32> -> tensor<16xf32>
  %e = tile.expand_dims %t axis 1 : tensor<16xf32> -> tensor<16x1xf32>
  %b = tile.broadcast %e : tensor<16x1xf32> -> tensor<16x256xf32>
  %d = arith.subf %x, %b : tensor<16x256xf32>
  %n = tile.arange 0 to 256 : tensor<256xindex>
  %f = tile.expand_dims %n axis 0 : tensor<256xindex> -> tensor<1x256xindex>
  %g = tile.broadcast %f : tensor<1x256xindex> -> tensor<16x256xindex>
  %k = arith.constant dense<200> : tensor<16x256xindex>
  %m = tile.compare lt %g, %k : tensor<16x256xindex>, tensor<16x256xindex> -> tensor<16x256xi1>
  %z = arith.constant dense<0.0> : tensor<16x256xf32>
  %c = tile.select %m, %d, %z : tensor<16x256xi1>, tensor<16x256xf32>, tensor<16x256xf32> -> tensor<16x256xf32>
  %q = arith.mulf %c, %c : tensor<16x256xf32>
  %v = tile.reduce sum %q axis 1 : tensor<16x256xf32> -> tensor<16xf32>
  tile.write %v to %out [d0 by 1] : tensor<16xf32> -> memref<16xf32>
  func.return
}

// Bounds that lie between rows are bounds on rows; those that lie in one stay with it, as do those that a longer row
// would cross.
// CHECK-LABEL: func.func @whole_rows
// CHECK: tile.read {{%.*}}({{%.*}}) [128 * s0 + d0 in * to 257 by 512, d1 by 1] : memref<257x512xf32> -> tensor<128x512xf32>
// CHECK: tile.write {{%.*}} to {{%.*}}({{%.*}}) [65536 * s0 + 512 * d0 + d1 in * to 131583 by 1] : tensor<128x512xf32>
// CHECK: tile.write {{%.*}} to {{%.*}}({{%.*}}) [65536 * s0 + 500 * d0 + d1 in * to 131000 by 1] : tensor<128x512xf32>
func.func @whole_rows(%in: memref<257x512xf32>, %out: memref<257x512xf32>, %more: memref<257x512xf32>) {
  tile.programs (%i) in [3] {
    %x = tile.read %in(%i) [65536 * s0 + 512 * d0 + d1 in * to 131584 by 1] : memref<257x512xf32> -> tensor<128x512xf32>
    tile.write %x to %out(%i) [65536 * s0 + 512 * d0 + d1 in * to 131583 by 1] : tensor<128x512xf32> -> memref<257x512xf32>
    tile.write %x to %more(%i) [65536 * s0 + 500 * d0 + d1 in * to 131000 by 1] : tensor<128x512xf32> -> memref<257x512xf32>
  }
  func.return
}

// Terms of which both factors are zero change nothing, also where they were made narrower; rows and columns end by themselves.
// CHECK-LABEL: func.func @a_product
// CHECK: tile.read %a [d0 by 100, d1 by 1] : memref<64x100xf32> -> tensor<50x100xf32>
// CHECK: tile.read %b [d0 by 64, d1 by 1] : memref<100x64xf32> -> tensor<100x40xf32>
// CHECK: tile.dot {{%.*}} over [1] x [0] : tensor<50x100xbf16>, tensor<100x40xbf16> -> tensor<50x40xf32>
func.func @a_product(%a: memref<64x100xf32>, %b: memref<100x64xf32>, %out: memref<50x40xf32>) {
  %x = tile.read %a [d0 by 100, d1 in * to 100 by 1] other 0.0 : f32 : memref<64x100xf32> -> tensor<64x128xf32>
  %y = tile.read %b [d0 in * to 100 by 64, d1 by 1] other 0.0 : f32 : memref<100x64xf32> -> tensor<128x64xf32>
  %v = tile.cast %x : tensor<64x128xf32> -> tensor<64x128xbf16>
  %w = tile.cast %y : tensor<128x64xf32> -> tensor<128x64xbf16>
  %d = tile.dot %v, %w over [1] x [0] : tensor<64x128xbf16>, tensor<128x64xbf16> -> tensor<64x64xf32>
  tile.write %d to %out [d0 in * to 50 by 40, d1 in * to 40 by 1] : tensor<64x64xf32> -> memref<50x40xf32>
  func.return
}

// Times zero, what is not finite is NaN; and 1 is no zero.
// CHECK-LABEL: func.func @terms_of_one_factor
// CHECK: tile.dot {{%.*}} over [1] x [0] : tensor<64x128xf32>, tensor<128x64xf32> -> tensor<64x64xf32>
// CHECK: tile.dot {{%.*}} over [1] x [0] : tensor<64x128xf32>, tensor<128x64xf32> -> tensor<64x64xf32>
// CHECK: tile.dot {{%.*}} over [1] x [0] : tensor<64x120xf32>, tensor<120x64xf32> -> tensor<64x64xf32>
func.func @terms_of_one_factor(%a: memref<64x100xf32>, %b: memref<128x64xf32>, %out: memref<64x64xf32>) {
  %x = tile.read %a [d0 by 100, d1 in * to 100 by 1] other 0.0 : f32 : memref<64x100xf32> -> tensor<64x128xf32>
  %y = tile.read %b [d0 by 64, d1 by 1] : memref<128x64xf32> -> tensor<128x64xf32>
  %d = tile.dot %x, %y over [1] x [0] : tensor<64x128xf32>, tensor<128x64xf32> -> tensor<64x64xf32>
  tile.write %d to %out [d0 by 64, d1 by 1] : tensor<64x64xf32> -> memref<64x64xf32>
  %one = tile.read %a [d0 by 100, d1 in * to 100 by 1] other 1.0 : f32 : memref<64x100xf32> -> tensor<64x128xf32>
  %z = tile.read %b [d0 in * to 100 by 64, d1 by 1] other 0.0 : f32 : memref<128x64xf32> -> tensor<128x64xf32>
  %e = tile.dot %one, %z over [1] x [0] : tensor<64x128xf32>, tensor<128x64xf32> -> tensor<64x64xf32>
  tile.write %e to %out [d0 by 64, d1 by 1] : tensor<64x64xf32> -> memref<64x64xf32>
  %s = tile.read %a [d0 by 100, d1 in * to 100 by 1] other 0.0 : f32 : memref<64x100xf32> -> tensor<64x128xf32>
  %l = tile.read %b [d0 in * to 120 by 64, d1 by 1] other 0.0 : f32 : memref<128x64xf32> -> tensor<128x64xf32>
  %f = tile.dot %s, %l over [1] x [0] : tensor<64x128xf32>, tensor<128x64xf32> -> tensor<64x64xf32>
  tile.write %f to %out [d0 by 64, d1 by 1] : tensor<64x64xf32> -> memref<64x64xf32>
  func.return
}

// CHECK-LABEL: func.func @what_a_reduction_can_see
// CHECK: tile.read {{.*}} [d0 in * to 781 by 1] other 1.000000e+00 : f32 : memref<781xf32> -> tensor<1024xf32>
// CHECK: tile.reduce sum
func.func @what_a_reduction_can_see(%in: memref<781xf32>, %out: memref<1xf32>) {
  %x = tile.read %in [d0 in * to 781 by 1] other 1.0 : f32 : memref<781xf32> -> tensor<1024xf32>
  %s = tile.reduce sum %x axis 0 : tensor<1024xf32> -> f32
  tile.write %s to %out [0 by 1] : f32 -> memref<1xf32>
  func.return
}

// Minus any other number -inf may be NaN, which the sum of the rest need not be.
// CHECK-LABEL: func.func @minus_what_is_no_maximum
// CHECK: tile.reduce sum {{%.*}} axis 0 : tensor<1024xf32> -> f32
func.func @minus_what_is_no_maximum(%in: memref<781xf32>, %shift: memref<1xf32>, %out: memref<1xf32>) {
  %x = tile.read %in [d0 in * to 781 by 1] other 0xff800000 : f32 : memref<781xf32> -> tensor<1024xf32>
  %a = tile.read %shift [0 by 1] : memref<1xf32> -> f32
  %b = tile.splat %a : f32 -> tensor<1024xf32>
  %d = arith.subf %x, %b : tensor<1024xf32>
  %e = math.exp %d : tensor<1024xf32>
  %s = tile.reduce sum %e axis 0 : tensor<1024xf32> -> f32
  tile.write %s to %out [0 by 1] : f32 -> memref<1xf32>
  func.return
}

// The last program stores less than others.
// CHECK-LABEL: func.func @what_other_programs_need
// CHECK: tile.read {{.*}} [1024 * s0 + d0 in * to 7000 by 1] : memref<7000xf32> -> tensor<1024xf32>
// CHECK: tile.write {{.*}} [1024 * s0 + d0 in * to 7000 by 1] : tensor<1024xf32>
func.func @what_other_programs_need(%in: memref<7000xf32>, %out: memref<7000xf32>) {
  tile.programs (%i) in [7] {
    %x = tile.read %in(%i) [1024 * s0 + d0 in * to 7000 by 1] : memref<7000xf32> -> tensor<1024xf32>
    tile.write %x to %out(%i) [1024 * s0 + d0 in * to 7000 by 1] : tensor<1024xf32> -> memref<7000xf32>
  }
  func.return
}

// From its end on a dimension is read backwards.
// CHECK-LABEL: func.func @backwards
// CHECK: tile.flip {{%.*}} axis 0 : tensor<64xf32> -> tensor<64xf32>
func.func @backwards(%in: memref<64xf32>, %out: memref<40xf32>) {
  %x = tile.read %in [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  %f = tile.flip %x axis 0 : tensor<64xf32> -> tensor<64xf32>
  tile.write %f to %out [d0 in * to 40 by 1] : tensor<64xf32> -> memref<40xf32>
  func.return
}

// Checks report the use of what a load leaves out where it names no other number.
// CHECK-LABEL: func.func @what_is_left_open
// CHECK: tile.reduce sum {{%.*}} axis 0 : tensor<64xf32> -> f32
func.func @what_is_left_open(%in: memref<50xf32>, %out: memref<1xf32>) {
  %x = tile.read %in [d0 in * to 50 by 1] : memref<50xf32> -> tensor<64xf32>
  %s = tile.reduce sum %x axis 0 : tensor<64xf32> -> f32
  tile.write %s to %out [0 by 1] : f32 -> memref<1xf32>
  func.return
}

// The last place is one of all; beside it, and beside what is scanned, a dimension ends where its store does.
// CHECK-LABEL: func.func @the_last_place
// CHECK: [[H:%.*]] = tile.read %h {{.*}} -> tensor<5xf32>
// CHECK: [[S:%.*]] = tile.scan sum {{%.*}} initial [[H]] : tensor<5xf32> axis 1 : tensor<5x64xf32> -> tensor<5x64xf32>
// CHECK: tile.last [[S]] axis 1 : tensor<5x64xf32> -> tensor<5xf32>
func.func @the_last_place(%in: memref<8x64xf32>, %h: memref<8xf32>, %out: memref<5xf32>) {
  %x = tile.read %in [d0 by 64, d1 by 1] : memref<8x64xf32> -> tensor<8x64xf32>
  %i = tile.read %h [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  %s = tile.scan sum %x initial %i : tensor<8xf32> axis 1 : tensor<8x64xf32> -> tensor<8x64xf32>
  %l = tile.last %s axis 1 : tensor<8x64xf32> -> tensor<8xf32>
  tile.write %l to %out [d0 in * to 5 by 1] : tensor<8xf32> -> memref<5xf32>
  func.return
}

// Of a dimension that is cut, places up to the end of the slice are needed; of one beside it those that are stored.
// CHECK-LABEL: func.func @pieces
// CHECK: [[X:%.*]] = tile.read %in [64 * d0 + d1 by 1] : memref<64x64xf32> -> tensor<26x40xf32>
// CHECK: [[S:%.*]] = tile.slice [[X]] axis 0 at 10 : tensor<26x40xf32> -> tensor<16x40xf32>
// CHECK: tile.concat [[S]], [[S]] axis 0 : tensor<16x40xf32>, tensor<16x40xf32> -> tensor<32x40xf32>
func.func @pieces(%in: memref<64x64xf32>, %out: memref<64x64xf32>) {
  %x = tile.read %in [64 * d0 + d1 by 1] : memref<64x64xf32> -> tensor<64x64xf32>
  %s = tile.slice %x axis 0 at 10 : tensor<64x64xf32> -> tensor<16x64xf32>
  %c = tile.concat %s, %s axis 0 : tensor<16x64xf32>, tensor<16x64xf32> -> tensor<32x64xf32>
  tile.write %c to %out [d0 by 64, d1 in * to 40 by 1] : tensor<32x64xf32> -> memref<64x64xf32>
  func.return
}

// Less of a slice is a slice, too; less of parts one behind the other is not.
// CHECK-LABEL: func.func @pieces_of_which_less_is_stored
// CHECK: tile.slice {{%.*}} axis 0 at 10 : tensor<26xf32> -> tensor<7xf32>
// CHECK: tile.concat {{%.*}} axis 0 : tensor<26xf32>, tensor<26xf32> -> tensor<52xf32>
func.func @pieces_of_which_less_is_stored(%in: memref<64xf32>, %out: memref<7xf32>, %long: memref<40xf32>) {
  %x = tile.read %in [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  %s = tile.slice %x axis 0 at 10 : tensor<64xf32> -> tensor<16xf32>
  %y = tile.read %in [d0 by 1] : memref<64xf32> -> tensor<26xf32>
  %c = tile.concat %y, %y axis 0 : tensor<26xf32>, tensor<26xf32> -> tensor<52xf32>
  tile.write %s to %out [d0 in * to 7 by 1] : tensor<16xf32> -> memref<7xf32>
  tile.write %c to %long [d0 in * to 40 by 1] : tensor<52xf32> -> memref<40xf32>
  func.return
}

// The end of rows is that of some rows, and of their last parts.
// CHECK-LABEL: func.func @ends_of_pieces
// CHECK: tile.read %in [d0 by 50, d1 by 1] : memref<32x50xf32> -> tensor<26x50xf32>
// CHECK: tile.reduce max {{%.*}} axis 1 : tensor<16x50xf32> -> tensor<16xf32>
func.func @ends_of_pieces(%in: memref<32x50xf32>, %out: memref<16xf32>) {
  %x = tile.read %in [d0 by 50, d1 in * to 50 by 1] other 0xff800000 : f32 : memref<32x50xf32> -> tensor<32x64xf32>
  %s = tile.slice %x axis 0 at 10 : tensor<32x64xf32> -> tensor<16x64xf32>
  %m = tile.reduce max %s axis 1 : tensor<16x64xf32> -> tensor<16xf32>
  tile.write %m to %out [d0 by 1] : tensor<16xf32> -> memref<16xf32>
  func.return
}

// CHECK-LABEL: func.func @ends_of_parts_of_rows
// CHECK: tile.reduce max {{%.*}} axis 1 : tensor<32x20xf32> -> tensor<32xf32>
func.func @ends_of_parts_of_rows(%in: memref<32x50xf32>, %out: memref<32xf32>) {
  %x = tile.read %in [d0 by 50, d1 in * to 50 by 1] other 0xff800000 : f32 : memref<32x50xf32> -> tensor<32x64xf32>
  %s = tile.slice %x axis 1 at 30 : tensor<32x64xf32> -> tensor<32x34xf32>
  %m = tile.reduce max %s axis 1 : tensor<32x34xf32> -> tensor<32xf32>
  tile.write %m to %out [d0 by 1] : tensor<32xf32> -> memref<32xf32>
  func.return
}
