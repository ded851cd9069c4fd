// RUN: nki-opt %s -p peel-tails,canonicalize --split-input-file | filecheck %s
// RUN: nki-opt %s -p peel-tails,canonicalize --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

// CHECK-LABEL: func.func @a_loop_and_its_tail
// CHECK: [[FULL:%.*]] = arith.constant 4 : index
// CHECK: scf.for [[I:%.*]] = {{%.*}} to [[FULL]]
// CHECK: neuron.mem.load %x([[I]]) [1024 * s0 + d0 by 1] : memref
// CHECK: neuron.mem.store {{%.*}} to %x([[I]]) [1024 * s0 + d0 by 1] : !neuron
// CHECK: }
// CHECK: [[LAST:%.*]] = arith.constant 4 : index
// CHECK: neuron.mem.load %x([[LAST]]) [1024 * s0 + d0 by 1, d0 in 0 to 904 by 0] : memref
// CHECK: neuron.mem.store {{%.*}} to %x([[LAST]]) [1024 * s0 + d0 by 1, d0 in 0 to 904 by 0] : !neuron
func.func @a_loop_and_its_tail(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 5 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [1024 * s0 + d0 in 0 to 5000 by 1] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    %e = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %e to %x(%i) [1024 * s0 + d0 in 0 to 5000 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<5000xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @what_a_tail_leaves_out_stays_undefined
// CHECK: neuron.mem.load {{.*}} [1024 * s0 + d0 by 1] : memref
// CHECK: }
// CHECK: neuron.mem.load {{.*}} [1024 * s0 + d0 by 1, d0 in 0 to 904 by 0] undefined : memref
func.func @what_a_tail_leaves_out_stays_undefined(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 5 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [1024 * s0 + d0 in 0 to 5000 by 1] undefined : memref<5000xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %v to %x(%i) [1024 * s0 + d0 in 0 to 5000 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<5000xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @iterations_beyond_the_end_store_nothing
// CHECK: neuron.mem.store {{.*}} [1024 * s0 + d0 by 1] : !neuron
// CHECK: neuron.mem.store {{.*}} [1024 * s0 + d0 by 1, d0 in 0 to 952 by 0] : !neuron
// CHECK-NOT: neuron.mem.store
// CHECK: func.return
func.func @iterations_beyond_the_end_store_nothing(%x: memref<3000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 9 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [1024 * s0 + d0 in 0 to 3000 by 1] : memref<3000xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    %e = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %e to %x(%i) [1024 * s0 + d0 in 0 to 3000 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<3000xf32>
  }
  func.return
}

// The bounds go, as all iterations are within them.
// CHECK-LABEL: func.func @leaves_alone
// CHECK: scf.for
// CHECK: neuron.mem.load {{.*}} [1024 * s0 + d0 by 1] : memref
// CHECK: neuron.mem.store {{.*}} [1024 * s0 + d0 by 1] : !neuron
// CHECK-NOT: neuron.mem.load
// CHECK: func.return
func.func @leaves_alone(%x: memref<4096xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 4 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [1024 * s0 + d0 in 0 to 4096 by 1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %v to %x(%i) [1024 * s0 + d0 in 0 to 4096 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<4096xf32>
  }
  func.return
}

// The loop counts 2048, 4096, 6144; its last iteration has 856 valid elements of its own.
// CHECK-LABEL: func.func @a_loop_with_another_start_and_step
// CHECK: [[TRIPS:%.*]] = arith.constant 2 : index
// CHECK: scf.for {{%.*}} = {{%.*}} to [[TRIPS]] step
// CHECK: neuron.mem.load %x({{%.*}}) [s0 + d0 by 1] : memref<8192xf32>
// CHECK: neuron.mem.load %x({{%.*}}) [s0 + d0 by 1, d0 in 0 to 856 by 0] : memref<8192xf32>
func.func @a_loop_with_another_start_and_step(%x: memref<8192xf32>) {
  %low = arith.constant 2048 : index
  %high = arith.constant 8192 : index
  %step = arith.constant 2048 : index
  scf.for %k = %low to %high step %step {
    %v = neuron.mem.load %x(%k) [s0 + d0 in 0 to 7000 by 1] : memref<8192xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %v to %x(%k) [s0 + d0 in 0 to 7000 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<8192xf32>
  }
  func.return
}

// Blocks 0 to 10 are full, block 11 has two elements, the rest none: three bodies, two of which store.
// CHECK-LABEL: func.func @far_beyond_the_end
// CHECK-COUNT-2: neuron.mem.store
// CHECK-NOT: neuron.mem.store
// CHECK: func.return
func.func @far_beyond_the_end(%x: memref<8192xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 20 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [8 * s0 + d0 in 0 to 90 by 1] : memref<8192xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x(%i) [8 * s0 + d0 in 0 to 90 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<8192xf32>
  }
  func.return
}

// The outer loop is cut first: one loop for its first iteration, two parts for its second.
// CHECK-LABEL: func.func @two_counters
// CHECK-COUNT-3: neuron.mem.load
// CHECK-NOT: neuron.mem.load
// CHECK: func.return
func.func @two_counters(%x: memref<8192xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c2 step %c1 {
    scf.for %j = %c0 to %c8 step %c1 {
      %v = neuron.mem.load %x(%i, %j) [64 * s0 + 8 * s1 + d0 in 0 to 90 by 1] : memref<8192xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
      neuron.mem.store %v to %x(%i, %j) [64 * s0 + 8 * s1 + d0 in 0 to 90 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<8192xf32>
    }
  }
  func.return
}

// Blocks 0 and 1 have nothing, block 2 its last four elements.
// CHECK-LABEL: func.func @a_loop_and_its_head
// CHECK: neuron.mem.store {{.*}} [8 * s0 + d0 by 1, d0 in 4 to 8 by 0] : !neuron
// CHECK: scf.for
// CHECK: neuron.mem.store {{.*}} [8 * s0 + d0 by 1] : !neuron
// CHECK: }
// CHECK-NOT: neuron.mem.store
// CHECK: func.return
func.func @a_loop_and_its_head(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 9 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [8 * s0 + d0 in 20 to * by 1] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x(%i) [8 * s0 + d0 in 20 to * by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<5000xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @a_head_and_a_tail
// CHECK: neuron.mem.store {{.*}} [8 * s0 + d0 by 1, d0 in 4 to 8 by 0] : !neuron
// CHECK: scf.for
// CHECK: neuron.mem.store {{.*}} [8 * s0 + d0 by 1] : !neuron
// CHECK: }
// CHECK: neuron.mem.store {{.*}} [8 * s0 + d0 by 1, d0 in 0 to 5 by 0] : !neuron
// CHECK-NOT: neuron.mem.store
// CHECK: func.return
func.func @a_head_and_a_tail(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 9 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [8 * s0 + d0 in 20 to 61 by 1] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x(%i) [8 * s0 + d0 in 20 to 61 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<5000xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @both_ends_in_one_iteration
// CHECK: neuron.mem.store {{.*}} [8 * s0 + d0 by 1, d0 in 3 to 6 by 0] : !neuron
// CHECK-NOT: neuron.mem.store
// CHECK: func.return
func.func @both_ends_in_one_iteration(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 9 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [8 * s0 + d0 in 43 to 46 by 1] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x(%i) [8 * s0 + d0 in 43 to 46 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<5000xf32>
  }
  func.return
}

// Iterations 2 and 3 have all, the others nothing.
// CHECK-LABEL: func.func @a_guard_without_a_dimension
// CHECK: scf.for
// CHECK: neuron.mem.store {{.*}} [8 * s0 + d0 by 1] : !neuron
// CHECK: }
// CHECK-NOT: neuron.mem.store
// CHECK: func.return
func.func @a_guard_without_a_dimension(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 9 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [8 * s0 + d0 by 1, s0 in 2 to 4 by 0] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x(%i) [8 * s0 + d0 by 1, s0 in 2 to 4 by 0] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<5000xf32>
  }
  func.return
}

// A load of nothing is still a tile.
// CHECK-LABEL: func.func @what_no_iteration_has
// CHECK: neuron.mem.load {{.*}} [8 * s0 + d0 by 1, 0 in 1 to 1 by 0] : memref
// CHECK-NOT: neuron.mem.store
// CHECK: func.return
func.func @what_no_iteration_has(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 2 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [8 * s0 + d0 by 1, s0 in 2 to 4 by 0] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    "test.op"(%v) : (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>) -> ()
    neuron.mem.store %v to %x(%i) [8 * s0 + d0 by 1, s0 in 2 to 4 by 0] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<5000xf32>
  }
  func.return
}

// Both hold: block 7 ends before the second does.
// CHECK-LABEL: func.func @two_bounds_on_one_dimension
// CHECK: scf.for
// CHECK: neuron.mem.store {{.*}} [8 * s0 + d0 by 1, d0 in 2 to 6 by 0] : !neuron
// CHECK: }
// CHECK: neuron.mem.store {{.*}} [8 * s0 + d0 by 1, d0 in 2 to 5 by 0] : !neuron
// CHECK-NOT: neuron.mem.store
// CHECK: func.return
func.func @two_bounds_on_one_dimension(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 9 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [d0 in 2 to 6 by 0, 8 * s0 + d0 in 0 to 61 by 1] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x(%i) [d0 in 2 to 6 by 0, 8 * s0 + d0 in 0 to 61 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<5000xf32>
  }
  func.return
}

// 71 - 8 * 4 down to 40 are above the bound, of block 5 two elements.
// CHECK-LABEL: func.func @a_coordinate_that_falls
// CHECK: scf.for
// CHECK: neuron.mem.store {{.*}} [71 + -8 * s0 + -1 * d0 by 1] : !neuron
// CHECK: }
// CHECK: neuron.mem.store {{.*}} [71 + -8 * s0 + -1 * d0 by 1, d0 in 0 to 2 by 0] : !neuron
// CHECK-NOT: neuron.mem.store
// CHECK: func.return
func.func @a_coordinate_that_falls(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 9 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [71 - 8 * s0 - d0 in 30 to * by 1] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x(%i) [71 - 8 * s0 - d0 in 30 to * by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<5000xf32>
  }
  func.return
}

// Elements 6, 9, … of the first block and 72 to 81 of the last.
// CHECK-LABEL: func.func @a_coordinate_in_steps
// CHECK: neuron.mem.store {{.*}} [24 * s0 + 3 * d0 by 1, d0 in 2 to 8 by 0] : !neuron
// CHECK: neuron.mem.store {{.*}} [24 * s0 + 3 * d0 by 1] : !neuron
// CHECK: neuron.mem.store {{.*}} [24 * s0 + 3 * d0 by 1, d0 in 0 to 4 by 0] : !neuron
// CHECK-NOT: neuron.mem.store
// CHECK: func.return
func.func @a_coordinate_in_steps(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 5 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [24 * s0 + 3 * d0 in 5 to 83 by 1] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x(%i) [24 * s0 + 3 * d0 in 5 to 83 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<5000xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @masks
// CHECK: scf.for
// CHECK: neuron.mem.mask [] -> !neuron
// CHECK: }
// CHECK: neuron.mem.mask [d0 in 0 to 5 by 0] -> !neuron
// CHECK-NOT: neuron.mem.mask
// CHECK: func.return
func.func @masks() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 8 : index
  scf.for %i = %c0 to %trips step %c1 {
    %m = neuron.mem.mask(%i) [8 * s0 + d0 in 0 to 61 by 0] -> !neuron.mem.tile<sbuf, 8x4xi1, [d0] x [d1]>
    "test.op"(%m) : (!neuron.mem.tile<sbuf, 8x4xi1, [d0] x [d1]>) -> ()
  }
  func.return
}

// CHECK-LABEL: func.func @a_guard_on_two_dimensions_cuts_nothing
// CHECK: scf.for
// CHECK: neuron.mem.mask({{%.*}}) [s0 + d0 + -1 * d1 in 0 to * by 0] -> !neuron
// CHECK-NOT: neuron.mem.mask
// CHECK: func.return
func.func @a_guard_on_two_dimensions_cuts_nothing() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 8 : index
  scf.for %i = %c0 to %trips step %c1 {
    %m = neuron.mem.mask(%i) [s0 + d0 - d1 in 0 to * by 0] -> !neuron.mem.tile<sbuf, 8x4xi1, [d0] x [d1]>
    "test.op"(%m) : (!neuron.mem.tile<sbuf, 8x4xi1, [d0] x [d1]>) -> ()
  }
  func.return
}
