// RUN: nki-opt %s -p select-instructions,canonicalize,cse,dce --split-input-file | filecheck %s
// RUN: nki-opt %s -p select-instructions,canonicalize,cse,dce --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

// Whole partitions of the last block are valid, 113: what is not is filled in that iteration alone, the transfers are one.
// CHECK-LABEL: func.func @a_loop_and_its_tail
// CHECK-DAG: [[SIZE:%.*]] = arith.constant 8 : index
// CHECK-DAG: [[END:%.*]] = arith.constant 5000 : index
// CHECK-DAG: [[SHORT:%.*]] = arith.constant -3976 : index
// CHECK: [[AT:%.*]] = arith.muli %i, {{%.*}} : index
// CHECK: [[GUARD:%.*]] = arith.addi [[AT]], [[SHORT]] : index
// CHECK: neuron.engine.view {{%.*}} limit dim 2 [[GUARD]] : {{.*}} -> !neuron.engine.view<sbuf[0:128], [1 x 8, 1 x 1], f32>
// CHECK-NEXT: neuron.engine.memset vector value 0.000000e+00 : f32 stands_for "unspecified"
// CHECK: [[LEFT:%.*]] = arith.addi {{%.*}}, [[END]] : index
// CHECK: [[LANES:%.*]] = arith.floordivsi [[LEFT]], [[SIZE]] : index
// CHECK-DAG: neuron.engine.view %x at [[AT]] limit dim 0 [[LANES]] : memref<5000xf32> -> !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>
// CHECK-DAG: neuron.engine.view {{%.*}} limit dim 0 [[LANES]] : {{.*}} -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
// CHECK: neuron.engine.dma_copy sync
// CHECK: neuron.engine.dma_copy gpsimd
// CHECK-NOT: neuron.engine.dma_copy
// CHECK: func.return
func.func @a_loop_and_its_tail(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 5 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [1024 * s0 + d0 in 0 to 5000 by 1] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %v to %x(%i) [1024 * s0 + d0 in 0 to 5000 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<5000xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @what_a_tail_leaves_out_stays_undefined
// CHECK: neuron.engine.memset vector value 0.000000e+00 : f32 stands_for "undefined"
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

// CHECK-LABEL: func.func @leaves_alone
// CHECK-NOT: limit
// CHECK-NOT: memset
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

// The last block ends on partition 112, with one element: a transfer of its own.
// CHECK-LABEL: func.func @a_rest_of_a_partition
// CHECK: neuron.engine.dma_copy sync {{.*}} dst {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
// CHECK: neuron.engine.dma_copy sync {{.*}} dst {{%.*}} : !neuron.engine.view<sbuf[112:113], [1 x 1, 1 x 1], f32>
// CHECK: neuron.engine.dma_copy gpsimd {{.*}} src {{%.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
// CHECK: neuron.engine.dma_copy gpsimd {{.*}} src {{%.*}} : !neuron.engine.view<sbuf[112:113], [1 x 1, 1 x 1], f32>
// CHECK-NOT: neuron.engine.dma_copy
// CHECK: func.return
func.func @a_rest_of_a_partition(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 5 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [1024 * s0 + d0 in 0 to 4993 by 1] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %v to %x(%i) [1024 * s0 + d0 in 0 to 4993 by 1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<5000xf32>
  }
  func.return
}

// Rows and columns are short, each in some iterations. Where columns alone are, their rest is filled, else all.
// CHECK-LABEL: func.func @two_dimensions
// CHECK-DAG: [[ROWS:%.*]] = arith.constant 200 : index
// CHECK-DAG: [[COLUMNS:%.*]] = arith.constant 72 : index
// CHECK: neuron.engine.view {{%.*}} limit dim 2 {{%.*}} : {{.*}} -> !neuron.engine.view<sbuf[0:64], [1 x 32, 1 x 1], f32>
// CHECK-NEXT: neuron.engine.memset
// CHECK: [[N:%.*]] = arith.addi {{%.*}}, [[COLUMNS]] : index
// CHECK: [[M:%.*]] = arith.subi {{%.*}}, {{%.*}} : index
// CHECK: neuron.engine.view {{%.*}} at {{%.*}} limit dim 1 [[M]], dim 2 {{%.*}} : {{.*}} -> !neuron.engine.view<sbuf[0:64], [1 x 32, 1 x 1], f32>
// CHECK-NEXT: neuron.engine.memset
// CHECK: [[L:%.*]] = arith.addi {{%.*}}, [[ROWS]] : index
// CHECK-DAG: neuron.engine.view %x at {{%.*}} limit dim 0 [[L]], dim 1 [[N]] : memref<200x72xf32> -> !neuron.engine.view<hbm, [72 x 64, 1 x 32], f32>
// CHECK-DAG: neuron.engine.view {{%.*}} limit dim 0 [[L]], dim 1 [[N]] : {{.*}} -> !neuron.engine.view<sbuf[0:64], [1 x 32], f32>
// CHECK: neuron.engine.dma_copy sync
// CHECK-NOT: neuron.engine.dma_copy sync
// CHECK: func.return
func.func @two_dimensions(%x: memref<200x72xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 4 : index
  %c3 = arith.constant 3 : index
  scf.for %i = %c0 to %trips step %c1 {
    scf.for %j = %c0 to %c3 step %c1 {
      %v = neuron.mem.load %x(%i, %j) [64 * s0 + d0 in 0 to 200 by 72, 32 * s1 + d1 in 0 to 72 by 1] other 1.0 : f32 : memref<200x72xf32> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
      neuron.mem.store %v to %x(%i, %j) [64 * s0 + d0 in 0 to 200 by 72, 32 * s1 + d1 in 0 to 72 by 1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> memref<200x72xf32>
    }
  }
  func.return
}

// What does not begin at the first partition has an instruction for each range: 4 to 8, all, and 0 to 5, which iteration
// 7 alone has.
// CHECK-LABEL: func.func @a_head_and_a_tail
// CHECK-DAG: [[BEFORE:%.*]] = arith.constant -55 : index
// CHECK: [[LAST:%.*]] = arith.addi {{%.*}}, [[BEFORE]] : index
// CHECK: [[ONLY:%.*]] = arith.minsi {{%.*}}, [[LAST]] : index
// CHECK: neuron.engine.view {{%.*}} limit dim 2 [[ONLY]] : {{.*}} -> !neuron.engine.view<sbuf[0:5], [1 x 1, 1 x 1], f32>
// CHECK: neuron.engine.dma_copy gpsimd {{.*}} src {{%.*}} : !neuron.engine.view<sbuf[4:8], [1 x 1, 1 x 1], f32>
// CHECK: neuron.engine.dma_copy gpsimd {{.*}} src {{%.*}} : !neuron.engine.view<sbuf[0:8], [1 x 1, 1 x 1], f32>
// CHECK: neuron.engine.dma_copy gpsimd {{.*}} src {{%.*}} : !neuron.engine.view<sbuf[0:5], [1 x 1, 1 x 1], f32>
// CHECK-NOT: neuron.engine.dma_copy
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

// Iterations 2 and 3 have all, the others nothing.
// CHECK-LABEL: func.func @a_guard_without_a_dimension
// CHECK: [[GUARD:%.*]] = arith.minsi
// CHECK: neuron.engine.view %x at {{%.*}} limit dim 1 [[GUARD]] : memref<5000xf32> -> !neuron.engine.view<hbm, [1 x 8, 1 x 1], f32>
// CHECK: neuron.engine.dma_copy sync
// CHECK: neuron.engine.dma_copy gpsimd
// CHECK-NOT: neuron.engine.dma_copy
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

// CHECK-LABEL: func.func @what_no_iteration_has
// CHECK: neuron.engine.memset
// CHECK-NOT: neuron.engine.dma_copy sync
// CHECK: func.return
func.func @what_no_iteration_has(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 2 : index
  scf.for %i = %c0 to %trips step %c1 {
    %v = neuron.mem.load %x(%i) [8 * s0 + d0 by 1, s0 in 2 to 4 by 0] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x [d0 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<5000xf32>
  }
  func.return
}

// All true, or, in the last iteration, compared.
// CHECK-LABEL: func.func @masks
// CHECK: neuron.engine.memset vector value 1 : ui8 dst {{%.*}} : !neuron.engine.view<sbuf[0:8], [1 x 4, 1 x 1], ui8>
// CHECK: neuron.engine.iota gpsimd {{.*}} dst {{%.*}} : !neuron.engine.view<sbuf[0:8], [1 x 4, 1 x 1], f32>
// CHECK: neuron.engine.tensor_scalar vector op0 less dst {{%.*}} : !neuron.engine.view<sbuf[0:8], [1 x 4, 1 x 1], ui8>
func.func @masks(%x: memref<32xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %trips step %c1 {
    %m = neuron.mem.mask(%i) [8 * s0 + d0 in 0 to 61 by 0] -> !neuron.mem.tile<sbuf, 8x4xi1, [d0] x [d1]>
    %v = neuron.mem.load %x [4 * d0 + d1 by 1] : memref<32xf32> -> !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>
    %s = neuron.mem.select %m, %v, %zero : !neuron.mem.tile<sbuf, 8x4xi1, [d0] x [d1]>, !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>, f32 -> !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]>
    neuron.mem.store %s to %x [4 * d0 + d1 by 1] : !neuron.mem.tile<sbuf, 8x4xf32, [d0] x [d1]> -> memref<32xf32>
  }
  func.return
}

// The ends of a free dimension, where a mask does not hold, are filled with the constant; of two tiles one is chosen.
// CHECK-LABEL: func.func @ends(
// CHECK-NOT: ui8
// CHECK: [[V:%.*]] = neuron.engine.dma_copy sync
// CHECK-NOT: tensor_copy
// CHECK: neuron.engine.view [[V]] at {{%.*}} limit dim 1 {{%.*}} : !neuron.mem
// CHECK-NEXT: neuron.engine.memset vector value 0.000000e+00 : f32
// CHECK-NOT: ui8
// CHECK: func.return
// CHECK-LABEL: func.func @ends_of_two_tiles
// CHECK: neuron.engine.memset vector value 1 : ui8
// CHECK: neuron.engine.memset vector value 0 : ui8
// CHECK: neuron.engine.tensor_copy_predicated
// CHECK: func.return
func.func @ends(%x: memref<256xf32>, %y: memref<256xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %trips step %c1 {
    %m = neuron.mem.mask(%i) [d1 + -4 * s0 in * to 3 by 0] -> !neuron.mem.tile<sbuf, 8x32xi1, [d0] x [d1]>
    %v = neuron.mem.load %x [32 * d0 + d1 by 1] : memref<256xf32> -> !neuron.mem.tile<sbuf, 8x32xf32, [d0] x [d1]>
    %s = neuron.mem.select %m, %v, %zero : !neuron.mem.tile<sbuf, 8x32xi1, [d0] x [d1]>, !neuron.mem.tile<sbuf, 8x32xf32, [d0] x [d1]>, f32 -> !neuron.mem.tile<sbuf, 8x32xf32, [d0] x [d1]>
    neuron.mem.store %s to %y [32 * d0 + d1 by 1] : !neuron.mem.tile<sbuf, 8x32xf32, [d0] x [d1]> -> memref<256xf32>
  }
  func.return
}

func.func @ends_of_two_tiles(%x: memref<256xf32>, %y: memref<256xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %trips step %c1 {
    %m = neuron.mem.mask(%i) [d1 + -4 * s0 in * to 3 by 0] -> !neuron.mem.tile<sbuf, 8x32xi1, [d0] x [d1]>
    %v = neuron.mem.load %x [32 * d0 + d1 by 1] : memref<256xf32> -> !neuron.mem.tile<sbuf, 8x32xf32, [d0] x [d1]>
    %w = neuron.mem.load %y [32 * d0 + d1 by 1] : memref<256xf32> -> !neuron.mem.tile<sbuf, 8x32xf32, [d0] x [d1]>
    %s = neuron.mem.select %m, %v, %w : !neuron.mem.tile<sbuf, 8x32xi1, [d0] x [d1]>, !neuron.mem.tile<sbuf, 8x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 8x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 8x32xf32, [d0] x [d1]>
    neuron.mem.store %s to %y [32 * d0 + d1 by 1] : !neuron.mem.tile<sbuf, 8x32xf32, [d0] x [d1]> -> memref<256xf32>
  }
  func.return
}

// Both factors end with 72 terms: the product leaves out the others, which no load fills.
// CHECK-LABEL: func.func @a_product_leaves_out_terms
// CHECK-DAG: [[K:%.*]] = arith.constant 72 : index
// CHECK-NOT: memset
// CHECK: [[LEFT:%.*]] = arith.addi {{%.*}}, [[K]] : index
// CHECK: neuron.engine.dma_copy sync
// CHECK: neuron.engine.dma_copy sync
// CHECK-DAG: [[ONE:%.*]] = neuron.engine.view {{%.*}} limit dim 0 [[LEFT]] : {{.*}} -> !neuron.engine.view<sbuf[0:32], [1 x 16], f32>
// CHECK-DAG: [[OTHER:%.*]] = neuron.engine.view {{%.*}} limit dim 0 [[LEFT]] : {{.*}} -> !neuron.engine.view<sbuf[0:32], [1 x 24], f32>
// CHECK: neuron.engine.nc_matmul tensor accumulate %k {{.*}} stationary [[ONE]] : {{.*}} moving [[OTHER]]
func.func @a_product_leaves_out_terms(%x: memref<72x16xf32>, %w: memref<72x24xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %acc = neuron.mem.accumulator : !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]>
  %sum = scf.for %k = %c0 to %c3 step %c1 iter_args(%a = %acc) -> (!neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]>) {
    %l = neuron.mem.load %x(%k) [32 * s0 + d1 in 0 to 72 by 16, d0 by 1] other 0.0 : f32 : memref<72x16xf32> -> !neuron.mem.tile<sbuf, 16x32xf32, [d1] x [d0]>
    %r = neuron.mem.load %w(%k) [32 * s0 + d0 in 0 to 72 by 24, d1 by 1] other 0.0 : f32 : memref<72x24xf32> -> !neuron.mem.tile<sbuf, 32x24xf32, [d0] x [d1]>
    %p = neuron.mem.matmul %l, %r acc %a : !neuron.mem.tile<sbuf, 16x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x24xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]>
    scf.yield %p : !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]>
  }
  %c = neuron.mem.convert %sum by copy : !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 16x24xf32, [d0] x [d1]>
  neuron.mem.store %c to %x [24 * d0 + d1 by 1] : !neuron.mem.tile<sbuf, 16x24xf32, [d0] x [d1]> -> memref<72x16xf32>
  func.return
}

