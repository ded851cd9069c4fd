// RUN: nki-opt %s -p structure-accesses --split-input-file | filecheck %s
// RUN: nki-opt %s -p structure-accesses --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_bound_on_a_coordinate
// CHECK: [[V:%.*]] = tile.read %x(%pid) [d0 + 1024 * s0 in * to 5000 by 1] : memref<5000xf32> -> tensor<1024xf32>
// CHECK: tile.write [[V]] to %x(%pid) [d0 + 1024 * s0 in * to 5000 by 1] : tensor<1024xf32> -> memref<5000xf32>
func.func @a_bound_on_a_coordinate(%x: memref<5000xf32>) {
  tile.programs (%pid) in [5] {
    %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
    %bases = tile.splat %base : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
    %block = arith.constant 1024 : index
    %start = arith.muli %pid, %block : index
    %starts = tile.splat %start : index -> tensor<1024xindex>
    %range = tile.arange 0 to 1024 : tensor<1024xindex>
    %offsets = arith.addi %starts, %range : tensor<1024xindex>
    %n = arith.constant 5000 : index
    %ends = tile.splat %n : index -> tensor<1024xindex>
    %mask = tile.compare lt %offsets, %ends : tensor<1024xindex>, tensor<1024xindex> -> tensor<1024xi1>
    %p = tile.add_ptr %bases, %offsets : tensor<1024x!tile.ptr<f32>>, tensor<1024xindex> -> tensor<1024x!tile.ptr<f32>>
    %v = tile.load %p mask %mask : tensor<1024xi1> : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>
    tile.store %p, %v mask %mask : tensor<1024xi1> : tensor<1024x!tile.ptr<f32>>, tensor<1024xf32>
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @a_mask_that_always_holds_is_left_out
// CHECK: tile.read %x [d0 by 2] other -1.000000e+00 : f32 : memref<5000xf32> -> tensor<1024xf32>
func.func @a_mask_that_always_holds_is_left_out(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
  %range = tile.arange 0 to 1024 : tensor<1024xindex>
  %two = arith.constant 2 : index
  %twos = tile.splat %two : index -> tensor<1024xindex>
  %even = arith.muli %range, %twos : tensor<1024xindex>
  %n = arith.constant 5000 : index
  %ends = tile.splat %n : index -> tensor<1024xindex>
  %mask = tile.compare lt %even, %ends : tensor<1024xindex>, tensor<1024xindex> -> tensor<1024xi1>
  %p = tile.add_ptr %bases, %even : tensor<1024x!tile.ptr<f32>>, tensor<1024xindex> -> tensor<1024x!tile.ptr<f32>>
  %other = arith.constant -1.0 : f32
  %v = tile.load %p mask %mask : tensor<1024xi1> other %other : f32 : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>
  "test.op"(%v) : (tensor<1024xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_single_element_under_a_mask
// CHECK: [[V:%.*]] = tile.read %x(%pid) [s0 by 1, s0 in 3 to 4 by 0] : memref<8xf32> -> f32
// CHECK: tile.write [[V]] to %x(%pid) [s0 by 1, s0 in 3 to 4 by 0] : f32 -> memref<8xf32>
func.func @a_single_element_under_a_mask(%x: memref<8xf32>) {
  tile.programs (%pid) in [5] {
    %base = tile.base %x : memref<8xf32> -> !tile.ptr<f32>
    %n = arith.constant 3 : index
    %mask = tile.compare eq %pid, %n : index, index -> i1
    %p = tile.add_ptr %base, %pid : !tile.ptr<f32>, index -> !tile.ptr<f32>
    %v = tile.load %p mask %mask : i1 : !tile.ptr<f32> -> f32
    tile.store %p, %v mask %mask : i1 : !tile.ptr<f32>, f32
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @an_other_that_is_no_constant
// CHECK: [[READ:%.*]] = tile.read %x [d0 in * to 50 by 1] : memref
// CHECK: [[OTHER:%.*]] = tile.splat
// CHECK: [[V:%.*]] = tile.select {{%.*}}, [[READ]], [[OTHER]]
// CHECK: "test.op"([[V]])
func.func @an_other_that_is_no_constant(%x: memref<5000xf32>, %y: memref<1xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
  %other = tile.read %y [0 by 1] : memref<1xf32> -> f32
  %range = tile.arange 0 to 64 : tensor<64xindex>
  %n = arith.constant 50 : index
  %ends = tile.splat %n : index -> tensor<64xindex>
  %mask = tile.compare lt %range, %ends : tensor<64xindex>, tensor<64xindex> -> tensor<64xi1>
  %p = tile.add_ptr %bases, %range : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<64xi1> other %other : f32 : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
  "test.op"(%v) : (tensor<64xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_mask_that_never_holds
// CHECK: tile.read %x [0 by 1, 0 in 1 to * by 0] other 7 : ui8 : memref<8xui8> -> ui8
func.func @a_mask_that_never_holds(%x: memref<8xui8>) {
  %base = tile.base %x : memref<8xui8> -> !tile.ptr<ui8>
  %false = arith.constant false
  %seven = arith.constant 7 : index
  %other = tile.cast %seven : index -> ui8
  %v = tile.load %base mask %false : i1 other %other : ui8 : !tile.ptr<ui8> -> ui8
  "test.op"(%v) : (ui8) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @bit_operators_by_powers_of_two
// CHECK: tile.read %x(%pid) [d0 by 4, (s0) floordiv 2 + (s0) mod 2 by 1]
func.func @bit_operators_by_powers_of_two(%x: memref<5000xf32>) {
  tile.programs (%pid) in [8] {
    %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
    %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
    %one = arith.constant 1 : index
    %half = arith.shrsi %pid, %one : index
    %odd = arith.andi %pid, %one : index
    %sum = arith.addi %half, %odd : index
    %starts = tile.splat %sum : index -> tensor<16xindex>
    %range = tile.arange 0 to 16 : tensor<16xindex>
    %two = arith.constant 2 : index
    %twos = tile.splat %two : index -> tensor<16xindex>
    %steps = arith.shli %range, %twos : tensor<16xindex>
    %offsets = arith.addi %starts, %steps : tensor<16xindex>
    %p = tile.add_ptr %bases, %offsets : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
    %v = tile.load %p : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
    "test.op"(%v) : (tensor<16xf32>) -> ()
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @leaves_alone
// CHECK-NEXT: tile.read
// CHECK-NEXT: "test.op"
func.func @leaves_alone(%x: memref<8xf32>) {
  %v = tile.read %x [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  "test.op"(%v) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @what_is_left_out_stays_undefined
// CHECK: tile.read %x [d0 in * to 1000 by 1] undefined : memref<5000xf32> -> tensor<1024xf32>
// CHECK: tile.read %x [d0 by 1] : memref<5000xf32> -> tensor<1024xf32>
func.func @what_is_left_out_stays_undefined(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
  %range = tile.arange 0 to 1024 : tensor<1024xindex>
  %p = tile.add_ptr %bases, %range : tensor<1024x!tile.ptr<f32>>, tensor<1024xindex> -> tensor<1024x!tile.ptr<f32>>
  %some = arith.constant 1000 : index
  %ends = tile.splat %some : index -> tensor<1024xindex>
  %mask = tile.compare lt %range, %ends : tensor<1024xindex>, tensor<1024xindex> -> tensor<1024xi1>
  %v = tile.load %p mask %mask : tensor<1024xi1> undefined : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>
  "test.op"(%v) : (tensor<1024xf32>) -> ()
  %all = arith.constant 1024 : index
  %every = tile.splat %all : index -> tensor<1024xindex>
  %always = tile.compare lt %range, %every : tensor<1024xindex>, tensor<1024xindex> -> tensor<1024xi1>
  %w = tile.load %p mask %always : tensor<1024xi1> undefined : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>
  "test.op"(%w) : (tensor<1024xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_lower_bound
// CHECK: tile.read %x [d0 in 5 to * by 1] : memref<5000xf32> -> tensor<16xf32>
func.func @a_lower_bound(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %range = tile.arange 0 to 16 : tensor<16xindex>
  %five_0 = arith.constant 5 : index
  %five = tile.splat %five_0 : index -> tensor<16xindex>
  %mask = tile.compare ge %range, %five : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %p = tile.add_ptr %bases, %range : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<16xi1> : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_lower_and_an_upper_bound
// CHECK: tile.read %x [d0 in 5 to * by 1, d0 in * to 13 by 0] : memref<5000xf32> -> tensor<16xf32>
func.func @a_lower_and_an_upper_bound(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %range = tile.arange 0 to 16 : tensor<16xindex>
  %four_0 = arith.constant 4 : index
  %four = tile.splat %four_0 : index -> tensor<16xindex>
  %end_0 = arith.constant 13 : index
  %end = tile.splat %end_0 : index -> tensor<16xindex>
  %above = tile.compare gt %range, %four : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %below = tile.compare lt %range, %end : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %mask = arith.andi %above, %below : tensor<16xi1>
  %p = tile.add_ptr %bases, %range : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<16xi1> : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @one_place_is_two_bounds
// CHECK: tile.read %x [d0 in 5 to 6 by 1]
func.func @one_place_is_two_bounds(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %range = tile.arange 0 to 16 : tensor<16xindex>
  %five_0 = arith.constant 5 : index
  %five = tile.splat %five_0 : index -> tensor<16xindex>
  %mask = tile.compare eq %range, %five : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %p = tile.add_ptr %bases, %range : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<16xi1> : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}

// -----

// Where 3 * d0 < 10: what divides a bound goes.
// CHECK-LABEL: func.func @a_bound_on_a_multiple
// CHECK: tile.read %x [d0 in * to 4 by 1]
func.func @a_bound_on_a_multiple(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %range = tile.arange 0 to 16 : tensor<16xindex>
  %three_0 = arith.constant 3 : index
  %three = tile.splat %three_0 : index -> tensor<16xindex>
  %ten_0 = arith.constant 10 : index
  %ten = tile.splat %ten_0 : index -> tensor<16xindex>
  %tripled = arith.muli %range, %three : tensor<16xindex>
  %mask = tile.compare lt %tripled, %ten : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %p = tile.add_ptr %bases, %range : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<16xi1> : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @an_address_that_runs_backwards
// CHECK: tile.read %x [d0 in 3 to * by -1, 15 by 1] : memref
func.func @an_address_that_runs_backwards(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %range = tile.arange 0 to 16 : tensor<16xindex>
  %last_0 = arith.constant 15 : index
  %last = tile.splat %last_0 : index -> tensor<16xindex>
  %three_0 = arith.constant 3 : index
  %three = tile.splat %three_0 : index -> tensor<16xindex>
  %back = arith.subi %last, %range : tensor<16xindex>
  %mask = tile.compare ge %range, %three : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %p = tile.add_ptr %bases, %back : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<16xi1> : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}

// -----

// The address is one of another block: what is left of it has a coordinate of its own.
// CHECK-LABEL: func.func @a_bound_on_what_the_address_does_not_have
// CHECK: tile.read %x(%pid) [d0 + 8 * s0 in * to 20 by 1, 8 * s0 by 1]
func.func @a_bound_on_what_the_address_does_not_have(%x: memref<5000xf32>) {
  tile.programs (%pid) in [4] {
    %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
    %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
    %eight = arith.constant 8 : index
    %first = arith.muli %pid, %eight : index
    %twice = arith.addi %first, %first : index
    %firsts = tile.splat %first : index -> tensor<16xindex>
    %begins = tile.splat %twice : index -> tensor<16xindex>
    %range = tile.arange 0 to 16 : tensor<16xindex>
    %at = arith.addi %firsts, %range : tensor<16xindex>
    %there = arith.addi %begins, %range : tensor<16xindex>
    %end_0 = arith.constant 20 : index
    %end = tile.splat %end_0 : index -> tensor<16xindex>
    %mask = tile.compare lt %at, %end : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
    %p = tile.add_ptr %bases, %there : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
    %v = tile.load %p mask %mask : tensor<16xi1> : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
    "test.op"(%v) : (tensor<16xf32>) -> ()
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @bounds_on_two_dimensions
// CHECK: tile.read %x [d0 in * to 6 by 100, d1 in 1 to * by 1] : memref<5000xf32> -> tensor<8x4xf32>
func.func @bounds_on_two_dimensions(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<8x4x!tile.ptr<f32>>
  %r = tile.arange 0 to 8 : tensor<8xindex>
  %c = tile.arange 0 to 4 : tensor<4xindex>
  %rows_1 = tile.expand_dims %r axis 1 : tensor<8xindex> -> tensor<8x1xindex>
  %rows = tile.broadcast %rows_1 : tensor<8x1xindex> -> tensor<8x4xindex>
  %columns_1 = tile.expand_dims %c axis 0 : tensor<4xindex> -> tensor<1x4xindex>
  %columns = tile.broadcast %columns_1 : tensor<1x4xindex> -> tensor<8x4xindex>
  %pitch_0 = arith.constant 100 : index
  %pitch = tile.splat %pitch_0 : index -> tensor<8x4xindex>
  %starts = arith.muli %rows, %pitch : tensor<8x4xindex>
  %at = arith.addi %starts, %columns : tensor<8x4xindex>
  %six_0 = arith.constant 6 : index
  %six = tile.splat %six_0 : index -> tensor<8x4xindex>
  %one_0 = arith.constant 1 : index
  %one = tile.splat %one_0 : index -> tensor<8x4xindex>
  %below = tile.compare lt %rows, %six : tensor<8x4xindex>, tensor<8x4xindex> -> tensor<8x4xi1>
  %above = tile.compare ge %columns, %one : tensor<8x4xindex>, tensor<8x4xindex> -> tensor<8x4xi1>
  %mask = arith.andi %below, %above : tensor<8x4xi1>
  %p = tile.add_ptr %bases, %at : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xindex> -> tensor<8x4x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<8x4xi1> : tensor<8x4x!tile.ptr<f32>> -> tensor<8x4xf32>
  "test.op"(%v) : (tensor<8x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_bound_on_the_whole_address
// CHECK: tile.read %x [100 * d0 + d1 in * to 702 by 1]
func.func @a_bound_on_the_whole_address(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<8x4x!tile.ptr<f32>>
  %r = tile.arange 0 to 8 : tensor<8xindex>
  %c = tile.arange 0 to 4 : tensor<4xindex>
  %rows_1 = tile.expand_dims %r axis 1 : tensor<8xindex> -> tensor<8x1xindex>
  %rows = tile.broadcast %rows_1 : tensor<8x1xindex> -> tensor<8x4xindex>
  %columns_1 = tile.expand_dims %c axis 0 : tensor<4xindex> -> tensor<1x4xindex>
  %columns = tile.broadcast %columns_1 : tensor<1x4xindex> -> tensor<8x4xindex>
  %pitch_0 = arith.constant 100 : index
  %pitch = tile.splat %pitch_0 : index -> tensor<8x4xindex>
  %starts = arith.muli %rows, %pitch : tensor<8x4xindex>
  %at = arith.addi %starts, %columns : tensor<8x4xindex>
  %end_0 = arith.constant 702 : index
  %end = tile.splat %end_0 : index -> tensor<8x4xindex>
  %mask = tile.compare lt %at, %end : tensor<8x4xindex>, tensor<8x4xindex> -> tensor<8x4xi1>
  %p = tile.add_ptr %bases, %at : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xindex> -> tensor<8x4x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<8x4xi1> : tensor<8x4x!tile.ptr<f32>> -> tensor<8x4xf32>
  "test.op"(%v) : (tensor<8x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_guard_on_two_dimensions
// CHECK: tile.read %x [d0 by 100, d1 by 1, d0 + -1 * d1 in 0 to * by 0]
func.func @a_guard_on_two_dimensions(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<8x4x!tile.ptr<f32>>
  %r = tile.arange 0 to 8 : tensor<8xindex>
  %c = tile.arange 0 to 4 : tensor<4xindex>
  %rows_1 = tile.expand_dims %r axis 1 : tensor<8xindex> -> tensor<8x1xindex>
  %rows = tile.broadcast %rows_1 : tensor<8x1xindex> -> tensor<8x4xindex>
  %columns_1 = tile.expand_dims %c axis 0 : tensor<4xindex> -> tensor<1x4xindex>
  %columns = tile.broadcast %columns_1 : tensor<1x4xindex> -> tensor<8x4xindex>
  %pitch_0 = arith.constant 100 : index
  %pitch = tile.splat %pitch_0 : index -> tensor<8x4xindex>
  %starts = arith.muli %rows, %pitch : tensor<8x4xindex>
  %at = arith.addi %starts, %columns : tensor<8x4xindex>
  %mask = tile.compare ge %rows, %columns : tensor<8x4xindex>, tensor<8x4xindex> -> tensor<8x4xi1>
  %p = tile.add_ptr %bases, %at : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xindex> -> tensor<8x4x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<8x4xi1> : tensor<8x4x!tile.ptr<f32>> -> tensor<8x4xf32>
  "test.op"(%v) : (tensor<8x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_guard_on_what_is_repeated
// CHECK: tile.read %x [d1 by 1, d0 in * to 6 by 0]
func.func @a_guard_on_what_is_repeated(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<8x4x!tile.ptr<f32>>
  %r = tile.arange 0 to 8 : tensor<8xindex>
  %c = tile.arange 0 to 4 : tensor<4xindex>
  %rows_1 = tile.expand_dims %r axis 1 : tensor<8xindex> -> tensor<8x1xindex>
  %rows = tile.broadcast %rows_1 : tensor<8x1xindex> -> tensor<8x4xindex>
  %columns_1 = tile.expand_dims %c axis 0 : tensor<4xindex> -> tensor<1x4xindex>
  %columns = tile.broadcast %columns_1 : tensor<1x4xindex> -> tensor<8x4xindex>
  %six_0 = arith.constant 6 : index
  %six = tile.splat %six_0 : index -> tensor<8x4xindex>
  %mask = tile.compare lt %rows, %six : tensor<8x4xindex>, tensor<8x4xindex> -> tensor<8x4xi1>
  %p = tile.add_ptr %bases, %columns : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xindex> -> tensor<8x4x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<8x4xi1> : tensor<8x4x!tile.ptr<f32>> -> tensor<8x4xf32>
  "test.op"(%v) : (tensor<8x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_scalar_mask_bounds_no_dimension
// CHECK: tile.read %x(%pid) [d0 by 1, s0 in * to 3 by 0] : memref<5000xf32> -> tensor<16xf32>
func.func @a_scalar_mask_bounds_no_dimension(%x: memref<5000xf32>) {
  tile.programs (%pid) in [5] {
    %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
    %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
    %three = arith.constant 3 : index
    %some = tile.compare lt %pid, %three : index, index -> i1
    %mask = tile.splat %some : i1 -> tensor<16xi1>
    %range = tile.arange 0 to 16 : tensor<16xindex>
    %p = tile.add_ptr %bases, %range : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
    %v = tile.load %p mask %mask : tensor<16xi1> : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
    "test.op"(%v) : (tensor<16xf32>) -> ()
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @a_gather_and_a_scatter
// CHECK: [[V:%.*]] = tile.read %x index(%index : tensor<16xi32>) [t0(d0) by 1] : memref<5000xf32> -> tensor<16xf32>
// CHECK: tile.write [[V]] to %x index(%index : tensor<16xi32>) [t0(d0) by 1] : tensor<16xf32> -> memref<5000xf32>
func.func @a_gather_and_a_scatter(%x: memref<5000xf32>, %i: memref<16xi32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %index = tile.read %i [d0 by 1] : memref<16xi32> -> tensor<16xi32>
  %p = tile.add_ptr %bases, %index : tensor<16x!tile.ptr<f32>>, tensor<16xi32> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  tile.store %p, %v : tensor<16x!tile.ptr<f32>>, tensor<16xf32>
  func.return
}

// -----

// CHECK-LABEL: func.func @a_gather_under_a_bound
// CHECK: tile.read %x index(%index : tensor<16xi32>) [t0(d0) by 1, d0 in * to 13 by 0]
func.func @a_gather_under_a_bound(%x: memref<5000xf32>, %i: memref<16xi32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %index = tile.read %i [d0 by 1] : memref<16xi32> -> tensor<16xi32>
  %range = tile.arange 0 to 16 : tensor<16xindex>
  %end_0 = arith.constant 13 : index
  %end = tile.splat %end_0 : index -> tensor<16xindex>
  %mask = tile.compare lt %range, %end : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %p = tile.add_ptr %bases, %index : tensor<16x!tile.ptr<f32>>, tensor<16xi32> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<16xi1> : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @rows_that_data_names
// CHECK: tile.read %x index(%index : tensor<8xi32>) [t0(d0) by 100, d1 by 1] : memref<5000xf32> -> tensor<8x4xf32>
func.func @rows_that_data_names(%x: memref<5000xf32>, %i: memref<8xi32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<8x4x!tile.ptr<f32>>
  %index = tile.read %i [d0 by 1] : memref<8xi32> -> tensor<8xi32>
  %wide = tile.cast %index : tensor<8xi32> -> tensor<8xindex>
  %rows_1 = tile.expand_dims %wide axis 1 : tensor<8xindex> -> tensor<8x1xindex>
  %rows = tile.broadcast %rows_1 : tensor<8x1xindex> -> tensor<8x4xindex>
  %c = tile.arange 0 to 4 : tensor<4xindex>
  %columns_1 = tile.expand_dims %c axis 0 : tensor<4xindex> -> tensor<1x4xindex>
  %columns = tile.broadcast %columns_1 : tensor<1x4xindex> -> tensor<8x4xindex>
  %pitch_0 = arith.constant 100 : index
  %pitch = tile.splat %pitch_0 : index -> tensor<8x4xindex>
  %starts = arith.muli %rows, %pitch : tensor<8x4xindex>
  %at = arith.addi %starts, %columns : tensor<8x4xindex>
  %p = tile.add_ptr %bases, %at : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xindex> -> tensor<8x4x!tile.ptr<f32>>
  %v = tile.load %p : tensor<8x4x!tile.ptr<f32>> -> tensor<8x4xf32>
  "test.op"(%v) : (tensor<8x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @an_index_tile_that_is_turned
// CHECK: tile.read %x index(%index : tensor<4x8xi32>) [t0(d1, d0) by 1] : memref<5000xf32> -> tensor<8x4xf32>
func.func @an_index_tile_that_is_turned(%x: memref<5000xf32>, %i: memref<4x8xi32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<8x4x!tile.ptr<f32>>
  %index = tile.read %i [d0 by 8, d1 by 1] : memref<4x8xi32> -> tensor<4x8xi32>
  %turned = tile.permute %index order [1, 0] : tensor<4x8xi32> -> tensor<8x4xi32>
  %p = tile.add_ptr %bases, %turned : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xi32> -> tensor<8x4x!tile.ptr<f32>>
  %v = tile.load %p : tensor<8x4x!tile.ptr<f32>> -> tensor<8x4xf32>
  "test.op"(%v) : (tensor<8x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_column_of_indices_that_is_repeated
// CHECK: [[ONE:%.*]] = tile.read %x index(%index : tensor<8x1xi32>) [t0(d0, 0) by 1] : memref<5000xf32> -> tensor<8xf32>
// CHECK: [[COLUMN:%.*]] = tile.expand_dims [[ONE]] axis 1
// CHECK: tile.broadcast [[COLUMN]] : tensor<8x1xf32> -> tensor<8x4xf32>
func.func @a_column_of_indices_that_is_repeated(%x: memref<5000xf32>, %i: memref<8xi32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<8x4x!tile.ptr<f32>>
  %index = tile.read %i [d0 by 1] : memref<8xi32> -> tensor<8x1xi32>
  %all = tile.broadcast %index : tensor<8x1xi32> -> tensor<8x4xi32>
  %p = tile.add_ptr %bases, %all : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xi32> -> tensor<8x4x!tile.ptr<f32>>
  %v = tile.load %p : tensor<8x4x!tile.ptr<f32>> -> tensor<8x4xf32>
  "test.op"(%v) : (tensor<8x4xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @two_index_tiles
// CHECK: tile.read %x index(%index, %other : tensor<16xi32>, tensor<16xi32>) [t0(d0) by 1, t1(d0) by -1]
func.func @two_index_tiles(%x: memref<5000xf32>, %i: memref<16xi32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %index = tile.read %i [d0 by 1] : memref<16xi32> -> tensor<16xi32>
  %other = tile.read %i [15 - d0 by 1] : memref<16xi32> -> tensor<16xi32>
  %a = tile.cast %index : tensor<16xi32> -> tensor<16xindex>
  %b = tile.cast %other : tensor<16xi32> -> tensor<16xindex>
  %at = arith.subi %a, %b : tensor<16xindex>
  %p = tile.add_ptr %bases, %at : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @an_element_that_data_names
// CHECK: tile.read %x index(%row : i32) [t0() by 1] : memref<5000xf32> -> f32
func.func @an_element_that_data_names(%x: memref<5000xf32>, %i: memref<16xi32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %row = tile.read %i [0 by 1] : memref<16xi32> -> i32
  %offset = tile.cast %row : i32 -> index
  %p = tile.add_ptr %base, %offset : !tile.ptr<f32>, index -> !tile.ptr<f32>
  %v = tile.load %p : !tile.ptr<f32> -> f32
  "test.op"(%v) : (f32) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_row_that_data_names
// CHECK: tile.read %x index(%row : i32) [t0() by 100, d0 by 1] : memref<5000xf32> -> tensor<16xf32>
func.func @a_row_that_data_names(%x: memref<5000xf32>, %i: memref<16xi32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %row = tile.read %i [0 by 1] : memref<16xi32> -> i32
  %wide = tile.cast %row : i32 -> index
  %pitch = arith.constant 100 : index
  %first = arith.muli %wide, %pitch : index
  %starts = tile.splat %first : index -> tensor<16xindex>
  %range = tile.arange 0 to 16 : tensor<16xindex>
  %at = arith.addi %starts, %range : tensor<16xindex>
  %p = tile.add_ptr %bases, %at : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}

// -----

// A remainder of places is an index tile, though no data.
// CHECK-LABEL: func.func @indices_without_a_stride
// CHECK: [[I:%.*]] = arith.remsi
// CHECK: tile.read %x index([[I]] : tensor<16xindex>) [t0(d0) by 1]
func.func @indices_without_a_stride(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %range = tile.arange 0 to 16 : tensor<16xindex>
  %five_0 = arith.constant 5 : index
  %five = tile.splat %five_0 : index -> tensor<16xindex>
  %wrapped = arith.remsi %range, %five : tensor<16xindex>
  %p = tile.add_ptr %bases, %wrapped : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @an_index_that_may_wrap
// CHECK: tile.read %x index(%narrow : i8) [t0() by 1] : memref<5000xf32> -> f32
func.func @an_index_that_may_wrap(%x: memref<5000xf32>) {
  tile.programs (%pid) in [200] {
    %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
    %narrow = tile.cast %pid : index -> i8
    %offset = tile.cast %narrow : i8 -> index
    %p = tile.add_ptr %base, %offset : !tile.ptr<f32>, index -> !tile.ptr<f32>
    %v = tile.load %p : !tile.ptr<f32> -> f32
    "test.op"(%v) : (f32) -> ()
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @a_mask_of_data_stays
// CHECK: [[V:%.*]] = tile.read %x [d0 by 1] mask %data : tensor<16xi1> : memref<5000xf32> -> tensor<16xf32>
// CHECK: tile.write [[V]] to %x [d0 by 1] mask %data : tensor<16xi1> : tensor<16xf32> -> memref<5000xf32>
func.func @a_mask_of_data_stays(%x: memref<5000xf32>, %m: memref<16xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %range = tile.arange 0 to 16 : tensor<16xindex>
  %w = tile.read %m [d0 by 1] : memref<16xf32> -> tensor<16xf32>
  %data = tile.compare lt %w, %w : tensor<16xf32>, tensor<16xf32> -> tensor<16xi1>
  %p = tile.add_ptr %bases, %range : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p mask %data : tensor<16xi1> : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  tile.store %p, %v mask %data : tensor<16xi1> : tensor<16x!tile.ptr<f32>>, tensor<16xf32>
  func.return
}

// -----

// CHECK-LABEL: func.func @of_a_mask_what_is_no_bound_stays
// CHECK: tile.read %x [d0 in * to 13 by 1] mask %data : tensor<16xi1>
func.func @of_a_mask_what_is_no_bound_stays(%x: memref<5000xf32>, %m: memref<16xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %range = tile.arange 0 to 16 : tensor<16xindex>
  %w = tile.read %m [d0 by 1] : memref<16xf32> -> tensor<16xf32>
  %data = tile.compare lt %w, %w : tensor<16xf32>, tensor<16xf32> -> tensor<16xi1>
  %end_0 = arith.constant 13 : index
  %end = tile.splat %end_0 : index -> tensor<16xindex>
  %below = tile.compare lt %range, %end : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %mask = arith.andi %below, %data : tensor<16xi1>
  %p = tile.add_ptr %bases, %range : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<16xi1> : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @masks_that_stay_are_one
// CHECK: [[M:%.*]] = arith.andi %data, %more : tensor<16xi1>
// CHECK: tile.read %x [d0 in * to 13 by 1] mask [[M]] : tensor<16xi1>
func.func @masks_that_stay_are_one(%x: memref<5000xf32>, %m: memref<16xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %range = tile.arange 0 to 16 : tensor<16xindex>
  %w = tile.read %m [d0 by 1] : memref<16xf32> -> tensor<16xf32>
  %data = tile.compare lt %w, %w : tensor<16xf32>, tensor<16xf32> -> tensor<16xi1>
  %more = tile.compare gt %w, %w : tensor<16xf32>, tensor<16xf32> -> tensor<16xi1>
  %end_0 = arith.constant 13 : index
  %end = tile.splat %end_0 : index -> tensor<16xindex>
  %below = tile.compare lt %range, %end : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %first = arith.andi %data, %below : tensor<16xi1>
  %mask = arith.andi %first, %more : tensor<16xi1>
  %p = tile.add_ptr %bases, %range : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<16xi1> : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @all_but_one_place_stays_a_mask
// CHECK: [[M:%.*]] = tile.compare ne
// CHECK: tile.read %x [d0 by 1] mask [[M]] : tensor<16xi1>
func.func @all_but_one_place_stays_a_mask(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
  %range = tile.arange 0 to 16 : tensor<16xindex>
  %five_0 = arith.constant 5 : index
  %five = tile.splat %five_0 : index -> tensor<16xindex>
  %mask = tile.compare ne %range, %five : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %p = tile.add_ptr %bases, %range : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<16xi1> : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @a_bound_on_rows_of_a_block
// CHECK: tile.read %x(%pid) [d0 + 8 * s0 in * to 20 by 100, d1 by 1] : memref<5000xf32> -> tensor<8x4xf32>
func.func @a_bound_on_rows_of_a_block(%x: memref<5000xf32>) {
  tile.programs (%pid) in [4] {
    %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
    %bases = tile.splat %base : !tile.ptr<f32> -> tensor<8x4x!tile.ptr<f32>>
    %eight = arith.constant 8 : index
    %first = arith.muli %pid, %eight : index
    %firsts = tile.splat %first : index -> tensor<8xindex>
    %r = tile.arange 0 to 8 : tensor<8xindex>
    %of_block = arith.addi %firsts, %r : tensor<8xindex>
    %rows_1 = tile.expand_dims %of_block axis 1 : tensor<8xindex> -> tensor<8x1xindex>
    %rows = tile.broadcast %rows_1 : tensor<8x1xindex> -> tensor<8x4xindex>
    %c = tile.arange 0 to 4 : tensor<4xindex>
    %columns_1 = tile.expand_dims %c axis 0 : tensor<4xindex> -> tensor<1x4xindex>
    %columns = tile.broadcast %columns_1 : tensor<1x4xindex> -> tensor<8x4xindex>
    %hundred = arith.constant 100 : index
    %pitch = tile.splat %hundred : index -> tensor<8x4xindex>
    %starts = arith.muli %rows, %pitch : tensor<8x4xindex>
    %at = arith.addi %starts, %columns : tensor<8x4xindex>
    %twenty = arith.constant 20 : index
    %end = tile.splat %twenty : index -> tensor<8x4xindex>
    %mask = tile.compare lt %rows, %end : tensor<8x4xindex>, tensor<8x4xindex> -> tensor<8x4xi1>
    %p = tile.add_ptr %bases, %at : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xindex> -> tensor<8x4x!tile.ptr<f32>>
    %v = tile.load %p mask %mask : tensor<8x4xi1> : tensor<8x4x!tile.ptr<f32>> -> tensor<8x4xf32>
    "test.op"(%v) : (tensor<8x4xf32>) -> ()
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @an_index_that_a_condition_chooses_is_an_index_tile(
// CHECK: [[ROW:%.*]] = tile.select %{{.*}} : i1, index, index -> index
// CHECK: tile.read %x index([[ROW]] : index) [t0() by 16, d0 by 1] : memref<64xf32> -> tensor<16xf32>
func.func @an_index_that_a_condition_chooses_is_an_index_tile(%x: memref<64xf32>) {
  tile.programs (%p) in [8] {
    %base = tile.base %x : memref<64xf32> -> !tile.ptr<f32>
    %three = arith.constant 3 : index
    %c = tile.compare gt %p, %three : index, index -> i1
    %row = tile.select %c, %three, %p : i1, index, index -> index
    %size = arith.constant 16 : index
    %at = arith.muli %row, %size : index
    %from = tile.add_ptr %base, %at : !tile.ptr<f32>, index -> !tile.ptr<f32>
    %all = tile.splat %from : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
    %o = tile.arange 0 to 16 : tensor<16xindex>
    %q = tile.add_ptr %all, %o : tensor<16x!tile.ptr<f32>>, tensor<16xindex> -> tensor<16x!tile.ptr<f32>>
    %v = tile.load %q : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
    "test.op"(%v) : (tensor<16xf32>) -> ()
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @truth_values_are_bytes(
// CHECK: [[READ:%.*]] = tile.read %m [d0 in * to 9 by 1] other 1 : ui8 : memref<64xui8> -> tensor<16xui8>
// CHECK: [[ZERO:%.*]] = tile.cast %{{.*}} : tensor<16xindex> -> tensor<16xui8>
// CHECK-NEXT: [[V:%.*]] = tile.compare ne [[READ]], [[ZERO]] : tensor<16xui8>, tensor<16xui8> -> tensor<16xi1>
// CHECK-NEXT: [[BYTES:%.*]] = tile.cast [[V]] : tensor<16xi1> -> tensor<16xui8>
// CHECK-NEXT: tile.write [[BYTES]] to %m [d0 by 1] : tensor<16xui8> -> memref<64xui8>
func.func @truth_values_are_bytes(%m: memref<64xui8>) {
  %true = arith.constant true
  %nine = arith.constant dense<9> : tensor<16xindex>
  %base = tile.base %m : memref<64xui8> -> !tile.ptr<i1>
  %all = tile.splat %base : !tile.ptr<i1> -> tensor<16x!tile.ptr<i1>>
  %o = tile.arange 0 to 16 : tensor<16xindex>
  %inside = tile.compare lt %o, %nine : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  %p = tile.add_ptr %all, %o : tensor<16x!tile.ptr<i1>>, tensor<16xindex> -> tensor<16x!tile.ptr<i1>>
  %v = tile.load %p mask %inside : tensor<16xi1> other %true : i1 : tensor<16x!tile.ptr<i1>> -> tensor<16xi1>
  tile.store %p, %v : tensor<16x!tile.ptr<i1>>, tensor<16xi1>
  func.return
}

// -----

// What is the same in every element is loaded once, and computed once; an index that is made of it names one row.
// CHECK-LABEL: func.func @the_same_in_every_element
// CHECK: [[I:%.*]] = tile.read %ids(%pid) [s0 by 1] : memref<64xi32> -> i32
// CHECK: [[LESS:%.*]] = tile.compare lt [[I]], {{%.*}} : i32, i32 -> i1
// CHECK: [[MORE:%.*]] = arith.addi [[I]], {{%.*}} : i32
// CHECK: [[ROW:%.*]] = tile.select [[LESS]], [[MORE]], [[I]] : i1, i32, i32 -> i32
// CHECK: tile.read %x index([[ROW]] : i32) [t0() by 16, d0 by 1] : memref<100x16xf32> -> tensor<16xf32>
func.func @the_same_in_every_element(%x: memref<100x16xf32>, %ids: memref<64xi32>) {
  tile.programs (%pid) in [64] {
    %table = tile.base %x : memref<100x16xf32> -> !tile.ptr<f32>
    %names = tile.base %ids : memref<64xi32> -> !tile.ptr<i32>
    %name = tile.add_ptr %names, %pid : !tile.ptr<i32>, index -> !tile.ptr<i32>
    %same = tile.splat %name : !tile.ptr<i32> -> tensor<16x!tile.ptr<i32>>
    %i = tile.load %same : tensor<16x!tile.ptr<i32>> -> tensor<16xi32>
    %zeros = arith.constant dense<0> : tensor<16xi32>
    %hundred = arith.constant 100 : i32
    %hundreds = tile.splat %hundred : i32 -> tensor<16xi32>
    %none = arith.constant 0 : i32
    %nones = tile.splat %none : i32 -> tensor<16xi32>
    %less = tile.compare lt %i, %nones : tensor<16xi32>, tensor<16xi32> -> tensor<16xi1>
    %more = arith.addi %i, %hundreds : tensor<16xi32>
    %row = tile.select %less, %more, %i : tensor<16xi1>, tensor<16xi32>, tensor<16xi32> -> tensor<16xi32>
    %sixteen = arith.constant dense<16> : tensor<16xi32>
    %start = arith.muli %row, %sixteen : tensor<16xi32>
    %steps = tile.arange 0 to 16 : tensor<16xindex>
    %places = tile.cast %steps : tensor<16xindex> -> tensor<16xi32>
    %at = arith.addi %start, %places : tensor<16xi32>
    %all = tile.splat %table : !tile.ptr<f32> -> tensor<16x!tile.ptr<f32>>
    %p = tile.add_ptr %all, %at : tensor<16x!tile.ptr<f32>>, tensor<16xi32> -> tensor<16x!tile.ptr<f32>>
    %v = tile.load %p : tensor<16x!tile.ptr<f32>> -> tensor<16xf32>
    tile.store %p, %v : tensor<16x!tile.ptr<f32>>, tensor<16xf32>
  }
  func.return
}

// Along one dimension a mask is another one, so that rows are not loaded once.
// CHECK-LABEL: func.func @a_mask_that_moves
// CHECK: tile.read %x [d0 by 1, d1 in * to 3 by 0] : memref<8xf32> -> tensor<8x4xf32>
func.func @a_mask_that_moves(%x: memref<8xf32>) {
  %base = tile.base %x : memref<8xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<8x4x!tile.ptr<f32>>
  %o = tile.arange 0 to 8 : tensor<8xindex>
  %o1 = tile.expand_dims %o axis 1 : tensor<8xindex> -> tensor<8x1xindex>
  %o2 = tile.broadcast %o1 : tensor<8x1xindex> -> tensor<8x4xindex>
  %c = tile.arange 0 to 4 : tensor<4xindex>
  %c1 = tile.expand_dims %c axis 0 : tensor<4xindex> -> tensor<1x4xindex>
  %c2 = tile.broadcast %c1 : tensor<1x4xindex> -> tensor<8x4xindex>
  %three = arith.constant dense<3> : tensor<8x4xindex>
  %mask = tile.compare lt %c2, %three : tensor<8x4xindex>, tensor<8x4xindex> -> tensor<8x4xi1>
  %p = tile.add_ptr %bases, %o2 : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xindex> -> tensor<8x4x!tile.ptr<f32>>
  %v = tile.load %p mask %mask : tensor<8x4xi1> : tensor<8x4x!tile.ptr<f32>> -> tensor<8x4xf32>
  "test.op"(%v) : (tensor<8x4xf32>) -> ()
  func.return
}

// -----

// Four weights, each for 16 elements; the row of 16 four times.
// CHECK-LABEL: func.func @parts_of_a_row
// CHECK: [[FEW:%.*]] = tile.read %w(%pid) [4 * s0 + d0 by 1] : memref<32xf32> -> tensor<4xf32>
// CHECK: [[APART:%.*]] = tile.expand_dims [[FEW]] axis 1
// CHECK: [[ALL:%.*]] = tile.broadcast [[APART]] : tensor<4x1xf32> -> tensor<4x16xf32>
// CHECK: %v = tile.reshape [[ALL]] : tensor<4x16xf32> -> tensor<64xf32>
// CHECK: [[ROW:%.*]] = tile.read %w [d0 by 1] : memref<32xf32> -> tensor<16xf32>
// CHECK: [[FRONT:%.*]] = tile.expand_dims [[ROW]] axis 0
// CHECK: [[AGAIN:%.*]] = tile.broadcast [[FRONT]] : tensor<1x16xf32> -> tensor<4x16xf32>
// CHECK: %u = tile.reshape [[AGAIN]] : tensor<4x16xf32> -> tensor<64xf32>
// CHECK: tile.read %w index({{%.*}} : tensor<64xindex>) [t0(d0) by 1, d0 in * to 60 by 0]
// CHECK: tile.read %w index({{%.*}} : tensor<64xindex>) [t0(d0) by 1] : memref<32xf32> -> tensor<64xf32>
func.func @parts_of_a_row(%w: memref<32xf32>) {
  tile.programs (%pid) in [8] {
    %base = tile.base %w : memref<32xf32> -> !tile.ptr<f32>
    %bases = tile.splat %base : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %places = tile.arange 0 to 64 : tensor<64xindex>
    %sixteen = arith.constant dense<16> : tensor<64xindex>
    %part = arith.divsi %places, %sixteen : tensor<64xindex>
    %four = arith.constant 4 : index
    %first = arith.muli %pid, %four : index
    %firsts = tile.splat %first : index -> tensor<64xindex>
    %at = arith.addi %firsts, %part : tensor<64xindex>
    %p = tile.add_ptr %bases, %at : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    %v = tile.load %p : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    "test.op"(%v) : (tensor<64xf32>) -> ()
    %rest = arith.remsi %places, %sixteen : tensor<64xindex>
    %q = tile.add_ptr %bases, %rest : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    %u = tile.load %q : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    "test.op"(%u) : (tensor<64xf32>) -> ()
    %sixty = arith.constant dense<60> : tensor<64xindex>
    %mask = tile.compare lt %places, %sixty : tensor<64xindex>, tensor<64xindex> -> tensor<64xi1>
    %x = tile.load %q mask %mask : tensor<64xi1> : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    "test.op"(%x) : (tensor<64xf32>) -> ()
    %one = arith.constant dense<1> : tensor<64xindex>
    %later = arith.addi %places, %one : tensor<64xindex>
    %uneven = arith.divsi %later, %sixteen : tensor<64xindex>
    %r = tile.add_ptr %bases, %uneven : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    %y = tile.load %r : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    "test.op"(%y) : (tensor<64xf32>) -> ()
  }
  func.return
}
