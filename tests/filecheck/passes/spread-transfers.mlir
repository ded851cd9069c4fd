// RUN: nki-opt %s -p spread-transfers | filecheck %s
// RUN: nki-opt %s -p spread-transfers --print-op-generic | nki-opt | filecheck %s

!a = !neuron.engine.buffer<sbuf, 64 x 256>
!av = !neuron.engine.view<sbuf[0:64], [1 x 128], bf16>
!b = !neuron.engine.buffer<sbuf, 64 x 1024>
!bv = !neuron.engine.view<sbuf[0:64], [1 x 512], bf16>
!ah = !neuron.engine.view<hbm, [128 x 64, 1 x 128], bf16>
!bh = !neuron.engine.view<hbm, [512 x 64, 1 x 512], bf16>
!p = !neuron.engine.buffer<psum, 128 x 2048>
!pv = !neuron.engine.view<psum[0:128], [1 x 512], f32>
!c = !neuron.engine.buffer<sbuf, 128 x 1024>
!cv = !neuron.engine.view<sbuf[0:128], [1 x 512], bf16>
!ch = !neuron.engine.view<hbm, [512 x 128, 1 x 512], bf16>
!l = !neuron.engine.buffer<sbuf, 64 x 98304>
!q = !neuron.engine.buffer<sbuf, 32 x 1024>
!qv = !neuron.engine.view<sbuf[0:32], [1 x 512], bf16>
!qh = !neuron.engine.view<hbm, [512 x 32, 1 x 512], bf16>
!s = !neuron.engine.buffer<sbuf, 128 x 512>
!sv = !neuron.engine.view<sbuf[0:128], [1 x 128], f32>
!strip = !neuron.engine.view<hbm, [8192 x 128, 1 x 128], f32>
!block = !neuron.engine.view<hbm, [128 x 128, 1 x 128], f32>
!h = !neuron.engine.buffer<sbuf, 64 x 512>
!hv = !neuron.engine.view<sbuf[0:64], [1 x 128], f32>
!hh = !neuron.engine.view<hbm, [128 x 64, 1 x 128], f32>

// What the second product of two reads is on the upper rows of the array, and comes with what the first one reads; what
// they give is where it was, and goes in one transfer, too, side by side. The last of an odd number is by itself.
// CHECK-LABEL: func.func @products
// CHECK: [[N:%.*]] = arith.constant 3 : index
// CHECK: scf.for [[I:%.*]] = %c0 to [[N]] step %c1
// CHECK:   [[EVEN:%.*]] = arith.muli [[I]]
// CHECK:   arith.muli [[EVEN]], %at
// CHECK:   [[A:%.*]] = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 128 x 256>
// CHECK:   neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 128], bf16> src {{.*}} : !neuron.engine.view<hbm, [32768 x 2, 1 x 8192], bf16>
// CHECK:   [[B:%.*]] = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 1024>
// CHECK:   neuron.engine.dma_copy sync queue 1 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 512], bf16> src {{.*}} : !neuron.engine.view<hbm, [1 x 65536], bf16>
// CHECK:   neuron.engine.nc_matmul {{.*}} !neuron.engine.view<psum[0:128], {{.*}} !neuron.engine.view<sbuf[0:64], {{.*}} !neuron.engine.view<sbuf[0:64],
// CHECK:   [[C:%.*]] = neuron.engine.alloc "c" : !neuron.engine.buffer<sbuf, 128 x 2048>
// CHECK-NOT: dma_copy
// CHECK:   [[ODD:%.*]] = arith.addi
// CHECK:   arith.muli [[ODD]], %at
// CHECK:   neuron.engine.view [[A]] {{.*}}sbuf[64:128]
// CHECK:   neuron.engine.view [[B]] {{.*}}sbuf[64:128]
// CHECK:   neuron.engine.nc_matmul {{.*}} !neuron.engine.view<psum[0:128], {{.*}} !neuron.engine.view<sbuf[64:128], {{.*}} !neuron.engine.view<sbuf[64:128],
// CHECK:   [[BEHIND:%.*]] = arith.constant 512 : index
// CHECK:   neuron.engine.view [[C]] at [[BEHIND]]
// CHECK:   neuron.engine.dma_copy gpsimd queue 0 dst {{.*}} : !neuron.engine.view<hbm, [512 x 128, 65536 x 2, 1 x 512], bf16> src {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 1024], bf16>
// CHECK: }
// CHECK: arith.constant 6 : index
// CHECK: neuron.engine.nc_matmul {{.*}} !neuron.engine.view<sbuf[0:64],
func.func @products(%x: memref<262144xbf16>, %y: memref<262144xbf16>, %z: memref<524288xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %at = arith.constant 32768 : index
  %rows = arith.constant 65536 : index
  scf.for %i = %c0 to %c7 step %c1 {
    %o = arith.muli %i, %at : index
    %p = arith.muli %i, %rows : index
    %ab = neuron.engine.alloc "a" : !a
    %av = neuron.engine.view %ab : !a -> !av
    %ah = neuron.engine.view %x at %o : memref<262144xbf16> -> !ah
    neuron.engine.dma_copy sync queue 0 dst %av : !av src %ah : !ah
    %bb = neuron.engine.alloc "b" : !b
    %bv = neuron.engine.view %bb : !b -> !bv
    %bh = neuron.engine.view %y at %o : memref<262144xbf16> -> !bh
    neuron.engine.dma_copy sync queue 1 dst %bv : !bv src %bh : !bh
    %pb = neuron.engine.alloc "p" : !p
    %pv = neuron.engine.view %pb : !p -> !pv
    neuron.engine.nc_matmul tensor dst %pv : !pv stationary %av : !av moving %bv : !bv
    %cb = neuron.engine.alloc "c" : !c
    %cv = neuron.engine.view %cb : !c -> !cv
    neuron.engine.activation scalar op copy dst %cv : !cv data %pv : !pv
    %ch = neuron.engine.view %z at %p : memref<524288xbf16> -> !ch
    neuron.engine.dma_copy gpsimd queue 0 dst %ch : !ch src %cv : !cv
  }
  func.return
}

