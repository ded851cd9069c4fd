// RUN: nki-opt %s -p combine-instructions --split-input-file | filecheck %s
// RUN: nki-opt %s -p combine-instructions --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>
!half = !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
!flags = !neuron.mem.tile<sbuf, 128x64xi1, [d0] x [d1]>
!column = !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
!pair = !neuron.mem.tile<sbuf, 128x2xf32, [d0] x [d1]>
!line = !neuron.mem.tile<sbuf, 64xf32, [*:128] x [d0]>
!view = !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
!rows = !neuron.engine.view<sbuf[0:128], [32 x 2, 1 x 32], f32>
!narrow = !neuron.engine.view<sbuf[0:128], [1 x 64], bf16>
!flag = !neuron.engine.view<sbuf[0:128], [1 x 64], ui8>
!one = !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
!two = !neuron.engine.view<sbuf[0:128], [1 x 2], f32>
!out = !neuron.engine.view<hbm, [1 x 128], f32>
!outs = !neuron.engine.view<hbm, [2 x 128, 1 x 2], f32>
!all = !neuron.engine.view<hbm, [64 x 128, 1 x 64], f32>

// Nobody else reads the products: they take as little room as can be.
// CHECK-LABEL: func.func @a_maximum_beside_products
// CHECK:       neuron.engine.tensor_scalar_reduce vector op0 multiply reduce_op maximum reduce_cmd reset_reduce dst {{.*}}, bf16> data %xv : {{.*}} reduce_res
// CHECK-NOT:   neuron.engine.tensor_reduce
// CHECK:       return
func.func @a_maximum_beside_products(%xv: !view, %by: !one, %to: !out) {
  %e1 = neuron.engine.empty "p" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %p = neuron.engine.tensor_scalar vector op0 multiply dst %v1 : !view data %xv : !view operand0 %by : !one -> !tile
  %pv = neuron.engine.view %p : !tile -> !view
  %e2 = neuron.engine.empty "m" : !column
  %v2 = neuron.engine.view %e2 : !column -> !one
  %m = neuron.engine.tensor_reduce vector op maximum axes 1 dst %v2 : !one data %pv : !view -> !column
  %mv = neuron.engine.view %m : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %to : !out src %mv : !one
  func.return
}

// CHECK-LABEL: func.func @products_that_are_read_stay
// CHECK:       %[[P:.*]], %{{.*}} = neuron.engine.tensor_scalar_reduce vector op0 add reduce_op add {{.*}} dst {{.*}}, f32> data %xv
// CHECK:       neuron.engine.view %[[P]]
func.func @products_that_are_read_stay(%xv: !view, %by: !one, %to: !out, %all: !all) {
  %e1 = neuron.engine.empty "p" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %p = neuron.engine.tensor_scalar vector op0 add dst %v1 : !view data %xv : !view operand0 %by : !one -> !tile
  %pv = neuron.engine.view %p : !tile -> !view
  %e2 = neuron.engine.empty "m" : !column
  %v2 = neuron.engine.view %e2 : !column -> !one
  %m = neuron.engine.tensor_reduce vector op add axes 1 dst %v2 : !one data %pv : !view -> !column
  %mv = neuron.engine.view %m : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %to : !out src %mv : !one
  neuron.engine.dma_copy sync queue 0 dst %all : !all src %pv : !view
  func.return
}

// Truth values are what they are in any type, also where a copy widens them.
// CHECK-LABEL: func.func @whether_any_is
// CHECK:       neuron.engine.tensor_scalar_reduce vector op0 less_equal reduce_op maximum
// CHECK-NOT:   neuron.engine.tensor_copy
// CHECK-NOT:   neuron.engine.tensor_reduce
// CHECK:       return
func.func @whether_any_is(%xv: !view, %by: !one, %to: !out) {
  %e1 = neuron.engine.empty "p" : !flags
  %v1 = neuron.engine.view %e1 : !flags -> !flag
  %p = neuron.engine.tensor_scalar vector op0 less_equal dst %v1 : !flag data %xv : !view operand0 %by : !one -> !flags
  %pv = neuron.engine.view %p : !flags -> !flag
  %e2 = neuron.engine.empty "w" : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %w = neuron.engine.tensor_copy vector dst %v2 : !view src %pv : !flag -> !tile
  %wv = neuron.engine.view %w : !tile -> !view
  %e3 = neuron.engine.empty "m" : !column
  %v3 = neuron.engine.view %e3 : !column -> !one
  %m = neuron.engine.tensor_reduce vector op maximum axes 1 dst %v3 : !one data %wv : !view -> !column
  %mv = neuron.engine.view %m : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %to : !out src %mv : !one
  func.return
}

