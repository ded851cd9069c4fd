// RUN: nki-opt %s -p bufferize --split-input-file | filecheck %s
// RUN: nki-opt %s -p bufferize --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

!tile = !neuron.mem.tile<sbuf, 128x8xf32, [d0] x [d1]>
!view = !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
!hbm = !neuron.engine.view<hbm, [8 x 128, 1 x 8], f32>

// What is written part by part is one buffer, and so is what comes of it.
// CHECK-LABEL: func.func @parts
// CHECK:       %[[B:.*]] = neuron.engine.alloc "x" : !neuron.engine.buffer<sbuf, 128 x 32>
// CHECK-NEXT:  %[[LEFT:.*]] = neuron.engine.view %[[B]]
// CHECK-NEXT:  neuron.engine.memset vector value 1.000000e+00 : f32 dst %[[LEFT]] : !neuron.engine.view<sbuf[0:128], [1 x 4], f32>{{$}}
// CHECK-NEXT:  %[[WHOLE:.*]] = neuron.engine.view %[[B]]
// CHECK-NEXT:  neuron.engine.memset vector value 2.000000e+00 : f32 dst %[[WHOLE]] : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>{{$}}
// CHECK-NOT:   neuron.engine.alloc
func.func @parts(%a: memref<128x8xf32>) {
  %e = neuron.engine.empty "x" : !tile
  %v0 = neuron.engine.view %e : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> -> !tile
  %v1 = neuron.engine.view %x0 : !tile -> !view
  %x1 = neuron.engine.memset vector value 2.0 : f32 dst %v1 : !view -> !tile
  %v2 = neuron.engine.view %x1 : !tile -> !view
  %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v2 : !view
  func.return
}

// A sum that a loop carries is added to where it lies, also where it goes from loop to loop.
// CHECK-LABEL: func.func @carried
// CHECK:       %[[B:.*]] = neuron.engine.alloc "sum" : !neuron.engine.buffer<sbuf, 128 x 32>
// CHECK:       neuron.engine.memset
// CHECK:       scf.for %{{.*}} = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK-NEXT:    scf.for %{{.*}} = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK-NEXT:      %[[D:.*]] = neuron.engine.view %[[B]]
// CHECK-NEXT:      neuron.engine.tensor_tensor vector op add dst %[[D]] : {{.*}} data1 %[[D]] :
// CHECK-NEXT:    }
// CHECK-NEXT:  }
// CHECK-NOT:   neuron.engine.alloc
// CHECK-NOT:   neuron.engine.tensor_copy
func.func @carried(%a: memref<128x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %e = neuron.engine.empty "sum" : !tile
  %v0 = neuron.engine.view %e : !tile -> !view
  %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !view -> !tile
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%s = %x0) -> (!tile) {
    %t = scf.for %j = %c0 to %c4 step %c1 iter_args(%u = %s) -> (!tile) {
      %d = neuron.engine.view %u : !tile -> !view
      %n = neuron.engine.tensor_tensor vector op add dst %d : !view data1 %d : !view data2 %d : !view -> !tile
      scf.yield %n : !tile
    }
    scf.yield %t : !tile
  }
  %v2 = neuron.engine.view %r : !tile -> !view
  %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v2 : !view
  func.return
}

// A new tile goes where the carried one was that it is made of, by the same engine.
// CHECK-LABEL: func.func @carried_and_made_anew
// CHECK:       %[[B:.*]] = neuron.engine.alloc "sum"
// CHECK:       scf.for
// CHECK-NEXT:    %[[S:.*]] = neuron.engine.view %[[B]]
// CHECK:         neuron.engine.tensor_scalar vector op0 add dst %[[D:.*]] : {{.*}} data %[[S]]
// CHECK-NOT:     neuron.engine.tensor_copy
// CHECK:         }
func.func @carried_and_made_anew(%a: memref<128x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %one = arith.constant 1.0 : f32
  %e = neuron.engine.empty "sum" : !tile
  %v0 = neuron.engine.view %e : !tile -> !view
  %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !view -> !tile
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%s = %x0) -> (!tile) {
    %old = neuron.engine.view %s : !tile -> !view
    %f = neuron.engine.empty "next" : !tile
    %d = neuron.engine.view %f : !tile -> !view
    %n = neuron.engine.tensor_scalar vector op0 add dst %d : !view data %old : !view operand0 %one : f32 -> !tile
    scf.yield %n : !tile
  }
  %v2 = neuron.engine.view %r : !tile -> !view
  %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v2 : !view
  func.return
}

