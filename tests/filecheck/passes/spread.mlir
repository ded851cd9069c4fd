// RUN: nki-opt %s -p spread | filecheck %s
// RUN: nki-opt %s -p spread --print-op-generic | nki-opt | filecheck %s

!whole = !neuron.engine.buffer<sbuf, 128 x 16384>
!part = !neuron.engine.buffer<sbuf, 128 x 8192>
!all = !neuron.engine.view<sbuf[0:128], [1 x 4096], f32>
!piece = !neuron.engine.view<sbuf[0:128], [1 x 2048], f32>
!some_part = !neuron.engine.buffer<sbuf, 128 x 4096>
!quarter = !neuron.engine.view<sbuf[0:128], [1 x 1024], f32>
!much = !neuron.engine.buffer<sbuf, 128 x 49152>
!some = !neuron.engine.buffer<sbuf, 128 x 24576>
!long = !neuron.engine.view<sbuf[0:128], [1 x 12288], f32>
!bit = !neuron.engine.view<sbuf[0:128], [1 x 6144], f32>
!long_memory = !neuron.engine.view<hbm, [12288 x 128, 1 x 12288], f32>
!memory = !neuron.engine.view<hbm, [4096 x 128, 1 x 4096], f32>

// Vector makes a half of what Scalar reads next, while it reads what is there. That has two slots, what is needed for a half is made for each.
// CHECK-LABEL: func.func @halves
// CHECK: [[MADE:%.*]] = neuron.engine.alloc "made" : !neuron.engine.buffer<sbuf, 128 x 32768>
// CHECK: neuron.engine.alloc "raw"
// CHECK-NOT: neuron.engine.alloc "odd"
// CHECK: neuron.engine.dma_copy sync
// CHECK: scf.for [[J:%.*]] = {{.*}} {
// CHECK: neuron.engine.alloc "even"
// CHECK: [[AT:%.*]] = arith.muli [[J]]
// CHECK-NEXT: [[FROM:%.*]] = neuron.engine.view {{.*}} at [[AT]]
// CHECK-NEXT: neuron.engine.tensor_scalar vector op0 multiply dst {{.*}} data [[FROM]]
// CHECK: [[TO:%.*]] = neuron.engine.view [[MADE]] at [[AT]]
// CHECK: neuron.engine.tensor_scalar vector op0 add dst [[TO]]
// CHECK-NEXT: }
// CHECK: [[LESS:%.*]] = arith.constant 3 : index
// CHECK: scf.for [[I:%.*]] = %c0 to [[LESS]]
// CHECK: neuron.engine.alloc "raw"
// CHECK: [[NEXT:%.*]] = arith.addi {{%.*}}, {{%.*}} : index
// CHECK: neuron.engine.dma_copy sync
// CHECK: scf.for
// CHECK-NOT: scf.for
// CHECK-DAG: neuron.engine.tensor_scalar vector op0 multiply
// CHECK-DAG: neuron.engine.activation scalar op exp
// CHECK-NOT: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.dma_copy gpsimd
// CHECK: scf.for
// CHECK-NOT: neuron.engine.tensor_scalar
// CHECK: neuron.engine.activation scalar op exp
// CHECK: neuron.engine.dma_copy gpsimd
// CHECK-NOT: neuron.engine.{{dma|act|tensor}}
// CHECK: func.return
func.func @halves(%x: memref<8x128x4096xf32>, %y: memref<8x128x4096xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %half = arith.constant 2048 : index
  %size = arith.constant 524288 : index
  %trips = arith.constant 4 : index
  %times = arith.constant 2 : index
  %two = arith.constant 2.0 : f32
  scf.for %i = %c0 to %trips step %c1 {
    %at = arith.muli %i, %size : index
    %b0 = neuron.engine.alloc "raw" : !whole
    %r0 = neuron.engine.view %b0 : !whole -> !all
    %m0 = neuron.engine.view %x at %at : memref<8x128x4096xf32> -> !memory
    neuron.engine.dma_copy sync queue 0 dst %r0 : !all src %m0 : !memory
    %b1 = neuron.engine.alloc "made" : !whole
    %t0 = neuron.engine.alloc "even" : !part
    %v0 = neuron.engine.view %t0 : !part -> !piece
    %p0 = neuron.engine.view %b0 : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 multiply dst %v0 : !piece data %p0 : !piece operand0 %two : f32
    %q0 = neuron.engine.view %b1 : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 add dst %q0 : !piece data %v0 : !piece operand0 %two : f32
    %t1 = neuron.engine.alloc "odd" : !part
    %v1 = neuron.engine.view %t1 : !part -> !piece
    %p1 = neuron.engine.view %b0 at %half : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 multiply dst %v1 : !piece data %p1 : !piece operand0 %two : f32
    %q1 = neuron.engine.view %b1 at %half : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 add dst %q1 : !piece data %v1 : !piece operand0 %two : f32
    scf.for %j = %c0 to %times step %c1 {
      %all = neuron.engine.view %b1 : !whole -> !all
      %b2 = neuron.engine.alloc "out" : !whole
      %o = neuron.engine.view %b2 : !whole -> !all
      neuron.engine.activation scalar op exp dst %o : !all data %all : !all
      %m1 = neuron.engine.view %y at %at : memref<8x128x4096xf32> -> !memory
      neuron.engine.dma_copy gpsimd queue 0 dst %m1 : !memory src %o : !all
    }
  }
  func.return
}

