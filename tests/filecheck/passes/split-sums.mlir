// RUN: nki-opt %s -p split-sums | filecheck %s
// RUN: nki-opt %s -p split-sums --print-op-generic | nki-opt | filecheck %s

!a = !neuron.mem.tile<sbuf, 256x128xbf16, [d1] x [d0]>
!b = !neuron.mem.tile<sbuf, 128x1024xbf16, [d0] x [d1]>
!p = !neuron.mem.tile<psum, 256x1024xf32, [d0:128] x [d0/128:2, d1]>
!s = !neuron.mem.tile<sbuf, 256x1024xf32, [d0:128] x [d0/128:2, d1]>
!h = !neuron.mem.tile<sbuf, 256x1024xbf16, [d0:128] x [d0/128:2, d1]>
!m = !neuron.mem.tile<sbuf, 256xf32, [d0:128] x [d0/128:2]>
!v = !neuron.mem.tile<sbuf, 256x64xbf16, [d0:128] x [d0/128:2, d1]>

// Rows 0 to 127 are made and reduced, then the others.
// CHECK-LABEL: func.func @a_reduction_along_the_columns
// CHECK: [[T:%.*]] = neuron.mem.empty : !neuron.mem.tile<sbuf, 256xf32, [d0:128] x [d0/128:2]>
// CHECK: [[Z:%.*]] = neuron.mem.accumulator : !neuron.mem.tile<psum, 128x1024xf32, [d0] x [d1]>
// CHECK: [[A:%.*]] = neuron.mem.slice %a [d0, d1]
// CHECK: [[P:%.*]] = neuron.mem.matmul [[A]], %b acc [[Z]] part [0, 0, 0]
// CHECK: [[Q:%.*]] = neuron.mem.matmul [[A]], %b acc [[P]] part [0, 1, 0]
// CHECK: [[C:%.*]] = neuron.mem.convert [[Q]]
// CHECK: [[M:%.*]] = neuron.mem.reduce max [[C]] axis 1
// CHECK: [[T1:%.*]] = neuron.mem.insert [[M]] into [[T]] [d0]
// CHECK: neuron.mem.accumulator
// CHECK: neuron.mem.slice %a [128 + d0, d1]
// CHECK: neuron.mem.matmul {{.*}} part [0, 0, 0]
// CHECK: neuron.mem.matmul {{.*}} part [0, 1, 0]
// CHECK: [[M1:%.*]] = neuron.mem.reduce max
// CHECK: [[T2:%.*]] = neuron.mem.insert [[M1]] into [[T1]] [128 + d0]
// CHECK: "test.op"([[T2]])
func.func @a_reduction_along_the_columns(%a: !a, %b: !b) {
  %z = neuron.mem.accumulator : !p
  %p00 = neuron.mem.matmul %a, %b acc %z part [0, 0, 0] : !a, !b, !p -> !p
  %p01 = neuron.mem.matmul %a, %b acc %p00 part [0, 1, 0] : !a, !b, !p -> !p
  %p10 = neuron.mem.matmul %a, %b acc %p01 part [1, 0, 0] : !a, !b, !p -> !p
  %p11 = neuron.mem.matmul %a, %b acc %p10 part [1, 1, 0] : !a, !b, !p -> !p
  %c = neuron.mem.convert %p11 : !p -> !s
  %m = neuron.mem.reduce max %c axis 1 : !s -> !m
  "test.op"(%m) : (!m) -> ()
  func.return
}

// Left alone: rows of a piece that are no neighbours.
// CHECK-LABEL: func.func @rows_in_runs
// CHECK-NOT: neuron.mem.slice
// CHECK: part [1, 1, 0]
// CHECK-NOT: neuron.mem.insert
// CHECK: "test.op"
!pr = !neuron.mem.tile<psum, 256x1024xf32, [d0/2:128] x [d0:2, d1]>
!sr = !neuron.mem.tile<sbuf, 256x1024xf32, [d0/2:128] x [d0:2, d1]>
!mr = !neuron.mem.tile<sbuf, 256xf32, [d0/2:128] x [d0:2]>
func.func @rows_in_runs(%a: !a, %b: !b) {
  %z = neuron.mem.accumulator : !pr
  %p00 = neuron.mem.matmul %a, %b acc %z part [0, 0, 0] : !a, !b, !pr -> !pr
  %p01 = neuron.mem.matmul %a, %b acc %p00 part [0, 1, 0] : !a, !b, !pr -> !pr
  %p10 = neuron.mem.matmul %a, %b acc %p01 part [1, 0, 0] : !a, !b, !pr -> !pr
  %p11 = neuron.mem.matmul %a, %b acc %p10 part [1, 1, 0] : !a, !b, !pr -> !pr
  %c = neuron.mem.convert %p11 : !pr -> !sr
  %m = neuron.mem.reduce max %c axis 1 : !sr -> !mr
  "test.op"(%m) : (!mr) -> ()
  func.return
}

