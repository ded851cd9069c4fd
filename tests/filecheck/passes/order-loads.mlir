// RUN: nki-opt %s -p order-loads | filecheck %s
// RUN: nki-opt %s -p order-loads --print-op-generic | nki-opt | filecheck %s

!left = !neuron.engine.buffer<sbuf, 128 x 512>
!right = !neuron.engine.buffer<sbuf, 128 x 8192>
!sums = !neuron.engine.buffer<psum, 128 x 2048>
!out = !neuron.engine.buffer<sbuf, 128 x 1024>
!a = !neuron.engine.view<sbuf[0:128], [1 x 128], bf16>
!b = !neuron.engine.view<sbuf[0:128], [1 x 512], bf16>
!b1 = !neuron.engine.view<sbuf[0:128], [1 x 512, 1 x 1], bf16>
!c = !neuron.engine.view<sbuf[0:128], [1 x 512], bf16>
!p = !neuron.engine.view<psum[0:128], [1 x 512], f32>
!ah = !neuron.engine.view<hbm, [512 x 128, 1 x 128], bf16>
!bh = !neuron.engine.view<hbm, [2048 x 128, 1 x 512], bf16>
!bh1 = !neuron.engine.view<hbm, [2048 x 128, 1 x 512, 1 x 1], bf16>
!ch = !neuron.engine.view<hbm, [2048 x 128, 1 x 512], bf16>
!x = memref<256x512xbf16>
!y = memref<256x2048xbf16>
!z = memref<512x2048xbf16>

// Terms come in the order of the products. What was loaded in front of the inner loop is in its first iteration.
// CHECK-LABEL: func.func @operands_come_together
// CHECK: scf.for [[I:%.*]] = %c0 to %c4
// CHECK-NOT: neuron.engine.dma_copy
// CHECK: scf.for [[J:%.*]] = %c0 to %c4
// CHECK: neuron.engine.view {{.*}} limit dim 2 [[FIRST:%[0-9]+]] : {{.*}} -> !neuron.engine.view<sbuf[0:128], [1 x 128, 1 x 1], bf16>
// CHECK: neuron.engine.view {{.*}} limit dim 2 [[FIRST]] : {{.*}} -> !neuron.engine.view<hbm, [512 x 128, 1 x 128, 1 x 1], bf16>
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 128, 1 x 1], bf16> src {{.*}} : !neuron.engine.view<hbm, [512 x 128, 1 x 128, 1 x 1], bf16>
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 512, 1 x 1], bf16>
// CHECK: neuron.engine.nc_matmul tensor dst
// CHECK: limit dim 2 {{.*}} -> !neuron.engine.view<sbuf[0:128], [1 x 128, 1 x 1], bf16>
// CHECK: limit dim 2 {{.*}} : {{.*}} -> !neuron.engine.view<hbm, [512 x 128, 1 x 128, 1 x 1], bf16>
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 128, 1 x 1], bf16>
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 512, 1 x 1], bf16>
// CHECK: neuron.engine.nc_matmul tensor accumulate
// CHECK: neuron.engine.dma_copy gpsimd
func.func @operands_come_together(%x: !x, %y: !y, %z: !z) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %lanes = arith.constant 128 : index
  %width = arith.constant 512 : index
  %second = arith.constant 1024 : index
  %below = arith.constant 65536 : index
  %lower = arith.constant 262144 : index
  %minus = arith.constant -1 : index
  %rb = neuron.engine.alloc "b" : !right
  scf.for %i = %c0 to %c4 step %c1 {
    %la = neuron.engine.alloc "a" : !left
    %cols = arith.muli %i, %lanes : index
    %a0 = neuron.engine.view %la : !left -> !a
    %h0 = neuron.engine.view %x at %cols : !x -> !ah
    neuron.engine.dma_copy sync queue 0 dst %a0 : !a src %h0 : !ah
    %a1 = neuron.engine.view %la at %lanes : !left -> !a
    %down = arith.addi %cols, %below : index
    %h1 = neuron.engine.view %x at %down : !x -> !ah
    neuron.engine.dma_copy sync queue 0 dst %a1 : !a src %h1 : !ah
    scf.for %j = %c0 to %c4 step %c1 {
      %once = arith.subi %c1, %i : index
      %at = arith.muli %j, %second : index
      %wide = arith.muli %j, %width : index
      %r0 = neuron.engine.view %rb at %at limit dim 2 %once : !right -> !b1
      %k0 = neuron.engine.view %y at %wide limit dim 2 %once : !y -> !bh1
      neuron.engine.dma_copy sync queue 0 dst %r0 : !b1 src %k0 : !bh1
      %at1 = arith.addi %at, %width : index
      %low = arith.addi %wide, %lower : index
      %r1 = neuron.engine.view %rb at %at1 limit dim 2 %once : !right -> !b1
      %k1 = neuron.engine.view %y at %low limit dim 2 %once : !y -> !bh1
      neuron.engine.dma_copy sync queue 0 dst %r1 : !b1 src %k1 : !bh1
      %s = neuron.engine.alloc "s" : !sums
      %p = neuron.engine.view %s : !sums -> !p
      %m0 = neuron.engine.view %rb at %at : !right -> !b
      neuron.engine.nc_matmul tensor dst %p : !p stationary %a0 : !a moving %m0 : !b
      %m1 = neuron.engine.view %rb at %at1 : !right -> !b
      neuron.engine.nc_matmul tensor accumulate %c1 dst %p : !p stationary %a1 : !a moving %m1 : !b
      %o = neuron.engine.alloc "o" : !out
      %ov = neuron.engine.view %o : !out -> !c
      neuron.engine.activation scalar op copy dst %ov : !c data %p : !p
      %there = arith.muli %i, %lower : index
      %place = arith.addi %there, %wide : index
      %oh = neuron.engine.view %z at %place : !z -> !ch
      neuron.engine.dma_copy gpsimd queue 0 dst %oh : !ch src %ov : !c
    }
  }
  func.return
}

