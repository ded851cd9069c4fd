"""Run-time scalars and control flow in modules of `neuron.engine`, lowered and run: machine code against NumPy, with all
checks, in several timings, on trn1 and trn2."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from nki_mlir import CompileError, execute, parse
from nki_mlir.dialects.neuron_isa import LoopOp, WhileOp
from nki_mlir.passes.levels import remaining_pipeline
from nki_mlir.passes.pipelines import build, run, set_target

Array = np.ndarray[Any, np.dtype[Any]]

TARGETS = ("trn1", "trn2")
SEEDS = (None, *range(4))
TRIPS = (0, 1, 2, 7)
BLOCK, BLOCKS = 8, 64
ELEMENTS = BLOCK * BLOCKS
MEMORY = f"memref<{ELEMENTS}xf32>"
VIEW = f"!neuron.engine.view<sbuf[0:{BLOCK}], [1 x 1], f32>"
HBM = f"!neuron.engine.view<hbm, [1 x {BLOCK}], f32>"
BUFFER = f"!neuron.engine.buffer<sbuf, {BLOCK} x 4>"
NUMBERS = "memref<8xi32>"
ROW = "!neuron.engine.buffer<sbuf, 1 x 32>"
ALL = "!neuron.engine.view<sbuf[0:1], [1 x 8], i32>"
ONE = "!neuron.engine.view<sbuf[0:1], [1 x 1], i32>"
DGE = 'gpsimd queue 0 dge_mode "swdge"'


def constants(*numbers: int) -> str:
    return "\n".join(f"%c{n} = arith.constant {n} : index" for n in sorted({*range(9), *numbers}))


def kernel(body: str) -> str:
    """A kernel of `%x`, `%y` and `%numbers`, which is in SBUF as `%row`; `%cN` are constants."""
    return f"""
      func.func @f(%numbers: {NUMBERS}, %x: {MEMORY}, %y: {MEMORY})
          attributes {{tile.arg_names = ["numbers", "x", "y"]}} {{
        {constants(BLOCK, 16)}
        %row = neuron.engine.alloc "row" : {ROW}
        %all = neuron.engine.view %row : {ROW} -> {ALL}
        %there = neuron.engine.view %numbers : {NUMBERS} -> !neuron.engine.view<hbm, [1 x 8], i32>
        neuron.engine.dma_copy sync queue 0 dst %all : {ALL} src %there : !neuron.engine.view<hbm, [1 x 8], i32>
        {body}
        func.return
      }}
    """


def number(name: str, place: int) -> str:
    """`%name` is an element of the row."""
    return f"""
      %{name}_v = neuron.engine.view %row at %c{place} : {ROW} -> {ONE}
      %{name} = neuron.engine.scalar %{name}_v : {ONE}
    """


def buffer(name: str) -> str:
    return f"""
      %{name}_b = neuron.engine.alloc "{name}" : {BUFFER}
      %{name} = neuron.engine.view %{name}_b : {BUFFER} -> {VIEW}
    """


def at(name: str, block: str) -> str:
    return f"%{name} = arith.muli %{block}, %c{BLOCK} : index"


def load(to: str, offset: str, how: str = "sync queue 0") -> str:
    return f"""
      %{to}_h = neuron.engine.view %x at %{offset} : {MEMORY} -> {HBM}
      neuron.engine.dma_copy {how} dst %{to} : {VIEW} src %{to}_h : {HBM}
    """


def store(name: str, offset: str, how: str = "gpsimd queue 1") -> str:
    return f"""
      %{name}_to_{offset} = neuron.engine.view %y at %{offset} : {MEMORY} -> {HBM}
      neuron.engine.dma_copy {how} dst %{name}_to_{offset} : {HBM} src %{name} : {VIEW}
    """


def add(dst: str, a: str, b: str, engine: str = "vector") -> str:
    operands = f"dst %{dst} : {VIEW} data1 %{a} : {VIEW} data2 %{b} : {VIEW}"
    return f"neuron.engine.tensor_tensor {engine} op add {operands}"


@cache
def lowered(text: str, target: str) -> Any:
    module = parse(text)
    set_target(module, target)
    run(build(remaining_pipeline(module)), module)
    return module


def check(
    body: str,
    numbers: Sequence[int],
    wanted: Callable[[Array, Array], None],
    targets: Sequence[str] = TARGETS,
    seeds: Sequence[int | None] = SEEDS,
) -> None:
    """Runs a kernel's body in several timings; `wanted` turns the initial output, -1 everywhere, into the final one."""
    given = np.zeros(8, np.int32)
    given[: len(numbers)] = numbers
    x = np.random.default_rng(3).standard_normal(ELEMENTS).astype(np.float32)
    expected = np.full(ELEMENTS, -1, np.float32)
    wanted(x.reshape(BLOCKS, BLOCK), expected.reshape(BLOCKS, BLOCK))
    for target, seed in itertools.product(targets, seeds):
        y = np.full(ELEMENTS, -1, np.float32)
        execute(lowered(kernel(body), target), [given, x, y], seed=seed)
        np.testing.assert_array_equal(y, expected)


