// RUN: nki-opt %s -p structure-accesses --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p structure-accesses,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @gather(%x: memref<5000xf32>, %i: memref<1024xi32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
  %zero = arith.constant 0 : index
  %index = tile.read %i[%zero] strides [1] : memref<1024xi32> -> tensor<1024xi32>
  %p = tile.add_ptr %bases, %index : tensor<1024x!tile.ptr<f32>>, tensor<1024xi32> -> tensor<1024x!tile.ptr<f32>>
  // CHECK: an address that depends on loaded data (gather/scatter) is not supported yet
  %v = tile.load %p : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>
  func.return
}

// -----

func.func @lower_bound(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
  %range = tile.arange 0 to 1024 : tensor<1024xindex>
  %n = arith.constant 5 : index
  %ends = tile.splat %n : index -> tensor<1024xindex>
  %mask = tile.compare ge %range, %ends : tensor<1024xindex>, tensor<1024xindex> -> tensor<1024xi1>
  %p = tile.add_ptr %bases, %range : tensor<1024x!tile.ptr<f32>>, tensor<1024xindex> -> tensor<1024x!tile.ptr<f32>>
  // CHECK: a mask that leaves out leading elements (a lower bound)
  %v = tile.load %p mask %mask : tensor<1024xi1> : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>
  func.return
}

// -----

func.func @remainder(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
  %range = tile.arange 0 to 1024 : tensor<1024xindex>
  %n = arith.constant 5 : index
  %fives = tile.splat %n : index -> tensor<1024xindex>
  %wrapped = arith.remsi %range, %fives : tensor<1024xindex>
  %p = tile.add_ptr %bases, %wrapped : tensor<1024x!tile.ptr<f32>>, tensor<1024xindex> -> tensor<1024x!tile.ptr<f32>>
  // CHECK: a remainder by 5 of indices that reach 0..1023: it does not keep their stride
  %v = tile.load %p : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>
  func.return
}

// -----

func.func @a_row_that_data_names(%x: memref<5000xf32>, %i: memref<8xi32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %zero = arith.constant 0 : index
  %row = tile.read %i[%zero] strides [] : memref<8xi32> -> i32
  %offset = tile.cast %row : i32 -> index
  %p = tile.add_ptr %base, %offset : !tile.ptr<f32>, index -> !tile.ptr<f32>
  // CHECK: an address that depends on loaded data (gather/scatter) is not supported yet
  %v = tile.load %p : !tile.ptr<f32> -> f32
  func.return
}

// -----

func.func @a_mask_of_data(%x: memref<5000xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %v = tile.load %base : !tile.ptr<f32> -> f32
  %mask = tile.compare lt %v, %v : f32, f32 -> i1
  // CHECK: a mask that depends on loaded data is not supported yet
  tile.store %base, %v mask %mask : i1 : !tile.ptr<f32>, f32
  func.return
}

// -----

func.func @an_index_that_wraps(%x: memref<5000xf32>) {
  tile.programs (%pid) in [200] {
    %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
    %narrow = tile.cast %pid : index -> i8
    %offset = tile.cast %narrow : i8 -> index
    %p = tile.add_ptr %base, %offset : !tile.ptr<f32>, index -> !tile.ptr<f32>
    // CHECK: an integer that may wrap around in i8
    %v = tile.load %p : !tile.ptr<f32> -> f32
  }
  func.return
}

// -----

func.func @chosen(%x: memref<5000xf32>, %y: memref<5000xf32>, %c: i1) {
  %a = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %b = tile.base %y : memref<5000xf32> -> !tile.ptr<f32>
  %p = tile.select %c, %a, %b : i1, !tile.ptr<f32>, !tile.ptr<f32> -> !tile.ptr<f32>
  // CHECK: a pointer that is chosen by a condition; load from both and choose between the values
  %v = tile.load %p : !tile.ptr<f32> -> f32
  func.return
}

// -----

func.func @swapped(%x: memref<5000xf32>) {
  %lower = arith.constant 0 : index
  %upper = arith.constant 4 : index
  %step = arith.constant 1 : index
  %a = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %b = tile.add_ptr %a, %upper : !tile.ptr<f32>, index -> !tile.ptr<f32>
  %r0, %r1 = scf.for %i = %lower to %upper step %step iter_args(%p = %a, %q = %b) -> (!tile.ptr<f32>, !tile.ptr<f32>) {
    // CHECK: a pointer that a loop changes otherwise than by one fixed step in each of its own iterations
    %v = tile.load %p : !tile.ptr<f32> -> f32
    scf.yield %q, %p : !tile.ptr<f32>, !tile.ptr<f32>
  }
  func.return
}
