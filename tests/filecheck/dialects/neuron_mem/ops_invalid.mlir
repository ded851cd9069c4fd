// RUN: NKI_INVALID

// One rule in each chunk, which is named after it.

// CHECK: vector<4xf8E4M3FN> is no element type that a tile is computed in
func.func @what_a_tile_holds(%0: !neuron.mem.tile<sbuf, 1024xvector<4xf8E4M3FN>, [d0:128] x [d0/128:8]>) {
  func.return
}

// -----

// CHECK: index is no element type that a tile is computed in
func.func @indices_address_memory(%0: !neuron.mem.tile<sbuf, 8xindex, [d0] x []>) {
  func.return
}

// -----

// CHECK: a tile lies in sbuf or psum; HBM is reached through memrefs
func.func @a_space_of_the_chip(%0: !neuron.mem.tile<hbm, 8xf32, [d0] x []>) {
  func.return
}

// -----

// CHECK: the digits of d0 must follow one another: one of step 1 is missing
func.func @digits_follow_one_another(%0: !neuron.mem.tile<sbuf, 8xf32, [d0/2:4] x []>) {
  func.return
}

// -----

// CHECK: the digits of d0 must follow one another: one of step 4 is missing
func.func @digits_do_not_overlap(%0: !neuron.mem.tile<sbuf, 8xf32, [d0:4] x [d0/2:4]>) {
  func.return
}

// -----

// CHECK: the digits of d0 reach 4 of its 8 indices
func.func @digits_cover_the_size(%0: !neuron.mem.tile<sbuf, 8xf32, [d0:4] x []>) {
  func.return
}

// -----

// CHECK: the digits of d1 reach 1 of its 8 indices
func.func @every_dimension_has_digits(%0: !neuron.mem.tile<sbuf, 4x8xf32, [d0] x []>) {
  func.return
}

// -----

// CHECK: a tensor on chip has no empty dimension, got [0]
func.func @no_dimension_is_empty(%0: !neuron.mem.tile<sbuf, 0xf32, [] x []>) {
  func.return
}

// -----

// CHECK: expected a dimension d0 … of 1, '*' or '_'
func.func @a_factor_names_a_dimension(%0: !neuron.mem.tile<sbuf, 8xf32, [d1] x []>) {
  func.return
}

// -----

// CHECK: expected a dimension d0 … of 1, '*' or '_'
func.func @a_factor_is_no_word(%0: !neuron.mem.tile<sbuf, 8xf32, [rows] x []>) {
  func.return
}

// -----

// CHECK: the step and the size of a factor are positive
func.func @a_digit_has_values(%0: !neuron.mem.tile<sbuf, 8xf32, [d0:0] x []>) {
  func.return
}

// -----

// CHECK: the step and the size of a factor are positive
func.func @a_digit_has_a_step(%0: !neuron.mem.tile<sbuf, 8xf32, [d0/0:8] x []>) {
  func.return
}

// -----

// CHECK: the size of a factor is positive
func.func @a_replica_is_there(%0: !neuron.mem.tile<sbuf, 8xf32, [*:0, d0] x []>) {
  func.return
}

// -----

// CHECK: the size of a factor is positive
func.func @unused_places_are_some(%0: !neuron.mem.tile<sbuf, 8xf32, [d0, _:0] x []>) {
  func.return
}

// -----

