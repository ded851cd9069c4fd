// RUN: nki-opt %s -p merge-steps --split-input-file | filecheck %s
// RUN: nki-opt %s -p merge-steps --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s
// RUN: nki-opt %s -p "merge-steps{width=3}" --split-input-file | filecheck %s --check-prefix THREE


// Some terms at a time. Three steps don't divide 32: what there is none of is zero.
// CHECK-LABEL: func.func @some_terms
// CHECK: arith.constant 4 : index
// CHECK: scf.for [[K:%.*]] = {{.*}} iter_args([[ACC:%.*]] = {{%.*}}) -> (tensor<64x48xf32>)
// CHECK: [[X:%.*]] = tile.read {{%.*}}([[K]]) [d0 by 2048, 512 * s0 + 64 * d1 + d2 by 1] : {{.*}} -> tensor<64x8x64xbf16>
// CHECK: [[Y:%.*]] = tile.read {{%.*}}([[K]]) [512 * s0 + 64 * d0 + d1 by 48, d2 by 1] : {{.*}} -> tensor<8x64x48xbf16>
// CHECK: [[S:%.*]] = tile.dot [[X]], [[Y]] acc [[ACC]] over [1, 2] x [0, 1] : {{.*}} -> tensor<64x48xf32>
// CHECK: scf.yield [[S]]
// THREE-LABEL: func.func @some_terms
// THREE: arith.constant 11 : index
// THREE: tile.read {{%.*}} [d0 by 2048, 192 * s0 + 64 * d1 + d2 in * to 2048 by 1] : {{.*}} -> tensor<64x3x64xbf16>
// THREE: tile.read {{%.*}} [192 * s0 + 64 * d0 + d1 in * to 2048 by 48, d2 by 1] : {{.*}} -> tensor<3x64x48xbf16>
func.func @some_terms(%a: memref<64x2048xbf16>, %b: memref<2048x48xbf16>, %c: memref<64x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xbf16> -> tensor<64x64xbf16>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xbf16> -> tensor<64x48xbf16>
    %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    scf.yield %s : tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// All of them, of several programs that have an operand in common.
// CHECK-LABEL: func.func @all_terms
// CHECK: tile.dot {{.*}} over [1, 2] x [0, 1] : tensor<64x32x64xbf16>, tensor<32x64x48xbf16> -> tensor<64x48xf32>
func.func @all_terms(%a: memref<256x2048xbf16>, %b: memref<2048x48xbf16>, %c: memref<256x48xf32>) {
  tile.programs (%i) in [4] {
    %zero = arith.constant dense<0.0> : tensor<64x48xf32>
    %low = arith.constant 0 : index
    %high = arith.constant 32 : index
    %one = arith.constant 1 : index
    %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
      %x = tile.read %a(%i, %k) [64 * s0 + d0 by 2048, 64 * s1 + d1 by 1] : memref<256x2048xbf16> -> tensor<64x64xbf16>
      %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xbf16> -> tensor<64x48xbf16>
      %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
      scf.yield %s : tensor<64x48xf32>
    }
    tile.write %sum to %c(%i) [64 * s0 + d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<256x48xf32>
  }
  func.return
}

// Too many for one product.
// CHECK-LABEL: func.func @too_many_terms
// CHECK: tile.dot {{.*}} over [1, 2] x [0, 1] : tensor<64x8x64xbf16>, tensor<8x64x48xbf16> -> tensor<64x48xf32>
func.func @too_many_terms(%a: memref<256x4096xbf16>, %b: memref<4096x48xbf16>, %c: memref<256x48xf32>) {
  tile.programs (%i) in [4] {
    %zero = arith.constant dense<0.0> : tensor<64x48xf32>
    %low = arith.constant 0 : index
    %high = arith.constant 64 : index
    %one = arith.constant 1 : index
    %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
      %x = tile.read %a(%i, %k) [64 * s0 + d0 by 4096, 64 * s1 + d1 by 1] : memref<256x4096xbf16> -> tensor<64x64xbf16>
      %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<4096x48xbf16> -> tensor<64x48xbf16>
      %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
      scf.yield %s : tensor<64x48xf32>
    }
    tile.write %sum to %c(%i) [64 * s0 + d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<256x48xf32>
  }
  func.return
}

// A sum that a product is added to, in either order; of products of the same loop, each has the terms of all steps.
// CHECK-LABEL: func.func @sums
// CHECK: scf.for {{.*}} iter_args([[ACC:%.*]] = {{%.*}}, [[OTHER:%.*]] = {{%.*}}) -> (tensor<64x48xf32>, tensor<64x48xf32>)
// CHECK: [[P:%.*]] = tile.dot {{.*}} over [1, 2] x [0, 1] : {{.*}} -> tensor<64x48xf32>
// CHECK: [[S:%.*]] = arith.addf [[P]], [[ACC]] : tensor<64x48xf32>
// CHECK: [[Q:%.*]] = tile.dot {{.*}} over [1, 2] x [0, 1]
// CHECK: [[R:%.*]] = arith.addf [[S]], [[Q]] : tensor<64x48xf32>
// CHECK: [[T:%.*]] = tile.dot {{.*}} acc [[OTHER]] over [1, 2] x [0, 1]
// CHECK: scf.yield [[R]], [[T]]
func.func @sums(%a: memref<64x2048xbf16>, %b: memref<2048x48xbf16>, %c: memref<64x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum, %other = scf.for %k = %low to %high step %one iter_args(%acc = %zero, %acc2 = %zero) -> (tensor<64x48xf32>, tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xbf16> -> tensor<64x64xbf16>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xbf16> -> tensor<64x48xbf16>
    %p = tile.dot %x, %y over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    %s = arith.addf %p, %acc : tensor<64x48xf32>
    %q = tile.dot %x, %y over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    %r = arith.addf %s, %q : tensor<64x48xf32>
    %t = tile.dot %x, %y acc %acc2 over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    scf.yield %r, %t : tensor<64x48xf32>, tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  tile.write %other to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// What is computed of zeros need not be zero: three steps at a time would be a step too many, two are not.
// CHECK-LABEL: func.func @what_is_computed
// CHECK: tile.dot {{.*}} over [1, 2] x [0, 1] : tensor<64x8x64xbf16>
// THREE-LABEL: func.func @what_is_computed
// THREE: math.exp {{.*}} : tensor<64x2x64xbf16>
// THREE: tile.dot {{.*}} over [1, 2] x [0, 1] : tensor<64x2x64xbf16>, tensor<2x64x48xbf16>
func.func @what_is_computed(%a: memref<64x2048xbf16>, %b: memref<2048x48xbf16>, %c: memref<64x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xbf16> -> tensor<64x64xbf16>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xbf16> -> tensor<64x48xbf16>
    %e = math.exp %x : tensor<64x64xbf16>
    %s = tile.dot %e, %y acc %acc over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    scf.yield %s : tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// Of 31 steps no number but one is a part: eight at a time, and the seven that are left over as one.
// CHECK-LABEL: func.func @a_rest
// CHECK: scf.for
// CHECK: tile.dot {{.*}} over [1, 2] x [0, 1] : tensor<64x8x64xbf16>
// CHECK: scf.yield
// CHECK: tile.dot {{.*}} over [1, 2] x [0, 1] : tensor<64x7x64xbf16>
// THREE-LABEL: func.func @a_rest
// THREE: tile.dot {{.*}} over [1, 2] x [0, 1] : tensor<64x3x64xbf16>
// THREE: scf.yield
// THREE: tile.dot {{.*}} over [1] x [0] : tensor<64x64xbf16>
func.func @a_rest(%a: memref<64x1984xbf16>, %b: memref<1984x48xbf16>, %c: memref<64x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 31 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 1984, 64 * s0 + d1 by 1] : memref<64x1984xbf16> -> tensor<64x64xbf16>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<1984x48xbf16> -> tensor<64x48xbf16>
    %e = math.exp %x : tensor<64x64xbf16>
    %s = tile.dot %e, %y acc %acc over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    scf.yield %s : tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// So is what is read as something else where there is nothing.
// CHECK-LABEL: func.func @not_zero_outside
// THREE-LABEL: func.func @not_zero_outside
// THREE: tile.read {{.*}} other 1.{{.*}} -> tensor<64x2x64xbf16>
func.func @not_zero_outside(%a: memref<64x2048xbf16>, %b: memref<2048x48xbf16>, %c: memref<64x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 in * to 2000 by 1] other 1.0 : bf16 : memref<64x2048xbf16> -> tensor<64x64xbf16>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xbf16> -> tensor<64x48xbf16>
    %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    scf.yield %s : tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// Where all operands would not fit, 512 terms of them.
// CHECK-LABEL: func.func @no_room
// CHECK: arith.constant 128 : index
// CHECK: tile.dot {{.*}} over [1, 2] x [0, 1] : tensor<512x8x64xbf16>, tensor<8x64x48xbf16> -> tensor<512x48xf32>
func.func @no_room(%a: memref<512x65536xbf16>, %b: memref<65536x48xbf16>, %c: memref<512x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<512x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 1024 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<512x48xf32>) {
    %x = tile.read %a(%k) [d0 by 65536, 64 * s0 + d1 by 1] : memref<512x65536xbf16> -> tensor<512x64xbf16>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<65536x48xbf16> -> tensor<64x48xbf16>
    %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<512x64xbf16>, tensor<64x48xbf16> -> tensor<512x48xf32>
    scf.yield %s : tensor<512x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<512x48xf32> -> memref<512x48xf32>
  func.return
}

// A step that stores something.
// CHECK-LABEL: func.func @what_each_step_stores
// CHECK: tile.dot {{.*}} over [1] x [0] : tensor<64x64xbf16>
func.func @what_each_step_stores(%a: memref<64x2048xbf16>, %b: memref<2048x48xbf16>, %c: memref<64x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xbf16> -> tensor<64x64xbf16>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xbf16> -> tensor<64x48xbf16>
    %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    tile.write %x to %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : tensor<64x64xbf16> -> memref<64x2048xbf16>
    scf.yield %s : tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// A variable that is no sum.
// CHECK-LABEL: func.func @a_running_maximum
// CHECK: tile.dot {{.*}} over [1] x [0] : tensor<64x64xbf16>
func.func @a_running_maximum(%a: memref<64x2048xbf16>, %b: memref<2048x48xbf16>, %c: memref<64x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xbf16> -> tensor<64x64xbf16>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xbf16> -> tensor<64x48xbf16>
    %p = tile.dot %x, %y over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    %s = arith.maximumf %acc, %p : tensor<64x48xf32>
    scf.yield %s : tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// A sum that each step scales.
// CHECK-LABEL: func.func @a_scaled_sum
// CHECK: tile.dot {{.*}} over [1] x [0] : tensor<64x64xbf16>
func.func @a_scaled_sum(%a: memref<64x2048xbf16>, %b: memref<2048x48xbf16>, %c: memref<64x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xbf16> -> tensor<64x64xbf16>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xbf16> -> tensor<64x48xbf16>
    %t = arith.mulf %acc, %acc : tensor<64x48xf32>
    %s = tile.dot %x, %y acc %t over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    scf.yield %s : tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// A sum that something else in the loop uses.
// CHECK-LABEL: func.func @a_sum_that_is_used
// CHECK: tile.dot {{.*}} over [1] x [0] : tensor<64x64xbf16>
func.func @a_sum_that_is_used(%a: memref<64x2048xbf16>, %b: memref<2048x48xbf16>, %c: memref<64x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xbf16> -> tensor<64x64xbf16>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xbf16> -> tensor<64x48xbf16>
    %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    %t = arith.negf %s : tensor<64x48xf32>
    tile.write %t to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
    scf.yield %s : tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// A product of which one operand is the same in all steps.
// CHECK-LABEL: func.func @an_operand_in_common
// CHECK: tile.dot {{.*}} over [1] x [0] : tensor<64x64xbf16>
func.func @an_operand_in_common(%a: memref<64x2048xbf16>, %b: memref<2048x48xbf16>, %c: memref<64x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %same = tile.read %b [d0 by 48, d1 by 1] : memref<2048x48xbf16> -> tensor<64x48xbf16>
  %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xbf16> -> tensor<64x64xbf16>
    %s = tile.dot %x, %same acc %acc over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    scf.yield %s : tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// A step that computes with the sum of something else.
// CHECK-LABEL: func.func @a_product_of_the_number
// CHECK: tile.dot {{.*}} over [1] x [0] : tensor<64x64xbf16>
func.func @a_product_of_the_number(%a: memref<64x2048xbf16>, %b: memref<2048x48xbf16>, %c: memref<64x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xbf16> -> tensor<64x64xbf16>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xbf16> -> tensor<64x48xbf16>
    %p = tile.dot %x, %y over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    %e = math.exp %p : tensor<64x48xf32>
    %s = arith.addf %acc, %e : tensor<64x48xf32>
    scf.yield %s : tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// A number of steps that is known at run time only.
// CHECK-LABEL: func.func @steps_at_run_time
// CHECK: tile.dot {{.*}} over [1] x [0] : tensor<64x64xbf16>
func.func @steps_at_run_time(%a: memref<64x2048xbf16>, %b: memref<2048x48xbf16>, %c: memref<64x48xf32>, %n: memref<1xi32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %count = tile.read %n [] : memref<1xi32> -> i32
  %steps = arith.index_cast %count : i32 to index
  %sum = scf.for %k = %low to %steps step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xbf16> -> tensor<64x64xbf16>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xbf16> -> tensor<64x48xbf16>
    %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x64xbf16>, tensor<64x48xbf16> -> tensor<64x48xf32>
    scf.yield %s : tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// A sum that a later product is made of.
// CHECK-LABEL: func.func @a_sum_in_a_product
// CHECK: tile.dot {{.*}} over [1] x [0] : tensor<64x64xf32>
func.func @a_sum_in_a_product(%a: memref<64x2048xf32>, %b: memref<2048x48xf32>, %c: memref<64x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xf32> -> tensor<64x64xf32>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xf32> -> tensor<64x48xf32>
    %p = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x64xf32>, tensor<64x48xf32> -> tensor<64x48xf32>
    %z = arith.mulf %y, %p : tensor<64x48xf32>
    %s = tile.dot %x, %z acc %p over [1] x [0] : tensor<64x64xf32>, tensor<64x48xf32> -> tensor<64x48xf32>
    scf.yield %s : tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// A factor that each step has for its own terms alike: the terms of several steps would be told apart.
// CHECK-LABEL: func.func @a_factor_of_each_step
// CHECK: tile.dot {{.*}} over [1] x [0] : tensor<64x64xf32>
func.func @a_factor_of_each_step(%a: memref<64x2048xf32>, %b: memref<2048x48xf32>, %f: memref<64x64xf32>, %c: memref<64x48xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<64x48xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xf32> -> tensor<64x64xf32>
    %g = tile.read %f [d0 by 64, d1 by 1] : memref<64x64xf32> -> tensor<64x64xf32>
    %z = arith.mulf %x, %g : tensor<64x64xf32>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xf32> -> tensor<64x48xf32>
    %s = tile.dot %z, %y acc %acc over [1] x [0] : tensor<64x64xf32>, tensor<64x48xf32> -> tensor<64x48xf32>
    scf.yield %s : tensor<64x48xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  func.return
}

// An online softmax: one maximum, one sum and one product of the scores of four blocks. Three blocks at a time leave two.
// CHECK-LABEL: func.func @an_online_softmax
// CHECK: scf.for [[K:%.*]] = {{.*}} iter_args([[M:%.*]] = {{%.*}}, [[L:%.*]] = {{%.*}}, [[O:%.*]] = {{%.*}}) ->
// CHECK: [[Y:%.*]] = tile.read {{%.*}}([[K]]) [1024 * s0 + 256 * d0 + d1 by 32, d2 by 1] : {{.*}} -> tensor<4x256x32xbf16>
// CHECK: [[S:%.*]] = tile.dot {{%.*}}, [[Y]] over [1] x [2] : {{.*}} -> tensor<128x4x256xf32>
// CHECK: [[ROWS:%.*]] = tile.reshape [[S]] : tensor<128x4x256xf32> -> tensor<128x1024xf32>
// CHECK: [[TOP:%.*]] = tile.reduce max [[ROWS]] axis 1
// CHECK: [[M1:%.*]] = arith.maximumf [[M]], [[TOP]] : tensor<128xf32>
// CHECK: [[EACH:%.*]] = tile.broadcast {{%.*}} : tensor<128x1x1xf32> -> tensor<128x4x256xf32>
// CHECK: [[U:%.*]] = arith.subf [[S]], [[EACH]]
// CHECK: [[P:%.*]] = math.exp [[U]] : tensor<128x4x256xf32>
// CHECK: [[D:%.*]] = arith.subf [[M]], [[M1]] : tensor<128xf32>
// CHECK: [[A:%.*]] = math.exp [[D]] : tensor<128xf32>
// CHECK: tile.reduce sum {{%.*}} axis 1 : tensor<128x1024xf32> -> tensor<128xf32>
// CHECK: arith.mulf [[L]], [[A]] : tensor<128xf32>
// CHECK: tile.dot {{%.*}}, [[Y]] acc {{%.*}} over [1, 2] x [0, 1] : tensor<128x4x256xbf16>, tensor<4x256x32xbf16> -> tensor<128x32xf32>
// THREE-LABEL: func.func @an_online_softmax
// THREE: arith.constant 2 : index
// THREE: scf.for
// THREE: tile.read {{%.*}} [768 * s0 + 256 * d0 + d1 by 32, d2 by 1] : {{.*}} -> tensor<3x256x32xbf16>
// THREE: scf.yield
// THREE: arith.constant 1 : index
// THREE: scf.for
// THREE: tile.read {{%.*}} [1536 + 512 * s0 + 256 * d0 + d1 by 32, d2 by 1] : {{.*}} -> tensor<2x256x32xbf16>
// THREE: scf.yield
// THREE-NOT: scf.for
func.func @an_online_softmax(%b: memref<2048x32xbf16>, %q: memref<128x32xbf16>, %c: memref<128x32xf32>) {
  %low = arith.constant dense<-3.0e38> : tensor<128xf32>
  %zero = arith.constant dense<0.0> : tensor<128xf32>
  %none = arith.constant dense<0.0> : tensor<128x32xf32>
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %one = arith.constant 1 : index
  %x = tile.read %q [d0 by 32, d1 by 1] : memref<128x32xbf16> -> tensor<128x32xbf16>
  %m, %l, %o = scf.for %k = %from to %to step %one iter_args(%m0 = %low, %l0 = %zero, %o0 = %none) -> (tensor<128xf32>, tensor<128xf32>, tensor<128x32xf32>) {
    %y = tile.read %b(%k) [256 * s0 + d0 by 32, d1 by 1] : memref<2048x32xbf16> -> tensor<256x32xbf16>
    %s = tile.dot %x, %y over [1] x [1] : tensor<128x32xbf16>, tensor<256x32xbf16> -> tensor<128x256xf32>
    %top = tile.reduce max %s axis 1 : tensor<128x256xf32> -> tensor<128xf32>
    %m1 = arith.maximumf %m0, %top : tensor<128xf32>
    %m2 = tile.expand_dims %m1 axis 1 : tensor<128xf32> -> tensor<128x1xf32>
    %m3 = tile.broadcast %m2 : tensor<128x1xf32> -> tensor<128x256xf32>
    %u = arith.subf %s, %m3 : tensor<128x256xf32>
    %p = math.exp %u : tensor<128x256xf32>
    %d = arith.subf %m0, %m1 : tensor<128xf32>
    %a = math.exp %d : tensor<128xf32>
    %sum = tile.reduce sum %p axis 1 : tensor<128x256xf32> -> tensor<128xf32>
    %l1 = arith.mulf %l0, %a : tensor<128xf32>
    %l2 = arith.addf %l1, %sum : tensor<128xf32>
    %a1 = tile.expand_dims %a axis 1 : tensor<128xf32> -> tensor<128x1xf32>
    %a2 = tile.broadcast %a1 : tensor<128x1xf32> -> tensor<128x32xf32>
    %o1 = arith.mulf %o0, %a2 : tensor<128x32xf32>
    %e = tile.cast %p : tensor<128x256xf32> -> tensor<128x256xbf16>
    %o2 = tile.dot %e, %y acc %o1 over [1] x [0] : tensor<128x256xbf16>, tensor<256x32xbf16> -> tensor<128x32xf32>
    scf.yield %m1, %l2, %o2 : tensor<128xf32>, tensor<128xf32>, tensor<128x32xf32>
  }
  tile.write %o to %c [d0 by 32, d1 by 1] : tensor<128x32xf32> -> memref<128x32xf32>
  func.return
}

// Programs by themselves have the banks of PSUM; groups of programs share them.
// CHECK-LABEL: func.func @programs_by_themselves
// CHECK: tile.reduce max {{%.*}} axis 1 : tensor<128x1024xf32>
func.func @programs_by_themselves(%b: memref<2048x32xbf16>, %q: memref<512x32xbf16>, %c: memref<512x32xf32>) {
  %low = arith.constant dense<-3.0e38> : tensor<128xf32>
  %zero = arith.constant dense<0.0> : tensor<128xf32>
  %none = arith.constant dense<0.0> : tensor<128x32xf32>
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %one = arith.constant 1 : index
  tile.programs (%i) in [4] anonymous {
    %x = tile.read %q(%i) [128 * s0 + d0 by 32, d1 by 1] : memref<512x32xbf16> -> tensor<128x32xbf16>
    %m, %l, %o = scf.for %k = %from to %to step %one iter_args(%m0 = %low, %l0 = %zero, %o0 = %none) -> (tensor<128xf32>, tensor<128xf32>, tensor<128x32xf32>) {
      %y = tile.read %b(%k) [256 * s0 + d0 by 32, d1 by 1] : memref<2048x32xbf16> -> tensor<256x32xbf16>
      %s = tile.dot %x, %y over [1] x [1] : tensor<128x32xbf16>, tensor<256x32xbf16> -> tensor<128x256xf32>
      %top = tile.reduce max %s axis 1 : tensor<128x256xf32> -> tensor<128xf32>
      %m1 = arith.maximumf %m0, %top : tensor<128xf32>
      %m2 = tile.expand_dims %m1 axis 1 : tensor<128xf32> -> tensor<128x1xf32>
      %m3 = tile.broadcast %m2 : tensor<128x1xf32> -> tensor<128x256xf32>
      %u = arith.subf %s, %m3 : tensor<128x256xf32>
      %p = math.exp %u : tensor<128x256xf32>
      %d = arith.subf %m0, %m1 : tensor<128xf32>
      %a = math.exp %d : tensor<128xf32>
      %sum = tile.reduce sum %p axis 1 : tensor<128x256xf32> -> tensor<128xf32>
      %l1 = arith.mulf %l0, %a : tensor<128xf32>
      %l2 = arith.addf %l1, %sum : tensor<128xf32>
      %a1 = tile.expand_dims %a axis 1 : tensor<128xf32> -> tensor<128x1xf32>
      %a2 = tile.broadcast %a1 : tensor<128x1xf32> -> tensor<128x32xf32>
      %o1 = arith.mulf %o0, %a2 : tensor<128x32xf32>
      %e = tile.cast %p : tensor<128x256xf32> -> tensor<128x256xbf16>
      %o2 = tile.dot %e, %y acc %o1 over [1] x [0] : tensor<128x256xbf16>, tensor<256x32xbf16> -> tensor<128x32xf32>
      scf.yield %m1, %l2, %o2 : tensor<128xf32>, tensor<128xf32>, tensor<128x32xf32>
    }
    tile.write %o to %c(%i) [128 * s0 + d0 by 32, d1 by 1] : tensor<128x32xf32> -> memref<512x32xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @programs_of_a_group
// CHECK: tile.reduce max {{%.*}} axis 1 : tensor<128x512xf32>
func.func @programs_of_a_group(%b: memref<2048x32xbf16>, %q: memref<512x32xbf16>, %c: memref<512x32xf32>) {
  %low = arith.constant dense<-3.0e38> : tensor<128xf32>
  %zero = arith.constant dense<0.0> : tensor<128xf32>
  %none = arith.constant dense<0.0> : tensor<128x32xf32>
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %one = arith.constant 1 : index
  tile.programs (%i) in [4] anonymous together {
    %x = tile.read %q(%i) [128 * s0 + d0 by 32, d1 by 1] : memref<512x32xbf16> -> tensor<128x32xbf16>
    %m, %l, %o = scf.for %k = %from to %to step %one iter_args(%m0 = %low, %l0 = %zero, %o0 = %none) -> (tensor<128xf32>, tensor<128xf32>, tensor<128x32xf32>) {
      %y = tile.read %b(%k) [256 * s0 + d0 by 32, d1 by 1] : memref<2048x32xbf16> -> tensor<256x32xbf16>
      %s = tile.dot %x, %y over [1] x [1] : tensor<128x32xbf16>, tensor<256x32xbf16> -> tensor<128x256xf32>
      %top = tile.reduce max %s axis 1 : tensor<128x256xf32> -> tensor<128xf32>
      %m1 = arith.maximumf %m0, %top : tensor<128xf32>
      %m2 = tile.expand_dims %m1 axis 1 : tensor<128xf32> -> tensor<128x1xf32>
      %m3 = tile.broadcast %m2 : tensor<128x1xf32> -> tensor<128x256xf32>
      %u = arith.subf %s, %m3 : tensor<128x256xf32>
      %p = math.exp %u : tensor<128x256xf32>
      %d = arith.subf %m0, %m1 : tensor<128xf32>
      %a = math.exp %d : tensor<128xf32>
      %sum = tile.reduce sum %p axis 1 : tensor<128x256xf32> -> tensor<128xf32>
      %l1 = arith.mulf %l0, %a : tensor<128xf32>
      %l2 = arith.addf %l1, %sum : tensor<128xf32>
      %a1 = tile.expand_dims %a axis 1 : tensor<128xf32> -> tensor<128x1xf32>
      %a2 = tile.broadcast %a1 : tensor<128x1xf32> -> tensor<128x32xf32>
      %o1 = arith.mulf %o0, %a2 : tensor<128x32xf32>
      %e = tile.cast %p : tensor<128x256xf32> -> tensor<128x256xbf16>
      %o2 = tile.dot %e, %y acc %o1 over [1] x [0] : tensor<128x256xbf16>, tensor<256x32xbf16> -> tensor<128x32xf32>
      scf.yield %m1, %l2, %o2 : tensor<128xf32>, tensor<128xf32>, tensor<128x32xf32>
    }
    tile.write %o to %c(%i) [128 * s0 + d0 by 32, d1 by 1] : tensor<128x32xf32> -> memref<512x32xf32>
  }
  func.return
}

// The one block that is left over.
// THREE-LABEL: func.func @one_is_left
// THREE: scf.for
// THREE: tensor<3x256x32xbf16>
// THREE: scf.yield
// THREE-NOT: scf.for
// THREE: arith.constant 6 : index
// THREE: tile.read {{%.*}} [256 * s0 + d0 by 32, d1 by 1] : {{.*}} -> tensor<256x32xbf16>
func.func @one_is_left(%b: memref<2048x32xbf16>, %q: memref<128x32xbf16>, %c: memref<128x32xf32>) {
  %low = arith.constant dense<-3.0e38> : tensor<128xf32>
  %zero = arith.constant dense<0.0> : tensor<128xf32>
  %none = arith.constant dense<0.0> : tensor<128x32xf32>
  %from = arith.constant 0 : index
  %to = arith.constant 7 : index
  %one = arith.constant 1 : index
  %x = tile.read %q [d0 by 32, d1 by 1] : memref<128x32xbf16> -> tensor<128x32xbf16>
  %m, %l, %o = scf.for %k = %from to %to step %one iter_args(%m0 = %low, %l0 = %zero, %o0 = %none) -> (tensor<128xf32>, tensor<128xf32>, tensor<128x32xf32>) {
    %y = tile.read %b(%k) [256 * s0 + d0 by 32, d1 by 1] : memref<2048x32xbf16> -> tensor<256x32xbf16>
    %s = tile.dot %x, %y over [1] x [1] : tensor<128x32xbf16>, tensor<256x32xbf16> -> tensor<128x256xf32>
    %top = tile.reduce max %s axis 1 : tensor<128x256xf32> -> tensor<128xf32>
    %m1 = arith.maximumf %m0, %top : tensor<128xf32>
    %m2 = tile.expand_dims %m1 axis 1 : tensor<128xf32> -> tensor<128x1xf32>
    %m3 = tile.broadcast %m2 : tensor<128x1xf32> -> tensor<128x256xf32>
    %u = arith.subf %s, %m3 : tensor<128x256xf32>
    %p = math.exp %u : tensor<128x256xf32>
    %d = arith.subf %m0, %m1 : tensor<128xf32>
    %a = math.exp %d : tensor<128xf32>
    %sum = tile.reduce sum %p axis 1 : tensor<128x256xf32> -> tensor<128xf32>
    %l1 = arith.mulf %l0, %a : tensor<128xf32>
    %l2 = arith.addf %l1, %sum : tensor<128xf32>
    %a1 = tile.expand_dims %a axis 1 : tensor<128xf32> -> tensor<128x1xf32>
    %a2 = tile.broadcast %a1 : tensor<128x1xf32> -> tensor<128x32xf32>
    %o1 = arith.mulf %o0, %a2 : tensor<128x32xf32>
    %e = tile.cast %p : tensor<128x256xf32> -> tensor<128x256xbf16>
    %o2 = tile.dot %e, %y acc %o1 over [1] x [0] : tensor<128x256xbf16>, tensor<256x32xbf16> -> tensor<128x32xf32>
    scf.yield %m1, %l2, %o2 : tensor<128xf32>, tensor<128xf32>, tensor<128x32xf32>
  }
  tile.write %o to %c [d0 by 32, d1 by 1] : tensor<128x32xf32> -> memref<128x32xf32>
  func.return
}

// Scores that are loaded, of one row: of so few steps the first, which nothing hides, had better be short.
// CHECK-LABEL: func.func @scores_that_are_loaded
// CHECK: tile.read {{%.*}} [1024 * s0 + d0 in * to 7000 by 1] other 0xff800000
// THREE-LABEL: func.func @scores_that_are_loaded
// THREE: tile.read {{%.*}} [3072 * s0 + 1024 * d0 + d1 in * to 7000 by 1] other 0xff800000 : {{.*}} -> tensor<3x1024xf32>
// THREE: tile.read {{%.*}} [1024 * s0 + d0 in * to 7000 by 1] other 0xff800000 : {{.*}} -> tensor<1024xf32>
func.func @scores_that_are_loaded(%b: memref<7000xf32>, %c: memref<1xf32>) {
  %low = arith.constant -3.0e38 : f32
  %zero = arith.constant 0.0 : f32
  %from = arith.constant 0 : index
  %to = arith.constant 7 : index
  %one = arith.constant 1 : index
  %m, %l = scf.for %k = %from to %to step %one iter_args(%m0 = %low, %l0 = %zero) -> (f32, f32) {
    %s = tile.read %b(%k) [1024 * s0 + d0 in * to 7000 by 1] other 0xff800000 : f32 : memref<7000xf32> -> tensor<1024xf32>
    %top = tile.reduce max %s axis 0 : tensor<1024xf32> -> f32
    %m1 = arith.maximumf %m0, %top : f32
    %m2 = tile.splat %m1 : f32 -> tensor<1024xf32>
    %u = arith.subf %s, %m2 : tensor<1024xf32>
    %p = math.exp %u : tensor<1024xf32>
    %d = arith.subf %m0, %m1 : f32
    %a = math.exp %d : f32
    %sum = tile.reduce sum %p axis 0 : tensor<1024xf32> -> f32
    %l1 = arith.mulf %l0, %a : f32
    %l2 = arith.addf %l1, %sum : f32
    scf.yield %m1, %l2 : f32, f32
  }
  %g = math.log %l : f32
  %r = arith.addf %m, %g : f32
  tile.write %r to %c [] : f32 -> memref<1xf32>
  func.return
}

// A bias that all blocks have in common: the scores of several would be told apart.
// CHECK-LABEL: func.func @a_bias_of_each_block
// CHECK: tile.read {{%.*}} [256 * s0 + d0 by 1]
// THREE-LABEL: func.func @a_bias_of_each_block
// THREE: tile.read {{%.*}} [256 * s0 + d0 by 1]
func.func @a_bias_of_each_block(%b: memref<2048xf32>, %w: memref<256xf32>, %c: memref<1xf32>) {
  %low = arith.constant -3.0e38 : f32
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %one = arith.constant 1 : index
  %bias = tile.read %w [d0 by 1] : memref<256xf32> -> tensor<256xf32>
  %m = scf.for %k = %from to %to step %one iter_args(%m0 = %low) -> (f32) {
    %x = tile.read %b(%k) [256 * s0 + d0 by 1] : memref<2048xf32> -> tensor<256xf32>
    %s = arith.addf %x, %bias : tensor<256xf32>
    %top = tile.reduce max %s axis 0 : tensor<256xf32> -> f32
    %m1 = arith.maximumf %m0, %top : f32
    scf.yield %m1 : f32
  }
  tile.write %m to %c [] : f32 -> memref<1xf32>
  func.return
}

// Places are counted anew for several blocks, whatever they are computed from: that tells no dimensions apart.
// CHECK-LABEL: func.func @scores_of_some_places
// THREE-LABEL: func.func @scores_of_some_places
// THREE: [[C:%.*]] = tile.compare lt {{.*}} -> tensor<3x256xi1>
// THREE: tile.select [[C]], {{.*}} -> tensor<3x256xf32>
// THREE: tile.reduce max {{%.*}} axis 0 : tensor<768xf32>
func.func @scores_of_some_places(%b: memref<2304xf32>, %n: index, %c: memref<1xf32>) {
  %low = arith.constant -3.0e38 : f32
  %from = arith.constant 0 : index
  %to = arith.constant 9 : index
  %one = arith.constant 1 : index
  %size = arith.constant 256 : index
  %place = tile.arange 0 to 256 : tensor<256xindex>
  %end = tile.splat %n : index -> tensor<256xindex>
  %none = tile.splat %low : f32 -> tensor<256xf32>
  %m = scf.for %k = %from to %to step %one iter_args(%m0 = %low) -> (f32) {
    %x = tile.read %b(%k) [256 * s0 + d0 by 1] : memref<2304xf32> -> tensor<256xf32>
    %first = arith.muli %k, %size : index
    %start = tile.splat %first : index -> tensor<256xindex>
    %keys = arith.addi %start, %place : tensor<256xindex>
    %inside = tile.compare lt %keys, %end : tensor<256xindex>, tensor<256xindex> -> tensor<256xi1>
    %s = tile.select %inside, %x, %none : tensor<256xi1>, tensor<256xf32>, tensor<256xf32> -> tensor<256xf32>
    %top = tile.reduce max %s axis 0 : tensor<256xf32> -> f32
    %m1 = arith.maximumf %m0, %top : f32
    scf.yield %m1 : f32
  }
  tile.write %m to %c [] : f32 -> memref<1xf32>
  func.return
}

// Blocks that lie one behind the other along another dimension than the one that is reduced.
// CHECK-LABEL: func.func @blocks_of_rows
// CHECK: tile.reduce max {{%.*}} axis 1 : tensor<16x256xf32>
// THREE-LABEL: func.func @blocks_of_rows
// THREE: tile.reduce max {{%.*}} axis 1 : tensor<16x256xf32>
func.func @blocks_of_rows(%b: memref<128x256xf32>, %c: memref<16xf32>) {
  %low = arith.constant dense<-3.0e38> : tensor<16xf32>
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %one = arith.constant 1 : index
  %m = scf.for %k = %from to %to step %one iter_args(%m0 = %low) -> (tensor<16xf32>) {
    %x = tile.read %b(%k) [16 * s0 + d0 by 256, d1 by 1] : memref<128x256xf32> -> tensor<16x256xf32>
    %top = tile.reduce max %x axis 1 : tensor<16x256xf32> -> tensor<16xf32>
    %m1 = arith.maximumf %m0, %top : tensor<16xf32>
    scf.yield %m1 : tensor<16xf32>
  }
  tile.write %m to %c [d0 by 1] : tensor<16xf32> -> memref<16xf32>
  func.return
}

// A sum of what does not differ from one step to the next.
// CHECK-LABEL: func.func @a_sum_of_the_same
// CHECK: tile.reduce sum {{%.*}} axis 0 : tensor<256xf32>
// THREE-LABEL: func.func @a_sum_of_the_same
// THREE: tile.reduce max {{%.*}} axis 0 : tensor<256xf32>
func.func @a_sum_of_the_same(%b: memref<2048xf32>, %w: memref<256xf32>, %c: memref<1xf32>) {
  %low = arith.constant -3.0e38 : f32
  %from = arith.constant 0 : index
  %to = arith.constant 8 : index
  %one = arith.constant 1 : index
  %y = tile.read %w [d0 by 1] : memref<256xf32> -> tensor<256xf32>
  %m, %l = scf.for %k = %from to %to step %one iter_args(%m0 = %low, %l0 = %low) -> (f32, f32) {
    %x = tile.read %b(%k) [256 * s0 + d0 by 1] : memref<2048xf32> -> tensor<256xf32>
    %top = tile.reduce max %x axis 0 : tensor<256xf32> -> f32
    %m1 = arith.maximumf %m0, %top : f32
    %sum = tile.reduce sum %y axis 0 : tensor<256xf32> -> f32
    %l1 = arith.addf %l0, %sum : f32
    scf.yield %m1, %l1 : f32, f32
  }
  tile.write %m to %c [] : f32 -> memref<1xf32>
  tile.write %l to %c [] : f32 -> memref<1xf32>
  func.return
}

// What all programs read in two steps stays on chip where these are written out, also where something is left over.
// CHECK-LABEL: func.func @written_out
// CHECK-NOT: scf.for
// CHECK-COUNT-2: tile.reduce max {{%.*}} axis 1 : tensor<128x1024xf32>
// CHECK-NOT: tile.reduce
// CHECK: tile.write
// THREE-LABEL: func.func @written_out
// THREE-NOT: scf.for
// THREE-COUNT-2: tile.reduce max {{%.*}} axis 1 : tensor<128x768xf32>
// THREE: tile.reduce max {{%.*}} axis 1 : tensor<128x512xf32>
// THREE-NOT: tile.reduce
// THREE: tile.write
func.func @written_out(%b: memref<2048x32xbf16>, %q: memref<512x32xbf16>, %c: memref<512xf32>) {
  tile.programs (%i) in [4] {
    %low = arith.constant dense<-3.0e38> : tensor<128xf32>
    %from = arith.constant 0 : index
    %to = arith.constant 8 : index
    %one = arith.constant 1 : index
    %x = tile.read %q(%i) [128 * s0 + d0 by 32, d1 by 1] : memref<512x32xbf16> -> tensor<128x32xbf16>
    %m = scf.for %k = %from to %to step %one iter_args(%m0 = %low) -> (tensor<128xf32>) {
      %y = tile.read %b(%k) [256 * s0 + d0 by 32, d1 by 1] : memref<2048x32xbf16> -> tensor<256x32xbf16>
      %s = tile.dot %x, %y over [1] x [1] : tensor<128x32xbf16>, tensor<256x32xbf16> -> tensor<128x256xf32>
      %top = tile.reduce max %s axis 1 : tensor<128x256xf32> -> tensor<128xf32>
      %m1 = arith.maximumf %m0, %top : tensor<128xf32>
      scf.yield %m1 : tensor<128xf32>
    }
    tile.write %m to %c(%i) [128 * s0 + d0 by 1] : tensor<128xf32> -> memref<512xf32>
  }
  func.return
}

// Many steps are not.
// CHECK-LABEL: func.func @many_steps
// CHECK: scf.for
// CHECK: tile.reduce max {{%.*}} axis 1 : tensor<128x1024xf32>
func.func @many_steps(%b: memref<16384x32xbf16>, %q: memref<512x32xbf16>, %c: memref<512xf32>) {
  tile.programs (%i) in [4] {
    %low = arith.constant dense<-3.0e38> : tensor<128xf32>
    %from = arith.constant 0 : index
    %to = arith.constant 64 : index
    %one = arith.constant 1 : index
    %x = tile.read %q(%i) [128 * s0 + d0 by 32, d1 by 1] : memref<512x32xbf16> -> tensor<128x32xbf16>
    %m = scf.for %k = %from to %to step %one iter_args(%m0 = %low) -> (tensor<128xf32>) {
      %y = tile.read %b(%k) [256 * s0 + d0 by 32, d1 by 1] : memref<16384x32xbf16> -> tensor<256x32xbf16>
      %s = tile.dot %x, %y over [1] x [1] : tensor<128x32xbf16>, tensor<256x32xbf16> -> tensor<128x256xf32>
      %top = tile.reduce max %s axis 1 : tensor<128x256xf32> -> tensor<128xf32>
      %m1 = arith.maximumf %m0, %top : tensor<128xf32>
      scf.yield %m1 : tensor<128xf32>
    }
    tile.write %m to %c(%i) [128 * s0 + d0 by 1] : tensor<128xf32> -> memref<512xf32>
  }
  func.return
}

// Nor what each program reads for itself.
// CHECK-LABEL: func.func @keys_of_each_program
// CHECK: scf.for
// CHECK: tile.reduce max {{%.*}} axis 1 : tensor<128x1024xf32>
func.func @keys_of_each_program(%b: memref<8192x32xbf16>, %q: memref<512x32xbf16>, %c: memref<512xf32>) {
  tile.programs (%i) in [4] {
    %low = arith.constant dense<-3.0e38> : tensor<128xf32>
    %from = arith.constant 0 : index
    %to = arith.constant 8 : index
    %one = arith.constant 1 : index
    %x = tile.read %q(%i) [128 * s0 + d0 by 32, d1 by 1] : memref<512x32xbf16> -> tensor<128x32xbf16>
    %m = scf.for %k = %from to %to step %one iter_args(%m0 = %low) -> (tensor<128xf32>) {
      %y = tile.read %b(%i, %k) [2048 * s0 + 256 * s1 + d0 by 32, d1 by 1] : memref<8192x32xbf16> -> tensor<256x32xbf16>
      %s = tile.dot %x, %y over [1] x [1] : tensor<128x32xbf16>, tensor<256x32xbf16> -> tensor<128x256xf32>
      %top = tile.reduce max %s axis 1 : tensor<128x256xf32> -> tensor<128xf32>
      %m1 = arith.maximumf %m0, %top : tensor<128xf32>
      scf.yield %m1 : tensor<128xf32>
    }
    tile.write %m to %c(%i) [128 * s0 + d0 by 1] : tensor<128xf32> -> memref<512xf32>
  }
  func.return
}

// A sum of what a step computes goes along; three steps, which don't divide 32, are two: it may not be of zeros.
// CHECK-LABEL: func.func @a_sum_beside
// CHECK: arith.constant 4 : index
// CHECK: [[X:%.*]] = tile.read {{.*}} -> tensor<64x8x64xf32>
// CHECK: tile.dot [[X]], {{.*}} over [1, 2] x [0, 1]
// CHECK: [[Z:%.*]] = arith.mulf [[X]], [[X]] : tensor<64x8x64xf32>
// CHECK: [[ROWS:%.*]] = tile.reshape [[Z]] : tensor<64x8x64xf32> -> tensor<64x512xf32>
// CHECK: [[Q:%.*]] = tile.reduce sum [[ROWS]] axis 1 : tensor<64x512xf32> -> tensor<64xf32>
// CHECK: [[T:%.*]] = arith.addf {{%.*}}, [[Q]]
// CHECK: scf.yield {{%.*}}, [[T]]
// THREE-LABEL: func.func @a_sum_beside
// THREE: arith.constant 16 : index
// THREE: tile.reshape {{%.*}} : tensor<64x2x64xf32> -> tensor<64x128xf32>
func.func @a_sum_beside(%a: memref<64x2048xf32>, %b: memref<2048x48xf32>, %c: memref<64x48xf32>, %d: memref<64xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %none = arith.constant dense<0.0> : tensor<64xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum, %total = scf.for %k = %low to %high step %one iter_args(%acc = %zero, %squares = %none) -> (tensor<64x48xf32>, tensor<64xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xf32> -> tensor<64x64xf32>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xf32> -> tensor<64x48xf32>
    %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x64xf32>, tensor<64x48xf32> -> tensor<64x48xf32>
    %z = arith.mulf %x, %x : tensor<64x64xf32>
    %q = tile.reduce sum %z axis 1 : tensor<64x64xf32> -> tensor<64xf32>
    %t = arith.addf %squares, %q : tensor<64xf32>
    scf.yield %s, %t : tensor<64x48xf32>, tensor<64xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  tile.write %total to %d [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  func.return
}

// A sum of maxima stays, and a product of sums.
// CHECK-LABEL: func.func @a_maximum_beside
// CHECK: tile.dot {{.*}} over [1] x [0] : tensor<64x64xf32>
func.func @a_maximum_beside(%a: memref<64x2048xf32>, %b: memref<2048x48xf32>, %c: memref<64x48xf32>, %d: memref<64xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %none = arith.constant dense<0.0> : tensor<64xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum, %total = scf.for %k = %low to %high step %one iter_args(%acc = %zero, %squares = %none) -> (tensor<64x48xf32>, tensor<64xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xf32> -> tensor<64x64xf32>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xf32> -> tensor<64x48xf32>
    %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x64xf32>, tensor<64x48xf32> -> tensor<64x48xf32>
    %z = arith.mulf %x, %x : tensor<64x64xf32>
    %q = tile.reduce max %z axis 1 : tensor<64x64xf32> -> tensor<64xf32>
    %t = arith.addf %squares, %q : tensor<64xf32>
    scf.yield %s, %t : tensor<64x48xf32>, tensor<64xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  tile.write %total to %d [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  func.return
}

// CHECK-LABEL: func.func @a_product_of_sums
// CHECK: tile.dot {{.*}} over [1] x [0] : tensor<64x64xf32>
func.func @a_product_of_sums(%a: memref<64x2048xf32>, %b: memref<2048x48xf32>, %c: memref<64x48xf32>, %d: memref<64xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %none = arith.constant dense<0.0> : tensor<64xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum, %total = scf.for %k = %low to %high step %one iter_args(%acc = %zero, %squares = %none) -> (tensor<64x48xf32>, tensor<64xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xf32> -> tensor<64x64xf32>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xf32> -> tensor<64x48xf32>
    %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x64xf32>, tensor<64x48xf32> -> tensor<64x48xf32>
    %z = arith.mulf %x, %x : tensor<64x64xf32>
    %q = tile.reduce sum %z axis 1 : tensor<64x64xf32> -> tensor<64xf32>
    %t = arith.mulf %squares, %q : tensor<64xf32>
    scf.yield %s, %t : tensor<64x48xf32>, tensor<64xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  tile.write %total to %d [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  func.return
}

// The sum so far of each step is something else than a sum of them all.
// CHECK-LABEL: func.func @a_sum_read_elsewhere
// CHECK: tile.dot {{.*}} over [1] x [0] : tensor<64x64xf32>
func.func @a_sum_read_elsewhere(%a: memref<64x2048xf32>, %b: memref<2048x48xf32>, %c: memref<64x48xf32>, %d: memref<64xf32>) {
  %zero = arith.constant dense<0.0> : tensor<64x48xf32>
  %none = arith.constant dense<0.0> : tensor<64xf32>
  %low = arith.constant 0 : index
  %high = arith.constant 32 : index
  %one = arith.constant 1 : index
  %sum, %total = scf.for %k = %low to %high step %one iter_args(%acc = %zero, %squares = %none) -> (tensor<64x48xf32>, tensor<64xf32>) {
    %x = tile.read %a(%k) [d0 by 2048, 64 * s0 + d1 by 1] : memref<64x2048xf32> -> tensor<64x64xf32>
    %y = tile.read %b(%k) [64 * s0 + d0 by 48, d1 by 1] : memref<2048x48xf32> -> tensor<64x48xf32>
    %s = tile.dot %x, %y acc %acc over [1] x [0] : tensor<64x64xf32>, tensor<64x48xf32> -> tensor<64x48xf32>
    %z = arith.mulf %x, %x : tensor<64x64xf32>
    %q = tile.reduce sum %z axis 1 : tensor<64x64xf32> -> tensor<64xf32>
    %r = math.exp %q : tensor<64xf32>
    %t = arith.addf %squares, %r : tensor<64xf32>
    scf.yield %s, %t : tensor<64x48xf32>, tensor<64xf32>
  }
  tile.write %sum to %c [d0 by 48, d1 by 1] : tensor<64x48xf32> -> memref<64x48xf32>
  tile.write %total to %d [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  func.return
}

// Programs along the first axis read the same, which come one after the other: so that stays, each step by itself.
// CHECK-LABEL: func.func @what_some_programs_read
// CHECK-NOT: scf.for
// CHECK-COUNT-2: tile.read %k(%h, {{%.*}}) {{.*}} -> tensor<32x32x64xbf16>
// CHECK-NOT: scf.for
// CHECK: tile.write
func.func @what_some_programs_read(%q: memref<2x512x64xbf16>, %k: memref<2x2048x64xbf16>, %y: memref<2x512xf32>) {
  tile.programs (%i, %h) in [8, 2] {
    %low = arith.constant dense<-1.0e30> : tensor<64xf32>
    %first = arith.constant 0 : index
    %end = arith.constant 64 : index
    %one = arith.constant 1 : index
    %a = tile.read %q(%h, %i) [32768 * s0 + 4096 * s1 + 64 * d0 + d1 by 1] : memref<2x512x64xbf16> -> tensor<64x64xbf16>
    %max = scf.for %j = %first to %end step %one iter_args(%m = %low) -> (tensor<64xf32>) {
      %b = tile.read %k(%h, %j) [131072 * s0 + 2048 * s1 + 64 * d0 + d1 by 1] : memref<2x2048x64xbf16> -> tensor<32x64xbf16>
      %s = tile.dot %a, %b over [1] x [1] : tensor<64x64xbf16>, tensor<32x64xbf16> -> tensor<64x32xf32>
      %n = tile.reduce max %s axis 1 : tensor<64x32xf32> -> tensor<64xf32>
      %o = arith.maximumf %m, %n : tensor<64xf32>
      scf.yield %o : tensor<64xf32>
    }
    tile.write %max to %y(%h, %i) [512 * s0 + 64 * s1 + d0 by 1] : tensor<64xf32> -> memref<2x512xf32>
  }
  func.return
}

// Sums along rows of memory, of which each partition has one: longer ones are read at a time.
// CHECK-LABEL: func.func @sums_along_rows
// CHECK: tile.read {{.*}} -> tensor<16x8x256xbf16>
// CHECK: tile.reduce sum {{.*}} axis 1 : tensor<16x2048xf32> -> tensor<16xf32>
// THREE-LABEL: func.func @sums_along_rows
// THREE: tile.reduce sum {{.*}} axis 1 : tensor<16x512xf32> -> tensor<16xf32>
func.func @sums_along_rows(%a: memref<4096x4096xbf16>, %x: memref<4096xbf16>, %y: memref<4096xf32>) {
  tile.programs (%p) in [256] {
    %zero = arith.constant dense<0.0> : tensor<16xf32>
    %low = arith.constant 0 : index
    %high = arith.constant 16 : index
    %one = arith.constant 1 : index
    %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<16xf32>) {
      %v = tile.read %a(%p, %k) [16 * s0 + d0 by 4096, 256 * s1 + d1 by 1] : memref<4096x4096xbf16> -> tensor<16x256xbf16>
      %w = tile.cast %v : tensor<16x256xbf16> -> tensor<16x256xf32>
      %s = tile.reduce sum %w axis 1 : tensor<16x256xf32> -> tensor<16xf32>
      %next = arith.addf %acc, %s : tensor<16xf32>
      scf.yield %next : tensor<16xf32>
    }
    tile.write %sum to %y(%p) [16 * s0 + d0 by 1] : tensor<16xf32> -> memref<4096xf32>
  }
  func.return
}

// There are rows for 32 partitions only: other passes run iterations together on all of them.
// CHECK-LABEL: func.func @sums_of_few_rows
// CHECK: tile.reduce sum {{.*}} axis 1 : tensor<16x256xf32> -> tensor<16xf32>
// THREE-LABEL: func.func @sums_of_few_rows
func.func @sums_of_few_rows(%a: memref<4096x4096xbf16>, %x: memref<4096xbf16>, %y: memref<4096xf32>) {
  tile.programs (%p) in [2] {
    %zero = arith.constant dense<0.0> : tensor<16xf32>
    %low = arith.constant 0 : index
    %high = arith.constant 16 : index
    %one = arith.constant 1 : index
    %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<16xf32>) {
      %v = tile.read %a(%p, %k) [16 * s0 + d0 by 4096, 256 * s1 + d1 by 1] : memref<4096x4096xbf16> -> tensor<16x256xbf16>
      %w = tile.cast %v : tensor<16x256xbf16> -> tensor<16x256xf32>
      %s = tile.reduce sum %w axis 1 : tensor<16x256xf32> -> tensor<16xf32>
      %next = arith.addf %acc, %s : tensor<16xf32>
      scf.yield %next : tensor<16xf32>
    }
    tile.write %sum to %y(%p) [16 * s0 + d0 by 1] : tensor<16xf32> -> memref<4096xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @sums_of_long_rows
// CHECK: tile.reduce sum {{.*}} axis 1 : tensor<16x2048xf32> -> tensor<16xf32>
// THREE-LABEL: func.func @sums_of_long_rows
func.func @sums_of_long_rows(%a: memref<4096x4096xbf16>, %x: memref<4096xbf16>, %y: memref<4096xf32>) {
  tile.programs (%p) in [256] {
    %zero = arith.constant dense<0.0> : tensor<16xf32>
    %low = arith.constant 0 : index
    %high = arith.constant 2 : index
    %one = arith.constant 1 : index
    %sum = scf.for %k = %low to %high step %one iter_args(%acc = %zero) -> (tensor<16xf32>) {
      %v = tile.read %a(%p, %k) [16 * s0 + d0 by 4096, 2048 * s1 + d1 by 1] : memref<4096x4096xbf16> -> tensor<16x2048xbf16>
      %w = tile.cast %v : tensor<16x2048xbf16> -> tensor<16x2048xf32>
      %s = tile.reduce sum %w axis 1 : tensor<16x2048xf32> -> tensor<16xf32>
      %next = arith.addf %acc, %s : tensor<16xf32>
      scf.yield %next : tensor<16xf32>
    }
    tile.write %sum to %y(%p) [16 * s0 + d0 by 1] : tensor<16xf32> -> memref<4096xf32>
  }
  func.return
}
