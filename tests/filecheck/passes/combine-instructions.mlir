// RUN: nki-opt %s -p combine-instructions --split-input-file | filecheck %s
// RUN: nki-opt %s -p combine-instructions --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

!tile = !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>
!half = !neuron.mem.tile<sbuf, 128x8xbf16, [d0] x [d1]>
!column = !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
!view = !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
!narrow = !neuron.engine.view<sbuf[0:128], [1 x 8], bf16>
!one = !neuron.engine.view<sbuf[0:128], [1 x 1], f32>

// The numerator and the denominator of a softmax: the maximum with its sign changed is a bias, the sum is made beside.
// CHECK-LABEL: func.func @softmax
// CHECK:       %[[M:.*]] = neuron.engine.tensor_reduce vector op maximum axes 1 negate dst
// CHECK:       %[[N:.*]] = neuron.engine.view %[[M]]
// CHECK:       %[[E:.*]], %[[S:.*]] = neuron.engine.activation_reduce scalar op exp dst {{.*}} data %xv : {{.*}} reduce_res {{.*}} bias %[[N]] :
// CHECK-NOT:   neuron.engine.tensor_scalar
// CHECK-NOT:   neuron.engine.tensor_reduce
// CHECK:       neuron.engine.view %[[E]]
// CHECK:       neuron.engine.view %[[S]]
func.func @softmax(%xv: !view, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>, %tos: !neuron.engine.view<hbm, [1 x 128], f32>) {
  %e0 = neuron.engine.empty "m" : !column
  %v0 = neuron.engine.view %e0 : !column -> !one
  %m = neuron.engine.tensor_reduce vector op maximum axes 1 dst %v0 : !one data %xv : !view -> !column
  %mv = neuron.engine.view %m : !column -> !one
  %e1 = neuron.engine.empty "d" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %d = neuron.engine.tensor_scalar vector op0 subtract dst %v1 : !view data %xv : !view operand0 %mv : !one -> !tile
  %dv = neuron.engine.view %d : !tile -> !view
  %e2 = neuron.engine.empty "e" : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %e = neuron.engine.activation scalar op exp dst %v2 : !view data %dv : !view -> !tile
  %ev = neuron.engine.view %e : !tile -> !view
  %e3 = neuron.engine.empty "s" : !column
  %v3 = neuron.engine.view %e3 : !column -> !one
  %s = neuron.engine.tensor_reduce vector op add axes 1 dst %v3 : !one data %ev : !view -> !column
  %sv = neuron.engine.view %s : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %ev : !view
  neuron.engine.dma_copy sync queue 0 dst %tos : !neuron.engine.view<hbm, [1 x 128], f32> src %sv : !one
  func.return
}

// Rows of 256 elements with a factor each: a function of each row, with it as its scale.
// CHECK-LABEL: func.func @factors_of_rows
// CHECK:       %[[E:.*]] = neuron.engine.empty "e"
// CHECK:       %[[D0:.*]] = neuron.engine.view %[[E]] {{.*}}, [1 x 256], f32>
// CHECK:       %[[F0:.*]] = neuron.engine.view %fs : {{.*}}, [1 x 1], f32>
// CHECK:       %[[A:.*]] = neuron.engine.activation scalar op exp dst %[[D0]] : {{.*}} scale %[[F0]]
// CHECK:       %[[D1:.*]] = neuron.engine.view %[[A]] at %{{.*}} {{.*}}, [1 x 256], f32>
// CHECK:       %[[F1:.*]] = neuron.engine.view %fs at %{{.*}} : {{.*}}, [1 x 1], f32>
// CHECK:       %[[B:.*]] = neuron.engine.activation scalar op exp dst %[[D1]] : {{.*}} scale %[[F1]]
// CHECK-NOT:   tensor_tensor
// CHECK:       neuron.engine.view %[[B]]
func.func @factors_of_rows(%xs: !neuron.mem.tile<sbuf, 128x256xf32, [d0] x [d1]>, %fs: !neuron.mem.tile<sbuf, 128x2xf32, [d0] x [d1]>, %to: !neuron.engine.view<hbm, [512 x 128, 1 x 512], f32>) {
  %xv = neuron.engine.view %xs : !neuron.mem.tile<sbuf, 128x256xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [0 x 2, 1 x 256], f32>
  %fv = neuron.engine.view %fs : !neuron.mem.tile<sbuf, 128x2xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 2, 0 x 256], f32>
  %e1 = neuron.engine.empty "d" : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
  %v1 = neuron.engine.view %e1 : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
  %d = neuron.engine.tensor_tensor vector op multiply dst %v1 : !neuron.engine.view<sbuf[0:128], [1 x 512], f32> data1 %xv : !neuron.engine.view<sbuf[0:128], [0 x 2, 1 x 256], f32> data2 %fv : !neuron.engine.view<sbuf[0:128], [1 x 2, 0 x 256], f32> -> !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
  %dv = neuron.engine.view %d : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
  %e2 = neuron.engine.empty "e" : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
  %v2 = neuron.engine.view %e2 : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
  %e = neuron.engine.activation scalar op exp dst %v2 : !neuron.engine.view<sbuf[0:128], [1 x 512], f32> data %dv : !neuron.engine.view<sbuf[0:128], [1 x 512], f32> -> !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
  %ev = neuron.engine.view %e : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [512 x 128, 1 x 512], f32> src %ev : !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
  func.return
}

// Short rows take longer one by one.
// CHECK-LABEL: func.func @factors_of_short_rows
// CHECK:       neuron.engine.tensor_tensor vector op multiply
// CHECK:       neuron.engine.activation scalar op exp {{.*}}, [1 x 512], f32>
func.func @factors_of_short_rows(%xs: !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>, %fs: !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>, %to: !neuron.engine.view<hbm, [512 x 128, 1 x 512], f32>) {
  %xv = neuron.engine.view %xs : !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [0 x 64, 1 x 8], f32>
  %fv = neuron.engine.view %fs : !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 64, 0 x 8], f32>
  %e1 = neuron.engine.empty "d" : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
  %v1 = neuron.engine.view %e1 : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
  %d = neuron.engine.tensor_tensor vector op multiply dst %v1 : !neuron.engine.view<sbuf[0:128], [1 x 512], f32> data1 %fv : !neuron.engine.view<sbuf[0:128], [1 x 64, 0 x 8], f32> data2 %xv : !neuron.engine.view<sbuf[0:128], [0 x 64, 1 x 8], f32> -> !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
  %dv = neuron.engine.view %d : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
  %e2 = neuron.engine.empty "e" : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
  %v2 = neuron.engine.view %e2 : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
  %e = neuron.engine.activation scalar op exp dst %v2 : !neuron.engine.view<sbuf[0:128], [1 x 512], f32> data %dv : !neuron.engine.view<sbuf[0:128], [1 x 512], f32> -> !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
  %ev = neuron.engine.view %e : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [512 x 128, 1 x 512], f32> src %ev : !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
  func.return
}

