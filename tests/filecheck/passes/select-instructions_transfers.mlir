// RUN: nki-opt %s -p split-to-hardware-tiles,select-instructions | filecheck %s
// RUN: nki-opt %s -p split-to-hardware-tiles,select-instructions --print-op-generic | nki-opt | filecheck %s

!left = !neuron.mem.tile<sbuf, 512x1024xbf16, [d1:128] x [d1/128:8, d0]>
!right = !neuron.mem.tile<sbuf, 1024x512xbf16, [d0:128] x [d0/128:8, d1]>
!rows = !neuron.mem.tile<sbuf, 512x1024xbf16, [d0:128] x [d0/128:4, d1]>
!sum = !neuron.mem.tile<psum, 512x512xf32, [d0:128] x [d0/128:4, d1]>
!out = !neuron.mem.tile<sbuf, 512x512xf32, [d0:128] x [d0/128:4, d1]>
!few = !neuron.mem.tile<sbuf, 1024x128xbf16, [d0:128] x [d0/128:8, d1]>
!narrow = !neuron.mem.tile<psum, 512x128xf32, [d0:128] x [d0/128:4, d1]>
!weights = !neuron.mem.tile<sbuf, 1024x512xf32, [d0:128] x [d0/128:8, d1]>
!turned = !neuron.mem.tile<sbuf, 512x1024xf32, [d1:128] x [d1/128:8, d0]>
!vectors = !neuron.mem.tile<sbuf, 1024x16xf32, [d0:128] x [d0/128:8, d1]>
!sixteen = !neuron.mem.tile<psum, 512x16xf32, [d0:128] x [d0/128:4, d1]>
!made = !neuron.mem.tile<sbuf, 512x16xf32, [d0:128] x [d0/128:4, d1]>
!small = !neuron.mem.tile<sbuf, 512x128xf32, [d0:128] x [d0/128:4, d1]>

// Products begin with the first terms: 256 KiB of these at a time, in order, on one queue. What is made is stored as
// the array makes it.
// CHECK-LABEL: func.func @terms_and_sums
// CHECK-COUNT-4: neuron.engine.dma_copy sync queue 0 {{.*}} : !neuron.engine.view<hbm, [512 x 128, 65536 x 2, 1 x 512], bf16>
// CHECK-COUNT-4: neuron.engine.dma_copy sync queue 0 {{.*}} : !neuron.engine.view<hbm, [512 x 128, 65536 x 2, 1 x 512], bf16>
// CHECK-NOT: neuron.engine.dma_copy sync
// CHECK: neuron.engine.nc_matmul
// CHECK: neuron.engine.dma_copy gpsimd queue 0 dst {{.*}} : !neuron.engine.view<hbm, [1 x 65536], f32>
// CHECK: neuron.engine.dma_copy gpsimd queue 1 dst {{.*}} : !neuron.engine.view<hbm, [1 x 65536], f32>
// CHECK: neuron.engine.dma_copy gpsimd queue 2 dst {{.*}} : !neuron.engine.view<hbm, [1 x 65536], f32>
// CHECK: neuron.engine.dma_copy gpsimd queue 3 dst {{.*}} : !neuron.engine.view<hbm, [1 x 65536], f32>
// CHECK-NOT: dma_copy
// CHECK: func.return
func.func @terms_and_sums(%a: memref<1024x512xbf16>, %b: memref<1024x512xbf16>, %c: memref<512x512xf32>) {
  %l = neuron.mem.load %a [512 * d1 + d0 by 1] : memref<1024x512xbf16> -> !left
  %r = neuron.mem.load %b [512 * d0 + d1 by 1] : memref<1024x512xbf16> -> !right
  %z = neuron.mem.accumulator : !sum
  %s = neuron.mem.matmul %l, %r acc %z : !left, !right, !sum -> !sum
  %o = neuron.mem.convert %s by copy : !sum -> !out
  neuron.mem.store %o to %c [512 * d0 + d1 by 1] : !out -> memref<512x512xf32>
  func.return
}

// A row of HBM is cut into no less than 1 KiB.
// CHECK-LABEL: func.func @turned_on_the_way
// CHECK-COUNT-2: neuron.engine.dma_copy sync queue 0 {{.*}} : !neuron.engine.view<hbm, [1024 x 128, 131072 x 4, 1 x 512], bf16>
// CHECK-NOT: : !neuron.engine.view<hbm, [1024 x 128
// CHECK: func.return
func.func @turned_on_the_way(%a: memref<512x1024xbf16>, %b: memref<1024x512xbf16>, %c: memref<512x512xf32>) {
  %x = neuron.mem.load %a [1024 * d0 + d1 by 1] : memref<512x1024xbf16> -> !rows
  %l = neuron.mem.convert %x by words : !rows -> !left
  %r = neuron.mem.load %b [512 * d0 + d1 by 1] : memref<1024x512xbf16> -> !right
  %z = neuron.mem.accumulator : !sum
  %s = neuron.mem.matmul %l, %r acc %z : !left, !right, !sum -> !sum
  %o = neuron.mem.convert %s by copy : !sum -> !out
  neuron.mem.store %o to %c [512 * d0 + d1 by 1] : !out -> memref<512x512xf32>
  func.return
}

