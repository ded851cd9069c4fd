// RUN: nki-opt %s -p expand-atomics --split-input-file | filecheck %s
// RUN: nki-opt %s -p expand-atomics --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @distinct_pointers_load_and_store(
// CHECK-SAME: [[V:%[a-z]+]]: tensor<8xf32>, [[M:%[a-z]+]]: tensor<8xi1>
// CHECK: [[P:%.*]] = tile.add_ptr
// CHECK-NEXT: [[OLD:%.*]] = tile.load [[P]] mask [[M]]
// CHECK-NEXT: [[NEW:%.*]] = arith.addf [[OLD]], [[V]]
// CHECK-NEXT: tile.store [[P]], [[NEW]] mask [[M]] : tensor<8xi1> atomic :
// CHECK-NEXT: "test.op"([[OLD]])
func.func @distinct_pointers_load_and_store(%x: memref<64xf32>, %v: tensor<8xf32>, %m: tensor<8xi1>) {
  %a = tile.base %x : memref<64xf32> -> !tile.ptr<f32>
  %s = tile.splat %a : !tile.ptr<f32> -> tensor<8x!tile.ptr<f32>>
  %i = tile.arange 0 to 8 : tensor<8xindex>
  %p = tile.add_ptr %s, %i : tensor<8x!tile.ptr<f32>>, tensor<8xindex> -> tensor<8x!tile.ptr<f32>>
  %o = tile.atomic add %p, %v mask %m : tensor<8xi1> : tensor<8x!tile.ptr<f32>>, tensor<8xf32> -> tensor<8xf32>
  "test.op"(%o) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @each_kind(
// CHECK-SAME: [[V:%[a-z]+]]: i32, [[U:%[a-z]+]]: ui32
// CHECK: arith.maxsi %{{.*}}, [[V]] : i32
// CHECK: arith.minsi %{{.*}}, [[V]] : i32
// CHECK: arith.andi %{{.*}}, [[V]] : i32
// CHECK: arith.ori %{{.*}}, [[V]] : i32
// CHECK: arith.xori %{{.*}}, [[V]] : i32
// CHECK: [[MOST:%.*]] = arith.maxui %{{.*}}, [[U]] : ui32
// CHECK-NEXT: tile.store %{{.*}}, [[MOST]] atomic
// CHECK: arith.minui %{{.*}}, [[U]] : ui32
func.func @each_kind(%x: memref<64xi32>, %y: memref<64xui32>, %v: i32, %u: ui32) {
  %a = tile.base %x : memref<64xi32> -> !tile.ptr<i32>
  %b = tile.base %y : memref<64xui32> -> !tile.ptr<ui32>
  %0 = tile.atomic max %a, %v : !tile.ptr<i32>, i32 -> i32
  %1 = tile.atomic min %a, %v : !tile.ptr<i32>, i32 -> i32
  %2 = tile.atomic and %a, %v : !tile.ptr<i32>, i32 -> i32
  %3 = tile.atomic or %a, %v : !tile.ptr<i32>, i32 -> i32
  %4 = tile.atomic xor %a, %v : !tile.ptr<i32>, i32 -> i32
  %5 = tile.atomic max %b, %u : !tile.ptr<ui32>, ui32 -> ui32
  %6 = tile.atomic min %b, %u : !tile.ptr<ui32>, ui32 -> ui32
  func.return
}

// -----

// CHECK-LABEL: func.func @exchanges(
// CHECK-SAME: [[V:%[a-z]+]]: i32, [[E:%[a-z]+]]: i32
// CHECK: [[OLD:%.*]] = tile.load [[A:%.*]] : !tile.ptr<i32> -> i32
// CHECK-NEXT: [[IS:%.*]] = tile.compare eq [[OLD]], [[E]]
// CHECK-NEXT: [[NEW:%.*]] = tile.select [[IS]], [[V]], [[OLD]]
// CHECK-NEXT: tile.store [[A]], [[NEW]] atomic
// CHECK-NEXT: [[THEN:%.*]] = tile.load [[A]]
// CHECK-NEXT: tile.store [[A]], [[V]] atomic
// CHECK-NEXT: "test.op"([[OLD]], [[THEN]])
func.func @exchanges(%x: memref<64xi32>, %v: i32, %e: i32) {
  %a = tile.base %x : memref<64xi32> -> !tile.ptr<i32>
  %o = tile.atomic compare_exchange %a, %v expected %e : i32 : !tile.ptr<i32>, i32 -> i32
  %y = tile.atomic exchange %a, %v : !tile.ptr<i32>, i32 -> i32
  "test.op"(%o, %y) : (i32, i32) -> ()
  func.return
}

// -----

// Rows of sums by a product with the matrix of what is the same; the first of each is stored.
// CHECK-LABEL: func.func @rows_that_are_named_twice(
// CHECK-SAME: [[K:%[a-z]+]]: tensor<8xi32>, [[V:%[a-z]+]]: tensor<8x4xf32>, [[M:%[a-z]+]]: tensor<8xi1>, [[N:%[a-z]+]]: tensor<4xi1>
// CHECK: [[SAME:%.*]] = tile.compare eq %{{.*}} : tensor<8x8xi32>, tensor<8x8xi32>
// CHECK-NEXT: [[MASK:%.*]] = tile.expand_dims [[M]] axis 0
// CHECK-NEXT: [[MASKS:%.*]] = tile.broadcast [[MASK]]
// CHECK-NEXT: [[MET:%.*]] = arith.andi [[SAME]], [[MASKS]]
// CHECK: [[EARLIER:%.*]] = tile.compare gt %{{.*}} : tensor<8x8xindex>, tensor<8x8xindex>
// CHECK-NEXT: arith.andi [[MET]], [[EARLIER]]
// CHECK: [[FOUND:%.*]] = tile.reduce max %{{.*}} axis 1
// CHECK: [[NO:%.*]] = tile.compare eq [[FOUND]], %{{.*}}
// CHECK-NEXT: [[FIRST:%.*]] = arith.andi [[M]], [[NO]]
// CHECK-NEXT: [[ONES:%.*]] = tile.cast [[MET]]
// CHECK-NEXT: [[SUMS:%.*]] = tile.dot [[ONES]], [[V]]
// CHECK-NEXT: [[C:%.*]] = tile.expand_dims [[FIRST]] axis 1
// CHECK-NEXT: [[B:%.*]] = tile.broadcast [[C]]
// CHECK-NEXT: [[BOTH:%.*]] = arith.andi %{{.*}}, [[B]]
// CHECK-NEXT: [[OLD:%.*]] = tile.load [[Q:%.*]] mask [[BOTH]]
// CHECK-NEXT: [[NEW:%.*]] = arith.addf [[OLD]], [[SUMS]]
// CHECK-NEXT: tile.store [[Q]], [[NEW]] mask [[BOTH]] : tensor<8x4xi1> atomic
func.func @rows_that_are_named_twice(%x: memref<64xf32>, %k: tensor<8xi32>, %v: tensor<8x4xf32>, %m: tensor<8xi1>, %n: tensor<4xi1>) {
  %a = tile.base %x : memref<64xf32> -> !tile.ptr<f32>
  %s = tile.splat %a : !tile.ptr<f32> -> tensor<8x4x!tile.ptr<f32>>
  %four = arith.constant dense<4> : tensor<8xi32>
  %r = arith.muli %k, %four : tensor<8xi32>
  %rc = tile.expand_dims %r axis 1 : tensor<8xi32> -> tensor<8x1xi32>
  %rb = tile.broadcast %rc : tensor<8x1xi32> -> tensor<8x4xi32>
  %i = tile.arange 0 to 4 : tensor<4xindex>
  %ic = tile.expand_dims %i axis 0 : tensor<4xindex> -> tensor<1x4xindex>
  %ib = tile.broadcast %ic : tensor<1x4xindex> -> tensor<8x4xindex>
  %p = tile.add_ptr %s, %rb : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xi32> -> tensor<8x4x!tile.ptr<f32>>
  %q = tile.add_ptr %p, %ib : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xindex> -> tensor<8x4x!tile.ptr<f32>>
  %mc = tile.expand_dims %m axis 1 : tensor<8xi1> -> tensor<8x1xi1>
  %mb = tile.broadcast %mc : tensor<8x1xi1> -> tensor<8x4xi1>
  %nc = tile.expand_dims %n axis 0 : tensor<4xi1> -> tensor<1x4xi1>
  %nb = tile.broadcast %nc : tensor<1x4xi1> -> tensor<8x4xi1>
  %both = arith.andi %mb, %nb : tensor<8x4xi1>
  %o = tile.atomic add %q, %v mask %both : tensor<8x4xi1> : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xf32> -> tensor<8x4xf32>
  func.return
}

// -----

// CHECK-LABEL: func.func @extrema_at_elements_that_are_named_twice(
// CHECK: [[SAME:%.*]] = tile.compare eq %{{.*}} : tensor<8x8xi32>, tensor<8x8xi32>
// CHECK: arith.constant -2147483648 : i32
// CHECK: [[PICKED:%.*]] = tile.select [[SAME]]
// CHECK-NEXT: [[MOST:%.*]] = tile.reduce max [[PICKED]] axis 1
// CHECK: arith.maxsi %{{.*}}, [[MOST]]
func.func @extrema_at_elements_that_are_named_twice(%x: memref<64xi32>, %k: tensor<8xi32>, %v: tensor<8xi32>) {
  %a = tile.base %x : memref<64xi32> -> !tile.ptr<i32>
  %s = tile.splat %a : !tile.ptr<i32> -> tensor<8x!tile.ptr<i32>>
  %p = tile.add_ptr %s, %k : tensor<8x!tile.ptr<i32>>, tensor<8xi32> -> tensor<8x!tile.ptr<i32>>
  %o = tile.atomic max %p, %v : tensor<8x!tile.ptr<i32>>, tensor<8xi32> -> tensor<8xi32>
  func.return
}

// -----

// CHECK-LABEL: func.func @leaves_alone(
// CHECK: tile.load %{{.*}} : !tile.ptr<i32> -> i32
// CHECK-NEXT: tile.store %{{.*}}, %{{.*}} : !tile.ptr<i32>, i32
// CHECK-NEXT: func.return
func.func @leaves_alone(%x: memref<64xi32>) {
  %a = tile.base %x : memref<64xi32> -> !tile.ptr<i32>
  %v = tile.load %a : !tile.ptr<i32> -> i32
  tile.store %a, %v : !tile.ptr<i32>, i32
  func.return
}
