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
