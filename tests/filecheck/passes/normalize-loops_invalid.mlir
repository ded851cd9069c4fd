// RUN: nki-opt %s -p normalize-loops --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p normalize-loops,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @run_time_bound(%n: index) {
  %low = arith.constant 0 : index
  %step = arith.constant 1 : index
  // CHECK: loop bounds must be compile-time constants
  scf.for %k = %low to %n step %step {
    "test.op"(%k) : (index) -> ()
  }
  func.return
}

// -----

func.func @while_loop(%c: i1) {
  // CHECK: loops with a run-time condition (while) are not supported
  "scf.while"() ({
    scf.condition(%c)
  }, {
    scf.yield
  }) : () -> ()
  func.return
}
