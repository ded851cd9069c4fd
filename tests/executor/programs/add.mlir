// out = relu(x + y), 8 tiles of 128 x 512, buffers two deep.
//
// Sync loads over two queues, Vector adds, Scalar applies relu, GpSimd stores. Tile i uses slot i mod 2 of each buffer:
//   x at 0, y at 4096, sum at 8192, result at 12288, 2048 bytes a slot.
// Semaphores:
//   0, 1  x loaded into slot 0, 1       4  sums done      6, 7  result stored from slot 0, 1
//   2, 3  y loaded into slot 0, 1       5  relus done
builtin.module attributes {neuron.target = "trn1"} {
neuron.isa.program @add {
  neuron.isa.tensor "x" : memref<1024x512xf32>
  neuron.isa.tensor "y" : memref<1024x512xf32>
  neuron.isa.tensor "out" : memref<1024x512xf32>
  neuron.isa.core 0 {
    neuron.isa.stream sync {
      neuron.isa.repeat 8 {
        // Slots are free once the sum of tile i - 2 is done.
        neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 2048 * (i0 mod 2), [1 x 512], f32> src <hbm "x" at 262144 * i0, [512 x 128, 1 x 512], f32> wait <sem 4 reaches i0 - 1> update <sem i0 mod 2 add 16> loc("add.py":10:3)
        neuron.isa.dma_copy queue 1 dst <sbuf[0:128] at 2048 * (i0 mod 2) + 4096, [1 x 512], f32> src <hbm "y" at 262144 * i0, [512 x 128, 1 x 512], f32> update <sem i0 mod 2 + 2 add 16> loc("add.py":11:3)
      }
    }
    neuron.isa.stream vector {
      neuron.isa.repeat 8 {
        neuron.isa.event_semaphore wait <sem i0 mod 2 reaches 16 * (i0 floordiv 2) + 16> loc("add.py":12:3)
        // The sum's slot is free once relu has read tile i - 2.
        neuron.isa.event_semaphore wait <sem 5 reaches i0 - 1> loc("add.py":12:3)
        neuron.isa.tensor_tensor op add dst <sbuf[0:128] at 2048 * (i0 mod 2) + 8192, [1 x 512], f32> data1 <sbuf[0:128] at 2048 * (i0 mod 2), [1 x 512], f32> data2 <sbuf[0:128] at 2048 * (i0 mod 2) + 4096, [1 x 512], f32> wait <sem i0 mod 2 + 2 reaches 16 * (i0 floordiv 2) + 16> update <sem 4 add 1> loc("add.py":12:7)
      }
    }
    neuron.isa.stream scalar {
      neuron.isa.repeat 8 {
        // The result's slot is free once tile i - 2 has been stored.
        neuron.isa.event_semaphore wait <sem i0 mod 2 + 6 reaches 16 * (i0 floordiv 2)> loc("add.py":13:3)
        neuron.isa.activation op relu dst <sbuf[0:128] at 2048 * (i0 mod 2) + 12288, [1 x 512], f32> data <sbuf[0:128] at 2048 * (i0 mod 2) + 8192, [1 x 512], f32> wait <sem 4 reaches i0 + 1> update <sem 5 add 1> loc("add.py":13:7)
      }
    }
    neuron.isa.stream gpsimd {
      neuron.isa.repeat 8 {
        neuron.isa.dma_copy queue 0 dst <hbm "out" at 262144 * i0, [512 x 128, 1 x 512], f32> src <sbuf[0:128] at 2048 * (i0 mod 2) + 12288, [1 x 512], f32> wait <sem 5 reaches i0 + 1> update <sem i0 mod 2 + 6 add 16> loc("add.py":14:3)
      }
    }
  }
}
}
