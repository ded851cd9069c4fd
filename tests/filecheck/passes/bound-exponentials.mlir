// RUN: nki-opt %s -p bound-exponentials --split-input-file | filecheck %s
// RUN: nki-opt %s -p bound-exponentials --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

// A NaN of a row is in the sum that divides the product.
// CHECK-LABEL: func.func @softmax
// CHECK: [[P:%.*]] = tile.cast {{%.*}} : tensor<128x512xf32> -> tensor<128x512xbf16>
// CHECK: [[ONE:%.*]] = arith.constant 16256 : index
// CHECK: [[U:%.*]] = tile.cast [[ONE]] : index -> ui16
// CHECK: [[BITS:%.*]] = tile.bitcast [[P]] : tensor<128x512xbf16> -> tensor<128x512xui16>
// CHECK: [[MOST:%.*]] = tile.splat [[U]] : ui16 -> tensor<128x512xui16>
// CHECK: [[LESS:%.*]] = arith.minui [[BITS]], [[MOST]]
// CHECK: [[B:%.*]] = tile.bitcast [[LESS]] : tensor<128x512xui16> -> tensor<128x512xbf16>
// CHECK: tile.dot [[B]], %v
func.func @softmax(%s: tensor<128x512xf32>, %v: tensor<512x64xbf16>, %y: memref<128x64xf32>) {
  %c = arith.constant 0.125 : f32
  %factor = tile.splat %c : f32 -> tensor<128x512xf32>
  %factors = tile.splat %c : f32 -> tensor<128xf32>
  %most = tile.reduce max %s axis 1 : tensor<128x512xf32> -> tensor<128xf32>
  %scaled = arith.mulf %most, %factors : tensor<128xf32>
  %column = tile.expand_dims %scaled axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %m = tile.broadcast %column : tensor<128x1xf32> -> tensor<128x512xf32>
  %x = arith.mulf %s, %factor : tensor<128x512xf32>
  %e = arith.subf %x, %m : tensor<128x512xf32>
  %p = math.exp %e : tensor<128x512xf32>
  %l = tile.reduce sum %p axis 1 : tensor<128x512xf32> -> tensor<128xf32>
  %b = tile.cast %p : tensor<128x512xf32> -> tensor<128x512xbf16>
  %o = tile.dot %b, %v over [1] x [0] : tensor<128x512xbf16>, tensor<512x64xbf16> -> tensor<128x64xf32>
  %sums = tile.expand_dims %l axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %d = tile.broadcast %sums : tensor<128x1xf32> -> tensor<128x64xf32>
  %r = arith.divf %o, %d : tensor<128x64xf32>
  tile.write %r to %y [64 * d0 + d1 by 1] : tensor<128x64xf32> -> memref<128x64xf32>
  func.return
}

// -----

// A running maximum is at least that of the block.
// CHECK-LABEL: func.func @running
// CHECK: [[LESS:%.*]] = arith.minui
// CHECK: [[B:%.*]] = tile.bitcast [[LESS]] : tensor<128x512xui16> -> tensor<128x512xf16>
// CHECK: tile.dot [[B]], %v acc
func.func @running(%s: tensor<128x512xf32>, %v: tensor<512x64xf16>, %before: tensor<128xf32>, %o0: tensor<128x64xf32>, %y: memref<128x64xf32>) {
  %most = tile.reduce max %s axis 1 : tensor<128x512xf32> -> tensor<128xf32>
  %now = arith.maximumf %before, %most : tensor<128xf32>
  %column = tile.expand_dims %now axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %m = tile.broadcast %column : tensor<128x1xf32> -> tensor<128x512xf32>
  %e = arith.subf %s, %m : tensor<128x512xf32>
  %p = math.exp %e : tensor<128x512xf32>
  %b = tile.cast %p : tensor<128x512xf32> -> tensor<128x512xf16>
  %o = tile.dot %b, %v acc %o0 over [1] x [0] : tensor<128x512xf16>, tensor<512x64xf16> -> tensor<128x64xf32>
  %l = tile.reduce sum %p axis 1 : tensor<128x512xf32> -> tensor<128xf32>
  %sums = tile.expand_dims %l axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %d = tile.broadcast %sums : tensor<128x1xf32> -> tensor<128x64xf32>
  %r = arith.divf %o, %d : tensor<128x64xf32>
  tile.write %r to %y [64 * d0 + d1 by 1] : tensor<128x64xf32> -> memref<128x64xf32>
  func.return
}

// -----

// What is written is NaN only if the product is.
// CHECK-LABEL: func.func @undivided
// CHECK-NOT: tile.bitcast
// CHECK: func.return
func.func @undivided(%s: tensor<128x512xf32>, %v: tensor<512x64xbf16>, %y: memref<128x64xf32>) {
  %most = tile.reduce max %s axis 1 : tensor<128x512xf32> -> tensor<128xf32>
  %column = tile.expand_dims %most axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %m = tile.broadcast %column : tensor<128x1xf32> -> tensor<128x512xf32>
  %e = arith.subf %s, %m : tensor<128x512xf32>
  %p = math.exp %e : tensor<128x512xf32>
  %b = tile.cast %p : tensor<128x512xf32> -> tensor<128x512xbf16>
  %o = tile.dot %b, %v over [1] x [0] : tensor<128x512xbf16>, tensor<512x64xbf16> -> tensor<128x64xf32>
  tile.write %o to %y [64 * d0 + d1 by 1] : tensor<128x64xf32> -> memref<128x64xf32>
  func.return
}

