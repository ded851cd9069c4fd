// RUN: nki-opt %s -p equalize-trips --split-input-file | filecheck %s
// RUN: nki-opt %s -p equalize-trips --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

// In pairs: the second program of each has one iteration more, which is idle for the first: its maximum is of nothing.
// Of the first two, all that both have is one iteration, which is no loop.
// CHECK-LABEL: func.func @maxima
// CHECK:       tile.programs (%[[I:.*]]) in [2] anonymous
// CHECK-NOT:     scf.for
// CHECK:         tile.read
// CHECK:         %[[A:.*]] = arith.maximumf
// CHECK:         %[[Y:.*]] = tile.read {{.*}} [64 * s0 + 16 * d0 + d1 by 1]
// CHECK:         %[[F:.*]] = arith.constant -16 : index
// CHECK:         arith.muli %[[I]], %[[F]] : index
// CHECK:         %[[C:.*]] = tile.compare lt
// CHECK:         tile.expand_dims %[[C]] axis 0
// CHECK:         arith.constant 0xff800000 : f32
// CHECK:         %[[X:.*]] = tile.select %{{.*}}, %[[Y]], %{{.*}} : tensor<4x16xi1>
// CHECK-NEXT:    %[[R:.*]] = tile.reduce max %[[X]] axis 1
// CHECK-NEXT:    %[[M:.*]] = arith.maximumf %[[A]], %[[R]]
// CHECK-NEXT:    tile.write %[[M]] to %out(%[[I]]) [4 * s0 + d0 by 1]
// CHECK:       tile.programs (%[[J:.*]]) in [2] anonymous
// CHECK:         %[[TWO:.*]] = arith.constant 2 : index
// CHECK-NEXT:    %[[P:.*]] = arith.addi %[[J]], %[[TWO]]
// CHECK:         %[[THREE:.*]] = arith.constant 3 : index
// CHECK:         scf.for %{{.*}} = %{{.*}} to %[[THREE]] step
// CHECK:         tile.select
// CHECK:         tile.write %{{.*}} to %out(%[[P]])
// CHECK:       tile.programs {{.*}} in [2] anonymous
// CHECK:       tile.programs {{.*}} in [2] anonymous
// CHECK-NOT:   tile.programs
func.func @maxima(%x: memref<512xf32>, %out: memref<32xf32>) {
  tile.programs (%i) in [8] {
    %inf = arith.constant 0xff800000 : f32
    %none = tile.splat %inf : f32 -> tensor<4xf32>
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %end = arith.addi %i, %one : index
    %m = scf.for %k = %zero to %end step %one iter_args(%a = %none) -> (tensor<4xf32>) {
      %y = tile.read %x(%k) [64 * s0 + 16 * d0 + d1 by 1] : memref<512xf32> -> tensor<4x16xf32>
      %r = tile.reduce max %y axis 1 : tensor<4x16xf32> -> tensor<4xf32>
      %n = arith.maximumf %a, %r : tensor<4xf32>
      scf.yield %n : tensor<4xf32>
    }
    tile.write %m to %out(%i) [4 * s0 + d0 by 1] : tensor<4xf32> -> memref<32xf32>
  }
  func.return
}

// -----

// A program without iterations has none before idle ones: a maximum of nothing is no number to subtract. So the first
// is alone.
// CHECK-LABEL: func.func @from_none
// CHECK:       tile.programs {{.*}} in [1] anonymous
// CHECK-NOT:     tile.read
// CHECK:       tile.programs {{.*}} in [1] anonymous
// CHECK:         tile.read
// CHECK-NOT:     tile.select
// CHECK:       tile.programs {{.*}} in [2] anonymous
// CHECK:       tile.programs {{.*}} in [4] anonymous
func.func @from_none(%x: memref<1024xf32>, %out: memref<64xf32>) {
  tile.programs (%i) in [16] {
    %inf = arith.constant 0xff800000 : f32
    %none = tile.splat %inf : f32 -> tensor<4xf32>
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %m = scf.for %k = %zero to %i step %one iter_args(%a = %none) -> (tensor<4xf32>) {
      %y = tile.read %x(%k) [64 * s0 + 16 * d0 + d1 by 1] : memref<1024xf32> -> tensor<4x16xf32>
      %r = tile.reduce max %y axis 1 : tensor<4x16xf32> -> tensor<4xf32>
      %n = arith.maximumf %a, %r : tensor<4xf32>
      scf.yield %n : tensor<4xf32>
    }
    tile.write %m to %out(%i) [4 * s0 + d0 by 1] : tensor<4xf32> -> memref<64xf32>
  }
  func.return
}

