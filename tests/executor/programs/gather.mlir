// y[i] = 2 * x[order[i]] for i below n, where x and y are up to 8 tiles of 128 x 64: a loop whose bound, and loads whose
// addresses, are known at run time only.
//
// Each sequencer reads n into a register of its own. One buffer each: x at 0, y at 256.
// Semaphores: 0 loaded, 1 doubled, 2 stored.
builtin.module attributes {neuron.target = "trn1"} {
neuron.isa.program @gather {
  neuron.isa.tensor "n" : memref<1xi32>
  neuron.isa.tensor "order" : memref<8xi32>
  neuron.isa.tensor "x" : memref<1024x64xf32>
  neuron.isa.tensor "y" : memref<1024x64xf32>
  neuron.isa.core 0 {
    neuron.isa.stream sync {
      neuron.isa.register_load dst 0 src <hbm "n" at 0, [1 x 1], i32>
      neuron.isa.loop counter 1 bound <r0> {
        neuron.isa.register_load dst 2 src <hbm "order" at 4 * r1, [1 x 1], i32>
        neuron.isa.register_alu_op op multiply dst 3 src <r2> imm <32768>
        neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 0, [1 x 64], f32> src <hbm "x" at r3, [64 x 128, 1 x 64], f32> wait <sem 1 reaches r1> update <sem 0 add 16>
      }
    }
    neuron.isa.stream vector {
      neuron.isa.register_load dst 5 src <hbm "n" at 0, [1 x 1], i32>
      neuron.isa.loop counter 6 bound <r5> {
        neuron.isa.event_semaphore wait <sem 2 reaches 16 * r6>
        neuron.isa.tensor_scalar op0 multiply dst <sbuf[0:128] at 256, [1 x 64], f32> data <sbuf[0:128] at 0, [1 x 64], f32> operand0 2.0 : f32 wait <sem 0 reaches 16 * r6 + 16> update <sem 1 add 1>
      }
    }
    neuron.isa.stream gpsimd {
      neuron.isa.register_load dst 0 src <hbm "n" at 0, [1 x 1], i32>
      neuron.isa.register_move dst 9 src <0>
      neuron.isa.loop counter 1 bound <r0> {
        neuron.isa.dma_copy queue 0 dst <hbm "y" at r9, [64 x 128, 1 x 64], f32> src <sbuf[0:128] at 256, [1 x 64], f32> wait <sem 1 reaches r1 + 1> update <sem 2 add 16>
        neuron.isa.register_alu_op op add dst 9 src <r9> imm <32768>
      }
    }
  }
}
}
