// RUN: nki-opt %s -p maximum-first,dce | filecheck %s
// RUN: nki-opt %s -p maximum-first,dce --print-op-generic | nki-opt | filecheck %s

// Scores are computed turned the second time, less the maximum, which is three numbers of bf16 for each row.
// CHECK-LABEL: func.func @attention
// CHECK: [[M:%.*]] = scf.for {{.*}} iter_args([[OLD:%.*]] = {{%.*}}) -> (tensor<512xf32>)
// CHECK: [[S:%.*]] = tile.dot %q, {{%.*}} over [1] x [0]
// CHECK: [[HIGH:%.*]] = tile.reduce max [[S]] axis 1
// CHECK: [[NEW:%.*]] = arith.maximumf [[OLD]], [[HIGH]]
// CHECK-NEXT: scf.yield [[NEW]]
// CHECK: tile.expand_dims [[M]] axis 1
// CHECK-NEXT: arith.constant -1.000000e+00 : f32
// CHECK: arith.minimumf
// CHECK: arith.maximumf
// CHECK: [[P:%.*]] = tile.cast {{.*}} : tensor<512x3xf32> -> tensor<512x3xbf16>
// CHECK: [[ONES:%.*]] = tile.splat {{.*}} : bf16 -> tensor<3x64xbf16>
// CHECK: [[ONE:%.*]] = tile.splat {{.*}} : bf16 -> tensor<64x1xbf16>
// CHECK: [[SUMS:%.*]], [[OUT:%.*]] = scf.for {{.*}} iter_args([[L:%.*]] = {{%.*}}, [[O:%.*]] = {{%.*}}) -> (tensor<512x1xf32>, tensor<512x128xf32>)
// CHECK: [[T:%.*]] = tile.dot {{%.*}}, %q over [0] x [1] : tensor<128x64xbf16>, tensor<512x128xbf16> -> tensor<64x512xf32>
// CHECK-NEXT: [[LESS:%.*]] = tile.dot [[ONES]], [[P]] acc [[T]] over [0] x [1]
// CHECK-NEXT: [[E:%.*]] = math.exp [[LESS]]
// CHECK-NEXT: [[HALF:%.*]] = tile.cast [[E]]
// CHECK-NEXT: [[TURNED:%.*]] = tile.permute [[HALF]] order [1, 0]
// CHECK: [[O1:%.*]] = tile.dot [[TURNED]], {{%.*}} acc [[O]] over [1] x [0]
// CHECK-NEXT: [[L1:%.*]] = tile.dot [[TURNED]], [[ONE]] acc [[L]] over [1] x [0]
// CHECK-NEXT: scf.yield [[L1]], [[O1]]
// CHECK: tile.reduce sum [[SUMS]] axis 1 : tensor<512x1xf32> -> tensor<512xf32>
// CHECK: arith.divf [[OUT]]
func.func @attention(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %some = arith.constant 0.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %l0 = tile.splat %some : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %high = tile.reduce maxnum %s axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maxnumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %s, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %row = tile.reduce sum %p axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %kept = arith.mulf %sum, %alpha : tensor<512xf32>
    %sum1 = arith.addf %kept, %row : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %sum1, %acc2 : tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>
  }
  %lc = tile.expand_dims %l axis 1 : tensor<512xf32> -> tensor<512x1xf32>
  %lw = tile.broadcast %lc : tensor<512x1xf32> -> tensor<512x128xf32>
  %r = arith.divf %o, %lw : tensor<512x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// The maximum is divided by what scores are multiplied by.
// CHECK-LABEL: func.func @scaled
// CHECK: scf.for {{.*}} -> (tensor<512xf32>)
// CHECK: arith.constant -8.000000e+00 : f32
// CHECK: scf.for {{.*}} -> (tensor<512x1xf32>, tensor<512x128xf32>)
// CHECK: [[LESS:%.*]] = tile.dot {{.*}} acc {{.*}} -> tensor<64x512xf32>
// CHECK: [[SCALED:%.*]] = arith.mulf [[LESS]], {{%.*}}
// CHECK: math.exp [[SCALED]]
func.func @scaled(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %some = arith.constant 0.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %l0 = tile.splat %some : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %c = arith.constant 0.125 : f32
    %cs = tile.splat %c : f32 -> tensor<512x64xf32>
    %z = arith.mulf %s, %cs : tensor<512x64xf32>
    %high = tile.reduce maxnum %z axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maxnumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %z, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %row = tile.reduce sum %p axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %kept = arith.mulf %sum, %alpha : tensor<512xf32>
    %sum1 = arith.addf %kept, %row : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %sum1, %acc2 : tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>
  }
  %lc = tile.expand_dims %l axis 1 : tensor<512xf32> -> tensor<512x1xf32>
  %lw = tile.broadcast %lc : tensor<512x1xf32> -> tensor<512x128xf32>
  %r = arith.divf %o, %lw : tensor<512x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// A NaN in a row's scores is in its sum, and so in what is made of both.
