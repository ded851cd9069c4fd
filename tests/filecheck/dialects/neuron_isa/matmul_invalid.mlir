// RUN: NKI_INVALID

neuron.isa.program @p {
  neuron.isa.core 0 {
    neuron.isa.stream tensor {
      // CHECK: load_stationary: a tile of 32 rows needs NeuronCore-v3; trn1 is v2, which has tiles of 64 and 128
      neuron.isa.load_stationary tile_position [32, 0] tile_size [32, 64] stationary <sbuf[32:64] at 0, [1 x 32], bf16>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.core 0 {
    neuron.isa.stream tensor {
      // CHECK: multiply_moving: dst starts at partition 0; the tile's columns start at 64
      neuron.isa.multiply_moving tile_position [0, 64] tile_size [64, 64] dst <psum[0:32] at 0, [1 x 8], f32> moving <sbuf[0:32] at 0, [1 x 8], bf16>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.core 0 {
    neuron.isa.stream tensor {
      // CHECK: load_stationary: perf_mode double_row needs NeuronCore-v3; trn1 is v2
      neuron.isa.load_stationary perf_mode "double_row" stationary <sbuf[0:128] at 0, [128 x 2, 1 x 128], f8E4M3>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.core 0 {
    neuron.isa.stream tensor {
      // CHECK: load_stationary: stationary: float8_e5m2_x4 needs NeuronCore-v4; trn1 is v2
      neuron.isa.load_stationary stationary <sbuf[0:64] at 0, [1 x 64], vector<4xf8E5M2>> stationary_scale <sbuf[0:36] at 512, [1 x 64], ui8>
    }
  }
}

// -----

builtin.module attributes {neuron.target = "trn3"} {
neuron.isa.program @p {
  neuron.isa.core 0 {
    neuron.isa.stream tensor {
      // CHECK: load_stationary: stationary_scale spans 36 partitions, from the first to the last of those that the 64 of stationary have, not 64
      neuron.isa.load_stationary stationary <sbuf[0:64] at 0, [1 x 64], vector<4xf8E5M2>> stationary_scale <sbuf[0:64] at 512, [1 x 64], ui8>
    }
  }
}
}
