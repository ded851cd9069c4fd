// RUN: nki-opt %s -p emit-streams --split-input-file | filecheck %s
// RUN: nki-opt %s -p emit-streams --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: neuron.isa.program @scale
// CHECK: neuron.isa.tensor "x" : memref<8192xf32>
// CHECK: neuron.isa.buffer "b" "sbuf" partitions 128 at 64 bytes 32 slots 2
// CHECK: neuron.isa.stream vector
// CHECK-NEXT: neuron.isa.repeat 8 loop 0
// CHECK-NEXT: neuron.isa.tensor_scalar op0 multiply dst <sbuf[0:128] at 64 + 32 * ((i0) mod 2), [1 x 8], f32> {{.*}} operand0 2.000000e+00 : f32 order 1
// CHECK: neuron.isa.stream gpsimd
// CHECK: neuron.isa.dma_copy queue 0 dst <hbm "x" at 4096 * i0, [1 x 1024], f32> {{.*}} order 2
// CHECK: neuron.isa.stream sync
// CHECK: neuron.isa.dma_copy {{.*}} order 0
// CHECK-NOT: wait
func.func @scale(%x: memref<8192xf32>) attributes {tile.arg_names = ["x"]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %block = arith.constant 1024 : index
  %two = arith.constant 2.0 : f32
  scf.for %i = %c0 to %c8 step %c1 {
    %first = arith.muli %i, %block : index
    %b = neuron.engine.alloc "b" at 64 {depth = 2 : i64} : !neuron.engine.buffer<sbuf, 128 x 32>
    %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    %h = neuron.engine.view %x at %first : memref<8192xf32> -> !neuron.engine.view<hbm, [1 x 1024], f32>
    neuron.engine.dma_copy sync queue 0 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %h : !neuron.engine.view<hbm, [1 x 1024], f32>
    neuron.engine.tensor_scalar vector op0 multiply dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> operand0 %two : f32
    neuron.engine.dma_copy gpsimd queue 0 dst %h : !neuron.engine.view<hbm, [1 x 1024], f32> src %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  }
  func.return
}

// -----

// Transfers say which program they belong to: the last that began before them in their block, or around it.
// CHECK-LABEL: neuron.isa.program @programs grid [2, 4]
// CHECK: neuron.isa.repeat 7
// CHECK: neuron.isa.dma_copy queue 0 {{.*}} program <i0> order 0
// CHECK-NEXT: neuron.isa.repeat 2
// CHECK: neuron.isa.dma_copy queue 1 {{.*}} program <i0> order 1
// CHECK: neuron.isa.dma_copy queue 2 {{.*}} program <7> order 2
func.func @programs(%x: memref<1024xf32>) attributes {tile.arg_names = ["x"]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c7 = arith.constant 7 : index
  %b = neuron.engine.alloc "b" at 64 : !neuron.engine.buffer<sbuf, 128 x 32>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  %h = neuron.engine.view %x : memref<1024xf32> -> !neuron.engine.view<hbm, [1 x 1024], f32>
  scf.for %i = %c0 to %c7 step %c1 {
    tile.begin_program %i of [2, 4]
    neuron.engine.dma_copy sync queue 0 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %h : !neuron.engine.view<hbm, [1 x 1024], f32>
    scf.for %j = %c0 to %c2 step %c1 {
      neuron.engine.dma_copy sync queue 1 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %h : !neuron.engine.view<hbm, [1 x 1024], f32>
    }
  }
  tile.begin_program %c7 of [2, 4]
  neuron.engine.dma_copy sync queue 2 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %h : !neuron.engine.view<hbm, [1 x 1024], f32>
  func.return
}

// -----

