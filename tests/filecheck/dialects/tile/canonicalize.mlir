// RUN: nki-opt %s -p canonicalize --split-input-file | filecheck %s
// RUN: nki-opt %s -p clean --split-input-file | filecheck %s
// RUN: nki-opt %s -p canonicalize --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_whole_slice
// CHECK-NEXT: [[X:%.*]] = "test.op"() : () -> tensor<8xf32>
// CHECK-NEXT: "test.op"([[X]])
func.func @a_whole_slice() {
  %x = "test.op"() : () -> tensor<8xf32>
  %s = tile.slice %x axis 0 at 0 : tensor<8xf32> -> tensor<8xf32>
  "test.op"(%s) : (tensor<8xf32>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_slice_of_a_slice
// CHECK-NEXT: [[X:%.*]] = "test.op"() : () -> tensor<4x64xf32>
// CHECK-NEXT: [[S:%.*]] = tile.slice [[X]] axis 1 at 15 : tensor<4x64xf32> -> tensor<4x3xf32>
// CHECK-NEXT: "test.op"([[S]])
func.func @a_slice_of_a_slice() {
  %x = "test.op"() : () -> tensor<4x64xf32>
  %s = tile.slice %x axis 1 at 10 : tensor<4x64xf32> -> tensor<4x20xf32>
  %t = tile.slice %s axis 1 at 5 : tensor<4x20xf32> -> tensor<4x3xf32>
  "test.op"(%t) : (tensor<4x3xf32>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_slice_along_another_dimension
// CHECK: tile.slice {{%.*}} axis 1 at 10 : tensor<4x64xf32> -> tensor<4x20xf32>
// CHECK: tile.slice {{%.*}} axis 0 at 1 : tensor<4x20xf32> -> tensor<2x20xf32>
func.func @a_slice_along_another_dimension() {
  %x = "test.op"() : () -> tensor<4x64xf32>
  %s = tile.slice %x axis 1 at 10 : tensor<4x64xf32> -> tensor<4x20xf32>
  %t = tile.slice %s axis 0 at 1 : tensor<4x20xf32> -> tensor<2x20xf32>
  "test.op"(%t) : (tensor<2x20xf32>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_slice_that_is_a_part
// CHECK-NEXT: [[X:%.*]], [[Y:%.*]], [[Z:%.*]] = "test.op"()
// CHECK-NEXT: "test.op"([[Y]], [[Z]])
func.func @a_slice_that_is_a_part() {
  %x, %y, %z = "test.op"() : () -> (tensor<8xf32>, tensor<16xf32>, tensor<8xf32>)
  %c = tile.concat %x, %y, %z axis 0 : tensor<8xf32>, tensor<16xf32>, tensor<8xf32> -> tensor<32xf32>
  %s = tile.slice %c axis 0 at 8 : tensor<32xf32> -> tensor<16xf32>
  %t = tile.slice %c axis 0 at 24 : tensor<32xf32> -> tensor<8xf32>
  "test.op"(%s, %t) : (tensor<16xf32>, tensor<8xf32>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_slice_inside_a_part
// CHECK-NEXT: [[X:%.*]], [[Y:%.*]] = "test.op"()
// CHECK-NEXT: [[S:%.*]] = tile.slice [[Y]] axis 0 at 2 : tensor<16xf32> -> tensor<14xf32>
// CHECK-NEXT: "test.op"([[S]])
func.func @a_slice_inside_a_part() {
  %x, %y = "test.op"() : () -> (tensor<8xf32>, tensor<16xf32>)
  %c = tile.concat %x, %y axis 0 : tensor<8xf32>, tensor<16xf32> -> tensor<24xf32>
  %s = tile.slice %c axis 0 at 10 : tensor<24xf32> -> tensor<14xf32>
  "test.op"(%s) : (tensor<14xf32>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_slice_over_parts
// CHECK: [[C:%.*]] = tile.concat
// CHECK: tile.slice [[C]] axis 0 at 7 : tensor<24xf32> -> tensor<2xf32>
func.func @a_slice_over_parts() {
  %x, %y = "test.op"() : () -> (tensor<8xf32>, tensor<16xf32>)
  %c = tile.concat %x, %y axis 0 : tensor<8xf32>, tensor<16xf32> -> tensor<24xf32>
  %s = tile.slice %c axis 0 at 7 : tensor<24xf32> -> tensor<2xf32>
  "test.op"(%s) : (tensor<2xf32>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_slice_beside_where_parts_meet
// CHECK: [[C:%.*]] = tile.concat
// CHECK: tile.slice [[C]] axis 1 at 0 : tensor<8x4xf32> -> tensor<8x1xf32>
func.func @a_slice_beside_where_parts_meet() {
  %x = "test.op"() : () -> tensor<4x4xf32>
  %c = tile.concat %x, %x axis 0 : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<8x4xf32>
  %s = tile.slice %c axis 1 at 0 : tensor<8x4xf32> -> tensor<8x1xf32>
  "test.op"(%s) : (tensor<8x1xf32>) -> ()
  func.return
}

// Of what is repeated along the dimension there are fewer repetitions; elsewhere a slice is repeated.
// CHECK-LABEL: func.func @slices_of_repetitions
// CHECK-NEXT: [[X:%.*]] = "test.op"() : () -> tensor<8x1xf32>
// CHECK-NEXT: [[B:%.*]] = tile.broadcast [[X]] : tensor<8x1xf32> -> tensor<8x3xf32>
// CHECK-NEXT: [[S:%.*]] = tile.slice [[X]] axis 0 at 2 : tensor<8x1xf32> -> tensor<4x1xf32>
// CHECK-NEXT: [[C:%.*]] = tile.broadcast [[S]] : tensor<4x1xf32> -> tensor<4x5xf32>
// CHECK-NEXT: "test.op"([[B]], [[C]])
func.func @slices_of_repetitions() {
  %x = "test.op"() : () -> tensor<8x1xf32>
  %b = tile.broadcast %x : tensor<8x1xf32> -> tensor<8x5xf32>
  %s = tile.slice %b axis 1 at 2 : tensor<8x5xf32> -> tensor<8x3xf32>
  %t = tile.slice %b axis 0 at 2 : tensor<8x5xf32> -> tensor<4x5xf32>
  "test.op"(%s, %t) : (tensor<8x3xf32>, tensor<4x5xf32>) -> ()
  func.return
}

// CHECK-LABEL: func.func @one_part
// CHECK-NEXT: [[X:%.*]] = "test.op"() : () -> tensor<8xf32>
// CHECK-NEXT: "test.op"([[X]])
func.func @one_part() {
  %x = "test.op"() : () -> tensor<8xf32>
  %c = tile.concat %x axis 0 : tensor<8xf32> -> tensor<8xf32>
  "test.op"(%c) : (tensor<8xf32>) -> ()
  func.return
}