// What a loop starts from is copied if it is read later.
// CHECK-LABEL: func.func @start_is_read_later
// CHECK:       %[[X:.*]] = neuron.engine.alloc "x"
// CHECK:       neuron.engine.memset
// CHECK:       %[[S:.*]] = neuron.engine.alloc "s"
// CHECK-DAG:   %[[TO:.*]] = neuron.engine.view %[[S]]
// CHECK-DAG:   %[[FROM:.*]] = neuron.engine.view %[[X]]
// CHECK:       neuron.engine.tensor_copy vector dst %[[TO]] : {{.*}} src %[[FROM]]
// CHECK-NEXT:  scf.for
// CHECK:       %[[LATER:.*]] = neuron.engine.view %[[X]]
// CHECK:       neuron.engine.dma_copy {{.*}} src %[[LATER]]
func.func @start_is_read_later(%a: memref<128x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %e = neuron.engine.empty "x" : !tile
  %v0 = neuron.engine.view %e : !tile -> !view
  %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !view -> !tile
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%s = %x0) -> (!tile) {
    %d = neuron.engine.view %s : !tile -> !view
    %n = neuron.engine.tensor_tensor vector op add dst %d : !view data1 %d : !view data2 %d : !view -> !tile
    scf.yield %n : !tile
  }
  %v1 = neuron.engine.view %x0 : !tile -> !view
  %v2 = neuron.engine.view %r : !tile -> !view
  %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v1 : !view
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v2 : !view
  func.return
}

// Two that change places go by a third.
// CHECK-LABEL: func.func @changing_places
// CHECK-DAG:     %[[P:.*]] = neuron.engine.alloc "p"
// CHECK-DAG:     %[[Q:.*]] = neuron.engine.alloc "q"
// CHECK:         scf.for
// CHECK:           %[[T:.*]] = neuron.engine.alloc "copy"
// CHECK:           neuron.engine.tensor_copy
// CHECK:           %[[U:.*]] = neuron.engine.alloc "copy"
// CHECK-COUNT-3:   neuron.engine.tensor_copy
// CHECK-NOT:       neuron.engine.tensor_copy
// CHECK:           }
func.func @changing_places(%a: memref<128x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %e = neuron.engine.empty "p" : !tile
  %v0 = neuron.engine.view %e : !tile -> !view
  %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !view -> !tile
  %f = neuron.engine.empty "q" : !tile
  %v1 = neuron.engine.view %f : !tile -> !view
  %x1 = neuron.engine.memset vector value 2.0 : f32 dst %v1 : !view -> !tile
  %r:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%p = %x0, %q = %x1) -> (!tile, !tile) {
    scf.yield %q, %p : !tile, !tile
  }
  %v2 = neuron.engine.view %r#0 : !tile -> !view
  %v3 = neuron.engine.view %r#1 : !tile -> !view
  %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v2 : !view
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v3 : !view
  func.return
}