// -----

// Both factors of a product are read as zero where an iteration is idle, whatever is in memory; a sum of what was
// computed is of zeros. The first four have no iteration in common.
// CHECK-LABEL: func.func @sums
// CHECK:       tile.programs {{.*}} in [4] anonymous
// CHECK:         scf.for
// CHECK-NOT:     scf.for
// CHECK:       tile.programs (%[[I:.*]]) in [4] anonymous
// CHECK:         scf.for
// CHECK:           tile.read %x({{.*}}) [64 * s0 + d0 by 256, 16 * s1 + d1 by 1] :
// CHECK:         scf.for
// CHECK-NEXT:      %[[FOUR:.*]] = arith.constant 4 : index
// CHECK-NEXT:      %[[P:.*]] = arith.addi %{{.*}}, %[[FOUR]] : index
// CHECK-NEXT:      tile.read %x(%{{.*}}, %[[P]], %{{.*}}, %[[I]]) [64 * s0 + d0 by 256, 16 * s1 + d1 by 1, 16 * s2 + -16 * s3 + d1 in * to 0 by 0]
// CHECK-NEXT:      tile.read %y(%[[P]], %{{.*}}, %[[I]]) [16 * s0 + d0 by 8, d1 by 1, 16 * s1 + -16 * s2 + d0 in * to 0 by 0]
// CHECK:           %[[S:.*]] = tile.select {{.*}} : tensor<64x16xi1>
// CHECK-NEXT:      tile.reduce sum %[[S]] axis 1
func.func @sums(%x: memref<262144xf32>, %y: memref<2048xf32>, %out: memref<8192xf32>, %rows: memref<1024xf32>) {
  tile.programs (%i) in [16] {
    %none = arith.constant dense<0.0> : tensor<64x8xf32>
    %start = arith.constant dense<0.0> : tensor<64xf32>
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %s, %t = scf.for %k = %zero to %i step %one iter_args(%a = %none, %b = %start) -> (tensor<64x8xf32>, tensor<64xf32>) {
      %p = tile.read %x(%i, %k) [64 * s0 + d0 by 256, 16 * s1 + d1 by 1] : memref<262144xf32> -> tensor<64x16xf32>
      %q = tile.read %y(%k) [16 * s0 + d0 by 8, d1 by 1] : memref<2048xf32> -> tensor<16x8xf32>
      %n = tile.dot %p, %q acc %a over [1] x [0] : tensor<64x16xf32>, tensor<16x8xf32> -> tensor<64x8xf32>
      %e = math.exp %p : tensor<64x16xf32>
      %r = tile.reduce sum %e axis 1 : tensor<64x16xf32> -> tensor<64xf32>
      %m = arith.addf %b, %r : tensor<64xf32>
      scf.yield %n, %m : tensor<64x8xf32>, tensor<64xf32>
    }
    tile.write %s to %out(%i) [512 * s0 + 8 * d0 + d1 by 1] : tensor<64x8xf32> -> memref<8192xf32>
    tile.write %t to %rows(%i) [64 * s0 + d0 by 1] : tensor<64xf32> -> memref<1024xf32>
  }
  func.return
}

// -----

