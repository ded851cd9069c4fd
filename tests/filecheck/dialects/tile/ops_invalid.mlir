// RUN: NKI_INVALID

// One rule in each chunk, which is named after it.

// CHECK: Operation does not verify: 'tile.programs' expects parent op 'func.func'
tile.programs (%i) in [2] {
}

// -----

func.func @programs_of_programs() {
  tile.programs (%i) in [2] {
    // CHECK: Operation does not verify: 'tile.programs' expects parent op 'func.func'
    tile.programs (%j) in [2] {
    }
  }
  func.return
}

// -----

func.func @programs_in_a_loop() {
  %0 = arith.constant 0 : index
  scf.for %k = %0 to %0 step %0 {
    // CHECK: Operation does not verify: 'tile.programs' expects parent op 'func.func'
    tile.programs (%j) in [2] {
    }
  }
  func.return
}

// -----

func.func @no_program() {
  // CHECK: Operation does not verify: a grid is made of positive sizes, got [2, 0]
  tile.programs (%i, %j) in [2, 0] {
  }
  func.return
}

// -----

func.func @too_many_programs() {
  // CHECK: Operation does not verify: a grid has at most 2^31 - 1 = 2147483647 programs, got 2147483648
  tile.programs (%i, %j) in [65536, 32768] {
  }
  func.return
}

// -----

func.func @groups_of_how_many_programs() {
  // CHECK: Operation does not verify: a grid of groups says how many programs are in one, and how many there are
  tile.programs (%i) in [8] by [128] {
  }
  func.return
}

// -----

func.func @as_many_groups_as_there_are() {
  // CHECK: Operation does not verify: [1000] programs are not [7] groups of [128]
  tile.programs (%i) in [7] by [128] of [1000] {
  }
  func.return
}

// -----

func.func @a_group_along_each_axis() {
  %0 = arith.constant 0 : index
  // CHECK: Operation does not verify: groups of [3] programs are none of a grid of [2, 4]
  tile.begin_program %0 of [2, 4] by [3]
  func.return
}

// -----

func.func @an_id_for_each_axis() {
  // CHECK: Operation does not verify: a grid of 2 axes gives as many ids, which are index; got
  tile.programs (%i) in [2, 4] {
  }
  func.return
}

// -----

func.func @ids_are_index() {
  // CHECK: Operation does not verify: a grid of 1 axes gives as many ids, which are index; got
  "tile.programs"() <{sizes = array<i64: 2>}> ({
  ^bb0(%i: i32):
  }) : () -> ()
  func.return
}

// -----

func.func @effects_by_accesses_only() {
  // CHECK: Operation does not verify: a program reaches memory by accesses of tile only, not by tile.begin_program
  tile.programs (%i) in [2] {
    scf.for %k = %i to %i step %i {
      tile.begin_program %i of [2]
    }
  }
  func.return
}

// -----

func.func @one_program_needs_no_name() {
  %0 = arith.constant 0 : index
  // CHECK: Operation does not verify: a grid of one program has no program to name
  tile.begin_program %0 of []
  func.return
}

// -----

func.func @a_grid_has_no_empty_dimension() {
  %0 = arith.constant 0 : index
  // CHECK: Operation does not verify: a grid is made of positive sizes, got [2, 0]
  tile.begin_program %0 of [2, 0]
  func.return
}

// -----

func.func @an_empty_range() {
  // CHECK: Operation does not verify: the range 4 to 4 is empty
  %0 = tile.arange 4 to 4 : tensor<0xindex>
  func.return
}

// -----

func.func @the_length_of_a_range() {
  // CHECK: Operation does not verify: the result must be tensor<8xindex>, got tensor<9xindex>
  %0 = tile.arange 0 to 8 : tensor<9xindex>
  func.return
}

// -----

func.func @a_range_is_of_index() {
  // CHECK: Operation does not verify: the result must be tensor<8xindex>, got tensor<8xi32>
  %0 = tile.arange 0 to 8 : tensor<8xi32>
  func.return
}

// -----

func.func @splat_takes_a_scalar() {
  %x = "test.op"() : () -> tensor<4xf32>
  // CHECK: Operation does not verify: the operand must be a scalar of the result's element type
  %0 = tile.splat %x : tensor<4xf32> -> tensor<4xf32>
  func.return
}

