// RUN: nki-opt %s -p assign-engines --split-input-file | filecheck %s
// RUN: nki-opt %s -p assign-engines --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

!tile = !neuron.mem.tile<sbuf, 128x2048xf32, [d0] x [d1]>
!column = !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
!view = !neuron.engine.view<sbuf[0:128], [1 x 2048], f32>
!one = !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
!hbm = !neuron.engine.view<hbm, [2048 x 128, 1 x 2048], f32>

// Two of four passes of the Vector engine go to the Scalar engine: a sum, whose copy nobody reads, and a product.
// CHECK-LABEL: func.func @a_sum_and_a_product
// CHECK:       scf.for
// CHECK:         neuron.engine.tensor_reduce vector op maximum
// CHECK:         neuron.engine.activation_reduce scalar op copy dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 2048], bf16> data %xv : {{.*}} reduce_res
// CHECK:         neuron.engine.activation scalar op copy dst {{.*}} data %xv : {{.*}} scale %{{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
// CHECK:         neuron.engine.tensor_scalar vector op0 maximum
// CHECK:       }
func.func @a_sum_and_a_product(%xv: !view, %a: memref<128x2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %e0 = neuron.engine.empty : !column
    %v0 = neuron.engine.view %e0 : !column -> !one
    %m = neuron.engine.tensor_reduce vector op maximum axes 1 dst %v0 : !one data %xv : !view -> !column
    %mv = neuron.engine.view %m : !column -> !one
    %e1 = neuron.engine.empty : !column
    %v1 = neuron.engine.view %e1 : !column -> !one
    %s = neuron.engine.tensor_reduce vector op add axes 1 dst %v1 : !one data %xv : !view -> !column
    %sv = neuron.engine.view %s : !column -> !one
    %e2 = neuron.engine.empty : !tile
    %v2 = neuron.engine.view %e2 : !tile -> !view
    %y = neuron.engine.tensor_scalar vector op0 multiply dst %v2 : !view data %xv : !view operand0 %sv : !one -> !tile
    %yv = neuron.engine.view %y : !tile -> !view
    %e3 = neuron.engine.empty : !tile
    %v3 = neuron.engine.view %e3 : !tile -> !view
    %z = neuron.engine.tensor_scalar vector op0 maximum dst %v3 : !view data %yv : !view operand0 %mv : !one -> !tile
    %zv = neuron.engine.view %z : !tile -> !view
    %h = neuron.engine.view %a : memref<128x2048xf32> -> !neuron.engine.view<hbm, [1 x 128], f32>
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %sv : !one
    %zc = neuron.engine.view %z : !tile -> !one
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %zc : !one
  }
  func.return
}

// What leaves PSUM goes to the Vector engine where the Scalar engine has more to do.
// CHECK-LABEL: func.func @an_eviction
// CHECK:         neuron.engine.tensor_copy vector dst {{.*}} src %pv
// CHECK:         neuron.engine.activation scalar op exp
// CHECK:         neuron.engine.activation scalar op tanh
func.func @an_eviction(%pv: !neuron.engine.view<psum[0:128], [1 x 512], f32>, %xv: !view, %a: memref<128x2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %e0 = neuron.engine.empty : !tile
    %v0 = neuron.engine.view %e0 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
    %x = neuron.engine.activation scalar op copy dst %v0 : !neuron.engine.view<sbuf[0:128], [1 x 512], f32> data %pv : !neuron.engine.view<psum[0:128], [1 x 512], f32> -> !tile
    %w0 = neuron.engine.view %x : !tile -> !one
    %e1 = neuron.engine.empty : !tile
    %v1 = neuron.engine.view %e1 : !tile -> !view
    %y = neuron.engine.activation scalar op exp dst %v1 : !view data %xv : !view -> !tile
    %w1 = neuron.engine.view %y : !tile -> !one
    %e2 = neuron.engine.empty : !tile
    %v2 = neuron.engine.view %e2 : !tile -> !view
    %z = neuron.engine.activation scalar op tanh dst %v2 : !view data %xv : !view -> !tile
    %w2 = neuron.engine.view %z : !tile -> !one
    %h = neuron.engine.view %a : memref<128x2048xf32> -> !neuron.engine.view<hbm, [1 x 128], f32>
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %w0 : !one
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %w1 : !one
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %w2 : !one
  }
  func.return
}

