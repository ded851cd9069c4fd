// RUN: nki-opt %s -p emit-streams,insert-semaphores --split-input-file | filecheck %s
// RUN: nki-opt %s -p emit-streams,insert-semaphores --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// The load raises one semaphore a slot by 16; the Vector engine waits for it, the store for the Vector engine, and the
// load, to use a slot again, for the store of two iterations before.
// CHECK-LABEL: neuron.isa.program @scale
// CHECK: neuron.isa.stream vector
// CHECK: neuron.isa.tensor_scalar {{.*}} wait <sem [[LOAD:[0-9]+]] + (i0) mod 2 reaches 16 + 16 * ((i0) floordiv 2)> update <sem [[V:[0-9]+]] add 1>
// CHECK-NOT: order
// CHECK: neuron.isa.stream gpsimd
// CHECK: neuron.isa.dma_copy {{.*}} wait <sem [[V]] reaches 1 + i0> update <sem [[STORE:[0-9]+]] + (i0) mod 2 add 16>
// CHECK: neuron.isa.stream sync
// CHECK: neuron.isa.dma_copy {{.*}} wait <sem [[STORE]] + (i0) mod 2 reaches 16 * ((i0) floordiv 2)> update <sem [[LOAD]] + (i0) mod 2 add 16>
func.func @scale(%x: memref<8192xf32>) attributes {tile.arg_names = ["x"]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %block = arith.constant 1024 : index
  %two = arith.constant 2.0 : f32
  scf.for %i = %c0 to %c8 step %c1 {
    %first = arith.muli %i, %block : index
    %b = neuron.engine.alloc "b" at 64 {depth = 2 : i64} : !neuron.engine.buffer<sbuf, 128 x 32>
    %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    %h = neuron.engine.view %x at %first : memref<8192xf32> -> !neuron.engine.view<hbm, [1 x 1024], f32>
    neuron.engine.dma_copy sync queue 0 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %h : !neuron.engine.view<hbm, [1 x 1024], f32>
    neuron.engine.tensor_scalar vector op0 multiply dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> operand0 %two : f32
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 1024], f32> src %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  }
  func.return
}

// -----

