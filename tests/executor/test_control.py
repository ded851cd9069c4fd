"""Registers and run-time control flow."""

from __future__ import annotations

import math

import numpy as np
import pytest
from executor.machine_code import Array, program
from hypothesis import given, settings
from hypothesis import strategies as st

from nki_mlir.dialects.alu import REGISTER_ALUS, Alu
from nki_mlir.dialects.neuron_isa import Comparison
from nki_mlir.errors import ExecutionError
from nki_mlir.executor import execute
from nki_mlir.executor.control_actions import REGISTER_ALU
from nki_mlir.executor.decode import HOLDS

quick = settings(max_examples=60)
words = st.integers(-(2**31), 2**31 - 1) | st.integers(-4, 4)
SEEDS = (None, *range(10))


def signed(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def on_sync(body: str, tensors: str = "y: memref<8xi32>", *before: Array, target: str = "trn1") -> Array:
    """Runs a body of the Sync stream; gives the tensor that comes last, which starts as -1."""
    y = np.full(8, -1, np.int32)
    execute(program(f"neuron.isa.stream sync {{ {body} }}", tensors, target), [*before, y])
    return y


def store(register: int, place: int = 0) -> str:
    return f'neuron.isa.register_store dst <hbm "y" at {4 * place}, [1 x 1], i32> src <r{register}>'


# Registers.


@quick
@given(words)
def test_move_and_store(value: int) -> None:
    body = f"neuron.isa.register_move dst 3 src <{value}> neuron.isa.register_move dst 63 src <r3> {store(63, 2)}"
    assert on_sync(body).tolist() == [-1, -1, value, -1, -1, -1, -1, -1]


def alu(op: Alu, a: int, b: int) -> int:
    """On unbounded integers; the register takes the low 32 bits."""
    functions = {
        Alu.BYPASS: lambda: a,
        Alu.ADD: lambda: a + b,
        Alu.SUBTRACT: lambda: a - b,
        Alu.MULTIPLY: lambda: a * b,
        Alu.DIVIDE: lambda: math.floor(a / b),
        Alu.MOD: lambda: a - b * (a // b),
        Alu.MAXIMUM: lambda: a if a > b else b,
        Alu.MINIMUM: lambda: a if a < b else b,
        Alu.EQUAL: lambda: a == b,
        Alu.NOT_EQUAL: lambda: a != b,
        Alu.GREATER_EQUAL: lambda: a >= b,
        Alu.GREATER: lambda: a > b,
        Alu.LESS_EQUAL: lambda: a <= b,
        Alu.LESS: lambda: a < b,
        Alu.BITWISE_AND: lambda: a & b,
        Alu.BITWISE_OR: lambda: a | b,
        Alu.BITWISE_XOR: lambda: a ^ b,
        Alu.INVERT: lambda: -a - 1,
        Alu.LEFT_SHIFT: lambda: a * 2**b if 0 <= b < 32 else 0,
        Alu.RIGHT_SHIFT: lambda: a % 2**32 // 2**b if 0 <= b < 32 else 0,
        Alu.LOGICAL_NOT: lambda: a == 0,
        Alu.LOGICAL_AND: lambda: a != 0 and b != 0,
        Alu.LOGICAL_OR: lambda: a != 0 or b != 0,
        Alu.LOGICAL_XOR: lambda: (a != 0) != (b != 0),
    }
    return int(functions[op]())


@quick
@given(st.sampled_from(sorted(REGISTER_ALUS)), words, words | st.integers(0, 40))
def test_register_alu_op(op: Alu, a: int, b: int) -> None:
    body = f"""
    neuron.isa.register_move dst 0 src <{a}>
    neuron.isa.register_alu_op op {op} dst 1 src <r0> imm <{b}>
    {store(1)}"""
    if b == 0 and op in (Alu.DIVIDE, Alu.MOD):
        with pytest.raises(ExecutionError, match="register_alu_op on sync: division by zero"):
            on_sync(body)
        return
    assert on_sync(body)[0] == signed(alu(op, a, b))


def test_register_tables() -> None:
    assert set(REGISTER_ALU) == REGISTER_ALUS
    assert set(HOLDS) == set(Comparison)


LOADED = {
    "i32": (np.int32, -5, -5),
    "i16": (np.int16, -5, -5),
    "i8": (np.int8, -5, -5),
    "ui32": (np.uint32, 2**32 - 1, -1),
    "ui16": (np.uint16, 65535, 65535),
    "ui8": (np.uint8, 255, 255),
    "f32": (np.float32, -1.5, signed(0xBFC00000)),
    "f16": (np.float16, -1.5, 0xBE00),
}


@pytest.mark.parametrize("kind", LOADED)
def test_load_extends_integers_and_keeps_the_bits_of_floats(kind: str) -> None:
    type_, value, wanted = LOADED[kind]
    load = f'neuron.isa.register_load dst 0 src <hbm "x" at {np.dtype(type_).itemsize}, [1 x 1], {kind}>'
    x = np.array([0, value], type_)
    assert on_sync(load + store(0), f"x: memref<2x{kind}>; y: memref<8xi32>", x)[0] == wanted


@quick
@given(st.integers(0, 2**32 - 1))
def test_store_moves_bits(word: int) -> None:
    y = np.zeros(2, np.float32)
    body = f'neuron.isa.register_store dst <hbm "y" at 4, [1 x 1], f32> src <{signed(word)}>'
    execute(program(f"neuron.isa.stream sync {{ {body} }}", "y: memref<2xf32>"), [y])
    assert y.view(np.uint32).tolist() == [0, word]


@pytest.mark.parametrize("seed", SEEDS)
def test_registers_pass_through_sbuf(seed: int | None) -> None:
    """Vector stores at an address from a register, Scalar waits for it and loads; each has registers of its own."""
    streams = """
    neuron.isa.stream vector {
      neuron.isa.register_move dst 0 src <16>
      neuron.isa.register_store dst <sbuf[7:8] at r0 + 4, [1 x 1], i32> src <1234> update <sem 0 add 1>
    }
    neuron.isa.stream scalar {
      neuron.isa.register_load dst 1 src <sbuf[7:8] at 20, [1 x 1], i32> wait <sem 0 reaches 1>
      neuron.isa.register_store dst <hbm "y" at 0, [1 x 1], i32> src <r1>
      neuron.isa.register_store dst <hbm "y" at 4, [1 x 1], i32> src <r0>
    }"""
    y = np.full(2, -1, np.int32)
    execute(program(streams, "y: memref<2xi32>"), [y], seed=seed)
    assert y.tolist() == [1234, 0]


def test_a_register_is_loaded_with_what_was_written() -> None:
    body = "neuron.isa.register_load dst 0 src <sbuf[3:4] at 8, [1 x 1], i32>"
    with pytest.raises(ExecutionError, match=r"src reads SBUF, partition 3, bytes 8\.\.11, which were never written"):
        on_sync(body)


def test_a_store_makes_a_tensor_an_output() -> None:
    y = np.zeros(8, np.int32)
    y.flags.writeable = False
    with pytest.raises(ExecutionError, match="the program writes it, but the array is read-only"):
        execute(program(f"neuron.isa.stream sync {{ {store(0)} }}", "y: memref<8xi32>"), [y])


def test_a_sequencer_reaches_its_own_core_only() -> None:
    body = "neuron.isa.register_store dst <core 1 sbuf[3:4] at 8, [1 x 1], i32> src <1>"
    with pytest.raises(ExecutionError, match="register_store on sync: an engine reaches its own core's memory"):
        on_sync(body)


# Branches.

HOLD = {
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "ge": lambda a, b: a >= b,
    "gt": lambda a, b: a > b,
}


@quick
@given(st.sampled_from(list(HOLD)), words, words, st.booleans())
def test_cmp_branch(op: str, a: int, b: int, immediate: bool) -> None:
    """Against an immediate or a register; the side that isn't taken has no effect."""
    body = f"""
    neuron.isa.register_move dst 0 src <{a}>
    neuron.isa.register_move dst 1 src <{b}>
    neuron.isa.cmp_branch {op} src <r0> imm <{b if immediate else "r1"}> {{
      {store(0, 1)}
    }} else {{
      {store(1, 2)}
    }}
    neuron.isa.cmp_branch {op} src <r0> imm <r1> {{ {store(0, 3)} }}
    neuron.isa.cmp_branch always {{ {store(1, 4)} }}"""
    y = on_sync(body).tolist()
    if HOLD[op](a, b):
        assert y == [-1, a, -1, a, b, -1, -1, -1]
    else:
        assert y == [-1, -1, b, -1, b, -1, -1, -1]


def test_branch_on_a_repeat_counter() -> None:
    """The counter is text: an immediate of each copy."""
    body = """
    neuron.isa.repeat 8 {
      neuron.isa.register_move dst 0 src <i0>
      neuron.isa.cmp_branch ge src <r0> imm <(i0 floordiv 2) * 2 + 1> {
        neuron.isa.register_store dst <hbm "y" at 4 * i0, [1 x 1], i32> src <r0>
      }
    }"""
    assert on_sync(body).tolist() == [-1, 1, -1, 3, -1, 5, -1, 7]


def test_repeats_inside_branches_and_loops_have_counters() -> None:
    body = """
    neuron.isa.register_move dst 0 src <2>
    neuron.isa.while register 0 {
      neuron.isa.register_alu_op op subtract dst 0 src <r0> imm <1>
      neuron.isa.cmp_branch eq src <r0> imm <1> {
        neuron.isa.repeat 2 { neuron.isa.repeat 2 {
          neuron.isa.register_store dst <hbm "y" at 8 * i0 + 4 * i1, [1 x 1], i32> src <r0>
        } }
      } else {
        neuron.isa.repeat 3 {
          neuron.isa.register_store dst <hbm "y" at 4 * i0 + 16, [1 x 1], i32> src <r0>
        }
      }
    }"""
    assert on_sync(body).tolist() == [1, 1, 1, 1, 0, 0, 0, -1]


# Loops.


@pytest.mark.parametrize("n", [0, 1, 7, 27])
def test_while(n: int) -> None:
    """Collatz: ends when its register is 0, at once if it starts there; r1 counts the steps."""
    body = f"""
    neuron.isa.register_load dst 0 src <hbm "n" at 0, [1 x 1], i32>
    neuron.isa.register_move dst 1 src <0>
    neuron.isa.register_move dst 2 src <r0>
    neuron.isa.while register 2 {{
      neuron.isa.register_alu_op op bitwise_and dst 3 src <r0> imm <1>
      neuron.isa.cmp_branch eq src <r3> imm <0> {{
        neuron.isa.register_alu_op op divide dst 0 src <r0> imm <2>
      }} else {{
        neuron.isa.register_alu_op op multiply dst 0 src <r0> imm <3>
        neuron.isa.register_alu_op op add dst 0 src <r0> imm <1>
      }}
      neuron.isa.register_alu_op op add dst 1 src <r1> imm <1>
      neuron.isa.register_alu_op op subtract dst 2 src <r0> imm <1>
    }}
    {store(1)}"""
    x, steps = n, 0
    while x and (x != 1 or not steps):
        x, steps = x // 2 if x % 2 == 0 else 3 * x + 1, steps + 1
    assert on_sync(body, "n: memref<1xi32>; y: memref<8xi32>", np.array([n], np.int32))[0] == steps


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n", [0, 3, 8])
def test_engines_follow_the_same_branches(n: int, seed: int | None) -> None:
    """Rows below the limit are doubled, the others negated: every stream reads the rows' kinds into its own registers,
    and both paths raise the semaphores alike."""
    streams = """
    neuron.isa.stream sync {
      neuron.isa.repeat 8 {
        neuron.isa.dma_copy queue 0 dst <sbuf[0:1] at 0, [1 x 64], f32> src <hbm "x" at 256 * i0, [1 x 64], f32>
          wait <sem 2 reaches 16 * i0> update <sem 0 add 16>
      }
    }
    neuron.isa.stream vector {
      neuron.isa.register_load dst 0 src <hbm "n" at 0, [1 x 1], i32>
      neuron.isa.repeat 8 {
        neuron.isa.event_semaphore wait <sem 2 reaches 16 * i0>
        neuron.isa.cmp_branch gt src <r0> imm <i0> {
          neuron.isa.tensor_scalar op0 multiply dst <sbuf[0:1] at 256, [1 x 64], f32>
            data <sbuf[0:1] at 0, [1 x 64], f32> operand0 2.0 : f32
            wait <sem 0 reaches 16 * i0 + 16> update <sem 1 add 1>
        } else {
          neuron.isa.tensor_scalar op0 multiply dst <sbuf[0:1] at 256, [1 x 64], f32>
            data <sbuf[0:1] at 0, [1 x 64], f32> operand0 -1.0 : f32
            wait <sem 0 reaches 16 * i0 + 16> update <sem 1 add 1>
        }
      }
    }
    neuron.isa.stream gpsimd {
      neuron.isa.repeat 8 {
        neuron.isa.dma_copy queue 0 dst <hbm "y" at 256 * i0, [1 x 64], f32> src <sbuf[0:1] at 256, [1 x 64], f32>
          wait <sem 1 reaches i0 + 1> update <sem 2 add 16>
      }
    }"""
    x, y = np.random.default_rng(n).standard_normal((8, 64)).astype(np.float32), np.zeros((8, 64), np.float32)
    tensors = "n: memref<1xi32>; x: memref<8x64xf32>; y: memref<8x64xf32>"
    execute(program(streams, tensors), [np.array([n], np.int32), x, y], seed=seed)
    np.testing.assert_array_equal(y, np.where(np.arange(8)[:, None] < n, 2 * x, -x))


def test_a_while_loop_that_cannot_end() -> None:
    """Its register is set, but to what it was: the next iteration would be the same. A loop that loads may end."""
    body = """
    neuron.isa.register_move dst 0 src <1>
    neuron.isa.while register 0 {
      neuron.isa.register_alu_op op add dst 1 src <r1> imm <1>
      neuron.isa.cmp_branch ge src <r1> imm <3> { neuron.isa.register_move dst 1 src <3> }
      neuron.isa.register_move dst 0 src <1>
    }"""
    with pytest.raises(ExecutionError, match=r"while on sync: the loop never ends; .* and r0 at 1"):
        on_sync(body)
    flag = """
    neuron.isa.stream vector {
      neuron.isa.repeat 100 { neuron.isa.event_semaphore update <sem 1 add 1> }
      neuron.isa.register_store dst <hbm "y" at 0, [1 x 1], i32> src <0>
    }
    neuron.isa.stream sync {
      neuron.isa.register_move dst 0 src <1>
      neuron.isa.while register 0 { neuron.isa.register_load dst 0 src <hbm "y" at 0, [1 x 1], i32> }
    }"""
    y = np.ones(1, np.int32)
    result = execute(program(flag, "y: memref<1xi32>"), [y], checks=False)
    assert y[0] == 0 and result.instructions > 103


# Time.


def ends_at(body: str, target: str = "trn1") -> float:
    """ns until the last of two event_semaphores around a body, less what they take themselves."""
    around = "neuron.isa.event_semaphore update <sem 9 add 1>"
    module = program(f"neuron.isa.stream sync {{ {around} {body} {around} }}", target=target)
    (first, *_, last) = execute(module, []).timeline
    return last.start_ns - first.end_ns


COSTS = {
    "neuron.isa.register_move dst 0 src <1>": 45,
    "neuron.isa.rank_id dst 0": 45,
    "neuron.isa.register_store dst <sbuf[0:1] at 0, [1 x 1], i32> src <1>": 300,
    "neuron.isa.cmp_branch lt src <r0> imm <1> {}": 45,
    "neuron.isa.cmp_branch gt src <r0> imm <1> {}": 1520,
    "neuron.isa.cmp_branch always {}": 45,
    "neuron.isa.cmp_branch lt src <r0> imm <1> {} else { neuron.isa.rank_id dst 0 }": 1565,
    "neuron.isa.cmp_branch gt src <r0> imm <1> {} else { neuron.isa.rank_id dst 0 }": 1565,
    "neuron.isa.while register 1 { neuron.isa.rank_id dst 1 }": 45,
}


@pytest.mark.parametrize("body", COSTS)
def test_cost(body: str) -> None:
    """Registers 45 ns, a compare that goes on 45, a jump 1520, an element of SBUF 300."""
    assert ends_at(body) == pytest.approx(COSTS[body])


def test_cost_of_a_while_loop() -> None:
    """Three turns: the compare that enters, three subtractions, two jumps back and a compare that leaves."""
    body = """
    neuron.isa.register_move dst 0 src <3>
    neuron.isa.while register 0 { neuron.isa.register_alu_op op subtract dst 0 src <r0> imm <1> }"""
    assert ends_at(body) == pytest.approx(45 + 45 + 3 * 45 + 2 * 1520 + 45)


# Deadlocks.


def deadlock(streams: str) -> str:
    with pytest.raises(ExecutionError) as error:
        execute(program(streams), [])
    return str(error.value)


@pytest.mark.parametrize("holds", [True, False])
def test_a_deadlock_report_looks_at_both_sides_of_a_branch(holds: bool) -> None:
    """What comes after the point where a stream stands still depends on registers that nothing sets any more."""
    text = deadlock(f"""
    neuron.isa.stream vector {{
      neuron.isa.event_semaphore wait <sem 1 reaches 1>
      neuron.isa.cmp_branch eq src <r0> imm <{0 if holds else 1}> {{
        neuron.isa.event_semaphore update <sem 2 add 1>
      }} else {{
        neuron.isa.event_semaphore update <sem 3 add 1>
      }}
    }}
    neuron.isa.stream scalar {{
      neuron.isa.event_semaphore wait <sem 2 reaches 1> update <sem 1 add 1>
    }}
    neuron.isa.stream gpsimd {{
      neuron.isa.event_semaphore wait <sem 3 reaches 1>
    }}""")
    assert text.count("would still be raised by vector, stuck at event_semaphore") == 2
    assert "cycle: vector -> scalar -> vector" in text


@pytest.mark.parametrize("loop", ["while register 0", "loop counter 1 bound <r0>"])
def test_a_deadlock_report_looks_into_loops(loop: str) -> None:
    text = deadlock(f"""
    neuron.isa.stream vector {{
      neuron.isa.event_semaphore wait <sem 1 reaches 1>
      neuron.isa.{loop} {{
        neuron.isa.event_semaphore update <sem 2 add 1>
        neuron.isa.register_move dst 0 src <0>
      }}
    }}
    neuron.isa.stream scalar {{
      neuron.isa.event_semaphore wait <sem 2 reaches 1> update <sem 1 add 1>
    }}""")
    assert "cycle: vector -> scalar -> vector" in text


def test_a_deadlock_inside_a_while_loop() -> None:
    """The report ends although the loop, its register standing still, would not."""
    text = deadlock("""
    neuron.isa.stream vector {
      neuron.isa.register_move dst 0 src <1>
      neuron.isa.while register 0 {
        neuron.isa.event_semaphore wait <sem 1 reaches 1>
        neuron.isa.register_move dst 0 src <0>
      }
      neuron.isa.event_semaphore update <sem 1 add 1>
    }""")
    assert "would still be raised by itself" in text
