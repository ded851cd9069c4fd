// RUN: nki-opt %s -p allocate --split-input-file | filecheck %s
// RUN: nki-opt %s -p allocate --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @buffers_alive_together_lie_apart_and_others_share
// CHECK: neuron.engine.alloc "a" at 0
// CHECK: neuron.engine.alloc "b" at 2048
// CHECK: neuron.engine.alloc "c" at 0
func.func @buffers_alive_together_lie_apart_and_others_share() {
  %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 128 x 2048>
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 2048>
  "test.op"(%a, %b) : (!neuron.engine.buffer<sbuf, 128 x 2048>, !neuron.engine.buffer<sbuf, 128 x 2048>) -> ()
  %c = neuron.engine.alloc "c" : !neuron.engine.buffer<sbuf, 128 x 2048>
  "test.op"(%c) : (!neuron.engine.buffer<sbuf, 128 x 2048>) -> ()
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
// CHECK: neuron.engine.alloc "b" at 0
func.func @leaves_alone_an_address_that_is_given() {
  %a = neuron.engine.alloc "a" at 4096 : !neuron.engine.buffer<sbuf, 128 x 2048>
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 2048>
  "test.op"(%a, %b) : (!neuron.engine.buffer<sbuf, 128 x 2048>, !neuron.engine.buffer<sbuf, 128 x 2048>) -> ()
  func.return
}
