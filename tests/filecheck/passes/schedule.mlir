// RUN: nki-opt %s -p schedule | filecheck %s
// RUN: nki-opt %s -p schedule --print-op-generic | nki-opt | filecheck %s

!view = !neuron.engine.view<sbuf[0:128], [1 x 1024], f32>
!short = !neuron.engine.view<sbuf[0:128], [1 x 256], f32>
!there = !neuron.engine.view<hbm, [256 x 128, 1 x 256], f32>
!row = !neuron.engine.buffer<sbuf, 128 x 1024>
!buffer = !neuron.engine.buffer<sbuf, 128 x 20480>
!small = !neuron.engine.buffer<sbuf, 128 x 4096>
!large = !neuron.engine.buffer<sbuf, 128 x 80000>

// The first thing of a second chain does not wait for the first chain's end. Buffers go with what first needs them.
// CHECK-LABEL: func.func @two_chains
// CHECK: scf.for
// CHECK: neuron.engine.alloc "x1"
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.alloc "x2"
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.alloc "y1"
// CHECK: neuron.engine.activation scalar op exp
// CHECK: neuron.engine.alloc "z1"
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
func.func @two_chains() {
  %c1 = arith.constant 2.0 : f32
  %c2 = arith.constant 4.0 : f32
  %in = neuron.engine.alloc "in" : !neuron.engine.buffer<sbuf, 128 x 4096>
  %x = neuron.engine.view %in : !neuron.engine.buffer<sbuf, 128 x 4096> -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %x : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b10 = neuron.engine.alloc "x1" : !buffer
    %v10 = neuron.engine.view %b10 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %v10 : !view data %x : !view operand0 %c1 : f32
    %b11 = neuron.engine.alloc "y1" : !buffer
    %v11 = neuron.engine.view %b11 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %v11 : !view data %v10 : !view
    %b12 = neuron.engine.alloc "z1" : !buffer
    %v12 = neuron.engine.view %b12 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %v12 : !view data %v11 : !view operand0 %c1 : f32
    %b20 = neuron.engine.alloc "x2" : !buffer
    %v20 = neuron.engine.view %b20 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %v20 : !view data %x : !view operand0 %c2 : f32
    %b21 = neuron.engine.alloc "y2" : !buffer
    %v21 = neuron.engine.view %b21 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %v21 : !view data %v20 : !view
    %b22 = neuron.engine.alloc "z2" : !buffer
    %v22 = neuron.engine.view %b22 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %v22 : !view data %v21 : !view operand0 %c2 : f32
  }
  func.return
}

// A load and a store take most of the time of an iteration, but not of many.
// CHECK-LABEL: func.func @in_the_end
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
func.func @in_the_end(%x: memref<262144xf32>, %y: memref<262144xf32>) {
  %c1 = arith.constant 2.0 : f32
  %c2 = arith.constant 4.0 : f32
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  %size = arith.constant 32768 : index
  scf.for %i = %from to %to step %step {
    %b0 = neuron.engine.alloc "in" : !row
    %v0 = neuron.engine.view %b0 : !row -> !short
    %at = arith.muli %i, %size : index
    %there = neuron.engine.view %x at %at : memref<262144xf32> -> !there
    neuron.engine.dma_copy sync queue 0 dst %v0 : !short src %there : !there
    %b10 = neuron.engine.alloc "x1" : !buffer
    %v10 = neuron.engine.view %b10 : !buffer -> !short
    neuron.engine.tensor_scalar vector op0 add dst %v10 : !short data %v0 : !short operand0 %c1 : f32
    %b11 = neuron.engine.alloc "y1" : !buffer
    %v11 = neuron.engine.view %b11 : !buffer -> !short
    neuron.engine.activation scalar op exp dst %v11 : !short data %v10 : !short
    %b12 = neuron.engine.alloc "z1" : !buffer
    %v12 = neuron.engine.view %b12 : !buffer -> !short
    neuron.engine.tensor_scalar vector op0 multiply dst %v12 : !short data %v11 : !short operand0 %c1 : f32
    %b20 = neuron.engine.alloc "x2" : !buffer
    %v20 = neuron.engine.view %b20 : !buffer -> !short
    neuron.engine.tensor_scalar vector op0 add dst %v20 : !short data %v0 : !short operand0 %c2 : f32
    %b21 = neuron.engine.alloc "y2" : !buffer
    %v21 = neuron.engine.view %b21 : !buffer -> !short
    neuron.engine.activation scalar op exp dst %v21 : !short data %v20 : !short
    %b22 = neuron.engine.alloc "z2" : !row
    %v22 = neuron.engine.view %b22 : !row -> !short
    neuron.engine.tensor_tensor vector op add dst %v22 : !short data1 %v21 : !short data2 %v12 : !short
    %back = neuron.engine.view %y at %at : memref<262144xf32> -> !there
    neuron.engine.dma_copy gpsimd queue 0 dst %back : !there src %v22 : !short
  }
  func.return
}