// -----

func.func @splat_keeps_the_type() {
  %x = "test.op"() : () -> f32
  // CHECK: Operation does not verify: the operand must be a scalar of the result's element type
  %0 = tile.splat %x : f32 -> tensor<4xbf16>
  func.return
}

// -----

func.func @the_axis_of_a_new_dimension() {
  %x = "test.op"() : () -> tensor<4xf32>
  // CHECK: Operation does not verify: axis 2 is outside 0..1
  %0 = tile.expand_dims %x axis 2 : tensor<4xf32> -> tensor<4x1xf32>
  func.return
}

// -----

func.func @the_shape_with_a_new_dimension() {
  %x = "test.op"() : () -> tensor<4xf32>
  // CHECK: Operation does not verify: the result must have shape (1, 4) and the source's element type
  %0 = tile.expand_dims %x axis 0 : tensor<4xf32> -> tensor<4x1xf32>
  func.return
}

// -----

func.func @expand_dims_keeps_the_type() {
  %x = "test.op"() : () -> tensor<4xf32>
  // CHECK: Operation does not verify: the result must have shape (1, 4) and the source's element type
  %0 = tile.expand_dims %x axis 0 : tensor<4xf32> -> tensor<1x4xbf16>
  func.return
}

// -----

func.func @only_a_dimension_of_size_1_repeats() {
  %x = "test.op"() : () -> tensor<2x8xf32>
  // CHECK: Operation does not verify: shape (2, 8) does not broadcast to (4, 8)
  %0 = tile.broadcast %x : tensor<2x8xf32> -> tensor<4x8xf32>
  func.return
}

// -----

func.func @broadcast_keeps_the_rank() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: shape (8,) does not broadcast to (4, 8)
  %0 = tile.broadcast %x : tensor<8xf32> -> tensor<4x8xf32>
  func.return
}

// -----

func.func @broadcast_keeps_the_type() {
  %x = "test.op"() : () -> tensor<1x8xf32>
  // CHECK: Operation does not verify: a broadcast keeps the element type
  %0 = tile.broadcast %x : tensor<1x8xf32> -> tensor<4x8xbf16>
  func.return
}

// -----

func.func @an_order_has_each_dimension_once() {
  %x = "test.op"() : () -> tensor<4x8xf32>
  // CHECK: Operation does not verify: [0, 0] is no order of 2 dimensions
  %0 = tile.permute %x order [0, 0] : tensor<4x8xf32> -> tensor<4x4xf32>
  func.return
}

// -----

func.func @an_order_is_of_all_dimensions() {
  %x = "test.op"() : () -> tensor<4x8xf32>
  // CHECK: Operation does not verify: [0] is no order of 2 dimensions
  %0 = tile.permute %x order [0] : tensor<4x8xf32> -> tensor<4xf32>
  func.return
}

// -----

func.func @the_shape_in_another_order() {
  %x = "test.op"() : () -> tensor<2x4x8xf32>
  // CHECK: Operation does not verify: the result must be tensor<8x2x4xf32>, got tensor<4x8x2xf32>
  %0 = tile.permute %x order [2, 0, 1] : tensor<2x4x8xf32> -> tensor<4x8x2xf32>
  func.return
}

// -----

func.func @permute_keeps_the_type() {
  %x = "test.op"() : () -> tensor<4x8xf32>
  // CHECK: Operation does not verify: the result must be tensor<8x4xf32>, got tensor<8x4xbf16>
  %0 = tile.permute %x order [1, 0] : tensor<4x8xf32> -> tensor<8x4xbf16>
  func.return
}

// -----

func.func @reshape_keeps_the_elements() {
  %x = "test.op"() : () -> tensor<4x8xf32>
  // CHECK: Operation does not verify: 32 elements of shape (4, 8) do not fill (5, 6)
  %0 = tile.reshape %x : tensor<4x8xf32> -> tensor<5x6xf32>
  func.return
}

// -----

func.func @reshape_keeps_the_type() {
  %x = "test.op"() : () -> tensor<4x8xf32>
  // CHECK: Operation does not verify: a reshape keeps the element type
  %0 = tile.reshape %x : tensor<4x8xf32> -> tensor<32xbf16>
  func.return
}