// A factor and a summand: scale and bias. On NeuronCore-v2 a bias is a column.
// CHECK-LABEL: func.func @factor_and_summand
// CHECK:       %[[C:.*]] = neuron.engine.memset vector value 3.000000e+00 : f32
// CHECK:       %[[B:.*]] = neuron.engine.view %[[C]]
// CHECK:       neuron.engine.activation scalar op tanh dst {{.*}} data %xv : {{.*}} bias %[[B]] : {{.*}} scale %two : f32
// CHECK-NOT:   neuron.engine.tensor_scalar
// CHECK:       return
func.func @factor_and_summand(%xv: !view, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %two = arith.constant 2.0 : f32
  %three = arith.constant 3.0 : f32
  %e1 = neuron.engine.empty : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %d = neuron.engine.tensor_scalar vector op0 multiply op1 add dst %v1 : !view data %xv : !view operand0 %two : f32 operand1 %three : f32 -> !tile
  %dv = neuron.engine.view %d : !tile -> !view
  %e2 = neuron.engine.empty : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %e = neuron.engine.activation scalar op tanh dst %v2 : !view data %dv : !view -> !tile
  %ev = neuron.engine.view %e : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %ev : !view
  func.return
}

// b - a * x: both change their signs, but for b.
// CHECK-LABEL: func.func @a_difference_the_other_way_round
// CHECK:       %[[A:.*]] = arith.constant -2.000000e+00 : f32
// CHECK:       neuron.engine.activation scalar op exp dst {{.*}} data %xv : {{.*}} bias %bv : {{.*}} scale %[[A]] : f32
func.func @a_difference_the_other_way_round(%xv: !view, %bv: !one, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %two = arith.constant 2.0 : f32
  %e1 = neuron.engine.empty : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %d = neuron.engine.tensor_scalar vector op0 multiply op1 subtract reverse1 dst %v1 : !view data %xv : !view operand0 %two : f32 operand1 %bv : !one -> !tile
  %dv = neuron.engine.view %d : !tile -> !view
  %e2 = neuron.engine.empty : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %e = neuron.engine.activation scalar op exp dst %v2 : !view data %dv : !view -> !tile
  %ev = neuron.engine.view %e : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %ev : !view
  func.return
}

// The sum of squares, which nobody reads themselves: they take as little room as can be.
// CHECK-LABEL: func.func @squares
// CHECK:       neuron.engine.activation_reduce scalar op square dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], bf16> data %xv : {{.*}} reduce_res
// CHECK-NOT:   neuron.engine.tensor_tensor
// CHECK:       return
func.func @squares(%xv: !view, %tos: !neuron.engine.view<hbm, [1 x 128], f32>) {
  %e2 = neuron.engine.empty : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %q = neuron.engine.tensor_tensor vector op multiply dst %v2 : !view data1 %xv : !view data2 %xv : !view -> !tile
  %qv = neuron.engine.view %q : !tile -> !view
  %e3 = neuron.engine.empty : !column
  %v3 = neuron.engine.view %e3 : !column -> !one
  %s = neuron.engine.tensor_reduce vector op add axes 1 dst %v3 : !one data %qv : !view -> !column
  %sv = neuron.engine.view %s : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %tos : !neuron.engine.view<hbm, [1 x 128], f32> src %sv : !one
  func.return
}

// One over a root is a function of its own, with what the root has of a factor and a summand.
// CHECK-LABEL: func.func @inverse_root
// CHECK:       neuron.engine.activation scalar op rsqrt dst {{.*}} data %xv : {{.*}} bias %bv : {{.*}} scale %{{.*}} : f32
// CHECK-NOT:   neuron.engine.reciprocal
// CHECK:       return
func.func @inverse_root(%xv: !view, %bv: !one, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %two = arith.constant 2.0 : f32
  %e1 = neuron.engine.empty : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %d = neuron.engine.activation scalar op sqrt dst %v1 : !view data %xv : !view bias %bv : !one scale %two : f32 -> !tile
  %dv = neuron.engine.view %d : !tile -> !view
  %e2 = neuron.engine.empty : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %r = neuron.engine.reciprocal vector dst %v2 : !view data %dv : !view -> !tile
  %rv = neuron.engine.view %r : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %rv : !view
  func.return
}

// Rows of one number each: the Vector engine does each of them at twice the rate, the other way round too.
// CHECK-LABEL: func.func @numbers_of_rows
// CHECK:       %[[A:.*]] = neuron.engine.tensor_scalar vector op0 subtract dst {{.*}}<sbuf[0:128], [1 x 512], f32> data {{.*}}<sbuf[0:128], [1 x 512], f32> operand0 {{.*}}<sbuf[0:128], [1 x 1], f32>
// CHECK:       %[[N:.*]] = neuron.engine.view %n at %{{.*}} -> !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
// CHECK:       %[[B:.*]] = neuron.engine.tensor_scalar vector op0 subtract dst {{.*}} data {{.*}} operand0 %[[N]]
// CHECK:       neuron.engine.tensor_scalar vector op0 subtract reverse0 dst
// CHECK:       neuron.engine.tensor_scalar vector op0 subtract reverse0 dst
// CHECK-NOT:   neuron.engine.tensor_tensor
// CHECK:       return
!rows = !neuron.mem.tile<sbuf, 128x1024xf32, [d0] x [d1]>
!numbers = !neuron.mem.tile<sbuf, 128x2xf32, [d0] x [d1]>
!all = !neuron.engine.view<sbuf[0:128], [1 x 1024], f32>
!spread = !neuron.engine.view<sbuf[0:128], [1 x 2, 0 x 512], f32>
func.func @numbers_of_rows(%x: !rows, %n: !numbers, %to: !neuron.engine.view<hbm, [1024 x 128, 1 x 1024], f32>) {
  %xv = neuron.engine.view %x : !rows -> !all
  %nv = neuron.engine.view %n : !numbers -> !spread
  %e1 = neuron.engine.empty : !rows
  %v1 = neuron.engine.view %e1 : !rows -> !all
  %y = neuron.engine.tensor_tensor vector op subtract dst %v1 : !all data1 %xv : !all data2 %nv : !spread -> !rows
  %yv = neuron.engine.view %y : !rows -> !all
  %e2 = neuron.engine.empty : !rows
  %v2 = neuron.engine.view %e2 : !rows -> !all
  %z = neuron.engine.tensor_tensor vector op subtract dst %v2 : !all data1 %nv : !spread data2 %yv : !all -> !rows
  %zv = neuron.engine.view %z : !rows -> !all
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [1024 x 128, 1 x 1024], f32> src %zv : !all
  func.return
}

