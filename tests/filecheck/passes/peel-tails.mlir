// RUN: nki-opt %s -p peel-tails,canonicalize --split-input-file | filecheck %s
// RUN: nki-opt %s -p peel-tails,canonicalize --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_loop_and_its_tail
// CHECK: [[FULL:%.*]] = arith.constant 4 : index
// CHECK: scf.for {{%.*}} = {{%.*}} to [[FULL]]
// CHECK: neuron.mem.load {{%.*}}[{{%.*}}] strides [1] : memref
// CHECK: neuron.mem.store {{%.*}} to {{%.*}}[{{%.*}}] strides [1] : !neuron
// CHECK: }
// CHECK: [[REST:%.*]] = arith.constant 904 : index
// CHECK: neuron.mem.load {{%.*}}[{{%.*}}] strides [1] valid[[[REST]]]
// CHECK: neuron.mem.store {{.*}} valid[{{%.*}}]
func.func @a_loop_and_its_tail(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 5 : index
  %block = arith.constant 1024 : index
  %n = arith.constant 5000 : index
  scf.for %i = %c0 to %trips step %c1 {
    %first = arith.muli %i, %block : index
    %left = arith.subi %n, %first : index
    %some = arith.maxsi %left, %c0 : index
    %valid = arith.minsi %some, %block : index
    %v = neuron.mem.load %x[%first] strides [1] valid [%valid] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    %e = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %e to %x[%first] strides [1] valid [%valid] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<5000xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @what_a_tail_leaves_out_stays_undefined
// CHECK: neuron.mem.load {{%.*}}[{{%.*}}] strides [1] : memref
// CHECK: }
// CHECK: neuron.mem.load {{%.*}}[{{%.*}}] strides [1] valid[{{%.*}}] undefined : memref
func.func @what_a_tail_leaves_out_stays_undefined(%x: memref<5000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 5 : index
  %block = arith.constant 1024 : index
  %n = arith.constant 5000 : index
  scf.for %i = %c0 to %trips step %c1 {
    %first = arith.muli %i, %block : index
    %left = arith.subi %n, %first : index
    %some = arith.maxsi %left, %c0 : index
    %valid = arith.minsi %some, %block : index
    %v = neuron.mem.load %x[%first] strides [1] valid [%valid] undefined : memref<5000xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %v to %x[%first] strides [1] valid [%valid] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<5000xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @iterations_beyond_the_end_store_nothing
// CHECK: neuron.mem.store {{.*}} strides [1] : !neuron
// CHECK: neuron.mem.store {{.*}} valid
// CHECK-NOT: neuron.mem.store
// CHECK: func.return
func.func @iterations_beyond_the_end_store_nothing(%x: memref<3000xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 9 : index
  %block = arith.constant 1024 : index
  %n = arith.constant 3000 : index
  scf.for %i = %c0 to %trips step %c1 {
    %first = arith.muli %i, %block : index
    %left = arith.subi %n, %first : index
    %some = arith.maxsi %left, %c0 : index
    %valid = arith.minsi %some, %block : index
    %v = neuron.mem.load %x[%first] strides [1] valid [%valid] : memref<3000xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    %e = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %e to %x[%first] strides [1] valid [%valid] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<3000xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @leaves_alone
// CHECK: scf.for
// CHECK-NOT: valid
// CHECK-NOT: scf.for
// CHECK: func.return
func.func @leaves_alone(%x: memref<4096xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.constant 4 : index
  %block = arith.constant 1024 : index
  %n = arith.constant 4096 : index
  scf.for %i = %c0 to %trips step %c1 {
    %first = arith.muli %i, %block : index
    %left = arith.subi %n, %first : index
    %some = arith.maxsi %left, %c0 : index
    %valid = arith.minsi %some, %block : index
    %v = neuron.mem.load %x[%first] strides [1] valid [%valid] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    %e = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %e to %x[%first] strides [1] valid [%valid] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<4096xf32>
  }
  func.return
}

// The loop counts 2048, 4096, 6144; its last iteration has 856 valid elements of its own.
// CHECK-LABEL: func.func @a_loop_with_another_start_and_step
// CHECK: [[TRIPS:%.*]] = arith.constant 2 : index
// CHECK: scf.for {{%.*}} = {{%.*}} to [[TRIPS]] step
// CHECK: neuron.mem.load %x[{{%.*}}] strides [1] : memref<8192xf32>
// CHECK: arith.constant 856 : index
// CHECK-NEXT: neuron.mem.load %x[{{%.*}}] strides [1] valid{{.*}} : memref<8192xf32>
func.func @a_loop_with_another_start_and_step(%x: memref<8192xf32>) {
  %low = arith.constant 2048 : index
  %high = arith.constant 8192 : index
  %step = arith.constant 2048 : index
  %n = arith.constant 7000 : index
  %none = arith.constant 0 : index
  %all = arith.constant 1024 : index
  scf.for %k = %low to %high step %step {
    %left = arith.subi %n, %k : index
    %some = arith.maxsi %left, %none : index
    %valid = arith.minsi %some, %all : index
    %v = neuron.mem.load %x[%k] strides [1] valid [%valid] : memref<8192xf32> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
    neuron.mem.store %v to %x[%k] strides [1] valid [%valid] : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> memref<8192xf32>
  }
  func.return
}

// Blocks 0 to 10 are full, block 11 has two elements, the rest none: three bodies, two of which store.
// CHECK-LABEL: func.func @far_beyond_the_end
// CHECK-COUNT-2: neuron.mem.store
// CHECK-NOT: neuron.mem.store
// CHECK-LABEL: func.func @two_counters
// CHECK-COUNT-3: neuron.mem.load
// CHECK-NOT: neuron.mem.load
// CHECK: func.return
func.func @far_beyond_the_end(%x: memref<8192xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c20 = arith.constant 20 : index
  %end = arith.constant 90 : index
  scf.for %i = %c0 to %c20 step %c1 {
    %at = arith.muli %i, %c8 : index
    %left = arith.subi %end, %at : index
    %some = arith.maxsi %left, %c0 : index
    %valid = arith.minsi %some, %c8 : index
    %v = neuron.mem.load %x[%at] strides [1] valid [%valid] : memref<8192xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
    neuron.mem.store %v to %x[%at] strides [1] valid [%valid] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<8192xf32>
  }
  func.return
}

// The outer loop is cut first: one loop for its first iteration, two parts for its second.
func.func @two_counters(%x: memref<8192xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %end = arith.constant 90 : index
  scf.for %i = %c0 to %c2 step %c1 {
    scf.for %j = %c0 to %c8 step %c1 {
      %row = arith.muli %i, %c8 : index
      %block = arith.addi %row, %j : index
      %at = arith.muli %block, %c8 : index
      %left = arith.subi %end, %at : index
      %some = arith.maxsi %left, %c0 : index
      %valid = arith.minsi %some, %c8 : index
      %v = neuron.mem.load %x[%at] strides [1] valid [%valid] : memref<8192xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
      neuron.mem.store %v to %x[%at] strides [1] valid [%valid] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<8192xf32>
    }
  }
  func.return
}
