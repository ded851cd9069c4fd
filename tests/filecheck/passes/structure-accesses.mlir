// RUN: nki-opt %s -p structure-accesses --split-input-file | filecheck %s
// RUN: nki-opt %s -p structure-accesses --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @offset_stride_and_extent(
// CHECK-SAME: [[X:%.*]]: memref<5000xf32>
// CHECK: tile.programs ([[PID:%.*]]) in [5]
// CHECK: [[OFFSET:%.*]] = arith.muli [[PID]]
// CHECK: [[NONE:%.*]] = arith.maxsi
// CHECK: [[VALID:%.*]] = arith.minsi [[NONE]]
// CHECK: [[V:%.*]] = tile.read [[X]][{{%.*}}] strides [1] valid[[[VALID]]] : memref<5000xf32> -> tensor<1024xf32>
// CHECK: tile.write [[V]] to [[X]][{{%.*}}] strides [1] valid[{{%.*}}] : tensor<1024xf32> -> memref<5000xf32>
func.func @offset_stride_and_extent(%x: memref<5000xf32>) {
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
// CHECK: tile.read {{%.*}}[{{%.*}}] strides [2] other -1.000000e+00 : f32 : memref<5000xf32> -> tensor<1024xf32>
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

// CHECK-LABEL: func.func @a_single_element_under_a_mask(
// CHECK-SAME: [[X:%.*]]: memref<8xf32>
// CHECK: [[BLOCK:%.*]] = tile.read [[X]][{{%.*}}] strides [1] valid[{{%.*}}] : memref<8xf32> -> tensor<1xf32>
// CHECK: [[V:%.*]] = tile.reduce max [[BLOCK]] axis 0 : tensor<1xf32> -> f32
// CHECK: [[W:%.*]] = tile.splat [[V]] : f32 -> tensor<1xf32>
// CHECK: tile.write [[W]] to [[X]][{{%.*}}] strides [1] valid[{{%.*}}] : tensor<1xf32> -> memref<8xf32>
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

// CHECK-LABEL: func.func @an_other_that_is_no_constant(
// CHECK: [[READ:%.*]] = tile.read {{.*}} valid
// CHECK: [[OTHER:%.*]] = tile.splat
// CHECK: [[V:%.*]] = tile.select {{%.*}}, [[READ]], [[OTHER]]
// CHECK: "test.op"([[V]])
func.func @an_other_that_is_no_constant(%x: memref<5000xf32>, %y: memref<1xf32>) {
  %base = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %bases = tile.splat %base : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
  %zero = arith.constant 0 : index
  %other = tile.read %y[%zero] strides [] : memref<1xf32> -> f32
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
// CHECK: tile.read {{.*}} valid[{{%.*}}] other 7 : ui8 : memref<8xui8> -> tensor<1xui8>
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
// CHECK: tile.read {{%.*}}[{{%.*}}] strides [4]
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
// CHECK-NEXT: arith.constant
// CHECK-NEXT: tile.read
// CHECK-NEXT: "test.op"
func.func @leaves_alone(%x: memref<8xf32>) {
  %zero = arith.constant 0 : index
  %v = tile.read %x[%zero] strides [1] : memref<8xf32> -> tensor<8xf32>
  "test.op"(%v) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @what_is_left_out_stays_undefined
// CHECK: tile.read {{%.*}}[{{%.*}}] strides [1] valid[{{%.*}}] undefined : memref<5000xf32> -> tensor<1024xf32>
// CHECK: tile.read {{%.*}}[{{%.*}}] strides [1] : memref<5000xf32> -> tensor<1024xf32>
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
