// RUN: nki-opt %s -p interleave --split-input-file | filecheck %s
// RUN: nki-opt %s -p interleave --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s
// RUN: nki-opt %s -p "interleave{width=3}" --split-input-file | filecheck %s --check-prefix THREE


// A product of what was computed of another one: what programs have in common is made once, a loop carries what both do.
// CHECK-LABEL: func.func @two_products
// CHECK: tile.programs ([[I:%.*]]) in [3] by [2] of [6]
// CHECK: [[I0:%.*]] = arith.muli [[I]]
// CHECK: [[TWICE:%.*]] = arith.muli [[I]]
// CHECK: [[I1:%.*]] = arith.addi [[TWICE]]
// CHECK: [[Q0:%.*]] = tile.read {{%.*}}([[I0]])
// CHECK: [[Q1:%.*]] = tile.read {{%.*}}([[I1]])
// CHECK: scf.for {{%.*}} iter_args([[A0:%.*]] = {{%.*}}, [[A1:%.*]] = {{%.*}}) -> (tensor<64x32xf32>, tensor<64x32xf32>)
// CHECK: [[K:%.*]] = tile.read
// CHECK-NOT: tile.read
// CHECK: [[S0:%.*]] = tile.dot [[Q0]], [[K]]
// CHECK: [[S1:%.*]] = tile.dot [[Q1]], [[K]]
// CHECK: [[P0:%.*]] = math.exp [[S0]]
// CHECK: [[P1:%.*]] = math.exp [[S1]]
// CHECK: [[R0:%.*]] = tile.dot [[P0]], [[K]] acc [[A0]]
// CHECK: [[R1:%.*]] = tile.dot [[P1]], [[K]] acc [[A1]]
// CHECK: scf.yield [[R0]], [[R1]]
// CHECK: tile.write {{%.*}}([[I0]])
// CHECK: tile.write {{%.*}}([[I1]])
// THREE-LABEL: func.func @two_products
// THREE: tile.programs ({{%.*}}) in [2] by [3] of [6]
// THREE-COUNT-3: math.exp
// THREE-NOT: math.exp
func.func @two_products(%q: memref<384x32xf32>, %k: memref<256x32xf32>, %o: memref<384x32xf32>) {
  tile.programs (%i) in [6] {
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %from = arith.constant 0 : index
    %to = arith.constant 4 : index
    %one = arith.constant 1 : index
    %x = tile.read %q(%i) [64 * s0 + d0 by 32, d1 by 1] : memref<384x32xf32> -> tensor<64x32xf32>
    %r = scf.for %j = %from to %to step %one iter_args(%a = %zero) -> (tensor<64x32xf32>) {
      %y = tile.read %k(%j) [64 * s0 + d0 by 32, d1 by 1] : memref<256x32xf32> -> tensor<64x32xf32>
      %s = tile.dot %x, %y over [1] x [1] : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x64xf32>
      %p = math.exp %s : tensor<64x64xf32>
      %b = tile.dot %p, %y acc %a over [1] x [0] : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
      scf.yield %b : tensor<64x32xf32>
    }
    tile.write %r to %o(%i) [64 * s0 + d0 by 32, d1 by 1] : tensor<64x32xf32> -> memref<384x32xf32>
  }
  func.return
}

// -----

// A loop that one program runs more often than another is one of each.
// CHECK-LABEL: func.func @loops_of_their_own
// CHECK: tile.programs ({{%.*}}) in [2] by [2] of [4]
// CHECK: scf.for {{.*}} iter_args({{%[^,]*}}) ->
// CHECK: scf.for {{.*}} iter_args({{%[^,]*}}) ->
func.func @loops_of_their_own(%q: memref<256x32xf32>, %k: memref<256x32xf32>, %o: memref<256x32xf32>) {
  tile.programs (%i) in [4] {
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %from = arith.constant 0 : index
    %one = arith.constant 1 : index
    %x = tile.read %q(%i) [64 * s0 + d0 by 32, d1 by 1] : memref<256x32xf32> -> tensor<64x32xf32>
    %r = scf.for %j = %from to %i step %one iter_args(%a = %zero) -> (tensor<64x32xf32>) {
      %y = tile.read %k(%j) [64 * s0 + d0 by 32, d1 by 1] : memref<256x32xf32> -> tensor<64x32xf32>
      %s = tile.dot %x, %y over [1] x [1] : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x64xf32>
      %b = tile.dot %s, %y acc %a over [1] x [0] : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
      scf.yield %b : tensor<64x32xf32>
    }
    tile.write %r to %o(%i) [64 * s0 + d0 by 32, d1 by 1] : tensor<64x32xf32> -> memref<256x32xf32>
  }
  func.return
}

