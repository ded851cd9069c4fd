// RUN: nki-opt %s -p allocate --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p allocate,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @sbuf_is_full() {
  // CHECK: sbuf is full: buffer 'b' needs 100000 bytes on each partition; with what is alive then, the kernel needs 200000, and sbuf has 180224
  // CHECK: use blocks that need 19776 bytes less on each partition
  %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 128 x 100000>
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 100000>
  "test.op"(%a, %b) : (!neuron.engine.buffer<sbuf, 128 x 100000>, !neuron.engine.buffer<sbuf, 128 x 100000>) -> ()
  func.return
}
