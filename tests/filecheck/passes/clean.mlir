// RUN: nki-opt %s -p clean --split-input-file | filecheck %s
// RUN: nki-opt %s -p clean --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// What is computed of constants is one, and operations that are equal then are one too.
// CHECK-LABEL: func.func @a_view_of_constants
// CHECK-NEXT: [[AT:%.*]] = arith.constant 6 : index
// CHECK-NEXT: [[VIEW:%.*]] = neuron.engine.view {{%.*}} at [[AT]]
// CHECK-NEXT: "test.op"([[VIEW]], [[VIEW]])
// CHECK-NEXT: func.return
func.func @a_view_of_constants(%x: memref<64xf32>) {
  %two = arith.constant 2 : index
  %three = arith.constant 3 : index
  %six = arith.muli %two, %three : index
  %again = arith.muli %three, %two : index
  %a = neuron.engine.view %x at %six : memref<64xf32> -> !neuron.engine.view<hbm, [1 x 8], f32>
  %b = neuron.engine.view %x at %again : memref<64xf32> -> !neuron.engine.view<hbm, [1 x 8], f32>
  "test.op"(%a, %b) : (!neuron.engine.view<hbm, [1 x 8], f32>, !neuron.engine.view<hbm, [1 x 8], f32>) -> ()
  func.return
}

