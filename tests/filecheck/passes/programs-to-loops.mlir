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
