// NKI's tensor add at the `tile` level, in structured form: a 2 x 4 grid of 128 x 512 tiles over 256 x 2048.

builtin.module attributes {neuron.target = "trn1"} {
  func.func @nki_tensor_add_kernel(%a: memref<256x2048xf32>, %b: memref<256x2048xf32>, %c: memref<256x2048xf32>)
      attributes {tile.arg_names = ["a", "b", "c"]} {
    tile.programs (%i, %j) in [2, 4] {
      // The tile's first element: row program_id(0) * 128, column program_id(1) * 512.
      %rows = arith.constant 262144 : index  // 128 rows of 2048
      %columns = arith.constant 512 : index
      %down = arith.muli %i, %rows : index
      %right = arith.muli %j, %columns : index
      %first = arith.addi %down, %right : index

      %a_tile = tile.read %a(%first) [d0 by 2048, s0 + d1 by 1] : memref<256x2048xf32> -> tensor<128x512xf32>
      %b_tile = tile.read %b(%first) [d0 by 2048, s0 + d1 by 1] : memref<256x2048xf32> -> tensor<128x512xf32>
      %c_tile = arith.addf %a_tile, %b_tile : tensor<128x512xf32>
      tile.write %c_tile to %c(%first) [d0 by 2048, s0 + d1 by 1] : tensor<128x512xf32> -> memref<256x2048xf32>
    }
    func.return
  }
}
