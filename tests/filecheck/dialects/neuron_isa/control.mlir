// RUN: NKI_ROUNDTRIP

// CHECK-LABEL: neuron.isa.program @registers
neuron.isa.program @registers {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream sync {
      // CHECK: neuron.isa.register_move dst 0 src <7>
      neuron.isa.register_move dst 0 src <7>
      // CHECK-NEXT: neuron.isa.register_move dst 1 src <r0> wait <sem 1 reaches 2> update <sem 3 add 4>
      neuron.isa.register_move dst 1 src <r0> wait <sem 1 reaches 2> update <sem 3 add 4>
      // CHECK-NEXT: neuron.isa.register_alu_op op left_shift dst 2 src <r1> imm <3>
      neuron.isa.register_alu_op op left_shift dst 2 src <r1> imm <3>
      // CHECK-NEXT: neuron.isa.register_load dst 3 src <hbm "x" at 4, [1 x 1], f32>
      neuron.isa.register_load dst 3 src <hbm "x" at 4, [1 x 1], f32>
      // CHECK-NEXT: neuron.isa.register_load dst 3 src <sbuf[5:6] at 4 * r2, [1 x 1], ui16>
      neuron.isa.register_load dst 3 src <sbuf[5:6] at 4 * r2, [1 x 1], ui16>
      // CHECK-NEXT: neuron.isa.register_store dst <hbm "x" at 4, [1 x 1], f32> src <r3>
      neuron.isa.register_store dst <hbm "x" at 4, [1 x 1], f32> src <r3>
      // CHECK-NEXT: neuron.isa.register_store dst <sbuf[5:6] at 8, [1 x 1], i32> src <-1> update <sem 0 add 1>
      neuron.isa.register_store dst <sbuf[5:6] at 8, [1 x 1], i32> src <-1> update <sem 0 add 1>
      // CHECK-NEXT: neuron.isa.rank_id dst 63
      neuron.isa.rank_id dst 63
    }
  }
}

// -----

// CHECK-LABEL: neuron.isa.program @control_flow
neuron.isa.program @control_flow {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: neuron.isa.cmp_branch lt src <r0> imm <5> {
      // CHECK-NEXT: neuron.isa.event_semaphore update <sem 0 add 1>
      // CHECK-NEXT: } else {
      // CHECK-NEXT: neuron.isa.event_semaphore update <sem 0 add 2>
      neuron.isa.cmp_branch lt src <r0> imm <5> {
        neuron.isa.event_semaphore update <sem 0 add 1>
      } else {
        neuron.isa.event_semaphore update <sem 0 add 2>
      }
      // CHECK: neuron.isa.cmp_branch ge src <r0> imm <r1> {
      neuron.isa.cmp_branch ge src <r0> imm <r1> {
        // CHECK-NEXT: neuron.isa.cmp_branch always {
        neuron.isa.cmp_branch always {
          neuron.isa.event_semaphore update <sem 0 add 1>
        }
      }
      // CHECK: neuron.isa.while register 4 {
      neuron.isa.while register 4 {
        // CHECK-NEXT: neuron.isa.loop counter 5 bound <r4> {
        neuron.isa.loop counter 5 bound <r4> {
          // CHECK-NEXT: neuron.isa.cmp_branch eq src <r5> imm <2> {
          neuron.isa.cmp_branch eq src <r5> imm <2> {
            // CHECK-NEXT: neuron.isa.register_move dst 4 src <0>
            neuron.isa.register_move dst 4 src <0>
          }
        }
      }
    }
  }
}

// -----

// CHECK-LABEL: neuron.isa.program @cores
builtin.module attributes {neuron.target = "trn2"} {
neuron.isa.program @cores {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: neuron.isa.event_semaphore update <core 0 sem 1 add 1>
      neuron.isa.event_semaphore update <core 0 sem 1 add 1>
      // CHECK-NEXT: neuron.isa.event_semaphore update <core 7 sem 1 add 1>
      neuron.isa.event_semaphore update <core 7 sem 1 add 1>
      // CHECK-NEXT: neuron.isa.core_barrier sem <5> reaches <2> wait <sem 1 reaches 2> update <sem 3 add 1>
      neuron.isa.core_barrier sem <5> reaches <2> wait <sem 1 reaches 2> update <sem 3 add 1>
    }
    // CHECK: neuron.isa.stream scalar {
    neuron.isa.stream scalar {}
  }
  // CHECK: neuron.isa.core 1 {
  neuron.isa.core 1 {}
}
}

// -----

// What emit-streams says of the program for insert-semaphores.
// CHECK-LABEL: neuron.isa.program @regions
neuron.isa.program @regions {
  neuron.isa.core 0 {
    neuron.isa.stream sync {
      // CHECK: neuron.isa.register_move dst 4 src <1>
      neuron.isa.register_move dst 4 src <1>
      // CHECK-NEXT: neuron.isa.while register 4 region 0 {
      neuron.isa.while register 4 region 0 {
        // CHECK-NEXT: neuron.isa.loop counter 5 bound <r4> region 1 {
        neuron.isa.loop counter 5 bound <r4> region 1 {
          // CHECK-NEXT: neuron.isa.cmp_branch eq src <r5> imm <2> region 2 {
          neuron.isa.cmp_branch eq src <r5> imm <2> region 2 {
            // CHECK-NEXT: neuron.isa.register_move dst 4 src <0>
            neuron.isa.register_move dst 4 src <0>
          }
        }
      }
    }
  }
}

// -----

// A loop in two repeats.
// CHECK-LABEL: neuron.isa.program @parts
neuron.isa.program @parts {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: neuron.isa.repeat 7 loop 0 first 0 of 8 {
      neuron.isa.repeat 7 loop 0 first 0 of 8 {
        neuron.isa.event_semaphore update <sem 0 add 1>
      }
      // CHECK: neuron.isa.repeat 1 loop 0 first 7 of 8 {
      neuron.isa.repeat 1 loop 0 first 7 of 8 {
        neuron.isa.event_semaphore update <sem 0 add 2>
      }
    }
  }
}