// What the first factor has instead of terms is no zero.
// CHECK-LABEL: func.func @terms_that_are_no_zeros
// CHECK: neuron.engine.memset
// CHECK: neuron.engine.memset
// CHECK: neuron.engine.dma_copy sync
// CHECK-NOT: limit
// CHECK: neuron.engine.nc_matmul
func.func @terms_that_are_no_zeros(%x: memref<72x16xf32>, %w: memref<72x24xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %acc = neuron.mem.accumulator : !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]>
  %sum = scf.for %k = %c0 to %c3 step %c1 iter_args(%a = %acc) -> (!neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]>) {
    %l = neuron.mem.load %x(%k) [32 * s0 + d1 in 0 to 72 by 16, d0 by 1] other 1.0 : f32 : memref<72x16xf32> -> !neuron.mem.tile<sbuf, 16x32xf32, [d1] x [d0]>
    %r = neuron.mem.load %w(%k) [32 * s0 + d0 in 0 to 72 by 24, d1 by 1] other 0.0 : f32 : memref<72x24xf32> -> !neuron.mem.tile<sbuf, 32x24xf32, [d0] x [d1]>
    %p = neuron.mem.matmul %l, %r acc %a : !neuron.mem.tile<sbuf, 16x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x24xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]>
    scf.yield %p : !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]>
  }
  %c = neuron.mem.convert %sum by copy : !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 16x24xf32, [d0] x [d1]>
  neuron.mem.store %c to %x [24 * d0 + d1 by 1] : !neuron.mem.tile<sbuf, 16x24xf32, [d0] x [d1]> -> memref<72x16xf32>
  func.return
}

