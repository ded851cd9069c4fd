// Triton's vector add at the `tile` level, in pointer form: 97 programs of 1,024 elements add vectors of 98,432.
//
//   nki-opt --lower-to-isa examples/vector_add.mlir
//   nki-run examples/vector_add.mlir x.npy y.npy --out z.npy

builtin.module attributes {neuron.target = "trn1"} {
  func.func @add_kernel(%x: memref<98432xf32>, %y: memref<98432xf32>, %output: memref<98432xf32>)
      attributes {tile.arg_names = ["x", "y", "output"]} {
    tile.programs (%pid) in [97] {
      // offsets = pid * 1024 + arange(1024);  mask = offsets < 98432
      %block = arith.constant 1024 : index
      %start = arith.muli %pid, %block : index
      %starts = tile.splat %start : index -> tensor<1024xindex>
      %range = tile.arange 0 to 1024 : tensor<1024xindex>
      %offsets = arith.addi %starts, %range : tensor<1024xindex>
      %n = arith.constant 98432 : index
      %ends = tile.splat %n : index -> tensor<1024xindex>
      %mask = tile.compare lt %offsets, %ends : tensor<1024xindex>, tensor<1024xindex> -> tensor<1024xi1>

      // x = load(x + offsets, mask);  y = load(y + offsets, mask)
      %x_base = tile.base %x : memref<98432xf32> -> !tile.ptr<f32>
      %x_start = tile.splat %x_base : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
      %x_ptrs = tile.add_ptr %x_start, %offsets : tensor<1024x!tile.ptr<f32>>, tensor<1024xindex> -> tensor<1024x!tile.ptr<f32>>
      %a = tile.load %x_ptrs mask %mask : tensor<1024xi1> : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>
      %y_base = tile.base %y : memref<98432xf32> -> !tile.ptr<f32>
      %y_start = tile.splat %y_base : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
      %y_ptrs = tile.add_ptr %y_start, %offsets : tensor<1024x!tile.ptr<f32>>, tensor<1024xindex> -> tensor<1024x!tile.ptr<f32>>
      %b = tile.load %y_ptrs mask %mask : tensor<1024xi1> : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>

      // store(output + offsets, x + y, mask)
      %sum = arith.addf %a, %b : tensor<1024xf32>
      %o_base = tile.base %output : memref<98432xf32> -> !tile.ptr<f32>
      %o_start = tile.splat %o_base : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
      %o_ptrs = tile.add_ptr %o_start, %offsets : tensor<1024x!tile.ptr<f32>>, tensor<1024xindex> -> tensor<1024x!tile.ptr<f32>>
      tile.store %o_ptrs, %sum mask %mask : tensor<1024xi1> : tensor<1024x!tile.ptr<f32>>, tensor<1024xf32>
    }
    func.return
  }
}
