// RUN: nki-opt %s -p share-loads --verify-diagnostics | filecheck %s

func.func @another_level(%x: memref<8xf32>) {
  // CHECK: error: share-loads takes neuron.mem; this module is at tile: run tile,place,clean,hoist-loads first
  %v = tile.read %x [d0 by 1] : memref<8xf32> -> tensor<8xf32>
  tile.write %v to %x [d0 by 1] : tensor<8xf32> -> memref<8xf32>
  func.return
}
