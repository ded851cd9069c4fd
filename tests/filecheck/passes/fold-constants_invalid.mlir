// RUN: nki-opt %s -p fold-constants --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p fold-constants,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @shifted_out(%x: tensor<8xi8>) {
  %eight = arith.constant 8 : i8
  %by = tile.splat %eight : i8 -> tensor<8xi8>
  // CHECK: a shift of i8 by 8; the count must be 0..7
  %y = arith.shli %x, %by : tensor<8xi8>
  "test.op"(%y) : (tensor<8xi8>) -> ()
  func.return
}

// -----

func.func @shifted_backwards(%x: tensor<8xi32>) {
  %minus = arith.constant -1 : i32
  %by = tile.splat %minus : i32 -> tensor<8xi32>
  // CHECK: a shift of i32 by -1; the count must be 0..31
  %y = arith.shrsi %x, %by : tensor<8xi32>
  "test.op"(%y) : (tensor<8xi32>) -> ()
  func.return
}
