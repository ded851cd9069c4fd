// RUN: nki-opt %s -p multi-buffer{depth=0} --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p multi-buffer{depth=-1} --verify-diagnostics | filecheck %s

// CHECK: multi-buffer: depth must be at least 1
func.func @no_slots() {
  func.return
}