// Of a loop in another one, what comes in front may be done meanwhile.
// CHECK-LABEL: func.func @in_a_loop
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.tensor_scalar vector op0 add
func.func @in_a_loop(%x: memref<262144xf32>, %y: memref<262144xf32>) {
  %c1 = arith.constant 2.0 : f32
  %c2 = arith.constant 4.0 : f32
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  %size = arith.constant 32768 : index
  scf.for %j = %from to %to step %step {
    scf.for %i = %from to %to step %step {
      %b0 = neuron.engine.alloc "in" : !row
      %v0 = neuron.engine.view %b0 : !row -> !short
      %at = arith.muli %i, %size : index
      %there = neuron.engine.view %x at %at : memref<262144xf32> -> !there
      neuron.engine.dma_copy sync queue 0 dst %v0 : !short src %there : !there
      %b10 = neuron.engine.alloc "x1" : !buffer
      %v10 = neuron.engine.view %b10 : !buffer -> !short
      neuron.engine.tensor_scalar vector op0 add dst %v10 : !short data %v0 : !short operand0 %c1 : f32
      %b11 = neuron.engine.alloc "y1" : !buffer
      %v11 = neuron.engine.view %b11 : !buffer -> !short
      neuron.engine.activation scalar op exp dst %v11 : !short data %v10 : !short
      %b12 = neuron.engine.alloc "z1" : !buffer
      %v12 = neuron.engine.view %b12 : !buffer -> !short
      neuron.engine.tensor_scalar vector op0 multiply dst %v12 : !short data %v11 : !short operand0 %c1 : f32
      %b20 = neuron.engine.alloc "x2" : !buffer
      %v20 = neuron.engine.view %b20 : !buffer -> !short
      neuron.engine.tensor_scalar vector op0 add dst %v20 : !short data %v0 : !short operand0 %c2 : f32
      %b21 = neuron.engine.alloc "y2" : !buffer
      %v21 = neuron.engine.view %b21 : !buffer -> !short
      neuron.engine.activation scalar op exp dst %v21 : !short data %v20 : !short
      %b22 = neuron.engine.alloc "z2" : !row
      %v22 = neuron.engine.view %b22 : !row -> !short
      neuron.engine.tensor_tensor vector op add dst %v22 : !short data1 %v21 : !short data2 %v12 : !short
      %back = neuron.engine.view %y at %at : memref<262144xf32> -> !there
      neuron.engine.dma_copy gpsimd queue 0 dst %back : !there src %v22 : !short
    }
  }
  func.return
}

