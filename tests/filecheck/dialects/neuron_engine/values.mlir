// RUN: NKI_ROUNDTRIP

!tile = !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>
!column = !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
!view = !neuron.engine.view<sbuf[0:128], [1 x 8], f32>

// CHECK-LABEL: func.func @values
func.func @values(%h: !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>) {
  // CHECK: %{{.*}} = neuron.engine.empty "x" : !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>
  %e = neuron.engine.empty "x" : !tile
  // CHECK: %{{.*}} = neuron.engine.empty : !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>
  %f = neuron.engine.empty : !tile
  // CHECK: %{{.*}} = neuron.engine.empty {kept} : !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>
  %g = neuron.engine.empty {kept} : !tile
  // CHECK: %{{.*}} = neuron.engine.view %{{.*}} : !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  %v = neuron.engine.view %e : !tile -> !view
  // CHECK: %[[X:.*]] = neuron.engine.dma_copy sync queue 0 dst %{{.*}} src %{{.*}} : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> -> !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>
  %x = neuron.engine.dma_copy sync queue 0 dst %v : !view src %h : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> -> !tile
  %w = neuron.engine.view %f : !tile -> !view
  %y = neuron.engine.view %x : !tile -> !view
  %s = neuron.engine.empty : !column
  %r = neuron.engine.view %s : !column -> !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
  // CHECK: %{{.*}}, %{{.*}} = neuron.engine.activation_reduce scalar op exp dst {{.*}} reduce_res {{.*}} -> !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
  %z, %t = neuron.engine.activation_reduce scalar op exp dst %w : !view data %y : !view reduce_res %r : !neuron.engine.view<sbuf[0:128], [1 x 1], f32> -> !tile, !column
  // What goes to HBM is no tile.
  // CHECK: neuron.engine.dma_copy gpsimd queue 0 dst %{{.*}} : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %{{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>{{$}}
  %u = neuron.engine.view %z : !tile -> !view
  neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32> src %u : !view
  func.return
}