// Engines that share nothing don't wait.
// CHECK-LABEL: neuron.isa.program @leaves_alone
// CHECK-NOT: wait
// CHECK-NOT: update
func.func @leaves_alone() attributes {tile.arg_names = []} {
  %a = neuron.engine.alloc "a" at 0 : !neuron.engine.buffer<sbuf, 128 x 32>
  %b = neuron.engine.alloc "b" at 32 : !neuron.engine.buffer<sbuf, 128 x 32>
  %va = neuron.engine.view %a : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  %vb = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  neuron.engine.memset vector value 0.0 : f32 dst %va : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  neuron.engine.memset gpsimd value 0.0 : f32 dst %vb : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

// An engine is done with its instructions in order: who waits for two of them waits for the second.
// CHECK-LABEL: neuron.isa.program @two_of_an_engine
// CHECK: neuron.isa.stream vector
// CHECK-NEXT: neuron.isa.memset {{.*}} update <sem [[V:[0-9]+]] add 1>
// CHECK-NEXT: neuron.isa.memset {{.*}} update <sem [[V]] add 1>
// CHECK: neuron.isa.stream gpsimd
// CHECK-NEXT: neuron.isa.tensor_tensor {{.*}} wait <sem [[V]] reaches 2>
// CHECK-NEXT: }
func.func @two_of_an_engine() attributes {tile.arg_names = []} {
  %a = neuron.engine.alloc "a" at 0 : !neuron.engine.buffer<sbuf, 128 x 32>
  %b = neuron.engine.alloc "b" at 32 : !neuron.engine.buffer<sbuf, 128 x 32>
  %va = neuron.engine.view %a : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  %vb = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  neuron.engine.memset vector value 0.0 : f32 dst %va : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  neuron.engine.memset vector value 0.0 : f32 dst %vb : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  neuron.engine.tensor_tensor gpsimd op add dst %va : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data1 %va : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data2 %vb : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

// Of a loop before, what is needed is waited for: here the iteration that wrote the same elements.
// CHECK-LABEL: neuron.isa.program @one_iteration
// CHECK: neuron.isa.stream gpsimd
// CHECK-NEXT: neuron.isa.tensor_copy {{.*}} wait <sem {{[0-9]+}} reaches 3>
// CHECK-NEXT: }
func.func @one_iteration() attributes {tile.arg_names = []} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %a = neuron.engine.alloc "a" at 0 : !neuron.engine.buffer<sbuf, 128 x 320>
  %b = neuron.engine.alloc "b" at 320 : !neuron.engine.buffer<sbuf, 128 x 32>
  %t = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  scf.for %i = %c0 to %c8 step %c1 {
    %at = arith.muli %i, %c8 : index
    %from = arith.addi %at, %c16 : index
    %w = neuron.engine.view %a at %from : !neuron.engine.buffer<sbuf, 128 x 320> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    neuron.engine.memset vector value 0.0 : f32 dst %w : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  }
  %c32 = arith.constant 32 : index
  %r = neuron.engine.view %a at %c32 : !neuron.engine.buffer<sbuf, 128 x 320> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  neuron.engine.tensor_copy gpsimd dst %t : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %r : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

// The first two iterations read what nobody has written, the last two what the first two did.
// CHECK-LABEL: neuron.isa.program @from_an_iteration_on
// CHECK: neuron.isa.stream gpsimd
// CHECK: neuron.isa.tensor_copy {{.*}} wait <sem {{[0-9]+}} reaches 2 * ((2 + i0) floordiv 4)>
// CHECK-NEXT: }
func.func @from_an_iteration_on() attributes {tile.arg_names = []} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %a = neuron.engine.alloc "a" at 0 : !neuron.engine.buffer<sbuf, 128 x 320>
  %b = neuron.engine.alloc "b" at 320 : !neuron.engine.buffer<sbuf, 128 x 32>
  %t = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  scf.for %i = %c0 to %c8 step %c1 {
    %at = arith.muli %i, %c8 : index
    %from = arith.addi %at, %c16 : index
    %w = neuron.engine.view %a at %from : !neuron.engine.buffer<sbuf, 128 x 320> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    neuron.engine.memset vector value 0.0 : f32 dst %w : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  }
  scf.for %i = %c0 to %c4 step %c1 {
    %at = arith.muli %i, %c8 : index
    %r = neuron.engine.view %a at %at : !neuron.engine.buffer<sbuf, 128 x 320> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    neuron.engine.tensor_copy gpsimd dst %t : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %r : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  }
  func.return
}

// -----

// Of two operands, the one that is needed first, and the one that is written last.
// CHECK-LABEL: neuron.isa.program @from_the_first_of_two
// CHECK: neuron.isa.stream gpsimd
// CHECK: neuron.isa.tensor_tensor {{.*}} wait <sem {{[0-9]+}} reaches 3 * ((3 + i0) floordiv 4)>
// CHECK-NEXT: }
func.func @from_the_first_of_two() attributes {tile.arg_names = []} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %a = neuron.engine.alloc "a" at 0 : !neuron.engine.buffer<sbuf, 128 x 320>
  %b = neuron.engine.alloc "b" at 320 : !neuron.engine.buffer<sbuf, 128 x 32>
  %t = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  scf.for %i = %c0 to %c8 step %c1 {
    %at = arith.muli %i, %c8 : index
    %from = arith.addi %at, %c16 : index
    %w = neuron.engine.view %a at %from : !neuron.engine.buffer<sbuf, 128 x 320> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    neuron.engine.memset vector value 0.0 : f32 dst %w : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  }
  scf.for %j = %c0 to %c4 step %c1 {
    %at = arith.muli %j, %c8 : index
    %next = arith.addi %at, %c8 : index
    %r = neuron.engine.view %a at %next : !neuron.engine.buffer<sbuf, 128 x 320> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    %s = neuron.engine.view %a at %at : !neuron.engine.buffer<sbuf, 128 x 320> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    neuron.engine.tensor_tensor gpsimd op add dst %t : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data1 %r : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data2 %s : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  }
  func.return
}

// -----