// -----

// An exponential may be infinity: of a maximum over columns, of less than the maximum, of another maximum, of none.
// CHECK-LABEL: func.func @unbounded
// CHECK-NOT: tile.bitcast
// CHECK: func.return
func.func @unbounded(%s: tensor<128x128xf32>, %t: tensor<128x128xf32>, %v: tensor<128x64xbf16>, %y: memref<4x128x64xf32>) {
  %half = arith.constant 0.5 : f32
  %halves = tile.splat %half : f32 -> tensor<128xf32>
  %over_rows = tile.reduce max %s axis 0 : tensor<128x128xf32> -> tensor<128xf32>
  %over_columns = tile.reduce max %s axis 1 : tensor<128x128xf32> -> tensor<128xf32>
  %less = arith.mulf %over_columns, %halves : tensor<128xf32>
  %other = tile.reduce max %t axis 1 : tensor<128x128xf32> -> tensor<128xf32>
  %column0 = tile.expand_dims %over_rows axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %column1 = tile.expand_dims %less axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %column2 = tile.expand_dims %other axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %row = tile.expand_dims %over_columns axis 0 : tensor<128xf32> -> tensor<1x128xf32>
  %m0 = tile.broadcast %column0 : tensor<128x1xf32> -> tensor<128x128xf32>
  %m1 = tile.broadcast %column1 : tensor<128x1xf32> -> tensor<128x128xf32>
  %m2 = tile.broadcast %column2 : tensor<128x1xf32> -> tensor<128x128xf32>
  %m3 = tile.broadcast %row : tensor<1x128xf32> -> tensor<128x128xf32>
  %e0 = arith.subf %s, %m0 : tensor<128x128xf32>
  %e1 = arith.subf %s, %m1 : tensor<128x128xf32>
  %e2 = arith.subf %s, %m2 : tensor<128x128xf32>
  %e3 = arith.subf %s, %m3 : tensor<128x128xf32>
  %p0 = math.exp %e0 : tensor<128x128xf32>
  %p1 = math.exp %e1 : tensor<128x128xf32>
  %p2 = math.exp %e2 : tensor<128x128xf32>
  %p3 = math.exp %e3 : tensor<128x128xf32>
  %l0 = tile.reduce sum %p0 axis 1 : tensor<128x128xf32> -> tensor<128xf32>
  %l1 = tile.reduce sum %p1 axis 1 : tensor<128x128xf32> -> tensor<128xf32>
  %l2 = tile.reduce sum %p2 axis 1 : tensor<128x128xf32> -> tensor<128xf32>
  %l3 = tile.reduce sum %p3 axis 1 : tensor<128x128xf32> -> tensor<128xf32>
  %b0 = tile.cast %p0 : tensor<128x128xf32> -> tensor<128x128xbf16>
  %b1 = tile.cast %p1 : tensor<128x128xf32> -> tensor<128x128xbf16>
  %b2 = tile.cast %p2 : tensor<128x128xf32> -> tensor<128x128xbf16>
  %b3 = tile.cast %p3 : tensor<128x128xf32> -> tensor<128x128xbf16>
  %o0 = tile.dot %b0, %v over [1] x [0] : tensor<128x128xbf16>, tensor<128x64xbf16> -> tensor<128x64xf32>
  %o1 = tile.dot %b1, %v over [1] x [0] : tensor<128x128xbf16>, tensor<128x64xbf16> -> tensor<128x64xf32>
  %o2 = tile.dot %b2, %v over [1] x [0] : tensor<128x128xbf16>, tensor<128x64xbf16> -> tensor<128x64xf32>
  %o3 = tile.dot %b3, %v over [1] x [0] : tensor<128x128xbf16>, tensor<128x64xbf16> -> tensor<128x64xf32>
  %s0 = tile.expand_dims %l0 axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %s1 = tile.expand_dims %l1 axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %s2 = tile.expand_dims %l2 axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %s3 = tile.expand_dims %l3 axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %d0 = tile.broadcast %s0 : tensor<128x1xf32> -> tensor<128x64xf32>
  %d1 = tile.broadcast %s1 : tensor<128x1xf32> -> tensor<128x64xf32>
  %d2 = tile.broadcast %s2 : tensor<128x1xf32> -> tensor<128x64xf32>
  %d3 = tile.broadcast %s3 : tensor<128x1xf32> -> tensor<128x64xf32>
  %r0 = arith.divf %o0, %d0 : tensor<128x64xf32>
  %r1 = arith.divf %o1, %d1 : tensor<128x64xf32>
  %r2 = arith.divf %o2, %d2 : tensor<128x64xf32>
  %r3 = arith.divf %o3, %d3 : tensor<128x64xf32>
  tile.write %r0 to %y [64 * d0 + d1 by 1] : tensor<128x64xf32> -> memref<4x128x64xf32>
  tile.write %r1 to %y [8192 + 64 * d0 + d1 by 1] : tensor<128x64xf32> -> memref<4x128x64xf32>
  tile.write %r2 to %y [16384 + 64 * d0 + d1 by 1] : tensor<128x64xf32> -> memref<4x128x64xf32>
  tile.write %r3 to %y [24576 + 64 * d0 + d1 by 1] : tensor<128x64xf32> -> memref<4x128x64xf32>
  func.return
}