// A matmul is two instructions of the Tensor engine.
// CHECK-LABEL: neuron.isa.program @product
// CHECK: neuron.isa.load_stationary stationary <sbuf[0:32] at 0, [1 x 64], f32> order 0
// CHECK-NEXT: neuron.isa.multiply_moving accumulate <1> dst <psum[0:64] at 0, [1 x 16], f32> moving <sbuf[0:32] at 256, [1 x 16], f32> order 1
func.func @product() attributes {tile.arg_names = []} {
  %one = arith.constant 1 : index
  %s = neuron.engine.alloc "s" at 0 : !neuron.engine.buffer<sbuf, 32 x 256>
  %m = neuron.engine.alloc "m" at 256 : !neuron.engine.buffer<sbuf, 32 x 64>
  %p = neuron.engine.alloc "p" at 0 : !neuron.engine.buffer<psum, 64 x 64>
  %sv = neuron.engine.view %s : !neuron.engine.buffer<sbuf, 32 x 256> -> !neuron.engine.view<sbuf[0:32], [1 x 64], f32>
  %mv = neuron.engine.view %m : !neuron.engine.buffer<sbuf, 32 x 64> -> !neuron.engine.view<sbuf[0:32], [1 x 16], f32>
  %pv = neuron.engine.view %p : !neuron.engine.buffer<psum, 64 x 64> -> !neuron.engine.view<psum[0:64], [1 x 16], f32>
  neuron.engine.nc_matmul tensor accumulate %one dst %pv : !neuron.engine.view<psum[0:64], [1 x 16], f32> stationary %sv : !neuron.engine.view<sbuf[0:32], [1 x 64], f32> moving %mv : !neuron.engine.view<sbuf[0:32], [1 x 16], f32>
  func.return
}

// -----

// Both halves of a matmul carry what it says about the array.
// CHECK-LABEL: neuron.isa.program @tile
// CHECK: neuron.isa.load_stationary is_transpose tile_position [32, 64] tile_size [32, 32] stationary <sbuf[32:64] at 0, [1 x 16], bf16> order 0
// CHECK-NEXT: neuron.isa.multiply_moving is_transpose tile_position [32, 64] tile_size [32, 32] dst <psum[64:80] at 0, [1 x 32], bf16> moving <sbuf[32:64] at 32, [1 x 32], bf16> order 1
builtin.module attributes {neuron.target = "trn2"} {
func.func @tile() attributes {tile.arg_names = []} {
  %s = neuron.engine.alloc "s" at 0 : !neuron.engine.buffer<sbuf, 64 x 32>
  %m = neuron.engine.alloc "m" at 32 : !neuron.engine.buffer<sbuf, 64 x 64>
  %p = neuron.engine.alloc "p" at 0 : !neuron.engine.buffer<psum, 80 x 64>
  %sv = neuron.engine.view %s : !neuron.engine.buffer<sbuf, 64 x 32> -> !neuron.engine.view<sbuf[32:64], [1 x 16], bf16>
  %mv = neuron.engine.view %m : !neuron.engine.buffer<sbuf, 64 x 64> -> !neuron.engine.view<sbuf[32:64], [1 x 32], bf16>
  %pv = neuron.engine.view %p : !neuron.engine.buffer<psum, 80 x 64> -> !neuron.engine.view<psum[64:80], [1 x 32], bf16>
  neuron.engine.nc_matmul tensor is_transpose tile_position [32, 64] tile_size [32, 32] dst %pv : !neuron.engine.view<psum[64:80], [1 x 32], bf16> stationary %sv : !neuron.engine.view<sbuf[32:64], [1 x 16], bf16> moving %mv : !neuron.engine.view<sbuf[32:64], [1 x 32], bf16>
  func.return
}
}

// -----

// CHECK-LABEL: neuron.isa.program @gather
// CHECK: neuron.isa.dma_copy queue 0 dge_mode "swdge" oob_mode "skip" dst <sbuf[0:8] at 0, [1 x 4], f32> src <hbm "x" at 8, [16 x 8, 1 x 4], f32> vector_offset <sbuf[0:8] at 64, [1 x 1], i32> order 0
func.func @gather(%x: memref<128xf32>) attributes {tile.arg_names = ["x"]} {
  %two = arith.constant 2 : index
  %b = neuron.engine.alloc "b" at 0 : !neuron.engine.buffer<sbuf, 8 x 16>
  %n = neuron.engine.alloc "n" at 64 : !neuron.engine.buffer<sbuf, 8 x 4>
  %bv = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 8 x 16> -> !neuron.engine.view<sbuf[0:8], [1 x 4], f32>
  %nv = neuron.engine.view %n : !neuron.engine.buffer<sbuf, 8 x 4> -> !neuron.engine.view<sbuf[0:8], [1 x 1], i32>
  %h = neuron.engine.view %x at %two : memref<128xf32> -> !neuron.engine.view<hbm, [16 x 8, 1 x 4], f32>
  neuron.engine.dma_copy gpsimd queue 0 dge_mode "swdge" oob_mode "skip" dst %bv : !neuron.engine.view<sbuf[0:8], [1 x 4], f32> src %h : !neuron.engine.view<hbm, [16 x 8, 1 x 4], f32> vector_offset %nv : !neuron.engine.view<sbuf[0:8], [1 x 1], i32>
  func.return
}

