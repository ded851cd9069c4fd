// RUN: nki-opt %s -p canonicalize --split-input-file | filecheck %s

// CHECK-LABEL: func.func @a_convert_to_where_it_lies
// CHECK: [[X:%.*]] = "test.op"
// CHECK-NEXT: "test.op"([[X]])
func.func @a_convert_to_where_it_lies() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0:64] x [d1:32]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_cast_to_what_it_is
// CHECK: [[X:%.*]] = "test.op"
// CHECK-NEXT: "test.op"([[X]])
func.func @a_cast_to_what_it_is() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %r = neuron.mem.cast %x : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @what_changes_something_stays
// CHECK: neuron.mem.convert
// CHECK: neuron.mem.convert %{{.*}} by copy
// CHECK: neuron.mem.cast
func.func @what_changes_something_stays() {
  %x, %p = "test.op"() : () -> (!neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]>)
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  %q = neuron.mem.convert %p by copy : !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %c = neuron.mem.cast %x : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  "test.op"(%r, %q, %c) : (!neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @an_accumulator_for_nothing
// CHECK-NEXT: func.return
func.func @an_accumulator_for_nothing() {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  func.return
}

// CHECK-LABEL: func.func @a_slice_of_all
// CHECK: [[X:%.*]] = "test.op"
// CHECK-NEXT: "test.op"([[X]])
func.func @a_slice_of_all() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %r = neuron.mem.slice %x [d0, d1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @an_insert_of_all
// CHECK: [[X:%.*]], %{{.*}} = "test.op"
// CHECK-NEXT: "test.op"([[X]])
func.func @an_insert_of_all() {
  %x, %y = "test.op"() : () -> (!neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>)
  %r = neuron.mem.insert %x into %y [d0, d1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> into !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) -> ()
  func.return
}

// What was inserted there comes out again; what was inserted elsewhere may be elsewhere.
// CHECK-LABEL: func.func @a_slice_of_what_was_inserted
// CHECK: [[X:%.*]], %{{.*}} = "test.op"
// CHECK-NEXT: [[T:%.*]] = neuron.mem.insert [[X]]
// CHECK-NEXT: [[Q:%.*]] = neuron.mem.slice [[T]]
// CHECK-NEXT: "test.op"([[X]], [[Q]])
func.func @a_slice_of_what_was_inserted(%i: index, %j: index) {
  %x, %y = "test.op"() : () -> (!neuron.mem.tile<sbuf, 64xf32, [d0] x []>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>)
  %t = neuron.mem.insert %x into %y(%i) [d0, s0] : !neuron.mem.tile<sbuf, 64xf32, [d0] x []> into !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %p = neuron.mem.slice %t(%i) [d0, s0] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  %q = neuron.mem.slice %t(%j) [d0, s0] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  "test.op"(%p, %q) : (!neuron.mem.tile<sbuf, 64xf32, [d0] x []>, !neuron.mem.tile<sbuf, 64xf32, [d0] x []>) -> ()
  func.return
}

// Nor does what was inserted in some iterations only.
// CHECK-LABEL: func.func @what_was_perhaps_inserted
// CHECK: [[T:%.*]] = neuron.mem.insert
// CHECK-NEXT: [[P:%.*]] = neuron.mem.slice [[T]]
// CHECK-NEXT: [[W:%.*]] = neuron.mem.insert
// CHECK-NEXT: "test.op"([[P]], [[W]])
func.func @what_was_perhaps_inserted(%i: index) {
  %x, %y = "test.op"() : () -> (!neuron.mem.tile<sbuf, 64xf32, [d0] x []>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>)
  %t = neuron.mem.insert %x into %y(%i) [d0, s0] where [3 - s0] : !neuron.mem.tile<sbuf, 64xf32, [d0] x []> into !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %p = neuron.mem.slice %t(%i) [d0, s0] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
  %w = neuron.mem.insert %t into %y(%i) [d0, d1] where [s0] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> into !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  "test.op"(%p, %w) : (!neuron.mem.tile<sbuf, 64xf32, [d0] x []>, !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @pieces_that_are_pieces_stay
// CHECK: neuron.mem.slice
func.func @pieces_that_are_pieces_stay() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %r = neuron.mem.slice %x [d0, 16 + d1] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @an_empty_tile_for_nothing
// CHECK-NEXT: func.return
func.func @an_empty_tile_for_nothing() {
  %z = neuron.mem.empty : !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  func.return
}
