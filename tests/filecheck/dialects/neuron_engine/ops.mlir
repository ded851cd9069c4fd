// RUN: NKI_ROUNDTRIP

// CHECK-LABEL: func.func @scalars
func.func @scalars(%0: !neuron.engine.view<sbuf[3:4], [1 x 1], i32>, %1: !neuron.engine.view<hbm, [1 x 1], ui8>) {
  // CHECK: %{{.*}} = neuron.engine.scalar %0 : !neuron.engine.view<sbuf[3:4], [1 x 1], i32>
  %2 = neuron.engine.scalar %0 : !neuron.engine.view<sbuf[3:4], [1 x 1], i32>
  // CHECK: %{{.*}} = neuron.engine.scalar %1 : !neuron.engine.view<hbm, [1 x 1], ui8>
  %3 = neuron.engine.scalar %1 : !neuron.engine.view<hbm, [1 x 1], ui8>
  func.return
}