DOUBLE_BLOCKS = f"""
  {buffer("v")}
  {at("at", "i")}
  {load("v", "at", DGE)}
  {add("v", "v", "v")}
  {store("v", "at", DGE)}
"""
"""Block `%i` of y is twice that of x."""


@pytest.mark.parametrize("trips", [*TRIPS, -3])
def test_run_time_bound(trips: int) -> None:
    def wanted(x: Array, y: Array) -> None:
        y[: max(trips, 0)] = 2 * x[: max(trips, 0)]

    check(f"{number('n', 2)} scf.for %i = %c0 to %n step %c1 {{ {DOUBLE_BLOCKS} }}", [0, 0, trips], wanted)


@pytest.mark.parametrize("bounds", [(0, 0), (0, 7), (1, 8), (3, 3), (4, 2), (2, 16), (0, 5)], ids=str)
def test_lower_bound_and_step(bounds: tuple[int, int]) -> None:
    low, high = bounds

    def wanted(x: Array, y: Array) -> None:
        y[low:high:3] = 2 * x[low:high:3]

    numbers = f"{number('low', 0)} {number('high', 1)}"
    check(f"{numbers} scf.for %i = %low to %high step %c3 {{ {DOUBLE_BLOCKS} }}", bounds, wanted)
    if low < 9:
        loop = f"scf.for %i = %c{low} to %high step %c3 {{ {DOUBLE_BLOCKS} }}"
        check(f"{numbers} {loop}", bounds, wanted)
    if high < 9:
        check(f"{numbers} scf.for %i = %low to %c{high} step %c3 {{ {DOUBLE_BLOCKS} }}", bounds, wanted)


def test_a_loop_of_two_run_time_bounds_is_a_while_of_the_machine() -> None:
    loop = f"{number('low', 0)} {number('high', 1)} scf.for %i = %low to %high step %c1 {{ {DOUBLE_BLOCKS} }}"
    assert any(isinstance(op, WhileOp) for op in lowered(kernel(loop), "trn1").walk())
    loop = f"{number('high', 1)} scf.for %i = %c2 to %high step %c3 {{ {DOUBLE_BLOCKS} }}"
    assert any(isinstance(op, LoopOp) for op in lowered(kernel(loop), "trn1").walk())


@pytest.mark.parametrize("trips", TRIPS)
def test_a_sum_over_a_run_time_loop(trips: int) -> None:
    """What is made before is read and written inside, and read behind by an engine that takes no part."""

    def wanted(x: Array, y: Array) -> None:
        total = x[9].copy()
        for i in range(trips):
            total += x[i]
        y[3] = total

    body = f"""
      %c72 = arith.constant 72 : index
      %c24 = arith.constant 24 : index
      {number("n", 1)}
      {buffer("sum")}
      {load("sum", "c72")}
      scf.for %i = %c0 to %n step %c1 {{
        {buffer("v")}
        {at("at", "i")}
        {load("v", "at", DGE)}
        {add("sum", "sum", "v")}
      }}
      {store("sum", "c24", "sync queue 1")}
    """
    check(body, [5, trips], wanted)