// What the inner loop would wait for is done by skew, which gains more: nothing is spread.
// CHECK-LABEL: func.func @better_skewed
// CHECK: scf.for
// CHECK-NOT: scf.for
// CHECK: neuron.engine.alloc "part3"
// CHECK: scf.for
// CHECK-NOT: scf.for
// CHECK: func.return
func.func @better_skewed(%x: memref<8x128x4096xf32>, %y: memref<8x128x4096xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %size = arith.constant 524288 : index
  %trips = arith.constant 4 : index
  %times = arith.constant 4 : index
  %q1 = arith.constant 1024 : index
  %q2 = arith.constant 2048 : index
  %q3 = arith.constant 3072 : index
  %two = arith.constant 2.0 : f32
  scf.for %i = %c0 to %trips step %c1 {
    %at = arith.muli %i, %size : index
    %b0 = neuron.engine.alloc "raw" : !whole
    %r0 = neuron.engine.view %b0 : !whole -> !all
    %m0 = neuron.engine.view %x at %at : memref<8x128x4096xf32> -> !memory
    neuron.engine.dma_copy sync queue 0 dst %r0 : !all src %m0 : !memory
    %b1 = neuron.engine.alloc "made" : !whole
    %t0 = neuron.engine.alloc "part0" : !some_part
    %v0 = neuron.engine.view %t0 : !some_part -> !quarter
    %p0 = neuron.engine.view %b0 : !whole -> !quarter
    neuron.engine.tensor_scalar vector op0 multiply dst %v0 : !quarter data %p0 : !quarter operand0 %two : f32
    %m0x = neuron.engine.view %b1 : !whole -> !quarter
    neuron.engine.tensor_scalar vector op0 add dst %m0x : !quarter data %v0 : !quarter operand0 %two : f32
    %t1 = neuron.engine.alloc "part1" : !some_part
    %v1 = neuron.engine.view %t1 : !some_part -> !quarter
    %p1 = neuron.engine.view %b0 at %q1 : !whole -> !quarter
    neuron.engine.tensor_scalar vector op0 multiply dst %v1 : !quarter data %p1 : !quarter operand0 %two : f32
    %m1x = neuron.engine.view %b1 at %q1 : !whole -> !quarter
    neuron.engine.tensor_scalar vector op0 add dst %m1x : !quarter data %v1 : !quarter operand0 %two : f32
    %t2 = neuron.engine.alloc "part2" : !some_part
    %v2 = neuron.engine.view %t2 : !some_part -> !quarter
    %p2 = neuron.engine.view %b0 at %q2 : !whole -> !quarter
    neuron.engine.tensor_scalar vector op0 multiply dst %v2 : !quarter data %p2 : !quarter operand0 %two : f32
    %m2x = neuron.engine.view %b1 at %q2 : !whole -> !quarter
    neuron.engine.tensor_scalar vector op0 add dst %m2x : !quarter data %v2 : !quarter operand0 %two : f32
    %t3 = neuron.engine.alloc "part3" : !some_part
    %v3 = neuron.engine.view %t3 : !some_part -> !quarter
    %p3 = neuron.engine.view %b0 at %q3 : !whole -> !quarter
    neuron.engine.tensor_scalar vector op0 multiply dst %v3 : !quarter data %p3 : !quarter operand0 %two : f32
    %m3x = neuron.engine.view %b1 at %q3 : !whole -> !quarter
    neuron.engine.tensor_scalar vector op0 add dst %m3x : !quarter data %v3 : !quarter operand0 %two : f32
    scf.for %j = %c0 to %times step %c1 {
      %all = neuron.engine.view %b1 : !whole -> !all
      %b2 = neuron.engine.alloc "out" : !whole
      %o = neuron.engine.view %b2 : !whole -> !all
      %b3 = neuron.engine.alloc "begun" : !whole
      %u = neuron.engine.view %b3 : !whole -> !all
      neuron.engine.tensor_scalar vector op0 multiply dst %u : !all data %all : !all operand0 %two : f32
      %b4 = neuron.engine.alloc "power" : !whole
      %w = neuron.engine.view %b4 : !whole -> !all
      neuron.engine.activation scalar op exp dst %w : !all data %u : !all
      neuron.engine.tensor_scalar vector op0 add dst %o : !all data %w : !all operand0 %two : f32
      %m1 = neuron.engine.view %y at %at : memref<8x128x4096xf32> -> !memory
      neuron.engine.dma_copy gpsimd queue 0 dst %m1 : !memory src %o : !all
    }
  }
  func.return
}