// Left alone: rows of bf16 numbers, which are no scalars, short rows, and numbers that don't repeat.
// CHECK-LABEL: func.func @numbers_left_alone
// CHECK-NOT:   neuron.engine.tensor_scalar
// CHECK:       return
!narrow_numbers = !neuron.mem.tile<sbuf, 128x2xbf16, [d0] x [d1]>
!many = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>
func.func @numbers_left_alone(%x: !rows, %n: !narrow_numbers, %m: !many, %to: !neuron.engine.view<hbm, [1024 x 128, 1 x 1024], f32>) {
  %xv = neuron.engine.view %x : !rows -> !all
  %nv = neuron.engine.view %n : !narrow_numbers -> !neuron.engine.view<sbuf[0:128], [1 x 2, 0 x 512], bf16>
  %mv = neuron.engine.view %m : !many -> !neuron.engine.view<sbuf[0:128], [1 x 64, 0 x 16], f32>
  %e1 = neuron.engine.empty : !rows
  %v1 = neuron.engine.view %e1 : !rows -> !all
  %y = neuron.engine.tensor_tensor vector op add dst %v1 : !all data1 %xv : !all data2 %nv : !neuron.engine.view<sbuf[0:128], [1 x 2, 0 x 512], bf16> -> !rows
  %yv = neuron.engine.view %y : !rows -> !all
  %e2 = neuron.engine.empty : !rows
  %v2 = neuron.engine.view %e2 : !rows -> !all
  %z = neuron.engine.tensor_tensor vector op add dst %v2 : !all data1 %yv : !all data2 %mv : !neuron.engine.view<sbuf[0:128], [1 x 64, 0 x 16], f32> -> !rows
  %zv = neuron.engine.view %z : !rows -> !all
  %e3 = neuron.engine.empty : !rows
  %v3 = neuron.engine.view %e3 : !rows -> !all
  %w = neuron.engine.tensor_tensor vector op add dst %v3 : !all data1 %zv : !all data2 %xv : !all -> !rows
  %wv = neuron.engine.view %w : !rows -> !all
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [1024 x 128, 1 x 1024], f32> src %wv : !all
  func.return
}

// The sums of squares of two rows, in one order with what they are of.
// CHECK-LABEL: func.func @sums_of_rows
// CHECK:       %{{.*}}, %[[A:.*]] = neuron.engine.activation_reduce scalar op square dst {{.*}}<sbuf[0:128], [1 x 512], bf16> data {{.*}}<sbuf[0:128], [1 x 512], f32> reduce_res
// CHECK:       %[[AT:.*]] = neuron.engine.view %[[A]] at %{{.*}} -> !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
// CHECK:       %{{.*}}, %[[B:.*]] = neuron.engine.activation_reduce scalar op square dst {{.*}}<sbuf[0:128], [1 x 512], bf16> data {{.*}} reduce_res %[[AT]]
// CHECK:       %[[S:.*]] = neuron.engine.view %[[B]] : {{.*}} -> !neuron.engine.view<sbuf[0:128], [1 x 2], f32>
// CHECK-NOT:   neuron.engine.tensor_
// CHECK:       src %[[S]]
!sums = !neuron.engine.view<sbuf[0:128], [1 x 2], f32>
func.func @sums_of_rows(%x: !rows, %to: !neuron.engine.view<hbm, [2 x 128, 1 x 2], f32>) {
  %xv = neuron.engine.view %x : !rows -> !all
  %e1 = neuron.engine.empty : !rows
  %v1 = neuron.engine.view %e1 : !rows -> !all
  %y = neuron.engine.tensor_tensor vector op multiply dst %v1 : !all data1 %xv : !all data2 %xv : !all -> !rows
  %yv = neuron.engine.view %y : !rows -> !neuron.engine.view<sbuf[0:128], [512 x 2, 1 x 512], f32>
  %e2 = neuron.engine.empty : !numbers
  %v2 = neuron.engine.view %e2 : !numbers -> !sums
  %s = neuron.engine.tensor_reduce vector op add axes 1 dst %v2 : !sums data %yv : !neuron.engine.view<sbuf[0:128], [512 x 2, 1 x 512], f32> -> !numbers
  %sv = neuron.engine.view %s : !numbers -> !sums
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [2 x 128, 1 x 2], f32> src %sv : !sums
  func.return
}

// Left alone: sums of short rows, of what is read itself, and of elements in another order.
// CHECK-LABEL: func.func @sums_of_rows_left_alone
// CHECK-NOT:   neuron.engine.activation_reduce
// CHECK:       return
!sixty_four = !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
func.func @sums_of_rows_left_alone(%x: !rows, %to: !neuron.engine.view<hbm, [2 x 128, 1 x 2], f32>, %more: !neuron.engine.view<hbm, [64 x 128, 1 x 64], f32>, %all: !neuron.engine.view<hbm, [1024 x 128, 1 x 1024], f32>) {
  %xv = neuron.engine.view %x : !rows -> !all
  %e1 = neuron.engine.empty : !rows
  %v1 = neuron.engine.view %e1 : !rows -> !all
  %y = neuron.engine.tensor_tensor vector op multiply dst %v1 : !all data1 %xv : !all data2 %xv : !all -> !rows
  %yv = neuron.engine.view %y : !rows -> !neuron.engine.view<sbuf[0:128], [16 x 64, 1 x 16], f32>
  %e2 = neuron.engine.empty : !many
  %v2 = neuron.engine.view %e2 : !many -> !sixty_four
  %s = neuron.engine.tensor_reduce vector op add axes 1 dst %v2 : !sixty_four data %yv : !neuron.engine.view<sbuf[0:128], [16 x 64, 1 x 16], f32> -> !many
  %sv = neuron.engine.view %s : !many -> !sixty_four
  neuron.engine.dma_copy sync queue 0 dst %more : !neuron.engine.view<hbm, [64 x 128, 1 x 64], f32> src %sv : !sixty_four
  %e3 = neuron.engine.empty : !rows
  %v3 = neuron.engine.view %e3 : !rows -> !all
  %z = neuron.engine.tensor_tensor vector op multiply dst %v3 : !all data1 %xv : !all data2 %xv : !all -> !rows
  %zv = neuron.engine.view %z : !rows -> !neuron.engine.view<sbuf[0:128], [512 x 2, 1 x 512], f32>
  %zw = neuron.engine.view %z : !rows -> !all
  %e4 = neuron.engine.empty : !numbers
  %v4 = neuron.engine.view %e4 : !numbers -> !sums
  %t = neuron.engine.tensor_reduce vector op add axes 1 dst %v4 : !sums data %zv : !neuron.engine.view<sbuf[0:128], [512 x 2, 1 x 512], f32> -> !numbers
  %tv = neuron.engine.view %t : !numbers -> !sums
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [2 x 128, 1 x 2], f32> src %tv : !sums
  neuron.engine.dma_copy sync queue 0 dst %all : !neuron.engine.view<hbm, [1024 x 128, 1 x 1024], f32> src %zw : !all
  %e5 = neuron.engine.empty : !rows
  %v5 = neuron.engine.view %e5 : !rows -> !all
  %w = neuron.engine.tensor_tensor vector op multiply dst %v5 : !all data1 %xv : !all data2 %xv : !all -> !rows
  %wv = neuron.engine.view %w : !rows -> !neuron.engine.view<sbuf[0:128], [1 x 2, 2 x 512], f32>
  %e6 = neuron.engine.empty : !numbers
  %v6 = neuron.engine.view %e6 : !numbers -> !sums
  %u = neuron.engine.tensor_reduce vector op add axes 1 dst %v6 : !sums data %wv : !neuron.engine.view<sbuf[0:128], [1 x 2, 2 x 512], f32> -> !numbers
  %uv = neuron.engine.view %u : !numbers -> !sums
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [2 x 128, 1 x 2], f32> src %uv : !sums
  func.return
}