// Bytes are numbers that every engine reads alike.
// CHECK-LABEL: func.func @bytes
// CHECK-DAG:     neuron.engine.activation scalar op copy dst {{.*}} data %bv : !neuron.engine.view<sbuf[0:128], [1 x 2048], ui8> scale
// CHECK-DAG:     neuron.engine.tensor_scalar vector op0 multiply dst {{.*}} data %bv
func.func @bytes(%bv: !neuron.engine.view<sbuf[0:128], [1 x 2048], ui8>, %a: memref<128x2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %f = arith.constant 256.0 : f32
  scf.for %i = %c0 to %c8 step %c1 {
    %e0 = neuron.engine.empty : !tile
    %v0 = neuron.engine.view %e0 : !tile -> !view
    %x = neuron.engine.tensor_scalar vector op0 multiply dst %v0 : !view data %bv : !neuron.engine.view<sbuf[0:128], [1 x 2048], ui8> operand0 %f : f32 -> !tile
    %w0 = neuron.engine.view %x : !tile -> !one
    %e1 = neuron.engine.empty : !tile
    %v1 = neuron.engine.view %e1 : !tile -> !view
    %y = neuron.engine.tensor_scalar vector op0 multiply dst %v1 : !view data %bv : !neuron.engine.view<sbuf[0:128], [1 x 2048], ui8> operand0 %f : f32 -> !tile
    %w1 = neuron.engine.view %y : !tile -> !one
    %h = neuron.engine.view %a : memref<128x2048xf32> -> !neuron.engine.view<hbm, [1 x 128], f32>
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %w0 : !one
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %w1 : !one
  }
  func.return
}

// Left alone: a loop of few iterations, and integers.
// CHECK-LABEL: func.func @left_alone
// CHECK:       scf.for
// CHECK:         neuron.engine.tensor_scalar vector op0 multiply
// CHECK:         neuron.engine.tensor_scalar vector op0 add
// CHECK:       scf.for
// CHECK:         neuron.engine.tensor_tensor vector op add
// CHECK:         neuron.engine.tensor_tensor vector op add
func.func @left_alone(%xv: !view, %nv: !neuron.engine.view<sbuf[0:128], [1 x 2048], i32>, %a: memref<128x2048xf32>, %b: memref<128x2048xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %two = arith.constant 2.0 : f32
  scf.for %i = %c0 to %c3 step %c1 {
    %e2 = neuron.engine.empty : !tile
    %v2 = neuron.engine.view %e2 : !tile -> !view
    %y = neuron.engine.tensor_scalar vector op0 multiply dst %v2 : !view data %xv : !view operand0 %two : f32 -> !tile
    %yv = neuron.engine.view %y : !tile -> !view
    %e3 = neuron.engine.empty : !tile
    %v3 = neuron.engine.view %e3 : !tile -> !view
    %z = neuron.engine.tensor_scalar vector op0 add dst %v3 : !view data %yv : !view operand0 %two : f32 -> !tile
    %zc = neuron.engine.view %z : !tile -> !one
    %h = neuron.engine.view %a : memref<128x2048xf32> -> !neuron.engine.view<hbm, [1 x 128], f32>
    neuron.engine.dma_copy sync queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %zc : !one
  }
  scf.for %i = %c0 to %c8 step %c1 {
    %e2 = neuron.engine.empty : !neuron.mem.tile<sbuf, 128x2048xi32, [d0] x [d1]>
    %v2 = neuron.engine.view %e2 : !neuron.mem.tile<sbuf, 128x2048xi32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 2048], i32>
    %y = neuron.engine.tensor_tensor vector op add dst %v2 : !neuron.engine.view<sbuf[0:128], [1 x 2048], i32> data1 %nv : !neuron.engine.view<sbuf[0:128], [1 x 2048], i32> data2 %nv : !neuron.engine.view<sbuf[0:128], [1 x 2048], i32> -> !neuron.mem.tile<sbuf, 128x2048xi32, [d0] x [d1]>
    %yv = neuron.engine.view %y : !neuron.mem.tile<sbuf, 128x2048xi32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 2048], i32>
    %e3 = neuron.engine.empty : !neuron.mem.tile<sbuf, 128x2048xi32, [d0] x [d1]>
    %v3 = neuron.engine.view %e3 : !neuron.mem.tile<sbuf, 128x2048xi32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 2048], i32>
    %z = neuron.engine.tensor_tensor vector op add dst %v3 : !neuron.engine.view<sbuf[0:128], [1 x 2048], i32> data1 %yv : !neuron.engine.view<sbuf[0:128], [1 x 2048], i32> data2 %nv : !neuron.engine.view<sbuf[0:128], [1 x 2048], i32> -> !neuron.mem.tile<sbuf, 128x2048xi32, [d0] x [d1]>
    %zc = neuron.engine.view %z : !neuron.mem.tile<sbuf, 128x2048xi32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 1], i32>
    %h = neuron.engine.view %b : memref<128x2048xi32> -> !neuron.engine.view<hbm, [1 x 128], i32>
    neuron.engine.dma_copy sync queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], i32> src %zc : !neuron.engine.view<sbuf[0:128], [1 x 1], i32>
  }
  func.return
}

