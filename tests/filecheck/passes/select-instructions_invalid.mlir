// RUN: nki-opt %s -p select-instructions --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p select-instructions,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @an_extent_that_is_not_constant(%x: memref<1024xf32>, %n: index) {
  // CHECK: what is valid of this tile is no expression of loop counters
  %v = neuron.mem.load %x(%n) [d0 by 1, s0 + d0 in * to 1024 by 0] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  neuron.mem.store %v to %x [d0 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<1024xf32>
  func.return
}

// -----

func.func @a_sum_with_another_use(%a: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  // CHECK: the sum takes the place of 'acc', which must have no other use
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %m = neuron.mem.convert %z by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  "test.op"(%p, %m) : (!neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @a_function_of_integers(%x: memref<1024xi32>) {
  %v = neuron.mem.load %x [d0 by 1] : memref<1024xi32> -> !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>
  // CHECK: exp of i32 is not supported; convert to a float
  %r = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>) -> ()
  func.return
}

// -----

func.func @a_power_of_integers(%x: memref<1024xi32>) {
  %v = neuron.mem.load %x [d0 by 1] : memref<1024xi32> -> !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>
  // CHECK: power of int32 is not exact on any engine
  %r = neuron.mem.binary power %v, %v : !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>, !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>) -> ()
  func.return
}

// -----

func.func @indices_of_a_loop(%i: index) {
  %c0 = arith.constant 0 : index
  // CHECK: indices used as values depend on something that is no loop counter or program id
  %r = neuron.mem.iota %i strides [1] -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>) -> ()
  func.return
}

// -----

func.func @indices_that_fp32_does_not_hold() {
  %c0 = arith.constant 0 : index
  // CHECK: indices up to 16778223 are not exact in fp32, which holds integers below 2^24
  %r = neuron.mem.iota %c0 strides [16401] -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>) -> ()
  func.return
}

// -----

func.func @indices_over_several_digits() {
  %c0 = arith.constant 0 : index
  // CHECK: indices can't be counted over several factors on the partitions
  %r = neuron.mem.iota %c0 strides [5, 1] -> !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1] x []>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 3x5xf32, [d0, d1] x []>) -> ()
  func.return
}

// -----

func.func @a_gap_between_partitions(%x: memref<15xf32>) {
  %v = neuron.mem.load %x [d0 by 5, d1 by 1] : memref<15xf32> -> !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x []>
  // CHECK: neuron.mem.unary has no instruction for tiles that lie like [d0, d1:8] x []: the partitions do not follow one another: an instruction would work on what lies between; convert to a layout without padding on the partitions
  %r = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x []> -> !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x []>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x []>) -> ()
  func.return
}

// -----

func.func @a_convert_without_a_way(%x: memref<1024xf32>) {
  %v = neuron.mem.load %x [d0 by 1] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  // CHECK: a convert has no way; run lower-converts first
  %r = neuron.mem.convert %v : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 1024xf32, [] x [d0]>) -> ()
  func.return
}

// -----

func.func @a_product_of_several_pieces(%x: memref<16384xf32>) {
  %a = neuron.mem.load %x [d0 by 256, d1 by 1] : memref<16384xf32> -> !neuron.mem.tile<sbuf, 64x256xf32, [d1:128] x [d1/128:2, d0]>
  %b = neuron.mem.load %x [d0 by 16, d1 by 1] : memref<16384xf32> -> !neuron.mem.tile<sbuf, 256x16xf32, [d0:128] x [d0/128:2, d1]>
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  // CHECK: a matmul of [1, 1, 2] pieces; run split-to-hardware-tiles first
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x256xf32, [d1:128] x [d1/128:2, d0]>, !neuron.mem.tile<sbuf, 256x16xf32, [d0:128] x [d0/128:2, d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @truth_values_in_memory(%x: memref<8xi1>) {
  // CHECK: arrays of truth values (i1) are not supported in HBM; pass uint8
  %r = neuron.mem.load %x [d0 by 1] : memref<8xi1> -> !neuron.mem.tile<sbuf, 8xi1, [d0] x []>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 8xi1, [d0] x []>) -> ()
  func.return
}

// -----

func.func @a_scalar_that_is_not_constant(%x: memref<1024xf32>) {
  %f = "test.op"() : () -> f32
  %v = neuron.mem.load %x [d0 by 1] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  // CHECK: a scalar operand of a tile operation must be a constant
  %r = neuron.mem.binary add %v, %f : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>, f32 -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>) -> ()
  func.return
}