// CHECK-LABEL: func.func @the_maximum_beside_a_sum
// CHECK: [[M:%.*]] = scf.for {{.*}} -> (tensor<512xf32>)
// CHECK: arith.addf [[M]], {{%.*}}
func.func @the_maximum_beside_a_sum(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %some = arith.constant 0.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %l0 = tile.splat %some : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %high = tile.reduce maxnum %s axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maxnumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %s, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %row = tile.reduce sum %p axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %kept = arith.mulf %sum, %alpha : tensor<512xf32>
    %sum1 = arith.addf %kept, %row : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %sum1, %acc2 : tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>
  }
  %g = math.log %l : tensor<512xf32>
  %lse = arith.addf %m, %g : tensor<512xf32>
  tile.write %lse to %out [d0 by 1] : tensor<512xf32> -> memref<512x128xf32>
  %lc = tile.expand_dims %l axis 1 : tensor<512xf32> -> tensor<512x1xf32>
  %lw = tile.broadcast %lc : tensor<512x1xf32> -> tensor<512x128xf32>
  %r = arith.divf %o, %lw : tensor<512x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// A NaN is left out of it, and a NaN would be in what the split loop found.
// CHECK-LABEL: func.func @the_maximum_alone
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>)
// CHECK: math.exp
// CHECK: math.exp
// CHECK-NOT: scf.for
func.func @the_maximum_alone(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %some = arith.constant 0.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %l0 = tile.splat %some : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %high = tile.reduce maxnum %s axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maxnumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %s, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %row = tile.reduce sum %p axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %kept = arith.mulf %sum, %alpha : tensor<512xf32>
    %sum1 = arith.addf %kept, %row : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %sum1, %acc2 : tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>
  }
  tile.write %m to %out [d0 by 1] : tensor<512xf32> -> memref<512x128xf32>
  %lc = tile.expand_dims %l axis 1 : tensor<512xf32> -> tensor<512x1xf32>
  %lw = tile.broadcast %lc : tensor<512x1xf32> -> tensor<512x128xf32>
  %r = arith.divf %o, %lw : tensor<512x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// To compute scores of so many terms again takes longer than to turn what is made of them.
// CHECK-LABEL: func.func @long_products
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>)
// CHECK: math.exp
// CHECK: math.exp
// CHECK-NOT: scf.for
func.func @long_products(%q: tensor<512x2048xbf16>, %k: memref<1024x2048xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %some = arith.constant 0.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %l0 = tile.splat %some : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 2048, d0 by 1] : memref<1024x2048xbf16> -> tensor<2048x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x2048xbf16>, tensor<2048x64xbf16> -> tensor<512x64xf32>
    %high = tile.reduce maxnum %s axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maxnumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %s, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %row = tile.reduce sum %p axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %kept = arith.mulf %sum, %alpha : tensor<512xf32>
    %sum1 = arith.addf %kept, %row : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %sum1, %acc2 : tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>
  }
  %lc = tile.expand_dims %l axis 1 : tensor<512xf32> -> tensor<512x1xf32>
  %lw = tile.broadcast %lc : tensor<512x1xf32> -> tensor<512x128xf32>
  %r = arith.divf %o, %lw : tensor<512x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// A sum that is not scaled down to nothing.
// CHECK-LABEL: func.func @starts_with_something
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>)
// CHECK: math.exp
// CHECK: math.exp
// CHECK-NOT: scf.for
func.func @starts_with_something(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 0.0 : f32
  %some = arith.constant 1.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %l0 = tile.splat %some : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %high = tile.reduce maxnum %s axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maxnumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %s, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %row = tile.reduce sum %p axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %kept = arith.mulf %sum, %alpha : tensor<512xf32>
    %sum1 = arith.addf %kept, %row : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %sum1, %acc2 : tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>
  }
  %lc = tile.expand_dims %l axis 1 : tensor<512xf32> -> tensor<512x1xf32>
  %lw = tile.broadcast %lc : tensor<512x1xf32> -> tensor<512x128xf32>
  %r = arith.divf %o, %lw : tensor<512x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// There is no product to add to.
