// RUN: nki-opt %s -p "interleave{width=0}" --verify-diagnostics | filecheck %s


// CHECK: interleave: width must be at least 1, got 0
func.func @nothing() {
  func.return
}
