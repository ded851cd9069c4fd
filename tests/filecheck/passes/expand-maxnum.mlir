// RUN: nki-opt %s -p expand-maxnum --split-input-file | filecheck %s
// RUN: nki-opt %s -p expand-maxnum --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @comparisons_choose(
// CHECK-SAME: [[X:%.*]]: tensor<8xf32>, [[Y:%.*]]: tensor<8xf32>
// CHECK: [[ORDERED:%.*]] = tile.compare eq [[Y]], [[Y]]
// CHECK: [[OTHER:%.*]] = tile.select [[ORDERED]], [[Y]], [[X]]
// CHECK: [[WINS:%.*]] = tile.compare ge [[X]], [[Y]]
// CHECK: [[M:%.*]] = tile.select [[WINS]], [[X]], [[OTHER]]
// CHECK: tile.compare le [[X]], [[Y]]
// CHECK-NOT: num
// CHECK: "test.op"([[M]]
func.func @comparisons_choose(%x: tensor<8xf32>, %y: tensor<8xf32>) {
  %m = arith.maxnumf %x, %y : tensor<8xf32>
  %n = arith.minnumf %x, %y : tensor<8xf32>
  "test.op"(%m, %n) : (tensor<8xf32>, tensor<8xf32>) -> ()
  func.return
}

// -----