// What is made of the next rows is read in the next iteration of the outer loop.
// CHECK-LABEL: func.func @the_next_iteration_comes_last
// CHECK: scf.for
// CHECK: scf.for
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 512, 1 x 1], bf16>
// CHECK: neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 128], bf16>
// CHECK: neuron.engine.tensor_copy vector
// CHECK: neuron.engine.nc_matmul
func.func @the_next_iteration_comes_last(%x: !x, %y: !y, %z: !z) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %lanes = arith.constant 128 : index
  %width = arith.constant 512 : index
  %second = arith.constant 1024 : index
  %below = arith.constant 65536 : index
  %lower = arith.constant 262144 : index
  %minus = arith.constant -1 : index
  %rb = neuron.engine.alloc "b" : !right
  %two = arith.constant 2 : index
  %la = neuron.engine.alloc "a" : !left
  scf.for %i = %c0 to %c4 step %c1 {
    scf.for %j = %c0 to %c4 step %c1 {
      %n = arith.addi %i, %c1 : index
      %ncols = arith.muli %n, %lanes : index
      %nh = neuron.engine.view %x at %ncols : !x -> !ah
      %raw = neuron.engine.alloc "raw" : !left
      %rw = neuron.engine.view %raw : !left -> !a
      neuron.engine.dma_copy sync queue 0 dst %rw : !a src %nh : !ah
      %once = arith.subi %c1, %i : index
      %at = arith.muli %j, %second : index
      %wide = arith.muli %j, %width : index
      %r0 = neuron.engine.view %rb at %at limit dim 2 %once : !right -> !b1
      %k0 = neuron.engine.view %y at %wide limit dim 2 %once : !y -> !bh1
      neuron.engine.dma_copy sync queue 0 dst %r0 : !b1 src %k0 : !bh1
      %odd = arith.remsi %i, %two : index
      %from = arith.muli %odd, %lanes : index
      %a0 = neuron.engine.view %la at %from : !left -> !a
      %other = arith.remsi %n, %two : index
      %to = arith.muli %other, %lanes : index
      %a2 = neuron.engine.view %la at %to : !left -> !a
      neuron.engine.tensor_copy vector dst %a2 : !a src %rw : !a
      %s = neuron.engine.alloc "s" : !sums
      %p = neuron.engine.view %s : !sums -> !p
      %m0 = neuron.engine.view %rb at %at : !right -> !b
      neuron.engine.nc_matmul tensor dst %p : !p stationary %a0 : !a moving %m0 : !b
      %o = neuron.engine.alloc "o" : !out
      %ov = neuron.engine.view %o : !out -> !c
      neuron.engine.activation scalar op copy dst %ov : !c data %p : !p
      %there = arith.muli %i, %lower : index
      %place = arith.addi %there, %wide : index
      %oh = neuron.engine.view %z at %place : !z -> !ch
      neuron.engine.dma_copy gpsimd queue 0 dst %oh : !ch src %ov : !c
    }
  }
  func.return
}

