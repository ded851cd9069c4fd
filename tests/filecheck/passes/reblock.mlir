// RUN: nki-opt %s -p reblock --split-input-file | filecheck %s
// RUN: nki-opt %s -p reblock --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @columns
// CHECK:       tile.programs (%[[ROW:.*]]) in [2048] anonymous {
// CHECK:         %[[WIDTH:.*]] = arith.constant 768 : index
// CHECK-NEXT:    arith.muli %[[ROW]], %[[WIDTH]] : index
// CHECK:         tile.arange 0 to 768
// CHECK:         tile.store {{.*}} : tensor<768x!tile.ptr<f32>>, tensor<768xf32>
func.func @columns(%x: memref<2048x768xf32>, %b: memref<768xf32>, %out: memref<2048x768xf32>) {
  tile.programs (%i) in [1536] {
    %from = tile.base %x : memref<2048x768xf32> -> !tile.ptr<f32>
    %bias = tile.base %b : memref<768xf32> -> !tile.ptr<f32>
    %to = tile.base %out : memref<2048x768xf32> -> !tile.ptr<f32>
    %block = arith.constant 1024 : index
    %start = arith.muli %i, %block : index
    %places = tile.arange 0 to 1024 : tensor<1024xindex>
    %first = tile.splat %start : index -> tensor<1024xindex>
    %at = arith.addi %first, %places : tensor<1024xindex>
    %width = arith.constant dense<768> : tensor<1024xindex>
    %column = arith.remsi %at, %width : tensor<1024xindex>
    %0 = tile.splat %from : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
    %1 = tile.add_ptr %0, %at : tensor<1024x!tile.ptr<f32>>, tensor<1024xindex> -> tensor<1024x!tile.ptr<f32>>
    %2 = tile.load %1 : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>
    %3 = tile.splat %bias : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
    %4 = tile.add_ptr %3, %column : tensor<1024x!tile.ptr<f32>>, tensor<1024xindex> -> tensor<1024x!tile.ptr<f32>>
    %5 = tile.load %4 : tensor<1024x!tile.ptr<f32>> -> tensor<1024xf32>
    %6 = arith.addf %2, %5 : tensor<1024xf32>
    %7 = tile.splat %to : !tile.ptr<f32> -> tensor<1024x!tile.ptr<f32>>
    %8 = tile.add_ptr %7, %at : tensor<1024x!tile.ptr<f32>>, tensor<1024xindex> -> tensor<1024x!tile.ptr<f32>>
    tile.store %8, %6 : tensor<1024x!tile.ptr<f32>>, tensor<1024xf32>
  }
  func.return
}

// What quotients take apart becomes axes; the row ends at 24000 of 24576, where the stores end.
// CHECK-LABEL: func.func @digits
// CHECK:       tile.programs (%[[N:.*]], %[[C:.*]]) in [5, 16] anonymous {
// CHECK:         %[[STEP:.*]] = arith.constant 4800 : index
// CHECK-NEXT:    %[[FIRST:.*]] = arith.muli %[[N]], %[[STEP]] : index
// CHECK:         arith.constant 300 : index
// CHECK-NEXT:    arith.muli %[[C]]
// CHECK:         tile.arange 0 to 300
// CHECK:         arith.divsi {{.*}} : tensor<300xindex>
func.func @digits(%x: memref<24000xf32>, %b: memref<16xf32>) {
  tile.programs (%i) in [48] {
    %from = tile.base %x : memref<24000xf32> -> !tile.ptr<f32>
    %bias = tile.base %b : memref<16xf32> -> !tile.ptr<f32>
    %block = arith.constant 512 : index
    %start = arith.muli %i, %block : index
    %places = tile.arange 0 to 512 : tensor<512xindex>
    %first = tile.splat %start : index -> tensor<512xindex>
    %at = arith.addi %first, %places : tensor<512xindex>
    %end = arith.constant dense<24000> : tensor<512xindex>
    %inside = tile.compare lt %at, %end : tensor<512xindex>, tensor<512xindex> -> tensor<512xi1>
    %size = arith.constant dense<300> : tensor<512xindex>
    %row = arith.divsi %at, %size : tensor<512xindex>
    %rows = arith.constant dense<16> : tensor<512xindex>
    %channel = arith.remsi %row, %rows : tensor<512xindex>
    %0 = tile.splat %from : !tile.ptr<f32> -> tensor<512x!tile.ptr<f32>>
    %1 = tile.add_ptr %0, %at : tensor<512x!tile.ptr<f32>>, tensor<512xindex> -> tensor<512x!tile.ptr<f32>>
    %3 = tile.splat %bias : !tile.ptr<f32> -> tensor<512x!tile.ptr<f32>>
    %4 = tile.add_ptr %3, %channel : tensor<512x!tile.ptr<f32>>, tensor<512xindex> -> tensor<512x!tile.ptr<f32>>
    %5 = tile.load %4 mask %inside : tensor<512xi1> : tensor<512x!tile.ptr<f32>> -> tensor<512xf32>
    tile.store %1, %5 mask %inside : tensor<512xi1> : tensor<512x!tile.ptr<f32>>, tensor<512xf32>
  }
  func.return
}