// Both sides of an if write where the result is read.
// CHECK-LABEL: func.func @sides
// CHECK:       %[[B:.*]] = neuron.engine.alloc "x"
// CHECK-NEXT:  scf.if %{{.*}} {
// CHECK-NEXT:    neuron.engine.view %[[B]]
// CHECK-NEXT:    neuron.engine.memset vector value 1.0
// CHECK-NEXT:  } else {
// CHECK-NEXT:    neuron.engine.view %[[B]]
// CHECK-NEXT:    neuron.engine.memset vector value 2.0
// CHECK-NEXT:  }
// CHECK-NEXT:  neuron.engine.view %[[B]]
func.func @sides(%a: memref<128x8xf32>, %n: memref<1xi32>) {
  %c0 = arith.constant 0 : index
  %where = neuron.engine.view %n : memref<1xi32> -> !neuron.engine.view<hbm, [1 x 1], i32>
  %k = neuron.engine.scalar %where : !neuron.engine.view<hbm, [1 x 1], i32>
  %c = arith.cmpi sgt, %k, %c0 : index
  %r = scf.if %c -> (!tile) {
    %e = neuron.engine.empty "x" : !tile
    %v0 = neuron.engine.view %e : !tile -> !view
    %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !view -> !tile
    scf.yield %x0 : !tile
  } else {
    %f = neuron.engine.empty "y" : !tile
    %v1 = neuron.engine.view %f : !tile -> !view
    %x1 = neuron.engine.memset vector value 2.0 : f32 dst %v1 : !view -> !tile
    scf.yield %x1 : !tile
  }
  %v2 = neuron.engine.view %r : !tile -> !view
  %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v2 : !view
  func.return
}

// A tile that a side yields and that is read later besides is copied.
// CHECK-LABEL: func.func @a_side_that_yields_what_is_read_later
// CHECK:       neuron.engine.alloc "x"
// CHECK:       neuron.engine.alloc "y"
// CHECK:       scf.if %{{.*}} {
// CHECK:         neuron.engine.tensor_copy
// CHECK:       } else {
// CHECK:         neuron.engine.memset
// CHECK-NOT:     neuron.engine.tensor_copy
// CHECK:       }
func.func @a_side_that_yields_what_is_read_later(%a: memref<128x8xf32>, %n: memref<1xi32>) {
  %c0 = arith.constant 0 : index
  %where = neuron.engine.view %n : memref<1xi32> -> !neuron.engine.view<hbm, [1 x 1], i32>
  %k = neuron.engine.scalar %where : !neuron.engine.view<hbm, [1 x 1], i32>
  %c = arith.cmpi sgt, %k, %c0 : index
  %e = neuron.engine.empty "x" : !tile
  %v0 = neuron.engine.view %e : !tile -> !view
  %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !view -> !tile
  %r = scf.if %c -> (!tile) {
    scf.yield %x0 : !tile
  } else {
    %f = neuron.engine.empty "y" : !tile
    %v1 = neuron.engine.view %f : !tile -> !view
    %x1 = neuron.engine.memset vector value 2.0 : f32 dst %v1 : !view -> !tile
    scf.yield %x1 : !tile
  }
  %v2 = neuron.engine.view %r : !tile -> !view
  %v3 = neuron.engine.view %x0 : !tile -> !view
  %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v2 : !view
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v3 : !view
  func.return
}

// What a while carries and hands on.
// CHECK-LABEL: func.func @whiles
// CHECK:       %[[B:.*]] = neuron.engine.alloc "x" : !neuron.engine.buffer<sbuf, 128 x 32>
// CHECK-NOT:   neuron.engine.alloc
// CHECK:       scf.while () : () -> () {
// CHECK:         scf.condition
// CHECK:       } do {
// CHECK:         neuron.engine.tensor_tensor
// CHECK-NEXT:    scf.yield
// CHECK-NOT:   neuron.engine.tensor_copy
func.func @whiles(%a: memref<128x8xf32>, %n: memref<1xi32>) {
  %c0 = arith.constant 0 : index
  %where = neuron.engine.view %n : memref<1xi32> -> !neuron.engine.view<hbm, [1 x 1], i32>
  %e = neuron.engine.empty "x" : !tile
  %v0 = neuron.engine.view %e : !tile -> !view
  %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !view -> !tile
  %r = scf.while (%s = %x0) : (!tile) -> !tile {
    %k = neuron.engine.scalar %where : !neuron.engine.view<hbm, [1 x 1], i32>
    %c = arith.cmpi sgt, %k, %c0 : index
    scf.condition(%c) %s : !tile
  } do {
  ^bb0(%u: !tile):
    %d = neuron.engine.view %u : !tile -> !view
    %m = neuron.engine.tensor_tensor vector op add dst %d : !view data1 %d : !view data2 %d : !view -> !tile
    scf.yield %m : !tile
  }
  %v2 = neuron.engine.view %r : !tile -> !view
  %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v2 : !view
  func.return
}