// A running maximum with sums that it scales: exp of -inf is 0, so that nothing else has to be made of the weights. The
// other factor is read as zero. What would be read beyond its memory is not.
// CHECK-LABEL: func.func @weighted
// CHECK:       tile.programs {{.*}} in [2] anonymous
// CHECK:       tile.programs {{.*}} in [2] anonymous
// CHECK:         tile.read %x({{.*}}) [{{.*}}, {{.*}} in * to 0 by 0]
// CHECK:         tile.select
// CHECK-NOT:     tile.select
// CHECK:         tile.reduce sum
// CHECK:         tile.read %v({{.*}}) [{{.*}}, {{.*}}d0{{.*}} in * to 0 by 0]
// CHECK-NOT:     tile.select
// CHECK:         tile.dot
func.func @weighted(%x: memref<256xf32>, %v: memref<1024xf32>, %out: memref<128xf32>) {
  tile.programs (%i) in [4] {
    %inf = arith.constant 0xff800000 : f32
    %none = tile.splat %inf : f32 -> tensor<4xf32>
    %zeros = arith.constant dense<0.0> : tensor<4xf32>
    %acc = arith.constant dense<0.0> : tensor<4x8xf32>
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %end = arith.addi %i, %one : index
    %m, %l, %o = scf.for %k = %zero to %end step %one iter_args(%m0 = %none, %l0 = %zeros, %o0 = %acc) -> (tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>) {
      %y = tile.read %x(%i, %k) [64 * s0 + -64 * s1 + 16 * d0 + d1 by 1] : memref<256xf32> -> tensor<4x16xf32>
      %r = tile.reduce max %y axis 1 : tensor<4x16xf32> -> tensor<4xf32>
      %m1 = arith.maximumf %m0, %r : tensor<4xf32>
      %mx = tile.expand_dims %m1 axis 1 : tensor<4xf32> -> tensor<4x1xf32>
      %mb = tile.broadcast %mx : tensor<4x1xf32> -> tensor<4x16xf32>
      %d = arith.subf %y, %mb : tensor<4x16xf32>
      %p = math.exp %d : tensor<4x16xf32>
      %md = arith.subf %m0, %m1 : tensor<4xf32>
      %w = math.exp %md : tensor<4xf32>
      %s = tile.reduce sum %p axis 1 : tensor<4x16xf32> -> tensor<4xf32>
      %ls = arith.mulf %l0, %w : tensor<4xf32>
      %l1 = arith.addf %ls, %s : tensor<4xf32>
      %wx = tile.expand_dims %w axis 1 : tensor<4xf32> -> tensor<4x1xf32>
      %wb = tile.broadcast %wx : tensor<4x1xf32> -> tensor<4x8xf32>
      %os = arith.mulf %o0, %wb : tensor<4x8xf32>
      %u = tile.read %v(%k) [16 * s0 + d0 by 8, d1 by 1] : memref<1024xf32> -> tensor<16x8xf32>
      %o1 = tile.dot %p, %u acc %os over [1] x [0] : tensor<4x16xf32>, tensor<16x8xf32> -> tensor<4x8xf32>
      scf.yield %m1, %l1, %o1 : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
    }
    tile.write %o to %out(%i) [32 * s0 + 8 * d0 + d1 by 1] : tensor<4x8xf32> -> memref<128xf32>
  }
  func.return
}

// -----

// Left alone: what a loop carries is no sum.
// CHECK-LABEL: func.func @product
// CHECK:       tile.programs (%i) in [8] {
// CHECK:         scf.for %k = %zero to %i step
// CHECK-NOT:   tile.programs
func.func @product(%x: memref<512xf32>, %out: memref<32xf32>) {
  tile.programs (%i) in [8] {
    %first = arith.constant dense<1.0> : tensor<4xf32>
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %m = scf.for %k = %zero to %i step %one iter_args(%a = %first) -> (tensor<4xf32>) {
      %y = tile.read %x(%k) [64 * s0 + 16 * d0 by 1] : memref<512xf32> -> tensor<4xf32>
      %n = arith.mulf %a, %y : tensor<4xf32>
      scf.yield %n : tensor<4xf32>
    }
    tile.write %m to %out(%i) [4 * s0 + d0 by 1] : tensor<4xf32> -> memref<32xf32>
  }
  func.return
}

// -----

// Left alone: the loop writes, as often as it runs.
// CHECK-LABEL: func.func @writes
// CHECK:       tile.programs (%i) in [8] {
// CHECK-NOT:   tile.programs
func.func @writes(%x: memref<512xf32>, %out: memref<512xf32>) {
  tile.programs (%i) in [8] {
    %inf = arith.constant 0xff800000 : f32
    %none = tile.splat %inf : f32 -> tensor<4xf32>
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %m = scf.for %k = %zero to %i step %one iter_args(%a = %none) -> (tensor<4xf32>) {
      %y = tile.read %x(%k) [64 * s0 + 16 * d0 + d1 by 1] : memref<512xf32> -> tensor<4x16xf32>
      %r = tile.reduce max %y axis 1 : tensor<4x16xf32> -> tensor<4xf32>
      %n = arith.maximumf %a, %r : tensor<4xf32>
      tile.write %n to %out(%i, %k) [64 * s0 + 4 * s1 + d0 by 1] : tensor<4xf32> -> memref<512xf32>
      scf.yield %n : tensor<4xf32>
    }
  }
  func.return
}

