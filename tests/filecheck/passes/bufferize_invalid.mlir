// RUN: nki-opt %s -p bufferize --split-input-file --verify-diagnostics | filecheck %s

!sum = !neuron.mem.tile<psum, 128x8xf32, [d0] x [d1]>
!in = !neuron.mem.tile<sbuf, 128x8xbf16, [d0] x [d1]>
!weights = !neuron.mem.tile<sbuf, 128x128xbf16, [d0] x [d1]>
!p = !neuron.engine.view<psum[0:128], [1 x 8], f32>
!m = !neuron.engine.view<sbuf[0:128], [1 x 8], bf16>
!w = !neuron.engine.view<sbuf[0:128], [1 x 128], bf16>

func.func @a_sum_that_two_add_to(%sw: !w, %sm: !m) {
  %c1 = arith.constant 1 : index
  %e = neuron.engine.empty : !sum
  %v0 = neuron.engine.view %e : !sum -> !p
  %x0 = neuron.engine.nc_matmul tensor dst %v0 : !p stationary %sw : !w moving %sm : !m -> !sum
  %v1 = neuron.engine.view %x0 : !sum -> !p
  // CHECK: the sum in psum that this adds to has another use; it is written in place
  %x1 = neuron.engine.nc_matmul tensor accumulate %c1 dst %v1 : !p stationary %sw : !w moving %sm : !m -> !sum
  %x2 = neuron.engine.nc_matmul tensor accumulate %c1 dst %v1 : !p stationary %sw : !w moving %sm : !m -> !sum
  func.return
}

// -----

!sum = !neuron.mem.tile<psum, 128x8xf32, [d0] x [d1]>

func.func @sums_that_change_places() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %e = neuron.engine.empty : !sum
  %f = neuron.engine.empty : !sum
  %r:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%p = %e, %q = %f) -> (!sum, !sum) {
    // CHECK: a loop that carries sums in psum must add to each of them in place
    scf.yield %q, %p : !sum, !sum
  }
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>

func.func @a_carried_number() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %e = neuron.engine.empty : !tile
  // CHECK: scf.for of neuron.engine carries tiles, not index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%n = %c0) -> (index) {
    scf.yield %n : index
  }
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>

func.func @a_yielded_number(%c: i1) {
  %c0 = arith.constant 0 : index
  %e = neuron.engine.empty : !tile
  // CHECK: scf.if of neuron.engine yields tiles, not index
  %r = scf.if %c -> (index) {
    scf.yield %c0 : index
  } else {
    scf.yield %c0 : index
  }
  func.return
}

// -----

// CHECK: argument 't' is !neuron.mem.tile<sbuf, 8xf32, [d0] x []>; a kernel's arguments are memrefs, and scalars are constants
func.func @a_tile_as_argument(%t: !neuron.mem.tile<sbuf, 8xf32, [d0] x []>) {
  %v = neuron.engine.view %t : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> !neuron.engine.view<sbuf[0:8], [1 x 1], f32>
  func.return
}

// -----

func.func @what_is_unknown() {
  %t = neuron.engine.empty : !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  // CHECK: test.op is not an operation of neuron.engine; it can't use or make a tile
  "test.op"(%t) : (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>) -> ()
  func.return
}
