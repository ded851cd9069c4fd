// RUN: nki-opt %s -p peel-masks | filecheck %s
// RUN: nki-opt %s -p peel-masks --print-op-generic | nki-opt | filecheck %s

// All 64 places of fifteen iterations are below 1000, and 40 of those of the last, which stays a loop.
// CHECK-LABEL: func.func @the_last_iteration
// CHECK: [[M:%.*]], [[O:%.*]] = scf.for {{.*}} = [[LOW:%.*]] to [[HIGH:%.*]] step
// CHECK: tile.select
// CHECK: %[[M1:.*]], %{{.*}} = scf.for [[J:%.*]] = {{%.*}} to [[ONE:%.*]] step {{%.*}} iter_args({{%.*}} = [[M]], {{%.*}} = [[O]])
// CHECK-NEXT: arith.constant 15 : index
// CHECK-NEXT: arith.addi [[J]]
// CHECK: tile.select
// CHECK-NOT: scf.for
func.func @the_last_iteration(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %o = scf.for %j = %c0 to %trips step %c1 iter_args(%old = %m0, %acc = %o0) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %by = arith.constant 64 : index
    %start = arith.muli %j, %by : index
    %first = tile.splat %start : index -> tensor<64xindex>
    %count = tile.arange 0 to 64 : tensor<64xindex>
    %places = arith.addi %first, %count : tensor<64xindex>
    %line = tile.expand_dims %places axis 0 : tensor<64xindex> -> tensor<1x64xindex>
    %all = tile.broadcast %line : tensor<1x64xindex> -> tensor<512x64xindex>
    %end = arith.constant dense<1000> : tensor<512x64xindex>
    %mask = tile.compare lt %all, %end : tensor<512x64xindex>, tensor<512x64xindex> -> tensor<512x64xi1>
    %low = arith.constant 0xff800000 : f32
    %else = tile.splat %low : f32 -> tensor<512x64xf32>
    %t = tile.select %mask, %s, %else : tensor<512x64xi1>, tensor<512x64xf32>, tensor<512x64xf32> -> tensor<512x64xf32>
    %high = tile.reduce max %t axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maximumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %t, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %acc2 : tensor<512xf32>, tensor<512x128xf32>
  }
  tile.write %o to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// It holds in all of them.
// CHECK-LABEL: func.func @holds
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func @holds(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %o = scf.for %j = %c0 to %trips step %c1 iter_args(%old = %m0, %acc = %o0) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %by = arith.constant 64 : index
    %start = arith.muli %j, %by : index
    %first = tile.splat %start : index -> tensor<64xindex>
    %count = tile.arange 0 to 64 : tensor<64xindex>
    %places = arith.addi %first, %count : tensor<64xindex>
    %line = tile.expand_dims %places axis 0 : tensor<64xindex> -> tensor<1x64xindex>
    %all = tile.broadcast %line : tensor<1x64xindex> -> tensor<512x64xindex>
    %end = arith.constant dense<1024> : tensor<512x64xindex>
    %mask = tile.compare lt %all, %end : tensor<512x64xindex>, tensor<512x64xindex> -> tensor<512x64xi1>
    %low = arith.constant 0xff800000 : f32
    %else = tile.splat %low : f32 -> tensor<512x64xf32>
    %t = tile.select %mask, %s, %else : tensor<512x64xi1>, tensor<512x64xf32>, tensor<512x64xf32> -> tensor<512x64xf32>
    %high = tile.reduce max %t axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maximumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %t, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %acc2 : tensor<512xf32>, tensor<512x128xf32>
  }
  tile.write %o to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// It holds nowhere in the first.
// CHECK-LABEL: func.func @holds_nowhere
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func @holds_nowhere(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %o = scf.for %j = %c0 to %trips step %c1 iter_args(%old = %m0, %acc = %o0) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %by = arith.constant 0 : index
    %start = arith.muli %j, %by : index
    %first = tile.splat %start : index -> tensor<64xindex>
    %count = tile.arange 0 to 64 : tensor<64xindex>
    %places = arith.addi %first, %count : tensor<64xindex>
    %line = tile.expand_dims %places axis 0 : tensor<64xindex> -> tensor<1x64xindex>
    %all = tile.broadcast %line : tensor<1x64xindex> -> tensor<512x64xindex>
    %end = arith.constant dense<60> : tensor<512x64xindex>
    %mask = tile.compare lt %all, %end : tensor<512x64xindex>, tensor<512x64xindex> -> tensor<512x64xi1>
    %low = arith.constant 0xff800000 : f32
    %else = tile.splat %low : f32 -> tensor<512x64xf32>
    %t = tile.select %mask, %s, %else : tensor<512x64xi1>, tensor<512x64xf32>, tensor<512x64xf32> -> tensor<512x64xf32>
    %high = tile.reduce max %t axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maximumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %t, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %acc2 : tensor<512xf32>, tensor<512x128xf32>
  }
  tile.write %o to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// A mask of data may hold or not.
// CHECK-LABEL: func.func @of_data
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func @of_data(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %o = scf.for %j = %c0 to %trips step %c1 iter_args(%old = %m0, %acc = %o0) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %zeros = arith.constant dense<0.0> : tensor<512x64xf32>
    %none = arith.constant dense<0xff800000> : tensor<512x64xf32>
    %mask = tile.compare gt %s, %zeros : tensor<512x64xf32>, tensor<512x64xf32> -> tensor<512x64xi1>
    %t = tile.select %mask, %s, %none : tensor<512x64xi1>, tensor<512x64xf32>, tensor<512x64xf32> -> tensor<512x64xf32>
    %high = tile.reduce max %t axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maximumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %t, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %acc2 : tensor<512xf32>, tensor<512x128xf32>
  }
  tile.write %o to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// Sums alone: a mask costs less than a second loop.
// CHECK-LABEL: func.func @sums
// CHECK: scf.for
// CHECK-NOT: scf.for
func.func @sums(%k: memref<1024xf32>, %out: memref<1xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 16 : index
  %zero = arith.constant 0.0 : f32
  %m = scf.for %j = %c0 to %trips step %c1 iter_args(%old = %zero) -> (f32) {
    %x = tile.read %k(%j) [64 * s0 + d0 by 1] : memref<1024xf32> -> tensor<64xf32>
    %by = arith.constant 64 : index
    %start = arith.muli %j, %by : index
    %first = tile.splat %start : index -> tensor<64xindex>
    %count = tile.arange 0 to 64 : tensor<64xindex>
    %places = arith.addi %first, %count : tensor<64xindex>
    %end = arith.constant dense<1000> : tensor<64xindex>
    %mask = tile.compare lt %places, %end : tensor<64xindex>, tensor<64xindex> -> tensor<64xi1>
    %none = arith.constant dense<0.0> : tensor<64xf32>
    %t = tile.select %mask, %x, %none : tensor<64xi1>, tensor<64xf32>, tensor<64xf32> -> tensor<64xf32>
    %s = tile.reduce sum %t axis 0 : tensor<64xf32> -> f32
    %new = arith.addf %old, %s : f32
    scf.yield %new : f32
  }
  tile.write %m to %out [0 by 1] : f32 -> memref<1xf32>
  func.return
}
