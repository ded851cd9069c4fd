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
