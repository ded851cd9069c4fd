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
    %v = neuron.mem.load %x[%first] strides [1] valid [%valid] : memref<5000xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
    %e = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
    neuron.mem.store %e to %x[%first] strides [1] valid [%valid] : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> memref<5000xf32>
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
    %v = neuron.mem.load %x[%first] strides [1] valid [%valid] undefined : memref<5000xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
    neuron.mem.store %v to %x[%first] strides [1] valid [%valid] : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> memref<5000xf32>
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
    %v = neuron.mem.load %x[%first] strides [1] valid [%valid] : memref<3000xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
    %e = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
    neuron.mem.store %e to %x[%first] strides [1] valid [%valid] : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> memref<3000xf32>
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
    %v = neuron.mem.load %x[%first] strides [1] valid [%valid] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
    %e = neuron.mem.unary exp %v : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]>
    neuron.mem.store %e to %x[%first] strides [1] valid [%valid] : !neuron.mem.tile<sbuf, 128 x [8] x f32, dim 0 of [1024]> -> memref<4096xf32>
  }
  func.return
}