// Two slots of the first loop's block have no room; the other loop is as if it were alone.
// CHECK-LABEL: func.func @no_room
// CHECK: scf.for
// CHECK: neuron.engine.alloc "made_long" : !neuron.engine.buffer<sbuf, 128 x 49152>
// CHECK: neuron.engine.alloc "odd_long"
// CHECK: scf.for
// CHECK: neuron.engine.alloc "made" : !neuron.engine.buffer<sbuf, 128 x 32768>
// CHECK-NOT: neuron.engine.alloc "odd"
// CHECK: func.return
func.func @no_room(%v: memref<8x128x12288xf32>, %w: memref<8x128x12288xf32>, %x: memref<8x128x4096xf32>, %y: memref<8x128x4096xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %half = arith.constant 2048 : index
  %size = arith.constant 524288 : index
  %trips = arith.constant 4 : index
  %times = arith.constant 2 : index
  %long_half = arith.constant 6144 : index
  %long_size = arith.constant 1572864 : index
  %two = arith.constant 2.0 : f32
  scf.for %i = %c0 to %trips step %c1 {
    %at = arith.muli %i, %long_size : index
    %b0 = neuron.engine.alloc "raw_long" : !much
    %r0 = neuron.engine.view %b0 : !much -> !long
    %m0 = neuron.engine.view %v at %at : memref<8x128x12288xf32> -> !long_memory
    neuron.engine.dma_copy sync queue 0 dst %r0 : !long src %m0 : !long_memory
    %b1 = neuron.engine.alloc "made_long" : !much
    %t0 = neuron.engine.alloc "even_long" : !some
    %v0 = neuron.engine.view %t0 : !some -> !bit
    %p0 = neuron.engine.view %b0 : !much -> !bit
    neuron.engine.tensor_scalar vector op0 multiply dst %v0 : !bit data %p0 : !bit operand0 %two : f32
    %q0 = neuron.engine.view %b1 : !much -> !bit
    neuron.engine.tensor_scalar vector op0 add dst %q0 : !bit data %v0 : !bit operand0 %two : f32
    %t1 = neuron.engine.alloc "odd_long" : !some
    %v1 = neuron.engine.view %t1 : !some -> !bit
    %p1 = neuron.engine.view %b0 at %long_half : !much -> !bit
    neuron.engine.tensor_scalar vector op0 multiply dst %v1 : !bit data %p1 : !bit operand0 %two : f32
    %q1 = neuron.engine.view %b1 at %long_half : !much -> !bit
    neuron.engine.tensor_scalar vector op0 add dst %q1 : !bit data %v1 : !bit operand0 %two : f32
    scf.for %j = %c0 to %times step %c1 {
      %all = neuron.engine.view %b1 : !much -> !long
      %b2 = neuron.engine.alloc "out_long" : !much
      %o = neuron.engine.view %b2 : !much -> !long
      neuron.engine.activation scalar op exp dst %o : !long data %all : !long
      %m1 = neuron.engine.view %w at %at : memref<8x128x12288xf32> -> !long_memory
      neuron.engine.dma_copy gpsimd queue 0 dst %m1 : !long_memory src %o : !long
    }
  }
  scf.for %i = %c0 to %trips step %c1 {
    %at = arith.muli %i, %size : index
    %b0 = neuron.engine.alloc "raw" : !whole
    %r0 = neuron.engine.view %b0 : !whole -> !all
    %m0 = neuron.engine.view %x at %at : memref<8x128x4096xf32> -> !memory
    neuron.engine.dma_copy sync queue 0 dst %r0 : !all src %m0 : !memory
    %b1 = neuron.engine.alloc "made" : !whole
    %t0 = neuron.engine.alloc "even" : !part
    %v0 = neuron.engine.view %t0 : !part -> !piece
    %p0 = neuron.engine.view %b0 : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 multiply dst %v0 : !piece data %p0 : !piece operand0 %two : f32
    %q0 = neuron.engine.view %b1 : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 add dst %q0 : !piece data %v0 : !piece operand0 %two : f32
    %t1 = neuron.engine.alloc "odd" : !part
    %v1 = neuron.engine.view %t1 : !part -> !piece
    %p1 = neuron.engine.view %b0 at %half : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 multiply dst %v1 : !piece data %p1 : !piece operand0 %two : f32
    %q1 = neuron.engine.view %b1 at %half : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 add dst %q1 : !piece data %v1 : !piece operand0 %two : f32
    scf.for %j = %c0 to %times step %c1 {
      %all = neuron.engine.view %b1 : !whole -> !all
      %b2 = neuron.engine.alloc "out" : !whole
      %o = neuron.engine.view %b2 : !whole -> !all
      neuron.engine.activation scalar op exp dst %o : !all data %all : !all
      %m1 = neuron.engine.view %y at %at : memref<8x128x4096xf32> -> !memory
      neuron.engine.dma_copy gpsimd queue 0 dst %m1 : !memory src %o : !all
    }
  }
  func.return
}

