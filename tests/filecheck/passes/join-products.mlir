// RUN: nki-opt %s -p join-products --split-input-file | filecheck %s
// RUN: nki-opt %s -p join-products --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// What is read as a whole is read as if memory ended there, and the number stood behind.
// CHECK-LABEL: func.func @a_sum_beside_a_product
// CHECK: [[P:%.*]] = tile.read %p
// CHECK: [[W:%.*]] = tile.read %v [64 * d0 + d1 by 1, d1 in 0 to 64 by 0] other 1.000000e+00 : bf16 : memref<128x64xbf16> -> tensor<128x65xbf16>
// CHECK: [[J:%.*]] = tile.dot [[P]], [[W]] over [1] x [0] : tensor<512x128xbf16>, tensor<128x65xbf16> -> tensor<512x65xf32>
// CHECK-DAG: [[O:%.*]] = tile.slice [[J]] axis 1 at 0 : tensor<512x65xf32> -> tensor<512x64xf32>
// CHECK-DAG: [[L:%.*]] = tile.slice [[J]] axis 1 at 64 : tensor<512x65xf32> -> tensor<512x1xf32>
// CHECK-NOT: tile.dot
// CHECK: tile.write [[O]]
// CHECK: tile.write [[L]]
func.func @a_sum_beside_a_product(%p: memref<512x128xbf16>, %v: memref<128x64xbf16>, %o: memref<512x64xf32>, %l: memref<512x1xf32>) {
  %a = tile.read %p [128 * d0 + d1 by 1] : memref<512x128xbf16> -> tensor<512x128xbf16>
  %b = tile.read %v [64 * d0 + d1 by 1] : memref<128x64xbf16> -> tensor<128x64xbf16>
  %c = arith.constant 1.0 : bf16
  %ones = tile.splat %c : bf16 -> tensor<128x1xbf16>
  %x = tile.dot %a, %b over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
  %s = tile.dot %a, %ones over [1] x [0] : tensor<512x128xbf16>, tensor<128x1xbf16> -> tensor<512x1xf32>
  tile.write %x to %o [64 * d0 + d1 by 1] : tensor<512x64xf32> -> memref<512x64xf32>
  tile.write %s to %l [d0 + d1 by 1] : tensor<512x1xf32> -> memref<512x1xf32>
  func.return
}

// What is computed, or read in part, is put together with the number; once for several products.
// CHECK-LABEL: func.func @what_is_computed
// CHECK: [[E:%.*]] = math.exp
// CHECK: [[W:%.*]] = tile.concat [[E]], {{%.*}} axis 1 : tensor<128x64xf32>, tensor<128x2xf32> -> tensor<128x66xf32>
// CHECK: tile.dot {{%.*}}, [[W]]
// CHECK-NOT: tile.concat
// CHECK: tile.dot {{%.*}}, [[W]]
// CHECK-NOT: tile.dot
// CHECK: func.return
func.func @what_is_computed(%p: tensor<512x128xf32>, %q: tensor<256x128xf32>, %v: memref<128x64xf32>) {
  %b = tile.read %v [d0 in 0 to 100 by 64, d1 by 1] : memref<128x64xf32> -> tensor<128x64xf32>
  %e = math.exp %b : tensor<128x64xf32>
  %c = arith.constant 2.0 : f32
  %twos = tile.splat %c : f32 -> tensor<128x2xf32>
  %x = tile.dot %p, %e over [1] x [0] : tensor<512x128xf32>, tensor<128x64xf32> -> tensor<512x64xf32>
  %s = tile.dot %p, %twos over [1] x [0] : tensor<512x128xf32>, tensor<128x2xf32> -> tensor<512x2xf32>
  %y = tile.dot %q, %e over [1] x [0] : tensor<256x128xf32>, tensor<128x64xf32> -> tensor<256x64xf32>
  %t = tile.dot %q, %twos over [1] x [0] : tensor<256x128xf32>, tensor<128x2xf32> -> tensor<256x2xf32>
  "test.op"(%x, %s, %y, %t) : (tensor<512x64xf32>, tensor<512x2xf32>, tensor<256x64xf32>, tensor<256x2xf32>) -> ()
  func.return
}

