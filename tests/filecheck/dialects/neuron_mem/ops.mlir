// RUN: NKI_ROUNDTRIP

// Every operation and type, in all forms.

// CHECK-LABEL: func.func @types
func.func @types() {
  // CHECK: "test.op"() {a = !neuron.mem.tile<sbuf, 64 x [512] x f32, dim 0 of [64, 512]>, b = !neuron.mem.tile<sbuf, 128 x [3, 40] x bf16, dim 0 of [384, 40]>} : () -> ()
  "test.op"() {a = !neuron.mem.tile<sbuf, 64 x [512] x f32, dim 0 of [64, 512]>, b = !neuron.mem.tile<sbuf, 128 x [3, 40] x bf16, dim 0 of [384, 40]>} : () -> ()
  // CHECK: "test.op"() {a = !neuron.mem.tile<sbuf, 1 x [8] x i32, none of [8]>, b = !neuron.mem.tile<sbuf, 1 x [1] x f16, none of []>} : () -> ()
  "test.op"() {a = !neuron.mem.tile<sbuf, 1 x [8] x i32, none of [8]>, b = !neuron.mem.tile<sbuf, 1 x [1] x f16, none of []>} : () -> ()
  // CHECK: "test.op"() {a = !neuron.mem.tile<sbuf, 72 x [200] x f32, dim 1 of [200, 72]>, b = !neuron.mem.tile<psum, 100 x [2, 8] x f32, dim 0 of [200, 8]>} : () -> ()
  "test.op"() {a = !neuron.mem.tile<sbuf, 72 x [200] x f32, dim 1 of [200, 72]>, b = !neuron.mem.tile<psum, 100 x [2, 8] x f32, dim 0 of [200, 8]>} : () -> ()
  // CHECK: "test.op"() {a = #neuron<mem.space sbuf>, b = #neuron<mem.space psum>, c = #neuron<mem.space hbm>} : () -> ()
  "test.op"() {a = #neuron<mem.space sbuf>, b = #neuron<mem.space psum>, c = #neuron<mem.space hbm>} : () -> ()
  func.return
}

// CHECK-LABEL: func.func @transfers
func.func @transfers(%x: memref<4096xf32>, %y: memref<64x512xbf16>) {
  %i, %n, %m = "test.op"() : () -> (index, index, index)
  // CHECK: %{{.*}} = neuron.mem.load %{{.*}}[%{{.*}}] strides [1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %a = neuron.mem.load %x[%i] strides [1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.load %{{.*}}[%{{.*}}] strides [1] valid[%{{.*}}] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %b = neuron.mem.load %x[%i] strides [1] valid[%n] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.load %{{.*}}[%{{.*}}] strides [1] valid[%{{.*}}] other 0xff800000 : f32 : memref<4096xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %c = neuron.mem.load %x[%i] strides [1] valid[%n] other 0xff800000 : f32 : memref<4096xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.load %{{.*}}[%{{.*}}] strides [512, -1] valid[%{{.*}}, %{{.*}}] : memref<64x512xbf16> -> !neuron.mem.tile<sbuf, 64 x [512] x bf16, dim 0 of [64, 512]>
  %d = neuron.mem.load %y[%i] strides [512, -1] valid[%n, %m] : memref<64x512xbf16> -> !neuron.mem.tile<sbuf, 64 x [512] x bf16, dim 0 of [64, 512]>
  // CHECK: %{{.*}} = neuron.mem.load %{{.*}}[%{{.*}}] strides [] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 1 x [1] x f32, none of []>
  %e = neuron.mem.load %x[%i] strides [] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 1 x [1] x f32, none of []>
  // CHECK: neuron.mem.store %{{.*}} to %{{.*}}[%{{.*}}] strides [1] : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> memref<4096xf32>
  neuron.mem.store %a to %x[%i] strides [1] : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> memref<4096xf32>
  // CHECK: neuron.mem.store %{{.*}} to %{{.*}}[%{{.*}}] strides [512, 1] valid[%{{.*}}, %{{.*}}] : !neuron.mem.tile<sbuf, 64 x [512] x bf16, dim 0 of [64, 512]> -> memref<64x512xbf16>
  neuron.mem.store %d to %y[%i] strides [512, 1] valid[%n, %m] : !neuron.mem.tile<sbuf, 64 x [512] x bf16, dim 0 of [64, 512]> -> memref<64x512xbf16>
  func.return
}

// CHECK-LABEL: func.func @making
func.func @making() {
  %half, %i, %n = "test.op"() : () -> (f32, index, index)
  // CHECK: %{{.*}} = neuron.mem.fill %{{.*}} : f32 -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %a = neuron.mem.fill %half : f32 -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.fill %{{.*}} : f32 -> !neuron.mem.tile<psum, 128 x [8] x f32, dim 0 of [1024]>
  %b = neuron.mem.fill %half : f32 -> !neuron.mem.tile<psum, 128 x [8] x f32, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.iota %{{.*}} strides [2] -> !neuron.mem.tile<sbuf, 128 x [8] x i32, dim 0 of [1024]>
  %c = neuron.mem.iota %i strides [2] -> !neuron.mem.tile<sbuf, 128 x [8] x i32, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.iota %{{.*}} strides [1, 0] -> !neuron.mem.tile<sbuf, 64 x [8] x f32, dim 0 of [64, 8]>
  %d = neuron.mem.iota %i strides [1, 0] -> !neuron.mem.tile<sbuf, 64 x [8] x f32, dim 0 of [64, 8]>
  // CHECK: %{{.*}} = neuron.mem.mask [%{{.*}}] -> !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]>
  %e = neuron.mem.mask [%n] -> !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.mask [%{{.*}}, %{{.*}}] -> !neuron.mem.tile<sbuf, 64 x [8] x i1, dim 0 of [64, 8]>
  %f = neuron.mem.mask [%i, %n] -> !neuron.mem.tile<sbuf, 64 x [8] x i1, dim 0 of [64, 8]>
  func.return
}

// CHECK-LABEL: func.func @arithmetic
func.func @arithmetic() {
  %x, %y, %mask, %half = "test.op"() : () -> (!neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]>, f32)
  // CHECK: %{{.*}} = neuron.mem.unary exp %{{.*}} : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %a = neuron.mem.unary exp %x : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.binary add %{{.*}}, %{{.*}} : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %b = neuron.mem.binary add %x, %y : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.binary multiply %{{.*}}, %{{.*}} : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, f32 -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %c = neuron.mem.binary multiply %x, %half : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, f32 -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.binary subtract %{{.*}}, %{{.*}} : f32, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %d = neuron.mem.binary subtract %half, %x : f32, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.binary less %{{.*}}, %{{.*}} : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]>
  %e = neuron.mem.binary less %x, %y : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.binary logical_and %{{.*}}, %{{.*}} : !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]>
  %f = neuron.mem.binary logical_and %mask, %mask : !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.select %{{.*}}, %{{.*}}, %{{.*}} : !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %g = neuron.mem.select %mask, %x, %y : !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.select %{{.*}}, %{{.*}}, %{{.*}} : !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, f32 -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %h = neuron.mem.select %mask, %x, %half : !neuron.mem.tile<sbuf, 128 x [8] x i1, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, f32 -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  // CHECK: %{{.*}} = neuron.mem.cast %{{.*}} : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x bf16, dim 0 of [1024]>
  %j = neuron.mem.cast %x : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x bf16, dim 0 of [1024]>
  func.return
}

