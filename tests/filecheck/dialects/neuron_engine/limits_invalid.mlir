// RUN: NKI_INVALID

func.func @f(%b: !neuron.engine.buffer<sbuf, 128 x 256>) {
  %n = arith.constant 5 : index
  // CHECK: the view has dimensions 0 to 1, and no dimension 2 to limit
  %v = neuron.engine.view %b limit dim 2 %n : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
  func.return
}

// -----

// In HBM there are the dimensions of the pattern alone.
func.func @f(%x: memref<64xf32>) {
  %n = arith.constant 5 : index
  // CHECK: the view has dimensions 0 to 0, and no dimension 1 to limit
  %v = neuron.engine.view %x limit dim 1 %n : memref<64xf32> -> !neuron.engine.view<hbm, [1 x 64], f32>
  func.return
}

// -----

func.func @f(%b: !neuron.engine.buffer<sbuf, 128 x 256>) {
  %n = arith.constant 5 : index
  // CHECK: each dimension has one limit, in rising order; 0 is after 1
  %v = neuron.engine.view %b limit dim 1 %n, dim 0 %n : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
  func.return
}

// -----

func.func @f(%b: !neuron.engine.buffer<sbuf, 128 x 256>) {
  %n = arith.constant 5 : index
  // CHECK: a view with 2 limits has so many indices, or one more; got 1
  %v = "neuron.engine.view"(%b, %n) <{limited_dims = array<i64: 0, 1>}> : (!neuron.engine.buffer<sbuf, 128 x 256>, index) -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
  func.return
}

// -----

func.func @f(%b: !neuron.engine.buffer<sbuf, 128 x 256>, %n: index) {
  // CHECK: a limit is made of constants and loop counters, not of another argument
  %v = neuron.engine.view %b limit dim 1 %n : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
  func.return
}

// -----

func.func @f(%b: !neuron.engine.buffer<sbuf, 128 x 256>, %s: !neuron.engine.view<sbuf[0:1], [1 x 1], i32>) {
  %c2 = arith.constant 2 : index
  %r = neuron.engine.scalar %s : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
  %n = arith.muli %r, %c2 : index
  // CHECK: a limit is made of constants and loop counters by add, sub, mul, div, rem, min and max, not by neuron.engine.scalar
  %v = neuron.engine.view %b limit dim 1 %n : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
  func.return
}

// -----

func.func @f(%b: !neuron.engine.buffer<sbuf, 128 x 256>) {
  %n = arith.constant 5 : index
  %v = neuron.engine.view %b limit dim 1 %n : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
  %w = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
  // CHECK: tensor_copy where a limit leaves one: dst has 1 elements per partition and src 64
  neuron.engine.tensor_copy vector dst %v : !neuron.engine.view<sbuf[0:128], [1 x 64], f32> src %w : !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
  func.return
}

// -----

func.func @f(%b: !neuron.engine.buffer<sbuf, 128 x 256>) {
  %n = arith.constant 5 : index
  %v = neuron.engine.view %b limit dim 0 %n : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
  // CHECK: a scalar is read in every iteration; its view has no limits
  %s = neuron.engine.scalar %v : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
  func.return
}
