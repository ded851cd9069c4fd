// RUN: nki-opt %s -p select-instructions --split-input-file | filecheck %s
// RUN: nki-opt %s -p select-instructions --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

!strip = !neuron.mem.tile<sbuf, 4x128x64xf32, [d1] x [d0, d2]>
!block = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// A block is loaded to where it is inserted.
// CHECK-LABEL: func.func @loaded_in_place
// CHECK:       %[[E:.*]] = neuron.engine.empty
// CHECK:       %[[T:.*]] = scf.for %[[J:.*]] = {{.*}} iter_args(%[[A:.*]] = %[[E]])
// CHECK-NOT:   neuron.engine.empty
// CHECK:       %[[SIZE:.*]] = arith.constant 64 : index
// CHECK-NEXT:  %[[AT:.*]] = arith.muli %[[J]], %[[SIZE]] : index
// CHECK-NEXT:  %[[V:.*]] = neuron.engine.view %[[A]] at %[[AT]] : {{.*}} -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
// CHECK:       %[[N:.*]] = neuron.engine.dma_copy sync queue 0 dst %[[V]]
// CHECK-NEXT:  scf.yield %[[N]]
func.func @loaded_in_place(%x: memref<512x64xf32>) -> () {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %s = neuron.mem.empty : !strip
  %t = scf.for %j = %c0 to %c4 step %c1 iter_args(%a = %s) -> (!strip) {
    %b = neuron.mem.load %x(%j) [8192 * s0 + 64 * d0 + d1 by 1] : memref<512x64xf32> -> !block
    %n = neuron.mem.insert %b into %a(%j) [s0, d0, d1] : !block into !strip
    scf.yield %n : !strip
  }
  neuron.mem.store %t to %x [8192 * d0 + 64 * d1 + d2 by 1] : !strip -> memref<512x64xf32>
  func.return
}

// -----

!strip = !neuron.mem.tile<sbuf, 4x128x64xf32, [d1] x [d0, d2]>
!block = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// A slice is no instruction: the columns 3 to 10 of the block at 64 * 2.
// CHECK-LABEL: func.func @a_slice_is_a_view
// CHECK:       %[[T:.*]] = neuron.engine.dma_copy
// CHECK-NOT:   tensor_copy
// CHECK:       neuron.engine.view %[[T]] at %{{.*}} : !neuron.mem.tile<sbuf, 4x128x64xf32, [d1] x [d0, d2]> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
// CHECK:       neuron.engine.dma_copy gpsimd
func.func @a_slice_is_a_view(%x: memref<512x64xf32>) {
  %t = neuron.mem.load %x [8192 * d0 + 64 * d1 + d2 by 1] : memref<512x64xf32> -> !strip
  %p = neuron.mem.slice %t [2, d0, 3 + d1] : !strip -> !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>
  neuron.mem.store %p to %x [64 * d0 + d1 by 1] : !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]> -> memref<512x64xf32>
  func.return
}

// -----

!block = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>
!rows = !neuron.mem.tile<sbuf, 32x64xf32, [d0] x [d1]>

// What begins at another partition is copied, in and out.
// CHECK-LABEL: func.func @other_partitions
// CHECK:       neuron.engine.tensor_copy vector dst %{{.*}} : !neuron.engine.view<sbuf[0:32], [1 x 64], f32> src %{{.*}} : !neuron.engine.view<sbuf[96:128], [1 x 64], f32>
// CHECK:       neuron.engine.tensor_copy vector dst %{{.*}} : !neuron.engine.view<sbuf[64:96], [1 x 64], f32> src %{{.*}} : !neuron.engine.view<sbuf[0:32], [1 x 64], f32>
func.func @other_partitions(%x: memref<128x64xf32>) {
  %t = neuron.mem.load %x [64 * d0 + d1 by 1] : memref<128x64xf32> -> !block
  %p = neuron.mem.slice %t [96 + d0, d1] : !block -> !rows
  %q = neuron.mem.binary add %p, %p : !rows, !rows -> !rows
  %n = neuron.mem.insert %q into %t [64 + d0, d1] : !rows into !block
  neuron.mem.store %n to %x [64 * d0 + d1 by 1] : !block -> memref<128x64xf32>
  func.return
}