// CHECK-LABEL: func.func @shapes
func.func @shapes() {
  %x, %row, %column = "test.op"() : () -> (!neuron.mem.tile<sbuf, 64 x [32] x f32, dim 0 of [64, 32]>, !neuron.mem.tile<sbuf, 64 x [1] x f32, dim 0 of [64]>, !neuron.mem.tile<sbuf, 64 x [1] x f32, dim 0 of [64, 1]>)
  // CHECK: %{{.*}} = neuron.mem.broadcast %{{.*}} : !neuron.mem.tile<sbuf, 64 x [1] x f32, dim 0 of [64, 1]> -> !neuron.mem.tile<sbuf, 64 x [32] x f32, dim 0 of [64, 32]>
  %a = neuron.mem.broadcast %column : !neuron.mem.tile<sbuf, 64 x [1] x f32, dim 0 of [64, 1]> -> !neuron.mem.tile<sbuf, 64 x [32] x f32, dim 0 of [64, 32]>
  // CHECK: %{{.*}} = neuron.mem.relabel %{{.*}} : !neuron.mem.tile<sbuf, 64 x [1] x f32, dim 0 of [64]> -> !neuron.mem.tile<sbuf, 64 x [1] x f32, dim 0 of [64, 1]>
  %b = neuron.mem.relabel %row : !neuron.mem.tile<sbuf, 64 x [1] x f32, dim 0 of [64]> -> !neuron.mem.tile<sbuf, 64 x [1] x f32, dim 0 of [64, 1]>
  // CHECK: %{{.*}} = neuron.mem.relabel %{{.*}} : !neuron.mem.tile<sbuf, 64 x [32] x f32, dim 0 of [64, 32]> -> !neuron.mem.tile<sbuf, 64 x [32] x f32, dim 1 of [32, 64]>
  %c = neuron.mem.relabel %x : !neuron.mem.tile<sbuf, 64 x [32] x f32, dim 0 of [64, 32]> -> !neuron.mem.tile<sbuf, 64 x [32] x f32, dim 1 of [32, 64]>
  // CHECK: %{{.*}} = neuron.mem.transpose %{{.*}} : !neuron.mem.tile<sbuf, 64 x [32] x f32, dim 0 of [64, 32]> -> !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>
  %d = neuron.mem.transpose %x : !neuron.mem.tile<sbuf, 64 x [32] x f32, dim 0 of [64, 32]> -> !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>
  // CHECK: %{{.*}} = neuron.mem.reduce max %{{.*}} axis 1 : !neuron.mem.tile<sbuf, 64 x [32] x f32, dim 0 of [64, 32]> -> !neuron.mem.tile<sbuf, 64 x [1] x f32, dim 0 of [64]>
  %e = neuron.mem.reduce max %x axis 1 : !neuron.mem.tile<sbuf, 64 x [32] x f32, dim 0 of [64, 32]> -> !neuron.mem.tile<sbuf, 64 x [1] x f32, dim 0 of [64]>
  // CHECK: %{{.*}} = neuron.mem.reduce sum %{{.*}} axis 0 : !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]> -> !neuron.mem.tile<sbuf, 32 x [1] x f32, dim 0 of [32]>
  %f = neuron.mem.reduce sum %d axis 0 : !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]> -> !neuron.mem.tile<sbuf, 32 x [1] x f32, dim 0 of [32]>
  // CHECK: %{{.*}} = neuron.mem.reduce min %{{.*}} axis 0 : !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]> -> !neuron.mem.tile<sbuf, 32 x [1] x f32, dim 0 of [32]>
  %g = neuron.mem.reduce min %d axis 0 : !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]> -> !neuron.mem.tile<sbuf, 32 x [1] x f32, dim 0 of [32]>
  func.return
}