// -----

// CHECK-LABEL: neuron.isa.program @a_loop_with_another_start_and_step
// CHECK: neuron.isa.repeat 3 loop 0
// CHECK-NEXT: neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 0, [1 x 8], f32> src <hbm "arg0" at 8192 + 8192 * i0, [1 x 1024], f32> order 0
func.func @a_loop_with_another_start_and_step(%x: memref<8192xf32>) {
  %low = arith.constant 2048 : index
  %high = arith.constant 8192 : index
  %step = arith.constant 2048 : index
  %b = neuron.engine.alloc "b" at 0 : !neuron.engine.buffer<sbuf, 128 x 32>
  scf.for %k = %low to %high step %step {
    %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    %h = neuron.engine.view %x at %k : memref<8192xf32> -> !neuron.engine.view<hbm, [1 x 1024], f32>
    neuron.engine.dma_copy sync queue 0 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %h : !neuron.engine.view<hbm, [1 x 1024], f32>
  }
  func.return
}

// -----

// CHECK-LABEL: neuron.isa.program @loops_of_none_and_one
// CHECK: neuron.isa.repeat 1
// CHECK-NEXT: neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 0, [1 x 8], f32> src <hbm "arg0" at 20 + 16 * i0, [1 x 1024], f32> order 0
// CHECK-NOT: neuron.isa.dma_copy
func.func @loops_of_none_and_one(%x: memref<8192xf32>) {
  %low = arith.constant 5 : index
  %high = arith.constant 6 : index
  %step = arith.constant 4 : index
  %b = neuron.engine.alloc "b" at 0 : !neuron.engine.buffer<sbuf, 128 x 32>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  scf.for %k = %low to %high step %step {
    %h = neuron.engine.view %x at %k : memref<8192xf32> -> !neuron.engine.view<hbm, [1 x 1024], f32>
    neuron.engine.dma_copy sync queue 0 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %h : !neuron.engine.view<hbm, [1 x 1024], f32>
  }
  scf.for %k = %high to %low step %step {
    %h = neuron.engine.view %x at %k : memref<8192xf32> -> !neuron.engine.view<hbm, [1 x 1024], f32>
    neuron.engine.dma_copy sync queue 0 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %h : !neuron.engine.view<hbm, [1 x 1024], f32>
  }
  func.return
}

// -----

// The slots of a nest of loops take turns with the iterations counted through; each starts on 32 bytes.
// CHECK-LABEL: neuron.isa.program @slots_of_a_nest
// CHECK: neuron.isa.buffer "b" "sbuf" partitions 128 at 64 bytes 4 slots 3 stride 32
// CHECK: neuron.isa.memset value 0.000000e+00 : f32 dst <sbuf[0:128] at 64 + 32 * ((2 * i0 + i1) mod 3), [1 x 1], f32>
func.func @slots_of_a_nest() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  scf.for %i = %c0 to %c4 step %c1 {
    scf.for %j = %c0 to %c5 step %c1 {
      %b = neuron.engine.alloc "b" at 64 {depth = 3 : i64} : !neuron.engine.buffer<sbuf, 128 x 4>
      %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 4> -> !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
      neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 1], f32>
    }
  }
  func.return
}

// -----