// -----

func.func @dot_pairs_dimensions_of_one_size() {
  %x, %y = "test.op"() : () -> (tensor<4x8xf32>, tensor<4x8xf32>)
  // CHECK: Operation does not verify: 'over' pairs dimensions of one size, got {{\[}}8] and {{\[}}4]
  %0 = tile.dot %x, %y over [1] x [0] : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
  func.return
}

// -----

func.func @common_dimensions_have_one_size() {
  %x, %y = "test.op"() : () -> (tensor<3x4x8xf32>, tensor<2x8x4xf32>)
  // CHECK: Operation does not verify: 'batch' pairs dimensions of one size, got {{\[}}3] and {{\[}}2]
  %0 = tile.dot %x, %y over [2] x [1] batch [0] x [0] : tensor<3x4x8xf32>, tensor<2x8x4xf32> -> tensor<3x4x4xf32>
  func.return
}

// -----

func.func @dimensions_are_paired() {
  %x, %y = "test.op"() : () -> (tensor<4x8xf32>, tensor<8x4xf32>)
  // CHECK: Operation does not verify: 'over' pairs dimensions of one size, got {{\[}}8] and {{\[}}8, 4]
  %0 = tile.dot %x, %y over [1] x [0, 1] : tensor<4x8xf32>, tensor<8x4xf32> -> tensor<4xf32>
  func.return
}

// -----

func.func @dot_has_no_such_dimension() {
  %x, %y = "test.op"() : () -> (tensor<4x8xf32>, tensor<8x4xf32>)
  // CHECK: Operation does not verify: 'over': {{\[}}2] are no different dimensions of 'a', {{\[}}4, 8]
  %0 = tile.dot %x, %y over [2] x [0] : tensor<4x8xf32>, tensor<8x4xf32> -> tensor<4x4xf32>
  func.return
}

// -----

func.func @a_dimension_is_in_one_list_once() {
  %x, %y = "test.op"() : () -> (tensor<4x4xf32>, tensor<4x4xf32>)
  // CHECK: Operation does not verify: 'over': {{\[}}0, 0] are no different dimensions of 'b', {{\[}}4, 4]
  %0 = tile.dot %x, %y over [0, 1] x [0, 0] : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4xf32>
  func.return
}

// -----

func.func @a_dimension_is_in_one_list() {
  %x, %y = "test.op"() : () -> (tensor<4x8xf32>, tensor<8x4xf32>)
  // CHECK: Operation does not verify: dimension 1 of 'a' is summed over and common at once
  %0 = tile.dot %x, %y over [1] x [0] batch [1] x [0] : tensor<4x8xf32>, tensor<8x4xf32> -> tensor<8x4x4xf32>
  func.return
}

// -----

func.func @dot_takes_one_type() {
  %x, %y = "test.op"() : () -> (tensor<4x8xf32>, tensor<8x4xbf16>)
  // CHECK: Operation does not verify: operands must be of one float type, got f32 and bf16
  %0 = tile.dot %x, %y over [1] x [0] : tensor<4x8xf32>, tensor<8x4xbf16> -> tensor<4x4xf32>
  func.return
}

// -----

func.func @dot_takes_floats() {
  %x, %y = "test.op"() : () -> (tensor<4x8xi32>, tensor<8x4xi32>)
  // CHECK: Operation does not verify: operands must be of one float type, got i32 and i32
  %0 = tile.dot %x, %y over [1] x [0] : tensor<4x8xi32>, tensor<8x4xi32> -> tensor<4x4xf32>
  func.return
}

// -----

func.func @the_shape_of_a_product() {
  %x, %y = "test.op"() : () -> (tensor<4x8xf32>, tensor<8x2xf32>)
  // CHECK: Operation does not verify: the result must be a float tensor of shape (4, 2), got tensor<2x4xf32>
  %0 = tile.dot %x, %y over [1] x [0] : tensor<4x8xf32>, tensor<8x2xf32> -> tensor<2x4xf32>
  func.return
}

// -----

