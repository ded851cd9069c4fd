// RUN: nki-opt %s -p expand-accesses --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p expand-accesses,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @rows_beyond_32_bits(%x: memref<2147483648xf32>, %m: tensor<16xi1>, %v: tensor<16xf32>) {
  // CHECK: rows of a tensor of 2^31 elements or more can't be named by 32 bits
  tile.write %v to %x [d0 by 1] mask %m : tensor<16xi1> : tensor<16xf32> -> memref<2147483648xf32>
  func.return
}

// -----

func.func @remainders_of_elements(%x: memref<64xf32>, %a: tensor<16xi32>) {
  // CHECK: a remainder or a quotient of positions, or of elements of index tiles, is no coordinate; compute an index tile, or a mask
  %v = tile.read %x index(%a : tensor<16xi32>) [t0(d0) mod 8 by 1] : memref<64xf32> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}

// -----

func.func @bounds_on_wide_integers(%x: memref<64xf32>, %a: tensor<16xi64>) {
  // CHECK: a bound on integers of 64 bits that name no row; make it a mask
  %v = tile.read %x index(%a : tensor<16xi64>) [d0 by 1, t0(d0) in 0 to * by 0] : memref<64xf32> -> tensor<16xf32>
  "test.op"(%v) : (tensor<16xf32>) -> ()
  func.return
}