func.func @no_more_partitions_than_there_are(%0: f32) {
  // CHECK: spans 200 partitions; there are 128
  %r = neuron.mem.fill %0 : f32 -> !neuron.mem.tile<sbuf, 200x8xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @psum_holds_f32(%0: bf16) {
  // CHECK: psum holds f32, 16384 bytes of it on each partition
  %r = neuron.mem.fill %0 : bf16 -> !neuron.mem.tile<psum, 64xbf16, [d0] x []>
  func.return
}

// -----

func.func @psum_holds_so_much() {
  // CHECK: psum holds f32, 16384 bytes of it on each partition
  %r = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x4097xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @positions_of_a_load_are_of_dimensions(%0: memref<2048xf32>, %1: index) {
  // CHECK: d2 is beyond the 2 dimensions of the tile
  %r = neuron.mem.load %0(%1) [s0 + d0 by 32, d2 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @load_uses_its_scalars(%0: memref<2048xf32>, %1: index) {
  // CHECK: the index scalar s0 is not used
  %r = neuron.mem.load %0(%1) [d0 by 32, d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @load_keeps_the_type(%0: memref<2048xf32>, %1: index) {
  // CHECK: memory has elements f32, got !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  %r = neuron.mem.load %0(%1) [d0 by 32, s0 + d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @load_reaches_sbuf(%0: memref<2048xf32>, %1: index) {
  // CHECK: DMA reaches HBM and SBUF, not PSUM
  %r = neuron.mem.load %0(%1) [d0 by 32, s0 + d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @load_fills_with_elements(%0: memref<2048xf32>, %1: index) {
  // CHECK: 'other' must be f32, got 0 : i32
  %r = neuron.mem.load %0(%1) [d0 by 32, s0 + d1 by 1] other 0 : i32 : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @positions_of_a_store_are_of_dimensions(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, %1: memref<2048xf32>, %2: index) {
  // CHECK: d2 is beyond the 2 dimensions of the tile
  neuron.mem.store %0 to %1(%2) [d0 by 32, s0 + d1 by 1, d2 by 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  func.return
}

// -----

func.func @scalars_of_a_store_are_there(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, %1: memref<2048xf32>, %2: index) {
  // CHECK: there are 1 index scalars, and no s1
  neuron.mem.store %0 to %1(%2) [d0 by 32, s1 + d1 by 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  func.return
}

// -----

func.func @store_keeps_the_type(%0: !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>, %1: memref<2048xf32>, %2: index) {
  // CHECK: memory has elements f32, got !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  neuron.mem.store %0 to %1(%2) [d0 by 32, s0 + d1 by 1] : !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]> -> memref<2048xf32>
  func.return
}

// -----

func.func @store_reaches_sbuf(%0: !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]>, %1: memref<2048xf32>, %2: index) {
  // CHECK: DMA reaches HBM and SBUF, not PSUM
  neuron.mem.store %0 to %1(%2) [d0 by 32, s0 + d1 by 1] : !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]> -> memref<2048xf32>
  func.return
}

// -----

func.func @an_index_tile_of_a_load_has_as_many_places(%0: memref<2048xf32>, %1: !neuron.mem.tile<sbuf, 32xi32, [d0] x []>) {
  // CHECK: t0(d0) is read over [64], and t0 is [32]
  %r = neuron.mem.load %0 index(%1 : !neuron.mem.tile<sbuf, 32xi32, [d0] x []>) [t0(d0) by 32, d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @index_tiles_of_a_load_are_integers(%0: memref<2048xf32>, %1: !neuron.mem.tile<sbuf, 64xf32, [d0] x []>) {
  // CHECK: t0 must be of integers, got !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  %r = neuron.mem.load %0 index(%1 : !neuron.mem.tile<sbuf, 64xf32, [d0] x []>) [t0(d0) by 32, d1 by 1] : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @a_mask_of_a_load_has_its_shape(%0: memref<2048xf32>, %1: !neuron.mem.tile<sbuf, 64xi1, [d0] x []>) {
  // CHECK: the mask must be i1 of shape [64, 32], got !neuron.mem.tile<sbuf, 64xi1, [d0] x []>
  %r = neuron.mem.load %0 [d0 by 32, d1 by 1] mask %1 : !neuron.mem.tile<sbuf, 64xi1, [d0] x []> : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @what_a_load_reads_as_other_is_defined(%0: memref<2048xf32>) {
  // CHECK: elements that read as 'other' are not undefined
  %r = neuron.mem.load %0 [d0 by 32, d1 in 0 to 5 by 1] other 0.0 : f32 undefined : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @only_what_a_load_leaves_out_is_undefined(%0: memref<2048xf32>) {
  // CHECK: nothing is left out that could be undefined
  %r = neuron.mem.load %0 [d0 by 32, d1 by 1] undefined : memref<2048xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @a_store_moves_a_tile(%0: tensor<64x32xf32>, %1: memref<2048xf32>) {
  // CHECK: a store moves a tile, got tensor<64x32xf32>
  neuron.mem.store %0 to %1 [d0 by 32, d1 by 1] : tensor<64x32xf32> -> memref<2048xf32>
  func.return
}

// -----

func.func @fill_keeps_the_type(%0: bf16) {
  // CHECK: the scalar must be f32, got bf16
  %r = neuron.mem.fill %0 : bf16 -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @iota_has_a_stride_for_each_dimension(%0: index) {
  // CHECK: one stride for each dimension
  %r = neuron.mem.iota %0 strides [1] -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @iota_has_numbers_that_hold_it(%0: index) {
  // CHECK: an iota is i32 or a float, got i8
  %r = neuron.mem.iota %0 strides [1] -> !neuron.mem.tile<sbuf, 64xi8, [d0] x []>
  func.return
}

// -----

func.func @iota_lies_in_sbuf(%0: index) {
  // CHECK: an iota lies in sbuf
  %r = neuron.mem.iota %0 strides [32, 1] -> !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @a_mask_addresses_nothing(%0: index) {
  // CHECK: a mask has no memory: its coordinates have bounds and stride 0
  %r = neuron.mem.mask(%0) [s0 + d0 in 0 to 5 by 1] -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  func.return
}

// -----

func.func @a_mask_has_bounds() {
  // CHECK: 'd0 by 0' addresses nothing and has no bounds
  %r = neuron.mem.mask [d0 by 0] -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  func.return
}

// -----

func.func @a_mask_is_of_its_dimensions() {
  // CHECK: d2 is beyond the 2 dimensions of the tile
  %r = neuron.mem.mask [d2 in 0 to 5 by 0] -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  func.return
}

// -----

func.func @a_mask_uses_its_scalars(%0: index) {
  // CHECK: the index scalar s0 is not used
  %r = neuron.mem.mask(%0) [d0 in 0 to 5 by 0] -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  func.return
}

// -----

func.func @a_mask_has_no_index_tiles() {
  // CHECK: there are 0 index tiles, and no t0
  %r = neuron.mem.mask [t0(d0) in 0 to 5 by 0] -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  func.return
}

// -----

func.func @mask_is_of_truth_values(%0: index) {
  // CHECK: a mask is i1
  %r = neuron.mem.mask(%0) [s0 + d0 in 0 to 5 by 0] -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @unary_keeps_the_layout(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: operands and result must lie alike
  %r = neuron.mem.unary exp %0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  func.return
}

// -----

func.func @unary_keeps_the_space(%0: !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]>) {
  // CHECK: operands and result must lie alike
  %r = neuron.mem.unary exp %0 : !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @binary_takes_operators_of_two(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: abs takes one operand
  %r = neuron.mem.binary abs %0, %0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @binary_takes_a_tile(%0: f32) {
  // CHECK: one operand must be a tile
  %r = neuron.mem.binary add %0, %0 : f32, f32 -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @binary_operands_lie_alike(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, %1: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>) {
  // CHECK: operands and result must lie alike
  %r = neuron.mem.binary add %0, %1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @binary_keeps_the_shape(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, %1: !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) {
  // CHECK: operands and result must lie alike
  %r = neuron.mem.binary add %0, %1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @binary_keeps_the_layout(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, %1: f32) {
  // CHECK: operands and result must lie alike
  %r = neuron.mem.binary add %0, %1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, f32 -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  func.return
}

// -----

func.func @a_comparison_gives_truth_values(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: comparisons, and nothing else, give i1
  %r = neuron.mem.binary less %0, %0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @a_sum_gives_numbers(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: comparisons, and nothing else, give i1
  %r = neuron.mem.binary add %0, %0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  func.return
}

// -----

func.func @select_operands_lie_alike(%0: !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>, %1: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>) {
  // CHECK: operands and result must lie alike
  %r = neuron.mem.select %0, %1, %1 : !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  func.return
}

// -----

func.func @select_has_a_condition(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: the condition must be i1
  %r = neuron.mem.select %0, %0, %0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @cast_keeps_the_layout(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: operands and result must lie alike
  %r = neuron.mem.cast %0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xbf16, [d1] x [d0]>
  func.return
}

// -----

func.func @broadcast_repeats_ones(%0: !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) {
  // CHECK: shape [64, 16] does not broadcast to [64, 32]
  %r = neuron.mem.broadcast %0 : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @broadcast_keeps_the_rank(%0: !neuron.mem.tile<sbuf, 32xf32, [] x [d0]>) {
  // CHECK: shape [32] does not broadcast to [64, 32]
  %r = neuron.mem.broadcast %0 : !neuron.mem.tile<sbuf, 32xf32, [] x [d0]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @broadcast_does_not_cross_partitions(%0: !neuron.mem.tile<sbuf, 1x32xf32, [] x [d1]>) {
  // CHECK: a broadcast to !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> takes !neuron.mem.tile<sbuf, 1x32xf32, [*:64] x [d1]>, got !neuron.mem.tile<sbuf, 1x32xf32, [] x [d1]>
  %r = neuron.mem.broadcast %0 : !neuron.mem.tile<sbuf, 1x32xf32, [] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @broadcast_keeps_the_space(%0: !neuron.mem.tile<sbuf, 1x32xf32, [*:64] x [d1]>) {
  // CHECK: takes !neuron.mem.tile<psum, 1x32xf32, [*:64] x [d1]>
  %r = neuron.mem.broadcast %0 : !neuron.mem.tile<sbuf, 1x32xf32, [*:64] x [d1]> -> !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @broadcast_keeps_the_type(%0: !neuron.mem.tile<sbuf, 1x32xf32, [*:64] x [d1]>) {
  // CHECK: takes !neuron.mem.tile<sbuf, 1x32xbf16, [*:64] x [d1]>
  %r = neuron.mem.broadcast %0 : !neuron.mem.tile<sbuf, 1x32xf32, [*:64] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @permute_is_an_order(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: [0, 0] is no order of 2 dimensions
  %r = neuron.mem.relabel %0 permute [0, 0] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @permute_is_of_all_dimensions(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: [0] is no order of 2 dimensions
  %r = neuron.mem.relabel %0 permute [0] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @reshape_keeps_the_elements(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: what lies like [d0] x [d1] can't be relabelled [64, 31]: [64, 32] and [64, 31] differ in their number of elements
  %r = neuron.mem.relabel %0 reshape [64, 31] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x31xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @merging_needs_a_dimension_without_padding(%0: !neuron.mem.tile<sbuf, 4x131xf32, [d1/2:66] x [d0, d1:2]>) {
  // CHECK: what lies like [d1/2:66] x [d0, d1:2] can't be relabelled [524]: d1 is padded
  %r = neuron.mem.relabel %0 reshape [524] : !neuron.mem.tile<sbuf, 4x131xf32, [d1/2:66] x [d0, d1:2]> -> !neuron.mem.tile<sbuf, 524xf32, [] x [d0]>
  func.return
}

// -----

func.func @splitting_needs_a_cut_between_digits(%0: !neuron.mem.tile<sbuf, 12xf32, [d0/3:4] x [d0:3]>) {
  // CHECK: can't be relabelled [6, 2]: d0/3:4 does not keep runs of 2 together
  %r = neuron.mem.relabel %0 reshape [6, 2] : !neuron.mem.tile<sbuf, 12xf32, [d0/3:4] x [d0:3]> -> !neuron.mem.tile<sbuf, 6x2xf32, [] x [d0, d1]>
  func.return
}

// -----

func.func @relabel_moves_nothing(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: the result must be !neuron.mem.tile<sbuf, 32x64xf32, [d1] x [d0]>
  %r = neuron.mem.relabel %0 permute [1, 0] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 32x64xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @convert_keeps_the_shape(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: a convert keeps shape and element type
  %r = neuron.mem.convert %0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @convert_keeps_the_type(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: a convert keeps shape and element type
  %r = neuron.mem.convert %0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @nothing_moves_nothing(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: by nothing: the places differ
  %r = neuron.mem.convert %0 by nothing : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  func.return
}

// -----

func.func @nothing_keeps_the_space(%0: !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]>) {
  // CHECK: by nothing: the places differ
  %r = neuron.mem.convert %0 by nothing : !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @nothing_makes_no_replicas(%0: !neuron.mem.tile<sbuf, 64xf32, [d0] x []>) {
  // CHECK: by nothing: the places differ
  %r = neuron.mem.convert %0 by nothing : !neuron.mem.tile<sbuf, 64xf32, [d0] x []> -> !neuron.mem.tile<sbuf, 64xf32, [*:2, d0] x []>
  func.return
}

// -----

func.func @copy_keeps_the_partitions(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: by copy: elements change their partition
  %r = neuron.mem.convert %0 by copy : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  func.return
}

// -----

func.func @copy_has_partitions_in_a_row(%0: !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x []>) {
  // CHECK: by copy: the partitions do not follow one another
  %r = neuron.mem.convert %0 by copy : !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x []> -> !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x [*:2]>
  func.return
}

// -----

func.func @blocks_are_turned_in_sbuf(%0: !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]>) {
  // CHECK: by vector: blocks are turned within sbuf
  %r = neuron.mem.convert %0 by vector : !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  func.return
}

// -----

func.func @blocks_are_of_matrices(%0: !neuron.mem.tile<sbuf, 64x32x2xf32, [d0] x [d1, d2]>) {
  // CHECK: by vector: blocks are turned of matrices, of elements of 2 or 4 bytes
  %r = neuron.mem.convert %0 by vector : !neuron.mem.tile<sbuf, 64x32x2xf32, [d0] x [d1, d2]> -> !neuron.mem.tile<sbuf, 64x32x2xf32, [d1] x [d0, d2]>
  func.return
}

// -----

func.func @blocks_are_of_words(%0: !neuron.mem.tile<sbuf, 64x32xi8, [d0] x [d1]>) {
  // CHECK: by vector: blocks are turned of matrices, of elements of 2 or 4 bytes
  %r = neuron.mem.convert %0 by vector : !neuron.mem.tile<sbuf, 64x32xi8, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi8, [d1] x [d0]>
  func.return
}

// -----

func.func @blocks_are_dealt_out(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0/2:32] x [d0:2, d1]>) {
  // CHECK: by vector: one dimension is dealt out over the partitions before, the other after
  %r = neuron.mem.convert %0 by vector : !neuron.mem.tile<sbuf, 64x32xf32, [d0/2:32] x [d0:2, d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  func.return
}

// -----

func.func @dma_does_not_reach_psum(%0: !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]>) {
  // CHECK: by dma: DMA moves within sbuf
  %r = neuron.mem.convert %0 by dma : !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  func.return
}

// -----

func.func @partitions_are_shuffled_in_sbuf(%0: !neuron.mem.tile<psum, 32xf32, [] x [d0]>) {
  // CHECK: by shuffle: partitions are shuffled within sbuf
  %r = neuron.mem.convert %0 by shuffle : !neuron.mem.tile<psum, 32xf32, [] x [d0]> -> !neuron.mem.tile<sbuf, 32xf32, [*:64] x [d0]>
  func.return
}

// -----

func.func @the_array_works_between_sbuf_and_sbuf(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: by words: what goes through the array begins and ends within sbuf
  %r = neuron.mem.convert %0 by words : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x32xf32, [d1] x [d0]>
  func.return
}

// -----

func.func @what_is_shuffled_stays_on_partitions(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: by shuffle: elements change between partitions and the free dimension
  %r = neuron.mem.convert %0 by shuffle : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  func.return
}

// -----

func.func @what_is_shuffled_lies_in_a_row(%0: !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x []>) {
  // CHECK: by shuffle: the partitions do not follow one another
  %r = neuron.mem.convert %0 by shuffle : !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x []> -> !neuron.mem.tile<sbuf, 3x5xf32, [d1, d0] x []>
  func.return
}

// -----

func.func @a_quadrant_takes_from_one(%0: !neuron.mem.tile<sbuf, 2x64xf32, [d0, d1] x []>) {
  // CHECK: by shuffle: a quadrant takes partitions from more than one other
  %r = neuron.mem.convert %0 by shuffle : !neuron.mem.tile<sbuf, 2x64xf32, [d0, d1] x []> -> !neuron.mem.tile<sbuf, 2x64xf32, [d1, d0] x []>
  func.return
}

// -----

func.func @integers_are_not_multiplied(%0: !neuron.mem.tile<sbuf, 64x32xi32, [d0] x [d1]>) {
  // CHECK: by tensor: the array of trn1 multiplies; it takes floats, not i32
  %r = neuron.mem.convert %0 by tensor : !neuron.mem.tile<sbuf, 64x32xi32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi32, [d1] x [d0]>
  func.return
}

// -----

func.func @what_is_turned_leaves_its_partition(%0: !neuron.mem.tile<sbuf, 4x8x16xf32, [d0, d1] x [d2]>) {
  // CHECK: by words: of the digits on the partitions some stay there, others do not
  %r = neuron.mem.convert %0 by words : !neuron.mem.tile<sbuf, 4x8x16xf32, [d0, d1] x [d2]> -> !neuron.mem.tile<sbuf, 4x8x16xf32, [d0, d2] x [d1]>
  func.return
}

// -----

func.func @what_is_turned_lies_in_a_row(%0: !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x []>) {
  // CHECK: by words: the partitions do not follow one another
  %r = neuron.mem.convert %0 by words : !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x []> -> !neuron.mem.tile<sbuf, 3x5xf32, [] x [d0, d1]>
  func.return
}

// -----

func.func @what_is_turned_is_walked(%0: !neuron.mem.tile<sbuf, 2x2x2x2x2xf32, [d0, d1, d2, d3, d4] x []>) {
  // CHECK: by words: an access pattern has 4 dimensions, and steps of at most 32767
  %r = neuron.mem.convert %0 by words : !neuron.mem.tile<sbuf, 2x2x2x2x2xf32, [d0, d1, d2, d3, d4] x []> -> !neuron.mem.tile<sbuf, 2x2x2x2x2xf32, [] x [d4, d3, d2, d1, d0]>
  func.return
}

// -----

func.func @what_is_turned_lies_near(%0: !neuron.mem.tile<sbuf, 2x17000xf32, [] x [d0, d1]>) {
  // CHECK: by words: an access pattern has 4 dimensions, and steps of at most 32767
  %r = neuron.mem.convert %0 by words : !neuron.mem.tile<sbuf, 2x17000xf32, [] x [d0, d1]> -> !neuron.mem.tile<sbuf, 2x17000xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @ones_are_for_one_partition(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: by ones: one partition holds all, and the others want all of it
  %r = neuron.mem.convert %0 by ones : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  func.return
}

// -----

func.func @reduce_a_dimension_that_is_free(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: axis 0 must be a dimension that is not on the partitions
  %r = neuron.mem.reduce sum %0 axis 0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 32xf32, [] x [d0]>
  func.return
}

// -----

func.func @reduce_a_dimension_that_is_there(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: axis 2 must be a dimension that is not on the partitions
  %r = neuron.mem.reduce sum %0 axis 2 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  func.return
}

// -----

func.func @reduce_takes_the_dimension_out(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: the result must be !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  %r = neuron.mem.reduce sum %0 axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [] x [d0]>
  func.return
}

// -----

func.func @reduce_keeps_the_type(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: the result must be !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  %r = neuron.mem.reduce sum %0 axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xbf16, [d0] x []>
  func.return
}

// -----

func.func @an_accumulator_lies_in_psum() {
  // CHECK: an accumulator lies in psum
  %r = neuron.mem.accumulator : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @products_are_of_matrices(%0: !neuron.mem.tile<sbuf, 64x32x1xf32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %2: !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) {
  // CHECK: shapes [64, 32, 1] and [32, 16] do not multiply
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<sbuf, 64x32x1xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @shapes_multiply(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, %2: !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) {
  // CHECK: shapes [64, 32] and [64, 16] do not multiply
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @terms_of_lhs_are_on_the_partitions(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, %1: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %2: !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) {
  // CHECK: the contraction dimension must be on the partitions: dim 1 of lhs and dim 0 of rhs
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @terms_of_rhs_are_on_the_partitions(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 32x16xf32, [d1] x [d0]>, %2: !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) {
  // CHECK: the contraction dimension must be on the partitions: dim 1 of lhs and dim 0 of rhs
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d1] x [d0]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @terms_are_dealt_out(%0: !neuron.mem.tile<sbuf, 64x256xf32, [d1/2:128] x [d1:2, d0]>, %1: !neuron.mem.tile<sbuf, 256x16xf32, [d0:128] x [d0/128:2, d1]>, %2: !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) {
  // CHECK: the contraction dimension must be on the partitions: dim 1 of lhs and dim 0 of rhs
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<sbuf, 64x256xf32, [d1/2:128] x [d1:2, d0]>, !neuron.mem.tile<sbuf, 256x16xf32, [d0:128] x [d0/128:2, d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @a_product_writes_psum(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %2: !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) {
  // CHECK: a matmul reads sbuf and writes psum
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @a_product_reads_sbuf(%0: !neuron.mem.tile<psum, 64x32xf32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %2: !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) {
  // CHECK: a matmul reads sbuf and writes psum
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<psum, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @products_are_of_floats(%0: !neuron.mem.tile<sbuf, 64x32xi32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %2: !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) {
  // CHECK: a matmul multiplies floats, got i32 and f32
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<sbuf, 64x32xi32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @a_product_has_a_shape(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %2: !neuron.mem.tile<psum, 64x8xf32, [d0] x [d1]>) {
  // CHECK: the result must be [64, 16] with dim 0 on the partitions
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x8xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x8xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @rows_are_on_the_partitions(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %2: !neuron.mem.tile<psum, 64x16xf32, [d1] x [d0]>) {
  // CHECK: the result must be [64, 16] with dim 0 on the partitions
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d1] x [d0]> -> !neuron.mem.tile<psum, 64x16xf32, [d1] x [d0]>
  func.return
}

// -----

func.func @rows_of_a_piece_are_one_of_each_partition(%0: !neuron.mem.tile<sbuf, 512x32xf32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %2: !neuron.mem.tile<psum, 512x16xf32, [d0/8:64] x [d0:8, d1]>) {
  // CHECK: the result must be [512, 16] with dim 0 on the partitions
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<sbuf, 512x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 512x16xf32, [d0/8:64] x [d0:8, d1]> -> !neuron.mem.tile<psum, 512x16xf32, [d0/8:64] x [d0:8, d1]>
  func.return
}

// -----

func.func @row_groups_do_not_cross_banks(%0: !neuron.mem.tile<sbuf, 200x32xf32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 32x300xf32, [d0] x [d1]>, %2: !neuron.mem.tile<psum, 200x300xf32, [d0:128] x [d0/128:2, d1]>) {
  // CHECK: row groups 1200 bytes apart cross banks of 2048 bytes
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<sbuf, 200x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x300xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 200x300xf32, [d0:128] x [d0/128:2, d1]> -> !neuron.mem.tile<psum, 200x300xf32, [d0:128] x [d0/128:2, d1]>
  func.return
}

// -----

func.func @the_sum_has_one_type(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %2: !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1, _:2]>) {
  // CHECK: 'acc' must have the result's type
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1, _:2]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @the_sum_has_no_other_use(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %2: !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) {
  // CHECK: the sum takes the place of 'acc', which must have no other use
  %r = neuron.mem.matmul %0, %1 acc %2 : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  "test.op"(%2) : (!neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @a_part_is_a_piece(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %2: !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) {
  // CHECK: part [0, 1, 0] is outside the [1, 1, 1] pieces
  %r = neuron.mem.matmul %0, %1 acc %2 part [0, 1, 0] : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @a_part_has_three_numbers(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %1: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, %2: !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) {
  // CHECK: part [0, 0] is outside the [1, 1, 1] pieces
  %r = neuron.mem.matmul %0, %1 acc %2 part [0, 0] : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @bits_are_of_integers(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: xor is for integers, got
  %r = neuron.mem.reduce xor %0 axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  func.return
}

// -----

// CHECK: a scalar is made of a tile of one element, got [2]
func.func @a_scalar_is_one_element(%0: !neuron.mem.tile<sbuf, 2xi32, [] x [d0]>) {
  %1 = neuron.mem.scalar %0 : !neuron.mem.tile<sbuf, 2xi32, [] x [d0]> -> index
  func.return
}

// -----

func.func @no_engine_scans_by_maxnum(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: no engine scans by maxnum; expand-maxnum makes it of others
  %r = neuron.mem.scan maxnum %0 axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @an_initial_element_of_integers(%0: !neuron.mem.tile<sbuf, 64x32xi32, [d0] x [d1]>, %1: !neuron.mem.tile<sbuf, 64xi32, [d0] x []>) {
  // CHECK: only a sum or product of floats has an initial element, not sum of i32
  %r = neuron.mem.scan sum %0 initial %1 : !neuron.mem.tile<sbuf, 64xi32, [d0] x []> axis 1 : !neuron.mem.tile<sbuf, 64x32xi32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi32, [d0] x [d1]>
  func.return
}

// -----

func.func @where_an_initial_element_lies(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, %1: !neuron.mem.tile<sbuf, 64xf32, [] x [d0]>) {
  // CHECK: the initial element must be !neuron.mem.tile<sbuf, 64xf32, [d0] x []> or a scalar, got !neuron.mem.tile<sbuf, 64xf32, [] x [d0]>
  %r = neuron.mem.scan sum %0 initial %1 : !neuron.mem.tile<sbuf, 64xf32, [] x [d0]> axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @the_last_place_of_a_free_dimension(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: axis 0 must be one digit in the free dimension
  %r = neuron.mem.last %0 axis 0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 32xf32, [] x [d0]>
  func.return
}

// -----

func.func @where_the_last_place_lies(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: the result must be !neuron.mem.tile<sbuf, 64xf32, [d0] x []>, got !neuron.mem.tile<sbuf, 64xf32, [] x [d0]>
  %r = neuron.mem.last %0 axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [] x [d0]>
  func.return
}

// -----

// CHECK: a sequencer reads sbuf, not psum; convert the tile
func.func @a_scalar_in_psum(%0: !neuron.mem.tile<psum, 1xf32, [] x [d0]>) {
  %1 = neuron.mem.scalar %0 : !neuron.mem.tile<psum, 1xf32, [] x [d0]> -> index
  func.return
}

// -----

func.func @scan_a_free_dimension(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: axis 0 must be one digit in the free dimension
  %r = neuron.mem.scan sum %0 axis 0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

// CHECK: an i32 becomes an index and an i1 an i1, got
func.func @a_scalar_of_16_bits(%0: !neuron.mem.tile<sbuf, 1xi16, [] x [d0]>) {
  %1 = neuron.mem.scalar %0 : !neuron.mem.tile<sbuf, 1xi16, [] x [d0]> -> index
  func.return
}

// -----

func.func @scan_a_dimension_that_is_there(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: axis 2 must be one digit in the free dimension
  %r = neuron.mem.scan sum %0 axis 2 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @scan_one_digit(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1:4, d1/4:8]>) {
  // CHECK: axis 1 must be one digit in the free dimension
  %r = neuron.mem.scan sum %0 axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1:4, d1/4:8]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1:4, d1/4:8]>
  func.return
}

// -----

func.func @a_scan_lies_alike(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: operands and result must lie alike
  %r = neuron.mem.scan sum %0 axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [] x [d0, d1]>
  func.return
}

// -----

func.func @a_scan_keeps_the_type(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: a scan keeps the element type
  %r = neuron.mem.scan sum %0 axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @only_a_sum_is_scaled(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: only a sum of floats is scaled, not max of f32
  %r = neuron.mem.scan max %0 scale %0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @flip_a_free_dimension(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: axis 0 must be one digit in the free dimension
  %r = neuron.mem.flip %0 axis 0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @a_flip_keeps_the_type(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: the result must be
  %r = neuron.mem.flip %0 axis 1 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @a_bitcast_lies_alike(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: operands and result must lie alike
  %r = neuron.mem.bitcast %0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi32, [] x [d0, d1]>
  func.return
}

// -----

func.func @a_bitcast_keeps_the_size(%0: !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) {
  // CHECK: f32 and bf16 have different sizes
  %r = neuron.mem.bitcast %0 : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  func.return
}

// -----

// CHECK: an i32 becomes an index and an i1 an i1, got
func.func @a_truth_value_is_no_index(%0: !neuron.mem.tile<sbuf, 1xi1, [] x [d0]>) {
  %1 = neuron.mem.scalar %0 : !neuron.mem.tile<sbuf, 1xi1, [] x [d0]> -> index
  func.return
}

// -----

func.func @f(%a: !neuron.mem.tile<sbuf, 8xi8, [d0] x []>, %b: !neuron.mem.tile<sbuf, 8xf32, [d0] x []>) {
  // CHECK: add takes two tiles of integers or two of other numbers, got i8 and f32; cast one
  %c = neuron.mem.binary add %a, %b : !neuron.mem.tile<sbuf, 8xi8, [d0] x []>, !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  func.return
}

// -----

func.func @f(%a: !neuron.mem.tile<sbuf, 8xf32, [d0] x []>) {
  // CHECK: bitwise_and takes integers, got f32; bitcast floats
  %c = neuron.mem.binary bitwise_and %a, %a : !neuron.mem.tile<sbuf, 8xf32, [d0] x []>, !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  func.return
}

// -----

func.func @f(%a: !neuron.mem.tile<sbuf, 8xi32, [d0] x []>) {
  // CHECK: divide takes floats, got i32
  %c = neuron.mem.binary divide %a, %a : !neuron.mem.tile<sbuf, 8xi32, [d0] x []>, !neuron.mem.tile<sbuf, 8xi32, [d0] x []> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  func.return
}

// -----

func.func @f(%a: !neuron.mem.tile<sbuf, 8xi1, [d0] x []>, %b: !neuron.mem.tile<sbuf, 8xf32, [d0] x []>) {
  // CHECK: divide takes floats, got i1 and f32
  %c = neuron.mem.binary divide %a, %b : !neuron.mem.tile<sbuf, 8xi1, [d0] x []>, !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  func.return
}

// -----

func.func @f(%a: !neuron.mem.tile<sbuf, 8xi32, [d0] x []>, %s: f32) {
  // CHECK: add of i32 takes a scalar that is an integer
  %c = neuron.mem.binary add %a, %s : !neuron.mem.tile<sbuf, 8xi32, [d0] x []>, f32 -> !neuron.mem.tile<sbuf, 8xi32, [d0] x []>
  func.return
}
