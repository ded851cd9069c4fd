// RUN: nki-opt %s -p expand-rounding --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p expand-rounding,place --split-input-file --verify-diagnostics | filecheck %s


func.func @integers_are_whole(%x: tensor<8xi32>) {
  // CHECK: operand 'operand' at position 0 does not verify
  %y = "math.floor"(%x) : (tensor<8xi32>) -> tensor<8xi32>
  func.return
}
