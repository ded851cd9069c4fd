// y = 2 x + 1: core 0 loads and doubles, hands its tile to core 1 by DMA, core 1 adds and stores. Core 1 tells core 0 when
// its tile may be overwritten.
//
// Accesses name their core (core 0 if they don't). Waits and updates are on the stream's own core; an update may name
// another.
// Core 0: 0 loaded, 1 doubled, 2 core 1 has read the tile. Core 1: 0 tile arrived, 1 added, 2 stored.
builtin.module attributes {neuron.target = "trn1"} {
neuron.isa.program @two_cores {
  neuron.isa.tensor "x" : memref<512x64xf32>
  neuron.isa.tensor "y" : memref<512x64xf32>
  neuron.isa.core 0 {
    neuron.isa.stream sync {
      neuron.isa.repeat 4 {
        neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 0, [1 x 64], f32> src <hbm "x" at 32768 * i0, [64 x 128, 1 x 64], f32> wait <sem 1 reaches i0> update <sem 0 add 16>
      }
    }
    neuron.isa.stream vector {
      neuron.isa.repeat 4 {
        // The doubled tile has been handed over once core 1 has read it.
        neuron.isa.event_semaphore wait <sem 2 reaches i0>
        neuron.isa.tensor_scalar op0 multiply dst <sbuf[0:128] at 256, [1 x 64], f32> data <sbuf[0:128] at 0, [1 x 64], f32> operand0 2.0 : f32 wait <sem 0 reaches 16 * i0 + 16> update <sem 1 add 1>
      }
    }
    neuron.isa.stream gpsimd {
      neuron.isa.repeat 4 {
        neuron.isa.dma_copy queue 0 dst <core 1 sbuf[0:128] at 512, [1 x 64], f32> src <sbuf[0:128] at 256, [1 x 64], f32> wait <sem 1 reaches i0 + 1> update <core 1 sem 0 add 16>
      }
    }
  }
  neuron.isa.core 1 {
    neuron.isa.stream vector {
      neuron.isa.repeat 4 {
        neuron.isa.event_semaphore wait <sem 2 reaches 16 * i0>
        neuron.isa.tensor_scalar op0 add dst <core 1 sbuf[0:128] at 768, [1 x 64], f32> data <core 1 sbuf[0:128] at 512, [1 x 64], f32> operand0 1.0 : f32 wait <sem 0 reaches 16 * i0 + 16> update <sem 1 add 1>
        // Tells core 0; waits for its own result, as an engine's instructions overlap.
        neuron.isa.event_semaphore wait <sem 1 reaches i0 + 1> update <core 0 sem 2 add 1>
      }
    }
    neuron.isa.stream sync {
      neuron.isa.repeat 4 {
        neuron.isa.dma_copy queue 0 dst <hbm "y" at 32768 * i0, [64 x 128, 1 x 64], f32> src <core 1 sbuf[0:128] at 768, [1 x 64], f32> wait <sem 1 reaches i0 + 1> update <sem 2 add 16>
      }
    }
  }
}
}
