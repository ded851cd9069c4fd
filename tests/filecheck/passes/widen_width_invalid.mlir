// RUN: nki-opt %s -p "widen{width=0}" --verify-diagnostics | filecheck %s


// CHECK: widen: width must be at least 1, got 0
func.func @nothing() {
  func.return
}
