// RUN: nki-opt %s -p induction --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p induction,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @bounds_of_run_time(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: loop bounds must be compile-time constants, with a step of at least 1; this loop's upper bound is known at run time only
  %end = scf.for %i = %c0 to %n step %c1 iter_args(%m = %c0) -> (index) {
    %m1 = arith.addi %m, %c1 : index
    scf.yield %m1 : index
  }
  "test.op"(%end) : (index) -> ()
  func.return
}