// What an instruction writes to is copied first if it is read later.
// CHECK-LABEL: func.func @overwritten_and_read_later
// CHECK:       %[[X:.*]] = neuron.engine.alloc "x"
// CHECK:       %[[N:.*]] = neuron.engine.alloc "x1" : !neuron.engine.buffer<sbuf, 128 x 32>
// CHECK:       neuron.engine.tensor_copy
// CHECK:       %[[T:.*]] = neuron.engine.view %[[N]]
// CHECK:       neuron.engine.memset vector value 2.0{{.*}} dst %[[T]] : !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
func.func @overwritten_and_read_later(%a: memref<128x8xf32>) {
  %e = neuron.engine.empty "x" : !tile
  %v0 = neuron.engine.view %e : !tile -> !view
  %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !view -> !tile
  %v1 = neuron.engine.view %x0 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
  %x1 = neuron.engine.memset vector value 2.0 : f32 dst %v1 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> -> !tile
  %v2 = neuron.engine.view %x0 : !tile -> !view
  %v3 = neuron.engine.view %x1 : !tile -> !view
  %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v2 : !view
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v3 : !view
  func.return
}

// Over what a transfer brought, or another engine made, for the last one that reads it; not over what is read later.
// CHECK-LABEL: func.func @in_place_or_not
// CHECK:       neuron.engine.alloc "loaded"
// CHECK-NOT:   neuron.engine.alloc
// CHECK:       neuron.engine.tensor_scalar vector op0 add
// CHECK:       neuron.engine.alloc "other"
// CHECK-NEXT:  neuron.engine.view
// CHECK-NEXT:  neuron.engine.activation scalar op exp
// CHECK-NOT:   neuron.engine.alloc
// CHECK:       return
func.func @in_place_or_not(%a: memref<128x8xf32>) {
  %one = arith.constant 1.0 : f32
  %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
  %e0 = neuron.engine.empty "loaded" : !tile
  %v0 = neuron.engine.view %e0 : !tile -> !view
  %x0 = neuron.engine.dma_copy sync queue 0 dst %v0 : !view src %h : !hbm -> !tile
  %e1 = neuron.engine.empty "kept" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %s0 = neuron.engine.view %x0 : !tile -> !view
  %x1 = neuron.engine.tensor_scalar vector op0 add dst %v1 : !view data %s0 : !view operand0 %one : f32 -> !tile
  %e2 = neuron.engine.empty "other" : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %s1 = neuron.engine.view %x1 : !tile -> !view
  %x2 = neuron.engine.activation scalar op exp dst %v2 : !view data %s1 : !view -> !tile
  %e3 = neuron.engine.empty "again" : !tile
  %v3 = neuron.engine.view %e3 : !tile -> !view
  %s2 = neuron.engine.view %x2 : !tile -> !view
  %x3 = neuron.engine.tensor_tensor vector op add dst %v3 : !view data1 %s1 : !view data2 %s2 : !view -> !tile
  %e4 = neuron.engine.empty "stored" : !tile
  %v4 = neuron.engine.view %e4 : !tile -> !view
  %s3 = neuron.engine.view %x3 : !tile -> !view
  %x4 = neuron.engine.tensor_tensor vector op add dst %v4 : !view data1 %s3 : !view data2 %s1 : !view -> !tile
  %s4 = neuron.engine.view %x4 : !tile -> !view
  neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %s4 : !view
  func.return
}

