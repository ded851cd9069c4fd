// RUN: nki-opt %s -p emit-streams --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p emit-streams,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @no_address() attributes {tile.arg_names = []} {
  // CHECK: a buffer has no address; run allocate first
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 32>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

func.func @wrong_level(%x: memref<1024xf32>) attributes {tile.arg_names = ["x"]} {
  // CHECK: emit-streams takes neuron.engine; this module is at neuron.mem: run mem-to-engine first
  %v = neuron.mem.load %x [d0 by 1] : memref<1024xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  func.return
}

// -----

func.func @an_index_as_argument(%x: memref<8xf32>, %n: index) {
  // CHECK: error: argument 'n' is index; a kernel's arguments are memrefs
  %b = neuron.engine.alloc "b" at 0 : !neuron.engine.buffer<sbuf, 128 x 32>
  func.return
}

// -----

func.func @no_instruction(%x: memref<8xf32>) {
  // CHECK: error: func.call is not an operation of neuron.engine that a stream can hold
  func.call @no_instruction(%x) : (memref<8xf32>) -> ()
  func.return
}

// -----

func.func @a_scalar_of_no_view(%v: !neuron.engine.view<sbuf[0:1], [1 x 1], i32>) {
  %b = neuron.engine.alloc "b" at 64 : !neuron.engine.buffer<sbuf, 128 x 32>
  %w = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  %c0 = arith.constant 0 : index
  // CHECK: a scalar names a view of an allocation or of an argument of the kernel
  %n = neuron.engine.scalar %v : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
  scf.for %i = %c0 to %n step %n {
    neuron.engine.memset vector value 0.0 : f32 dst %w : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  }
  func.return
}

// -----

func.func @static_descriptors(%x: memref<8192xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %b = neuron.engine.alloc "b" at 64 : !neuron.engine.buffer<sbuf, 128 x 32>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  %nb = neuron.engine.alloc "n" at 0 : !neuron.engine.buffer<sbuf, 1 x 4>
  %nv = neuron.engine.view %nb : !neuron.engine.buffer<sbuf, 1 x 4> -> !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
  %n = neuron.engine.scalar %nv : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>

  %h = neuron.engine.view %x at %n : memref<8192xf32> -> !neuron.engine.view<hbm, [1 x 1024], f32>
  // CHECK: an address of this transfer is known at run time only; it takes dge_mode "swdge" on gpsimd
  neuron.engine.dma_copy sync queue 0 dst %h : !neuron.engine.view<hbm, [1 x 1024], f32> src %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

func.func @a_carried_value() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %b = neuron.engine.alloc "b" at 64 : !neuron.engine.buffer<sbuf, 128 x 32>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  %nb = neuron.engine.alloc "n" at 0 : !neuron.engine.buffer<sbuf, 1 x 4>
  %nv = neuron.engine.view %nb : !neuron.engine.buffer<sbuf, 1 x 4> -> !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
  %n = neuron.engine.scalar %nv : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>

  // CHECK: scf.for of neuron.engine carries no values
  %s = scf.for %i = %c0 to %n step %c1 iter_args(%k = %c0) -> (index) {
    neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    scf.yield %k : index
  }
  func.return
}

// -----

func.func @a_limit_of_a_run_time_loop() attributes {tile.arg_names = []} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %nb = neuron.engine.alloc "n" at 0 : !neuron.engine.buffer<sbuf, 1 x 4>
  %nv = neuron.engine.view %nb : !neuron.engine.buffer<sbuf, 1 x 4> -> !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
  %k = neuron.engine.scalar %nv : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
  %b = neuron.engine.alloc "b" at 64 : !neuron.engine.buffer<sbuf, 32 x 32>
  scf.for %i = %c0 to %k step %c1 {
    // CHECK: the limit of dimension 1 depends on more than loops with constant bounds
    %v = neuron.engine.view %b limit dim 1 %i : !neuron.engine.buffer<sbuf, 32 x 32> -> !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
    neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
  }
  func.return
}

// -----

func.func @too_many_copies() attributes {tile.arg_names = []} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %c10000 = arith.constant 10000 : index
  %b = neuron.engine.alloc "b" at 64 : !neuron.engine.buffer<sbuf, 32 x 32>
  // CHECK: limits that change with the loop counters need more than 4096 copies of an instruction
  scf.for %i = %c0 to %c10000 step %c1 {
    %n = arith.remsi %i, %c7 : index
    %v = neuron.engine.view %b limit dim 1 %n : !neuron.engine.buffer<sbuf, 32 x 32> -> !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
    neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
  }
  func.return
}

// -----

// CHECK: argument 'arg0' is memref<8x?xf32>; its shape must be known
func.func @a_shape_of_run_time(%c: memref<8x?xf32>) {
  func.return
}

// -----

// CHECK: argument 'arg0' is memref<8xf64>; the machine has the element types float32, tfloat32,
func.func @no_such_elements(%c: memref<8xf64>) {
  func.return
}

// -----

// CHECK: argument 'arg0' is memref<8xf32, 1 : i64>; it is the whole of an array in HBM, row by row, without layout or memory space
func.func @a_memory_space(%c: memref<8xf32, 1 : i64>) {
  func.return
}

// -----

func.func @a_view_of_one_of_two() {
  %t = arith.constant true
  %a = neuron.engine.alloc "a" at 0 : !neuron.engine.buffer<sbuf, 128 x 32>
  %b = neuron.engine.alloc "b" at 64 : !neuron.engine.buffer<sbuf, 128 x 32>
  %s = arith.select %t, %a, %b : !neuron.engine.buffer<sbuf, 128 x 32>
  // CHECK: a view names an argument of the kernel or an allocation
  %v = neuron.engine.view %s : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

func.func @a_place_that_an_argument_says(%x: memref<1024xf32>, %k: index) {
  %b = neuron.engine.alloc "b" at 64 : !neuron.engine.buffer<sbuf, 128 x 32>
  %w = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:8], [1 x 8], f32>
  // CHECK: this depends on an argument that is no memory; a scalar is a constant, or comes from memory
  %v = neuron.engine.view %x at %k : memref<1024xf32> -> !neuron.engine.view<hbm, [8 x 8, 1 x 8], f32>
  neuron.engine.dma_copy sync queue 0 dst %v : !neuron.engine.view<hbm, [8 x 8, 1 x 8], f32> src %w : !neuron.engine.view<sbuf[0:8], [1 x 8], f32>
  func.return
}
