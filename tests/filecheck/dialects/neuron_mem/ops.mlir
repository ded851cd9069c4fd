// RUN: NKI_ROUNDTRIP
// RUN: nki-opt %s --split-input-file | nki-opt --split-input-file | filecheck %s

// Types, in all their forms and as they are printed: with as few factors as can be.

// CHECK-LABEL: func.func @types
func.func @types() {
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 1000x781xf32, [d0:128] x [d0/128:8, d1]>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 1000x781xf32, [d0:128] x [d0/128:8, d1]>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 1000x781xbf16, [d0/8:125] x [d0:8, d1]>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 1000x781xbf16, [d0/8:125] x [d0:8, d1]>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 1024xf16, [*:4, d0/32:32] x [d0:32]>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 1024xf16, [*:4, d0/32:32] x [d0:32]>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 64xi1, [d0, _:2] x []>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 64xi1, [d0, _:2] x []>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 64xi32, [] x [d0, _:4]>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 64xi32, [] x [d0, _:4]>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 64xui8, [] x [*:2, d0]>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 64xui8, [] x [*:2, d0]>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 8x4x2xi8, [d1, d0] x [d2]>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 8x4x2xi8, [d1, d0] x [d2]>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, f32, [] x []>
  "test.op"() : () -> !neuron.mem.tile<sbuf, f32, [] x []>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 1x1xf32, [*:128] x []>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 1x1xf32, [*:128] x []>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<psum, 200x600xf32, [d0:128] x [d0/128:2, d1:1024]>
  "test.op"() : () -> !neuron.mem.tile<psum, 200x600xf32, [d0:128] x [d0/128:2, d1:1024]>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 1000x781xf32, [d0:128] x [d0/128:8, d1]>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 1000x781xf32, [d0:128] x [d0/128, d1/1]>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xf32, [d0/8:8, d0:8] x [d1/2, d1:2]>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 64xf32, [_:2, d0:64] x [_:3]>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 64xf32, [*:4, d0] x []>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 64xf32, [*:2, *:2, d0] x [*:1]>
  // CHECK: "test.op"() : () -> !neuron.mem.tile<sbuf, 200xf32, [d0] x []>
  "test.op"() : () -> !neuron.mem.tile<sbuf, 200xf32, [d0/128:8, d0:128] x []>
  // CHECK: layout = #neuron.mem.layout<64x8, [d0] x [d1]>
  "test.op"() {layout = #neuron.mem.layout<64x8, [d0:64] x [d1]>} : () -> ()
  func.return
}

// CHECK-LABEL: func.func @memory
func.func @memory(%x: memref<2048xf32>, %s: memref<1xf32>, %i: index) {
  // CHECK: %{{.*}} = neuron.mem.load %{{.*}}(%{{.*}}) [d0 by 32, s0 + d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %a = neuron.mem.load %x(%i) [d0 by 32, s0 + d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.load %{{.*}}(%{{.*}}) [d0 in 0 to 50 by 32, s0 + d1 in * to 30 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %b = neuron.mem.load %x(%i) [d0 in 0 to 50 by 32, s0 + d1 in * to 30 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.load %{{.*}} [d0 by 32, d1 in 3 to * by 1, d0 + -1 * d1 in 0 to * by 0] other 1.000000e+00 : f32 : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %c = neuron.mem.load %x [d0 by 32, d1 in 3 to * by 1, d0 + -1 * d1 in 0 to * by 0] other 1.000000e+00 : f32 : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.load %{{.*}}(%{{.*}}) [(s0) mod 8 + d0 by 32, d1 in -1 to 20 by 1] undefined : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %d = neuron.mem.load %x(%i) [(s0) mod 8 + d0 by 32, d1 in -1 to 20 by 1] undefined : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.load %{{.*}}(%{{.*}}) [s0 by 1] : memref<1xf32> -> !neuron.mem.tile<sbuf, f32, [] x []>
  %e = neuron.mem.load %s(%i) [s0 by 1] : memref<1xf32> -> !neuron.mem.tile<sbuf, f32, [] x []>
  // CHECK: %{{.*}} = neuron.mem.load %{{.*}}(%{{.*}}) [0 by 1, s0 in 2 to 3 by 0] : memref<1xf32> -> !neuron.mem.tile<sbuf, f32, [] x []>
  %f = neuron.mem.load %s(%i) [0 by 1, s0 in 2 to 3 by 0] : memref<1xf32> -> !neuron.mem.tile<sbuf, f32, [] x []>
  // CHECK: neuron.mem.store %{{.*}} to %{{.*}}(%{{.*}}) [d0 by 32, s0 + d1 by 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  neuron.mem.store %a to %x(%i) [d0 by 32, s0 + d1 by 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  // CHECK: neuron.mem.store %{{.*}} to %{{.*}}(%{{.*}}) [d0 by 32, s0 + d1 by 1] atomic : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  neuron.mem.store %a to %x(%i) [d0 by 32, s0 + d1 by 1] atomic : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  // CHECK: neuron.mem.store %{{.*}} to %{{.*}}(%{{.*}}) [d0 in 0 to 50 by 32, s0 + d1 in * to 30 by 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  neuron.mem.store %a to %x(%i) [d0 in 0 to 50 by 32, s0 + d1 in * to 30 by 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  func.return
}

// CHECK-LABEL: func.func @gathers_and_scatters
func.func @gathers_and_scatters(%x: memref<2048xf32>, %rows: !neuron.mem.tile<sbuf, 64xi32, [d0] x []>, %mask: !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>) {
  // CHECK: %{{.*}} = neuron.mem.load %{{.*}} index(%{{.*}} : !neuron.mem.tile<sbuf, 64xi32, [d0] x []>) [t0(d0) in 0 to 64 by 32, d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %a = neuron.mem.load %x index(%rows : !neuron.mem.tile<sbuf, 64xi32, [d0] x []>) [t0(d0) in 0 to 64 by 32, d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.load %{{.*}} [d0 by 32, d1 by 1] mask %{{.*}} : !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]> undefined : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %b = neuron.mem.load %x [d0 by 32, d1 by 1] mask %mask : !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]> undefined : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: neuron.mem.store %{{.*}} to %{{.*}} index(%{{.*}} : !neuron.mem.tile<sbuf, 64xi32, [d0] x []>) [t0(d0) by 32, d1 by 1] mask %{{.*}} : !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]> : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  neuron.mem.store %a to %x index(%rows : !neuron.mem.tile<sbuf, 64xi32, [d0] x []>) [t0(d0) by 32, d1 by 1] mask %mask : !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]> : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  func.return
}

// CHECK-LABEL: func.func @making
func.func @making(%i: index, %n: index, %f: f32, %t: i1) {
  // CHECK: %{{.*}} = neuron.mem.fill %{{.*}} : f32 -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %a = neuron.mem.fill %f : f32 -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.fill %{{.*}} : i1 -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  %b = neuron.mem.fill %t : i1 -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.iota %{{.*}} strides [32, -1] -> !neuron.mem.tile<sbuf, 64x32xi32, [d0] x [d1]>
  %c = neuron.mem.iota %i strides [32, -1] -> !neuron.mem.tile<sbuf, 64x32xi32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.iota %{{.*}} strides [32, 1] -> !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  %d = neuron.mem.iota %i strides [32, 1] -> !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.mask(%{{.*}}) [s0 + d0 + -1 * d1 in 0 to * by 0, d1 in 3 to 9 by 0] -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  %e = neuron.mem.mask(%i) [s0 + d0 - d1 in 0 to * by 0, d1 in 3 to 9 by 0] -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.mask [] -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  %h = neuron.mem.mask [] -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %g = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}

// CHECK-LABEL: func.func @computing
func.func @computing(%a: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, %m: !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>, %f: f32) {
  // CHECK: %{{.*}} = neuron.mem.unary exp %{{.*}} : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %b = neuron.mem.unary exp %a : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.binary add %{{.*}}, %{{.*}} : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %c = neuron.mem.binary add %a, %b : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.binary subtract %{{.*}}, %{{.*}} : f32, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %d = neuron.mem.binary subtract %f, %a : f32, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.binary divide %{{.*}}, %{{.*}} : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, f32 -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %e = neuron.mem.binary divide %a, %f : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, f32 -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.binary less_equal %{{.*}}, %{{.*}} : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, f32 -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  %g = neuron.mem.binary less_equal %a, %f : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, f32 -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.binary logical_and %{{.*}}, %{{.*}} : !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  %h = neuron.mem.binary logical_and %m, %g : !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.select %{{.*}}, %{{.*}}, %{{.*}} : !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, f32 -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %i = neuron.mem.select %m, %a, %f : !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, f32 -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.select %{{.*}}, %{{.*}}, %{{.*}} : !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>, f32, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %j = neuron.mem.select %m, %f, %a : !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>, f32, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.cast %{{.*}} : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  %k = neuron.mem.cast %a : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.reduce max %{{.*}} axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  %l = neuron.mem.reduce max %a axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  func.return
}

// CHECK-LABEL: func.func @shapes
func.func @shapes(%a: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, %r: !neuron.mem.tile<sbuf, 1x32xf32, [*:64] x [d1]>, %c: !neuron.mem.tile<sbuf, 64x1xf32, [d0] x []>, %s: !neuron.mem.tile<sbuf, f32, [] x []>) {
  // CHECK: %{{.*}} = neuron.mem.broadcast %{{.*}} : !neuron.mem.tile<sbuf, 1x32xf32, [*:64] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %0 = neuron.mem.broadcast %r : !neuron.mem.tile<sbuf, 1x32xf32, [*:64] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.broadcast %{{.*}} : !neuron.mem.tile<sbuf, 64x1xf32, [d0] x []> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %1 = neuron.mem.broadcast %c : !neuron.mem.tile<sbuf, 64x1xf32, [d0] x []> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.relabel %{{.*}} permute [1, 0] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 32x64xf32, [d1] x [d0]>
  %2 = neuron.mem.relabel %a permute [1, 0] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 32x64xf32, [d1] x [d0]>
  // CHECK: %{{.*}} = neuron.mem.relabel %{{.*}} reshape [1, 64, 32, 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 1x64x32x1xf32, [d1] x [d2]>
  %3 = neuron.mem.relabel %a reshape [1, 64, 32, 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 1x64x32x1xf32, [d1] x [d2]>
  // CHECK: %{{.*}} = neuron.mem.relabel %{{.*}} permute [1, 0] reshape [32, 1, 64] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 32x1x64xf32, [d2] x [d0]>
  %4 = neuron.mem.relabel %a permute [1, 0] reshape [32, 1, 64] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 32x1x64xf32, [d2] x [d0]>
  // CHECK: %{{.*}} = neuron.mem.relabel %{{.*}} reshape [1] : !neuron.mem.tile<sbuf, f32, [] x []> -> !neuron.mem.tile<sbuf, 1xf32, [] x []>
  %5 = neuron.mem.relabel %s reshape [1] : !neuron.mem.tile<sbuf, f32, [] x []> -> !neuron.mem.tile<sbuf, 1xf32, [] x []>
  // CHECK: %{{.*}} = neuron.mem.relabel %{{.*}} reshape [] : !neuron.mem.tile<sbuf, 1xf32, [] x []> -> !neuron.mem.tile<sbuf, f32, [] x []>
  %6 = neuron.mem.relabel %5 reshape [] : !neuron.mem.tile<sbuf, 1xf32, [] x []> -> !neuron.mem.tile<sbuf, f32, [] x []>
  // CHECK: %{{.*}} = neuron.mem.relabel %{{.*}} reshape [2048] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 2048xf32, [d0/32:64] x [d0:32]>
  %7 = neuron.mem.relabel %a reshape [2048] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 2048xf32, [d0/32:64] x [d0:32]>
  // CHECK: %{{.*}} = neuron.mem.relabel %{{.*}} reshape [16, 2, 64] : !neuron.mem.tile<sbuf, 2048xf32, [d0/32:64] x [d0:32]> -> !neuron.mem.tile<sbuf, 16x2x64xf32, [d0, d1, d2/32:2] x [d2:32]>
  %8 = neuron.mem.relabel %7 reshape [16, 2, 64] : !neuron.mem.tile<sbuf, 2048xf32, [d0/32:64] x [d0:32]> -> !neuron.mem.tile<sbuf, 16x2x64xf32, [d0, d1, d2/32:2] x [d2:32]>
  func.return
}

// CHECK-LABEL: func.func @converts
func.func @converts(%s: !neuron.mem.tile<sbuf, 32xf32, [] x [d0]>, %a: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, %r: !neuron.mem.tile<sbuf, 64x32xf32, [*:2, d0] x [d1]>, %q: !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]>) {
  // CHECK: %{{.*}} = neuron.mem.convert %{{.*}} : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  %0 = neuron.mem.convert %a : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  // CHECK: %{{.*}} = neuron.mem.convert %{{.*}} by nothing : !neuron.mem.tile<sbuf, 64x32xf32, [*:2, d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %1 = neuron.mem.convert %r by nothing : !neuron.mem.tile<sbuf, 64x32xf32, [*:2, d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.convert %{{.*}} by copy : !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %2 = neuron.mem.convert %q by copy : !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.convert %{{.*}} by vector : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  %3 = neuron.mem.convert %a by vector : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  // CHECK: %{{.*}} = neuron.mem.convert %{{.*}} by dma : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [] x [d1, d0]>
  %4 = neuron.mem.convert %a by dma : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [] x [d1, d0]>
  // CHECK: %{{.*}} = neuron.mem.convert %{{.*}} : !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  %5 = neuron.mem.convert %q : !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  // CHECK: %{{.*}} = neuron.mem.convert %{{.*}} by tensor : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  %6 = neuron.mem.convert %a by tensor : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  // CHECK: %{{.*}} = neuron.mem.convert %{{.*}} by words : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  %7 = neuron.mem.convert %a by words : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  // CHECK: %{{.*}} = neuron.mem.convert %{{.*}} by shuffle : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [*:2, d0] x [d1]>
  %8 = neuron.mem.convert %a by shuffle : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [*:2, d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.convert %{{.*}} by ones : !neuron.mem.tile<sbuf, 32xf32, [] x [d0]> -> !neuron.mem.tile<sbuf, 32xf32, [*:128] x [d0]>
  %9 = neuron.mem.convert %s by ones : !neuron.mem.tile<sbuf, 32xf32, [] x [d0]> -> !neuron.mem.tile<sbuf, 32xf32, [*:128] x [d0]>
  func.return
}

// CHECK-LABEL: func.func @products
func.func @products(%a: !neuron.mem.tile<sbuf, 64x256xbf16, [d1:128] x [d1/128:2, d0]>, %b: !neuron.mem.tile<sbuf, 256x16xf32, [d0:128] x [d0/128:2, d1]>, %z: !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) {
  // CHECK: %{{.*}} = neuron.mem.matmul %{{.*}}, %{{.*}} acc %{{.*}} : !neuron.mem.tile<sbuf, 64x256xbf16, [d1:128] x [d1/128:2, d0]>, !neuron.mem.tile<sbuf, 256x16xf32, [d0:128] x [d0/128:2, d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %0 = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x256xbf16, [d1:128] x [d1/128:2, d0]>, !neuron.mem.tile<sbuf, 256x16xf32, [d0:128] x [d0/128:2, d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.matmul %{{.*}}, %{{.*}} acc %{{.*}} part [0, 0, 1] : !neuron.mem.tile<sbuf, 64x256xbf16, [d1:128] x [d1/128:2, d0]>, !neuron.mem.tile<sbuf, 256x16xf32, [d0:128] x [d0/128:2, d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %1 = neuron.mem.matmul %a, %b acc %0 part [0, 0, 1] : !neuron.mem.tile<sbuf, 64x256xbf16, [d1:128] x [d1/128:2, d0]>, !neuron.mem.tile<sbuf, 256x16xf32, [d0:128] x [d0/128:2, d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}

// CHECK-LABEL: func.func @products_with_rows_in_runs
func.func @products_with_rows_in_runs(%a: !neuron.mem.tile<sbuf, 500x32xbf16, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 32x16xbf16, [d0] x [d1]>, %z: !neuron.mem.tile<psum, 500x16xf32, [d0/4:125] x [d0:4, d1]>) {
  // CHECK: %{{.*}} = neuron.mem.matmul %{{.*}}, %{{.*}} acc %{{.*}} part [3, 0, 0] : {{.*}} -> !neuron.mem.tile<psum, 500x16xf32, [d0/4:125] x [d0:4, d1]>
  %0 = neuron.mem.matmul %a, %b acc %z part [3, 0, 0] : !neuron.mem.tile<sbuf, 500x32xbf16, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xbf16, [d0] x [d1]>, !neuron.mem.tile<psum, 500x16xf32, [d0/4:125] x [d0:4, d1]> -> !neuron.mem.tile<psum, 500x16xf32, [d0/4:125] x [d0:4, d1]>
  func.return
}

// CHECK-LABEL: func.func @along_a_dimension
func.func @along_a_dimension(%a: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: %{{.*}} = neuron.mem.reduce product %{{.*}} axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  %m = neuron.mem.reduce product %a axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  // CHECK: %{{.*}} = neuron.mem.scan max %{{.*}} axis 1 reverse : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %n = neuron.mem.scan max %a axis 1 reverse : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.scan sum %{{.*}} scale %{{.*}} : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %o = neuron.mem.scan sum %a scale %a : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.last %{{.*}} axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  %l = neuron.mem.last %a axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  // CHECK: %{{.*}} = neuron.mem.scan product %{{.*}} initial %{{.*}} : !neuron.mem.tile<sbuf, 64xf32, [d0] x []> axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %t = neuron.mem.scan product %a initial %l : !neuron.mem.tile<sbuf, 64xf32, [d0] x []> axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %half = arith.constant 5.000000e-01 : f32
  // CHECK: %{{.*}} = neuron.mem.scan sum %{{.*}} scale %{{.*}} : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> initial %{{.*}} : f32 axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %u = neuron.mem.scan sum %a scale %a : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> initial %half : f32 axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.flip %{{.*}} axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %p = neuron.mem.flip %a axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  // CHECK: %{{.*}} = neuron.mem.bitcast %{{.*}} : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi32, [d0] x [d1]>
  %q = neuron.mem.bitcast %a : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi32, [d0] x [d1]>
  func.return
}

// -----

// CHECK-LABEL: func.func @scalars
func.func @scalars(%0: !neuron.mem.tile<sbuf, 1xi32, [] x [d0]>, %1: !neuron.mem.tile<sbuf, 1x1xi1, [d0] x [d1]>) {
  // CHECK: %{{.*}} = neuron.mem.scalar %0 : !neuron.mem.tile<sbuf, 1xi32, {{.*}}> -> index
  %2 = neuron.mem.scalar %0 : !neuron.mem.tile<sbuf, 1xi32, [] x [d0]> -> index
  // CHECK: %{{.*}} = neuron.mem.scalar %1 : !neuron.mem.tile<sbuf, 1x1xi1, {{.*}}> -> i1
  %3 = neuron.mem.scalar %1 : !neuron.mem.tile<sbuf, 1x1xi1, [d0] x [d1]> -> i1
  func.return
}
