// RUN: nki-opt %s -p split-words --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p split-words,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @products(%x: memref<8xi64>) {
  %v = tile.read %x [d0 by 1] : memref<8xi64> -> tensor<8xi64>
  // CHECK: arith.muli in 64 bits is not supported: no engine has it; convert loaded int64 numbers to int32 first
  %s = arith.muli %v, %v : tensor<8xi64>
  func.return
}

// -----

func.func @truth(%x: memref<8xi64>) {
  %v = tile.read %x [d0 by 1] : memref<8xi64> -> tensor<8xi64>
  // CHECK: a conversion of i64 to i1 is not supported
  %s = tile.cast %v : tensor<8xi64> -> tensor<8xi1>
  func.return
}

// -----

func.func @from_floats(%v: tensor<8xf32>) {
  // CHECK: a conversion of f32 to i64 is not supported; convert it to int32 first
  %s = tile.cast %v : tensor<8xf32> -> tensor<8xi64>
  func.return
}

// -----

func.func @from_unsigned_words(%v: tensor<8xui32>) {
  // CHECK: a conversion of ui32 to i64 is not supported; convert it to int32 first
  %s = tile.cast %v : tensor<8xui32> -> tensor<8xi64>
  func.return
}

// -----

// CHECK: error: argument 'k' is tensor<8xi64>; a kernel's arguments are memrefs, and scalars are constants
func.func @an_argument_that_is_no_memory(%k: tensor<8xi64>, %x: memref<8xi32>) {
  %n = tile.cast %k : tensor<8xi64> -> tensor<8xi32>
  tile.write %n to %x [d0 by 1] : tensor<8xi32> -> memref<8xi32>
  func.return
}
