// RUN: nki-opt %s -p split-words --split-input-file | filecheck %s
// RUN: nki-opt %s -p split-words --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @accesses_are_of_both_words(
// CHECK-SAME: [[X:%[a-z]+]]: memref<8x2xi32>, [[M:%[a-z]+]]: tensor<8xi1>
// CHECK-NEXT: [[LOW:%.*]] = tile.read [[X]] [d0 in 0 to 7 by 2] mask [[M]] : tensor<8xi1> other -705032704 : i32
// CHECK-NEXT: [[HIGH:%.*]] = tile.read [[X]] [d0 in 0 to 7 by 2, 1 by 1] mask [[M]] : tensor<8xi1> other -2 : i32
// CHECK-NEXT: tile.write [[LOW]] to [[X]] [d0 by 2] atomic
// CHECK-NEXT: tile.write [[HIGH]] to [[X]] [d0 by 2, 1 by 1] atomic
func.func @accesses_are_of_both_words(%x: memref<8xi64>, %m: tensor<8xi1>) {
  %v = tile.read %x [d0 in 0 to 7 by 1] mask %m : tensor<8xi1> other -5000000000 : i64 : memref<8xi64> -> tensor<8xi64>
  tile.write %v to %x [d0 by 1] atomic : tensor<8xi64> -> memref<8xi64>
  func.return
}

// -----