// Left alone: a root that is read itself, or rounded, and other functions.
// CHECK-LABEL: func.func @inverses_left_alone
// CHECK:       neuron.engine.activation scalar op sqrt
// CHECK:       neuron.engine.reciprocal vector
// CHECK:       neuron.engine.activation scalar op sqrt
// CHECK:       neuron.engine.reciprocal vector
// CHECK:       neuron.engine.activation scalar op exp
// CHECK:       neuron.engine.reciprocal vector
func.func @inverses_left_alone(%xv: !view, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %e1 = neuron.engine.empty : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %d = neuron.engine.activation scalar op sqrt dst %v1 : !view data %xv : !view -> !tile
  %dv = neuron.engine.view %d : !tile -> !view
  %e2 = neuron.engine.empty : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %r = neuron.engine.reciprocal vector dst %v2 : !view data %dv : !view -> !tile
  %rv = neuron.engine.view %r : !tile -> !view
  %e3 = neuron.engine.empty : !neuron.mem.tile<sbuf, 128x8xbf16, [d0] x [d1]>
  %v3 = neuron.engine.view %e3 : !neuron.mem.tile<sbuf, 128x8xbf16, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 8], bf16>
  %s = neuron.engine.activation scalar op sqrt dst %v3 : !neuron.engine.view<sbuf[0:128], [1 x 8], bf16> data %xv : !view -> !neuron.mem.tile<sbuf, 128x8xbf16, [d0] x [d1]>
  %sv = neuron.engine.view %s : !neuron.mem.tile<sbuf, 128x8xbf16, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 8], bf16>
  %e4 = neuron.engine.empty : !tile
  %v4 = neuron.engine.view %e4 : !tile -> !view
  %t = neuron.engine.reciprocal vector dst %v4 : !view data %sv : !neuron.engine.view<sbuf[0:128], [1 x 8], bf16> -> !tile
  %tv = neuron.engine.view %t : !tile -> !view
  %e5 = neuron.engine.empty : !tile
  %v5 = neuron.engine.view %e5 : !tile -> !view
  %f = neuron.engine.activation scalar op exp dst %v5 : !view data %xv : !view -> !tile
  %fv = neuron.engine.view %f : !tile -> !view
  %e6 = neuron.engine.empty : !tile
  %v6 = neuron.engine.view %e6 : !tile -> !view
  %g = neuron.engine.reciprocal vector dst %v6 : !view data %fv : !view -> !tile
  %gv = neuron.engine.view %g : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %dv : !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %rv : !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %tv : !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %gv : !view
  func.return
}

// Two operators with a scalar each, then one with a tile on the left.
// CHECK-LABEL: func.func @operators
// CHECK:       %[[P:.*]] = neuron.engine.tensor_scalar vector op0 add op1 multiply dst {{.*}} data %xv : {{.*}} operand0 %two : f32 operand1 %cv :
// CHECK:       neuron.engine.scalar_tensor_tensor vector op0 maximum op1 subtract reverse1 dst {{.*}} data %{{.*}} : {{.*}} operand0 %two : f32 operand1 %xv :
// CHECK-NOT:   neuron.engine.tensor_tensor
// CHECK:       return
func.func @operators(%xv: !view, %cv: !one, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %two = arith.constant 2.0 : f32
  %e1 = neuron.engine.empty : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %d = neuron.engine.tensor_scalar vector op0 add dst %v1 : !view data %xv : !view operand0 %two : f32 -> !tile
  %dv = neuron.engine.view %d : !tile -> !view
  %e2 = neuron.engine.empty : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %e = neuron.engine.tensor_scalar vector op0 multiply dst %v2 : !view data %dv : !view operand0 %cv : !one -> !tile
  %ev = neuron.engine.view %e : !tile -> !view
  %e3 = neuron.engine.empty : !tile
  %v3 = neuron.engine.view %e3 : !tile -> !view
  %g = neuron.engine.tensor_scalar vector op0 maximum dst %v3 : !view data %ev : !view operand0 %two : f32 -> !tile
  %gv = neuron.engine.view %g : !tile -> !view
  %e4 = neuron.engine.empty : !tile
  %v4 = neuron.engine.view %e4 : !tile -> !view
  %h = neuron.engine.tensor_tensor vector op subtract dst %v4 : !view data1 %xv : !view data2 %gv : !view -> !tile
  %hv = neuron.engine.view %h : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %hv : !view
  func.return
}

// bf16 is widened by what reads it, and narrowed by what writes it.
// CHECK-LABEL: func.func @conversions
// CHECK-NOT:   neuron.engine.tensor_copy
// CHECK:       neuron.engine.tensor_scalar vector op0 add dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], bf16> data %xv : !neuron.engine.view<sbuf[0:128], [1 x 8], bf16>
// CHECK-NOT:   neuron.engine.tensor_copy
// CHECK:       return
func.func @conversions(%xv: !narrow, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], bf16>) {
  %two = arith.constant 2.0 : f32
  %e1 = neuron.engine.empty : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %d = neuron.engine.tensor_copy vector dst %v1 : !view src %xv : !narrow -> !tile
  %dv = neuron.engine.view %d : !tile -> !view
  %e2 = neuron.engine.empty : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %e = neuron.engine.tensor_scalar vector op0 add dst %v2 : !view data %dv : !view operand0 %two : f32 -> !tile
  %ev = neuron.engine.view %e : !tile -> !view
  %e3 = neuron.engine.empty : !half
  %v3 = neuron.engine.view %e3 : !half -> !narrow
  %g = neuron.engine.tensor_copy vector dst %v3 : !narrow src %ev : !view -> !half
  %gv = neuron.engine.view %g : !half -> !narrow
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], bf16> src %gv : !narrow
  func.return
}