// A loop carries both sums in one; the first adds a product, which the second is the beginning of.
// CHECK-LABEL: func.func @sums_over_a_loop
// CHECK: [[Z:%.*]] = tile.splat {{%.*}} : f32 -> tensor<512x65xf32>
// CHECK: [[R:%.*]], [[S:%.*]] = scf.for %i = {{.*}} iter_args([[M:%.*]] = %m, [[A:%.*]] = [[Z]])
// CHECK: [[J:%.*]] = tile.dot {{%.*}}, {{%.*}} acc [[A]] over [1] x [0] : tensor<512x128xbf16>, tensor<128x65xbf16> -> tensor<512x65xf32>
// CHECK: scf.yield {{%.*}}, [[J]] : tensor<4xf32>, tensor<512x65xf32>
// CHECK-DAG: [[O:%.*]] = tile.slice [[S]] axis 1 at 0 : tensor<512x65xf32> -> tensor<512x64xf32>
// CHECK-DAG: [[L:%.*]] = tile.slice [[S]] axis 1 at 64 : tensor<512x65xf32> -> tensor<512x1xf32>
// CHECK: "test.op"([[O]], [[R]], [[L]])
func.func @sums_over_a_loop(%p: tensor<512x128xbf16>, %v: memref<512x64xbf16>, %m: tensor<4xf32>) {
  %lb = arith.constant 0 : index
  %ub = arith.constant 4 : index
  %step = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %c = arith.constant 1.0 : bf16
  %ones = tile.splat %c : bf16 -> tensor<128x1xbf16>
  %x0 = tile.splat %zero : f32 -> tensor<512x64xf32>
  %s0 = tile.splat %zero : f32 -> tensor<512x1xf32>
  %x, %n, %s = scf.for %i = %lb to %ub step %step iter_args(%xi = %x0, %mi = %m, %si = %s0) -> (tensor<512x64xf32>, tensor<4xf32>, tensor<512x1xf32>) {
    %b = tile.read %v(%i) [128 * s0 + d0 by 64, d1 by 1] : memref<512x64xbf16> -> tensor<128x64xbf16>
    %xp = tile.dot %p, %b over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
    %sj = tile.dot %p, %ones acc %si over [1] x [0] : tensor<512x128xbf16>, tensor<128x1xbf16> -> tensor<512x1xf32>
    %xj = arith.addf %xi, %xp : tensor<512x64xf32>
    %mj = math.exp %mi : tensor<4xf32>
    scf.yield %xj, %mj, %sj : tensor<512x64xf32>, tensor<4xf32>, tensor<512x1xf32>
  }
  "test.op"(%x, %n, %s) : (tensor<512x64xf32>, tensor<4xf32>, tensor<512x1xf32>) -> ()
  func.return
}

