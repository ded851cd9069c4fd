// RUN: NKI_INVALID

func.func @f(%v0: !neuron.engine.view<sbuf[0:128], [1 x 8], f32>) {
  // CHECK: tensor_tensor runs on vector, gpsimd, not on scalar
  neuron.engine.tensor_tensor scalar op add dst %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data1 %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data2 %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<sbuf[0:128], [1 x 8], f32>, %v1: !neuron.engine.view<psum[0:128], [1 x 8], f32>) {
  // CHECK: data1 and data2 may not both be in PSUM
  neuron.engine.tensor_tensor vector op add dst %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data1 %v1 : !neuron.engine.view<psum[0:128], [1 x 8], f32> data2 %v1 : !neuron.engine.view<psum[0:128], [1 x 8], f32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<sbuf[0:128], [1 x 8], f32>, %v1: !neuron.engine.view<psum[0:128], [1 x 8], f32>) {
  // CHECK: gpsimd cannot access PSUM, where data1 is
  neuron.engine.tensor_tensor gpsimd op add dst %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data1 %v1 : !neuron.engine.view<psum[0:128], [1 x 8], f32> data2 %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<sbuf[0:128], [1 x 8], f32>) {
  // CHECK: bitwise_and needs integers; dst is float32
  neuron.engine.tensor_tensor vector op bitwise_and dst %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data1 %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data2 %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<sbuf[0:128], [1 x 8], f32>, %v1: !neuron.engine.view<sbuf[0:64], [1 x 8], f32>) {
  // CHECK: dst has 128 partitions and src 64
  neuron.engine.tensor_copy vector dst %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %v1 : !neuron.engine.view<sbuf[0:64], [1 x 8], f32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<sbuf[0:128], [1 x 8], f32>, %v1: !neuron.engine.view<sbuf[0:128], [1 x 9], f32>) {
  // CHECK: dst has 8 elements per partition and src 9
  neuron.engine.tensor_copy vector dst %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %v1 : !neuron.engine.view<sbuf[0:128], [1 x 9], f32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<sbuf[16:32], [1 x 8], f32>) {
  // CHECK: 16 partitions may start at 0, 32, 64, 96, not at 16
  neuron.engine.tensor_copy vector dst %v0 : !neuron.engine.view<sbuf[16:32], [1 x 8], f32> src %v0 : !neuron.engine.view<sbuf[16:32], [1 x 8], f32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<sbuf[0:128], [1 x 8], f32>) {
  // CHECK: divide does not reduce
  neuron.engine.tensor_reduce vector op divide axes 1 dst %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<sbuf[0:128], [1 x 8], f32>) {
  // CHECK: predicate must be one of uint16, uint32, uint8, not float32
  neuron.engine.tensor_copy_predicated vector dst %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> predicate %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<psum[0:64], [1 x 600], f32>, %v1: !neuron.engine.view<sbuf[0:32], [1 x 64], f32>, %v2: !neuron.engine.view<sbuf[0:32], [1 x 600], f32>) {
  // CHECK: moving has 600 columns; one matmul takes 512
  neuron.engine.nc_matmul tensor dst %v0 : !neuron.engine.view<psum[0:64], [1 x 600], f32> stationary %v1 : !neuron.engine.view<sbuf[0:32], [1 x 64], f32> moving %v2 : !neuron.engine.view<sbuf[0:32], [1 x 600], f32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<psum[0:64], [1 x 8], f32>, %v1: !neuron.engine.view<sbuf[0:32], [1 x 64], f32>, %v2: !neuron.engine.view<sbuf[0:64], [1 x 8], f32>) {
  // CHECK: stationary has K = 32 partitions and moving 64
  neuron.engine.nc_matmul tensor dst %v0 : !neuron.engine.view<psum[0:64], [1 x 8], f32> stationary %v1 : !neuron.engine.view<sbuf[0:32], [1 x 64], f32> moving %v2 : !neuron.engine.view<sbuf[0:64], [1 x 8], f32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<psum[0:128], [1 x 8], f32>, %v1: !neuron.engine.view<sbuf[0:128], [1 x 8], f32>) {
  // CHECK: dst must be in hbm or sbuf, not in psum
  neuron.engine.dma_copy sync queue 0 dst %v0 : !neuron.engine.view<psum[0:128], [1 x 8], f32> src %v1 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<sbuf[0:128], [1 x 8], f32>, %v1: !neuron.engine.view<sbuf[0:64], [1 x 8], f32>) {
  // CHECK: dst has 1024 elements and src 512
  neuron.engine.dma_copy sync queue 0 dst %v0 : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> src %v1 : !neuron.engine.view<sbuf[0:64], [1 x 8], f32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<sbuf[0:2], [1 x 1], i32>) {
  // CHECK: a register holds one element, the view has 2
  %0 = neuron.engine.scalar %v0 : !neuron.engine.view<sbuf[0:2], [1 x 1], i32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<psum[0:1], [1 x 1], i32>) {
  // CHECK: a sequencer reaches sbuf and hbm, not psum
  %0 = neuron.engine.scalar %v0 : !neuron.engine.view<psum[0:1], [1 x 1], i32>
  func.return
}

// -----

func.func @f(%v0: !neuron.engine.view<sbuf[0:1], [1 x 1], f32>) {
  // CHECK: the element must be one of int8, uint8, int16, uint16, int32, not float32
  %0 = neuron.engine.scalar %v0 : !neuron.engine.view<sbuf[0:1], [1 x 1], f32>
  func.return
}

// -----

func.func @f(%d: !neuron.engine.view<sbuf[0:8], [1 x 4], f32>, %s: f32) {
  // CHECK: tensor_scalar: operand0 must be a view or an arith.constant
  neuron.engine.tensor_scalar vector op0 add dst %d : !neuron.engine.view<sbuf[0:8], [1 x 4], f32> data %d : !neuron.engine.view<sbuf[0:8], [1 x 4], f32> operand0 %s : f32
  func.return
}
