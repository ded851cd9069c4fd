"""How long an engine works on an instruction: the target's cost cases evaluated for one occurrence
(docs/hardware.md#time-of-an-instruction).

Times are nanoseconds. The Tensor engine's matmul instructions follow docs/hardware.md#time-of-a-matmul, DMA transfers
docs/hardware.md#time-of-a-transfer (`transfers.py`), control instructions the target's `control` section. What depends
on what else is under way (who waits, which weights or functions are loaded) is the executor's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from types import CodeType
from typing import NamedTuple

from nki_mlir.dialects.access import Access, Engine, Space, contiguous
from nki_mlir.dialects.dtypes import DTYPES, by_name, dtype
from nki_mlir.dialects.instructions import BY_NAME, Alu, Function, Instance
from nki_mlir.dialects.instructions.tensor import LOADED, columns, is_bit_transpose
from nki_mlir.targets import CostCase, Target


class Cost(NamedTuple):
    """An instruction keeps its engine for `occupancy` ns; its result is there `latency` ns after it started."""

    occupancy: float
    latency: float


class Load(NamedTuple):
    """A load_stationary: `pairs` loads of `each` ns, whose weights can be used `latency` ns later."""

    pairs: int
    each: float
    latency: float


class Stream(NamedTuple):
    """A multiply_moving: `pairs` streams of `each` ns, `gap` ns apart; its result is there `drain` ns later. Columns
    move for `moved` ns of each."""

    pairs: int
    each: float
    gap: float
    drain: float
    moved: float


_SHORT = {by_name("bfloat16").type, by_name("float16").type}
_FP8 = {d.type for d in DTYPES if d.kind == "float" and d.bytes == 1}
_BF16, _F32 = by_name("bfloat16").type, by_name("float32").type
_PASSES = {"float32": "fp32", "tfloat32": "tf32", "bfloat16": "bf16", "float16": "fp16"}


def _inputs(i: Instance) -> list[Access]:
    return [access for operand, access in i.accesses() if operand.role == "src" and operand.shape != "column"]


def _outputs(i: Instance) -> list[Access]:
    return [access for operand, access in i.accesses() if operand.role == "dst" and operand.shape != "column"]


def _tiles(i: Instance) -> list[Access]:
    return [*_inputs(i), *_outputs(i)]


def main_input(i: Instance) -> Access:
    """What N and P count: the first full tile that is read, or the one written where nothing is."""
    return (*_inputs(i), *_outputs(i))[0]


def innermost_step(access: Access) -> int:
    """Elements between neighbours in the fastest dimension that has any."""
    step, count = contiguous(access.dims)[-1]
    return abs(step) if count > 1 else 1


def _in_sbuf(accesses: list[Access]) -> bool:
    return all(a.space is Space.SBUF for a in accesses)


def _are(accesses: list[Access], types: set[object]) -> bool:
    return all(a.element_type in types for a in accesses)


def _dense(accesses: list[Access]) -> bool:
    return all(innermost_step(a) == 1 for a in accesses)


def _psum_side(i: Instance) -> bool:
    tiles = _tiles(i)
    one = len(_inputs(i)) == 1 and sum(a.space is Space.PSUM for a in tiles) == 1
    return one and _are(tiles, {*_SHORT}) and _dense(tiles)


def _of_psum(i: Instance, types: set[object]) -> bool:
    main = main_input(i)
    return main.space is Space.PSUM and main.element_type in types


PREDICATES: Mapping[str, Callable[[Instance], bool]] = {
    "one_psum_input": lambda i: sorted(a.space for a in _inputs(i)) == [Space.PSUM, Space.SBUF],
    "both_sbuf_bf16_fast": lambda i: (
        _in_sbuf(_inputs(i))
        and _are(_tiles(i), {_BF16})
        and i.fields["op"] in (Alu.ADD, Alu.SUBTRACT, Alu.MULTIPLY)
        and _dense(_tiles(i))
    ),
    "sbuf_16bit": lambda i: _in_sbuf(_tiles(i)) and _are(_tiles(i), {*_SHORT}),
    "sbuf_16bit_contiguous": lambda i: _in_sbuf(_tiles(i)) and _are(_tiles(i), {*_SHORT}) and _dense(_tiles(i)),
    "sbuf_16bit_strided": lambda i: _in_sbuf(_tiles(i)) and _are(_tiles(i), {*_SHORT}) and not _dense(_tiles(i)),
    "one_side_psum_16bit_contiguous": _psum_side,
    "sbuf_fp32": lambda i: len(_inputs(i)) <= 1 and _in_sbuf(_tiles(i)) and _are(_tiles(i), {_F32}),
    "reduce_16bit_fast": lambda i: _are(_inputs(i), {_BF16}) and i.fields["op"] in (Alu.ADD, Alu.MAXIMUM),
    "zero_16bit": lambda i: i.fields["value"] == 0 and _are(_outputs(i), {*_SHORT}),
    "bf16_subtract_multiply": lambda i: (
        _are(_inputs(i), {_BF16})
        and (i.fields["op0"], i.fields["op1"]) == (Alu.SUBTRACT, Alu.MULTIPLY)
        and main_input(i).free_elements % 2 == 0
    ),
    "sbuf_fp8_contiguous": lambda i: _in_sbuf(_tiles(i)) and _are(_tiles(i), {*_FP8}) and _dense(_tiles(i)),
    "power": lambda i: i.fields["op"] is Alu.POWER,
    "fp32_input": lambda i: dtype(main_input(i).element_type).name == "float32",
    "psum_16bit": lambda i: _of_psum(i, {*_SHORT}),
    "copies": lambda i: function_set(i) is None,
}
"""What the `when` of a cost case asks; the wording is in `targets`."""


@cache
def _formula(text: str) -> CodeType:
    return compile(text, text, "eval")


def _names(i: Instance) -> dict[str, float]:
    """What a cost formula may use; the wording is in `targets`."""
    main, written = main_input(i), _outputs(i)
    names: dict[str, float] = {
        "N": main.free_elements,
        "F": main.free_elements,
        "P": main.partitions,
        "B": main.itemsize,
    }
    names["D"] = written[0].free_elements if written else 0
    names["R"] = int("reduce_res" in i.operands)
    names["START"] = i.target.engine[i.engine.value].latency_cycles
    return names | {name: value for name, value in i.fields.items() if isinstance(value, int)}


def work_cycles(i: Instance) -> float:
    """Cycles of the engine, bubbles and latency aside, doubled where an interface is slowed down by a wide step."""
    return _cycles(_case(i), i)


def _cycles(case: CostCase, i: Instance) -> float:
    cycles = eval(_formula(case.cycles), {"max": max, "min": min, "ceil": math.ceil}, _names(i))
    return float(cycles) * step_factor(i)


def _case(i: Instance) -> CostCase:
    for case in i.target.cost(i.instruction.name):
        if case.engine in (None, i.engine.value) and (case.when is None or PREDICATES[case.when](i)):
            return case
    raise ValueError(f"{i.target.name}: no cost case of {i.instruction.name} holds on {i.engine}")


def step_factor(i: Instance) -> int:
    """An innermost step of 16 bytes or more halves the rate of a memory interface, but of those that are not slower for
    it, or that have a time of their own (docs/hardware.md#access-patterns)."""
    ports = i.target.ports
    slowed = [a for a in _inputs(i) if i.engine is not Engine.TENSOR or ports.slow_step_stationary or not _loads(i)]
    slowed += [a for a in _outputs(i) if _write_ns(a, i.target) is None]
    return ports.slow_step_factor if any(_wide(a, i.target) for a in slowed) else 1


def _wide(access: Access, target: Target) -> bool:
    return innermost_step(access) * access.itemsize >= target.ports.slow_step_bytes


def _loads(i: Instance) -> bool:
    """Whether the Tensor engine takes its input for the stationary tile."""
    return i.instruction.array in ("load", "transpose")


def _write_ns(access: Access, target: Target) -> float | None:
    """What an element takes that is written to SBUF at a wide step, None where `step_factor` says it."""
    if access.space is not Space.SBUF or not _wide(access, target):
        return None
    return target.ports.slow_write_ns.get(str(access.itemsize))


def _written_ns(i: Instance) -> float:
    """The least time of an instruction that writes to SBUF at a wide step."""
    times = ((access, _write_ns(access, i.target)) for access in _outputs(i))
    return max((access.free_elements * ns for access, ns in times if ns is not None), default=0.0)


def dynamic_ns(i: Instance) -> float:
    """The least interval of an instruction one of whose addresses is in a register; 0 with addresses known."""
    if not any(access.address is not None and access.address.registers() for _, access in i.accesses()):
        return 0.0
    return i.target.control.dynamic_address_cycles / i.target.clock_ghz[i.engine.value]


def cost(i: Instance) -> Cost:
    """Of an instruction that isn't a matmul's, a transfer or a control instruction, with addresses known."""
    engine, clock, case = i.target.engine[i.engine.value], _rate(i), _case(i)
    work, pointer = _cycles(case, i), _has_column(i)
    bubble = engine.bubble_cycles if case.bubble is None else case.bubble
    latency = engine.latency_ns if case.latency_ns is None else case.latency_ns
    written = _written_ns(i)
    occupancy = max(written, max(engine.min_cycles, work + bubble + pointer * engine.pointer_cycles) / clock)
    passed = max(written, work / clock) + engine.latency_cycles / clock
    return Cost(occupancy, passed + latency + pointer * engine.pointer_ns)


def _rate(i: Instance) -> float:
    """Cycles per ns: the array's under load, the clock of the others."""
    clock = i.target.clock_ghz[i.engine.value]
    return clock * i.target.matmul.sustained_rate if i.engine is Engine.TENSOR else clock


def _has_column(i: Instance) -> bool:
    """Whether an input is one number a partition."""
    return any(operand.role == "src" and operand.shape == "column" for operand, _ in i.accesses())


def function_set(i: Instance) -> str | None:
    """The function table that an instruction needs its engine to have loaded, None where any will do."""
    function = i.fields.get("op")
    if not isinstance(function, Function):
        return None
    found = i.target.activation.set_of(function.value) or function.value
    return None if found == "any" else found


class Port(NamedTuple):
    """What an instruction keeps other engines from: a memory, or, where `kind` is "bank", the banks of PSUM that it
    touches."""

    kind: str
    space: Space
    engines: tuple[str, ...]


def ports(i: Instance) -> list[Port]:
    """The memory ports that an instruction's engine never uses at the same time as the others of `engines`."""
    shared = i.target.ports
    kinds = (
        Port("sbuf", Space.SBUF, shared.sbuf_exclusive),
        Port("psum", Space.PSUM, shared.psum_exclusive),
        Port("bank", Space.PSUM, shared.psum_bank_exclusive),
    )
    spaces = {access.space for _, access in i.accesses()}
    return [port for port in kinds if port.space in spaces and i.engine.value in port.engines]


def _passes(i: Instance) -> tuple[int, int]:
    """Passes over the array, and into how many load-multiply pairs they are split. Of fp32, one pair does for a bit
    transpose (docs/hardware.md#transposes) or, assumed, where one input is all zeros and ones."""
    name, matmul = dtype(main_input(i).element_type).name, i.target.matmul
    passes, pairs = matmul.passes[_PASSES.get(name, "fp8")], matmul.fp32_pairs if name == "float32" else 1
    hints = i.fields.get("is_stationary_onezero") or i.fields.get("is_moving_onezero")
    return (passes // pairs, 1) if hints or is_bit_transpose(i) else (passes, pairs)


def matmul_parts(i: Instance) -> tuple[Instance, Instance]:
    """The load_stationary and the multiply_moving that a matmul of `neuron.engine` is on the machine."""
    loads, moves = ({n: o for n, o in i.operands.items() if (n in LOADED) is first} for first in (True, False))
    names = zip(i.instruction.expands_to, (loads, moves), strict=True)
    load_part, move_part = (replace(i, instruction=BY_NAME[name], operands=operands) for name, operands in names)
    return load_part, move_part


def load(i: Instance) -> Load:
    """Columns / 4 cycles, or two halves of 2 cycles a column for fp32 (docs/hardware.md#time-of-a-matmul)."""
    return _load(i, columns(i, main_input(i)), step_factor(i))


def load_of_stream(i: Instance) -> Load:
    """The load that a multiply_moving follows, its weights taken to lie dense: as many columns as the result has
    rows."""
    return _load(i, _outputs(i)[0].partitions, 1)


def _load(i: Instance, loaded: int, factor: int) -> Load:
    matmul, clock = i.target.matmul, _rate(i)
    (passes, pairs) = _passes(i)
    cycles = loaded * matmul.fp32_load_cycles_per_column if passes > 1 else loaded / matmul.fast_load_divisor
    return Load(pairs, cycles * factor / clock, matmul.load_latency_ns)


def stream(i: Instance) -> Stream:
    """max(moving columns, min(64, stationary columns)) cycles a pass (docs/hardware.md#time-of-a-matmul)."""
    matmul, clock, moving = i.target.matmul, _rate(i), main_input(i)
    passes, pairs = _passes(i)
    column = passes / pairs * step_factor(i) / clock
    streamed = max(columns(i, moving), min(matmul.min_moving, _outputs(i)[0].partitions))
    gap = matmul.fp32_gap_cycles if passes > 1 else matmul.gap_cycles
    return Stream(pairs, streamed * column, gap / clock, matmul.drain_ns, columns(i, moving) * column)


def odd_rows_ns(i: Instance) -> float:
    """How much longer a multiply_moving takes whose 16-bit moving rows begin at an odd element."""
    moving = main_input(i)
    if moving.itemsize != 2:
        return 0.0
    steps = contiguous(moving.dims)
    rows = moving.free_elements // steps[-1][1] if steps[-1][0] == 1 else 0
    return rows * i.target.matmul.odd_row_cycles / _rate(i)


def streams_ns(load: Load, stream: Stream) -> float:
    """From the start of a multiply_moving to the end of its last stream: the second half of fp32 weights is loaded
    while the first is in use."""
    return (stream.pairs - 1) * max(load.each, stream.each + stream.gap) + stream.each


def has_cost(name: str, target: Target) -> bool:
    """Whether the model can price an instruction of the table."""
    instruction = BY_NAME[name]
    return name in target.costs or instruction.array in ("load", "multiply") or instruction.is_transfer
