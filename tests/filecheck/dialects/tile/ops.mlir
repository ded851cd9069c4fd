// RUN: NKI_ROUNDTRIP

// What is computed: every operation but those that reach memory (accesses.mlir), in all its forms.

// CHECK-LABEL: func.func @programs
func.func @programs() {
  %0 = arith.constant 0 : index
  // CHECK: tile.programs (%i, %j) in [2, 4] {
  // CHECK-NEXT: %{{.*}} = arith.addi %i, %j : index
  // CHECK-NEXT: }
  // CHECK-NEXT: tile.programs () in [] attributes {stated = 1 : i64} {
  // CHECK-NEXT: }
  // CHECK-NEXT: tile.begin_program %{{.*}} of [2, 4]
  // CHECK-NEXT: tile.begin_program %{{.*}} of [2, 4] by [1, 3]
  // CHECK-NEXT: tile.programs (%k) in [8] by [128] of [1000] {
  // CHECK: tile.programs (%l) in [8] anonymous {
  // CHECK-NEXT: }
  // CHECK-NEXT: tile.programs (%m) in [4] anonymous together {
  tile.programs (%i, %j) in [2, 4] {
    %1 = arith.addi %i, %j : index
  }
  tile.programs () in [] attributes {stated = 1 : i64} {
  }
  tile.begin_program %0 of [2, 4]
  tile.begin_program %0 of [2, 4] by [1, 3]
  tile.programs (%k) in [8] by [128] of [1000] {
  }
  tile.programs (%l) in [8] anonymous {
  }
  tile.programs (%m) in [4] anonymous together {
  }
  func.return
}

// CHECK-LABEL: func.func @making
func.func @making() {
  %zero = arith.constant 0.0 : f32
  // CHECK: %{{.*}} = tile.arange 0 to 8 : tensor<8xindex>
  %a = tile.arange 0 to 8 : tensor<8xindex>
  // CHECK: %{{.*}} = tile.arange -4 to 4 : tensor<8xindex>
  %b = tile.arange -4 to 4 : tensor<8xindex>
  // CHECK: %{{.*}} = tile.splat %{{.*}} : f32 -> tensor<4x8xf32>
  %c = tile.splat %zero : f32 -> tensor<4x8xf32>
  func.return
}

// CHECK-LABEL: func.func @shapes
func.func @shapes() {
  %row, %block, %p, %one = "test.op"() : () -> (tensor<8xbf16>, tensor<4x8xf16>, !tile.ptr<i32>, tensor<1x1xf32>)
  // CHECK: %{{.*}} = tile.expand_dims %{{.*}} axis 0 : tensor<8xbf16> -> tensor<1x8xbf16>
  %a = tile.expand_dims %row axis 0 : tensor<8xbf16> -> tensor<1x8xbf16>
  // CHECK: %{{.*}} = tile.expand_dims %{{.*}} axis 1 : tensor<8xbf16> -> tensor<8x1xbf16>
  %b = tile.expand_dims %row axis 1 : tensor<8xbf16> -> tensor<8x1xbf16>
  // CHECK: %{{.*}} = tile.broadcast %{{.*}} : tensor<1x8xbf16> -> tensor<4x8xbf16>
  %c = tile.broadcast %a : tensor<1x8xbf16> -> tensor<4x8xbf16>
  // CHECK: %{{.*}} = tile.permute %{{.*}} order [1, 0] : tensor<4x8xf16> -> tensor<8x4xf16>
  %d = tile.permute %block order [1, 0] : tensor<4x8xf16> -> tensor<8x4xf16>
  // CHECK: %{{.*}} = tile.reshape %{{.*}} : tensor<4x8xf16> -> tensor<2x16x1xf16>
  %f = tile.reshape %block : tensor<4x8xf16> -> tensor<2x16x1xf16>
  // CHECK: %{{.*}} = tile.permute %{{.*}} order [2, 0, 1] : tensor<2x16x1xf16> -> tensor<1x2x16xf16>
  %g = tile.permute %f order [2, 0, 1] : tensor<2x16x1xf16> -> tensor<1x2x16xf16>
  // CHECK: %{{.*}} = tile.reshape %{{.*}} : tensor<1x1xf32> -> f32
  %h = tile.reshape %one : tensor<1x1xf32> -> f32
  // CHECK: %{{.*}} = tile.splat %{{.*}} : !tile.ptr<i32> -> tensor<8x!tile.ptr<i32>>
  %e = tile.splat %p : !tile.ptr<i32> -> tensor<8x!tile.ptr<i32>>
  func.return
}

