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

// CHECK-LABEL: func.func @an_operation_on_constants_is_filled
// CHECK: [[A:%.*]] = neuron.mem.fill {{%.*}} : f32 -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
// CHECK: [[B:%.*]] = neuron.mem.binary divide [[A]], {{%.*}}
// CHECK: [[C:%.*]] = neuron.mem.fill {{%.*}} : f32
// CHECK: [[D:%.*]] = neuron.mem.unary exp [[C]]
// CHECK: neuron.mem.binary add [[B]], [[D]]
func.func @an_operation_on_constants_is_filled(%x: memref<8xf32>) {
  %zero = arith.constant 0 : index
  %two = arith.constant 2.0 : f32
  %twos = tile.splat %two : f32 -> tensor<8xf32>
  %a = arith.divf %twos, %twos : tensor<8xf32>
  %b = math.exp %twos : tensor<8xf32>
  %c = arith.addf %a, %b : tensor<8xf32>
  tile.write %c to %x[%zero] strides [1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// CHECK-LABEL: func.func @unsigned_constants_are_their_bits
// CHECK: [[C:%.*]] = arith.constant -56 : i8
// CHECK: neuron.mem.binary bitwise_and {{%.*}}, [[C]] : !neuron.mem.tile<sbuf, 8xui8, [d0] x []>, i8
func.func @unsigned_constants_are_their_bits(%x: memref<8xui8>) {
  %zero = arith.constant 0 : index
  %c = arith.constant 200 : index
  %narrow = tile.cast %c : index -> ui8
  %all = tile.splat %narrow : ui8 -> tensor<8xui8>
  %v = tile.read %x[%zero] strides [1] : memref<8xui8> -> tensor<8xui8>
  %a = "arith.andi"(%v, %all) : (tensor<8xui8>, tensor<8xui8>) -> tensor<8xui8>
  tile.write %a to %x[%zero] strides [1] : tensor<8xui8> -> memref<8xui8>
  func.return
}

// CHECK-LABEL: func.func @a_shift_with_the_sign
// CHECK: [[SIGN:%.*]] = arith.constant 16 : i8
// CHECK: [[A:%.*]] = neuron.mem.binary right_shift
// CHECK: [[B:%.*]] = neuron.mem.binary bitwise_xor [[A]], [[SIGN]]
// CHECK: neuron.mem.binary subtract [[B]], [[SIGN]]
func.func @a_shift_with_the_sign(%x: memref<8xi8>) {
  %zero = arith.constant 0 : index
  %three = arith.constant 3 : i8
  %by = tile.splat %three : i8 -> tensor<8xi8>
  %v = tile.read %x[%zero] strides [1] : memref<8xi8> -> tensor<8xi8>
  %a = arith.shrsi %v, %by : tensor<8xi8>
  tile.write %a to %x[%zero] strides [1] : tensor<8xi8> -> memref<8xi8>
  func.return
}

// CHECK-LABEL: func.func @a_dimension_of_one_is_dropped
// CHECK-NOT: neuron.mem.reduce
// CHECK: neuron.mem.relabel {{.*}} -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
// CHECK: neuron.mem.store
func.func @a_dimension_of_one_is_dropped(%x: memref<8xf32>) {
  %zero = arith.constant 0 : index
  %v = tile.read %x[%zero] strides [1, 1] : memref<8xf32> -> tensor<8x1xf32>
  %a = tile.reduce sum %v axis 1 : tensor<8x1xf32> -> tensor<8xf32>
  tile.write %a to %x[%zero] strides [1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// CHECK-LABEL: func.func @indices_are_numbers
// CHECK: [[A:%.*]] = neuron.mem.iota {{%.*}} strides [3] -> !neuron.mem.tile<sbuf, 8xi32, [d0] x []>
// CHECK: neuron.mem.cast [[A]] : {{.*}} -> !neuron.mem.tile<sbuf, 8xi8, [d0] x []>
func.func @indices_are_numbers(%x: memref<8xi8>) {
  %zero = arith.constant 0 : index
  %range = tile.arange 0 to 8 : tensor<8xindex>
  %three = arith.constant 3 : index
  %threes = tile.splat %three : index -> tensor<8xindex>
  %steps = arith.muli %range, %threes : tensor<8xindex>
  %a = tile.cast %steps : tensor<8xindex> -> tensor<8xi8>
  tile.write %a to %x[%zero] strides [1] : tensor<8xi8> -> memref<8xi8>
  func.return
}

// CHECK-LABEL: func.func @a_comparison_of_two_dimensions_is_one_of_numbers
// CHECK: [[D:%.*]] = neuron.mem.iota {{%.*}} strides [1, -1] -> !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>
// CHECK: neuron.mem.binary greater_equal [[D]], {{%.*}}
func.func @a_comparison_of_two_dimensions_is_one_of_numbers(%x: memref<64xf32>) {
  %zero = arith.constant 0 : index
  %range = tile.arange 0 to 8 : tensor<8xindex>
  %c = tile.expand_dims %range axis 1 : tensor<8xindex> -> tensor<8x1xindex>
  %r = tile.expand_dims %range axis 0 : tensor<8xindex> -> tensor<1x8xindex>
  %rows = tile.broadcast %c : tensor<8x1xindex> -> tensor<8x8xindex>
  %columns = tile.broadcast %r : tensor<1x8xindex> -> tensor<8x8xindex>
  %mask = tile.compare ge %rows, %columns : tensor<8x8xindex>, tensor<8x8xindex> -> tensor<8x8xi1>
  %v = tile.read %x[%zero] strides [8, 1] : memref<64xf32> -> tensor<8x8xf32>
  %none = arith.constant 0.0 : f32
  %zeros = tile.splat %none : f32 -> tensor<8x8xf32>
  %a = tile.select %mask, %v, %zeros : tensor<8x8xi1>, tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  tile.write %a to %x[%zero] strides [8, 1] : tensor<8x8xf32> -> memref<64xf32>
  func.return
}

// CHECK-LABEL: func.func @a_row_is_computed_on_all_partitions
// CHECK: neuron.mem.load {{.*}} strides [0, 1] {{.*}} -> !neuron.mem.tile<sbuf, 4x16xf32, [d0] x [d1]>
// CHECK: neuron.mem.unary exp {{.*}} -> !neuron.mem.tile<sbuf, 4x16xf32, [d0] x [d1]>
// CHECK: neuron.mem.iota {{%.*}} strides [0, 1] -> !neuron.mem.tile<sbuf, 4x16xf32, [d0] x [d1]>
func.func @a_row_is_computed_on_all_partitions(%x: memref<4x16xf32>, %y: memref<16xf32>) {
  %zero = arith.constant 0 : index
  %a = tile.read %x[%zero] strides [16, 1] : memref<4x16xf32> -> tensor<4x16xf32>
  %row = tile.read %y[%zero] strides [1] : memref<16xf32> -> tensor<16xf32>
  %exp = math.exp %row : tensor<16xf32>
  %range = tile.arange 0 to 16 : tensor<16xindex>
  %numbers = tile.cast %range : tensor<16xindex> -> tensor<16xf32>
  %sum = arith.addf %exp, %numbers : tensor<16xf32>
  %one = tile.expand_dims %sum axis 0 : tensor<16xf32> -> tensor<1x16xf32>
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

// CHECK-LABEL: func.func @what_is_left_out_stays_undefined
// CHECK: neuron.mem.load {{.*}} strides [1] valid[{{%.*}}] undefined : memref<16xf32>
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
