// RUN: nki-opt %s -p place --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p place,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @no_engine_has_it(%x: memref<8xf32>) {
  %v = tile.read %x [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  // CHECK: rounding down (expand-rounding makes it of rounding to nearest) is not supported: no engine has it
  %f = math.floor %v : tensor<8xf32>
  tile.write %f to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @no_engine_divides_integers(%x: memref<8xi32>) {
  %v = tile.read %x [d0 by 1] : memref<8xi32> -> tensor<8xi32>
  // CHECK: integer division of tiles (expand-division makes comparisons of one by a constant) is not supported: no engine has it
  %f = arith.divsi %v, %v : tensor<8xi32>
  tile.write %f to %x [d0 by 1] : tensor<8xi32> -> memref<8xi32>
  func.return
}

// -----

func.func @what_is_unknown(%x: memref<8xf32>) {
  %v = tile.read %x [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  // CHECK: test.op is not an operation of tile; it can't use a tensor or a float
  "test.op"(%v) : (tensor<8xf32>) -> ()
  func.return
}

// -----

func.func @several_results(%x: memref<8xf32>) {
  // CHECK: test.op on tiles is not supported: no engine has it
  %v, %w = "test.op"() : () -> (tensor<8xf32>, tensor<8xf32>)
  tile.write %v to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @a_branch_that_yields_an_index(%x: memref<8xf32>, %p: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %v = tile.read %x [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  %q = tile.compare eq %p, %c0 : index, index -> i1
  // CHECK: error: an if yields tensors and numbers, not index
  %r = scf.if %q -> (index) {
    tile.write %v to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
    scf.yield %c0 : index
  } else {
    scf.yield %c1 : index
  }
  func.return
}

// -----

// CHECK: error: argument 't' is tensor<8xf32>; a kernel's arguments are memrefs, and scalars are constants
func.func @a_tensor_as_argument(%x: memref<8xf32>, %t: tensor<8xf32>) {
  tile.write %t to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @an_index_that_a_loop_carries(%x: memref<8xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = arith.constant 8 : index
  // CHECK: the loop carries a value of type index that is not start + iteration * step
  %r = scf.for %i = %zero to %n step %one iter_args(%at = %zero) -> (index) {
    %next = arith.addi %at, %one : index
    scf.yield %next : index
  }
  func.return
}

// -----

func.func @a_product_too_wide_for_psum(%x: memref<128x32xf32>, %y: memref<32x8192xf32>, %z: memref<128x8192xf32>) {
  %a = tile.read %x [d0 by 32, d1 by 1] : memref<128x32xf32> -> tensor<128x32xf32>
  %b = tile.read %y [d0 by 8192, d1 by 1] : memref<32x8192xf32> -> tensor<32x8192xf32>
  // CHECK: the product, 128 x 8192 in fp32, needs 32768 bytes on each of 128 partitions of PSUM, which has 16384; use smaller blocks
  %d = tile.dot %a, %b over [1] x [0] : tensor<128x32xf32>, tensor<32x8192xf32> -> tensor<128x8192xf32>
  tile.write %d to %z [d0 by 8192, d1 by 1] : tensor<128x8192xf32> -> memref<128x8192xf32>
  func.return
}

// -----

func.func @a_tile_too_large_for_sbuf(%x: memref<8192x8192xf32>) {
  // CHECK: '{{[vr]}}', [8192, 8192] of f32, needs 2097152 bytes on each of 128 partitions, and sbuf has
  %v = tile.read %x [d0 by 8192, d1 by 1] : memref<8192x8192xf32> -> tensor<8192x8192xf32>
  tile.write %v to %x [d0 by 8192, d1 by 1] : tensor<8192x8192xf32> -> memref<8192x8192xf32>
  func.return
}

// -----

func.func @a_carried_tile_too_large_for_sbuf(%x: memref<8192x8192xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = arith.constant 8 : index
  %f = arith.constant 0.0 : f32
  %init = tile.splat %f : f32 -> tensor<8192x8192xf32>
  // CHECK: '{{[vr]}}', [8192, 8192] of f32, needs 2097152 bytes on each of 128 partitions, and sbuf has
  %r = scf.for %i = %zero to %n step %one iter_args(%acc = %init) -> (tensor<8192x8192xf32>) {
    scf.yield %acc : tensor<8192x8192xf32>
  }
  func.return
}

// -----

func.func @a_mask_of_products(%x: memref<8xf32>, %k: index) {
  %two = arith.constant 2 : index
  %low = arith.constant 0.0 : f32
  %v = tile.read %x [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  %i = tile.arange 0 to 8 : tensor<8xindex>
  %t = tile.splat %two : index -> tensor<8xindex>
  %m = arith.remsi %i, %t : tensor<8xindex>
  %o = tile.splat %k : index -> tensor<8xindex>
  // CHECK: these indices are not supported as values: they have
  %c = tile.compare lt %m, %o : tensor<8xindex>, tensor<8xindex> -> tensor<8xi1>
  %z = tile.splat %low : f32 -> tensor<8xf32>
  %s = tile.select %c, %v, %z : tensor<8xi1>, tensor<8xf32>, tensor<8xf32> -> tensor<8xf32>
  tile.write %s to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @indices_of_products(%x: memref<8xf32>) {
  %two = arith.constant 2 : index
  %i = tile.arange 0 to 8 : tensor<8xindex>
  %t = tile.splat %two : index -> tensor<8xindex>
  %m = arith.remsi %i, %t : tensor<8xindex>
  // CHECK: these indices are not supported as values: they have
  %c = tile.cast %m : tensor<8xindex> -> tensor<8xf32>
  tile.write %c to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @no_numbers(%x: memref<8xvector<4xf8E5M2>>) {
  // CHECK: the machine has no numbers of type vector<4xf8E5M2>
  %v = tile.read %x [d0 by 1] : memref<8xvector<4xf8E5M2>> -> tensor<8xvector<4xf8E5M2>>
  tile.write %v to %x [d0 by 1] : tensor<8xvector<4xf8E5M2>> -> memref<8xvector<4xf8E5M2>>
  func.return
}

// -----

func.func @numbers_that_the_machine_lacks(%x: memref<8xf32>, %y: memref<8xf64>) {
  // CHECK: the machine has no numbers of type f64
  %v = tile.read %y [d0 by 1] : memref<8xf64> -> tensor<8xf64>
  tile.write %v to %y [d0 by 1] : tensor<8xf64> -> memref<8xf64>
  func.return
}


// -----

func.func @wide_arithmetic_on_data(%x: memref<8xi32>) {
  %v = tile.read %x [d0 by 1] : memref<8xi32> -> tensor<8xi32>
  %wide = tile.cast %v : tensor<8xi32> -> tensor<8xindex>
  %square = arith.muli %wide, %wide : tensor<8xindex>
  // CHECK: 64-bit arithmetic on loaded data is not supported yet; compute in 32 bits, as the machine does
  %a = tile.cast %square : tensor<8xindex> -> tensor<8xi32>
  tile.write %a to %x [d0 by 1] : tensor<8xi32> -> memref<8xi32>
  func.return
}

// -----

func.func @more_than_32_bits(%x: memref<8xf32>) {
  %far = arith.constant 5000000000 : index
  %starts = tile.splat %far : index -> tensor<8xindex>
  %range = tile.arange 0 to 8 : tensor<8xindex>
  %sum = arith.addi %starts, %range : tensor<8xindex>
  // CHECK: indices that reach 5000000000..5000000007 do not fit the machine's 32-bit integers
  %a = tile.cast %sum : tensor<8xindex> -> tensor<8xf32>
  tile.write %a to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @a_table_of_numbers(%x: memref<2xf32>) {
  // CHECK: a tensor<2xf32> that is neither loaded nor computed; pass it as an argument
  %table = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  tile.write %table to %x [d0 by 1] : tensor<2xf32> -> memref<2xf32>
  func.return
}

// -----

// CHECK: error: argument 's' is f32; a kernel's arguments are memrefs, and scalars are constants
func.func @a_scalar_as_argument(%x: memref<8xf32>, %s: f32) {
  %v = tile.splat %s : f32 -> tensor<8xf32>
  tile.write %v to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @wrong_level(%x: memref<8xf32>) {
  // CHECK: error: place takes tile; this module is at neuron.mem already: what is left of its lowering is mem-to-engine,engine-to-isa
  %v = neuron.mem.load %x [d0 by 1] : memref<8xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  func.return
}

// -----

func.func @an_operation_of_no_level(%x: memref<8xf32>) {
  %v = tile.read %x [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  // CHECK: error: test.op is not an operation of tile; it can't use a tensor or a float
  "test.op"(%v) : (tensor<8xf32>) -> ()
  func.return
}

// -----

func.func @a_call(%x: memref<8xf32>) {
  %v = tile.read %x [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  // CHECK: error: calls (func.call) are not supported
  func.call @a_call(%x) : (memref<8xf32>) -> ()
  func.return
}

// -----

func.func @programs_in_parallel() {
  // CHECK: programs in parallel have no place; run programs-to-loops first
  tile.programs (%i) in [2] {
  }
  func.return
}

// -----

func.func @a_scan_that_no_partition_holds(%x: memref<65536xf32>) {
  %zero = arith.constant 0 : index
  %v = tile.read %x [d0 by 1] : memref<65536xf32> -> tensor<65536xf32>
  // CHECK: needs 262144 bytes on one partition, and sbuf has {{.*}}; tile.scan has all of dimension 0 on one partition; use smaller blocks
  %s = tile.scan sum %v axis 0 : tensor<65536xf32> -> tensor<65536xf32>
  tile.write %s to %x [d0 by 1] : tensor<65536xf32> -> memref<65536xf32>
  func.return
}

// -----

func.func @a_scan_that_ignores_nan(%x: memref<8xf32>) {
  %zero = arith.constant 0 : index
  %v = tile.read %x [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  // CHECK: a scan by maxnum is not supported: run expand-maxnum first
  %s = tile.scan maxnum %v axis 0 : tensor<8xf32> -> tensor<8xf32>
  tile.write %s to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @an_address_that_data_chooses(%x: memref<8xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %c = tile.compare lt %zero, %one : index, index -> i1
  %i = tile.select %c, %one, %zero : i1, index, index -> index
  // CHECK: neuron.mem.load has an index that tile.select computes of data, which is not supported here
  %v = tile.read %x(%i) [s0 by 1] : memref<8xf32> -> tensor<1xf32>
  tile.write %v to %x [d0 by 1] : tensor<1xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @a_product_for_each_place(%x: memref<128xf32>) {
  %a = tile.read %x [16 * d0 + 4 * d1 + d2 by 1] : memref<128xf32> -> tensor<2x4x4xf32>
  // CHECK: a product over other dimensions than [1] x [0]: run expand-products first
  %d = tile.dot %a, %a over [2] x [1] batch [0] x [0] : tensor<2x4x4xf32>, tensor<2x4x4xf32> -> tensor<2x4x4xf32>
  tile.write %d to %x [16 * d0 + 4 * d1 + d2 by 1] : tensor<2x4x4xf32> -> memref<128xf32>
  func.return
}

// -----

func.func @a_reduction_that_ignores_nan(%x: memref<8x4xf32>, %y: memref<8xf32>) {
  %v = tile.read %x [d0 by 4, d1 by 1] : memref<8x4xf32> -> tensor<8x4xf32>
  // CHECK: a reduction by maxnum is not supported: run expand-maxnum first
  %m = tile.reduce maxnum %v axis 1 : tensor<8x4xf32> -> tensor<8xf32>
  tile.write %m to %y [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @a_mask_of_data(%x: memref<8xf32>, %y: memref<8xf32>) {
  %z = arith.constant 0.0 : f32
  %v = tile.read %x [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  %s = tile.splat %z : f32 -> tensor<8xf32>
  %m = tile.compare lt %v, %s : tensor<8xf32>, tensor<8xf32> -> tensor<8xi1>
  // CHECK: an access has a mask that is no bound; run expand-accesses first
  tile.write %v to %y [d0 by 1] mask %m : tensor<8xi1> : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @an_index_tile_that_is_no_data(%x: memref<8xf32>) {
  %t = tile.arange 0 to 8 : tensor<8xindex>
  // CHECK: an access has an index tile that is no data; run expand-accesses first
  %v = tile.read %x index(%t : tensor<8xindex>) [t0(d0) by 1] : memref<8xf32> -> tensor<8xf32>
  tile.write %v to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @indices_of_data(%x: memref<1xi32>, %y: memref<8xi32>) {
  %v = tile.read %x [0 by 1] : memref<1xi32> -> i32
  %i = tile.cast %v : i32 -> index
  %b = tile.splat %i : index -> tensor<8xindex>
  // CHECK: tile.splat makes indices of data here; run expand-indices first
  %c = tile.cast %b : tensor<8xindex> -> tensor<8xi32>
  tile.write %c to %y [d0 by 1] : tensor<8xi32> -> memref<8xi32>
  func.return
}

// -----

func.func @truth_of_indices_as_data(%y: memref<8xi1>, %k: index) {
  %c = arith.constant 3 : index
  // CHECK: arith.cmpi of data is not supported; tile.compare is
  %i = arith.cmpi slt, %k, %c : index
  %b = tile.splat %i : i1 -> tensor<8xi1>
  tile.write %b to %y [d0 by 1] : tensor<8xi1> -> memref<8xi1>
  func.return
}

// -----

func.func @numbers_that_decide(%n: memref<1xi32>, %y: memref<8xf32>) {
  %k = tile.read %n [0 by 1] : memref<1xi32> -> i32
  %c = arith.constant 3 : i32
  // CHECK: arith.cmpi of data is not supported; tile.compare is
  %i = arith.cmpi slt, %k, %c : i32
  %v = tile.read %y [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  scf.if %i {
    tile.write %v to %y [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  }
  func.return
}

// -----

func.func @a_choice_of_arith(%x: memref<8xf32>, %y: memref<1xi1>) {
  %v = tile.read %x [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  %c = tile.read %y [0 by 1] : memref<1xi1> -> i1
  // CHECK: arith.select of data is not supported; tile.select is
  %s = arith.select %c, %v, %v : tensor<8xf32>
  tile.write %s to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @a_body_of_another_operation(%x: memref<8xf32>) {
  // CHECK: scf.execute_region holds operations; of tile, scf.for, scf.if and scf.while do
  scf.execute_region {
    %v = tile.read %x [d0 by 1] : memref<8xf32> -> tensor<8xf32>
    tile.write %v to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
    scf.yield
  }
  func.return
}

// -----

func.func @a_conversion_of_arith(%x: memref<8xi32>, %y: memref<8xf32>) {
  %v = tile.read %x [0 by 1] : memref<8xi32> -> i32
  // CHECK: arith.sitofp of data is not supported; tile.cast is
  %c = arith.sitofp %v : i32 to f32
  tile.write %c to %y [0 by 1] : f32 -> memref<8xf32>
  func.return
}

// -----

func.func @rows_up_to_inside_the_memory(%x: memref<64xf32>, %k: memref<8xi32>) {
  %i = tile.read %k [d0 by 1] : memref<8xi32> -> tensor<8xi32>
  // CHECK: row 60 is left out, and is not behind the memory's 64 elements; run expand-accesses first
  %v = tile.read %x index(%i : tensor<8xi32>) [t0(d0) in 0 to 60 by 1] : memref<64xf32> -> tensor<8xf32>
  tile.write %v to %x [d0 by 1] : tensor<8xf32> -> memref<64xf32>
  func.return
}

// -----

func.func @a_bound_on_two_dimensions(%x: memref<8x4xf32>) {
  // CHECK: an access has a bound on several dimensions, or on a counter of run time; run expand-accesses first
  %v = tile.read %x [d0 by 4, d1 by 1, d0 + d1 in 0 to 5 by 0] : memref<8x4xf32> -> tensor<8x4xf32>
  tile.write %v to %x [d0 by 4, d1 by 1] : tensor<8x4xf32> -> memref<8x4xf32>
  func.return
}

// -----

func.func @pointers(%x: memref<8xf32>) {
  %p = tile.base %x : memref<8xf32> -> !tile.ptr<f32>
  // CHECK: pointers have no place; run structure-accesses first
  %v = tile.load %p : !tile.ptr<f32> -> f32
  func.return
}

// -----

func.func @stores_by_pointers(%x: memref<8xf32>) {
  %z = arith.constant 0.0 : f32
  %p = tile.base %x : memref<8xf32> -> !tile.ptr<f32>
  // CHECK: pointers have no place; run structure-accesses first
  tile.store %p, %z : !tile.ptr<f32>, f32
  func.return
}

// -----

func.func @atomic_operations(%x: memref<8xf32>) {
  %z = arith.constant 0.0 : f32
  %p = tile.base %x : memref<8xf32> -> !tile.ptr<f32>
  // CHECK: an atomic operation has no place; run expand-atomics,structure-accesses first
  %v = tile.atomic add %p, %z : !tile.ptr<f32>, f32 -> f32
  func.return
}

// -----

func.func @a_slice_that_no_partition_holds(%x: memref<65536xf32>, %y: memref<500xf32>) {
  %v = tile.read %x [d0 by 1] : memref<65536xf32> -> tensor<65536xf32>
  // CHECK: 'v', [65536] of f32, needs 262144 bytes on one partition, and sbuf has {{.*}}; no layout on more partitions has places 33 to 532 of it by themselves; use smaller blocks
  %s = tile.slice %v axis 0 at 33 : tensor<65536xf32> -> tensor<500xf32>
  tile.write %s to %y [d0 by 1] : tensor<500xf32> -> memref<500xf32>
  func.return
}

// -----

func.func @parts_that_no_partition_holds(%x: memref<30001xf32>, %y: memref<60001xf32>) {
  %v = tile.read %x [d0 by 1] : memref<30001xf32> -> tensor<30001xf32>
  %w = tile.read %x [d0 by 1] : memref<30001xf32> -> tensor<30000xf32>
  // CHECK: 'c', [60001] of f32, needs 240004 bytes on one partition, and sbuf has {{.*}}; no layout on more partitions has each of its parts by itself; use smaller blocks
  %c = tile.concat %v, %w axis 0 : tensor<30001xf32>, tensor<30000xf32> -> tensor<60001xf32>
  tile.write %c to %y [d0 by 1] : tensor<60001xf32> -> memref<60001xf32>
  func.return
}
