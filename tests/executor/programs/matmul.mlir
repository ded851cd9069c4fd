// c = relu(0.5 * at^T b): at is [512, 512] (K x M) and b [512, 512] (K x N) in bf16, c [512, 512] in fp32.
//
// Tiles of 128 x 128 x 512: i0 counts the rows of c, i1 the steps along K, which accumulate in one PSUM bank. Sync loads,
// Tensor multiplies, Scalar evicts PSUM into SBUF, GpSimd stores. Everything is two deep:
//   at at 0 (256 bytes a slot), b at 1024 (1024), c at 4096 (2048); PSUM at 0 (2048, one bank).
// Semaphores:
//   0, 1  at loaded into slot 0, 1      4  matmuls done       6, 7  c stored from slot 0, 1
//   2, 3  b loaded into slot 0, 1       5  banks evicted
builtin.module attributes {neuron.target = "trn1"} {
neuron.isa.program @matmul {
  neuron.isa.tensor "at" : memref<512x512xbf16>
  neuron.isa.tensor "b" : memref<512x512xbf16>
  neuron.isa.tensor "c" : memref<512x512xf32>
  neuron.isa.core 0 {
    neuron.isa.stream sync {
      neuron.isa.repeat 4 {
        neuron.isa.repeat 4 {
          neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 256 * (i1 mod 2), [1 x 128], bf16> src <hbm "at" at 131072 * i1 + 256 * i0, [512 x 128, 1 x 128], bf16> wait <sem 4 reaches 4 * i0 + i1 - 1> update <sem i1 mod 2 add 16> loc("matmul.py":20:5)
          neuron.isa.dma_copy queue 1 dst <sbuf[0:128] at 1024 * (i1 mod 2) + 1024, [1 x 512], bf16> src <hbm "b" at 131072 * i1, [512 x 128, 1 x 512], bf16> update <sem i1 mod 2 + 2 add 16> loc("matmul.py":21:5)
        }
      }
    }
    neuron.isa.stream tensor {
      neuron.isa.repeat 4 {
        // The bank is free once row i0 - 2 has been evicted.
        neuron.isa.event_semaphore wait <sem 5 reaches i0 - 1> loc("matmul.py":19:3)
        neuron.isa.repeat 4 {
          neuron.isa.load_stationary stationary <sbuf[0:128] at 256 * (i1 mod 2), [1 x 128], bf16> wait <sem i1 mod 2 reaches 32 * i0 + 16 * (i1 floordiv 2) + 16> loc("matmul.py":22:5)
          neuron.isa.multiply_moving accumulate <i1> dst <psum[0:128] at 2048 * (i0 mod 2), [1 x 512], f32> moving <sbuf[0:128] at 1024 * (i1 mod 2) + 1024, [1 x 512], bf16> wait <sem i1 mod 2 + 2 reaches 32 * i0 + 16 * (i1 floordiv 2) + 16> update <sem 4 add 1> loc("matmul.py":22:12)
        }
      }
    }
    neuron.isa.stream scalar {
      neuron.isa.repeat 4 {
        neuron.isa.event_semaphore wait <sem i0 mod 2 + 6 reaches 16 * (i0 floordiv 2)> loc("matmul.py":23:3)
        neuron.isa.activation op relu dst <sbuf[0:128] at 2048 * (i0 mod 2) + 4096, [1 x 512], f32> data <psum[0:128] at 2048 * (i0 mod 2), [1 x 512], f32> scale 0.5 : f32 wait <sem 4 reaches 4 * i0 + 4> update <sem 5 add 1> loc("matmul.py":23:7)
      }
    }
    neuron.isa.stream gpsimd {
      neuron.isa.repeat 4 {
        neuron.isa.dma_copy queue 0 dst <hbm "c" at 262144 * i0, [512 x 128, 1 x 512], f32> src <sbuf[0:128] at 2048 * (i0 mod 2) + 4096, [1 x 512], f32> wait <sem 5 reaches i0 + 1> update <sem i0 mod 2 + 6 add 16> loc("matmul.py":24:3)
      }
    }
  }
}
}
