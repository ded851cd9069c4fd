// RUN: nki-opt %s -p hoist-loads --split-input-file | filecheck %s
// RUN: nki-opt %s -p hoist-loads --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

!row = !neuron.mem.tile<sbuf, 64xf32, [*:128] x [d0]>
!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// What does not depend on a loop goes in front of it, and of the loop around that; what depends on the outer one stays
// there.
// CHECK-LABEL: func.func @weights
// CHECK:       %[[W:.*]] = neuron.mem.load %w
// CHECK-NEXT:  %[[E:.*]] = neuron.mem.unary exp %[[W]]
// CHECK-NEXT:  scf.for %i =
// CHECK-NEXT:    %[[V:.*]] = neuron.mem.load %v(%i)
// CHECK-NEXT:    scf.for %j =
// CHECK-NEXT:      neuron.mem.load %x(%j)
func.func @weights(%w: memref<64xf32>, %v: memref<256xf32>, %x: memref<512x64xf32>, %y: memref<512x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    scf.for %j = %c0 to %c4 step %c1 {
      %a = neuron.mem.load %x(%j) [128 * s0 + d0 by 64, d1 by 1] : memref<512x64xf32> -> !tile
      %b = neuron.mem.load %w [d0 by 1] : memref<64xf32> -> !row
      %e = neuron.mem.unary exp %b : !row -> !row
      %c = neuron.mem.load %v(%i) [64 * s0 + d0 by 1] : memref<256xf32> -> !row
      neuron.mem.store %a to %y(%j) [128 * s0 + d0 by 64, d1 by 1] : !tile -> memref<512x64xf32>
      neuron.mem.store %e to %y(%j) [s0 by 64, d0 by 1] : !row -> memref<512x64xf32>
      neuron.mem.store %c to %y(%j) [s0 by 64, d0 by 1] : !row -> memref<512x64xf32>
    }
  }
  func.return
}

// Left alone: what the loop writes to, by another argument too that may share memory with it.
// CHECK-LABEL: func.func @written
// CHECK:       scf.for
// CHECK-NEXT:    neuron.mem.load %x
// CHECK-NEXT:    neuron.mem.load %z
// CHECK-NEXT:    neuron.mem.store
func.func @written(%x: memref<64xf32>, %y: memref<64xf32>, %z: memref<64xf32>) attributes {tile.arg_names = ["x", "y", "z"], tile.aliases = array<i64: 0, 0, 1>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %a = neuron.mem.load %x [d0 by 1] : memref<64xf32> -> !row
    %b = neuron.mem.load %z [d0 by 1] : memref<64xf32> -> !row
    neuron.mem.store %a to %y [d0 by 1] : !row -> memref<64xf32>
    neuron.mem.store %b to %z [d0 by 1] : !row -> memref<64xf32>
  }
  func.return
}

// Left alone: what may not run at all, what would fill more than half of SBUF, and sums in PSUM.
// CHECK-LABEL: func.func @too_much
// CHECK:       scf.for
// CHECK-NEXT:    neuron.mem.load %x
// CHECK:       scf.for
// CHECK-NEXT:    neuron.mem.load %big
// CHECK:         neuron.mem.accumulator
func.func @too_much(%x: memref<64xf32>, %big: memref<32768xf32>, %y: memref<32768xf32>, %n: memref<1xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %t = neuron.mem.load %n [d0 by 1] : memref<1xi32> -> !neuron.mem.tile<sbuf, 1xi32, [] x [d0]>
  %k = neuron.mem.scalar %t : !neuron.mem.tile<sbuf, 1xi32, [] x [d0]> -> index
  scf.for %i = %c0 to %k step %c1 {
    %a = neuron.mem.load %x [d0 by 1] : memref<64xf32> -> !row
    neuron.mem.store %a to %y [d0 by 1] : !row -> memref<32768xf32>
  }
  scf.for %i = %c0 to %c4 step %c1 {
    %b = neuron.mem.load %big [d0 by 1] : memref<32768xf32> -> !neuron.mem.tile<sbuf, 32768xf32, [*:128] x [d0]>
    %p = neuron.mem.accumulator : !neuron.mem.tile<psum, 128x64xf32, [d0] x [d1]>
    %q = neuron.mem.convert %p by copy : !neuron.mem.tile<psum, 128x64xf32, [d0] x [d1]> -> !tile
    neuron.mem.store %b to %y [d0 by 1] : !neuron.mem.tile<sbuf, 32768xf32, [*:128] x [d0]> -> memref<32768xf32>
    neuron.mem.store %q to %y [d0 by 64, d1 by 1] : !tile -> memref<32768xf32>
  }
  func.return
}

