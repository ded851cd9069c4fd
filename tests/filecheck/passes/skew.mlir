// RUN: nki-opt %s -p skew | filecheck %s
// RUN: nki-opt %s -p skew --print-op-generic | nki-opt | filecheck %s

!view = !neuron.engine.view<sbuf[0:128], [1 x 4096], f32>
!one = !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
!buffer = !neuron.engine.buffer<sbuf, 128 x 16384>
!large = !neuron.engine.buffer<sbuf, 128 x 60000>
!sum = !neuron.engine.buffer<psum, 128 x 2048>
!sums = !neuron.engine.view<psum[0:128], [1 x 512], f32>
!row = !neuron.engine.view<sbuf[0:128], [1 x 512], bf16>
!short = !neuron.engine.view<sbuf[0:128], [1 x 128], bf16>

// Vector would wait for the exponentials of an iteration before it begins the next one. What they give has two slots.
// CHECK-LABEL: func.func @two_engines
// CHECK: [[Y:%.*]] = neuron.engine.alloc "y" : !neuron.engine.buffer<sbuf, 128 x 32768>
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.activation scalar op exp
// CHECK-NOT: neuron.engine.tensor_scalar
// CHECK: [[LESS:%.*]] = arith.constant 7 : index
// CHECK: scf.for [[I:%.*]] = %from to [[LESS]]
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: [[SLOT:%.*]] = arith.remsi [[I]], {{%.*}} : index
// CHECK: [[AT:%.*]] = arith.muli [[SLOT]], {{%.*}} : index
// CHECK-NEXT: neuron.engine.view [[Y]] at [[AT]]
// CHECK-NEXT: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: [[NEXT:%.*]] = arith.addi [[I]], {{%.*}} : index
// CHECK: [[OTHER:%.*]] = arith.remsi [[NEXT]], {{%.*}} : index
// CHECK: [[THERE:%.*]] = arith.muli [[OTHER]], {{%.*}} : index
// CHECK-NEXT: neuron.engine.view [[Y]] at [[THERE]]
// CHECK-NEXT: neuron.engine.activation scalar op exp
// CHECK: neuron.engine.activation scalar op tanh
// CHECK: }
// CHECK: neuron.engine.view [[Y]] at
// CHECK-NEXT: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.activation scalar op tanh
// CHECK-NEXT: func.return
func.func @two_engines() {
  %c = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "in" : !buffer
  %in = neuron.engine.view %b : !buffer -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %in : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b1 = neuron.engine.alloc "x" : !buffer
    %x1 = neuron.engine.view %b1 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %x1 : !view data %in : !view operand0 %c : f32
    %b2 = neuron.engine.alloc "y" : !buffer
    %y2 = neuron.engine.view %b2 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %y2 : !view data %x1 : !view
    %b3 = neuron.engine.alloc "z" : !buffer
    %z3 = neuron.engine.view %b3 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %z3 : !view data %y2 : !view operand0 %c : f32
    %b4 = neuron.engine.alloc "w" : !buffer
    %w4 = neuron.engine.view %b4 : !buffer -> !view
    neuron.engine.activation scalar op tanh dst %w4 : !view data %z3 : !view
  }
  func.return
}

