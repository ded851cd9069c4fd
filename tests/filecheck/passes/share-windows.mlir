// RUN: nki-opt %s -p share-windows --split-input-file | filecheck %s
// RUN: nki-opt %s -p share-windows --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// Three windows, each one element further, are views of one tile that is two elements longer. It is loaded where the
// first of them was, which is not the first in memory.
// CHECK-LABEL: func.func @row
// CHECK:       %[[U:.*]] = neuron.mem.load %x [100 * d0 + d1 by 1] : memref<12800xf32> -> !neuron.mem.tile<sbuf, 128x66xf32, [d0] x [d1]>
// CHECK-DAG:   %[[A:.*]] = neuron.mem.slice %[[U]] [d0, d1] :
// CHECK-DAG:   %[[B:.*]] = neuron.mem.slice %[[U]] [d0, 1 + d1] :
// CHECK-DAG:   %[[C:.*]] = neuron.mem.slice %[[U]] [d0, 2 + d1] :
// CHECK-NOT:   neuron.mem.load
// CHECK:       %[[D:.*]] = neuron.mem.binary add %[[B]], %[[B]]
// CHECK-NEXT:  %[[S:.*]] = neuron.mem.binary add %[[D]], %[[A]]
// CHECK-NEXT:  neuron.mem.binary add %[[S]], %[[C]]
func.func @row(%x: memref<12800xf32>, %y: memref<8192xf32>) {
  %b = neuron.mem.load %x [1 + 100 * d0 + d1 by 1] : memref<12800xf32> -> !tile
  %d = neuron.mem.binary add %b, %b : !tile, !tile -> !tile
  %a = neuron.mem.load %x [100 * d0 + d1 by 1] : memref<12800xf32> -> !tile
  %s = neuron.mem.binary add %d, %a : !tile, !tile -> !tile
  %c = neuron.mem.load %x [2 + 100 * d0 + d1 by 1] : memref<12800xf32> -> !tile
  %t = neuron.mem.binary add %s, %c : !tile, !tile -> !tile
  neuron.mem.store %t to %y [64 * d0 + d1 by 1] : !tile -> memref<8192xf32>
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// Windows two elements apart, which a bound leaves out what is in front of a row of, all of them the same elements:
// the last one has no bound as it begins behind.
// CHECK-LABEL: func.func @masked
// CHECK:       scf.for
// CHECK:         neuron.mem.load %x(%i) [64 * s0 + d1 in 4 to * by 1, -4 + 256 * d0 by 1] other 1.000000e+00 : f32 :
// CHECK-SAME:      !neuron.mem.tile<sbuf, 128x68xf32, [d0] x [d1]>
// CHECK-NEXT:    neuron.mem.slice %{{.*}} [d0, d1] :
// CHECK-NEXT:    neuron.mem.slice %{{.*}} [d0, 2 + d1] :
// CHECK-NEXT:    neuron.mem.slice %{{.*}} [d0, 4 + d1] :
// CHECK-NOT:     neuron.mem.load
// CHECK:       func.return
func.func @masked(%x: memref<32768xf32>, %y: memref<32768xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %a = neuron.mem.load %x(%i) [64 * s0 + d1 in 4 to * by 1, 256 * d0 - 4 by 1] other 1.0 : f32 : memref<32768xf32> -> !tile
    %b = neuron.mem.load %x(%i) [64 * s0 + d1 in 2 to * by 1, 256 * d0 - 2 by 1] other 1.0 : f32 : memref<32768xf32> -> !tile
    %c = neuron.mem.load %x(%i) [64 * s0 + 256 * d0 + d1 by 1] : memref<32768xf32> -> !tile
    %s = neuron.mem.binary add %a, %b : !tile, !tile -> !tile
    %t = neuron.mem.binary add %s, %c : !tile, !tile -> !tile
    neuron.mem.store %t to %y(%i) [64 * s0 + 256 * d0 + d1 by 1] : !tile -> memref<32768xf32>
  }
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// A window that is left of another has what is in front of the row left out, the other what is behind: what they have
// in common, both.
// CHECK-LABEL: func.func @both_ends
// CHECK:       neuron.mem.load %x [d1 in 1 to * by 1, -1 + 64 * d0 by 1, 64 + -1 * d1 in 0 to * by 0] :
// CHECK-SAME:    !neuron.mem.tile<sbuf, 128x66xf32, [d0] x [d1]>
// CHECK-NOT:   neuron.mem.load
// CHECK:       func.return
func.func @both_ends(%x: memref<8192xf32>, %y: memref<8192xf32>) {
  %a = neuron.mem.load %x [d1 in 1 to * by 1, 64 * d0 - 1 by 1] : memref<8192xf32> -> !tile
  %b = neuron.mem.load %x [1 + d1 in * to 64 by 1, 64 * d0 by 1] : memref<8192xf32> -> !tile
  %s = neuron.mem.binary add %a, %b : !tile, !tile -> !tile
  neuron.mem.store %s to %y [64 * d0 + d1 by 1] : !tile -> memref<8192xf32>
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x8x64xf32, [d0] x [d1, d2]>

// Moved along both dimensions that lie free: what each row has in common, then what these have.
// CHECK-LABEL: func.func @stencil
// CHECK:       %[[U:.*]] = neuron.mem.load %x [800 * d0 + 100 * d1 + d2 by 1] : {{.*}} -> !neuron.mem.tile<sbuf, 128x9x65xf32, [d0] x [d1, d2]>
// CHECK-NEXT:  %[[R:.*]] = neuron.mem.slice %[[U]] [d0, d1, d2] :
// CHECK-NEXT:  %[[T:.*]] = neuron.mem.slice %[[U]] [d0, 1 + d1, d2] :
// CHECK-NEXT:  neuron.mem.slice %[[R]] [d0, d1, d2] :
// CHECK-NEXT:  neuron.mem.slice %[[R]] [d0, d1, 1 + d2] :
// CHECK:       neuron.mem.slice %[[T]] [d0, d1, d2] :
// CHECK-NEXT:  neuron.mem.slice %[[T]] [d0, d1, 1 + d2] :
// CHECK-NOT:   neuron.mem.load
// CHECK:       func.return
func.func @stencil(%x: memref<200000xf32>, %y: memref<65536xf32>) {
  %a = neuron.mem.load %x [800 * d0 + 100 * d1 + d2 by 1] : memref<200000xf32> -> !tile
  %b = neuron.mem.load %x [1 + 800 * d0 + 100 * d1 + d2 by 1] : memref<200000xf32> -> !tile
  %c = neuron.mem.load %x [100 + 800 * d0 + 100 * d1 + d2 by 1] : memref<200000xf32> -> !tile
  %d = neuron.mem.load %x [101 + 800 * d0 + 100 * d1 + d2 by 1] : memref<200000xf32> -> !tile
  %s = neuron.mem.binary add %a, %b : !tile, !tile -> !tile
  %t = neuron.mem.binary add %c, %d : !tile, !tile -> !tile
  %u = neuron.mem.binary add %s, %t : !tile, !tile -> !tile
  neuron.mem.store %u to %y [512 * d0 + 64 * d1 + d2 by 1] : !tile -> memref<65536xf32>
  func.return
}

// -----

!column = !neuron.mem.tile<sbuf, 128xf32, [d0] x []>

// One element of each partition: neighbours become a dimension, what is not next to one stays.
// CHECK-LABEL: func.func @elements
// CHECK:       neuron.mem.load %w [4 * d0 by 1, d1 by 1] : memref<512xf32> -> !neuron.mem.tile<sbuf, 128x2xf32, [d0] x [d1]>
// CHECK-NEXT:  neuron.mem.slice %{{.*}} [d0, 0] :
// CHECK-NEXT:  neuron.mem.slice %{{.*}} [d0, 1] :
// CHECK-NEXT:  neuron.mem.load %w [3 + 4 * d0 by 1] :
func.func @elements(%w: memref<512xf32>, %y: memref<128xf32>) {
  %a = neuron.mem.load %w [4 * d0 by 1] : memref<512xf32> -> !column
  %b = neuron.mem.load %w [1 + 4 * d0 by 1] : memref<512xf32> -> !column
  %c = neuron.mem.load %w [3 + 4 * d0 by 1] : memref<512xf32> -> !column
  %s = neuron.mem.binary add %a, %b : !column, !column -> !column
  %t = neuron.mem.binary add %s, %c : !column, !column -> !column
  neuron.mem.store %t to %y [d0 by 1] : !column -> memref<128xf32>
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x2048xf32, [d0] x [d1]>

// Left alone: rows one further lie on other partitions; next to one another, they have nothing in common.
// CHECK-LABEL: func.func @apart
// CHECK:       neuron.mem.load %x [2048 * d0 + d1 by 1]
// CHECK:       neuron.mem.load %x [2048 + 2048 * d0 + d1 by 1]
// CHECK:       neuron.mem.load %x [266240 + 2048 * d0 + d1 by 1]
func.func @apart(%x: memref<544000xf32>, %y: memref<262144xf32>) {
  %a = neuron.mem.load %x [2048 * d0 + d1 by 1] : memref<544000xf32> -> !tile
  %b = neuron.mem.load %x [2048 + 2048 * d0 + d1 by 1] : memref<544000xf32> -> !tile
  %c = neuron.mem.load %x [266240 + 2048 * d0 + d1 by 1] : memref<544000xf32> -> !tile
  %s = neuron.mem.binary add %a, %b : !tile, !tile -> !tile
  %t = neuron.mem.binary add %s, %c : !tile, !tile -> !tile
  neuron.mem.store %t to %y [2048 * d0 + d1 by 1] : !tile -> memref<262144xf32>
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x16x32xf32, [d0] x [d1, d2]>

// The halves of short rows are loaded sooner as one, which a gap between them is too much for.
// CHECK-LABEL: func.func @neighbours
// CHECK:       [[U:%.*]] = neuron.mem.load %x [2048 * d0 + 64 * d1 + d2 by 1] : {{.*}} -> !neuron.mem.tile<sbuf, 128x16x64xf32, [d0] x [d1, d2]>
// CHECK:       neuron.mem.slice [[U]]{{.*}} [d0, d1, d2]
// CHECK:       neuron.mem.slice [[U]]{{.*}} [d0, d1, 32 + d2]
// CHECK:       neuron.mem.load %x [1057 + 2048 * d0 + 64 * d1 + d2 by 1]
func.func @neighbours(%x: memref<264000xf32>, %y: memref<65536xf32>) {
  %a = neuron.mem.load %x [2048 * d0 + 64 * d1 + d2 by 1] : memref<264000xf32> -> !tile
  %b = neuron.mem.load %x [32 + 2048 * d0 + 64 * d1 + d2 by 1] : memref<264000xf32> -> !tile
  %c = neuron.mem.load %x [1057 + 2048 * d0 + 64 * d1 + d2 by 1] : memref<264000xf32> -> !tile
  %s = neuron.mem.binary add %a, %b : !tile, !tile -> !tile
  %t = neuron.mem.binary add %s, %c : !tile, !tile -> !tile
  neuron.mem.store %t to %y [512 * d0 + 32 * d1 + d2 by 1] : !tile -> memref<65536xf32>
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// Left alone: the memory that both may be in is written to in between, here in a loop.
// CHECK-LABEL: func.func @written
// CHECK:       neuron.mem.load %x [100 * d0 + d1 by 1]
// CHECK:       scf.for
// CHECK:       neuron.mem.load %x [1 + 100 * d0 + d1 by 1]
func.func @written(%x: memref<12801xf32>, %y: memref<12801xf32>) attributes {tile.arg_names = ["x", "y"], tile.aliases = array<i64: 0, 0>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %a = neuron.mem.load %x [100 * d0 + d1 by 1] : memref<12801xf32> -> !tile
  scf.for %i = %c0 to %c2 step %c1 {
    neuron.mem.store %a to %y(%i) [s0 + 100 * d0 + d1 by 1] : !tile -> memref<12801xf32>
  }
  %b = neuron.mem.load %x [1 + 100 * d0 + d1 by 1] : memref<12801xf32> -> !tile
  neuron.mem.store %b to %y [100 * d0 + d1 by 1] : !tile -> memref<12801xf32>
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// Left alone: another number takes the place of what is left out.
// CHECK-LABEL: func.func @left_out
// CHECK:       neuron.mem.load %x [d1 in 10 to * by 1, 100 * d0 by 1]
// CHECK:       neuron.mem.load %x [d1 in 9 to * by 1, 1 + 100 * d0 by 1] other 1.000000e+00
// CHECK:       neuron.mem.load %x [d1 in 9 to * by 1, 2 + 100 * d0 by 1]
func.func @left_out(%x: memref<12900xf32>, %y: memref<8192xf32>) {
  %a = neuron.mem.load %x [d1 in 10 to * by 1, 100 * d0 by 1] : memref<12900xf32> -> !tile
  %b = neuron.mem.load %x [d1 in 9 to * by 1, 1 + 100 * d0 by 1] other 1.0 : f32 : memref<12900xf32> -> !tile
  %c = neuron.mem.load %x [d1 in 9 to * by 1, 2 + 100 * d0 by 1] : memref<12900xf32> -> !tile
  %s = neuron.mem.binary add %a, %b : !tile, !tile -> !tile
  %t = neuron.mem.binary add %s, %c : !tile, !tile -> !tile
  neuron.mem.store %t to %y [64 * d0 + d1 by 1] : !tile -> memref<8192xf32>
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x12000xf32, [d0] x [d1]>

// Left alone: more than a quarter of SBUF.
// CHECK-LABEL: func.func @large
// CHECK:       neuron.mem.load %x [12001 * d0 + d1 by 1]
// CHECK:       neuron.mem.load %x [1 + 12001 * d0 + d1 by 1]
func.func @large(%x: memref<1536128xf32>, %y: memref<1536000xf32>) {
  %a = neuron.mem.load %x [12001 * d0 + d1 by 1] : memref<1536128xf32> -> !tile
  %b = neuron.mem.load %x [1 + 12001 * d0 + d1 by 1] : memref<1536128xf32> -> !tile
  %s = neuron.mem.binary add %a, %b : !tile, !tile -> !tile
  neuron.mem.store %s to %y [12000 * d0 + d1 by 1] : !tile -> memref<1536000xf32>
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// Left alone: of what both have, one leaves out an element more.
// CHECK-LABEL: func.func @left_out_of_one
// CHECK:       neuron.mem.load %x [d1 in 10 to * by 1, 100 * d0 by 1]
// CHECK:       neuron.mem.load %x [d1 in 10 to * by 1, 1 + 100 * d0 by 1]
func.func @left_out_of_one(%x: memref<12900xf32>, %y: memref<8192xf32>) {
  %a = neuron.mem.load %x [d1 in 10 to * by 1, 100 * d0 by 1] : memref<12900xf32> -> !tile
  %b = neuron.mem.load %x [d1 in 10 to * by 1, 1 + 100 * d0 by 1] : memref<12900xf32> -> !tile
  %s = neuron.mem.binary add %a, %b : !tile, !tile -> !tile
  neuron.mem.store %s to %y [64 * d0 + d1 by 1] : !tile -> memref<8192xf32>
  func.return
}