// There is room for two iterations at once.
// CHECK-LABEL: func.func @iterations_overlap
// CHECK: neuron.engine.activation scalar
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.tensor_scalar vector op0 add
func.func @iterations_overlap() {
  %c1 = arith.constant 2.0 : f32
  %c2 = arith.constant 4.0 : f32
  %in = neuron.engine.alloc "in" : !neuron.engine.buffer<sbuf, 128 x 4096>
  %x = neuron.engine.view %in : !neuron.engine.buffer<sbuf, 128 x 4096> -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %x : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b10 = neuron.engine.alloc "x1" : !small
    %v10 = neuron.engine.view %b10 : !small -> !view
    neuron.engine.tensor_scalar vector op0 add dst %v10 : !view data %x : !view operand0 %c1 : f32
    %b11 = neuron.engine.alloc "y1" : !small
    %v11 = neuron.engine.view %b11 : !small -> !view
    neuron.engine.activation scalar op exp dst %v11 : !view data %v10 : !view
    %b12 = neuron.engine.alloc "z1" : !small
    %v12 = neuron.engine.view %b12 : !small -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %v12 : !view data %v11 : !view operand0 %c1 : f32
    %b20 = neuron.engine.alloc "x2" : !small
    %v20 = neuron.engine.view %b20 : !small -> !view
    neuron.engine.tensor_scalar vector op0 add dst %v20 : !view data %x : !view operand0 %c2 : f32
    %b21 = neuron.engine.alloc "y2" : !small
    %v21 = neuron.engine.view %b21 : !small -> !view
    neuron.engine.activation scalar op exp dst %v21 : !view data %v20 : !view
    %b22 = neuron.engine.alloc "z2" : !small
    %v22 = neuron.engine.view %b22 : !small -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %v22 : !view data %v21 : !view operand0 %c2 : f32
  }
  func.return
}

// The second chain begins with what the first one ends with.
// CHECK-LABEL: func.func @one_chain
// CHECK: neuron.engine.activation scalar
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.tensor_scalar vector op0 add
func.func @one_chain() {
  %c1 = arith.constant 2.0 : f32
  %c2 = arith.constant 4.0 : f32
  %in = neuron.engine.alloc "in" : !neuron.engine.buffer<sbuf, 128 x 4096>
  %x = neuron.engine.view %in : !neuron.engine.buffer<sbuf, 128 x 4096> -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %x : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b10 = neuron.engine.alloc "x1" : !buffer
    %v10 = neuron.engine.view %b10 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %v10 : !view data %x : !view operand0 %c1 : f32
    %b11 = neuron.engine.alloc "y1" : !buffer
    %v11 = neuron.engine.view %b11 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %v11 : !view data %v10 : !view
    %b12 = neuron.engine.alloc "z1" : !buffer
    %v12 = neuron.engine.view %b12 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %v12 : !view data %v11 : !view operand0 %c1 : f32
    %b20 = neuron.engine.alloc "x2" : !buffer
    %v20 = neuron.engine.view %b20 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %v20 : !view data %v12 : !view operand0 %c2 : f32
    %b21 = neuron.engine.alloc "y2" : !buffer
    %v21 = neuron.engine.view %b21 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %v21 : !view data %v20 : !view
    %b22 = neuron.engine.alloc "z2" : !buffer
    %v22 = neuron.engine.view %b22 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %v22 : !view data %v21 : !view operand0 %c2 : f32
  }
  func.return
}

// The second chain overwrites what the first one reads: its first result may come before the first one's last, but not
// before the function that reads what was there.
// CHECK-LABEL: func.func @written_again
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.activation scalar
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
func.func @written_again() {
  %c1 = arith.constant 2.0 : f32
  %c2 = arith.constant 4.0 : f32
  %in = neuron.engine.alloc "in" : !neuron.engine.buffer<sbuf, 128 x 4096>
  %x = neuron.engine.view %in : !neuron.engine.buffer<sbuf, 128 x 4096> -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %x : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b10 = neuron.engine.alloc "x1" : !buffer
    %v10 = neuron.engine.view %b10 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %v10 : !view data %x : !view operand0 %c1 : f32
    %b11 = neuron.engine.alloc "y1" : !buffer
    %v11 = neuron.engine.view %b11 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %v11 : !view data %v10 : !view
    %b12 = neuron.engine.alloc "z1" : !buffer
    %v12 = neuron.engine.view %b12 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %v12 : !view data %v11 : !view operand0 %c1 : f32
    neuron.engine.tensor_scalar vector op0 add dst %v10 : !view data %x : !view operand0 %c2 : f32
    %b21 = neuron.engine.alloc "y2" : !buffer
    %v21 = neuron.engine.view %b21 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %v21 : !view data %v10 : !view
    %b22 = neuron.engine.alloc "z2" : !buffer
    %v22 = neuron.engine.view %b22 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %v22 : !view data %v21 : !view operand0 %c2 : f32
  }
  func.return
}

