// RUN: nki-opt %s -p bound-loops --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p bound-loops,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @a_start_that_varies_too_often() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c300 = arith.constant 300 : index
  scf.for %i = %c0 to %c300 step %c1 {
    // CHECK: a loop whose start varies with an outer one of more than 256 iterations is not supported
    scf.for %j = %i to %c300 step %c1 {
      "test.op"(%j) : (index) -> ()
    }
  }
  func.return
}
