// RUN: NKI_ROUNDTRIP

// Every operation that reaches memory, in all its forms.

// CHECK-LABEL: func.func @pointers
func.func @pointers(%x: memref<64xf32>) {
  %i, %offsets, %many = "test.op"() : () -> (index, tensor<8xi32>, tensor<8x!tile.ptr<f32>>)
  // CHECK: %{{.*}} = tile.base %{{.*}} : memref<64xf32> -> !tile.ptr<f32>
  %a = tile.base %x : memref<64xf32> -> !tile.ptr<f32>
  // CHECK: %{{.*}} = tile.add_ptr %{{.*}}, %{{.*}} : !tile.ptr<f32>, index -> !tile.ptr<f32>
  %b = tile.add_ptr %a, %i : !tile.ptr<f32>, index -> !tile.ptr<f32>
  // CHECK: %{{.*}} = tile.add_ptr %{{.*}}, %{{.*}} : tensor<8x!tile.ptr<f32>>, tensor<8xi32> -> tensor<8x!tile.ptr<f32>>
  %c = tile.add_ptr %many, %offsets : tensor<8x!tile.ptr<f32>>, tensor<8xi32> -> tensor<8x!tile.ptr<f32>>
  func.return
}

// CHECK-LABEL: func.func @through_pointers
func.func @through_pointers() {
  %p, %mask, %zero = "test.op"() : () -> (tensor<8x!tile.ptr<f32>>, tensor<8xi1>, f32)
  %one, %true = "test.op"() : () -> (!tile.ptr<bf16>, i1)
  // CHECK: %{{.*}} = tile.load %{{.*}} : tensor<8x!tile.ptr<f32>> -> tensor<8xf32>
  %a = tile.load %p : tensor<8x!tile.ptr<f32>> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.load %{{.*}} mask %{{.*}} : tensor<8xi1> : tensor<8x!tile.ptr<f32>> -> tensor<8xf32>
  %b = tile.load %p mask %mask : tensor<8xi1> : tensor<8x!tile.ptr<f32>> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.load %{{.*}} mask %{{.*}} : tensor<8xi1> other %{{.*}} : f32 : tensor<8x!tile.ptr<f32>> -> tensor<8xf32>
  %c = tile.load %p mask %mask : tensor<8xi1> other %zero : f32 : tensor<8x!tile.ptr<f32>> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.load %{{.*}} mask %{{.*}} : tensor<8xi1> undefined : tensor<8x!tile.ptr<f32>> -> tensor<8xf32>
  %e = tile.load %p mask %mask : tensor<8xi1> undefined : tensor<8x!tile.ptr<f32>> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.load %{{.*}} mask %{{.*}} : i1 : !tile.ptr<bf16> -> bf16
  %d = tile.load %one mask %true : i1 : !tile.ptr<bf16> -> bf16
  // CHECK: tile.store %{{.*}}, %{{.*}} : tensor<8x!tile.ptr<f32>>, tensor<8xf32>
  tile.store %p, %a : tensor<8x!tile.ptr<f32>>, tensor<8xf32>
  // CHECK: tile.store %{{.*}}, %{{.*}} mask %{{.*}} : tensor<8xi1> : tensor<8x!tile.ptr<f32>>, tensor<8xf32>
  tile.store %p, %a mask %mask : tensor<8xi1> : tensor<8x!tile.ptr<f32>>, tensor<8xf32>
  // CHECK: tile.store %{{.*}}, %{{.*}} : !tile.ptr<bf16>, bf16
  tile.store %one, %d : !tile.ptr<bf16>, bf16
  func.return
}

