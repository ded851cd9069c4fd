// RUN: nki-opt %s -p expand-division --split-input-file | filecheck %s
// RUN: nki-opt %s -p expand-division --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// Two steps: the dividend has less than four multiples of the divisor.
// CHECK-LABEL: func.func @quotients_by_long_division(
// CHECK-SAME: [[X:%[a-z]+]]: tensor<8xi32>
// CHECK: [[MINUS:%.*]] = arith.subi %{{.*}}, [[X]]
// CHECK: [[SIGN:%.*]] = tile.compare lt [[X]]
// CHECK-NEXT: [[SIZE:%.*]] = tile.select [[SIGN]], [[X]], [[MINUS]]
// CHECK: [[TWICE:%.*]] = arith.constant dense<-2000000000>
// CHECK-NEXT: [[FITS:%.*]] = tile.compare le [[SIZE]], [[TWICE]]
// CHECK-NEXT: [[ADD:%.*]] = arith.constant dense<2000000000>
// CHECK-NEXT: [[LESS:%.*]] = arith.addi [[SIZE]], [[ADD]]
// CHECK-NEXT: [[REST:%.*]] = tile.select [[FITS]], [[LESS]], [[SIZE]]
// CHECK-NEXT: arith.constant dense<2>
// CHECK: arith.constant dense<-1000000000>
// CHECK-NEXT: tile.compare le [[REST]]
// CHECK: [[NEGATIVE:%.*]] = tile.compare lt [[X]]
// CHECK: [[OPPOSITE:%.*]] = arith.subi %{{.*}}, [[Q:%.*]] : tensor
// CHECK-NEXT: [[R:%.*]] = tile.select [[NEGATIVE]], [[OPPOSITE]], [[Q]]
// CHECK-NEXT: "test.op"([[R]])
func.func @quotients_by_long_division(%x: tensor<8xi32>) {
  %d = arith.constant dense<1000000000> : tensor<8xi32>
  %q = arith.divsi %x, %d : tensor<8xi32>
  "test.op"(%q) : (tensor<8xi32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @remainders_have_the_sign_of_the_dividend(
// CHECK-SAME: [[X:%[a-z]+]]: tensor<8xi32>
// CHECK: arith.constant dense<-1500000000>
// CHECK: arith.constant dense<1500000000>
// CHECK: [[MINUS:%.*]] = arith.subi %{{.*}}, [[REST:%.*]] : tensor
// CHECK: [[SIGN:%.*]] = tile.compare lt [[X]]
// CHECK-NEXT: [[R:%.*]] = tile.select [[SIGN]], [[REST]], [[MINUS]]
// CHECK-NEXT: "test.op"([[R]])
func.func @remainders_have_the_sign_of_the_dividend(%x: tensor<8xi32>) {
  %d = arith.constant dense<-1500000000> : tensor<8xi32>
  %q = arith.remsi %x, %d : tensor<8xi32>
  "test.op"(%q) : (tensor<8xi32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @as_many_steps_as_the_range_needs(
// CHECK-NOT: tile.compare lt
// CHECK: tile.compare le
// CHECK: tile.compare le
// CHECK-NOT: tile.compare
// CHECK: "test.op"
func.func @as_many_steps_as_the_range_needs() {
  %d = arith.constant dense<3> : tensor<8xi32>
  %i = tile.arange 0 to 8 : tensor<8xindex>
  %x = tile.cast %i : tensor<8xindex> -> tensor<8xi32>
  %q = arith.divsi %x, %d : tensor<8xi32>
  "test.op"(%q) : (tensor<8xi32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @quotients_towards_minus_infinity_of_narrow_integers(
// CHECK: tile.cast %{{.*}} : tensor<8xi8> -> tensor<8xi32>
// CHECK: [[INEXACT:%.*]] = tile.compare ne
// CHECK-NEXT: [[BOTH:%.*]] = arith.andi %{{.*}}, [[INEXACT]]
// CHECK-NEXT: [[ONE:%.*]] = tile.cast [[BOTH]]
// CHECK-NEXT: [[Q:%.*]] = arith.subi %{{.*}}, [[ONE]]
// CHECK-NEXT: tile.cast [[Q]] : tensor<8xi32> -> tensor<8xi8>
func.func @quotients_towards_minus_infinity_of_narrow_integers(%x: tensor<8xi8>) {
  %d = arith.constant dense<100> : tensor<8xi8>
  %q = arith.floordivsi %x, %d : tensor<8xi8>
  "test.op"(%q) : (tensor<8xi8>) -> ()
  func.return
}

// -----

// By zero, by what is no constant, of unsigned words, and of index arithmetic that addresses need.
// CHECK-LABEL: func.func @leaves_alone(
// CHECK: arith.divsi %{{.*}} : tensor<8xi32>
// CHECK-NEXT: arith.remsi %{{.*}} : tensor<8xi32>
// CHECK-NOT: tile.compare
// CHECK: arith.divsi %{{.*}} : tensor<8xindex>
// CHECK-NEXT: "test.op"
func.func @leaves_alone(%x: tensor<8xi32>, %y: tensor<8xi32>) {
  %d = arith.constant dense<0> : tensor<8xi32>
  %q = arith.divsi %x, %d : tensor<8xi32>
  %p = arith.remsi %x, %y : tensor<8xi32>
  %i = tile.arange 0 to 8 : tensor<8xindex>
  %t = arith.constant dense<3> : tensor<8xindex>
  %r = arith.divsi %i, %t : tensor<8xindex>
  "test.op"(%q, %p, %r) : (tensor<8xi32>, tensor<8xi32>, tensor<8xindex>) -> ()
  func.return
}

// -----

// What pieces have is within what their sources have.
// CHECK-LABEL: func.func @as_many_steps_as_pieces_need(
// CHECK-NOT: tile.compare lt
// CHECK: tile.compare le
// CHECK: tile.compare le
// CHECK-NOT: tile.compare
// CHECK: "test.op"
func.func @as_many_steps_as_pieces_need() {
  %d = arith.constant dense<3> : tensor<8xi32>
  %i = tile.arange 0 to 8 : tensor<8xindex>
  %x = tile.cast %i : tensor<8xindex> -> tensor<8xi32>
  %s = tile.slice %x axis 0 at 1 : tensor<8xi32> -> tensor<3xi32>
  %t = tile.slice %x axis 0 at 3 : tensor<8xi32> -> tensor<5xi32>
  %c = tile.concat %t, %s axis 0 : tensor<5xi32>, tensor<3xi32> -> tensor<8xi32>
  %q = arith.divsi %c, %d : tensor<8xi32>
  "test.op"(%q) : (tensor<8xi32>) -> ()
  func.return
}
