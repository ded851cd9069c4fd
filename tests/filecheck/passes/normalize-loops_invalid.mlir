// RUN: nki-opt %s -p normalize-loops --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p normalize-loops,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @run_time_step(%n: index) {
  %low = arith.constant 0 : index
  // CHECK: a loop's step is a constant of at least 1; this loop's is known at run time only
  scf.for %k = %low to %low step %n {
    "test.op"(%k) : (index) -> ()
  }
  func.return
}

// -----

func.func @no_step() {
  %low = arith.constant 0 : index
  // CHECK: a loop's step is a constant of at least 1; this loop's is 0
  scf.for %k = %low to %low step %low {
    "test.op"(%k) : (index) -> ()
  }
  func.return
}

// -----

func.func @another_type() {
  %low = arith.constant 0 : i32
  %step = arith.constant 1 : i32
  // CHECK: a loop counts in index; this one counts in i32
  scf.for %k = %low to %step step %step : i32 {
    "test.op"(%k) : (i32) -> ()
  }
  func.return
}

// -----

// CHECK: function @no_body has no body
func.func private @no_body()

// -----

func.func @a_value_returned(%x: memref<8xf32>) -> index {
  %low = arith.constant 0 : index
  // CHECK: function @a_value_returned returns values; a kernel writes its results to memory
  func.return %low : index
}

// -----

neuron.isa.program @wrong_level {
  // CHECK: normalize-loops takes tile or neuron.mem or neuron.engine; this module is at neuron.isa already: nothing of its lowering is left
  neuron.isa.core 0 {
  }
}
