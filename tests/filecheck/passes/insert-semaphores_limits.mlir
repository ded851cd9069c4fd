// RUN: nki-opt %s -p emit-streams,insert-semaphores --split-input-file | filecheck %s
// RUN: nki-opt %s -p emit-streams,insert-semaphores --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

// A transfer in two texts is one event, counted through: the Vector engine, which has one repeat, waits as if there were
// no end. What is filled in the last iteration has a semaphore of its own, for which the load waits there alone.
// CHECK-LABEL: neuron.isa.program @a_ragged_end
// CHECK: neuron.isa.stream vector
// CHECK: neuron.isa.repeat 8 {
// CHECK-NEXT: neuron.isa.event_semaphore wait <sem [[LOAD:[0-9]+]] + (i0) mod 2 reaches 16 + 16 * ((i0) floordiv 2)>
// CHECK-NEXT: neuron.isa.tensor_scalar {{.*}} wait <sem [[V:[0-9]+]] reaches -1 + i0> update <sem [[V]] add 1>
// CHECK-NEXT: }
// CHECK: neuron.isa.stream gpsimd
// CHECK: neuron.isa.repeat 1 {
// CHECK-NEXT: neuron.isa.memset {{.*}} wait <sem [[V]] reaches 6 + i0> update <sem [[FILL:[0-9]+]] add 1>
// CHECK: neuron.isa.stream sync
// CHECK: neuron.isa.repeat 7 {
// CHECK-NEXT: neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 64 + 256 * ((i0) mod 2), {{.*}} wait <sem [[V]] reaches -1 + i0> update <sem [[LOAD]] + (i0) mod 2 add 16>
// CHECK: neuron.isa.repeat 1 {
// CHECK-NEXT: neuron.isa.dma_copy queue 0 dst <sbuf[0:104] {{.*}} wait <sem [[FILL]] reaches 1 + i0> update <sem [[LOAD]] + (1 + i0) mod 2 add 16>
func.func @a_ragged_end(%x: memref<1000x64xf32>) attributes {tile.arg_names = ["x"]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %c896 = arith.constant 896 : index
  %c1000 = arith.constant 1000 : index
  %two = arith.constant 2.0 : f32
  scf.for %i = %c0 to %c8 step %c1 {
    %b = neuron.engine.alloc "b" at 64 {depth = 2 : i64} : !neuron.engine.buffer<sbuf, 128 x 256>
    %r = arith.muli %i, %c128 : index
    %n = arith.subi %c1000, %r : index
    %g = arith.subi %r, %c64 : index
    %last = arith.subi %g, %c896 : index
    %full = arith.addi %last, %c128 : index
    %o = arith.muli %r, %c64 : index
    %f = neuron.engine.view %b limit dim 2 %full : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:128], [1 x 64, 1 x 1], f32>
    neuron.engine.memset gpsimd value 0.0 : f32 dst %f : !neuron.engine.view<sbuf[0:128], [1 x 64, 1 x 1], f32>
    %v = neuron.engine.view %b limit dim 0 %n : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
    %h = neuron.engine.view %x at %o limit dim 0 %n : memref<1000x64xf32> -> !neuron.engine.view<hbm, [64 x 128, 1 x 64], f32>
    neuron.engine.dma_copy sync queue 0 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 64], f32> src %h : !neuron.engine.view<hbm, [64 x 128, 1 x 64], f32>
    %w = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
    neuron.engine.tensor_scalar vector op0 multiply dst %w : !neuron.engine.view<sbuf[0:128], [1 x 64], f32> data %w : !neuron.engine.view<sbuf[0:128], [1 x 64], f32> operand0 %two : f32
  }
  func.return
}