// What goes on from iteration to iteration, and the second part reads, is of that part though it could come first.
// CHECK-LABEL: func.func @what_is_kept
// CHECK-NOT: subtract
// CHECK: neuron.engine.activation scalar op exp
// CHECK-NOT: subtract
// CHECK: scf.for
// CHECK: neuron.engine.tensor_scalar vector op0 subtract
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.activation scalar op tanh
// CHECK: }
// CHECK: neuron.engine.tensor_scalar vector op0 subtract
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: func.return
func.func @what_is_kept() {
  %c = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "in" : !buffer
  %in = neuron.engine.view %b : !buffer -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %in : !view
  %b0 = neuron.engine.alloc "kept" : !buffer
  %kept = neuron.engine.view %b0 : !buffer -> !one
  neuron.engine.memset vector value 1.0 : f32 dst %kept : !one
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    neuron.engine.tensor_scalar vector op0 subtract dst %kept : !one data %kept : !one operand0 %c : f32
    %b1 = neuron.engine.alloc "x" : !buffer
    %x1 = neuron.engine.view %b1 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %x1 : !view data %in : !view operand0 %c : f32
    %b2 = neuron.engine.alloc "y" : !buffer
    %y2 = neuron.engine.view %b2 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %y2 : !view data %x1 : !view
    %b3 = neuron.engine.alloc "z" : !buffer
    %z3 = neuron.engine.view %b3 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %z3 : !view data %y2 : !view operand0 %kept : !one
    %b4 = neuron.engine.alloc "w" : !buffer
    %w4 = neuron.engine.view %b4 : !buffer -> !view
    neuron.engine.activation scalar op tanh dst %w4 : !view data %z3 : !view
  }
  func.return
}

// Programs are named in front of the transfers that are theirs.
// CHECK-LABEL: func.func @programs
// CHECK: tile.begin_program {{%.*}} of [8]
// CHECK: neuron.engine.dma_copy sync
// CHECK: scf.for [[I:%.*]] =
// CHECK: [[NEXT:%.*]] = arith.addi [[I]]
// CHECK-NEXT: tile.begin_program [[NEXT]] of [8]
// CHECK: neuron.engine.dma_copy sync
// CHECK: tile.begin_program [[I]] of [8]
// CHECK: neuron.engine.dma_copy gpsimd
// CHECK: }
// CHECK: tile.begin_program {{%.*}} of [8]
// CHECK: neuron.engine.dma_copy gpsimd
func.func @programs(%x: memref<8x128x64xf32>, %out: memref<8x128x64xf32>) {
  %c = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "in" : !buffer
  %in = neuron.engine.view %b : !buffer -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %in : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    tile.begin_program %i of [8]
    %size = arith.constant 8192 : index
    %at = arith.muli %i, %size : index
    %m = neuron.engine.view %x at %at : memref<8x128x64xf32> -> !neuron.engine.view<hbm, [64 x 128, 1 x 1], f32>
    %b0 = neuron.engine.alloc "s" : !neuron.engine.buffer<sbuf, 128 x 4>
    %s0 = neuron.engine.view %b0 : !neuron.engine.buffer<sbuf, 128 x 4> -> !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
    neuron.engine.dma_copy sync queue 0 dst %s0 : !neuron.engine.view<sbuf[0:128], [1 x 1], f32> src %m : !neuron.engine.view<hbm, [64 x 128, 1 x 1], f32>
    %b1 = neuron.engine.alloc "x" : !buffer
    %x1 = neuron.engine.view %b1 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %x1 : !view data %in : !view operand0 %s0 : !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
    %b2 = neuron.engine.alloc "y" : !buffer
    %y2 = neuron.engine.view %b2 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %y2 : !view data %x1 : !view
    %b3 = neuron.engine.alloc "z" : !buffer
    %z3 = neuron.engine.view %b3 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %z3 : !view data %y2 : !view operand0 %c : f32
    %b4 = neuron.engine.alloc "w" : !buffer
    %w4 = neuron.engine.view %b4 : !buffer -> !view
    neuron.engine.activation scalar op tanh dst %w4 : !view data %z3 : !view
    %few = neuron.engine.view %b4 : !buffer -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
    %o = neuron.engine.view %out at %at : memref<8x128x64xf32> -> !neuron.engine.view<hbm, [64 x 128, 1 x 64], f32>
    neuron.engine.dma_copy gpsimd queue 0 dst %o : !neuron.engine.view<hbm, [64 x 128, 1 x 64], f32> src %few : !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
  }
  func.return
}