!long = !neuron.mem.tile<sbuf, 8192xf32, [*:128] x [d0]>
!half = !neuron.mem.tile<sbuf, 8192xbf16, [*:128] x [d0]>

// What is only on the way to something else makes room again: of 32 KiB each, three are there at a time at most, and two
// of what the loop reads fit.
// CHECK-LABEL: func.func @on_the_way
// CHECK:       neuron.mem.load
// CHECK-NEXT:  neuron.mem.unary exp
// CHECK-NEXT:  neuron.mem.unary tanh
// CHECK-NEXT:  neuron.mem.unary sqrt
// CHECK-NEXT:  neuron.mem.cast
// CHECK-NEXT:  neuron.mem.load
// CHECK-NEXT:  neuron.mem.unary exp
// CHECK-NEXT:  neuron.mem.cast
// CHECK-NEXT:  scf.for
// CHECK-NEXT:    neuron.mem.store
func.func @on_the_way(%x: memref<8192xf32>, %y: memref<32768xbf16>, %z: memref<8192xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %a = neuron.mem.load %x [d0 by 1] : memref<8192xf32> -> !long
    %b = neuron.mem.unary exp %a : !long -> !long
    %c = neuron.mem.unary tanh %b : !long -> !long
    %d = neuron.mem.unary sqrt %c : !long -> !long
    %e = neuron.mem.cast %d : !long -> !half
    %f = neuron.mem.load %z [d0 by 1] : memref<8192xf32> -> !long
    %g = neuron.mem.unary exp %f : !long -> !long
    %h = neuron.mem.cast %g : !long -> !half
    neuron.mem.store %e to %y(%i) [8192 * s0 + d0 by 1] : !half -> memref<32768xbf16>
    neuron.mem.store %h to %y(%i) [8192 * s0 + d0 by 1] : !half -> memref<32768xbf16>
  }
  func.return
}

// Numbers that are only widened for what computes with them take no room, and give back that of the narrow ones: of
// 88 KiB, what is loaded takes 16, and each result 32.
// CHECK-LABEL: func.func @widened
// CHECK:       neuron.mem.load
// CHECK-NEXT:  neuron.mem.cast
// CHECK-NEXT:  neuron.mem.unary exp
// CHECK-NEXT:  neuron.mem.unary tanh
// CHECK-NEXT:  neuron.mem.load
// CHECK-NEXT:  scf.for
// CHECK-NEXT:    neuron.mem.store
func.func @widened(%x: memref<8192xbf16>, %y: memref<32768xf32>, %z: memref<8192xbf16>, %u: memref<32768xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %a = neuron.mem.load %x [d0 by 1] : memref<8192xbf16> -> !half
    %w = neuron.mem.cast %a : !half -> !long
    %e = neuron.mem.unary exp %w : !long -> !long
    %t = neuron.mem.unary tanh %w : !long -> !long
    %f = neuron.mem.load %z [d0 by 1] : memref<8192xbf16> -> !half
    neuron.mem.store %e to %y(%i) [8192 * s0 + d0 by 1] : !long -> memref<32768xf32>
    neuron.mem.store %t to %y(%i) [8192 * s0 + d0 by 1] : !long -> memref<32768xf32>
    neuron.mem.store %f to %u(%i) [8192 * s0 + d0 by 1] : !half -> memref<32768xbf16>
  }
  func.return
}

