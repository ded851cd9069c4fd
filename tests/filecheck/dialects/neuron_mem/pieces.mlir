// RUN: NKI_ROUNDTRIP

!strip = !neuron.mem.tile<sbuf, 4x128x64xbf16, [d1] x [d0, d2]>
!block = !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
!rows = !neuron.mem.tile<sbuf, 640x2048xbf16, [d0:128] x [d0/128:5, d1]>
!some = !neuron.mem.tile<sbuf, 256x512xbf16, [d0:128] x [d0/128:2, d1]>

// CHECK-LABEL: func.func @without_a_dimension
func.func @without_a_dimension(%j: index) {
  // CHECK: %[[S:.*]] = neuron.mem.empty : !neuron.mem.tile<sbuf, 4x128x64xbf16, [d1] x [d0, d2]>
  %s = neuron.mem.empty : !strip
  %b = "test.op"() : () -> !block
  // CHECK: %[[T:.*]] = neuron.mem.insert %{{.*}} into %[[S]](%{{.*}}) [s0, d0, d1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> into !neuron.mem.tile<sbuf, 4x128x64xbf16, [d1] x [d0, d2]>
  %t = neuron.mem.insert %b into %s(%j) [s0, d0, d1] : !block into !strip
  // CHECK: neuron.mem.slice %[[T]](%{{.*}}) [1 + s0, d0, d1] : !neuron.mem.tile<sbuf, 4x128x64xbf16, [d1] x [d0, d2]> -> !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]>
  %p = neuron.mem.slice %t(%j) [s0 + 1, d0, d1] : !strip -> !block
  func.return
}

// CHECK-LABEL: func.func @in_some_iterations
func.func @in_some_iterations(%i: index, %j: index) {
  %s, %b = "test.op"() : () -> (!strip, !block)
  // CHECK: neuron.mem.insert %{{.*}} into %{{.*}}(%{{.*}}, %{{.*}}) [s0, d0, d1] where [1 + -1 * s1] : !neuron.mem.tile<sbuf, 128x64xbf16, [d0] x [d1]> into
  %t = neuron.mem.insert %b into %s(%j, %i) [s0, d0, d1] where [1 - s1] : !block into !strip
  func.return
}

// CHECK-LABEL: func.func @of_several_partition_groups
func.func @of_several_partition_groups(%i: index, %j: index) {
  %r = "test.op"() : () -> !rows
  // CHECK: neuron.mem.slice %{{.*}}(%{{.*}}, %{{.*}}) [256 * s0 + d0, 7 + 512 * s1 + d1]
  %p = neuron.mem.slice %r(%i, %j) [256 * s0 + d0, 512 * s1 + d1 + 7] : !rows -> !some
  func.return
}

// Part of the partitions, from one on at which they may start.
// CHECK-LABEL: func.func @of_partitions
func.func @of_partitions() {
  %b = "test.op"() : () -> !block
  // CHECK: neuron.mem.slice %{{.*}} [96 + d0, d1] : {{.*}} -> !neuron.mem.tile<sbuf, 32x64xbf16, [d0] x [d1]>
  %p = neuron.mem.slice %b [96 + d0, d1] : !block -> !neuron.mem.tile<sbuf, 32x64xbf16, [d0] x [d1]>
  %c = arith.constant 64 : index
  // CHECK: neuron.mem.slice %{{.*}}(%{{.*}}) [s0, 8 + d0]
  %q = neuron.mem.slice %b(%c) [s0, 8 + d0] : !block -> !neuron.mem.tile<sbuf, 8xbf16, [] x [d0]>
  func.return
}

// What is repeated on the partitions is so in the piece, padding at the end is the piece's, sums have pieces too.
// CHECK-LABEL: func.func @replicas_padding_sums
func.func @replicas_padding_sums(%j: index) {
  %r = "test.op"() : () -> !neuron.mem.tile<sbuf, 8x16xf32, [*:32] x [d0, d1]>
  // CHECK: -> !neuron.mem.tile<sbuf, 16xf32, [*:32] x [d0]>
  %p = neuron.mem.slice %r(%j) [s0, d0] : !neuron.mem.tile<sbuf, 8x16xf32, [*:32] x [d0, d1]> -> !neuron.mem.tile<sbuf, 16xf32, [*:32] x [d0]>
  %x = "test.op"() : () -> !neuron.mem.tile<sbuf, 1000x16xf32, [d0:128] x [d0/128:8, d1]>
  // CHECK: -> !neuron.mem.tile<sbuf, 1000xf32, [d0:128] x [d0/128:8]>
  %q = neuron.mem.slice %x(%j) [d0, s0] : !neuron.mem.tile<sbuf, 1000x16xf32, [d0:128] x [d0/128:8, d1]> -> !neuron.mem.tile<sbuf, 1000xf32, [d0:128] x [d0/128:8]>
  // CHECK: -> !neuron.mem.tile<sbuf, 104x16xf32, [d0] x [d1]>
  %e = neuron.mem.slice %x [896 + d0, d1] : !neuron.mem.tile<sbuf, 1000x16xf32, [d0:128] x [d0/128:8, d1]> -> !neuron.mem.tile<sbuf, 104x16xf32, [d0] x [d1]>
  %s = "test.op"() : () -> !neuron.mem.tile<psum, 128x1024xf32, [d0] x [d1]>
  // CHECK: -> !neuron.mem.tile<psum, 128x512xf32, [d0] x [d1]>
  %b = neuron.mem.slice %s(%j) [d0, 512 * s0 + d1] : !neuron.mem.tile<psum, 128x1024xf32, [d0] x [d1]> -> !neuron.mem.tile<psum, 128x512xf32, [d0] x [d1]>
  func.return
}
