// RUN: NKI_ROUNDTRIP

!buffer = !neuron.engine.buffer<sbuf, 128 x 256>
!view = !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
!rows = !neuron.engine.view<hbm, [64 x 128, 1 x 64], f32>

// Dimension 0 on chip is the partitions; in HBM, the first of the pattern.
// CHECK-LABEL: func.func @limits
func.func @limits(%x: memref<1000x60xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c60 = arith.constant 60 : index
  %c128 = arith.constant 128 : index
  %c1000 = arith.constant 1000 : index
  %b = neuron.engine.alloc "b" : !buffer
  scf.for %i = %c0 to %c8 step %c1 {
    %r = arith.muli %i, %c128 : index
    %n = arith.subi %c1000, %r : index
    %m = arith.minsi %n, %c128 : index
    %o = arith.muli %r, %c60 : index
    // CHECK: [[V:%.*]] = neuron.engine.view %b limit dim 0 %n : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
    %v = neuron.engine.view %b limit dim 0 %n : !buffer -> !view
    // CHECK: neuron.engine.view %x at %o limit dim 0 %n : memref<1000x60xf32> -> !neuron.engine.view<hbm, [64 x 128, 1 x 64], f32>
    %h = neuron.engine.view %x at %o limit dim 0 %n : memref<1000x60xf32> -> !rows
    neuron.engine.dma_copy sync queue 0 dst %v : !view src %h : !rows
    // CHECK: neuron.engine.view %b at %c0 limit dim 0 %m, dim 1 %c60 : !neuron.engine.buffer
    %w = neuron.engine.view %b at %c0 limit dim 0 %m, dim 1 %c60 : !buffer -> !view
    neuron.engine.memset vector value 0.0 : f32 dst %w : !view
  }
  func.return
}
