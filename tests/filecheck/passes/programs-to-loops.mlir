// RUN: nki-opt %s -p programs-to-loops --split-input-file | filecheck %s
// RUN: nki-opt %s -p programs-to-loops --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_loop_for_each_axis
// CHECK-NOT: tile.programs
// CHECK: [[TWO:%.*]] = arith.constant 2 : index
// CHECK: scf.for [[I:%.*]] = {{%.*}} to [[TWO]]
// CHECK: [[FOUR:%.*]] = arith.constant 4 : index
// CHECK: scf.for [[J:%.*]] = {{%.*}} to [[FOUR]]
// CHECK: [[DOWN:%.*]] = arith.muli [[I]], {{%.*}} : index
// CHECK: [[NUMBER:%.*]] = arith.addi [[DOWN]], [[J]] : index
// CHECK: tile.begin_program [[NUMBER]] of [2, 4]
// CHECK: "test.op"([[I]], [[J]])
func.func @a_loop_for_each_axis() {
  tile.programs (%i, %j) in [2, 4] {
    "test.op"(%i, %j) : (index, index) -> ()
  }
  func.return
}

// What programs along the first axis have in common is read once for each of the second, which comes first; the number
// of a program is still its place in the grid.
// CHECK-LABEL: func.func @those_that_read_alike_follow_one_another
// CHECK: [[THREE:%.*]] = arith.constant 3 : index
// CHECK: scf.for [[HEAD:%.*]] = {{%.*}} to [[THREE]]
// CHECK: [[EIGHT:%.*]] = arith.constant 8 : index
// CHECK: scf.for [[BLOCK:%.*]] = {{%.*}} to [[EIGHT]]
// CHECK: [[DOWN:%.*]] = arith.muli [[BLOCK]], {{%.*}} : index
// CHECK: [[NUMBER:%.*]] = arith.addi [[DOWN]], [[HEAD]] : index
// CHECK: tile.begin_program [[NUMBER]] of [8, 3]
// CHECK: tile.read %q([[BLOCK]], [[HEAD]])
// CHECK: tile.read %k([[HEAD]])
func.func @those_that_read_alike_follow_one_another(%q: memref<3072xf32>, %k: memref<3072xf32>, %y: memref<3072xf32>) {
  tile.programs (%block, %head) in [8, 3] {
    %a = tile.read %q(%block, %head) [128 * s0 + 1024 * s1 + d0 by 1] : memref<3072xf32> -> tensor<128xf32>
    %b = tile.read %k(%head) [1024 * s0 + d0 by 1] : memref<3072xf32> -> tensor<1024xf32>
    %m = tile.reduce max %b axis 0 : tensor<1024xf32> -> f32
    %w = tile.splat %m : f32 -> tensor<128xf32>
    %s = arith.addf %a, %w : tensor<128xf32>
    tile.write %s to %y(%block, %head) [128 * s0 + 1024 * s1 + d0 by 1] : tensor<128xf32> -> memref<3072xf32>
  }
  func.return
}

// They stay in order where one may see what another wrote: all of them write to one place.
// CHECK-LABEL: func.func @those_that_depend_on_one_another
// CHECK: arith.constant 8 : index
// CHECK: scf.for [[BLOCK:%.*]] =
// CHECK: arith.constant 3 : index
// CHECK: scf.for [[HEAD:%.*]] =
// CHECK: tile.read %k([[HEAD]])
func.func @those_that_depend_on_one_another(%k: memref<3072xf32>, %y: memref<1024xf32>) {
  tile.programs (%block, %head) in [8, 3] {
    %b = tile.read %k(%head) [1024 * s0 + d0 by 1] : memref<3072xf32> -> tensor<1024xf32>
    tile.write %b to %y [d0 by 1] : tensor<1024xf32> -> memref<1024xf32>
  }
  func.return
}

