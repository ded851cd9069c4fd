// RUN: nki-opt %s -p select-instructions,canonicalize --split-input-file | filecheck %s
// RUN: nki-opt %s -p select-instructions,canonicalize --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @loads_stores_and_functions
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src {{%.*}} : !neuron.engine.view<hbm, [1 x 1024], f32>
// CHECK: neuron.engine.activation scalar op exp
// CHECK: neuron.engine.dma_copy gpsimd queue 0 dst {{%.*}} : !neuron.engine.view<hbm
func.func @loads_stores_and_functions(%x: memref<1024xf32>) {
  %v = neuron.mem.load %x [d0 by 1] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  %e = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  neuron.mem.store %e to %x [d0 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<1024xf32>
  func.return
}

// CHECK-LABEL: func.func @a_short_load_fills_its_tile_first
// CHECK: neuron.engine.memset vector value 0.000000e+00 : f32 stands_for "unspecified" dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{%.*}} : !neuron.engine.view<sbuf[0:1], [1 x 8], f32>
// CHECK: neuron.engine.dma_copy sync queue 1 dst {{%.*}} : !neuron.engine.view<sbuf[1:2], [1 x 2], f32>
func.func @a_short_load_fills_its_tile_first(%x: memref<1024xf32>) {
  %v = neuron.mem.load %x [d0 in 0 to 10 by 1] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  neuron.mem.store %v to %x [d0 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<1024xf32>
  func.return
}

// CHECK-LABEL: func.func @operators_on_tiles_and_constants
// CHECK: neuron.engine.tensor_tensor vector op add
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.tensor_scalar vector op0 subtract reverse0
// CHECK: neuron.engine.reciprocal vector
// CHECK: neuron.engine.tensor_tensor vector op multiply
func.func @operators_on_tiles_and_constants(%x: memref<1024xf32>) {
  %two = arith.constant 2.0 : f32
  %v = neuron.mem.load %x [d0 by 1] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  %a = neuron.mem.binary add %v, %v : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>, !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  %b = neuron.mem.binary multiply %a, %two : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>, f32 -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  %c = neuron.mem.binary subtract %two, %b : f32, !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  %d = neuron.mem.binary divide %c, %v : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>, !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  neuron.mem.store %d to %x [d0 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<1024xf32>
  func.return
}

// CHECK-LABEL: func.func @one_over
// CHECK: neuron.engine.reciprocal vector
// CHECK-NOT: neuron.engine.tensor_scalar
// CHECK: neuron.engine.reciprocal vector
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
func.func @one_over(%x: memref<1024xf32>) {
  %one = arith.constant 1.0 : f32
  %two = arith.constant 2.0 : f32
  %v = neuron.mem.load %x [d0 by 1] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  %a = neuron.mem.binary divide %one, %v : f32, !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  %b = neuron.mem.binary divide %two, %a : f32, !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  neuron.mem.store %b to %x [d0 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<1024xf32>
  func.return
}

// CHECK-LABEL: func.func @a_product_overwrites_in_the_first_iteration
// CHECK: scf.for [[K:%[a-z]+]] = 
// CHECK: neuron.engine.nc_matmul tensor accumulate [[K]] dst {{%.*}} : !neuron.engine.view<psum[0:64], [1 x 16], f32> stationary {{%.*}} : !neuron.engine.view<sbuf[0:32], [1 x 64], f32> moving {{%.*}} : !neuron.engine.view<sbuf[0:32], [1 x 16], f32>
// CHECK: neuron.engine.activation scalar op copy dst {{%.*}} : !neuron.engine.view<sbuf[0:64], {{.*}} data {{%.*}} : !neuron.engine.view<psum
func.func @a_product_overwrites_in_the_first_iteration(%x: memref<2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %a = neuron.mem.load %x [d1 by 64, d0 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  %b = neuron.mem.load %x [d0 by 16, d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %s = scf.for %k = %c0 to %c8 step %c1 iter_args(%acc = %z) -> (!neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) {
    %p = neuron.mem.matmul %a, %b acc %acc : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
    scf.yield %p : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  }
  %m = neuron.mem.convert %s by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  neuron.mem.store %m to %x [d0 by 16, d1 by 1] : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> memref<2048xf32>
  func.return
}

// CHECK-LABEL: func.func @a_padded_tile_is_two_rectangles
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{%.*}} : !neuron.engine.view<sbuf[0:65], [1 x 8], f32> src {{%.*}} : !neuron.engine.view<hbm, [1 x 520], f32>
// CHECK: neuron.engine.dma_copy sync queue 1 dst {{%.*}} : !neuron.engine.view<sbuf[65:66], [1 x 4], f32> src {{%.*}} : !neuron.engine.view<hbm, [1 x 4], f32>
// CHECK: neuron.engine.activation scalar op exp dst {{%.*}} : !neuron.engine.view<sbuf[0:66], [1 x 4], f32>
// CHECK: neuron.engine.activation scalar op exp dst {{%.*}} : !neuron.engine.view<sbuf[0:65], [1 x 4], f32>
// CHECK: neuron.engine.tensor_reduce vector op add axes 1 dst {{%.*}} : !neuron.engine.view<sbuf[0:66], [1 x 1], f32> data {{%.*}} : !neuron.engine.view<sbuf[0:66], [1 x 4], f32>
// CHECK: neuron.engine.tensor_reduce vector op add axes 1 dst {{%.*}} : !neuron.engine.view<sbuf[0:65], [1 x 1], f32> data {{%.*}} : !neuron.engine.view<sbuf[0:65], [1 x 4], f32>
func.func @a_padded_tile_is_two_rectangles(%x: memref<524xf32>, %y: memref<131xf32>) {
  %v = neuron.mem.load %x [d0 by 4, d1 by 1] : memref<524xf32> -> !neuron.mem.tile<sbuf, 131x4xf32, [d0/2:66] x [d0:2, d1]>
  %e = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 131x4xf32, [d0/2:66] x [d0:2, d1]> -> !neuron.mem.tile<sbuf, 131x4xf32, [d0/2:66] x [d0:2, d1]>
  %s = neuron.mem.reduce sum %e axis 1 : !neuron.mem.tile<sbuf, 131x4xf32, [d0/2:66] x [d0:2, d1]> -> !neuron.mem.tile<sbuf, 131xf32, [d0/2:66] x [d0:2]>
  neuron.mem.store %s to %y [d0 by 1] : !neuron.mem.tile<sbuf, 131xf32, [d0/2:66] x [d0:2]> -> memref<131xf32>
  func.return
}

// CHECK-LABEL: func.func @a_row_on_all_partitions_is_stored_once
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src {{%.*}} : !neuron.engine.view<hbm, [0 x 128, 1 x 8], f32>
// CHECK: neuron.engine.dma_copy gpsimd queue 0 dst {{%.*}} : !neuron.engine.view<hbm, [1 x 8], f32> src {{%.*}} : !neuron.engine.view<sbuf[0:1], [1 x 8], f32>
func.func @a_row_on_all_partitions_is_stored_once(%x: memref<8xf32>) {
  %v = neuron.mem.load %x [d0 by 1] : memref<8xf32> -> !neuron.mem.tile<sbuf, 8xf32, [*:128] x [d0]>
  neuron.mem.store %v to %x [d0 by 1] : !neuron.mem.tile<sbuf, 8xf32, [*:128] x [d0]> -> memref<8xf32>
  func.return
}

// CHECK-LABEL: func.func @converts
// CHECK: neuron.engine.tensor_copy vector dst
// CHECK-COUNT-2: neuron.engine.nc_transpose vector dst
// CHECK: neuron.engine.dma_copy sync queue 1 dst {{%.*}} : !neuron.engine.view<sbuf[0:1], [1 x 2048], f32> src {{%.*}} : !neuron.engine.view<sbuf[0:64], [1 x 32], f32>
// CHECK: neuron.engine.dma_copy gpsimd queue 0 dst
func.func @converts(%x: memref<2048xf32>) {
  %v = neuron.mem.load %x [d0 by 32, d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %n = neuron.mem.convert %v by copy : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1, _:2]>
  %o = neuron.mem.convert %n by nothing : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1, _:2]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1, _:2]>
  %t = neuron.mem.convert %v by vector : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  %d = neuron.mem.convert %v by dma : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [] x [d0, d1]>
  neuron.mem.store %d to %x [d0 by 32, d1 by 1] : !neuron.mem.tile<sbuf, 64x32xf32, [] x [d0, d1]> -> memref<2048xf32>
  neuron.mem.store %o to %x [d0 by 32, d1 by 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1, _:2]> -> memref<2048xf32>
  neuron.mem.store %t to %x [d0 by 32, d1 by 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]> -> memref<2048xf32>
  func.return
}

// CHECK-LABEL: func.func @words_go_through_the_array
// CHECK: neuron.engine.iota gpsimd pattern [-1, 128] offset 0 channel_multiplier 1
// CHECK: neuron.engine.tensor_scalar vector op0 equal
// CHECK: neuron.engine.tensor_copy vector dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 256], f32> src {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 256], ui16>
// CHECK: neuron.engine.nc_matmul tensor is_transpose is_moving_onezero dst {{%.*}} : !neuron.engine.view<psum[0:128], [1 x 128], f32> stationary {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 128], f32> moving [[I:%.*]] : !neuron.engine.view<sbuf[0:128], [1 x 128], f32>
// CHECK: neuron.engine.nc_matmul tensor is_transpose is_moving_onezero dst %{{.*}} : !neuron.engine.view<psum[0:128], [1 x 128], f32> {{.*}} moving [[I]] :
// CHECK-NOT: neuron.engine.nc_matmul
// CHECK: neuron.engine.activation scalar op copy dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 256], ui16> data {{%.*}} : !neuron.engine.view<psum[0:128], [1 x 256], f32>
func.func @words_go_through_the_array(%x: memref<32768xbf16>) {
  %v = neuron.mem.load %x [d0 by 128, d1 by 1] : memref<32768xbf16> -> !neuron.mem.tile<sbuf, 256x128xbf16, [d0:128] x [d0/128:2, d1]>
  %t = neuron.mem.convert %v by words : !neuron.mem.tile<sbuf, 256x128xbf16, [d0:128] x [d0/128:2, d1]> -> !neuron.mem.tile<sbuf, 256x128xbf16, [d1] x [d0]>
  neuron.mem.store %t to %x [d0 by 128, d1 by 1] : !neuron.mem.tile<sbuf, 256x128xbf16, [d1] x [d0]> -> memref<32768xbf16>
  func.return
}

// CHECK-LABEL: func.func @plain_floats_are_multiplied
// CHECK-NOT: neuron.engine.iota
// CHECK: neuron.engine.nc_transpose tensor dst {{%.*}} : !neuron.engine.view<psum[0:8], [1 x 40], f32> data {{%.*}} : !neuron.engine.view<sbuf[0:40], [1 x 8], f32>
// CHECK: neuron.engine.activation scalar op copy dst {{%.*}} : !neuron.engine.view<sbuf[0:8], [1 x 40], f32>
func.func @plain_floats_are_multiplied(%x: memref<320xf32>) {
  %v = neuron.mem.load %x [d0 by 8, d1 by 1] : memref<320xf32> -> !neuron.mem.tile<sbuf, 40x8xf32, [d0] x [d1]>
  %t = neuron.mem.convert %v by tensor : !neuron.mem.tile<sbuf, 40x8xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 40x8xf32, [d1] x [d0]>
  neuron.mem.store %t to %x [d0 by 8, d1 by 1] : !neuron.mem.tile<sbuf, 40x8xf32, [d1] x [d0]> -> memref<320xf32>
  func.return
}

// CHECK-LABEL: func.func @a_row_goes_to_all_partitions
// CHECK: neuron.engine.memset vector value 1.000000e+00
// CHECK-COUNT-2: neuron.engine.nc_matmul tensor is_stationary_onezero dst {{%.*}} : !neuron.engine.view<psum[0:128], [2 x 100], f32> stationary {{%.*}} : !neuron.engine.view<sbuf[0:1], [0 x 128], f32> moving {{%.*}} : !neuron.engine.view<sbuf[0:1], [1 x 100], f32>
// CHECK: neuron.engine.activation scalar op copy dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 200], ui16>
// CHECK-COUNT-4: neuron.engine.nc_stream_shuffle vector shuffle_mask [0, 0, {{.*}}] dst {{%.*}} : !neuron.engine.view<sbuf[{{.*}}], [1 x 100], i32> src {{%.*}} : !neuron.engine.view<sbuf[0:1], [1 x 100], i32>
// CHECK: neuron.engine.dma_copy sync queue 1 dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 100], i32> src {{%.*}} : !neuron.engine.view<sbuf[0:1], [0 x 128, 1 x 100], i32>
func.func @a_row_goes_to_all_partitions(%x: memref<100xi32>) {
  %v = neuron.mem.load %x [d0 by 1] : memref<100xi32> -> !neuron.mem.tile<sbuf, 100xi32, [] x [d0]>
  %t = neuron.mem.convert %v by ones : !neuron.mem.tile<sbuf, 100xi32, [] x [d0]> -> !neuron.mem.tile<sbuf, 100xi32, [*:128] x [d0]>
  %u = neuron.mem.convert %v by shuffle : !neuron.mem.tile<sbuf, 100xi32, [] x [d0]> -> !neuron.mem.tile<sbuf, 100xi32, [*:128] x [d0]>
  %d = neuron.mem.convert %v by dma : !neuron.mem.tile<sbuf, 100xi32, [] x [d0]> -> !neuron.mem.tile<sbuf, 100xi32, [*:128] x [d0]>
  neuron.mem.store %t to %x [d0 by 1] : !neuron.mem.tile<sbuf, 100xi32, [*:128] x [d0]> -> memref<100xi32>
  neuron.mem.store %u to %x [d0 by 1] : !neuron.mem.tile<sbuf, 100xi32, [*:128] x [d0]> -> memref<100xi32>
  neuron.mem.store %d to %x [d0 by 1] : !neuron.mem.tile<sbuf, 100xi32, [*:128] x [d0]> -> memref<100xi32>
  func.return
}

// CHECK-LABEL: func.func @a_reduction_of_two_rectangles
// CHECK: neuron.engine.tensor_reduce vector op maximum axes 2 dst {{%.*}} : !neuron.engine.view<sbuf[0:1], [1 x 3], f32> data {{%.*}} : !neuron.engine.view<sbuf[0:1], [4 x 3, 12 x 2, 1 x 4], f32>
// CHECK: neuron.engine.tensor_reduce vector op maximum axes 1 dst [[P:%.*]] : !neuron.engine.view<sbuf[0:1], [1 x 3], f32> data {{%.*}} : !neuron.engine.view<sbuf[0:1], [4 x 3, 1 x 2], f32>
// CHECK: neuron.engine.tensor_tensor vector op maximum dst {{%.*}} data1 {{%.*}} data2 {{%.*}}
func.func @a_reduction_of_two_rectangles(%x: memref<30xf32>) {
  %v = neuron.mem.load %x [d0 by 10, d1 by 1] : memref<30xf32> -> !neuron.mem.tile<sbuf, 3x10xf32, [] x [d1/4:3, d0, d1:4]>
  %s = neuron.mem.reduce max %v axis 1 : !neuron.mem.tile<sbuf, 3x10xf32, [] x [d1/4:3, d0, d1:4]> -> !neuron.mem.tile<sbuf, 3xf32, [] x [d0]>
  neuron.mem.store %s to %x [d0 by 1] : !neuron.mem.tile<sbuf, 3xf32, [] x [d0]> -> memref<30xf32>
  func.return
}

// CHECK-LABEL: func.func @counts_and_masks
// CHECK: neuron.engine.iota gpsimd pattern [1, 8] offset 5 channel_multiplier 8
// CHECK: neuron.engine.iota gpsimd pattern [1, 8] offset 0 channel_multiplier 8
// CHECK: neuron.engine.tensor_scalar vector op0 less
// CHECK: neuron.engine.select_reduce vector dst
func.func @counts_and_masks(%x: memref<1024xf32>) {
  %c5 = arith.constant 5 : index
  %low = arith.constant -1.0 : f32
  %i = neuron.mem.iota %c5 strides [1] -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  %m = neuron.mem.mask [d0 in 0 to 900 by 0] -> !neuron.mem.tile<sbuf, 1024xi1, [d0/8:128] x [d0:8]>
  %s = neuron.mem.select %m, %i, %low : !neuron.mem.tile<sbuf, 1024xi1, [d0/8:128] x [d0:8]>, !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>, f32 -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  neuron.mem.store %s to %x [d0 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<1024xf32>
  func.return
}

// One instruction chooses between a tile and a number, on either side; others copy one side, and then the other.
// CHECK-LABEL: func.func @choices
// CHECK: neuron.engine.select_reduce vector reverse_pred dst
// CHECK-NOT: select_reduce
// CHECK: neuron.engine.tensor_copy vector
// CHECK: neuron.engine.tensor_copy_predicated vector dst
// CHECK: neuron.engine.memset vector value 3 : i32
// CHECK: neuron.engine.tensor_copy_predicated vector dst
func.func @choices(%x: memref<1024xf32>, %y: memref<1024xi32>) {
  %low = arith.constant -1.0 : f32
  %three = arith.constant 3 : i32
  %a = neuron.mem.load %x [d0 by 1] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  %k = neuron.mem.load %y [d0 by 1] : memref<1024xi32> -> !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>
  %m = neuron.mem.binary less %a, %low : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>, f32 -> !neuron.mem.tile<sbuf, 1024xi1, [d0/8:128] x [d0:8]>
  %s = neuron.mem.select %m, %low, %a : !neuron.mem.tile<sbuf, 1024xi1, [d0/8:128] x [d0:8]>, f32, !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  neuron.mem.store %s to %x [d0 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<1024xf32>
  %t = neuron.mem.select %m, %s, %a : !neuron.mem.tile<sbuf, 1024xi1, [d0/8:128] x [d0:8]>, !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>, !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  neuron.mem.store %t to %x [d0 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<1024xf32>
  %u = neuron.mem.select %m, %k, %three : !neuron.mem.tile<sbuf, 1024xi1, [d0/8:128] x [d0:8]>, !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>, i32 -> !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>
  neuron.mem.store %u to %y [d0 by 1] : !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]> -> memref<1024xi32>
  func.return
}

// CHECK-LABEL: func.func @leaves_alone
// CHECK-NOT: neuron.engine
// CHECK: func.return
func.func @leaves_alone(%i: index) {
  "test.op"(%i) : (index) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_fill_says_what_it_stands_for
// CHECK: neuron.engine.memset vector value 0.000000e+00 : f32 stands_for "undefined" dst
// CHECK: neuron.engine.memset vector value 1.000000e+00 : f32 dst
func.func @a_fill_says_what_it_stands_for(%x: memref<1024xf32>) {
  %v = neuron.mem.load %x [d0 in 0 to 10 by 1] undefined : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  neuron.mem.store %v to %x [d0 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<1024xf32>
  %w = neuron.mem.load %x [d0 in 0 to 10 by 1] other 1.0 : f32 : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  neuron.mem.store %w to %x [d0 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<1024xf32>
  func.return
}

// CHECK-LABEL: func.func @narrow_integers_keep_their_low_bytes
// CHECK: neuron.engine.tensor_tensor vector op add dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], i32> data1 {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], i8>
// CHECK: neuron.engine.tensor_copy vector dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], i8> src {{%.*}} : !neuron.engine.view<sbuf[0:128], [4 x 8], i8>
// CHECK: neuron.engine.tensor_scalar vector op0 bitwise_and
func.func @narrow_integers_keep_their_low_bytes(%x: memref<1024xi8>) {
  %fifteen = arith.constant 15 : i8
  %v = neuron.mem.load %x [d0 by 1] : memref<1024xi8> -> !neuron.mem.tile<sbuf, 1024xi8, [d0/8:128] x [d0:8]>
  %a = neuron.mem.binary add %v, %v : !neuron.mem.tile<sbuf, 1024xi8, [d0/8:128] x [d0:8]>, !neuron.mem.tile<sbuf, 1024xi8, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xi8, [d0/8:128] x [d0:8]>
  %b = neuron.mem.binary bitwise_and %a, %fifteen : !neuron.mem.tile<sbuf, 1024xi8, [d0/8:128] x [d0:8]>, i8 -> !neuron.mem.tile<sbuf, 1024xi8, [d0/8:128] x [d0:8]>
  neuron.mem.store %b to %x [d0 by 1] : !neuron.mem.tile<sbuf, 1024xi8, [d0/8:128] x [d0:8]> -> memref<1024xi8>
  func.return
}

// CHECK-LABEL: func.func @words_on_gpsimd_and_by_halves
// CHECK: neuron.engine.tensor_tensor gpsimd op multiply
// CHECK: neuron.engine.tensor_tensor vector op subtract dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data1 {{%.*}} : !neuron.engine.view<sbuf[0:128], [2 x 8], i16>
// CHECK: neuron.engine.tensor_tensor vector op subtract dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data1 {{%.*}} : !neuron.engine.view<sbuf[0:128], [2 x 8], ui16>
// CHECK: neuron.engine.scalar_tensor_tensor vector op0 multiply op1 add
// CHECK: neuron.engine.tensor_scalar vector op0 less
// CHECK: neuron.engine.tensor_copy_predicated
func.func @words_on_gpsimd_and_by_halves(%x: memref<1024xi32>) {
  %v = neuron.mem.load %x [d0 by 1] : memref<1024xi32> -> !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>
  %a = neuron.mem.binary multiply %v, %v : !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>, !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>
  %b = neuron.mem.binary maximum %a, %v : !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>, !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>
  neuron.mem.store %b to %x [d0 by 1] : !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]> -> memref<1024xi32>
  func.return
}

// CHECK-LABEL: func.func @words_are_added_by_halves_of_a_row
// CHECK: neuron.engine.tensor_tensor gpsimd op add dst {{%.*}} : !neuron.engine.view<sbuf[0:4], [1 x 3], i32>
// CHECK: neuron.engine.tensor_tensor gpsimd op add dst {{%.*}} : !neuron.engine.view<sbuf[0:4], [1 x 1], i32>
// CHECK: neuron.engine.tensor_tensor gpsimd op add dst {{%.*}} : !neuron.engine.view<sbuf[0:4], [1 x 1], i32>
// CHECK-NOT: tensor_reduce
func.func @words_are_added_by_halves_of_a_row(%x: memref<24xi32>) {
  %v = neuron.mem.load %x [d0 by 6, d1 by 1] : memref<24xi32> -> !neuron.mem.tile<sbuf, 4x6xi32, [d0] x [d1]>
  %s = neuron.mem.reduce sum %v axis 1 : !neuron.mem.tile<sbuf, 4x6xi32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 4xi32, [d0] x []>
  neuron.mem.store %s to %x [d0 by 1] : !neuron.mem.tile<sbuf, 4xi32, [d0] x []> -> memref<24xi32>
  func.return
}

// CHECK-LABEL: func.func @indices_that_move_are_looked_up
// CHECK: neuron.engine.iota gpsimd pattern [3, 5]
// CHECK: scf.for
// CHECK: neuron.engine.iota gpsimd pattern [1, 8]
// CHECK: neuron.engine.tensor_scalar vector op0 add
func.func @indices_that_move_are_looked_up(%x: memref<1024xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c5 = arith.constant 5 : index
  scf.for %i = %c0 to %c5 step %c1 {
    %offset = arith.muli %i, %c3 : index
    %v = neuron.mem.iota %offset strides [1] -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %v to %x [d0 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<1024xf32>
  }
  func.return
}

// The counter is that of the normalised loop.
// CHECK-LABEL: func.func @a_loop_with_another_start_and_step
// CHECK: [[TRIPS:%.*]] = arith.constant 3 : index
// CHECK: scf.for [[K:%[a-z0-9]+]] = %{{.*}} to [[TRIPS]] step
// CHECK: [[SCALED:%.*]] = arith.muli [[K]], {{%.*}} : index
// CHECK: [[AT:%.*]] = arith.addi [[SCALED]], {{%.*}} : index
// CHECK: neuron.engine.view %x at [[AT]]
func.func @a_loop_with_another_start_and_step(%x: memref<8192xf32>) {
  %low = arith.constant 2048 : index
  %high = arith.constant 8192 : index
  %step = arith.constant 2048 : index
  scf.for %k = %low to %high step %step {
    %v = neuron.mem.load %x(%k) [s0 + d0 by 1] : memref<8192xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %v to %x(%k) [s0 + d0 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<8192xf32>
  }
  func.return
}

// One row of each partition at a time; backwards from its end.
// CHECK-LABEL: func.func @scans
// CHECK: neuron.engine.memset vector value 1.000000e+00 : f32
// CHECK: arith.constant -0.000000e+00 : f32
// CHECK: neuron.engine.tensor_tensor_scan vector op0 multiply op1 add dst {{%.*}} : !neuron.engine.view<sbuf[0:64], [-1 x 32], f32> data0 {{%.*}} : !neuron.engine.view<sbuf[0:64], [0 x 32], f32> data1 {{%.*}} : !neuron.engine.view<sbuf[0:64], [-1 x 32], f32>
// CHECK: neuron.engine.tensor_tensor_scan
// CHECK: neuron.engine.tensor_tensor_scan
// CHECK-NOT: tensor_tensor_scan
// CHECK: neuron.engine.tensor_copy vector dst {{%.*}} : {{.*}} src {{%.*}} : !neuron.engine.view<sbuf[0:64], [32 x 3, -1 x 32], f32>
func.func @scans(%x: memref<6144xf32>) {
  %c0 = arith.constant 0 : index
  %v = neuron.mem.load %x [d0 by 2048, d1 by 32, d2 by 1] : memref<6144xf32> -> !neuron.mem.tile<sbuf, 3x64x32xf32, [d1] x [d0, d2]>
  %s = neuron.mem.scan sum %v axis 2 reverse : !neuron.mem.tile<sbuf, 3x64x32xf32, [d1] x [d0, d2]> -> !neuron.mem.tile<sbuf, 3x64x32xf32, [d1] x [d0, d2]>
  %f = neuron.mem.flip %s axis 2 : !neuron.mem.tile<sbuf, 3x64x32xf32, [d1] x [d0, d2]> -> !neuron.mem.tile<sbuf, 3x64x32xf32, [d1] x [d0, d2]>
  neuron.mem.store %f to %x [d0 by 2048, d1 by 32, d2 by 1] : !neuron.mem.tile<sbuf, 3x64x32xf32, [d1] x [d0, d2]> -> memref<6144xf32>
  func.return
}

// CHECK-LABEL: func.func @a_scan_of_maxima
// CHECK: arith.constant 0xff800000 : f32
// CHECK: neuron.engine.tensor_tensor_scan vector op0 maximum op1 maximum
func.func @a_scan_of_maxima(%x: memref<2048xf32>) {
  %c0 = arith.constant 0 : index
  %v = neuron.mem.load %x [d0 by 32, d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %s = neuron.mem.scan max %v axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  neuron.mem.store %s to %x [d0 by 32, d1 by 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  func.return
}

// The first element's scale has no meaning.
// CHECK-LABEL: func.func @a_scaled_scan
// CHECK: neuron.engine.tensor_copy
// CHECK: neuron.engine.memset vector value 1.000000e+00 : f32 dst {{%.*}} : !neuron.engine.view<sbuf[0:64], [1 x 1], f32>
// CHECK: neuron.engine.tensor_tensor_scan vector op0 multiply op1 add
func.func @a_scaled_scan(%x: memref<2048xf32>) {
  %c0 = arith.constant 0 : index
  %v = neuron.mem.load %x [d0 by 32, d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %s = neuron.mem.scan sum %v scale %v : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  neuron.mem.store %s to %x [d0 by 32, d1 by 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  func.return
}

// With an initial element the scale is read where it is. The last place is a part of what is there.
// CHECK-LABEL: func.func @a_scan_that_goes_on
// CHECK: %[[Y:.*]] = neuron.engine.dma_copy {{.*}} !neuron.engine.view<hbm, [1 x 64], f32>
// CHECK-NOT: neuron.engine.tensor_copy
// CHECK-NOT: neuron.engine.memset
// CHECK: %[[I:.*]] = neuron.engine.view %[[Y]] : {{.*}} -> !neuron.engine.view<sbuf[0:64], [1 x 1], f32>
// CHECK: %[[S:.*]] = neuron.engine.tensor_tensor_scan vector op0 multiply op1 add {{.*}} initial %[[I]]
// CHECK: %[[P:.*]] = neuron.engine.tensor_tensor_scan vector op0 multiply op1 multiply {{.*}} initial %{{.*}} : f32
// CHECK: neuron.engine.view %[[P]] at %{{.*}} -> !neuron.engine.view<sbuf[0:64], [1 x 1], f32>
func.func @a_scan_that_goes_on(%x: memref<2048xf32>, %y: memref<64xf32>) {
  %half = arith.constant 5.000000e-01 : f32
  %v = neuron.mem.load %x [d0 by 32, d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %i = neuron.mem.load %y [d0 by 1] : memref<64xf32> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  %s = neuron.mem.scan sum %v scale %v : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> initial %i : !neuron.mem.tile<sbuf, 64xf32, [d0] x []> axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %p = neuron.mem.scan product %s initial %half : f32 axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %l = neuron.mem.last %p axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  neuron.mem.store %l to %y [d0 by 1] : !neuron.mem.tile<sbuf, 64xf32, [d0] x []> -> memref<64xf32>
  func.return
}

// Exact: by doubling the distance, three times for five elements.
// CHECK-LABEL: func.func @a_scan_of_integers
// CHECK: neuron.engine.tensor_tensor gpsimd op add {{.*}}, [1 x 4], i32>
// CHECK: neuron.engine.tensor_tensor gpsimd op add {{.*}}, [1 x 3], i32>
// CHECK: neuron.engine.tensor_tensor gpsimd op add {{.*}}, [1 x 1], i32>
// CHECK-NOT: gpsimd op add
// CHECK: neuron.engine.tensor_reduce vector op bitwise_xor
func.func @a_scan_of_integers(%x: memref<320xi32>, %y: memref<64xi32>) {
  %c0 = arith.constant 0 : index
  %v = neuron.mem.load %x [d0 by 5, d1 by 1] : memref<320xi32> -> !neuron.mem.tile<sbuf, 64x5xi32, [d0] x [d1]>
  %s = neuron.mem.scan sum %v axis 1 : !neuron.mem.tile<sbuf, 64x5xi32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x5xi32, [d0] x [d1]>
  %r = neuron.mem.reduce xor %s axis 1 : !neuron.mem.tile<sbuf, 64x5xi32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xi32, [d0] x []>
  neuron.mem.store %r to %y [d0 by 1] : !neuron.mem.tile<sbuf, 64xi32, [d0] x []> -> memref<64xi32>
  func.return
}

// CHECK-LABEL: func.func @the_same_bits
// CHECK: [[B:%.*]] = neuron.engine.dma_copy sync
// CHECK: neuron.engine.view [[B]] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:64], [1 x 32], i32>
// CHECK-NOT: tensor_copy
func.func @the_same_bits(%x: memref<2048xf32>, %y: memref<2048xi32>) {
  %c0 = arith.constant 0 : index
  %v = neuron.mem.load %x [d0 by 32, d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %s = neuron.mem.bitcast %v : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi32, [d0] x [d1]>
  neuron.mem.store %s to %y [d0 by 32, d1 by 1] : !neuron.mem.tile<sbuf, 64x32xi32, [d0] x [d1]> -> memref<2048xi32>
  func.return
}

// -----

// A scalar is an element of its tile; a truth value is one that is not 0. What is addressed by it has its
// descriptors made at run time.
// CHECK-LABEL: func.func @scalars
// CHECK: %[[N:.*]] = neuron.engine.scalar %{{.*}} : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
// CHECK: %[[P:.*]] = neuron.engine.scalar %{{.*}} : !neuron.engine.view<sbuf[0:1], [1 x 1], ui8>
// CHECK: %[[TAKE:.*]] = arith.cmpi ne, %[[P]], %{{.*}} : index
// CHECK: scf.if %[[TAKE]] {
// CHECK: neuron.engine.view %x at %[[N]]
// CHECK: neuron.engine.dma_copy gpsimd queue 0 dge_mode "swdge"
// CHECK: neuron.engine.dma_copy gpsimd queue 1 dst
func.func @scalars(%n: memref<1xi32>, %x: memref<64xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %t = neuron.mem.load %n [d0 by 1] : memref<1xi32> -> !neuron.mem.tile<sbuf, 1xi32, [] x [d0]>
  %k = neuron.mem.scalar %t : !neuron.mem.tile<sbuf, 1xi32, [] x [d0]> -> index
  %z = neuron.mem.fill %zero : i32 -> !neuron.mem.tile<sbuf, 1xi32, [] x [d0]>
  %p = neuron.mem.binary equal %t, %z : !neuron.mem.tile<sbuf, 1xi32, [] x [d0]>, !neuron.mem.tile<sbuf, 1xi32, [] x [d0]> -> !neuron.mem.tile<sbuf, 1xi1, [] x [d0]>
  %take = neuron.mem.scalar %p : !neuron.mem.tile<sbuf, 1xi1, [] x [d0]> -> i1
  scf.if %take {
    %v = neuron.mem.load %x(%k) [s0 + d0 by 1] : memref<64xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x [d0 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<64xf32>
  }
  func.return
}

// -----

// Where the hardware makes descriptors, loads leave it to that.
// CHECK-LABEL: func.func @hardware_descriptors
// CHECK: neuron.engine.dma_copy sync queue 1 dge_mode "hwdge"
// CHECK: neuron.engine.dma_copy gpsimd queue 0 dge_mode "swdge"
builtin.module attributes {neuron.target = "trn2"} {
func.func @hardware_descriptors(%n: memref<1xi32>, %x: memref<64xf32>) {
  %c0 = arith.constant 0 : index
  %t = neuron.mem.load %n [d0 by 1] : memref<1xi32> -> !neuron.mem.tile<sbuf, 1xi32, [] x [d0]>
  %k = neuron.mem.scalar %t : !neuron.mem.tile<sbuf, 1xi32, [] x [d0]> -> index
  %v = neuron.mem.load %x(%k) [s0 + d0 by 1] : memref<64xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  neuron.mem.store %v to %x(%k) [s0 + d0 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<64xf32>
  func.return
}
}

// -----

// An if yields what its sides made, or had.
// CHECK-LABEL: func.func @an_if_that_yields
// CHECK: %[[V:.*]] = neuron.engine.dma_copy sync
// CHECK: %[[R:.*]] = scf.if %p -> (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>) {
// CHECK: %[[THEN:.*]] = neuron.engine.activation scalar op exp
// CHECK-NEXT: scf.yield %[[THEN]]
// CHECK-NEXT: } else {
// CHECK-NEXT: scf.yield %[[V]]
// CHECK-NEXT: }
// CHECK: neuron.engine.view %[[R]]
func.func @an_if_that_yields(%x: memref<64xf32>, %k: index) {
  %c0 = arith.constant 0 : index
  %p = arith.cmpi eq, %k, %c0 : index
  %v = neuron.mem.load %x [d0 by 1] : memref<64xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  %r = scf.if %p -> (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>) {
    %w = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    scf.yield %w : !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  } else {
    scf.yield %v : !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  }
  neuron.mem.store %r to %x [d0 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<64xf32>
  func.return
}

// -----

// A while carries its tile, and hands on what is made in front of the condition.
// CHECK-LABEL: func.func @a_while
// CHECK: %[[V:.*]] = neuron.engine.dma_copy sync
// CHECK: %[[H:.*]] = scf.while (%[[A:.*]] = %[[V]])
// CHECK: neuron.engine.view %[[A]]
// CHECK: %[[E:.*]] = neuron.engine.activation scalar op exp
// CHECK-NEXT: scf.condition(%p) %[[E]]
// CHECK: scf.yield %b
// CHECK: neuron.engine.view %[[H]]
func.func @a_while(%x: memref<64xf32>, %k: index) {
  %c0 = arith.constant 0 : index
  %p = arith.cmpi eq, %k, %c0 : index
  %v = neuron.mem.load %x [d0 by 1] : memref<64xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  %h = scf.while (%a = %v) : (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>) -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []> {
    %e = neuron.mem.unary exp %a : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    scf.condition(%p) %e : !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  } do {
  ^bb0(%b: !neuron.mem.tile<sbuf, 8xf32, [d0] x []>):
    scf.yield %b : !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  }
  neuron.mem.store %h to %x [d0 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<64xf32>
  func.return
}

// -----

// A row for each index: what is out of bounds is skipped, and what a load leaves out filled first.
// CHECK-LABEL: func.func @gathers_skip_rows_that_there_are_not
// CHECK: neuron.engine.memset vector value 2.000000e+00 : f32 dst {{%.*}} : !neuron.engine.view<sbuf[0:100], [1 x 32], f32>
// CHECK: neuron.engine.dma_copy gpsimd queue 0 oob_mode "skip" dst {{%.*}} : !neuron.engine.view<sbuf[0:100], [1 x 30], f32> src {{%.*}} : !neuron.engine.view<hbm, [32 x 100, 1 x 30], f32> vector_offset {{%.*}} : !neuron.engine.view<sbuf[0:100], [1 x 1], i32>
// CHECK: neuron.engine.dma_copy gpsimd queue 1 dst {{%.*}} : !neuron.engine.view<hbm, [1 x 3200], f32> src {{%.*}} {neuron.engine.atomic}
func.func @gathers_skip_rows_that_there_are_not(%x: memref<1280xf32>, %k: memref<100xi32>, %y: memref<6400xf32>) {
  %i = neuron.mem.load %k [d0 by 1] : memref<100xi32> -> !neuron.mem.tile<sbuf, 100xi32, [d0] x []>
  %v = neuron.mem.load %x index (%i : !neuron.mem.tile<sbuf, 100xi32, [d0] x []>) [t0(d0) in 0 to 1280 by 32, d1 in * to 30 by 1] other 2.0 : f32 : memref<1280xf32> -> !neuron.mem.tile<sbuf, 100x32xf32, [d0] x [d1]>
  neuron.mem.store %v to %y [d0 by 32, d1 by 1] atomic : !neuron.mem.tile<sbuf, 100x32xf32, [d0] x [d1]> -> memref<6400xf32>
  func.return
}

// -----

// Two columns of indices: a transfer for each.
// CHECK-LABEL: func.func @a_transfer_for_each_group_of_rows
// CHECK-NOT: oob_mode
// CHECK: neuron.engine.dma_copy gpsimd queue 0 dst {{%.*}} : !neuron.engine.view<sbuf[0:100], [1 x 32], f32> src {{%.*}} : !neuron.engine.view<hbm, [32 x 100, 1 x 32], f32> vector_offset
// CHECK: neuron.engine.dma_copy gpsimd queue 1 dst {{%.*}} : !neuron.engine.view<sbuf[0:100], [1 x 32], f32> src {{%.*}} vector_offset
// CHECK: neuron.engine.dma_copy gpsimd queue {{[23]}} oob_mode "skip" dst {{%.*}} : !neuron.engine.view<hbm, [32 x 100, 1 x 32], f32> src {{%.*}} : !neuron.engine.view<sbuf[0:100], [1 x 32], f32> vector_offset {{%.*}} {neuron.engine.atomic}
// CHECK: neuron.engine.dma_copy gpsimd queue {{[23]}} oob_mode "skip" dst {{%.*}} : !neuron.engine.view<hbm, [32 x 100, 1 x 32], f32> src
// CHECK-NOT: dma_copy
func.func @a_transfer_for_each_group_of_rows(%x: memref<1280xf32>, %k: memref<200xi32>, %y: memref<6400xf32>) {
  %i = neuron.mem.load %k [d0 by 1] : memref<200xi32> -> !neuron.mem.tile<sbuf, 200xi32, [d0:100] x [d0/100:2]>
  %v = neuron.mem.load %x index (%i : !neuron.mem.tile<sbuf, 200xi32, [d0:100] x [d0/100:2]>) [t0(d0) by 32, d1 by 1] : memref<1280xf32> -> !neuron.mem.tile<sbuf, 200x32xf32, [d0:100] x [d0/100:2, d1]>
  neuron.mem.store %v to %y index (%i : !neuron.mem.tile<sbuf, 200xi32, [d0:100] x [d0/100:2]>) [t0(d0) in 0 to 6400 by 32, d1 by 1] atomic : !neuron.mem.tile<sbuf, 200x32xf32, [d0:100] x [d0/100:2, d1]> -> memref<6400xf32>
  func.return
}

// -----

// What a loop carries is whole and of its own type: one element that is read as many is made as many.
// CHECK-LABEL: func.func @a_repetition_is_carried
// CHECK: neuron.engine.dma_copy sync
// CHECK: %[[MANY:.*]] = neuron.engine.tensor_copy vector dst {{%.*}} : !neuron.engine.view<sbuf[0:64], [1 x 32], f32> src {{%.*}} : !neuron.engine.view<sbuf[0:64], [0 x 32], f32>
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%{{.*}} = %[[MANY]])
func.func @a_repetition_is_carried(%x: memref<2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %v = neuron.mem.load %x [d0 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x1xf32, [d0] x [d1]>
  %b = neuron.mem.broadcast %v : !neuron.mem.tile<sbuf, 64x1xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%s = %b) -> (!neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
    %t = neuron.mem.binary add %s, %b : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
    scf.yield %t : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  }
  neuron.mem.store %r to %x [d0 by 32, d1 by 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  func.return
}

// CHECK-LABEL: func.func @a_row_on_more_rows_than_partitions
// CHECK: [[HEAD:%.*]] = neuron.engine.view %y at {{%.*}} : {{.*}}view<hbm, [15 x 128, 1 x 5, 5 x 3], f32>
// CHECK-NEXT: neuron.engine.view {{.*}}view<sbuf[0:128], [1 x 5, 0 x 3], f32>
// CHECK: neuron.engine.dma_copy gpsimd {{.*}} dst [[HEAD]]
// CHECK: [[REST:%.*]] = neuron.engine.view %y at {{%.*}} : {{.*}}view<hbm, [15 x 2, 1 x 5, 5 x 3], f32>
// CHECK-NEXT: neuron.engine.view {{.*}}view<sbuf[0:2], [1 x 5, 0 x 3], f32>
// CHECK: neuron.engine.dma_copy gpsimd {{.*}} dst [[REST]]
func.func @a_row_on_more_rows_than_partitions(%x: memref<5xf32>, %y: memref<390x5xf32>) {
  %v = neuron.mem.load %x [d0 by 1] : memref<5xf32> -> !neuron.mem.tile<sbuf, 5xf32, [*:128] x [d0]>
  %r = neuron.mem.relabel %v reshape [1, 1, 5] : !neuron.mem.tile<sbuf, 5xf32, [*:128] x [d0]> -> !neuron.mem.tile<sbuf, 1x1x5xf32, [*:128] x [d2]>
  %b = neuron.mem.broadcast %r : !neuron.mem.tile<sbuf, 1x1x5xf32, [*:128] x [d2]> -> !neuron.mem.tile<sbuf, 3x130x5xf32, [d1:128] x [d1/128:2, d0, d2]>
  neuron.mem.store %b to %y [d2 by 1, 15 * d1 + 5 * d0 by 1] : !neuron.mem.tile<sbuf, 3x130x5xf32, [d1:128] x [d1/128:2, d0, d2]> -> memref<390x5xf32>
  func.return
}

// -----

// What the Scalar engine computes of a sum it reads in PSUM, bank by bank, and so does what is computed of both.

!sum = !neuron.mem.tile<psum, 256x512xf32, [d0:128] x [d0/128:2, d1]>
!tile = !neuron.mem.tile<sbuf, 256x512xf32, [d0:128] x [d0/128:2, d1]>
!narrow = !neuron.mem.tile<sbuf, 256x512xbf16, [d0:128] x [d0/128:2, d1]>

// CHECK-LABEL: func.func @banks_of_a_sum(
// CHECK: neuron.engine.nc_matmul
// CHECK: neuron.engine.nc_matmul
// CHECK-NOT: op copy
// CHECK: neuron.engine.activation scalar op tanh dst %{{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 512], f32> data %{{.*}} : !neuron.engine.view<psum[0:128], [1 x 512], f32>
// CHECK: neuron.engine.activation scalar op tanh dst %{{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 512], f32> data %{{.*}} : !neuron.engine.view<psum[0:128], [1 x 512], f32>
// CHECK-NOT: op tanh
// CHECK: neuron.engine.tensor_tensor vector op multiply dst %{{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 512], f32> data1 %{{.*}} : !neuron.engine.view<psum[0:128], [1 x 512], f32> data2 %{{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
// CHECK: neuron.engine.tensor_tensor vector op multiply {{.*}} : !neuron.engine.view<psum[0:128], [1 x 512], f32> data2
// CHECK: neuron.engine.tensor_copy vector dst %{{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 512], bf16> src %{{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
// CHECK: neuron.engine.tensor_copy vector dst %{{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 512], bf16>
// CHECK: neuron.engine.dma_copy
func.func @banks_of_a_sum(%x: memref<128x256xf32>, %y: memref<128x512xf32>, %out: memref<256x512xbf16>) {
  %a = neuron.mem.load %x [d0 by 256, d1 by 1] : memref<128x256xf32> -> !neuron.mem.tile<sbuf, 256x128xf32, [d1] x [d0]>
  %b = neuron.mem.load %y [d0 by 512, d1 by 1] : memref<128x512xf32> -> !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
  %z = neuron.mem.accumulator : !sum
  %p = neuron.mem.matmul %a, %b acc %z part [0, 0, 0] : !neuron.mem.tile<sbuf, 256x128xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>, !sum -> !sum
  %q = neuron.mem.matmul %a, %b acc %p part [1, 0, 0] : !neuron.mem.tile<sbuf, 256x128xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>, !sum -> !sum
  %m = neuron.mem.convert %q by copy : !sum -> !tile
  %t = neuron.mem.unary tanh %m : !tile -> !tile
  %r = neuron.mem.binary multiply %m, %t : !tile, !tile -> !tile
  %n = neuron.mem.cast %r : !tile -> !narrow
  neuron.mem.store %n to %out [d0 by 512, d1 by 1] : !narrow -> memref<256x512xbf16>
  func.return
}

// -----

// The Vector engine alone goes on with a copy; of three readers, so do all.

!sum = !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
!tile = !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>

// CHECK-LABEL: func.func @copies_of_sums(
// CHECK: neuron.engine.activation scalar op copy {{.*}} data %{{.*}} : !neuron.engine.view<psum
// CHECK: neuron.engine.tensor_tensor
// CHECK: neuron.engine.activation scalar op copy {{.*}} data %{{.*}} : !neuron.engine.view<psum
// CHECK-NOT: psum
func.func @copies_of_sums(%x: memref<32x64xf32>, %y: memref<32x16xf32>, %out: memref<64x16xf32>) {
  %a = neuron.mem.load %x [d0 by 64, d1 by 1] : memref<32x64xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  %b = neuron.mem.load %y [d0 by 16, d1 by 1] : memref<32x16xf32> -> !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>
  %z = neuron.mem.accumulator : !sum
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !sum -> !sum
  %m = neuron.mem.convert %p by copy : !sum -> !tile
  %s = neuron.mem.binary multiply %m, %m : !tile, !tile -> !tile
  %z2 = neuron.mem.accumulator : !sum
  %p2 = neuron.mem.matmul %a, %b acc %z2 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !sum -> !sum
  %m2 = neuron.mem.convert %p2 by copy : !sum -> !tile
  %t = neuron.mem.unary tanh %m2 : !tile -> !tile
  %u = neuron.mem.unary exp %m2 : !tile -> !tile
  %v = neuron.mem.binary add %m2, %s : !tile, !tile -> !tile
  %w = neuron.mem.binary add %t, %u : !tile, !tile -> !tile
  %r = neuron.mem.binary add %v, %w : !tile, !tile -> !tile
  neuron.mem.store %r to %out [d0 by 16, d1 by 1] : !tile -> memref<64x16xf32>
  func.return
}

// -----

// Rows that lie free, of which each partition has an element: a transfer for each element.
// CHECK-LABEL: func.func @rows_across_partitions(
// CHECK: neuron.engine.dma_copy gpsimd queue 0 {{.*}}vector_offset {{%.*}} : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
// CHECK: neuron.engine.dma_copy gpsimd queue 1 {{.*}}vector_offset {{%.*}} : !neuron.engine.view<sbuf[1:2], [1 x 1], i32>
// CHECK: neuron.engine.dma_copy gpsimd queue 2 dst {{%.*}} : !neuron.engine.view<sbuf[1:2], [1 x 1], f32> {{.*}}vector_offset {{%.*}} : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
// CHECK: neuron.engine.dma_copy gpsimd queue 3 {{.*}}vector_offset {{%.*}} : !neuron.engine.view<sbuf[1:2], [1 x 1], i32>
// CHECK-NOT: vector_offset
func.func @rows_across_partitions(%x: memref<8xf32>, %k: memref<2xi32>) {
  %i = neuron.mem.load %k [d0 by 1] : memref<2xi32> -> !neuron.mem.tile<sbuf, 2xi32, [d0] x []>
  %v = neuron.mem.load %x index(%i : !neuron.mem.tile<sbuf, 2xi32, [d0] x []>) [t0(d0) by 2, d1 by 1] : memref<8xf32> -> !neuron.mem.tile<sbuf, 2x2xf32, [d1] x [d0]>
  neuron.mem.store %v to %x [d0 by 2, d1 by 1] : !neuron.mem.tile<sbuf, 2x2xf32, [d1] x [d0]> -> memref<8xf32>
  func.return
}

// -----

// What the array turns as bits leaves a bank by the Scalar engine, the next bank by the Vector engine.
builtin.module attributes {neuron.target = "trn2"} {
  // CHECK-LABEL: func.func @banks_in_turn(
  // CHECK: neuron.engine.nc_transpose tensor
  // CHECK: neuron.engine.tensor_copy scalar
  // CHECK: neuron.engine.tensor_copy vector
  // CHECK: neuron.engine.tensor_copy scalar
  // CHECK: func.return
  func.func @banks_in_turn(%x: memref<128x3072xbf16>, %y: memref<3072x128xbf16>) {
    %v = neuron.mem.load %x [3072 * d0 + d1 by 1] : memref<128x3072xbf16> -> !neuron.mem.tile<sbuf, 128x3072xbf16, [d0] x [d1]>
    %r = neuron.mem.convert %v by tensor : !neuron.mem.tile<sbuf, 128x3072xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x3072xbf16, [d1:128] x [d1/128:24, d0]>
    neuron.mem.store %r to %y [d0 + 128 * d1 by 1] : !neuron.mem.tile<sbuf, 128x3072xbf16, [d1:128] x [d1/128:24, d0]> -> memref<3072x128xbf16>
    func.return
  }
}