// The inner loop writes what is read in front of it.
// CHECK-LABEL: func.func @what_is_written
// CHECK: scf.for
// CHECK-NOT: scf.for
// CHECK: neuron.engine.alloc "odd"
// CHECK: scf.for
// CHECK-NOT: scf.for
// CHECK: func.return
func.func @what_is_written(%x: memref<8x128x4096xf32>, %y: memref<8x128x4096xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %half = arith.constant 2048 : index
  %size = arith.constant 524288 : index
  %trips = arith.constant 4 : index
  %times = arith.constant 2 : index
  %two = arith.constant 2.0 : f32
  scf.for %i = %c0 to %trips step %c1 {
    %at = arith.muli %i, %size : index
    %b0 = neuron.engine.alloc "raw" : !whole
    %r0 = neuron.engine.view %b0 : !whole -> !all
    %m0 = neuron.engine.view %x at %at : memref<8x128x4096xf32> -> !memory
    neuron.engine.dma_copy sync queue 0 dst %r0 : !all src %m0 : !memory
    %b1 = neuron.engine.alloc "made" : !whole
    %t0 = neuron.engine.alloc "even" : !part
    %v0 = neuron.engine.view %t0 : !part -> !piece
    %p0 = neuron.engine.view %b0 : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 multiply dst %v0 : !piece data %p0 : !piece operand0 %two : f32
    %q0 = neuron.engine.view %b1 : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 add dst %q0 : !piece data %v0 : !piece operand0 %two : f32
    %t1 = neuron.engine.alloc "odd" : !part
    %v1 = neuron.engine.view %t1 : !part -> !piece
    %p1 = neuron.engine.view %b0 at %half : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 multiply dst %v1 : !piece data %p1 : !piece operand0 %two : f32
    %q1 = neuron.engine.view %b1 at %half : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 add dst %q1 : !piece data %v1 : !piece operand0 %two : f32
    scf.for %j = %c0 to %times step %c1 {
      %all = neuron.engine.view %b1 : !whole -> !all
      %b2 = neuron.engine.alloc "out" : !whole
      %o = neuron.engine.view %b2 : !whole -> !all
      neuron.engine.activation scalar op exp dst %o : !all data %all : !all
      %m1 = neuron.engine.view %x at %at : memref<8x128x4096xf32> -> !memory
      neuron.engine.dma_copy gpsimd queue 0 dst %m1 : !memory src %o : !all
    }
  }
  func.return
}