// -----

// Products of what is read alone wait for nothing but loads.
// CHECK-LABEL: func.func @one_product
// CHECK: tile.programs ({{%.*}}) in [4] {
func.func @one_product(%q: memref<256x32xf32>, %k: memref<32x32xf32>, %o: memref<256x32xf32>) {
  tile.programs (%i) in [4] {
    %x = tile.read %q(%i) [64 * s0 + d0 by 32, d1 by 1] : memref<256x32xf32> -> tensor<64x32xf32>
    %y = tile.read %k [d0 by 32, d1 by 1] : memref<32x32xf32> -> tensor<32x32xf32>
    %s = tile.dot %x, %y over [1] x [0] : tensor<64x32xf32>, tensor<32x32xf32> -> tensor<64x32xf32>
    %p = tile.dot %x, %y acc %s over [1] x [0] : tensor<64x32xf32>, tensor<32x32xf32> -> tensor<64x32xf32>
    tile.write %p to %o(%i) [64 * s0 + d0 by 32, d1 by 1] : tensor<64x32xf32> -> memref<256x32xf32>
  }
  func.return
}

// -----

// Five programs are no pairs.
// CHECK-LABEL: func.func @five
// CHECK: tile.programs ({{%.*}}) in [5] {
// THREE-LABEL: func.func @five
// THREE: tile.programs ({{%.*}}) in [5] {
func.func @five(%q: memref<320x32xf32>, %k: memref<32x32xf32>, %o: memref<320x32xf32>) {
  tile.programs (%i) in [5] {
    %x = tile.read %q(%i) [64 * s0 + d0 by 32, d1 by 1] : memref<320x32xf32> -> tensor<64x32xf32>
    %y = tile.read %k [d0 by 32, d1 by 1] : memref<32x32xf32> -> tensor<32x32xf32>
    %s = tile.dot %x, %y over [1] x [0] : tensor<64x32xf32>, tensor<32x32xf32> -> tensor<64x32xf32>
    %p = tile.dot %s, %y over [1] x [0] : tensor<64x32xf32>, tensor<32x32xf32> -> tensor<64x32xf32>
    tile.write %p to %o(%i) [64 * s0 + d0 by 32, d1 by 1] : tensor<64x32xf32> -> memref<320x32xf32>
  }
  func.return
}

// -----

// A program reads what the one before it wrote.
// CHECK-LABEL: func.func @one_after_the_other
// CHECK: tile.programs ({{%.*}}) in [6] {
// THREE-LABEL: func.func @one_after_the_other
// THREE: tile.programs ({{%.*}}) in [6] {
func.func @one_after_the_other(%q: memref<448x32xf32>, %k: memref<32x32xf32>) {
  tile.programs (%i) in [6] {
    %x = tile.read %q(%i) [64 * s0 + d0 by 32, d1 by 1] : memref<448x32xf32> -> tensor<64x32xf32>
    %y = tile.read %k [d0 by 32, d1 by 1] : memref<32x32xf32> -> tensor<32x32xf32>
    %s = tile.dot %x, %y over [1] x [0] : tensor<64x32xf32>, tensor<32x32xf32> -> tensor<64x32xf32>
    %p = tile.dot %s, %y over [1] x [0] : tensor<64x32xf32>, tensor<32x32xf32> -> tensor<64x32xf32>
    tile.write %p to %q(%i) [64 * s0 + d0 + 64 by 32, d1 by 1] : tensor<64x32xf32> -> memref<448x32xf32>
  }
  func.return
}

// -----

// The scores of two would fill PSUM.
// CHECK-LABEL: func.func @no_room
// CHECK: tile.programs ({{%.*}}) in [6] {
func.func @no_room(%q: memref<768x32xf32>, %k: memref<2048x32xf32>, %o: memref<768x32xf32>) {
  tile.programs (%i) in [6] {
    %x = tile.read %q(%i) [128 * s0 + d0 by 32, d1 by 1] : memref<768x32xf32> -> tensor<128x32xf32>
    %y = tile.read %k [d0 by 32, d1 by 1] : memref<2048x32xf32> -> tensor<2048x32xf32>
    %s = tile.dot %x, %y over [1] x [1] : tensor<128x32xf32>, tensor<2048x32xf32> -> tensor<128x2048xf32>
    %p = tile.dot %s, %y over [1] x [0] : tensor<128x2048xf32>, tensor<2048x32xf32> -> tensor<128x32xf32>
    tile.write %p to %o(%i) [128 * s0 + d0 by 32, d1 by 1] : tensor<128x32xf32> -> memref<768x32xf32>
  }
  func.return
}
