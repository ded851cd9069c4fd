// RUN: nki-opt %s -p expand-indices --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p expand-indices,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @products_of_wide_integers_as_floats(%k: tensor<16xi64>) {
  %r = tile.cast %k : tensor<16xi64> -> tensor<16xindex>
  %s = arith.muli %r, %r : tensor<16xindex>
  // CHECK: 64-bit arithmetic on loaded data is not supported yet; compute in 32 bits, as the machine does
  %f = tile.cast %s : tensor<16xindex> -> tensor<16xf32>
  "test.op"(%f) : (tensor<16xf32>) -> ()
  func.return
}

// -----

func.func @low_bits_that_depend_on_high_ones(%k: tensor<16xi64>) {
  %r = tile.cast %k : tensor<16xi64> -> tensor<16xindex>
  %s = arith.shrsi %r, %r : tensor<16xindex>
  // CHECK: 64-bit arithmetic on loaded data is not supported yet; compute in 32 bits, as the machine does
  %f = tile.cast %s : tensor<16xindex> -> tensor<16xi32>
  "test.op"(%f) : (tensor<16xi32>) -> ()
  func.return
}

// -----

func.func @products_of_wide_integers_compared(%k: tensor<16xi64>) {
  %r = tile.cast %k : tensor<16xi64> -> tensor<16xindex>
  %s = arith.muli %r, %r : tensor<16xindex>
  // CHECK: 64-bit arithmetic on loaded data is not supported yet; compute in 32 bits, as the machine does
  %c = tile.compare lt %r, %s : tensor<16xindex>, tensor<16xindex> -> tensor<16xi1>
  "test.op"(%c) : (tensor<16xi1>) -> ()
  func.return
}

// -----

func.func @products_of_integers_that_need_64_bits(%k: tensor<16xi32>) {
  %r = tile.cast %k : tensor<16xi32> -> tensor<16xindex>
  %s = arith.muli %r, %r : tensor<16xindex>
  // CHECK: 64-bit arithmetic on loaded data is not supported yet; compute in 32 bits, as the machine does
  %f = tile.cast %s : tensor<16xindex> -> tensor<16xf32>
  "test.op"(%f) : (tensor<16xf32>) -> ()
  func.return
}

// -----

func.func @quotients_of_integers_that_need_64_bits(%k: tensor<16xi32>) {
  %r = tile.cast %k : tensor<16xi32> -> tensor<16xindex>
  %three = arith.constant dense<3> : tensor<16xindex>
  %s = arith.muli %r, %three : tensor<16xindex>
  %q = arith.divsi %s, %three : tensor<16xindex>
  // CHECK: 64-bit arithmetic on loaded data is not supported yet; compute in 32 bits, as the machine does
  %f = tile.cast %q : tensor<16xindex> -> tensor<16xi32>
  "test.op"(%f) : (tensor<16xi32>) -> ()
  func.return
}

// -----

func.func @shifts_by_more_than_31_places(%k: tensor<16xi32>, %n: tensor<16xi32>) {
  %r = tile.cast %k : tensor<16xi32> -> tensor<16xindex>
  %by = tile.cast %n : tensor<16xi32> -> tensor<16xindex>
  %q = arith.shrsi %r, %by : tensor<16xindex>
  // CHECK: shifts of int64 by what may be more than 31 places are not supported
  %f = tile.cast %q : tensor<16xindex> -> tensor<16xi32>
  "test.op"(%f) : (tensor<16xi32>) -> ()
  func.return
}

// -----

func.func @arguments(%k: index) {
  // CHECK: they have numbers that an argument of the function gives, which are no sum of multiples of loop counters and program ids
  %f = tile.cast %k : index -> f32
  "test.op"(%f) : (f32) -> ()
  func.return
}

// -----

func.func @reductions(%k: tensor<16x2xindex>) {
  %s = tile.reduce max %k axis 1 : tensor<16x2xindex> -> tensor<16xindex>
  // CHECK: these indices are not supported as values: they have an address or a mask computed by tile.reduce
  %f = tile.cast %s : tensor<16xindex> -> tensor<16xi32>
  "test.op"(%f) : (tensor<16xi32>) -> ()
  func.return
}

// -----

func.func @floats_that_become_wide(%x: tensor<16xf32>) {
  %i = tile.cast %x : tensor<16xf32> -> tensor<16xindex>
  // CHECK: floats that become int64 numbers are not supported; convert them to int32 first
  %f = tile.cast %i : tensor<16xindex> -> tensor<16xi64>
  "test.op"(%f) : (tensor<16xi64>) -> ()
  func.return
}
