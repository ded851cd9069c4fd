// RUN: nki-opt %s -p merge-factors | filecheck %s
// RUN: nki-opt %s -p merge-factors --print-op-generic | nki-opt | filecheck %s


// CHECK-LABEL: func.func @rows
// CHECK: [[C:%.*]] = arith.constant 6.250000e-02 : f32
// CHECK: [[EACH:%.*]] = tile.splat [[C]] : f32 -> tensor<64x128xf32>
// CHECK: [[A:%.*]] = arith.mulf %x, [[EACH]]
// CHECK: [[N:%.*]] = arith.mulf %m, {{%.*}} : tensor<64x1xf32>
// CHECK: [[B:%.*]] = tile.broadcast [[N]] : tensor<64x1xf32> -> tensor<64x128xf32>
// CHECK: [[D:%.*]] = arith.subf [[A]], [[B]]
// CHECK: math.exp [[D]]
func.func @rows(%x: tensor<64x128xf32>, %m: tensor<64x1xf32>) {
  %c = arith.constant dense<0.125> : tensor<64x128xf32>
  %k = arith.constant dense<0.5> : tensor<64x128xf32>
  %a = arith.mulf %c, %x : tensor<64x128xf32>
  %b = tile.broadcast %m : tensor<64x1xf32> -> tensor<64x128xf32>
  %d = arith.subf %a, %b : tensor<64x128xf32>
  %e = arith.mulf %d, %k : tensor<64x128xf32>
  %f = math.exp %e : tensor<64x128xf32>
  "test.op"(%f) : (tensor<64x128xf32>) -> ()
  func.return
}

// A number of one row, added in front.
// CHECK-LABEL: func.func @one_row
// CHECK: [[N:%.*]] = arith.mulf %m, {{%.*}} : f32
// CHECK: [[B:%.*]] = tile.splat [[N]] : f32 -> tensor<128xf32>
// CHECK: [[A:%.*]] = arith.mulf %x, {{%.*}} : tensor<128xf32>
// CHECK: [[D:%.*]] = arith.addf [[B]], [[A]]
// CHECK: math.exp [[D]]
func.func @one_row(%x: tensor<128xf32>, %m: f32) {
  %c = arith.constant dense<0.125> : tensor<128xf32>
  %k = arith.constant dense<0.5> : tensor<128xf32>
  %a = arith.mulf %x, %c : tensor<128xf32>
  %b = tile.splat %m : f32 -> tensor<128xf32>
  %d = arith.addf %b, %a : tensor<128xf32>
  %e = arith.mulf %d, %k : tensor<128xf32>
  %f = math.exp %e : tensor<128xf32>
  "test.op"(%f) : (tensor<128xf32>) -> ()
  func.return
}

// A difference that is exact where both sides are alike.
// CHECK-LABEL: func.func @not_scaled
// CHECK: [[D:%.*]] = arith.subf %x, {{%.*}}
// CHECK: [[E:%.*]] = arith.mulf [[D]]
// CHECK: math.exp [[E]]
func.func @not_scaled(%x: tensor<128xf32>, %m: f32) {
  %k = arith.constant dense<0.5> : tensor<128xf32>
  %b = tile.splat %m : f32 -> tensor<128xf32>
  %d = arith.subf %x, %b : tensor<128xf32>
  %e = arith.mulf %d, %k : tensor<128xf32>
  %f = math.exp %e : tensor<128xf32>
  "test.op"(%f) : (tensor<128xf32>) -> ()
  func.return
}

// What is added is as large.
// CHECK-LABEL: func.func @two_large_ones
// CHECK: [[D:%.*]] = arith.subf {{%.*}}, %y
// CHECK-NEXT: [[E:%.*]] = arith.mulf [[D]]
// CHECK-NEXT: math.exp [[E]]
func.func @two_large_ones(%x: tensor<128xf32>, %y: tensor<128xf32>) {
  %c = arith.constant dense<0.125> : tensor<128xf32>
  %k = arith.constant dense<0.5> : tensor<128xf32>
  %a = arith.mulf %x, %c : tensor<128xf32>
  %d = arith.subf %a, %y : tensor<128xf32>
  %e = arith.mulf %d, %k : tensor<128xf32>
  %f = math.exp %e : tensor<128xf32>
  "test.op"(%f) : (tensor<128xf32>) -> ()
  func.return
}