// CHECK-LABEL: func.func @products
func.func @products() {
  %x, %y, %z = "test.op"() : () -> (tensor<4x8xbf16>, tensor<8x2xbf16>, tensor<4x2xf32>)
  // CHECK: %{{.*}} = tile.dot %{{.*}}, %{{.*}} over [1] x [0] : tensor<4x8xbf16>, tensor<8x2xbf16> -> tensor<4x2xf32>
  %a = tile.dot %x, %y over [1] x [0] : tensor<4x8xbf16>, tensor<8x2xbf16> -> tensor<4x2xf32>
  // CHECK: %{{.*}} = tile.dot %{{.*}}, %{{.*}} acc %{{.*}} over [1] x [0] : tensor<4x8xbf16>, tensor<8x2xbf16> -> tensor<4x2xf32>
  %b = tile.dot %x, %y acc %z over [1] x [0] : tensor<4x8xbf16>, tensor<8x2xbf16> -> tensor<4x2xf32>
  // CHECK: %{{.*}} = tile.dot %{{.*}}, %{{.*}} over [0] x [1] : tensor<4x8xbf16>, tensor<2x4xbf16> -> tensor<8x2xf32>
  %t = "test.op"() : () -> tensor<2x4xbf16>
  %c = tile.dot %x, %t over [0] x [1] : tensor<4x8xbf16>, tensor<2x4xbf16> -> tensor<8x2xf32>
  %u, %v = "test.op"() : () -> (tensor<3x4x8x5xf32>, tensor<8x5x2x3xf32>)
  // CHECK: %{{.*}} = tile.dot %{{.*}}, %{{.*}} over [2, 3] x [0, 1] batch [0] x [3] : tensor<3x4x8x5xf32>, tensor<8x5x2x3xf32> -> tensor<3x4x2xf32>
  %d = tile.dot %u, %v over [2, 3] x [0, 1] batch [0] x [3] : tensor<3x4x8x5xf32>, tensor<8x5x2x3xf32> -> tensor<3x4x2xf32>
  // CHECK: %{{.*}} = tile.dot %{{.*}}, %{{.*}} over [] x [] : tensor<4x8xbf16>, tensor<8x2xbf16> -> tensor<4x8x8x2xf32>
  %e = tile.dot %x, %y over [] x [] : tensor<4x8xbf16>, tensor<8x2xbf16> -> tensor<4x8x8x2xf32>
  func.return
}

// CHECK-LABEL: func.func @comparisons
func.func @comparisons() {
  %x, %y, %i, %j = "test.op"() : () -> (tensor<4xf32>, tensor<4xf32>, index, index)
  // CHECK: %{{.*}} = tile.compare eq %{{.*}}, %{{.*}} : tensor<4xf32>, tensor<4xf32> -> tensor<4xi1>
  %a = tile.compare eq %x, %y : tensor<4xf32>, tensor<4xf32> -> tensor<4xi1>
  // CHECK: %{{.*}} = tile.compare ne %{{.*}}, %{{.*}} : tensor<4xf32>, tensor<4xf32> -> tensor<4xi1>
  %b = tile.compare ne %x, %y : tensor<4xf32>, tensor<4xf32> -> tensor<4xi1>
  // CHECK: %{{.*}} = tile.compare lt %{{.*}}, %{{.*}} : tensor<4xf32>, tensor<4xf32> -> tensor<4xi1>
  %c = tile.compare lt %x, %y : tensor<4xf32>, tensor<4xf32> -> tensor<4xi1>
  // CHECK: %{{.*}} = tile.compare le %{{.*}}, %{{.*}} : index, index -> i1
  %d = tile.compare le %i, %j : index, index -> i1
  // CHECK: %{{.*}} = tile.compare gt %{{.*}}, %{{.*}} : index, index -> i1
  %e = tile.compare gt %i, %j : index, index -> i1
  // CHECK: %{{.*}} = tile.compare ge %{{.*}}, %{{.*}} : index, index -> i1
  %f = tile.compare ge %i, %j : index, index -> i1
  func.return
}

// CHECK-LABEL: func.func @choices
func.func @choices() {
  %mask, %x, %y, %true, %i, %j = "test.op"() : () -> (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>, i1, index, index)
  // CHECK: %{{.*}} = tile.select %{{.*}}, %{{.*}}, %{{.*}} : tensor<4xi1>, tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %a = tile.select %mask, %x, %y : tensor<4xi1>, tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  // CHECK: %{{.*}} = tile.select %{{.*}}, %{{.*}}, %{{.*}} : i1, index, index -> index
  %b = tile.select %true, %i, %j : i1, index, index -> index
  func.return
}

// CHECK-LABEL: func.func @conversions
func.func @conversions() {
  %x, %i = "test.op"() : () -> (tensor<4xf32>, index)
  // CHECK: %{{.*}} = tile.cast %{{.*}} : tensor<4xf32> -> tensor<4xi32>
  %a = tile.cast %x : tensor<4xf32> -> tensor<4xi32>
  // CHECK: %{{.*}} = tile.cast %{{.*}} : index -> f32
  %b = tile.cast %i : index -> f32
  func.return
}

// CHECK-LABEL: func.func @reductions
func.func @reductions() {
  %x, %y = "test.op"() : () -> (tensor<4x8xf32>, tensor<8xf32>)
  // CHECK: %{{.*}} = tile.reduce max %{{.*}} axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  %a = tile.reduce max %x axis 1 : tensor<4x8xf32> -> tensor<4xf32>
  // CHECK: %{{.*}} = tile.reduce min %{{.*}} axis 0 : tensor<4x8xf32> -> tensor<8xf32>
  %b = tile.reduce min %x axis 0 : tensor<4x8xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.reduce sum %{{.*}} axis 0 : tensor<8xf32> -> f32
  %c = tile.reduce sum %y axis 0 : tensor<8xf32> -> f32
  func.return
}