func.func @dot_gives_floats() {
  %x, %y = "test.op"() : () -> (tensor<4x8xf32>, tensor<8x2xf32>)
  // CHECK: Operation does not verify: the result must be a float tensor of shape (4, 2), got tensor<4x2xi32>
  %0 = tile.dot %x, %y over [1] x [0] : tensor<4x8xf32>, tensor<8x2xf32> -> tensor<4x2xi32>
  func.return
}

// -----

func.func @the_type_of_an_accumulator() {
  %x, %y, %z = "test.op"() : () -> (tensor<4x8xbf16>, tensor<8x2xbf16>, tensor<4x2xbf16>)
  // CHECK: Operation does not verify: 'acc' must have the result's type tensor<4x2xf32>, got tensor<4x2xbf16>
  %0 = "tile.dot"(%x, %y, %z) <{over_a = array<i64: 1>, over_b = array<i64: 0>, batch_a = array<i64>, batch_b = array<i64>}> : (tensor<4x8xbf16>, tensor<8x2xbf16>, tensor<4x2xbf16>) -> tensor<4x2xf32>
  func.return
}

// -----

func.func @compare_takes_one_type() {
  %x, %y = "test.op"() : () -> (tensor<4xf32>, tensor<4xi32>)
  // CHECK: Operation does not verify: operand types differ: tensor<4xf32> and tensor<4xi32>
  %0 = tile.compare lt %x, %y : tensor<4xf32>, tensor<4xi32> -> tensor<4xi1>
  func.return
}

// -----

func.func @compare_takes_numbers() {
  %x, %y = "test.op"() : () -> (!tile.ptr<f32>, !tile.ptr<f32>)
  // CHECK: Operation does not verify: elements must be numbers, got !tile.ptr<f32>
  %0 = tile.compare lt %x, %y : !tile.ptr<f32>, !tile.ptr<f32> -> i1
  func.return
}

// -----

func.func @compare_gives_i1() {
  %x, %y = "test.op"() : () -> (tensor<4xf32>, tensor<4xf32>)
  // CHECK: Operation does not verify: the result must be i1 of shape (4,), got tensor<4xi8>
  %0 = tile.compare lt %x, %y : tensor<4xf32>, tensor<4xf32> -> tensor<4xi8>
  func.return
}

// -----

func.func @a_known_predicate() {
  %x, %y = "test.op"() : () -> (f32, f32)
  // CHECK: Expected `eq`, `ne`, `lt`, `le`, `gt`, or `ge`.
  %0 = tile.compare approximately %x, %y : f32, f32 -> i1
  func.return
}

// -----

func.func @select_keeps_the_type() {
  %c, %x, %y = "test.op"() : () -> (tensor<4xi1>, tensor<4xf32>, tensor<4xbf16>)
  // CHECK: Operation does not verify: both values and the result must have one type
  %0 = tile.select %c, %x, %y : tensor<4xi1>, tensor<4xf32>, tensor<4xbf16> -> tensor<4xf32>
  func.return
}

// -----

func.func @a_condition_for_each_element() {
  %c, %x, %y = "test.op"() : () -> (i1, tensor<4xf32>, tensor<4xf32>)
  // CHECK: Operation does not verify: the condition must be i1 of shape (4,)
  %0 = tile.select %c, %x, %y : i1, tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  func.return
}

// -----

func.func @cast_keeps_the_shape() {
  %x = "test.op"() : () -> tensor<4xf32>
  // CHECK: Operation does not verify: a cast keeps the shape
  %0 = tile.cast %x : tensor<4xf32> -> tensor<8xi32>
  func.return
}

// -----

func.func @cast_takes_numbers() {
  %x = "test.op"() : () -> !tile.ptr<f32>
  // CHECK: Operation does not verify: elements must be numbers, got !tile.ptr<f32>
  %0 = tile.cast %x : !tile.ptr<f32> -> index
  func.return
}

// -----

func.func @cast_gives_numbers() {
  %x = "test.op"() : () -> index
  // CHECK: Operation does not verify: elements must be numbers, got !tile.ptr<f32>
  %0 = tile.cast %x : index -> !tile.ptr<f32>
  func.return
}

// -----