// CHECK-LABEL: func.func @structured
func.func @structured(%x: memref<64xf32>, %y: memref<4x8xbf16>) {
  %i, %j = "test.op"() : () -> (index, index)
  // CHECK: %{{.*}} = tile.read %{{.*}} [d0 by 1] : memref<64xf32> -> tensor<8xf32>
  %a = tile.read %x [d0 by 1] : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}(%{{.*}}) [s0 + d0 by 1] : memref<64xf32> -> tensor<8xf32>
  %b = tile.read %x(%i) [s0 + d0 by 1] : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}(%{{.*}}, %{{.*}}) [s0 + d0 by 8, 3 + 2 * s1 + d1 by 1] : memref<64xf32> -> tensor<2x4xf32>
  %c = tile.read %x(%i, %j) [s0 + d0 by 8, 3 + 2 * s1 + d1 by 1] : memref<64xf32> -> tensor<2x4xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}(%{{.*}}) [s0 by 1] : memref<64xf32> -> f32
  %d = tile.read %x(%i) [s0 by 1] : memref<64xf32> -> f32
  // CHECK: %{{.*}} = tile.read %{{.*}} [0 by 1] : memref<64xf32> -> f32
  %e = tile.read %x [0 by 1] : memref<64xf32> -> f32
  // CHECK: %{{.*}} = tile.read %{{.*}}(%{{.*}}) [d0 by 8, s0 by 1] : memref<4x8xbf16> -> tensor<4x8xbf16>
  %f = tile.read %y(%i) [d0 by 8, s0 by 1] : memref<4x8xbf16> -> tensor<4x8xbf16>
  // CHECK: %{{.*}} = tile.read %{{.*}} [] : memref<64xf32> -> f32
  %g = tile.read %x [] : memref<64xf32> -> f32
  // CHECK: tile.write %{{.*}} to %{{.*}}(%{{.*}}) [s0 + d0 by 1] : tensor<8xf32> -> memref<64xf32>
  tile.write %a to %x(%i) [s0 + d0 by 1] : tensor<8xf32> -> memref<64xf32>
  // CHECK: tile.write %{{.*}} to %{{.*}}(%{{.*}}, %{{.*}}) [s0 + d0 by 8, 3 + 2 * s1 + d1 by 1] : tensor<2x4xf32> -> memref<64xf32>
  tile.write %c to %x(%i, %j) [s0 + d0 by 8, 3 + 2 * s1 + d1 by 1] : tensor<2x4xf32> -> memref<64xf32>
  // CHECK: tile.write %{{.*}} to %{{.*}} [0 by 1] : f32 -> memref<64xf32>
  tile.write %d to %x [0 by 1] : f32 -> memref<64xf32>
  func.return
}

// Bounds on what is addressed, and guards, which address nothing; a star is no bound.

// CHECK-LABEL: func.func @bounds
func.func @bounds(%x: memref<64xf32>) {
  %i, %v = "test.op"() : () -> (index, tensor<8xf32>)
  // CHECK: %{{.*}} = tile.read %{{.*}}(%{{.*}}) [8 * s0 + d0 in 0 to 50 by 1] : memref<64xf32> -> tensor<8xf32>
  %a = tile.read %x(%i) [8 * s0 + d0 in 0 to 50 by 1] : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}(%{{.*}}) [8 * s0 + d0 in * to 50 by 1] : memref<64xf32> -> tensor<8xf32>
  %b = tile.read %x(%i) [8 * s0 + d0 in * to 50 by 1] : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}(%{{.*}}) [8 * s0 + d0 in 3 to * by 1] other 1.000000e+00 : f32 : memref<64xf32> -> tensor<8xf32>
  %c = tile.read %x(%i) [8 * s0 + d0 in 3 to * by 1] other 1.000000e+00 : f32 : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} [d0 in 0 to 2 by 8, d1 in -1 to 3 by 1] undefined : memref<64xf32> -> tensor<2x4xf32>
  %d = tile.read %x [d0 in 0 to 2 by 8, d1 in -1 to 3 by 1] undefined : memref<64xf32> -> tensor<2x4xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} [d0 by 8, d1 by 1, d0 + d1 in 2 to 5 by 0] : memref<64xf32> -> tensor<2x4xf32>
  %e = tile.read %x [d0 by 8, d1 by 1, d0 + d1 in 2 to 5 by 0] : memref<64xf32> -> tensor<2x4xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}(%{{.*}}) [0 by 1, s0 in * to 3 by 0] : memref<64xf32> -> f32
  %f = tile.read %x(%i) [0 by 1, s0 in * to 3 by 0] : memref<64xf32> -> f32
  // CHECK: %{{.*}} = tile.read %{{.*}} [d0 by 1, 0 in 1 to * by 0] : memref<64xf32> -> tensor<8xf32>
  %g = tile.read %x [d0 by 1, 0 in 1 to * by 0] : memref<64xf32> -> tensor<8xf32>
  // CHECK: tile.write %{{.*}} to %{{.*}}(%{{.*}}) [8 * s0 + d0 in * to 50 by 1] : tensor<8xf32> -> memref<64xf32>
  tile.write %v to %x(%i) [8 * s0 + d0 in * to 50 by 1] : tensor<8xf32> -> memref<64xf32>
  // CHECK: tile.write %{{.*}} to %{{.*}}(%{{.*}}) [8 * s0 + d0 by 1, d0 in 5 to * by 0] : tensor<8xf32> -> memref<64xf32>
  tile.write %v to %x(%i) [8 * s0 + d0 by 1, d0 in 5 to * by 0] : tensor<8xf32> -> memref<64xf32>
  func.return
}