// A run-time scalar is loaded by every stream that needs it, and by no other.
// CHECK-LABEL: neuron.isa.program @run_time_loop
// CHECK: neuron.isa.stream vector
// CHECK-NEXT: neuron.isa.register_load dst 0 src <sbuf[0:1] at 0, [1 x 1], i32> order 0
// CHECK-NEXT: neuron.isa.loop counter 1 bound <r0> region 0 {
// CHECK-NEXT: neuron.isa.memset {{.*}} order 2
// CHECK-NEXT: neuron.isa.repeat 3 loop 0 {
// CHECK-NEXT: neuron.isa.memset {{.*}} order 4
// CHECK: neuron.isa.stream gpsimd
// CHECK-NEXT: neuron.isa.register_load dst 0 src <sbuf[0:1] at 0, [1 x 1], i32> order 1
// CHECK-NEXT: neuron.isa.loop counter 1 bound <r0> region 0 {
// CHECK-NEXT: neuron.isa.dma_copy queue 0 dge_mode "swdge" dst <hbm "x" at 4096 * r1, [1 x 1024], f32> {{.*}} order 3
// CHECK: neuron.isa.stream sync
// CHECK-NEXT: neuron.isa.dma_copy {{.*}} order 5
// CHECK-NOT: neuron.isa.loop
func.func @run_time_loop(%x: memref<8192xf32>) attributes {tile.arg_names = ["x"]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %b = neuron.engine.alloc "b" at 64 : !neuron.engine.buffer<sbuf, 128 x 32>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  %nb = neuron.engine.alloc "n" at 0 : !neuron.engine.buffer<sbuf, 1 x 4>
  %nv = neuron.engine.view %nb : !neuron.engine.buffer<sbuf, 1 x 4> -> !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
  %n = neuron.engine.scalar %nv : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>

  %block = arith.constant 1024 : index
  scf.for %i = %c0 to %n step %c1 {
    neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    %at = arith.muli %i, %block : index
    %h = neuron.engine.view %x at %at : memref<8192xf32> -> !neuron.engine.view<hbm, [1 x 1024], f32>
    neuron.engine.dma_copy gpsimd queue 0 dge_mode "swdge" dst %h : !neuron.engine.view<hbm, [1 x 1024], f32> src %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    scf.for %j = %c0 to %c3 step %c1 {
      neuron.engine.memset vector value 1.0 : f32 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    }
  }
  %h = neuron.engine.view %x : memref<8192xf32> -> !neuron.engine.view<hbm, [1 x 1024], f32>
  neuron.engine.dma_copy sync queue 0 dst %h : !neuron.engine.view<hbm, [1 x 1024], f32> src %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

// A stream with work in one side runs the branch too. The condition is a register.
// CHECK-LABEL: neuron.isa.program @branch
// CHECK: neuron.isa.stream vector
// CHECK-NEXT: neuron.isa.register_load dst 0
// CHECK-NEXT: neuron.isa.register_alu_op op less dst 1 src <r0> imm <3>
// CHECK-NEXT: neuron.isa.cmp_branch ne src <r1> imm <0> region 0 {
// CHECK-NEXT: neuron.isa.memset
// CHECK-NEXT: } else {
// CHECK-NEXT: neuron.isa.tensor_copy
// CHECK: neuron.isa.stream gpsimd
// CHECK-NEXT: neuron.isa.register_load dst 0
// CHECK-NEXT: neuron.isa.register_alu_op op less dst 1 src <r0> imm <3>
// CHECK-NEXT: neuron.isa.cmp_branch ne src <r1> imm <0> region 0 {
// CHECK-NEXT: neuron.isa.memset
// CHECK-NEXT: }
func.func @branch() attributes {tile.arg_names = []} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %b = neuron.engine.alloc "b" at 64 : !neuron.engine.buffer<sbuf, 128 x 32>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  %nb = neuron.engine.alloc "n" at 0 : !neuron.engine.buffer<sbuf, 1 x 4>
  %nv = neuron.engine.view %nb : !neuron.engine.buffer<sbuf, 1 x 4> -> !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
  %n = neuron.engine.scalar %nv : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>

  %p = arith.cmpi slt, %n, %c3 : index
  scf.if %p {
    neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
    neuron.engine.memset gpsimd value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  } else {
    neuron.engine.tensor_copy vector dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  }
  func.return
}

// -----

// The condition is computed at the start of an iteration; what follows it is a branch.
// CHECK-LABEL: neuron.isa.program @loop_while
// CHECK: neuron.isa.register_move dst 0 src <1>
// CHECK-NEXT: neuron.isa.while register 0 region 0 {
// CHECK-NEXT: neuron.isa.register_load dst 1 {{.*}} order 0
// CHECK-NEXT: neuron.isa.register_alu_op op greater dst 2 src <r1> imm <0>
// CHECK-NEXT: neuron.isa.register_move dst 0 src <r2>
// CHECK-NEXT: neuron.isa.cmp_branch ne src <r0> imm <0> region 1 {
// CHECK-NEXT: neuron.isa.memset {{.*}} order 1
func.func @loop_while() attributes {tile.arg_names = []} {
  %c0 = arith.constant 0 : index
  %nb = neuron.engine.alloc "n" at 0 : !neuron.engine.buffer<sbuf, 1 x 4>
  %nv = neuron.engine.view %nb : !neuron.engine.buffer<sbuf, 1 x 4> -> !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
  scf.while () : () -> () {
    %n = neuron.engine.scalar %nv : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
    %p = arith.cmpi sgt, %n, %c0 : index
    scf.condition(%p)
  } do {
    neuron.engine.memset vector value 0 : i32 dst %nv : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
    scf.yield
  }
  func.return
}

