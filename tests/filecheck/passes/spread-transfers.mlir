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

// What the second product of two reads is on the upper rows of the array; what it gives is where it was. The last of an
// odd number is by itself.
// CHECK-LABEL: func.func @products
// CHECK: [[N:%.*]] = arith.constant 3 : index
// CHECK: scf.for [[I:%.*]] = %c0 to [[N]] step %c1
// CHECK:   [[EVEN:%.*]] = arith.muli [[I]]
// CHECK:   arith.muli [[EVEN]], %at
// CHECK:   neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:64], [1 x 128], bf16>
// CHECK:   neuron.engine.dma_copy sync queue 1 dst {{.*}} : !neuron.engine.view<sbuf[0:64], [1 x 512], bf16>
// CHECK:   neuron.engine.nc_matmul {{.*}} !neuron.engine.view<psum[0:128], {{.*}} !neuron.engine.view<sbuf[0:64], {{.*}} !neuron.engine.view<sbuf[0:64],
// CHECK:   neuron.engine.dma_copy gpsimd {{.*}} !neuron.engine.view<sbuf[0:128],
// CHECK:   [[ODD:%.*]] = arith.addi
// CHECK:   arith.muli [[ODD]], %at
// CHECK:   neuron.engine.alloc "a" from 64
// CHECK:   neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[64:128], [1 x 128], bf16>
// CHECK:   neuron.engine.alloc "b" from 64
// CHECK:   neuron.engine.dma_copy sync queue 1 dst {{.*}} : !neuron.engine.view<sbuf[64:128], [1 x 512], bf16>
// CHECK:   neuron.engine.nc_matmul {{.*}} !neuron.engine.view<psum[0:128], {{.*}} !neuron.engine.view<sbuf[64:128], {{.*}} !neuron.engine.view<sbuf[64:128],
// CHECK:   neuron.engine.dma_copy gpsimd {{.*}} !neuron.engine.view<sbuf[0:128],
// CHECK: }
// CHECK: arith.constant 6 : index
// CHECK: neuron.engine.nc_matmul {{.*}} !neuron.engine.view<sbuf[0:64],
func.func @products(%x: memref<32768xbf16>, %y: memref<262144xbf16>, %z: memref<524288xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %at = arith.constant 32768 : index
  scf.for %i = %c0 to %c7 step %c1 {
    %o = arith.muli %i, %at : index
    %ab = neuron.engine.alloc "a" : !a
    %av = neuron.engine.view %ab : !a -> !av
    %ah = neuron.engine.view %x : memref<32768xbf16> -> !ah
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
    %ch = neuron.engine.view %z : memref<524288xbf16> -> !ch
    neuron.engine.dma_copy gpsimd queue 0 dst %ch : !ch src %cv : !cv
  }
  func.return
}

// Left alone: one iteration; a product of which an operand is there for all iterations; tiles of all partitions; what
// the Scalar engine takes longer for.
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
  func.return
}