// Its ends would be most of it.
// CHECK-LABEL: func.func @few_iterations
// CHECK: scf.for {{.*}} to %to
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.activation scalar op exp
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.activation scalar op tanh
func.func @few_iterations() {
  %c = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "in" : !buffer
  %in = neuron.engine.view %b : !buffer -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %in : !view
  %from = arith.constant 0 : index
  %to = arith.constant 3 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b1 = neuron.engine.alloc "x" : !buffer
    %x1 = neuron.engine.view %b1 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %x1 : !view data %in : !view operand0 %c : f32
    %b2 = neuron.engine.alloc "y" : !buffer
    %y2 = neuron.engine.view %b2 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %y2 : !view data %x1 : !view
    %b3 = neuron.engine.alloc "z" : !buffer
    %z3 = neuron.engine.view %b3 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %z3 : !view data %y2 : !view operand0 %c : f32
    %b4 = neuron.engine.alloc "w" : !buffer
    %w4 = neuron.engine.view %b4 : !buffer -> !view
    neuron.engine.activation scalar op tanh dst %w4 : !view data %z3 : !view
  }
  func.return
}

// There is no room for what would be there twice.
// CHECK-LABEL: func.func @no_room
// CHECK: scf.for {{.*}} to %to
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.activation scalar op exp
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.activation scalar op tanh
func.func @no_room() {
  %c = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "in" : !buffer
  %in = neuron.engine.view %b : !buffer -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %in : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b1 = neuron.engine.alloc "x" : !large
    %x1 = neuron.engine.view %b1 : !large -> !view
    neuron.engine.tensor_scalar vector op0 add dst %x1 : !view data %in : !view operand0 %c : f32
    %b2 = neuron.engine.alloc "y" : !large
    %y2 = neuron.engine.view %b2 : !large -> !view
    neuron.engine.activation scalar op exp dst %y2 : !view data %x1 : !view
    %b3 = neuron.engine.alloc "z" : !large
    %z3 = neuron.engine.view %b3 : !large -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %z3 : !view data %y2 : !view operand0 %c : f32
    %b4 = neuron.engine.alloc "w" : !large
    %w4 = neuron.engine.view %b4 : !large -> !view
    neuron.engine.activation scalar op tanh dst %w4 : !view data %z3 : !view
  }
  func.return
}

// A tile that each iteration reads first and writes last.
// CHECK-LABEL: func.func @what_goes_on
// CHECK: scf.for {{.*}} to %to
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.activation scalar op exp
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.activation scalar op tanh
func.func @what_goes_on() {
  %c = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "in" : !buffer
  %in = neuron.engine.view %b : !buffer -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %in : !view
  %bs = neuron.engine.alloc "state" : !buffer
  %s = neuron.engine.view %bs : !buffer -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %s : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b1 = neuron.engine.alloc "x" : !buffer
    %x1 = neuron.engine.view %b1 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %x1 : !view data %s : !view operand0 %c : f32
    %b2 = neuron.engine.alloc "y" : !buffer
    %y2 = neuron.engine.view %b2 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %y2 : !view data %x1 : !view
    %b3 = neuron.engine.alloc "z" : !buffer
    %z3 = neuron.engine.view %b3 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %z3 : !view data %y2 : !view operand0 %c : f32
    %b4 = neuron.engine.alloc "w" : !buffer
    %w4 = neuron.engine.view %b4 : !buffer -> !view
    neuron.engine.activation scalar op tanh dst %s : !view data %z3 : !view
  }
  func.return
}

