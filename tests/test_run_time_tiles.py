"""Run-time scalars and control flow that carries and yields tiles, in modules of `neuron.mem`: machine code against
NumPy, with all checks, in several timings, on trn1 and trn2."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from nki_mlir import CompileError, execute, parse
from nki_mlir.passes.levels import remaining_pipeline
from nki_mlir.passes.pipelines import build, pipeline, run, set_target

Array = np.ndarray[Any, np.dtype[Any]]

BLOCK, BLOCKS = 8, 16
ELEMENTS = BLOCK * BLOCKS
MEMORY = f"memref<{ELEMENTS}xf32>"
TILE = f"!neuron.mem.tile<sbuf, {BLOCK}xf32, [d0] x []>"
NUMBERS = "memref<4xi32>"
ONE = "!neuron.mem.tile<sbuf, 1xi32, [] x [d0]>"
FLAG = "!neuron.mem.tile<sbuf, 1xi1, [] x [d0]>"


def kernel(body: str) -> str:
    made = "\n".join(f"%c{n} = arith.constant {n} : index" for n in range(10))
    return f"""
      func.func @f(%numbers: {NUMBERS}, %x: {MEMORY}, %y: {MEMORY})
          attributes {{tile.arg_names = ["numbers", "x", "y"]}} {{
        {made}
        {body}
        func.return
      }}
    """


def number(name: str, place: int) -> str:
    """`%name_t` is a tile of one element, `%name` what is in it."""
    return f"""
      %{name}_t = neuron.mem.load %numbers(%c{place}) [s0 + d0 by 1] : {NUMBERS} -> {ONE}
      %{name} = neuron.mem.scalar %{name}_t : {ONE} -> index
    """


def load(to: str, block: str) -> str:
    return f"""
      %{to}_at = arith.muli {block}, %c8 : index
      %{to} = neuron.mem.load %x(%{to}_at) [s0 + d0 by 1] : {MEMORY} -> {TILE}
    """


def store(value: str, block: str) -> str:
    name = f"%{value}_to_{block[1:]}"
    return f"""
      {name} = arith.muli {block}, %c8 : index
      neuron.mem.store %{value} to %y({name}) [s0 + d0 by 1] : {TILE} -> {MEMORY}
    """


def binary(to: str, op: str, a: str, b: str) -> str:
    return f"%{to} = neuron.mem.binary {op} %{a}, %{b} : {TILE}, {TILE} -> {TILE}"


@cache
def lowered(text: str, target: str) -> Any:
    module = parse(text)
    set_target(module, target)
    run(build(remaining_pipeline(module)), module)
    return module


def check(body: str, numbers: Sequence[int], wanted: Callable[[Array, Array], None]) -> None:
    given = np.zeros(4, np.int32)
    given[: len(numbers)] = numbers
    x = np.random.default_rng(3).standard_normal(ELEMENTS).astype(np.float32)
    expected = np.full(ELEMENTS, -1, np.float32)
    wanted(x.reshape(BLOCKS, BLOCK), expected.reshape(BLOCKS, BLOCK))
    for target, seed in itertools.product(("trn1", "trn2"), (None, 0, 1, 2)):
        y = np.full(ELEMENTS, -1, np.float32)
        execute(lowered(kernel(body), target), [given, x, y], seed=seed)
        np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("trips", [0, 1, 2, 7])
def test_a_loop_that_carries_tiles(trips: int) -> None:
    """`p, q = q, p + x[i]`: values that change places; a loop of no iteration gives what it starts from."""

    def wanted(x: Array, y: Array) -> None:
        p, q = x[8], x[9]
        for i in range(trips):
            p, q = q, p + x[i]
            y[i] = q
        y[14], y[15] = p, q

    body = f"""
      %c14 = arith.constant 14 : index
      %c15 = arith.constant 15 : index
      {number("n", 1)}
      {load("p0", "%c8")}
      {load("q0", "%c9")}
      %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%p = %p0, %q = %q0) -> ({TILE}, {TILE}) {{
        {load("v", "%i")}
        {binary("s", "add", "p", "v")}
        {store("s", "%i")}
        scf.yield %q, %s : {TILE}, {TILE}
      }}
      %a = arith.muli %c14, %c8 : index
      %b = arith.muli %c15, %c8 : index
      neuron.mem.store %r#0 to %y(%a) [s0 + d0 by 1] : {TILE} -> {MEMORY}
      neuron.mem.store %r#1 to %y(%b) [s0 + d0 by 1] : {TILE} -> {MEMORY}
    """
    check(body, [0, trips], wanted)


@pytest.mark.parametrize("flag", [0, 1])
def test_an_if_that_yields_tiles(flag: int) -> None:
    """One side yields what it makes, the other what was made outside."""

    def wanted(x: Array, y: Array) -> None:
        y[1] = x[0] * x[1] if flag else x[1]
        y[2] = x[1] if flag else x[0] + x[1]

    body = f"""
      {number("n", 0)}
      {load("v", "%c0")}
      {load("w", "%c1")}
      %take = arith.cmpi eq, %n, %c1 : index
      %r:2 = scf.if %take -> ({TILE}, {TILE}) {{
        {binary("m", "multiply", "v", "w")}
        scf.yield %m, %w : {TILE}, {TILE}
      }} else {{
        {binary("s", "add", "v", "w")}
        scf.yield %w, %s : {TILE}, {TILE}
      }}
      %a = arith.muli %c1, %c8 : index
      %b = arith.muli %c2, %c8 : index
      neuron.mem.store %r#0 to %y(%a) [s0 + d0 by 1] : {TILE} -> {MEMORY}
      neuron.mem.store %r#1 to %y(%b) [s0 + d0 by 1] : {TILE} -> {MEMORY}
    """
    check(body, [flag], wanted)


@pytest.mark.parametrize("limit", [-1, 3, 4, 20])
def test_a_truth_value_of_a_tile(limit: int) -> None:
    def wanted(x: Array, y: Array) -> None:
        y[3] = x[0] + x[0] if 4 <= limit else x[0]

    body = f"""
      {number("n", 0)}
      %least = arith.constant 4 : i32
      %four = neuron.mem.fill %least : i32 -> {ONE}
      %p = neuron.mem.binary greater_equal %n_t, %four : {ONE}, {ONE} -> {FLAG}
      %take = neuron.mem.scalar %p : {FLAG} -> i1
      {load("v", "%c0")}
      %r = scf.if %take -> ({TILE}) {{
        {binary("s", "add", "v", "v")}
        scf.yield %s : {TILE}
      }} else {{
        scf.yield %v : {TILE}
      }}
      {store("r", "%c3")}
    """
    check(body, [limit], wanted)


@pytest.mark.parametrize("start", [0, 1, 2, 7, 100])
def test_a_while_that_halves_a_number(start: int) -> None:
    """It carries the number and a sum; the condition hands on the number that it has halved."""

    def wanted(x: Array, y: Array) -> None:
        total, left = x[0].copy(), start
        while left > 0:
            total, left = total + total, left // 2
        y[2] = total

    body = f"""
      {number("n", 0)}
      %shift = arith.constant 1 : i32
      {load("v", "%c0")}
      %r:2 = scf.while (%left = %n_t, %sum = %v) : ({ONE}, {TILE}) -> ({ONE}, {TILE}) {{
        %k = neuron.mem.scalar %left : {ONE} -> index
        %more = arith.cmpi sgt, %k, %c0 : index
        %half = neuron.mem.binary right_shift %left, %shift : {ONE}, i32 -> {ONE}
        scf.condition(%more) %half, %sum : {ONE}, {TILE}
      }} do {{
      ^bb0(%h: {ONE}, %t: {TILE}):
        {binary("d", "add", "t", "t")}
        scf.yield %h, %d : {ONE}, {TILE}
      }}
      %to = arith.muli %c2, %c8 : index
      neuron.mem.store %r#1 to %y(%to) [s0 + d0 by 1] : {TILE} -> {MEMORY}
    """
    check(body, [start], wanted)


@pytest.mark.parametrize("trips", [0, 1, 3])
def test_an_if_in_a_run_time_loop_in_a_loop(trips: int) -> None:
    """The maximum of some rows goes round; a row is taken only if its number is even."""

    def wanted(x: Array, y: Array) -> None:
        for i in range(3):
            best = x[i]
            for j in range(trips):
                best = np.maximum(best, x[i + j + 3]) if (i + j) % 2 == 0 else best
            y[i] = best

    body = f"""
      {number("n", 0)}
      scf.for %i = %c0 to %c3 step %c1 {{
        {load("first", "%i")}
        %r = scf.for %j = %c0 to %n step %c1 iter_args(%best = %first) -> ({TILE}) {{
          %both = arith.addi %i, %j : index
          %odd = arith.remsi %both, %c2 : index
          %even = arith.cmpi eq, %odd, %c0 : index
          %more = scf.if %even -> ({TILE}) {{
            %at = arith.addi %both, %c3 : index
            {load("v", "%at")}
            {binary("m", "maximum", "best", "v")}
            scf.yield %m : {TILE}
          }} else {{
            scf.yield %best : {TILE}
          }}
          scf.yield %more : {TILE}
        }}
        {store("r", "%i")}
      }}
    """
    check(body, [trips], wanted)


@pytest.mark.parametrize("rows", [(3, 0), (15, 15)], ids=str)
def test_rows_by_loaded_numbers(rows: tuple[int, int]) -> None:
    """A gather, and a scatter to the other place."""

    def wanted(x: Array, y: Array) -> None:
        y[rows[1]] = x[rows[0]]

    check(f"{number('from', 0)} {number('to', 1)} {load('v', '%from')} {store('v', '%to')}", rows, wanted)


def product(sum_: str) -> str:
    """Sums of products over a loop of a run-time bound."""
    return f"""
      {number("n", 0)}
      %zero = arith.constant 0.0 : f32
      %a = neuron.mem.load %x(%c0) [d0 by 8, s0 + d1 by 1] : {MEMORY} -> !neuron.mem.tile<sbuf, 8x8xf32, [d1] x [d0]>
      %b = neuron.mem.load %x(%c1) [d0 by 8, s0 + d1 by 1] : {MEMORY} -> !neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>
      {sum_}
    """


SUMS = "!neuron.mem.tile<psum, 8x8xf32, [d0] x [d1]>"
SQUARE = "!neuron.mem.tile<sbuf, 8x8xf32, [d0] x [d1]>"
TYPES = f"!neuron.mem.tile<sbuf, 8x8xf32, [d1] x [d0]>, {SQUARE}, {SUMS} -> {SUMS}"


@pytest.mark.parametrize("trips", [0, 1, 3])
def test_a_sum_of_products_stays_in_sbuf(trips: int) -> None:
    """A loop that may not run at all is not one that PSUM accumulates over."""
    body = product(f"""
      %start = neuron.mem.fill %zero : f32 -> {SQUARE}
      %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %start) -> ({SQUARE}) {{
        %empty = neuron.mem.accumulator : {SUMS}
        %p = neuron.mem.matmul %a, %b acc %empty : {TYPES}
        %m = neuron.mem.convert %p : {SUMS} -> {SQUARE}
        %t = neuron.mem.binary add %s, %m : {SQUARE}, {SQUARE} -> {SQUARE}
        scf.yield %t : {SQUARE}
      }}
      neuron.mem.store %r to %y(%c0) [d0 by 8, s0 + d1 by 1] : {SQUARE} -> {MEMORY}
    """)
    module = pipeline("promote-accumulators,lower-converts", target="trn1")(parse(kernel(body)))
    x = np.random.default_rng(3).standard_normal(ELEMENTS).astype(np.float32)
    y, given = np.full(ELEMENTS, -1, np.float32), np.full(4, trips, np.int32)
    execute(lowered(str(module), "trn1"), [given, x, y])
    wanted = trips * (x[:64].reshape(8, 8) @ x[1:65].reshape(8, 8))
    np.testing.assert_allclose(y[:64].reshape(8, 8), wanted, rtol=1e-4, atol=1e-4)


CARRIED = f"""
  %empty = neuron.mem.accumulator : {SUMS}
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %empty) -> ({SUMS}) {{
    %p = neuron.mem.matmul %a, %b acc %s : {TYPES}
    scf.yield %p : {SUMS}
  }}
