// RUN: nki-opt %s -p share-loads --split-input-file | filecheck %s
// RUN: nki-opt %s -p share-loads --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>
!turned = !neuron.mem.tile<sbuf, 128x64xf32, [d1] x [d0]>

// The second loop takes what was loaded, and turned, for the first one.
// CHECK-LABEL: func.func @again
// CHECK:       %[[A:.*]] = neuron.mem.load %x [64 * d0 + d1 by 1]
// CHECK-NEXT:  %[[T:.*]] = neuron.mem.convert %[[A]]
// CHECK-NEXT:  scf.for
// CHECK-NEXT:    neuron.mem.store %[[T]]
// CHECK-NOT:   neuron.mem.load
// CHECK-NOT:   neuron.mem.convert
// CHECK:       scf.for
// CHECK-NEXT:    neuron.mem.store %[[T]]
func.func @again(%x: memref<8192xf32>, %y: memref<32768xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %a = neuron.mem.load %x [64 * d0 + d1 by 1] : memref<8192xf32> -> !tile
  %t = neuron.mem.convert %a : !tile -> !turned
  scf.for %i = %c0 to %c2 step %c1 {
    neuron.mem.store %t to %y(%i) [8192 * s0 + 64 * d0 + d1 by 1] : !turned -> memref<32768xf32>
  }
  %b = neuron.mem.load %x [64 * d0 + d1 by 1] : memref<8192xf32> -> !tile
  %u = neuron.mem.convert %b : !tile -> !turned
  scf.for %i = %c2 to %c4 step %c1 {
    neuron.mem.store %u to %y(%i) [8192 * s0 + 64 * d0 + d1 by 1] : !turned -> memref<32768xf32>
  }
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// Left alone: the loop in between writes there; another place of the same memory.
// CHECK-LABEL: func.func @written
// CHECK:         neuron.mem.load %x [64 * d0 + d1 by 1]
// CHECK:         neuron.mem.load %x [64 + 64 * d0 + d1 by 1]
// CHECK:         scf.for
// CHECK:         neuron.mem.load %x [64 * d0 + d1 by 1]
func.func @written(%x: memref<8256xf32>, %y: memref<8192xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %a = neuron.mem.load %x [64 * d0 + d1 by 1] : memref<8256xf32> -> !tile
  %b = neuron.mem.load %x [64 * d0 + d1 + 64 by 1] : memref<8256xf32> -> !tile
  %s = neuron.mem.binary add %a, %b : !tile, !tile -> !tile
  scf.for %i = %c0 to %c2 step %c1 {
    neuron.mem.store %s to %x(%i) [s0 + 64 * d0 + d1 by 1] : !tile -> memref<8256xf32>
  }
  %c = neuron.mem.load %x [64 * d0 + d1 by 1] : memref<8256xf32> -> !tile
  neuron.mem.store %c to %y [64 * d0 + d1 by 1] : !tile -> memref<8192xf32>
  func.return
}

// -----

!large = !neuron.mem.tile<sbuf, 128x10240xf32, [d0] x [d1]>
!small = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// Left alone: 40 KiB of each partition are kept, and there is no room for as much again; a sum in PSUM; what loops load
// where they use it.
// CHECK-LABEL: func.func @room
// CHECK:         %[[A:.*]] = neuron.mem.load %x
// CHECK:         %[[B:.*]] = neuron.mem.load %y
// CHECK:         neuron.mem.store %[[B]] to %out
// CHECK-NOT:     neuron.mem.load %x
// CHECK:         %[[C:.*]] = neuron.mem.load %y
// CHECK:         neuron.mem.store %[[A]] to %out
// CHECK:         neuron.mem.store %[[C]] to %out
// CHECK:         neuron.mem.accumulator
// CHECK:         neuron.mem.accumulator
// CHECK:         scf.for
// CHECK:           neuron.mem.load %z
// CHECK:         scf.for
// CHECK:           neuron.mem.load %z
func.func @room(%x: memref<1310720xf32>, %y: memref<1310720xf32>, %z: memref<8192xf32>, %out: memref<1310720xf32>, %o: memref<8192xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %a = neuron.mem.load %x [10240 * d0 + d1 by 1] : memref<1310720xf32> -> !large
  %b = neuron.mem.load %y [10240 * d0 + d1 by 1] : memref<1310720xf32> -> !large
  neuron.mem.store %a to %out [10240 * d0 + d1 by 1] : !large -> memref<1310720xf32>
  neuron.mem.store %b to %out [10240 * d0 + d1 by 1] : !large -> memref<1310720xf32>
  %c = neuron.mem.load %x [10240 * d0 + d1 by 1] : memref<1310720xf32> -> !large
  %d = neuron.mem.load %y [10240 * d0 + d1 by 1] : memref<1310720xf32> -> !large
  neuron.mem.store %c to %out [10240 * d0 + d1 by 1] : !large -> memref<1310720xf32>
  neuron.mem.store %d to %out [10240 * d0 + d1 by 1] : !large -> memref<1310720xf32>
  %e = neuron.mem.accumulator : !neuron.mem.tile<psum, 128x64xf32, [d0] x [d1]>
  %f = neuron.mem.accumulator : !neuron.mem.tile<psum, 128x64xf32, [d0] x [d1]>
  scf.for %i = %c0 to %c2 step %c1 {
    %g = neuron.mem.load %z [64 * d0 + d1 by 1] : memref<8192xf32> -> !small
    neuron.mem.store %g to %o [64 * d0 + d1 by 1] : !small -> memref<8192xf32>
  }
  scf.for %i = %c0 to %c2 step %c1 {
    %g = neuron.mem.load %z [64 * d0 + d1 by 1] : memref<8192xf32> -> !small
    neuron.mem.store %g to %o [64 * d0 + d1 by 1] : !small -> memref<8192xf32>
  }
  func.return
}
