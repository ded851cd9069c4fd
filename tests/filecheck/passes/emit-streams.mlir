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
