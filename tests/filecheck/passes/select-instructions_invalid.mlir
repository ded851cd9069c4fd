// RUN: nki-opt %s -p select-instructions --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p select-instructions,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @an_extent_that_is_not_constant(%x: memref<1024xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  // CHECK: a valid extent is not a constant; run peel-tails first
  %v = neuron.mem.load %x[%c0] strides [1] valid [%n] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
  neuron.mem.store %v to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> memref<1024xf32>
  func.return
}

// -----

func.func @inexact_integers(%x: memref<1024xi32>) {
  %c0 = arith.constant 0 : index
  %v = neuron.mem.load %x[%c0] strides [1] : memref<1024xi32> -> !neuron.mem.tile<sbuf, 128 x [8] x i32, dim 0 of [1024]>
  // CHECK: maximum of 32-bit integers is not exact on any engine
  %m = neuron.mem.binary maximum %v, %v : !neuron.mem.tile<sbuf, 128 x [8] x i32, dim 0 of [1024]>, !neuron.mem.tile<sbuf, 128 x [8] x i32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x i32, dim 0 of [1024]>
  neuron.mem.store %m to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 128 x [8] x i32, dim 0 of [1024]> -> memref<1024xi32>
  func.return
}

// -----

func.func @a_sum_with_another_use(%a: !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, %b: !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
  // CHECK: the sum takes the place of 'acc', which must have no other use
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 32 x [64] x f32, dim 1 of [64, 32]>, !neuron.mem.tile<sbuf, 32 x [16] x f32, dim 0 of [32, 16]>, !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>
  %m = neuron.mem.move %z : !neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]> -> !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>
  "test.op"(%p, %m) : (!neuron.mem.tile<psum, 64 x [16] x f32, dim 0 of [64, 16]>, !neuron.mem.tile<sbuf, 64 x [16] x f32, dim 0 of [64, 16]>) -> ()
  func.return
}

// -----

func.func @a_tile_as_argument(%x: memref<8xf32>, %t: !neuron.mem.tile<sbuf, 8 x [1] x f32, dim 0 of [8]>) {
  // CHECK: error: argument 't' is !neuron.mem.tile<sbuf, 8 x [1] x f32, dim 0 of [8]>; a kernel's arguments are memrefs, and scalars are constants
  %c0 = arith.constant 0 : index
  neuron.mem.store %t to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 8 x [1] x f32, dim 0 of [8]> -> memref<8xf32>
  func.return
}

// -----

func.func @wrong_level(%x: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  // CHECK: error: select-instructions takes neuron.mem; this module is at tile: run tile,tile-to-mem first
  %v = tile.read %x[%c0] strides [1] : memref<8xf32> -> tensor<8xf32>
  tile.write %v to %x[%c0] strides [1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// -----

func.func @a_tile_used_by_no_operation_of_the_level(%x: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %v = neuron.mem.load %x[%c0] strides [1] : memref<8xf32> -> !neuron.mem.tile<sbuf, 8 x [1] x f32, dim 0 of [8]>
  // CHECK: error: test.op is not an operation of neuron.mem; it has no instruction
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 8 x [1] x f32, dim 0 of [8]>) -> ()
  func.return
}

// -----

func.func @a_tile_made_by_no_operation_of_the_level(%x: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  // CHECK: error: test.op is not an operation of neuron.mem; it has no instruction
  %v = "test.op"() : () -> (!neuron.mem.tile<sbuf, 8 x [1] x f32, dim 0 of [8]>)
  neuron.mem.store %v to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 8 x [1] x f32, dim 0 of [8]> -> memref<8xf32>
  func.return
}

// -----

func.func @a_branch(%x: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %true = arith.constant true
  // CHECK: error: scf.if is not an operation of neuron.mem; it has no instruction
  scf.if %true {
    %v = neuron.mem.load %x[%c0] strides [1] : memref<8xf32> -> !neuron.mem.tile<sbuf, 8 x [1] x f32, dim 0 of [8]>
    neuron.mem.store %v to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 8 x [1] x f32, dim 0 of [8]> -> memref<8xf32>
  }
  func.return
}
