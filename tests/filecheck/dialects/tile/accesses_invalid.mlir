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

func.func @positions_are_of_dimensions(%x: memref<64xf32>) {
  // CHECK: Operation does not verify: d1 is beyond the 1 dimensions of the tile
  %0 = tile.read %x [d0 by 8, d1 by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_scalar_has_no_dimensions(%x: memref<64xf32>) {
  // CHECK: Operation does not verify: d0 is beyond the 0 dimensions of the tile
  %0 = tile.read %x [d0 by 1] : memref<64xf32> -> f32
  func.return
}

// -----

func.func @scalars_are_there(%x: memref<64xf32>) {
  %i = "test.op"() : () -> index
  // CHECK: Operation does not verify: there are 1 index scalars, and no s1
  %0 = tile.read %x(%i) [s0 + d0 by 1, s1 by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @scalars_in_remainders_are_there(%x: memref<64xf32>) {
  // CHECK: Operation does not verify: there are 0 index scalars, and no s0
  %0 = tile.read %x [(s0 + d0) mod 4 by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @scalars_are_used(%x: memref<64xf32>) {
  %i = "test.op"() : () -> index
  // CHECK: Operation does not verify: the index scalar s0 is not used
  %0 = tile.read %x(%i) [d0 by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @index_tiles_are_there(%x: memref<64xf32>) {
  // CHECK: Operation does not verify: there are 0 index tiles, and no t0
  %0 = tile.read %x [t0(d0) by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @index_tiles_are_used(%x: memref<64xf32>) {
  %t = "test.op"() : () -> tensor<8xi32>
  // CHECK: Operation does not verify: the index tile t0 is not used
  %0 = tile.read %x index(%t : tensor<8xi32>) [d0 by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @an_index_tile_has_as_many_places(%x: memref<64xf32>) {
  %t = "test.op"() : () -> tensor<4xi32>
  // CHECK: Operation does not verify: t0(d0) is read over [8], and t0 is [4]
  %0 = tile.read %x index(%t : tensor<4xi32>) [t0(d0) by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @an_index_tile_is_read_at_all_dimensions(%x: memref<64xf32>) {
  %t = "test.op"() : () -> tensor<8xi32>
  // CHECK: Operation does not verify: t0() is read over [], and t0 is [8]
  %0 = tile.read %x index(%t : tensor<8xi32>) [d0 + t0() by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @an_index_tile_is_read_at_0_where_it_has_one_place(%x: memref<64xf32>) {
  %t = "test.op"() : () -> tensor<8xi32>
  // CHECK: Operation does not verify: t0(0) is read over [1], and t0 is [8]
  %0 = tile.read %x index(%t : tensor<8xi32>) [d0 + t0(0) by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @an_index_tile_is_read_at_positions_of_the_tile(%x: memref<64xf32>) {
  %t = "test.op"() : () -> tensor<8xi32>
  // CHECK: Operation does not verify: t0(d1) is read over [-1], and t0 is [8]
  %0 = tile.read %x index(%t : tensor<8xi32>) [t0(d1) by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @index_tiles_are_integers(%x: memref<64xf32>) {
  %t = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: t0 must be of integers, got tensor<8xf32>
  %0 = tile.read %x index(%t : tensor<8xf32>) [t0(d0) by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_coordinate_does_something(%x: memref<64xf32>) {
  // CHECK: Operation does not verify: 'd0 by 0' addresses nothing and has no bounds
  %0 = tile.read %x [d0 by 0] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_position_is_a_word(%x: memref<64xf32>) {
  // CHECK: Operation does not verify: the numbers of '9223372036854775808 + d0 by 1' are of 64 bits
  %0 = tile.read %x [d0 + 9223372036854775808 by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_stride_is_a_word(%x: memref<64xf32>) {
  // CHECK: Operation does not verify: the numbers of 'd0 by 9223372036854775808' are of 64 bits
  %0 = tile.read %x [d0 by 9223372036854775808] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_lower_bound_is_a_word(%x: memref<64xf32>) {
  // CHECK: Operation does not verify: the numbers of 'd0 in -9223372036854775809 to 4 by 1' are of 64 bits
  %0 = tile.read %x [d0 in -9223372036854775809 to 4 by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @an_upper_bound_is_a_word(%x: memref<64xf32>) {
  // CHECK: Operation does not verify: the numbers of 'd0 in * to 9223372036854775808 by 1' are of 64 bits
  %0 = tile.read %x [d0 in * to 9223372036854775808 by 1] : memref<64xf32> -> tensor<8xf32>
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
  %t = "test.op"() : () -> tensor<64xf32>
  // CHECK: tensor<64xf32> should be of base attribute memref
  %0 = tile.read %t [d0 by 1] : tensor<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_mask_of_a_read_has_its_shape(%x: memref<64xf32>) {
  %m = "test.op"() : () -> tensor<4xi1>
  // CHECK: Operation does not verify: the mask must be i1 of shape [8], got tensor<4xi1>
  %0 = tile.read %x [d0 by 1] mask %m : tensor<4xi1> : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_mask_of_a_read_is_i1(%x: memref<64xf32>) {
  %m = "test.op"() : () -> tensor<8xi8>
  // CHECK: Operation does not verify: the mask must be i1 of shape [8], got tensor<8xi8>
  %0 = tile.read %x [d0 by 1] mask %m : tensor<8xi8> : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @other_of_a_read_is_an_element(%x: memref<64xf32>) {
  // CHECK: Operation does not verify: 'other' must be f32, got 0 : i32
  %0 = tile.read %x [d0 in 0 to 5 by 1] other 0 : i32 : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @what_reads_as_other_is_defined(%x: memref<64xf32>) {
  // CHECK: Operation does not verify: elements that read as 'other' are not undefined
  %0 = tile.read %x [d0 in 0 to 5 by 1] other 0.0 : f32 undefined : memref<64xf32> -> tensor<8xf32>
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

func.func @only_what_a_read_leaves_out_is_undefined(%x: memref<64xf32>) {
  // CHECK: Operation does not verify: nothing is left out that could be undefined
  %0 = tile.read %x [d0 by 1] undefined : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @positions_of_a_write_are_of_dimensions(%x: memref<64xf32>) {
  %v = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: d1 is beyond the 1 dimensions of the tile
  tile.write %v to %x [d0 by 8, d1 by 1] : tensor<8xf32> -> memref<64xf32>
  func.return
}

// -----

func.func @write_keeps_the_type(%x: memref<64xf32>) {
  %v = "test.op"() : () -> tensor<8xbf16>
  // CHECK: Operation does not verify: memory has elements f32, got tensor<8xbf16>
  tile.write %v to %x [d0 by 1] : tensor<8xbf16> -> memref<64xf32>
  func.return
}

// -----

func.func @a_mask_of_a_write_has_its_shape(%x: memref<64xf32>) {
  %v, %m = "test.op"() : () -> (tensor<8xf32>, i1)
  // CHECK: Operation does not verify: the mask must be i1 of shape [8], got i1
  tile.write %v to %x [d0 by 1] mask %m : i1 : tensor<8xf32> -> memref<64xf32>
  func.return
}

// -----

func.func @a_position_is_a_number_or_a_counter(%x: memref<64xf32>) {
  // CHECK: expected an integer, a position d<n>, a scalar s<n>, an element t<n>(…) or '('
  %0 = tile.read %x [i0 by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_counter_has_a_number(%x: memref<64xf32>) {
  // CHECK: expected an integer, a position d<n>, a scalar s<n>, an element t<n>(…) or '('
  %0 = tile.read %x [d by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_position_is_there(%x: memref<64xf32>) {
  // CHECK: expected an integer, a position d<n>, a scalar s<n>, an element t<n>(…) or '('
  %0 = tile.read %x [by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @an_element_has_places(%x: memref<64xf32>) {
  // CHECK: '(' expected
  %0 = tile.read %x [t0 by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @places_in_an_index_tile_are_positions(%x: memref<64xf32>) {
  // CHECK: an index tile is read at positions d<n>, or at 0
  %0 = tile.read %x [t0(s0) by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @no_other_number_is_a_place_in_an_index_tile(%x: memref<64xf32>) {
  // CHECK: an index tile is read at positions d<n>, or at 0
  %0 = tile.read %x [t0(3) by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_place_in_an_index_tile_is_there(%x: memref<64xf32>) {
  // CHECK: Expected integer literal
  %0 = tile.read %x [t0(+) by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @bounds_have_two_ends(%x: memref<64xf32>) {
  // CHECK: Expected 'to'
  %0 = tile.read %x [d0 in 0 by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_lower_bound_is_a_number(%x: memref<64xf32>) {
  // CHECK: Expected integer literal
  %0 = tile.read %x [d0 in s0 to 5 by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @an_upper_bound_is_a_number(%x: memref<64xf32>) {
  // CHECK: Expected integer literal
  %0 = tile.read %x [d0 in 0 to true by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_stride_is_a_number(%x: memref<64xf32>) {
  // CHECK: Expected integer literal
  %0 = tile.read %x [d0 by d0] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @positions_are_not_multiplied(%x: memref<64xf32>) {
  // CHECK: one side of '*' must be a constant
  %0 = tile.read %x [d0 * d0 by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @remainders_are_by_something(%x: memref<64xf32>) {
  // CHECK: 'mod' by zero
  %0 = tile.read %x [d0 mod 0 by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @coordinates_are_in_brackets(%x: memref<64xf32>) {
  // CHECK: '[' expected
  %0 = tile.read %x d0 by 1 : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @coordinates_end(%x: memref<64xf32>) {
  // CHECK: ']' expected
  %0 = tile.read %x [d0 by 1 : memref<64xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @atomics_update_what_pointers_name() {
  %p, %v = "test.op"() : () -> (!tile.ptr<f32>, bf16)
  // CHECK: Operation does not verify: pointers !tile.ptr<f32> do not point to bf16
  %0 = tile.atomic add %p, %v : !tile.ptr<f32>, bf16 -> bf16
  func.return
}

// -----

func.func @a_value_for_each_pointer_of_an_atomic() {
  %p, %v = "test.op"() : () -> (tensor<8x!tile.ptr<f32>>, f32)
  // CHECK: Operation does not verify: pointers (8,) and data () differ in shape
  %0 = tile.atomic add %p, %v : tensor<8x!tile.ptr<f32>>, f32 -> f32
  func.return
}

// -----

func.func @masks_of_atomics_are_truth_values() {
  %p, %v, %m = "test.op"() : () -> (!tile.ptr<f32>, f32, i8)
  // CHECK: Operation does not verify: the mask must be i1 of shape (), got i8
  %0 = tile.atomic add %p, %v mask %m : i8 : !tile.ptr<f32>, f32 -> f32
  func.return
}

// -----

func.func @compare_exchange_expects() {
  %p, %v = "test.op"() : () -> (!tile.ptr<f32>, f32)
  // CHECK: Operation does not verify: compare_exchange, and nothing else, has what it expects
  %0 = tile.atomic compare_exchange %p, %v : !tile.ptr<f32>, f32 -> f32
  func.return
}

// -----

func.func @nothing_else_expects() {
  %p, %v = "test.op"() : () -> (!tile.ptr<f32>, f32)
  // CHECK: Operation does not verify: compare_exchange, and nothing else, has what it expects
  %0 = tile.atomic exchange %p, %v expected %v : f32 : !tile.ptr<f32>, f32 -> f32
  func.return
}

// -----

func.func @what_is_expected_is_an_element() {
  %p, %v, %e = "test.op"() : () -> (!tile.ptr<f32>, f32, i32)
  // CHECK: Operation does not verify: what is expected must be f32, got i32
  %0 = tile.atomic compare_exchange %p, %v expected %e : i32 : !tile.ptr<f32>, f32 -> f32
  func.return
}

// -----

func.func @atomics_give_what_was_there() {
  %p, %v = "test.op"() : () -> (!tile.ptr<f32>, f32)
  // CHECK: Operation does not verify: the result must be f32, got i32
  %0 = tile.atomic add %p, %v : !tile.ptr<f32>, f32 -> i32
  func.return
}

// -----

func.func @bits_are_of_integers() {
  %p, %v = "test.op"() : () -> (!tile.ptr<f32>, f32)
  // CHECK: Operation does not verify: xor is for integers; elements are f32
  %0 = tile.atomic xor %p, %v : !tile.ptr<f32>, f32 -> f32
  func.return
}

// -----

func.func @truth_values_of_words(%m: memref<64xui32>) {
  // CHECK: the pointer's element type must be the memref's, or i1 of ui8
  %p = tile.base %m : memref<64xui32> -> !tile.ptr<i1>
  func.return
}

// -----

func.func @a_diagonal_of_an_index_tile(%x: memref<64xf32>, %i: tensor<8x8xi32>) {
  // CHECK: Operation does not verify: t0(d0, d0) goes along one dimension twice
  %v = tile.read %x index(%i : tensor<8x8xi32>) [t0(d0, d0) by 1] : memref<64xf32> -> tensor<8xf32>
  func.return
}