func.func @the_axis_of_a_reduction() {
  %x = "test.op"() : () -> tensor<4x8xf32>
  // CHECK: Operation does not verify: axis 2 is outside the 2 dimensions of the operand
  %0 = tile.reduce max %x axis 2 : tensor<4x8xf32> -> tensor<4xf32>
  func.return
}

// -----

func.func @the_shape_of_a_reduction() {
  %x = "test.op"() : () -> tensor<4x8xf32>
  // CHECK: Operation does not verify: the result must be tensor<8xf32>
  %0 = tile.reduce max %x axis 0 : tensor<4x8xf32> -> tensor<4xf32>
  func.return
}

// -----

func.func @a_reduction_takes_numbers() {
  %x = "test.op"() : () -> tensor<8x!tile.ptr<f32>>
  // CHECK: Operation does not verify: elements must be numbers, got !tile.ptr<f32>
  %0 = tile.reduce max %x axis 0 : tensor<8x!tile.ptr<f32>> -> !tile.ptr<f32>
  func.return
}

// -----

func.func @a_known_reduction() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Expected `max`, `min`, `sum`, `product`, `maxnum`, `minnum`, `and`, `or`, or `xor`.
  %0 = tile.reduce mean %x axis 0 : tensor<8xf32> -> f32
  func.return
}

// -----

func.func @an_unknown_operation() {
  // CHECK: Operation tile.frobnicate is not registered
  %0 = tile.frobnicate 0
  func.return
}

// -----

func.func @an_unknown_type() {
  // CHECK: 'tile.pointer' is not registered
  %0 = "test.op"() : () -> !tile.pointer<f32>
  func.return
}

// -----

func.func @bits_are_of_integers() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: xor is for integers; elements are f32
  %0 = tile.reduce xor %x axis 0 : tensor<8xf32> -> f32
  func.return
}

// -----

func.func @scan_by_bits_of_integers() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: or is for integers; elements are f32
  %0 = tile.scan or %x axis 0 : tensor<8xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @scan_by_maxnum_of_floats() {
  %x = "test.op"() : () -> tensor<8xi32>
  // CHECK: Operation does not verify: maxnum is for floats; elements are i32
  %0 = tile.scan maxnum %x axis 0 : tensor<8xi32> -> tensor<8xi32>
  func.return
}

// -----

func.func @the_axis_of_a_scan() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: axis 1 is outside the 1 dimensions of the operand
  %0 = tile.scan sum %x axis 1 : tensor<8xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_scan_keeps_the_type() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: the result must be tensor<8xf32>, got tensor<8xbf16>
  %0 = tile.scan sum %x axis 0 : tensor<8xf32> -> tensor<8xbf16>
  func.return
}

// -----

func.func @a_scan_is_of_numbers() {
  %x = "test.op"() : () -> tensor<8x!tile.ptr<f32>>
  // CHECK: Operation does not verify: elements must be numbers, got !tile.ptr<f32>
  %0 = tile.scan sum %x axis 0 : tensor<8x!tile.ptr<f32>> -> tensor<8x!tile.ptr<f32>>
  func.return
}

// -----

func.func @only_a_sum_is_scaled() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: only a sum of floats is scaled, not max of f32
  %0 = tile.scan max %x scale %x : tensor<8xf32> axis 0 : tensor<8xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @only_floats_are_scaled() {
  %x = "test.op"() : () -> tensor<8xi32>
  // CHECK: Operation does not verify: only a sum of floats is scaled, not sum of i32
  %0 = tile.scan sum %x scale %x : tensor<8xi32> axis 0 : tensor<8xi32> -> tensor<8xi32>
  func.return
}

// -----