// What might become infinite, and what would be another sign.
// CHECK-LABEL: func.func @large_factors
// CHECK: [[D:%.*]] = arith.subf
// CHECK: [[P:%.*]] = arith.subf
// CHECK-NEXT: [[E:%.*]] = arith.mulf [[D]]
// CHECK-NEXT: [[G:%.*]] = arith.mulf [[P]]
// CHECK-NEXT: math.exp [[E]]
// CHECK-NEXT: math.exp [[G]]
func.func @large_factors(%x: tensor<128xf32>, %m: f32) {
  %c = arith.constant dense<0.125> : tensor<128xf32>
  %k = arith.constant dense<1.5> : tensor<128xf32>
  %l = arith.constant dense<-0.5> : tensor<128xf32>
  %b = tile.splat %m : f32 -> tensor<128xf32>
  %a = arith.mulf %x, %c : tensor<128xf32>
  %d = arith.subf %a, %b : tensor<128xf32>
  %o = arith.mulf %x, %c : tensor<128xf32>
  %p = arith.subf %o, %b : tensor<128xf32>
  %e = arith.mulf %d, %k : tensor<128xf32>
  %g = arith.mulf %p, %l : tensor<128xf32>
  %f = math.exp %e : tensor<128xf32>
  %h = math.exp %g : tensor<128xf32>
  "test.op"(%f, %h) : (tensor<128xf32>, tensor<128xf32>) -> ()
  func.return
}

// What somebody else needs as it is.
// CHECK-LABEL: func.func @needed
// CHECK: [[D:%.*]] = arith.subf
// CHECK-NEXT: [[E:%.*]] = arith.mulf [[D]]
// CHECK-NEXT: math.exp [[E]]
func.func @needed(%x: tensor<128xf32>, %m: f32) {
  %c = arith.constant dense<0.125> : tensor<128xf32>
  %k = arith.constant dense<0.5> : tensor<128xf32>
  %b = tile.splat %m : f32 -> tensor<128xf32>
  %a = arith.mulf %x, %c : tensor<128xf32>
  %d = arith.subf %a, %b : tensor<128xf32>
  %e = arith.mulf %d, %k : tensor<128xf32>
  %f = math.exp %e : tensor<128xf32>
  "test.op"(%f, %d) : (tensor<128xf32>, tensor<128xf32>) -> ()
  func.return
}

// The largest is scaled, not all: it is the same number, whatever rounding does.
// CHECK-LABEL: func.func @the_largest
// CHECK: [[N:%.*]] = tile.reduce max %x axis 1
// CHECK: [[C:%.*]] = tile.splat {{%.*}} : f32 -> tensor<64xf32>
// CHECK: [[M:%.*]] = arith.mulf [[N]], [[C]]
// CHECK: "test.op"([[M]])
func.func @the_largest(%x: tensor<64x128xf32>) {
  %c = arith.constant dense<0.125> : tensor<64x128xf32>
  %a = arith.mulf %x, %c : tensor<64x128xf32>
  %m = tile.reduce max %a axis 1 : tensor<64x128xf32> -> tensor<64xf32>
  "test.op"(%m) : (tensor<64xf32>) -> ()
  func.return
}

// So too what is chosen from them, or a constant: 8 * 0.125 is 1.
// CHECK-LABEL: func.func @the_largest_of_some
// CHECK: [[OTHER:%.*]] = arith.constant 8.000000e+00 : f32
// CHECK: [[WIDE:%.*]] = tile.splat [[OTHER]]
// CHECK: [[B:%.*]] = tile.select %k, %x, [[WIDE]]
// CHECK: [[N:%.*]] = tile.reduce min [[B]] axis 1
// CHECK: [[M:%.*]] = arith.mulf [[N]]
// CHECK: "test.op"([[M]])
func.func @the_largest_of_some(%x: tensor<64x128xf32>, %k: tensor<64x128xi1>) {
  %c = arith.constant dense<0.125> : tensor<64x128xf32>
  %one = arith.constant dense<1.0> : tensor<64x128xf32>
  %a = arith.mulf %x, %c : tensor<64x128xf32>
  %b = tile.select %k, %a, %one : tensor<64x128xi1>, tensor<64x128xf32>, tensor<64x128xf32> -> tensor<64x128xf32>
  %m = tile.reduce min %b axis 1 : tensor<64x128xf32> -> tensor<64xf32>
  "test.op"(%m) : (tensor<64xf32>) -> ()
  func.return
}