// A constant is no NaN, and what is at least a constant is none either.
// CHECK-LABEL: func.func @one_operand_that_is_a_number(
// CHECK-SAME: [[X:%.*]]: tensor<8xf32>
// CHECK: [[ZERO:%.*]] = tile.splat
// CHECK: [[SIX:%.*]] = tile.splat
// CHECK-NEXT: [[WINS:%.*]] = tile.compare ge [[X]], [[ZERO]]
// CHECK-NEXT: [[M:%.*]] = tile.select [[WINS]], [[X]], [[ZERO]]
// CHECK-NEXT: [[N:%.*]] = arith.minimumf [[SIX]], [[M]]
// CHECK-NEXT: "test.op"([[N]])
func.func @one_operand_that_is_a_number(%x: tensor<8xf32>) {
  %a = arith.constant 0.0 : f32
  %b = arith.constant 6.0 : f32
  %zero = tile.splat %a : f32 -> tensor<8xf32>
  %six = tile.splat %b : f32 -> tensor<8xf32>
  %m = arith.maxnumf %zero, %x : tensor<8xf32>
  %n = arith.minnumf %m, %six : tensor<8xf32>
  "test.op"(%n) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_constant_nan_gives_way(
// CHECK-SAME: [[X:%.*]]: tensor<8xf32>
// CHECK: "test.op"([[X]])
func.func @a_constant_nan_gives_way(%x: tensor<8xf32>) {
  %a = arith.constant 0x7FC00000 : f32
  %nan = tile.splat %a : f32 -> tensor<8xf32>
  %m = arith.maxnumf %nan, %x : tensor<8xf32>
  "test.op"(%m) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @scalars_go_through_a_tensor(
// CHECK-SAME: [[X:%.*]]: f32, [[Y:%.*]]: f32
// CHECK: [[A:%.*]] = tile.splat [[X]] : f32 -> tensor<1xf32>
// CHECK: [[B:%.*]] = tile.splat [[Y]] : f32 -> tensor<1xf32>
// CHECK: [[C:%.*]] = tile.select
// CHECK: [[D:%.*]] = tile.select {{.*}}, [[A]], [[C]]
// CHECK: [[M:%.*]] = tile.reduce max [[D]] axis 0
// CHECK: "test.op"([[M]])
func.func @scalars_go_through_a_tensor(%x: f32, %y: f32) {
  %m = arith.maxnumf %x, %y : f32
  "test.op"(%m) : (f32) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @infinity_takes_the_place_of_nan(
// CHECK-SAME: [[X:%.*]]: tensor<4x8xf32>
// CHECK: [[OK:%.*]] = tile.compare le [[X]], {{.*}}
// CHECK: [[LOWEST:%.*]] = tile.splat {{.*}} : f32 -> tensor<4x8xf32>
// CHECK: [[FILLED:%.*]] = tile.select [[OK]], [[X]], [[LOWEST]]
// CHECK: [[M:%.*]] = tile.reduce max [[FILLED]] axis 1
// CHECK: [[COUNT:%.*]] = tile.cast [[OK]]
// CHECK: [[SOME:%.*]] = tile.reduce max [[COUNT]] axis 1
// CHECK: [[SCALED:%.*]] = arith.mulf [[SOME]]
// CHECK: [[ONE:%.*]] = arith.minimumf [[SCALED]]
// CHECK: [[R:%.*]] = arith.mulf [[M]], [[ONE]]
// CHECK: "test.op"([[R]])
func.func @infinity_takes_the_place_of_nan(%x: tensor<4x8xf32>) {
  %m = tile.reduce maxnum %x axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  "test.op"(%m) : (tensor<4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @integers_as_floats_are_numbers(
// CHECK: tile.reduce min {{.*}} axis 0
func.func @integers_as_floats_are_numbers(%x: tensor<8xi32>) {
  %f = tile.cast %x : tensor<8xi32> -> tensor<8xf32>
  %m = tile.reduce minnum %f axis 0 : tensor<8xf32> -> f32
  "test.op"(%m) : (f32) -> ()
  func.return
}

// -----

// A NaN in a row makes the row's sum NaN, and so the whole row: the maximum may be NaN as well.
// CHECK-LABEL: func.func @softmax
// CHECK: tile.reduce max {{.*}} axis 1
// CHECK-NOT: tile.select
func.func @softmax(%a: memref<4x8xf32>) {
  %x = tile.read %a [d0 by 8, d1 by 1] : memref<4x8xf32> -> tensor<4x8xf32>
  %m = tile.reduce maxnum %x axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  %c = tile.expand_dims %m axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
  %d = arith.subf %x, %b : tensor<4x8xf32>
  %e = math.exp %d : tensor<4x8xf32>
  %s = tile.reduce sum %e axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  %t = tile.expand_dims %s axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %u = tile.broadcast %t : tensor<4x1xf32> -> tensor<4x8xf32>
  %r = arith.divf %e, %u : tensor<4x8xf32>
  tile.write %r to %a [d0 by 8, d1 by 1] : tensor<4x8xf32> -> memref<4x8xf32>
  func.return
}

// So too where what is reduced is scaled before that, for the exponents alone.
// CHECK-LABEL: func.func @scaled_softmax
// CHECK-NOT: tile.select
// CHECK: tile.reduce max {{.*}} axis 1
// CHECK-NOT: tile.select
func.func @scaled_softmax(%a: memref<4x8xf32>) {
  %x = tile.read %a [d0 by 8, d1 by 1] : memref<4x8xf32> -> tensor<4x8xf32>
  %half = arith.constant dense<0.5> : tensor<4x8xf32>
  %y = arith.mulf %x, %half : tensor<4x8xf32>
  %m = tile.reduce maxnum %x axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  %c = tile.expand_dims %m axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
  %d = arith.subf %y, %b : tensor<4x8xf32>
  %e = math.exp %d : tensor<4x8xf32>
  %s = tile.reduce sum %e axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  %t = tile.expand_dims %s axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %u = tile.broadcast %t : tensor<4x1xf32> -> tensor<4x8xf32>
  %r = arith.divf %e, %u : tensor<4x8xf32>
  tile.write %r to %a [d0 by 8, d1 by 1] : tensor<4x8xf32> -> memref<4x8xf32>
  func.return
}

// -----

// So are those of a softmax that goes on block by block: once a row's sums are NaN, they stay so.
// CHECK-LABEL: func.func @online_softmax
// CHECK: [[S:%.*]] = tile.dot
// CHECK-NEXT: [[MOST:%.*]] = tile.reduce max [[S]] axis 1
// CHECK-NEXT: arith.maximumf [[MOST]], {{%.*}} : tensor<4xf32>
// CHECK-NOT: tile.select
func.func @online_softmax(%q: memref<4x16xf32>, %k: memref<16x64xf32>, %v: memref<64x16xf32>, %a: memref<4x16xf32>, %w: memref<4xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %eight = arith.constant 8 : index
  %least = arith.constant dense<0xff800000> : tensor<4xf32>
  %none = arith.constant dense<0.0> : tensor<4xf32>
  %nothing = arith.constant dense<0.0> : tensor<4x16xf32>
  %x = tile.read %q [d0 by 16, d1 by 1] : memref<4x16xf32> -> tensor<4x16xf32>
  %sums, %totals, %highest = scf.for %i = %zero to %eight step %one iter_args(%acc = %nothing, %l = %none, %m = %least) -> (tensor<4x16xf32>, tensor<4xf32>, tensor<4xf32>) {
    %keys = tile.read %k(%i) [d0 by 64, 8 * s0 + d1 by 1] : memref<16x64xf32> -> tensor<16x8xf32>
    %s = tile.dot %x, %keys over [1] x [0] : tensor<4x16xf32>, tensor<16x8xf32> -> tensor<4x8xf32>
    %most = tile.reduce maxnum %s axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %n = arith.maxnumf %m, %most : tensor<4xf32>
    %c = tile.expand_dims %n axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
    %d = arith.subf %s, %b : tensor<4x8xf32>
    %p = math.exp %d : tensor<4x8xf32>
    %old = arith.subf %m, %n : tensor<4xf32>
    %alpha = math.exp %old : tensor<4xf32>
    %sum = tile.reduce sum %p axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %less = arith.mulf %l, %alpha : tensor<4xf32>
    %total = arith.addf %less, %sum : tensor<4xf32>
    %column = tile.expand_dims %alpha axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %wide = tile.broadcast %column : tensor<4x1xf32> -> tensor<4x16xf32>
    %scaled = arith.mulf %acc, %wide : tensor<4x16xf32>
    %values = tile.read %v(%i) [8 * s0 + d0 by 16, d1 by 1] : memref<64x16xf32> -> tensor<8x16xf32>
    %next = tile.dot %p, %values acc %scaled over [1] x [0] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
    scf.yield %next, %total, %n : tensor<4x16xf32>, tensor<4xf32>, tensor<4xf32>
  }
  %t = tile.expand_dims %totals axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %u = tile.broadcast %t : tensor<4x1xf32> -> tensor<4x16xf32>
  %r = arith.divf %sums, %u : tensor<4x16xf32>
  tile.write %r to %a [d0 by 16, d1 by 1] : tensor<4x16xf32> -> memref<4x16xf32>
  func.return
}

// -----

// The logarithm of the sum is NaN with it.
// CHECK-LABEL: func.func @logarithm_of_the_sum
// CHECK: [[S:%.*]] = tile.dot
// CHECK-NEXT: tile.reduce max [[S]] axis 1
// CHECK-NOT: tile.select
func.func @logarithm_of_the_sum(%q: memref<4x16xf32>, %k: memref<16x64xf32>, %v: memref<64x16xf32>, %a: memref<4x16xf32>, %w: memref<4xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %eight = arith.constant 8 : index
  %least = arith.constant dense<0xff800000> : tensor<4xf32>
  %none = arith.constant dense<0.0> : tensor<4xf32>
  %nothing = arith.constant dense<0.0> : tensor<4x16xf32>
  %x = tile.read %q [d0 by 16, d1 by 1] : memref<4x16xf32> -> tensor<4x16xf32>
  %sums, %totals, %highest = scf.for %i = %zero to %eight step %one iter_args(%acc = %nothing, %l = %none, %m = %least) -> (tensor<4x16xf32>, tensor<4xf32>, tensor<4xf32>) {
    %keys = tile.read %k(%i) [d0 by 64, 8 * s0 + d1 by 1] : memref<16x64xf32> -> tensor<16x8xf32>
    %s = tile.dot %x, %keys over [1] x [0] : tensor<4x16xf32>, tensor<16x8xf32> -> tensor<4x8xf32>
    %most = tile.reduce maxnum %s axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %n = arith.maxnumf %m, %most : tensor<4xf32>
    %c = tile.expand_dims %n axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
    %d = arith.subf %s, %b : tensor<4x8xf32>
    %p = math.exp %d : tensor<4x8xf32>
    %old = arith.subf %m, %n : tensor<4xf32>
    %alpha = math.exp %old : tensor<4xf32>
    %sum = tile.reduce sum %p axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %less = arith.mulf %l, %alpha : tensor<4xf32>
    %total = arith.addf %less, %sum : tensor<4xf32>
    %column = tile.expand_dims %alpha axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %wide = tile.broadcast %column : tensor<4x1xf32> -> tensor<4x16xf32>
    %scaled = arith.mulf %acc, %wide : tensor<4x16xf32>
    %values = tile.read %v(%i) [8 * s0 + d0 by 16, d1 by 1] : memref<64x16xf32> -> tensor<8x16xf32>
    %next = tile.dot %p, %values acc %scaled over [1] x [0] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
    scf.yield %next, %total, %n : tensor<4x16xf32>, tensor<4xf32>, tensor<4xf32>
  }
  %t = tile.expand_dims %totals axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %u = tile.broadcast %t : tensor<4x1xf32> -> tensor<4x16xf32>
  %r = arith.divf %sums, %u : tensor<4x16xf32>
  tile.write %r to %a [d0 by 16, d1 by 1] : tensor<4x16xf32> -> memref<4x16xf32>
  %log = math.log %totals : tensor<4xf32>
  %lse = arith.addf %log, %highest : tensor<4xf32>
  tile.write %lse to %w [d0 by 1] : tensor<4xf32> -> memref<4xf32>
  func.return
}

// -----

// The maximum itself is not NaN where only some of a row is.
// CHECK-LABEL: func.func @the_maximum_is_written
// CHECK: tile.dot
// CHECK: tile.compare le {{.*}} -> tensor<4x8xi1>
// CHECK: tile.select {{.*}} -> tensor<4xf32>
func.func @the_maximum_is_written(%q: memref<4x16xf32>, %k: memref<16x64xf32>, %v: memref<64x16xf32>, %a: memref<4x16xf32>, %w: memref<4xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %eight = arith.constant 8 : index
  %least = arith.constant dense<0xff800000> : tensor<4xf32>
  %none = arith.constant dense<0.0> : tensor<4xf32>
  %nothing = arith.constant dense<0.0> : tensor<4x16xf32>
  %x = tile.read %q [d0 by 16, d1 by 1] : memref<4x16xf32> -> tensor<4x16xf32>
  %sums, %totals, %highest = scf.for %i = %zero to %eight step %one iter_args(%acc = %nothing, %l = %none, %m = %least) -> (tensor<4x16xf32>, tensor<4xf32>, tensor<4xf32>) {
    %keys = tile.read %k(%i) [d0 by 64, 8 * s0 + d1 by 1] : memref<16x64xf32> -> tensor<16x8xf32>
    %s = tile.dot %x, %keys over [1] x [0] : tensor<4x16xf32>, tensor<16x8xf32> -> tensor<4x8xf32>
    %most = tile.reduce maxnum %s axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %n = arith.maxnumf %m, %most : tensor<4xf32>
    %c = tile.expand_dims %n axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
    %d = arith.subf %s, %b : tensor<4x8xf32>
    %p = math.exp %d : tensor<4x8xf32>
    %old = arith.subf %m, %n : tensor<4xf32>
    %alpha = math.exp %old : tensor<4xf32>
    %sum = tile.reduce sum %p axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %less = arith.mulf %l, %alpha : tensor<4xf32>
    %total = arith.addf %less, %sum : tensor<4xf32>
    %column = tile.expand_dims %alpha axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %wide = tile.broadcast %column : tensor<4x1xf32> -> tensor<4x16xf32>
    %scaled = arith.mulf %acc, %wide : tensor<4x16xf32>
    %values = tile.read %v(%i) [8 * s0 + d0 by 16, d1 by 1] : memref<64x16xf32> -> tensor<8x16xf32>
    %next = tile.dot %p, %values acc %scaled over [1] x [0] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
    scf.yield %next, %total, %n : tensor<4x16xf32>, tensor<4xf32>, tensor<4xf32>
  }
  tile.write %highest to %w [d0 by 1] : tensor<4xf32> -> memref<4xf32>
  func.return
}

// -----

// Nor is a sum that a later block does not start from.
// CHECK-LABEL: func.func @each_block_is_written
// CHECK: tile.dot
// CHECK: tile.compare le {{.*}} -> tensor<4x8xi1>
func.func @each_block_is_written(%q: memref<4x16xf32>, %k: memref<16x64xf32>, %v: memref<64x16xf32>, %a: memref<4x16xf32>, %w: memref<4xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %eight = arith.constant 8 : index
  %least = arith.constant dense<0xff800000> : tensor<4xf32>
  %none = arith.constant dense<0.0> : tensor<4xf32>
  %nothing = arith.constant dense<0.0> : tensor<4x16xf32>
  %x = tile.read %q [d0 by 16, d1 by 1] : memref<4x16xf32> -> tensor<4x16xf32>
  %sums, %totals, %highest = scf.for %i = %zero to %eight step %one iter_args(%acc = %nothing, %l = %none, %m = %least) -> (tensor<4x16xf32>, tensor<4xf32>, tensor<4xf32>) {
    %keys = tile.read %k(%i) [d0 by 64, 8 * s0 + d1 by 1] : memref<16x64xf32> -> tensor<16x8xf32>
    %s = tile.dot %x, %keys over [1] x [0] : tensor<4x16xf32>, tensor<16x8xf32> -> tensor<4x8xf32>
    %most = tile.reduce maxnum %s axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %n = arith.maxnumf %m, %most : tensor<4xf32>
    %c = tile.expand_dims %n axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
    %d = arith.subf %s, %b : tensor<4x8xf32>
    %p = math.exp %d : tensor<4x8xf32>
    %old = arith.subf %m, %n : tensor<4xf32>
    %alpha = math.exp %old : tensor<4xf32>
    %sum = tile.reduce sum %p axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %less = arith.mulf %l, %alpha : tensor<4xf32>
    %total = arith.addf %less, %sum : tensor<4xf32>
    %column = tile.expand_dims %alpha axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %wide = tile.broadcast %column : tensor<4x1xf32> -> tensor<4x16xf32>
    %scaled = arith.mulf %acc, %wide : tensor<4x16xf32>
    %values = tile.read %v(%i) [8 * s0 + d0 by 16, d1 by 1] : memref<64x16xf32> -> tensor<8x16xf32>
    %next = tile.dot %p, %values acc %scaled over [1] x [0] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
    tile.write %alpha to %w [d0 by 1] : tensor<4xf32> -> memref<4xf32>
    scf.yield %next, %total, %n : tensor<4x16xf32>, tensor<4xf32>, tensor<4xf32>
  }
  %t = tile.expand_dims %totals axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %u = tile.broadcast %t : tensor<4x1xf32> -> tensor<4x16xf32>
  %r = arith.divf %sums, %u : tensor<4x16xf32>
  tile.write %r to %a [d0 by 16, d1 by 1] : tensor<4x16xf32> -> memref<4x16xf32>
  func.return
}

// -----

// The sum of a later block is a number again: it is not added to the one before.
// CHECK-LABEL: func.func @the_last_sum
// CHECK: tile.dot
// CHECK: tile.compare le {{.*}} -> tensor<4x8xi1>
func.func @the_last_sum(%q: memref<4x16xf32>, %k: memref<16x64xf32>, %v: memref<64x16xf32>, %a: memref<4x16xf32>, %w: memref<4xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %eight = arith.constant 8 : index
  %least = arith.constant dense<0xff800000> : tensor<4xf32>
  %none = arith.constant dense<0.0> : tensor<4xf32>
  %nothing = arith.constant dense<0.0> : tensor<4x16xf32>
  %x = tile.read %q [d0 by 16, d1 by 1] : memref<4x16xf32> -> tensor<4x16xf32>
  %sums, %totals, %highest = scf.for %i = %zero to %eight step %one iter_args(%acc = %nothing, %l = %none, %m = %least) -> (tensor<4x16xf32>, tensor<4xf32>, tensor<4xf32>) {
    %keys = tile.read %k(%i) [d0 by 64, 8 * s0 + d1 by 1] : memref<16x64xf32> -> tensor<16x8xf32>
    %s = tile.dot %x, %keys over [1] x [0] : tensor<4x16xf32>, tensor<16x8xf32> -> tensor<4x8xf32>
    %most = tile.reduce maxnum %s axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %n = arith.maxnumf %m, %most : tensor<4xf32>
    %c = tile.expand_dims %n axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
    %d = arith.subf %s, %b : tensor<4x8xf32>
    %p = math.exp %d : tensor<4x8xf32>
    %old = arith.subf %m, %n : tensor<4xf32>
    %alpha = math.exp %old : tensor<4xf32>
    %sum = tile.reduce sum %p axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %less = arith.mulf %l, %alpha : tensor<4xf32>
    %total = arith.addf %less, %sum : tensor<4xf32>
    %column = tile.expand_dims %alpha axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %wide = tile.broadcast %column : tensor<4x1xf32> -> tensor<4x16xf32>
    %scaled = arith.mulf %acc, %wide : tensor<4x16xf32>
    %values = tile.read %v(%i) [8 * s0 + d0 by 16, d1 by 1] : memref<64x16xf32> -> tensor<8x16xf32>
    %next = tile.dot %p, %values acc %scaled over [1] x [0] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
    scf.yield %next, %sum, %n : tensor<4x16xf32>, tensor<4xf32>, tensor<4xf32>
  }
  %t = tile.expand_dims %totals axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %u = tile.broadcast %t : tensor<4x1xf32> -> tensor<4x16xf32>
  tile.write %u to %a [d0 by 16, d1 by 1] : tensor<4x16xf32> -> memref<4x16xf32>
  func.return
}

// -----

// A maximum that ignores NaN makes numbers of some.
// CHECK-LABEL: func.func @numbers_again
// CHECK: tile.compare le {{.*}} -> tensor<4x8xi1>
func.func @numbers_again(%a: memref<4x8xf32>, %w: memref<4xf32>) {
  %zero = arith.constant dense<0.0> : tensor<4x8xf32>
  %x = tile.read %a [d0 by 8, d1 by 1] : memref<4x8xf32> -> tensor<4x8xf32>
  %m = tile.reduce maxnum %x axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  %c = tile.expand_dims %m axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
  %d = arith.subf %x, %b : tensor<4x8xf32>
  %e = arith.maxnumf %d, %d : tensor<4x8xf32>
  %f = arith.maxnumf %e, %zero : tensor<4x8xf32>
  %s = tile.reduce sum %f axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  tile.write %s to %w [d0 by 1] : tensor<4xf32> -> memref<4xf32>
  func.return
}

// -----

// A product of the maximum alone has no NaN in it.
// CHECK-LABEL: func.func @a_product_of_the_maximum
// CHECK: tile.compare le {{.*}} -> tensor<4x8xi1>
func.func @a_product_of_the_maximum(%a: memref<4x8xf32>, %v: memref<8x16xf32>, %w: memref<4x16xf32>) {
  %x = tile.read %a [d0 by 8, d1 by 1] : memref<4x8xf32> -> tensor<4x8xf32>
  %m = tile.reduce maxnum %x axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  %c = tile.expand_dims %m axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
  %y = tile.read %v [d0 by 16, d1 by 1] : memref<8x16xf32> -> tensor<8x16xf32>
  %p = tile.dot %b, %y over [1] x [0] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  tile.write %p to %w [d0 by 16, d1 by 1] : tensor<4x16xf32> -> memref<4x16xf32>
  func.return
}

// -----

// A NaN is in all of its row of a product over both parts of the row, and of one of two such.
// CHECK-LABEL: func.func @rows_of_a_product
// CHECK: tile.reduce max {{.*}} axis 1
// CHECK-NOT: tile.compare
func.func @rows_of_a_product(%a: memref<4x8xf32>, %v: memref<24xf32>, %o: memref<12xf32>) {
  %x = tile.read %a [d0 by 8, d1 by 1] : memref<4x8xf32> -> tensor<4x8xf32>
  %m = tile.reduce maxnum %x axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  %c = tile.expand_dims %m axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
  %d = arith.subf %x, %b : tensor<4x8xf32>
  %p = math.exp %d : tensor<4x8xf32>
  %r = tile.reshape %p : tensor<4x8xf32> -> tensor<4x2x4xf32>
  %w = tile.read %v [12 * d0 + 3 * d1 + d2 by 1] : memref<24xf32> -> tensor<2x4x3xf32>
  %q = tile.dot %r, %w over [1, 2] x [0, 1] : tensor<4x2x4xf32>, tensor<2x4x3xf32> -> tensor<4x3xf32>
  %t = arith.constant true
  %k = tile.splat %t : i1 -> tensor<4x3xi1>
  %n = arith.negf %q : tensor<4x3xf32>
  %e = tile.select %k, %q, %n : tensor<4x3xi1>, tensor<4x3xf32>, tensor<4x3xf32> -> tensor<4x3xf32>
  tile.write %e to %o [3 * d0 + d1 by 1] : tensor<4x3xf32> -> memref<12xf32>
  func.return
}

// -----

// A product of each part of a row has a NaN in one of them; the other one hangs on the maximum.
// CHECK-LABEL: func.func @a_part_of_a_row
// CHECK: tile.compare
// CHECK: tile.reduce max {{.*}} axis 1
func.func @a_part_of_a_row(%a: memref<4x8xf32>, %v: memref<24xf32>, %o: memref<12xf32>) {
  %x = tile.read %a [d0 by 8, d1 by 1] : memref<4x8xf32> -> tensor<4x8xf32>
  %m = tile.reduce maxnum %x axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  %c = tile.expand_dims %m axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
  %d = arith.subf %x, %b : tensor<4x8xf32>
  %p = math.exp %d : tensor<4x8xf32>
  %r = tile.reshape %p : tensor<4x8xf32> -> tensor<4x2x4xf32>
  %w = tile.read %v [3 * d0 + d1 by 1] : memref<24xf32> -> tensor<4x3xf32>
  %q = tile.dot %r, %w over [2] x [0] : tensor<4x2x4xf32>, tensor<4x3xf32> -> tensor<4x2x3xf32>
  tile.write %q to %o [6 * d0 + 3 * d1 + d2 in * to 12 by 1] : tensor<4x2x3xf32> -> memref<12xf32>
  func.return
}

// -----

// Where something else may be chosen, a NaN may be gone.
// CHECK-LABEL: func.func @another_value
// CHECK: tile.compare
// CHECK: tile.reduce max {{.*}} axis 1
func.func @another_value(%a: memref<4x8xf32>, %v: memref<24xf32>, %o: memref<12xf32>) {
  %x = tile.read %a [d0 by 8, d1 by 1] : memref<4x8xf32> -> tensor<4x8xf32>
  %m = tile.reduce maxnum %x axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  %c = tile.expand_dims %m axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
  %d = arith.subf %x, %b : tensor<4x8xf32>
  %p = math.exp %d : tensor<4x8xf32>
  %r = tile.reshape %p : tensor<4x8xf32> -> tensor<4x2x4xf32>
  %w = tile.read %v [12 * d0 + 3 * d1 + d2 by 1] : memref<24xf32> -> tensor<2x4x3xf32>
  %q = tile.dot %r, %w over [1, 2] x [0, 1] : tensor<4x2x4xf32>, tensor<2x4x3xf32> -> tensor<4x3xf32>
  %t = arith.constant true
  %k = tile.splat %t : i1 -> tensor<4x3xi1>
  %z = arith.constant dense<0.0> : tensor<4x3xf32>
  %e = tile.select %k, %q, %z : tensor<4x3xi1>, tensor<4x3xf32>, tensor<4x3xf32> -> tensor<4x3xf32>
  tile.write %e to %o [3 * d0 + d1 by 1] : tensor<4x3xf32> -> memref<12xf32>
  func.return
}

// -----

// Here a number beside a NaN reaches the memory.
// CHECK-LABEL: func.func @differences_are_written
// CHECK: tile.select
func.func @differences_are_written(%a: memref<4x8xf32>) {
  %x = tile.read %a [d0 by 8, d1 by 1] : memref<4x8xf32> -> tensor<4x8xf32>
  %m = tile.reduce maxnum %x axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  %c = tile.expand_dims %m axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
  %d = arith.subf %x, %b : tensor<4x8xf32>
  tile.write %d to %a [d0 by 8, d1 by 1] : tensor<4x8xf32> -> memref<4x8xf32>
  func.return
}

// -----

// The sum is over the other dimension: it mixes rows.
// CHECK-LABEL: func.func @a_sum_across_rows
// CHECK: tile.select
func.func @a_sum_across_rows(%a: memref<4x8xf32>) {
  %x = tile.read %a [d0 by 8, d1 by 1] : memref<4x8xf32> -> tensor<4x8xf32>
  %m = tile.reduce maxnum %x axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  %c = tile.expand_dims %m axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
  %d = arith.subf %x, %b : tensor<4x8xf32>
  %s = tile.reduce sum %d axis 0 : tensor<4x8xf32> -> tensor<8xf32>
  tile.write %s to %a [d0 by 1] : tensor<8xf32> -> memref<4x8xf32>
  func.return
}

// -----

// CHECK-LABEL: func.func @extrema_that_propagate_stay(
// CHECK: arith.maximumf
// CHECK: tile.reduce max
// CHECK-NOT: tile.select
func.func @extrema_that_propagate_stay(%x: tensor<8xf32>, %y: tensor<8xf32>) {
  %m = arith.maximumf %x, %y : tensor<8xf32>
  %n = tile.reduce max %m axis 0 : tensor<8xf32> -> f32
  "test.op"(%n) : (f32) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_scan(
// CHECK: tile.select
// CHECK: tile.scan max {{.*}} axis 0 reverse
// CHECK: tile.scan max {{.*}} axis 0 reverse
// CHECK: arith.minimumf
// CHECK-NOT: maxnum
func.func @a_scan(%x: tensor<8xf32>) {
  %n = tile.scan maxnum %x axis 0 reverse : tensor<8xf32> -> tensor<8xf32>
  "test.op"(%n) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// A factor that is a number leaves a NaN what it is, and makes none.
// CHECK-LABEL: func.func @a_scaled_running_maximum
// CHECK: arith.maximumf {{%.*}}, {{%.*}} : tensor<4xf32>
// CHECK-NOT: tile.select
// CHECK: func.return
func.func @a_scaled_running_maximum(%a: memref<4x64xf32>, %w: tensor<4xf32>, %v: tensor<4x8xf32>, %out: memref<4xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %eight = arith.constant 8 : index
  %none = arith.constant dense<0.0> : tensor<4xf32>
  %first = arith.constant dense<0xff800000> : tensor<4xf32>
  %total, %highest = scf.for %i = %zero to %eight step %one iter_args(%l = %none, %m = %first) -> (tensor<4xf32>, tensor<4xf32>) {
    %s = tile.read %a(%i) [d0 by 64, 8 * s0 + d1 by 1] : memref<4x64xf32> -> tensor<4x8xf32>
    %most = tile.reduce maxnum %s axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %factor = arith.constant dense<0.125> : tensor<4xf32>
    %wide = arith.constant dense<0.125> : tensor<4x8xf32>
    %part = arith.mulf %most, %factor : tensor<4xf32>
    %x = arith.mulf %s, %wide : tensor<4x8xf32>
    %n = arith.maxnumf %m, %part : tensor<4xf32>
    %c = tile.expand_dims %n axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
    %d = arith.subf %x, %b : tensor<4x8xf32>
    %p = math.exp %d : tensor<4x8xf32>
    %old = arith.subf %m, %n : tensor<4xf32>
    %alpha = math.exp %old : tensor<4xf32>
    %sum = tile.reduce sum %p axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %less = arith.mulf %l, %alpha : tensor<4xf32>
    %next = arith.addf %less, %sum : tensor<4xf32>
    scf.yield %next, %n : tensor<4xf32>, tensor<4xf32>
  }
  tile.write %total to %out [d0 by 1] : tensor<4xf32> -> memref<4xf32>
  func.return
}

// -----

// Infinity times 0 is a NaN that no score need have been.
// CHECK-LABEL: func.func @scaled_by_nothing
// CHECK: tile.reduce max
// CHECK: tile.compare ge {{.*}} -> tensor<4xi1>
// CHECK: tile.select {{.*}} -> tensor<4xf32>
func.func @scaled_by_nothing(%a: memref<4x64xf32>, %w: tensor<4xf32>, %v: tensor<4x8xf32>, %out: memref<4xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %eight = arith.constant 8 : index
  %none = arith.constant dense<0.0> : tensor<4xf32>
  %first = arith.constant dense<0xff800000> : tensor<4xf32>
  %total, %highest = scf.for %i = %zero to %eight step %one iter_args(%l = %none, %m = %first) -> (tensor<4xf32>, tensor<4xf32>) {
    %s = tile.read %a(%i) [d0 by 64, 8 * s0 + d1 by 1] : memref<4x64xf32> -> tensor<4x8xf32>
    %most = tile.reduce maxnum %s axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %factor = arith.constant dense<0.0> : tensor<4xf32>
    %wide = arith.constant dense<0.0> : tensor<4x8xf32>
    %part = arith.mulf %most, %factor : tensor<4xf32>
    %x = arith.mulf %s, %wide : tensor<4x8xf32>
    %n = arith.maxnumf %m, %part : tensor<4xf32>
    %c = tile.expand_dims %n axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
    %d = arith.subf %x, %b : tensor<4x8xf32>
    %p = math.exp %d : tensor<4x8xf32>
    %old = arith.subf %m, %n : tensor<4xf32>
    %alpha = math.exp %old : tensor<4xf32>
    %sum = tile.reduce sum %p axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %less = arith.mulf %l, %alpha : tensor<4xf32>
    %next = arith.addf %less, %sum : tensor<4xf32>
    scf.yield %next, %n : tensor<4xf32>, tensor<4xf32>
  }
  tile.write %total to %out [d0 by 1] : tensor<4xf32> -> memref<4xf32>
  func.return
}

// -----

// What a factor is that is not known makes a NaN, or none.
// CHECK-LABEL: func.func @scaled_by_any_number
// CHECK: tile.reduce max
// CHECK: tile.compare ge {{.*}} -> tensor<4xi1>
// CHECK: tile.select {{.*}} -> tensor<4xf32>
func.func @scaled_by_any_number(%a: memref<4x64xf32>, %w: tensor<4xf32>, %v: tensor<4x8xf32>, %out: memref<4xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %eight = arith.constant 8 : index
  %none = arith.constant dense<0.0> : tensor<4xf32>
  %first = arith.constant dense<0xff800000> : tensor<4xf32>
  %total, %highest = scf.for %i = %zero to %eight step %one iter_args(%l = %none, %m = %first) -> (tensor<4xf32>, tensor<4xf32>) {
    %s = tile.read %a(%i) [d0 by 64, 8 * s0 + d1 by 1] : memref<4x64xf32> -> tensor<4x8xf32>
    %most = tile.reduce maxnum %s axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %part = arith.mulf %most, %w : tensor<4xf32>
    %x = arith.mulf %s, %v : tensor<4x8xf32>
    %n = arith.maxnumf %m, %part : tensor<4xf32>
    %c = tile.expand_dims %n axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
    %d = arith.subf %x, %b : tensor<4x8xf32>
    %p = math.exp %d : tensor<4x8xf32>
    %old = arith.subf %m, %n : tensor<4xf32>
    %alpha = math.exp %old : tensor<4xf32>
    %sum = tile.reduce sum %p axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %less = arith.mulf %l, %alpha : tensor<4xf32>
    %next = arith.addf %less, %sum : tensor<4xf32>
    scf.yield %next, %n : tensor<4xf32>, tensor<4xf32>
  }
  tile.write %total to %out [d0 by 1] : tensor<4xf32> -> memref<4xf32>
  func.return
}

// -----

// The maximum so far may be a NaN from the beginning, of a row without one.
// CHECK-LABEL: func.func @a_start_that_may_be_nan
// CHECK: tile.reduce max
// CHECK: tile.compare ge {{.*}} -> tensor<4xi1>
// CHECK: tile.select {{.*}} -> tensor<4xf32>
func.func @a_start_that_may_be_nan(%a: memref<4x64xf32>, %w: tensor<4xf32>, %v: tensor<4x8xf32>, %out: memref<4xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %eight = arith.constant 8 : index
  %none = arith.constant dense<0.0> : tensor<4xf32>
  %first = tile.read %out [d0 by 1] : memref<4xf32> -> tensor<4xf32>
  %total, %highest = scf.for %i = %zero to %eight step %one iter_args(%l = %none, %m = %first) -> (tensor<4xf32>, tensor<4xf32>) {
    %s = tile.read %a(%i) [d0 by 64, 8 * s0 + d1 by 1] : memref<4x64xf32> -> tensor<4x8xf32>
    %most = tile.reduce maxnum %s axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %factor = arith.constant dense<0.125> : tensor<4xf32>
    %wide = arith.constant dense<0.125> : tensor<4x8xf32>
    %part = arith.mulf %most, %factor : tensor<4xf32>
    %x = arith.mulf %s, %wide : tensor<4x8xf32>
    %n = arith.maxnumf %m, %part : tensor<4xf32>
    %c = tile.expand_dims %n axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x8xf32>
    %d = arith.subf %x, %b : tensor<4x8xf32>
    %p = math.exp %d : tensor<4x8xf32>
    %old = arith.subf %m, %n : tensor<4xf32>
    %alpha = math.exp %old : tensor<4xf32>
    %sum = tile.reduce sum %p axis 1 : tensor<4x8xf32> -> tensor<4xf32>
    %less = arith.mulf %l, %alpha : tensor<4xf32>
    %next = arith.addf %less, %sum : tensor<4xf32>
    scf.yield %next, %n : tensor<4xf32>, tensor<4xf32>
  }
  tile.write %total to %out [d0 by 1] : tensor<4xf32> -> memref<4xf32>
  func.return
}

// -----

// Rows of a softmax apart, and together again: a NaN in a row is in all of it either way.
// CHECK-LABEL: func.func @rows_of_a_softmax(
// CHECK-NOT: tile.compare
// CHECK: tile.reduce max {{.*}} axis 1
// CHECK-NOT: tile.compare
func.func @rows_of_a_softmax(%x: tensor<8x16xf32>, %out: memref<8x16xf32>) {
  %m = tile.reduce maxnum %x axis 1 : tensor<8x16xf32> -> tensor<8xf32>
  %x0 = tile.slice %x axis 0 at 0 : tensor<8x16xf32> -> tensor<3x16xf32>
  %x1 = tile.slice %x axis 0 at 3 : tensor<8x16xf32> -> tensor<5x16xf32>
  %m0 = tile.slice %m axis 0 at 0 : tensor<8xf32> -> tensor<3xf32>
  %m1 = tile.slice %m axis 0 at 3 : tensor<8xf32> -> tensor<5xf32>
  %c0 = tile.expand_dims %m0 axis 1 : tensor<3xf32> -> tensor<3x1xf32>
  %c1 = tile.expand_dims %m1 axis 1 : tensor<5xf32> -> tensor<5x1xf32>
  %b0 = tile.broadcast %c0 : tensor<3x1xf32> -> tensor<3x16xf32>
  %b1 = tile.broadcast %c1 : tensor<5x1xf32> -> tensor<5x16xf32>
  %d0 = arith.subf %x0, %b0 : tensor<3x16xf32>
  %d1 = arith.subf %x1, %b1 : tensor<5x16xf32>
  %d = tile.concat %d0, %d1 axis 0 : tensor<3x16xf32>, tensor<5x16xf32> -> tensor<8x16xf32>
  %e = math.exp %d : tensor<8x16xf32>
  %s = tile.reduce sum %e axis 1 : tensor<8x16xf32> -> tensor<8xf32>
  %t = tile.expand_dims %s axis 1 : tensor<8xf32> -> tensor<8x1xf32>
  %u = tile.broadcast %t : tensor<8x1xf32> -> tensor<8x16xf32>
  %r = arith.divf %e, %u : tensor<8x16xf32>
  tile.write %r to %out [d0 by 16, d1 by 1] : tensor<8x16xf32> -> memref<8x16xf32>
  func.return
}

// -----

// The maximum of one row beside the numbers of another is no NaN with them.
// CHECK-LABEL: func.func @rows_beside_others(
// CHECK: tile.compare
func.func @rows_beside_others(%x: tensor<8x16xf32>, %out: memref<4x16xf32>) {
  %m = tile.reduce maxnum %x axis 1 : tensor<8x16xf32> -> tensor<8xf32>
  %p = tile.slice %x axis 0 at 0 : tensor<8x16xf32> -> tensor<4x16xf32>
  %n = tile.slice %m axis 0 at 4 : tensor<8xf32> -> tensor<4xf32>
  %c = tile.expand_dims %n axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %b = tile.broadcast %c : tensor<4x1xf32> -> tensor<4x16xf32>
  %d = arith.subf %p, %b : tensor<4x16xf32>
  %e = math.exp %d : tensor<4x16xf32>
  %s = tile.reduce sum %e axis 1 : tensor<4x16xf32> -> tensor<4xf32>
  %t = tile.expand_dims %s axis 1 : tensor<4xf32> -> tensor<4x1xf32>
  %u = tile.broadcast %t : tensor<4x1xf32> -> tensor<4x16xf32>
  %r = arith.divf %e, %u : tensor<4x16xf32>
  tile.write %r to %out [d0 by 16, d1 by 1] : tensor<4x16xf32> -> memref<4x16xf32>
  func.return
}

// -----

// So it is where rows come together in another order.
// CHECK-LABEL: func.func @rows_that_are_moved(
// CHECK: tile.compare
func.func @rows_that_are_moved(%x: tensor<8x16xf32>, %out: memref<8x16xf32>) {
  %m = tile.reduce maxnum %x axis 1 : tensor<8x16xf32> -> tensor<8xf32>
  %m0 = tile.slice %m axis 0 at 0 : tensor<8xf32> -> tensor<3xf32>
  %m1 = tile.slice %m axis 0 at 3 : tensor<8xf32> -> tensor<5xf32>
  %n = tile.concat %m1, %m0 axis 0 : tensor<5xf32>, tensor<3xf32> -> tensor<8xf32>
  %c = tile.expand_dims %n axis 1 : tensor<8xf32> -> tensor<8x1xf32>
  %b = tile.broadcast %c : tensor<8x1xf32> -> tensor<8x16xf32>
  %d = arith.subf %x, %b : tensor<8x16xf32>
  %e = math.exp %d : tensor<8x16xf32>
  %s = tile.reduce sum %e axis 1 : tensor<8x16xf32> -> tensor<8xf32>
  %t = tile.expand_dims %s axis 1 : tensor<8xf32> -> tensor<8x1xf32>
  %u = tile.broadcast %t : tensor<8x1xf32> -> tensor<8x16xf32>
  %r = arith.divf %e, %u : tensor<8x16xf32>
  tile.write %r to %out [d0 by 16, d1 by 1] : tensor<8x16xf32> -> memref<8x16xf32>
  func.return
}

// -----

// A part of each row need not have its NaN.
// CHECK-LABEL: func.func @a_part_of_each_row(
// CHECK: tile.compare
func.func @a_part_of_each_row(%x: tensor<8x16xf32>, %out: memref<8x4xf32>) {
  %m = tile.reduce maxnum %x axis 1 : tensor<8x16xf32> -> tensor<8xf32>
  %p = tile.slice %x axis 1 at 0 : tensor<8x16xf32> -> tensor<8x4xf32>
  %c = tile.expand_dims %m axis 1 : tensor<8xf32> -> tensor<8x1xf32>
  %b = tile.broadcast %c : tensor<8x1xf32> -> tensor<8x4xf32>
  %d = arith.subf %p, %b : tensor<8x4xf32>
  %e = math.exp %d : tensor<8x4xf32>
  %s = tile.reduce sum %e axis 1 : tensor<8x4xf32> -> tensor<8xf32>
  %t = tile.expand_dims %s axis 1 : tensor<8xf32> -> tensor<8x1xf32>
  %u = tile.broadcast %t : tensor<8x1xf32> -> tensor<8x4xf32>
  %r = arith.divf %e, %u : tensor<8x4xf32>
  tile.write %r to %out [d0 by 4, d1 by 1] : tensor<8x4xf32> -> memref<8x4xf32>
  func.return
}

// -----

// Parts of each row beside one another have its NaN if one of them does.
// CHECK-LABEL: func.func @parts_of_each_row(
// CHECK-NOT: tile.compare
// CHECK: tile.reduce max {{.*}} axis 1
// CHECK-NOT: tile.compare
func.func @parts_of_each_row(%x: tensor<8x16xf32>, %w: tensor<8x4xf32>, %out: memref<8x20xf32>) {
  %m = tile.reduce maxnum %x axis 1 : tensor<8x16xf32> -> tensor<8xf32>
  %p = tile.concat %w, %x axis 1 : tensor<8x4xf32>, tensor<8x16xf32> -> tensor<8x20xf32>
  %c = tile.expand_dims %m axis 1 : tensor<8xf32> -> tensor<8x1xf32>
  %b = tile.broadcast %c : tensor<8x1xf32> -> tensor<8x20xf32>
  %d = arith.subf %p, %b : tensor<8x20xf32>
  %e = math.exp %d : tensor<8x20xf32>
  %s = tile.reduce sum %e axis 1 : tensor<8x20xf32> -> tensor<8xf32>
  %t = tile.expand_dims %s axis 1 : tensor<8xf32> -> tensor<8x1xf32>
  %u = tile.broadcast %t : tensor<8x1xf32> -> tensor<8x20xf32>
  %r = arith.divf %e, %u : tensor<8x20xf32>
  tile.write %r to %out [d0 by 20, d1 by 1] : tensor<8x20xf32> -> memref<8x20xf32>
  func.return
}

// -----

// What is made of numbers alone is none but numbers.
// CHECK-LABEL: func.func @pieces_of_numbers(
// CHECK-NOT: tile.compare
// CHECK: arith.maximumf
func.func @pieces_of_numbers() {
  %zero = arith.constant dense<0.0> : tensor<4xf32>
  %one = arith.constant dense<1.0> : tensor<4xf32>
  %c = tile.concat %zero, %one axis 0 : tensor<4xf32>, tensor<4xf32> -> tensor<8xf32>
  %s = tile.slice %c axis 0 at 2 : tensor<8xf32> -> tensor<4xf32>
  %t = tile.slice %c axis 0 at 3 : tensor<8xf32> -> tensor<4xf32>
  %m = arith.maxnumf %s, %t : tensor<4xf32>
  "test.op"(%m) : (tensor<4xf32>) -> ()
  func.return
}
