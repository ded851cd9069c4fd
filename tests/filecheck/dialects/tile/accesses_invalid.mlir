// RUN: NKI_INVALID

// One rule in each chunk, which is named after it.

func.func @base_keeps_the_type(%x: memref<64xf32>) {
  // CHECK: Operation does not verify: the pointer's element type must be the memref's
  %0 = tile.base %x : memref<64xf32> -> !tile.ptr<bf16>
  func.return
}

// -----

func.func @base_takes_a_memref() {
  %t = "test.op"() : () -> tensor<64xf32>
  // CHECK: tensor<64xf32> should be of base attribute memref
  %0 = tile.base %t : tensor<64xf32> -> !tile.ptr<f32>
  func.return
}

// -----

func.func @add_ptr_moves_a_pointer() {
  %i = "test.op"() : () -> index
  // CHECK: Operation does not verify: the first operand and the result must be pointers of one type
  %0 = tile.add_ptr %i, %i : index, index -> index
  func.return
}

// -----

func.func @add_ptr_keeps_the_type() {
  %p, %i = "test.op"() : () -> (!tile.ptr<f32>, index)
  // CHECK: Operation does not verify: the first operand and the result must be pointers of one type
  %0 = tile.add_ptr %p, %i : !tile.ptr<f32>, index -> !tile.ptr<bf16>
  func.return
}

// -----

func.func @an_offset_for_each_pointer() {
  %p, %i = "test.op"() : () -> (tensor<8x!tile.ptr<f32>>, index)
  // CHECK: Operation does not verify: pointers (8,) and offsets () differ in shape
  %0 = tile.add_ptr %p, %i : tensor<8x!tile.ptr<f32>>, index -> tensor<8x!tile.ptr<f32>>
  func.return
}

// -----

func.func @offsets_are_integers() {
  %p, %i = "test.op"() : () -> (!tile.ptr<f32>, f32)
  // CHECK: Operation does not verify: offsets must be integers, got f32
  %0 = tile.add_ptr %p, %i : !tile.ptr<f32>, f32 -> !tile.ptr<f32>
  func.return
}

// -----

func.func @load_gives_what_pointers_name() {
  %p = "test.op"() : () -> tensor<8x!tile.ptr<f32>>
  // CHECK: Operation does not verify: pointers tensor<8x!tile.ptr<f32>> do not point to bf16
  %0 = tile.load %p : tensor<8x!tile.ptr<f32>> -> tensor<8xbf16>
  func.return
}

// -----

func.func @load_takes_pointers() {
  %p = "test.op"() : () -> tensor<8xindex>
  // CHECK: Operation does not verify: pointers tensor<8xindex> do not point to f32
  %0 = tile.load %p : tensor<8xindex> -> tensor<8xf32>
  func.return
}

// -----

func.func @load_keeps_the_shape() {
  %p = "test.op"() : () -> tensor<8x!tile.ptr<f32>>
  // CHECK: Operation does not verify: pointers (8,) and data (4,) differ in shape
  %0 = tile.load %p : tensor<8x!tile.ptr<f32>> -> tensor<4xf32>
  func.return
}

// -----

