// RUN: nki-opt %s -p carried-indices --split-input-file --verify-diagnostics | filecheck %s

func.func @a_loaded_index_of_64_bits(%x: memref<8xi64>) {
  %p = tile.base %x : memref<8xi64> -> !tile.ptr<i64>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  // CHECK: a loop that carries an index or a sum of loaded int64 numbers is not supported; convert them to int32
  %end = scf.for %i = %c0 to %c8 step %c1 iter_args(%k = %c0) -> (index) {
    %q = tile.add_ptr %p, %k : !tile.ptr<i64>, index -> !tile.ptr<i64>
    %v = tile.load %q : !tile.ptr<i64> -> i64
    %next = tile.cast %v : i64 -> index
    scf.yield %next : index
  }
  "test.op"(%end) : (index) -> ()
  func.return
}