// Iterations of loops around it count, too.
// CHECK-LABEL: func.func @few_iterations_of_many
// CHECK:       scf.for
// CHECK:         scf.for
// CHECK:           neuron.engine.activation scalar op copy dst {{.*}} data %xv : {{.*}} scale
// CHECK:           neuron.engine.tensor_scalar vector op0 add
func.func @few_iterations_of_many(%xv: !view, %a: memref<128x2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %two = arith.constant 2.0 : f32
  scf.for %i = %c0 to %c2 step %c1 {
    scf.for %j = %c0 to %c2 step %c1 {
      %e2 = neuron.engine.empty : !tile
      %v2 = neuron.engine.view %e2 : !tile -> !view
      %y = neuron.engine.tensor_scalar vector op0 multiply dst %v2 : !view data %xv : !view operand0 %two : f32 -> !tile
      %yv = neuron.engine.view %y : !tile -> !view
      %e3 = neuron.engine.empty : !tile
      %v3 = neuron.engine.view %e3 : !tile -> !view
      %z = neuron.engine.tensor_scalar vector op0 add dst %v3 : !view data %yv : !view operand0 %two : f32 -> !tile
      %zc = neuron.engine.view %z : !tile -> !one
      %h = neuron.engine.view %a : memref<128x2048xf32> -> !neuron.engine.view<hbm, [1 x 128], f32>
      neuron.engine.dma_copy sync queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %zc : !one
    }
  }
  func.return
}

// What is short goes to the one engine that makes what it reads: the next tile's maximum, which is longer, would wait
// for it behind.
// CHECK-LABEL: func.func @short_ones_follow
// CHECK:         neuron.engine.activation_reduce scalar
// CHECK:         neuron.engine.activation scalar op copy dst {{.*}} data {{.*}} bias %cv : !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
// CHECK:         neuron.engine.tensor_tensor vector op multiply
// CHECK:         neuron.engine.tensor_scalar vector op0 maximum
func.func @short_ones_follow(%xv: !view, %cv: !one, %a: memref<128x2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %two = arith.constant 2.0 : f32
  scf.for %i = %c0 to %c8 step %c1 {
    %e0 = neuron.engine.empty : !tile
    %v0 = neuron.engine.view %e0 : !tile -> !view
    %e1 = neuron.engine.empty : !column
    %v1 = neuron.engine.view %e1 : !column -> !one
    %y, %s = neuron.engine.activation_reduce scalar op relu dst %v0 : !view data %xv : !view reduce_res %v1 : !one -> !tile, !column
    %sv = neuron.engine.view %s : !column -> !one
    %e2 = neuron.engine.empty : !column
    %v2 = neuron.engine.view %e2 : !column -> !one
    %t = neuron.engine.tensor_tensor vector op add dst %v2 : !one data1 %sv : !one data2 %cv : !one -> !column
    %e4 = neuron.engine.empty : !column
    %v4 = neuron.engine.view %e4 : !column -> !one
    %p = neuron.engine.tensor_tensor vector op multiply dst %v4 : !one data1 %sv : !one data2 %cv : !one -> !column
    %pv = neuron.engine.view %p : !column -> !one
    %tv = neuron.engine.view %t : !column -> !one
    %e3 = neuron.engine.empty : !tile
    %v3 = neuron.engine.view %e3 : !tile -> !view
    %m = neuron.engine.tensor_scalar vector op0 maximum dst %v3 : !view data %xv : !view operand0 %two : f32 -> !tile
    %mv = neuron.engine.view %m : !tile -> !one
    %h = neuron.engine.view %a : memref<128x2048xf32> -> !neuron.engine.view<hbm, [1 x 128], f32>
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %tv : !one
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %pv : !one
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %mv : !one
  }
  func.return
}

