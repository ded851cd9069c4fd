// RUN: nki-opt %s -p recognize-functions --split-input-file | filecheck %s
// RUN: nki-opt %s -p recognize-functions --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s


// CHECK-LABEL: func.func @gelu_by_tanh(
// CHECK-SAME: [[X:%.*]]: tensor<8xf32>
// CHECK-NOT: math.tanh
// CHECK: [[Y:%.*]] = tile.function gelu_apprx_tanh [[X]]
// CHECK: [[INF:%.*]] = arith.constant 0x7f800000 : f32
// CHECK: [[ALL:%.*]] = tile.splat [[INF]]
// CHECK: [[ABOVE:%.*]] = arith.addf [[X]], [[ALL]]
// CHECK: [[SAME:%.*]] = arith.minimumf [[ABOVE]], [[Y]]
// CHECK: "test.op"([[SAME]])
func.func @gelu_by_tanh(%x: tensor<8xf32>) {
  %half = arith.constant dense<0.5> : tensor<8xf32>
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %a = arith.constant dense<0.044715> : tensor<8xf32>
  %b = arith.constant dense<0.79788456> : tensor<8xf32>
  %x2 = arith.mulf %x, %x : tensor<8xf32>
  %ax2 = arith.mulf %x2, %a : tensor<8xf32>
  %ax3 = arith.mulf %ax2, %x : tensor<8xf32>
  %sum = arith.addf %x, %ax3 : tensor<8xf32>
  %inner = arith.mulf %sum, %b : tensor<8xf32>
  %t = math.tanh %inner : tensor<8xf32>
  %gate = arith.addf %one, %t : tensor<8xf32>
  %hx = arith.mulf %half, %x : tensor<8xf32>
  %y = arith.mulf %hx, %gate : tensor<8xf32>
  "test.op"(%y) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @gelu_by_erf_of_a_scalar(
// CHECK-SAME: [[X:%.*]]: f32
// CHECK: [[Y:%.*]] = tile.function gelu [[X]] : f32
// CHECK: [[INF:%.*]] = arith.constant 0x7f800000 : f32
// CHECK: [[ABOVE:%.*]] = arith.addf [[X]], [[INF]]
// CHECK: [[SAME:%.*]] = arith.minimumf [[ABOVE]], [[Y]]
// CHECK: "test.op"([[SAME]])
func.func @gelu_by_erf_of_a_scalar(%x: f32) {
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %root = arith.constant 1.41421356 : f32
  %inner = arith.divf %x, %root : f32
  %e = math.erf %inner : f32
  %gate = arith.addf %e, %one : f32
  %h = arith.mulf %gate, %half : f32
  %y = arith.mulf %x, %h : f32
  "test.op"(%y) : (f32) -> ()
  func.return
}

// -----

// What is known to be above minus infinity needs no minimum, nor a product beside the gate.

// CHECK-LABEL: func.func @gated_functions_of_magnitudes(
// CHECK: [[X:%.*]] = math.absf
// CHECK: [[Y:%.*]] = tile.function silu [[X]]
// CHECK-NOT: arith
// CHECK: "test.op"([[Y]])
func.func @gated_functions_of_magnitudes(%z: tensor<8xf32>) {
  %x = math.absf %z : tensor<8xf32>
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %minus = arith.negf %x : tensor<8xf32>
  %e = math.exp %minus : tensor<8xf32>
  %below = arith.addf %one, %e : tensor<8xf32>
  %y = arith.divf %x, %below : tensor<8xf32>
  "test.op"(%y) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @silu_is_a_product_with_a_sigmoid(
// CHECK-SAME: [[X:%.*]]: tensor<8xf32>
// CHECK-NOT: math.exp
// CHECK: [[S:%.*]] = tile.function sigmoid [[X]]
// CHECK: [[Y:%.*]] = arith.mulf [[X]], [[S]]
// CHECK-NEXT: "test.op"([[Y]])
func.func @silu_is_a_product_with_a_sigmoid(%x: tensor<8xf32>) {
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %minus = arith.negf %x : tensor<8xf32>
  %e = math.exp %minus : tensor<8xf32>
  %below = arith.addf %one, %e : tensor<8xf32>
  %y = arith.divf %x, %below : tensor<8xf32>
  "test.op"(%y) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// A product with a sigmoid is left as it is.

// CHECK-LABEL: func.func @sigmoid_and_silu(
// CHECK-SAME: [[X:%.*]]: tensor<8xf32>
// CHECK-NOT: math.exp
// CHECK: [[S:%.*]] = tile.function sigmoid [[X]]
// CHECK: [[Y:%.*]] = arith.mulf [[S]], [[X]]
// CHECK-NEXT: "test.op"([[S]], [[Y]])
func.func @sigmoid_and_silu(%x: tensor<8xf32>) {
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %minus = arith.negf %x : tensor<8xf32>
  %e = math.exp %minus : tensor<8xf32>
  %below = arith.addf %one, %e : tensor<8xf32>
  %s = arith.divf %one, %below : tensor<8xf32>
  %y = arith.mulf %s, %x : tensor<8xf32>
  "test.op"(%s, %y) : (tensor<8xf32>, tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @tanh_by_exp(
// CHECK-SAME: [[X:%.*]]: tensor<8xf32>
// CHECK-NOT: math.exp
// CHECK: [[Y:%.*]] = math.tanh [[X]]
// CHECK: "test.op"([[Y]])
func.func @tanh_by_exp(%x: tensor<8xf32>) {
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %two = arith.constant dense<2.0> : tensor<8xf32>
  %double = arith.addf %x, %x : tensor<8xf32>
  %e = math.exp %double : tensor<8xf32>
  %below = arith.addf %e, %one : tensor<8xf32>
  %part = arith.divf %two, %below : tensor<8xf32>
  %y = arith.subf %one, %part : tensor<8xf32>
  "test.op"(%y) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @softplus_up_to_a_threshold(
// CHECK-SAME: [[X:%.*]]: tensor<8xf32>
// CHECK-NOT: math.exp
// CHECK: [[Y:%.*]] = tile.function softplus [[X]]
// CHECK: "test.op"([[Y]])
func.func @softplus_up_to_a_threshold(%x: tensor<8xf32>) {
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %most = arith.constant dense<20.0> : tensor<8xf32>
  %e = math.exp %x : tensor<8xf32>
  %sum = arith.addf %one, %e : tensor<8xf32>
  %l = math.log %sum : tensor<8xf32>
  %is_large = tile.compare gt %x, %most : tensor<8xf32>, tensor<8xf32> -> tensor<8xi1>
  %y = tile.select %is_large, %x, %l : tensor<8xi1>, tensor<8xf32>, tensor<8xf32> -> tensor<8xf32>
  "test.op"(%y) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// The argument is what a loop carries.

// CHECK-LABEL: func.func @of_a_variable(
// CHECK: scf.for {{.*}} iter_args([[X:%.*]] = {{.*}})
// CHECK: [[Y:%.*]] = tile.function sigmoid [[X]]
// CHECK: scf.yield [[Y]]
func.func @of_a_variable(%start: tensor<8xf32>) {
  %0 = arith.constant 0 : index
  %1 = arith.constant 1 : index
  %2 = arith.constant 2 : index
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %end = scf.for %i = %0 to %2 step %1 iter_args(%x = %start) -> (tensor<8xf32>) {
    %minus = arith.negf %x : tensor<8xf32>
    %e = math.exp %minus : tensor<8xf32>
    %below = arith.addf %e, %one : tensor<8xf32>
    %y = arith.divf %one, %below : tensor<8xf32>
    scf.yield %y : tensor<8xf32>
  }
  "test.op"(%end) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// It overflows from 89 on, where the machine's function does not.

// CHECK-LABEL: func.func @softplus_without_a_threshold(
// CHECK: math.exp
// CHECK: math.log
// CHECK-NOT: tile.function
func.func @softplus_without_a_threshold(%x: tensor<8xf32>) {
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %e = math.exp %x : tensor<8xf32>
  %sum = arith.addf %one, %e : tensor<8xf32>
  %l = math.log %sum : tensor<8xf32>
  "test.op"(%l) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// From 10 on the results differ by up to 4.5e-5.

// CHECK-LABEL: func.func @softplus_up_to_a_low_threshold(
// CHECK: math.log
// CHECK-NOT: tile.function
func.func @softplus_up_to_a_low_threshold(%x: tensor<8xf32>) {
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %most = arith.constant dense<10.0> : tensor<8xf32>
  %e = math.exp %x : tensor<8xf32>
  %sum = arith.addf %one, %e : tensor<8xf32>
  %l = math.log %sum : tensor<8xf32>
  %is_large = tile.compare gt %x, %most : tensor<8xf32>, tensor<8xf32> -> tensor<8xi1>
  %y = tile.select %is_large, %x, %l : tensor<8xi1>, tensor<8xf32>, tensor<8xf32> -> tensor<8xf32>
  "test.op"(%y) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// Of large arguments it is NaN.

// CHECK-LABEL: func.func @a_quotient_of_exponentials(
// CHECK: math.exp
// CHECK: arith.divf
// CHECK-NOT: tile.function
func.func @a_quotient_of_exponentials(%x: tensor<8xf32>) {
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %e = math.exp %x : tensor<8xf32>
  %sum = arith.addf %one, %e : tensor<8xf32>
  %y = arith.divf %e, %sum : tensor<8xf32>
  "test.op"(%y) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// The logarithm of a sum with a small number is never that of 0.

// CHECK-LABEL: func.func @a_small_summand_stays(
// CHECK: [[S:%.*]] = tile.function sigmoid
// CHECK: [[SUM:%.*]] = arith.addf [[S]]
// CHECK: math.log [[SUM]]
func.func @a_small_summand_stays(%x: tensor<8xf32>) {
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %little = arith.constant dense<1.0e-8> : tensor<8xf32>
  %minus = arith.negf %x : tensor<8xf32>
  %e = math.exp %minus : tensor<8xf32>
  %below = arith.addf %one, %e : tensor<8xf32>
  %s = arith.divf %one, %below : tensor<8xf32>
  %sum = arith.addf %s, %little : tensor<8xf32>
  %l = math.log %sum : tensor<8xf32>
  "test.op"(%l) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @another_constant(
// CHECK: math.erf
// CHECK-NOT: tile.function
func.func @another_constant(%x: tensor<8xf32>) {
  %half = arith.constant dense<0.5> : tensor<8xf32>
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %root = arith.constant dense<0.7071> : tensor<8xf32>
  %inner = arith.mulf %x, %root : tensor<8xf32>
  %e = math.erf %inner : tensor<8xf32>
  %gate = arith.addf %e, %one : tensor<8xf32>
  %h = arith.mulf %gate, %half : tensor<8xf32>
  %y = arith.mulf %x, %h : tensor<8xf32>
  "test.op"(%y) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @of_two_values(
// CHECK: math.exp
// CHECK-NOT: tile.function
func.func @of_two_values(%x: tensor<8xf32>, %b: tensor<8xf32>) {
  %minus = arith.negf %x : tensor<8xf32>
  %e = math.exp %minus : tensor<8xf32>
  %below = arith.addf %b, %e : tensor<8xf32>
  %y = arith.divf %x, %below : tensor<8xf32>
  "test.op"(%y) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// CHECK-LABEL: func.func @rounded_on_the_way(
// CHECK: math.exp
// CHECK-NOT: tile.function
func.func @rounded_on_the_way(%x: tensor<8xf32>) {
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %minus = arith.negf %x : tensor<8xf32>
  %e = math.exp %minus : tensor<8xf32>
  %short = tile.cast %e : tensor<8xf32> -> tensor<8xbf16>
  %wide = tile.cast %short : tensor<8xbf16> -> tensor<8xf32>
  %below = arith.addf %one, %wide : tensor<8xf32>
  %y = arith.divf %one, %below : tensor<8xf32>
  "test.op"(%y) : (tensor<8xf32>) -> ()
  func.return
}

// -----

// A maximum with a number is above minus infinity, one with another value may not be.

// CHECK-LABEL: func.func @gated_functions_of_maxima(
// CHECK-SAME: [[A:%.*]]: tensor<8xf32>, [[B:%.*]]: tensor<8xf32>
// CHECK: [[X:%.*]] = arith.maximumf
// CHECK: [[Y:%.*]] = tile.function silu [[X]]
// CHECK: [[Z:%.*]] = arith.maximumf [[A]], [[B]]
// CHECK: [[S:%.*]] = tile.function sigmoid [[Z]]
// CHECK: [[P:%.*]] = arith.mulf [[Z]], [[S]]
// CHECK: "test.op"([[Y]], [[P]])
func.func @gated_functions_of_maxima(%a: tensor<8xf32>, %b: tensor<8xf32>) {
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %least = arith.constant dense<0.0> : tensor<8xf32>
  %x = arith.maximumf %a, %least : tensor<8xf32>
  %minus_x = arith.negf %x : tensor<8xf32>
  %e_x = math.exp %minus_x : tensor<8xf32>
  %below_x = arith.addf %one, %e_x : tensor<8xf32>
  %y = arith.divf %x, %below_x : tensor<8xf32>
  %z = arith.maximumf %a, %b : tensor<8xf32>
  %minus_z = arith.negf %z : tensor<8xf32>
  %e_z = math.exp %minus_z : tensor<8xf32>
  %below_z = arith.addf %one, %e_z : tensor<8xf32>
  %w = arith.divf %z, %below_z : tensor<8xf32>
  "test.op"(%y, %w) : (tensor<8xf32>, tensor<8xf32>) -> ()
  func.return
}
