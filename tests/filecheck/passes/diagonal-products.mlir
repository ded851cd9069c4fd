// RUN: nki-opt %s -p diagonal-products,dce --split-input-file | filecheck %s
// RUN: nki-opt %s -p diagonal-products,dce --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

// Each window is multiplied by a matrix with its numbers on the diagonal. What the sums add up to is NaN where one of
// them is: then all is made again as it was.
// CHECK-LABEL: func.func @convolution
// CHECK:       %[[ZEROS:.*]] = tile.splat %{{.*}} : f32 -> tensor<128xf32>
// CHECK:       %[[SEEN:.*]] = scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[BEFORE:.*]] = %[[ZEROS]])
// CHECK:         %[[X0:.*]] = tile.read %x(%[[I]])
// CHECK:         %[[W0:.*]] = tile.read %w [4 * d0 by 1]
// CHECK:         %[[X3:.*]] = tile.read %x(%[[I]]) [2048 * s0 + d1 in 0 to * by 1, 32768 * d0 by 1]
// CHECK:         %[[ON:.*]] = tile.compare eq
// CHECK:         %[[IDENTITY:.*]] = tile.select %[[ON]]
// CHECK:         %[[ROW:.*]] = tile.reshape %[[W0]] : tensor<128x1xbf16> -> tensor<1x128xbf16>
// CHECK:         %[[ALL:.*]] = tile.broadcast %[[ROW]] : tensor<1x128xbf16> -> tensor<128x128xbf16>
// CHECK:         %[[D:.*]] = arith.mulf %[[IDENTITY]], %[[ALL]]
// CHECK:         %[[S0:.*]] = tile.dot %[[D]], %[[X0]] over [1] x [0]
// CHECK:         %[[S1:.*]] = tile.dot %{{.*}}, %{{.*}} acc %[[S0]] over [1] x [0]
// CHECK:         %[[S2:.*]] = tile.dot %{{.*}}, %{{.*}} acc %[[S1]] over [1] x [0]
// CHECK:         %[[S3:.*]] = tile.dot %{{.*}}, %[[X3]] acc %[[S2]] over [1] x [0]
// CHECK:         %[[ROWS:.*]] = tile.reduce sum %[[S3]] axis 1 : tensor<128x2048xf32> -> tensor<128xf32>
// CHECK:         %[[AFTER:.*]] = arith.addf %[[BEFORE]], %[[ROWS]]
// CHECK-NOT:     arith.addf
// CHECK:         %[[O:.*]] = tile.cast %[[S3]]
// CHECK:         tile.write %[[O]]
// CHECK:         scf.yield %[[AFTER]]
// CHECK:       %[[NAN:.*]] = tile.compare ne %[[SEEN]], %[[SEEN]]
// CHECK:       %[[ONE:.*]] = tile.cast %[[NAN]]
// CHECK:       %[[MAX:.*]] = tile.reduce max %[[ONE]] axis 0
// CHECK:       %[[AGAIN:.*]] = tile.compare gt %[[MAX]]
// CHECK:       scf.if %[[AGAIN]] {
// CHECK:         scf.for
// CHECK-NOT:       tile.dot
// CHECK:           arith.addf
// CHECK:           tile.write
// CHECK:       func.return
func.func @convolution(%x: memref<4194304xbf16>, %w: memref<512xbf16>, %y: memref<4194304xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 16 : index
  scf.for %i = %c0 to %n step %c1 {
    %x0 = tile.read %x(%i) [2048 * s0 + d1 in 3 to * by 1, 32768 * d0 - 3 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w0 = tile.read %w [4 * d0 + 0 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b0 = tile.broadcast %w0 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m0 = arith.mulf %x0, %b0 : tensor<128x2048xbf16>
    %f0 = tile.cast %m0 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %x1 = tile.read %x(%i) [2048 * s0 + d1 in 2 to * by 1, 32768 * d0 - 2 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w1 = tile.read %w [4 * d0 + 1 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b1 = tile.broadcast %w1 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m1 = arith.mulf %x1, %b1 : tensor<128x2048xbf16>
    %f1 = tile.cast %m1 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s1 = arith.addf %f0, %f1 : tensor<128x2048xf32>
    %x2 = tile.read %x(%i) [2048 * s0 + d1 in 1 to * by 1, 32768 * d0 - 1 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w2 = tile.read %w [4 * d0 + 2 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b2 = tile.broadcast %w2 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m2 = arith.mulf %x2, %b2 : tensor<128x2048xbf16>
    %f2 = tile.cast %m2 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s2 = arith.addf %s1, %f2 : tensor<128x2048xf32>
    %x3 = tile.read %x(%i) [2048 * s0 + d1 in 0 to * by 1, 32768 * d0 - 0 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w3 = tile.read %w [4 * d0 + 3 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b3 = tile.broadcast %w3 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m3 = arith.mulf %x3, %b3 : tensor<128x2048xbf16>
    %f3 = tile.cast %m3 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s3 = arith.addf %s2, %f3 : tensor<128x2048xf32>
    %o = tile.cast %s3 : tensor<128x2048xf32> -> tensor<128x2048xbf16>
    tile.write %o to %y(%i) [2048 * s0 + 32768 * d0 + d1 by 1] : tensor<128x2048xbf16> -> memref<4194304xbf16>
  }
  func.return
}

// -----

// Left alone: rows of 32 bits.
// CHECK-LABEL: func.func @of_32_bits
// CHECK-NOT:   tile.dot
// CHECK:       func.return
func.func @of_32_bits(%x: memref<4194304xf32>, %w: memref<512xf32>, %y: memref<4194304xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 16 : index
  scf.for %i = %c0 to %n step %c1 {
    %x0 = tile.read %x(%i) [2048 * s0 + d1 in 3 to * by 1, 32768 * d0 - 3 by 1] other 0.0 : f32 : memref<4194304xf32> -> tensor<128x2048xf32>
    %w0 = tile.read %w [4 * d0 + 0 by 1] : memref<512xf32> -> tensor<128x1xf32>
    %b0 = tile.broadcast %w0 : tensor<128x1xf32> -> tensor<128x2048xf32>
    %m0 = arith.mulf %x0, %b0 : tensor<128x2048xf32>
    %f0 = arith.addf %m0, %m0 : tensor<128x2048xf32>
    %x1 = tile.read %x(%i) [2048 * s0 + d1 in 2 to * by 1, 32768 * d0 - 2 by 1] other 0.0 : f32 : memref<4194304xf32> -> tensor<128x2048xf32>
    %w1 = tile.read %w [4 * d0 + 1 by 1] : memref<512xf32> -> tensor<128x1xf32>
    %b1 = tile.broadcast %w1 : tensor<128x1xf32> -> tensor<128x2048xf32>
    %m1 = arith.mulf %x1, %b1 : tensor<128x2048xf32>
    %f1 = arith.addf %m1, %m1 : tensor<128x2048xf32>
    %s1 = arith.addf %f0, %f1 : tensor<128x2048xf32>
    %x2 = tile.read %x(%i) [2048 * s0 + d1 in 1 to * by 1, 32768 * d0 - 1 by 1] other 0.0 : f32 : memref<4194304xf32> -> tensor<128x2048xf32>
    %w2 = tile.read %w [4 * d0 + 2 by 1] : memref<512xf32> -> tensor<128x1xf32>
    %b2 = tile.broadcast %w2 : tensor<128x1xf32> -> tensor<128x2048xf32>
    %m2 = arith.mulf %x2, %b2 : tensor<128x2048xf32>
    %f2 = arith.addf %m2, %m2 : tensor<128x2048xf32>
    %s2 = arith.addf %s1, %f2 : tensor<128x2048xf32>
    %x3 = tile.read %x(%i) [2048 * s0 + d1 in 0 to * by 1, 32768 * d0 - 0 by 1] other 0.0 : f32 : memref<4194304xf32> -> tensor<128x2048xf32>
    %w3 = tile.read %w [4 * d0 + 3 by 1] : memref<512xf32> -> tensor<128x1xf32>
    %b3 = tile.broadcast %w3 : tensor<128x1xf32> -> tensor<128x2048xf32>
    %m3 = arith.mulf %x3, %b3 : tensor<128x2048xf32>
    %f3 = arith.addf %m3, %m3 : tensor<128x2048xf32>
    %s3 = arith.addf %s2, %f3 : tensor<128x2048xf32>
    %o = arith.addf %s3, %s3 : tensor<128x2048xf32>
    tile.write %o to %y(%i) [2048 * s0 + 32768 * d0 + d1 by 1] : tensor<128x2048xf32> -> memref<4194304xf32>
  }
  func.return
}

// -----

// Left alone: two terms, which take the other engines no longer than the transfers.
// CHECK-LABEL: func.func @two_terms
// CHECK-NOT:   tile.dot
// CHECK:       func.return
func.func @two_terms(%x: memref<4194304xbf16>, %w: memref<256xbf16>, %y: memref<4194304xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 16 : index
  scf.for %i = %c0 to %n step %c1 {
    %x0 = tile.read %x(%i) [2048 * s0 + d1 in 1 to * by 1, 32768 * d0 - 1 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w0 = tile.read %w [2 * d0 + 0 by 1] : memref<256xbf16> -> tensor<128x1xbf16>
    %b0 = tile.broadcast %w0 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m0 = arith.mulf %x0, %b0 : tensor<128x2048xbf16>
    %f0 = tile.cast %m0 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %x1 = tile.read %x(%i) [2048 * s0 + d1 in 0 to * by 1, 32768 * d0 - 0 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w1 = tile.read %w [2 * d0 + 1 by 1] : memref<256xbf16> -> tensor<128x1xbf16>
    %b1 = tile.broadcast %w1 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m1 = arith.mulf %x1, %b1 : tensor<128x2048xbf16>
    %f1 = tile.cast %m1 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s1 = arith.addf %f0, %f1 : tensor<128x2048xf32>
    %o = tile.cast %s1 : tensor<128x2048xf32> -> tensor<128x2048xbf16>
    tile.write %o to %y(%i) [2048 * s0 + 32768 * d0 + d1 by 1] : tensor<128x2048xbf16> -> memref<4194304xbf16>
  }
  func.return
}

// -----

// Left alone: more rows than the array has, of which each of several pieces would be multiplied with all.
// CHECK-LABEL: func.func @many_rows
// CHECK-NOT:   tile.dot
// CHECK:       func.return
func.func @many_rows(%x: memref<4194304xbf16>, %w: memref<1024xbf16>, %y: memref<4194304xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 16 : index
  scf.for %i = %c0 to %n step %c1 {
    %x0 = tile.read %x(%i) [1024 * s0 + d1 in 3 to * by 1, 16384 * d0 - 3 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<256x1024xbf16>
    %w0 = tile.read %w [4 * d0 + 0 by 1] : memref<1024xbf16> -> tensor<256x1xbf16>
    %b0 = tile.broadcast %w0 : tensor<256x1xbf16> -> tensor<256x1024xbf16>
    %m0 = arith.mulf %x0, %b0 : tensor<256x1024xbf16>
    %f0 = tile.cast %m0 : tensor<256x1024xbf16> -> tensor<256x1024xf32>
    %x1 = tile.read %x(%i) [1024 * s0 + d1 in 2 to * by 1, 16384 * d0 - 2 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<256x1024xbf16>
    %w1 = tile.read %w [4 * d0 + 1 by 1] : memref<1024xbf16> -> tensor<256x1xbf16>
    %b1 = tile.broadcast %w1 : tensor<256x1xbf16> -> tensor<256x1024xbf16>
    %m1 = arith.mulf %x1, %b1 : tensor<256x1024xbf16>
    %f1 = tile.cast %m1 : tensor<256x1024xbf16> -> tensor<256x1024xf32>
    %s1 = arith.addf %f0, %f1 : tensor<256x1024xf32>
    %x2 = tile.read %x(%i) [1024 * s0 + d1 in 1 to * by 1, 16384 * d0 - 1 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<256x1024xbf16>
    %w2 = tile.read %w [4 * d0 + 2 by 1] : memref<1024xbf16> -> tensor<256x1xbf16>
    %b2 = tile.broadcast %w2 : tensor<256x1xbf16> -> tensor<256x1024xbf16>
    %m2 = arith.mulf %x2, %b2 : tensor<256x1024xbf16>
    %f2 = tile.cast %m2 : tensor<256x1024xbf16> -> tensor<256x1024xf32>
    %s2 = arith.addf %s1, %f2 : tensor<256x1024xf32>
    %x3 = tile.read %x(%i) [1024 * s0 + d1 in 0 to * by 1, 16384 * d0 - 0 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<256x1024xbf16>
    %w3 = tile.read %w [4 * d0 + 3 by 1] : memref<1024xbf16> -> tensor<256x1xbf16>
    %b3 = tile.broadcast %w3 : tensor<256x1xbf16> -> tensor<256x1024xbf16>
    %m3 = arith.mulf %x3, %b3 : tensor<256x1024xbf16>
    %f3 = tile.cast %m3 : tensor<256x1024xbf16> -> tensor<256x1024xf32>
    %s3 = arith.addf %s2, %f3 : tensor<256x1024xf32>
    %o = tile.cast %s3 : tensor<256x1024xf32> -> tensor<256x1024xbf16>
    tile.write %o to %y(%i) [1024 * s0 + 16384 * d0 + d1 by 1] : tensor<256x1024xbf16> -> memref<4194304xbf16>
  }
  func.return
}

// -----

// Rows longer than half of PSUM, in two pieces.
// CHECK-LABEL: func.func @long_rows
// CHECK:       scf.for %[[I:.*]] = {{.*}} iter_args
// CHECK:         %[[TWO:.*]] = arith.constant 2 : index
// CHECK:         scf.for %[[P:.*]] = %{{.*}} to %[[TWO]] step %{{.*}} iter_args
// CHECK:           tile.read %x(%[[I]], %[[P]]) [4096 * s0 + d1 + 2048 * s1 in 3 to * by 1, -3 + 32768 * d0 by 1] other 0.000000e+00 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
// CHECK:           tile.dot %{{.*}} : tensor<128x128xbf16>, tensor<128x2048xbf16> -> tensor<128x2048xf32>
// CHECK:           tile.write %{{.*}} to %y(%[[I]], %[[P]]) [4096 * s0 + 32768 * d0 + d1 + 2048 * s1 by 1] : tensor<128x2048xbf16>
// CHECK:       scf.if
// CHECK:           tile.write %{{.*}} to %y(%{{.*}}, %{{.*}}) {{.*}} : tensor<128x2048xbf16>
// CHECK:       func.return
func.func @long_rows(%x: memref<4194304xbf16>, %w: memref<512xbf16>, %y: memref<4194304xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 8 : index
  scf.for %i = %c0 to %n step %c1 {
    %x0 = tile.read %x(%i) [4096 * s0 + d1 in 3 to * by 1, 32768 * d0 - 3 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x4096xbf16>
    %w0 = tile.read %w [4 * d0 + 0 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b0 = tile.broadcast %w0 : tensor<128x1xbf16> -> tensor<128x4096xbf16>
    %m0 = arith.mulf %x0, %b0 : tensor<128x4096xbf16>
    %f0 = tile.cast %m0 : tensor<128x4096xbf16> -> tensor<128x4096xf32>
    %x1 = tile.read %x(%i) [4096 * s0 + d1 in 2 to * by 1, 32768 * d0 - 2 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x4096xbf16>
    %w1 = tile.read %w [4 * d0 + 1 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b1 = tile.broadcast %w1 : tensor<128x1xbf16> -> tensor<128x4096xbf16>
    %m1 = arith.mulf %x1, %b1 : tensor<128x4096xbf16>
    %f1 = tile.cast %m1 : tensor<128x4096xbf16> -> tensor<128x4096xf32>
    %s1 = arith.addf %f0, %f1 : tensor<128x4096xf32>
    %x2 = tile.read %x(%i) [4096 * s0 + d1 in 1 to * by 1, 32768 * d0 - 1 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x4096xbf16>
    %w2 = tile.read %w [4 * d0 + 2 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b2 = tile.broadcast %w2 : tensor<128x1xbf16> -> tensor<128x4096xbf16>
    %m2 = arith.mulf %x2, %b2 : tensor<128x4096xbf16>
    %f2 = tile.cast %m2 : tensor<128x4096xbf16> -> tensor<128x4096xf32>
    %s2 = arith.addf %s1, %f2 : tensor<128x4096xf32>
    %x3 = tile.read %x(%i) [4096 * s0 + d1 in 0 to * by 1, 32768 * d0 - 0 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x4096xbf16>
    %w3 = tile.read %w [4 * d0 + 3 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b3 = tile.broadcast %w3 : tensor<128x1xbf16> -> tensor<128x4096xbf16>
    %m3 = arith.mulf %x3, %b3 : tensor<128x4096xbf16>
    %f3 = tile.cast %m3 : tensor<128x4096xbf16> -> tensor<128x4096xf32>
    %s3 = arith.addf %s2, %f3 : tensor<128x4096xf32>
    %o = tile.cast %s3 : tensor<128x4096xf32> -> tensor<128x4096xbf16>
    tile.write %o to %y(%i) [4096 * s0 + 32768 * d0 + d1 by 1] : tensor<128x4096xbf16> -> memref<4194304xbf16>
  }
  func.return
}

// -----

// Left alone: rows longer than half of PSUM that something else than their elements is made of.
// CHECK-LABEL: func.func @added_along
// CHECK-NOT:   tile.dot
// CHECK:       func.return
func.func @added_along(%x: memref<4194304xbf16>, %w: memref<512xbf16>, %y: memref<4194304xbf16>, %z: memref<1024xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 8 : index
  scf.for %i = %c0 to %n step %c1 {
    %x0 = tile.read %x(%i) [4096 * s0 + d1 in 3 to * by 1, 32768 * d0 - 3 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x4096xbf16>
    %w0 = tile.read %w [4 * d0 + 0 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b0 = tile.broadcast %w0 : tensor<128x1xbf16> -> tensor<128x4096xbf16>
    %m0 = arith.mulf %x0, %b0 : tensor<128x4096xbf16>
    %f0 = tile.cast %m0 : tensor<128x4096xbf16> -> tensor<128x4096xf32>
    %x1 = tile.read %x(%i) [4096 * s0 + d1 in 2 to * by 1, 32768 * d0 - 2 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x4096xbf16>
    %w1 = tile.read %w [4 * d0 + 1 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b1 = tile.broadcast %w1 : tensor<128x1xbf16> -> tensor<128x4096xbf16>
    %m1 = arith.mulf %x1, %b1 : tensor<128x4096xbf16>
    %f1 = tile.cast %m1 : tensor<128x4096xbf16> -> tensor<128x4096xf32>
    %s1 = arith.addf %f0, %f1 : tensor<128x4096xf32>
    %x2 = tile.read %x(%i) [4096 * s0 + d1 in 1 to * by 1, 32768 * d0 - 1 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x4096xbf16>
    %w2 = tile.read %w [4 * d0 + 2 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b2 = tile.broadcast %w2 : tensor<128x1xbf16> -> tensor<128x4096xbf16>
    %m2 = arith.mulf %x2, %b2 : tensor<128x4096xbf16>
    %f2 = tile.cast %m2 : tensor<128x4096xbf16> -> tensor<128x4096xf32>
    %s2 = arith.addf %s1, %f2 : tensor<128x4096xf32>
    %x3 = tile.read %x(%i) [4096 * s0 + d1 in 0 to * by 1, 32768 * d0 - 0 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x4096xbf16>
    %w3 = tile.read %w [4 * d0 + 3 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b3 = tile.broadcast %w3 : tensor<128x1xbf16> -> tensor<128x4096xbf16>
    %m3 = arith.mulf %x3, %b3 : tensor<128x4096xbf16>
    %f3 = tile.cast %m3 : tensor<128x4096xbf16> -> tensor<128x4096xf32>
    %s3 = arith.addf %s2, %f3 : tensor<128x4096xf32>
    %r = tile.reduce sum %s3 axis 1 : tensor<128x4096xf32> -> tensor<128xf32>
    tile.write %r to %z(%i) [128 * s0 + d0 by 1] : tensor<128xf32> -> memref<1024xf32>
    %o = tile.cast %s3 : tensor<128x4096xf32> -> tensor<128x4096xbf16>
    tile.write %o to %y(%i) [4096 * s0 + 32768 * d0 + d1 by 1] : tensor<128x4096xbf16> -> memref<4194304xbf16>
  }
  func.return
}

// -----

// Left alone: one iteration of three terms, which saves less than it takes to look for NaN.
// CHECK-LABEL: func.func @once
// CHECK-NOT:   tile.dot
// CHECK:       func.return
func.func @once(%x: memref<262144xbf16>, %w: memref<384xbf16>, %y: memref<262144xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %x0 = tile.read %x(%i) [2048 * s0 + d1 in 2 to * by 1, 2048 * d0 - 2 by 1] other 0.0 : bf16 : memref<262144xbf16> -> tensor<128x2048xbf16>
    %w0 = tile.read %w [3 * d0 + 0 by 1] : memref<384xbf16> -> tensor<128x1xbf16>
    %b0 = tile.broadcast %w0 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m0 = arith.mulf %x0, %b0 : tensor<128x2048xbf16>
    %f0 = tile.cast %m0 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %x1 = tile.read %x(%i) [2048 * s0 + d1 in 1 to * by 1, 2048 * d0 - 1 by 1] other 0.0 : bf16 : memref<262144xbf16> -> tensor<128x2048xbf16>
    %w1 = tile.read %w [3 * d0 + 1 by 1] : memref<384xbf16> -> tensor<128x1xbf16>
    %b1 = tile.broadcast %w1 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m1 = arith.mulf %x1, %b1 : tensor<128x2048xbf16>
    %f1 = tile.cast %m1 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s1 = arith.addf %f0, %f1 : tensor<128x2048xf32>
    %x2 = tile.read %x(%i) [2048 * s0 + d1 in 0 to * by 1, 2048 * d0 - 0 by 1] other 0.0 : bf16 : memref<262144xbf16> -> tensor<128x2048xbf16>
    %w2 = tile.read %w [3 * d0 + 2 by 1] : memref<384xbf16> -> tensor<128x1xbf16>
    %b2 = tile.broadcast %w2 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m2 = arith.mulf %x2, %b2 : tensor<128x2048xbf16>
    %f2 = tile.cast %m2 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s2 = arith.addf %s1, %f2 : tensor<128x2048xf32>
    %o = tile.cast %s2 : tensor<128x2048xf32> -> tensor<128x2048xbf16>
    tile.write %o to %y(%i) [2048 * s0 + 2048 * d0 + d1 by 1] : tensor<128x2048xbf16> -> memref<262144xbf16>
  }
  func.return
}

// -----

// Left alone: what is left out of a load and has no value: it would get into rows that are stored.
// CHECK-LABEL: func.func @undefined
// CHECK-NOT:   tile.dot
// CHECK:       func.return
func.func @undefined(%x: memref<4194304xbf16>, %w: memref<512xbf16>, %y: memref<4194304xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 16 : index
  scf.for %i = %c0 to %n step %c1 {
    %x0 = tile.read %x(%i) [2048 * s0 + d1 in 3 to * by 1, 32768 * d0 - 3 by 1] undefined : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w0 = tile.read %w [4 * d0 + 0 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b0 = tile.broadcast %w0 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m0 = arith.mulf %x0, %b0 : tensor<128x2048xbf16>
    %f0 = tile.cast %m0 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %x1 = tile.read %x(%i) [2048 * s0 + d1 in 2 to * by 1, 32768 * d0 - 2 by 1] undefined : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w1 = tile.read %w [4 * d0 + 1 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b1 = tile.broadcast %w1 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m1 = arith.mulf %x1, %b1 : tensor<128x2048xbf16>
    %f1 = tile.cast %m1 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s1 = arith.addf %f0, %f1 : tensor<128x2048xf32>
    %x2 = tile.read %x(%i) [2048 * s0 + d1 in 1 to * by 1, 32768 * d0 - 1 by 1] undefined : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w2 = tile.read %w [4 * d0 + 2 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b2 = tile.broadcast %w2 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m2 = arith.mulf %x2, %b2 : tensor<128x2048xbf16>
    %f2 = tile.cast %m2 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s2 = arith.addf %s1, %f2 : tensor<128x2048xf32>
    %x3 = tile.read %x(%i) [2048 * s0 + d1 in 0 to * by 1, 32768 * d0 - 0 by 1] undefined : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w3 = tile.read %w [4 * d0 + 3 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b3 = tile.broadcast %w3 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m3 = arith.mulf %x3, %b3 : tensor<128x2048xbf16>
    %f3 = tile.cast %m3 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s3 = arith.addf %s2, %f3 : tensor<128x2048xf32>
    %o = tile.cast %s3 : tensor<128x2048xf32> -> tensor<128x2048xbf16>
    tile.write %o to %y(%i) [2048 * s0 + 32768 * d0 + d1 by 1] : tensor<128x2048xbf16> -> memref<4194304xbf16>
  }
  func.return
}

// -----

// Left alone: a function that writes to what it reads can't run again.
// CHECK-LABEL: func.func @in_place
// CHECK-NOT:   tile.dot
// CHECK:       func.return
func.func @in_place(%x: memref<4194304xbf16>, %w: memref<512xbf16>, %y: memref<4194304xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 16 : index
  scf.for %i = %c0 to %n step %c1 {
    %x0 = tile.read %x(%i) [2048 * s0 + d1 in 3 to * by 1, 32768 * d0 - 3 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w0 = tile.read %w [4 * d0 + 0 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b0 = tile.broadcast %w0 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m0 = arith.mulf %x0, %b0 : tensor<128x2048xbf16>
    %f0 = tile.cast %m0 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %x1 = tile.read %x(%i) [2048 * s0 + d1 in 2 to * by 1, 32768 * d0 - 2 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w1 = tile.read %w [4 * d0 + 1 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b1 = tile.broadcast %w1 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m1 = arith.mulf %x1, %b1 : tensor<128x2048xbf16>
    %f1 = tile.cast %m1 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s1 = arith.addf %f0, %f1 : tensor<128x2048xf32>
    %x2 = tile.read %x(%i) [2048 * s0 + d1 in 1 to * by 1, 32768 * d0 - 1 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w2 = tile.read %w [4 * d0 + 2 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b2 = tile.broadcast %w2 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m2 = arith.mulf %x2, %b2 : tensor<128x2048xbf16>
    %f2 = tile.cast %m2 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s2 = arith.addf %s1, %f2 : tensor<128x2048xf32>
    %x3 = tile.read %x(%i) [2048 * s0 + d1 in 0 to * by 1, 32768 * d0 - 0 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w3 = tile.read %w [4 * d0 + 3 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b3 = tile.broadcast %w3 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m3 = arith.mulf %x3, %b3 : tensor<128x2048xbf16>
    %f3 = tile.cast %m3 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s3 = arith.addf %s2, %f3 : tensor<128x2048xf32>
    %o = tile.cast %s3 : tensor<128x2048xf32> -> tensor<128x2048xbf16>
    tile.write %o to %x(%i) [2048 * s0 + 32768 * d0 + d1 by 1] : tensor<128x2048xbf16> -> memref<4194304xbf16>
  }
  func.return
}

// -----

// Left alone: the same by another name.
// CHECK-LABEL: func.func @aliases
// CHECK-NOT:   tile.dot
// CHECK:       func.return
func.func @aliases(%x: memref<4194304xbf16>, %w: memref<512xbf16>, %y: memref<4194304xbf16>) attributes {tile.arg_names = ["x", "w", "y"], tile.aliases = array<i64: 0, 1, 0>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 16 : index
  scf.for %i = %c0 to %n step %c1 {
    %x0 = tile.read %x(%i) [2048 * s0 + d1 in 3 to * by 1, 32768 * d0 - 3 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w0 = tile.read %w [4 * d0 + 0 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b0 = tile.broadcast %w0 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m0 = arith.mulf %x0, %b0 : tensor<128x2048xbf16>
    %f0 = tile.cast %m0 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %x1 = tile.read %x(%i) [2048 * s0 + d1 in 2 to * by 1, 32768 * d0 - 2 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w1 = tile.read %w [4 * d0 + 1 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b1 = tile.broadcast %w1 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m1 = arith.mulf %x1, %b1 : tensor<128x2048xbf16>
    %f1 = tile.cast %m1 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s1 = arith.addf %f0, %f1 : tensor<128x2048xf32>
    %x2 = tile.read %x(%i) [2048 * s0 + d1 in 1 to * by 1, 32768 * d0 - 1 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w2 = tile.read %w [4 * d0 + 2 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b2 = tile.broadcast %w2 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m2 = arith.mulf %x2, %b2 : tensor<128x2048xbf16>
    %f2 = tile.cast %m2 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s2 = arith.addf %s1, %f2 : tensor<128x2048xf32>
    %x3 = tile.read %x(%i) [2048 * s0 + d1 in 0 to * by 1, 32768 * d0 - 0 by 1] other 0.0 : bf16 : memref<4194304xbf16> -> tensor<128x2048xbf16>
    %w3 = tile.read %w [4 * d0 + 3 by 1] : memref<512xbf16> -> tensor<128x1xbf16>
    %b3 = tile.broadcast %w3 : tensor<128x1xbf16> -> tensor<128x2048xbf16>
    %m3 = arith.mulf %x3, %b3 : tensor<128x2048xbf16>
    %f3 = tile.cast %m3 : tensor<128x2048xbf16> -> tensor<128x2048xf32>
    %s3 = arith.addf %s2, %f3 : tensor<128x2048xf32>
    %o = tile.cast %s3 : tensor<128x2048xf32> -> tensor<128x2048xbf16>
    tile.write %o to %y(%i) [2048 * s0 + 32768 * d0 + d1 by 1] : tensor<128x2048xbf16> -> memref<4194304xbf16>
  }
  func.return
}