@pytest.mark.parametrize("flag", [0, 1])
@pytest.mark.parametrize("otherwise", [False, True])
def test_if(flag: int, otherwise: bool) -> None:
    """The sides use other engines; what comes behind depends on both."""

    def wanted(x: Array, y: Array) -> None:
        y[2] = 2 * x[0] if flag else 3 * x[0] if otherwise else x[0]

    other = f"else {{ {add('w', 'v', 'v', 'gpsimd')} {add('v', 'w', 'v')} }}"
    body = f"""
      {number("n", 0)}
      {buffer("v")}
      {buffer("w")}
      {load("v", "c0")}
      %take = arith.cmpi ne, %n, %c0 : index
      scf.if %take {{ {add("v", "v", "v", "gpsimd")} }} {other if otherwise else ""}
      {store("v", "c16", "sync queue 1")}
    """
    check(body, [flag], wanted)


@pytest.mark.parametrize("flags", [*itertools.product((0, 1), repeat=3)], ids=str)
def test_ifs_in_a_compile_time_loop(flags: tuple[int, int, int]) -> None:
    """Iterations that take a branch and others that don't, in any order; buffers outside the branch have two slots."""

    def wanted(x: Array, y: Array) -> None:
        for i, flag in enumerate(flags):
            y[i] = 4 * x[i] if flag else x[i]

    body = f"""
      scf.for %i = %c0 to %c3 step %c1 {{
        {buffer("v")}
        {at("at", "i")}
        {load("v", "at")}
        %n_v = neuron.engine.view %row at %i : {ROW} -> {ONE}
        %n = neuron.engine.scalar %n_v : {ONE}
        %take = arith.cmpi eq, %n, %c1 : index
        scf.if %take {{
          {buffer("w")}
          {add("w", "v", "v", "gpsimd")}
          {add("v", "w", "w")}
        }}
        {store("v", "at")}
      }}
    """
    check(body, flags, wanted)


@pytest.mark.parametrize("start", [0, 1, 2, 7, 100])
def test_a_while_that_halves_a_number(start: int) -> None:
    """Once for each time that it can be halved, the sum is doubled."""

    def wanted(x: Array, y: Array) -> None:
        total, left = x[0].copy(), start
        while left > 0:
            total, left = total + total, left // 2
        y[2] = total

    body = f"""
      {buffer("v")}
      {load("v", "c0")}
      %two = arith.constant 1.0 : f32
      %left = neuron.engine.view %row : {ROW} -> {ONE}
      %by_v = neuron.engine.view %row at %c1 : {ROW} -> {ONE}
      scf.while () : () -> () {{
        %n = neuron.engine.scalar %left : {ONE}
        %more = arith.cmpi sgt, %n, %c0 : index
        scf.condition(%more)
      }} do {{
        {add("v", "v", "v")}
        neuron.engine.tensor_tensor vector op right_shift dst %left : {ONE} data1 %left : {ONE} data2 %by_v : {ONE}
        scf.yield
      }}
      {store("v", "c16")}
    """
    check(body, [start, 1], wanted)


@pytest.mark.parametrize("rows", [(0, 1, 2), (63, 7, 7), (5, 40, 0)], ids=str)
def test_rows_are_gathered_by_loaded_numbers(rows: tuple[int, int, int]) -> None:
    def wanted(x: Array, y: Array) -> None:
        y[list(range(3))] = x[list(rows)]

    body = f"""
      scf.for %i = %c0 to %c3 step %c1 {{
        {buffer("v")}
        %n_v = neuron.engine.view %row at %i : {ROW} -> {ONE}
        %n = neuron.engine.scalar %n_v : {ONE}
        {at("from", "n")}
        {at("to", "i")}
        {load("v", "from", DGE)}
        {store("v", "to", "sync queue 0")}
      }}
    """
    check(body, rows, wanted)