// Programs that have names: whose a store is, is looked at where others write to the same memory. There each stores by
// itself what it has.
// CHECK-LABEL: func.func @named
// CHECK: neuron.engine.dma_copy gpsimd queue 0 dst {{.*}} : !neuron.engine.view<hbm, [512 x 128, 65536 x 2, 1 x 512], bf16>
func.func @named(%x: memref<262144xbf16>, %y: memref<262144xbf16>, %z: memref<524288xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %at = arith.constant 32768 : index
  %rows = arith.constant 65536 : index
  scf.for %i = %c0 to %c7 step %c1 {
    tile.begin_program %i of [7]
    %o = arith.muli %i, %at : index
    %p = arith.muli %i, %rows : index
    %ab = neuron.engine.alloc "a" : !a
    %av = neuron.engine.view %ab : !a -> !av
    %ah = neuron.engine.view %x at %o : memref<262144xbf16> -> !ah
    neuron.engine.dma_copy sync queue 0 dst %av : !av src %ah : !ah
    %bb = neuron.engine.alloc "b" : !b
    %bv = neuron.engine.view %bb : !b -> !bv
    %bh = neuron.engine.view %y at %o : memref<262144xbf16> -> !bh
    neuron.engine.dma_copy sync queue 1 dst %bv : !bv src %bh : !bh
    %pb = neuron.engine.alloc "p" : !p
    %pv = neuron.engine.view %pb : !p -> !pv
    neuron.engine.nc_matmul tensor dst %pv : !pv stationary %av : !av moving %bv : !bv
    %cb = neuron.engine.alloc "c" : !c
    %cv = neuron.engine.view %cb : !c -> !cv
    neuron.engine.activation scalar op copy dst %cv : !cv data %pv : !pv
    %ch = neuron.engine.view %z at %p : memref<524288xbf16> -> !ch
    neuron.engine.dma_copy gpsimd queue 0 dst %ch : !ch src %cv : !cv
  }
  func.return
}
// CHECK-LABEL: func.func @written_elsewhere
// CHECK: scf.for
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 128], bf16>
// CHECK-NOT: 65536 x 2
// CHECK-COUNT-2: neuron.engine.dma_copy gpsimd queue 0 dst {{.*}} : !neuron.engine.view<hbm, [512 x 128, 1 x 512], bf16>
// CHECK: }
func.func @written_elsewhere(%x: memref<262144xbf16>, %y: memref<262144xbf16>, %z: memref<524288xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %at = arith.constant 32768 : index
  %rows = arith.constant 65536 : index
  scf.for %i = %c0 to %c7 step %c1 {
    tile.begin_program %i of [7]
    %o = arith.muli %i, %at : index
    %p = arith.muli %i, %rows : index
    %ab = neuron.engine.alloc "a" : !a
    %av = neuron.engine.view %ab : !a -> !av
    %ah = neuron.engine.view %x at %o : memref<262144xbf16> -> !ah
    neuron.engine.dma_copy sync queue 0 dst %av : !av src %ah : !ah
    %bb = neuron.engine.alloc "b" : !b
    %bv = neuron.engine.view %bb : !b -> !bv
    %bh = neuron.engine.view %y at %o : memref<262144xbf16> -> !bh
    neuron.engine.dma_copy sync queue 1 dst %bv : !bv src %bh : !bh
    %pb = neuron.engine.alloc "p" : !p
    %pv = neuron.engine.view %pb : !p -> !pv
    neuron.engine.nc_matmul tensor dst %pv : !pv stationary %av : !av moving %bv : !bv
    %cb = neuron.engine.alloc "c" : !c
    %cv = neuron.engine.view %cb : !c -> !cv
    neuron.engine.activation scalar op copy dst %cv : !cv data %pv : !pv
    %ch = neuron.engine.view %z at %p : memref<524288xbf16> -> !ch
    neuron.engine.dma_copy gpsimd queue 0 dst %ch : !ch src %cv : !cv
  }
  %cb = neuron.engine.alloc "c" : !c
  %cv = neuron.engine.view %cb : !c -> !cv
  neuron.engine.memset vector value 0.0 : bf16 dst %cv : !cv
  %ch = neuron.engine.view %z : memref<524288xbf16> -> !ch
  neuron.engine.dma_copy gpsimd queue 0 dst %ch : !ch src %cv : !cv
  func.return
}