// Attributes on their own, as other tools meet them.

// CHECK-LABEL: func.func @attributes
func.func @attributes() {
  "test.op"() {kind = #tile<reduction max>, how = #tile<predicate le>, to = !tile.ptr<bf16>} : () -> ()
  func.return
}

// CHECK-LABEL: func.func @along_a_dimension
func.func @along_a_dimension() {
  %x, %y, %i = "test.op"() : () -> (tensor<4x8xf32>, tensor<8xf32>, tensor<8xi32>)
  // CHECK: %{{.*}} = tile.reduce product %{{.*}} axis 0 : tensor<8xf32> -> f32
  %d = tile.reduce product %y axis 0 : tensor<8xf32> -> f32
  // CHECK: %{{.*}} = tile.reduce xor %{{.*}} axis 0 : tensor<8xi32> -> i32
  %e = tile.reduce xor %i axis 0 : tensor<8xi32> -> i32
  // CHECK: %{{.*}} = tile.scan sum %{{.*}} axis 1 : tensor<4x8xf32> -> tensor<4x8xf32>
  %f = tile.scan sum %x axis 1 : tensor<4x8xf32> -> tensor<4x8xf32>
  // CHECK: %{{.*}} = tile.scan sum %{{.*}} scale %{{.*}} : tensor<4x8xf32> axis 0 reverse : tensor<4x8xf32> -> tensor<4x8xf32>
  %g = tile.scan sum %x scale %x : tensor<4x8xf32> axis 0 reverse : tensor<4x8xf32> -> tensor<4x8xf32>
  // CHECK: %{{.*}} = tile.last %{{.*}} axis 0 : tensor<4x8xf32> -> tensor<8xf32>
  %l = tile.last %x axis 0 : tensor<4x8xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.last %{{.*}} axis 0 : tensor<8xi32> -> i32
  %m = tile.last %i axis 0 : tensor<8xi32> -> i32
  // CHECK: %{{.*}} = tile.scan product %{{.*}} initial %{{.*}} : tensor<8xf32> axis 0 : tensor<4x8xf32> -> tensor<4x8xf32>
  %n = tile.scan product %x initial %l : tensor<8xf32> axis 0 : tensor<4x8xf32> -> tensor<4x8xf32>
  // CHECK: %{{.*}} = tile.last %{{.*}} axis 0 : tensor<8xf32> -> f32
  %p = tile.last %l axis 0 : tensor<8xf32> -> f32
  // CHECK: %{{.*}} = tile.scan sum %{{.*}} scale %{{.*}} : tensor<8xf32> initial %{{.*}} : f32 axis 0 reverse : tensor<8xf32> -> tensor<8xf32>
  %o = tile.scan sum %l scale %l : tensor<8xf32> initial %p : f32 axis 0 reverse : tensor<8xf32> -> tensor<8xf32>
  // CHECK: %{{.*}} = tile.scan and %{{.*}} axis 0 : tensor<8xi32> -> tensor<8xi32>
  %h = tile.scan and %i axis 0 : tensor<8xi32> -> tensor<8xi32>
  // CHECK: %{{.*}} = tile.flip %{{.*}} axis 1 : tensor<4x8xf32> -> tensor<4x8xf32>
  %j = tile.flip %x axis 1 : tensor<4x8xf32> -> tensor<4x8xf32>
  // CHECK: [[P:%.*]] = tile.slice %{{.*}} axis 1 at 2 : tensor<4x8xf32> -> tensor<4x3xf32>
  %q = tile.slice %x axis 1 at 2 : tensor<4x8xf32> -> tensor<4x3xf32>
  // CHECK: %{{.*}} = tile.concat [[P]], %{{.*}}, [[P]] axis 1 : tensor<4x3xf32>, tensor<4x8xf32>, tensor<4x3xf32> -> tensor<4x14xf32>
  %r = tile.concat %q, %x, %q axis 1 : tensor<4x3xf32>, tensor<4x8xf32>, tensor<4x3xf32> -> tensor<4x14xf32>
  // CHECK: %{{.*}} = tile.bitcast %{{.*}} : tensor<4x8xf32> -> tensor<4x8xi32>
  %k = tile.bitcast %x : tensor<4x8xf32> -> tensor<4x8xi32>
  func.return
}

// CHECK-LABEL: func.func @functions
func.func @functions() {
  %x, %y = "test.op"() : () -> (tensor<4x8xf32>, bf16)
  // CHECK: %{{.*}} = tile.function gelu_apprx_tanh %{{.*}} : tensor<4x8xf32> -> tensor<4x8xf32>
  %a = tile.function gelu_apprx_tanh %x : tensor<4x8xf32> -> tensor<4x8xf32>
  // CHECK: %{{.*}} = tile.function sigmoid %{{.*}} : bf16 -> bf16
  %b = tile.function sigmoid %y : bf16 -> bf16
  func.return
}
