// RUN: nki-opt %s -p stage-in-psum --split-input-file | filecheck %s
// RUN: nki-opt %s -p stage-in-psum --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

!tile = !neuron.mem.tile<sbuf, 128x2048xf32, [d0] x [d1]>
!long = !neuron.mem.tile<sbuf, 128x6144xf32, [d0] x [d1]>
!short = !neuron.mem.tile<sbuf, 128x2048xbf16, [d0] x [d1]>
!column = !neuron.mem.tile<sbuf, 128xf32, [d0] x []>
!view = !neuron.engine.view<sbuf[0:128], [1 x 2048], f32>
!longs = !neuron.engine.view<sbuf[0:128], [1 x 6144], f32>
!shorts = !neuron.engine.view<sbuf[0:128], [1 x 2048], bf16>
!one = !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
!hbm = !neuron.engine.view<hbm, [1 x 128], f32>

// A scalar and a tile together take two elements' time wherever they are: they are two instructions, the first of which
// is Scalar's; what lies between is in PSUM.
// CHECK-LABEL: func.func @a_scalar_and_two_tiles
// CHECK:       scf.for
// CHECK:         [[S:%.*]] = neuron.engine.activation scalar op copy dst {{.*}}<psum[0:128], [1 x 2048], f32> data [[X:%.*]] : {{.*}} scale
// CHECK:         [[SV:%.*]] = neuron.engine.view [[S]]
// CHECK:         neuron.engine.tensor_tensor vector op subtract dst {{.*}}<psum[0:128], [1 x 2048], f32> data1 [[W:%.*]] : {{.*}}<sbuf[0:128], {{.*}} data2 [[SV]] : {{.*}}<psum[0:128]
// CHECK:         neuron.engine.tensor_tensor vector op add dst {{.*}}<sbuf[0:128], [1 x 2048], f32> data1 {{.*}}<psum[0:128], [1 x 2048], f32> data2 {{.*}}<sbuf[0:128]
// CHECK-NOT:     scalar_tensor_tensor
// CHECK:       }
func.func @a_scalar_and_two_tiles(%x: !tile, %w: !tile, %v: !tile, %s: !column, %a: memref<128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 8 : index
  %xv = neuron.engine.view %x : !tile -> !view
  %wv = neuron.engine.view %w : !tile -> !view
  %vv = neuron.engine.view %v : !tile -> !view
  %sv = neuron.engine.view %s : !column -> !one
  scf.for %i = %c0 to %n step %c1 {
    %ep = neuron.engine.empty : !tile
    %dp = neuron.engine.view %ep : !tile -> !view
    %p = neuron.engine.scalar_tensor_tensor vector op0 multiply op1 subtract reverse1 dst %dp : !view data %xv : !view operand0 %sv : !one operand1 %wv : !view -> !tile
    %pv = neuron.engine.view %p : !tile -> !view
    %er = neuron.engine.empty : !tile
    %dr = neuron.engine.view %er : !tile -> !view
    %r = neuron.engine.tensor_tensor vector op add dst %dr : !view data1 %pv : !view data2 %vv : !view -> !tile
    %rc = neuron.engine.view %r : !tile -> !one
    %h = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %rc : !one
  }
  func.return
}

// What makes the first operand is left as it is, but for where; the operand may be the second one.
// CHECK-LABEL: func.func @what_comes_first
// CHECK:         neuron.engine.tensor_scalar vector op0 multiply dst {{.*}}<psum[0:128]
// CHECK:         neuron.engine.tensor_tensor vector op subtract dst {{.*}}<sbuf[0:128], {{.*}} data1 {{.*}}<sbuf[0:128], {{.*}} data2 {{.*}}<psum[0:128]
func.func @what_comes_first(%x: !tile, %w: !tile, %v: !tile, %s: !column, %a: memref<128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 8 : index
  %xv = neuron.engine.view %x : !tile -> !view
  %wv = neuron.engine.view %w : !tile -> !view
  %vv = neuron.engine.view %v : !tile -> !view
  %sv = neuron.engine.view %s : !column -> !one
  scf.for %i = %c0 to %n step %c1 {
    %ep = neuron.engine.empty : !tile
    %dp = neuron.engine.view %ep : !tile -> !view
    %p = neuron.engine.tensor_scalar vector op0 multiply dst %dp : !view data %xv : !view operand0 %sv : !one -> !tile
    %pv = neuron.engine.view %p : !tile -> !view
    %er = neuron.engine.empty : !tile
    %dr = neuron.engine.view %er : !tile -> !view
    %r = neuron.engine.tensor_tensor vector op subtract dst %dr : !view data1 %wv : !view data2 %pv : !view -> !tile
    %rc = neuron.engine.view %r : !tile -> !one
    %h = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %rc : !one
  }
  func.return
}