// On partitions that do not follow one another they are apart.
// CHECK-LABEL: func.func @a_quarter
// CHECK:   neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:32], [1 x 512], bf16>
// CHECK:   neuron.engine.alloc "q" from 64 : !neuron.engine.buffer<sbuf, 32 x 1024>
// CHECK:   neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[64:96], [1 x 512], bf16>
func.func @a_quarter(%x: memref<262144xbf16>, %y: memref<262144xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %at = arith.constant 32768 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %o = arith.muli %i, %at : index
    %qb = neuron.engine.alloc "q" : !q
    %qv = neuron.engine.view %qb : !q -> !qv
    %in = neuron.engine.view %x at %o : memref<262144xbf16> -> !qh
    neuron.engine.dma_copy sync queue 0 dst %qv : !qv src %in : !qh
    neuron.engine.activation scalar op exp dst %qv : !qv data %qv : !qv
    %out = neuron.engine.view %y at %o : memref<262144xbf16> -> !qh
    neuron.engine.dma_copy gpsimd queue 0 dst %out : !qh src %qv : !qv
  }
  func.return
}

// Short rows: those of eight iterations go in one transfer, and are longer where they go on in memory. What is loaded
// from where another iteration stores, which is known of none that may be one memory, is loaded behind that.
// CHECK-LABEL: func.func @short_rows
// CHECK: arith.constant 8 : index
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 1024], f32> src {{.*}} : !neuron.engine.view<hbm, [8192 x 128, 1 x 1024], f32>
// CHECK-NOT: [8192 x 128, 1 x 128]
// CHECK: neuron.engine.dma_copy gpsimd queue 0 dst {{.*}} : !neuron.engine.view<hbm, [128 x 128, 16384 x 8, 1 x 128], f32> src {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 1024], f32>
// CHECK-NOT: [128 x 128, 1 x 128]
// CHECK-LABEL: func.func @in_place
// CHECK:   neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:64], [1 x 128], f32>
// CHECK:   neuron.engine.dma_copy gpsimd queue 0 dst {{.*}} src {{.*}} : !neuron.engine.view<sbuf[0:64], [1 x 128], f32>
// CHECK:   neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[64:128], [1 x 128], f32>
// CHECK:   neuron.engine.dma_copy gpsimd queue 0 dst {{.*}} src {{.*}} : !neuron.engine.view<sbuf[64:128], [1 x 128], f32>
func.func @short_rows(%x: memref<1048576xf32>, %y: memref<1048576xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %row = arith.constant 128 : index
  %at = arith.constant 16384 : index
  scf.for %i = %c0 to %c64 step %c1 {
    %o = arith.muli %i, %row : index
    %sb = neuron.engine.alloc "s" : !s
    %sv = neuron.engine.view %sb : !s -> !sv
    %in = neuron.engine.view %x at %o : memref<1048576xf32> -> !strip
    neuron.engine.dma_copy sync queue 0 dst %sv : !sv src %in : !strip
    %p = arith.muli %i, %at : index
    %out = neuron.engine.view %y at %p : memref<1048576xf32> -> !block
    neuron.engine.dma_copy gpsimd queue 0 dst %out : !block src %sv : !sv
  }
  func.return
}
func.func @in_place(%x: memref<1048576xf32>, %y: memref<1048576xf32>) attributes {tile.aliases = array<i64: 0, 0>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %at = arith.constant 16384 : index
  scf.for %i = %c0 to %c64 step %c1 {
    %o = arith.muli %i, %at : index
    %sb = neuron.engine.alloc "s" : !h
    %sv = neuron.engine.view %sb : !h -> !hv
    %in = neuron.engine.view %x at %o : memref<1048576xf32> -> !hh
    neuron.engine.dma_copy sync queue 0 dst %sv : !hv src %in : !hh
    %out = neuron.engine.view %y at %o : memref<1048576xf32> -> !hh
    neuron.engine.dma_copy gpsimd queue 0 dst %out : !hh src %sv : !hv
  }
  func.return
}

