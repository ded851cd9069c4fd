// RUN: nki-opt %s -p place --split-input-file | filecheck %s
// RUN: nki-opt %s -p place --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @a_vector_folds_over_the_partitions
// CHECK: neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
// CHECK: neuron.mem.unary exp
// CHECK: neuron.mem.store
func.func @a_vector_folds_over_the_partitions(%x: memref<1024xf32>) {
  %v = tile.read %x [d0 by 1] : memref<1024xf32> -> tensor<1024xf32>
  %e = math.exp %v : tensor<1024xf32>
  tile.write %e to %x [d0 by 1] : tensor<1024xf32> -> memref<1024xf32>
  func.return
}

// To load it there, and to subtract there, takes less than to bring it there by another transfer.
// CHECK-LABEL: func.func @a_reduced_vector_lies_on_one_partition
// CHECK: [[ONE:%.*]] = neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 1024xf32, [] x [d0]>
// CHECK-NOT: neuron.mem.convert
// CHECK: neuron.mem.reduce max [[ONE]] axis 0
// CHECK: neuron.mem.binary subtract
func.func @a_reduced_vector_lies_on_one_partition(%x: memref<1024xf32>) {
  %v = tile.read %x [d0 by 1] : memref<1024xf32> -> tensor<1024xf32>
  %m = tile.reduce max %v axis 0 : tensor<1024xf32> -> f32
  %s = tile.splat %m : f32 -> tensor<1024xf32>
  %d = arith.subf %v, %s : tensor<1024xf32>
  tile.write %d to %x [d0 by 1] : tensor<1024xf32> -> memref<1024xf32>
  func.return
}

// CHECK-LABEL: func.func @a_long_vector_is_brought_to_one_partition
// CHECK: [[V:%.*]] = neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 2048xf32, [d0/16:128] x [d0:16]>
// CHECK: [[ONE:%.*]] = neuron.mem.convert [[V]] : {{.*}} -> !neuron.mem.tile<sbuf, 2048xf32, [] x [d0]>
// CHECK: neuron.mem.reduce max [[ONE]] axis 0
// CHECK: neuron.mem.broadcast
// CHECK: neuron.mem.binary subtract
func.func @a_long_vector_is_brought_to_one_partition(%x: memref<2048xf32>) {
  %v = tile.read %x [d0 by 1] : memref<2048xf32> -> tensor<2048xf32>
  %m = tile.reduce max %v axis 0 : tensor<2048xf32> -> f32
  %s = tile.splat %m : f32 -> tensor<2048xf32>
  %d = arith.subf %v, %s : tensor<2048xf32>
  tile.write %d to %x [d0 by 1] : tensor<2048xf32> -> memref<2048xf32>
  func.return
}

// Each reader of numbers that are only widened has its own, which lies as it wants: what is turned is narrow.
// CHECK-LABEL: func.func @widened_for_each_reader
// CHECK: [[X:%.*]] = neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 128x128xbf16, [d0] x [d1]>
// CHECK: [[T:%.*]] = neuron.mem.convert [[X]] : {{.*}} -> !neuron.mem.tile<sbuf, 128x128xbf16, [d1] x [d0]>
// CHECK: [[A:%.*]] = neuron.mem.cast [[X]]
// CHECK: [[B:%.*]] = neuron.mem.cast [[T]]
// CHECK: neuron.mem.reduce sum [[A]] axis 1
// CHECK: neuron.mem.binary multiply [[B]]
// CHECK-NOT: neuron.mem.convert {{.*}}sbuf, 128x128xf32
// CHECK: neuron.mem.matmul
func.func @widened_for_each_reader(%x: memref<128x128xbf16>, %y: memref<128x64xbf16>, %w: memref<128xf32>, %s: memref<128xf32>, %z: memref<128x64xf32>) {
  %a = tile.read %x [d0 by 128, d1 by 1] : memref<128x128xbf16> -> tensor<128x128xbf16>
  %wide = tile.cast %a : tensor<128x128xbf16> -> tensor<128x128xf32>
  %t = tile.reduce sum %wide axis 1 : tensor<128x128xf32> -> tensor<128xf32>
  tile.write %t to %s [d0 by 1] : tensor<128xf32> -> memref<128xf32>
  %f = tile.read %w [d0 by 1] : memref<128xf32> -> tensor<128xf32>
  %g = tile.expand_dims %f axis 0 : tensor<128xf32> -> tensor<1x128xf32>
  %h = tile.broadcast %g : tensor<1x128xf32> -> tensor<128x128xf32>
  %m = arith.mulf %wide, %h : tensor<128x128xf32>
  %n = tile.cast %m : tensor<128x128xf32> -> tensor<128x128xbf16>
  %b = tile.read %y [d0 by 64, d1 by 1] : memref<128x64xbf16> -> tensor<128x64xbf16>
  %c = tile.dot %n, %b over [1] x [0] : tensor<128x128xbf16>, tensor<128x64xbf16> -> tensor<128x64xf32>
  tile.write %c to %z [d0 by 64, d1 by 1] : tensor<128x64xf32> -> memref<128x64xf32>
  func.return
}

// CHECK-LABEL: func.func @a_product_has_k_on_the_partitions
// CHECK: [[A:%.*]] = neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
// CHECK: [[T:%.*]] = neuron.mem.convert [[A]] : {{.*}} -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
// CHECK: [[B:%.*]] = neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 32x16xf32, [d0] x [d1]>
// CHECK: [[Z:%.*]] = neuron.mem.accumulator : !neuron.mem.tile<psum, 64x16xf32, [d0] x [d1]>
// CHECK: [[P:%.*]] = neuron.mem.matmul [[T]], [[B]] acc [[Z]]
// CHECK: neuron.mem.convert [[P]]
func.func @a_product_has_k_on_the_partitions(%x: memref<64x32xf32>, %y: memref<32x16xf32>, %z: memref<64x16xf32>) {
  %a = tile.read %x [d0 by 32, d1 by 1] : memref<64x32xf32> -> tensor<64x32xf32>
  %b = tile.read %y [d0 by 16, d1 by 1] : memref<32x16xf32> -> tensor<32x16xf32>
  %d = tile.dot %a, %b over [1] x [0] : tensor<64x32xf32>, tensor<32x16xf32> -> tensor<64x16xf32>
  tile.write %d to %z [d0 by 16, d1 by 1] : tensor<64x16xf32> -> memref<64x16xf32>
  func.return
}

// CHECK-LABEL: func.func @a_row_is_loaded_onto_all_partitions
// CHECK: neuron.mem.load %x{{.*}} -> !neuron.mem.tile<sbuf, 4x16xf32, [d0] x [d1]>
// CHECK: [[ROW:%.*]] = neuron.mem.load %y [d0 by 1] {{.*}} -> !neuron.mem.tile<sbuf, 16xf32, [*:4] x [d0]>
// CHECK: [[ONE:%.*]] = neuron.mem.relabel [[ROW]] reshape [1, 16] : {{.*}} -> !neuron.mem.tile<sbuf, 1x16xf32, [*:4] x [d1]>
// CHECK: neuron.mem.broadcast [[ONE]] : {{.*}} -> !neuron.mem.tile<sbuf, 4x16xf32, [d0] x [d1]>
// CHECK-NOT: neuron.mem.convert
// CHECK: func.return
func.func @a_row_is_loaded_onto_all_partitions(%x: memref<4x16xf32>, %y: memref<16xf32>) {
  %a = tile.read %x [d0 by 16, d1 by 1] : memref<4x16xf32> -> tensor<4x16xf32>
  %row = tile.read %y [d0 by 1] : memref<16xf32> -> tensor<16xf32>
  %one = tile.expand_dims %row axis 0 : tensor<16xf32> -> tensor<1x16xf32>
  %all = tile.broadcast %one : tensor<1x16xf32> -> tensor<4x16xf32>
  %s = arith.addf %a, %all : tensor<4x16xf32>
  tile.write %s to %x [d0 by 16, d1 by 1] : tensor<4x16xf32> -> memref<4x16xf32>
  func.return
}

// CHECK-LABEL: func.func @rows_131
// CHECK: neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 131x8xf32, [d0/2:66] x [d0:2, d1]>
// CHECK: neuron.mem.reduce max {{.*}} -> !neuron.mem.tile<sbuf, 131xf32, [d0/2:66] x [d0:2]>
// CHECK-NOT: neuron.mem.convert
// CHECK: neuron.mem.store
func.func @rows_131(%x: memref<131x8xf32>, %y: memref<131xf32>) {
  %v = tile.read %x [d0 by 8, d1 by 1] : memref<131x8xf32> -> tensor<131x8xf32>
  %m = tile.reduce max %v axis 1 : tensor<131x8xf32> -> tensor<131xf32>
  tile.write %m to %y [d0 by 1] : tensor<131xf32> -> memref<131xf32>
  func.return
}