// 24 KiB are done in two pieces.
// CHECK-LABEL: func.func @longer_than_psum
// CHECK:         neuron.engine.activation scalar op copy dst {{.*}}<psum[0:128], [1 x 3072], f32>
// CHECK:         [[FIRST:%.*]] = neuron.engine.tensor_tensor vector op subtract dst {{.*}}<sbuf[0:128], [1 x 3072], f32>
// CHECK:         [[AT:%.*]] = arith.constant 3072 : index
// CHECK:         [[REST:%.*]] = neuron.engine.view [[FIRST]] at [[OFFSET:%.*]] : !neuron.mem.tile<sbuf, 128x6144xf32
// CHECK:         neuron.engine.activation scalar op copy dst {{.*}}<psum[0:128], [1 x 3072], f32>
// CHECK:         neuron.engine.tensor_tensor vector op subtract dst [[REST]] : {{.*}}<sbuf[0:128], [1 x 3072], f32>
// CHECK-NOT:     scalar_tensor_tensor
// CHECK:       }
func.func @longer_than_psum(%x: !long, %w: !long, %v: !long, %s: !column, %a: memref<128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 8 : index
  %xv = neuron.engine.view %x : !long -> !longs
  %wv = neuron.engine.view %w : !long -> !longs
  %vv = neuron.engine.view %v : !long -> !longs
  %sv = neuron.engine.view %s : !column -> !one
  scf.for %i = %c0 to %n step %c1 {
    %er = neuron.engine.empty : !long
    %dr = neuron.engine.view %er : !long -> !longs
    %r = neuron.engine.scalar_tensor_tensor vector op0 multiply op1 subtract reverse1 dst %dr : !longs data %xv : !longs operand0 %sv : !one operand1 %wv : !longs -> !long
    %rc = neuron.engine.view %r : !long -> !one
    %h = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %rc : !one
  }
  func.return
}

// A product of what is rounded is one with bf16.
// CHECK-LABEL: func.func @rounded_on_the_way
// CHECK-NOT:     psum
// CHECK:       func.return
func.func @rounded_on_the_way(%x: !tile, %w: !tile, %v: !tile, %s: !column, %a: memref<128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 8 : index
  %xv = neuron.engine.view %x : !tile -> !view
  %wv = neuron.engine.view %w : !tile -> !view
  %vv = neuron.engine.view %v : !tile -> !view
  %sv = neuron.engine.view %s : !column -> !one
  scf.for %i = %c0 to %n step %c1 {
    %ep = neuron.engine.empty : !short
    %dp = neuron.engine.view %ep : !short -> !shorts
    %p = neuron.engine.tensor_tensor vector op multiply dst %dp : !shorts data1 %xv : !view data2 %wv : !view -> !short
    %pv = neuron.engine.view %p : !short -> !shorts
    %er = neuron.engine.empty : !tile
    %dr = neuron.engine.view %er : !tile -> !view
    %r = neuron.engine.tensor_tensor vector op add dst %dr : !view data1 %pv : !shorts data2 %vv : !view -> !tile
    %rc = neuron.engine.view %r : !tile -> !one
    %h = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %rc : !one
  }
  func.return
}