func.func @the_scale_of_a_scan() {
  %x, %y = "test.op"() : () -> (tensor<8xf32>, tensor<8xbf16>)
  // CHECK: Operation does not verify: the scale must be tensor<8xf32>, got tensor<8xbf16>
  %0 = tile.scan sum %x scale %y : tensor<8xbf16> axis 0 : tensor<8xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @only_sums_and_products_go_on() {
  %x, %s = "test.op"() : () -> (tensor<8xf32>, f32)
  // CHECK: Operation does not verify: only a sum or product of floats has an initial element, not max of f32
  %0 = tile.scan max %x initial %s : f32 axis 0 : tensor<8xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @only_scans_of_floats_go_on() {
  %x, %s = "test.op"() : () -> (tensor<8xi32>, i32)
  // CHECK: Operation does not verify: only a sum or product of floats has an initial element, not sum of i32
  %0 = tile.scan sum %x initial %s : i32 axis 0 : tensor<8xi32> -> tensor<8xi32>
  func.return
}

// -----

func.func @the_initial_element_of_a_scan() {
  %x, %s = "test.op"() : () -> (tensor<4x8xf32>, tensor<8xf32>)
  // CHECK: Operation does not verify: the initial element must be tensor<4xf32>, got tensor<8xf32>
  %0 = tile.scan sum %x initial %s : tensor<8xf32> axis 1 : tensor<4x8xf32> -> tensor<4x8xf32>
  func.return
}

// -----

func.func @the_axis_of_the_last_place() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: axis 1 is outside the 1 dimensions of the operand
  %0 = tile.last %x axis 1 : tensor<8xf32> -> f32
  func.return
}

// -----

func.func @no_last_place() {
  %x = "test.op"() : () -> tensor<4x0xf32>
  // CHECK: Operation does not verify: dimension 1 has no places
  %0 = tile.last %x axis 1 : tensor<4x0xf32> -> tensor<4xf32>
  func.return
}

// -----

func.func @the_type_of_the_last_place() {
  %x = "test.op"() : () -> tensor<4x8xf32>
  // CHECK: Operation does not verify: the result must be tensor<4xf32>, got tensor<8xf32>
  %0 = tile.last %x axis 1 : tensor<4x8xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @the_axis_of_a_flip() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: axis -1 is outside the 1 dimensions of the operand
  %0 = tile.flip %x axis -1 : tensor<8xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_flip_keeps_the_shape() {
  %x = "test.op"() : () -> tensor<4x8xf32>
  // CHECK: Operation does not verify: the result must be tensor<4x8xf32>, got tensor<8x4xf32>
  %0 = tile.flip %x axis 0 : tensor<4x8xf32> -> tensor<8x4xf32>
  func.return
}

// -----

func.func @a_bitcast_keeps_the_shape() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: a bitcast keeps the shape
  %0 = tile.bitcast %x : tensor<8xf32> -> tensor<4xi32>
  func.return
}

// -----

func.func @a_bitcast_keeps_the_size() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: f32 and i16 have different sizes
  %0 = tile.bitcast %x : tensor<8xf32> -> tensor<8xi16>
  func.return
}

// -----

func.func @a_bitcast_of_truth_values() {
  %x = "test.op"() : () -> tensor<8xi8>
  // CHECK: Operation does not verify: a bitcast is of numbers with bits, not of i1
  %0 = tile.bitcast %x : tensor<8xi8> -> tensor<8xi1>
  func.return
}

// -----

func.func @a_bitcast_of_indices() {
  %x = "test.op"() : () -> tensor<8xindex>
  // CHECK: Operation does not verify: a bitcast is of numbers with bits, not of index
  %0 = tile.bitcast %x : tensor<8xindex> -> tensor<8xi32>
  func.return
}

// -----

func.func @a_function_that_math_has() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: tanh is no function of tile.function; those are gelu, gelu_apprx_sigmoid, gelu_apprx_tanh, mish, sigmoid, silu, softplus
  %0 = tile.function tanh %x : tensor<8xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_function_of_integers() {
  %x = "test.op"() : () -> tensor<8xi32>
  // CHECK: Operation does not verify: the operand and the result must be floats of one type, got tensor<8xi32> and tensor<8xi32>
  %0 = tile.function silu %x : tensor<8xi32> -> tensor<8xi32>
  func.return
}

// -----

func.func @a_function_that_converts() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: the operand and the result must be floats of one type, got tensor<8xf32> and tensor<8xbf16>
  %0 = tile.function silu %x : tensor<8xf32> -> tensor<8xbf16>
  func.return
}

// -----

func.func @a_while_whose_blocks_disagree(%f: f32) {
  // CHECK: Block arguments with wrong type, expected f32, got i32
  %r = scf.while (%a = %f) : (f32) -> f32 {
    %c = tile.compare lt %a, %f : f32, f32 -> i1
    scf.condition(%c) %a : f32
  } do {
  ^bb0(%b: i32):
    scf.yield %f : f32
  }
  func.return
}