// -----

// The last block has 104 rows. The stream of what has no limit keeps one repeat.
// CHECK-LABEL: neuron.isa.program @a_ragged_end
// CHECK: neuron.isa.stream vector {
// CHECK-NEXT: neuron.isa.repeat 8 loop 0 {
// CHECK-NEXT: neuron.isa.memset {{.*}} order 1
// CHECK: neuron.isa.stream sync {
// CHECK-NEXT: neuron.isa.repeat 7 loop 0 first 0 of 8 {
// CHECK-NEXT: neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 256 * ((i0) mod 2), [1 x 64], f32> src <hbm "x" at 32768 * i0, [64 x 128, 1 x 64], f32> order 0
// CHECK-NEXT: }
// CHECK-NEXT: neuron.isa.repeat 1 loop 0 first 7 of 8 {
// CHECK-NEXT: neuron.isa.dma_copy queue 0 dst <sbuf[0:104] at 256 * ((1 + i0) mod 2), [1 x 64], f32> src <hbm "x" at 229376 + 32768 * i0, [64 x 104, 1 x 64], f32> order 0
// CHECK-NEXT: }
// CHECK-NEXT: }
func.func @a_ragged_end(%x: memref<1000x64xf32>) attributes {tile.arg_names = ["x"]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %c1000 = arith.constant 1000 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %b = neuron.engine.alloc "b" at 0 {depth = 2 : i64} : !neuron.engine.buffer<sbuf, 128 x 256>
    %r = arith.muli %i, %c128 : index
    %n = arith.subi %c1000, %r : index
    %o = arith.muli %r, %c64 : index
    %v = neuron.engine.view %b limit dim 0 %n : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
    %h = neuron.engine.view %x at %o limit dim 0 %n : memref<1000x64xf32> -> !neuron.engine.view<hbm, [64 x 128, 1 x 64], f32>
    neuron.engine.dma_copy sync queue 0 dst %v : !neuron.engine.view<sbuf[0:128], [1 x 64], f32> src %h : !neuron.engine.view<hbm, [64 x 128, 1 x 64], f32>
    %w = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 256> -> !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
    neuron.engine.memset vector value 0.0 : f32 dst %w : !neuron.engine.view<sbuf[0:128], [1 x 64], f32>
  }
  func.return
}

// -----

