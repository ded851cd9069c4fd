// RUN: nki-opt %s -p place --split-input-file | filecheck %s
// RUN: nki-opt %s -p place --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_vector_folds_over_the_partitions
// CHECK: neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
// CHECK: neuron.mem.unary exp
// CHECK: neuron.mem.store
func.func @a_vector_folds_over_the_partitions(%x: memref<1024xf32>) {
  %zero = arith.constant 0 : index
  %v = tile.read %x[%zero] strides [1] : memref<1024xf32> -> tensor<1024xf32>
  %e = math.exp %v : tensor<1024xf32>
  tile.write %e to %x[%zero] strides [1] : tensor<1024xf32> -> memref<1024xf32>
  func.return
}

// CHECK-LABEL: func.func @a_reduced_vector_lies_on_one_partition
// CHECK: neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 1 x [1024] x f32, none of [1024]>
// CHECK: neuron.mem.reduce max {{.*}} axis 0
// CHECK: neuron.mem.broadcast
// CHECK: neuron.mem.binary subtract
func.func @a_reduced_vector_lies_on_one_partition(%x: memref<1024xf32>) {
  %zero = arith.constant 0 : index
  %v = tile.read %x[%zero] strides [1] : memref<1024xf32> -> tensor<1024xf32>
  %m = tile.reduce max %v axis 0 : tensor<1024xf32> -> f32
  %s = tile.splat %m : f32 -> tensor<1024xf32>
  %d = arith.subf %v, %s : tensor<1024xf32>
  tile.write %d to %x[%zero] strides [1] : tensor<1024xf32> -> memref<1024xf32>
  func.return
}

// CHECK-LABEL: func.func @a_product_has_k_on_the_partitions
// CHECK: [[A:%.*]] = neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 64 x [32] x f32, dim 0 of [64, 32]>
// CHECK: [[T:%.*]] = neuron.mem.transpose [[A]] : {{.*}} -> !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>
// CHECK: [[B:%.*]] = neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>
// CHECK: [[Z:%.*]] = neuron.mem.accumulator : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
// CHECK: [[P:%.*]] = neuron.mem.matmul [[T]], [[B]] acc [[Z]]
// CHECK: neuron.mem.move [[P]]
func.func @a_product_has_k_on_the_partitions(%x: memref<64x32xf32>, %y: memref<32x16xf32>, %z: memref<64x16xf32>) {
  %zero = arith.constant 0 : index
  %a = tile.read %x[%zero] strides [32, 1] : memref<64x32xf32> -> tensor<64x32xf32>
  %b = tile.read %y[%zero] strides [16, 1] : memref<32x16xf32> -> tensor<32x16xf32>
  %d = tile.dot %a, %b : tensor<64x32xf32>, tensor<32x16xf32> -> tensor<64x16xf32>
  tile.write %d to %z[%zero] strides [16, 1] : tensor<64x16xf32> -> memref<64x16xf32>
  func.return
}

// CHECK-LABEL: func.func @a_row_is_loaded_onto_all_partitions
// CHECK: neuron.mem.load {{.*}} strides [0, 1] {{.*}} -> !neuron.mem.tile<sbuf, 4 x [16] x f32, dim 0 of [4, 16]>
func.func @a_row_is_loaded_onto_all_partitions(%x: memref<4x16xf32>, %y: memref<16xf32>) {
  %zero = arith.constant 0 : index
  %a = tile.read %x[%zero] strides [16, 1] : memref<4x16xf32> -> tensor<4x16xf32>
  %row = tile.read %y[%zero] strides [1] : memref<16xf32> -> tensor<16xf32>
  %one = tile.expand_dims %row axis 0 : tensor<16xf32> -> tensor<1x16xf32>
  %all = tile.broadcast %one : tensor<1x16xf32> -> tensor<4x16xf32>
  %s = arith.addf %a, %all : tensor<4x16xf32>
  tile.write %s to %x[%zero] strides [16, 1] : tensor<4x16xf32> -> memref<4x16xf32>
  func.return
}

// CHECK-LABEL: func.func @what_is_left_out_stays_undefined
// CHECK: neuron.mem.load {{.*}} strides [0, 1] valid[{{%.*}}, {{%.*}}] undefined : memref<16xf32>
// CHECK: neuron.mem.load {{.*}} strides [16, 1] valid[{{%.*}}, {{%.*}}] undefined : memref<4x16xf32>
func.func @what_is_left_out_stays_undefined(%x: memref<4x16xf32>, %y: memref<16xf32>) {
  %zero = arith.constant 0 : index
  %few = arith.constant 3 : index
  %row = tile.read %y[%zero] strides [1] valid [%few] undefined : memref<16xf32> -> tensor<16xf32>
  %one = tile.expand_dims %row axis 0 : tensor<16xf32> -> tensor<1x16xf32>
  %all = tile.broadcast %one : tensor<1x16xf32> -> tensor<4x16xf32>
  %a = tile.read %x[%zero] strides [16, 1] valid [%few, %few] undefined : memref<4x16xf32> -> tensor<4x16xf32>
  %s = arith.addf %a, %all : tensor<4x16xf32>
  tile.write %s to %x[%zero] strides [16, 1] : tensor<4x16xf32> -> memref<4x16xf32>
  func.return
}

// CHECK-LABEL: func.func @leaves_alone
// CHECK-NOT: neuron.mem
// CHECK: func.return
func.func @leaves_alone(%i: index) {
  %two = arith.constant 2 : index
  %j = arith.muli %i, %two : index
  "test.op"(%j) : (index) -> ()
  func.return
}
