// RUN: nki-opt %s -p split-to-hardware-tiles --split-input-file | filecheck %s
// RUN: nki-opt %s -p split-to-hardware-tiles --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

!left = !neuron.mem.tile<sbuf, 64x512xbf16, [d1:128] x [d1/128:4, d0]>
!right = !neuron.mem.tile<sbuf, 512x1024xbf16, [d0:128] x [d0/128:4, d1]>
!sums = !neuron.mem.tile<psum, 64x1024xf32, [d0] x [d1]>

// CHECK-LABEL: func.func @rows_columns_and_terms(
// CHECK: [[Z:%.*]] = neuron.mem.accumulator
// CHECK: [[P1:%.*]] = neuron.mem.matmul {{.*}} acc [[Z]] part [0, 0, 0]
// CHECK: [[P2:%.*]] = neuron.mem.matmul {{.*}} acc [[P1]] part [0, 0, 1]
// CHECK: [[P3:%.*]] = neuron.mem.matmul {{.*}} acc [[P2]] part [0, 1, 0]
// CHECK: [[P4:%.*]] = neuron.mem.matmul {{.*}} acc [[P3]] part [0, 1, 1]
// CHECK: "test.op"([[P4]])
func.func @rows_columns_and_terms(%a: !neuron.mem.tile<sbuf, 64x256xf32, [d1:128] x [d1/128:2, d0]>, %b: !neuron.mem.tile<sbuf, 256x1024xf32, [d0:128] x [d0/128:2, d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x1024xf32, [d0] x [d1]>
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x256xf32, [d1:128] x [d1/128:2, d0]>, !neuron.mem.tile<sbuf, 256x1024xf32, [d0:128] x [d0/128:2, d1]>, !neuron.mem.tile<psum, 64x1024xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x1024xf32, [d0] x [d1]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 64x1024xf32, [d0] x [d1]>) -> ()
  func.return
}

// Each sum begins some terms after the one before, and then they take turns: the array takes as long for two of 16 bits
// as the Vector engine does for a sum, and longer for one of fp32.
// CHECK-LABEL: func.func @sums_take_turns(
// CHECK-COUNT-2: neuron.mem.matmul {{.*}} part [0, 0, {{[0-1]}}]
// CHECK-NEXT: neuron.mem.matmul {{.*}} part [0, 0, 2]
// CHECK-NEXT: neuron.mem.matmul {{.*}} part [0, 1, 0]
// CHECK-NEXT: neuron.mem.matmul {{.*}} part [0, 0, 3]
// CHECK-NEXT: neuron.mem.matmul {{.*}} part [0, 1, 1]
// CHECK-COUNT-2: neuron.mem.matmul {{.*}} part [0, 1, {{[2-3]}}]
// CHECK-NEXT: "test.op"
// CHECK: neuron.mem.matmul {{.*}} part [0, 0, 0]
// CHECK-NEXT: neuron.mem.matmul {{.*}} part [0, 0, 1]
// CHECK-NEXT: neuron.mem.matmul {{.*}} part [0, 1, 0]
func.func @sums_take_turns(%a: !left, %b: !right, %c: !neuron.mem.tile<sbuf, 64x512xf32, [d1:128] x [d1/128:4, d0]>, %d: !neuron.mem.tile<sbuf, 512x1024xf32, [d0:128] x [d0/128:4, d1]>) {
  %z = neuron.mem.accumulator : !sums
  %p = neuron.mem.matmul %a, %b acc %z : !left, !right, !sums -> !sums
  "test.op"(%p) : (!sums) -> ()
  %y = neuron.mem.accumulator : !sums
  %q = neuron.mem.matmul %c, %d acc %y : !neuron.mem.tile<sbuf, 64x512xf32, [d1:128] x [d1/128:4, d0]>, !neuron.mem.tile<sbuf, 512x1024xf32, [d0:128] x [d0/128:4, d1]>, !sums -> !sums
  "test.op"(%q) : (!sums) -> ()
  func.return
}