// CHECK-LABEL: func.func @rows_257
// CHECK: neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 257x8xf32, [d0/3:86] x [d0:3, d1]>
// CHECK: neuron.mem.reduce max {{.*}} -> !neuron.mem.tile<sbuf, 257xf32, [d0/3:86] x [d0:3]>
// CHECK-NOT: neuron.mem.convert
// CHECK: neuron.mem.store
func.func @rows_257(%x: memref<257x8xf32>, %y: memref<257xf32>) {
  %v = tile.read %x [d0 by 8, d1 by 1] : memref<257x8xf32> -> tensor<257x8xf32>
  %m = tile.reduce max %v axis 1 : tensor<257x8xf32> -> tensor<257xf32>
  tile.write %m to %y [d0 by 1] : tensor<257xf32> -> memref<257xf32>
  func.return
}

// CHECK-LABEL: func.func @rows_1021
// CHECK: neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 1021x8xf32, [d0/8:128] x [d0:8, d1]>
// CHECK: neuron.mem.reduce max {{.*}} -> !neuron.mem.tile<sbuf, 1021xf32, [d0/8:128] x [d0:8]>
// CHECK-NOT: neuron.mem.convert
// CHECK: neuron.mem.store
func.func @rows_1021(%x: memref<1021x8xf32>, %y: memref<1021xf32>) {
  %v = tile.read %x [d0 by 8, d1 by 1] : memref<1021x8xf32> -> tensor<1021x8xf32>
  %m = tile.reduce max %v axis 1 : tensor<1021x8xf32> -> tensor<1021xf32>
  tile.write %m to %y [d0 by 1] : tensor<1021xf32> -> memref<1021xf32>
  func.return
}

// Sums are stored by two, a word of HBM.
// CHECK-LABEL: func.func @a_row_and_a_column_sum_have_a_layout_each
// CHECK: [[V:%.*]] = neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 257x200xf32, [d0/3:86] x [d0:3, d1]>
// CHECK: [[W:%.*]] = neuron.mem.convert [[V]] : {{.*}} -> !neuron.mem.tile<sbuf, 257x200xf32, [d1/2:100] x [d1:2, d0]>
// CHECK: neuron.mem.reduce sum [[V]] axis 1 : {{.*}} -> !neuron.mem.tile<sbuf, 257xf32, [d0/3:86] x [d0:3]>
// CHECK: neuron.mem.reduce sum [[W]] axis 0 : {{.*}} -> !neuron.mem.tile<sbuf, 200xf32, [d0/2:100] x [d0:2]>
func.func @a_row_and_a_column_sum_have_a_layout_each(%x: memref<257x200xf32>, %r: memref<257xf32>, %c: memref<200xf32>) {
  %v = tile.read %x [d0 by 200, d1 by 1] : memref<257x200xf32> -> tensor<257x200xf32>
  %m = tile.reduce sum %v axis 1 : tensor<257x200xf32> -> tensor<257xf32>
  %n = tile.reduce sum %v axis 0 : tensor<257x200xf32> -> tensor<200xf32>
  tile.write %m to %r [d0 by 1] : tensor<257xf32> -> memref<257xf32>
  tile.write %n to %c [d0 by 1] : tensor<200xf32> -> memref<200xf32>
  func.return
}

// CHECK-LABEL: func.func @a_mask_of_columns_is_made_on_all_partitions
// CHECK: [[M:%.*]] = neuron.mem.mask{{.*}} -> !neuron.mem.tile<sbuf, 512xi1, [*:128] x [d0]>
// CHECK: neuron.mem.relabel [[M]] reshape [1, 512] : {{.*}} -> !neuron.mem.tile<sbuf, 1x512xi1, [*:128] x [d1]>
// CHECK: neuron.mem.broadcast {{.*}} -> !neuron.mem.tile<sbuf, 128x512xi1, [d0] x [d1]>
// CHECK-NOT: neuron.mem.convert
// CHECK: neuron.mem.select {{.*}} -> !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
func.func @a_mask_of_columns_is_made_on_all_partitions(%x: memref<128x512xf32>, %n: index) {
  %low = arith.constant 0.0 : f32
  %v = tile.read %x [d0 by 512, d1 by 1] : memref<128x512xf32> -> tensor<128x512xf32>
  %i = tile.arange 0 to 512 : tensor<512xindex>
  %w = arith.constant 300 : index
  %nn = tile.splat %w : index -> tensor<512xindex>
  %k = tile.compare lt %i, %nn : tensor<512xindex>, tensor<512xindex> -> tensor<512xi1>
  %k1 = tile.expand_dims %k axis 0 : tensor<512xi1> -> tensor<1x512xi1>
  %k2 = tile.broadcast %k1 : tensor<1x512xi1> -> tensor<128x512xi1>
  %z = tile.splat %low : f32 -> tensor<128x512xf32>
  %s = tile.select %k2, %v, %z : tensor<128x512xi1>, tensor<128x512xf32>, tensor<128x512xf32> -> tensor<128x512xf32>
  tile.write %s to %x [d0 by 512, d1 by 1] : tensor<128x512xf32> -> memref<128x512xf32>
  func.return
}

