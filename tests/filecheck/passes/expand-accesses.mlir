// RUN: nki-opt %s -p expand-accesses --split-input-file | filecheck %s
// RUN: nki-opt %s -p expand-accesses --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_masked_load_inside_the_memory_is_a_choice(
// CHECK-SAME: [[X:%[a-z]+]]: memref<64x4xf32>, [[M:%[a-z]+]]: tensor<16x4xi1>
// CHECK-NEXT: [[READ:%.*]] = tile.read [[X]] [d0 by 4, d1 by 1] other 2.000000e+00 : f32 : memref
// CHECK-NEXT: [[TWO:%.*]] = arith.constant 2.000000e+00 : f32
// CHECK-NEXT: [[OTHER:%.*]] = tile.splat [[TWO]]
// CHECK-NEXT: [[V:%.*]] = tile.select [[M]], [[READ]], [[OTHER]]
// CHECK-NEXT: "test.op"([[V]])
func.func @a_masked_load_inside_the_memory_is_a_choice(%x: memref<64x4xf32>, %m: tensor<16x4xi1>) {
  %v = tile.read %x [d0 by 4, d1 by 1] mask %m : tensor<16x4xi1> other 2.0 : f32 : memref<64x4xf32> -> tensor<16x4xf32>
  "test.op"(%v) : (tensor<16x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @intervals_stay(
// CHECK: tile.read %{{.*}} [d0 in 0 to 9 by 4, d1 by 1] undefined : memref
// CHECK: tile.select
func.func @intervals_stay(%x: memref<64x4xf32>, %m: tensor<16x4xi1>) {
  %v = tile.read %x [d0 in 0 to 9 by 4, d1 by 1] mask %m : tensor<16x4xi1> undefined : memref<64x4xf32> -> tensor<16x4xf32>
  "test.op"(%v) : (tensor<16x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @an_interval_keeps_it_inside(
// CHECK: tile.read %{{.*}} [d0 in * to 5 by 4, d1 by 1] : memref
// CHECK: tile.select
func.func @an_interval_keeps_it_inside(%x: memref<5x4xf32>, %m: tensor<16x4xi1>) {
  %v = tile.read %x [d0 in * to 5 by 4, d1 by 1] mask %m : tensor<16x4xi1> : memref<5x4xf32> -> tensor<16x4xf32>
  "test.op"(%v) : (tensor<16x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @bounds_on_two_dimensions_are_a_mask(
// CHECK: [[P:%.*]] = arith.addi %{{.*}} : tensor<16x4xindex>
// CHECK-NEXT: [[P2:%.*]] = tile.arange 0 to 4
// CHECK: [[SUM:%.*]] = arith.addi [[P]], %{{.*}} : tensor<16x4xindex>
// CHECK-NEXT: [[ZERO:%.*]] = arith.constant dense<0>
// CHECK-NEXT: [[LOW:%.*]] = tile.compare ge [[SUM]], [[ZERO]]
// CHECK-NEXT: [[NINE:%.*]] = arith.constant dense<9>
// CHECK-NEXT: [[HIGH:%.*]] = tile.compare lt [[SUM]], [[NINE]]
// CHECK-NEXT: [[M:%.*]] = arith.andi [[LOW]], [[HIGH]]
// CHECK-NEXT: [[READ:%.*]] = tile.read %{{.*}} [d0 by 4, d1 by 1] : memref
// CHECK: tile.select [[M]], [[READ]]
func.func @bounds_on_two_dimensions_are_a_mask(%x: memref<64x4xf32>) {
  %v = tile.read %x [d0 by 4, d1 by 1, d0 + d1 in 0 to 9 by 0] : memref<64x4xf32> -> tensor<16x4xf32>
  "test.op"(%v) : (tensor<16x4xf32>) -> ()
  func.return
}

// -----

// The mask is one of rows: a row is read in one piece, and row 20 is none.
// CHECK-LABEL: func.func @a_masked_load_beyond_the_memory_is_a_gather_of_rows(
// CHECK-SAME: [[X:%[a-z]+]]: memref<5x4xf32>, [[M:%[a-z]+]]: tensor<16xi1>
// CHECK: [[ROW:%.*]] = tile.cast %{{.*}} : tensor<16xindex> -> tensor<16xi32>
// CHECK-NEXT: [[NONE:%.*]] = arith.constant dense<20> : tensor<16xi32>
// CHECK-NEXT: [[K:%.*]] = tile.select [[M]], [[ROW]], [[NONE]]
// CHECK-NEXT: tile.read [[X]] index([[K]] : tensor<16xi32>) [t0(d0) in * to 20 by 4, d1 by 1] : memref
func.func @a_masked_load_beyond_the_memory_is_a_gather_of_rows(%x: memref<5x4xf32>, %m: tensor<16xi1>) {
  %e = tile.expand_dims %m axis 1 : tensor<16xi1> -> tensor<16x1xi1>
  %b = tile.broadcast %e : tensor<16x1xi1> -> tensor<16x4xi1>
  %v = tile.read %x [d0 by 4, d1 by 1] mask %b : tensor<16x4xi1> : memref<5x4xf32> -> tensor<16x4xf32>
  "test.op"(%v) : (tensor<16x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_masked_store_is_a_scatter_of_elements(
// CHECK-SAME: [[X:%[a-z]+]]: memref<64x4xf32>, [[M:%[a-z]+]]: tensor<16x4xi1>, [[V:%[a-z]+]]: tensor<16x4xf32>
// CHECK: arith.constant dense<4> : tensor<16x4xindex>
// CHECK: [[ADDRESS:%.*]] = tile.cast %{{.*}} : tensor<16x4xindex> -> tensor<16x4xi32>
// CHECK-NEXT: [[NONE:%.*]] = arith.constant dense<256>
// CHECK-NEXT: [[K:%.*]] = tile.select [[M]], [[ADDRESS]], [[NONE]]
// CHECK-NEXT: tile.write [[V]] to [[X]] index([[K]] : tensor<16x4xi32>) [t0(d0, d1) in * to 256 by 1] atomic : tensor
func.func @a_masked_store_is_a_scatter_of_elements(%x: memref<64x4xf32>, %m: tensor<16x4xi1>, %v: tensor<16x4xf32>) {
  tile.write %v to %x [d0 by 4, d1 by 1] mask %m : tensor<16x4xi1> atomic : tensor<16x4xf32> -> memref<64x4xf32>
  func.return
}

// -----

// CHECK-LABEL: func.func @several_index_tiles_are_one_of_addresses(
// CHECK-SAME: [[A:%[a-z]+]]: tensor<16xi32>, [[B:%[a-z]+]]: tensor<4xi32>
// CHECK: [[C:%.*]] = tile.expand_dims [[A]] axis 1
// CHECK: [[FOUR:%.*]] = arith.constant dense<4> : tensor<16x4xi32>
// CHECK-NEXT: [[ROWS:%.*]] = arith.muli %{{.*}}, [[FOUR]]
// CHECK: tile.expand_dims [[B]] axis 0
// CHECK: [[SUM:%.*]] = arith.addi [[ROWS]]
// CHECK-NEXT: tile.read %{{.*}} index([[SUM]] : tensor<16x4xi32>) [t0(d0, d1) by 1] : memref
func.func @several_index_tiles_are_one_of_addresses(%x: memref<64x4xf32>, %a: tensor<16xi32>, %b: tensor<4xi32>) {
  %v = tile.read %x index (%a, %b : tensor<16xi32>, tensor<4xi32>) [t0(d0) by 4, t1(d1) by 1] : memref<64x4xf32> -> tensor<16x4xf32>
  "test.op"(%v) : (tensor<16x4xf32>) -> ()
  func.return
}

// -----

// An index beyond 32 bits is that of the first element which the memory doesn't have.
// CHECK-LABEL: func.func @wide_indices_that_fit_are_narrow(
// CHECK-SAME: [[A:%[a-z]+]]: tensor<16xi64>
// CHECK: [[ROW:%.*]] = tile.cast [[A]] : tensor<16xi64> -> tensor<16xi32>
// CHECK: [[FITS:%.*]] = tile.compare eq %{{.*}}, [[A]]
// CHECK-NEXT: [[NONE:%.*]] = arith.constant dense<256>
// CHECK-NEXT: [[K:%.*]] = tile.select [[FITS]], [[ROW]], [[NONE]]
// CHECK-NEXT: tile.read %{{.*}} index([[K]] : tensor<16xi32>) [t0(d0) by 4, d1 by 1] : memref
func.func @wide_indices_that_fit_are_narrow(%x: memref<64x4xf32>, %a: tensor<16xi64>) {
  %v = tile.read %x index (%a : tensor<16xi64>) [t0(d0) by 4, d1 by 1] : memref<64x4xf32> -> tensor<16x4xf32>
  "test.op"(%v) : (tensor<16x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @leaves_alone(
// CHECK-NEXT: [[W:%.*]] = tile.read %{{.*}} index(%{{.*}} : tensor<16xi32>) [t0(d0) in 0 to 64 by 4, d1 in * to 3 by 1] : memref
// CHECK-NEXT: tile.write [[W]] to %{{.*}} [d0 in 0 to 7 by 4, d1 by 1] : tensor
// CHECK-NEXT: func.return
func.func @leaves_alone(%x: memref<64x4xf32>, %a: tensor<16xi32>) {
  %w = tile.read %x index (%a : tensor<16xi32>) [t0(d0) in 0 to 64 by 4, d1 in * to 3 by 1] : memref<64x4xf32> -> tensor<16x4xf32>
  tile.write %w to %x [d0 in 0 to 7 by 4, d1 by 1] : tensor<16x4xf32> -> memref<64x4xf32>
  func.return
}

// -----

// A transfer names whole rows: where the memory is walked along the same dimension too, the sum is the row.
// CHECK-LABEL: func.func @rows_that_also_move_on_are_named_by_the_sum(
// CHECK-SAME: [[X:%[a-z]+]]: memref<16x16xf32>, [[A:%[a-z]+]]: tensor<4xi32>
// CHECK: [[SUM:%.*]] = arith.addi %{{.*}}, [[A]] : tensor<4xi32>
// CHECK-NEXT: tile.read [[X]] index([[SUM]] : tensor<4xi32>) [t0(d0) by 16, d1 by 1] : memref
func.func @rows_that_also_move_on_are_named_by_the_sum(%x: memref<16x16xf32>, %a: tensor<4xi32>) {
  %v = tile.read %x index (%a : tensor<4xi32>) [1 + d0 by 16, t0(d0) by 16, d1 by 1] : memref<16x16xf32> -> tensor<4x16xf32>
  "test.op"(%v) : (tensor<4x16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_column_of_indices_is_a_row(
// CHECK: [[FLAT:%.*]] = tile.reshape %{{.*}} : tensor<4x1xi32> -> tensor<4xi32>
// CHECK-NEXT: tile.read %{{.*}} index([[FLAT]] : tensor<4xi32>) [t0(d0) by 16, d1 by 1] : memref
func.func @a_column_of_indices_is_a_row(%x: memref<16x16xf32>, %a: tensor<4x1xi32>) {
  %v = tile.read %x index (%a : tensor<4x1xi32>) [t0(d0, 0) by 16, d1 by 1] : memref<16x16xf32> -> tensor<4x16xf32>
  "test.op"(%v) : (tensor<4x16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_transposed_index_tile_is_exchanged(
// CHECK: [[T:%.*]] = tile.permute %{{.*}} order [1, 0] : tensor<8x4xi32> -> tensor<4x8xi32>
// CHECK-NEXT: tile.read %{{.*}} index([[T]] : tensor<4x8xi32>) [t0(d0, d1) by 1] : memref
func.func @a_transposed_index_tile_is_exchanged(%x: memref<256xf32>, %a: tensor<8x4xi32>) {
  %v = tile.read %x index (%a : tensor<8x4xi32>) [t0(d1, d0) by 1] : memref<256xf32> -> tensor<4x8xf32>
  "test.op"(%v) : (tensor<4x8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_row_and_a_position_in_one_bound_are_elements(
// CHECK: [[SUM:%.*]] = arith.addi %{{.*}}, %{{.*}} : tensor<8x4xi32>
// CHECK: tile.read %{{.*}} index(%{{.*}} : tensor<8x4xi32>) [t0(d0, d1) in * to 64 by 2] : memref
func.func @a_row_and_a_position_in_one_bound_are_elements(%x: memref<64xf32>, %a: tensor<8xi32>) {
  %v = tile.read %x index(%a : tensor<8xi32>) [d1 + t0(d0) in 0 to 32 by 2] : memref<64xf32> -> tensor<8x4xf32>
  "test.op"(%v) : (tensor<8x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_single_index_and_a_position_are_elements(
// CHECK: tile.read %{{.*}} index(%{{.*}} : tensor<8xi32>) [t0(d0) by 2] : memref
func.func @a_single_index_and_a_position_are_elements(%x: memref<64xf32>, %a: i32) {
  %v = tile.read %x index(%a : i32) [d0 + t0() by 2] : memref<64xf32> -> tensor<8xf32>
  "test.op"(%v) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// A transfer leaves out what is no row of the memory, and nothing else.
// CHECK-LABEL: func.func @bounds_of_rows_inside_the_memory_are_a_mask(
// CHECK-SAME: [[X:%[a-z]+]]: memref<64x4xf32>, [[A:%[a-z]+]]: tensor<16xi32>
// CHECK: [[FROM:%.*]] = tile.compare ge [[A]], %{{.*}}
// CHECK: [[TO:%.*]] = tile.compare lt [[A]], %{{.*}}
// CHECK-NEXT: [[M:%.*]] = arith.andi [[FROM]], [[TO]]
// CHECK-NEXT: [[NONE:%.*]] = arith.constant dense<256>
// CHECK-NEXT: [[K:%.*]] = tile.select [[M]], [[A]], [[NONE]]
// CHECK-NEXT: tile.read [[X]] index([[K]] : tensor<16xi32>) [t0(d0) in * to 256 by 4, d1 by 1] : memref
// CHECK: tile.compare lt [[A]]
// CHECK: tile.write %{{.*}} to [[X]] index(%{{.*}} : tensor<16xi32>) [t0(d0) in * to 256 by 4, d1 by 1] : tensor
func.func @bounds_of_rows_inside_the_memory_are_a_mask(%x: memref<64x4xf32>, %a: tensor<16xi32>) {
  %v = tile.read %x index(%a : tensor<16xi32>) [t0(d0) in 0 to 63 by 4, d1 by 1] : memref<64x4xf32> -> tensor<16x4xf32>
  tile.write %v to %x index(%a : tensor<16xi32>) [t0(d0) in * to 60 by 4, d1 by 1] : tensor<16x4xf32> -> memref<64x4xf32>
  func.return
}

// -----

// Row 64 is behind the memory's end, and yet its elements are not where it begins 8 elements further in front.
// CHECK-LABEL: func.func @rows_begin_in_front_of_their_place(
// CHECK: arith.constant dense<264>
// CHECK: tile.read %{{.*}} index(%{{.*}} : tensor<16xi32>) [t0(d0) in * to 264 by 4, -8 + d1 by 1] : memref
func.func @rows_begin_in_front_of_their_place(%x: memref<64x4xf32>, %a: tensor<16xi32>) {
  %v = tile.read %x index(%a : tensor<16xi32>) [t0(d0) in 0 to 64 by 4, -8 + d1 by 1] : memref<64x4xf32> -> tensor<16x4xf32>
  "test.op"(%v) : (tensor<16x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @where_rows_begin_at_run_time_is_in_their_numbers(
// CHECK-SAME: [[S:%[a-z]+]]: index
// CHECK: [[SUM:%.*]] = arith.addi %{{.*}}, %{{.*}} : tensor<16xi32>
// CHECK: tile.read %{{.*}}([[S]]) index(%{{.*}} : tensor<16xi32>) [t0(d0) in * to 256 by 1, d1 by 1, s0 + d1 in * to 9 by 0] : memref
func.func @where_rows_begin_at_run_time_is_in_their_numbers(%s: index, %x: memref<64x4xf32>, %a: tensor<16xi32>) {
  %v = tile.read %x(%s) index(%a : tensor<16xi32>) [t0(d0) in 0 to 9 by 4, s0 + d1 in * to 9 by 1] : memref<64x4xf32> -> tensor<16x4xf32>
  "test.op"(%v) : (tensor<16x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @guards_and_steps_backwards_are_rows(
// CHECK: tile.read %{{.*}} index(%{{.*}} : tensor<16xi32>) [t0(d0) in * to 256 by 4, d1 by 1] : memref
// CHECK: [[BACK:%.*]] = arith.muli %{{.*}}, %{{.*}} : tensor<16xi32>
// CHECK: tile.read %{{.*}} index(%{{.*}} : tensor<16xi32>) [t0(d0) by 4, d1 by 1] : memref
func.func @guards_and_steps_backwards_are_rows(%x: memref<64x4xf32>, %a: tensor<16xi32>) {
  %v = tile.read %x index(%a : tensor<16xi32>) [t0(d0) by 4, d1 by 1, t0(d0) in 0 to 64 by 0] : memref<64x4xf32> -> tensor<16x4xf32>
  %w = tile.read %x index(%a : tensor<16xi32>) [252 by 1, t0(d0) by -4, d1 by 1] : memref<64x4xf32> -> tensor<16x4xf32>
  "test.op"(%v, %w) : (tensor<16x4xf32>, tensor<16x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @bounds_of_more_than_32_bits(
// CHECK-SAME: [[A:%[a-z]+]]: tensor<16xi32>
// CHECK: [[THREE:%.*]] = arith.constant dense<3>
// CHECK-NEXT: [[M:%.*]] = tile.compare ge [[A]], [[THREE]]
// CHECK-NEXT: [[NONE:%.*]] = arith.constant dense<256>
// CHECK-NEXT: tile.select [[M]], [[A]], [[NONE]]
// CHECK: [[LEAST:%.*]] = arith.constant dense<-2147483648>
// CHECK-NEXT: tile.compare lt [[A]], [[LEAST]]
func.func @bounds_of_more_than_32_bits(%a: tensor<16xi32>, %x: memref<64x4xf32>) {
  %v = tile.read %x index(%a : tensor<16xi32>) [t0(d0) in 3 to 4294967296 by 4, d1 by 1] : memref<64x4xf32> -> tensor<16x4xf32>
  %w = tile.read %x index(%a : tensor<16xi32>) [t0(d0) in 4294967296 to * by 4, d1 by 1] : memref<64x4xf32> -> tensor<16x4xf32>
  "test.op"(%v, %w) : (tensor<16x4xf32>, tensor<16x4xf32>) -> ()
  func.return
}

// What is added along a dimension that no bound has to do with stays a dimension of its own.
// CHECK-LABEL: func.func @a_bound_on_two_of_three
// CHECK: [[ROW:%.*]] = tile.select {{%.*}}, {{%.*}}, {{%.*}} : tensor<20x40xi1>, tensor<20x40xi32>, tensor<20x40xi32> -> tensor<20x40xi32>
// CHECK: tile.write %x to %out index([[ROW]] : tensor<20x40xi32>) [t0(d1, d2) in * to 1600 by 1, 800 * d0 by 1]
func.func @a_bound_on_two_of_three(%x: tensor<2x20x40xf32>, %out: memref<2x20x40xf32>) {
  tile.write %x to %out [d2 by -1, 39 + 40 * d1 + 800 * d0 by 1, d1 + d2 in 39 to * by 0] : tensor<2x20x40xf32> -> memref<2x20x40xf32>
  func.return
}

// A mask of one element for all rows: its compare is of scalars, and the rows take what it says.
// CHECK-LABEL: func.func @a_mask_of_one_element_for_all_rows
// CHECK: [[ONE:%.*]] = tile.compare ne {{%.*}}, {{%.*}} : i32, i32 -> i1
// CHECK-NEXT: [[SOURCE:%.*]] = tile.splat [[ONE]] : i1 -> tensor<1xi1>
// CHECK-NEXT: [[ROWS:%.*]] = tile.broadcast [[SOURCE]] : tensor<1xi1> -> tensor<20xi1>
// CHECK: tile.write %x to %out index({{%.*}} : tensor<20xi32>)
func.func @a_mask_of_one_element_for_all_rows(%x: tensor<20x1xf32>, %a: tensor<1xi32>, %out: memref<40x1xf32>) {
  %no = arith.constant dense<-100> : tensor<1xi32>
  %m = tile.compare ne %a, %no : tensor<1xi32>, tensor<1xi32> -> tensor<1xi1>
  %e = tile.expand_dims %m axis 0 : tensor<1xi1> -> tensor<1x1xi1>
  %mask = tile.broadcast %e : tensor<1x1xi1> -> tensor<20x1xi1>
  tile.write %x to %out [d0 in * to 17 by 1, d1 by 1] mask %mask : tensor<20x1xi1> : tensor<20x1xf32> -> memref<40x1xf32>
  func.return
}

// Rows that follow each other in memory and end within one are one dimension, a reshape apart.
// CHECK-LABEL: func.func @rows_that_end_within_one
// CHECK-NEXT: [[FLAT:%.*]] = tile.read %x [d0 in * to 1000 by 1] other 1.000000e+00 : f32 : memref<1000xf32> -> tensor<1024xf32>
// CHECK-NEXT: [[ROWS:%.*]] = tile.reshape [[FLAT]] : tensor<1024xf32> -> tensor<16x64xf32>
// CHECK-NEXT: [[BACK:%.*]] = tile.reshape [[ROWS]] : tensor<16x64xf32> -> tensor<1024xf32>
// CHECK-NEXT: tile.write [[BACK]] to %y [d0 in * to 1000 by 2] : tensor<1024xf32> -> memref<2000xf32>
// CHECK-NEXT: return
func.func @rows_that_end_within_one(%x: memref<1000xf32>, %y: memref<2000xf32>) {
  %v = tile.read %x [64 * d0 + d1 in * to 1000 by 1] other 1.000000e+00 : f32 : memref<1000xf32> -> tensor<16x64xf32>
  tile.write %v to %y [64 * d0 + d1 in * to 1000 by 2] : tensor<16x64xf32> -> memref<2000xf32>
  func.return
}

// Dimensions that the bound has nothing to do with stay, though they count as one, and so does a bound of its own.
// CHECK-LABEL: func.func @rows_that_end_within_one_in_each_plane
// CHECK-NEXT: [[FLAT:%.*]] = tile.read %x [d2 in * to 1000 by 1, 2000 * d0 by 1, d1 by 1000] : memref<8000xf32> -> tensor<4x2x1024xf32>
// CHECK-NEXT: tile.reshape [[FLAT]] : tensor<4x2x1024xf32> -> tensor<4x2x16x64xf32>
// CHECK: [[FLAT:%.*]] = tile.read %y [d1 in * to 1000 by 1, d0 in * to 3 by 1000] : memref<3000xf32> -> tensor<4x1024xf32>
// CHECK-NEXT: tile.reshape [[FLAT]] : tensor<4x1024xf32> -> tensor<4x16x64xf32>
func.func @rows_that_end_within_one_in_each_plane(%x: memref<8000xf32>, %y: memref<3000xf32>) {
  %v = tile.read %x [64 * d2 + d3 in * to 1000 by 1, 2000 * d0 by 1, d1 by 1000] : memref<8000xf32> -> tensor<4x2x16x64xf32>
  %w = tile.read %y [64 * d1 + d2 in * to 1000 by 1, d0 in * to 3 by 1000] : memref<3000xf32> -> tensor<4x16x64xf32>
  "test.op"(%v, %w) : (tensor<4x2x16x64xf32>, tensor<4x16x64xf32>) -> ()
  func.return
}

// Not one dimension: rows with a gap between them, rows that overlap, and places that are counted but lie elsewhere.
// CHECK-LABEL: func.func @rows_that_are_not_one_dimension
// CHECK-NOT: tile.reshape
// CHECK: return
func.func @rows_that_are_not_one_dimension(%v: tensor<16x64xf32>, %y: memref<1000xf32>) {
  tile.write %v to %y [65 * d0 + d1 in * to 1000 by 1] : tensor<16x64xf32> -> memref<1000xf32>
  tile.write %v to %y [32 * d0 + d1 in * to 500 by 1] : tensor<16x64xf32> -> memref<1000xf32>
  tile.write %v to %y [64 * d0 + d1 in * to 900 by 0, 62 * d0 + d1 by 1] : tensor<16x64xf32> -> memref<1000xf32>
  func.return
}
