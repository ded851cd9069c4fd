// RUN: NKI_INVALID

// CHECK: vector<4xf8E4M3FN> is no element type that a tile is computed in
func.func @f(%x: !neuron.mem.tile<sbuf, 128 x [8] x vector<4xf8E4M3FN>, dim 0 of [1024]>) {
  func.return
}

// -----

// CHECK: shape [1024] with this placement is 128 x [8], not 64 x [16]
func.func @f(%x: !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>) {
  func.return
}

// -----

// CHECK: psum holds f32 in 16384 bytes per partition
func.func @f(%x: !neuron.mem.tile<psum, 1024xbf16, [d0/8:128] x [d0:8]>) {
  func.return
}

// -----

func.func @f(%x: !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>, %y: !neuron.mem.tile<sbuf, 1024xf32, [] x [d0]>) {
  // CHECK: must lie alike
  %z = neuron.mem.binary add %x, %y : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>, !neuron.mem.tile<sbuf, 1024xf32, [] x [d0]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  func.return
}

// -----

func.func @f(%x: !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>) {
  // CHECK: a move takes a tile from psum to sbuf
  %z = neuron.mem.convert %x by copy : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>
  func.return
}

// -----

func.func @f(%x: !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]>) {
  // CHECK: axis 0 must be a dimension that is not on the partitions
  %z = neuron.mem.reduce max %x axis 0 : !neuron.mem.tile<sbuf, 1024xf32, [d0/8:128] x [d0:8]> -> !neuron.mem.tile<sbuf, f32, [] x []>
  func.return
}
