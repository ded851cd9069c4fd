// RUN: NKI_INVALID

func.func @partitions() {
  // CHECK: a buffer spans 1..128 partitions, got 129
  %b = neuron.engine.alloc : !neuron.engine.buffer<sbuf, 129 x 64>
  func.return
}

// -----

func.func @starts_of_quadrants() {
  // CHECK: a buffer of 32 partitions may start at 0, 32, 64, 96, not at 16
  %b = neuron.engine.alloc from 16 : !neuron.engine.buffer<sbuf, 32 x 64>
  func.return
}

// -----

func.func @starts_of_halves() {
  // CHECK: a buffer of 48 partitions may start at 0, 64, not at 32
  %b = neuron.engine.alloc from 32 : !neuron.engine.buffer<sbuf, 48 x 64>
  func.return
}

// -----

func.func @more_than_half() {
  // CHECK: a buffer of 96 partitions may start at 0, not at 32
  %b = neuron.engine.alloc from 32 : !neuron.engine.buffer<sbuf, 96 x 64>
  func.return
}

// -----

func.func @behind_the_last() {
  // CHECK: the buffer spans partitions 128..143; there are 128
  %b = neuron.engine.alloc from 128 : !neuron.engine.buffer<sbuf, 16 x 64>
  func.return
}

// -----

func.func @in_front_of_the_first() {
  // CHECK: the buffer spans partitions -32..-17; there are 128
  %b = "neuron.engine.alloc"() <{start = -32 : i64}> : () -> !neuron.engine.buffer<sbuf, 16 x 64>
  func.return
}

// -----

func.func @nothing() {
  // CHECK: a buffer has at least one byte per partition
  %b = neuron.engine.alloc : !neuron.engine.buffer<sbuf, 128 x 0>
  func.return
}

// -----

func.func @no_slots() {
  // CHECK: a buffer has at least one slot, got depth 0
  %b = neuron.engine.alloc "b" {depth = 0 : i64} : !neuron.engine.buffer<sbuf, 128 x 64>
  func.return
}

// -----

func.func @slots_overlap() {
  // CHECK: slots of 64 bytes cannot be 32 bytes apart
  %b = neuron.engine.alloc stride 32 {depth = 2 : i64} : !neuron.engine.buffer<sbuf, 128 x 64>
  func.return
}

// -----

func.func @address() {
  // CHECK: an address is not negative, got -64
  %b = "neuron.engine.alloc"() <{address = -64 : i64}> : () -> !neuron.engine.buffer<sbuf, 16 x 64>
  func.return
}

// -----

func.func @the_last_slot_ends_behind() {
  // CHECK: the buffer ends at byte 196640; sbuf has 196608 per partition
  %b = neuron.engine.alloc at 196384 stride 96 {depth = 3 : i64} : !neuron.engine.buffer<sbuf, 128 x 64>
  func.return
}

// -----

func.func @slots_take_whole_banks() {
  // CHECK: the buffer ends at byte 16448; psum has 16384 per partition
  %b = neuron.engine.alloc at 14336 {depth = 2 : i64} : !neuron.engine.buffer<psum, 128 x 64>
  func.return
}

// -----

func.func @a_view_in_front() {
  %b = neuron.engine.alloc from 32 : !neuron.engine.buffer<sbuf, 32 x 64>
  // CHECK: the view starts at partition 0; the buffer starts at 32
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 32 x 64> -> !neuron.engine.view<sbuf[0:32], [1 x 8], f32>
  func.return
}

// -----

func.func @a_view_behind() {
  %b = neuron.engine.alloc from 32 : !neuron.engine.buffer<sbuf, 32 x 64>
  // CHECK: the view reaches partition 64 of a buffer of 32 from 32
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 32 x 64> -> !neuron.engine.view<sbuf[32:65], [1 x 8], f32>
  func.return
}

// -----

func.func @another_element_type(%x: memref<64xf32>) {
  // CHECK: a view of memref<64xf32> is in hbm with its element type, got !neuron.engine.view<hbm, [1 x 64], i32>
  %v = neuron.engine.view %x : memref<64xf32> -> !neuron.engine.view<hbm, [1 x 64], i32>
  func.return
}

// -----

func.func @of_an_argument_on_chip(%x: memref<64xf32>) {
  // CHECK: a view of memref<64xf32> is in hbm with its element type, got !neuron.engine.view<sbuf[0:1], [1 x 64], f32>
  %v = neuron.engine.view %x : memref<64xf32> -> !neuron.engine.view<sbuf[0:1], [1 x 64], f32>
  func.return
}

// -----

func.func @behind_an_argument(%x: memref<64xf32>) {
  // CHECK: the view covers elements 0..127 of 64
  %v = neuron.engine.view %x : memref<64xf32> -> !neuron.engine.view<hbm, [2 x 64], f32>
  func.return
}

// -----

func.func @in_front_of_an_argument(%x: memref<64xf32>) {
  // CHECK: the view covers elements -63..1 of 64
  %v = neuron.engine.view %x : memref<64xf32> -> !neuron.engine.view<hbm, [-1 x 64], f32>
  func.return
}

// -----

func.func @in_hbm() {
  // CHECK: a buffer lies in sbuf or psum
  %b = neuron.engine.alloc : !neuron.engine.buffer<hbm, 8 x 4>
  func.return
}

// -----

// CHECK: partitions 8:8 are none; the last is in front of 8
func.func @no_partitions(%v: !neuron.engine.view<sbuf[8:8], [1 x 4], f32>) {
  func.return
}

// -----

// CHECK: f64 is not an element type of the machine
func.func @no_elements(%v: !neuron.engine.view<sbuf[0:8], [1 x 4], f64>) {
  func.return
}