// Who waited for another one that waited for a part has not waited for the rest.
// CHECK-LABEL: neuron.isa.program @part_of_it_is_not_all
// CHECK: neuron.isa.stream vector
// CHECK: neuron.isa.memset {{.*}} update <sem [[V:[0-9]+]] add 1>
// CHECK: neuron.isa.stream scalar
// CHECK: neuron.isa.activation {{.*}} wait <sem [[V]] reaches 1>
// CHECK: neuron.isa.stream gpsimd
// CHECK: wait <sem [[V]] reaches 8>
func.func @part_of_it_is_not_all() attributes {tile.arg_names = []} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %a = neuron.engine.alloc "a" at 0 : !neuron.engine.buffer<sbuf, 128 x 320>
  %b = neuron.engine.alloc "b" at 320 : !neuron.engine.buffer<sbuf, 128 x 32>
  %t = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  scf.for %i = %c0 to %c8 step %c1 {
    %at = arith.muli %i, %c8 : index
    %from = arith.addi %at, %c16 : index
    %w = neuron.engine.view %a at %from : !neuron.engine.buffer<sbuf, 128 x 320> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    neuron.engine.memset vector value 0.0 : f32 dst %w : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  }
  %c72 = arith.constant 72 : index
  %r = neuron.engine.view %a at %c16 : !neuron.engine.buffer<sbuf, 128 x 320> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  %s = neuron.engine.view %a at %c72 : !neuron.engine.buffer<sbuf, 128 x 320> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  neuron.engine.activation scalar op copy dst %t : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data %r : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  neuron.engine.tensor_tensor gpsimd op add dst %t : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data1 %t : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data2 %s : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

// What happens more than half as often waits once for all.
// CHECK-LABEL: neuron.isa.program @as_often
// CHECK: neuron.isa.stream gpsimd
// CHECK: neuron.isa.tensor_copy {{.*}} wait <sem {{[0-9]+}} reaches 8>
// CHECK-NEXT: }
func.func @as_often() attributes {tile.arg_names = []} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %a = neuron.engine.alloc "a" at 0 : !neuron.engine.buffer<sbuf, 128 x 320>
  %b = neuron.engine.alloc "b" at 320 : !neuron.engine.buffer<sbuf, 128 x 32>
  %t = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  scf.for %i = %c0 to %c8 step %c1 {
    %at = arith.muli %i, %c8 : index
    %from = arith.addi %at, %c16 : index
    %w = neuron.engine.view %a at %from : !neuron.engine.buffer<sbuf, 128 x 320> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    neuron.engine.memset vector value 0.0 : f32 dst %w : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  }
  scf.for %i = %c0 to %c5 step %c1 {
    %at = arith.muli %i, %c8 : index
    %r = neuron.engine.view %a at %at : !neuron.engine.buffer<sbuf, 128 x 320> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    neuron.engine.tensor_copy gpsimd dst %t : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %r : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  }
  func.return
}

// -----

// A scatter may write any row: what reads the tensor after it waits, the row's number notwithstanding. The indices have
// to be there before.
// CHECK-LABEL: neuron.isa.program @scatter
// CHECK: neuron.isa.stream gpsimd
// CHECK: neuron.isa.dma_copy queue 0 dst <hbm "x"{{.*}} vector_offset {{.*}} wait <sem [[INDEX:[0-9]+]] reaches 16> update <sem [[ROWS:[0-9]+]] add 16>
// CHECK: neuron.isa.stream sync
// CHECK: neuron.isa.dma_copy {{.*}} src <hbm "n"{{.*}} update <sem [[INDEX]] add 16>
// CHECK: neuron.isa.dma_copy {{.*}} src <hbm "x" at 384,{{.*}} wait <sem [[ROWS]] reaches 16>
func.func @scatter(%x: memref<128xf32>, %n: memref<2xi32>) attributes {tile.arg_names = ["x", "n"]} {
  %last = arith.constant 96 : index
  %b = neuron.engine.alloc "b" at 0 : !neuron.engine.buffer<sbuf, 2 x 16>
  %i = neuron.engine.alloc "i" at 64 : !neuron.engine.buffer<sbuf, 2 x 4>
  %o = neuron.engine.alloc "o" at 128 : !neuron.engine.buffer<sbuf, 2 x 16>
  %bv = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 2 x 16> -> !neuron.engine.view<sbuf[0:2], [1 x 4], f32>
  %iv = neuron.engine.view %i : !neuron.engine.buffer<sbuf, 2 x 4> -> !neuron.engine.view<sbuf[0:2], [1 x 1], i32>
  %ov = neuron.engine.view %o : !neuron.engine.buffer<sbuf, 2 x 16> -> !neuron.engine.view<sbuf[0:2], [1 x 4], f32>
  %nv = neuron.engine.view %n : memref<2xi32> -> !neuron.engine.view<hbm, [1 x 2], i32>
  %rows = neuron.engine.view %x : memref<128xf32> -> !neuron.engine.view<hbm, [4 x 2, 1 x 4], f32>
  %end = neuron.engine.view %x at %last : memref<128xf32> -> !neuron.engine.view<hbm, [4 x 2, 1 x 4], f32>
  neuron.engine.dma_copy sync queue 0 dst %iv : !neuron.engine.view<sbuf[0:2], [1 x 1], i32> src %nv : !neuron.engine.view<hbm, [1 x 2], i32>
  neuron.engine.dma_copy gpsimd queue 0 dst %rows : !neuron.engine.view<hbm, [4 x 2, 1 x 4], f32> src %bv : !neuron.engine.view<sbuf[0:2], [1 x 4], f32> vector_offset %iv : !neuron.engine.view<sbuf[0:2], [1 x 1], i32>
  neuron.engine.dma_copy sync queue 0 dst %ov : !neuron.engine.view<sbuf[0:2], [1 x 4], f32> src %end : !neuron.engine.view<hbm, [4 x 2, 1 x 4], f32>
  func.return
}