// CHECK-LABEL: func.func @a_row_is_loaded_for_rows_that_fold
// CHECK: neuron.mem.load %x{{.*}} -> !neuron.mem.tile<sbuf, 1021x64xf32, {{\[d0.*}} x [{{.*}}d1]>
// CHECK: neuron.mem.load %y{{.*}} -> !neuron.mem.tile<sbuf, 64xf32, [*:128] x [d0]>
// CHECK-NOT: neuron.mem.convert
// CHECK: neuron.mem.binary add {{.*}} -> !neuron.mem.tile<sbuf, 1021x64xf32, {{\[d0.*}} x [{{.*}}d1]>
func.func @a_row_is_loaded_for_rows_that_fold(%x: memref<1021x64xf32>, %y: memref<64xf32>) {
  %a = tile.read %x [d0 by 64, d1 by 1] : memref<1021x64xf32> -> tensor<1021x64xf32>
  %row = tile.read %y [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  %one = tile.expand_dims %row axis 0 : tensor<64xf32> -> tensor<1x64xf32>
  %all = tile.broadcast %one : tensor<1x64xf32> -> tensor<1021x64xf32>
  %s = arith.addf %a, %all : tensor<1021x64xf32>
  tile.write %s to %x [d0 by 64, d1 by 1] : tensor<1021x64xf32> -> memref<1021x64xf32>
  func.return
}

// CHECK-LABEL: func.func @a_row_is_computed_on_all_partitions
// CHECK: neuron.mem.load %y{{.*}} -> !neuron.mem.tile<sbuf, 64xf32, [*:128] x [d0]>
// CHECK: neuron.mem.unary exp {{.*}} -> !neuron.mem.tile<sbuf, 64xf32, [*:128] x [d0]>
// CHECK-NOT: neuron.mem.convert
// CHECK: neuron.mem.binary add {{.*}} -> !neuron.mem.tile<sbuf, 1021x64xf32, {{\[d0.*}} x [{{.*}}d1]>
func.func @a_row_is_computed_on_all_partitions(%x: memref<1021x64xf32>, %y: memref<64xf32>) {
  %a = tile.read %x [d0 by 64, d1 by 1] : memref<1021x64xf32> -> tensor<1021x64xf32>
  %row = tile.read %y [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  %e = math.exp %row : tensor<64xf32>
  %one = tile.expand_dims %e axis 0 : tensor<64xf32> -> tensor<1x64xf32>
  %all = tile.broadcast %one : tensor<1x64xf32> -> tensor<1021x64xf32>
  %s = arith.addf %a, %all : tensor<1021x64xf32>
  tile.write %s to %x [d0 by 64, d1 by 1] : tensor<1021x64xf32> -> memref<1021x64xf32>
  func.return
}

// CHECK-LABEL: func.func @what_a_loop_carries_lies_alike_in_and_around_it
// CHECK: [[F:%.*]] = neuron.mem.fill {{.*}} -> !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = [[F]]) -> (!neuron.mem.tile<sbuf, 128xf32, [d0] x []>)
// CHECK: neuron.mem.reduce sum {{.*}} -> !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
// CHECK-NOT: neuron.mem.convert
// CHECK: scf.yield %{{.*}} : !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
func.func @what_a_loop_carries_lies_alike_in_and_around_it(%x: memref<65536xf32>, %y: memref<128xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = arith.constant 8 : index
  %w = arith.constant 8192 : index
  %f = arith.constant 0.0 : f32
  %init = tile.splat %f : f32 -> tensor<128xf32>
  %r = scf.for %i = %zero to %n step %one iter_args(%acc = %init) -> (tensor<128xf32>) {
    %o = arith.muli %i, %w : index
    %v = tile.read %x(%o) [d0 by 64, s0 + d1 by 1] : memref<65536xf32> -> tensor<128x64xf32>
    %s = tile.reduce sum %v axis 1 : tensor<128x64xf32> -> tensor<128xf32>
    %t = arith.addf %acc, %s : tensor<128xf32>
    scf.yield %t : tensor<128xf32>
  }
  tile.write %r to %y [d0 by 1] : tensor<128xf32> -> memref<128xf32>
  func.return
}

// CHECK-LABEL: func.func @three_dimensions
// CHECK: neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 8x131x64xf32, [d1/2:66] x [d1:2, d0, d2]>
// CHECK: neuron.mem.convert {{.*}} -> !neuron.mem.tile<sbuf, 8x131x64xf32, [d2] x [d0, d1]>
// CHECK: neuron.mem.reduce sum {{.*}} axis 1 : {{.*}} -> !neuron.mem.tile<sbuf, 8x64xf32, [d1] x [d0]>
func.func @three_dimensions(%x: memref<8x131x64xf32>, %y: memref<8x64xf32>) {
  %v = tile.read %x [d0 by 8384, d1 by 64, d2 by 1] : memref<8x131x64xf32> -> tensor<8x131x64xf32>
  %e = math.exp %v : tensor<8x131x64xf32>
  %s = tile.reduce sum %e axis 1 : tensor<8x131x64xf32> -> tensor<8x64xf32>
  tile.write %s to %y [d0 by 64, d1 by 1] : tensor<8x64xf32> -> memref<8x64xf32>
  func.return
}

// CHECK-LABEL: func.func @a_scalar
// CHECK: neuron.mem.load {{.*}} [{{(0|s0)}} by 1] {{.*}} -> !neuron.mem.tile<sbuf, f32, [] x []>
// CHECK: neuron.mem.unary exp
// CHECK: neuron.mem.store {{.*}} [{{(0|s0)}} by 1]
func.func @a_scalar(%x: memref<8xf32>) {
  %v = tile.read %x [0 by 1] : memref<8xf32> -> f32
  %e = math.exp %v : f32
  tile.write %e to %x [0 by 1] : f32 -> memref<8xf32>
  func.return
}

// What is stored by rows has its rows on the partitions, whichever operand has to be turned: in runs, as short rows that
// follow one another in memory are a long one.
// CHECK-LABEL: func.func @a_product_that_is_stored
// CHECK: [[P:%.*]] = neuron.mem.matmul {{.*}} -> !neuron.mem.tile<psum, 512x512xf32, [d0/4:128] x [d0:4, d1]>
// CHECK-NEXT: [[C:%.*]] = neuron.mem.convert [[P]]
// CHECK-NEXT: [[H:%.*]] = neuron.mem.cast [[C]]
// CHECK-NEXT: neuron.mem.store [[H]]
func.func @a_product_that_is_stored(%x: memref<512x64xbf16>, %y: memref<64x512xbf16>, %z: memref<512x512xbf16>) {
  %a = tile.read %x [d0 by 64, d1 by 1] : memref<512x64xbf16> -> tensor<512x64xbf16>
  %b = tile.read %y [d0 by 512, d1 by 1] : memref<64x512xbf16> -> tensor<64x512xbf16>
  %d = tile.dot %a, %b over [1] x [0] : tensor<512x64xbf16>, tensor<64x512xbf16> -> tensor<512x512xf32>
  %h = tile.cast %d : tensor<512x512xf32> -> tensor<512x512xbf16>
  tile.write %h to %z [d0 by 512, d1 by 1] : tensor<512x512xbf16> -> memref<512x512xbf16>
  func.return
}

// Dealt out, where rows that are stored lie apart.
// CHECK-LABEL: func.func @a_product_of_rows_apart
// CHECK: neuron.mem.matmul {{.*}} -> !neuron.mem.tile<psum, 512x512xf32, [d0:128] x [d0/128:4, d1]>
func.func @a_product_of_rows_apart(%x: memref<512x64xbf16>, %y: memref<64x512xbf16>, %z: memref<512x2048xbf16>) {
  %a = tile.read %x [d0 by 64, d1 by 1] : memref<512x64xbf16> -> tensor<512x64xbf16>
  %b = tile.read %y [d0 by 512, d1 by 1] : memref<64x512xbf16> -> tensor<64x512xbf16>
  %d = tile.dot %a, %b over [1] x [0] : tensor<512x64xbf16>, tensor<64x512xbf16> -> tensor<512x512xf32>
  %h = tile.cast %d : tensor<512x512xf32> -> tensor<512x512xbf16>
  tile.write %h to %z [d0 by 2048, d1 by 1] : tensor<512x512xbf16> -> memref<512x2048xbf16>
  func.return
}

// Dealt out, where a product takes several steps.
// CHECK-LABEL: func.func @a_product_of_many_terms
// CHECK: neuron.mem.matmul {{.*}} -> !neuron.mem.tile<psum, 512x512xf32, [d0:128] x [d0/128:4, d1]>
func.func @a_product_of_many_terms(%x: memref<512x256xbf16>, %y: memref<256x512xbf16>, %z: memref<512x512xbf16>) {
  %a = tile.read %x [d0 by 256, d1 by 1] : memref<512x256xbf16> -> tensor<512x256xbf16>
  %b = tile.read %y [d0 by 512, d1 by 1] : memref<256x512xbf16> -> tensor<256x512xbf16>
  %d = tile.dot %a, %b over [1] x [0] : tensor<512x256xbf16>, tensor<256x512xbf16> -> tensor<512x512xf32>
  %h = tile.cast %d : tensor<512x512xf32> -> tensor<512x512xbf16>
  tile.write %h to %z [d0 by 512, d1 by 1] : tensor<512x512xbf16> -> memref<512x512xbf16>
  func.return
}

// The next product takes it with its columns on the partitions: it is made so, with the right operand stationary.
// CHECK-LABEL: func.func @a_product_for_a_product
// CHECK: [[A:%.*]] = neuron.mem.load %x{{.*}} -> !neuron.mem.tile<sbuf, 128x512xbf16, [d0] x [d1]>
// CHECK: [[B:%.*]] = neuron.mem.load %y{{.*}} -> !neuron.mem.tile<sbuf, 128x128xbf16, [d0] x [d1]>
// CHECK: [[L:%.*]] = neuron.mem.relabel [[B]] permute [1, 0]
// CHECK: [[S:%.*]] = neuron.mem.matmul [[L]], {{%.*}} acc {{.*}} -> !neuron.mem.tile<psum, 128x512xf32, [d0] x [d1]>
// CHECK: [[T:%.*]] = neuron.mem.relabel [[S]] permute [1, 0] : {{.*}} -> !neuron.mem.tile<psum, 512x128xf32, [d1] x [d0]>
// CHECK: [[C:%.*]] = neuron.mem.convert [[T]] : {{.*}} -> !neuron.mem.tile<sbuf, 512x128xf32, [d1] x [d0]>
// CHECK: neuron.mem.unary exp [[C]]
// CHECK-NOT: neuron.mem.convert {{.*}}bf16
// CHECK: neuron.mem.matmul
func.func @a_product_for_a_product(%x: memref<128x512xbf16>, %y: memref<128x128xbf16>, %v: memref<128x128xbf16>, %z: memref<512x128xf32>) {
  %a = tile.read %x [d0 by 512, d1 by 1] : memref<128x512xbf16> -> tensor<128x512xbf16>
  %b = tile.read %y [d0 by 128, d1 by 1] : memref<128x128xbf16> -> tensor<128x128xbf16>
  %w = tile.read %v [d0 by 128, d1 by 1] : memref<128x128xbf16> -> tensor<128x128xbf16>
  %q = tile.permute %a order [1, 0] : tensor<128x512xbf16> -> tensor<512x128xbf16>
  %s = tile.dot %q, %b over [1] x [0] : tensor<512x128xbf16>, tensor<128x128xbf16> -> tensor<512x128xf32>
  %e = math.exp %s : tensor<512x128xf32>
  %p = tile.cast %e : tensor<512x128xf32> -> tensor<512x128xbf16>
  %d = tile.dot %p, %w over [1] x [0] : tensor<512x128xbf16>, tensor<128x128xbf16> -> tensor<512x128xf32>
  tile.write %d to %z [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
  func.return
}

// CHECK-LABEL: func.func @terms_are_dealt_out_and_rows_do_not_cross_banks
// CHECK: [[A:%.*]] = neuron.mem.load %x{{.*}} -> !neuron.mem.tile<sbuf, 200x257xf32, [d0/2:100] x [d0:2, d1]>
// CHECK: [[T:%.*]] = neuron.mem.convert [[A]] : {{.*}} -> !neuron.mem.tile<sbuf, 200x257xf32, [d1:128] x [d1/128:3, d0]>
// CHECK: [[E:%.*]] = neuron.mem.unary exp {{.*}} -> !neuron.mem.tile<sbuf, 257x600xf32, [d0:128] x [d0/128:3, d1]>
// CHECK: [[Z:%.*]] = neuron.mem.accumulator : !neuron.mem.tile<psum, 200x600xf32, [d0:128] x [d0/128:2, d1:1024]>
// CHECK: neuron.mem.matmul [[T]], [[E]] acc [[Z]]
// CHECK: neuron.mem.convert {{.*}} -> !neuron.mem.tile<sbuf, 200x600xf32, [d0:128] x [d0/128:2, d1]>
func.func @terms_are_dealt_out_and_rows_do_not_cross_banks(%x: memref<200x257xf32>, %y: memref<257x600xf32>, %z: memref<200x600xf32>) {
  %a = tile.read %x [d0 by 257, d1 by 1] : memref<200x257xf32> -> tensor<200x257xf32>
  %b = tile.read %y [d0 by 600, d1 by 1] : memref<257x600xf32> -> tensor<257x600xf32>
  %e = math.exp %b : tensor<257x600xf32>
  %d = tile.dot %a, %e over [1] x [0] : tensor<200x257xf32>, tensor<257x600xf32> -> tensor<200x600xf32>
  tile.write %d to %z [d0 by 600, d1 by 1] : tensor<200x600xf32> -> memref<200x600xf32>
  func.return
}

// CHECK-LABEL: func.func @a_turned_tile_meets_one_that_is_not
// CHECK: neuron.mem.load %x
// CHECK: [[T:%.*]] = neuron.mem.relabel {{.*}} permute [1, 0] : {{.*}} -> !neuron.mem.tile<sbuf, 64x200xf32, 
// CHECK: neuron.mem.binary add {{.*}} -> !neuron.mem.tile<sbuf, 64x200xf32, [d0] x [d1]>
func.func @a_turned_tile_meets_one_that_is_not(%x: memref<200x64xf32>, %y: memref<64x200xf32>) {
  %a = tile.read %x [d0 by 64, d1 by 1] : memref<200x64xf32> -> tensor<200x64xf32>
  %e = math.exp %a : tensor<200x64xf32>
  %t = tile.permute %e order [1, 0] : tensor<200x64xf32> -> tensor<64x200xf32>
  %b = tile.read %y [d0 by 200, d1 by 1] : memref<64x200xf32> -> tensor<64x200xf32>
  %s = arith.addf %t, %b : tensor<64x200xf32>
  tile.write %s to %y [d0 by 200, d1 by 1] : tensor<64x200xf32> -> memref<64x200xf32>
  func.return
}

// CHECK-LABEL: func.func @constants_stay_scalars_and_indices_are_counted
// CHECK: [[C:%.*]] = neuron.mem.mask{{.*}} -> !neuron.mem.tile<sbuf, 1024xi1, [d0/8:128] x [d0:8]>
// CHECK: neuron.mem.select [[C]], %{{.*}}, %{{.*}} : !neuron.mem.tile<sbuf, 1024xi1, [d0/8:128] x [d0:8]>, f32, f32
// CHECK: [[I:%.*]] = neuron.mem.iota %{{.*}} strides [1] -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
// CHECK: neuron.mem.binary multiply [[I]], {{.*}}, f32 -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
func.func @constants_stay_scalars_and_indices_are_counted(%x: memref<1024xf32>) {
  %limit = arith.constant 1000 : index
  %low = arith.constant 0.5 : f32
  %minus = arith.constant -1.0 : f32
  %i = tile.arange 0 to 1024 : tensor<1024xindex>
  %n = tile.splat %limit : index -> tensor<1024xindex>
  %m = tile.compare lt %i, %n : tensor<1024xindex>, tensor<1024xindex> -> tensor<1024xi1>
  %a = tile.splat %low : f32 -> tensor<1024xf32>
  %b = tile.splat %minus : f32 -> tensor<1024xf32>
  %s = tile.select %m, %a, %b : tensor<1024xi1>, tensor<1024xf32>, tensor<1024xf32> -> tensor<1024xf32>
  %k = tile.cast %i : tensor<1024xindex> -> tensor<1024xf32>
  %d = arith.mulf %k, %a : tensor<1024xf32>
  %r = arith.addf %d, %s : tensor<1024xf32>
  tile.write %r to %x [d0 by 1] : tensor<1024xf32> -> memref<1024xf32>
  func.return
}

// CHECK-LABEL: func.func @leaves_alone
// CHECK-NOT: neuron.mem
// CHECK: func.return
func.func @leaves_alone(%i: index) {
  %two = arith.constant 2 : index
  %j = arith.muli %i, %two : index
  "test.op"(%j) : (index) -> ()
  func.return
}

// CHECK-LABEL: func.func @an_operation_on_constants_is_filled
// CHECK: [[A:%.*]] = neuron.mem.fill {{%.*}} : f32 -> !neuron.mem.tile<sbuf, 8xf32, {{.*}}
// CHECK: [[B:%.*]] = neuron.mem.binary divide [[A]], {{%.*}}
// CHECK: [[C:%.*]] = neuron.mem.fill {{%.*}} : f32
// CHECK: [[D:%.*]] = neuron.mem.unary exp [[C]]
// CHECK: neuron.mem.binary add [[B]], [[D]]
func.func @an_operation_on_constants_is_filled(%x: memref<8xf32>) {
  %two = arith.constant 2.0 : f32
  %twos = tile.splat %two : f32 -> tensor<8xf32>
  %a = arith.divf %twos, %twos : tensor<8xf32>
  %b = math.exp %twos : tensor<8xf32>
  %c = arith.addf %a, %b : tensor<8xf32>
  tile.write %c to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// CHECK-LABEL: func.func @unsigned_constants_are_their_bits
// CHECK: [[C:%.*]] = arith.constant -56 : i8
// CHECK: neuron.mem.binary bitwise_and {{%.*}}, [[C]] : !neuron.mem.tile<sbuf, 8xui8, {{[^>]*}}>, i8
func.func @unsigned_constants_are_their_bits(%x: memref<8xui8>) {
  %c = arith.constant 200 : index
  %narrow = tile.cast %c : index -> ui8
  %all = tile.splat %narrow : ui8 -> tensor<8xui8>
  %v = tile.read %x [d0 by 1] : memref<8xui8> -> tensor<8xui8>
  %a = "arith.andi"(%v, %all) : (tensor<8xui8>, tensor<8xui8>) -> tensor<8xui8>
  tile.write %a to %x [d0 by 1] : tensor<8xui8> -> memref<8xui8>
  func.return
}

// CHECK-LABEL: func.func @a_shift_with_the_sign
// CHECK: [[SIGN:%.*]] = arith.constant 16 : i8
// CHECK: [[A:%.*]] = neuron.mem.binary right_shift
// CHECK: [[B:%.*]] = neuron.mem.binary bitwise_xor [[A]], [[SIGN]]
// CHECK: neuron.mem.binary subtract [[B]], [[SIGN]]
func.func @a_shift_with_the_sign(%x: memref<8xi8>) {
  %three = arith.constant 3 : i8
  %by = tile.splat %three : i8 -> tensor<8xi8>
  %v = tile.read %x [d0 by 1] : memref<8xi8> -> tensor<8xi8>
  %a = arith.shrsi %v, %by : tensor<8xi8>
  tile.write %a to %x [d0 by 1] : tensor<8xi8> -> memref<8xi8>
  func.return
}

// CHECK-LABEL: func.func @a_dimension_of_one_is_dropped
// CHECK-NOT: neuron.mem.reduce
// CHECK: neuron.mem.relabel {{.*}} -> !neuron.mem.tile<sbuf, 8xf32, {{[^>]*}}>
// CHECK: neuron.mem.store
func.func @a_dimension_of_one_is_dropped(%x: memref<8xf32>) {
  %v = tile.read %x [d0 by 1, d1 by 1] : memref<8xf32> -> tensor<8x1xf32>
  %a = tile.reduce sum %v axis 1 : tensor<8x1xf32> -> tensor<8xf32>
  tile.write %a to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// CHECK-LABEL: func.func @indices_are_numbers
// CHECK: [[A:%.*]] = neuron.mem.iota {{%.*}} strides [3] -> !neuron.mem.tile<sbuf, 8xi32, {{[^>]*}}>
// CHECK: neuron.mem.cast [[A]] : {{.*}} -> !neuron.mem.tile<sbuf, 8xi8, {{[^>]*}}>
func.func @indices_are_numbers(%x: memref<8xi8>) {
  %range = tile.arange 0 to 8 : tensor<8xindex>
  %three = arith.constant 3 : index
  %threes = tile.splat %three : index -> tensor<8xindex>
  %steps = arith.muli %range, %threes : tensor<8xindex>
  %a = tile.cast %steps : tensor<8xindex> -> tensor<8xi8>
  tile.write %a to %x [d0 by 1] : tensor<8xi8> -> memref<8xi8>
  func.return
}

// CHECK-LABEL: func.func @a_comparison_of_two_dimensions_is_a_mask
// CHECK: neuron.mem.mask [d0 + -1 * d1 in 0 to * by 0] -> !neuron.mem.tile<sbuf, 8x8xi1, [d0] x [d1]>
func.func @a_comparison_of_two_dimensions_is_a_mask(%x: memref<64xf32>) {
  %range = tile.arange 0 to 8 : tensor<8xindex>
  %c = tile.expand_dims %range axis 1 : tensor<8xindex> -> tensor<8x1xindex>
  %r = tile.expand_dims %range axis 0 : tensor<8xindex> -> tensor<1x8xindex>
  %rows = tile.broadcast %c : tensor<8x1xindex> -> tensor<8x8xindex>
  %columns = tile.broadcast %r : tensor<1x8xindex> -> tensor<8x8xindex>
  %mask = tile.compare ge %rows, %columns : tensor<8x8xindex>, tensor<8x8xindex> -> tensor<8x8xi1>
  %v = tile.read %x [d0 by 8, d1 by 1] : memref<64xf32> -> tensor<8x8xf32>
  %none = arith.constant 0.0 : f32
  %zeros = tile.splat %none : f32 -> tensor<8x8xf32>
  %a = tile.select %mask, %v, %zeros : tensor<8x8xi1>, tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  tile.write %a to %x [d0 by 8, d1 by 1] : tensor<8x8xf32> -> memref<64xf32>
  func.return
}

// CHECK-LABEL: func.func @a_comparison_of_two_sides_is_one_of_numbers
// CHECK: [[D:%.*]] = neuron.mem.iota {{%.*}} strides [1, -1] -> !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>
// CHECK: neuron.mem.binary not_equal [[D]], {{%.*}}
func.func @a_comparison_of_two_sides_is_one_of_numbers(%x: memref<64xf32>) {
  %range = tile.arange 0 to 8 : tensor<8xindex>
  %c = tile.expand_dims %range axis 1 : tensor<8xindex> -> tensor<8x1xindex>
  %r = tile.expand_dims %range axis 0 : tensor<8xindex> -> tensor<1x8xindex>
  %rows = tile.broadcast %c : tensor<8x1xindex> -> tensor<8x8xindex>
  %columns = tile.broadcast %r : tensor<1x8xindex> -> tensor<8x8xindex>
  %mask = tile.compare ne %rows, %columns : tensor<8x8xindex>, tensor<8x8xindex> -> tensor<8x8xi1>
  %v = tile.read %x [d0 by 8, d1 by 1] : memref<64xf32> -> tensor<8x8xf32>
  %none = arith.constant 0.0 : f32
  %zeros = tile.splat %none : f32 -> tensor<8x8xf32>
  %a = tile.select %mask, %v, %zeros : tensor<8x8xi1>, tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  tile.write %a to %x [d0 by 8, d1 by 1] : tensor<8x8xf32> -> memref<64xf32>
  func.return
}

// CHECK-LABEL: func.func @what_is_left_out_stays_undefined
// CHECK: neuron.mem.load %y [d0 in 0 to 3 by 1] undefined : memref<16xf32>
// CHECK: neuron.mem.load {{.*}} undefined : memref<4x16xf32>
func.func @what_is_left_out_stays_undefined(%x: memref<4x16xf32>, %y: memref<16xf32>) {
  %row = tile.read %y [d0 in 0 to 3 by 1] undefined : memref<16xf32> -> tensor<16xf32>
  %one = tile.expand_dims %row axis 0 : tensor<16xf32> -> tensor<1x16xf32>
  %all = tile.broadcast %one : tensor<1x16xf32> -> tensor<4x16xf32>
  %a = tile.read %x [d0 in 0 to 3 by 16, d1 in 0 to 3 by 1] undefined : memref<4x16xf32> -> tensor<4x16xf32>
  %s = arith.addf %a, %all : tensor<4x16xf32>
  tile.write %s to %x [d0 by 16, d1 by 1] : tensor<4x16xf32> -> memref<4x16xf32>
  func.return
}

// CHECK-LABEL: func.func @what_merges_stays_where_it_is
// CHECK: [[X:%.*]] = neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 100x64xf32, [d0] x [d1]>
// CHECK: neuron.mem.relabel [[X]] reshape [6400] : {{.*}} -> !neuron.mem.tile<sbuf, 6400xf32, [d0/64:100] x [d0:64]>
// CHECK-NOT: neuron.mem.convert
// CHECK: func.return
func.func @what_merges_stays_where_it_is(%x: memref<100x64xf32>, %y: memref<6400xf32>) {
  %zero = arith.constant 0 : index
  %v = tile.read %x [d0 by 64, d1 by 1] : memref<100x64xf32> -> tensor<100x64xf32>
  %m = tile.reduce max %v axis 1 : tensor<100x64xf32> -> tensor<100xf32>
  %c = tile.expand_dims %m axis 1 : tensor<100xf32> -> tensor<100x1xf32>
  %b = tile.broadcast %c : tensor<100x1xf32> -> tensor<100x64xf32>
  %s = arith.subf %v, %b : tensor<100x64xf32>
  %r = tile.reshape %v : tensor<100x64xf32> -> tensor<6400xf32>
  %q = tile.reshape %s : tensor<100x64xf32> -> tensor<6400xf32>
  %t = arith.addf %r, %q : tensor<6400xf32>
  tile.write %t to %y [d0 by 1] : tensor<6400xf32> -> memref<6400xf32>
  func.return
}

// CHECK-LABEL: func.func @several_dimensions_become_several_others
// CHECK: neuron.mem.relabel {{.*}} reshape [68121] : !neuron.mem.tile<sbuf, 261x261xf32, {{.*}}> -> !neuron.mem.tile<sbuf, 68121xf32,
// CHECK: neuron.mem.relabel {{.*}} reshape [87, 783] : !neuron.mem.tile<sbuf, 68121xf32, {{.*}}> -> !neuron.mem.tile<sbuf, 87x783xf32, [d0] x [d1]>
func.func @several_dimensions_become_several_others(%x: memref<261x261xf32>, %y: memref<87xf32>) {
  %zero = arith.constant 0 : index
  %v = tile.read %x [d0 by 261, d1 by 1] : memref<261x261xf32> -> tensor<261x261xf32>
  %r = tile.reshape %v : tensor<261x261xf32> -> tensor<87x783xf32>
  %m = tile.reduce max %r axis 1 : tensor<87x783xf32> -> tensor<87xf32>
  tile.write %m to %y [d0 by 1] : tensor<87xf32> -> memref<87xf32>
  func.return
}

// CHECK-LABEL: func.func @an_order_of_three_dimensions
// CHECK: neuron.mem.relabel {{.*}} permute [1, 2, 0]
func.func @an_order_of_three_dimensions(%x: memref<4x5x6xf32>, %y: memref<5x6x4xf32>) {
  %zero = arith.constant 0 : index
  %v = tile.read %x [d0 by 30, d1 by 6, d2 by 1] : memref<4x5x6xf32> -> tensor<4x5x6xf32>
  %p = tile.permute %v order [1, 2, 0] : tensor<4x5x6xf32> -> tensor<5x6x4xf32>
  tile.write %p to %y [d0 by 24, d1 by 4, d2 by 1] : tensor<5x6x4xf32> -> memref<5x6x4xf32>
  func.return
}

// CHECK-LABEL: func.func @reshaped_indices_without_a_stride
// CHECK: [[I:%.*]] = neuron.mem.iota {{.*}} strides [100, 1] -> !neuron.mem.tile<sbuf, 4x4xf32,
// CHECK: neuron.mem.relabel [[I]] reshape [16]
func.func @reshaped_indices_without_a_stride(%y: memref<16xf32>) {
  %zero = arith.constant 0 : index
  %hundred = arith.constant 100 : index
  %a = tile.arange 0 to 4 : tensor<4xindex>
  %h = tile.splat %hundred : index -> tensor<4xindex>
  %ah = arith.muli %a, %h : tensor<4xindex>
  %c = tile.expand_dims %ah axis 1 : tensor<4xindex> -> tensor<4x1xindex>
  %r = tile.expand_dims %a axis 0 : tensor<4xindex> -> tensor<1x4xindex>
  %cb = tile.broadcast %c : tensor<4x1xindex> -> tensor<4x4xindex>
  %rb = tile.broadcast %r : tensor<1x4xindex> -> tensor<4x4xindex>
  %s = arith.addi %cb, %rb : tensor<4x4xindex>
  %f = tile.reshape %s : tensor<4x4xindex> -> tensor<16xindex>
  %n = tile.cast %f : tensor<16xindex> -> tensor<16xf32>
  tile.write %n to %y [d0 by 1] : tensor<16xf32> -> memref<16xf32>
  func.return
}

// The initial element lies as what is scanned without the axis. A constant is a scalar, or one element that is read over
// and over.
// CHECK-LABEL: func.func @a_scan_that_goes_on
// CHECK: [[X:%.*]] = neuron.mem.load %x {{.*}} -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
// CHECK: [[I:%.*]] = neuron.mem.load %i {{.*}} -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
// CHECK: [[S:%.*]] = neuron.mem.scan sum [[X]] initial [[I]] : {{.*}} axis 1
// CHECK: [[L:%.*]] = neuron.mem.last [[S]] axis 1 : {{.*}} -> !neuron.mem.tile<sbuf, 64xf32, [d0] x []>
// CHECK: [[O:%.*]] = neuron.mem.fill {{.*}} -> !neuron.mem.tile<sbuf, 1x1xf32, [*:64] x []>
// CHECK: [[F:%.*]] = neuron.mem.broadcast [[O]]
// CHECK: [[ONE:%.*]] = arith.constant 1.000000e+00 : f32
// CHECK: neuron.mem.scan sum [[S]] scale [[F]] : {{.*}} initial [[ONE]] : f32 axis 1
// CHECK: neuron.mem.store [[L]] to %i
func.func @a_scan_that_goes_on(%x: memref<64x32xf32>, %i: memref<64xf32>) {
  %half = arith.constant dense<0.5> : tensor<64x32xf32>
  %ones = arith.constant dense<1.0> : tensor<64xf32>
  %v = tile.read %x [d0 by 32, d1 by 1] : memref<64x32xf32> -> tensor<64x32xf32>
  %h = tile.read %i [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  %s = tile.scan sum %v initial %h : tensor<64xf32> axis 1 : tensor<64x32xf32> -> tensor<64x32xf32>
  %l = tile.last %s axis 1 : tensor<64x32xf32> -> tensor<64xf32>
  %r = tile.scan sum %s scale %half : tensor<64x32xf32> initial %ones : tensor<64xf32> axis 1 : tensor<64x32xf32> -> tensor<64x32xf32>
  tile.write %r to %x [d0 by 32, d1 by 1] : tensor<64x32xf32> -> memref<64x32xf32>
  tile.write %l to %i [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  func.return
}

// CHECK-LABEL: func.func @what_is_scanned_is_free
// CHECK: [[X:%.*]] = neuron.mem.load {{.*}} -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
// CHECK: [[S:%.*]] = neuron.mem.scan sum [[X]] axis 1 reverse
// CHECK: [[F:%.*]] = neuron.mem.flip [[S]] axis 1
// CHECK: neuron.mem.bitcast [[F]] : {{.*}} -> !neuron.mem.tile<sbuf, 64x32xi32, [d0] x [d1]>
func.func @what_is_scanned_is_free(%x: memref<64x32xf32>, %y: memref<64x32xi32>) {
  %zero = arith.constant 0 : index
  %v = tile.read %x [d0 by 32, d1 by 1] : memref<64x32xf32> -> tensor<64x32xf32>
  %s = tile.scan sum %v axis 1 reverse : tensor<64x32xf32> -> tensor<64x32xf32>
  %f = tile.flip %s axis 1 : tensor<64x32xf32> -> tensor<64x32xf32>
  %b = tile.bitcast %f : tensor<64x32xf32> -> tensor<64x32xi32>
  tile.write %b to %y [d0 by 32, d1 by 1] : tensor<64x32xi32> -> memref<64x32xi32>
  func.return
}

// A mask that ends along a free dimension lies as what it chooses of, whatever it is made from; one over rows, or for two tiles, is spread.
// CHECK-LABEL: func.func @ends_of_rows
// CHECK: neuron.mem.mask [d0 in * to 100 by 0] -> !neuron.mem.tile<sbuf, 512xi1, [*:128] x [d0]>
// CHECK: [[B:%.*]] = neuron.mem.broadcast
// CHECK: [[M:%.*]] = neuron.mem.mask [d1 in * to 100 by 0] -> !neuron.mem.tile<sbuf, 128x512xi1, [d0] x [d1]>
// CHECK: neuron.mem.select [[M]], %{{.*}}, %{{.*}} : {{.*}}, f32 ->
// CHECK: neuron.mem.select [[B]], %{{.*}}, %{{.*}} : {{.*}}, !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]> ->
// CHECK-LABEL: func.func @ends_of_columns
// CHECK: neuron.mem.mask [d0 in * to 100 by 0] -> !neuron.mem.tile<sbuf, 128xi1, [d0] x []>
// CHECK: neuron.mem.broadcast
// CHECK: neuron.mem.select
func.func @ends_of_rows(%x: memref<128x512xf32>, %y: memref<128x512xf32>) {
  %n = arith.constant dense<100> : tensor<512xindex>
  %i = tile.arange 0 to 512 : tensor<512xindex>
  %c = tile.compare lt %i, %n : tensor<512xindex>, tensor<512xindex> -> tensor<512xi1>
  %r = tile.expand_dims %c axis 0 : tensor<512xi1> -> tensor<1x512xi1>
  %m = tile.broadcast %r : tensor<1x512xi1> -> tensor<128x512xi1>
  %v = tile.read %x [512 * d0 + d1 by 1] : memref<128x512xf32> -> tensor<128x512xf32>
  %low = arith.constant dense<-1.0> : tensor<128x512xf32>
  %s = tile.select %m, %v, %low : tensor<128x512xi1>, tensor<128x512xf32>, tensor<128x512xf32> -> tensor<128x512xf32>
  %e = math.exp %s : tensor<128x512xf32>
  %t = tile.select %m, %e, %v : tensor<128x512xi1>, tensor<128x512xf32>, tensor<128x512xf32> -> tensor<128x512xf32>
  tile.write %t to %y [512 * d0 + d1 by 1] : tensor<128x512xf32> -> memref<128x512xf32>
  func.return
}
func.func @ends_of_columns(%x: memref<128x512xf32>, %y: memref<128x512xf32>) {
  %n = arith.constant dense<100> : tensor<128xindex>
  %i = tile.arange 0 to 128 : tensor<128xindex>
  %c = tile.compare lt %i, %n : tensor<128xindex>, tensor<128xindex> -> tensor<128xi1>
  %r = tile.expand_dims %c axis 1 : tensor<128xi1> -> tensor<128x1xi1>
  %m = tile.broadcast %r : tensor<128x1xi1> -> tensor<128x512xi1>
  %v = tile.read %x [512 * d0 + d1 by 1] : memref<128x512xf32> -> tensor<128x512xf32>
  %low = arith.constant dense<-1.0> : tensor<128x512xf32>
  %s = tile.select %m, %v, %low : tensor<128x512xi1>, tensor<128x512xf32>, tensor<128x512xf32> -> tensor<128x512xf32>
  tile.write %s to %y [512 * d0 + d1 by 1] : tensor<128x512xf32> -> memref<128x512xf32>
  func.return
}

// No dimension but the reduced one has as many elements as there are partitions: the others are on them together.
// CHECK-LABEL: func.func @short_dimensions_together
// CHECK: neuron.mem.load %x {{.*}} -> !neuron.mem.tile<sbuf, 4x32x1024xf32, [d0, d1] x [d2]>
// CHECK: neuron.mem.reduce sum {{.*}} -> !neuron.mem.tile<sbuf, 4x32xf32, [d0, d1] x []>
// CHECK: neuron.mem.load %w {{.*}} -> !neuron.mem.tile<sbuf, 32xf32, [*:4, d0] x []>
// CHECK-NOT: neuron.mem.convert
// CHECK: return
func.func @short_dimensions_together(%x: memref<131072xf32>, %w: memref<32xf32>, %y: memref<131072xf32>) {
  %v = tile.read %x [32768 * d0 + 1024 * d1 + d2 by 1] : memref<131072xf32> -> tensor<4x32x1024xf32>
  %s = tile.reduce sum %v axis 2 : tensor<4x32x1024xf32> -> tensor<4x32xf32>
  %f = tile.read %w [d0 by 1] : memref<32xf32> -> tensor<32xf32>
  %g = tile.expand_dims %f axis 0 : tensor<32xf32> -> tensor<1x32xf32>
  %h = tile.broadcast %g : tensor<1x32xf32> -> tensor<4x32xf32>
  %p = arith.mulf %s, %h : tensor<4x32xf32>
  %e = tile.expand_dims %p axis 2 : tensor<4x32xf32> -> tensor<4x32x1xf32>
  %b = tile.broadcast %e : tensor<4x32x1xf32> -> tensor<4x32x1024xf32>
  %d = arith.subf %v, %b : tensor<4x32x1024xf32>
  tile.write %d to %y [32768 * d0 + 1024 * d1 + d2 by 1] : tensor<4x32x1024xf32> -> memref<131072xf32>
  func.return
}

// A slice is a view where as many partitions hold places of it, or where the dimension lies free; each part of a
// concatenation is made where it is inserted.
// CHECK-LABEL: func.func @slices_that_stay_where_they_are
// CHECK: [[X:%.*]] = neuron.mem.load %x {{.*}} -> !neuron.mem.tile<sbuf, 512x3xf32, [d0:128] x [d0/128:4, d1]>
// CHECK: neuron.mem.slice [[X]] [128 + d0, d1] : {{.*}} -> !neuron.mem.tile<sbuf, 128x3xf32, [d0] x [d1]>
// CHECK: neuron.mem.slice [[X]] [256 + d0, d1] : {{.*}} -> !neuron.mem.tile<sbuf, 256x3xf32, [d0:128] x [d0/128:2, d1]>
func.func @slices_that_stay_where_they_are(%x: memref<512x3xf32>, %y: memref<128x3xf32>, %z: memref<256x3xf32>) {
  %v = tile.read %x [3 * d0 + d1 by 1] : memref<512x3xf32> -> tensor<512x3xf32>
  %s = tile.slice %v axis 0 at 128 : tensor<512x3xf32> -> tensor<128x3xf32>
  %t = tile.slice %v axis 0 at 256 : tensor<512x3xf32> -> tensor<256x3xf32>
  %e = math.exp %s : tensor<128x3xf32>
  %f = math.exp %t : tensor<256x3xf32>
  tile.write %e to %y [3 * d0 + d1 by 1] : tensor<128x3xf32> -> memref<128x3xf32>
  tile.write %f to %z [3 * d0 + d1 by 1] : tensor<256x3xf32> -> memref<256x3xf32>
  func.return
}

// CHECK-LABEL: func.func @a_slice_of_columns
// CHECK: [[X:%.*]] = neuron.mem.load %x {{.*}} -> !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
// CHECK: neuron.mem.slice [[X]] [d0, 100 + d1] : {{.*}} -> !neuron.mem.tile<sbuf, 128x77xf32, [d0] x [d1]>
func.func @a_slice_of_columns(%x: memref<128x512xf32>, %y: memref<128x77xf32>) {
  %v = tile.read %x [512 * d0 + d1 by 1] : memref<128x512xf32> -> tensor<128x512xf32>
  %s = tile.slice %v axis 1 at 100 : tensor<128x512xf32> -> tensor<128x77xf32>
  %e = math.exp %s : tensor<128x77xf32>
  tile.write %e to %y [77 * d0 + d1 by 1] : tensor<128x77xf32> -> memref<128x77xf32>
  func.return
}

// A dimension of which no number of partitions above one holds a slice by itself is brought to one partition.
// CHECK-LABEL: func.func @a_slice_from_an_odd_place
// CHECK: [[X:%.*]] = neuron.mem.load %x {{.*}} -> !neuron.mem.tile<sbuf, 300xf32, [] x [d0]>
// CHECK: [[S:%.*]] = neuron.mem.slice [[X]] [37 + d0] : {{.*}} -> !neuron.mem.tile<sbuf, 100xf32, [] x [d0]>
// CHECK: neuron.mem.store [[S]]
func.func @a_slice_from_an_odd_place(%x: memref<300xf32>, %y: memref<100xf32>) {
  %v = tile.read %x [d0 by 1] : memref<300xf32> -> tensor<300xf32>
  %s = tile.slice %v axis 0 at 37 : tensor<300xf32> -> tensor<100xf32>
  tile.write %s to %y [d0 by 1] : tensor<100xf32> -> memref<100xf32>
  func.return
}

// What is sliced lies as a product takes the slice, dealt out in groups of so many rows.
// CHECK-LABEL: func.func @slices_that_are_multiplied
// CHECK: [[A:%.*]] = neuron.mem.load %a {{.*}} -> !neuron.mem.tile<sbuf, 200x64xf32, [d0:100] x [d0/100:2, d1]>
// CHECK: [[S:%.*]] = neuron.mem.slice [[A]] [100 + d0, d1] : {{.*}} -> !neuron.mem.tile<sbuf, 100x64xf32, [d0] x [d1]>
// CHECK: neuron.mem.matmul {{.*}}[[S]]
func.func @slices_that_are_multiplied(%a: memref<200x64xf32>, %b: memref<64x100xf32>, %c: memref<64x64xf32>) {
  %x = tile.read %a [64 * d0 + d1 by 1] : memref<200x64xf32> -> tensor<200x64xf32>
  %y = tile.read %b [100 * d0 + d1 by 1] : memref<64x100xf32> -> tensor<64x100xf32>
  %s = tile.slice %x axis 0 at 100 : tensor<200x64xf32> -> tensor<100x64xf32>
  %p = tile.dot %y, %s over [1] x [0] : tensor<64x100xf32>, tensor<100x64xf32> -> tensor<64x64xf32>
  tile.write %p to %c [64 * d0 + d1 by 1] : tensor<64x64xf32> -> memref<64x64xf32>
  func.return
}

// CHECK-LABEL: func.func @parts_are_made_where_they_go
// CHECK: [[X:%.*]] = neuron.mem.load %x
// CHECK: [[N:%.*]] = neuron.mem.empty : !neuron.mem.tile<sbuf, 384x3xf32, [d0:128] x [d0/128:3, d1]>
// CHECK: [[E:%.*]] = neuron.mem.unary exp [[X]]
// CHECK: [[C:%.*]] = neuron.mem.insert [[E]] into [[N]] [256 + d0, d1]
// CHECK: [[Y:%.*]] = neuron.mem.load %y
// CHECK: [[F:%.*]] = neuron.mem.unary exp [[Y]] : {{.*}} -> !neuron.mem.tile<sbuf, 256x3xf32, [d0:128] x [d0/128:2, d1]>
// CHECK: [[D:%.*]] = neuron.mem.insert [[F]] into [[C]] [d0, d1]
// CHECK: neuron.mem.store [[D]]
func.func @parts_are_made_where_they_go(%x: memref<128x3xf32>, %y: memref<256x3xf32>, %z: memref<384x3xf32>) {
  %v = tile.read %x [3 * d0 + d1 by 1] : memref<128x3xf32> -> tensor<128x3xf32>
  %e = math.exp %v : tensor<128x3xf32>
  %w = tile.read %y [3 * d0 + d1 by 1] : memref<256x3xf32> -> tensor<256x3xf32>
  %f = math.exp %w : tensor<256x3xf32>
  %c = tile.concat %f, %e axis 0 : tensor<256x3xf32>, tensor<128x3xf32> -> tensor<384x3xf32>
  tile.write %c to %z [3 * d0 + d1 by 1] : tensor<384x3xf32> -> memref<384x3xf32>
  func.return
}

// A part that is there more than once, or is a number, is inserted as often as it is named.
// CHECK-LABEL: func.func @parts_that_are_alike
// CHECK: [[E:%.*]] = neuron.mem.unary exp
// CHECK: [[C:%.*]] = neuron.mem.insert [[E]] into {{.*}} [d0, d1]
// CHECK: [[D:%.*]] = neuron.mem.insert [[E]] into [[C]] [256 + d0, d1]
// CHECK: [[F:%.*]] = neuron.mem.fill
// CHECK: neuron.mem.insert [[F]] into [[D]] [128 + d0, d1]
func.func @parts_that_are_alike(%x: memref<128x3xf32>, %z: memref<384x3xf32>) {
  %one = arith.constant dense<1.0> : tensor<128x3xf32>
  %v = tile.read %x [3 * d0 + d1 by 1] : memref<128x3xf32> -> tensor<128x3xf32>
  %e = math.exp %v : tensor<128x3xf32>
  %c = tile.concat %e, %one, %e axis 0 : tensor<128x3xf32>, tensor<128x3xf32>, tensor<128x3xf32> -> tensor<384x3xf32>
  tile.write %c to %z [3 * d0 + d1 by 1] : tensor<384x3xf32> -> memref<384x3xf32>
  func.return
}

// Parts from outside a loop are inserted in it.
// CHECK-LABEL: func.func @parts_from_outside
// CHECK: [[X:%.*]] = neuron.mem.load
// CHECK: scf.for
// CHECK: [[N:%.*]] = neuron.mem.empty
// CHECK: neuron.mem.insert [[X]] into [[N]] [d0]
func.func @parts_from_outside(%x: memref<128xf32>, %z: memref<4x256xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %four = arith.constant 4 : index
  %v = tile.read %x [d0 by 1] : memref<128xf32> -> tensor<128xf32>
  scf.for %i = %zero to %four step %one {
    %c = tile.concat %v, %v axis 0 : tensor<128xf32>, tensor<128xf32> -> tensor<256xf32>
    tile.write %c to %z(%i) [s0 by 256, d0 by 1] : tensor<256xf32> -> memref<4x256xf32>
  }
  func.return
}

// Slices of indices, and of masks, are counted from where they begin.
// CHECK-LABEL: func.func @slices_of_indices
// CHECK: [[FIVE:%.*]] = arith.constant 5 : index
// CHECK: neuron.mem.iota [[FIVE]]
// CHECK: [[M:%.*]] = neuron.mem.mask [d0 in * to 5 by 0] -> !neuron.mem.tile<sbuf, 8xi1, [] x [d0]>
// CHECK: neuron.mem.select [[M]]
func.func @slices_of_indices(%x: memref<8xf32>, %y: memref<8xf32>) {
  %ten = arith.constant dense<10> : tensor<64xindex>
  %none = arith.constant dense<0.0> : tensor<8xf32>
  %i = tile.arange 0 to 64 : tensor<64xindex>
  %m = tile.compare lt %i, %ten : tensor<64xindex>, tensor<64xindex> -> tensor<64xi1>
  %s = tile.slice %i axis 0 at 5 : tensor<64xindex> -> tensor<8xindex>
  %t = tile.slice %m axis 0 at 5 : tensor<64xi1> -> tensor<8xi1>
  %n = tile.cast %s : tensor<8xindex> -> tensor<8xf32>
  %r = tile.select %t, %n, %none : tensor<8xi1>, tensor<8xf32>, tensor<8xf32> -> tensor<8xf32>
  tile.write %r to %y [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}

// Neighbours of a group of places lie on as many partitions as that fills evenly.
// CHECK-LABEL: func.func @groups_of_places
// CHECK: neuron.mem.load %x {{.*}} -> !neuron.mem.tile<sbuf, 30000xf32, [d0/80:125] x [d0/10000:3, d0:80]>
// CHECK: neuron.mem.slice {{%.*}} [10000 + d0] : {{.*}} -> !neuron.mem.tile<sbuf, 20000xf32, [d0/80:125] x [d0/10000:2, d0:80]>
func.func @groups_of_places(%x: memref<30000xf32>, %y: memref<20000xf32>) {
  %v = tile.read %x [d0 by 1] : memref<30000xf32> -> tensor<30000xf32>
  %u = math.exp %v : tensor<30000xf32>
  %s = tile.slice %u axis 0 at 10000 : tensor<30000xf32> -> tensor<20000xf32>
  %e = math.exp %s : tensor<20000xf32>
  tile.write %e to %y [d0 by 1] : tensor<20000xf32> -> memref<20000xf32>
  func.return
}

// CHECK-LABEL: func.func @groups_of_places_of_parts
// CHECK: neuron.mem.empty : !neuron.mem.tile<sbuf, 40000xf32, [d0/80:125] x [d0/10000:4, d0:80]>
// CHECK: neuron.mem.insert
// CHECK: neuron.mem.insert
// CHECK-NOT: neuron.mem.convert
func.func @groups_of_places_of_parts(%x: memref<30000xf32>, %y: memref<40000xf32>) {
  %v = tile.read %x [d0 by 1] : memref<30000xf32> -> tensor<30000xf32>
  %u = tile.read %x [d0 by 1] : memref<30000xf32> -> tensor<10000xf32>
  %e = math.exp %v : tensor<30000xf32>
  %f = math.exp %u : tensor<10000xf32>
  %s = tile.concat %e, %f axis 0 : tensor<30000xf32>, tensor<10000xf32> -> tensor<40000xf32>
  tile.write %s to %y [d0 by 1] : tensor<40000xf32> -> memref<40000xf32>
  func.return
}

// Half of the partitions hold all of it, so that a slice is no copy of what other partitions have.
// CHECK-LABEL: func.func @a_slice_that_begins_at_the_first_partition
// CHECK: neuron.mem.slice {{.*}} [32 + d0, d1] : !neuron.mem.tile<sbuf, 64x4xf32, [d0:32] x [d0/32:2, d1]>
func.func @a_slice_that_begins_at_the_first_partition(%x: memref<64x4xf32>, %y: memref<32x4xf32>) {
  %v = tile.read %x [4 * d0 + d1 by 1] : memref<64x4xf32> -> tensor<64x4xf32>
  %e = math.exp %v : tensor<64x4xf32>
  %s = tile.slice %e axis 0 at 32 : tensor<64x4xf32> -> tensor<32x4xf32>
  %f = math.exp %s : tensor<32x4xf32>
  tile.write %f to %y [4 * d0 + d1 by 1] : tensor<32x4xf32> -> memref<32x4xf32>
  func.return
}

// -----

builtin.module attributes {neuron.target = "trn2"} {
  // CHECK-LABEL: func.func @rows_are_dealt_out_where_runs_save_nothing
  // CHECK: neuron.mem.reduce max {{.*}} -> !neuron.mem.tile<sbuf, 512xf32, [d0:128] x [d0/128:4]>
  func.func @rows_are_dealt_out_where_runs_save_nothing(%q: memref<512x128xbf16>, %k: memref<512x128xbf16>, %v: memref<512x128xbf16>, %z: memref<512x128xf32>) {
    %a = tile.read %q [d0 by 128, d1 by 1] : memref<512x128xbf16> -> tensor<512x128xbf16>
    %b = tile.read %k [d1 by 128, d0 by 1] : memref<512x128xbf16> -> tensor<128x512xbf16>
    %s = tile.dot %a, %b over [1] x [0] : tensor<512x128xbf16>, tensor<128x512xbf16> -> tensor<512x512xf32>
    %m = tile.reduce max %s axis 1 : tensor<512x512xf32> -> tensor<512xf32>
    %e = math.exp %m : tensor<512xf32>
    %x = tile.expand_dims %e axis 1 : tensor<512xf32> -> tensor<512x1xf32>
    %c = tile.cast %x : tensor<512x1xf32> -> tensor<512x1xbf16>
    %t = tile.permute %c order [1, 0] : tensor<512x1xbf16> -> tensor<1x512xbf16>
    %w = tile.read %v [d0 by 128, d1 by 1] : memref<512x128xbf16> -> tensor<512x128xbf16>
    %u = tile.permute %w order [1, 0] : tensor<512x128xbf16> -> tensor<128x512xbf16>
    %o = tile.read %q [d0 by 1] : memref<512x128xbf16> -> tensor<128xbf16>
    %p = tile.expand_dims %o axis 1 : tensor<128xbf16> -> tensor<128x1xbf16>
    %y = tile.dot %p, %t over [1] x [0] : tensor<128x1xbf16>, tensor<1x512xbf16> -> tensor<128x512xf32>
    %r = tile.permute %y order [1, 0] : tensor<128x512xf32> -> tensor<512x128xf32>
    tile.write %r to %z [d0 by 128, d1 by 1] : tensor<512x128xf32> -> memref<512x128xf32>
    func.return
  }
}