// A buffer within a loop stays there.
// CHECK-LABEL: func.func @within_a_loop
// CHECK:       scf.for
// CHECK-NEXT:    %[[B:.*]] = neuron.engine.alloc "x"
func.func @within_a_loop(%a: memref<128x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %e = neuron.engine.empty "x" : !tile
  scf.for %i = %c0 to %c4 step %c1 {
    %v0 = neuron.engine.view %e : !tile -> !view
    %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !view -> !tile
    %v2 = neuron.engine.view %x0 : !tile -> !view
    %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
    neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v2 : !view
  }
  func.return
}

// What an engine makes beside a sum, and nobody reads, has one place for all of it and for all iterations.
// CHECK-LABEL: func.func @unread
// CHECK-NEXT:  %[[R:.*]] = neuron.engine.alloc "unread" : !neuron.engine.buffer<sbuf, 128 x 32>
// CHECK:       scf.for
// CHECK-NOT:     neuron.engine.alloc "exp"
// CHECK:         %[[A:.*]] = neuron.engine.view %[[R]]
// CHECK:         neuron.engine.activation_reduce scalar op exp dst %[[A]] : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
// CHECK:         %[[B:.*]] = neuron.engine.view %[[R]]
// CHECK:         neuron.engine.activation_reduce scalar op tanh dst %[[B]] : !neuron.engine.view<sbuf[0:128], [1 x 8], bf16>
// CHECK:         neuron.engine.alloc "read"
func.func @unread(%a: memref<128x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %e = neuron.engine.empty "x" : !tile
    %v0 = neuron.engine.view %e : !tile -> !view
    %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !view -> !tile
    %x = neuron.engine.view %x0 : !tile -> !view
    %e1 = neuron.engine.empty "exp" : !tile
    %v1 = neuron.engine.view %e1 : !tile -> !view
    %s1 = neuron.engine.empty "sum" : !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
    %w1 = neuron.engine.view %s1 : !neuron.mem.tile<sbuf, 128xf32, [d0] x []> -> !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
    %y1, %t1 = neuron.engine.activation_reduce scalar op exp dst %v1 : !view data %x : !view reduce_res %w1 : !neuron.engine.view<sbuf[0:128], [1 x 1], f32> -> !tile, !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
    %e2 = neuron.engine.empty "tanh" : !neuron.mem.tile<sbuf, 128x8xbf16, [d0] x [d1]>
    %v2 = neuron.engine.view %e2 : !neuron.mem.tile<sbuf, 128x8xbf16, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 8], bf16>
    %s2 = neuron.engine.empty "sum" : !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
    %w2 = neuron.engine.view %s2 : !neuron.mem.tile<sbuf, 128xf32, [d0] x []> -> !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
    %y2, %t2 = neuron.engine.activation_reduce scalar op tanh dst %v2 : !neuron.engine.view<sbuf[0:128], [1 x 8], bf16> data %x : !view reduce_res %w2 : !neuron.engine.view<sbuf[0:128], [1 x 1], f32> -> !neuron.mem.tile<sbuf, 128x8xbf16, [d0] x [d1]>, !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
    %e3 = neuron.engine.empty "read" : !tile
    %v3 = neuron.engine.view %e3 : !tile -> !view
    %s3 = neuron.engine.empty "sum" : !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
    %w3 = neuron.engine.view %s3 : !neuron.mem.tile<sbuf, 128xf32, [d0] x []> -> !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
    %y3, %t3 = neuron.engine.activation_reduce scalar op exp dst %v3 : !view data %x : !view reduce_res %w3 : !neuron.engine.view<sbuf[0:128], [1 x 1], f32> -> !tile, !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
    %r3 = neuron.engine.view %y3 : !tile -> !view
    %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
    neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %r3 : !view
    %hx = neuron.engine.view %a : memref<128x8xf32> -> !hbm
    neuron.engine.dma_copy sync queue 0 dst %hx : !hbm src %x : !view
    %q1 = neuron.engine.view %t1 : !neuron.mem.tile<sbuf, 128xf32, [d0] x []> -> !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
    %q2 = neuron.engine.view %t2 : !neuron.mem.tile<sbuf, 128xf32, [d0] x []> -> !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
    %q3 = neuron.engine.view %t3 : !neuron.mem.tile<sbuf, 128xf32, [d0] x []> -> !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
    %g = neuron.engine.view %a : memref<128x8xf32> -> !neuron.engine.view<hbm, [1 x 128], f32>
    neuron.engine.dma_copy sync queue 0 dst %g : !neuron.engine.view<hbm, [1 x 128], f32> src %q1 : !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
    neuron.engine.dma_copy sync queue 0 dst %g : !neuron.engine.view<hbm, [1 x 128], f32> src %q2 : !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
    neuron.engine.dma_copy sync queue 0 dst %g : !neuron.engine.view<hbm, [1 x 128], f32> src %q3 : !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
  }
  func.return
}

