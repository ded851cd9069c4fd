// RUN: nki-opt %s -p place --split-input-file | filecheck %s
// RUN: nki-opt %s -p place --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_vector_folds_over_the_partitions
// CHECK: neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
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
// CHECK: neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 1024xf32, [] x [d0]>
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
// CHECK: [[A:%.*]] = neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
// CHECK: [[T:%.*]] = neuron.mem.convert [[A]] : {{.*}} -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
// CHECK: [[B:%.*]] = neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>
// CHECK: [[Z:%.*]] = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
// CHECK: [[P:%.*]] = neuron.mem.matmul [[T]], [[B]] acc [[Z]]
// CHECK: neuron.mem.convert [[P]]
func.func @a_product_has_k_on_the_partitions(%x: memref<64x32xf32>, %y: memref<32x16xf32>, %z: memref<64x16xf32>) {
  %zero = arith.constant 0 : index
  %a = tile.read %x[%zero] strides [32, 1] : memref<64x32xf32> -> tensor<64x32xf32>
  %b = tile.read %y[%zero] strides [16, 1] : memref<32x16xf32> -> tensor<32x16xf32>
  %d = tile.dot %a, %b : tensor<64x32xf32>, tensor<32x16xf32> -> tensor<64x16xf32>
  tile.write %d to %z[%zero] strides [16, 1] : tensor<64x16xf32> -> memref<64x16xf32>
  func.return
}

// CHECK-LABEL: func.func @a_row_is_loaded_onto_all_partitions
// CHECK: neuron.mem.load {{.*}} strides [0, 1] {{.*}} -> !neuron.mem.tile<sbuf, 4x16xf32, [d0] x [d1]>
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

// CHECK-LABEL: func.func @leaves_alone
// CHECK-NOT: neuron.mem
// CHECK: func.return
func.func @leaves_alone(%i: index) {
  %two = arith.constant 2 : index
  %j = arith.muli %i, %two : index
  "test.op"(%j) : (index) -> ()
  func.return
}