// CHECK-LABEL: func.func @scores_from_memory
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>)
// CHECK: math.exp
// CHECK: math.exp
// CHECK-NOT: scf.for
func.func @scores_from_memory(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %some = arith.constant 0.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %l0 = tile.splat %some : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %w = tile.cast %x : tensor<128x64xbf16> -> tensor<128x64xf32>
    %u = tile.reduce sum %w axis 0 : tensor<128x64xf32> -> tensor<64xf32>
    %uu = tile.expand_dims %u axis 0 : tensor<64xf32> -> tensor<1x64xf32>
    %s = tile.broadcast %uu : tensor<1x64xf32> -> tensor<512x64xf32>
    %high = tile.reduce maxnum %s axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maxnumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %s, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %row = tile.reduce sum %p axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %kept = arith.mulf %sum, %alpha : tensor<512xf32>
    %sum1 = arith.addf %kept, %row : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %sum1, %acc2 : tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>
  }
  %lc = tile.expand_dims %l axis 1 : tensor<512xf32> -> tensor<512x1xf32>
  %lw = tile.broadcast %lc : tensor<512x1xf32> -> tensor<512x128xf32>
  %r = arith.divf %o, %lw : tensor<512x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// Masks would be made twice, and of rows without any other score, a number is the maximum.
// CHECK-LABEL: func.func @masked
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>)
// CHECK: math.exp
// CHECK: math.exp
// CHECK-NOT: scf.for
func.func @masked(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %some = arith.constant 0.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %l0 = tile.splat %some : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %low = arith.constant -3.0e38 : f32
    %places = tile.arange 0 to 64 : tensor<64xindex>
    %line = tile.expand_dims %places axis 0 : tensor<64xindex> -> tensor<1x64xindex>
    %all = tile.broadcast %line : tensor<1x64xindex> -> tensor<512x64xindex>
    %end = arith.constant dense<60> : tensor<512x64xindex>
    %mask = tile.compare lt %all, %end : tensor<512x64xindex>, tensor<512x64xindex> -> tensor<512x64xi1>
    %else = tile.splat %low : f32 -> tensor<512x64xf32>
    %t = tile.select %mask, %s, %else : tensor<512x64xi1>, tensor<512x64xf32>, tensor<512x64xf32> -> tensor<512x64xf32>
    %high = tile.reduce maxnum %t axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maxnumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %t, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %row = tile.reduce sum %p axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %kept = arith.mulf %sum, %alpha : tensor<512xf32>
    %sum1 = arith.addf %kept, %row : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %sum1, %acc2 : tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>
  }
  %lc = tile.expand_dims %l axis 1 : tensor<512xf32> -> tensor<512x1xf32>
  %lw = tile.broadcast %lc : tensor<512x1xf32> -> tensor<512x128xf32>
  %r = arith.divf %o, %lw : tensor<512x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// The maximum may be what is added, less which it has to be zero exactly.
// CHECK-LABEL: func.func @something_added
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>)
// CHECK: math.exp
// CHECK: math.exp
// CHECK-NOT: scf.for
func.func @something_added(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %some = arith.constant 0.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %l0 = tile.splat %some : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %places = tile.arange 0 to 64 : tensor<64xindex>
    %line = tile.expand_dims %places axis 0 : tensor<64xindex> -> tensor<1x64xindex>
    %all = tile.broadcast %line : tensor<1x64xindex> -> tensor<512x64xindex>
    %end = arith.constant dense<60> : tensor<512x64xindex>
    %mask = tile.compare lt %all, %end : tensor<512x64xindex>, tensor<512x64xindex> -> tensor<512x64xi1>
    %c = arith.constant 0.125 : f32
    %cs = tile.splat %c : f32 -> tensor<512x64xf32>
    %t2 = arith.mulf %s, %cs : tensor<512x64xf32>
    %bl = arith.constant -3.4028235e38 : f32
    %bs = tile.splat %bl : f32 -> tensor<512x64xf32>
    %w = tile.select %mask, %cs, %bs : tensor<512x64xi1>, tensor<512x64xf32>, tensor<512x64xf32> -> tensor<512x64xf32>
    %z = arith.addf %t2, %w : tensor<512x64xf32>
    %high = tile.reduce maxnum %z axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maxnumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %z, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %row = tile.reduce sum %p axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %kept = arith.mulf %sum, %alpha : tensor<512xf32>
    %sum1 = arith.addf %kept, %row : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %sum1, %acc2 : tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>
  }
  %lc = tile.expand_dims %l axis 1 : tensor<512xf32> -> tensor<512x1xf32>
  %lw = tile.broadcast %lc : tensor<512x1xf32> -> tensor<512x128xf32>
  %r = arith.divf %o, %lw : tensor<512x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// Iterations that store something are not done twice.
