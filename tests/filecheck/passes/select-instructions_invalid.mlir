// RUN: nki-opt %s -p select-instructions --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p select-instructions,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @an_extent_that_is_not_constant(%x: memref<1024xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  // CHECK: a valid extent is not a constant; run peel-tails first
  %v = neuron.mem.load %x[%c0] strides [1] valid [%n] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  neuron.mem.store %v to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<1024xf32>
  func.return
}

// -----

func.func @divided_integers(%x: memref<1024xi32>) {
  %c0 = arith.constant 0 : index
  %v = neuron.mem.load %x[%c0] strides [1] : memref<1024xi32> -> !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>
  // CHECK: divide of int32 is not exact on any engine
  %m = neuron.mem.binary divide %v, %v : !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>, !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]>
  neuron.mem.store %m to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 1024xi32, [d0/8:128] x [d0:8]> -> memref<1024xi32>
  func.return
}

// -----

func.func @a_sum_with_another_use(%a: !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, %b: !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>) {
  %z = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  // CHECK: the sum takes the place of 'acc', which must have no other use
  %p = neuron.mem.matmul %a, %b acc %z : !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>, !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
  %m = neuron.mem.convert %z by copy : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>
  "test.op"(%p, %m) : (!neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 64x16xf32, [d0] x [d1]>) -> ()
  func.return
}

// -----

func.func @a_tile_as_argument(%x: memref<8xf32>, %t: !neuron.mem.tile<sbuf, 8xf32, [d0] x []>) {
  // CHECK: error: argument 't' is !neuron.mem.tile<sbuf, 8xf32, [d0] x []>; a kernel's arguments are memrefs, and scalars are constants
  %c0 = arith.constant 0 : index
  neuron.mem.store %t to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<8xf32>
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
  %v = neuron.mem.load %x[%c0] strides [1] : memref<8xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
  // CHECK: error: test.op is not an operation of neuron.mem; it has no instruction
  "test.op"(%v) : (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>) -> ()
  func.return
}

// -----

func.func @a_tile_made_by_no_operation_of_the_level(%x: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  // CHECK: error: test.op is not an operation of neuron.mem; it has no instruction
  %v = "test.op"() : () -> (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>)
  neuron.mem.store %v to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<8xf32>
  func.return
}

// -----

func.func @a_branch(%x: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %true = arith.constant true
  // CHECK: error: scf.if is not an operation of neuron.mem; it has no instruction
  scf.if %true {
    %v = neuron.mem.load %x[%c0] strides [1] : memref<8xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x[%c0] strides [1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<8xf32>
  }
  func.return
}