// Left alone: what another reads too, what was written in part, what is of integers, and a factor behind a summand.
// CHECK-LABEL: func.func @left_alone
// CHECK:       neuron.engine.tensor_scalar vector op0 subtract
// CHECK:       neuron.engine.activation scalar op exp
// CHECK:       neuron.engine.tensor_scalar vector op0 multiply
// CHECK:       neuron.engine.memset
// CHECK:       neuron.engine.activation scalar op tanh
// CHECK:       neuron.engine.tensor_scalar vector op0 add op1 multiply
// CHECK:       neuron.engine.activation scalar op square
func.func @left_alone(%xv: !view, %cv: !one, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %two = arith.constant 2.0 : f32
  %e1 = neuron.engine.empty : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %d = neuron.engine.tensor_scalar vector op0 subtract dst %v1 : !view data %xv : !view operand0 %cv : !one -> !tile
  %dv = neuron.engine.view %d : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %dv : !view
  %e2 = neuron.engine.empty : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %e = neuron.engine.activation scalar op exp dst %v2 : !view data %dv : !view -> !tile
  %ev = neuron.engine.view %e : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %ev : !view
  %e3 = neuron.engine.empty : !tile
  %v3 = neuron.engine.view %e3 : !tile -> !view
  %g = neuron.engine.tensor_scalar vector op0 multiply dst %v3 : !view data %xv : !view operand0 %two : f32 -> !tile
  %p3 = neuron.engine.view %g : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %h = neuron.engine.memset vector value 0.0 : f32 dst %p3 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> -> !tile
  %hv = neuron.engine.view %h : !tile -> !view
  %e4 = neuron.engine.empty : !tile
  %v4 = neuron.engine.view %e4 : !tile -> !view
  %i = neuron.engine.activation scalar op tanh dst %v4 : !view data %hv : !view -> !tile
  %iv = neuron.engine.view %i : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %iv : !view
  %e5 = neuron.engine.empty : !tile
  %v5 = neuron.engine.view %e5 : !tile -> !view
  %j = neuron.engine.tensor_scalar vector op0 add op1 multiply dst %v5 : !view data %xv : !view operand0 %two : f32 operand1 %two : f32 -> !tile
  %jv = neuron.engine.view %j : !tile -> !view
  %e6 = neuron.engine.empty : !tile
  %v6 = neuron.engine.view %e6 : !tile -> !view
  %k = neuron.engine.activation scalar op square dst %v6 : !view data %jv : !view -> !tile
  %kv = neuron.engine.view %k : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %kv : !view
  func.return
}

// Left alone: what is rounded in between.
// CHECK-LABEL: func.func @rounded
// CHECK:       neuron.engine.tensor_scalar vector op0 multiply
// CHECK:       neuron.engine.activation scalar op exp
func.func @rounded(%xv: !narrow, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], bf16>) {
  %two = arith.constant 2.0 : f32
  %e1 = neuron.engine.empty : !half
  %v1 = neuron.engine.view %e1 : !half -> !narrow
  %d = neuron.engine.tensor_scalar vector op0 multiply dst %v1 : !narrow data %xv : !narrow operand0 %two : f32 -> !half
  %dv = neuron.engine.view %d : !half -> !narrow
  %e2 = neuron.engine.empty : !half
  %v2 = neuron.engine.view %e2 : !half -> !narrow
  %e = neuron.engine.activation scalar op exp dst %v2 : !narrow data %dv : !narrow -> !half
  %ev = neuron.engine.view %e : !half -> !narrow
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], bf16> src %ev : !narrow
  func.return
}

// Parts of tiles combine as whole ones do; the other parts stay where they are.
// CHECK-LABEL: func.func @parts
// CHECK:       %[[R0:.*]] = neuron.engine.scalar_tensor_tensor vector op0 add op1 minimum dst
// CHECK:       %[[R1:.*]] = neuron.engine.scalar_tensor_tensor vector op0 add op1 minimum dst
// CHECK-NOT:   neuron.engine.tensor_scalar
// CHECK-NOT:   neuron.engine.tensor_tensor
// CHECK:       %[[V:.*]] = neuron.engine.view %[[R1]]
// CHECK:       neuron.engine.dma_copy {{.*}} src %[[V]]
func.func @parts(%xv: !neuron.engine.view<psum[0:128], [1 x 4], f32>, %yv: !neuron.engine.view<sbuf[0:128], [1 x 4], f32>, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %inf = arith.constant 0x7f800000 : f32
  %four = arith.constant 4 : index
  %e0 = neuron.engine.empty "a" : !tile
  %a0 = neuron.engine.view %e0 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %t0 = neuron.engine.tensor_scalar vector op0 add dst %a0 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data %xv : !neuron.engine.view<psum[0:128], [1 x 4], f32> operand0 %inf : f32 -> !tile
  %a1 = neuron.engine.view %t0 at %four : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %t1 = neuron.engine.tensor_scalar vector op0 add dst %a1 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data %xv : !neuron.engine.view<psum[0:128], [1 x 4], f32> operand0 %inf : f32 -> !tile
  %e1 = neuron.engine.empty "r" : !tile
  %b0 = neuron.engine.view %t1 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %r0 = neuron.engine.view %e1 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %u0 = neuron.engine.tensor_tensor vector op minimum dst %r0 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data1 %b0 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data2 %yv : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> -> !tile
  %b1 = neuron.engine.view %t1 at %four : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %r1 = neuron.engine.view %u0 at %four : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %u1 = neuron.engine.tensor_tensor vector op minimum dst %r1 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data1 %b1 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data2 %yv : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> -> !tile
  %rv = neuron.engine.view %u1 : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %rv : !view
  func.return
}

// A part that a view of the whole reads too stays, and so does one of which another part was written over.
// CHECK-LABEL: func.func @parts_left_alone
// CHECK:       neuron.engine.tensor_scalar
// CHECK:       neuron.engine.tensor_scalar
// CHECK:       neuron.engine.tensor_tensor
// CHECK-NOT:   scalar_tensor_tensor
func.func @parts_left_alone(%xv: !neuron.engine.view<psum[0:128], [1 x 4], f32>, %yv: !neuron.engine.view<sbuf[0:128], [1 x 4], f32>, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>, %tor: !neuron.engine.view<hbm, [8 x 128, 1 x 4], f32>) {
  %inf = arith.constant 0x7f800000 : f32
  %four = arith.constant 4 : index
  %e0 = neuron.engine.empty "a" : !tile
  %a0 = neuron.engine.view %e0 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %t0 = neuron.engine.tensor_scalar vector op0 add dst %a0 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data %xv : !neuron.engine.view<psum[0:128], [1 x 4], f32> operand0 %inf : f32 -> !tile
  %a1 = neuron.engine.view %t0 at %four : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %t1 = neuron.engine.tensor_scalar vector op0 add dst %a1 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data %xv : !neuron.engine.view<psum[0:128], [1 x 4], f32> operand0 %inf : f32 -> !tile
  %e1 = neuron.engine.empty "r" : !tile
  %b0 = neuron.engine.view %t1 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %r0 = neuron.engine.view %e1 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %u0 = neuron.engine.tensor_tensor vector op minimum dst %r0 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data1 %b0 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data2 %yv : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> -> !tile
  %wv = neuron.engine.view %t1 : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %wv : !view
  %rv = neuron.engine.view %u0 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  neuron.engine.dma_copy sync queue 0 dst %tor : !neuron.engine.view<hbm, [8 x 128, 1 x 4], f32> src %rv : !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  func.return
}

