// RUN: nki-opt %s -p expand-indices --split-input-file | filecheck %s
// RUN: nki-opt %s -p expand-indices --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @remainders_are_computed(
// CHECK: [[I:%.*]] = tile.cast %{{.*}} : tensor<16xindex> -> tensor<16xi32>
// CHECK: [[R:%.*]] = arith.remsi [[I]], %{{.*}} : tensor<16xi32>
// CHECK-NEXT: tile.cast [[R]] : tensor<16xi32> -> tensor<16xf32>
func.func @remainders_are_computed() {
  %i = tile.arange 0 to 16 : tensor<16xindex>
  %t = arith.constant dense<3> : tensor<16xindex>
  %r = arith.remsi %i, %t : tensor<16xindex>
  %n = tile.cast %r : tensor<16xindex> -> tensor<16xf32>
  "test.op"(%n) : (tensor<16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @comparisons_with_data_are_of_words(
// CHECK-SAME: [[K:%[a-z]+]]: tensor<16xi32>
// CHECK: [[I:%.*]] = tile.cast %{{.*}} : tensor<16xindex> -> tensor<16xi32>
// CHECK-NEXT: tile.compare lt [[I]], [[K]] : tensor<16xi32>
func.func @comparisons_with_data_are_of_words(%k: tensor<16xi32>) {
  %i = tile.arange 0 to 16 : tensor<16xindex>
  %r = tile.cast %k : tensor<16xi32> -> tensor<16xindex>
  %c = tile.compare lt %i, %r : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  "test.op"(%c) : (tensor<16xi1>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @loaded_wide_integers_are_compared_as_they_are(
// CHECK-SAME: [[K:%[a-z]+]]: tensor<16xi64>
// CHECK: [[W:%.*]] = tile.cast %{{.*}} : tensor<16xi32> -> tensor<16xi64>
// CHECK-NEXT: tile.compare lt [[W]], [[K]] : tensor<16xi64>
// CHECK: [[LOW:%.*]] = tile.cast [[K]] : tensor<16xi64> -> tensor<16xi32>
// CHECK: arith.addi [[LOW]], %{{.*}} : tensor<16xi32>
// CHECK-NEXT: tile.cast [[K]] : tensor<16xi64> -> tensor<16xf32>
func.func @loaded_wide_integers_are_compared_as_they_are(%k: tensor<16xi64>) {
  %i = tile.arange 0 to 16 : tensor<16xindex>
  %r = tile.cast %k : tensor<16xi64> -> tensor<16xindex>
  %c = tile.compare lt %i, %r : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %s = arith.addi %r, %i : tensor<16xindex>
  %low = tile.cast %s : tensor<16xindex> -> tensor<16xi32>
  %f = tile.cast %r : tensor<16xindex> -> tensor<16xf32>
  "test.op"(%c, %low, %f) : (tensor<16xi1>, tensor<16xi32>, tensor<16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @constants_beyond_32_bits_keep_them(
// CHECK-SAME: [[K:%[a-z]+]]: tensor<16xi64>
// CHECK: [[C:%.*]] = arith.constant dense<4294967301> : tensor<16xi64>
// CHECK-NEXT: tile.compare eq [[K]], [[C]] : tensor<16xi64>
func.func @constants_beyond_32_bits_keep_them(%k: tensor<16xi64>) {
  %t = arith.constant dense<4294967301> : tensor<16xindex>
  %r = tile.cast %k : tensor<16xi64> -> tensor<16xindex>
  %c = tile.compare eq %r, %t : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  "test.op"(%c) : (tensor<16xi1>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @choices_and_shapes_move(
// CHECK-SAME: [[K:%[a-z]+]]: tensor<16xi16>, [[C:%[a-z]+]]: tensor<16x1xi1>
// CHECK: [[W:%.*]] = tile.cast [[K]] : tensor<16xi16> -> tensor<16xi32>
// CHECK-NEXT: [[E:%.*]] = tile.expand_dims [[W]] axis 1 : tensor<16xi32>
// CHECK-NEXT: [[S:%.*]] = tile.select [[C]], [[E]], [[E]] : tensor<16x1xi1>, tensor<16x1xi32>
// CHECK-NEXT: [[A:%.*]] = math.absi [[S]] : tensor<16x1xi32>
// CHECK-NEXT: [[B:%.*]] = tile.broadcast [[A]] : tensor<16x1xi32> -> tensor<16x4xi32>
// CHECK-NEXT: [[T:%.*]] = tile.permute [[B]] order [1, 0] : tensor<16x4xi32>
// CHECK-NEXT: tile.cast [[T]] : tensor<4x16xi32> -> tensor<4x16xf32>
func.func @choices_and_shapes_move(%k: tensor<16xi16>, %c: tensor<16x1xi1>) {
  %r = tile.cast %k : tensor<16xi16> -> tensor<16xindex>
  %e = tile.expand_dims %r axis 1 : tensor<16xindex> -> tensor<16x1xindex>
  %s = tile.select %c, %e, %e : tensor<16x1xi1>, tensor<16x1xindex>, tensor<16x1xindex> -> tensor<16x1xindex>
  %a = math.absi %s : tensor<16x1xindex>
  %b = tile.broadcast %a : tensor<16x1xindex> -> tensor<16x4xindex>
  %t = tile.permute %b order [1, 0] : tensor<16x4xindex> -> tensor<4x16xindex>
  %f = tile.cast %t : tensor<4x16xindex> -> tensor<4x16xf32>
  "test.op"(%f) : (tensor<4x16xf32>) -> ()
  func.return
}

// -----

// What an iota counts.
// CHECK-LABEL: func.func @leaves_alone(
// CHECK: [[R:%.*]] = arith.muli %{{.*}} : tensor<16xindex>
// CHECK-NEXT: tile.compare lt %{{.*}} : tensor<16xindex>
// CHECK-NEXT: tile.cast [[R]] : tensor<16xindex> -> tensor<16xf32>
// CHECK-NEXT: "test.op"
func.func @leaves_alone() {
  %i = tile.arange 0 to 16 : tensor<16xindex>
  %t = arith.constant dense<3> : tensor<16xindex>
  %r = arith.muli %i, %t : tensor<16xindex>
  %c = tile.compare lt %i, %t : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %n = tile.cast %r : tensor<16xindex> -> tensor<16xf32>
  "test.op"(%n, %c) : (tensor<16xf32>, tensor<16xi1>) -> ()
  func.return
}

// -----

// A register holds one number that is known at run time only; what is made of two is computed as data.
// CHECK-LABEL: func.func @a_bound_of_two_loaded_numbers(
// CHECK-SAME: [[A:%[a-z]+]]: i32, [[B:%[a-z]+]]: i32
// CHECK: [[SPAN:%.*]] = arith.subi [[B]], [[A]] : i32
// CHECK-NEXT: [[END:%.*]] = tile.cast [[SPAN]] : i32 -> index
// CHECK-NEXT: scf.for %{{.*}} to [[END]] step
// CHECK: scf.for %{{.*}} to [[M:%n]] step
func.func @a_bound_of_two_loaded_numbers(%a: i32, %b: i32) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %m = tile.cast %a : i32 -> index
  %n = tile.cast %b : i32 -> index
  %span = arith.subi %n, %m : index
  scf.for %i = %zero to %span step %one {
    "test.op"() : () -> ()
  }
  scf.for %i = %zero to %n step %one {
    "test.op"() : () -> ()
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @a_bound_that_a_condition_chooses(
// CHECK: [[N:%.*]] = tile.select %c, %{{.*}}, %{{.*}} : i1, i32, i32 -> i32
// CHECK-NEXT: [[END:%.*]] = tile.cast [[N]] : i32 -> index
// CHECK-NEXT: scf.for %{{.*}} to [[END]] step
func.func @a_bound_that_a_condition_chooses(%c: i1) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = tile.select %c, %one, %zero : i1, index, index -> index
  scf.for %i = %zero to %n step %one {
    "test.op"() : () -> ()
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @sums_of_wide_integers_keep_their_words(
// CHECK-SAME: [[K:%[a-z]+]]: tensor<16xi64>
// CHECK: [[SUM:%.*]] = arith.addi [[K]], [[K]] : tensor<16xi64>
// CHECK: [[THREE:%.*]] = arith.constant dense<3> : tensor<16xi64>
// CHECK-NEXT: [[MOST:%.*]] = arith.maxsi [[SUM]], [[THREE]] : tensor<16xi64>
// CHECK-NEXT: tile.compare lt [[K]], [[MOST]] : tensor<16xi64>
func.func @sums_of_wide_integers_keep_their_words(%k: tensor<16xi64>) {
  %r = tile.cast %k : tensor<16xi64> -> tensor<16xindex>
  %three = arith.constant dense<3> : tensor<16xindex>
  %s = arith.addi %r, %r : tensor<16xindex>
  %m = arith.maxsi %s, %three : tensor<16xindex>
  %c = tile.compare lt %r, %m : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  "test.op"(%c) : (tensor<16xi1>) -> ()
  func.return
}

// Also narrower integers have 64 bits where what is made of them is stored as i64.
// CHECK-LABEL: func.func @sums_of_narrow_integers_that_become_wide
// CHECK-SAME: [[K:%[a-z]+]]: tensor<16xi32>
// CHECK: [[W:%.*]] = tile.cast [[K]] : tensor<16xi32> -> tensor<16xi64>
// CHECK: [[C:%.*]] = arith.constant dense<1000003> : tensor<16xi64>
// CHECK-NEXT: arith.muli [[W]], [[C]] : tensor<16xi64>
func.func @sums_of_narrow_integers_that_become_wide(%k: tensor<16xi32>) {
  %c = arith.constant dense<1000003> : tensor<16xindex>
  %i = tile.cast %k : tensor<16xi32> -> tensor<16xindex>
  %p = arith.muli %i, %c : tensor<16xindex>
  %r = tile.cast %p : tensor<16xindex> -> tensor<16xi64>
  "test.op"(%r) : (tensor<16xi64>) -> ()
  func.return
}

// CHECK-LABEL: func.func @integers_without_a_sign_stay_above_zero
// CHECK: [[LOW:%.*]] = tile.cast %{{.*}} : tensor<16xi32> -> tensor<16xi64>
// CHECK: [[MOST:%.*]] = arith.constant dense<4294967295> : tensor<16xi64>
// CHECK-NEXT: arith.andi [[LOW]], [[MOST]] : tensor<16xi64>
func.func @integers_without_a_sign_stay_above_zero(%k: tensor<16xui32>) {
  %i = tile.cast %k : tensor<16xui32> -> tensor<16xindex>
  %r = tile.cast %i : tensor<16xindex> -> tensor<16xi64>
  "test.op"(%r) : (tensor<16xi64>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @places_beyond_32_bits(
// CHECK-SAME: [[K:%[a-z]+]]: tensor<16xi64>
// CHECK: [[I:%.*]] = tile.cast %{{.*}} : tensor<16xi32> -> tensor<16xi64>
// CHECK: [[C:%.*]] = arith.constant dense<1073741824> : tensor<16xi64>
// CHECK-NEXT: [[P:%.*]] = arith.muli [[I]], [[C]] : tensor<16xi64>
// CHECK-NEXT: tile.compare lt [[K]], [[P]] : tensor<16xi64>
func.func @places_beyond_32_bits(%k: tensor<16xi64>) {
  %i = tile.arange 0 to 16 : tensor<16xindex>
  %t = arith.constant dense<1073741824> : tensor<16xindex>
  %s = arith.muli %i, %t : tensor<16xindex>
  %r = tile.cast %k : tensor<16xi64> -> tensor<16xindex>
  %c = tile.compare lt %r, %s : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  "test.op"(%c) : (tensor<16xi1>) -> ()
  func.return
}

// -----

// What is made of integers of 32 bits has 32 bits only where it fits them, or where its low bits are asked for.
// CHECK-LABEL: func.func @sums_of_narrow_integers(
// CHECK-SAME: [[K:%[a-z]+]]: tensor<16xi32>, [[S:%[a-z]+]]: tensor<16xi16>
// CHECK: arith.muli %{{.*}} : tensor<16xi64>
// CHECK: tile.compare lt %{{.*}} : tensor<16xi64>
// CHECK: [[LOW:%.*]] = arith.muli %{{.*}} : tensor<16xi32>
// CHECK: arith.shli [[LOW]], %{{.*}} : tensor<16xi32>
// CHECK: [[SHORT:%.*]] = arith.muli %{{.*}} : tensor<16xi32>
// CHECK: tile.compare lt [[SHORT]], %{{.*}} : tensor<16xi32>
func.func @sums_of_narrow_integers(%k: tensor<16xi32>, %s: tensor<16xi16>) {
  %three = arith.constant dense<3> : tensor<16xindex>
  %i = tile.cast %k : tensor<16xi32> -> tensor<16xindex>
  %p = arith.muli %i, %three : tensor<16xindex>
  %c = tile.compare lt %p, %three : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %shifted = arith.shli %p, %three : tensor<16xindex>
  %low = tile.cast %shifted : tensor<16xindex> -> tensor<16xi32>
  %j = tile.cast %s : tensor<16xi16> -> tensor<16xindex>
  %q = arith.muli %j, %three : tensor<16xindex>
  %d = tile.compare lt %q, %three : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  "test.op"(%c, %low, %d) : (tensor<16xi1>, tensor<16xi32>, tensor<16xi1>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @magnitudes_and_shifts_of_64_bits(
// CHECK-SAME: [[K:%[a-z]+]]: tensor<16xi64>
// CHECK: [[EIGHT:%.*]] = arith.constant dense<8> : tensor<16xi64>
// CHECK: [[L:%.*]] = tile.compare lt [[K]], [[ZERO:%.*]] : tensor<16xi64>
// CHECK-NEXT: [[N:%.*]] = arith.subi [[ZERO]], [[K]] : tensor<16xi64>
// CHECK-NEXT: [[A:%.*]] = tile.select [[L]], [[N]], [[K]]
// CHECK-NEXT: arith.muli [[A]], [[EIGHT]] : tensor<16xi64>
func.func @magnitudes_and_shifts_of_64_bits(%k: tensor<16xi64>) {
  %three = arith.constant dense<3> : tensor<16xindex>
  %i = tile.cast %k : tensor<16xi64> -> tensor<16xindex>
  %a = math.absi %i : tensor<16xindex>
  %s = arith.shli %a, %three : tensor<16xindex>
  %r = tile.cast %s : tensor<16xindex> -> tensor<16xi64>
  "test.op"(%r) : (tensor<16xi64>) -> ()
  func.return
}

// -----

// What a loop carries as a number is an index: it is taken to fit, and what is made of it.
// CHECK-LABEL: func.func @carried_indices_fit(
// CHECK-SAME: [[N:%[a-z]+]]: i32
// CHECK: [[P:%.*]] = arith.muli [[N]], %{{.*}} : i32
// CHECK: tile.compare lt [[P]], %{{.*}} : i32
func.func @carried_indices_fit(%n: i32) {
  %eight = arith.constant 8 : index
  %i = tile.cast %n {tile.carried} : i32 -> index
  %p = arith.muli %i, %eight : index
  %c = tile.compare lt %p, %eight : index, index -> i1
  "test.op"(%c) : (i1) -> ()
  func.return
}

// -----

// Pieces of remainders, which are no affine expression; those of what is counted are counted.
// CHECK-LABEL: func.func @pieces
// CHECK: [[R:%.*]] = arith.remsi {{%.*}} : tensor<16xi32>
// CHECK: [[S:%.*]] = tile.slice [[R]] axis 0 at 4 : tensor<16xi32> -> tensor<8xi32>
// CHECK: [[K:%.*]] = tile.cast {{%.*}} : tensor<4xindex> -> tensor<4xi32>
// CHECK: [[C:%.*]] = tile.concat [[S]], [[K]] axis 0 : tensor<8xi32>, tensor<4xi32> -> tensor<12xi32>
// CHECK: tile.cast [[C]] : tensor<12xi32> -> tensor<12xf32>
func.func @pieces() {
  %five = arith.constant dense<5> : tensor<16xindex>
  %i = tile.arange 0 to 16 : tensor<16xindex>
  %r = arith.remsi %i, %five : tensor<16xindex>
  %s = tile.slice %r axis 0 at 4 : tensor<16xindex> -> tensor<8xindex>
  %t = tile.slice %i axis 0 at 7 : tensor<16xindex> -> tensor<4xindex>
  %c = tile.concat %s, %t axis 0 : tensor<8xindex>, tensor<4xindex> -> tensor<12xindex>
  %n = tile.cast %c : tensor<12xindex> -> tensor<12xf32>
  "test.op"(%n) : (tensor<12xf32>) -> ()
  func.return
}