// -----

// Elements of another size that share a byte: bytes 2 and 3 of 0 to 3.
// CHECK-LABEL: neuron.isa.program @a_byte_in_common
// CHECK: neuron.isa.memset {{.*}} update <sem 0 add 1>
// CHECK: neuron.isa.activation {{.*}} wait <sem 0 reaches 1>
func.func @a_byte_in_common() attributes {tile.arg_names = []} {
  %at = arith.constant 1 : index
  %b = neuron.engine.alloc "b" at 0 : !neuron.engine.buffer<sbuf, 8 x 8>
  %c = neuron.engine.alloc "c" at 64 : !neuron.engine.buffer<sbuf, 8 x 8>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 8 x 8> -> !neuron.engine.view<sbuf[0:8], [1 x 1], f32>
  %h = neuron.engine.view %b at %at : !neuron.engine.buffer<sbuf, 8 x 8> -> !neuron.engine.view<sbuf[0:8], [1 x 1], bf16>
  %d = neuron.engine.view %c : !neuron.engine.buffer<sbuf, 8 x 8> -> !neuron.engine.view<sbuf[0:8], [1 x 1], f32>
  neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:8], [1 x 1], f32>
  neuron.engine.activation scalar op copy dst %d : !neuron.engine.view<sbuf[0:8], [1 x 1], f32> data %h : !neuron.engine.view<sbuf[0:8], [1 x 1], bf16>
  func.return
}

// -----

// CHECK-LABEL: neuron.isa.program @no_byte_in_common
// CHECK-NOT: wait
func.func @no_byte_in_common() attributes {tile.arg_names = []} {
  %at = arith.constant 2 : index
  %b = neuron.engine.alloc "b" at 0 : !neuron.engine.buffer<sbuf, 8 x 8>
  %c = neuron.engine.alloc "c" at 64 : !neuron.engine.buffer<sbuf, 8 x 8>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 8 x 8> -> !neuron.engine.view<sbuf[0:8], [1 x 1], f32>
  %h = neuron.engine.view %b at %at : !neuron.engine.buffer<sbuf, 8 x 8> -> !neuron.engine.view<sbuf[0:8], [1 x 1], bf16>
  %d = neuron.engine.view %c : !neuron.engine.buffer<sbuf, 8 x 8> -> !neuron.engine.view<sbuf[0:8], [1 x 1], f32>
  neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:8], [1 x 1], f32>
  neuron.engine.activation scalar op copy dst %d : !neuron.engine.view<sbuf[0:8], [1 x 1], f32> data %h : !neuron.engine.view<sbuf[0:8], [1 x 1], bf16>
  func.return
}

// -----