// -----

func.func @a_tile_as_argument(%x: memref<8xf32>, %t: !neuron.mem.tile<sbuf, 8xf32, [d0] x []>) {
  // CHECK: error: argument 't' is !neuron.mem.tile<sbuf, 8xf32, [d0] x []>; a kernel's arguments are memrefs, and scalars are constants
  neuron.mem.store %t to %x [d0 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<8xf32>
  func.return
}

// -----

func.func @wrong_level(%x: memref<8xf32>) {
  // CHECK: error: select-instructions takes neuron.mem; this module is at tile: run tile,tile-to-mem first
  %v = tile.read %x [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  tile.write %v to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @a_tile_used_by_no_operation_of_the_level(%x: memref<8xf32>) {
  %v = neuron.mem.load %x [d0 by 1] : memref<8xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  // CHECK: error: test.op is not an operation of neuron.mem; it has no instruction
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>) -> ()
  func.return
}

// -----

func.func @a_tile_made_by_no_operation_of_the_level(%x: memref<8xf32>) {
  // CHECK: error: test.op is not an operation of neuron.mem; it has no instruction
  %v = "test.op"() : () -> (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>)
  neuron.mem.store %v to %x [d0 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<8xf32>
  func.return
}

// -----

func.func @an_if_of_a_number(%k: index) {
  %c0 = arith.constant 0 : index
  %p = arith.cmpi eq, %k, %c0 : index
  %c1 = arith.constant 1 : index
  %b = neuron.mem.accumulator : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  // CHECK: scf.if of neuron.mem yields tiles, not index
  %r = scf.if %p -> (index) {
    scf.yield %c0 : index
  } else {
    scf.yield %c1 : index
  }
  func.return
}

// -----

func.func @a_while_that_hands_on_a_number(%x: memref<64xf32>, %k: index) {
  %c0 = arith.constant 0 : index
  %p = arith.cmpi eq, %k, %c0 : index
  %v = neuron.mem.load %x [d0 by 1] : memref<64xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  %h = scf.while (%a = %v) : (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>) -> index {
    // CHECK: a while of neuron.mem hands on tiles alone
    scf.condition(%p) %c0 : index
  } do {
  ^bb0(%b: index):
    scf.yield %v : !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  }
  func.return
}

// -----

func.func @multiples_of_an_index(%x: memref<1280xf32>, %k: memref<100xi32>) {
  %i = neuron.mem.load %k [d0 by 1] : memref<100xi32> -> !neuron.mem.tile<sbuf, 100xi32, [d0] x []>
  // CHECK: a row is named by one element of one index tile, with nothing added; choose a row's number with neuron.mem.select
  %v = neuron.mem.load %x index (%i : !neuron.mem.tile<sbuf, 100xi32, [d0] x []>) [2 * t0(d0) by 32, d1 by 1] : memref<1280xf32> -> !neuron.mem.tile<sbuf, 100x32xf32, [d0] x [d1]>
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 100x32xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @a_region_of_no_operation_of_the_level(%x: memref<8xf32>) {
  %v = neuron.mem.load %x [d0 by 1] : memref<8xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  // CHECK: error: test.op is not an operation of neuron.mem; it has no instruction
  "test.op"() ({
    neuron.mem.store %v to %x [d0 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<8xf32>
    "test.termop"() : () -> ()
  }) : () -> ()
  func.return
}

// -----

func.func @a_mask_of_no_loop(%n: index, %x: memref<8xf32>) {
  // CHECK: what is valid of this tile is no expression of loop counters
  %m = neuron.mem.mask(%n) [s0 + d0 in * to 5 by 0] -> !neuron.mem.tile<sbuf, 8xi1, [d0] x []>
  func.return
}

// -----

func.func @too_many_ranges(%x: memref<1024xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c100 = arith.constant 100 : index
  scf.for %i = %c0 to %c100 step %c1 {
    // CHECK: what is valid of this tile is 100 different ranges; at most 64 have instructions
    %v = neuron.mem.load %x(%i) [d0 by 1, d0 - s0 in 0 to * by 0] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
    neuron.mem.store %v to %x [d0 by 1] : !neuron.mem.tile<sbuf, 128xf32, [d0] x []> -> memref<1024xf32>
  }
  func.return
}

// -----

func.func @too_many_cuts(%x: memref<1024xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %many = arith.constant 10000 : index
  // CHECK: limits that change with the loop counters need more than 4096 copies of an instruction
  scf.for %i = %c0 to %many step %c1 {
    %v = neuron.mem.load %x(%i) [d0 by 1, (s0) mod 2 in 0 to 1 by 0] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x [d0 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<1024xf32>
  }
  func.return
}

// -----

func.func @a_sum_of_a_loop_with_another_use(%x: memref<4096xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %a = neuron.mem.load %x [d0 by 8, d1 by 1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 8x8xf32, [d1] x [d0]>
  %b = neuron.mem.load %x [d0 by 8, d1 by 1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  // CHECK: the sum that this loop adds to has another use; it is written in place
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%s = %z) -> (!neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>) {
    %p = neuron.mem.matmul %a, %b acc %s : !neuron.mem.tile<sbuf, 8x8xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
    scf.yield %p : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  }
  "test.op"(%z, %r) : (!neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @a_sum_that_begins_with_numbers(%x: memref<4096xf32>) {
  %one = arith.constant 1.0 : f32
  %a = neuron.mem.load %x [d0 by 8, d1 by 1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 8x8xf32, [d1] x [d0]>
  %b = neuron.mem.load %x [d0 by 8, d1 by 1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>
  %z = neuron.mem.fill %one : f32 -> !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  // CHECK: a matmul adds to an accumulator or another's sum, not to neuron.mem.fill
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 8x8xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @a_sum_behind_a_loop_of_run_time(%x: memref<4096xf32>, %y: memref<1xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = neuron.mem.load %x [d0 by 8, d1 by 1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 8x8xf32, [d1] x [d0]>
  %b = neuron.mem.load %x [d0 by 8, d1 by 1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  %w = neuron.mem.load %y [0 by 1] : memref<1xi32> -> !neuron.mem.tile<sbuf, i32, [] x []>
  %n = neuron.mem.scalar %w : !neuron.mem.tile<sbuf, i32, [] x []> -> index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %z) -> (!neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>) {
    scf.yield %s : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  }
  // CHECK: a sum in psum can't be carried by run-time control flow, which may not write it; convert it, and add in sbuf
  %p = neuron.mem.matmul %a, %b acc %r : !neuron.mem.tile<sbuf, 8x8xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @a_sum_in_a_loop_of_run_time(%x: memref<4096xf32>, %y: memref<1xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = neuron.mem.load %x [d0 by 8, d1 by 1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 8x8xf32, [d1] x [d0]>
  %b = neuron.mem.load %x [d0 by 8, d1 by 1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  %w = neuron.mem.load %y [0 by 1] : memref<1xi32> -> !neuron.mem.tile<sbuf, i32, [] x []>
  %n = neuron.mem.scalar %w : !neuron.mem.tile<sbuf, i32, [] x []> -> index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %z) -> (!neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>) {
    // CHECK: a sum in psum can't be carried by run-time control flow, which may not write it; convert it, and add in sbuf
    %p = neuron.mem.matmul %a, %b acc %s : !neuron.mem.tile<sbuf, 8x8xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
    scf.yield %p : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  }
  "test.op"(%r) : (!neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @indices_of_a_long_loop() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 17000000 : index
  scf.for %i = %c0 to %n step %c1 {
    // CHECK: indices from 2^24 on are not exact in fp32; convert them to int32 first
    %r = neuron.mem.iota %i strides [1] -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    "test.op"(%r) : (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>) -> ()
  }
  func.return
}

// -----

func.func @a_sum_in_psum_that_an_if_yields(%k: index) {
  %c0 = arith.constant 0 : index
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  %y = neuron.mem.accumulator : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  %p = arith.cmpi eq, %k, %c0 : index
  // CHECK: an if can't yield a sum in psum; convert it first
  %r = scf.if %p -> (!neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>) {
    scf.yield %z : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  } else {
    scf.yield %y : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  }
  "test.op"(%r) : (!neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @a_sum_in_psum_that_a_while_carries(%k: index) {
  %c0 = arith.constant 0 : index
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  %p = arith.cmpi eq, %k, %c0 : index
  // CHECK: a while can't carry a sum in psum; convert it first
  %r = scf.while (%s = %z) : (!neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>) -> !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]> {
    scf.condition(%p) %s : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  } do {
  ^bb0(%t: !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>):
    scf.yield %t : !neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>
  }
  "test.op"(%r) : (!neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @a_number_that_a_loop_carries(%x: memref<4096xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %a = neuron.mem.load %x [d0 by 8, d1 by 1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 8x8xf32, [d1] x [d0]>
  %b = neuron.mem.load %x [d0 by 8, d1 by 1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>
  // CHECK: scf.for of neuron.mem carries tiles, not index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%s = %c0) -> (index) {
    scf.yield %s : index
  }
  "test.op"(%r) : (index) -> ()
  func.return
}

// -----

func.func @a_bound_of_run_time(%x: memref<64xf32>, %y: memref<1xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %w = neuron.mem.load %y [0 by 1] : memref<1xi32> -> !neuron.mem.tile<sbuf, i32, [] x []>
  %n = neuron.mem.scalar %w : !neuron.mem.tile<sbuf, i32, [] x []> -> index
  scf.for %i = %c0 to %n step %c1 {
    // CHECK: a bound on several dimensions, or on a counter of run time, has no transfer; load all of it, and choose with neuron.mem.select by a neuron.mem.mask
    %v = neuron.mem.load %x(%i) [d0 + s0 in 0 to 9 by 1] : memref<64xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    "test.op"(%v) : (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>) -> ()
  }
  func.return
}

// -----

func.func @rows_named_by_bytes(%x: memref<64x32xf32>, %y: memref<8xi8>) {
  %i = neuron.mem.load %y [d0 by 1] : memref<8xi8> -> !neuron.mem.tile<sbuf, 8xi8, [d0] x []>
  // CHECK: rows are named by integers of 32 bits; make them so with neuron.mem.cast
  %v = neuron.mem.load %x index(%i : !neuron.mem.tile<sbuf, 8xi8, [d0] x []>) [t0(d0) by 32, d1 by 1] : memref<64x32xf32> -> !neuron.mem.tile<sbuf, 8x32xf32, [d0] x [d1]>
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 8x32xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @rows_up_to_inside_the_memory(%x: memref<64x4xf32>, %k: memref<8xi32>) {
  %i = neuron.mem.load %k [d0 by 1] : memref<8xi32> -> !neuron.mem.tile<sbuf, 8xi32, [d0] x []>
  // CHECK: row 60 is left out, and is not behind the memory's 256 elements; choose a row's number with neuron.mem.select; one that is not in the memory is left out where there is a bound
  %v = neuron.mem.load %x index(%i : !neuron.mem.tile<sbuf, 8xi32, [d0] x []>) [t0(d0) in 0 to 60 by 4, d1 by 1] : memref<64x4xf32> -> !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @rows_from_inside_the_memory(%x: memref<64x4xf32>, %k: memref<8xi32>) {
  %i = neuron.mem.load %k [d0 by 1] : memref<8xi32> -> !neuron.mem.tile<sbuf, 8xi32, [d0] x []>
  // CHECK: row 2 is left out, and is not in front of the memory; choose a row's number with neuron.mem.select; one that is not in the memory is left out where there is a bound
  %v = neuron.mem.load %x index(%i : !neuron.mem.tile<sbuf, 8xi32, [d0] x []>) [t0(d0) in 3 to * by 4, d1 by 1] : memref<64x4xf32> -> !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @stored_rows_up_to_inside_the_memory(%x: memref<64x4xf32>, %k: memref<8xi32>) {
  %i = neuron.mem.load %k [d0 by 1] : memref<8xi32> -> !neuron.mem.tile<sbuf, 8xi32, [d0] x []>
  %v = neuron.mem.load %x [d0 by 4, d1 by 1] : memref<64x4xf32> -> !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>
  // CHECK: row 60 is left out, and is not behind the memory's 256 elements; choose a row's number with neuron.mem.select; one that is not in the memory is left out where there is a bound
  neuron.mem.store %v to %x index(%i : !neuron.mem.tile<sbuf, 8xi32, [d0] x []>) [t0(d0) in * to 60 by 4, d1 by 1] : !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]> -> memref<64x4xf32>
  func.return
}

// -----

func.func @rows_that_begin_in_front(%x: memref<64x4xf32>, %k: memref<8xi32>) {
  %i = neuron.mem.load %k [d0 by 1] : memref<8xi32> -> !neuron.mem.tile<sbuf, 8xi32, [d0] x []>
  // CHECK: row 64 is left out, and is not behind the memory's 256 elements; choose a row's number with neuron.mem.select; one that is not in the memory is left out where there is a bound
  %v = neuron.mem.load %x index(%i : !neuron.mem.tile<sbuf, 8xi32, [d0] x []>) [t0(d0) in * to 64 by 4, -8 + d1 by 1] : memref<64x4xf32> -> !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @rows_backwards(%x: memref<64x4xf32>, %k: memref<8xi32>) {
  %i = neuron.mem.load %k [d0 by 1] : memref<8xi32> -> !neuron.mem.tile<sbuf, 8xi32, [d0] x []>
  // CHECK: rows that an index tile names are -4 elements apart; it must be 1 or more; choose a row's number with neuron.mem.select; one that is not in the memory is left out where there is a bound
  %v = neuron.mem.load %x index(%i : !neuron.mem.tile<sbuf, 8xi32, [d0] x []>) [252 by 1, t0(d0) by -4, d1 by 1] : memref<64x4xf32> -> !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @rows_that_move_on(%x: memref<64x4xf32>, %k: memref<8xi32>) {
  %i = neuron.mem.load %k [d0 by 1] : memref<8xi32> -> !neuron.mem.tile<sbuf, 8xi32, [d0] x []>
  // CHECK: a dimension along which an index tile names rows moves on by itself, too; choose a row's number with neuron.mem.select; one that is not in the memory is left out where there is a bound
  %v = neuron.mem.load %x index(%i : !neuron.mem.tile<sbuf, 8xi32, [d0] x []>) [t0(d0) by 4, d0 by 4, d1 by 1] : memref<64x4xf32> -> !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @stored_bounds_on_two_dimensions(%x: memref<64x4xf32>, %k: memref<8xi32>) {
  %v = neuron.mem.load %x [d0 by 4, d1 by 1] : memref<64x4xf32> -> !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>
  // CHECK: a bound on several dimensions, or on a counter of run time, has no transfer; name each element by an index tile, and 256, which is none, where nothing is stored
  neuron.mem.store %v to %x [d0 by 4, d1 by 1, d0 + d1 in 0 to 5 by 0] : !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]> -> memref<64x4xf32>
  func.return
}

// -----

func.func @remainders_of_positions(%x: memref<64x4xf32>, %k: memref<8xi32>) {
  // CHECK: a remainder or a quotient of positions, or of elements of index tiles, is no coordinate; compute an index tile, or a mask
  %v = neuron.mem.load %x [d0 by 4, d1 mod 2 by 1] : memref<64x4xf32> -> !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @masks_of_remainders() {
  // CHECK: a remainder or a quotient of positions, or of elements of index tiles, is no coordinate; compute an index tile, or a mask
  %m = neuron.mem.mask [d1 mod 2 in 1 to * by 0] -> !neuron.mem.tile<sbuf, 8x4xi1, [d0] x [d1]>
  "test.op"(%m) : (!neuron.mem.tile<sbuf, 8x4xi1, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @a_masked_load(%x: memref<64x4xf32>) {
  %m = neuron.mem.mask [] -> !neuron.mem.tile<sbuf, 8x4xi1, [d0] x [d1]>
  // CHECK: a transfer has no mask; load all of it, and choose with neuron.mem.select by a neuron.mem.mask
  %v = neuron.mem.load %x [d0 by 4, d1 by 1] mask %m : !neuron.mem.tile<sbuf, 8x4xi1, [d0] x [d1]> : memref<64x4xf32> -> !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>) -> ()
  func.return
}