// Rows of both go on together, and are put together again.
// CHECK-LABEL: func.func @rows_of_sums
// CHECK: [[J:%.*]] = tile.dot
// CHECK: [[U:%.*]] = tile.slice [[J]] axis 0 at 0 : tensor<512x65xf32> -> tensor<256x65xf32>
// CHECK: [[D:%.*]] = tile.slice [[J]] axis 0 at 256 : tensor<512x65xf32> -> tensor<256x65xf32>
// CHECK: [[K:%.*]] = tile.dot {{%.*}}, {{%.*}} acc [[D]] over [1] x [0] : tensor<256x128xbf16>, tensor<128x65xbf16> -> tensor<256x65xf32>
// CHECK: [[ALL:%.*]] = tile.concat [[U]], [[K]] axis 0 : tensor<256x65xf32>, tensor<256x65xf32> -> tensor<512x65xf32>
// CHECK-DAG: [[Y:%.*]] = tile.slice [[ALL]] axis 1 at 0 : tensor<512x65xf32> -> tensor<512x64xf32>
// CHECK-DAG: [[T:%.*]] = tile.slice [[ALL]] axis 1 at 64 : tensor<512x65xf32> -> tensor<512x1xf32>
// CHECK: "test.op"([[Y]], [[T]])
func.func @rows_of_sums(%p: tensor<512x128xbf16>, %q: tensor<256x128xbf16>, %v: tensor<128x64xbf16>, %w: tensor<128x64xbf16>) {
  %c = arith.constant 1.0 : bf16
  %ones = tile.splat %c : bf16 -> tensor<128x1xbf16>
  %x = tile.dot %p, %v over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
  %s = tile.dot %p, %ones over [1] x [0] : tensor<512x128xbf16>, tensor<128x1xbf16> -> tensor<512x1xf32>
  %x0 = tile.slice %x axis 0 at 0 : tensor<512x64xf32> -> tensor<256x64xf32>
  %s0 = tile.slice %s axis 0 at 0 : tensor<512x1xf32> -> tensor<256x1xf32>
  %x1 = tile.slice %x axis 0 at 256 : tensor<512x64xf32> -> tensor<256x64xf32>
  %s1 = tile.slice %s axis 0 at 256 : tensor<512x1xf32> -> tensor<256x1xf32>
  %y1 = tile.dot %q, %w acc %x1 over [1] x [0] : tensor<256x128xbf16>, tensor<128x64xbf16> -> tensor<256x64xf32>
  %t1 = tile.dot %q, %ones acc %s1 over [1] x [0] : tensor<256x128xbf16>, tensor<128x1xbf16> -> tensor<256x1xf32>
  %y = tile.concat %x0, %y1 axis 0 : tensor<256x64xf32>, tensor<256x64xf32> -> tensor<512x64xf32>
  %t = tile.concat %s0, %t1 axis 0 : tensor<256x1xf32>, tensor<256x1xf32> -> tensor<512x1xf32>
  "test.op"(%y, %t) : (tensor<512x64xf32>, tensor<512x1xf32>) -> ()
  func.return
}

// Sixteen rows go through the array faster than 257 columns.
// CHECK-LABEL: func.func @few_rows
// CHECK-NOT: tile.concat
// CHECK: tile.dot {{.*}} tensor<128x256xbf16>
// CHECK: tile.dot {{.*}} tensor<128x1xbf16>
func.func @few_rows(%p: tensor<16x128xbf16>, %v: tensor<128x256xbf16>) {
  %c = arith.constant 1.0 : bf16
  %ones = tile.splat %c : bf16 -> tensor<128x1xbf16>
  %x = tile.dot %p, %v over [1] x [0] : tensor<16x128xbf16>, tensor<128x256xbf16> -> tensor<16x256xf32>
  %s = tile.dot %p, %ones over [1] x [0] : tensor<16x128xbf16>, tensor<128x1xbf16> -> tensor<16x1xf32>
  "test.op"(%x, %s) : (tensor<16x256xf32>, tensor<16x1xf32>) -> ()
  func.return
}

// CHECK-LABEL: func.func @more_columns_than_move_at_once
// CHECK-NOT: tile.concat
// CHECK: tile.dot {{.*}} tensor<128x512xbf16>
// CHECK: tile.dot {{.*}} tensor<128x1xbf16>
func.func @more_columns_than_move_at_once(%p: tensor<512x128xbf16>, %v: tensor<128x512xbf16>) {
  %c = arith.constant 1.0 : bf16
  %ones = tile.splat %c : bf16 -> tensor<128x1xbf16>
  %x = tile.dot %p, %v over [1] x [0] : tensor<512x128xbf16>, tensor<128x512xbf16> -> tensor<512x512xf32>
  %s = tile.dot %p, %ones over [1] x [0] : tensor<512x128xbf16>, tensor<128x1xbf16> -> tensor<512x1xf32>
  "test.op"(%x, %s) : (tensor<512x512xf32>, tensor<512x1xf32>) -> ()
  func.return
}