// -----

// Left alone: programs along the second axis would run in another order, and write to the same place.
// CHECK-LABEL: func.func @in_order
// CHECK:       tile.programs (%j, %i) in [2, 8] {
// CHECK-NOT:   tile.programs
func.func @in_order(%x: memref<512xf32>, %out: memref<32xf32>) {
  tile.programs (%j, %i) in [2, 8] {
    %inf = arith.constant 0xff800000 : f32
    %none = tile.splat %inf : f32 -> tensor<4xf32>
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %end = arith.addi %i, %one : index
    %m = scf.for %k = %zero to %end step %one iter_args(%a = %none) -> (tensor<4xf32>) {
      %y = tile.read %x(%k) [64 * s0 + 16 * d0 + d1 by 1] : memref<512xf32> -> tensor<4x16xf32>
      %r = tile.reduce max %y axis 1 : tensor<4x16xf32> -> tensor<4xf32>
      %n = arith.maximumf %a, %r : tensor<4xf32>
      scf.yield %n : tensor<4xf32>
    }
    tile.write %m to %out(%j) [4 * s0 + d0 by 1] : tensor<4xf32> -> memref<32xf32>
  }
  func.return
}

// -----

// Left alone: all run it equally often.
// CHECK-LABEL: func.func @alike
// CHECK:       tile.programs (%i) in [8] {
// CHECK-NOT:   tile.programs
func.func @alike(%x: memref<512xf32>, %out: memref<32xf32>) {
  tile.programs (%i) in [8] {
    %inf = arith.constant 0xff800000 : f32
    %none = tile.splat %inf : f32 -> tensor<4xf32>
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %end = arith.constant 5 : index
    %m = scf.for %k = %zero to %end step %one iter_args(%a = %none) -> (tensor<4xf32>) {
      %y = tile.read %x(%k) [64 * s0 + 16 * d0 + d1 by 1] : memref<512xf32> -> tensor<4x16xf32>
      %r = tile.reduce max %y axis 1 : tensor<4x16xf32> -> tensor<4xf32>
      %n = arith.maximumf %a, %r : tensor<4xf32>
      scf.yield %n : tensor<4xf32>
    }
    tile.write %m to %out(%i) [4 * s0 + d0 by 1] : tensor<4xf32> -> memref<32xf32>
  }
  func.return
}

// -----

// In the iterations that all programs of a group have, but the last, the mask holds: these are a loop of their own,
// which needs none. In the others it makes -inf wherever an iteration is idle, so that nothing else has to.
// CHECK-LABEL: func.func @causal
// CHECK:       tile.programs (%{{.*}}) in [2] anonymous
// CHECK:       tile.programs (%[[J:.*]]) in [2] anonymous
// CHECK:         arith.addi %[[J]]
// CHECK:         %[[TWO:.*]] = arith.constant 2 : index
// CHECK-NEXT:    %{{.*}} = arith.constant 1 : index
// CHECK-NEXT:    scf.for %{{.*}} = %{{.*}} to %[[TWO]] step
// CHECK:           tile.select
// CHECK-NOT:       tile.select
// CHECK:         scf.for
// CHECK:           tile.select
// CHECK-NOT:       tile.select
// CHECK:       tile.programs
func.func @causal(%x: memref<4096xf32>, %out: memref<128xf32>) {
  tile.programs (%i) in [8] {
    %inf = arith.constant 0xff800000 : f32
    %none = tile.splat %inf : f32 -> tensor<16xf32>
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %size = arith.constant 16 : index
    %end = arith.addi %i, %one : index
    %places = tile.arange 0 to 16 : tensor<16xindex>
    %row = arith.muli %i, %size : index
    %first = tile.splat %row : index -> tensor<16xindex>
    %rows = arith.addi %first, %places : tensor<16xindex>
    %m = scf.for %k = %zero to %end step %one iter_args(%a = %none) -> (tensor<16xf32>) {
      %y = tile.read %x(%k) [16 * s0 + 128 * d0 + d1 by 1] : memref<4096xf32> -> tensor<16x16xf32>
      %column = arith.muli %k, %size : index
      %start = tile.splat %column : index -> tensor<16xindex>
      %columns = arith.addi %start, %places : tensor<16xindex>
      %down = tile.expand_dims %rows axis 1 : tensor<16xindex> -> tensor<16x1xindex>
      %across = tile.expand_dims %columns axis 0 : tensor<16xindex> -> tensor<1x16xindex>
      %r2 = tile.broadcast %down : tensor<16x1xindex> -> tensor<16x16xindex>
      %c2 = tile.broadcast %across : tensor<1x16xindex> -> tensor<16x16xindex>
      %mask = tile.compare ge %r2, %c2 : tensor<16x16xindex>, tensor<16x16xindex> -> tensor<16x16xi1>
      %low = tile.splat %inf : f32 -> tensor<16x16xf32>
      %s = tile.select %mask, %y, %low : tensor<16x16xi1>, tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
      %r = tile.reduce max %s axis 1 : tensor<16x16xf32> -> tensor<16xf32>
      %n = arith.maximumf %a, %r : tensor<16xf32>
      scf.yield %n : tensor<16xf32>
    }
    tile.write %m to %out(%i) [16 * s0 + d0 by 1] : tensor<16xf32> -> memref<128xf32>
  }
  func.return
}