// What a part was computed of has been written over by then.
// CHECK-LABEL: func.func @parts_of_what_changes
// CHECK:       neuron.engine.tensor_scalar
// CHECK:       neuron.engine.tensor_scalar
// CHECK-NOT:   scalar_tensor_tensor
func.func @parts_of_what_changes(%xv: !neuron.engine.view<sbuf[0:128], [1 x 4], f32>, %yv: !neuron.engine.view<sbuf[0:128], [1 x 4], f32>, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %inf = arith.constant 0x7f800000 : f32
  %four = arith.constant 4 : index
  %e2 = neuron.engine.empty "q" : !tile
  %q0 = neuron.engine.view %e2 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %q = neuron.engine.tensor_copy vector dst %q0 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> src %xv : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> -> !tile
  %qv = neuron.engine.view %q : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %e0 = neuron.engine.empty "a" : !tile
  %a0 = neuron.engine.view %e0 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %t0 = neuron.engine.tensor_scalar vector op0 add dst %a0 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data %qv : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> operand0 %inf : f32 -> !tile
  %a1 = neuron.engine.view %t0 at %four : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %t1 = neuron.engine.tensor_scalar vector op0 add dst %a1 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data %qv : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> operand0 %inf : f32 -> !tile
  %q1 = neuron.engine.view %q : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %p = neuron.engine.tensor_copy vector dst %q1 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> src %yv : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> -> !tile
  %pv = neuron.engine.view %p : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %e1 = neuron.engine.empty "r" : !tile
  %b0 = neuron.engine.view %t1 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %r0 = neuron.engine.view %e1 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %u0 = neuron.engine.tensor_tensor vector op minimum dst %r0 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data1 %b0 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data2 %pv : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> -> !tile
  %b1 = neuron.engine.view %t1 at %four : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %r1 = neuron.engine.view %u0 at %four : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %u1 = neuron.engine.tensor_tensor vector op minimum dst %r1 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data1 %b1 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> data2 %pv : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> -> !tile
  %rv = neuron.engine.view %u1 : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %rv : !view
  func.return
}

// Numbers that were widened for all rows are read narrow by a view that repeats them.
// CHECK-LABEL: func.func @widened_for_all_rows
// CHECK:       %[[W:.*]] = neuron.engine.view %w at %eight : {{.*}}bf16, {{.*}}[0 x 2, 1 x 4], bf16>
// CHECK-NOT:   neuron.engine.tensor_copy
// CHECK:       neuron.engine.tensor_tensor vector op multiply dst {{.*}} data2 %[[W]]
func.func @widened_for_all_rows(%xv: !view, %w: !neuron.mem.tile<sbuf, 16xbf16, [*:128] x [d0]>, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %eight = arith.constant 8 : index
  %wn = neuron.engine.view %w at %eight : !neuron.mem.tile<sbuf, 16xbf16, [*:128] x [d0]> -> !neuron.engine.view<sbuf[0:128], [1 x 4], bf16>
  %e1 = neuron.engine.empty "w" : !neuron.mem.tile<sbuf, 4xf32, [*:128] x [d0]>
  %v1 = neuron.engine.view %e1 : !neuron.mem.tile<sbuf, 4xf32, [*:128] x [d0]> -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %c = neuron.engine.tensor_copy vector dst %v1 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> src %wn : !neuron.engine.view<sbuf[0:128], [1 x 4], bf16> -> !neuron.mem.tile<sbuf, 4xf32, [*:128] x [d0]>
  %cv = neuron.engine.view %c : !neuron.mem.tile<sbuf, 4xf32, [*:128] x [d0]> -> !neuron.engine.view<sbuf[0:128], [0 x 2, 1 x 4], f32>
  %e2 = neuron.engine.empty "y" : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %y = neuron.engine.tensor_tensor vector op multiply dst %v2 : !view data1 %xv : !view data2 %cv : !neuron.engine.view<sbuf[0:128], [0 x 2, 1 x 4], f32> -> !tile
  %yv = neuron.engine.view %y : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %yv : !view
  func.return
}

// Numbers that lie apart are widened side by side: their reader takes them as they lie.
// CHECK-LABEL: func.func @widened_side_by_side
// CHECK-NOT:   neuron.engine.tensor_copy
// CHECK:       neuron.engine.tensor_scalar vector op0 maximum dst {{.*}} data %xn : {{.*}}[8 x 2, 1 x 4], bf16>
func.func @widened_side_by_side(%xn: !neuron.engine.view<sbuf[0:128], [8 x 2, 1 x 4], bf16>, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %one = arith.constant 1.0 : f32
  %e1 = neuron.engine.empty "w" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %c = neuron.engine.tensor_copy vector dst %v1 : !view src %xn : !neuron.engine.view<sbuf[0:128], [8 x 2, 1 x 4], bf16> -> !tile
  %cv = neuron.engine.view %c : !tile -> !view
  %e2 = neuron.engine.empty "y" : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %y = neuron.engine.tensor_scalar vector op0 maximum dst %v2 : !view data %cv : !view operand0 %one : f32 -> !tile
  %yv = neuron.engine.view %y : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %yv : !view
  func.return
}