// What only the dead use is dead, a loop without effects as well; what has an effect stays, and so does what holds it.
// CHECK-LABEL: func.func @what_nobody_uses
// CHECK-NOT: math.exp
// CHECK-NOT: arith.negf
// CHECK: scf.for
// CHECK-NEXT: "test.op"() : () -> ()
// CHECK-NEXT: }
// CHECK-NEXT: func.return
func.func @what_nobody_uses(%x: memref<64xf32>) {
  %low = arith.constant 0 : index
  %high = arith.constant 4 : index
  %step = arith.constant 1 : index
  %a = tile.read %x [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  %b = math.exp %a : tensor<64xf32>
  %c = scf.for %i = %low to %high step %step iter_args(%d = %b) -> (tensor<64xf32>) {
    %e = arith.negf %d : tensor<64xf32>
    scf.yield %e : tensor<64xf32>
  }
  scf.for %i = %low to %high step %step {
    "test.op"() : () -> ()
  }
  func.return
}

// The constants of loops stand in front of all of them, once.
// CHECK-LABEL: func.func @constants_of_loops
// CHECK: [[SEVEN:%.*]] = arith.constant 7 : index
// CHECK: scf.for [[I:%.*]] =
// CHECK-NEXT: [[SUM:%.*]] = arith.addi [[I]], [[SEVEN]]
// CHECK-NEXT: scf.for [[J:%.*]] =
// CHECK-NEXT: [[OTHER:%.*]] = arith.addi [[J]], [[SEVEN]]
// CHECK-NEXT: "test.op"([[SUM]], [[OTHER]])
func.func @constants_of_loops() {
  %low = arith.constant 0 : index
  %high = arith.constant 4 : index
  %step = arith.constant 1 : index
  scf.for %i = %low to %high step %step {
    %seven = arith.constant 7 : index
    %sum = arith.addi %i, %seven : index
    scf.for %j = %low to %high step %step {
      %another = arith.constant 7 : index
      %other = arith.addi %j, %another : index
      "test.op"(%sum, %other) : (index, index) -> ()
    }
  }
  func.return
}

// A loop sees what stands in front of it; what stands in another loop it does not see.
// CHECK-LABEL: func.func @equal_where_it_is_seen
// CHECK: [[OUTSIDE:%.*]] = arith.negf {{%.*}}
// CHECK: scf.for
// CHECK-NEXT: [[ONE:%.*]] = math.exp [[OUTSIDE]]
// CHECK-NEXT: "test.op"([[OUTSIDE]], [[ONE]])
// CHECK: scf.for
// CHECK-NEXT: [[OTHER:%.*]] = math.exp [[OUTSIDE]]
// CHECK-NEXT: "test.op"([[OUTSIDE]], [[OTHER]])
func.func @equal_where_it_is_seen(%x: memref<64xf32>) {
  %low = arith.constant 0 : index
  %high = arith.constant 4 : index
  %step = arith.constant 1 : index
  %a = tile.read %x [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  %b = arith.negf %a : tensor<64xf32>
  "test.op"(%b) : (tensor<64xf32>) -> ()
  scf.for %i = %low to %high step %step {
    %c = arith.negf %a : tensor<64xf32>
    %d = math.exp %c : tensor<64xf32>
    "test.op"(%c, %d) : (tensor<64xf32>, tensor<64xf32>) -> ()
  }
  scf.for %i = %low to %high step %step {
    %c = arith.negf %a : tensor<64xf32>
    %d = math.exp %c : tensor<64xf32>
    "test.op"(%c, %d) : (tensor<64xf32>, tensor<64xf32>) -> ()
  }
  func.return
}

// What is read is the same as long as nothing is written.
// CHECK-LABEL: func.func @a_read_and_a_write
// CHECK: [[BEFORE:%.*]] = tile.read
// CHECK-NEXT: tile.write [[BEFORE]]
// CHECK-NEXT: [[AFTER:%.*]] = tile.read
// CHECK-NEXT: "test.op"([[BEFORE]], [[BEFORE]], [[AFTER]])
func.func @a_read_and_a_write(%x: memref<64xf32>) {
  %a = tile.read %x [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  %b = tile.read %x [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  tile.write %a to %x [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  %c = tile.read %x [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  "test.op"(%a, %b, %c) : (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> ()
  func.return
}

// Equal loops that only compute are one; those that compute something else are not.
// CHECK-LABEL: func.func @equal_loops
// CHECK: [[LOOP:%.*]] = scf.for
// CHECK: arith.negf
// CHECK: [[OTHER:%.*]] = scf.for
// CHECK: math.exp
// CHECK: "test.op"([[LOOP]], [[LOOP]], [[OTHER]])
func.func @equal_loops(%x: memref<64xf32>) {
  %low = arith.constant 0 : index
  %high = arith.constant 4 : index
  %step = arith.constant 1 : index
  %a = tile.read %x [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  %b = scf.for %i = %low to %high step %step iter_args(%d = %a) -> (tensor<64xf32>) {
    %e = arith.negf %d : tensor<64xf32>
    scf.yield %e : tensor<64xf32>
  }
  %c = scf.for %i = %low to %high step %step iter_args(%d = %a) -> (tensor<64xf32>) {
    %e = arith.negf %d : tensor<64xf32>
    scf.yield %e : tensor<64xf32>
  }
  %f = scf.for %i = %low to %high step %step iter_args(%d = %a) -> (tensor<64xf32>) {
    %e = math.exp %d : tensor<64xf32>
    scf.yield %e : tensor<64xf32>
  }
  "test.op"(%b, %c, %f) : (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> ()
  func.return
}

// A loop of one iteration is its body, and what that computes is then known.
// CHECK-LABEL: func.func @one_iteration
// CHECK-NEXT: [[KNOWN:%.*]] = arith.constant 10 : index
// CHECK-NEXT: "test.op"([[KNOWN]])
// CHECK-NEXT: func.return
func.func @one_iteration() {
  %two = arith.constant 2 : index
  %five = arith.constant 5 : index
  scf.for %i = %two to %five step %five {
    %n = arith.muli %i, %five : index
    "test.op"(%n) : (index) -> ()
  }
  func.return
}

// Left alone: what is used once, and instructions, each of which has a tile of its own.
// CHECK-LABEL: func.func @two_tiles
// CHECK: neuron.engine.empty
// CHECK: neuron.engine.empty
// CHECK: "test.op"
func.func @two_tiles() {
  %a = neuron.engine.empty : !neuron.mem.tile<sbuf, 128x64xf32, [d0:128] x [d1]>
  %b = neuron.engine.empty : !neuron.mem.tile<sbuf, 128x64xf32, [d0:128] x [d1]>
  "test.op"(%a, %b) : (!neuron.mem.tile<sbuf, 128x64xf32, [d0:128] x [d1]>, !neuron.mem.tile<sbuf, 128x64xf32, [d0:128] x [d1]>) -> ()
  func.return
}