// Left alone: loads that are under way in good time.
// CHECK-LABEL: func.func @what_is_loaded_in_all_iterations
// CHECK: scf.for
// CHECK-COUNT-2: neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 128], bf16>
// CHECK: scf.for
// CHECK-COUNT-2: neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 512], bf16>
// CHECK: neuron.engine.nc_matmul
func.func @what_is_loaded_in_all_iterations(%x: !x, %y: !y, %z: !z) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %lanes = arith.constant 128 : index
  %width = arith.constant 512 : index
  %second = arith.constant 1024 : index
  %below = arith.constant 65536 : index
  %lower = arith.constant 262144 : index
  %minus = arith.constant -1 : index
  %rb = neuron.engine.alloc "b" : !right
  scf.for %i = %c0 to %c4 step %c1 {
    %la = neuron.engine.alloc "a" : !left
    %cols = arith.muli %i, %lanes : index
    %a0 = neuron.engine.view %la : !left -> !a
    %h0 = neuron.engine.view %x at %cols : !x -> !ah
    neuron.engine.dma_copy sync queue 0 dst %a0 : !a src %h0 : !ah
    %a1 = neuron.engine.view %la at %lanes : !left -> !a
    %down = arith.addi %cols, %below : index
    %h1 = neuron.engine.view %x at %down : !x -> !ah
    neuron.engine.dma_copy sync queue 0 dst %a1 : !a src %h1 : !ah
    scf.for %j = %c0 to %c4 step %c1 {
      %once = arith.subi %c1, %i : index
      %at = arith.muli %j, %second : index
      %wide = arith.muli %j, %width : index
      %r0 = neuron.engine.view %rb at %at : !right -> !b
      %k0 = neuron.engine.view %y at %wide : !y -> !bh
      neuron.engine.dma_copy sync queue 0 dst %r0 : !b src %k0 : !bh
      %at1 = arith.addi %at, %width : index
      %low = arith.addi %wide, %lower : index
      %r1 = neuron.engine.view %rb at %at1 : !right -> !b
      %k1 = neuron.engine.view %y at %low : !y -> !bh
      neuron.engine.dma_copy sync queue 0 dst %r1 : !b src %k1 : !bh
      %s = neuron.engine.alloc "s" : !sums
      %p = neuron.engine.view %s : !sums -> !p
      %m0 = neuron.engine.view %rb at %at : !right -> !b
      neuron.engine.nc_matmul tensor dst %p : !p stationary %a0 : !a moving %m0 : !b
      %m1 = neuron.engine.view %rb at %at1 : !right -> !b
      neuron.engine.nc_matmul tensor accumulate %c1 dst %p : !p stationary %a1 : !a moving %m1 : !b
      %o = neuron.engine.alloc "o" : !out
      %ov = neuron.engine.view %o : !out -> !c
      neuron.engine.activation scalar op copy dst %ov : !c data %p : !p
      %there = arith.muli %i, %lower : index
      %place = arith.addi %there, %wide : index
      %oh = neuron.engine.view %z at %place : !z -> !ch
      neuron.engine.dma_copy gpsimd queue 0 dst %oh : !ch src %ov : !c
    }
  }
  func.return
}

// Left alone: the operand is where the results go, some of which would be stored before it is loaded.
// CHECK-LABEL: func.func @memory_that_is_stored_to
// CHECK: scf.for
// CHECK-COUNT-2: neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 128], bf16>
// CHECK: neuron.engine.dma_copy gpsimd
// CHECK: scf.for
func.func @memory_that_is_stored_to(%x: !x, %y: !y, %z: !z) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %lanes = arith.constant 128 : index
  %width = arith.constant 512 : index
  %second = arith.constant 1024 : index
  %below = arith.constant 65536 : index
  %lower = arith.constant 262144 : index
  %minus = arith.constant -1 : index
  %rb = neuron.engine.alloc "b" : !right
  scf.for %i = %c0 to %c4 step %c1 {
    %la = neuron.engine.alloc "a" : !left
    %cols = arith.muli %i, %lanes : index
    %a0 = neuron.engine.view %la : !left -> !a
    %h0 = neuron.engine.view %x at %cols : !x -> !ah
    neuron.engine.dma_copy sync queue 0 dst %a0 : !a src %h0 : !ah
    %a1 = neuron.engine.view %la at %lanes : !left -> !a
    %down = arith.addi %cols, %below : index
    %h1 = neuron.engine.view %x at %down : !x -> !ah
    neuron.engine.dma_copy sync queue 0 dst %a1 : !a src %h1 : !ah
    %zh = neuron.engine.view %x at %cols : !x -> !ah
    neuron.engine.dma_copy gpsimd queue 0 dst %zh : !ah src %a0 : !a
    scf.for %j = %c0 to %c4 step %c1 {
      %once = arith.subi %c1, %i : index
      %at = arith.muli %j, %second : index
      %wide = arith.muli %j, %width : index
      %r0 = neuron.engine.view %rb at %at limit dim 2 %once : !right -> !b1
      %k0 = neuron.engine.view %y at %wide limit dim 2 %once : !y -> !bh1
      neuron.engine.dma_copy sync queue 0 dst %r0 : !b1 src %k0 : !bh1
      %at1 = arith.addi %at, %width : index
      %low = arith.addi %wide, %lower : index
      %r1 = neuron.engine.view %rb at %at1 limit dim 2 %once : !right -> !b1
      %k1 = neuron.engine.view %y at %low limit dim 2 %once : !y -> !bh1
      neuron.engine.dma_copy sync queue 0 dst %r1 : !b1 src %k1 : !bh1
      %s = neuron.engine.alloc "s" : !sums
      %p = neuron.engine.view %s : !sums -> !p
      %m0 = neuron.engine.view %rb at %at : !right -> !b
      neuron.engine.nc_matmul tensor dst %p : !p stationary %a0 : !a moving %m0 : !b
      %m1 = neuron.engine.view %rb at %at1 : !right -> !b
      neuron.engine.nc_matmul tensor accumulate %c1 dst %p : !p stationary %a1 : !a moving %m1 : !b
      %o = neuron.engine.alloc "o" : !out
      %ov = neuron.engine.view %o : !out -> !c
      neuron.engine.activation scalar op copy dst %ov : !c data %p : !p
      %there = arith.muli %i, %lower : index
      %place = arith.addi %there, %wide : index
      %oh = neuron.engine.view %z at %place : !z -> !ch
      neuron.engine.dma_copy gpsimd queue 0 dst %oh : !ch src %ov : !c
    }
  }
  func.return
}