// Along one dimension of two, over the other one of which is summed.
// CHECK-LABEL: func.func @one_of_two
// CHECK:       tile.programs (%{{.*}}) in [4] anonymous {
// CHECK:         tile.arange 0 to 96
// CHECK:         tile.reduce sum {{.*}} axis 1 : tensor<96x8xf32> -> tensor<96xf32>
func.func @one_of_two(%x: memref<4x8x96xf32>, %out: memref<384xf32>) {
  tile.programs (%i) in [6] {
    %from = tile.base %x : memref<4x8x96xf32> -> !tile.ptr<f32>
    %to = tile.base %out : memref<384xf32> -> !tile.ptr<f32>
    %block = arith.constant 64 : index
    %start = arith.muli %i, %block : index
    %places = tile.arange 0 to 64 : tensor<64xindex>
    %first = tile.splat %start : index -> tensor<64xindex>
    %at = arith.addi %first, %places : tensor<64xindex>
    %width = arith.constant dense<96> : tensor<64xindex>
    %column = arith.remsi %at, %width : tensor<64xindex>
    %group = arith.divsi %at, %width : tensor<64xindex>
    %size = arith.constant dense<768> : tensor<64xindex>
    %above = arith.muli %group, %size : tensor<64xindex>
    %base = arith.addi %above, %column : tensor<64xindex>
    %deep = tile.arange 0 to 8 : tensor<8xindex>
    %step = arith.constant dense<96> : tensor<8xindex>
    %down = arith.muli %deep, %step : tensor<8xindex>
    %0 = tile.expand_dims %base axis 1 : tensor<64xindex> -> tensor<64x1xindex>
    %1 = tile.broadcast %0 : tensor<64x1xindex> -> tensor<64x8xindex>
    %2 = tile.expand_dims %down axis 0 : tensor<8xindex> -> tensor<1x8xindex>
    %3 = tile.broadcast %2 : tensor<1x8xindex> -> tensor<64x8xindex>
    %4 = arith.addi %1, %3 : tensor<64x8xindex>
    %5 = tile.splat %from : !tile.ptr<f32> -> tensor<64x8x!tile.ptr<f32>>
    %6 = tile.add_ptr %5, %4 : tensor<64x8x!tile.ptr<f32>>, tensor<64x8xindex> -> tensor<64x8x!tile.ptr<f32>>
    %7 = tile.load %6 : tensor<64x8x!tile.ptr<f32>> -> tensor<64x8xf32>
    %8 = tile.reduce sum %7 axis 1 : tensor<64x8xf32> -> tensor<64xf32>
    %9 = tile.splat %to : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %10 = tile.add_ptr %9, %at : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    tile.store %10, %8 : tensor<64x!tile.ptr<f32>>, tensor<64xf32>
  }
  func.return
}

