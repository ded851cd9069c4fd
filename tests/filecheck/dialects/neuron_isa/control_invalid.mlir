// RUN: NKI_INVALID

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: src is an immediate or one register, not 1 + r0
      neuron.isa.register_move dst 1 src <r0 + 1>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: register r64 does not exist; a sequencer has 64
      neuron.isa.register_move dst 64 src <0>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: src is an immediate or one register, not 2 * r0
      neuron.isa.register_alu_op op add dst 1 src <2 * r0> imm <1>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: imm is an immediate, not r2
      neuron.isa.register_alu_op op add dst 1 src <r0> imm <r2>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: registers have no operator power
      neuron.isa.register_alu_op op power dst 1 src <r0> imm <2>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: a register holds one element, src has 2
      neuron.isa.register_load dst 1 src <hbm "x" at 0, [1 x 2], f32>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: a sequencer reaches sbuf and hbm; src is in psum
      neuron.isa.register_load dst 1 src <psum[0:1] at 0, [1 x 1], f32>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: src must be one of float32, tfloat32, bfloat16, float16, float8_e4m3, float8_e5m2, int32, int16, int8, uint32, uint16, uint8, not bool
      neuron.isa.register_load dst 1 src <sbuf[0:1] at 0, [1 x 1], i1>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: a register holds one element, dst has 3
      neuron.isa.register_store dst <sbuf[0:3] at 0, [1 x 1], f32> src <r0>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: a sequencer reaches sbuf and hbm; dst is in psum
      neuron.isa.register_store dst <psum[0:1] at 0, [1 x 1], f32> src <r0>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: dst must be one of int32, uint32, float32, not bfloat16
      neuron.isa.register_store dst <sbuf[0:1] at 0, [1 x 1], bf16> src <r0>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: src is an immediate or one register, not r0 + r1
      neuron.isa.register_store dst <sbuf[0:1] at 0, [1 x 1], f32> src <r0 + r1>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: register r64 does not exist; a sequencer has 64
      neuron.isa.rank_id dst 64
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: bound is an immediate or one register, not 1 + r0
      neuron.isa.loop counter 1 bound <r0 + 1> {}
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: register r64 does not exist; a sequencer has 64
      neuron.isa.loop counter 64 bound <r0> {}
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: register r64 does not exist; a sequencer has 64
      neuron.isa.while register 64 {}
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: nothing in the loop sets register r3, which ends it at 0
      neuron.isa.while register 3 { neuron.isa.register_move dst 2 src <r3> }
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: lt compares src with imm
      neuron.isa.cmp_branch lt src <r0> {}
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: always compares nothing, and nothing stands after else
      neuron.isa.cmp_branch always src <r0> imm <1> {}
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: always compares nothing, and nothing stands after else
      neuron.isa.cmp_branch always {} else { neuron.isa.rank_id dst 1 }
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: imm is an immediate or one register, not 1 + r2
      neuron.isa.cmp_branch lt src <r0> imm <r2 + 1> {}
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: counter i0 names no enclosing repeat; there are 0
      neuron.isa.cmp_branch lt src <r0> imm <i0> {}
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: 'test.op' has no place in neuron.isa.cmp_branch
      neuron.isa.cmp_branch lt src <r0> imm <1> {} else { "test.op"() : () -> () }
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: an update adds at least 1
      neuron.isa.event_semaphore update <sem 0 add 0>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: core 2 does not exist; trn1 has 2
      neuron.isa.event_semaphore update <core 2 sem 0 add 1>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: core_barrier needs NeuronCore-v3; trn1 is v2
      neuron.isa.core_barrier sem <0> reaches <1>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: semaphore 256 does not exist; a core has 256
      neuron.isa.core_barrier sem <256> reaches <1>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: iterations 7 to 8 are not all among the loop's 8
      neuron.isa.repeat 2 loop 0 first 7 of 8 {
        neuron.isa.event_semaphore update <sem 0 add 1>
      }
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: a part of a loop has the number of the loop, the first iteration and the trips
      neuron.isa.repeat 2 first 0 of 8 {
        neuron.isa.event_semaphore update <sem 0 add 1>
      }
    }
  }
}

// -----

neuron.isa.program @p {
  // CHECK: a core has one stream for each engine, and vector has two
  neuron.isa.core 0 {
    neuron.isa.stream vector {
    }
    neuron.isa.stream vector {
    }
  }
}

// -----

neuron.isa.program @p {
  // CHECK: a tensor has a known shape and an element type of the machine, got memref<8x?xf32>
  neuron.isa.tensor "x" : memref<8x?xf32>
}

// -----

neuron.isa.program @p {
  // CHECK: a tensor has a known shape and an element type of the machine, got memref<8xf64>
  neuron.isa.tensor "x" : memref<8xf64>
}

// -----

neuron.isa.program @p {
  // CHECK: a buffer lies in sbuf or psum, got hbm
  neuron.isa.buffer "b" "hbm" partitions 128 at 0 bytes 64 slots 1 used 0 to 1
}

// -----

neuron.isa.program @p {
  // CHECK: slots of 64 bytes cannot be 32 bytes apart
  neuron.isa.buffer "b" "sbuf" partitions 128 at 0 bytes 64 slots 2 stride 32 used 0 to 1
}

// -----

// CHECK: two tensors have the name "x"
neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.tensor "y" : memref<8xf32>
  neuron.isa.tensor "x" : memref<4xf32>
}

// -----

// CHECK: two cores have the index 1
neuron.isa.program @p {
  neuron.isa.core 1 {
  }
  neuron.isa.core 0 {
  }
  neuron.isa.core 1 {
  }
}

// -----

// CHECK: neuron.isa.register_load reaches tensor "y", which is not declared
neuron.isa.program @p {
  neuron.isa.tensor "x" : memref<8xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      neuron.isa.register_load dst 1 src <hbm "y" at 0, [1 x 1], i32>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: expected an integer, a counter i<n>, a register r<n> or '('
      neuron.isa.register_move dst 1 src <x + 1>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: one side of '*' must be a constant
      neuron.isa.register_move dst 1 src <r1 * r2>
    }
  }
}

// -----

neuron.isa.program @p {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: 'mod' by zero
      neuron.isa.register_move dst 1 src <r1 mod 0>
    }
  }
}