// -----

// The array takes fp32 as it is; few rows are turned by the Vector engine.
// CHECK-LABEL: func.func @long
// CHECK-NOT: tile.bitcast
// CHECK: func.return
// CHECK-LABEL: func.func @small
// CHECK-NOT: tile.bitcast
// CHECK: func.return
func.func @long(%s: tensor<128x512xf32>, %v: tensor<512x64xf32>, %y: memref<128x64xf32>) {
  %most = tile.reduce max %s axis 1 : tensor<128x512xf32> -> tensor<128xf32>
  %column = tile.expand_dims %most axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %m = tile.broadcast %column : tensor<128x1xf32> -> tensor<128x512xf32>
  %e = arith.subf %s, %m : tensor<128x512xf32>
  %p = math.exp %e : tensor<128x512xf32>
  %l = tile.reduce sum %p axis 1 : tensor<128x512xf32> -> tensor<128xf32>
  %o = tile.dot %p, %v over [1] x [0] : tensor<128x512xf32>, tensor<512x64xf32> -> tensor<128x64xf32>
  %sums = tile.expand_dims %l axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %d = tile.broadcast %sums : tensor<128x1xf32> -> tensor<128x64xf32>
  %r = arith.divf %o, %d : tensor<128x64xf32>
  tile.write %r to %y [64 * d0 + d1 by 1] : tensor<128x64xf32> -> memref<128x64xf32>
  func.return
}
func.func @small(%s: tensor<32x512xf32>, %v: tensor<512x64xbf16>, %y: memref<32x64xf32>) {
  %most = tile.reduce max %s axis 1 : tensor<32x512xf32> -> tensor<32xf32>
  %column = tile.expand_dims %most axis 1 : tensor<32xf32> -> tensor<32x1xf32>
  %m = tile.broadcast %column : tensor<32x1xf32> -> tensor<32x512xf32>
  %e = arith.subf %s, %m : tensor<32x512xf32>
  %p = math.exp %e : tensor<32x512xf32>
  %l = tile.reduce sum %p axis 1 : tensor<32x512xf32> -> tensor<32xf32>
  %b = tile.cast %p : tensor<32x512xf32> -> tensor<32x512xbf16>
  %o = tile.dot %b, %v over [1] x [0] : tensor<32x512xbf16>, tensor<512x64xbf16> -> tensor<32x64xf32>
  %sums = tile.expand_dims %l axis 1 : tensor<32xf32> -> tensor<32x1xf32>
  %d = tile.broadcast %sums : tensor<32x1xf32> -> tensor<32x64xf32>
  %r = arith.divf %o, %d : tensor<32x64xf32>
  tile.write %r to %y [64 * d0 + d1 by 1] : tensor<32x64xf32> -> memref<32x64xf32>
  func.return
}

// -----

// An array that turns bits keeps a NaN where it is.
// CHECK-LABEL: func.func @bits
// CHECK-NOT: tile.bitcast
// CHECK: func.return
builtin.module attributes {neuron.target = "trn2"} {
  func.func @bits(%s: tensor<128x512xf32>, %v: tensor<512x64xbf16>, %y: memref<128x64xf32>) {
    %most = tile.reduce max %s axis 1 : tensor<128x512xf32> -> tensor<128xf32>
    %column = tile.expand_dims %most axis 1 : tensor<128xf32> -> tensor<128x1xf32>
    %m = tile.broadcast %column : tensor<128x1xf32> -> tensor<128x512xf32>
    %e = arith.subf %s, %m : tensor<128x512xf32>
    %p = math.exp %e : tensor<128x512xf32>
    %l = tile.reduce sum %p axis 1 : tensor<128x512xf32> -> tensor<128xf32>
    %b = tile.cast %p : tensor<128x512xf32> -> tensor<128x512xbf16>
    %o = tile.dot %b, %v over [1] x [0] : tensor<128x512xbf16>, tensor<512x64xbf16> -> tensor<128x64xf32>
    %sums = tile.expand_dims %l axis 1 : tensor<128xf32> -> tensor<128x1xf32>
    %d = tile.broadcast %sums : tensor<128x1xf32> -> tensor<128x64xf32>
    %r = arith.divf %o, %d : tensor<128x64xf32>
    tile.write %r to %y [64 * d0 + d1 by 1] : tensor<128x64xf32> -> memref<128x64xf32>
    func.return
  }
}