// The place in the block, and not in the row, says which weight it is.
// CHECK-LABEL: func.func @place_in_the_block
// CHECK:       tile.programs (%i) in [24] {
func.func @place_in_the_block(%b: memref<96xf32>, %w: memref<64xf32>, %out: memref<1536xf32>) {
  tile.programs (%i) in [24] {
    %bias = tile.base %b : memref<96xf32> -> !tile.ptr<f32>
    %weight = tile.base %w : memref<64xf32> -> !tile.ptr<f32>
    %to = tile.base %out : memref<1536xf32> -> !tile.ptr<f32>
    %block = arith.constant 64 : index
    %start = arith.muli %i, %block : index
    %places = tile.arange 0 to 64 : tensor<64xindex>
    %first = tile.splat %start : index -> tensor<64xindex>
    %at = arith.addi %first, %places : tensor<64xindex>
    %width = arith.constant dense<96> : tensor<64xindex>
    %column = arith.remsi %at, %width : tensor<64xindex>
    %0 = tile.splat %bias : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %1 = tile.add_ptr %0, %column : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    %2 = tile.load %1 : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    %3 = tile.splat %weight : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %4 = tile.add_ptr %3, %places : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    %5 = tile.load %4 : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    %6 = arith.mulf %2, %5 : tensor<64xf32>
    %7 = tile.splat %to : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %8 = tile.add_ptr %7, %at : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    tile.store %8, %6 : tensor<64x!tile.ptr<f32>>, tensor<64xf32>
  }
  func.return
}

// A sum of each block is one of other elements in blocks of another size.
// CHECK-LABEL: func.func @sum_of_the_block
// CHECK:       tile.programs (%i) in [24] {
func.func @sum_of_the_block(%b: memref<96xf32>, %out: memref<1536xf32>) {
  tile.programs (%i) in [24] {
    %bias = tile.base %b : memref<96xf32> -> !tile.ptr<f32>
    %to = tile.base %out : memref<1536xf32> -> !tile.ptr<f32>
    %block = arith.constant 64 : index
    %start = arith.muli %i, %block : index
    %places = tile.arange 0 to 64 : tensor<64xindex>
    %first = tile.splat %start : index -> tensor<64xindex>
    %at = arith.addi %first, %places : tensor<64xindex>
    %width = arith.constant dense<96> : tensor<64xindex>
    %column = arith.remsi %at, %width : tensor<64xindex>
    %0 = tile.splat %bias : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %1 = tile.add_ptr %0, %column : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    %2 = tile.load %1 : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    %3 = tile.reduce sum %2 axis 0 : tensor<64xf32> -> f32
    %4 = tile.splat %3 : f32 -> tensor<64xf32>
    %7 = tile.splat %to : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %8 = tile.add_ptr %7, %at : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    tile.store %8, %4 : tensor<64x!tile.ptr<f32>>, tensor<64xf32>
  }
  func.return
}

// Running sums start anew in each block.
// CHECK-LABEL: func.func @running_sums_of_the_block
// CHECK:       tile.programs (%i) in [24] {
func.func @running_sums_of_the_block(%b: memref<96xf32>, %out: memref<1536xf32>) {
  tile.programs (%i) in [24] {
    %bias = tile.base %b : memref<96xf32> -> !tile.ptr<f32>
    %to = tile.base %out : memref<1536xf32> -> !tile.ptr<f32>
    %block = arith.constant 64 : index
    %start = arith.muli %i, %block : index
    %places = tile.arange 0 to 64 : tensor<64xindex>
    %first = tile.splat %start : index -> tensor<64xindex>
    %at = arith.addi %first, %places : tensor<64xindex>
    %width = arith.constant dense<96> : tensor<64xindex>
    %column = arith.remsi %at, %width : tensor<64xindex>
    %0 = tile.splat %bias : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %1 = tile.add_ptr %0, %column : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    %2 = tile.load %1 : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    %4 = tile.scan sum %2 axis 0 : tensor<64xf32> -> tensor<64xf32>
    %7 = tile.splat %to : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %8 = tile.add_ptr %7, %at : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    tile.store %8, %4 : tensor<64x!tile.ptr<f32>>, tensor<64xf32>
  }
  func.return
}