// A product with ragged m, n and k in two loops: rows are short where %i is 2, columns where %j is 1, terms never.
// CHECK-LABEL: neuron.isa.program @two_counters
// CHECK: neuron.isa.repeat 2 loop 0 first 0 of 3 {
// CHECK-NEXT: neuron.isa.repeat 1 loop 1 first 0 of 2 {
// CHECK-NEXT: load_stationary stationary <sbuf[0:64] at 0, [1 x 32], f32> order 0
// CHECK-NEXT: multiply_moving accumulate <1> dst <psum[0:32] at 0, [1 x 64], f32> moving <sbuf[0:64] at 512, [1 x 64], f32> order 1
// CHECK-NEXT: }
// CHECK-NEXT: neuron.isa.repeat 1 loop 1 first 1 of 2 {
// CHECK-NEXT: load_stationary stationary <sbuf[0:64] at 0, [1 x 32], f32> order 0
// CHECK-NEXT: multiply_moving accumulate <1> dst <psum[0:32] at 0, [1 x 36], f32> moving <sbuf[0:64] at 512, [1 x 36], f32> order 1
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: neuron.isa.repeat 1 loop 0 first 2 of 3 {
// CHECK-NEXT: neuron.isa.repeat 1 loop 1 first 0 of 2 {
// CHECK-NEXT: load_stationary stationary <sbuf[0:64] at 0, [1 x 26], f32> order 0
// CHECK-NEXT: multiply_moving accumulate <1> dst <psum[0:26] at 0, [1 x 64], f32>
// CHECK: load_stationary stationary <sbuf[0:64] at 0, [1 x 26], f32> order 0
// CHECK-NEXT: multiply_moving accumulate <1> dst <psum[0:26] at 0, [1 x 36], f32>
// CHECK-NOT: multiply_moving
func.func @two_counters() attributes {tile.arg_names = []} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %c90 = arith.constant 90 : index
  %c100 = arith.constant 100 : index
  %a = neuron.engine.alloc "a" at 0 : !neuron.engine.buffer<sbuf, 64 x 128>
  %b = neuron.engine.alloc "b" at 512 : !neuron.engine.buffer<sbuf, 64 x 256>
  %c = neuron.engine.alloc "c" at 0 : !neuron.engine.buffer<psum, 32 x 256>
  scf.for %i = %c0 to %c3 step %c1 {
    scf.for %j = %c0 to %c2 step %c1 {
      %r = arith.muli %i, %c32 : index
      %m = arith.subi %c90, %r : index
      %s = arith.muli %j, %c64 : index
      %n = arith.subi %c100, %s : index
      %x = neuron.engine.view %a limit dim 0 %c64, dim 1 %m : !neuron.engine.buffer<sbuf, 64 x 128> -> !neuron.engine.view<sbuf[0:64], [1 x 32], f32>
      %y = neuron.engine.view %b limit dim 0 %c64, dim 1 %n : !neuron.engine.buffer<sbuf, 64 x 256> -> !neuron.engine.view<sbuf[0:64], [1 x 64], f32>
      %z = neuron.engine.view %c limit dim 0 %m, dim 1 %n : !neuron.engine.buffer<psum, 32 x 256> -> !neuron.engine.view<psum[0:32], [1 x 64], f32>
      neuron.engine.nc_matmul tensor accumulate %c1 dst %z : !neuron.engine.view<psum[0:32], [1 x 64], f32> stationary %x : !neuron.engine.view<sbuf[0:64], [1 x 32], f32> moving %y : !neuron.engine.view<sbuf[0:64], [1 x 64], f32>
    }
  }
  func.return
}

// -----

// One limit of two counters: 16 * i + 4 * j is below 24 in the first row, in part of the second, never in the third.
// CHECK-LABEL: neuron.isa.program @a_limit_of_two_counters
// CHECK: neuron.isa.repeat 1 loop 0 first 0 of 3 {
// CHECK-NEXT: neuron.isa.repeat 4 loop 1 {
// CHECK-NEXT: memset {{.*}} dst <sbuf[0:32] at 0, [1 x 4], f32>
// CHECK: neuron.isa.repeat 1 loop 0 first 1 of 3 {
// CHECK-NEXT: neuron.isa.repeat 1 loop 1 first 0 of 4 {
// CHECK-NEXT: memset {{.*}} dst <sbuf[0:32] at 0, [1 x 4], f32>
// CHECK-NEXT: }
// CHECK-NEXT: neuron.isa.repeat 1 loop 1 first 1 of 4 {
// CHECK-NEXT: memset {{.*}} dst <sbuf[0:32] at 0, [1 x 3], f32>
// CHECK-NOT: memset
func.func @a_limit_of_two_counters() attributes {tile.arg_names = []} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %c23 = arith.constant 23 : index
  %b = neuron.engine.alloc "b" at 0 : !neuron.engine.buffer<sbuf, 32 x 16>
  scf.for %i = %c0 to %c3 step %c1 {
    scf.for %j = %c0 to %c4 step %c1 {
      %r = arith.muli %i, %c16 : index
      %s = arith.muli %j, %c4 : index
      %t = arith.addi %r, %s : index
      %n = arith.subi %c23, %t : index
      %v = neuron.engine.view %b limit dim 1 %n : !neuron.engine.buffer<sbuf, 32 x 16> -> !neuron.engine.view<sbuf[0:32], [1 x 4], f32>
      neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:32], [1 x 4], f32>
    }
  }
  func.return
}

// -----

