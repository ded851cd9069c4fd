// RUN: nki-opt %s -p structure-accesses --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p structure-accesses,cse --split-input-file --verify-diagnostics | filecheck %s


func.func @chosen(%x: memref<5000xf32>, %y: memref<5000xf32>, %c: i1) {
  %a = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %b = tile.base %y : memref<5000xf32> -> !tile.ptr<f32>
  %p = tile.select %c, %a, %b : i1, !tile.ptr<f32>, !tile.ptr<f32> -> !tile.ptr<f32>
  // CHECK: a pointer that is chosen by a condition; load from both and choose between the values
  %v = tile.load %p : !tile.ptr<f32> -> f32
  func.return
}

// -----

func.func @swapped(%x: memref<5000xf32>) {
  %lower = arith.constant 0 : index
  %upper = arith.constant 4 : index
  %step = arith.constant 1 : index
  %a = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %b = tile.add_ptr %a, %upper : !tile.ptr<f32>, index -> !tile.ptr<f32>
  %r0, %r1 = scf.for %i = %lower to %upper step %step iter_args(%p = %a, %q = %b) -> (!tile.ptr<f32>, !tile.ptr<f32>) {
    // CHECK: a pointer that a loop changes otherwise than by one fixed step in each of its own iterations
    %v = tile.load %p : !tile.ptr<f32> -> f32
    scf.yield %q, %p : !tile.ptr<f32>, !tile.ptr<f32>
  }
  func.return
}

// -----

func.func @made_otherwise(%x: memref<5000xf32>) {
  %p = "test.op"() : () -> !tile.ptr<f32>
  // CHECK: a pointer made by test.op, not by adding offsets to an argument
  %v = tile.load %p : !tile.ptr<f32> -> f32
  func.return
}

// -----

func.func @chosen_for_a_store(%x: memref<5000xf32>, %y: memref<5000xf32>, %c: i1, %v: f32) {
  %a = tile.base %x : memref<5000xf32> -> !tile.ptr<f32>
  %b = tile.base %y : memref<5000xf32> -> !tile.ptr<f32>
  %p = tile.select %c, %a, %b : i1, !tile.ptr<f32>, !tile.ptr<f32> -> !tile.ptr<f32>
  // CHECK: a pointer that is chosen by a condition; load from both and choose between the values
  tile.store %p, %v : !tile.ptr<f32>, f32
  func.return
}

// -----

func.func @an_argument(%p: !tile.ptr<f32>) {
  // CHECK: a pointer that a loop changes otherwise than by one fixed step in each of its own iterations
  %v = tile.load %p : !tile.ptr<f32> -> f32
  func.return
}
