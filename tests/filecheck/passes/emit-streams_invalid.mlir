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
