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
// CHECK: neuron.mem.convert %{{.*}} by words :
func.func @bytes_change_their_partition() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 64x32xi8, [d0] x [d1]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 64x32xi8, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 64x32xi8, [d1] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 64x32xi8, [d1] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @what_is_large_and_may_be_infinite_goes_through_the_array_in_words
// CHECK: neuron.mem.convert %{{.*}} by words :
func.func @what_is_large_and_may_be_infinite_goes_through_the_array_in_words() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 640x256xbf16, [d0:128] x [d0/128:5, d1]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 640x256xbf16, [d0:128] x [d0/128:5, d1]> -> !neuron.mem.tile<sbuf, 640x256xbf16, [d1:128] x [d1/128:2, d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 640x256xbf16, [d1:128] x [d1/128:2, d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @what_was_an_integer_is_multiplied
// CHECK: neuron.mem.convert %{{.*}} by tensor :
// CHECK: neuron.mem.convert %{{.*}} by tensor :
func.func @what_was_an_integer_is_multiplied() {
  %low = arith.constant -1.0 : f32
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x128xi32, [d0] x [d1]>
  %m = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x128xi1, [d0] x [d1]>
  %f = neuron.mem.cast %x : !neuron.mem.tile<sbuf, 128x128xi32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]>
  %s = neuron.mem.select %m, %f, %low : !neuron.mem.tile<sbuf, 128x128xi1, [d0] x [d1]>, !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]>, f32 -> !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]>
  %r = neuron.mem.convert %s : !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>
  %h = neuron.mem.cast %f : !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x128xbf16, [d0] x [d1]>
  %p = neuron.mem.relabel %h permute [1, 0] : !neuron.mem.tile<sbuf, 128x128xbf16, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x128xbf16, [d1] x [d0]>
  %q = neuron.mem.convert %p : !neuron.mem.tile<sbuf, 128x128xbf16, [d1] x [d0]> -> !neuron.mem.tile<sbuf, 128x128xbf16, [d0] x [d1]>
  "test.op"(%r, %q) : (!neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 128x128xbf16, [d0] x [d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @what_may_be_infinite_or_minus_zero_is_not
// CHECK-NOT: by tensor
// CHECK: func.return
func.func @what_may_be_infinite_or_minus_zero_is_not() {
  %low = arith.constant -0.0 : f32
  %high = arith.constant 0x7f800000 : f32
  %m = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x128xi1, [d0] x [d1]>
  %i = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x128xi32, [d0] x [d1]>
  %f = neuron.mem.cast %i : !neuron.mem.tile<sbuf, 128x128xi32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]>
  %s = neuron.mem.select %m, %f, %low : !neuron.mem.tile<sbuf, 128x128xi1, [d0] x [d1]>, !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]>, f32 -> !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]>
  %u = neuron.mem.select %m, %high, %f : !neuron.mem.tile<sbuf, 128x128xi1, [d0] x [d1]>, f32, !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]>
  %w = neuron.mem.binary multiply %f, %f : !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]>, !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]>
  %0 = neuron.mem.convert %s : !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>
  %1 = neuron.mem.convert %u : !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>
  %2 = neuron.mem.convert %w : !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>
  "test.op"(%0, %1, %2) : (!neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @sums_leave_no_bank
// CHECK: neuron.mem.convert %{{.*}} by vector : {{.*}}640x256
func.func @sums_leave_no_bank(%zero: index, %trips: index, %one: index) {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 640x256xbf16, [d0:128] x [d0/128:5, d1]>
  %a = "test.op"() : () -> !neuron.mem.tile<sbuf, 1024x128xbf16, [d1] x [d0]>
  %b = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x512xbf16, [d0] x [d1]>
  %p = neuron.mem.accumulator : !neuron.mem.tile<psum, 1024x512xf32, [d0:128] x [d0/128:8, d1]>
  %s = scf.for %i = %zero to %trips step %one iter_args(%c = %p) -> (!neuron.mem.tile<psum, 1024x512xf32, [d0:128] x [d0/128:8, d1]>) {
    %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 640x256xbf16, [d0:128] x [d0/128:5, d1]> -> !neuron.mem.tile<sbuf, 640x256xbf16, [d1:128] x [d1/128:2, d0]>
    "test.op"(%r) : (!neuron.mem.tile<sbuf, 640x256xbf16, [d1:128] x [d1/128:2, d0]>) -> ()
    %q = neuron.mem.matmul %a, %b acc %c : !neuron.mem.tile<sbuf, 1024x128xbf16, [d1] x [d0]>, !neuron.mem.tile<sbuf, 128x512xbf16, [d0] x [d1]>, !neuron.mem.tile<psum, 1024x512xf32, [d0:128] x [d0/128:8, d1]> -> !neuron.mem.tile<psum, 1024x512xf32, [d0:128] x [d0/128:8, d1]>
    scf.yield %q : !neuron.mem.tile<psum, 1024x512xf32, [d0:128] x [d0/128:8, d1]>
  }
  %o = neuron.mem.convert %s : !neuron.mem.tile<psum, 1024x512xf32, [d0:128] x [d0/128:8, d1]> -> !neuron.mem.tile<sbuf, 1024x512xf32, [d0:128] x [d0/128:8, d1]>
  "test.op"(%o) : (!neuron.mem.tile<sbuf, 1024x512xf32, [d0:128] x [d0/128:8, d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @sums_leave_two_banks
// CHECK: neuron.mem.convert %{{.*}} by words : {{.*}}640x256
func.func @sums_leave_two_banks(%zero: index, %trips: index, %one: index) {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 640x256xbf16, [d0:128] x [d0/128:5, d1]>
  %a = "test.op"() : () -> !neuron.mem.tile<sbuf, 768x128xbf16, [d1] x [d0]>
  %b = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x512xbf16, [d0] x [d1]>
  %p = neuron.mem.accumulator : !neuron.mem.tile<psum, 768x512xf32, [d0:128] x [d0/128:6, d1]>
  %s = scf.for %i = %zero to %trips step %one iter_args(%c = %p) -> (!neuron.mem.tile<psum, 768x512xf32, [d0:128] x [d0/128:6, d1]>) {
    %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 640x256xbf16, [d0:128] x [d0/128:5, d1]> -> !neuron.mem.tile<sbuf, 640x256xbf16, [d1:128] x [d1/128:2, d0]>
    "test.op"(%r) : (!neuron.mem.tile<sbuf, 640x256xbf16, [d1:128] x [d1/128:2, d0]>) -> ()
    %q = neuron.mem.matmul %a, %b acc %c : !neuron.mem.tile<sbuf, 768x128xbf16, [d1] x [d0]>, !neuron.mem.tile<sbuf, 128x512xbf16, [d0] x [d1]>, !neuron.mem.tile<psum, 768x512xf32, [d0:128] x [d0/128:6, d1]> -> !neuron.mem.tile<psum, 768x512xf32, [d0:128] x [d0/128:6, d1]>
    scf.yield %q : !neuron.mem.tile<psum, 768x512xf32, [d0:128] x [d0/128:6, d1]>
  }
  %o = neuron.mem.convert %s : !neuron.mem.tile<psum, 768x512xf32, [d0:128] x [d0/128:6, d1]> -> !neuron.mem.tile<sbuf, 768x512xf32, [d0:128] x [d0/128:6, d1]>
  "test.op"(%o) : (!neuron.mem.tile<sbuf, 768x512xf32, [d0:128] x [d0/128:6, d1]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_short_row_goes_to_all_partitions
// CHECK: neuron.mem.convert %{{.*}} by shuffle : {{.*}} -> !neuron.mem.tile<sbuf, 32xf32, [*:128] x [d0]>
func.func @a_short_row_goes_to_all_partitions() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 32xf32, [] x [d0]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 32xf32, [] x [d0]> -> !neuron.mem.tile<sbuf, 32xf32, [*:128] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 32xf32, [*:128] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_row_of_bytes_goes_to_all_partitions
// CHECK: neuron.mem.convert %{{.*}} by ones :
func.func @a_row_of_bytes_goes_to_all_partitions() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 1024xi8, [] x [d0]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 1024xi8, [] x [d0]> -> !neuron.mem.tile<sbuf, 1024xi8, [*:128] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 1024xi8, [*:128] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @a_long_row_goes_to_all_partitions
// CHECK: neuron.mem.convert %{{.*}} by dma :
func.func @a_long_row_goes_to_all_partitions() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 8192xf32, [] x [d0]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 8192xf32, [] x [d0]> -> !neuron.mem.tile<sbuf, 8192xf32, [*:128] x [d0]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 8192xf32, [*:128] x [d0]>) -> ()
  func.return
}

// CHECK-LABEL: func.func @partitions_are_repeated
// CHECK: neuron.mem.convert %{{.*}} by shuffle :
func.func @partitions_are_repeated() {
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 32x8xf32, [d0] x [d1]>
  %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 32x8xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 32x8xf32, [*:4, d0] x [d1]>
  "test.op"(%r) : (!neuron.mem.tile<sbuf, 32x8xf32, [*:4, d0] x [d1]>) -> ()
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

// Beside what repeats them on the partitions, no one instruction counts indices.
// CHECK-LABEL: func.func @counts_with_replicas_are_moved
// CHECK: neuron.mem.convert %{{.*}} by
func.func @counts_with_replicas_are_moved(%n: index) {
  %b = neuron.mem.iota %n strides [1] -> !neuron.mem.tile<sbuf, 2xi32, [*:16] x [d0]>
  %y = neuron.mem.convert %b : !neuron.mem.tile<sbuf, 2xi32, [*:16] x [d0]> -> !neuron.mem.tile<sbuf, 2xi32, [d0, *:8] x []>
  "test.op"(%y) : (!neuron.mem.tile<sbuf, 2xi32, [d0, *:8] x []>) -> ()
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

// -----

// CHECK-LABEL: neuron.target = "trn2"
// CHECK: neuron.mem.convert %{{.*}} by tensor :
// CHECK: neuron.mem.convert %{{.*}} by tensor :
builtin.module attributes {neuron.target = "trn2"} {
  func.func @an_array_that_passes_bits_takes_anything() {
    %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]>
    %y = "test.op"() : () -> !neuron.mem.tile<sbuf, 128x128xi8, [d0] x [d1]>
    %r = neuron.mem.convert %x : !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>
    %q = neuron.mem.convert %y : !neuron.mem.tile<sbuf, 128x128xi8, [d0] x [d1]> -> !neuron.mem.tile<sbuf, 128x128xi8, [d1] x [d0]>
    "test.op"(%r, %q) : (!neuron.mem.tile<sbuf, 128x128xf32, [d1] x [d0]>, !neuron.mem.tile<sbuf, 128x128xi8, [d1] x [d0]>) -> ()
    func.return
  }
}
