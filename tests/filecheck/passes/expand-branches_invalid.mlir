// RUN: nki-opt %s -p expand-branches --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p expand-branches,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @chosen_pointers(%x: memref<64xf32>, %y: memref<64xf32>, %c: i1) {
  %a = tile.base %x : memref<64xf32> -> !tile.ptr<f32>
  %b = tile.base %y : memref<64xf32> -> !tile.ptr<f32>
  // CHECK: a pointer that is chosen by a condition; load from both and choose between the values
  %p = scf.if %c -> (!tile.ptr<f32>) {
    scf.yield %a : !tile.ptr<f32>
  } else {
    scf.yield %b : !tile.ptr<f32>
  }
  "test.op"(%p) : (!tile.ptr<f32>) -> ()
  func.return
}