// Left alone: what is buffers already.
// CHECK-LABEL: func.func @buffers
// CHECK-NEXT:  %[[B:.*]] = neuron.engine.alloc "x" : !neuron.engine.buffer<sbuf, 128 x 32>
// CHECK-NEXT:  %[[V:.*]] = neuron.engine.view %[[B]]
// CHECK-NEXT:  neuron.engine.memset vector value 1.000000e+00 : f32 dst %[[V]]
// CHECK-NEXT:  func.return
func.func @buffers() {
  %b = neuron.engine.alloc "x" : !neuron.engine.buffer<sbuf, 128 x 32>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !view
  neuron.engine.memset vector value 1.0 : f32 dst %v : !view
  func.return
}

// What the next iteration needs again is copied before it is written over.
// CHECK-LABEL: func.func @needed_again
// CHECK:       %[[X:.*]] = neuron.engine.alloc "x"
// CHECK:       scf.for
// CHECK:         %[[N:.*]] = neuron.engine.alloc "x1"
// CHECK:         neuron.engine.tensor_copy
// CHECK:         neuron.engine.memset vector value 2.0
func.func @needed_again(%a: memref<128x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %e = neuron.engine.empty "x" : !tile
  %v0 = neuron.engine.view %e : !tile -> !view
  %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !view -> !tile
  scf.for %i = %c0 to %c4 step %c1 {
    %v1 = neuron.engine.view %x0 : !tile -> !neuron.engine.view<sbuf[0:128], [1 x 4], f32>
    %x1 = neuron.engine.memset vector value 2.0 : f32 dst %v1 : !neuron.engine.view<sbuf[0:128], [1 x 4], f32> -> !tile
    %v2 = neuron.engine.view %x1 : !tile -> !view
    %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
    neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %v2 : !view
  }
  func.return
}

// In the order in which it writes; not what is read in another order besides.
// CHECK-LABEL: func.func @in_place
// CHECK:       %[[X:.*]] = neuron.engine.alloc "x"
// CHECK:       neuron.engine.memset
// CHECK:       %[[S:.*]] = neuron.engine.view %[[X]]
// CHECK:       %[[D:.*]] = neuron.engine.view %[[X]]
// CHECK:       neuron.engine.tensor_scalar vector op0 add dst %[[D]] : {{.*}} data %[[S]] :
// CHECK:       %[[Z:.*]] = neuron.engine.alloc "turned"
// CHECK:       %[[T:.*]] = neuron.engine.view %[[Z]]
// CHECK:       neuron.engine.tensor_tensor vector op add dst %[[T]]
// CHECK-NOT:   neuron.engine.alloc
// CHECK:       return
func.func @in_place(%a: memref<128x8xf32>) {
  %c7 = arith.constant 7 : index
  %one = arith.constant 1.0 : f32
  %e = neuron.engine.empty "x" : !tile
  %v0 = neuron.engine.view %e : !tile -> !view
  %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !view -> !tile
  %s0 = neuron.engine.view %x0 : !tile -> !view
  %e1 = neuron.engine.empty "y" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %x1 = neuron.engine.tensor_scalar vector op0 add dst %v1 : !view data %s0 : !view operand0 %one : f32 -> !tile
  %s1 = neuron.engine.view %x1 : !tile -> !view
  %t1 = neuron.engine.view %x1 at %c7 : !tile -> !neuron.engine.view<sbuf[0:128], [-1 x 8], f32>
  %e2 = neuron.engine.empty "turned" : !tile
  %v2 = neuron.engine.view %e2 : !tile -> !view
  %x2 = neuron.engine.tensor_tensor vector op add dst %v2 : !view data1 %s1 : !view data2 %t1 : !neuron.engine.view<sbuf[0:128], [-1 x 8], f32> -> !tile
  %e3 = neuron.engine.empty "stored" : !tile
  %v3 = neuron.engine.view %e3 : !tile -> !view
  %s2 = neuron.engine.view %x2 : !tile -> !view
  %x3 = neuron.engine.tensor_scalar vector op0 add dst %v3 : !view data %s2 : !view operand0 %one : f32 -> !tile
  %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
  %s3 = neuron.engine.view %x3 : !tile -> !view
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %s3 : !view
  func.return
}