// A negative number would make the largest the smallest; a sum is rounded otherwise.
// CHECK-LABEL: func.func @not_the_largest
// CHECK: [[A:%.*]] = arith.mulf %x
// CHECK-NEXT: [[M:%.*]] = tile.reduce max [[A]]
// CHECK: [[B:%.*]] = arith.mulf %x
// CHECK-NEXT: [[S:%.*]] = tile.reduce sum [[B]]
// CHECK-NEXT: "test.op"([[M]], [[S]])
func.func @not_the_largest(%x: tensor<64x128xf32>) {
  %c = arith.constant dense<-0.125> : tensor<64x128xf32>
  %d = arith.constant dense<0.3> : tensor<64x128xf32>
  %a = arith.mulf %x, %c : tensor<64x128xf32>
  %m = tile.reduce max %a axis 1 : tensor<64x128xf32> -> tensor<64xf32>
  %b = arith.mulf %x, %d : tensor<64x128xf32>
  %s = tile.reduce sum %b axis 1 : tensor<64x128xf32> -> tensor<64xf32>
  "test.op"(%m, %s) : (tensor<64xf32>, tensor<64xf32>) -> ()
  func.return
}

// Nothing times the smallest factor is 1.0e30; what is needed otherwise stays.
// CHECK-LABEL: func.func @no_other_constant
// CHECK: [[A:%.*]] = arith.mulf %x
// CHECK: tile.select %k, [[A]]
// CHECK: [[B:%.*]] = arith.mulf %x
// CHECK: tile.select %k, [[B]]
func.func @no_other_constant(%x: tensor<128xf32>, %k: tensor<128xi1>) {
  %c = arith.constant dense<1.0e-30> : tensor<128xf32>
  %large = arith.constant dense<1.0e30> : tensor<128xf32>
  %a = arith.mulf %x, %c : tensor<128xf32>
  %b = tile.select %k, %a, %large : tensor<128xi1>, tensor<128xf32>, tensor<128xf32> -> tensor<128xf32>
  %d = arith.constant dense<0.5> : tensor<128xf32>
  %none = arith.constant dense<0xff800000> : tensor<128xf32>
  %e = arith.mulf %x, %d : tensor<128xf32>
  %f = tile.select %k, %e, %none : tensor<128xi1>, tensor<128xf32>, tensor<128xf32> -> tensor<128xf32>
  "test.op"(%b, %e, %f) : (tensor<128xf32>, tensor<128xf32>, tensor<128xf32>) -> ()
  func.return
}

// A zero, of a mask that always holds, changes no maximum.
// CHECK-LABEL: func.func @a_zero
// CHECK-NOT: arith.addf
// CHECK: tile.reduce max %x axis 1
// CHECK: [[D:%.*]] = arith.subf %x, {{%.*}}
// CHECK: "test.op"([[D]])
func.func @a_zero(%x: tensor<64x128xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x128xf32>
  %a = arith.addf %x, %zero : tensor<64x128xf32>
  %m = tile.reduce max %a axis 1 : tensor<64x128xf32> -> tensor<64xf32>
  %c = tile.expand_dims %m axis 1 : tensor<64xf32> -> tensor<64x1xf32>
  %b = tile.broadcast %c : tensor<64x1xf32> -> tensor<64x128xf32>
  %d = arith.subf %a, %b : tensor<64x128xf32>
  "test.op"(%d) : (tensor<64x128xf32>) -> ()
  func.return
}

// It makes a negative zero a positive one, for all that somebody else knows.
// CHECK-LABEL: func.func @a_zero_that_is_seen
// CHECK: [[A:%.*]] = arith.addf %x, {{%.*}}
// CHECK: tile.reduce max [[A]] axis 1
// CHECK: "test.op"([[A]]
func.func @a_zero_that_is_seen(%x: tensor<64x128xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x128xf32>
  %a = arith.addf %x, %zero : tensor<64x128xf32>
  %m = tile.reduce max %a axis 1 : tensor<64x128xf32> -> tensor<64xf32>
  "test.op"(%a, %m) : (tensor<64x128xf32>, tensor<64xf32>) -> ()
  func.return
}

// A maximum that has to ignore a NaN is no instruction of the machine.
// CHECK-LABEL: func.func @ignores_nan
// CHECK: [[A:%.*]] = arith.mulf %x
// CHECK-NEXT: tile.reduce maxnum [[A]]
func.func @ignores_nan(%x: tensor<64x128xf32>, %out: memref<64xf32>) {
  %c = arith.constant dense<0.125> : tensor<64x128xf32>
  %a = arith.mulf %x, %c : tensor<64x128xf32>
  %m = tile.reduce maxnum %a axis 1 : tensor<64x128xf32> -> tensor<64xf32>
  tile.write %m to %out [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  func.return
}