// -----

!block = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>
!half = !neuron.mem.tile<sbuf, 128x32xf32, [d0] x [d1]>

// What has another reader is made elsewhere, and copied to where it is inserted.
// CHECK-LABEL: func.func @what_is_inserted_has_another_reader
// CHECK:       %[[H:.*]] = neuron.engine.dma_copy sync queue 1
// CHECK:       %[[D:.*]] = neuron.engine.view %[[T:.*]] at
// CHECK:       %[[S:.*]] = neuron.engine.view %[[H]]
// CHECK:       neuron.engine.tensor_copy vector dst %[[D]] : {{.*}} src %[[S]]
func.func @what_is_inserted_has_another_reader(%x: memref<128x64xf32>, %y: memref<128x32xf32>) {
  %t = neuron.mem.load %x [64 * d0 + d1 by 1] : memref<128x64xf32> -> !block
  %h = neuron.mem.load %y [32 * d0 + d1 by 1] : memref<128x32xf32> -> !half
  %n = neuron.mem.insert %h into %t [d0, 32 + d1] : !half into !block
  neuron.mem.store %n to %x [64 * d0 + d1 by 1] : !block -> memref<128x64xf32>
  neuron.mem.store %h to %y [32 * d0 + d1 by 1] : !half -> memref<128x32xf32>
  func.return
}

// -----

!strip = !neuron.mem.tile<sbuf, 4x128x64xf32, [d1] x [d0, d2]>
!block = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// What is inserted in some iterations is loaded in these; what is computed for it is copied in these.
// CHECK-LABEL: func.func @in_some_iterations
// CHECK:       scf.for %[[I:.*]] = {{.*}} iter_args(%[[A:.*]] = %{{.*}})
// CHECK:       %[[G:.*]] = arith.addi %{{.*}}, %{{.*}} : index
// CHECK:       %[[V:.*]] = neuron.engine.view %[[A]] at %{{.*}} limit dim 2 %[[G]] : {{.*}} -> !neuron.engine.view<sbuf[0:128], [1 x 64, 1 x 1], f32>
// CHECK:       %[[H:.*]] = neuron.engine.view %x at %{{.*}} limit dim 1 %[[G]] : memref<512x64xf32> -> !neuron.engine.view<hbm, [1 x 8192, 1 x 1], f32>
// CHECK:       neuron.engine.dma_copy sync queue 1 dst %[[V]] : {{.*}} src %[[H]]
// CHECK:       neuron.engine.tensor_tensor vector op add dst %{{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
// CHECK:       neuron.engine.tensor_copy vector dst %{{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 64, 1 x 1], f32>
func.func @in_some_iterations(%x: memref<512x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %s = neuron.mem.load %x [8192 * d0 + 64 * d1 + d2 by 1] : memref<512x64xf32> -> !strip
  %t = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %s) -> (!strip) {
    %b = neuron.mem.load %x [64 * d0 + d1 by 1] : memref<512x64xf32> -> !block
    %n = neuron.mem.insert %b into %a(%i) [2, d0, d1] where [1 - s0] : !block into !strip
    %p = neuron.mem.slice %n [2, d0, d1] : !strip -> !block
    %q = neuron.mem.binary add %p, %p : !block, !block -> !block
    %m = neuron.mem.insert %q into %n(%i) [3, d0, d1] where [2 - s0] : !block into !strip
    scf.yield %m : !strip
  }
  neuron.mem.store %t to %x [8192 * d0 + 64 * d1 + d2 by 1] : !strip -> memref<512x64xf32>
  func.return
}
