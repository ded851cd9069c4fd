// RUN: NKI_ROUNDTRIP

builtin.module attributes {neuron.target = "trn2"} {
// CHECK: neuron.isa.program @transfers grid [2, 4] by [1, 3] {
neuron.isa.program @transfers grid [2, 4] by [1, 3] {
  neuron.isa.tensor "x" : memref<1024xf32>
  neuron.isa.tensor "h" : memref<4096xbf16>
  neuron.isa.core 0 {
    neuron.isa.stream gpsimd {
      // CHECK: neuron.isa.dma_copy queue 0 dge_mode "none" oob_mode "error" dst_rmw_op add dst <sbuf[0:64] at 0, [1 x 16], f32> src <hbm "x" at 0, [1 x 1024], f32>
      neuron.isa.dma_copy queue 0 dge_mode "none" oob_mode "error" dst_rmw_op add dst <sbuf[0:64] at 0, [1 x 16], f32> src <hbm "x" at 0, [1 x 1024], f32>
      // CHECK: neuron.isa.dma_copy queue 0 oob_mode "skip" dst <hbm "x" at 0, [16 x 64, 1 x 16], f32> src <sbuf[0:64] at 0, [1 x 16], f32> vector_offset <sbuf[0:64] at 64, [1 x 1], i32> wait <sem 0 reaches 16>
      neuron.isa.dma_copy queue 0 oob_mode "skip" dst <hbm "x" at 0, [16 x 64, 1 x 16], f32> src <sbuf[0:64] at 0, [1 x 16], f32> vector_offset <sbuf[0:64] at 64, [1 x 1], i32> wait <sem 0 reaches 16>
      // CHECK: neuron.isa.dma_transpose queue 1 dge_mode "swdge" dst <sbuf[0:64] at 128, [1 x 16], bf16> src <hbm "h" at 0, [64 x 16, 1 x 64], bf16> indices <sbuf[0:16] at 256, [1 x 1], ui32>
      neuron.isa.dma_transpose queue 1 dge_mode "swdge" dst <sbuf[0:64] at 128, [1 x 16], bf16> src <hbm "h" at 0, [64 x 16, 1 x 64], bf16> indices <sbuf[0:16] at 256, [1 x 1], ui32>
      // CHECK: neuron.isa.dma_compute queue 2 reduce_op add scales [5.000000e-01, 1.000000e+00] dst <sbuf[0:64] at 0, [1 x 16], f32> src0 <sbuf[0:64] at 0, [1 x 16], f32> src1 <hbm "x" at 0, [1 x 1024], f32>
      neuron.isa.dma_compute queue 2 reduce_op add scales [0.5, 1.0] dst <sbuf[0:64] at 0, [1 x 16], f32> src0 <sbuf[0:64] at 0, [1 x 16], f32> src1 <hbm "x" at 0, [1 x 1024], f32>
    }
    neuron.isa.stream sync {
      neuron.isa.repeat 8 {
        // CHECK: neuron.isa.dma_copy queue 0 dst <hbm "x" at 64 * i0, [1 x 16], f32> src <sbuf[0:1] at 0, [1 x 16], f32> program <i0> wait <sem 0 reaches 1> update <sem 1 add 16>
        neuron.isa.dma_copy queue 0 dst <hbm "x" at 64 * i0, [1 x 16], f32> src <sbuf[0:1] at 0, [1 x 16], f32> program <i0> wait <sem 0 reaches 1> update <sem 1 add 16>
      }
    }
    neuron.isa.stream scalar {
      // CHECK: neuron.isa.dma_copy queue 0 dge_mode "hwdge" dst <sbuf[0:64] at r2, [1 x 16], f32> src <hbm "x" at 64 * r1, [1 x 1024], f32>
      neuron.isa.dma_copy queue 0 dge_mode "hwdge" dst <sbuf[0:64] at r2, [1 x 16], f32> src <hbm "x" at 64 * r1, [1 x 1024], f32>
    }
  }
}
}