// What is rounded before it is reduced, reduced with its sign changed, or in parts of a partition.
// CHECK-LABEL: func.func @no_reduction_beside
// CHECK-NOT:   tensor_scalar_reduce
// CHECK:       return
func.func @no_reduction_beside(%xv: !view, %by: !one, %to: !out, %tos: !outs) {
  %e1 = neuron.engine.empty "p" : !half
  %v1 = neuron.engine.view %e1 : !half -> !narrow
  %p = neuron.engine.tensor_scalar vector op0 multiply dst %v1 : !narrow data %xv : !view operand0 %by : !one -> !half
  %pv = neuron.engine.view %p : !half -> !narrow
  %e2 = neuron.engine.empty "m" : !column
  %v2 = neuron.engine.view %e2 : !column -> !one
  %m = neuron.engine.tensor_reduce vector op maximum axes 1 dst %v2 : !one data %pv : !narrow -> !column
  %mv = neuron.engine.view %m : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %to : !out src %mv : !one
  %e3 = neuron.engine.empty "q" : !tile
  %v3 = neuron.engine.view %e3 : !tile -> !view
  %q = neuron.engine.tensor_scalar vector op0 multiply dst %v3 : !view data %xv : !view operand0 %by : !one -> !tile
  %qv = neuron.engine.view %q : !tile -> !view
  %e4 = neuron.engine.empty "n" : !column
  %v4 = neuron.engine.view %e4 : !column -> !one
  %n = neuron.engine.tensor_reduce vector op maximum axes 1 negate dst %v4 : !one data %qv : !view -> !column
  %nv = neuron.engine.view %n : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %to : !out src %nv : !one
  %e5 = neuron.engine.empty "r" : !tile
  %v5 = neuron.engine.view %e5 : !tile -> !view
  %r = neuron.engine.tensor_scalar vector op0 multiply dst %v5 : !view data %xv : !view operand0 %by : !one -> !tile
  %rv = neuron.engine.view %r : !tile -> !rows
  %e6 = neuron.engine.empty "o" : !pair
  %v6 = neuron.engine.view %e6 : !pair -> !two
  %o = neuron.engine.tensor_reduce vector op maximum axes 1 dst %v6 : !two data %rv : !rows -> !pair
  %ov = neuron.engine.view %o : !pair -> !two
  neuron.engine.dma_copy sync queue 0 dst %tos : !outs src %ov : !two
  func.return
}

// CHECK-LABEL: func.func @a_maximum_beside_a_choice
// CHECK:       neuron.engine.select_reduce vector reverse_pred reduce_cmd reset_reduce dst {{.*}}, bf16> predicate %f : {{.*}} on_true %xv : {{.*}} on_false %low : f32 reduce_res
// CHECK-NOT:   neuron.engine.tensor_reduce
// CHECK:       return
func.func @a_maximum_beside_a_choice(%xv: !view, %f: !flag, %to: !out) {
  %low = arith.constant -5.0 : f32
  %e1 = neuron.engine.empty "p" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %p = neuron.engine.select_reduce vector reverse_pred dst %v1 : !view predicate %f : !flag on_true %xv : !view on_false %low : f32 -> !tile
  %pv = neuron.engine.view %p : !tile -> !view
  %e2 = neuron.engine.empty "m" : !column
  %v2 = neuron.engine.view %e2 : !column -> !one
  %m = neuron.engine.tensor_reduce vector op maximum axes 1 dst %v2 : !one data %pv : !view -> !column
  %mv = neuron.engine.view %m : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %to : !out src %mv : !one
  func.return
}

// The engine finds nothing but maxima beside a choice.
// CHECK-LABEL: func.func @a_minimum_behind_a_choice
// CHECK:       neuron.engine.tensor_reduce vector op minimum
func.func @a_minimum_behind_a_choice(%xv: !view, %f: !flag, %to: !out) {
  %high = arith.constant 5.0 : f32
  %e1 = neuron.engine.empty "p" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %p = neuron.engine.select_reduce vector dst %v1 : !view predicate %f : !flag on_true %xv : !view on_false %high : f32 -> !tile
  %pv = neuron.engine.view %p : !tile -> !view
  %e2 = neuron.engine.empty "m" : !column
  %v2 = neuron.engine.view %e2 : !column -> !one
  %m = neuron.engine.tensor_reduce vector op minimum axes 1 dst %v2 : !one data %pv : !view -> !column
  %mv = neuron.engine.view %m : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %to : !out src %mv : !one
  func.return
}

