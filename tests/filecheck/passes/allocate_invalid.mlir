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

// -----

// Of what is alive, only what lies on the same partitions takes room.
func.func @with_partitions() {
  // CHECK: sbuf is full: buffer 'b' on partitions 32..63 needs 100000 bytes on each partition; with what is alive then, the kernel needs 200000, and sbuf has 180224
  // CHECK-NEXT: 100000 bytes 'b' on partitions 32..63
  // CHECK-NEXT: 100000 bytes 'a' on partitions 32..63
  // CHECK-NEXT: use blocks that need 19776 bytes less on each partition
  %a = neuron.engine.alloc "a" from 32 : !neuron.engine.buffer<sbuf, 32 x 100000>
  %b = neuron.engine.alloc "b" from 32 : !neuron.engine.buffer<sbuf, 32 x 100000>
  %c = neuron.engine.alloc "c" from 64 : !neuron.engine.buffer<sbuf, 32 x 100000>
  "test.op"(%a, %b, %c) : (!neuron.engine.buffer<sbuf, 32 x 100000>, !neuron.engine.buffer<sbuf, 32 x 100000>, !neuron.engine.buffer<sbuf, 32 x 100000>) -> ()
  func.return
}

// -----

// An operation that is no instruction may ask for the partitions that there are.
func.func @users_that_can_not_move() {
  // CHECK: sbuf is full: buffer 'b' needs 100000 bytes on each partition; with what is alive then, the kernel needs 200000, and sbuf has 180224
  %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 32 x 100000>
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 32 x 100000>
  "test.op"(%a, %b) : (!neuron.engine.buffer<sbuf, 32 x 100000>, !neuron.engine.buffer<sbuf, 32 x 100000>) -> ()
  func.return
}

// -----

// What the Vector engine reduces into stays in its registers, one for each partition.
func.func @registers_of_partitions(%x: !neuron.engine.view<sbuf[0:32], [1 x 8], f32>) {
  // CHECK: sbuf is full: buffer 'b' needs 100000 bytes
  %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 32 x 100000>
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 32 x 100000>
  %va = neuron.engine.view %a : !neuron.engine.buffer<sbuf, 32 x 100000> -> !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
  %vb = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 32 x 100000> -> !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
  neuron.engine.match_value_load vector src %va : !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
  neuron.engine.match_value_load vector src %vb : !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
  neuron.engine.match_value_load vector src %va : !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
  func.return
}
