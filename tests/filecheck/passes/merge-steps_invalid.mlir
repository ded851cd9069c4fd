// RUN: nki-opt %s -p "merge-steps{width=0}" --verify-diagnostics | filecheck %s


// CHECK: merge-steps: width must be at least 1, got 0
func.func @nothing() {
  func.return
}
