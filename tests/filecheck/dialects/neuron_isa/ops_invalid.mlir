// RUN: NKI_INVALID

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: counter i0 names no enclosing repeat; there are 0
      neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at 32 * i0, [1 x 8], f32>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: register r64 does not exist; a sequencer has 64
      neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at r64, [1 x 8], f32>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: semaphore 256 does not exist; a core has 256
      neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at 0, [1 x 8], f32> wait <sem 256 reaches 1>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: byte 2 is not a multiple of the 4-byte element
      neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at 2, [1 x 8], f32>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: a repeat runs at least once, got 0
      neuron.isa.repeat 0 { neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at 0, [1 x 8], f32> }
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: an event_semaphore waits or updates
      neuron.isa.event_semaphore
    }
  }
}
