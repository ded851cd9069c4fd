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

// -----

neuron.isa.program @p {
  // CHECK: the buffer's 2147483647 slots take bytes 0..137438953407 of each partition; sbuf has 196608
  neuron.isa.buffer "b" "sbuf" partitions 1 at 0 bytes 64 slots 2147483647 used 0 to 4
}

// -----

neuron.isa.program @p {
  // CHECK: psum has 128 partitions, got 129
  neuron.isa.buffer "b" "psum" partitions 129 at 0 bytes 64 slots 1 used 0 to 4
}

// -----

neuron.isa.program @p {
  // CHECK: sbuf has 128 partitions, got 32 from 97
  neuron.isa.buffer "b" "sbuf" partitions 32 from 97 at 0 bytes 64 slots 1 used 0 to 4
}

// -----

neuron.isa.program @p {
  // CHECK: a buffer has at least 1 of its bytes, got 0
  neuron.isa.buffer "b" "sbuf" partitions 1 at 0 bytes 0 slots 1 used 0 to 4
}

// -----

neuron.isa.program @p {
  // CHECK: a tensor has at most 281474976710656 bytes
  neuron.isa.tensor "x" : memref<99999999999x99999999999xf32>
}

// -----

neuron.isa.program @p {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: an update adds at most 2147483647, got 2147483648
      neuron.isa.event_semaphore update <sem 0 add 2147483648>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      neuron.isa.event_semaphore
      // CHECK: this number has more than 64 bits
          wait <sem 0 reaches 18446744073709551616>
    }
  }
}
