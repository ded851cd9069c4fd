// RUN: nki-opt %s -p programs-to-loops --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p programs-to-loops,cse --split-input-file --verify-diagnostics | filecheck %s


// CHECK: its 300 programs are more than the 256 that are written out one by one
func.func @too_many_to_write_out(%x: memref<100000xf32>) {
  tile.programs (%pid) in [300] {
    %square = arith.muli %pid, %pid : index
    %v = tile.read %x(%square) [s0 + d0 by 1] : memref<100000xf32> -> tensor<64xf32>
    "test.op"(%v) : (tensor<64xf32>) -> ()
  }
  func.return
}