// Left alone: there are no further iterations.
// CHECK-LABEL: func.func @the_inner_loop_runs_once
// CHECK-COUNT-2: neuron.engine.dma_copy sync queue 0 dst {{.*}} : !neuron.engine.view<sbuf[0:128], [1 x 128], bf16>
// CHECK: scf.for
// CHECK: neuron.engine.nc_matmul
func.func @the_inner_loop_runs_once(%x: !x, %y: !y, %z: !z) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %lanes = arith.constant 128 : index
  %width = arith.constant 512 : index
  %second = arith.constant 1024 : index
  %below = arith.constant 65536 : index
  %lower = arith.constant 262144 : index
  %minus = arith.constant -1 : index
  %rb = neuron.engine.alloc "b" : !right
  scf.for %i = %c0 to %c4 step %c1 {
    %la = neuron.engine.alloc "a" : !left
    %cols = arith.muli %i, %lanes : index
    %a0 = neuron.engine.view %la : !left -> !a
    %h0 = neuron.engine.view %x at %cols : !x -> !ah
    neuron.engine.dma_copy sync queue 0 dst %a0 : !a src %h0 : !ah
    %a1 = neuron.engine.view %la at %lanes : !left -> !a
    %down = arith.addi %cols, %below : index
    %h1 = neuron.engine.view %x at %down : !x -> !ah
    neuron.engine.dma_copy sync queue 0 dst %a1 : !a src %h1 : !ah
    scf.for %j = %c0 to %c1 step %c1 {
      %once = arith.subi %c1, %i : index
      %at = arith.muli %j, %second : index
      %wide = arith.muli %j, %width : index
      %r0 = neuron.engine.view %rb at %at limit dim 2 %once : !right -> !b1
      %k0 = neuron.engine.view %y at %wide limit dim 2 %once : !y -> !bh1
      neuron.engine.dma_copy sync queue 0 dst %r0 : !b1 src %k0 : !bh1
      %at1 = arith.addi %at, %width : index
      %low = arith.addi %wide, %lower : index
      %r1 = neuron.engine.view %rb at %at1 limit dim 2 %once : !right -> !b1
      %k1 = neuron.engine.view %y at %low limit dim 2 %once : !y -> !bh1
      neuron.engine.dma_copy sync queue 0 dst %r1 : !b1 src %k1 : !bh1
      %s = neuron.engine.alloc "s" : !sums
      %p = neuron.engine.view %s : !sums -> !p
      %m0 = neuron.engine.view %rb at %at : !right -> !b
      neuron.engine.nc_matmul tensor dst %p : !p stationary %a0 : !a moving %m0 : !b
      %m1 = neuron.engine.view %rb at %at1 : !right -> !b
      neuron.engine.nc_matmul tensor accumulate %c1 dst %p : !p stationary %a1 : !a moving %m1 : !b
      %o = neuron.engine.alloc "o" : !out
      %ov = neuron.engine.view %o : !out -> !c
      neuron.engine.activation scalar op copy dst %ov : !c data %p : !p
      %there = arith.muli %i, %lower : index
      %place = arith.addi %there, %wide : index
      %oh = neuron.engine.view %z at %place : !z -> !ch
      neuron.engine.dma_copy gpsimd queue 0 dst %oh : !ch src %ov : !c
    }
  }
  func.return
}