// A number for each row stays one of fp32.
// CHECK-LABEL: func.func @widened_for_each_row
// CHECK:       neuron.engine.tensor_copy
func.func @widened_for_each_row(%xv: !view, %w: !neuron.mem.tile<sbuf, 2xbf16, [*:128] x [d0]>, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %wn = neuron.engine.view %w : !neuron.mem.tile<sbuf, 2xbf16, [*:128] x [d0]> -> !neuron.engine.view<sbuf[0:128], [1 x 2], bf16>
  %e1 = neuron.engine.empty "w" : !neuron.mem.tile<sbuf, 2xf32, [*:128] x [d0]>
  %v1 = neuron.engine.view %e1 : !neuron.mem.tile<sbuf, 2xf32, [*:128] x [d0]> -> !neuron.engine.view<sbuf[0:128], [1 x 2], f32>
  %c = neuron.engine.tensor_copy vector dst %v1 : !neuron.engine.view<sbuf[0:128], [1 x 2], f32> src %wn : !neuron.engine.view<sbuf[0:128], [1 x 2], bf16> -> !neuron.mem.tile<sbuf, 2xf32, [*:128] x [d0]>
  %cv = neuron.engine.view %c : !neuron.mem.tile<sbuf, 2xf32, [*:128] x [d0]> -> !neuron.engine.view<sbuf[0:128], [1 x 2, 0 x 4], f32>
  %e2 = neuron.engine.empty "y" : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %y = neuron.engine.tensor_tensor vector op multiply dst %v2 : !view data1 %xv : !view data2 %cv : !neuron.engine.view<sbuf[0:128], [1 x 2, 0 x 4], f32> -> !tile
  %yv = neuron.engine.view %y : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %yv : !view
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>
!sum = !neuron.mem.tile<psum, 128x8xf32, [d0] x [d1]>
!column = !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
!view = !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
!made = !neuron.engine.view<psum[0:128], [1 x 8], f32>
!left = !neuron.engine.view<sbuf[0:64], [1 x 128], f32>
!right = !neuron.engine.view<sbuf[0:64], [1 x 8], f32>
!one = !neuron.engine.view<sbuf[0:128], [1 x 1], f32>

// Two read a sum where it is.
// CHECK-LABEL: func.func @a_sum_is_read_twice
// CHECK:       %[[P:.*]] = neuron.engine.nc_matmul
// CHECK-NOT:   activation scalar op copy
// CHECK:       %[[A:.*]] = neuron.engine.view %[[P]] : {{.*}} -> !neuron.engine.view<psum[0:128], [1 x 8], f32>
// CHECK:       neuron.engine.tensor_reduce vector op maximum axes 1 dst {{.*}} data %[[A]]
// CHECK:       %[[B:.*]] = neuron.engine.view %[[P]] : {{.*}} -> !neuron.engine.view<psum[0:128], [1 x 8], f32>
// CHECK:       neuron.engine.activation scalar op exp dst {{.*}} data %[[B]]
func.func @a_sum_is_read_twice(%l: !left, %r: !right, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>, %tos: !neuron.engine.view<hbm, [1 x 128], f32>) {
  %e0 = neuron.engine.empty "p" : !sum
  %v0 = neuron.engine.view %e0 : !sum -> !made
  %p = neuron.engine.nc_matmul tensor dst %v0 : !made stationary %l : !left moving %r : !right -> !sum
  %pv = neuron.engine.view %p : !sum -> !made
  %e1 = neuron.engine.empty "x" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %x = neuron.engine.activation scalar op copy dst %v1 : !view data %pv : !made -> !tile
  %xv = neuron.engine.view %x : !tile -> !view
  %e2 = neuron.engine.empty "m" : !column
  %v2 = neuron.engine.view %e2 : !column -> !one
  %m = neuron.engine.tensor_reduce vector op maximum axes 1 dst %v2 : !one data %xv : !view -> !column
  %mv = neuron.engine.view %m : !column -> !one
  %e3 = neuron.engine.empty "e" : !tile
  %v3 = neuron.engine.view %e3 : !tile -> !view
  %e = neuron.engine.activation scalar op exp dst %v3 : !view data %xv : !view -> !tile
  %ev = neuron.engine.view %e : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %ev : !view
  neuron.engine.dma_copy sync queue 0 dst %tos : !neuron.engine.view<hbm, [1 x 128], f32> src %mv : !one
  func.return
}

// Three would take turns at PSUM.
// CHECK-LABEL: func.func @a_sum_is_read_three_times
// CHECK:       neuron.engine.activation scalar op copy
func.func @a_sum_is_read_three_times(%l: !left, %r: !right, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %e0 = neuron.engine.empty "p" : !sum
  %v0 = neuron.engine.view %e0 : !sum -> !made
  %p = neuron.engine.nc_matmul tensor dst %v0 : !made stationary %l : !left moving %r : !right -> !sum
  %pv = neuron.engine.view %p : !sum -> !made
  %e1 = neuron.engine.empty "x" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %x = neuron.engine.activation scalar op copy dst %v1 : !view data %pv : !made -> !tile
  %xv = neuron.engine.view %x : !tile -> !view
  %e2 = neuron.engine.empty "a" : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %a = neuron.engine.activation scalar op exp dst %v2 : !view data %xv : !view -> !tile
  %av = neuron.engine.view %a : !tile -> !view
  %e3 = neuron.engine.empty "b" : !tile
  %v3 = neuron.engine.view %e3 : !tile -> !view
  %b = neuron.engine.activation scalar op tanh dst %v3 : !view data %xv : !view -> !tile
  %bv = neuron.engine.view %b : !tile -> !view
  %e4 = neuron.engine.empty "c" : !tile
  %v4 = neuron.engine.view %e4 : !tile -> !view
  %c = neuron.engine.activation scalar op square dst %v4 : !view data %xv : !view -> !tile
  %cv = neuron.engine.view %c : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %av : !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %bv : !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %cv : !view
  func.return
}

// A transfer does not read PSUM here, nor does GpSimd.
// CHECK-LABEL: func.func @what_does_not_read_psum
// CHECK-COUNT-2: neuron.engine.activation scalar op copy
func.func @what_does_not_read_psum(%l: !left, %r: !right, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %e0 = neuron.engine.empty "p" : !sum
  %v0 = neuron.engine.view %e0 : !sum -> !made
  %p = neuron.engine.nc_matmul tensor dst %v0 : !made stationary %l : !left moving %r : !right -> !sum
  %pv = neuron.engine.view %p : !sum -> !made
  %e1 = neuron.engine.empty "x" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %x = neuron.engine.activation scalar op copy dst %v1 : !view data %pv : !made -> !tile
  %xv = neuron.engine.view %x : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %xv : !view
  %e2 = neuron.engine.empty "q" : !sum
  %v2 = neuron.engine.view %e2 : !sum -> !made
  %q = neuron.engine.nc_matmul tensor dst %v2 : !made stationary %l : !left moving %r : !right -> !sum
  %qv = neuron.engine.view %q : !sum -> !made
  %e3 = neuron.engine.empty "y" : !tile
  %v3 = neuron.engine.view %e3 : !tile -> !view
  %y = neuron.engine.activation scalar op copy dst %v3 : !view data %qv : !made -> !tile
  %yv = neuron.engine.view %y : !tile -> !view
  %e4 = neuron.engine.empty "z" : !tile
  %v4 = neuron.engine.view %e4 : !tile -> !view
  %z = neuron.engine.tensor_tensor gpsimd op add dst %v4 : !view data1 %yv : !view data2 %yv : !view -> !tile
  %zv = neuron.engine.view %z : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %zv : !view
  func.return
}

// A part of a sum is read where it is by the one that reads its copy; of a part that two read, each reads the copy.
// CHECK-LABEL: func.func @parts_of_a_sum
// CHECK:       %[[P:.*]] = neuron.engine.nc_matmul
// CHECK:       %[[Q:.*]] = neuron.engine.nc_matmul
// CHECK:       %[[A:.*]] = neuron.engine.view %[[Q]] : {{.*}} -> !neuron.engine.view<psum[0:128], [1 x 4], f32>
// CHECK-NOT:   neuron.engine.activation scalar op copy
// CHECK:       neuron.engine.view %[[Q]] at %c4
// CHECK:       neuron.engine.activation scalar op copy dst {{.*}} data {{.*}}<psum[0:128], [1 x 4], f32>
// CHECK-NOT:   neuron.engine.activation scalar op copy
// CHECK:       neuron.engine.tensor_scalar vector op0 maximum dst {{.*}} data %[[A]]
// CHECK:       neuron.engine.tensor_scalar vector op0 minimum dst {{.*}} data {{.*}}<sbuf[0:128], [1 x 4], f32>
// CHECK:       neuron.engine.tensor_scalar vector op0 maximum dst {{.*}} data {{.*}}<sbuf[0:128], [1 x 4], f32>
!part = !neuron.engine.view<psum[0:128], [1 x 4], f32>
!four = !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
!four_columns = !neuron.engine.view<sbuf[0:64], [1 x 4], f32>
func.func @parts_of_a_sum(%l: !left, %r: !four_columns, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 4], f32>) {
  %c4 = arith.constant 4 : index
  %n = arith.constant 0.5 : f32
  %e0 = neuron.engine.empty "p" : !sum
  %v0 = neuron.engine.view %e0 : !sum -> !part
  %p = neuron.engine.nc_matmul tensor dst %v0 : !part stationary %l : !left moving %r : !four_columns -> !sum
  %w0 = neuron.engine.view %p at %c4 : !sum -> !part
  %q = neuron.engine.nc_matmul tensor dst %w0 : !part stationary %l : !left moving %r : !four_columns -> !sum
  %av = neuron.engine.view %q : !sum -> !part
  %bv = neuron.engine.view %q at %c4 : !sum -> !part
  %e1 = neuron.engine.empty "x" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !four
  %x = neuron.engine.activation scalar op copy dst %v1 : !four data %av : !part -> !tile
  %w1 = neuron.engine.view %x at %c4 : !tile -> !four
  %y = neuron.engine.activation scalar op copy dst %w1 : !four data %bv : !part -> !tile
  %a = neuron.engine.view %y : !tile -> !four
  %b = neuron.engine.view %y at %c4 : !tile -> !four
  %e2 = neuron.engine.empty "a" : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !four
  %m = neuron.engine.tensor_scalar vector op0 maximum dst %v2 : !four data %a : !four operand0 %n : f32 -> !tile
  %mv = neuron.engine.view %m : !tile -> !four
  %e3 = neuron.engine.empty "b" : !tile
  %v3 = neuron.engine.view %e3 : !tile -> !four
  %o = neuron.engine.tensor_scalar vector op0 minimum dst %v3 : !four data %b : !four operand0 %n : f32 -> !tile
  %ov = neuron.engine.view %o : !tile -> !four
  %e4 = neuron.engine.empty "c" : !tile
  %v4 = neuron.engine.view %e4 : !tile -> !four
  %u = neuron.engine.tensor_scalar vector op0 maximum dst %v4 : !four data %b : !four operand0 %n : f32 -> !tile
  %uv = neuron.engine.view %u : !tile -> !four
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 4], f32> src %mv : !four
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 4], f32> src %ov : !four
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 4], f32> src %uv : !four
  func.return
}