// CHECK-LABEL: func.func @comparisons_are_of_both_words(
// CHECK: [[LOW:%.*]] = tile.read
// CHECK-NEXT: [[HIGH:%.*]] = tile.read
// CHECK-NEXT: arith.constant dense<-100>
// CHECK-NEXT: arith.constant dense<-1>
// CHECK-NEXT: [[A:%.*]] = tile.compare eq [[LOW]]
// CHECK-NEXT: [[B:%.*]] = tile.compare eq [[HIGH]]
// CHECK-NEXT: [[EQ:%.*]] = arith.andi [[A]], [[B]]
// CHECK: [[C:%.*]] = tile.compare ne [[LOW]]
// CHECK-NEXT: [[D:%.*]] = tile.compare ne [[HIGH]]
// CHECK-NEXT: [[NE:%.*]] = arith.ori [[C]], [[D]]
// CHECK: [[SAME:%.*]] = tile.compare eq [[HIGH]]
// CHECK-NEXT: arith.constant dense<-2147483648>
// CHECK-NEXT: [[PLAIN:%.*]] = arith.xori [[LOW]]
// CHECK: [[LESS:%.*]] = tile.compare le [[PLAIN]]
// CHECK-NEXT: [[THEN:%.*]] = arith.andi [[SAME]], [[LESS]]
// CHECK-NEXT: [[FIRST:%.*]] = tile.compare lt [[HIGH]]
// CHECK-NEXT: [[LE:%.*]] = arith.ori [[FIRST]], [[THEN]]
// CHECK: "test.op"([[EQ]], [[NE]], [[LE]])
func.func @comparisons_are_of_both_words(%x: memref<8xi64>) {
  %v = tile.read %x [d0 by 1] : memref<8xi64> -> tensor<8xi64>
  %c = arith.constant dense<-100> : tensor<8xi64>
  %e = tile.compare eq %v, %c : tensor<8xi64>, tensor<8xi64> -> tensor<8xi1>
  %n = tile.compare ne %v, %c : tensor<8xi64>, tensor<8xi64> -> tensor<8xi1>
  %l = tile.compare le %v, %c : tensor<8xi64>, tensor<8xi64> -> tensor<8xi1>
  "test.op"(%e, %n, %l) : (tensor<8xi1>, tensor<8xi1>, tensor<8xi1>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @conversions_take_the_low_word_or_both(
// CHECK: [[LOW:%.*]] = tile.read
// CHECK-NEXT: [[HIGH:%.*]] = tile.read
// CHECK-NEXT: [[N:%.*]] = tile.cast [[LOW]] : tensor<8xi32> -> tensor<8xi16>
// CHECK-NEXT: [[F:%.*]] = tile.cast [[LOW]] : tensor<8xi32> -> tensor<8xf32>
// CHECK-NEXT: [[G:%.*]] = tile.cast [[HIGH]] : tensor<8xi32> -> tensor<8xf32>
// CHECK: tile.compare lt [[LOW]]
// CHECK: [[UPPER:%.*]] = arith.addf [[G]]
// CHECK: arith.constant 4.2949673e+09 : f32
// CHECK: [[SCALED:%.*]] = arith.mulf [[UPPER]]
// CHECK-NEXT: [[SUM:%.*]] = arith.addf [[SCALED]], [[F]]
// CHECK-NEXT: "test.op"([[N]], [[SUM]])
func.func @conversions_take_the_low_word_or_both(%x: memref<8xi64>) {
  %v = tile.read %x [d0 by 1] : memref<8xi64> -> tensor<8xi64>
  %n = tile.cast %v : tensor<8xi64> -> tensor<8xi16>
  %f = tile.cast %v : tensor<8xi64> -> tensor<8xf32>
  "test.op"(%n, %f) : (tensor<8xi16>, tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @conversions_repeat_the_sign(
// CHECK-SAME: [[W:%[a-z]+]]: tensor<8xi32>, [[U:%[a-z]+]]: tensor<8xui16>
// CHECK: [[NEGATIVE:%.*]] = tile.compare lt [[W]]
// CHECK: [[HIGH:%.*]] = tile.select [[NEGATIVE]]
// CHECK: [[LOW:%.*]] = tile.cast [[U]] : tensor<8xui16> -> tensor<8xi32>
// CHECK: tile.write [[W]] to %{{.*}} [d0 by 2]
// CHECK-NEXT: tile.write [[HIGH]] to %{{.*}} [d0 by 2, 1 by 1]
// CHECK-NEXT: tile.write [[LOW]] to
func.func @conversions_repeat_the_sign(%x: memref<8xi64>, %w: tensor<8xi32>, %n: tensor<8xui16>) {
  %u = tile.cast %w : tensor<8xi32> -> tensor<8xi64>
  %v = tile.cast %n : tensor<8xui16> -> tensor<8xi64>
  tile.write %u to %x [d0 by 1] : tensor<8xi64> -> memref<8xi64>
  tile.write %v to %x [d0 by 1] : tensor<8xi64> -> memref<8xi64>
  func.return
}

// -----

// CHECK-LABEL: func.func @shapes_and_choices_of_both_words(
// CHECK: [[A:%.*]] = tile.broadcast %{{.*}} : tensor<1x8xi32> -> tensor<8x8xi32>
// CHECK-NEXT: [[B:%.*]] = tile.broadcast
// CHECK-NEXT: [[TA:%.*]] = tile.permute [[A]]
// CHECK-NEXT: [[TB:%.*]] = tile.permute [[B]]
// CHECK-NEXT: [[LOW:%.*]] = tile.select %{{.*}}, [[A]], [[TA]]
// CHECK-NEXT: [[HIGH:%.*]] = tile.select %{{.*}}, [[B]], [[TB]]
// CHECK-NEXT: tile.write [[LOW]] to %{{.*}} [d0 by 16, d1 by 2] :
// CHECK-NEXT: tile.write [[HIGH]] to %{{.*}} [d0 by 16, d1 by 2, 1 by 1] :
func.func @shapes_and_choices_of_both_words(%x: memref<8x8xi64>, %c: tensor<8x8xi1>) {
  %v = tile.read %x [d0 by 1] : memref<8x8xi64> -> tensor<8xi64>
  %e = tile.expand_dims %v axis 0 : tensor<8xi64> -> tensor<1x8xi64>
  %b = tile.broadcast %e : tensor<1x8xi64> -> tensor<8x8xi64>
  %t = tile.permute %b order [1, 0] : tensor<8x8xi64> -> tensor<8x8xi64>
  %s = tile.select %c, %b, %t : tensor<8x8xi1>, tensor<8x8xi64>, tensor<8x8xi64> -> tensor<8x8xi64>
  tile.write %s to %x [d0 by 8, d1 by 1] : tensor<8x8xi64> -> memref<8x8xi64>
  func.return
}

// -----

// CHECK-LABEL: func.func @leaves_alone(
// CHECK-SAME: memref<8xi32>
// CHECK-NEXT: [[V:%.*]] = tile.read %{{.*}} [d0 by 1] : memref<8xi32> -> tensor<8xi32>
// CHECK-NEXT: tile.compare lt [[V]], [[V]]
// CHECK-NEXT: tile.write [[V]] to %{{.*}} [d0 by 1] :
func.func @leaves_alone(%x: memref<8xi32>) {
  %v = tile.read %x [d0 by 1] : memref<8xi32> -> tensor<8xi32>
  %c = tile.compare lt %v, %v : tensor<8xi32>, tensor<8xi32> -> tensor<8xi1>
  tile.write %v to %x [d0 by 1] : tensor<8xi32> -> memref<8xi32>
  func.return
}

// -----

// CHECK-LABEL: func.func @sums_carry(
// CHECK: [[L:%.*]] = tile.read %x [d0 by 2]
// CHECK-NEXT: [[H:%.*]] = tile.read %x [d0 by 2, 1 by 1]
// CHECK: [[M:%.*]] = tile.read %y [d0 by 2]
// CHECK-NEXT: [[I:%.*]] = tile.read %y [d0 by 2, 1 by 1]
// CHECK: [[LOW:%.*]] = arith.addi [[L]], [[M]] : tensor<8xi32>
// CHECK: [[HIGH:%.*]] = arith.addi [[H]], [[I]] : tensor<8xi32>
// CHECK: arith.xori [[LOW]]
// CHECK: arith.xori [[L]]
// CHECK: [[LESS:%.*]] = tile.compare lt
// CHECK: [[CARRY:%.*]] = tile.cast [[LESS]] : tensor<8xi1> -> tensor<8xi32>
// CHECK: [[SUM:%.*]] = arith.addi [[HIGH]], [[CARRY]]
// CHECK: tile.write [[LOW]] to %x [d0 by 2]
// CHECK-NEXT: tile.write [[SUM]] to %x [d0 by 2, 1 by 1]
func.func @sums_carry(%x: memref<8xi64>, %y: memref<8xi64>) {
  %v = tile.read %x [d0 by 1] : memref<8xi64> -> tensor<8xi64>
  %w = tile.read %y [d0 by 1] : memref<8xi64> -> tensor<8xi64>
  %s = arith.addi %v, %w : tensor<8xi64>
  tile.write %s to %x [d0 by 1] : tensor<8xi64> -> memref<8xi64>
  func.return
}

// -----

// 6 * x is 4 * x + 2 * x.
// CHECK-LABEL: func.func @products_by_constants_are_doublings(
// CHECK: [[L:%.*]] = tile.read %x [d0 by 2]
// CHECK: [[TWICE:%.*]] = arith.addi [[L]], [[L]] : tensor<8xi32>
// CHECK: [[FOUR:%.*]] = arith.addi [[TWICE]], [[TWICE]] : tensor<8xi32>
// CHECK: [[SIX:%.*]] = arith.addi [[TWICE]], [[FOUR]] : tensor<8xi32>
// CHECK: tile.write [[SIX]] to %x [d0 by 2]
func.func @products_by_constants_are_doublings(%x: memref<8xi64>) {
  %v = tile.read %x [d0 by 1] : memref<8xi64> -> tensor<8xi64>
  %six = arith.constant dense<6> : tensor<8xi64>
  %s = arith.muli %v, %six : tensor<8xi64>
  tile.write %s to %x [d0 by 1] : tensor<8xi64> -> memref<8xi64>
  func.return
}

// -----

// CHECK-LABEL: func.func @extrema_are_chosen_whole(
// CHECK: [[L:%.*]] = tile.read %x [d0 by 2]
// CHECK-NEXT: [[H:%.*]] = tile.read %x [d0 by 2, 1 by 1]
// CHECK: [[GREATER:%.*]] = arith.ori
// CHECK-NEXT: tile.select [[GREATER]], [[L]]
// CHECK-NEXT: tile.select [[GREATER]], [[H]]
func.func @extrema_are_chosen_whole(%x: memref<8xi64>) {
  %v = tile.read %x [d0 by 1] : memref<8xi64> -> tensor<8xi64>
  %six = arith.constant dense<6> : tensor<8xi64>
  %s = arith.maxsi %v, %six : tensor<8xi64>
  tile.write %s to %x [d0 by 1] : tensor<8xi64> -> memref<8xi64>
  func.return
}

// -----

// Pieces of both words.
// CHECK-LABEL: func.func @pieces(
// CHECK: [[L:%.*]] = tile.read %x [d0 by 2]
// CHECK-NEXT: [[H:%.*]] = tile.read %x [d0 by 2, 1 by 1]
// CHECK-NEXT: [[SL:%.*]] = tile.slice [[L]] axis 0 at 5 : tensor<8xi32> -> tensor<2xi32>
// CHECK-NEXT: [[SH:%.*]] = tile.slice [[H]] axis 0 at 5 : tensor<8xi32> -> tensor<2xi32>
// CHECK-NEXT: [[CL:%.*]] = tile.concat [[SL]], [[L]] axis 0 : tensor<2xi32>, tensor<8xi32> -> tensor<10xi32>
// CHECK-NEXT: [[CH:%.*]] = tile.concat [[SH]], [[H]] axis 0 : tensor<2xi32>, tensor<8xi32> -> tensor<10xi32>
// CHECK: tile.write [[CL]] to %y [d0 by 2]
// CHECK: tile.write [[CH]] to %y [d0 by 2, 1 by 1]
func.func @pieces(%x: memref<8xi64>, %y: memref<10xi64>) {
  %v = tile.read %x [d0 by 1] : memref<8xi64> -> tensor<8xi64>
  %s = tile.slice %v axis 0 at 5 : tensor<8xi64> -> tensor<2xi64>
  %c = tile.concat %s, %v axis 0 : tensor<2xi64>, tensor<8xi64> -> tensor<10xi64>
  tile.write %c to %y [d0 by 1] : tensor<10xi64> -> memref<10xi64>
  func.return
}