// Sums that begin as different numbers, or as what is not beside each other; one without a beginning.
// CHECK-LABEL: func.func @other_beginnings
// CHECK-NOT: tile.concat
// CHECK-COUNT-6: tile.dot
func.func @other_beginnings(%p: tensor<512x128xbf16>, %q: tensor<512x128xbf16>, %r: tensor<512x128xbf16>, %v: tensor<128x64xbf16>, %w: tensor<128x64xbf16>, %u: tensor<128x64xbf16>, %l: tensor<512x1xf32>) {
  %c = arith.constant 1.0 : bf16
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %ones = tile.splat %c : bf16 -> tensor<128x1xbf16>
  %x0 = tile.splat %zero : f32 -> tensor<512x64xf32>
  %s0 = tile.splat %one : f32 -> tensor<512x1xf32>
  %x = tile.dot %p, %v acc %x0 over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
  %s = tile.dot %p, %ones acc %s0 over [1] x [0] : tensor<512x128xbf16>, tensor<128x1xbf16> -> tensor<512x1xf32>
  %y = tile.dot %q, %w acc %x0 over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
  %t = tile.dot %q, %ones acc %l over [1] x [0] : tensor<512x128xbf16>, tensor<128x1xbf16> -> tensor<512x1xf32>
  %z = tile.dot %r, %u acc %x0 over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
  %n = tile.dot %r, %ones over [1] x [0] : tensor<512x128xbf16>, tensor<128x1xbf16> -> tensor<512x1xf32>
  "test.op"(%x, %s, %y, %t, %z, %n) : (tensor<512x64xf32>, tensor<512x1xf32>, tensor<512x64xf32>, tensor<512x1xf32>, tensor<512x64xf32>, tensor<512x1xf32>) -> ()
  func.return
}

// What is multiplied with something else, too, would be there twice.
// CHECK-LABEL: func.func @columns_of_others
// CHECK-NOT: tile.concat
// CHECK-COUNT-3: tile.dot
func.func @columns_of_others(%p: tensor<512x128xbf16>, %q: tensor<512x128xbf16>, %v: tensor<128x64xbf16>) {
  %c = arith.constant 1.0 : bf16
  %ones = tile.splat %c : bf16 -> tensor<128x1xbf16>
  %x = tile.dot %p, %v over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
  %s = tile.dot %p, %ones over [1] x [0] : tensor<512x128xbf16>, tensor<128x1xbf16> -> tensor<512x1xf32>
  %y = tile.dot %q, %v over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
  "test.op"(%x, %s, %y) : (tensor<512x64xf32>, tensor<512x1xf32>, tensor<512x64xf32>) -> ()
  func.return
}

// The sum is needed before the product can be made.
// CHECK-LABEL: func.func @a_sum_that_the_product_waits_for
// CHECK-NOT: tile.concat
// CHECK-COUNT-2: tile.dot
func.func @a_sum_that_the_product_waits_for(%p: tensor<512x128xbf16>, %x: tensor<512x64xf32>, %v: tensor<128x64xbf16>) {
  %c = arith.constant 1.0 : bf16
  %ones = tile.splat %c : bf16 -> tensor<128x1xbf16>
  %s = tile.dot %p, %ones over [1] x [0] : tensor<512x128xbf16>, tensor<128x1xbf16> -> tensor<512x1xf32>
  %e = math.exp %s : tensor<512x1xf32>
  %y = tile.dot %p, %v over [1] x [0] : tensor<512x128xbf16>, tensor<128x64xbf16> -> tensor<512x64xf32>
  "test.op"(%e, %y) : (tensor<512x1xf32>, tensor<512x64xf32>) -> ()
  func.return
}