// Left alone: a copy that multiplies.
// CHECK-LABEL: func.func @a_scaled_copy
// CHECK:       neuron.engine.activation scalar op copy
// CHECK:       neuron.engine.tensor_scalar vector op0 maximum dst {{.*}} data {{.*}}<sbuf[0:128]
func.func @a_scaled_copy(%l: !left, %r: !right, %to: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  %n = arith.constant 0.5 : f32
  %e0 = neuron.engine.empty "p" : !sum
  %v0 = neuron.engine.view %e0 : !sum -> !made
  %p = neuron.engine.nc_matmul tensor dst %v0 : !made stationary %l : !left moving %r : !right -> !sum
  %pv = neuron.engine.view %p : !sum -> !made
  %e1 = neuron.engine.empty "x" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %x = neuron.engine.activation scalar op copy dst %v1 : !view data %pv : !made scale %n : f32 -> !tile
  %xv = neuron.engine.view %x : !tile -> !view
  %e2 = neuron.engine.empty "y" : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %y = neuron.engine.tensor_scalar vector op0 maximum dst %v2 : !view data %xv : !view operand0 %n : f32 -> !tile
  %yv = neuron.engine.view %y : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %yv : !view
  func.return
}

// -----

!bank = !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
!all = !neuron.mem.tile<psum, 128x3584xf32, [d0] x [d1]>
!sum = !neuron.mem.tile<psum, 128x512xf32, [d0] x [d1]>
!view = !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
!made = !neuron.engine.view<psum[0:128], [1 x 512], f32>
!left = !neuron.engine.view<sbuf[0:64], [1 x 128], f32>
!right = !neuron.engine.view<sbuf[0:64], [1 x 512], f32>

// What is made before it is read takes the seven other banks and one more.
// CHECK-LABEL: func.func @no_room_to_stay
// CHECK:       neuron.engine.activation scalar op copy
// CHECK:       neuron.engine.activation scalar op exp {{.*}} data {{.*}}psum
func.func @no_room_to_stay(%l: !left, %r: !right, %to: !neuron.engine.view<hbm, [512 x 128, 1 x 512], f32>) {
  %e0 = neuron.engine.empty "p" : !sum
  %v0 = neuron.engine.view %e0 : !sum -> !made
  %p = neuron.engine.nc_matmul tensor dst %v0 : !made stationary %l : !left moving %r : !right -> !sum
  %pv = neuron.engine.view %p : !sum -> !made
  %e1 = neuron.engine.empty "x" : !bank
  %v1 = neuron.engine.view %e1 : !bank -> !view
  %x = neuron.engine.activation scalar op copy dst %v1 : !view data %pv : !made -> !bank
  %e2 = neuron.engine.empty "q" : !all
  %v2 = neuron.engine.view %e2 : !all -> !made
  %q = neuron.engine.nc_matmul tensor dst %v2 : !made stationary %l : !left moving %r : !right -> !all
  %e3 = neuron.engine.empty "o" : !sum
  %v3 = neuron.engine.view %e3 : !sum -> !made
  %o = neuron.engine.nc_matmul tensor dst %v3 : !made stationary %l : !left moving %r : !right -> !sum
  %xv = neuron.engine.view %x : !bank -> !view
  %e4 = neuron.engine.empty "y" : !bank
  %v4 = neuron.engine.view %e4 : !bank -> !view
  %y = neuron.engine.activation scalar op exp dst %v4 : !view data %xv : !view -> !bank
  %yv = neuron.engine.view %y : !bank -> !view
  %qv = neuron.engine.view %q : !all -> !made
  %e5 = neuron.engine.empty "z" : !bank
  %v5 = neuron.engine.view %e5 : !bank -> !view
  %z = neuron.engine.activation scalar op exp dst %v5 : !view data %qv : !made -> !bank
  %zv = neuron.engine.view %z : !bank -> !view
  %ov = neuron.engine.view %o : !sum -> !made
  %e6 = neuron.engine.empty "w" : !bank
  %v6 = neuron.engine.view %e6 : !bank -> !view
  %w = neuron.engine.activation scalar op exp dst %v6 : !view data %ov : !made -> !bank
  %wv = neuron.engine.view %w : !bank -> !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [512 x 128, 1 x 512], f32> src %yv : !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [512 x 128, 1 x 512], f32> src %zv : !view
  neuron.engine.dma_copy sync queue 0 dst %to : !neuron.engine.view<hbm, [512 x 128, 1 x 512], f32> src %wv : !view
  func.return
}
