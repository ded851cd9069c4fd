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
  %i, %m, %n = "test.op"() : () -> (index, index, index)
  // CHECK: %{{.*}} = tile.read %{{.*}}[%{{.*}}] strides [1] : memref<64xf32> -> tensor<8xf32>
  %a = tile.read %x(%i) [s0 + d0 by 1] : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}[%{{.*}}] strides [1] valid[%{{.*}}] : memref<64xf32> -> tensor<8xf32>
  %b = tile.read %x[%i] strides [1] valid[%m] : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}[%{{.*}}] strides [8, -1] valid[%{{.*}}, %{{.*}}] other 1.000000e+00 : f32 : memref<64xf32> -> tensor<2x4xf32>
  %c = tile.read %x[%i] strides [8, -1] valid[%m, %n] other 1.000000e+00 : f32 : memref<64xf32> -> tensor<2x4xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}[%{{.*}}] strides [8, -1] valid[%{{.*}}, %{{.*}}] undefined : memref<64xf32> -> tensor<2x4xf32>
  %f = tile.read %x[%i] strides [8, -1] valid[%m, %n] undefined : memref<64xf32> -> tensor<2x4xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}[%{{.*}}] strides [] : memref<64xf32> -> f32
  %d = tile.read %x(%i) [s0 by 1] : memref<64xf32> -> f32
  // CHECK: %{{.*}} = tile.read %{{.*}}[%{{.*}}] strides [8, 0] : memref<4x8xbf16> -> tensor<4x8xbf16>
  %e = tile.read %y(%i) [d0 by 8, s0 by 1] : memref<4x8xbf16> -> tensor<4x8xbf16>
  // CHECK: tile.write %{{.*}} to %{{.*}}[%{{.*}}] strides [1] : tensor<8xf32> -> memref<64xf32>
  tile.write %a to %x(%i) [s0 + d0 by 1] : tensor<8xf32> -> memref<64xf32>
  // CHECK: tile.write %{{.*}} to %{{.*}}[%{{.*}}] strides [4, 1] valid[%{{.*}}, %{{.*}}] : tensor<2x4xf32> -> memref<64xf32>
  tile.write %c to %x[%i] strides [4, 1] valid[%m, %n] : tensor<2x4xf32> -> memref<64xf32>
  // CHECK: tile.write %{{.*}} to %{{.*}}[%{{.*}}] strides [] : f32 -> memref<64xf32>
  tile.write %d to %x(%i) [s0 by 1] : f32 -> memref<64xf32>
  func.return
}

// What fills masked elements survives as it is, whatever its value.

// CHECK-LABEL: func.func @fill_values
func.func @fill_values(%x: memref<64xf32>, %y: memref<64xi8>, %z: memref<64xbf16>) {
  %i, %n = "test.op"() : () -> (index, index)
  // CHECK: %{{.*}} = tile.read %{{.*}}[%{{.*}}] strides [1] valid[%{{.*}}] other 0xff800000 : f32 : memref<64xf32> -> tensor<8xf32>
  %a = tile.read %x[%i] strides [1] valid[%n] other 0xff800000 : f32 : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}[%{{.*}}] strides [1] valid[%{{.*}}] other 0x7fc00000 : f32 : memref<64xf32> -> tensor<8xf32>
  %b = tile.read %x[%i] strides [1] valid[%n] other 0x7fc00000 : f32 : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}[%{{.*}}] strides [1] valid[%{{.*}}] other -0.000000e+00 : f32 : memref<64xf32> -> tensor<8xf32>
  %c = tile.read %x[%i] strides [1] valid[%n] other -0.000000e+00 : f32 : memref<64xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.read %{{.*}}[%{{.*}}] strides [1] valid[%{{.*}}] other -1 : i8 : memref<64xi8> -> tensor<8xi8>
  %d = tile.read %y[%i] strides [1] valid[%n] other -1 : i8 : memref<64xi8> -> tensor<8xi8>
  // CHECK: %{{.*}} = tile.read %{{.*}}[%{{.*}}] strides [1] valid[%{{.*}}] other 5.000000e-01 : bf16 : memref<64xbf16> -> tensor<8xbf16>
  %e = tile.read %z[%i] strides [1] valid[%n] other 5.000000e-01 : bf16 : memref<64xbf16> -> tensor<8xbf16>
  func.return
}
