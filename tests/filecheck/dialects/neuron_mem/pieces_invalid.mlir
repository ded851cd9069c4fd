// RUN: NKI_INVALID

func.func @ranks(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: the tile has 2 dimensions, got 1 places
  %p = neuron.mem.slice %t [d0] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128xbf16, [d0] x []>
  func.return
}

// -----

func.func @positions(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: d2 is beyond the 2 dimensions of the piece
  %p = neuron.mem.slice %t [d0, d2] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @each_position_once(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: the places have the 2 positions of the piece in their order, each once
  %p = neuron.mem.slice %t [d0, 3] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @in_their_order(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 64x64xbf16, [d0] x [d1]>
  // CHECK: the places have the 2 positions of the piece in their order, each once
  %p = neuron.mem.slice %t [d1, d0] : !neuron.mem.tile<sbuf, 64x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x64xbf16, [d1] x [d0]>
  func.return
}

// -----

func.func @strides(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: a piece is made of neighbours, not of every 2th
  %p = neuron.mem.slice %t [d0, 2 * d1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @two_positions(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: moves with two dimensions of the piece
  %p = neuron.mem.slice %t [d0, d0 + d1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @affine(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: is not affine in positions and index scalars
  %p = neuron.mem.slice %t(%j) [d0, d1 + s0 mod 4] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @index_tiles(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: is not affine in positions and index scalars
  %p = neuron.mem.slice %t [d0, d1 + t0(d0)] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @scalars(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: there are 1 index scalars, and no s1
  %p = neuron.mem.slice %t(%j) [d0, s1 + s0 + d1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @unused(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: the index scalar s0 is not used
  %p = neuron.mem.slice %t(%j) [d0, d1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @words(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: are of 64 bits
  %p = neuron.mem.slice %t(%j) [d0, 9223372036854775808 * s0 + d1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @bounds(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: places 40 to 71 are not all among the 64 of d1
  %p = neuron.mem.slice %t [d0, 40 + d1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @below_the_first(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: places -1 to 30 are not all among the 64 of d1
  %p = neuron.mem.slice %t [d0, d1 - 1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @larger_than_the_tile(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: places 0 to 127 are not all among the 64 of d1
  %p = neuron.mem.slice %t [d0, d1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x128xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @layout(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: the piece must be !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]>
  %p = neuron.mem.slice %t [d0, d1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x32xbf16, [d1:32] x [d0]>
  func.return
}

// -----

func.func @element_types(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: the piece must be !neuron.mem.tile<sbuf, 128x32xbf16
  %p = neuron.mem.slice %t [d0, d1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x32xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @across_partition_groups(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 640x64xbf16, [d0:128] x [d0/128:5, d1]>
  // CHECK: 256 places from 64 on may go over the end of 128 x 1 of d0
  %p = neuron.mem.slice %t [64 + d0, d1] : !neuron.mem.tile<sbuf, 640x64xbf16, [d0:128] x [d0/128:5, d1]> -> !neuron.mem.tile<sbuf, 256x64xbf16, [d0:128] x [d0/128:2, d1]>
  func.return
}

// -----

func.func @over_the_end_of_a_digit(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 640x64xbf16, [d0:128] x [d0/128:5, d1]>
  // CHECK: 96 places from 96 on may go over the end of 128 x 1 of d0
  %p = neuron.mem.slice %t [96 + d0, d1] : !neuron.mem.tile<sbuf, 640x64xbf16, [d0:128] x [d0/128:5, d1]> -> !neuron.mem.tile<sbuf, 96x64xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @partitions_at_run_time(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: the partition that it begins at is known at run time only
  %p = neuron.mem.slice %t(%j) [32 * s0 + d0, d1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 32x64xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @start_partitions(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: 32 partitions may start at 0, 32, 64, 96, not at 16
  %p = neuron.mem.slice %t [16 + d0, d1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 32x64xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @start_partitions_of_halves(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  // CHECK: 64 partitions may start at 0, 64, not at 32
  %p = neuron.mem.slice %t [32 + d0, d1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x64xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @partitions_apart(%j: index) {
  %t = "test.op"() : () -> !neuron.mem.tile<sbuf, 32x4x64xbf16, [d0, d1] x [d2]>
  // CHECK: its partitions do not follow one another
  %p = neuron.mem.slice %t [d0, 0, d1] : !neuron.mem.tile<sbuf, 32x4x64xbf16, [d0, d1] x [d2]> -> !neuron.mem.tile<sbuf, 32x64xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @an_insert_keeps_the_rules(%j: index) {
  %t, %v = "test.op"() : () -> (!neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>, !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]>)
  // CHECK: places 40 to 71 are not all among the 64 of d1
  %p = neuron.mem.insert %v into %t [d0, 40 + d1] : !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]> into !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @sums_are_made_by_products(%j: index) {
  %t, %v = "test.op"() : () -> (!neuron.mem.tile<psum, 128x64xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 128x64xf32, [d0] x [d1]>)
  // CHECK: what lies in psum is made by products; this is a tile in sbuf
  %p = neuron.mem.insert %v into %t [d0, d1] : !neuron.mem.tile<psum, 128x64xf32, [d0] x [d1]> into !neuron.mem.tile<psum, 128x64xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @empty_sums() {
  // CHECK: what lies in psum is made by products; this is a tile in sbuf
  %p = neuron.mem.empty : !neuron.mem.tile<psum, 128x64xf32, [d0] x [d1]>
  func.return
}

// -----

func.func @a_condition_is_one_number(%j: index) {
  %t, %v = "test.op"() : () -> (!neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>, !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]>)
  // CHECK: where a piece is inserted is one number, got [s0, s0]
  %p = neuron.mem.insert %v into %t(%j) [d0, d1] where [s0, s0] : !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]> into !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @a_condition_of_positions(%j: index) {
  %t, %v = "test.op"() : () -> (!neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>, !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]>)
  // CHECK: where a piece is inserted does not depend on positions, got [s0 + d1]
  %p = neuron.mem.insert %v into %t(%j) [d0, d1] where [s0 + d1] : !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]> into !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  func.return
}

// -----

func.func @a_condition_of_scalars(%j: index) {
  %t, %v = "test.op"() : () -> (!neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>, !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]>)
  // CHECK: there are 1 index scalars, and no s1
  %p = neuron.mem.insert %v into %t(%j) [d0, d1] where [s0 + s1] : !neuron.mem.tile<sbuf, 128x32xbf16, [d0] x [d1]> into !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  func.return
}