// CHECK-LABEL: func.func @a_store
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>)
// CHECK: math.exp
// CHECK: math.exp
// CHECK-NOT: scf.for
func.func @a_store(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %some = arith.constant 0.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %l0 = tile.splat %some : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %high = tile.reduce maxnum %s axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maxnumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %s, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %row = tile.reduce sum %p axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %kept = arith.mulf %sum, %alpha : tensor<512xf32>
    %sum1 = arith.addf %kept, %row : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    tile.write %new to %out [d0 by 1] : tensor<512xf32> -> memref<512x128xf32>
    scf.yield %new, %sum1, %acc2 : tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>
  }
  %lc = tile.expand_dims %l axis 1 : tensor<512xf32> -> tensor<512x1xf32>
  %lw = tile.broadcast %lc : tensor<512x1xf32> -> tensor<512x128xf32>
  %r = arith.divf %o, %lw : tensor<512x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// Too few to be what moves through the array.
// CHECK-LABEL: func.func @few_queries
// CHECK: scf.for {{.*}} -> (tensor<128xf32>, tensor<128xf32>, tensor<128x128xf32>)
// CHECK: math.exp
// CHECK: math.exp
// CHECK-NOT: scf.for
func.func @few_queries(%q: tensor<128x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<128x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %some = arith.constant 0.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<128xf32>
  %l0 = tile.splat %some : f32 -> tensor<128xf32>
  %o0 = tile.splat %zero : f32 -> tensor<128x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<128xf32>, tensor<128xf32>, tensor<128x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<128x128xbf16>, tensor<128x64xbf16> -> tensor<128x64xf32>
    %high = tile.reduce maxnum %s axis 1 : tensor<128x64xf32> -> tensor<128xf32>
    %new = arith.maxnumf %old, %high : tensor<128xf32>
    %column = tile.expand_dims %new axis 1 : tensor<128xf32> -> tensor<128x1xf32>
    %wide = tile.broadcast %column : tensor<128x1xf32> -> tensor<128x64xf32>
    %less = arith.subf %s, %wide : tensor<128x64xf32>
    %p = math.exp %less : tensor<128x64xf32>
    %fall = arith.subf %old, %new : tensor<128xf32>
    %alpha = math.exp %fall : tensor<128xf32>
    %row = tile.reduce sum %p axis 1 : tensor<128x64xf32> -> tensor<128xf32>
    %kept = arith.mulf %sum, %alpha : tensor<128xf32>
    %sum1 = arith.addf %kept, %row : tensor<128xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<128xf32> -> tensor<128x1xf32>
    %scales = tile.broadcast %scale : tensor<128x1xf32> -> tensor<128x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<128x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<128x64xf32> -> tensor<128x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<128x64xbf16>, tensor<64x128xbf16> -> tensor<128x128xf32>
    scf.yield %new, %sum1, %acc2 : tensor<128xf32>, tensor<128xf32>, tensor<128x128xf32>
  }
  %lc = tile.expand_dims %l axis 1 : tensor<128xf32> -> tensor<128x1xf32>
  %lw = tile.broadcast %lc : tensor<128x1xf32> -> tensor<128x128xf32>
  %r = arith.divf %o, %lw : tensor<128x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<128x128xf32> -> memref<128x128xf32>
  func.return
}

// It is there in two forms.
// CHECK-LABEL: func.func @two_products
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>)
// CHECK: math.exp
// CHECK: math.exp
// CHECK-NOT: scf.for
func.func @two_products(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %some = arith.constant 0.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %l0 = tile.splat %some : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %high = tile.reduce maxnum %s axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maxnumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %s, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %row = tile.reduce sum %p axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %kept = arith.mulf %sum, %alpha : tensor<512xf32>
    %sum1 = arith.addf %kept, %row : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    %twice = arith.addf %p, %p : tensor<512x64xf32>
    %half2 = tile.cast %twice : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc3 = tile.dot %half2, %y acc %acc2 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %sum1, %acc3 : tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>
  }
  %lc = tile.expand_dims %l axis 1 : tensor<512xf32> -> tensor<512x1xf32>
  %lw = tile.broadcast %lc : tensor<512x1xf32> -> tensor<512x128xf32>
  %r = arith.divf %o, %lw : tensor<512x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// The exponentials of all but the maximum that it starts with may be nothing in fp16.