def test_rows_by_hardware_descriptors() -> None:
    """On trn2 the Sync engine's transfers may have addresses in registers too."""
    body = f"{number('n', 0)} {buffer('v')} {at('from', 'n')} {load('v', 'from', HWDGE)} {store('v', 'c0')}"
    x, y = np.arange(ELEMENTS, dtype=np.float32), np.full(ELEMENTS, -1, np.float32)
    text = f'builtin.module attributes {{neuron.target = "trn2"}} {{ {kernel(body)} }}'
    execute(lowered(text, "trn2"), [np.full(8, 6, np.int32), x, y])
    np.testing.assert_array_equal(y[:BLOCK], x[6 * BLOCK : 7 * BLOCK])


HWDGE = 'sync queue 0 dge_mode "hwdge"'


@pytest.mark.parametrize("column", [0, 3, 7])
def test_an_element_of_sbuf_by_a_loaded_number(column: int) -> None:
    """A run-time offset on chip, of an instruction of the Vector engine."""

    def wanted(x: Array, y: Array) -> None:
        y[0] = x[:8, :][:, column]

    wide = "!neuron.engine.buffer<sbuf, 8 x 32>"
    body = f"""
      {number("n", 0)}
      %b = neuron.engine.alloc "b" : {wide}
      %whole = neuron.engine.view %b : {wide} -> !neuron.engine.view<sbuf[0:8], [1 x 8], f32>
      %h = neuron.engine.view %x : {MEMORY} -> !neuron.engine.view<hbm, [1 x 64], f32>
      neuron.engine.dma_copy sync queue 0 dst %whole : !neuron.engine.view<sbuf[0:8], [1 x 8], f32>
        src %h : !neuron.engine.view<hbm, [1 x 64], f32>
      %v = neuron.engine.view %b at %n : {wide} -> {VIEW}
      {buffer("w")}
      neuron.engine.tensor_copy vector dst %w : {VIEW} src %v : {VIEW}
      {store("w", "c0")}
    """
    check(body, [column], wanted)


@pytest.mark.parametrize("trips", TRIPS)
@pytest.mark.parametrize("outer", ["%c3", "%m"])
@pytest.mark.parametrize("inner", ["%c4", "%n"])
def test_nests(trips: int, outer: str, inner: str) -> None:
    """Loops of constant and run-time bounds in each other: block 8 * i + j, with sums carried through both."""
    rows, columns = 3 if outer == "%c3" else 2, 4 if inner == "%c4" else trips

    def wanted(x: Array, y: Array) -> None:
        total = x[63].copy()
        for i, j in itertools.product(range(rows), range(columns)):
            total += x[8 * i + j]
            y[8 * i + j] = total
        y[62] = total

    body = f"""
      %c504 = arith.constant 504 : index
      %c496 = arith.constant 496 : index
      %c64 = arith.constant 64 : index
      {number("n", 0)}
      {number("m", 1)}
      {buffer("sum")}
      {load("sum", "c504")}
      scf.for %i = %c0 to {outer} step %c1 {{
        scf.for %j = %c0 to {inner} step %c1 {{
          %row_of = arith.muli %i, %c64 : index
          {at("column", "j")}
          %at = arith.addi %row_of, %column : index
          {buffer("v")}
          {load("v", "at", DGE)}
          {add("sum", "sum", "v", "gpsimd")}
          neuron.engine.tensor_copy vector dst %v : {VIEW} src %sum : {VIEW}
          {store("v", "at", DGE)}
        }}
      }}
      {store("sum", "c496", "sync queue 1")}
    """
    check(body, [trips, 2], wanted)


@pytest.mark.parametrize("trips", [0, 3])
def test_slots_in_a_loop_inside_a_run_time_loop(trips: int) -> None:
    """A loop of constant bounds inside keeps its slots, also where its iterations don't use them equally often."""

    def wanted(x: Array, y: Array) -> None:
        for i, j in itertools.product(range(trips), range(5)):
            y[8 * i + j] = 2 * x[8 * i + j]

    body = f"""
      %c64 = arith.constant 64 : index
      {number("n", 0)}
      scf.for %i = %c0 to %n step %c1 {{
        scf.for %j = %c0 to %c5 step %c1 {{
          %row_of = arith.muli %i, %c64 : index
          {at("column", "j")}
          %at = arith.addi %row_of, %column : index
          {buffer("v")}
          {load("v", "at", DGE)}
          {add("v", "v", "v")}
          {store("v", "at", DGE)}
        }}
      }}
    """
    assert "slots 4" in str(lowered(kernel(body), "trn1"))
    check(body, [trips], wanted)