// What has no idle iterations runs equally often in groups of programs that are alike: the last one has fewer rows.
// CHECK-LABEL: func.func @rows_shared_out
// CHECK:       tile.programs (%{{.*}}) in [7] anonymous
// CHECK:         arith.minsi
// CHECK:         %[[SIXTEEN:.*]] = arith.constant 16 : index
// CHECK-NEXT:    %{{.*}} = arith.constant 1 : index
// CHECK-NEXT:    scf.for %{{.*}} = %{{.*}} to %[[SIXTEEN]] step
// CHECK:       tile.programs (%{{.*}}) in [1] anonymous
// CHECK:         arith.minsi
// CHECK:         %[[FIVE:.*]] = arith.constant 5 : index
// CHECK-NEXT:    %{{.*}} = arith.constant 1 : index
// CHECK-NEXT:    scf.for %{{.*}} = %{{.*}} to %[[FIVE]] step
// CHECK-NOT:   tile.programs
func.func @rows_shared_out(%x: memref<117x64xf32>, %y: memref<117x64xf32>, %out: memref<8x64xf32>) {
  tile.programs (%i) in [8] {
    %none = arith.constant dense<0.000000e+00> : tensor<64xf32>
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %rows = arith.constant 16 : index
    %all = arith.constant 117 : index
    %low = arith.muli %i, %rows : index
    %left = arith.subi %all, %low : index
    %trips = arith.minsi %left, %rows : index
    %sum = scf.for %k = %zero to %trips step %one iter_args(%s = %none) -> (tensor<64xf32>) {
      %v = tile.read %x(%k, %i) [s0 + 16 * s1 by 64, d0 by 1] : memref<117x64xf32> -> tensor<64xf32>
      tile.write %v to %y(%k, %i) [s0 + 16 * s1 by 64, d0 by 1] : tensor<64xf32> -> memref<117x64xf32>
      %t = arith.addf %s, %v : tensor<64xf32>
      scf.yield %t : tensor<64xf32>
    }
    tile.write %sum to %out(%i) [s0 by 64, d0 by 1] : tensor<64xf32> -> memref<8x64xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @too_few_alike
// CHECK:       tile.programs (%i) in [4] {
// CHECK-NOT:   tile.programs
func.func @too_few_alike(%x: memref<40x64xf32>, %y: memref<40x64xf32>) {
  tile.programs (%i) in [4] {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %rows = arith.constant 16 : index
    %all = arith.constant 40 : index
    %low = arith.muli %i, %rows : index
    %left = arith.subi %all, %low : index
    %trips = arith.minsi %left, %rows : index
    scf.for %k = %zero to %trips step %one {
      %v = tile.read %x(%k, %i) [s0 + 16 * s1 by 64, d0 by 1] : memref<40x64xf32> -> tensor<64xf32>
      tile.write %v to %y(%k, %i) [s0 + 16 * s1 by 64, d0 by 1] : tensor<64xf32> -> memref<40x64xf32>
    }
  }
  func.return
}
