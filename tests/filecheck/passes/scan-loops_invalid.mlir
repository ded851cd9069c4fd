// RUN: nki-opt %s -p "scan-loops{width=0}" --verify-diagnostics | filecheck %s


// CHECK: scan-loops: width must be at least 1, got 0
func.func @nothing() {
  func.return
}
