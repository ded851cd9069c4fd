// RUN: NKI_ROUNDTRIP

// CHECK-LABEL: func.func @places
func.func @places() {
  // CHECK: neuron.engine.alloc : !neuron.engine.buffer<sbuf, 128 x 64>
  %a = neuron.engine.alloc : !neuron.engine.buffer<sbuf, 128 x 64>
  // CHECK: neuron.engine.alloc "b" at 4096 from 32 : !neuron.engine.buffer<sbuf, 32 x 64>
  %b = neuron.engine.alloc "b" at 4096 from 32 : !neuron.engine.buffer<sbuf, 32 x 64>
  // CHECK: neuron.engine.alloc "c" from 64 stride 96 {depth = 3 : i64} : !neuron.engine.buffer<sbuf, 64 x 64>
  %c = neuron.engine.alloc "c" from 64 stride 96 {depth = 3 : i64} : !neuron.engine.buffer<sbuf, 64 x 64>
  // CHECK: neuron.engine.alloc {depth = 2 : i64} : !neuron.engine.buffer<sbuf, 128 x 64>
  %d = neuron.engine.alloc {depth = 2 : i64} : !neuron.engine.buffer<sbuf, 128 x 64>
  func.return
}

// Partitions of views of buffers are the machine's.
// CHECK-LABEL: func.func @views
func.func @views() {
  // CHECK: %[[B:.*]] = neuron.engine.alloc "b" from 96
  %b = neuron.engine.alloc "b" from 96 : !neuron.engine.buffer<sbuf, 32 x 64>
  // CHECK: neuron.engine.view %[[B]] : !neuron.engine.buffer<sbuf, 32 x 64> -> !neuron.engine.view<sbuf[96:128], [1 x 16], f32>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 32 x 64> -> !neuron.engine.view<sbuf[96:128], [1 x 16], f32>
  // CHECK: neuron.engine.view %[[B]] : !neuron.engine.buffer<sbuf, 32 x 64> -> !neuron.engine.view<sbuf[100:101], [1 x 16], f32>
  %w = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 32 x 64> -> !neuron.engine.view<sbuf[100:101], [1 x 16], f32>
  func.return
}

// The last of three slots of 64 bytes, 80 apart, ends with the memory.
// CHECK-LABEL: func.func @at_the_end
func.func @at_the_end() {
  // CHECK: neuron.engine.alloc at 196384 stride 80 {depth = 3 : i64}
  %b = neuron.engine.alloc at 196384 stride 80 {depth = 3 : i64} : !neuron.engine.buffer<sbuf, 128 x 64>
  func.return
}