// Left alone: the Scalar engine has most to do already.
// CHECK-LABEL: func.func @short_ones_stay
// CHECK:         neuron.engine.activation_reduce scalar
// CHECK:         neuron.engine.tensor_tensor vector op add
func.func @short_ones_stay(%xv: !view, %cv: !one, %a: memref<128x2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %e0 = neuron.engine.empty : !tile
    %v0 = neuron.engine.view %e0 : !tile -> !view
    %e1 = neuron.engine.empty : !column
    %v1 = neuron.engine.view %e1 : !column -> !one
    %y, %s = neuron.engine.activation_reduce scalar op exp dst %v0 : !view data %xv : !view reduce_res %v1 : !one -> !tile, !column
    %sv = neuron.engine.view %s : !column -> !one
    %e2 = neuron.engine.empty : !column
    %v2 = neuron.engine.view %e2 : !column -> !one
    %t = neuron.engine.tensor_tensor vector op add dst %v2 : !one data1 %sv : !one data2 %cv : !one -> !column
    %tv = neuron.engine.view %t : !column -> !one
    %h = neuron.engine.view %a : memref<128x2048xf32> -> !neuron.engine.view<hbm, [1 x 128], f32>
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %tv : !one
  }
  func.return
}

// What only the next iteration reads goes to GpSimd: the next maximum would wait behind it for the sum, which waits for
// this one.
// CHECK-LABEL: func.func @what_goes_on
// CHECK:         neuron.engine.tensor_reduce vector op maximum
// CHECK:         neuron.engine.activation_reduce scalar op exp
// CHECK:         neuron.engine.tensor_tensor gpsimd op multiply
// CHECK:         neuron.engine.tensor_tensor gpsimd op add
func.func @what_goes_on(%xv: !view, %f: !column, %a: memref<128x2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %r = scf.for %i = %c0 to %c8 step %c1 iter_args(%sum = %f) -> (!column) {
    %e0 = neuron.engine.empty : !column
    %v0 = neuron.engine.view %e0 : !column -> !one
    %m = neuron.engine.tensor_reduce vector op maximum axes 1 dst %v0 : !one data %xv : !view -> !column
    %mv = neuron.engine.view %m : !column -> !one
    %e1 = neuron.engine.empty : !tile
    %v1 = neuron.engine.view %e1 : !tile -> !view
    %e2 = neuron.engine.empty : !column
    %v2 = neuron.engine.view %e2 : !column -> !one
    %y, %s = neuron.engine.activation_reduce scalar op exp dst %v1 : !view data %xv : !view reduce_res %v2 : !one bias %mv : !one -> !tile, !column
    %sv = neuron.engine.view %s : !column -> !one
    %sumv = neuron.engine.view %sum : !column -> !one
    %e3 = neuron.engine.empty : !column
    %v3 = neuron.engine.view %e3 : !column -> !one
    %p = neuron.engine.tensor_tensor vector op multiply dst %v3 : !one data1 %sumv : !one data2 %sv : !one -> !column
    %pv = neuron.engine.view %p : !column -> !one
    %e4 = neuron.engine.empty : !column
    %v4 = neuron.engine.view %e4 : !column -> !one
    %t = neuron.engine.tensor_tensor vector op add dst %v4 : !one data1 %pv : !one data2 %sv : !one -> !column
    scf.yield %t : !column
  }
  %rv = neuron.engine.view %r : !column -> !one
  %h = neuron.engine.view %a : memref<128x2048xf32> -> !neuron.engine.view<hbm, [1 x 128], f32>
  neuron.engine.dma_copy sync queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %rv : !one
  func.return
}

