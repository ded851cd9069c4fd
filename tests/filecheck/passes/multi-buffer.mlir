// RUN: nki-opt %s -p multi-buffer{depth=2} | filecheck %s
// RUN: nki-opt %s -p multi-buffer | filecheck %s --check-prefix=FOUR
// RUN: nki-opt %s -p multi-buffer{depth=3} | filecheck %s --check-prefix=DEEP


// CHECK-LABEL: func.func @a_buffer_in_a_loop_gets_two_slots
// CHECK: neuron.engine.alloc "x" {depth = 2 : i64}
// DEEP: neuron.engine.alloc "x" {depth = 3 : i64}
// FOUR: neuron.engine.alloc "x" {depth = 4 : i64}
func.func @a_buffer_in_a_loop_gets_two_slots() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %b = neuron.engine.alloc "x" : !neuron.engine.buffer<sbuf, 128 x 2048>
    "test.op"(%b) : (!neuron.engine.buffer<sbuf, 128 x 2048>) -> ()
  }
  func.return
}

// CHECK-LABEL: func.func @the_largest_stays_single_where_slots_do_not_fit
// CHECK: neuron.engine.alloc "large" :
// CHECK: neuron.engine.alloc "small" {depth = 2 : i64}
func.func @the_largest_stays_single_where_slots_do_not_fit() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %l = neuron.engine.alloc "large" : !neuron.engine.buffer<sbuf, 128 x 160000>
    %s = neuron.engine.alloc "small" : !neuron.engine.buffer<sbuf, 128 x 1024>
    "test.op"(%l, %s) : (!neuron.engine.buffer<sbuf, 128 x 160000>, !neuron.engine.buffer<sbuf, 128 x 1024>) -> ()
  }
  func.return
}

// Four of one and of the other don't fit, three do.
// FOUR-LABEL: func.func @as_many_as_fit
// FOUR: neuron.engine.alloc "a" {depth = 3 : i64}
// FOUR: neuron.engine.alloc "b" {depth = 3 : i64}
func.func @as_many_as_fit() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 128 x 32768>
    %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 16384>
    "test.op"(%a, %b) : (!neuron.engine.buffer<sbuf, 128 x 32768>, !neuron.engine.buffer<sbuf, 128 x 16384>) -> ()
  }
  func.return
}

// CHECK-LABEL: func.func @leaves_alone_a_buffer_outside_loops
// CHECK-NOT: depth
// CHECK: func.return
func.func @leaves_alone_a_buffer_outside_loops() {
  %b = neuron.engine.alloc "x" : !neuron.engine.buffer<sbuf, 128 x 2048>
  "test.op"(%b) : (!neuron.engine.buffer<sbuf, 128 x 2048>) -> ()
  func.return
}

// CHECK-LABEL: func.func @what_is_outside_counts
// CHECK: neuron.engine.alloc "outside" :
// CHECK: neuron.engine.alloc "inside" :
func.func @what_is_outside_counts() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %o = neuron.engine.alloc "outside" : !neuron.engine.buffer<sbuf, 128 x 100000>
  scf.for %i = %c0 to %c4 step %c1 {
    %b = neuron.engine.alloc "inside" : !neuron.engine.buffer<sbuf, 128 x 50000>
    "test.op"(%o, %b) : (!neuron.engine.buffer<sbuf, 128 x 100000>, !neuron.engine.buffer<sbuf, 128 x 50000>) -> ()
  }
  func.return
}

// -----

// Buffers of a run-time loop and of a branch keep one slot; those of a loop of constant bounds inside don't.
// CHECK-LABEL: func.func @run_time
// CHECK: neuron.engine.alloc "a" : 
// CHECK: neuron.engine.alloc "b" {depth = 2 : i64} :
// CHECK: neuron.engine.alloc "c" : 
func.func @run_time(%n: index, %p: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %n step %c1 {
    %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 128 x 32>
    "test.op"(%a) : (!neuron.engine.buffer<sbuf, 128 x 32>) -> ()
    scf.for %j = %c0 to %c4 step %c1 {
      %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 32>
      "test.op"(%b) : (!neuron.engine.buffer<sbuf, 128 x 32>) -> ()
      scf.if %p {
        %c = neuron.engine.alloc "c" : !neuron.engine.buffer<sbuf, 128 x 32>
        "test.op"(%c) : (!neuron.engine.buffer<sbuf, 128 x 32>) -> ()
      }
    }
  }
  func.return
}

// -----

// A bank that is needed behind the loop takes no slot from it; one that is needed through it does.
// CHECK-LABEL: func.func @behind
// CHECK: neuron.engine.alloc "sums" {depth = 2 : i64} :
// CHECK: neuron.engine.alloc "behind" :
// CHECK-LABEL: func.func @through
// CHECK: neuron.engine.alloc "through" :
// CHECK: neuron.engine.alloc "sums" :
func.func @behind() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %s = neuron.engine.alloc "sums" : !neuron.engine.buffer<psum, 128 x 8192>
    "test.op"(%s) : (!neuron.engine.buffer<psum, 128 x 8192>) -> ()
  }
  %b = neuron.engine.alloc "behind" : !neuron.engine.buffer<psum, 128 x 2048>
  "test.op"(%b) : (!neuron.engine.buffer<psum, 128 x 2048>) -> ()
  func.return
}

func.func @through() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %b = neuron.engine.alloc "through" : !neuron.engine.buffer<psum, 128 x 2048>
  scf.for %i = %c0 to %c8 step %c1 {
    %s = neuron.engine.alloc "sums" : !neuron.engine.buffer<psum, 128 x 8192>
    "test.op"(%s) : (!neuron.engine.buffer<psum, 128 x 8192>) -> ()
  }
  "test.op"(%b) : (!neuron.engine.buffer<psum, 128 x 2048>) -> ()
  func.return
}
