// RUN: nki-opt %s -p expand-accesses --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p expand-accesses,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @rows_beyond_32_bits(%x: memref<2147483648xf32>, %m: tensor<16xi1>, %v: tensor<16xf32>) {
  // CHECK: rows of a tensor of 2^31 elements or more can't be named by 32 bits
  tile.write %v to %x [d0 by 1] mask %m : tensor<16xi1> : tensor<16xf32> -> memref<2147483648xf32>
  func.return
}