// Left alone: what this iteration reads as well; what waits for an engine that waits for nothing; and GpSimd where it
// triggers transfers.
// CHECK-LABEL: func.func @what_stays
// CHECK:         neuron.engine.tensor_tensor vector op multiply
// CHECK:         neuron.engine.tensor_tensor vector op subtract
// CHECK:       scf.for
// CHECK:         neuron.engine.tensor_tensor vector op multiply
// CHECK:       scf.for
// CHECK:         neuron.engine.tensor_tensor vector op multiply
func.func @what_stays(%xv: !view, %f: !column, %a: memref<128x2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %h = neuron.engine.view %a : memref<128x2048xf32> -> !neuron.engine.view<hbm, [1 x 128], f32>
  %r = scf.for %i = %c0 to %c8 step %c1 iter_args(%sum = %f) -> (!column) {
    %e0 = neuron.engine.empty : !column
    %v0 = neuron.engine.view %e0 : !column -> !one
    %m = neuron.engine.tensor_reduce vector op maximum axes 1 dst %v0 : !one data %xv : !view -> !column
    %mv = neuron.engine.view %m : !column -> !one
    %e1 = neuron.engine.empty : !tile
    %v1 = neuron.engine.view %e1 : !tile -> !view
    %e2 = neuron.engine.empty : !column
    %v2 = neuron.engine.view %e2 : !column -> !one
    %y, %s = neuron.engine.activation_reduce scalar op exp dst %v1 : !view data %xv : !view reduce_res %v2 : !one bias %mv : !one -> !tile, !column
    %sv = neuron.engine.view %s : !column -> !one
    %sumv = neuron.engine.view %sum : !column -> !one
    %e3 = neuron.engine.empty : !column
    %v3 = neuron.engine.view %e3 : !column -> !one
    %t = neuron.engine.tensor_tensor vector op multiply dst %v3 : !one data1 %sumv : !one data2 %sv : !one -> !column
    %tv = neuron.engine.view %t : !column -> !one
    %e4 = neuron.engine.empty : !tile
    %v4 = neuron.engine.view %e4 : !tile -> !view
    %z = neuron.engine.tensor_scalar vector op0 maximum dst %v4 : !view data %xv : !view operand0 %tv : !one -> !tile
    %zc = neuron.engine.view %z : !tile -> !one
    %e5 = neuron.engine.empty : !column
    %v5 = neuron.engine.view %e5 : !column -> !one
    %u = neuron.engine.tensor_tensor vector op subtract dst %v5 : !one data1 %zc : !one data2 %tv : !one -> !column
    scf.yield %u : !column
  }
  %r2 = scf.for %i = %c0 to %c8 step %c1 iter_args(%sum = %f) -> (!column) {
    %e1 = neuron.engine.empty : !tile
    %v1 = neuron.engine.view %e1 : !tile -> !view
    %e2 = neuron.engine.empty : !column
    %v2 = neuron.engine.view %e2 : !column -> !one
    %y, %s = neuron.engine.activation_reduce scalar op exp dst %v1 : !view data %xv : !view reduce_res %v2 : !one -> !tile, !column
    %sv = neuron.engine.view %s : !column -> !one
    %sumv = neuron.engine.view %sum : !column -> !one
    %e3 = neuron.engine.empty : !column
    %v3 = neuron.engine.view %e3 : !column -> !one
    %t = neuron.engine.tensor_tensor vector op multiply dst %v3 : !one data1 %sumv : !one data2 %sv : !one -> !column
    %e4 = neuron.engine.empty : !column
    %v4 = neuron.engine.view %e4 : !column -> !one
    %m = neuron.engine.tensor_reduce vector op maximum axes 1 dst %v4 : !one data %xv : !view -> !column
    %mv = neuron.engine.view %m : !column -> !one
    neuron.engine.dma_copy sync queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %mv : !one
    scf.yield %t : !column
  }
  %r3 = scf.for %i = %c0 to %c8 step %c1 iter_args(%sum = %f) -> (!column) {
    %e0 = neuron.engine.empty : !column
    %v0 = neuron.engine.view %e0 : !column -> !one
    %m = neuron.engine.tensor_reduce vector op maximum axes 1 dst %v0 : !one data %xv : !view -> !column
    %mv = neuron.engine.view %m : !column -> !one
    %e1 = neuron.engine.empty : !tile
    %v1 = neuron.engine.view %e1 : !tile -> !view
    %e2 = neuron.engine.empty : !column
    %v2 = neuron.engine.view %e2 : !column -> !one
    %y, %s = neuron.engine.activation_reduce scalar op exp dst %v1 : !view data %xv : !view reduce_res %v2 : !one bias %mv : !one -> !tile, !column
    %sv = neuron.engine.view %s : !column -> !one
    %sumv = neuron.engine.view %sum : !column -> !one
    %e3 = neuron.engine.empty : !column
    %v3 = neuron.engine.view %e3 : !column -> !one
    %t = neuron.engine.tensor_tensor vector op multiply dst %v3 : !one data1 %sumv : !one data2 %sv : !one -> !column
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %mv : !one
    scf.yield %t : !column
  }
  %rv = neuron.engine.view %r : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %rv : !one
  %rv2 = neuron.engine.view %r2 : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %rv2 : !one
  %rv3 = neuron.engine.view %r3 : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %rv3 : !one
  func.return
}

