"""Slices and inserts: where pieces of a layout are, and random programs of them on the machine, against NumPy."""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from reference.mem import run_mem
from test_layout import layouts, quick

from nki_mlir import execute, parse, pipeline
from nki_mlir.dialects.coordinates import Position, Scalar
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.layout import LayoutError
from nki_mlir.dialects.pieces import piece_of


@quick
@given(st.data())
def test_elements_of_a_piece_are_where_the_tile_has_them(data: st.DataObject) -> None:
    """Wherever it begins, at run time too."""
    layout = data.draw(layouts())
    places: list[Expr] = []
    shape: list[int] = []
    ranges: list[range] = []
    for dim, size in enumerate(layout.shape):
        count = data.draw(st.sampled_from([n for n in range(1, size + 1) if size % n == 0 or n < 4]))
        step = data.draw(st.sampled_from([0, 1, count]))
        trips = data.draw(st.integers(1, (size - count) // step + 1)) if step else 1
        first = data.draw(st.integers(0, size - count - step * (trips - 1)))
        begin = Expr.counter(Scalar(dim)) * step + first
        ranges.append(range(trips) if step else range(1))
        if count > 1 or data.draw(st.booleans()):
            begin = begin + Expr.counter(Position(len(shape)))
            shape.append(count)
        places.append(begin)
    try:
        piece = piece_of(layout, places, shape)
    except LayoutError:
        assume(False)
        return
    for scalars in product(*ranges):
        values = {Scalar(number): Expr(value) for number, value in enumerate(scalars)}
        offset = piece.offset.substitute(values).const
        for index in product(*map(range, shape)):
            at = {Position(number): Expr(value) for number, value in enumerate(index)}
            partition, element = layout.place([place.substitute(values | at).const for place in places])
            assert partition == piece.start + piece.layout.place(index)[0]
            assert element == offset + sum(
                index[spot.dim] // spot.step % spot.size * spot.stride
                for spot in piece.spots
                if spot.dim >= 0 and not spot.on_partitions
            )


BLOCKS, ROWS, COLUMNS, OUT = 4, 64, 16, 12
LAYOUTS = (
    "[d1] x [d0, d2]",
    "[d1] x [d2, d0]",
    "[d1:32] x [d0, d1/32:2, d2]",
    "[d1:32] x [d1/32:2, d2, d0]",
    "[d1:32] x [d0/2:2, d2, d1/32:2, d0:2]",
)


class Program:
    """Tiles of blocks of rows and columns: blocks, and parts of them, are inserted, taken out, added, stored. Old tiles
    are used after new ones are made of them."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.layout = self.random.choice(LAYOUTS)
        self.tile = f"!neuron.mem.tile<sbuf, {BLOCKS}x{ROWS}x{COLUMNS}xf32, {self.layout}>"
        self.lines: list[str] = []
        self.names = self.stored = 0
        self.live = [
            self.value(f"neuron.mem.load %x [{ROWS * COLUMNS} * d0 + {COLUMNS} * d1 + d2 by 1] : {IN} -> {self.tile}")
        ]
        while self.stored < OUT:
            self.random.choice((self.insert, self.insert, self.loop, self.store, self.add))(None)

    def value(self, text: str) -> str:
        self.names += 1
        self.lines.append(f"%v{self.names} = {text}")
        return f"%v{self.names}"

    def place(self, counter: str | None) -> tuple[str, str, str]:
        """Of a block, all of it or some columns or rows: its type, scalars, and places."""
        block, scalars = (self.random.randrange(BLOCKS), "")
        first: int | str = block
        if counter is not None and self.random.random() < 0.8:
            first, scalars = "s0", f"({counter})"
        kind = self.random.choice(("block", "columns", "rows", "column"))
        layout = self.layout.replace("[d0, ", "[").replace(", d0]", "]").replace("d0/2:2, ", "").replace(", d0:2]", "]")
        layout = layout.replace("d1", "d0").replace("d2", "d1")
        start = 4 * self.random.randrange(3)
        if kind == "columns":
            return f"!neuron.mem.tile<sbuf, {ROWS}x8xf32, {layout}>", scalars, f"[{first}, d0, {start} + d1]"
        if kind == "column":
            return (
                f"!neuron.mem.tile<sbuf, {ROWS}xf32, {layout.replace(', d1]', ']').replace('[d1]', '[]')}>".replace(
                    "[d1, ", "["
                ),
                scalars,
                f"[{first}, d0, {start}]",
            )
        if kind == "rows":
            layout = layout.replace("d0:32", "d0").replace("d0/32:2, ", "").replace(", d0/32:2", "")
            return f"!neuron.mem.tile<sbuf, 32x{COLUMNS}xf32, {layout}>", scalars, f"[{first}, 32 + d0, d1]"
        return f"!neuron.mem.tile<sbuf, {ROWS}x{COLUMNS}xf32, {layout}>", scalars, f"[{first}, d0, d1]"

    def loaded(self, type_: str, counter: str | None) -> str:
        rank = type_.split(",")[1].count("x")
        address = f"{COLUMNS} * d0 + d1" if rank == 2 else f"{COLUMNS} * d0"
        at = f"(%{counter[1:]}) [{ROWS * COLUMNS} * s0 + " if counter else f" [{self.random.randrange(8)} + "
        return self.value(f"neuron.mem.load %y{at}{address} by 1] : {IN} -> {type_}")

    def insert(self, counter: str | None, into: str | None = None) -> str:
        type_, scalars, places = self.place(counter)
        tile = into or self.random.choice(self.live)
        value = self.loaded(type_, counter)
        if self.random.random() < 0.3:
            value = self.value(f"neuron.mem.binary multiply {value}, {value} : {type_}, {type_} -> {type_}")
        where = ""
        if scalars and self.random.random() < 0.4:
            where = self.random.choice((" where [1 - s0]", " where [s0]", " where [2 * s0 - 3]"))
        made = self.value(f"neuron.mem.insert {value} into {tile}{scalars} {places}{where} : {type_} into {self.tile}")
        if into is None:
            self.live.append(made)
        return made

    def add(self, counter: str | None, into: str | None = None) -> str:
        """A piece of one tile more in the same place of another."""
        type_, scalars, places = self.place(counter)
        tile, other = into or self.random.choice(self.live), self.random.choice(self.live)
        a, b = (self.value(f"neuron.mem.slice {t}{scalars} {places} : {self.tile} -> {type_}") for t in (tile, other))
        total = self.value(f"neuron.mem.binary add {a}, {b} : {type_}, {type_} -> {type_}")
        made = self.value(f"neuron.mem.insert {total} into {tile}{scalars} {places} : {type_} into {self.tile}")
        if into is None:
            self.live.append(made)
        return made

    def loop(self, _: str | None) -> None:
        self.names += 1
        name, tile = f"%l{self.names}", self.random.choice(self.live)
        counter, carried = f"%j{self.names}", f"%a{self.names}"
        self.lines.append(
            f"{name} = scf.for {counter} = %c0 to %c{BLOCKS} step %c1 iter_args({carried} = {tile}) -> ({self.tile}) {{"
        )
        made = carried
        for _again in range(self.random.randint(1, 2)):
            made = self.random.choice((self.insert, self.add))(counter, made)
        self.lines += [f"scf.yield {made} : {self.tile}", "}"]
        self.live.append(name)

    def store(self, _: str | None) -> None:
        tile, at = self.random.choice(self.live), self.stored
        self.stored += 1
        if self.random.random() < 0.5:
            address = f"{BLOCKS * ROWS * COLUMNS * at} + {ROWS * COLUMNS} * d0 + {COLUMNS} * d1 + d2"
            self.lines.append(f"neuron.mem.store {tile} to %out [{address} by 1] : {self.tile} -> {RESULT}")
            return
        type_, scalars, places = self.place(None)
        piece = self.value(f"neuron.mem.slice {tile}{scalars} {places} : {self.tile} -> {type_}")
        rank = type_.split(",")[1].count("x")
        address = f"{BLOCKS * ROWS * COLUMNS * at} + {COLUMNS} * d0" + (" + d1" if rank == 2 else "")
        self.lines.append(f"neuron.mem.store {piece} to %out [{address} by 1] : {type_} -> {RESULT}")

    @property
    def text(self) -> str:
        constants = "\n".join(f"%c{n} = arith.constant {n} : index" for n in (0, 1, BLOCKS))
        body = "\n".join(self.lines)
        names = 'tile.arg_names = ["x", "y", "out"]'
        head = f"func.func @f(%x: {IN}, %y: {IN}, %out: {RESULT}) attributes {{{names}}}"
        return f"{head} {{\n{constants}\n{body}\nfunc.return\n}}"


IN = f"memref<{(BLOCKS + 1) * ROWS * COLUMNS}xf32>"
RESULT = f"memref<{OUT * BLOCKS * ROWS * COLUMNS}xf32>"


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed: int) -> None:
    program = Program(seed)
    rng = np.random.default_rng(seed)
    x, y = (rng.standard_normal((BLOCKS + 1) * ROWS * COLUMNS).astype(np.float32) for _ in "xy")
    module = parse(program.text)
    wanted, found = (np.zeros(OUT * BLOCKS * ROWS * COLUMNS, np.float32) for _ in "ab")
    run_mem(module, [x, y, wanted])
    execute(pipeline("mem-to-engine,engine-to-isa")(module), [x, y, found], checks=True, seed=seed)
    np.testing.assert_array_equal(found, wanted, err_msg=program.text)