// CHECK-LABEL: func.func @read_twice
// CHECK-NOT:     psum
// CHECK:       func.return
func.func @read_twice(%x: !tile, %w: !tile, %v: !tile, %s: !column, %a: memref<128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 8 : index
  %xv = neuron.engine.view %x : !tile -> !view
  %wv = neuron.engine.view %w : !tile -> !view
  %vv = neuron.engine.view %v : !tile -> !view
  %sv = neuron.engine.view %s : !column -> !one
  scf.for %i = %c0 to %n step %c1 {
    %ep = neuron.engine.empty : !tile
    %dp = neuron.engine.view %ep : !tile -> !view
    %p = neuron.engine.tensor_tensor vector op multiply dst %dp : !view data1 %xv : !view data2 %wv : !view -> !tile
    %pv = neuron.engine.view %p : !tile -> !view
    %eq = neuron.engine.empty : !tile
    %dq = neuron.engine.view %eq : !tile -> !view
    %q = neuron.engine.tensor_tensor vector op add dst %dq : !view data1 %pv : !view data2 %vv : !view -> !tile
    %qv = neuron.engine.view %q : !tile -> !view
    %pw = neuron.engine.view %p : !tile -> !view
    %er = neuron.engine.empty : !tile
    %dr = neuron.engine.view %er : !tile -> !view
    %r = neuron.engine.activation scalar op exp dst %dr : !view data %pw : !view -> !tile
    %qc = neuron.engine.view %q : !tile -> !one
    %hq = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %hq : !hbm src %qc : !one
    %rc = neuron.engine.view %r : !tile -> !one
    %h = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %rc : !one
  }
  func.return
}

// CHECK-LABEL: func.func @few_iterations
// CHECK-NOT:     psum
// CHECK:       func.return
func.func @few_iterations(%x: !tile, %w: !tile, %v: !tile, %s: !column, %a: memref<128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 2 : index
  %xv = neuron.engine.view %x : !tile -> !view
  %wv = neuron.engine.view %w : !tile -> !view
  %vv = neuron.engine.view %v : !tile -> !view
  %sv = neuron.engine.view %s : !column -> !one
  scf.for %i = %c0 to %n step %c1 {
    %ep = neuron.engine.empty : !tile
    %dp = neuron.engine.view %ep : !tile -> !view
    %p = neuron.engine.scalar_tensor_tensor vector op0 multiply op1 subtract reverse1 dst %dp : !view data %xv : !view operand0 %sv : !one operand1 %wv : !view -> !tile
    %pv = neuron.engine.view %p : !tile -> !view
    %er = neuron.engine.empty : !tile
    %dr = neuron.engine.view %er : !tile -> !view
    %r = neuron.engine.tensor_tensor vector op add dst %dr : !view data1 %pv : !view data2 %vv : !view -> !tile
    %rc = neuron.engine.view %r : !tile -> !one
    %h = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %rc : !one
  }
  func.return
}

// Transfers take longer than the Vector engine.
// CHECK-LABEL: func.func @bound_by_transfers
// CHECK-NOT:     psum
// CHECK:       func.return
func.func @bound_by_transfers(%x: !tile, %w: !tile, %v: !tile, %s: !column, %a: memref<128xf32>, %b: memref<128x8192xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 8 : index
  %xv = neuron.engine.view %x : !tile -> !view
  %wv = neuron.engine.view %w : !tile -> !view
  %vv = neuron.engine.view %v : !tile -> !view
  %sv = neuron.engine.view %s : !column -> !one
  scf.for %i = %c0 to %n step %c1 {
    %src = neuron.engine.view %b : memref<128x8192xf32> -> !neuron.engine.view<hbm, [8192 x 128, 1 x 8192], f32>
    %et = neuron.engine.empty : !neuron.mem.tile<sbuf, 128x8192xf32, [d0] x [d1]>
    %dt = neuron.engine.view %et : !neuron.mem.tile<sbuf, 128x8192xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 8192], f32>
    %t = neuron.engine.dma_copy sync queue 0 dst %dt : !neuron.engine.view<sbuf[0:128], [1 x 8192], f32> src %src : !neuron.engine.view<hbm, [8192 x 128, 1 x 8192], f32> -> !neuron.mem.tile<sbuf, 128x8192xf32, [d0] x [d1]>
    %tc = neuron.engine.view %t : !neuron.mem.tile<sbuf, 128x8192xf32, [d0] x [d1]> -> !one
    %ht = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %ht : !hbm src %tc : !one
    %ep = neuron.engine.empty : !tile
    %dp = neuron.engine.view %ep : !tile -> !view
    %p = neuron.engine.scalar_tensor_tensor vector op0 multiply op1 subtract reverse1 dst %dp : !view data %xv : !view operand0 %sv : !one operand1 %wv : !view -> !tile
    %pv = neuron.engine.view %p : !tile -> !view
    %er = neuron.engine.empty : !tile
    %dr = neuron.engine.view %er : !tile -> !view
    %r = neuron.engine.tensor_tensor vector op add dst %dr : !view data1 %pv : !view data2 %vv : !view -> !tile
    %rc = neuron.engine.view %r : !tile -> !one
    %h = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %rc : !one
  }
  func.return
}

