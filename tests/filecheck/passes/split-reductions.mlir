// RUN: nki-opt %s -p split-reductions --split-input-file | filecheck %s
// RUN: nki-opt %s -p split-reductions --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_row_that_no_partition_holds
// CHECK: [[C:%.*]] = tile.reshape %x : tensor<65536xf32> -> tensor<1x128x512xf32>
// CHECK: [[P:%.*]] = tile.reduce max [[C]] axis 2 : tensor<1x128x512xf32> -> tensor<1x128xf32>
// CHECK: [[R:%.*]] = tile.reduce max [[P]] axis 1 : tensor<1x128xf32> -> tensor<1xf32>
// CHECK: [[M:%.*]] = tile.reshape [[R]] : tensor<1xf32> -> f32
// CHECK: "test.op"([[M]])
func.func @a_row_that_no_partition_holds(%x: tensor<65536xf32>) {
  %m = tile.reduce max %x axis 0 : tensor<65536xf32> -> f32
  "test.op"(%m) : (f32) -> ()
  func.return
}

// CHECK-LABEL: func.func @rows_take_as_many_partitions_as_there_are
// CHECK: tile.reshape %x : tensor<3x60000x2xf32> -> tensor<3x20x3000x2xf32>
// CHECK: tile.reduce sum {{.*}} axis 2 : tensor<3x20x3000x2xf32> -> tensor<3x20x2xf32>
// CHECK: tile.reduce sum {{.*}} axis 1 : tensor<3x20x2xf32> -> tensor<3x2xf32>
func.func @rows_take_as_many_partitions_as_there_are(%x: tensor<3x60000x2xf32>) {
  %m = tile.reduce sum %x axis 1 : tensor<3x60000x2xf32> -> tensor<3x2xf32>
  "test.op"(%m) : (tensor<3x2xf32>) -> ()
  func.return
}

// Moving the parts takes longer than all of a short row; 16411 is prime.
// CHECK-LABEL: func.func @what_is_short_stays
// CHECK-NOT: tile.reshape
// CHECK: func.return
func.func @what_is_short_stays(%x: tensor<1024xf32>, %y: tensor<128x8192xf32>, %z: tensor<16411xf32>) {
  %a = tile.reduce sum %x axis 0 : tensor<1024xf32> -> f32
  %b = tile.reduce sum %y axis 1 : tensor<128x8192xf32> -> tensor<128xf32>
  %c = tile.reduce sum %z axis 0 : tensor<16411xf32> -> f32
  "test.op"(%a, %b, %c) : (f32, tensor<128xf32>, f32) -> ()
  func.return
}
