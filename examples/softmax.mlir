// A row softmax at the `tile` level: one program a row, one block of 1,024 a row, 1,000 rows of 781 columns.

builtin.module attributes {neuron.target = "trn1"} {
  func.func @softmax_kernel(%output: memref<1000x781xf32>, %input: memref<1000x781xf32>)
      attributes {tile.arg_names = ["output", "input"]} {
    tile.programs (%row) in [1000] {
      %columns = arith.constant 781 : index
      %first = arith.muli %row, %columns : index

      // Beyond the 781 columns the row is -inf, which neither the maximum nor the sum sees.
      %x = tile.read %input(%first) [d0 in 0 to 781 by 1, s0 by 1] other 0xff800000 : f32
          : memref<1000x781xf32> -> tensor<1024xf32>
      %max = tile.reduce max %x axis 0 : tensor<1024xf32> -> f32
      %maxima = tile.splat %max : f32 -> tensor<1024xf32>
      %shifted = arith.subf %x, %maxima : tensor<1024xf32>
      %numerator = math.exp %shifted : tensor<1024xf32>
      %sum = tile.reduce sum %numerator axis 0 : tensor<1024xf32> -> f32
      %denominator = tile.splat %sum : f32 -> tensor<1024xf32>
      %y = arith.divf %numerator, %denominator : tensor<1024xf32>
      tile.write %y to %output(%first) [d0 in 0 to 781 by 1, s0 by 1] : tensor<1024xf32> -> memref<1000x781xf32>
    }
    func.return
  }
}
