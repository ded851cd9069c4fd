// RUN: nki-opt %s -p reuse-loads --split-input-file | filecheck %s
// RUN: nki-opt %s -p reuse-loads --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// What each iteration of the outer loop would load again stays, piece by piece.
// CHECK-LABEL: func.func @pieces
// CHECK:       %[[E:.*]] = neuron.mem.empty : !neuron.mem.tile<sbuf, 4x128x64xf32, [d1] x [d0, d2]>
// CHECK-NEXT:  %{{.*}} = scf.for %[[I:.*]] = %{{.*}} iter_args(%[[A:.*]] = %[[E]])
// CHECK-NEXT:    %[[R:.*]] = scf.for %[[J:.*]] = %{{.*}} iter_args(%[[B:.*]] = %[[A]])
// CHECK-NEXT:      %[[X:.*]] = neuron.mem.load %x(%[[J]])
// CHECK-NEXT:      %[[N:.*]] = neuron.mem.insert %[[X]] into %[[B]](%[[J]], %[[I]]) [s0, d0, d1] where [1 + -1 * s1]
// CHECK-NEXT:      %[[P:.*]] = neuron.mem.slice %[[N]](%[[J]]) [s0, d0, d1]
// CHECK-NEXT:      neuron.mem.store %[[P]]
// CHECK-NEXT:      scf.yield %[[N]]
// CHECK:         scf.yield %[[R]]
func.func @pieces(%x: memref<512x64xf32>, %y: memref<1536x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c3 step %c1 {
    scf.for %j = %c0 to %c4 step %c1 {
      %a = neuron.mem.load %x(%j) [8192 * s0 + 64 * d0 + d1 by 1] : memref<512x64xf32> -> !tile
      neuron.mem.store %a to %y(%i, %j) [32768 * s0 + 8192 * s1 + 64 * d0 + d1 by 1] : !tile -> memref<1536x64xf32>
    }
  }
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// Loops that carry values carry one more; what the outermost of three changes is loaded again in each of its iterations.
// CHECK-LABEL: func.func @carried
// CHECK:       scf.for %m =
// CHECK:         neuron.mem.empty
// CHECK:         %[[S:.*]], %{{.*}} = scf.for %i = %{{.*}} iter_args(%[[T:.*]] = %{{.*}}, %[[A:.*]] = %{{.*}}) ->
// CHECK-NEXT:      %{{.*}}, %{{.*}} = scf.for %j = %{{.*}} iter_args(%[[U:.*]] = %[[T]], %[[B:.*]] = %[[A]])
// CHECK-NEXT:        neuron.mem.load %x(%m, %j)
// CHECK:             %[[N:.*]] = neuron.mem.binary add %[[U]], %{{.*}}
// CHECK-NEXT:        scf.yield %[[N]], %{{.*}}
// CHECK:         neuron.mem.store %[[S]]
func.func @carried(%x: memref<1024x64xf32>, %y: memref<256x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  scf.for %m = %c0 to %c2 step %c1 {
    %z = neuron.mem.fill %zero : f32 -> !tile
    %s = scf.for %i = %c0 to %c4 step %c1 iter_args(%t = %z) -> (!tile) {
      %r = scf.for %j = %c0 to %c4 step %c1 iter_args(%u = %t) -> (!tile) {
        %a = neuron.mem.load %x(%m, %j) [32768 * s0 + 8192 * s1 + 64 * d0 + d1 by 1] : memref<1024x64xf32> -> !tile
        %n = neuron.mem.binary add %u, %a : !tile, !tile -> !tile
        scf.yield %n : !tile
      }
      scf.yield %r : !tile
    }
    neuron.mem.store %s to %y(%m) [8192 * s0 + 64 * d0 + d1 by 1] : !tile -> memref<256x64xf32>
  }
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// What the outer loop writes to, changes with it, leaves something out, or is converted is loaded as before.
// CHECK-LABEL: func.func @leaves_alone
// CHECK-NOT:   neuron.mem.insert
func.func @leaves_alone(%x: memref<512x64xf32>, %y: memref<1536x64xf32>, %z: memref<1536x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c3 step %c1 {
    scf.for %j = %c0 to %c4 step %c1 {
      %a = neuron.mem.load %y(%j) [8192 * s0 + 64 * d0 + d1 by 1] : memref<1536x64xf32> -> !tile
      neuron.mem.store %a to %y(%i, %j) [32768 * s0 + 8192 * s1 + 64 * d0 + d1 by 1] : !tile -> memref<1536x64xf32>
      %b = neuron.mem.load %z(%i, %j) [32768 * s0 + 8192 * s1 + 64 * d0 + d1 by 1] : memref<1536x64xf32> -> !tile
      %c = neuron.mem.load %x(%j) [128 * s0 + d0 in 0 to 500 by 64, d1 by 1] : memref<512x64xf32> -> !tile
      %d = neuron.mem.load %x(%j) [8192 * s0 + 64 * d0 + d1 by 1] : memref<512x64xf32> -> !tile
      %e = neuron.mem.convert %d : !tile -> !neuron.mem.tile<sbuf, 128x64xf32, [d1] x [d0]>
      "test.op"(%b, %c, %e) : (!tile, !tile, !neuron.mem.tile<sbuf, 128x64xf32, [d1] x [d0]>) -> ()
    }
  }
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// An argument that may be the same array counts as it.
// CHECK-LABEL: func.func @aliases
// CHECK-NOT:   neuron.mem.insert
func.func @aliases(%x: memref<512x64xf32>, %y: memref<1536x64xf32>) attributes {tile.arg_names = ["x", "y"], tile.aliases = array<i64: 0, 0>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c3 step %c1 {
    scf.for %j = %c0 to %c4 step %c1 {
      %a = neuron.mem.load %x(%j) [8192 * s0 + 64 * d0 + d1 by 1] : memref<512x64xf32> -> !tile
      neuron.mem.store %a to %y(%i, %j) [32768 * s0 + 8192 * s1 + 64 * d0 + d1 by 1] : !tile -> memref<1536x64xf32>
    }
  }
  func.return
}

// -----

!wide = !neuron.mem.tile<sbuf, 128x8192xf32, [d0] x [d1]>
!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// Half of SBUF holds no three tiles of 32 KiB a partition, and not two beside one that is there; nor is there room for
// two where a loop needs 104 KiB besides.
// CHECK-LABEL: func.func @room
// CHECK-NOT:   neuron.mem.insert
func.func @room(%x: memref<384x8192xf32>, %w: memref<128x8192xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  scf.for %i = %c0 to %c3 step %c1 {
    scf.for %j = %c0 to %c3 step %c1 {
      %a = neuron.mem.load %x(%j) [1048576 * s0 + 8192 * d0 + d1 by 1] : memref<384x8192xf32> -> !wide
      "test.op"(%a) : (!wide) -> ()
    }
  }
  %b = neuron.mem.load %w [8192 * d0 + d1 by 1] : memref<128x8192xf32> -> !wide
  scf.for %i = %c0 to %c3 step %c1 {
    scf.for %j = %c0 to %c2 step %c1 {
      %a = neuron.mem.load %x(%j) [1048576 * s0 + 8192 * d0 + d1 by 1] : memref<384x8192xf32> -> !wide
      "test.op"(%a, %b) : (!wide, !wide) -> ()
    }
  }
  scf.for %i = %c0 to %c3 step %c1 {
    scf.for %j = %c0 to %c2 step %c1 {
      %a = neuron.mem.load %x(%j) [1048576 * s0 + 8192 * d0 + d1 by 1] : memref<384x8192xf32> -> !wide
      %c = "test.op"(%a) : (!wide) -> !neuron.mem.tile<sbuf, 128x18432xf32, [d0] x [d1]>
      "test.op"(%a, %c) : (!wide, !neuron.mem.tile<sbuf, 128x18432xf32, [d0] x [d1]>) -> ()
    }
  }
  func.return
}

// -----

!wide = !neuron.mem.tile<sbuf, 128x8192xf32, [d0] x [d1]>
!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// A small part of what is moved is not worth that it is loaded one by one.
// CHECK-LABEL: func.func @a_small_part
// CHECK-NOT:   neuron.mem.insert
func.func @a_small_part(%x: memref<512x64xf32>, %y: memref<1536x8192xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c3 step %c1 {
    scf.for %j = %c0 to %c4 step %c1 {
      %a = neuron.mem.load %x(%j) [8192 * s0 + 64 * d0 + d1 by 1] : memref<512x64xf32> -> !tile
      %b = neuron.mem.load %y(%i, %j) [4194304 * s0 + 1048576 * s1 + 8192 * d0 + d1 by 1] : memref<1536x8192xf32> -> !wide
      "test.op"(%a, %b) : (!tile, !wide) -> ()
    }
  }
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x64xf32, [d0] x [d1]>

// Loops that run once, or how often is known at run time only, stay; so does what something stands around.
// CHECK-LABEL: func.func @other_loops
// CHECK-NOT:   neuron.mem.insert
func.func @other_loops(%x: memref<512x64xf32>, %n: index, %b: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c1 step %c1 {
    scf.for %j = %c0 to %c4 step %c1 {
      %a = neuron.mem.load %x(%j) [8192 * s0 + 64 * d0 + d1 by 1] : memref<512x64xf32> -> !tile
      "test.op"(%a) : (!tile) -> ()
    }
  }
  scf.for %i = %c0 to %n step %c1 {
    scf.for %j = %c0 to %c4 step %c1 {
      %a = neuron.mem.load %x(%j) [8192 * s0 + 64 * d0 + d1 by 1] : memref<512x64xf32> -> !tile
      "test.op"(%a) : (!tile) -> ()
    }
  }
  scf.for %i = %c0 to %c4 step %c1 {
    scf.for %j = %c0 to %c4 step %c1 {
      scf.if %b {
        %a = neuron.mem.load %x(%j) [8192 * s0 + 64 * d0 + d1 by 1] : memref<512x64xf32> -> !tile
        "test.op"(%a) : (!tile) -> ()
      }
    }
  }
  func.return
}