// -----

func.func @the_axis_of_a_slice() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: axis 1 is outside the 1 dimensions of the operand
  %0 = tile.slice %x axis 1 at 0 : tensor<8xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @a_slice_keeps_the_rank() {
  %x = "test.op"() : () -> tensor<4x8xf32>
  // CHECK: Operation does not verify: a slice keeps the 2 dimensions, got tensor<4xf32>
  %0 = tile.slice %x axis 0 at 0 : tensor<4x8xf32> -> tensor<4xf32>
  func.return
}

// -----

func.func @a_slice_in_front_of_the_first_place() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: places -1 to 2 are not all among the 8 of d0
  %0 = tile.slice %x axis 0 at -1 : tensor<8xf32> -> tensor<4xf32>
  func.return
}

// -----

func.func @a_slice_behind_the_last_place() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: places 5 to 8 are not all among the 8 of d0
  %0 = tile.slice %x axis 0 at 5 : tensor<8xf32> -> tensor<4xf32>
  func.return
}

// -----

func.func @a_slice_of_no_places() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: a slice has places, got tensor<0xf32>
  %0 = tile.slice %x axis 0 at 5 : tensor<8xf32> -> tensor<0xf32>
  func.return
}

// -----

func.func @a_slice_keeps_the_other_sizes() {
  %x = "test.op"() : () -> tensor<4x8xf32>
  // CHECK: Operation does not verify: the result must be tensor<2x8xf32>, got tensor<2x7xf32>
  %0 = tile.slice %x axis 0 at 1 : tensor<4x8xf32> -> tensor<2x7xf32>
  func.return
}

// -----

func.func @a_slice_keeps_the_element_type() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: the result must be tensor<4xf32>, got tensor<4xbf16>
  %0 = tile.slice %x axis 0 at 1 : tensor<8xf32> -> tensor<4xbf16>
  func.return
}

// -----

func.func @a_concatenation_of_nothing() {
  // CHECK: Operation does not verify: a concatenation is of one tensor at least
  %0 = "tile.concat"() <{axis = 0 : i64}> : () -> tensor<8xf32>
  func.return
}

// -----

func.func @the_axis_of_a_concatenation() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: axis -1 is outside the 1 dimensions of the operand
  %0 = tile.concat %x, %x axis -1 : tensor<8xf32>, tensor<8xf32> -> tensor<16xf32>
  func.return
}

// -----

func.func @parts_of_one_rank() {
  %x, %y = "test.op"() : () -> (tensor<4x8xf32>, tensor<8xf32>)
  // CHECK: Operation does not verify: the parts differ in more than the size of d1: tensor<4x8xf32> and tensor<8xf32>
  %0 = tile.concat %x, %y axis 1 : tensor<4x8xf32>, tensor<8xf32> -> tensor<4x16xf32>
  func.return
}

// -----

func.func @parts_of_one_size_beside() {
  %x, %y = "test.op"() : () -> (tensor<4x8xf32>, tensor<4x7xf32>)
  // CHECK: Operation does not verify: the parts differ in more than the size of d0: tensor<4x8xf32> and tensor<4x7xf32>
  %0 = tile.concat %x, %y axis 0 : tensor<4x8xf32>, tensor<4x7xf32> -> tensor<8x8xf32>
  func.return
}

// -----

func.func @parts_of_one_element_type() {
  %x, %y = "test.op"() : () -> (tensor<8xf32>, tensor<8xbf16>)
  // CHECK: Operation does not verify: the parts differ in more than the size of d0: tensor<8xf32> and tensor<8xbf16>
  %0 = tile.concat %x, %y axis 0 : tensor<8xf32>, tensor<8xbf16> -> tensor<16xf32>
  func.return
}

// -----

func.func @a_concatenation_is_as_long_as_its_parts() {
  %x = "test.op"() : () -> tensor<8xf32>
  // CHECK: Operation does not verify: the result must be tensor<16xf32>, got tensor<15xf32>
  %0 = tile.concat %x, %x axis 0 : tensor<8xf32>, tensor<8xf32> -> tensor<15xf32>
  func.return
}
