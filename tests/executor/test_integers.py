"""Every integer of a machine program, replaced by one that no machine has: an error of ours or a run, within seconds."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from executor.machine_code import NUMPY, PROGRAMS, program
from sample_programs import engine_module, isa_module
from test_instruction_table import SAMPLES

import nki_mlir
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.instructions import BY_NAME
from nki_mlir.dialects.neuron_isa import ProgramOp
from nki_mlir.errors import CompileError, ExecutionError
from nki_mlir.executor import execute
from nki_mlir.executor.checks import buffers
from nki_mlir.executor.run import time_program

VALUES = (-1, 0, 2**31, 2**63 - 1, 2**63, 2**64, 10**30)
INTEGER = re.compile(r"(?<![\w.%#\"-])-?\d+(?![\w.])|(?<=[<x, ])\d+(?=x[\dbfiu])")
LARGEST = 1 << 24
"""Elements of an array that a test makes."""

CONTROL = """
builtin.module {
  neuron.isa.program @control {
    neuron.isa.tensor "n" : memref<4xi32> alias 1
    neuron.isa.buffer "b" "sbuf" partitions 1 at 0 bytes 16 slots 4 stride 32 used 0 to 4
    neuron.isa.core 0 {
      neuron.isa.stream sync {
        neuron.isa.register_load dst 1 src <hbm "n" at 4, [1 x 1], i32>
        neuron.isa.register_move dst 2 src <3>
        neuron.isa.register_alu_op op multiply dst 3 src <r2> imm <5>
        neuron.isa.register_alu_op op left_shift dst 3 src <r3> imm <2>
        neuron.isa.register_store dst <hbm "n" at 8, [1 x 1], i32> src <r3>
        neuron.isa.loop counter 4 bound <3> {
          neuron.isa.event_semaphore update <sem 1 add 2>
        }
        neuron.isa.while register 2 {
          neuron.isa.register_alu_op op subtract dst 2 src <r2> imm <1>
        }
        neuron.isa.cmp_branch lt src <r3> imm <7> {
          neuron.isa.register_move dst 5 src <1>
        } else {
          neuron.isa.register_move dst 5 src <2>
        }
      }
      neuron.isa.stream vector {
        neuron.isa.repeat 3 {
          neuron.isa.repeat 2 {
            neuron.isa.memset value 0 : i64 dst <sbuf[0:1] at 32 * i1 + 4 * (i0 mod 2), [1 x 1], f32>
                wait <sem 1 reaches 2 * (i0 floordiv 3)> update <sem 2 add 1>
          }
        }
      }
    }
  }
}
"""


def texts() -> Iterator[tuple[str, str]]:
    yield "control", CONTROL
    for path in sorted(PROGRAMS.glob("*.mlir")):
        yield path.stem, path.read_text()
    for sample in SAMPLES:
        levels = BY_NAME[sample.name].levels
        if "neuron.isa" in levels:
            yield f"{sample.name} isa", str(isa_module(sample, sample.target))
        if "neuron.engine" in levels:
            yield f"{sample.name} engine", str(engine_module(sample, sample.target))


@cache
def places() -> list[tuple[str, str, int, int]]:
    """Name and text, and from where to where an integer stands in it; once where lines are equal but for numbers."""
    found: dict[tuple[str, int], tuple[str, str, int, int]] = {}
    for name, text in texts():
        for line in re.finditer(r"[^\n]+", text):
            form = re.sub(r"\d+", "0", line[0].split(" loc(")[0])
            for number, match in enumerate(INTEGER.finditer(line[0].split(" loc(")[0])):
                start = line.start() + match.start()
                found.setdefault((form, number), (name, text, start, start + len(match[0])))
    return list(found.values())


def zeros(module: Any) -> list[np.ndarray]:
    (found,) = [op for op in module.body.ops if isinstance(op, ProgramOp)]
    types = [t.type for t in found.tensors()]
    sizes = [min(LARGEST, int(np.prod([float(n) for n in t.get_shape()]))) for t in types]
    return [np.zeros(size, NUMPY[dtype(t.element_type).name]) for t, size in zip(types, sizes, strict=True)]


def attempt(text: str) -> str:
    """What becomes of a program: the error of ours, or nothing."""
    try:
        module = nki_mlir.parse(text)
        if "neuron.engine." in text:
            module = nki_mlir.pipeline("allocate,engine-to-isa")(module)
        time_program(module, max_instructions=2000)
        execute(module, zeros(module), max_instructions=2000)
    except (CompileError, ExecutionError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("seed", range(8))
def test_an_integer_that_no_machine_has(seed: int) -> None:
    rng = random.Random(seed)
    for name, text, start, end in rng.sample(places(), 25):
        value = rng.choice(VALUES)
        changed = f"{text[:start]}{value}{text[end:]}"
        try:
            attempt(changed)
        except Exception as error:
            line = changed[changed.rfind("\n", 0, start) + 1 :].split("\n", 1)[0]
            raise AssertionError(f"{name}: {value} at {start - changed.rfind(chr(10), 0, start)} in\n{line}") from error


def test_the_programs_run_as_they_are() -> None:
    assert attempt(CONTROL) == ""
    for path in PROGRAMS.glob("*.mlir"):
        assert attempt(path.read_text()) in ("", "the module names no chip")


EVENT = "neuron.isa.event_semaphore update <sem {} add {}>"


def streams(body: str) -> str:
    return f"neuron.isa.stream sync {{ {body} }}"


@pytest.mark.parametrize("count", [2**40, 2**63 - 1])
def test_repeats_of_nothing_take_no_time(count: int) -> None:
    empty = f"neuron.isa.repeat {count} {{ neuron.isa.repeat {count} {{ }} }}"
    assert execute(program(streams(empty + EVENT.format(0, 1))), []).instructions == 1


LOOPS = {
    "repeat": f"neuron.isa.repeat {2**40} {{ {EVENT.format(0, 1)} }}",
    "nested": f"neuron.isa.repeat {2**40} {{ neuron.isa.repeat {2**40} {{ {EVENT.format(0, 1)} }} }}",
    "loop": f"neuron.isa.loop counter 1 bound <{2**40}> {{ }}",
    "branch": f"neuron.isa.repeat {2**40} {{ neuron.isa.cmp_branch lt src <r1> imm <1> {{ }} }}",
}


RUNS: list[Callable[..., Any]] = [lambda module, **options: execute(module, [], **options), time_program]


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_run_has_a_limit_that_its_message_names(loop: str, run: Callable[..., Any]) -> None:
    with pytest.raises(ExecutionError, match=r"more than 5,000 instructions.*`max_instructions` of `execute`"):
        run(program(streams(LOOPS[loop])), max_instructions=5000)


def test_the_limit_counts_exactly() -> None:
    module = program(streams(f"neuron.isa.repeat 100 {{ {EVENT.format(0, 1)} }}"))
    assert execute(module, [], max_instructions=100).instructions == 100
    with pytest.raises(ExecutionError, match="event_semaphore on sync: the program executes more than 99 instructions"):
        execute(module, [], max_instructions=99)


REFUSED = {
    EVENT.format(2**64, 1): "this number has more than 64 bits",
    EVENT.format(0, 10**30): "this number has more than 64 bits",
    EVENT.format(0, 2**40): "an update adds at most 2147483647, got 1099511627776",
    EVENT.format(f"{2**40} * {2**40} * i0", 1): "does not fit in 64 bits",
    "neuron.isa.event_semaphore wait <sem 0 reaches 9223372036854775808>": "9223372036854775808 does not fit",
    "neuron.isa.register_move dst 1 src <-9223372036854775809>": "-9223372036854775809 does not fit in 64 bits",
    f"neuron.isa.memset value 0 : i64 dst <sbuf[0:1] at 0, [1 x {2**70}], f32>": "more than 64 bits",
}


@pytest.mark.parametrize("text", REFUSED)
def test_numbers_of_more_than_64_bits_are_refused(text: str) -> None:
    stream = streams(f"neuron.isa.repeat 2 {{ {text} }}".replace("stream sync", "stream vector"))
    with pytest.raises(CompileError, match=re.escape(REFUSED[text])):
        nki_mlir.parse(f"neuron.isa.program @p {{ neuron.isa.core 0 {{ {stream} }} }}")


def test_numbers_that_grow_beyond_64_bits() -> None:
    """Each coefficient fits, the address does not."""
    text = f"neuron.isa.repeat 3 {{ neuron.isa.event_semaphore wait <sem 0 reaches {2**62} * i0 - {2**62}> }}"
    with pytest.raises(ExecutionError, match="deadlock"):
        execute(program(streams(text)), [])
    move = f"neuron.isa.repeat 9 {{ neuron.isa.register_move dst 1 src <{2**62} * i0> }}"
    with pytest.raises(ExecutionError, match=f"register_move on sync: .* is {2**63}, beyond 64 bits"):
        execute(program(streams(move)), [])


BUFFER = 'neuron.isa.buffer "b" "{}" partitions {} at {} bytes {} slots {} used 0 to 4'
BUFFERS = {
    ("sbuf", 1, 0, 64, 2147483647): "the buffer's 2147483647 slots take bytes 0..137438953407 of each partition; sbuf",
    ("psum", 1, 16384, 4, 1): "the buffer's 1 slots take bytes 16384..16387 of each partition; psum has 16384",
    ("sbuf", 129, 0, 4, 1): "sbuf has 128 partitions, got 129",
    ("sbuf", 1, 0, 0, 1): "a buffer has at least 1 of its bytes, got 0",
    ("sbuf", 1, 0, 4, -1): "a buffer has at least 1 of its slots, got -1",
    ("sbuf", 1, -4, 4, 1): "the buffer's 1 slots take bytes -4..-1 of each partition; sbuf has 196608",
}


@pytest.mark.parametrize("numbers", BUFFERS)
def test_buffers_lie_in_their_memory(numbers: tuple[Any, ...]) -> None:
    with pytest.raises(CompileError, match=re.escape(BUFFERS[numbers])):
        nki_mlir.parse(f"neuron.isa.program @p {{ {BUFFER.format(*numbers)} }}")


def test_a_tensor_beyond_any_memory() -> None:
    text = 'neuron.isa.program @p { neuron.isa.tensor "x" : memref<99999999999x99999999999xf32> }'
    with pytest.raises(CompileError, match="a tensor has at most 281474976710656 bytes"):
        nki_mlir.parse(text)


@pytest.mark.parametrize("seed", range(5))
def test_slots_against_a_list_of_all(seed: int) -> None:
    rng = random.Random(seed)
    lines, ranges, at = [], [], 0
    for _ in range(3):
        at, size, slots = at + rng.randint(0, 9), rng.randint(1, 9), rng.randint(1, 4)
        stride = size + rng.randint(0, 3)
        lines.append(BUFFER.format("sbuf", 4, at, size, slots).replace(" used", f" stride {stride} used"))
        ranges += [(at + k * stride, at + k * stride + size) for k in range(slots)]
        at = ranges[-1][1]
    module = nki_mlir.parse(f"neuron.isa.program @p {{ {' '.join(lines)} }}")
    (found,) = [op for op in module.body.ops if isinstance(op, ProgramOp)]
    table = buffers.slots(found)["sbuf"]
    for low in range(at + 3):
        for high in range(low + 1, at + 4):
            reason = table.why_not(0, 4, low, high)
            assert (reason is None) == any(a <= low and high <= b for a, b in ranges)
            assert reason is None or ("no buffer" in reason) == all(b <= low or high <= a for a, b in ranges)
            assert table.why_not(0, 5, low, high) is not None