// Two of a sum of three banks leave two of eight: two pieces fit.
// CHECK-LABEL: func.func @beside_sums
// CHECK:         neuron.engine.activation scalar op copy dst {{.*}}<psum[0:128], [1 x 1024], f32>
// CHECK:         neuron.engine.activation scalar op copy dst {{.*}}<psum[0:128], [1 x 1024], f32>
// CHECK:       func.return
func.func @beside_sums(%x: !tile, %w: !tile, %v: !tile, %s: !column, %a: memref<128xf32>, %mv: !neuron.engine.view<sbuf[0:128], [1 x 128], bf16>, %nv: !neuron.engine.view<sbuf[0:128], [1 x 512], bf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 8 : index
  %xv = neuron.engine.view %x : !tile -> !view
  %wv = neuron.engine.view %w : !tile -> !view
  %vv = neuron.engine.view %v : !tile -> !view
  %sv = neuron.engine.view %s : !column -> !one
  scf.for %i = %c0 to %n step %c1 {
    %z = neuron.engine.empty : !neuron.mem.tile<psum, 128x1536xf32, [d0] x [d1]>
    %zv = neuron.engine.view %z : !neuron.mem.tile<psum, 128x1536xf32, [d0] x [d1]> -> !neuron.engine.view<psum[0:128], [1 x 512], f32>
    %sum = neuron.engine.nc_matmul tensor dst %zv : !neuron.engine.view<psum[0:128], [1 x 512], f32> stationary %mv : !neuron.engine.view<sbuf[0:128], [1 x 128], bf16> moving %nv : !neuron.engine.view<sbuf[0:128], [1 x 512], bf16> -> !neuron.mem.tile<psum, 128x1536xf32, [d0] x [d1]>
    %sc = neuron.engine.view %sum : !neuron.mem.tile<psum, 128x1536xf32, [d0] x [d1]> -> !neuron.engine.view<psum[0:128], [1 x 512], f32>
    %ek = neuron.engine.empty : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
    %dk = neuron.engine.view %ek : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
    %k = neuron.engine.activation scalar op exp dst %dk : !neuron.engine.view<sbuf[0:128], [1 x 512], f32> data %sc : !neuron.engine.view<psum[0:128], [1 x 512], f32> -> !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
    %kc = neuron.engine.view %k : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]> -> !one
    %hk = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %hk : !hbm src %kc : !one
    %ep = neuron.engine.empty : !tile
    %dp = neuron.engine.view %ep : !tile -> !view
    %p = neuron.engine.scalar_tensor_tensor vector op0 multiply op1 subtract reverse1 dst %dp : !view data %xv : !view operand0 %sv : !one operand1 %wv : !view -> !tile
    %pv = neuron.engine.view %p : !tile -> !view
    %er = neuron.engine.empty : !tile
    %dr = neuron.engine.view %er : !tile -> !view
    %r = neuron.engine.tensor_tensor vector op add dst %dr : !view data1 %pv : !view data2 %vv : !view -> !tile
    %rc = neuron.engine.view %r : !tile -> !one
    %h = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %rc : !one
  }
  func.return
}

