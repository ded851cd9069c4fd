// RUN: nki-opt %s -p expand-branches --split-input-file | filecheck %s
// RUN: nki-opt %s -p expand-branches --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @accesses_are_masked_and_results_chosen(
// CHECK-SAME: [[X:%[a-z]+]]: memref<64xf32>, [[C:%[a-z]+]]: i1, [[V:%[a-z]+]]: f32
// CHECK-NEXT: [[A:%.*]] = tile.read [[X]] [0 by 1] mask [[C]] : i1
// CHECK-NEXT: [[ALL:%.*]] = arith.constant
// CHECK-NEXT: [[NOT:%.*]] = arith.xori [[C]], [[ALL]] : i1
// CHECK-NEXT: tile.write [[V]] to [[X]] [1 by 1] mask [[NOT]] : i1 atomic
// CHECK-NEXT: [[R:%.*]] = tile.select [[C]], [[A]], [[V]]
// CHECK-NEXT: "test.op"([[R]])
func.func @accesses_are_masked_and_results_chosen(%x: memref<64xf32>, %c: i1, %v: f32) {
  %r = scf.if %c -> (f32) {
    %a = tile.read %x [0 by 1] : memref<64xf32> -> f32
    scf.yield %a : f32
  } else {
    tile.write %v to %x [1 by 1] atomic : f32 -> memref<64xf32>
    scf.yield %v : f32
  }
  "test.op"(%r) : (f32) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @conditions_on_counters_are_bounds(
// CHECK: tile.write %{{.*}} to %{{.*}}([[I:%.*]]) [d0 by 1, s0 in * to 3 by 0] : tensor
// CHECK: tile.write %{{.*}} to %{{.*}}([[I]]) [8 + d0 in * to 13 by 1, s0 in 3 to * by 0] : tensor
// CHECK-NOT: mask
func.func @conditions_on_counters_are_bounds(%x: memref<64xf32>, %i: index, %v: tensor<8xf32>) {
  %three = arith.constant 3 : index
  %c = tile.compare lt %i, %three : index, index -> i1
  scf.if %c {
    tile.write %v to %x [d0 by 1] : tensor<8xf32> -> memref<64xf32>
  } else {
    tile.write %v to %x [8 + d0 in * to 13 by 1] : tensor<8xf32> -> memref<64xf32>
  }
  func.return
}

// -----

// Both comparisons of a NaN are false, so that the one is not the other's opposite.
// CHECK-LABEL: func.func @nested_conditions_hold_at_once(
// CHECK: [[LESS:%.*]] = tile.compare lt
// CHECK: [[SAME:%.*]] = tile.compare eq
// CHECK: [[NOT:%.*]] = arith.xori [[LESS]]
// CHECK: [[NO:%.*]] = tile.splat [[NOT]] : i1 -> tensor<8xi1>
// CHECK: [[BOTH:%.*]] = arith.andi %{{.*}}, [[NO]]
// CHECK: tile.write %{{.*}} to %{{.*}} [d0 by 1] mask [[BOTH]]
func.func @nested_conditions_hold_at_once(%x: memref<64xf32>, %a: f32, %b: f32, %v: tensor<8xf32>) {
  %c = tile.compare lt %a, %b : f32, f32 -> i1
  %d = tile.compare eq %a, %b : f32, f32 -> i1
  scf.if %c {
  } else {
    scf.if %d {
      tile.write %v to %x [d0 by 1] : tensor<8xf32> -> memref<64xf32>
    }
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @what_is_the_same_on_both_sides_is_not_chosen(
// CHECK-SAME: [[V:%[a-z]+]]: tensor<8xf32>
// CHECK-NOT: tile.select
// CHECK: "test.op"([[V]])
func.func @what_is_the_same_on_both_sides_is_not_chosen(%c: i1, %v: tensor<8xf32>) {
  %r = scf.if %c -> (tensor<8xf32>) {
    scf.yield %v : tensor<8xf32>
  } else {
    scf.yield %v : tensor<8xf32>
  }
  "test.op"(%r) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @accesses_in_a_loop_are_masked(
// CHECK: scf.for
// CHECK-NEXT: tile.write %{{.*}} to %{{.*}} [0 by 1] mask %{{.*}} : i1
func.func @accesses_in_a_loop_are_masked(%x: memref<64xf32>, %c: i1, %v: f32) {
  %low = arith.constant 0 : index
  %high = arith.constant 4 : index
  %step = arith.constant 1 : index
  scf.if %c {
    scf.for %i = %low to %high step %step {
      tile.write %v to %x [0 by 1] : f32 -> memref<64xf32>
    }
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @leaves_alone(
// CHECK: tile.write %{{.*}} to %{{.*}} [0 by 1] : f32
// CHECK-NEXT: [[R:%.*]] = tile.select
// CHECK-NEXT: "test.op"([[R]])
func.func @leaves_alone(%x: memref<64xf32>, %c: i1, %v: f32, %w: f32) {
  tile.write %v to %x [0 by 1] : f32 -> memref<64xf32>
  %r = tile.select %c, %v, %w : i1, f32, f32 -> f32
  "test.op"(%r) : (f32) -> ()
  func.return
}
