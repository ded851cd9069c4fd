// RUN: nki-opt %s -p equalize-trips | filecheck %s
// RUN: nki-opt %s -p equalize-trips,maximum-first | filecheck %s --check-prefix FIRST
// RUN: nki-opt %s -p equalize-trips,maximum-first,widen | filecheck %s --check-prefix WIDE

// Causal attention of 1,024 rows: four programs have the 512 rows that move through the array at once. Those of the
// first group have no iteration in common, those of the second the first four; what each has beside is as often as its
// place in the group says, and the last one, of which the mask holds nowhere near all, stays a loop.
// CHECK-LABEL: func.func @flash_attention
// CHECK:      tile.programs (%[[I:.*]]) in [4] anonymous together {
// CHECK:        scf.for %{{.*}} = %{{.*}} to %[[I]] step
// CHECK:        scf.for
// CHECK-NOT:    scf.for
// CHECK:      tile.programs (%[[J:.*]]) in [4] anonymous together {
// CHECK:        scf.for %[[K:.*]] = %{{.*}} to %{{.*}} step
// CHECK-NEXT:     tile.read %k_ptr(%[[K]]) [128 * s0 + d1 by 128, d0 by 1]
// CHECK:        scf.for %{{.*}} = %{{.*}} to %[[J]] step
// CHECK:        scf.for
// CHECK-NOT:    scf.for

// The maximum of all comes first, whatever it costs in a group of few iterations.
// FIRST-LABEL: func.func @flash_attention
// FIRST-COUNT-2: -> (tensor<128xf32>)
// FIRST-COUNT-2: -> (tensor<128x128xf32>, tensor<128x1xf32>)
// FIRST-COUNT-3: -> (tensor<128xf32>)
// FIRST-COUNT-3: -> (tensor<128x128xf32>, tensor<128x1xf32>)