// No room for what both chains have at once.
// CHECK-LABEL: func.func @no_room
// CHECK: neuron.engine.activation scalar
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.tensor_scalar vector op0 add
func.func @no_room() {
  %c1 = arith.constant 2.0 : f32
  %c2 = arith.constant 4.0 : f32
  %in = neuron.engine.alloc "in" : !neuron.engine.buffer<sbuf, 128 x 4096>
  %x = neuron.engine.view %in : !neuron.engine.buffer<sbuf, 128 x 4096> -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %x : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b10 = neuron.engine.alloc "x1" : !large
    %v10 = neuron.engine.view %b10 : !large -> !view
    neuron.engine.tensor_scalar vector op0 add dst %v10 : !view data %x : !view operand0 %c1 : f32
    %b11 = neuron.engine.alloc "y1" : !large
    %v11 = neuron.engine.view %b11 : !large -> !view
    neuron.engine.activation scalar op exp dst %v11 : !view data %v10 : !view
    %b12 = neuron.engine.alloc "z1" : !large
    %v12 = neuron.engine.view %b12 : !large -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %v12 : !view data %v11 : !view operand0 %c1 : f32
    %b20 = neuron.engine.alloc "x2" : !large
    %v20 = neuron.engine.view %b20 : !large -> !view
    neuron.engine.tensor_scalar vector op0 add dst %v20 : !view data %x : !view operand0 %c2 : f32
    %b21 = neuron.engine.alloc "y2" : !large
    %v21 = neuron.engine.view %b21 : !large -> !view
    neuron.engine.activation scalar op exp dst %v21 : !view data %v20 : !view
    %b22 = neuron.engine.alloc "z2" : !large
    %v22 = neuron.engine.view %b22 : !large -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %v22 : !view data %v21 : !view operand0 %c2 : f32
  }
  func.return
}

// What is no instruction is passed by nothing.
// CHECK-LABEL: func.func @a_barrier
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: test.op
// CHECK: neuron.engine.tensor_scalar vector op0 add
func.func @a_barrier() {
  %c1 = arith.constant 2.0 : f32
  %c2 = arith.constant 4.0 : f32
  %in = neuron.engine.alloc "in" : !neuron.engine.buffer<sbuf, 128 x 4096>
  %x = neuron.engine.view %in : !neuron.engine.buffer<sbuf, 128 x 4096> -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %x : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b10 = neuron.engine.alloc "x1" : !buffer
    %v10 = neuron.engine.view %b10 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %v10 : !view data %x : !view operand0 %c1 : f32
    %b11 = neuron.engine.alloc "y1" : !buffer
    %v11 = neuron.engine.view %b11 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %v11 : !view data %v10 : !view
    %b12 = neuron.engine.alloc "z1" : !buffer
    %v12 = neuron.engine.view %b12 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %v12 : !view data %v11 : !view operand0 %c1 : f32
    "test.op"() : () -> ()
    %b20 = neuron.engine.alloc "x2" : !buffer
    %v20 = neuron.engine.view %b20 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %v20 : !view data %x : !view operand0 %c2 : f32
    %b21 = neuron.engine.alloc "y2" : !buffer
    %v21 = neuron.engine.view %b21 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %v21 : !view data %v20 : !view
    %b22 = neuron.engine.alloc "z2" : !buffer
    %v22 = neuron.engine.view %b22 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %v22 : !view data %v21 : !view operand0 %c2 : f32
  }
  func.return
}