// Sums of a few rows are added up one by one, if that takes the Scalar engine no longer.
// CHECK-LABEL: func.func @sums_of_rows
// CHECK:         neuron.engine.tensor_tensor vector op multiply
// CHECK:         %[[D0:.*]] = neuron.engine.view %[[E:.*]] : {{.*}}[1 x 1], f32>
// CHECK:         %{{.*}}, %[[S:.*]] = neuron.engine.activation_reduce scalar op copy dst {{.*}} data {{.*}}, [1 x 1024], f32> reduce_res %[[D0]]
// CHECK:         %[[D1:.*]] = neuron.engine.view %[[S]] at %{{.*}} : {{.*}}[1 x 1], f32>
// CHECK:         neuron.engine.activation_reduce scalar op copy dst {{.*}} data {{.*}}, [1 x 1024], f32> reduce_res %[[D1]]
// CHECK-NOT:     tensor_reduce
// CHECK:       }
func.func @sums_of_rows(%xv: !view, %a: memref<128x2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %e1 = neuron.engine.empty : !tile
    %v1 = neuron.engine.view %e1 : !tile -> !view
    %p = neuron.engine.tensor_tensor vector op multiply dst %v1 : !view data1 %xv : !view data2 %xv : !view -> !tile
    %pv = neuron.engine.view %p : !tile -> !neuron.engine.view<sbuf[0:128], [1024 x 2, 1 x 1024], f32>
    %e0 = neuron.engine.empty : !neuron.mem.tile<sbuf, 128x2xf32, [d0] x [d1]>
    %v0 = neuron.engine.view %e0 : !neuron.mem.tile<sbuf, 128x2xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 2], f32>
    %m = neuron.engine.tensor_reduce vector op add axes 1 dst %v0 : !neuron.engine.view<sbuf[0:128], [1 x 2], f32> data %pv : !neuron.engine.view<sbuf[0:128], [1024 x 2, 1 x 1024], f32> -> !neuron.mem.tile<sbuf, 128x2xf32, [d0] x [d1]>
    %mv = neuron.engine.view %m : !neuron.mem.tile<sbuf, 128x2xf32, [d0] x [d1]> -> !one
    %h = neuron.engine.view %a : memref<128x2048xf32> -> !neuron.engine.view<hbm, [1 x 128], f32>
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %mv : !one
  }
  func.return
}

// CHECK-LABEL: func.func @sums_of_short_rows
// CHECK:         neuron.engine.tensor_reduce vector op add
func.func @sums_of_short_rows(%xv: !view, %a: memref<128x2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %e1 = neuron.engine.empty : !tile
    %v1 = neuron.engine.view %e1 : !tile -> !view
    %p = neuron.engine.tensor_tensor vector op multiply dst %v1 : !view data1 %xv : !view data2 %xv : !view -> !tile
    %pv = neuron.engine.view %p : !tile -> !neuron.engine.view<sbuf[0:128], [128 x 16, 1 x 128], f32>
    %e0 = neuron.engine.empty : !neuron.mem.tile<sbuf, 128x16xf32, [d0] x [d1]>
    %v0 = neuron.engine.view %e0 : !neuron.mem.tile<sbuf, 128x16xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 16], f32>
    %m = neuron.engine.tensor_reduce vector op add axes 1 dst %v0 : !neuron.engine.view<sbuf[0:128], [1 x 16], f32> data %pv : !neuron.engine.view<sbuf[0:128], [128 x 16, 1 x 128], f32> -> !neuron.mem.tile<sbuf, 128x16xf32, [d0] x [d1]>
    %mv = neuron.engine.view %m : !neuron.mem.tile<sbuf, 128x16xf32, [d0] x [d1]> -> !one
    %h = neuron.engine.view %a : memref<128x2048xf32> -> !neuron.engine.view<hbm, [1 x 128], f32>
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 128], f32> src %mv : !one
  }
  func.return
}
