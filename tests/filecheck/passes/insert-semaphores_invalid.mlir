// RUN: nki-opt %s -p insert-semaphores --split-input-file --verify-diagnostics | filecheck %s
// RUN: nki-opt %s -p insert-semaphores,cse --split-input-file --verify-diagnostics | filecheck %s


neuron.isa.program @no_order {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: an instruction has no 'order'; insert-semaphores follows emit-streams
      neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at 0, [1 x 8], f32>
    }
  }
}

// -----

neuron.isa.program @no_loop_number {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: a repeat has no 'loop' number; insert-semaphores follows emit-streams
      neuron.isa.repeat 3 {
        neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at 0, [1 x 8], f32> order 0
      }
    }
  }
}

// -----

neuron.isa.program @already_ordered {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: an instruction already waits for or updates a semaphore
      neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at 0, [1 x 8], f32> update <sem 0 add 1> order 0
    }
  }
}

// -----

neuron.isa.program @no_region_number {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: neuron.isa.loop is something that insert-semaphores does not order
      neuron.isa.loop counter 0 bound <3> {
        neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at 0, [1 x 8], f32> order 0
      }
    }
  }
}

// -----

neuron.isa.program @a_branch_without_a_number {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      // CHECK: neuron.isa.cmp_branch is something that insert-semaphores does not order
      neuron.isa.cmp_branch eq src <r0> imm <3> {
        neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at 0, [1 x 8], f32> order 0
      }
    }
  }
}

// -----

neuron.isa.program @twice_one_place {
  neuron.isa.core 0 {
    neuron.isa.stream vector {
      neuron.isa.loop counter 0 bound <3> region 0 {
        neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at 0, [1 x 8], f32> order 0
        // CHECK: two instructions have order 0
        neuron.isa.memset value 0.0 : f32 dst <sbuf[0:128] at 0, [1 x 8], f32> order 0
      }
    }
  }
}
