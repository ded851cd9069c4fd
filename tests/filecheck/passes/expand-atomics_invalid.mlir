// RUN: nki-opt %s -p expand-atomics --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p expand-atomics,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @results_of_elements_that_are_named_twice(%x: memref<64xf32>, %k: tensor<8xi32>, %v: tensor<8xf32>) {
  %a = tile.base %x : memref<64xf32> -> !tile.ptr<f32>
  %s = tile.splat %a : !tile.ptr<f32> -> tensor<8x!tile.ptr<f32>>
  %p = tile.add_ptr %s, %k : tensor<8x!tile.ptr<f32>>, tensor<8xi32> -> tensor<8x!tile.ptr<f32>>
  // CHECK: an atomic add whose pointers may name one element twice is not supported where its result is used
  %o = tile.atomic add %p, %v : tensor<8x!tile.ptr<f32>>, tensor<8xf32> -> tensor<8xf32>
  "test.op"(%o) : (tensor<8xf32>) -> ()
  func.return
}

// -----

func.func @exchanges_at_elements_that_are_named_twice(%x: memref<64xf32>, %k: tensor<8xi32>, %v: tensor<8xf32>) {
  %a = tile.base %x : memref<64xf32> -> !tile.ptr<f32>
  %s = tile.splat %a : !tile.ptr<f32> -> tensor<8x!tile.ptr<f32>>
  %p = tile.add_ptr %s, %k : tensor<8x!tile.ptr<f32>>, tensor<8xi32> -> tensor<8x!tile.ptr<f32>>
  // CHECK: an atomic exchange whose pointers may name one element twice is not supported
  %o = tile.atomic exchange %p, %v : tensor<8x!tile.ptr<f32>>, tensor<8xf32> -> tensor<8xf32>
  func.return
}

// -----

func.func @rows_that_overlap(%x: memref<64xf32>, %k: tensor<8xi32>, %v: tensor<8x4xf32>) {
  %a = tile.base %x : memref<64xf32> -> !tile.ptr<f32>
  %s = tile.splat %a : !tile.ptr<f32> -> tensor<8x4x!tile.ptr<f32>>
  %c = tile.expand_dims %k axis 1 : tensor<8xi32> -> tensor<8x1xi32>
  %b = tile.broadcast %c : tensor<8x1xi32> -> tensor<8x4xi32>
  %f = arith.constant dense<3> : tensor<8x4xi32>
  %r = arith.muli %b, %f : tensor<8x4xi32>
  %i = tile.arange 0 to 4 : tensor<4xindex>
  %e = tile.expand_dims %i axis 0 : tensor<4xindex> -> tensor<1x4xindex>
  %w = tile.broadcast %e : tensor<1x4xindex> -> tensor<8x4xindex>
  %q = tile.add_ptr %s, %r : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xi32> -> tensor<8x4x!tile.ptr<f32>>
  %p = tile.add_ptr %q, %w : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xindex> -> tensor<8x4x!tile.ptr<f32>>
  // CHECK: the pointers of this atomic operation may name one element twice, in a way that is not supported
  %o = tile.atomic add %p, %v : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xf32> -> tensor<8x4xf32>
  func.return
}

// -----

func.func @a_mask_of_rows_and_columns(%x: memref<64xf32>, %k: tensor<8xi32>, %v: tensor<8x4xf32>, %m: tensor<8x4xi1>) {
  %a = tile.base %x : memref<64xf32> -> !tile.ptr<f32>
  %s = tile.splat %a : !tile.ptr<f32> -> tensor<8x4x!tile.ptr<f32>>
  %c = tile.expand_dims %k axis 1 : tensor<8xi32> -> tensor<8x1xi32>
  %b = tile.broadcast %c : tensor<8x1xi32> -> tensor<8x4xi32>
  %f = arith.constant dense<4> : tensor<8x4xi32>
  %r = arith.muli %b, %f : tensor<8x4xi32>
  %i = tile.arange 0 to 4 : tensor<4xindex>
  %e = tile.expand_dims %i axis 0 : tensor<4xindex> -> tensor<1x4xindex>
  %w = tile.broadcast %e : tensor<1x4xindex> -> tensor<8x4xindex>
  %q = tile.add_ptr %s, %r : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xi32> -> tensor<8x4x!tile.ptr<f32>>
  %p = tile.add_ptr %q, %w : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xindex> -> tensor<8x4x!tile.ptr<f32>>
  // CHECK: a mask of rows and columns at once is not supported here; combine two with '&'
  %o = tile.atomic add %p, %v mask %m : tensor<8x4xi1> : tensor<8x4x!tile.ptr<f32>>, tensor<8x4xf32> -> tensor<8x4xf32>
  func.return
}

// -----

func.func @pointers_made_otherwise(%v: f32) {
  %p = "test.op"() : () -> !tile.ptr<f32>
  // CHECK: this access is not supported: it has a pointer made by test.op, not by adding offsets to an argument
  %o = tile.atomic add %p, %v : !tile.ptr<f32>, f32 -> f32
  func.return
}