// Two of a sum of four banks leave nothing.
// CHECK-LABEL: func.func @sums_take_all
// CHECK-NOT:     <psum[0:128], [1 x {{1024|2048}}], f32>
// CHECK:       func.return
func.func @sums_take_all(%x: !tile, %w: !tile, %v: !tile, %s: !column, %a: memref<128xf32>, %mv: !neuron.engine.view<sbuf[0:128], [1 x 128], bf16>, %nv: !neuron.engine.view<sbuf[0:128], [1 x 512], bf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 8 : index
  %xv = neuron.engine.view %x : !tile -> !view
  %wv = neuron.engine.view %w : !tile -> !view
  %vv = neuron.engine.view %v : !tile -> !view
  %sv = neuron.engine.view %s : !column -> !one
  scf.for %i = %c0 to %n step %c1 {
    %z = neuron.engine.empty : !neuron.mem.tile<psum, 128x2048xf32, [d0] x [d1]>
    %zv = neuron.engine.view %z : !neuron.mem.tile<psum, 128x2048xf32, [d0] x [d1]> -> !neuron.engine.view<psum[0:128], [1 x 512], f32>
    %sum = neuron.engine.nc_matmul tensor dst %zv : !neuron.engine.view<psum[0:128], [1 x 512], f32> stationary %mv : !neuron.engine.view<sbuf[0:128], [1 x 128], bf16> moving %nv : !neuron.engine.view<sbuf[0:128], [1 x 512], bf16> -> !neuron.mem.tile<psum, 128x2048xf32, [d0] x [d1]>
    %sc = neuron.engine.view %sum : !neuron.mem.tile<psum, 128x2048xf32, [d0] x [d1]> -> !neuron.engine.view<psum[0:128], [1 x 512], f32>
    %ek = neuron.engine.empty : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
    %dk = neuron.engine.view %ek : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]> -> !neuron.engine.view<sbuf[0:128], [1 x 512], f32>
    %k = neuron.engine.activation scalar op exp dst %dk : !neuron.engine.view<sbuf[0:128], [1 x 512], f32> data %sc : !neuron.engine.view<psum[0:128], [1 x 512], f32> -> !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]>
    %kc = neuron.engine.view %k : !neuron.mem.tile<sbuf, 128x512xf32, [d0] x [d1]> -> !one
    %hk = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %hk : !hbm src %kc : !one
    %ep = neuron.engine.empty : !tile
    %dp = neuron.engine.view %ep : !tile -> !view
    %p = neuron.engine.scalar_tensor_tensor vector op0 multiply op1 subtract reverse1 dst %dp : !view data %xv : !view operand0 %sv : !one operand1 %wv : !view -> !tile
    %pv = neuron.engine.view %p : !tile -> !view
    %er = neuron.engine.empty : !tile
    %dr = neuron.engine.view %er : !tile -> !view
    %r = neuron.engine.tensor_tensor vector op add dst %dr : !view data1 %pv : !view data2 %vv : !view -> !tile
    %rc = neuron.engine.view %r : !tile -> !one
    %h = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %rc : !one
  }
  func.return
}

// -----

!tile = !neuron.mem.tile<sbuf, 128x2048xf32, [d0] x [d1]>
!line = !neuron.mem.tile<sbuf, 128x128xf32, [d0] x [d1]>
!view = !neuron.engine.view<sbuf[0:128], [1 x 2048], f32>
!split = !neuron.engine.view<sbuf[0:128], [128 x 16, 1 x 128], f32>
!repeated = !neuron.engine.view<sbuf[0:128], [0 x 16, 1 x 128], f32>
!short_line = !neuron.engine.view<sbuf[0:128], [1 x 128], f32>
!one = !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
!hbm = !neuron.engine.view<hbm, [1 x 128], f32>
!hbm_line = !neuron.engine.view<hbm, [128 x 128, 1 x 128], f32>

