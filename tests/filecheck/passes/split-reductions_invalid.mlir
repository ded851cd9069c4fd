// RUN: nki-opt %s -p split-reductions --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p split-reductions,place --split-input-file --verify-diagnostics | filecheck %s


func.func @integers_have_no_nan(%x: tensor<65537xi32>) {
  // CHECK: maxnum is for floats; elements are i32
  %m = tile.reduce maxnum %x axis 0 : tensor<65537xi32> -> i32
  func.return
}