// CHECK-LABEL: func.func @small_numbers
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>)
// CHECK: math.exp
// CHECK: math.exp
// CHECK-NOT: scf.for
func.func @small_numbers(%q: tensor<512x128xf16>, %k: memref<1024x128xf16>, %v: memref<1024x128xf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 5.0 : f32
  %some = arith.constant 0.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %l0 = tile.splat %some : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xf16> -> tensor<128x64xf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xf16>, tensor<128x64xf16> -> tensor<512x64xf32>
    %high = tile.reduce maxnum %s axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maxnumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %s, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %row = tile.reduce sum %p axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %kept = arith.mulf %sum, %alpha : tensor<512xf32>
    %sum1 = arith.addf %kept, %row : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xf16> -> tensor<64x128xf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xf16>, tensor<64x128xf16> -> tensor<512x128xf32>
    scf.yield %new, %sum1, %acc2 : tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>
  }
  %lc = tile.expand_dims %l axis 1 : tensor<512xf32> -> tensor<512x1xf32>
  %lw = tile.broadcast %lc : tensor<512x1xf32> -> tensor<512x128xf32>
  %r = arith.divf %o, %lw : tensor<512x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// What is added may be very low.
// CHECK-LABEL: func.func @a_bias
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>)
// CHECK: math.exp
// CHECK: math.exp
// CHECK-NOT: scf.for
func.func @a_bias(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %bias: tensor<512x64xf32>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lowest = arith.constant 0xff800000 : f32
  %some = arith.constant 0.0 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %l0 = tile.splat %some : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %l, %o = scf.for %j = %c0 to %c16 step %c1 iter_args(%old = %m0, %sum = %l0, %acc = %o0) -> (tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %z = arith.addf %s, %bias : tensor<512x64xf32>
    %high = tile.reduce maxnum %z axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maxnumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %z, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %row = tile.reduce sum %p axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %kept = arith.mulf %sum, %alpha : tensor<512xf32>
    %sum1 = arith.addf %kept, %row : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %sum1, %acc2 : tensor<512xf32>, tensor<512xf32>, tensor<512x128xf32>
  }
  %lc = tile.expand_dims %l axis 1 : tensor<512xf32> -> tensor<512x1xf32>
  %lw = tile.broadcast %lc : tensor<512x1xf32> -> tensor<512x128xf32>
  %r = arith.divf %o, %lw : tensor<512x128xf32>
  tile.write %r to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// Two loops, of which one goes on from the other: first the maxima of both; what is less the maximum is made once.
// CHECK-LABEL: func.func @a_chain
// CHECK: [[M:%.*]] = scf.for {{.*}} -> (tensor<512xf32>)
// CHECK-NOT: scf.for
// CHECK: [[M1:%.*]] = arith.maximumf [[M]],
// CHECK: tile.expand_dims [[M1]] axis 1
// CHECK: [[O:%.*]] = scf.for {{.*}} -> (tensor<512x128xf32>)
// CHECK-NOT: scf.for
// CHECK: tile.dot {{.*}} acc [[O]]
func.func @a_chain(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 15 : index
  %lowest = arith.constant 0xff800000 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %o = scf.for %j = %c0 to %trips step %c1 iter_args(%old = %m0, %acc = %o0) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %two = arith.constant dense<2.0> : tensor<512x64xf32>
    %t = arith.mulf %s, %two : tensor<512x64xf32>
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
  %m1, %o1 = scf.for %j = %c0 to %c1 step %c1 iter_args(%old = %m, %acc = %o) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [122880 + 64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %two = arith.constant dense<2.0> : tensor<512x64xf32>
    %t = arith.mulf %s, %two : tensor<512x64xf32>
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
    %y = tile.read %v(%j) [122880 + 64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %acc2 : tensor<512xf32>, tensor<512x128xf32>
  }
  tile.write %o1 to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// Where a mask doesn't hold there is no score: each row has others. It is made of indices, so that it is made turned.
// CHECK-LABEL: func.func @a_masked_end
// CHECK: [[M:%.*]] = scf.for {{.*}} -> (tensor<512xf32>)
// CHECK-NOT: scf.for
// CHECK: [[M1:%.*]] = arith.maximumf [[M]],
// CHECK: [[O:%.*]] = scf.for {{.*}} -> (tensor<512x128xf32>)
// CHECK: scf.yield
// CHECK: [[LESS:%.*]] = tile.dot {{.*}} acc {{.*}} -> tensor<64x512xf32>
// CHECK: tile.expand_dims {{%.*}} axis 1 : tensor<64xindex> -> tensor<64x1xindex>
// CHECK: [[MASK:%.*]] = tile.compare lt {{.*}} : tensor<64x512xindex>
// CHECK: arith.constant 0xff800000 : f32
// CHECK: [[T:%.*]] = tile.select [[MASK]], [[LESS]], {{%.*}} : tensor<64x512xi1>
// CHECK-NEXT: math.exp [[T]]
// CHECK: tile.dot {{.*}} acc [[O]]
func.func @a_masked_end(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 15 : index
  %lowest = arith.constant 0xff800000 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %o = scf.for %j = %c0 to %trips step %c1 iter_args(%old = %m0, %acc = %o0) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %two = arith.constant dense<2.0> : tensor<512x64xf32>
    %t = arith.mulf %s, %two : tensor<512x64xf32>
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
  %m1, %o1 = scf.for %j = %c0 to %c1 step %c1 iter_args(%old = %m, %acc = %o) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [122880 + 64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %by = arith.constant 64 : index
    %start = arith.muli %j, %by : index
    %first = tile.splat %start : index -> tensor<64xindex>
    %count = tile.arange 0 to 64 : tensor<64xindex>
    %places = arith.addi %first, %count : tensor<64xindex>
    %line = tile.expand_dims %places axis 0 : tensor<64xindex> -> tensor<1x64xindex>
    %all = tile.broadcast %line : tensor<1x64xindex> -> tensor<512x64xindex>
    %end = arith.constant dense<40> : tensor<512x64xindex>
    %mask = tile.compare lt %all, %end : tensor<512x64xindex>, tensor<512x64xindex> -> tensor<512x64xi1>
    %low = arith.constant -1.0e30 : f32
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
    %y = tile.read %v(%j) [122880 + 64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %acc2 : tensor<512xf32>, tensor<512x128xf32>
  }
  tile.write %o1 to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// What is added where a mask doesn't hold is added turned, and rounded as it was.
// CHECK-LABEL: func.func @a_mask_added
// CHECK: [[M:%.*]] = scf.for {{.*}} -> (tensor<512xf32>)
// CHECK-NOT: scf.for
// CHECK: [[M1:%.*]] = arith.maximumf [[M]],
// CHECK: [[O:%.*]] = scf.for {{.*}} -> (tensor<512x128xf32>)
// CHECK: scf.yield
// CHECK: [[LESS:%.*]] = tile.dot {{.*}} acc {{.*}} -> tensor<64x512xf32>
// CHECK: [[BIAS:%.*]] = tile.select {{.*}} : tensor<64x512xi1>
// CHECK: [[T:%.*]] = arith.addf [[LESS]], [[BIAS]]
// CHECK-NEXT: math.exp [[T]]
func.func @a_mask_added(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 15 : index
  %lowest = arith.constant 0xff800000 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %o = scf.for %j = %c0 to %trips step %c1 iter_args(%old = %m0, %acc = %o0) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %two = arith.constant dense<2.0> : tensor<512x64xf32>
    %t = arith.mulf %s, %two : tensor<512x64xf32>
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
  %m1, %o1 = scf.for %j = %c0 to %c1 step %c1 iter_args(%old = %m, %acc = %o) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [122880 + 64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %by = arith.constant 64 : index
    %start = arith.muli %j, %by : index
    %first = tile.splat %start : index -> tensor<64xindex>
    %count = tile.arange 0 to 64 : tensor<64xindex>
    %places = arith.addi %first, %count : tensor<64xindex>
    %line = tile.expand_dims %places axis 0 : tensor<64xindex> -> tensor<1x64xindex>
    %all = tile.broadcast %line : tensor<1x64xindex> -> tensor<512x64xindex>
    %end = arith.constant dense<40> : tensor<512x64xindex>
    %mask = tile.compare lt %all, %end : tensor<512x64xindex>, tensor<512x64xindex> -> tensor<512x64xi1>
    %low = arith.constant -1.0e6 : f32
    %else = tile.splat %low : f32 -> tensor<512x64xf32>
    %none = arith.constant dense<0.0> : tensor<512x64xf32>
    %bias = tile.select %mask, %none, %else : tensor<512x64xi1>, tensor<512x64xf32>, tensor<512x64xf32> -> tensor<512x64xf32>
    %t = arith.addf %s, %bias : tensor<512x64xf32>
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
    %y = tile.read %v(%j) [122880 + 64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %acc2 : tensor<512xf32>, tensor<512x128xf32>
  }
  tile.write %o1 to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// Nor is a low number low any more that is scaled down.
// CHECK-LABEL: func.func @not_low_any_more
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512x128xf32>)
// CHECK-NOT: scf.for
func.func @not_low_any_more(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 15 : index
  %lowest = arith.constant 0xff800000 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %o = scf.for %j = %c0 to %trips step %c1 iter_args(%old = %m0, %acc = %o0) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %two = arith.constant dense<2.0> : tensor<512x64xf32>
    %t = arith.mulf %s, %two : tensor<512x64xf32>
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
  %m1, %o1 = scf.for %j = %c0 to %c1 step %c1 iter_args(%old = %m, %acc = %o) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [122880 + 64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %by = arith.constant 64 : index
    %start = arith.muli %j, %by : index
    %first = tile.splat %start : index -> tensor<64xindex>
    %count = tile.arange 0 to 64 : tensor<64xindex>
    %places = arith.addi %first, %count : tensor<64xindex>
    %line = tile.expand_dims %places axis 0 : tensor<64xindex> -> tensor<1x64xindex>
    %all = tile.broadcast %line : tensor<1x64xindex> -> tensor<512x64xindex>
    %end = arith.constant dense<40> : tensor<512x64xindex>
    %mask = tile.compare lt %all, %end : tensor<512x64xindex>, tensor<512x64xindex> -> tensor<512x64xi1>
    %low = arith.constant -1.0e9 : f32
    %else = tile.splat %low : f32 -> tensor<512x64xf32>
    %t = tile.select %mask, %s, %else : tensor<512x64xi1>, tensor<512x64xf32>, tensor<512x64xf32> -> tensor<512x64xf32>
    %tiny = arith.constant dense<1.0e-9> : tensor<512x64xf32>
    %u = arith.mulf %t, %tiny : tensor<512x64xf32>
    %high = tile.reduce max %u axis 1 : tensor<512x64xf32> -> tensor<512xf32>
    %new = arith.maximumf %old, %high : tensor<512xf32>
    %column = tile.expand_dims %new axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %wide = tile.broadcast %column : tensor<512x1xf32> -> tensor<512x64xf32>
    %less = arith.subf %u, %wide : tensor<512x64xf32>
    %p = math.exp %less : tensor<512x64xf32>
    %fall = arith.subf %old, %new : tensor<512xf32>
    %alpha = math.exp %fall : tensor<512xf32>
    %scale = tile.expand_dims %alpha axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %scales = tile.broadcast %scale : tensor<512x1xf32> -> tensor<512x128xf32>
    %acc1 = arith.mulf %acc, %scales : tensor<512x128xf32>
    %y = tile.read %v(%j) [122880 + 64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %acc2 : tensor<512xf32>, tensor<512x128xf32>
  }
  tile.write %o1 to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// A score may be as low as that.
// CHECK-LABEL: func.func @not_low
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512x128xf32>)
// CHECK-NOT: scf.for
func.func @not_low(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 15 : index
  %lowest = arith.constant 0xff800000 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %o = scf.for %j = %c0 to %trips step %c1 iter_args(%old = %m0, %acc = %o0) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %two = arith.constant dense<2.0> : tensor<512x64xf32>
    %t = arith.mulf %s, %two : tensor<512x64xf32>
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
  %m1, %o1 = scf.for %j = %c0 to %c1 step %c1 iter_args(%old = %m, %acc = %o) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [122880 + 64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %by = arith.constant 64 : index
    %start = arith.muli %j, %by : index
    %first = tile.splat %start : index -> tensor<64xindex>
    %count = tile.arange 0 to 64 : tensor<64xindex>
    %places = arith.addi %first, %count : tensor<64xindex>
    %line = tile.expand_dims %places axis 0 : tensor<64xindex> -> tensor<1x64xindex>
    %all = tile.broadcast %line : tensor<1x64xindex> -> tensor<512x64xindex>
    %end = arith.constant dense<40> : tensor<512x64xindex>
    %mask = tile.compare lt %all, %end : tensor<512x64xindex>, tensor<512x64xindex> -> tensor<512x64xi1>
    %low = arith.constant -1.0e4 : f32
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
    %y = tile.read %v(%j) [122880 + 64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %acc2 : tensor<512xf32>, tensor<512x128xf32>
  }
  tile.write %o1 to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// What is added makes scores larger where the mask doesn't hold.
// CHECK-LABEL: func.func @not_lower
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512x128xf32>)
// CHECK-NOT: scf.for
func.func @not_lower(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 15 : index
  %lowest = arith.constant 0xff800000 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %o = scf.for %j = %c0 to %trips step %c1 iter_args(%old = %m0, %acc = %o0) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %two = arith.constant dense<2.0> : tensor<512x64xf32>
    %t = arith.mulf %s, %two : tensor<512x64xf32>
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
  %m1, %o1 = scf.for %j = %c0 to %c1 step %c1 iter_args(%old = %m, %acc = %o) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [122880 + 64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %by = arith.constant 64 : index
    %start = arith.muli %j, %by : index
    %first = tile.splat %start : index -> tensor<64xindex>
    %count = tile.arange 0 to 64 : tensor<64xindex>
    %places = arith.addi %first, %count : tensor<64xindex>
    %line = tile.expand_dims %places axis 0 : tensor<64xindex> -> tensor<1x64xindex>
    %all = tile.broadcast %line : tensor<1x64xindex> -> tensor<512x64xindex>
    %end = arith.constant dense<40> : tensor<512x64xindex>
    %mask = tile.compare lt %all, %end : tensor<512x64xindex>, tensor<512x64xindex> -> tensor<512x64xi1>
    %low = arith.constant 1.0e6 : f32
    %else = tile.splat %low : f32 -> tensor<512x64xf32>
    %none = arith.constant dense<0.0> : tensor<512x64xf32>
    %bias = tile.select %mask, %none, %else : tensor<512x64xi1>, tensor<512x64xf32>, tensor<512x64xf32> -> tensor<512x64xf32>
    %t = arith.addf %s, %bias : tensor<512x64xf32>
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
    %y = tile.read %v(%j) [122880 + 64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %acc2 : tensor<512xf32>, tensor<512x128xf32>
  }
  tile.write %o1 to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// What is stored in between may be what the second one reads.
// CHECK-LABEL: func.func @a_store_in_between
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512x128xf32>)
// CHECK-NOT: scf.for
func.func @a_store_in_between(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>, %seen: memref<512xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 15 : index
  %lowest = arith.constant 0xff800000 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %o = scf.for %j = %c0 to %trips step %c1 iter_args(%old = %m0, %acc = %o0) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %two = arith.constant dense<2.0> : tensor<512x64xf32>
    %t = arith.mulf %s, %two : tensor<512x64xf32>
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
  tile.write %m0 to %seen [d0 by 1] : tensor<512xf32> -> memref<512xf32>
  %m1, %o1 = scf.for %j = %c0 to %c1 step %c1 iter_args(%old = %m, %acc = %o) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [122880 + 64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %two = arith.constant dense<2.0> : tensor<512x64xf32>
    %t = arith.mulf %s, %two : tensor<512x64xf32>
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
    %y = tile.read %v(%j) [122880 + 64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %acc2 : tensor<512xf32>, tensor<512x128xf32>
  }
  tile.write %o1 to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// A sum that is seen in between is scaled by the maximum up to there.
// CHECK-LABEL: func.func @seen_in_between
// CHECK: scf.for {{.*}} -> (tensor<512xf32>, tensor<512x128xf32>)
// CHECK-NOT: scf.for
func.func @seen_in_between(%q: tensor<512x128xbf16>, %k: memref<1024x128xbf16>, %v: memref<1024x128xbf16>, %out: memref<512x128xf32>, %seen: memref<512x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 15 : index
  %lowest = arith.constant 0xff800000 : f32
  %zero = arith.constant 0.0 : f32
  %m0 = tile.splat %lowest : f32 -> tensor<512xf32>
  %o0 = tile.splat %zero : f32 -> tensor<512x128xf32>
  %m, %o = scf.for %j = %c0 to %trips step %c1 iter_args(%old = %m0, %acc = %o0) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %two = arith.constant dense<2.0> : tensor<512x64xf32>
    %t = arith.mulf %s, %two : tensor<512x64xf32>
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
  tile.write %o to %seen [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  %m1, %o1 = scf.for %j = %c0 to %c1 step %c1 iter_args(%old = %m, %acc = %o) -> (tensor<512xf32>, tensor<512x128xf32>) {
    %x = tile.read %k(%j) [122880 + 64 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x64xbf16>
    %s = tile.dot %q, %x over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %two = arith.constant dense<2.0> : tensor<512x64xf32>
    %t = arith.mulf %s, %two : tensor<512x64xf32>
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
    %y = tile.read %v(%j) [122880 + 64 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<64x128xbf16>
    %half = tile.cast %p : tensor<512x64xf32> -> tensor<512x64xbf16>
    %acc2 = tile.dot %half, %y acc %acc1 over [1] x [0] : tensor<512x64xbf16>, tensor<64x128xbf16> -> tensor<512x128xf32>
    scf.yield %new, %acc2 : tensor<512xf32>, tensor<512x128xf32>
  }
  tile.write %o1 to %out [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}
