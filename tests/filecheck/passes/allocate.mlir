// RUN: nki-opt %s -p allocate --split-input-file | filecheck %s
// RUN: nki-opt %s -p allocate --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// Where there is room, nothing shares bytes.
// CHECK-LABEL: func.func @buffers_lie_apart
// CHECK: neuron.engine.alloc "a" at 0
// CHECK: neuron.engine.alloc "b" at 2048
func.func @buffers_lie_apart() {
  %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 128 x 2048>
  "test.op"(%a) : (!neuron.engine.buffer<sbuf, 128 x 2048>) -> ()
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 2048>
  "test.op"(%b) : (!neuron.engine.buffer<sbuf, 128 x 2048>) -> ()
  func.return
}

// CHECK-LABEL: func.func @buffers_alive_together_lie_apart_and_others_share
// CHECK: neuron.engine.alloc "a" at 0
// CHECK: neuron.engine.alloc "b" at 80000
// CHECK: neuron.engine.alloc "c" at 0
func.func @buffers_alive_together_lie_apart_and_others_share() {
  %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 128 x 80000>
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 80000>
  "test.op"(%a, %b) : (!neuron.engine.buffer<sbuf, 128 x 80000>, !neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
  %c = neuron.engine.alloc "c" : !neuron.engine.buffer<sbuf, 128 x 80000>
  "test.op"(%c) : (!neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
  func.return
}

// Bytes are used again as late as may be: the third of the large ones lies where the first was, not the second.
// CHECK-LABEL: func.func @as_late_as_may_be
// CHECK: neuron.engine.alloc "a" at 0
// CHECK: neuron.engine.alloc "b" at 80000
// CHECK: neuron.engine.alloc "c" at 0
// CHECK: neuron.engine.alloc "d" at 80000
func.func @as_late_as_may_be() {
  %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 128 x 80000>
  "test.op"(%a) : (!neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 80000>
  "test.op"(%b) : (!neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
  %c = neuron.engine.alloc "c" : !neuron.engine.buffer<sbuf, 128 x 80000>
  "test.op"(%c) : (!neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
  %d = neuron.engine.alloc "d" : !neuron.engine.buffer<sbuf, 128 x 80000>
  "test.op"(%d) : (!neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
  func.return
}

// CHECK-LABEL: func.func @psum_buffers_start_on_banks
// CHECK: neuron.engine.alloc "p" at 0
// CHECK: neuron.engine.alloc "q" at 2048
func.func @psum_buffers_start_on_banks() {
  %p = neuron.engine.alloc "p" : !neuron.engine.buffer<psum, 128 x 64>
  %q = neuron.engine.alloc "q" : !neuron.engine.buffer<psum, 128 x 64>
  "test.op"(%p, %q) : (!neuron.engine.buffer<psum, 128 x 64>, !neuron.engine.buffer<psum, 128 x 64>) -> ()
  func.return
}

// CHECK-LABEL: func.func @leaves_alone_an_address_that_is_given
// CHECK: neuron.engine.alloc "a" at 4096
// CHECK: neuron.engine.alloc "b" at 6144
func.func @leaves_alone_an_address_that_is_given() {
  %a = neuron.engine.alloc "a" at 4096 : !neuron.engine.buffer<sbuf, 128 x 2048>
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 2048>
  "test.op"(%a, %b) : (!neuron.engine.buffer<sbuf, 128 x 2048>, !neuron.engine.buffer<sbuf, 128 x 2048>) -> ()
  func.return
}

// A gap that is too small is left; sizes are rounded up to 32 bytes.
// CHECK-LABEL: func.func @gaps
// CHECK: neuron.engine.alloc "fixed" at 64
// CHECK: neuron.engine.alloc "long" at 96
// CHECK: neuron.engine.alloc "short" at 0
// CHECK: neuron.engine.alloc "next" at 32
func.func @gaps() {
  %a = neuron.engine.alloc "fixed" at 64 : !neuron.engine.buffer<sbuf, 128 x 20>
  %b = neuron.engine.alloc "long" : !neuron.engine.buffer<sbuf, 128 x 70>
  %c = neuron.engine.alloc "short" : !neuron.engine.buffer<sbuf, 128 x 10>
  %d = neuron.engine.alloc "next" : !neuron.engine.buffer<sbuf, 128 x 10>
  %e = neuron.engine.alloc "last" at 180192 : !neuron.engine.buffer<sbuf, 128 x 32>
  "test.op"(%a, %b, %c, %d, %e) : (!neuron.engine.buffer<sbuf, 128 x 20>, !neuron.engine.buffer<sbuf, 128 x 70>, !neuron.engine.buffer<sbuf, 128 x 10>, !neuron.engine.buffer<sbuf, 128 x 10>, !neuron.engine.buffer<sbuf, 128 x 32>) -> ()
  func.return
}

// Slots are alive in all of their loop, whatever an iteration does with them.
// CHECK-LABEL: func.func @slots_share_with_nothing_in_their_loop
// CHECK: neuron.engine.alloc "a" at 0 {depth = 2 : i64}
// CHECK: neuron.engine.alloc "b" at 128 {depth = 2 : i64}
func.func @slots_share_with_nothing_in_their_loop() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %a = neuron.engine.alloc "a" {depth = 2 : i64} : !neuron.engine.buffer<sbuf, 128 x 64>
    "test.op"(%a) : (!neuron.engine.buffer<sbuf, 128 x 64>) -> ()
    %b = neuron.engine.alloc "b" {depth = 2 : i64} : !neuron.engine.buffer<sbuf, 128 x 64>
    "test.op"(%b) : (!neuron.engine.buffer<sbuf, 128 x 64>) -> ()
  }
  func.return
}