// And where another order would hardly read less: each operand of a product is one of an axis.
// CHECK-LABEL: func.func @as_much_in_any_order
// CHECK: arith.constant 8 : index
// CHECK: scf.for [[ROW:%.*]] =
// CHECK: scf.for [[COLUMN:%.*]] =
// CHECK: tile.read %a([[ROW]])
func.func @as_much_in_any_order(%a: memref<1024xf32>, %b: memref<1088xf32>, %y: memref<8192xf32>, %z: memref<8704xf32>) {
  tile.programs (%row, %column) in [8, 8] {
    %u = tile.read %a(%row) [128 * s0 + d0 by 1] : memref<1024xf32> -> tensor<128xf32>
    %v = tile.read %b(%column) [136 * s0 + d0 by 1] : memref<1088xf32> -> tensor<136xf32>
    tile.write %u to %y(%row, %column) [1024 * s0 + 128 * s1 + d0 by 1] : tensor<128xf32> -> memref<8192xf32>
    tile.write %v to %z(%row, %column) [1088 * s0 + 136 * s1 + d0 by 1] : tensor<136xf32> -> memref<8704xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @a_divided_id_is_two_loops
// CHECK: [[THREE:%.*]] = arith.constant 3 : index
// CHECK: scf.for [[I:%.*]] = {{%.*}} to [[THREE]]
// CHECK: [[FOUR:%.*]] = arith.constant 4 : index
// CHECK: scf.for [[J:%.*]] = {{%.*}} to [[FOUR]]
// CHECK: arith.muli [[I]]
// CHECK: [[NUMBER:%.*]] = arith.addi {{.*}}[[J]]
// CHECK: tile.begin_program [[NUMBER]] of [12]
// CHECK: tile.read
func.func @a_divided_id_is_two_loops(%x: memref<4096xf32>) {
  tile.programs (%pid) in [12] {
    %four = arith.constant 4 : index
    %row = arith.divsi %pid, %four : index
    %column = arith.remsi %pid, %four : index
    %stride = arith.constant 256 : index
    %down = arith.muli %row, %stride : index
    %first = arith.addi %down, %column : index
    %v = tile.read %x(%first) [d0 by 4, s0 by 1] : memref<4096xf32> -> tensor<64xf32>
    "test.op"(%v) : (tensor<64xf32>) -> ()
  }
  func.return
}

// CHECK-LABEL: func.func @programs_that_are_not_affine_are_written_out
// CHECK-NOT: scf.for
// CHECK: [[ZERO:%.*]] = arith.constant 0 : index
// CHECK: tile.begin_program [[ZERO]] of [3]
// CHECK: tile.read
// CHECK: [[ONE:%.*]] = arith.constant 1 : index
// CHECK: tile.begin_program [[ONE]] of [3]
// CHECK: tile.read
// CHECK: [[TWO:%.*]] = arith.constant 2 : index
// CHECK: tile.begin_program [[TWO]] of [3]
// CHECK: tile.read
// CHECK-NOT: tile.read
// CHECK: func.return
func.func @programs_that_are_not_affine_are_written_out(%x: memref<4096xf32>) {
  tile.programs (%pid) in [3] {
    %square = arith.muli %pid, %pid : index
    %v = tile.read %x(%square) [s0 + d0 by 1] : memref<4096xf32> -> tensor<64xf32>
    "test.op"(%v) : (tensor<64xf32>) -> ()
  }
  func.return
}

// CHECK-LABEL: func.func @ids_that_become_numbers_count_too
// CHECK-NOT: scf.for
// CHECK-COUNT-3: tile.write
func.func @ids_that_become_numbers_count_too(%x: memref<64xi32>) {
  tile.programs (%pid) in [3] {
    %square = arith.muli %pid, %pid : index
    %number = tile.cast %square : index -> i32
    tile.write %number to %x(%pid) [s0 by 1] : i32 -> memref<64xi32>
  }
  func.return
}

// CHECK-LABEL: func.func @leaves_alone
// CHECK-NOT: scf.for
// CHECK: func.return
func.func @leaves_alone(%x: memref<64xf32>) {
  "test.op"(%x) : (memref<64xf32>) -> ()
  func.return
}

// CHECK-LABEL: func.func @one_program_has_no_number
// CHECK-NOT: tile.begin_program
// CHECK: func.return
func.func @one_program_has_no_number(%x: memref<64xf32>) {
  tile.programs (%p0) in [1] {
    "test.op"(%x) : (memref<64xf32>) -> ()
  }
  func.return
}

// CHECK-LABEL: func.func @a_grid_without_axes_is_its_body
// CHECK-NEXT: "test.op"
// CHECK-NEXT: func.return
func.func @a_grid_without_axes_is_its_body() {
  tile.programs () in [] {
    "test.op"() : () -> ()
  }
  func.return
}

// Which program wrote what counts only where no other programs, and nothing beside them, wrote before.
// CHECK-LABEL: func.func @programs_that_follow_programs
// CHECK-NOT: tile.begin_program
// CHECK: scf.for [[I:%.*]] =
// CHECK-NEXT: tile.read %x([[I]])
// CHECK: }
// CHECK-NOT: scf.for
// CHECK-COUNT-3: tile.read
// CHECK: scf.for [[J:%.*]] =
// CHECK-NEXT: tile.read %x([[J]])
// CHECK-NOT: tile.begin_program
// CHECK: func.return
func.func @programs_that_follow_programs(%x: memref<4096xf32>) {
  tile.programs (%i) in [2] {
    %v = tile.read %x(%i) [s0 + d0 by 1] : memref<4096xf32> -> tensor<64xf32>
    "test.op"(%v) : (tensor<64xf32>) -> ()
  }
  tile.programs (%pid) in [3] {
    %square = arith.muli %pid, %pid : index
    %v = tile.read %x(%square) [s0 + d0 by 1] : memref<4096xf32> -> tensor<64xf32>
    "test.op"(%v) : (tensor<64xf32>) -> ()
  }
  tile.programs (%j) in [4] {
    %v = tile.read %x(%j) [s0 + d0 by 1] : memref<4096xf32> -> tensor<64xf32>
    "test.op"(%v) : (tensor<64xf32>) -> ()
  }
  func.return
}

// CHECK-LABEL: func.func @what_stands_beside_programs
// CHECK: [[FOUR:%.*]] = arith.constant 4 : index
// CHECK: scf.for [[I:%.*]] =
// CHECK-NOT: tile.begin_program
// CHECK: "test.op"([[I]], [[FOUR]])
// CHECK: }
// CHECK: "test.op"([[FOUR]])
func.func @what_stands_beside_programs() {
  %four = arith.constant 4 : index
  tile.programs (%i) in [2] {
    "test.op"(%i, %four) : (index, index) -> ()
  }
  "test.op"(%four) : (index) -> ()
  func.return
}