// A load may read what the iteration before stores.
// CHECK-LABEL: func.func @in_place
// CHECK: scf.for {{.*}} to %to
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.activation scalar op exp
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.activation scalar op tanh
func.func @in_place(%x: memref<128x4096xf32>) {
  %c = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "in" : !buffer
  %in = neuron.engine.view %b : !buffer -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %in : !view
  %m = neuron.engine.view %x : memref<128x4096xf32> -> !neuron.engine.view<hbm, [4096 x 128, 1 x 4096], f32>
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b1 = neuron.engine.alloc "x" : !buffer
    %x1 = neuron.engine.view %b1 : !buffer -> !view
    neuron.engine.dma_copy sync queue 1 dst %x1 : !view src %m : !neuron.engine.view<hbm, [4096 x 128, 1 x 4096], f32>
    neuron.engine.tensor_scalar vector op0 add dst %x1 : !view data %x1 : !view operand0 %c : f32
    %b2 = neuron.engine.alloc "y" : !buffer
    %y2 = neuron.engine.view %b2 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %y2 : !view data %x1 : !view
    %b3 = neuron.engine.alloc "z" : !buffer
    %z3 = neuron.engine.view %b3 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %z3 : !view data %y2 : !view operand0 %c : f32
    %b4 = neuron.engine.alloc "w" : !buffer
    %w4 = neuron.engine.view %b4 : !buffer -> !view
    neuron.engine.activation scalar op tanh dst %w4 : !view data %z3 : !view
    neuron.engine.dma_copy sync queue 0 dst %m : !neuron.engine.view<hbm, [4096 x 128, 1 x 4096], f32> src %w4 : !view
  }
  func.return
}

// What is less in some iterations is not known to take as long.
// CHECK-LABEL: func.func @a_limit
// CHECK: scf.for {{.*}} to %to
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.activation scalar op exp
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.activation scalar op tanh
func.func @a_limit() {
  %c = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "in" : !buffer
  %in = neuron.engine.view %b : !buffer -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %in : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b1 = neuron.engine.alloc "x" : !buffer
    %x1 = neuron.engine.view %b1 : !buffer -> !view
    %n = arith.constant 100 : index
    %left = arith.muli %i, %n : index
    %part = neuron.engine.view %b limit dim 0 %left : !buffer -> !view
    %xp = neuron.engine.view %b1 limit dim 0 %left : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %xp : !view data %part : !view operand0 %c : f32
    %b2 = neuron.engine.alloc "y" : !buffer
    %y2 = neuron.engine.view %b2 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %y2 : !view data %x1 : !view
    %b3 = neuron.engine.alloc "z" : !buffer
    %z3 = neuron.engine.view %b3 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %z3 : !view data %y2 : !view operand0 %c : f32
    %b4 = neuron.engine.alloc "w" : !buffer
    %w4 = neuron.engine.view %b4 : !buffer -> !view
    neuron.engine.activation scalar op tanh dst %w4 : !view data %z3 : !view
  }
  func.return
}

// Control flow is where it is.
// CHECK-LABEL: func.func @a_loop_inside
// CHECK: scf.for {{.*}} to %to
// CHECK: neuron.engine.tensor_scalar vector op0 add
// CHECK: neuron.engine.activation scalar op exp
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
// CHECK: neuron.engine.activation scalar op tanh
func.func @a_loop_inside() {
  %c = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "in" : !buffer
  %in = neuron.engine.view %b : !buffer -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %in : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b1 = neuron.engine.alloc "x" : !buffer
    %x1 = neuron.engine.view %b1 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 add dst %x1 : !view data %in : !view operand0 %c : f32
    %b2 = neuron.engine.alloc "y" : !buffer
    %y2 = neuron.engine.view %b2 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %y2 : !view data %x1 : !view
    %b3 = neuron.engine.alloc "z" : !buffer
    %z3 = neuron.engine.view %b3 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %z3 : !view data %y2 : !view operand0 %c : f32
    %b4 = neuron.engine.alloc "w" : !buffer
    %w4 = neuron.engine.view %b4 : !buffer -> !view
    neuron.engine.activation scalar op tanh dst %w4 : !view data %z3 : !view
    scf.for %j = %from to %step step %step {
      neuron.engine.memset gpsimd value 1.0 : f32 dst %w4 : !view
    }
  }
  func.return
}

