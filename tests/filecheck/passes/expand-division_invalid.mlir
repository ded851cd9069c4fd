// RUN: nki-opt %s -p expand-division --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p expand-division,tile-to-mem,mem-to-engine --split-input-file --verify-diagnostics | filecheck %s


// What the pass leaves is rejected by those that follow.
func.func @by_a_tensor(%a: memref<8xi32>) {
  %x = tile.read %a [d0 by 1] : memref<8xi32> -> tensor<8xi32>
  // CHECK: arith.divsi
  %q = arith.divsi %x, %x : tensor<8xi32>
  tile.write %q to %a [d0 by 1] : tensor<8xi32> -> memref<8xi32>
  func.return
}
