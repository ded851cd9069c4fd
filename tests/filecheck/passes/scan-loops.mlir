// RUN: nki-opt %s -p scan-loops --split-input-file | filecheck %s
// RUN: nki-opt %s -p scan-loops --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s
// RUN: nki-opt %s -p "scan-loops{width=10}" --split-input-file | filecheck %s --check-prefix TEN


// All iterations, or some at a time: each scan goes on from the last state of the one before, and a rest is one of its
// own. What is the same for all iterations is repeated.
// CHECK-LABEL: func.func @scaled
// CHECK-NOT: scf.for
// CHECK: [[F:%.*]] = tile.read %f({{%.*}}) [37 * d0 + 37 * s0 + d1 by 1] : memref<8x37xf32> -> tensor<8x37xf32>
// CHECK: [[G:%.*]] = tile.read %g({{%.*}}) [d0 by 37, 37 * s0 + d1 by 1] : memref<8x37xf32> -> tensor<8x37xf32>
// CHECK: [[W:%.*]] = tile.broadcast {{%.*}} : tensor<8x1xf32> -> tensor<8x37xf32>
// CHECK: [[V:%.*]] = arith.mulf [[G]], [[W]] : tensor<8x37xf32>
// CHECK: [[S:%.*]] = tile.scan sum [[V]] scale [[F]] : tensor<8x37xf32> initial {{%.*}} : tensor<8xf32> axis 1 : tensor<8x37xf32> -> tensor<8x37xf32>
// CHECK: tile.write [[S]] to %y({{%.*}}) [d0 by 37, 37 * s0 + d1 by 1]
// CHECK: [[L:%.*]] = tile.last [[S]] axis 1 : tensor<8x37xf32> -> tensor<8xf32>
// CHECK: tile.write [[L]] to %z
// TEN-LABEL: func.func @scaled
// TEN: [[N:%.*]] = arith.constant 3 : index
// TEN: [[H:%.*]] = scf.for [[T:%.*]] = {{%.*}} to [[N]] step {{%.*}} iter_args([[ARG:%.*]] = {{%.*}}) -> (tensor<8xf32>)
// TEN: tile.read %g([[T]]) [d0 by 37, 10 * s0 + d1 by 1] : memref<8x37xf32> -> tensor<8x10xf32>
// TEN: [[S:%.*]] = tile.scan sum {{%.*}} scale {{%.*}} initial [[ARG]] : tensor<8xf32> axis 1
// TEN: [[L:%.*]] = tile.last [[S]] axis 1 : tensor<8x10xf32> -> tensor<8xf32>
// TEN: scf.yield [[L]]
// TEN-NOT: scf.for
// TEN: tile.read %g({{%.*}}) [d0 by 37, 30 + 7 * s0 + d1 by 1] : memref<8x37xf32> -> tensor<8x7xf32>
// TEN: [[S:%.*]] = tile.scan sum {{%.*}} scale {{%.*}} initial [[H]] : tensor<8xf32> axis 1 : tensor<8x7xf32>
// TEN: [[L:%.*]] = tile.last [[S]] axis 1 : tensor<8x7xf32> -> tensor<8xf32>
// TEN: tile.write [[L]] to %z
func.func @scaled(%f: memref<8x37xf32>, %g: memref<8x37xf32>, %w: memref<8xf32>, %y: memref<8x37xf32>, %z: memref<8xf32>) {
  %weight = tile.read %w [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  %zero = arith.constant dense<0.0> : tensor<8xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 37 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (tensor<8xf32>) {
    %a = tile.read %f(%t) [37 * d0 + s0 by 1] : memref<8x37xf32> -> tensor<8xf32>
    %b = tile.read %g(%t) [d0 by 37, s0 by 1] : memref<8x37xf32> -> tensor<8xf32>
    %c = arith.mulf %b, %weight : tensor<8xf32>
    %p = arith.mulf %a, %h : tensor<8xf32>
    %s = arith.addf %p, %c : tensor<8xf32>
    tile.write %s to %y(%t) [d0 by 37, s0 by 1] : tensor<8xf32> -> memref<8x37xf32>
    scf.yield %s : tensor<8xf32>
  }
  tile.write %end to %z [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// Of a sum there is no factor, of a product no summand; a scalar's states are a vector.
// CHECK-LABEL: func.func @sum_and_product
// CHECK: [[X:%.*]] = tile.read {{.*}} -> tensor<20xf32>
// CHECK: tile.scan sum [[X]] initial {{%.*}} : f32 axis 0 : tensor<20xf32> -> tensor<20xf32>
// CHECK: tile.scan product [[X]] initial {{%.*}} : f32 axis 0 : tensor<20xf32> -> tensor<20xf32>
func.func @sum_and_product(%x: memref<20xf32>, %y: memref<20xf32>, %z: memref<20xf32>) {
  %zero = arith.constant 0.0 : f32
  %unit = arith.constant 1.0 : f32
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %ends:2 = scf.for %t = %low to %high step %one iter_args(%h = %zero, %k = %unit) -> (f32, f32) {
    %v = tile.read %x(%t) [s0 by 1] : memref<20xf32> -> f32
    %s = arith.addf %v, %h : f32
    %p = arith.mulf %k, %v : f32
    tile.write %s to %y(%t) [s0 by 1] : f32 -> memref<20xf32>
    tile.write %p to %z(%t) [s0 by 1] : f32 -> memref<20xf32>
    scf.yield %s, %p : f32, f32
  }
  func.return
}

// A weighted mean, `h + 0.25 * (v - h)`, is `0.75 * h + 0.25 * v`.
// CHECK-LABEL: func.func @weighted_mean
// CHECK: [[N:%.*]] = arith.constant 7.500000e-01 : f32
// CHECK: [[F:%.*]] = tile.splat [[N]] : f32 -> tensor<20xf32>
// CHECK: [[N:%.*]] = arith.constant 2.500000e-01 : f32
// CHECK: [[W:%.*]] = tile.splat [[N]] : f32 -> tensor<20xf32>
// CHECK: [[V:%.*]] = arith.mulf {{%.*}}, [[W]] : tensor<20xf32>
// CHECK: tile.scan sum [[V]] scale [[F]]
func.func @weighted_mean(%x: memref<20xf32>, %y: memref<20xf32>) {
  %zero = arith.constant 0.0 : f32
  %weight = arith.constant 0.25 : f32
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (f32) {
    %v = tile.read %x(%t) [s0 by 1] : memref<20xf32> -> f32
    %d = arith.subf %v, %h : f32
    %w = arith.mulf %weight, %d : f32
    %s = arith.addf %h, %w : f32
    tile.write %s to %y(%t) [s0 by 1] : f32 -> memref<20xf32>
    scf.yield %s : f32
  }
  func.return
}

// What is subtracted has its sign changed.
// CHECK-LABEL: func.func @differences
// CHECK: [[V:%.*]] = tile.read {{.*}} -> tensor<20xf32>
// CHECK: [[F:%.*]] = arith.negf [[V]] : tensor<20xf32>
// CHECK: tile.scan sum [[V]] scale [[F]]
func.func @differences(%x: memref<20xf32>, %y: memref<20xf32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (f32) {
    %v = tile.read %x(%t) [s0 by 1] : memref<20xf32> -> f32
    %p = arith.mulf %v, %h : f32
    %s = arith.subf %v, %p : f32
    tile.write %s to %y(%t) [s0 by 1] : f32 -> memref<20xf32>
    scf.yield %s : f32
  }
  func.return
}

// A state that stays where a condition fails has the factor 1 and the summand 0 there; the second state needs the first.
// CHECK-LABEL: func.func @a_choice_and_a_cascade
// CHECK: [[C:%.*]] = tile.compare gt {{.*}} : tensor<4x20xf32>
// CHECK: [[N:%.*]] = arith.constant 1.000000e+00 : f32
// CHECK: [[ONE:%.*]] = tile.splat [[N]] : f32 -> tensor<4x20xf32>
// CHECK: [[F:%.*]] = tile.select [[C]], [[X:%.*]], [[ONE]] :
// CHECK: [[N:%.*]] = arith.constant 0.000000e+00 : f32
// CHECK: [[ZERO:%.*]] = tile.splat [[N]] : f32 -> tensor<4x20xf32>
// CHECK: [[G:%.*]] = tile.select [[C]], [[X]], [[ZERO]] :
// CHECK: [[H:%.*]] = tile.scan sum [[G]] scale [[F]]
// CHECK: tile.scan sum [[H]] scale [[X]] {{.*}} initial
func.func @a_choice_and_a_cascade(%x: memref<4x20xf32>, %y: memref<4x20xf32>) {
  %zero = arith.constant dense<0.0> : tensor<4xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %ends:2 = scf.for %t = %low to %high step %one iter_args(%h = %zero, %k = %zero) -> (tensor<4xf32>, tensor<4xf32>) {
    %v = tile.read %x(%t) [d0 by 20, s0 by 1] : memref<4x20xf32> -> tensor<4xf32>
    %c = tile.compare gt %v, %zero : tensor<4xf32>, tensor<4xf32> -> tensor<4xi1>
    %p = arith.mulf %v, %h : tensor<4xf32>
    %n = arith.addf %p, %v : tensor<4xf32>
    %s = tile.select %c, %n, %h : tensor<4xi1>, tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
    %q = arith.mulf %v, %k : tensor<4xf32>
    %r = arith.addf %q, %s : tensor<4xf32>
    tile.write %r to %y(%t) [d0 by 20, s0 by 1] : tensor<4xf32> -> memref<4x20xf32>
    scf.yield %s, %r : tensor<4xf32>, tensor<4xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @iterations_stay_behind_a_new_dimension
// CHECK: [[E:%.*]] = tile.expand_dims {{%.*}} axis 1 : tensor<4x20xf32> -> tensor<4x1x20xf32>
// CHECK: [[B:%.*]] = tile.broadcast [[E]] : tensor<4x1x20xf32> -> tensor<4x3x20xf32>
// CHECK: tile.scan sum [[B]]
func.func @iterations_stay_behind_a_new_dimension(%f: memref<4x20xf32>, %y: memref<4x3x20xf32>) {
  %zero = arith.constant dense<0.0> : tensor<4x3xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (tensor<4x3xf32>) {
    %a = tile.read %f(%t) [20 * d0 + s0 by 1] : memref<4x20xf32> -> tensor<4xf32>
    %e = tile.expand_dims %a axis 1 : tensor<4xf32> -> tensor<4x1xf32>
    %b = tile.broadcast %e : tensor<4x1xf32> -> tensor<4x3xf32>
    %s = arith.addf %h, %b : tensor<4x3xf32>
    tile.write %s to %y(%t) [60 * d0 + 20 * d1 + s0 by 1] : tensor<4x3xf32> -> memref<4x3x20xf32>
    scf.yield %s : tensor<4x3xf32>
  }
  "test.op"(%end) : (tensor<4x3xf32>) -> ()
  func.return
}

// -----

// Left alone: what only adds up, what needs the state from before, what is not multiplied and added to, what another
// iteration touches, what is stored in one place, products, loops whose length is not known, and states of other types.
// CHECK-LABEL: func.func @only_adds_up
// CHECK: scf.for
// CHECK-NOT: tile.scan
// TEN-LABEL: func.func @only_adds_up
// TEN-NOT: tile.scan
func.func @only_adds_up(%x: memref<20xf32>, %y: memref<1xf32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (f32) {
    %v = tile.read %x(%t) [s0 by 1] : memref<20xf32> -> f32
    %s = arith.addf %h, %v : f32
    scf.yield %s : f32
  }
  tile.write %end to %y [0 by 1] : f32 -> memref<1xf32>
  func.return
}

// CHECK-LABEL: func.func @the_state_from_before
// CHECK: scf.for
func.func @the_state_from_before(%x: memref<20xf32>, %y: memref<20xf32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (f32) {
    %v = tile.read %x(%t) [s0 by 1] : memref<20xf32> -> f32
    %p = arith.mulf %h, %v : f32
    %s = arith.addf %p, %v : f32
    tile.write %h to %y(%t) [s0 by 1] : f32 -> memref<20xf32>
    scf.yield %s : f32
  }
  func.return
}

// CHECK-LABEL: func.func @other_operations
// CHECK: scf.for
func.func @other_operations(%x: memref<20xf32>, %y: memref<20xf32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (f32) {
    %v = tile.read %x(%t) [s0 by 1] : memref<20xf32> -> f32
    %p = arith.mulf %h, %h : f32
    %s = arith.addf %p, %v : f32
    tile.write %s to %y(%t) [s0 by 1] : f32 -> memref<20xf32>
    scf.yield %s : f32
  }
  func.return
}

// CHECK-LABEL: func.func @touched_by_another
// CHECK: scf.for
func.func @touched_by_another(%x: memref<21xf32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (f32) {
    %v = tile.read %x(%t) [s0 by 1] : memref<21xf32> -> f32
    %s = arith.addf %h, %v : f32
    tile.write %s to %x(%t) [s0 + 1 by 1] : f32 -> memref<21xf32>
    scf.yield %s : f32
  }
  func.return
}

// CHECK-LABEL: func.func @in_one_place
// CHECK: scf.for
func.func @in_one_place(%x: memref<20xf32>, %y: memref<1xf32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (f32) {
    %v = tile.read %x(%t) [s0 by 1] : memref<20xf32> -> f32
    %s = arith.addf %h, %v : f32
    tile.write %s to %y [0 by 1] : f32 -> memref<1xf32>
    scf.yield %s : f32
  }
  func.return
}

// CHECK-LABEL: func.func @products
// CHECK: scf.for
func.func @products(%x: memref<20x64xf32>, %y: memref<20x64xf32>) {
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %w = tile.read %x [8 * d0 + d1 by 1] : memref<20x64xf32> -> tensor<8x8xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (tensor<8x8xf32>) {
    %v = tile.read %x(%t) [64 * s0 + 8 * d0 + d1 by 1] : memref<20x64xf32> -> tensor<8x8xf32>
    %p = tile.dot %v, %w over [1] x [0] : tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
    %s = arith.addf %h, %p : tensor<8x8xf32>
    tile.write %s to %y(%t) [64 * s0 + 8 * d0 + d1 by 1] : tensor<8x8xf32> -> memref<20x64xf32>
    scf.yield %s : tensor<8x8xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @of_unknown_length
// CHECK: scf.for
func.func @of_unknown_length(%x: memref<20xf32>, %y: memref<20xf32>, %n: memref<1xi32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0 : index
  %count = tile.read %n [0 by 1] : memref<1xi32> -> i32
  %high = arith.index_cast %count : i32 to index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (f32) {
    %v = tile.read %x(%t) [s0 by 1] : memref<20xf32> -> f32
    %s = arith.addf %h, %v : f32
    tile.write %s to %y(%t) [s0 by 1] : f32 -> memref<20xf32>
    scf.yield %s : f32
  }
  func.return
}

// CHECK-LABEL: func.func @integers
// CHECK: scf.for
func.func @integers(%x: memref<20xi32>, %y: memref<20xi32>) {
  %zero = arith.constant 0 : i32
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (i32) {
    %v = tile.read %x(%t) [s0 by 1] : memref<20xi32> -> i32
    %s = arith.addi %h, %v : i32
    tile.write %s to %y(%t) [s0 by 1] : i32 -> memref<20xi32>
    scf.yield %s : i32
  }
  func.return
}

// CHECK-LABEL: func.func @narrow_states
// CHECK: scf.for
func.func @narrow_states(%x: memref<20xbf16>, %y: memref<20xbf16>) {
  %zero = arith.constant 0.0 : bf16
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (bf16) {
    %v = tile.read %x(%t) [s0 by 1] : memref<20xbf16> -> bf16
    %s = arith.addf %h, %v : bf16
    tile.write %s to %y(%t) [s0 by 1] : bf16 -> memref<20xbf16>
    scf.yield %s : bf16
  }
  func.return
}

// A branch that differs between iterations.
// CHECK-LABEL: func.func @a_branch
// CHECK: scf.for
func.func @a_branch(%x: memref<20xf32>, %y: memref<20xf32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0 : index
  %high = arith.constant 20 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (f32) {
    %v = tile.read %x(%t) [s0 by 1] : memref<20xf32> -> f32
    %s = arith.addf %h, %v : f32
    %few = arith.cmpi slt, %t, %one : index
    scf.if %few {
      tile.write %s to %y(%t) [s0 by 1] : f32 -> memref<20xf32>
    }
    scf.yield %s : f32
  }
  func.return
}

// -----

// As many at a time as three quarters of SBUF hold twice.
// CHECK-LABEL: func.func @a_long_sequence
// TEN-LABEL: func.func @a_long_sequence
// CHECK: scf.for
// CHECK: tile.scan {{.*}} axis 1 : tensor<128x5120xf32>
func.func @a_long_sequence(%x: memref<128x40960xf32>, %y: memref<128x40960xf32>) {
  %zero = arith.constant dense<0.0> : tensor<128xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 40960 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (tensor<128xf32>) {
    %v = tile.read %x(%t) [d0 by 40960, s0 by 1] : memref<128x40960xf32> -> tensor<128xf32>
    %s = arith.addf %h, %v : tensor<128xf32>
    tile.write %s to %y(%t) [d0 by 40960, s0 by 1] : tensor<128xf32> -> memref<128x40960xf32>
    scf.yield %s : tensor<128xf32>
  }
  func.return
}

// Tiles that are too large for that: one iteration keeps the Vector engine busy.
// CHECK-LABEL: func.func @long_tiles
// CHECK: scf.for
// CHECK-NOT: tile.scan
func.func @long_tiles(%x: memref<8x2097152xf32>, %y: memref<8x2097152xf32>) {
  %zero = arith.constant dense<0.0> : tensor<2097152xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 8 : index
  %one = arith.constant 1 : index
  %end = scf.for %t = %low to %high step %one iter_args(%h = %zero) -> (tensor<2097152xf32>) {
    %v = tile.read %x(%t) [2097152 * s0 + d0 by 1] : memref<8x2097152xf32> -> tensor<2097152xf32>
    %s = arith.addf %h, %v : tensor<2097152xf32>
    tile.write %s to %y(%t) [2097152 * s0 + d0 by 1] : tensor<2097152xf32> -> memref<8x2097152xf32>
    scf.yield %s : tensor<2097152xf32>
  }
  func.return
}
