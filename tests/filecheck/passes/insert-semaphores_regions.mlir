// RUN: nki-opt %s -p insert-semaphores --split-input-file | filecheck %s
// RUN: nki-opt %s -p insert-semaphores --split-input-file --print-op-generic | nki-opt --split-input-file | filecheck %s

// A region is one step of each stream in the program around it; inside, thresholds count with the runs (r2 and r5), and
// a run ends in a barrier.
// CHECK-LABEL: neuron.isa.program @run_time_loop
// CHECK: neuron.isa.stream vector
// CHECK-NEXT: neuron.isa.register_move dst 2 src <0>
// CHECK-NEXT: neuron.isa.event_semaphore wait <sem [[LOADED:[0-9]+]] reaches 16>
// CHECK-NEXT: neuron.isa.loop counter 1 bound <r0> {
// CHECK-NEXT: neuron.isa.tensor_scalar {{.*}} update <sem [[VECTOR:[0-9]+]] add 1>
// CHECK-NEXT: neuron.isa.event_semaphore update <sem [[VECTOR]] add 1>
// CHECK-NEXT: neuron.isa.event_semaphore wait <sem [[VECTOR]] reaches 2 + 2 * r2>
// CHECK-NEXT: neuron.isa.register_alu_op op add dst 2 src <r2> imm <1> wait <sem [[GPSIMD:[0-9]+]] reaches 1 + r2>
// CHECK-NEXT: }
// CHECK-NEXT: neuron.isa.event_semaphore update <sem [[BEHIND:[0-9]+]] add 1>
// CHECK: neuron.isa.stream gpsimd
// CHECK: neuron.isa.loop counter 1 bound <r0> {
// CHECK-NEXT: neuron.isa.dma_copy {{.*}} wait <sem [[VECTOR]] reaches 1 + 2 * r5> update <sem [[STORED:[0-9]+]] add 16>
// CHECK-NEXT: neuron.isa.event_semaphore wait <sem [[STORED]] reaches 16 + 16 * r5> update <sem [[GPSIMD]] add 1>
// CHECK: neuron.isa.stream sync
// CHECK-NEXT: neuron.isa.dma_copy {{.*}} update <sem [[LOADED]] add 16>
// CHECK-NEXT: neuron.isa.event_semaphore wait <sem {{[0-9]+}} reaches 1>
// CHECK-NEXT: neuron.isa.dma_copy {{.*}} wait <sem [[BEHIND]] reaches 1>
neuron.isa.program @run_time_loop {
  neuron.isa.tensor "x" : memref<1024xf32>
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      neuron.isa.loop counter 1 bound <r0> region 0 {
        neuron.isa.tensor_scalar op0 add dst <sbuf[0:128] at 0, [1 x 8], f32> data <sbuf[0:128] at 0, [1 x 8], f32> operand0 1.0 : f32 order 1
      }
    }
    neuron.isa.stream gpsimd {
      neuron.isa.register_move dst 4 src <r0>
      neuron.isa.loop counter 1 bound <r0> region 0 {
        neuron.isa.dma_copy queue 0 dge_mode "swdge" dst <hbm "x" at 4 * r1, [1 x 1024], f32> src <sbuf[0:128] at 0, [1 x 8], f32> order 2
      }
    }
    neuron.isa.stream sync {
      neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 0, [1 x 8], f32> src <hbm "x" at 0, [1 x 1024], f32> order 0
      neuron.isa.dma_copy queue 0 dst <sbuf[0:128] at 0, [1 x 8], f32> src <hbm "x" at 0, [1 x 1024], f32> order 3
    }
  }
}

// -----

// Both sides of a branch end in a barrier of their own; a branch over registers alone stays as it is.
// CHECK-LABEL: neuron.isa.program @branch
// CHECK: neuron.isa.cmp_branch lt src <r0> imm <r1> {
// CHECK-NEXT: neuron.isa.register_move dst 0 src <1>
// CHECK-NEXT: }
// CHECK-NEXT: neuron.isa.cmp_branch ne src <r0> imm <0> {
// CHECK-NEXT: neuron.isa.memset
// CHECK-NEXT: neuron.isa.event_semaphore update <sem 0 add 1>
// CHECK-NEXT: neuron.isa.register_alu_op op add dst 2 src <r2> imm <1> wait <sem 0 reaches 1 + r2>
// CHECK-NEXT: } else {
// CHECK-NEXT: neuron.isa.memset
// CHECK-NEXT: neuron.isa.event_semaphore update <sem 1 add 1>
// CHECK-NEXT: neuron.isa.register_alu_op op add dst 3 src <r3> imm <1> wait <sem 1 reaches 1 + r3>
neuron.isa.program @branch {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      neuron.isa.cmp_branch lt src <r0> imm <r1> {
        neuron.isa.register_move dst 0 src <1>
      }
      neuron.isa.cmp_branch ne src <r0> imm <0> region 0 {
        neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at 0, [1 x 8], f32> order 0
      } else {
        neuron.isa.memset value 1.0 : f32 dst <sbuf[0:128] at 0, [1 x 8], f32> order 1
      }
    }
  }
}