// Elements of index tiles, at places along dimensions of what is moved; 0 where a dimension has one place.

// CHECK-LABEL: func.func @index_tiles
func.func @index_tiles(%x: memref<64xf32>) {
  %rows, %columns, %one, %v = "test.op"() : () -> (tensor<8xi32>, tensor<1x4xi8>, index, tensor<8x4xf32>)
  // CHECK: %{{.*}} = tile.read %{{.*}} index(%{{.*}} : tensor<8xi32>) [t0(d0) by 4, d1 by 1] : memref<64xf32> -> tensor<8x4xf32>
  %a = tile.read %x index(%rows : tensor<8xi32>) [t0(d0) by 4, d1 by 1] : memref<64xf32> -> tensor<8x4xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}(%{{.*}}) index(%{{.*}}, %{{.*}} : tensor<8xi32>, tensor<1x4xi8>) [s0 + t0(d0) in 0 to 10 by 4, t1(0, d1) by 1] : memref<64xf32> -> tensor<8x4xf32>
  %b = tile.read %x(%one) index(%rows, %columns : tensor<8xi32>, tensor<1x4xi8>) [s0 + t0(d0) in 0 to 10 by 4, t1(0, d1) by 1] : memref<64xf32> -> tensor<8x4xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} index(%{{.*}} : index) [d0 + t0() by 1] : memref<64xf32> -> tensor<8xf32>
  %c = tile.read %x index(%one : index) [d0 + t0() by 1] : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} index(%{{.*}} : tensor<8xi32>) [d0 by 1, t0(d0) in 0 to * by 0] : memref<64xf32> -> tensor<8xf32>
  %d = tile.read %x index(%rows : tensor<8xi32>) [d0 by 1, t0(d0) in 0 to * by 0] : memref<64xf32> -> tensor<8xf32>
  // CHECK: tile.write %{{.*}} to %{{.*}} index(%{{.*}} : tensor<8xi32>) [t0(d0) by 4, d1 by 1] : tensor<8x4xf32> -> memref<64xf32>
  tile.write %v to %x index(%rows : tensor<8xi32>) [t0(d0) by 4, d1 by 1] : tensor<8x4xf32> -> memref<64xf32>
  func.return
}