// The first element that equals a number, else the last place.
// CHECK-LABEL: func.func @the_place_of_the_first
// CHECK:       %[[E:.*]] = neuron.engine.view %by : !neuron.mem.tile<sbuf, 128xf32, [d0] x []> -> !neuron.engine.view<sbuf[0:128], [0 x 8], f32>
// CHECK:       %[[F:.*]] = neuron.engine.nc_find_index8 vector dst {{.*}}, [1 x 8], ui32> data %xv : {{.*}} vals %[[E]]
// CHECK:       %[[P:.*]] = neuron.engine.view %[[F]] : {{.*}}, [1 x 1], ui32>
// CHECK:       neuron.engine.tensor_scalar vector op0 minimum dst {{.*}} data %[[P]] : {{.*}} operand0 %last : f32
// CHECK-NOT:   neuron.engine.select_reduce
// CHECK-NOT:   neuron.engine.tensor_reduce
// CHECK:       return
func.func @the_place_of_the_first(%xv: !view, %by: !column, %to: !out) {
  %last = arith.constant 63.0 : f32
  %e0 = neuron.engine.empty "i" : !line
  %v0 = neuron.engine.view %e0 : !line -> !view
  %i = neuron.engine.iota gpsimd pattern [1, 64] offset 0 channel_multiplier 0 dst %v0 : !view -> !line
  %iv = neuron.engine.view %i : !line -> !view
  %bv = neuron.engine.view %by : !column -> !one
  %e1 = neuron.engine.empty "q" : !flags
  %v1 = neuron.engine.view %e1 : !flags -> !flag
  %q = neuron.engine.tensor_scalar vector op0 equal dst %v1 : !flag data %xv : !view operand0 %bv : !one -> !flags
  %qv = neuron.engine.view %q : !flags -> !flag
  %e2 = neuron.engine.empty "p" : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %p = neuron.engine.select_reduce vector dst %v2 : !view predicate %qv : !flag on_true %iv : !view on_false %last : f32 -> !tile
  %pv = neuron.engine.view %p : !tile -> !view
  %e3 = neuron.engine.empty "m" : !column
  %v3 = neuron.engine.view %e3 : !column -> !one
  %m = neuron.engine.tensor_reduce vector op minimum axes 1 dst %v3 : !one data %pv : !view -> !column
  %mv = neuron.engine.view %m : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %to : !out src %mv : !one
  func.return
}

// Numbers that don't start at 0, another test, and a number below all places in the place of those that aren't equal.
// CHECK-LABEL: func.func @no_places
// CHECK-NOT:   nc_find_index8
// CHECK:       return
func.func @no_places(%xv: !view, %by: !column, %to: !out) {
  %last = arith.constant 63.0 : f32
  %none = arith.constant -1.0 : f32
  %e0 = neuron.engine.empty "i" : !line
  %v0 = neuron.engine.view %e0 : !line -> !view
  %i = neuron.engine.iota gpsimd pattern [1, 64] offset 1 channel_multiplier 0 dst %v0 : !view -> !line
  %iv = neuron.engine.view %i : !line -> !view
  %e9 = neuron.engine.empty "j" : !line
  %v9 = neuron.engine.view %e9 : !line -> !view
  %j = neuron.engine.iota gpsimd pattern [1, 64] offset 0 channel_multiplier 0 dst %v9 : !view -> !line
  %jv = neuron.engine.view %j : !line -> !view
  %bv = neuron.engine.view %by : !column -> !one
  %e1 = neuron.engine.empty "q" : !flags
  %v1 = neuron.engine.view %e1 : !flags -> !flag
  %q = neuron.engine.tensor_scalar vector op0 equal dst %v1 : !flag data %xv : !view operand0 %bv : !one -> !flags
  %qv = neuron.engine.view %q : !flags -> !flag
  %e5 = neuron.engine.empty "g" : !flags
  %v5 = neuron.engine.view %e5 : !flags -> !flag
  %g = neuron.engine.tensor_scalar vector op0 greater dst %v5 : !flag data %xv : !view operand0 %bv : !one -> !flags
  %gv = neuron.engine.view %g : !flags -> !flag
  %e2 = neuron.engine.empty "a" : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %a = neuron.engine.select_reduce vector dst %v2 : !view predicate %qv : !flag on_true %iv : !view on_false %last : f32 -> !tile
  %av = neuron.engine.view %a : !tile -> !view
  %e3 = neuron.engine.empty "m" : !column
  %v3 = neuron.engine.view %e3 : !column -> !one
  %m = neuron.engine.tensor_reduce vector op minimum axes 1 dst %v3 : !one data %av : !view -> !column
  %mv = neuron.engine.view %m : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %to : !out src %mv : !one
  %e4 = neuron.engine.empty "b" : !tile
  %v4 = neuron.engine.view %e4 : !tile -> !view
  %b = neuron.engine.select_reduce vector dst %v4 : !view predicate %gv : !flag on_true %jv : !view on_false %last : f32 -> !tile
  %bb = neuron.engine.view %b : !tile -> !view
  %e6 = neuron.engine.empty "n" : !column
  %v6 = neuron.engine.view %e6 : !column -> !one
  %n = neuron.engine.tensor_reduce vector op minimum axes 1 dst %v6 : !one data %bb : !view -> !column
  %nv = neuron.engine.view %n : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %to : !out src %nv : !one
  %e7 = neuron.engine.empty "c" : !tile
  %v7 = neuron.engine.view %e7 : !tile -> !view
  %c = neuron.engine.select_reduce vector dst %v7 : !view predicate %qv : !flag on_true %jv : !view on_false %none : f32 -> !tile
  %cv = neuron.engine.view %c : !tile -> !view
  %e8 = neuron.engine.empty "o" : !column
  %v8 = neuron.engine.view %e8 : !column -> !one
  %o = neuron.engine.tensor_reduce vector op minimum axes 1 dst %v8 : !one data %cv : !view -> !column
  %ov = neuron.engine.view %o : !column -> !one
  neuron.engine.dma_copy sync queue 0 dst %to : !out src %ov : !one
  func.return
}