// What sets the accumulator anew, and gives it, has no state where nobody goes on with it.
// CHECK-LABEL: func.func @an_accumulator_for_itself
// CHECK: neuron.engine.tensor_scalar_reduce
// CHECK: scf.for
// CHECK: neuron.engine.tensor_scalar_reduce
// CHECK: }
// CHECK: neuron.engine.tensor_scalar vector op0 multiply
func.func @an_accumulator_for_itself() {
  %c = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "in" : !buffer
  %in = neuron.engine.view %b : !buffer -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %in : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b1 = neuron.engine.alloc "x" : !buffer
    %x1 = neuron.engine.view %b1 : !buffer -> !view
    %bs = neuron.engine.alloc "s" : !neuron.engine.buffer<sbuf, 128 x 4>
    %s1 = neuron.engine.view %bs : !neuron.engine.buffer<sbuf, 128 x 4> -> !one
    neuron.engine.tensor_scalar_reduce vector op0 add reduce_op add reduce_cmd reset_reduce dst %x1 : !view data %in : !view operand0 %c : f32 reduce_res %s1 : !one
    %b2 = neuron.engine.alloc "y" : !buffer
    %y2 = neuron.engine.view %b2 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %y2 : !view data %x1 : !view bias %s1 : !one
    %b3 = neuron.engine.alloc "z" : !buffer
    %z3 = neuron.engine.view %b3 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %z3 : !view data %y2 : !view operand0 %c : f32
    %b4 = neuron.engine.alloc "w" : !buffer
    %w4 = neuron.engine.view %b4 : !buffer -> !view
    neuron.engine.activation scalar op tanh dst %w4 : !view data %z3 : !view
  }
  func.return
}

// CHECK-LABEL: func.func @an_accumulator_that_goes_on
// CHECK-NOT: neuron.engine.tensor_scalar_reduce
// CHECK: scf.for
func.func @an_accumulator_that_goes_on() {
  %c = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "in" : !buffer
  %in = neuron.engine.view %b : !buffer -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %in : !view
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %step = arith.constant 1 : index
  scf.for %i = %from to %to step %step {
    %b1 = neuron.engine.alloc "x" : !buffer
    %x1 = neuron.engine.view %b1 : !buffer -> !view
    %bs = neuron.engine.alloc "s" : !neuron.engine.buffer<sbuf, 128 x 4>
    %s1 = neuron.engine.view %bs : !neuron.engine.buffer<sbuf, 128 x 4> -> !one
    neuron.engine.tensor_scalar_reduce vector op0 add reduce_op add reduce_cmd reset_reduce dst %x1 : !view data %in : !view operand0 %c : f32 reduce_res %s1 : !one
    %b2 = neuron.engine.alloc "y" : !buffer
    %y2 = neuron.engine.view %b2 : !buffer -> !view
    neuron.engine.activation scalar op exp dst %y2 : !view data %x1 : !view bias %s1 : !one
    %b3 = neuron.engine.alloc "z" : !buffer
    %z3 = neuron.engine.view %b3 : !buffer -> !view
    neuron.engine.tensor_scalar vector op0 multiply dst %z3 : !view data %y2 : !view operand0 %c : f32
    %b4 = neuron.engine.alloc "w" : !buffer
    %w4 = neuron.engine.view %b4 : !buffer -> !view
    neuron.engine.activation scalar op tanh dst %w4 : !view data %z3 : !view
  }
  %be = neuron.engine.alloc "e" : !neuron.engine.buffer<sbuf, 128 x 4>
  %e1 = neuron.engine.view %be : !neuron.engine.buffer<sbuf, 128 x 4> -> !one
  neuron.engine.tensor_scalar_reduce vector op0 add reduce_op add reduce_cmd reduce dst %in : !view data %in : !view operand0 %c : f32 reduce_res %e1 : !one
  func.return
}