// CHECK-LABEL: func.func @products
func.func @products() {
  %x, %y = "test.op"() : () -> (!neuron.mem.tile<sbuf, 128 x [2, 200] x bf16, dim 1 of [200, 256]>, !neuron.mem.tile<sbuf, 128 x [2, 600] x bf16, dim 0 of [256, 600]>)
  // CHECK: %{{.*}} = neuron.mem.accumulator : !neuron.mem.tile<psum, 100 x [2, 600] x f32, dim 0 of [200, 600]>
  %a = neuron.mem.accumulator : !neuron.mem.tile<psum, 100 x [2, 600] x f32, dim 0 of [200, 600]>
  // CHECK: %{{.*}} = neuron.mem.matmul %{{.*}}, %{{.*}} acc %{{.*}} : !neuron.mem.tile<sbuf, 128 x [2, 200] x bf16, dim 1 of [200, 256]>, !neuron.mem.tile<sbuf, 128 x [2, 600] x bf16, dim 0 of [256, 600]>, !neuron.mem.tile<psum, 100 x [2, 600] x f32, dim 0 of [200, 600]> -> !neuron.mem.tile<psum, 100 x [2, 600] x f32, dim 0 of [200, 600]>
  %b = neuron.mem.matmul %x, %y acc %a : !neuron.mem.tile<sbuf, 128 x [2, 200] x bf16, dim 1 of [200, 256]>, !neuron.mem.tile<sbuf, 128 x [2, 600] x bf16, dim 0 of [256, 600]>, !neuron.mem.tile<psum, 100 x [2, 600] x f32, dim 0 of [200, 600]> -> !neuron.mem.tile<psum, 100 x [2, 600] x f32, dim 0 of [200, 600]>
  // CHECK: %{{.*}} = neuron.mem.matmul %{{.*}}, %{{.*}} acc %{{.*}} part [1, 1, 1] : !neuron.mem.tile<sbuf, 128 x [2, 200] x bf16, dim 1 of [200, 256]>, !neuron.mem.tile<sbuf, 128 x [2, 600] x bf16, dim 0 of [256, 600]>, !neuron.mem.tile<psum, 100 x [2, 600] x f32, dim 0 of [200, 600]> -> !neuron.mem.tile<psum, 100 x [2, 600] x f32, dim 0 of [200, 600]>
  %c = neuron.mem.matmul %x, %y acc %b part [1, 1, 1] : !neuron.mem.tile<sbuf, 128 x [2, 200] x bf16, dim 1 of [200, 256]>, !neuron.mem.tile<sbuf, 128 x [2, 600] x bf16, dim 0 of [256, 600]>, !neuron.mem.tile<psum, 100 x [2, 600] x f32, dim 0 of [200, 600]> -> !neuron.mem.tile<psum, 100 x [2, 600] x f32, dim 0 of [200, 600]>
  // CHECK: %{{.*}} = neuron.mem.move %{{.*}} : !neuron.mem.tile<psum, 100 x [2, 600] x f32, dim 0 of [200, 600]> -> !neuron.mem.tile<sbuf, 100 x [2, 600] x f32, dim 0 of [200, 600]>
  %d = neuron.mem.move %c : !neuron.mem.tile<psum, 100 x [2, 600] x f32, dim 0 of [200, 600]> -> !neuron.mem.tile<sbuf, 100 x [2, 600] x f32, dim 0 of [200, 600]>
  func.return
}