// A number of each program.
// CHECK-LABEL: func.func @number_of_the_program
// CHECK:       tile.programs (%i) in [24] {
func.func @number_of_the_program(%b: memref<96xf32>, %w: memref<24xf32>, %out: memref<1536xf32>) {
  tile.programs (%i) in [24] {
    %bias = tile.base %b : memref<96xf32> -> !tile.ptr<f32>
    %weight = tile.base %w : memref<24xf32> -> !tile.ptr<f32>
    %to = tile.base %out : memref<1536xf32> -> !tile.ptr<f32>
    %block = arith.constant 64 : index
    %start = arith.muli %i, %block : index
    %places = tile.arange 0 to 64 : tensor<64xindex>
    %first = tile.splat %start : index -> tensor<64xindex>
    %at = arith.addi %first, %places : tensor<64xindex>
    %width = arith.constant dense<96> : tensor<64xindex>
    %column = arith.remsi %at, %width : tensor<64xindex>
    %0 = tile.splat %bias : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %1 = tile.add_ptr %0, %column : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    %2 = tile.load %1 : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    %3 = tile.add_ptr %weight, %i : !tile.ptr<f32>, index -> !tile.ptr<f32>
    %4 = tile.load %3 : !tile.ptr<f32> -> f32
    %5 = tile.splat %4 : f32 -> tensor<64xf32>
    %6 = arith.mulf %2, %5 : tensor<64xf32>
    %7 = tile.splat %to : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %8 = tile.add_ptr %7, %at : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    tile.store %8, %6 : tensor<64x!tile.ptr<f32>>, tensor<64xf32>
  }
  func.return
}

// Rows of 96 and of 80 have no blocks in common.
// CHECK-LABEL: func.func @neither_divides
// CHECK:       tile.programs (%i) in [30] {
func.func @neither_divides(%b: memref<96xf32>, %w: memref<80xf32>, %out: memref<1920xf32>) {
  tile.programs (%i) in [30] {
    %bias = tile.base %b : memref<96xf32> -> !tile.ptr<f32>
    %weight = tile.base %w : memref<80xf32> -> !tile.ptr<f32>
    %to = tile.base %out : memref<1920xf32> -> !tile.ptr<f32>
    %block = arith.constant 64 : index
    %start = arith.muli %i, %block : index
    %places = tile.arange 0 to 64 : tensor<64xindex>
    %first = tile.splat %start : index -> tensor<64xindex>
    %at = arith.addi %first, %places : tensor<64xindex>
    %width = arith.constant dense<96> : tensor<64xindex>
    %column = arith.remsi %at, %width : tensor<64xindex>
    %other = arith.constant dense<80> : tensor<64xindex>
    %place = arith.remsi %at, %other : tensor<64xindex>
    %0 = tile.splat %bias : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %1 = tile.add_ptr %0, %column : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    %2 = tile.load %1 : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    %3 = tile.splat %weight : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %4 = tile.add_ptr %3, %place : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    %5 = tile.load %4 : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    %6 = arith.mulf %2, %5 : tensor<64xf32>
    %7 = tile.splat %to : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %8 = tile.add_ptr %7, %at : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    tile.store %8, %6 : tensor<64x!tile.ptr<f32>>, tensor<64xf32>
  }
  func.return
}

