// RUN: NKI_ROUNDTRIP

builtin.module attributes {neuron.target = "trn2"} {
neuron.isa.program @matmul {
  neuron.isa.core 0 {
    neuron.isa.stream tensor {
      // CHECK: neuron.isa.load_stationary is_stationary_onezero tile_position [64, 0] tile_size [64, 32] stationary <sbuf[64:96] at 0, [1 x 32], f32>
      neuron.isa.load_stationary is_stationary_onezero tile_position [64, 0] tile_size [64, 32] stationary <sbuf[64:96] at 0, [1 x 32], f32>
      // CHECK: neuron.isa.multiply_moving accumulate <i0> is_moving_onezero tile_position [64, 0] tile_size [64, 32] dst <psum[0:32] at 0, [1 x 512], f32> moving <sbuf[64:96] at 128, [1 x 512], f32>
      neuron.isa.repeat 2 {
        neuron.isa.multiply_moving accumulate <i0> is_moving_onezero tile_position [64, 0] tile_size [64, 32] dst <psum[0:32] at 0, [1 x 512], f32> moving <sbuf[64:96] at 128, [1 x 512], f32>
      }
      // CHECK: neuron.isa.load_stationary perf_mode "double_row" stationary <sbuf[0:128] at 0, [128 x 2, 1 x 128], f8E4M3>
      neuron.isa.load_stationary perf_mode "double_row" stationary <sbuf[0:128] at 0, [128 x 2, 1 x 128], f8E4M3>
    }
  }
}
}

// -----

builtin.module attributes {neuron.target = "trn3"} {
// CHECK: neuron.isa.tensor "x" : memref<128x64xvector<4xf8E4M3FN>>
neuron.isa.program @microscaling {
  neuron.isa.tensor "x" : memref<128x64xvector<4xf8E4M3FN>>
  neuron.isa.core 0 {
    neuron.isa.stream tensor {
      // CHECK: neuron.isa.load_stationary tile_position [32, 0] tile_size [32, 128] stationary <sbuf[32:64] at 0, [1 x 64], vector<4xf8E4M3FN>> stationary_scale <sbuf[36:40] at 512, [1 x 64], ui8>
      neuron.isa.load_stationary tile_position [32, 0] tile_size [32, 128] stationary <sbuf[32:64] at 0, [1 x 64], vector<4xf8E4M3FN>> stationary_scale <sbuf[36:40] at 512, [1 x 64], ui8>
      // CHECK: neuron.isa.multiply_moving tile_position [32, 0] tile_size [32, 128] dst <psum[0:64] at 0, [1 x 96], bf16> moving <sbuf[32:64] at 1024, [1 x 96], vector<4xf4E2M1FN>> moving_scale <sbuf[40:44] at 512, [1 x 96], f8E8M0FNU>
      neuron.isa.multiply_moving tile_position [32, 0] tile_size [32, 128] dst <psum[0:64] at 0, [1 x 96], bf16> moving <sbuf[32:64] at 1024, [1 x 96], vector<4xf4E2M1FN>> moving_scale <sbuf[40:44] at 512, [1 x 96], f8E8M0FNU>
    }
  }
}
}
