// c = leaky_relu(a @ b) at the `tile` level: blocks of 64 x 64 x 32 over 200 x 136 x 72, so that every edge has a tail.

builtin.module attributes {neuron.target = "trn1"} {
  func.func @matmul_kernel(%a: memref<200x72xf32>, %b: memref<72x136xf32>, %c: memref<200x136xf32>)
      attributes {tile.arg_names = ["a", "b", "c"]} {
    tile.programs (%i, %j) in [4, 3] {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      %block_mn = arith.constant 64 : index
      %block_k = arith.constant 32 : index
      %m = arith.constant 200 : index
      %n = arith.constant 136 : index
      %k = arith.constant 72 : index

      // This program's block of c, and how many of its rows and columns there are: min(max(m - row, 0), 64).
      %row = arith.muli %i, %block_mn : index
      %column = arith.muli %j, %block_mn : index
      %rows_left = arith.subi %m, %row : index
      %rows_ok = arith.maxsi %rows_left, %c0 : index
      %rows = arith.minsi %rows_ok, %block_mn : index
      %columns_left = arith.subi %n, %column : index
      %columns_ok = arith.maxsi %columns_left, %c0 : index
      %columns = arith.minsi %columns_ok, %block_mn : index

      // acc = 0;  for step in range(3): acc += a[rows, step's 32 terms] @ b[step's 32 terms, columns]
      %a_row = arith.muli %row, %k : index
      %zero = arith.constant 0.0 : f32
      %zeros = tile.splat %zero : f32 -> tensor<64x64xf32>
      %acc = scf.for %step = %c0 to %c3 step %c1 iter_args(%partial = %zeros) -> (tensor<64x64xf32>) {
        %term = arith.muli %step, %block_k : index
        %terms_left = arith.subi %k, %term : index
        %terms_ok = arith.maxsi %terms_left, %c0 : index
        %terms = arith.minsi %terms_ok, %block_k : index
        %a_first = arith.addi %a_row, %term : index
        %b_row = arith.muli %term, %n : index
        %b_first = arith.addi %b_row, %column : index
        %a_tile = tile.read %a[%a_first] strides [72, 1] valid [%rows, %terms] : memref<200x72xf32> -> tensor<64x32xf32>
        %b_tile = tile.read %b[%b_first] strides [136, 1] valid [%terms, %columns] : memref<72x136xf32> -> tensor<32x64xf32>
        %product = tile.dot %a_tile, %b_tile : tensor<64x32xf32>, tensor<32x64xf32> -> tensor<64x64xf32>
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
      %c_row = arith.muli %row, %n : index
      %c_first = arith.addi %c_row, %column : index
      tile.write %leaky to %c[%c_first] strides [136, 1] valid [%rows, %columns] : tensor<64x64xf32> -> memref<200x136xf32>
    }
    func.return
  }
}