// What many elements read alike is copied once, however many instructions read it.
// CHECK-LABEL: func.func @a_copy_of_what_is_repeated
// CHECK:       scf.for
// CHECK:         [[C:%.*]] = neuron.engine.activation scalar op copy dst {{.*}}<psum[0:128], [1 x 128], f32> data {{.*}}<sbuf[0:128], [1 x 128], f32>
// CHECK-NOT:     activation
// CHECK:         [[V:%.*]] = neuron.engine.view [[C]] : {{.*}}<psum[0:128], [0 x 16, 1 x 128], f32>
// CHECK:         neuron.engine.tensor_tensor vector op multiply {{.*}} data2 [[V]]
// CHECK:         [[W:%.*]] = neuron.engine.view [[C]] : {{.*}}<psum[0:128], [0 x 16, 1 x 128], f32>
// CHECK:         neuron.engine.tensor_tensor vector op add {{.*}} data2 [[W]]
func.func @a_copy_of_what_is_repeated(%x: !tile, %w: !line, %a: memref<128xf32>, %hw: !hbm_line) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 8 : index
  scf.for %i = %c0 to %n step %c1 {
    %ew = neuron.engine.empty : !line
    %dw = neuron.engine.view %ew : !line -> !short_line
    %w1 = neuron.engine.dma_copy sync queue 0 dst %dw : !short_line src %hw : !hbm_line -> !line
    %wv = neuron.engine.view %w1 : !line -> !repeated
    %ep = neuron.engine.empty : !tile
    %dp = neuron.engine.view %ep : !tile -> !split
    %xs = neuron.engine.view %x : !tile -> !split
    %p = neuron.engine.tensor_tensor vector op multiply dst %dp : !split data1 %xs : !split data2 %wv : !repeated -> !tile
    %er = neuron.engine.empty : !tile
    %dr = neuron.engine.view %er : !tile -> !split
    %r = neuron.engine.tensor_tensor vector op add dst %dr : !split data1 %xs : !split data2 %wv : !repeated -> !tile
    %pc = neuron.engine.view %p : !tile -> !one
    %rc = neuron.engine.view %r : !tile -> !one
    %h = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %pc : !one
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %rc : !one
  }
  func.return
}

// What is there before the loop is copied there.
// CHECK-LABEL: func.func @a_copy_in_front_of_the_loop
// CHECK:       neuron.engine.activation scalar op copy dst {{.*}}<psum
// CHECK:       scf.for
// CHECK-NOT:     activation
// CHECK:         neuron.engine.tensor_tensor vector op multiply {{.*}}<psum
func.func @a_copy_in_front_of_the_loop(%x: !tile, %w: !line, %a: memref<128xf32>, %hw: !hbm_line) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 8 : index
  scf.for %i = %c0 to %n step %c1 {
    %wv = neuron.engine.view %w : !line -> !repeated
    %ep = neuron.engine.empty : !tile
    %dp = neuron.engine.view %ep : !tile -> !split
    %xs = neuron.engine.view %x : !tile -> !split
    %p = neuron.engine.tensor_tensor vector op multiply dst %dp : !split data1 %xs : !split data2 %wv : !repeated -> !tile
    %er = neuron.engine.empty : !tile
    %dr = neuron.engine.view %er : !tile -> !split
    %r = neuron.engine.tensor_tensor vector op add dst %dr : !split data1 %xs : !split data2 %wv : !repeated -> !tile
    %pc = neuron.engine.view %p : !tile -> !one
    %rc = neuron.engine.view %r : !tile -> !one
    %h = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %pc : !one
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %rc : !one
  }
  func.return
}

// CHECK-LABEL: func.func @no_copy_for_few_iterations
// CHECK-NOT:   psum
func.func @no_copy_for_few_iterations(%x: !tile, %w: !line, %a: memref<128xf32>, %hw: !hbm_line) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 2 : index
  scf.for %i = %c0 to %n step %c1 {
    %wv = neuron.engine.view %w : !line -> !repeated
    %ep = neuron.engine.empty : !tile
    %dp = neuron.engine.view %ep : !tile -> !split
    %xs = neuron.engine.view %x : !tile -> !split
    %p = neuron.engine.tensor_tensor vector op multiply dst %dp : !split data1 %xs : !split data2 %wv : !repeated -> !tile
    %er = neuron.engine.empty : !tile
    %dr = neuron.engine.view %er : !tile -> !split
    %r = neuron.engine.tensor_tensor vector op add dst %dr : !split data1 %xs : !split data2 %wv : !repeated -> !tile
    %pc = neuron.engine.view %p : !tile -> !one
    %rc = neuron.engine.view %r : !tile -> !one
    %h = neuron.engine.view %a : memref<128xf32> -> !hbm
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %pc : !one
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !hbm src %rc : !one
  }
  func.return
}
