// RUN: nki-opt %s -p induction --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p induction,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @a_step_of_run_time(%n: index) {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  // CHECK: a loop's step is a constant of at least 1; this loop's is known at run time only
  %end = scf.for %i = %c0 to %c8 step %n iter_args(%m = %c0) -> (index) {
    %m1 = arith.addi %m, %n : index
    scf.yield %m1 : index
  }
  "test.op"(%end) : (index) -> ()
  func.return
}