// With no terms in the last iteration of the outer loop, a product would not begin its sum: it takes zeros.
// CHECK-LABEL: func.func @a_sum_that_must_begin
// CHECK: neuron.engine.memset
// CHECK: neuron.engine.memset
// CHECK: neuron.engine.nc_matmul tensor dst {{.*}} stationary {{%.*}} : !neuron.engine.view<sbuf[0:32], [1 x 16], f32> moving
func.func @a_sum_that_must_begin(%x: memref<72x16xf32>, %w: memref<72x24xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %k = %c0 to %c4 step %c1 {
    %l = neuron.mem.load %x(%k) [32 * s0 + d1 in 0 to 72 by 16, d0 by 1] other 0.0 : f32 : memref<72x16xf32> -> !neuron.mem.tile<sbuf, 16x32xf32, [d1] x [d0]>
    %r = neuron.mem.load %w(%k) [32 * s0 + d0 in 0 to 72 by 24, d1 by 1] other 0.0 : f32 : memref<72x24xf32> -> !neuron.mem.tile<sbuf, 32x24xf32, [d0] x [d1]>
    %acc = neuron.mem.accumulator : !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]>
    %p = neuron.mem.matmul %l, %r acc %acc : !neuron.mem.tile<sbuf, 16x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x24xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]>
    %c = neuron.mem.convert %p by copy : !neuron.mem.tile<psum, 16x24xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 16x24xf32, [d0] x [d1]>
    neuron.mem.store %c to %x [24 * d0 + d1 by 1] : !neuron.mem.tile<sbuf, 16x24xf32, [d0] x [d1]> -> memref<72x16xf32>
  }
  func.return
}