// A copy of what dies with it is none.
// CHECK-LABEL: func.func @a_copy_of_what_dies
// CHECK:       neuron.engine.alloc "x"
// CHECK-NOT:   neuron.engine.alloc
// CHECK-NOT:   neuron.engine.tensor_copy
// CHECK:       neuron.engine.dma_copy
func.func @a_copy_of_what_dies(%a: memref<128x8xf32>) {
  %e = neuron.engine.empty "x" : !tile
  %v0 = neuron.engine.view %e : !tile -> !view
  %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !view -> !tile
  %s0 = neuron.engine.view %x0 : !tile -> !view
  %e1 = neuron.engine.empty "y" : !tile
  %v1 = neuron.engine.view %e1 : !tile -> !view
  %x1 = neuron.engine.tensor_copy vector dst %v1 : !view src %s0 : !view -> !tile
  %s1 = neuron.engine.view %x1 : !tile -> !view
  %h = neuron.engine.view %a : memref<128x8xf32> -> !hbm
  neuron.engine.dma_copy sync queue 0 dst %h : !hbm src %s1 : !view
  func.return
}

// What lies on partitions that don't follow one another is copied by transfers.
// CHECK-LABEL: func.func @partitions_that_are_apart
// CHECK:       neuron.engine.memset
// CHECK-NOT:   neuron.engine.tensor_copy
// CHECK:       neuron.engine.dma_copy sync queue 0 dst {{%.*}} : !neuron.engine.view<sbuf[0:1], [1 x 2], f32> src
// CHECK:       neuron.engine.dma_copy sync queue 1 dst {{%.*}} : !neuron.engine.view<sbuf[2:3], [1 x 1], f32> src
// CHECK-NEXT:  scf.for
!apart = !neuron.mem.tile<sbuf, 3xf32, [d0/2:2, _:2] x [d0:2]>
!first = !neuron.engine.view<sbuf[0:1], [1 x 2], f32>
func.func @partitions_that_are_apart(%a: memref<2xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %e = neuron.engine.empty "x" : !apart
  %v0 = neuron.engine.view %e : !apart -> !first
  %x0 = neuron.engine.memset vector value 1.0 : f32 dst %v0 : !first -> !apart
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%s = %x0) -> (!apart) {
    %d = neuron.engine.view %s : !apart -> !first
    %n = neuron.engine.tensor_tensor vector op add dst %d : !first data1 %d : !first data2 %d : !first -> !apart
    scf.yield %n : !apart
  }
  %v1 = neuron.engine.view %x0 : !apart -> !first
  %v2 = neuron.engine.view %r : !apart -> !first
  %h = neuron.engine.view %a : memref<2xf32> -> !neuron.engine.view<hbm, [1 x 2], f32>
  neuron.engine.dma_copy sync queue 0 dst %h : !neuron.engine.view<hbm, [1 x 2], f32> src %v1 : !first
  neuron.engine.dma_copy sync queue 0 dst %h : !neuron.engine.view<hbm, [1 x 2], f32> src %v2 : !first
  func.return
}
