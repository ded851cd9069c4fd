// RUN: nki-opt %s -p lower-converts,dce --split-input-file | filecheck %s
// RUN: nki-opt %s -p lower-converts,dce --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @what_lies_as_wanted
// CHECK: neuron.mem.convert %{{.*}} by nothing : {{.*}}[*:2, d0] x [d1]> -> {{.*}}[d0] x [d1]>
func.func @what_lies_as_wanted() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xf32, [*:2, d0] x [d1]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 64x32xf32, [*:2, d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @the_free_order_changes
// CHECK: neuron.mem.convert %{{.*}} by copy :
func.func @the_free_order_changes() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 64x8x4xf32, [d0] x [d1, d2]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 64x8x4xf32, [d0] x [d1, d2]> -> !neuron.mem.tile<sbuf, 64x8x4xf32, [d0] x [d2, d1]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 64x8x4xf32, [d0] x [d2, d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @out_of_psum
// CHECK: neuron.mem.convert %{{.*}} by copy : !neuron.mem.tile<psum{{.*}} -> !neuron.mem.tile<sbuf
func.func @out_of_psum() {
  %x = "test.op"() : () -> !neuron.mem.tile<psum, 200x16xf32, [d0:128] x [d0/128:2, d1]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<psum, 200x16xf32, [d0:128] x [d0/128:2, d1]> -> !neuron.mem.tile<sbuf, 200x16xf32, [d0:128] x [d0/128:2, d1]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 200x16xf32, [d0:128] x [d0/128:2, d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @out_of_psum_and_turned
// CHECK: [[X:%.*]] = "test.op"
// CHECK: [[S:%.*]] = neuron.mem.convert [[X]] by copy : {{.*}} -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
// CHECK: neuron.mem.convert [[S]] by vector : {{.*}} -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
func.func @out_of_psum_and_turned() {
  %x = "test.op"() : () -> !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @turned_within_psum
// CHECK: [[A:%.*]] = neuron.mem.convert %{{.*}} by copy : {{.*}} -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
// CHECK: [[B:%.*]] = neuron.mem.convert [[A]] by vector : {{.*}} -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
// CHECK: neuron.mem.convert [[B]] by copy : {{.*}} -> !neuron.mem.tile<psum, 64x32xf32, [d1] x [d0]>
func.func @turned_within_psum() {
  %x = "test.op"() : () -> !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<psum, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 64x32xf32, [d1] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<psum, 64x32xf32, [d1] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @blocks_are_turned
// CHECK: neuron.mem.convert %{{.*}} by vector :
func.func @blocks_are_turned() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 64x32xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xbf16, [d1] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 64x32xbf16, [d1] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @bytes_change_their_partition
// CHECK: neuron.mem.convert %{{.*}} by dma :
func.func @bytes_change_their_partition() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xi8, [d0] x [d1]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 64x32xi8, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi8, [d1] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 64x32xi8, [d1] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_row_goes_to_all_partitions
// CHECK: neuron.mem.convert %{{.*}} by dma : {{.*}} -> !neuron.mem.tile<sbuf, 32xf32, [*:128] x [d0]>
func.func @a_row_goes_to_all_partitions() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 32xf32, [] x [d0]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 32xf32, [] x [d0]> -> !neuron.mem.tile<sbuf, 32xf32, [*:128] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 32xf32, [*:128] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @gaps_between_partitions
// CHECK: neuron.mem.convert %{{.*}} by dma :
func.func @gaps_between_partitions() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x []>
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x []> -> !neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x [*:2]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 3x5xf32, [d0, d1:8] x [*:2]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_load_is_made_again
// CHECK: [[R:%.*]] = neuron.mem.load %x [d0 in 0 to 20 by 1] other 1.000000e+00 : f32 : memref<32xf32> -> !neuron.mem.tile<sbuf, 32xf32, [*:128] x [d0]>
// CHECK-NOT: neuron.mem
// CHECK: "test.op"([[R]])
func.func @a_load_is_made_again(%x: memref<32xf32>, %n: index) {
  %v = neuron.mem.load %x [d0 in 0 to 20 by 1] other 1.0 : f32 : memref<32xf32> -> !neuron.mem.tile<sbuf, 32xf32, [] x [d0]>
  %r = neuron.mem.convert %v : !neuron.mem.tile<sbuf, 32xf32, [] x [d0]> -> !neuron.mem.tile<sbuf, 32xf32, [*:128] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 32xf32, [*:128] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_load_that_is_moved
// CHECK: neuron.mem.load
// CHECK: neuron.mem.convert %{{.*}} by vector :
func.func @a_load_that_is_moved(%x: memref<4096xf32>) {
  %v = neuron.mem.load %x [d0 by 32, d1 by 1] : memref<4096xf32> -> !neuron.mem.tile<sbuf, 128x32xf32, [d0] x [d1]>
  %r = neuron.mem.convert %v : !neuron.mem.tile<sbuf, 128x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x32xf32, [d1] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 128x32xf32, [d1] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @fills_counts_and_masks_are_made_again
// CHECK-DAG: neuron.mem.fill %f : f32 -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
// CHECK-DAG: neuron.mem.iota %{{.*}} strides [32, 1] -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
// CHECK-DAG: neuron.mem.mask(%n) [s0 + d0 + -1 * d1 in 0 to 5 by 0] -> !neuron.mem.tile<sbuf, 64x32xi1, [d1] x [d0]>
// CHECK-NOT: neuron.mem.convert
// CHECK: func.return
func.func @fills_counts_and_masks_are_made_again(%n: index) {
  %f = arith.constant 1.0 : f32
  %a = neuron.mem.fill %f : f32 -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %b = neuron.mem.iota %n strides [32, 1] -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %c = neuron.mem.mask(%n) [s0 + d0 - d1 in 0 to 5 by 0] -> !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]>
  %x = neuron.mem.convert %a : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  %y = neuron.mem.convert %b : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  %z = neuron.mem.convert %c : !neuron.mem.tile<sbuf, 64x32xi1, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi1, [d1] x [d0]>
  "test.op"(%x, %y, %z) : (!neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 64x32xi1, [d1] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @keeps_the_way_that_is_there
// CHECK: neuron.mem.convert %{{.*}} by dma :
func.func @keeps_the_way_that_is_there() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %r = neuron.mem.convert %x by dma : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 64x32xf32, [d1] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @leaves_alone
// CHECK: neuron.mem.relabel %{{.*}} permute [1, 0]
// CHECK-NEXT: neuron.mem.cast
// CHECK-NEXT: "test.op"
func.func @leaves_alone() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]>
  %r = neuron.mem.relabel %x permute [1, 0] : !neuron.mem.tile<sbuf, 64x32xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 32x64xf32, [d1] x [d0]>
  %c = neuron.mem.cast %r : !neuron.mem.tile<sbuf, 32x64xf32, [d1] x [d0]> -> !neuron.mem.tile<sbuf, 32x64xbf16, [d1] x [d0]>
  "test.op"(%c) : (!neuron.mem.tile<sbuf, 32x64xbf16, [d1] x [d0]>) -> ()
  func.return
}