func.func @a_mask_for_each_pointer() {
  %p, %m = "test.op"() : () -> (tensor<8x!tile.ptr<f32>>, tensor<4xi1>)
  // CHECK: Operation does not verify: the mask must be i1 of shape (8,), got tensor<4xi1>
  %0 = tile.load %p mask %m : tensor<4xi1> : tensor<8x!tile.ptr<f32>> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_mask_is_i1() {
  %p, %m = "test.op"() : () -> (tensor<8x!tile.ptr<f32>>, tensor<8xi8>)
  // CHECK: Operation does not verify: the mask must be i1 of shape (8,), got tensor<8xi8>
  %0 = tile.load %p mask %m : tensor<8xi8> : tensor<8x!tile.ptr<f32>> -> tensor<8xf32>
  func.return
}

// -----

func.func @other_is_an_element() {
  %p, %m, %o = "test.op"() : () -> (tensor<8x!tile.ptr<f32>>, tensor<8xi1>, bf16)
  // CHECK: Operation does not verify: 'other' must be a scalar f32, got bf16
  %0 = tile.load %p mask %m : tensor<8xi1> other %o : bf16 : tensor<8x!tile.ptr<f32>> -> tensor<8xf32>
  func.return
}

// -----

func.func @store_takes_what_pointers_name() {
  %p, %v = "test.op"() : () -> (tensor<8x!tile.ptr<f32>>, tensor<8xbf16>)
  // CHECK: Operation does not verify: pointers tensor<8x!tile.ptr<f32>> do not point to bf16
  tile.store %p, %v : tensor<8x!tile.ptr<f32>>, tensor<8xbf16>
  func.return
}

// -----

func.func @a_stride_for_each_dimension(%x: memref<64xf32>) {
  %i = "test.op"() : () -> index
  // CHECK: Operation does not verify: d1 is beyond the 1 dimensions of the tile
  %0 = tile.read %x(%i) [s0 + d0 by 1] : memref<64xf32> -> tensor<2x4xf32>
  func.return
}

// -----

func.func @an_extent_for_each_dimension(%x: memref<64xf32>) {
  %i = "test.op"() : () -> index
  // CHECK: Operation does not verify: there are 1 index scalars, and no s1
  %0 = tile.read %x(%i) [s1 + d0 by 4, d1 by 1] : memref<64xf32> -> tensor<2x4xf32>
  func.return
}

// -----

func.func @read_keeps_the_type(%x: memref<64xf32>) {
  %i = "test.op"() : () -> index
  // CHECK: Operation does not verify: memory has elements f32, got tensor<8xbf16>
  %0 = tile.read %x(%i) [s0 + d0 by 1] : memref<64xf32> -> tensor<8xbf16>
  func.return
}

// -----

func.func @read_of_a_memref() {
  %i, %t = "test.op"() : () -> (index, tensor<64xf32>)
  // CHECK: tensor<64xf32> should be of base attribute memref
  %0 = tile.read %t(%i) [s0 + d0 by 1] : tensor<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @other_of_a_read_is_an_element(%x: memref<64xf32>) {
  %i = "test.op"() : () -> index
  // CHECK: Operation does not verify: 'other' must be f32, got 0 : i32
  %0 = tile.read %x(%i) [s0 + d0 in 0 to 5 by 1] other 0 : i32 : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @what_reads_as_other_is_defined(%x: memref<64xf32>) {
  %i = "test.op"() : () -> index
  // CHECK: Operation does not verify: elements that read as 'other' are not undefined
  %0 = tile.read %x(%i) [s0 + d0 in 0 to 5 by 1] other 0.0 : f32 undefined : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @only_what_is_left_out_is_undefined() {
  %p = "test.op"() : () -> tensor<8x!tile.ptr<f32>>
  // CHECK: Operation does not verify: nothing is left out that could be undefined
  %0 = tile.load %p undefined : tensor<8x!tile.ptr<f32>> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_stride_for_each_dimension_written(%x: memref<64xf32>) {
  %i, %v = "test.op"() : () -> (index, tensor<8xf32>)
  // CHECK: Operation does not verify: d1 is beyond the 1 dimensions of the tile
  tile.write %v to %x(%i) [d0 by 8, s0 + d1 by 1] : tensor<8xf32> -> memref<64xf32>
  func.return
}

// -----

func.func @write_keeps_the_type(%x: memref<64xf32>) {
  %i, %v = "test.op"() : () -> (index, tensor<8xbf16>)
  // CHECK: Operation does not verify: memory has elements f32, got tensor<8xbf16>
  tile.write %v to %x(%i) [s0 + d0 by 1] : tensor<8xbf16> -> memref<64xf32>
  func.return
}