// Left alone: one iteration; a product of which an operand is there for all iterations; long rows of all partitions;
// what the Scalar engine takes longer for; what would not fit twice.
// CHECK-LABEL: func.func @left_alone
// CHECK-NOT: from 64
// CHECK-NOT: arith.constant 4 : index
// CHECK: func.return
func.func @left_alone(%x: memref<32768xbf16>, %y: memref<262144xbf16>, %z: memref<524288xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %wb = neuron.engine.alloc "w" : !a
  %w = neuron.engine.view %wb : !a -> !av
  %ah = neuron.engine.view %x : memref<32768xbf16> -> !ah
  %bh = neuron.engine.view %y : memref<262144xbf16> -> !bh
  %ch = neuron.engine.view %z : memref<524288xbf16> -> !ch
  neuron.engine.dma_copy sync queue 0 dst %w : !av src %ah : !ah
  scf.for %i = %c0 to %c1 step %c1 {
    %bb = neuron.engine.alloc "b" : !b
    %bv = neuron.engine.view %bb : !b -> !bv
    neuron.engine.dma_copy sync queue 1 dst %bv : !bv src %bh : !bh
    neuron.engine.dma_copy gpsimd queue 0 dst %bh : !bh src %bv : !bv
  }
  scf.for %i = %c0 to %c8 step %c1 {
    %bb = neuron.engine.alloc "b" : !b
    %bv = neuron.engine.view %bb : !b -> !bv
    neuron.engine.dma_copy sync queue 1 dst %bv : !bv src %bh : !bh
    %pb = neuron.engine.alloc "p" : !p
    %pv = neuron.engine.view %pb : !p -> !pv
    neuron.engine.nc_matmul tensor dst %pv : !pv stationary %w : !av moving %bv : !bv
  }
  scf.for %i = %c0 to %c8 step %c1 {
    %cb = neuron.engine.alloc "c" : !c
    %cv = neuron.engine.view %cb : !c -> !cv
    neuron.engine.dma_copy sync queue 1 dst %cv : !cv src %ch : !ch
  }
  scf.for %i = %c0 to %c8 step %c1 {
    %bb = neuron.engine.alloc "b" : !b
    %bv = neuron.engine.view %bb : !b -> !bv
    neuron.engine.dma_copy sync queue 1 dst %bv : !bv src %bh : !bh
    neuron.engine.activation scalar op exp dst %bv : !bv data %bv : !bv
    neuron.engine.activation scalar op exp dst %bv : !bv data %bv : !bv
    neuron.engine.activation scalar op exp dst %bv : !bv data %bv : !bv
  }
  scf.for %i = %c0 to %c8 step %c1 {
    %lb = neuron.engine.alloc "l" : !l
    %lv = neuron.engine.view %lb : !l -> !bv
    neuron.engine.dma_copy sync queue 1 dst %lv : !bv src %bh : !bh
  }
  func.return
}