// CHECK-LABEL: func.func @masks
func.func @masks(%x: memref<64xf32>) {
  %mask, %one, %rows = "test.op"() : () -> (tensor<8xi1>, i1, tensor<8xi32>)
  // CHECK: %{{.*}} = tile.read %{{.*}} [d0 by 1] mask %{{.*}} : tensor<8xi1> : memref<64xf32> -> tensor<8xf32>
  %a = tile.read %x [d0 by 1] mask %mask : tensor<8xi1> : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} [d0 in * to 5 by 1] mask %{{.*}} : tensor<8xi1> other 2.000000e+00 : f32 : memref<64xf32> -> tensor<8xf32>
  %b = tile.read %x [d0 in * to 5 by 1] mask %mask : tensor<8xi1> other 2.000000e+00 : f32 : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} index(%{{.*}} : tensor<8xi32>) [t0(d0) by 1] mask %{{.*}} : tensor<8xi1> undefined : memref<64xf32> -> tensor<8xf32>
  %c = tile.read %x index(%rows : tensor<8xi32>) [t0(d0) by 1] mask %mask : tensor<8xi1> undefined : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} [0 by 1] mask %{{.*}} : i1 : memref<64xf32> -> f32
  %d = tile.read %x [0 by 1] mask %one : i1 : memref<64xf32> -> f32
  // CHECK: tile.write %{{.*}} to %{{.*}} [d0 by 1] mask %{{.*}} : tensor<8xi1> : tensor<8xf32> -> memref<64xf32>
  tile.write %a to %x [d0 by 1] mask %mask : tensor<8xi1> : tensor<8xf32> -> memref<64xf32>
  // CHECK: tile.write %{{.*}} to %{{.*}} index(%{{.*}} : tensor<8xi32>) [t0(d0) by 1] mask %{{.*}} : tensor<8xi1> : tensor<8xf32> -> memref<64xf32>
  tile.write %a to %x index(%rows : tensor<8xi32>) [t0(d0) by 1] mask %mask : tensor<8xi1> : tensor<8xf32> -> memref<64xf32>
  func.return
}

// Negative numbers, remainders and quotients; a stride that is left out is 1.

// CHECK-LABEL: func.func @expressions
func.func @expressions(%x: memref<64xf32>) {
  %i, %rows = "test.op"() : () -> (index, tensor<8xi32>)
  // CHECK: %{{.*}} = tile.read %{{.*}}(%{{.*}}) [63 + -1 * s0 + -2 * d0 in -3 to 70 by -1] : memref<64xf32> -> tensor<8xf32>
  %a = tile.read %x(%i) [63 + -1 * s0 + -2 * d0 in -3 to 70 by -1] : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}(%{{.*}}) [(s0) floordiv 4 by 8, (s0 + d0) mod 4 by 1] : memref<64xf32> -> tensor<8xf32>
  %b = tile.read %x(%i) [(s0) floordiv 4 by 8, (s0 + d0) mod 4 by 1] : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} [2 * ((d0) floordiv 3) + (d0) mod 3 by 1] : memref<64xf32> -> tensor<8xf32>
  %c = tile.read %x [2 * ((d0) floordiv 3) + (d0) mod 3 by 1] : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} index(%{{.*}} : tensor<8xi32>) [(1 + t0(d0)) mod 8 by 1] : memref<64xf32> -> tensor<8xf32>
  %d = tile.read %x index(%rows : tensor<8xi32>) [(1 + t0(d0)) mod 8 by 1] : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}(%{{.*}}) [2 + 2 * s0 + -2 * d0 by 1] : memref<64xf32> -> tensor<8xf32>
  %e = tile.read %x(%i) [(s0 - d0) * 2 + 3 - 1] : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} [4 * d0 in 0 to 9 by 1] : memref<64xf32> -> tensor<8xf32>
  %f = tile.read %x [d0 * 3 + d0 in 0 to 9] : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} [9223372036854775807 in -9223372036854775808 to 9223372036854775807 by -9223372036854775808] : memref<64xf32> -> f32
  %g = tile.read %x [9223372036854775807 in -9223372036854775808 to 9223372036854775807 by -9223372036854775808] : memref<64xf32> -> f32
  func.return
}

// What fills masked elements survives as it is, whatever its value.

// CHECK-LABEL: func.func @fill_values
func.func @fill_values(%x: memref<64xf32>, %y: memref<64xi8>, %z: memref<64xbf16>) {
  // CHECK: %{{.*}} = tile.read %{{.*}} [d0 in * to 5 by 1] other 0xff800000 : f32 : memref<64xf32> -> tensor<8xf32>
  %a = tile.read %x [d0 in * to 5 by 1] other 0xff800000 : f32 : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} [d0 in * to 5 by 1] other 0x7fc00000 : f32 : memref<64xf32> -> tensor<8xf32>
  %b = tile.read %x [d0 in * to 5 by 1] other 0x7fc00000 : f32 : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} [d0 in * to 5 by 1] other -0.000000e+00 : f32 : memref<64xf32> -> tensor<8xf32>
  %c = tile.read %x [d0 in * to 5 by 1] other -0.000000e+00 : f32 : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}} [d0 in * to 5 by 1] other -1 : i8 : memref<64xi8> -> tensor<8xi8>
  %d = tile.read %y [d0 in * to 5 by 1] other -1 : i8 : memref<64xi8> -> tensor<8xi8>
  // CHECK: %{{.*}} = tile.read %{{.*}} [d0 in * to 5 by 1] other 5.000000e-01 : bf16 : memref<64xbf16> -> tensor<8xbf16>
  %e = tile.read %z [d0 in * to 5 by 1] other 5.000000e-01 : bf16 : memref<64xbf16> -> tensor<8xbf16>
  func.return
}

