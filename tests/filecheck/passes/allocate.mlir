// RUN: nki-opt %s -p allocate --split-input-file | filecheck %s
// RUN: nki-opt %s -p allocate --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// Where there is room, nothing shares bytes.
// CHECK-LABEL: func.func @buffers_lie_apart
// CHECK: neuron.engine.alloc "a" at 0
// CHECK: neuron.engine.alloc "b" at 2048
func.func @buffers_lie_apart() {
  %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 128 x 2048>
  "test.op"(%a) : (!neuron.engine.buffer<sbuf, 128 x 2048>) -> ()
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 2048>
  "test.op"(%b) : (!neuron.engine.buffer<sbuf, 128 x 2048>) -> ()
  func.return
}

// CHECK-LABEL: func.func @buffers_alive_together_lie_apart_and_others_share
// CHECK: neuron.engine.alloc "a" at 0
// CHECK: neuron.engine.alloc "b" at 80000
// CHECK: neuron.engine.alloc "c" at 0
func.func @buffers_alive_together_lie_apart_and_others_share() {
  %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 128 x 80000>
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 80000>
  "test.op"(%a, %b) : (!neuron.engine.buffer<sbuf, 128 x 80000>, !neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
  %c = neuron.engine.alloc "c" : !neuron.engine.buffer<sbuf, 128 x 80000>
  "test.op"(%c) : (!neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
  func.return
}

// Bytes are used again as late as may be: the third of the large ones lies where the first was, not the second.
// CHECK-LABEL: func.func @as_late_as_may_be
// CHECK: neuron.engine.alloc "a" at 0
// CHECK: neuron.engine.alloc "b" at 80000
// CHECK: neuron.engine.alloc "c" at 0
// CHECK: neuron.engine.alloc "d" at 80000
func.func @as_late_as_may_be() {
  %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 128 x 80000>
  "test.op"(%a) : (!neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 80000>
  "test.op"(%b) : (!neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
  %c = neuron.engine.alloc "c" : !neuron.engine.buffer<sbuf, 128 x 80000>
  "test.op"(%c) : (!neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
  %d = neuron.engine.alloc "d" : !neuron.engine.buffer<sbuf, 128 x 80000>
  "test.op"(%d) : (!neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
  func.return
}

// CHECK-LABEL: func.func @psum_buffers_start_on_banks
// CHECK: neuron.engine.alloc "p" at 0
// CHECK: neuron.engine.alloc "q" at 2048
func.func @psum_buffers_start_on_banks() {
  %p = neuron.engine.alloc "p" : !neuron.engine.buffer<psum, 128 x 64>
  %q = neuron.engine.alloc "q" : !neuron.engine.buffer<psum, 128 x 64>
  "test.op"(%p, %q) : (!neuron.engine.buffer<psum, 128 x 64>, !neuron.engine.buffer<psum, 128 x 64>) -> ()
  func.return
}

// CHECK-LABEL: func.func @leaves_alone_an_address_that_is_given
// CHECK: neuron.engine.alloc "a" at 4096
// CHECK: neuron.engine.alloc "b" at 6144
func.func @leaves_alone_an_address_that_is_given() {
  %a = neuron.engine.alloc "a" at 4096 : !neuron.engine.buffer<sbuf, 128 x 2048>
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 2048>
  "test.op"(%a, %b) : (!neuron.engine.buffer<sbuf, 128 x 2048>, !neuron.engine.buffer<sbuf, 128 x 2048>) -> ()
  func.return
}

// A gap that is too small is left; sizes are rounded up to 32 bytes.
// CHECK-LABEL: func.func @gaps
// CHECK: neuron.engine.alloc "fixed" at 64
// CHECK: neuron.engine.alloc "long" at 96
// CHECK: neuron.engine.alloc "short" at 0
// CHECK: neuron.engine.alloc "next" at 32
func.func @gaps() {
  %a = neuron.engine.alloc "fixed" at 64 : !neuron.engine.buffer<sbuf, 128 x 20>
  %b = neuron.engine.alloc "long" : !neuron.engine.buffer<sbuf, 128 x 70>
  %c = neuron.engine.alloc "short" : !neuron.engine.buffer<sbuf, 128 x 10>
  %d = neuron.engine.alloc "next" : !neuron.engine.buffer<sbuf, 128 x 10>
  %e = neuron.engine.alloc "last" at 180192 : !neuron.engine.buffer<sbuf, 128 x 32>
  "test.op"(%a, %b, %c, %d, %e) : (!neuron.engine.buffer<sbuf, 128 x 20>, !neuron.engine.buffer<sbuf, 128 x 70>, !neuron.engine.buffer<sbuf, 128 x 10>, !neuron.engine.buffer<sbuf, 128 x 10>, !neuron.engine.buffer<sbuf, 128 x 32>) -> ()
  func.return
}

// Slots are alive in all of their loop, whatever an iteration does with them: what follows shares with other buffers.
// CHECK-LABEL: func.func @slots_share_with_nothing_in_their_loop
// CHECK: neuron.engine.alloc "a" at 0 {depth = 2 : i64}
// CHECK: neuron.engine.alloc "b" at 80000 :
// CHECK: neuron.engine.alloc "c" at 80000 :
func.func @slots_share_with_nothing_in_their_loop() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %a = neuron.engine.alloc "a" {depth = 2 : i64} : !neuron.engine.buffer<sbuf, 128 x 40000>
    "test.op"(%a) : (!neuron.engine.buffer<sbuf, 128 x 40000>) -> ()
    %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 80000>
    "test.op"(%b) : (!neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
    %c = neuron.engine.alloc "c" : !neuron.engine.buffer<sbuf, 128 x 80000>
    "test.op"(%c) : (!neuron.engine.buffer<sbuf, 128 x 80000>) -> ()
  }
  func.return
}

// What does not fit on the first partitions goes side by side, views and all.
// CHECK-LABEL: func.func @narrow_buffers_lie_side_by_side
// CHECK: %[[A:.*]] = neuron.engine.alloc "a" at 0 :
// CHECK: %[[B:.*]] = neuron.engine.alloc "b" at 0 from 32 :
// CHECK: neuron.engine.view %[[A]] : {{.*}}sbuf[0:32], [1 x 25000], f32>
// CHECK: %[[V:.*]] = neuron.engine.view %[[B]] : {{.*}}sbuf[32:64], [1 x 25000], f32>
// CHECK: neuron.engine.memset vector value 2.000000e+00 : f32 dst %[[V]]
// CHECK: neuron.engine.tensor_tensor
func.func @narrow_buffers_lie_side_by_side() {
  %a = neuron.engine.alloc "a" : !neuron.engine.buffer<sbuf, 32 x 100000>
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 32 x 100000>
  %v = neuron.engine.view %a : !neuron.engine.buffer<sbuf, 32 x 100000> -> !neuron.engine.view<sbuf[0:32], [1 x 25000], f32>
  %w = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 32 x 100000> -> !neuron.engine.view<sbuf[0:32], [1 x 25000], f32>
  neuron.engine.memset vector value 1.0 : f32 dst %v : !neuron.engine.view<sbuf[0:32], [1 x 25000], f32>
  neuron.engine.memset vector value 2.0 : f32 dst %w : !neuron.engine.view<sbuf[0:32], [1 x 25000], f32>
  neuron.engine.tensor_tensor vector op add dst %v : !neuron.engine.view<sbuf[0:32], [1 x 25000], f32> data1 %v : !neuron.engine.view<sbuf[0:32], [1 x 25000], f32> data2 %w : !neuron.engine.view<sbuf[0:32], [1 x 25000], f32>
  func.return
}

// 64 partitions go on the other half, or stay; 96 leave the last quadrant.
// CHECK-LABEL: func.func @halves_and_quarters
// CHECK: neuron.engine.alloc "half" at 0 :
// CHECK: neuron.engine.alloc "other" at 0 from 64 :
// CHECK: neuron.engine.alloc "more" at 90016 :
// CHECK: neuron.engine.alloc "less" at 90016 from 96 :
func.func @halves_and_quarters() {
  %a = neuron.engine.alloc "half" : !neuron.engine.buffer<sbuf, 64 x 90000>
  %b = neuron.engine.alloc "other" : !neuron.engine.buffer<sbuf, 64 x 90000>
  %c = neuron.engine.alloc "more" : !neuron.engine.buffer<sbuf, 96 x 90008>
  %d = neuron.engine.alloc "less" : !neuron.engine.buffer<sbuf, 32 x 90004>
  %va = neuron.engine.view %a : !neuron.engine.buffer<sbuf, 64 x 90000> -> !neuron.engine.view<sbuf[0:64], [1 x 8], f32>
  %vb = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 64 x 90000> -> !neuron.engine.view<sbuf[0:64], [1 x 8], f32>
  %vc = neuron.engine.view %c : !neuron.engine.buffer<sbuf, 96 x 90008> -> !neuron.engine.view<sbuf[0:96], [1 x 8], f32>
  %vd = neuron.engine.view %d : !neuron.engine.buffer<sbuf, 32 x 90004> -> !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
  neuron.engine.memset vector value 1.0 : f32 dst %va : !neuron.engine.view<sbuf[0:64], [1 x 8], f32>
  neuron.engine.memset vector value 1.0 : f32 dst %vb : !neuron.engine.view<sbuf[0:64], [1 x 8], f32>
  neuron.engine.memset vector value 1.0 : f32 dst %vc : !neuron.engine.view<sbuf[0:96], [1 x 8], f32>
  neuron.engine.memset vector value 1.0 : f32 dst %vd : !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
  neuron.engine.tensor_copy vector dst %va : !neuron.engine.view<sbuf[0:64], [1 x 8], f32> src %vb : !neuron.engine.view<sbuf[0:64], [1 x 8], f32>
  neuron.engine.memset vector value 1.0 : f32 dst %vc : !neuron.engine.view<sbuf[0:96], [1 x 8], f32>
  neuron.engine.memset vector value 1.0 : f32 dst %vd : !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
  func.return
}

// Rows of the array are partitions of both inputs: these stay, and another makes room.
// CHECK-LABEL: func.func @inputs_of_the_array_stay
// CHECK: neuron.engine.alloc "s" at 0 :
// CHECK: neuron.engine.alloc "m" at 100000 :
// CHECK: neuron.engine.alloc "other" at 0 from 32 :
func.func @inputs_of_the_array_stay() {
  %sums = neuron.engine.alloc "sums" : !neuron.engine.buffer<psum, 32 x 64>
  %p = neuron.engine.view %sums : !neuron.engine.buffer<psum, 32 x 64> -> !neuron.engine.view<psum[0:32], [1 x 16], f32>
  %s = neuron.engine.alloc "s" : !neuron.engine.buffer<sbuf, 32 x 100000>
  %m = neuron.engine.alloc "m" : !neuron.engine.buffer<sbuf, 32 x 80000>
  %o = neuron.engine.alloc "other" : !neuron.engine.buffer<sbuf, 32 x 80000>
  %vs = neuron.engine.view %s : !neuron.engine.buffer<sbuf, 32 x 100000> -> !neuron.engine.view<sbuf[0:32], [1 x 32], f32>
  %vm = neuron.engine.view %m : !neuron.engine.buffer<sbuf, 32 x 80000> -> !neuron.engine.view<sbuf[0:32], [1 x 16], f32>
  %vo = neuron.engine.view %o : !neuron.engine.buffer<sbuf, 32 x 80000> -> !neuron.engine.view<sbuf[0:32], [1 x 16], f32>
  neuron.engine.memset vector value 1.0 : f32 dst %vm : !neuron.engine.view<sbuf[0:32], [1 x 16], f32>
  neuron.engine.nc_matmul tensor dst %p : !neuron.engine.view<psum[0:32], [1 x 16], f32> stationary %vs : !neuron.engine.view<sbuf[0:32], [1 x 32], f32> moving %vm : !neuron.engine.view<sbuf[0:32], [1 x 16], f32>
  neuron.engine.tensor_copy vector dst %vo : !neuron.engine.view<sbuf[0:32], [1 x 16], f32> src %vm : !neuron.engine.view<sbuf[0:32], [1 x 16], f32>
  func.return
}

// CHECK-LABEL: func.func @leaves_alone_partitions_that_are_given
// CHECK: neuron.engine.alloc "a" at 0 from 64 :
// CHECK: neuron.engine.alloc "b" at 0 :
// CHECK: neuron.engine.alloc "c" at 100000 from 64 stride 1024 {depth = 2 : i64}
func.func @leaves_alone_partitions_that_are_given() {
  %a = neuron.engine.alloc "a" from 64 : !neuron.engine.buffer<sbuf, 32 x 100000>
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 64 x 100000>
  %c = neuron.engine.alloc "c" from 64 stride 1024 {depth = 2 : i64} : !neuron.engine.buffer<sbuf, 64 x 32>
  "test.op"(%a, %b, %c) : (!neuron.engine.buffer<sbuf, 32 x 100000>, !neuron.engine.buffer<sbuf, 64 x 100000>, !neuron.engine.buffer<sbuf, 64 x 32>) -> ()
  func.return
}