"""
REFUSED = {
    "a sum in psum that a loop carries": (
        product(CARRIED),
        "a sum in psum can't be carried by run-time control flow, which may not write it",
    ),
    "a sum in psum that an if yields": (
        product(f"""
          %empty = neuron.mem.accumulator : {SUMS}
          %other = neuron.mem.accumulator : {SUMS}
          %p = arith.cmpi eq, %n, %c0 : index
          %r = scf.if %p -> ({SUMS}) {{ scf.yield %empty : {SUMS} }} else {{ scf.yield %other : {SUMS} }}
        """),
        "an if can't yield a sum in psum; convert it first",
    ),
    "a sum in psum that a while carries": (
        product(f"""
          %empty = neuron.mem.accumulator : {SUMS}
          %r = scf.while (%s = %empty) : ({SUMS}) -> {SUMS} {{
            %p = arith.cmpi eq, %n, %c0 : index
            scf.condition(%p) %s : {SUMS}
          }} do {{ ^bb0(%t: {SUMS}): scf.yield %t : {SUMS} }}
        """),
        "a while can't carry a sum in psum; convert it first",
    ),
    "a number that a loop carries": (
        f"""
          {number("n", 0)}
          %r = scf.for %i = %c0 to %n step %c1 iter_args(%k = %c0) -> (index) {{
            scf.yield %k : index
          }}
        """,
        "scf.for of neuron.mem carries tiles, not index",
    ),
    "a number that an if yields": (
        f"""
          {number("n", 0)}
          %p = arith.cmpi eq, %n, %c0 : index
          %r = scf.if %p -> (index) {{ scf.yield %c1 : index }} else {{ scf.yield %n : index }}
          {load("v", "%r")}
        """,
        "scf.if of neuron.mem yields tiles, not index",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    body, message = REFUSED[name]
    with pytest.raises(CompileError) as caught:
        lowered(kernel(body), "trn1")
    assert message in caught.value.message
    assert caught.value.line is not None


def test_an_extent_that_varies_with_a_run_time_loop() -> None:
    body = f"""
      {number("n", 0)}
      scf.for %i = %c0 to %n step %c1 {{
        %v = neuron.mem.load %x(%i) [d0 + s0 in 0 to 9 by 1] : {MEMORY} -> {TILE}
        neuron.mem.store %v to %y(%i) [d0 + s0 in 0 to 9 by 1] : {TILE} -> {MEMORY}
      }}
    """
    with pytest.raises(CompileError, match="a bound on several dimensions, or on a counter of run time"):
        pipeline("select-instructions", target="trn1")(parse(kernel(body)))


# At `tile`.

TENSOR = f"tensor<{BLOCK}xf32>"


def read(to: str, block: str) -> str:
    return f"""
      %{to}_at = arith.muli {block}, %c8 : index
      %{to} = tile.read %x(%{to}_at) [s0 + d0 by 1] : {MEMORY} -> {TENSOR}
    """


def write(value: str, block: str, name: str = "to") -> str:
    return f"""
      %{name} = arith.muli {block}, %c8 : index
      tile.write %{value} to %y(%{name}) [s0 + d0 by 1] : {TENSOR} -> {MEMORY}
    """


def element(name: str, place: int) -> str:
    return f"%{name} = tile.read %numbers(%c{place}) [s0 by 1] : {NUMBERS} -> i32"


@pytest.mark.parametrize("trips", [0, 1, 2, 7])
def test_tensors_go_round_a_run_time_loop(trips: int) -> None:
    """From one loaded number to another, where the sum goes on as long as a third one is not reached."""
    first, limit = 1, 5

    def wanted(x: Array, y: Array) -> None:
        total = x[9]
        for i in range(first, trips):
            total = total + x[i] if i < limit else total
        y[3] = total

    body = f"""
      {element("low_t", 0)}
      {element("high_t", 1)}
      {element("limit_t", 2)}
      %low = arith.index_cast %low_t : i32 to index
      %high = tile.cast %high_t : i32 -> index
      %limit = arith.index_cast %limit_t : i32 to index
      {read("start", "%c9")}
      %r = scf.for %i = %low to %high step %c1 iter_args(%sum = %start) -> ({TENSOR}) {{
        %p = tile.compare lt %i, %limit : index, index -> i1
        %next = scf.if %p -> ({TENSOR}) {{
          {read("v", "%i")}
          %s = arith.addf %sum, %v : {TENSOR}
          scf.yield %s : {TENSOR}
        }} else {{
          scf.yield %sum : {TENSOR}
        }}
        scf.yield %next : {TENSOR}
      }}
      {write("r", "%c3")}
    """
    check(body, [first, trips, limit], wanted)


@pytest.mark.parametrize("start", [0, 1, 2, 7, 100])
def test_numbers_and_tensors_go_round_a_while(start: int) -> None:
    """The condition is computed of data; a number of data carries on from one iteration to the next."""

    def wanted(x: Array, y: Array) -> None:
        total, left = x[0].copy(), start
        while left > 0:
            total, left = total + total, left // 2
        y[2] = total

    body = f"""
      {element("n", 0)}
      %zero = arith.constant 0 : i32
      %one = arith.constant 1 : i32
      {read("v", "%c0")}
      %r:2 = scf.while (%left = %n, %sum = %v) : (i32, {TENSOR}) -> (i32, {TENSOR}) {{
        %more = tile.compare gt %left, %zero : i32, i32 -> i1
        scf.condition(%more) %left, %sum : i32, {TENSOR}
      }} do {{
      ^bb0(%k: i32, %t: {TENSOR}):
        %h = arith.shrsi %k, %one : i32
        %d = arith.addf %t, %t : {TENSOR}
        scf.yield %h, %d : i32, {TENSOR}
      }}
      %to = arith.muli %c2, %c8 : index
      tile.write %r#1 to %y(%to) [s0 + d0 by 1] : {TENSOR} -> {MEMORY}
    """
    check(body, [start], wanted)


@pytest.mark.parametrize("flag", [-2, 0, 1])
def test_a_branch_on_data(flag: int) -> None:
    def wanted(x: Array, y: Array) -> None:
        y[1 if flag > 0 else 2] = x[0]

    body = f"""
      {element("n", 0)}
      %zero = arith.constant 0 : i32
      {read("v", "%c0")}
      %p = tile.compare gt %n, %zero : i32, i32 -> i1
      scf.if %p {{ {write("v", "%c1")} }} else {{ {write("v", "%c2", "other")} }}
    """
    check(body, [flag], wanted)