// CHECK-LABEL: func.func @atomics
func.func @atomics(%x: memref<64xf32>) {
  %p, %v, %mask = "test.op"() : () -> (tensor<8x!tile.ptr<f32>>, tensor<8xf32>, tensor<8xi1>)
  %q, %n, %true = "test.op"() : () -> (!tile.ptr<ui32>, ui32, i1)
  // CHECK: %{{.*}} = tile.atomic add %{{.*}}, %{{.*}} : tensor<8x!tile.ptr<f32>>, tensor<8xf32> -> tensor<8xf32>
  %a = tile.atomic add %p, %v : tensor<8x!tile.ptr<f32>>, tensor<8xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.atomic max %{{.*}}, %{{.*}} mask %{{.*}} : tensor<8xi1> : tensor<8x!tile.ptr<f32>>, tensor<8xf32> -> tensor<8xf32>
  %b = tile.atomic max %p, %v mask %mask : tensor<8xi1> : tensor<8x!tile.ptr<f32>>, tensor<8xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.atomic compare_exchange %{{.*}}, %{{.*}} expected %{{.*}} : ui32 mask %{{.*}} : i1 : !tile.ptr<ui32>, ui32 -> ui32
  %c = tile.atomic compare_exchange %q, %n expected %n : ui32 mask %true : i1 : !tile.ptr<ui32>, ui32 -> ui32
  // CHECK: tile.atomic min
  %d = tile.atomic min %q, %n : !tile.ptr<ui32>, ui32 -> ui32
  // CHECK: tile.atomic and
  %e = tile.atomic and %q, %n : !tile.ptr<ui32>, ui32 -> ui32
  // CHECK: tile.atomic or
  %f = tile.atomic or %q, %n : !tile.ptr<ui32>, ui32 -> ui32
  // CHECK: tile.atomic xor
  %g = tile.atomic xor %q, %n : !tile.ptr<ui32>, ui32 -> ui32
  // CHECK: tile.atomic exchange
  %h = tile.atomic exchange %q, %n : !tile.ptr<ui32>, ui32 -> ui32
  // CHECK: tile.store %{{.*}}, %{{.*}} mask %{{.*}} : tensor<8xi1> atomic : tensor<8x!tile.ptr<f32>>, tensor<8xf32>
  tile.store %p, %v mask %mask : tensor<8xi1> atomic : tensor<8x!tile.ptr<f32>>, tensor<8xf32>
  // CHECK: tile.write %{{.*}} to %{{.*}} [d0 by 1] mask %{{.*}} : tensor<8xi1> atomic : tensor<8xf32> -> memref<64xf32>
  tile.write %v to %x [d0 by 1] mask %mask : tensor<8xi1> atomic : tensor<8xf32> -> memref<64xf32>
  func.return
}

// -----

// CHECK-LABEL: func.func @truth_values_are_bytes(
func.func @truth_values_are_bytes(%m: memref<64xui8>) {
  // CHECK-NEXT: [[P:%.*]] = tile.base %{{.*}} : memref<64xui8> -> !tile.ptr<i1>
  %p = tile.base %m : memref<64xui8> -> !tile.ptr<i1>
  // CHECK-NEXT: [[V:%.*]] = tile.load [[P]] : !tile.ptr<i1> -> i1
  %v = tile.load %p : !tile.ptr<i1> -> i1
  // CHECK-NEXT: tile.store [[P]], [[V]] : !tile.ptr<i1>, i1
  tile.store %p, %v : !tile.ptr<i1>, i1
  func.return
}