// 1000 elements are no whole number of rows of 96, and nothing keeps the last row from going on.
// CHECK-LABEL: func.func @ends_within_a_row
// CHECK:       tile.programs (%i) in [16] {
func.func @ends_within_a_row(%b: memref<96xf32>, %out: memref<1024xf32>) {
  tile.programs (%i) in [16] {
    %bias = tile.base %b : memref<96xf32> -> !tile.ptr<f32>
    %to = tile.base %out : memref<1024xf32> -> !tile.ptr<f32>
    %block = arith.constant 64 : index
    %start = arith.muli %i, %block : index
    %places = tile.arange 0 to 64 : tensor<64xindex>
    %first = tile.splat %start : index -> tensor<64xindex>
    %at = arith.addi %first, %places : tensor<64xindex>
    %width = arith.constant dense<96> : tensor<64xindex>
    %column = arith.remsi %at, %width : tensor<64xindex>
    %0 = tile.splat %bias : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %1 = tile.add_ptr %0, %column : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    %2 = tile.load %1 : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    %7 = tile.splat %to : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %8 = tile.add_ptr %7, %at : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    tile.store %8, %2 : tensor<64x!tile.ptr<f32>>, tensor<64xf32>
  }
  func.return
}

// What one program stores, another one loads.
// CHECK-LABEL: func.func @in_place
// CHECK:       tile.programs (%i) in [24] {
func.func @in_place(%x: memref<1536xf32>) {
  tile.programs (%i) in [24] {
    %to = tile.base %x : memref<1536xf32> -> !tile.ptr<f32>
    %block = arith.constant 64 : index
    %start = arith.muli %i, %block : index
    %places = tile.arange 0 to 64 : tensor<64xindex>
    %first = tile.splat %start : index -> tensor<64xindex>
    %at = arith.addi %first, %places : tensor<64xindex>
    %width = arith.constant dense<96> : tensor<64xindex>
    %column = arith.remsi %at, %width : tensor<64xindex>
    %0 = tile.splat %to : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %1 = tile.add_ptr %0, %column : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    %2 = tile.load %1 : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    %8 = tile.add_ptr %0, %at : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    tile.store %8, %2 : tensor<64x!tile.ptr<f32>>, tensor<64xf32>
  }
  func.return
}

// Pairs of a row of 48: a quotient of a remainder. What it is stored to goes on by two for each element.
// CHECK-LABEL: func.func @pairs
// CHECK:       tile.programs (%[[ROW:.*]], %[[PAIR:.*]]) in [32, 24] anonymous {
// CHECK:         %[[TWO:.*]] = arith.constant 48 : index
// CHECK-NEXT:    arith.muli %[[ROW]], %[[TWO]]
// CHECK:         tile.arange 0 to 2
// CHECK:         %[[FOUR:.*]] = arith.constant 96 : index
// CHECK-NEXT:    arith.muli %[[ROW]], %[[FOUR]]
func.func @pairs(%b: memref<24xf32>, %out: memref<3072xf32>) {
  tile.programs (%i) in [24] {
    %bias = tile.base %b : memref<24xf32> -> !tile.ptr<f32>
    %to = tile.base %out : memref<3072xf32> -> !tile.ptr<f32>
    %block = arith.constant 64 : index
    %start = arith.muli %i, %block : index
    %places = tile.arange 0 to 64 : tensor<64xindex>
    %first = tile.splat %start : index -> tensor<64xindex>
    %at = arith.addi %first, %places : tensor<64xindex>
    %width = arith.constant dense<48> : tensor<64xindex>
    %column = arith.remsi %at, %width : tensor<64xindex>
    %two = arith.constant dense<2> : tensor<64xindex>
    %pair = arith.divsi %column, %two : tensor<64xindex>
    %0 = tile.splat %bias : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %1 = tile.add_ptr %0, %pair : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    %2 = tile.load %1 : tensor<64x!tile.ptr<f32>> -> tensor<64xf32>
    %double = arith.constant 128 : index
    %far = arith.muli %i, %double : index
    %from = tile.add_ptr %to, %far : !tile.ptr<f32>, index -> !tile.ptr<f32>
    %7 = tile.splat %from : !tile.ptr<f32> -> tensor<64x!tile.ptr<f32>>
    %step = arith.muli %places, %two : tensor<64xindex>
    %8 = tile.add_ptr %7, %step : tensor<64x!tile.ptr<f32>>, tensor<64xindex> -> tensor<64x!tile.ptr<f32>>
    tile.store %8, %2 : tensor<64x!tile.ptr<f32>>, tensor<64xf32>
  }
  func.return
}
