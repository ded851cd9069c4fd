// c = leaky_relu(a @ b) at the `tile` level: blocks of 64 x 64 x 32 over 200 x 136 x 72, so that every edge has a tail.

builtin.module attributes {neuron.target = "trn1"} {
  func.func @matmul_kernel(%a: memref<200x72xf32>, %b: memref<72x136xf32>, %c: memref<200x136xf32>)
      attributes {tile.arg_names = ["a", "b", "c"]} {
    tile.programs (%i, %j) in [4, 3] {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index

      // acc = 0;  for step in range(3): acc += a[i's 64 rows, step's 32 terms] @ b[step's 32 terms, j's 64 columns]
      // Each coordinate ends where the array does, and is 72 or 136 or 1 elements of it.
      %zero = arith.constant 0.0 : f32
      %zeros = tile.splat %zero : f32 -> tensor<64x64xf32>
      %acc = scf.for %step = %c0 to %c3 step %c1 iter_args(%partial = %zeros) -> (tensor<64x64xf32>) {
        %a_tile = tile.read %a(%i, %step) [64 * s0 + d0 in 0 to 200 by 72, 32 * s1 + d1 in 0 to 72 by 1]
            : memref<200x72xf32> -> tensor<64x32xf32>
        %b_tile = tile.read %b(%step, %j) [32 * s0 + d0 in 0 to 72 by 136, 64 * s1 + d1 in 0 to 136 by 1]
            : memref<72x136xf32> -> tensor<32x64xf32>
        %product = tile.dot %a_tile, %b_tile over [1] x [0] : tensor<64x32xf32>, tensor<32x64xf32> -> tensor<64x64xf32>
        %sum = arith.addf %partial, %product : tensor<64x64xf32>
        scf.yield %sum : tensor<64x64xf32>
      }

      // c = where(acc >= 0, acc, 0.01 * acc)
      %positive = tile.compare ge %acc, %zeros : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xi1>
      %slope = arith.constant 0.01 : f32
      %slopes = tile.splat %slope : f32 -> tensor<64x64xf32>
      %small = arith.mulf %acc, %slopes : tensor<64x64xf32>
      %leaky = tile.select %positive, %acc, %small
          : tensor<64x64xi1>, tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      tile.write %leaky to %c(%i, %j) [64 * s0 + d0 in 0 to 200 by 136, 64 * s1 + d1 in 0 to 136 by 1]
          : tensor<64x64xf32> -> memref<200x136xf32>
    }
    func.return
  }
}