// What an instruction leaves of its output it has read: it waits for the one before on its own engine.
// CHECK-LABEL: neuron.isa.program @an_output_in_part
// CHECK: neuron.isa.memset {{.*}} update <sem 0 add 1>
// CHECK: neuron.isa.tensor_copy_predicated {{.*}} wait <sem 0 reaches 1>
func.func @an_output_in_part() attributes {tile.arg_names = []} {
  %b = neuron.engine.alloc "b" at 0 : !neuron.engine.buffer<sbuf, 8 x 8>
  %c = neuron.engine.alloc "c" at 64 : !neuron.engine.buffer<sbuf, 8 x 8>
  %p = neuron.engine.alloc "p" at 128 : !neuron.engine.buffer<sbuf, 8 x 8>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 8 x 8> -> !neuron.engine.view<sbuf[0:8], [1 x 1], f32>
  %d = neuron.engine.view %c : !neuron.engine.buffer<sbuf, 8 x 8> -> !neuron.engine.view<sbuf[0:8], [1 x 1], f32>
  %q = neuron.engine.view %p : !neuron.engine.buffer<sbuf, 8 x 8> -> !neuron.engine.view<sbuf[0:8], [1 x 1], ui8>
  neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:8], [1 x 1], f32>
  neuron.engine.tensor_copy_predicated vector dst %v : !neuron.engine.view<sbuf[0:8], [1 x 1], f32> src %d : !neuron.engine.view<sbuf[0:8], [1 x 1], f32> predicate %q : !neuron.engine.view<sbuf[0:8], [1 x 1], ui8>
  func.return
}

// -----

// Each iteration has bytes of its own: while one transfer moves them, the next one starts.
// CHECK-LABEL: neuron.isa.program @parts_of_a_buffer
// CHECK: neuron.isa.stream vector
// CHECK: neuron.isa.tensor_scalar {{.*}} wait <sem 1 + (i0) mod 2 reaches 16 + 16 * ((i0) floordiv 2)>
// CHECK: neuron.isa.stream sync
// CHECK: neuron.isa.dma_copy {{.*}} dst <sbuf[0:128] at 32 * i0,{{.*}} wait <sem 1 + (i0) mod 2 reaches 16 * ((i0) floordiv 2)> update <sem 1 + (i0) mod 2 add 16>
func.func @parts_of_a_buffer(%x: memref<8192xf32>, %y: memref<1024xf32>) attributes {tile.arg_names = ["x", "y"]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %block = arith.constant 1024 : index
  %two = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "b" at 0 : !neuron.engine.buffer<sbuf, 128 x 256>
  %r = neuron.engine.alloc "r" at 256 : !neuron.engine.buffer<sbuf, 128 x 32>
  %rv = neuron.engine.view %r : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  scf.for %i = %c0 to %c8 step %c1 {
    %first = arith.muli %i, %block : index
    %at = arith.muli %i, %c8 : index
    %v = neuron.engine.view %b at %at : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    %h = neuron.engine.view %x at %first : memref<8192xf32> -> !neuron.engine.view<hbm, [1 x 1024], f32>
    neuron.engine.dma_copy sync queue 0 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %h : !neuron.engine.view<hbm, [1 x 1024], f32>
    neuron.engine.tensor_scalar vector op0 multiply dst %rv : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> operand0 %two : f32
  }
  %yv = neuron.engine.view %y : memref<1024xf32> -> !neuron.engine.view<hbm, [1 x 1024], f32>
  neuron.engine.dma_copy gpsimd queue 0 dst %yv : !neuron.engine.view<hbm, [1 x 1024], f32> src %rv : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

// What has the same bytes in all iterations is under way once at a time.
// CHECK-LABEL: neuron.isa.program @the_same_bytes
// CHECK: neuron.isa.stream sync
// CHECK: neuron.isa.dma_copy {{.*}} update <sem 1 add 16>
func.func @the_same_bytes(%x: memref<8192xf32>) attributes {tile.arg_names = ["x"]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %block = arith.constant 1024 : index
  %two = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "b" at 0 : !neuron.engine.buffer<sbuf, 128 x 32>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  scf.for %i = %c0 to %c8 step %c1 {
    %first = arith.muli %i, %block : index
    %h = neuron.engine.view %x at %first : memref<8192xf32> -> !neuron.engine.view<hbm, [1 x 1024], f32>
    neuron.engine.dma_copy sync queue 0 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %h : !neuron.engine.view<hbm, [1 x 1024], f32>
    neuron.engine.tensor_scalar vector op0 multiply dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> operand0 %two : f32
  }
  func.return
}