// With a quarter of the columns, the array takes less long than what is on the left takes to get there.
// CHECK-LABEL: func.func @few_columns
// CHECK: neuron.engine.dma_copy sync queue 0 {{.*}} : !neuron.engine.view<hbm, [512 x 128, 65536 x 8, 1 x 512], bf16>
// CHECK: neuron.engine.dma_copy sync queue 1 {{.*}} : !neuron.engine.view<hbm, [128 x 128, 16384 x 8, 1 x 128], bf16>
// CHECK-NOT: dma_copy sync
// CHECK: func.return
func.func @few_columns(%a: memref<1024x512xbf16>, %b: memref<1024x128xbf16>, %c: memref<512x128xf32>) {
  %l = neuron.mem.load %a [512 * d1 + d0 by 1] : memref<1024x512xbf16> -> !left
  %r = neuron.mem.load %b [128 * d0 + d1 by 1] : memref<1024x128xbf16> -> !few
  %z = neuron.mem.accumulator : !narrow
  %s = neuron.mem.matmul %l, %r acc %z : !left, !few, !narrow -> !narrow
  %o = neuron.mem.convert %s by copy : !narrow -> !small
  neuron.mem.store %o to %c [128 * d0 + d1 by 1] : !small -> memref<512x128xf32>
  func.return
}

// Four times as many products of it make up for that.
// CHECK-LABEL: func.func @again_and_again
// CHECK-COUNT-4: neuron.engine.dma_copy sync queue 0 {{.*}} : !neuron.engine.view<hbm, [512 x 128, 65536 x 2, 1 x 512], bf16>
// CHECK: scf.for
func.func @again_and_again(%a: memref<1024x512xbf16>, %b: memref<1024x128xbf16>, %c: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %l = neuron.mem.load %a [512 * d1 + d0 by 1] : memref<1024x512xbf16> -> !left
  scf.for %i = %c0 to %c4 step %c1 {
    %r = neuron.mem.load %b [128 * d0 + d1 by 1] : memref<1024x128xbf16> -> !few
    %z = neuron.mem.accumulator : !narrow
    %s = neuron.mem.matmul %l, %r acc %z : !left, !few, !narrow -> !narrow
    %o = neuron.mem.convert %s by copy : !narrow -> !small
    neuron.mem.store %o to %c [128 * d0 + d1 by 1] : !small -> memref<512x128xf32>
  }
  func.return
}

// The array takes less long than the transfer of its weights, but so long that it had best not wait for the last of
// them. Where that happens again and again, it does so during the next one.
// CHECK-LABEL: func.func @few_rows
// CHECK-COUNT-8: neuron.engine.dma_copy sync queue 0 {{.*}} : !neuron.engine.view<hbm, [1 x 65536], f32>
// CHECK-LABEL: func.func @few_rows_again_and_again
// CHECK: neuron.engine.dma_copy sync queue 0 {{.*}} : !neuron.engine.view<hbm, [512 x 128, 65536 x 8, 1 x 512], f32>
func.func @few_rows(%a: memref<1024x16xf32>, %b: memref<1024x512xf32>, %c: memref<512x16xf32>) {
  %x = neuron.mem.load %b [512 * d0 + d1 by 1] : memref<1024x512xf32> -> !weights
  %l = neuron.mem.relabel %x permute [1, 0] : !weights -> !turned
  %r = neuron.mem.load %a [16 * d0 + d1 by 1] : memref<1024x16xf32> -> !vectors
  %z = neuron.mem.accumulator : !sixteen
  %s = neuron.mem.matmul %l, %r acc %z : !turned, !vectors, !sixteen -> !sixteen
  %o = neuron.mem.convert %s by copy : !sixteen -> !made
  neuron.mem.store %o to %c [16 * d0 + d1 by 1] : !made -> memref<512x16xf32>
  func.return
}
func.func @few_rows_again_and_again(%a: memref<1024x16xf32>, %b: memref<1024x512xf32>, %c: memref<512x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %x = neuron.mem.load %b [512 * d0 + d1 by 1] : memref<1024x512xf32> -> !weights
    %l = neuron.mem.relabel %x permute [1, 0] : !weights -> !turned
    %r = neuron.mem.load %a [16 * d0 + d1 by 1] : memref<1024x16xf32> -> !vectors
    %z = neuron.mem.accumulator : !sixteen
    %s = neuron.mem.matmul %l, %r acc %z : !turned, !vectors, !sixteen -> !sixteen
    %o = neuron.mem.convert %s by copy : !sixteen -> !made
    neuron.mem.store %o to %c [16 * d0 + d1 by 1] : !made -> memref<512x16xf32>
  }
  func.return
}

// What no product takes, or makes, moves at once.
// CHECK-LABEL: func.func @leaves_alone
// CHECK: neuron.engine.dma_copy sync queue 0 {{.*}} : !neuron.engine.view<hbm, [512 x 128, 65536 x 8, 1 x 512], bf16>
// CHECK-NOT: dma_copy sync
// CHECK: neuron.engine.dma_copy gpsimd queue 0
// CHECK-NOT: dma_copy
// CHECK: func.return
func.func @leaves_alone(%b: memref<1024x512xbf16>, %c: memref<1024x512xbf16>) {
  %r = neuron.mem.load %b [512 * d0 + d1 by 1] : memref<1024x512xbf16> -> !right
  neuron.mem.store %r to %c [512 * d0 + d1 by 1] : !right -> memref<1024x512xbf16>
  func.return
}