// Only what is in front of the valid places is filled, and what is behind them.
// CHECK-LABEL: func.func @begins_within
// CHECK: neuron.engine.memset vector value 1.000000e+00 : f32 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 3], f32>
// CHECK: [[REST:%.*]] = neuron.engine.view {{%.*}} at {{%.*}} -> !neuron.engine.view<sbuf[0:128], [1 x 5], f32>
// CHECK: neuron.engine.memset vector value 1.000000e+00 : f32 dst [[REST]]
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 56], f32>
func.func @begins_within(%x: memref<128x96xf32>, %y: memref<128x96xf32>) {
  %v = neuron.mem.load %x [d0 by 96, -3 + d1 in 0 to 56 by 1] other 1.0 : f32 : memref<128x96xf32> -> !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>
  neuron.mem.store %v to %y [d0 by 96, d1 by 1] : !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]> -> memref<128x96xf32>
  func.return
}

// CHECK-LABEL: func.func @begins_within_in_some_iterations
// CHECK: [[BEFORE:%.*]] = arith.minsi {{%.*}}, {{%.*}}
// CHECK: [[COUNT:%.*]] = arith.maxsi {{%.*}}, [[BEFORE]]
// CHECK: [[FRONT:%.*]] = neuron.engine.view {{%.*}} limit dim 1 [[COUNT]] : {{.*}} -> !neuron.engine.view<sbuf[0:128], [1 x 32], f32>
// CHECK: neuron.engine.memset vector value 1.000000e+00 : f32 dst [[FRONT]]
// CHECK-NOT: neuron.engine.memset
// CHECK: func.return
func.func @begins_within_in_some_iterations(%x: memref<128x96xf32>, %y: memref<128x96xf32>) {
  %0 = arith.constant 0 : index
  %1 = arith.constant 1 : index
  %3 = arith.constant 3 : index
  scf.for %i = %0 to %3 step %1 {
    %v = neuron.mem.load %x(%i) [d0 by 96, -3 + 32 * s0 + d1 in 0 to * by 1] other 1.0 : f32 : memref<128x96xf32> -> !neuron.mem.tile<sbuf, 128x32xf32, [d0] x [d1]>
    neuron.mem.store %v to %y(%i) [d0 by 96, 32 * s0 + d1 by 1] : !neuron.mem.tile<sbuf, 128x32xf32, [d0] x [d1]> -> memref<128x96xf32>
  }
  func.return
}