// There is no iteration before.
// CHECK-LABEL: func.func @one_iteration
// CHECK: scf.for
// CHECK-NOT: scf.for
// CHECK: neuron.engine.alloc "odd"
// CHECK: scf.for
// CHECK-NOT: scf.for
// CHECK: func.return
func.func @one_iteration(%x: memref<8x128x4096xf32>, %y: memref<8x128x4096xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %half = arith.constant 2048 : index
  %size = arith.constant 524288 : index
  %trips = arith.constant 1 : index
  %times = arith.constant 2 : index
  %two = arith.constant 2.0 : f32
  scf.for %i = %c0 to %trips step %c1 {
    %at = arith.muli %i, %size : index
    %b0 = neuron.engine.alloc "raw" : !whole
    %r0 = neuron.engine.view %b0 : !whole -> !all
    %m0 = neuron.engine.view %x at %at : memref<8x128x4096xf32> -> !memory
    neuron.engine.dma_copy sync queue 0 dst %r0 : !all src %m0 : !memory
    %b1 = neuron.engine.alloc "made" : !whole
    %t0 = neuron.engine.alloc "even" : !part
    %v0 = neuron.engine.view %t0 : !part -> !piece
    %p0 = neuron.engine.view %b0 : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 multiply dst %v0 : !piece data %p0 : !piece operand0 %two : f32
    %q0 = neuron.engine.view %b1 : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 add dst %q0 : !piece data %v0 : !piece operand0 %two : f32
    %t1 = neuron.engine.alloc "odd" : !part
    %v1 = neuron.engine.view %t1 : !part -> !piece
    %p1 = neuron.engine.view %b0 at %half : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 multiply dst %v1 : !piece data %p1 : !piece operand0 %two : f32
    %q1 = neuron.engine.view %b1 at %half : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 add dst %q1 : !piece data %v1 : !piece operand0 %two : f32
    scf.for %j = %c0 to %times step %c1 {
      %all = neuron.engine.view %b1 : !whole -> !all
      %b2 = neuron.engine.alloc "out" : !whole
      %o = neuron.engine.view %b2 : !whole -> !all
      neuron.engine.activation scalar op exp dst %o : !all data %all : !all
      %m1 = neuron.engine.view %y at %at : memref<8x128x4096xf32> -> !memory
      neuron.engine.dma_copy gpsimd queue 0 dst %m1 : !memory src %o : !all
    }
  }
  func.return
}

// The halves are made in different ways.
// CHECK-LABEL: func.func @not_alike
// CHECK: scf.for
// CHECK-NOT: scf.for
// CHECK: neuron.engine.alloc "odd"
// CHECK: scf.for
// CHECK-NOT: scf.for
// CHECK: func.return
func.func @not_alike(%x: memref<8x128x4096xf32>, %y: memref<8x128x4096xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %half = arith.constant 2048 : index
  %size = arith.constant 524288 : index
  %trips = arith.constant 4 : index
  %times = arith.constant 2 : index
  %two = arith.constant 2.0 : f32
  scf.for %i = %c0 to %trips step %c1 {
    %at = arith.muli %i, %size : index
    %b0 = neuron.engine.alloc "raw" : !whole
    %r0 = neuron.engine.view %b0 : !whole -> !all
    %m0 = neuron.engine.view %x at %at : memref<8x128x4096xf32> -> !memory
    neuron.engine.dma_copy sync queue 0 dst %r0 : !all src %m0 : !memory
    %b1 = neuron.engine.alloc "made" : !whole
    %t0 = neuron.engine.alloc "even" : !part
    %v0 = neuron.engine.view %t0 : !part -> !piece
    %p0 = neuron.engine.view %b0 : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 multiply dst %v0 : !piece data %p0 : !piece operand0 %two : f32
    %q0 = neuron.engine.view %b1 : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 add dst %q0 : !piece data %v0 : !piece operand0 %two : f32
    %t1 = neuron.engine.alloc "odd" : !part
    %v1 = neuron.engine.view %t1 : !part -> !piece
    %p1 = neuron.engine.view %b0 at %half : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 multiply dst %v1 : !piece data %p1 : !piece operand0 %two : f32
    %q1 = neuron.engine.view %b1 at %half : !whole -> !piece
    neuron.engine.tensor_scalar vector op0 subtract dst %q1 : !piece data %v1 : !piece operand0 %two : f32
    scf.for %j = %c0 to %times step %c1 {
      %all = neuron.engine.view %b1 : !whole -> !all
      %b2 = neuron.engine.alloc "out" : !whole
      %o = neuron.engine.view %b2 : !whole -> !all
      neuron.engine.activation scalar op exp dst %o : !all data %all : !all
      %m1 = neuron.engine.view %y at %at : memref<8x128x4096xf32> -> !memory
      neuron.engine.dma_copy gpsimd queue 0 dst %m1 : !memory src %o : !all
    }
  }
  func.return
}