// Programs that run together do what is left each by itself: the last has three iterations and one with a mask.
// WIDE-LABEL: func.func @flash_attention
// WIDE:      tile.programs (%{{.*}}) in [1] by [4] of [4] anonymous {
// WIDE-NOT:    scf.for
// WIDE:      tile.programs (%{{.*}}) in [1] by [4] of [4] anonymous {
// WIDE:        scf.for {{.*}} -> (tensor<4x128xf32>)
// WIDE:        %[[M:.*]] = tile.slice %{{.*}} axis 0 at 3 : tensor<4x128xf32> -> tensor<1x128xf32>
// WIDE:        tile.concat {{.*}} axis 0 : tensor<1x128xf32>, tensor<1x128xf32>, tensor<1x128xf32>, tensor<1x128xf32> -> tensor<4x128xf32>
// WIDE:        scf.for {{.*}} -> (tensor<4x128x128xf32>, tensor<4x128x1xf32>)
// WIDE:        tile.slice %{{.*}} axis 0 at 3 : tensor<4x128x128xf32> -> tensor<1x128x128xf32>
// WIDE-NOT:    scf.for
func.func @flash_attention(%q_ptr: memref<1024x128xbf16>, %k_ptr: memref<1024x128xbf16>, %v_ptr: memref<1024x128xbf16>, %out_ptr: memref<1024x128xbf16>) {
  tile.programs (%start_m) in [8] {
    %0 = arith.constant 128 : index
    %1 = arith.muli %start_m, %0 : index
    %offs_n = tile.arange 0 to 128 : tensor<128xindex>
    %2 = tile.splat %1 : index -> tensor<128xindex>
    %offs_m = arith.addi %2, %offs_n : tensor<128xindex>
    %3 = arith.constant 0xff800000 : f32
    %m_i = tile.splat %3 : f32 -> tensor<128xf32>
    %4 = arith.constant 1.000000e+00 : f32
    %l_i = tile.splat %4 : f32 -> tensor<128xf32>
    %5 = arith.constant 0.000000e+00 : f32
    %acc = tile.splat %5 : f32 -> tensor<128x128xf32>
    %q = tile.read %q_ptr(%start_m) [128 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<128x128xbf16>
    %6 = arith.constant 127 : index
    %7 = arith.addi %1, %6 : index
    %8 = arith.divsi %7, %0 : index
    %9 = arith.constant 0 : index
    %10 = arith.constant 1 : index
    %11 = arith.constant 0.127517432 : f32
    %12 = arith.constant 0.693147182 : f32
    %acc_1, %l_i_1, %m_i_1 = scf.for %13 = %9 to %8 step %10 iter_args(%acc_2 = %acc, %l_i_2 = %l_i, %m_i_2 = %m_i) -> (tensor<128x128xf32>, tensor<128xf32>, tensor<128xf32>) {
      %k = tile.read %k_ptr(%13) [128 * s0 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x128xbf16>
      %qk = tile.dot %q, %k over [1] x [0] : tensor<128x128xbf16>, tensor<128x128xbf16> -> tensor<128x128xf32>
      %14 = tile.reduce maxnum %qk axis 1 : tensor<128x128xf32> -> tensor<128xf32>
      %15 = tile.splat %11 : f32 -> tensor<128xf32>
      %16 = arith.mulf %14, %15 : tensor<128xf32>
      %m_ij = arith.maxnumf %m_i_2, %16 : tensor<128xf32>
      %17 = tile.splat %11 : f32 -> tensor<128x128xf32>
      %18 = arith.mulf %qk, %17 : tensor<128x128xf32>
      %19 = tile.expand_dims %m_ij axis 1 : tensor<128xf32> -> tensor<128x1xf32>
      %20 = tile.broadcast %19 : tensor<128x1xf32> -> tensor<128x128xf32>
      %qk_1 = arith.subf %18, %20 : tensor<128x128xf32>
      %21 = tile.splat %12 : f32 -> tensor<128x128xf32>
      %22 = arith.mulf %qk_1, %21 : tensor<128x128xf32>
      %p = math.exp %22 : tensor<128x128xf32>
      %23 = arith.subf %m_i_2, %m_ij : tensor<128xf32>
      %24 = tile.splat %12 : f32 -> tensor<128xf32>
      %25 = arith.mulf %23, %24 : tensor<128xf32>
      %alpha = math.exp %25 : tensor<128xf32>
      %l_ij = tile.reduce sum %p axis 1 : tensor<128x128xf32> -> tensor<128xf32>
      %26 = tile.expand_dims %alpha axis 1 : tensor<128xf32> -> tensor<128x1xf32>
      %27 = tile.broadcast %26 : tensor<128x1xf32> -> tensor<128x128xf32>
      %acc_3 = arith.mulf %acc_2, %27 : tensor<128x128xf32>
      %v = tile.read %v_ptr(%13) [128 * s0 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<128x128xbf16>
      %28 = tile.cast %p : tensor<128x128xf32> -> tensor<128x128xbf16>
      %acc_4 = tile.dot %28, %v acc %acc_3 over [1] x [0] : tensor<128x128xbf16>, tensor<128x128xbf16> -> tensor<128x128xf32>
      %29 = arith.mulf %l_i_2, %alpha : tensor<128xf32>
      %l_i_3 = arith.addf %29, %l_ij : tensor<128xf32>
      scf.yield %acc_4, %l_i_3, %m_ij : tensor<128x128xf32>, tensor<128xf32>, tensor<128xf32>
    }
    %30 = arith.addi %start_m, %10 : index
    %31 = arith.muli %30, %0 : index
    %32 = arith.subi %31, %1 : index
    %33 = arith.addi %32, %6 : index
    %34 = arith.divsi %33, %0 : index
    %35 = arith.constant -1.000000e+06 : f32
    %acc_5, %l_i_4, %m_i_3 = scf.for %36 = %9 to %34 step %10 iter_args(%acc_6 = %acc_1, %l_i_5 = %l_i_1, %m_i_4 = %m_i_1) -> (tensor<128x128xf32>, tensor<128xf32>, tensor<128xf32>) {
      %37 = arith.muli %36, %0 : index
      %start_n = arith.addi %37, %1 : index
      %k_1 = tile.read %k_ptr(%36, %start_m) [128 * s0 + 128 * s1 + d1 by 128, d0 by 1] : memref<1024x128xbf16> -> tensor<128x128xbf16>
      %qk_2 = tile.dot %q, %k_1 over [1] x [0] : tensor<128x128xbf16>, tensor<128x128xbf16> -> tensor<128x128xf32>
      %38 = tile.expand_dims %offs_m axis 1 : tensor<128xindex> -> tensor<128x1xindex>
      %39 = tile.expand_dims %offs_n axis 0 : tensor<128xindex> -> tensor<1x128xindex>
      %40 = tile.splat %start_n : index -> tensor<1x128xindex>
      %41 = arith.addi %40, %39 : tensor<1x128xindex>
      %42 = tile.broadcast %38 : tensor<128x1xindex> -> tensor<128x128xindex>
      %43 = tile.broadcast %41 : tensor<1x128xindex> -> tensor<128x128xindex>
      %mask = tile.compare ge %42, %43 : tensor<128x128xindex>, tensor<128x128xindex> -> tensor<128x128xi1>
      %44 = tile.splat %11 : f32 -> tensor<128x128xf32>
      %45 = arith.mulf %qk_2, %44 : tensor<128x128xf32>
      %46 = tile.splat %35 : f32 -> tensor<128x128xf32>
      %47 = tile.select %mask, %acc, %46 : tensor<128x128xi1>, tensor<128x128xf32>, tensor<128x128xf32> -> tensor<128x128xf32>
      %qk_3 = arith.addf %45, %47 : tensor<128x128xf32>
      %48 = tile.reduce maxnum %qk_3 axis 1 : tensor<128x128xf32> -> tensor<128xf32>
      %m_ij_1 = arith.maxnumf %m_i_4, %48 : tensor<128xf32>
      %49 = tile.expand_dims %m_ij_1 axis 1 : tensor<128xf32> -> tensor<128x1xf32>
      %50 = tile.broadcast %49 : tensor<128x1xf32> -> tensor<128x128xf32>
      %qk_4 = arith.subf %qk_3, %50 : tensor<128x128xf32>
      %51 = tile.splat %12 : f32 -> tensor<128x128xf32>
      %52 = arith.mulf %qk_4, %51 : tensor<128x128xf32>
      %p_1 = math.exp %52 : tensor<128x128xf32>
      %53 = arith.subf %m_i_4, %m_ij_1 : tensor<128xf32>
      %54 = tile.splat %12 : f32 -> tensor<128xf32>
      %55 = arith.mulf %53, %54 : tensor<128xf32>
      %alpha_1 = math.exp %55 : tensor<128xf32>
      %l_ij_1 = tile.reduce sum %p_1 axis 1 : tensor<128x128xf32> -> tensor<128xf32>
      %56 = tile.expand_dims %alpha_1 axis 1 : tensor<128xf32> -> tensor<128x1xf32>
      %57 = tile.broadcast %56 : tensor<128x1xf32> -> tensor<128x128xf32>
      %acc_7 = arith.mulf %acc_6, %57 : tensor<128x128xf32>
      %v_1 = tile.read %v_ptr(%36, %start_m) [128 * s0 + 128 * s1 + d0 by 128, d1 by 1] : memref<1024x128xbf16> -> tensor<128x128xbf16>
      %58 = tile.cast %p_1 : tensor<128x128xf32> -> tensor<128x128xbf16>
      %acc_8 = tile.dot %58, %v_1 acc %acc_7 over [1] x [0] : tensor<128x128xbf16>, tensor<128x128xbf16> -> tensor<128x128xf32>
      %59 = arith.mulf %l_i_5, %alpha_1 : tensor<128xf32>
      %l_i_6 = arith.addf %59, %l_ij_1 : tensor<128xf32>
      scf.yield %acc_8, %l_i_6, %m_ij_1 : tensor<128x128xf32>, tensor<128xf32>, tensor<128xf32>
    }
    %60 = tile.expand_dims %l_i_4 axis 1 : tensor<128xf32> -> tensor<128x1xf32>
    %61 = tile.broadcast %60 : tensor<128x1xf32> -> tensor<128x128xf32>
    %acc_9 = arith.divf %acc_5, %61 : tensor<128x128xf32>
    %62 = tile.cast %acc_9 : tensor<128x128xf32> -> tensor<128x128xbf16>
    tile.write %62 to %out_ptr(%start_m) [128 * s0 + d0 by 128, d1 by 1] : tensor<128x128xbf16> -> memref<1024x128xbf16>
  }
  func.return
}