# Arithmetic on registers.

ARITHMETIC: dict[str, tuple[str, Callable[[int, int], int]]] = {
    "divsi": ("arith.divsi %a, %c3 : index", lambda a, b: int(a / 3)),
    "remsi": ("arith.remsi %a, %c3 : index", lambda a, b: a - 3 * int(a / 3)),
    "floordivsi": ("arith.floordivsi %a, %c4 : index", lambda a, b: a // 4),
    "min of two": ("arith.minsi %a, %b : index", lambda a, b: min(a, b)),
    "max of two": ("arith.maxsi %a, %b : index", lambda a, b: max(a, b)),
    "min": ("arith.minsi %a, %c2 : index", lambda a, b: min(a, 2)),
    "max": ("arith.maxsi %c2, %a : index", lambda a, b: max(2, a)),
    "and": ("arith.andi %a, %c6 : index", lambda a, b: a & 6),
    "or": ("arith.ori %c5, %a : index", lambda a, b: a | 5),
    "xor": ("arith.xori %a, %c3 : index", lambda a, b: a ^ 3),
    "shift": ("arith.shli %a, %c2 : index", lambda a, b: a << 2),
    "logical shift": ("arith.shrui %a, %c1 : index", lambda a, b: (a % 2**32) >> 1),
    "sum": ("arith.addi %a, %b : index", lambda a, b: a + b),
    "difference": ("arith.subi %c4, %a : index", lambda a, b: 4 - a),
}


def marked(value: str) -> str:
    """Writes x[0] to block 24 + %v of y, as long as that is one."""
    return f"""
      %c24 = arith.constant 24 : index
      {value}
      %up = arith.addi %v, %c24 : index
      {at("to", "up")}
      {buffer("t")}
      {load("t", "c0")}
      {store("t", "to", DGE)}
    """


@pytest.mark.parametrize("name", ARITHMETIC)
@pytest.mark.parametrize("a", [-5, -3, 0, 2, 7])
def test_arithmetic(name: str, a: int) -> None:
    text, function = ARITHMETIC[name]
    if not 0 <= 24 + function(a, 1) < BLOCKS:
        pytest.skip("no such block")

    def wanted(x: Array, y: Array) -> None:
        y[24 + function(a, 1)] = x[0]

    check(f"{number('a', 0)} {number('b', 1)} {marked(f'%v = {text}')}", [a, 1], wanted, ("trn1",), (None, 0))


CONDITIONS: dict[str, tuple[str, Callable[[int, int], bool]]] = {
    **{
        f"{word} {sides}": (f"%p = arith.cmpi {word}, {sides} : index", holds)
        for word, compare in {
            "eq": lambda a, b: a == b,
            "ne": lambda a, b: a != b,
            "slt": lambda a, b: a < b,
            "sle": lambda a, b: a <= b,
            "sgt": lambda a, b: a > b,
            "sge": lambda a, b: a >= b,
        }.items()
        for sides, holds in {
            "%a, %c2": lambda a, b, compare=compare: compare(a, 2),
            "%c2, %a": lambda a, b, compare=compare: compare(2, a),
            "%a, %b": compare,
        }.items()
    },
    **{
        f"{word} of two": (
            f"""%q = arith.cmpi sgt, %a, %c1 : index
            %r = arith.cmpi sgt, %b, %c1 : index
            %p = arith.{word} %q, %r : i1""",
            function,
        )
        for word, function in {
            "andi": lambda a, b: a > 1 and b > 1,
            "ori": lambda a, b: a > 1 or b > 1,
            "xori": lambda a, b: (a > 1) != (b > 1),
        }.items()
    },
    "not": (
        """%q = arith.cmpi sgt, %a, %c1 : index
        %true = arith.constant true
        %p = arith.xori %q, %true : i1""",
        lambda a, b: a <= 1,
    ),
    "sum of a number and a counter": (
        """%q = arith.addi %a, %c1 : index
        %p = arith.cmpi slt, %q, %b : index""",
        lambda a, b: a + 1 < b,
    ),
}


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("numbers", [(1, 2), (2, 2), (3, 0), (0, 0)], ids=str)
def test_conditions(name: str, numbers: tuple[int, int]) -> None:
    """As a condition of an if, as a number, and as what a select goes by."""
    text, holds = CONDITIONS[name]

    def wanted(x: Array, y: Array) -> None:
        y[24 + (5 if holds(*numbers) else numbers[1])] = x[0]
        if holds(*numbers):
            y[2] = x[0]

    body = f"""
      {number("a", 0)}
      {number("b", 1)}
      {text}
      {marked("%v = arith.select %p, %c5, %b : index")}
      scf.if %p {{ {store("t", "c16")} }}
    """
    check(body, numbers, wanted, ("trn1",), (None, 0))


# What is refused.

TWO = "of two values that are known at run time only: a register instruction takes a constant on one side"
REFUSED = {
    "a product of two": (f"%v = arith.muli %a, %b : index {marked('')}", f"arith.muli {TWO}"),
    "a sum that is compared": (
        f"%s = arith.addi %a, %b : index %p = arith.cmpi slt, %s, %c3 : index scf.if %p {{ {buffer('t')} {load('t', 'c0')} }}",
        f"adding {TWO}",
    ),
    "a run-time divisor": (
        f"%v = arith.divsi %c8, %b : index {marked('')}",
        "takes a divisor that is a constant above 0",
    ),
    "a run-time shift": (
        f"%v = arith.shli %c1, %b : index {marked('')}",
        "arith.shli: the right side is known at run time only; a register instruction takes a constant there",
    ),
    "an unsigned comparison": (
        f"%p = arith.cmpi ult, %a, %c3 : index scf.if %p {{ {buffer('t')} {load('t', 'c0')} }}",
        "arith.cmpi of run-time scalars has no instruction",
    ),
    "other integers": (
        f"%w = arith.index_cast %a : index to i16 %v = arith.index_cast %w : i16 to index {marked('')}",
        "arith.index_cast: registers hold index, i32 and i1, got i16",
    ),
    "static descriptors": (
        f"{buffer('v')} {at('to', 'a')} {load('v', 'to')}",
        'an address of this transfer is known at run time only; it takes dge_mode "swdge" on gpsimd',
    ),
    "a run-time step": (
        f"scf.for %i = %c0 to %c3 step %a {{ {DOUBLE_BLOCKS} }}",
        "a loop's step is a constant of at least 1; this loop's is known at run time only",
    ),
    "a carried value": (
        "%s = scf.while (%k = %c0) : (index) -> index {"
        " %p = arith.cmpi slt, %k, %a : index scf.condition(%p) %k : index } do { ^bb0(%l: index): scf.yield %l : index }",
        "scf.while of neuron.engine carries tiles, not index",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    body, message = REFUSED[name]
    with pytest.raises(CompileError) as caught:
        lowered(kernel(f"{number('a', 0)} {number('b', 1)} {body}"), "trn1")
    assert message in caught.value.message
    assert caught.value.line is not None


def test_too_many_registers() -> None:
    """Each stream has 64."""
    numbers = "".join(number(f"n{k}", k % 8) for k in range(70))
    uses = "".join(f"{at(f'o{k}', f'n{k}')} {store('v', f'o{k}', DGE)}" for k in range(70))
    with pytest.raises(CompileError, match="the run-time scalars of a stream need more than the 64 registers it has"):
        lowered(kernel(f"{buffer('v')} {load('v', 'c0')} {numbers} {uses}"), "trn1")


def test_too_many_registers_for_regions() -> None:
    """Each body counts its runs in a register."""
    ifs = "".join(f"scf.if %p {{ {add('v', 'v', 'v')} }}" for _ in range(64))
    body = f"{number('a', 0)} %p = arith.cmpi eq, %a, %c1 : index {buffer('v')} {load('v', 'c0')} {ifs}"
    with pytest.raises(CompileError, match="run-time control flow needs more than the 64 registers of a sequencer"):
        lowered(kernel(body), "trn1")