// What the next product takes is made in its place, some rows after the others.
// CHECK-LABEL: func.func @a_product_takes_it
// CHECK: neuron.mem.empty : !neuron.mem.tile<sbuf, 256x1024xbf16
// CHECK: neuron.mem.unary exp {{.*}} -> !neuron.mem.tile<sbuf, 128x1024xf32, [d0] x [d1]>
// CHECK: [[H:%.*]] = neuron.mem.cast {{.*}} -> !neuron.mem.tile<sbuf, 128x1024xbf16, [d0] x [d1]>
// CHECK: neuron.mem.insert [[H]] into {{.*}} [d0, d1]
// CHECK: neuron.mem.unary exp
// CHECK: [[T:%.*]] = neuron.mem.insert {{.*}} [128 + d0, d1]
// CHECK: neuron.mem.relabel [[T]]
func.func @a_product_takes_it(%a: !a, %b: !b, %v: !v) {
  %z = neuron.mem.accumulator : !p
  %p00 = neuron.mem.matmul %a, %b acc %z part [0, 0, 0] : !a, !b, !p -> !p
  %p01 = neuron.mem.matmul %a, %b acc %p00 part [0, 1, 0] : !a, !b, !p -> !p
  %p10 = neuron.mem.matmul %a, %b acc %p01 part [1, 0, 0] : !a, !b, !p -> !p
  %p11 = neuron.mem.matmul %a, %b acc %p10 part [1, 1, 0] : !a, !b, !p -> !p
  %c = neuron.mem.convert %p11 : !p -> !s
  %two = arith.constant 2.0 : f32
  %d = neuron.mem.binary multiply %c, %two : !s, f32 -> !s
  %e = neuron.mem.unary exp %d : !s -> !s
  %h = neuron.mem.cast %e : !s -> !h
  %t = neuron.mem.relabel %h permute [1, 0] : !h -> !neuron.mem.tile<sbuf, 1024x256xbf16, [d1:128] x [d1/128:2, d0]>
  %y = neuron.mem.accumulator : !neuron.mem.tile<psum, 1024x64xf32, [d0:128] x [d0/128:8, d1]>
  %r = neuron.mem.matmul %t, %v acc %y part [0, 0, 0] : !neuron.mem.tile<sbuf, 1024x256xbf16, [d1:128] x [d1/128:2, d0]>, !v, !neuron.mem.tile<psum, 1024x64xf32, [d0:128] x [d0/128:8, d1]> -> !neuron.mem.tile<psum, 1024x64xf32, [d0:128] x [d0/128:8, d1]>
  "test.op"(%r) : (!neuron.mem.tile<psum, 1024x64xf32, [d0:128] x [d0/128:8, d1]>) -> ()
  func.return
}

// A product that leaves is made as it is.
// CHECK-LABEL: func.func @what_is_stored
// CHECK-NOT: neuron.mem.slice
// CHECK: part [1, 1, 0]
// CHECK-NOT: neuron.mem.insert
// CHECK: "test.op"
func.func @what_is_stored(%a: !a, %b: !b) {
  %z = neuron.mem.accumulator : !p
  %p00 = neuron.mem.matmul %a, %b acc %z part [0, 0, 0] : !a, !b, !p -> !p
  %p01 = neuron.mem.matmul %a, %b acc %p00 part [0, 1, 0] : !a, !b, !p -> !p
  %p10 = neuron.mem.matmul %a, %b acc %p01 part [1, 0, 0] : !a, !b, !p -> !p
  %p11 = neuron.mem.matmul %a, %b acc %p10 part [1, 1, 0] : !a, !b, !p -> !p
  %c = neuron.mem.convert %p11 : !p -> !s
  %e = neuron.mem.unary exp %c : !s -> !s
  "test.op"(%e) : (!s) -> ()
  func.return
}

// Where a sum goes on elsewhere.
// CHECK-LABEL: func.func @a_sum_of_two_products
// CHECK-NOT: neuron.mem.slice
// CHECK: part [1, 1, 0]
// CHECK-NOT: neuron.mem.insert
// CHECK: "test.op"
func.func @a_sum_of_two_products(%a: !a, %b: !b) {
  %z = neuron.mem.accumulator : !p
  %p00 = neuron.mem.matmul %a, %b acc %z part [0, 0, 0] : !a, !b, !p -> !p
  %p01 = neuron.mem.matmul %a, %b acc %p00 part [0, 1, 0] : !a, !b, !p -> !p
  %p10 = neuron.mem.matmul %a, %b acc %p01 part [1, 0, 0] : !a, !b, !p -> !p
  %p11 = neuron.mem.matmul %a, %b acc %p10 part [1, 1, 0] : !a, !b, !p -> !p
  %c = neuron.mem.convert %p11 : !p -> !s
  "test.op"(%c, %p11) : (!s, !p) -> ()
  func.return
}

// What takes the reduction comes before the last operation on all rows: so does what makes them.
// CHECK-LABEL: func.func @taken_before_the_last
// CHECK: [[M1:%.*]] = neuron.mem.insert {{.*}} [128 + d0] :
// CHECK: [[H1:%.*]] = neuron.mem.insert {{.*}} [128 + d0, d1] :
// CHECK: [[N:%.*]] = neuron.mem.binary multiply [[M1]]
// CHECK: "test.op"([[N]], [[H1]])
func.func @taken_before_the_last(%a: !a, %b: !b) {
  %half = arith.constant 0.5 : f32
  %z = neuron.mem.accumulator : !p
  %p00 = neuron.mem.matmul %a, %b acc %z part [0, 0, 0] : !a, !b, !p -> !p
  %p01 = neuron.mem.matmul %a, %b acc %p00 part [0, 1, 0] : !a, !b, !p -> !p
  %p10 = neuron.mem.matmul %a, %b acc %p01 part [1, 0, 0] : !a, !b, !p -> !p
  %p11 = neuron.mem.matmul %a, %b acc %p10 part [1, 1, 0] : !a, !b, !p -> !p
  %c = neuron.mem.convert %p11 : !p -> !s
  %m = neuron.mem.reduce max %c axis 1 : !s -> !m
  %n = neuron.mem.binary multiply %m, %half : !m, f32 -> !m
  %h = neuron.mem.binary multiply %c, %half : !s, f32 -> !s
  "test.op"(%n, %h) : (!m, !s) -> ()
  func.return
}
