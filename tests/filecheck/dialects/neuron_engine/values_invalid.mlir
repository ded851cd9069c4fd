// RUN: NKI_INVALID

!tile = !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>
!view = !neuron.engine.view<sbuf[0:128], [1 x 8], f32>

func.func @nothing_comes_out() {
  %e = neuron.engine.empty : !tile
  %v = neuron.engine.view %e : !tile -> !view
  // CHECK: memset gives the tiles that it writes to, !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>, not none
  neuron.engine.memset vector value 0.0 : f32 dst %v : !view
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>
!view = !neuron.engine.view<sbuf[0:128], [1 x 8], f32>

func.func @something_comes_of_a_buffer() {
  %b = neuron.engine.alloc : !neuron.engine.buffer<sbuf, 128 x 32>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !view
  // CHECK: memset gives the tiles that it writes to, none, not !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>
  %x = neuron.engine.memset vector value 0.0 : f32 dst %v : !view -> !tile
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>
!view = !neuron.engine.view<sbuf[0:128], [1 x 8], f32>

func.func @both_forms() {
  %b = neuron.engine.alloc : !neuron.engine.buffer<sbuf, 128 x 32>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !view
  %e = neuron.engine.empty : !tile
  %w = neuron.engine.view %e : !tile -> !view
  // CHECK: tensor_copy: one view is of a tile, another of a buffer
  neuron.engine.tensor_copy vector dst %v : !view src %w : !view
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 64x8xf32, [d0] x [d1]>

func.func @lanes() {
  %e = neuron.engine.empty : !tile
  // CHECK: the view reaches partition 127 of a tile of 64
  %v = neuron.engine.view %e : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 64x8xf32, [d0] x [d1]>

func.func @bytes() {
  %e = neuron.engine.empty : !tile
  // CHECK: the view covers bytes 0..36 of a tile of 32 per partition
  %v = neuron.engine.view %e : !tile -> !neuron.engine.view<sbuf[0:64], [1 x 9], f32>
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 64x8xf32, [d0] x [d1]>

func.func @spaces() {
  %e = neuron.engine.empty : !tile
  // CHECK: the tile is in sbuf, the view in psum
  %v = neuron.engine.view %e : !tile -> !neuron.engine.view<psum[0:64], [1 x 8], f32>
  func.return
}