// What is behind the end: its offset is a minimum, which is known where the limit is; a dimension of one is a guard.
// CHECK-LABEL: neuron.isa.program @the_rest
// CHECK: neuron.isa.repeat 1 loop 0 first 2 of 3 {
// CHECK-NEXT: memset {{.*}} dst <sbuf[0:32] at 24 + -32 * i0, [1 x 2], f32>
// CHECK-NEXT: memset {{.*}} dst <sbuf[0:32] at 0, [1 x 8], f32>
// CHECK-NOT: memset
func.func @the_rest() attributes {tile.arg_names = []} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %c22 = arith.constant 22 : index
  %b = neuron.engine.alloc "b" at 0 : !neuron.engine.buffer<sbuf, 32 x 32>
  scf.for %i = %c0 to %c3 step %c1 {
    %r = arith.muli %i, %c8 : index
    %n = arith.subi %c22, %r : index
    %f = arith.minsi %n, %c8 : index
    %m = arith.subi %c8, %f : index
    %v = neuron.engine.view %b at %f limit dim 1 %m : !neuron.engine.buffer<sbuf, 32 x 32> -> !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
    neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
    %w = neuron.engine.view %b limit dim 2 %m : !neuron.engine.buffer<sbuf, 32 x 32> -> !neuron.engine.view<sbuf[0:32], [1 x 8, 1 x 1], f32>
    neuron.engine.memset vector value 1.0 : f32 dst %w : !neuron.engine.view<sbuf[0:32], [1 x 8, 1 x 1], f32>
  }
  func.return
}

// -----

// A loop around run-time control flow is cut in all streams.
// CHECK-LABEL: neuron.isa.program @around_a_branch
// CHECK: neuron.isa.stream vector {
// CHECK: neuron.isa.repeat 2 loop 0 {
// CHECK-NEXT: cmp_branch {{.*}} region 0 {
// CHECK-NEXT: memset {{.*}} dst <sbuf[0:32] at 64, [1 x 8], f32>
// CHECK: }
// CHECK: cmp_branch {{.*}} region 1 {
// CHECK-NEXT: memset {{.*}} dst <sbuf[0:32] at 64, [1 x 6], f32>
// CHECK: neuron.isa.stream gpsimd {
// CHECK: neuron.isa.repeat 2 loop 0 {
// CHECK-NEXT: cmp_branch {{.*}} region 0 {
// CHECK: cmp_branch {{.*}} region 1 {
func.func @around_a_branch() attributes {tile.arg_names = []} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %c22 = arith.constant 22 : index
  %nb = neuron.engine.alloc "n" at 0 : !neuron.engine.buffer<sbuf, 1 x 4>
  %nv = neuron.engine.view %nb : !neuron.engine.buffer<sbuf, 1 x 4> -> !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
  %k = neuron.engine.scalar %nv : !neuron.engine.view<sbuf[0:1], [1 x 1], i32>
  %p = arith.cmpi slt, %k, %c3 : index
  %b = neuron.engine.alloc "b" at 64 : !neuron.engine.buffer<sbuf, 32 x 32>
  scf.for %i = %c0 to %c3 step %c1 {
    %r = arith.muli %i, %c8 : index
    %n = arith.subi %c22, %r : index
    %v = neuron.engine.view %b limit dim 1 %n : !neuron.engine.buffer<sbuf, 32 x 32> -> !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
    %w = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 32 x 32> -> !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
    scf.if %p {
      neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
      neuron.engine.memset gpsimd value 0.0 : f32 dst %w : !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
    }
  }
  func.return
}

// -----

// Start partitions, and slots farther apart than they are long.
// CHECK-LABEL: neuron.isa.program @lanes_and_slots
// CHECK: neuron.isa.buffer "b" "sbuf" partitions 32 from 96 at 64 bytes 32 slots 2 stride 128
// CHECK: neuron.isa.memset value 1.000000e+00 : f32 dst <sbuf[96:128] at 64 + 128 * ((i0) mod 2), [1 x 8], f32>
func.func @lanes_and_slots() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %b = neuron.engine.alloc "b" at 64 from 96 stride 128 {depth = 2 : i64} : !neuron.engine.buffer<sbuf, 32 x 32>
    %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 32 x 32> -> !neuron.engine.view<sbuf[96:128], [1 x 8], f32>
    neuron.engine.memset vector value 1.0 : f32 dst %v : !neuron.engine.view<sbuf[96:128], [1 x 8], f32>
  }
  func.return
}
