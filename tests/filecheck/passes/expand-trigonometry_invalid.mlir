// RUN: nki-opt %s -p expand-trigonometry --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p expand-trigonometry,place --split-input-file --verify-diagnostics | filecheck %s


func.func @integers_have_no_sine(%x: tensor<8xi32>) {
  // CHECK: operand 'operand' at position 0 does not verify
  %y = "math.sin"(%x) : (tensor<8xi32>) -> tensor<8xi32>
  func.return
}