// What is stored wide is there wide.
// CHECK-LABEL: func.func @widened_for_itself
// CHECK:       neuron.mem.load
// CHECK-NEXT:  neuron.mem.cast
// CHECK-NEXT:  neuron.mem.load
// CHECK-NEXT:  scf.for
// CHECK-NEXT:    neuron.mem.load
func.func @widened_for_itself(%x: memref<8192xbf16>, %y: memref<32768xf32>, %z: memref<8192xf32>, %u: memref<8192xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %a = neuron.mem.load %x [d0 by 1] : memref<8192xbf16> -> !half
    %w = neuron.mem.cast %a : !half -> !long
    %f = neuron.mem.load %z [d0 by 1] : memref<8192xf32> -> !long
    %g = neuron.mem.load %u [d0 by 1] : memref<8192xf32> -> !long
    neuron.mem.store %w to %y(%i) [8192 * s0 + d0 by 1] : !long -> memref<32768xf32>
    neuron.mem.store %f to %y(%i) [8192 * s0 + d0 by 1] : !long -> memref<32768xf32>
    neuron.mem.store %g to %y(%i) [8192 * s0 + d0 by 1] : !long -> memref<32768xf32>
  }
  func.return
}

// What the loop reads too stays there, also through a view.
// CHECK-LABEL: func.func @read_in_the_loop
// CHECK:       neuron.mem.load
// CHECK-NEXT:  neuron.mem.unary exp
// CHECK-NEXT:  scf.for
// CHECK-NEXT:    neuron.mem.unary tanh
func.func @read_in_the_loop(%x: memref<8192xf32>, %y: memref<32768xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %a = neuron.mem.load %x [d0 by 1] : memref<8192xf32> -> !long
    %b = neuron.mem.unary exp %a : !long -> !long
    %c = neuron.mem.unary tanh %b : !long -> !long
    neuron.mem.store %a to %y(%i) [8192 * s0 + d0 by 1] : !long -> memref<32768xf32>
    neuron.mem.store %b to %y(%i) [8192 * s0 + d0 by 1] : !long -> memref<32768xf32>
    neuron.mem.store %c to %y(%i) [8192 * s0 + d0 by 1] : !long -> memref<32768xf32>
  }
  func.return
}

// A slice takes no room of its own.
// CHECK-LABEL: func.func @slices
// CHECK:       neuron.mem.load
// CHECK-NEXT:  neuron.mem.slice
// CHECK-NEXT:  scf.for
func.func @slices(%x: memref<128x16384xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %a = neuron.mem.load %x [16384 * d0 + d1 by 1] : memref<128x16384xf32> -> !neuron.mem.tile<sbuf, 128x16384xf32, [d0] x [d1]>
    %p = neuron.mem.slice %a [d0, d1 + 8] : !neuron.mem.tile<sbuf, 128x16384xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x8192xf32, [d0] x [d1]>
    "test.op"(%p) : (!neuron.mem.tile<sbuf, 128x8192xf32, [d0] x [d1]>) -> ()
  }
  func.return
}

// What loops that follow one another hoist is not there at the same time.
// CHECK-LABEL: func.func @in_turn
// CHECK:       neuron.mem.load %x [d0 by 1]
// CHECK-NEXT:  scf.for
// CHECK-NEXT:    neuron.mem.store
// CHECK:       neuron.mem.load %x [1 + d0 by 1]
// CHECK-NEXT:  scf.for
// CHECK-NEXT:    neuron.mem.store
// CHECK:       neuron.mem.load %x [2 + d0 by 1]
// CHECK-NEXT:  scf.for
// CHECK-NEXT:    neuron.mem.store
func.func @in_turn(%x: memref<8194xf32>, %y: memref<32768xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %a = neuron.mem.load %x [d0 by 1] : memref<8194xf32> -> !long
    neuron.mem.store %a to %y(%i) [8192 * s0 + d0 by 1] : !long -> memref<32768xf32>
  }
  scf.for %i = %c0 to %c4 step %c1 {
    %a = neuron.mem.load %x [d0 + 1 by 1] : memref<8194xf32> -> !long
    neuron.mem.store %a to %y(%i) [8192 * s0 + d0 by 1] : !long -> memref<32768xf32>
  }
  scf.for %i = %c0 to %c4 step %c1 {
    %a = neuron.mem.load %x [d0 + 2 by 1] : memref<8194xf32> -> !long
    neuron.mem.store %a to %y(%i) [8192 * s0 + d0 by 1] : !long -> memref<32768xf32>
  }
  func.return
}
