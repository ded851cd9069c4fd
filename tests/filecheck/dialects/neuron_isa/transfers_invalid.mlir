// RUN: NKI_INVALID

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<1024xf32>
  neuron.isa.core 0 {
    neuron.isa.stream sync {
      // CHECK: dma_copy: an indirect transfer is triggered by gpsimd, which makes its descriptors, not by sync
      neuron.isa.dma_copy queue 0 dst <sbuf[0:64] at 0, [1 x 16], f32> src <hbm "x" at 0, [16 x 64, 1 x 16], f32> vector_offset <sbuf[0:64] at 64, [1 x 1], i32>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<1024xf32>
  neuron.isa.core 0 {
    neuron.isa.stream sync {
      // CHECK: dma_copy: dge_mode hwdge needs NeuronCore-v3; trn1 is v2
      neuron.isa.dma_copy queue 0 dge_mode "hwdge" dst <sbuf[0:64] at 0, [1 x 16], f32> src <hbm "x" at 0, [1 x 1024], f32>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<1024xf32>
  neuron.isa.core 0 {
    neuron.isa.stream sync {
      // CHECK: dma_copy: dge_mode is one of none, swdge, hwdge, not fast
      neuron.isa.dma_copy queue 0 dge_mode "fast" dst <sbuf[0:64] at 0, [1 x 16], f32> src <hbm "x" at 0, [1 x 1024], f32>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<1024xf32>
  neuron.isa.core 0 {
    neuron.isa.stream sync {
      // CHECK: dma_transpose: dst is 16 x 64, src with its first and last dimension exchanged, not 64 x 16
      neuron.isa.dma_transpose queue 0 dst <sbuf[0:64] at 0, [1 x 16], f32> src <hbm "x" at 0, [16 x 64, 1 x 16], f32>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<1024xf32>
  neuron.isa.core 0 {
    neuron.isa.stream gpsimd {
      // CHECK: dma_compute: an indirect dma_compute needs unique_indices
      neuron.isa.dma_compute queue 0 reduce_op add dst <hbm "x" at 0, [16 x 64, 1 x 16], f32> src0 <hbm "x" at 0, [16 x 64, 1 x 16], f32> src1 <sbuf[0:64] at 0, [1 x 16], f32> vector_offset <sbuf[0:64] at 64, [1 x 1], i32>
    }
  }
}

// -----

// CHECK: Operation does not verify: neuron.isa.dma_copy names a program, but there is no grid of them
neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<1024xf32>
  neuron.isa.core 0 {
    neuron.isa.stream sync {
      neuron.isa.dma_copy queue 0 dst <sbuf[0:64] at 0, [1 x 16], f32> src <hbm "x" at 0, [16 x 64, 1 x 16], f32> program <0>
    }
  }
}

// -----

// CHECK: Operation does not verify: a grid is made of positive sizes, got [2, 0]
neuron.isa.program @p grid [2, 0] {
  neuron.isa.core 0 {
  }
}

// -----

// CHECK: Operation does not verify: groups of [3] programs are none of a grid of [2, 4]
neuron.isa.program @p grid [2, 4] by [3] {
  neuron.isa.core 0 {
  }
}
