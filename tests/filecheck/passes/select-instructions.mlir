// RUN: nki-opt %s -p select-instructions,canonicalize --split-input-file | filecheck %s
// RUN: nki-opt %s -p select-instructions,canonicalize --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @loads_stores_and_functions
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src {{%.*}} : !neuron.engine.view<hbm, [1 x 1024], f32>
// CHECK: neuron.engine.activation scalar op exp
// CHECK: neuron.engine.dma_copy gpsimd queue 0 dst {{%.*}} : !neuron.engine.view<hbm
func.func @loads_stores_and_functions(%x: memref<1024xf32>) {
  %c0 = arith.constant 0 : index
  %v = neuron.mem.load %x[%c0] strides [1] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %e = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  neuron.mem.store %e to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> memref<1024xf32>
  func.return
}

// CHECK-LABEL: func.func @a_short_load_fills_its_tile_first
// CHECK: neuron.engine.memset vector value 0.000000e+00 : f32 stands_for "unspecified" dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{%.*}} : !neuron.engine.view<sbuf[0:1], [1 x 8], f32>
// CHECK: neuron.engine.dma_copy sync queue 1 dst {{%.*}} : !neuron.engine.view<sbuf[1:2], [1 x 2], f32>
func.func @a_short_load_fills_its_tile_first(%x: memref<1024xf32>) {
  %c0 = arith.constant 0 : index
  %ten = arith.constant 10 : index
  %v = neuron.mem.load %x[%c0] strides [1] valid [%ten] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  neuron.mem.store %v to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> memref<1024xf32>
  func.return
}

// CHECK-LABEL: func.func @a_fill_says_what_it_stands_for
// CHECK: neuron.engine.memset vector value 0.000000e+00 : f32 stands_for "undefined" dst
// CHECK: neuron.engine.memset vector value 1.000000e+00 : f32 dst
func.func @a_fill_says_what_it_stands_for(%x: memref<1024xf32>) {
  %c0 = arith.constant 0 : index
  %ten = arith.constant 10 : index
  %v = neuron.mem.load %x[%c0] strides [1] valid [%ten] undefined : memref<1024xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  neuron.mem.store %v to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> memref<1024xf32>
  %w = neuron.mem.load %x[%c0] strides [1] valid [%ten] other 1.0 : f32 : memref<1024xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  neuron.mem.store %w to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> memref<1024xf32>
  func.return
}

// CHECK-LABEL: func.func @operators_on_tiles_and_constants
// CHECK: neuron.engine.tensor_tensor vector op add
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.tensor_scalar vector op0 subtract reverse0
// CHECK: neuron.engine.reciprocal vector
// CHECK: neuron.engine.tensor_tensor vector op multiply
func.func @operators_on_tiles_and_constants(%x: memref<1024xf32>) {
  %c0 = arith.constant 0 : index
  %two = arith.constant 2.0 : f32
  %v = neuron.mem.load %x[%c0] strides [1] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %a = neuron.mem.binary add %v, %v : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %b = neuron.mem.binary multiply %a, %two : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, f32 -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %c = neuron.mem.binary subtract %two, %b : f32, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  %d = neuron.mem.binary divide %c, %v : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  neuron.mem.store %d to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> memref<1024xf32>
  func.return
}

// CHECK-LABEL: func.func @a_product_overwrites_in_the_first_iteration
// CHECK: scf.for [[K:%.*]] =
// CHECK: neuron.engine.nc_matmul tensor accumulate [[K]] dst {{%.*}} : !neuron.engine.view<psum[0:64], [1 x 16], f32> stationary {{%.*}} : !neuron.engine.view<sbuf[0:32], [1 x 64], f32> moving {{%.*}} : !neuron.engine.view<sbuf[0:32], [1 x 16], f32>
// CHECK: neuron.engine.activation scalar op copy dst {{%.*}} : !neuron.engine.view<sbuf[0:64], {{.*}} data {{%.*}} : !neuron.engine.view<psum
func.func @a_product_overwrites_in_the_first_iteration(%x: memref<2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %a = neuron.mem.load %x[%c0] strides [1, 64] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>
  %b = neuron.mem.load %x[%c0] strides [16, 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
  %s = scf.for %k = %c0 to %c8 step %c1 iter_args(%acc = %z) -> (!neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>) {
    %p = neuron.mem.matmul %a, %b acc %acc : !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>, !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
    scf.yield %p : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
  }
  %m = neuron.mem.move %s : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
  neuron.mem.store %m to %x[%c0] strides [16, 1] : !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]> -> memref<2048xf32>
  func.return
}

// CHECK-LABEL: func.func @leaves_alone
// CHECK-NOT: neuron.engine
// CHECK: func.return
func.func @leaves_alone(%i: index) {
  "test.op"(%i) : (index) -> ()
  func.return
}