// Sums of few columns are out of PSUM long before the next term is done: they end together.
// CHECK-LABEL: func.func @few_columns(
// CHECK: neuron.mem.matmul {{.*}} part [0, 0, 0]
// CHECK-NEXT: neuron.mem.matmul {{.*}} part [1, 0, 0]
// CHECK-NEXT: neuron.mem.matmul {{.*}} part [0, 0, 1]
// CHECK-NEXT: neuron.mem.matmul {{.*}} part [1, 0, 1]
func.func @few_columns(%a: !neuron.mem.tile<sbuf, 256x256xf32, [d1:128] x [d1/128:2, d0]>, %b: !neuron.mem.tile<sbuf, 256x16xf32, [d0:128] x [d0/128:2, d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 256x16xf32, [d0:128] x [d0/128:2, d1]>
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 256x256xf32, [d1:128] x [d1/128:2, d0]>, !neuron.mem.tile<sbuf, 256x16xf32, [d0:128] x [d0/128:2, d1]>, !neuron.mem.tile<psum, 256x16xf32, [d0:128] x [d0/128:2, d1]> -> !neuron.mem.tile<psum, 256x16xf32, [d0:128] x [d0/128:2, d1]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 256x16xf32, [d0:128] x [d0/128:2, d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @ragged_ends_are_pieces(
// CHECK: [[Z:%.*]] = neuron.mem.accumulator
// CHECK: [[P1:%.*]] = neuron.mem.matmul {{.*}} acc [[Z]] part [0, 0, 0]
// CHECK: [[P2:%.*]] = neuron.mem.matmul {{.*}} acc [[P1]] part [0, 0, 1]
// CHECK: [[P3:%.*]] = neuron.mem.matmul {{.*}} acc [[P2]] part [0, 1, 0]
// CHECK: [[P4:%.*]] = neuron.mem.matmul {{.*}} acc [[P3]] part [0, 1, 1]
// CHECK: [[P5:%.*]] = neuron.mem.matmul {{.*}} acc [[P4]] part [1, 0, 0]
// CHECK: [[P6:%.*]] = neuron.mem.matmul {{.*}} acc [[P5]] part [1, 0, 1]
// CHECK: [[P7:%.*]] = neuron.mem.matmul {{.*}} acc [[P6]] part [1, 1, 0]
// CHECK: [[P8:%.*]] = neuron.mem.matmul {{.*}} acc [[P7]] part [1, 1, 1]
// CHECK: "test.op"([[P8]])
func.func @ragged_ends_are_pieces(%a: !neuron.mem.tile<sbuf, 200x200xf32, [d1:128] x [d1/128:2, d0]>, %b: !neuron.mem.tile<sbuf, 200x700xf32, [d0:128] x [d0/128:2, d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 200x700xf32, [d0:128] x [d0/128:2, d1:1024]>
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 200x200xf32, [d1:128] x [d1/128:2, d0]>, !neuron.mem.tile<sbuf, 200x700xf32, [d0:128] x [d0/128:2, d1]>, !neuron.mem.tile<psum, 200x700xf32, [d0:128] x [d0/128:2, d1:1024]> -> !neuron.mem.tile<psum, 200x700xf32, [d0:128] x [d0/128:2, d1:1024]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 200x700xf32, [d0:128] x [d0/128:2, d1:1024]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_piece_is_not_split_again(
// CHECK: neuron.mem.accumulator
// CHECK-NEXT: neuron.mem.matmul {{.*}} part [1, 1, 1]
// CHECK-NEXT: "test.op"
func.func @a_piece_is_not_split_again(%a: !neuron.mem.tile<sbuf, 200x200xf32, [d1:128] x [d1/128:2, d0]>, %b: !neuron.mem.tile<sbuf, 200x700xf32, [d0:128] x [d0/128:2, d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 200x700xf32, [d0:128] x [d0/128:2, d1:1024]>
  %p = neuron.mem.matmul %a, %b acc %z part [1, 1, 1] : !neuron.mem.tile<sbuf, 200x200xf32, [d1:128] x [d1/128:2, d0]>, !neuron.mem.tile<sbuf, 200x700xf32, [d0:128] x [d0/128:2, d1]>, !neuron.mem.tile<psum, 200x700xf32, [d0:128] x [d0/128:2, d1:1024]> -> !neuron.mem.tile<psum, 200x700xf32, [d0:128] x [d0/128:2, d1:1024]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 200x700xf32, [d0:128] x [d0/128:2, d1:1024]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @leaves_alone
// CHECK-NOT: part
// CHECK: func.return
func.func @leaves_alone(%a: !neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 128x512xf32, [d0] x [d1]>
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 128x512xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 128x512xf32, [d0] x [d1]>
  "test.op"(%p) : (!neuron.mem.tile<psum, 128x512xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

!left = !neuron.mem.tile<sbuf, 64x512xbf16, [d1:128] x [d1/128:4, d0]>
!right = !neuron.mem.tile<sbuf, 512x1024xbf16, [d0:128] x [d0/128:4, d1]>
!sums = !neuron.mem.tile<psum, 64x1024xf32, [d0] x [d1]>

// A sum takes longer on its way out of PSUM.
// CHECK-LABEL: neuron.target = "trn2"
// CHECK-COUNT-3: neuron.mem.matmul {{.*}} part [0, 0, {{[0-2]}}]
// CHECK-NEXT: neuron.mem.matmul {{.*}} part [0, 0, 3]
// CHECK-NEXT: neuron.mem.matmul {{.*}} part [0, 1, 0]
builtin.module attributes {neuron.target = "trn2"} {
  func.func @later_on_another_core(%a: !left, %b: !right) {
    %z = neuron.mem.accumulator : !sums
    %p = neuron.mem.matmul %a, %b acc %z : !left, !right, !sums -> !sums
    "test.op"(%p) : (!sums) -> ()
    func.return
  }
}
