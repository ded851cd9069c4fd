"""Random programs of `neuron.engine` in value form, with what they compute in NumPy: tiles that are written in part, read
later than they are written over, carried by loops in changed order, and yielded by branches on numbers in memory."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]

LANES, COLUMNS, STORED = 4, 6, 8
TILE = f"!neuron.mem.tile<sbuf, {LANES}x{COLUMNS}xf32, [d0] x [d1]>"
HBM = f"!neuron.engine.view<hbm, [{COLUMNS} x {LANES}, 1 x {COLUMNS}], f32>"
ELEMENT = "!neuron.engine.view<hbm, [1 x 1], i32>"
NUMBERS = (0, 1, 0, 1, 1)
"""What the branches ask for: whether an element is above 0."""


@dataclass
class ValueProgram:
    """`text` is the module; its arguments are the stored tiles and the numbers. `run` gives what they hold."""

    text: str
    body: list[Any]
    stored: list[str]

    def run(self) -> Array:
        values: dict[str, Array] = {}
        _run(self.body, values)
        return np.stack([values[name] for name in self.stored])


def _run(body: list[Any], values: dict[str, Array]) -> None:
    for step in body:
        step(values)


@dataclass
class _Generator:
    random: random.Random
    lines: list[str] = field(default_factory=list)
    count: int = 0

    def name(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def pick(self, scope: list[str]) -> str:
        """A tile in scope, rather one of the latest."""
        return self.random.choice(scope[-3:] if self.random.random() < 0.6 else scope)

    def line(self, text: str) -> None:
        self.lines.append(text)

    def view(self, value: str, low: int = 0, high: int = COLUMNS, step: int = 1) -> tuple[str, str]:
        """A view of columns, and its type; with a step of -1, from the last of them to the first."""
        name, type_ = self.name(), f"!neuron.engine.view<sbuf[0:{LANES}], [{step} x {high - low}], f32>"
        at = low if step > 0 else high - 1
        self.line(
            f"%{name} = neuron.engine.view %{value} at %c{at} : {TILE} -> {type_}"
            if at
            else f"%{name} = neuron.engine.view %{value} : {TILE} -> {type_}"
        )
        return f"%{name} : {type_}", type_

    def empty(self) -> str:
        name = self.name()
        self.line(f"%{name} = neuron.engine.empty : {TILE}")
        return name

    def fill(self) -> tuple[str, Any]:
        number = float(self.random.randint(-9, 9))
        dst, _ = self.view(self.empty())
        made = self.name()
        self.line(f"%{made} = neuron.engine.memset vector value {number} : f32 dst {dst} -> {TILE}")
        return made, lambda values: values.update({made: np.full((LANES, COLUMNS), number, np.float32)})

    def combine(self, scope: list[str]) -> tuple[str, Any]:
        a, b = (self.pick(scope) for _ in range(2))
        step = self.random.choice((1, 1, -1))
        op, function = self.random.choice((("add", np.add), ("maximum", np.maximum), ("subtract", np.subtract)))
        (x, _), (y, _) = self.view(a), self.view(b, step=step)
        dst, _ = self.view(self.empty())
        made = self.name()
        engine = self.random.choice(("vector", "gpsimd") if op != "maximum" else ("vector",))
        self.line(f"%{made} = neuron.engine.tensor_tensor {engine} op {op} dst {dst} data1 {x} data2 {y} -> {TILE}")
        return made, lambda values: values.update({made: function(values[a], values[b][:, ::step])})

    def scale(self, scope: list[str]) -> tuple[str, Any]:
        a = self.pick(scope)
        (x, _), (dst, _) = self.view(a), self.view(self.empty())
        made = self.name()
        self.line(
            f"%{made} = neuron.engine.tensor_scalar vector op0 multiply dst {dst} data {x} operand0 %half : f32 -> {TILE}"
        )
        return made, lambda values: values.update({made: values[a] * np.float32(0.5)})

    def add_to(self, scope: list[str]) -> tuple[str, Any]:
        base, source = self.pick(scope), self.pick(scope)
        (x, _), (dst, _) = self.view(source), self.view(base)
        made = self.name()
        self.line(f"%{made} = neuron.engine.tensor_tensor vector op add dst {dst} data1 {dst} data2 {x} -> {TILE}")
        return made, lambda values: values.update({made: values[base] + values[source]})

    def write_into(self, scope: list[str]) -> tuple[str, Any]:
        """Some columns of one tile to others of another, or of itself."""
        base, source = self.pick(scope), self.pick(scope)
        count = self.random.randint(1, COLUMNS - 1)
        to, at = (self.random.randint(0, COLUMNS - count) for _ in range(2))
        (x, _), (dst, _) = self.view(source, at, at + count), self.view(base, to, to + count)
        made = self.name()
        self.line(f"%{made} = neuron.engine.tensor_copy vector dst {dst} src {x} -> {TILE}")

        def run(values: dict[str, Array]) -> None:
            result = values[base].copy()
            result[:, to : to + count] = values[source][:, at : at + count]
            values[made] = result

        return made, run

    def loop(self, scope: list[str], depth: int) -> tuple[list[str], Any]:
        inits = [self.pick(scope) for _ in range(self.random.randint(1, 3))]
        trips = self.random.choice((1, 2, 3, 3))
        args, results = [self.name() for _ in inits], self.name()
        types = ", ".join([TILE] * len(inits))
        carried = ", ".join(f"%{a} = %{i}" for a, i in zip(args, inits, strict=True))
        self.line(
            f"%{results}:{len(inits)} = scf.for %i{results} = %c0 to %c{trips} step %c1 iter_args({carried}) -> ({types}) {{"
        )
        inner, body = self.block([*scope, *args], depth)
        yields = [self.pick(inner) for _ in inits]
        if self.random.random() < 0.3:
            yields = self.random.sample(args, len(args))
        self.line(f"scf.yield {', '.join('%' + y for y in yields)} : {types}")
        self.line("}")
        names = [f"{results}#{n}" for n in range(len(inits))]

        def run(values: dict[str, Array]) -> None:
            now = [values[i] for i in inits]
            for _ in range(trips):
                values.update(zip(args, now, strict=True))
                _run(body, values)
                now = [values[y] for y in yields]
            values.update(zip(names, now, strict=True))

        return names, run

    def branch(self, scope: list[str], depth: int) -> tuple[list[str], Any]:
        place, count, results = self.random.randrange(len(NUMBERS)), self.random.randint(1, 2), self.name()
        types = ", ".join([TILE] * count)
        self.line(f"%w{results} = neuron.engine.view %numbers at %c{place} : memref<{len(NUMBERS)}xi32> -> {ELEMENT}")
        self.line(f"%k{results} = neuron.engine.scalar %w{results} : {ELEMENT}")
        self.line(f"%b{results} = arith.cmpi sgt, %k{results}, %c0 : index")
        self.line(f"%{results}:{count} = scf.if %b{results} -> ({types}) {{")
        sides: list[tuple[list[Any], list[str]]] = []
        for side in range(2):
            inner, body = self.block(scope, depth)
            sides.append((body, [self.pick(inner) for _ in range(count)]))
            self.line(f"scf.yield {', '.join('%' + y for y in sides[-1][1])} : {types}")
            self.line("}" if side else "} else {")
        names = [f"{results}#{n}" for n in range(count)]

        def run(values: dict[str, Array]) -> None:
            body, yields = sides[0 if NUMBERS[place] > 0 else 1]
            _run(body, values)
            values.update(zip(names, [values[y] for y in yields], strict=True))

        return names, run

    def block(self, scope: list[str], depth: int) -> tuple[list[str], list[Any]]:
        """What is in scope at its end, and what it does."""
        scope, body = list(scope), []
        for _ in range(self.random.randint(2, 5)):
            kind = self.random.choice(
                ("fill", "combine", "scale", "write", "write", "add", "add", "loop", "loop", "branch")
            )
            if kind in ("loop", "branch") and depth:
                names, step = (self.loop if kind == "loop" else self.branch)(scope, depth - 1)
            else:
                made, step = {
                    "combine": self.combine,
                    "scale": self.scale,
                    "write": self.write_into,
                    "add": self.add_to,
                }.get(kind, lambda _: self.fill())(scope)
                names = [made]
            scope += names
            body.append(step)
        return scope, body


def value_program(seed: int) -> ValueProgram:
    made = _Generator(random.Random(seed))
    first = [made.fill() for _ in range(2)]
    scope, body = made.block([name for name, _ in first], 2)
    stored = [made.pick(scope) for _ in range(STORED)]
    memory, numbers = f"memref<{STORED}x{LANES}x{COLUMNS}xf32>", f"memref<{len(NUMBERS)}xi32>"
    for place, name in enumerate(stored):
        source, _ = made.view(name)
        made.line(f"%h{place} = neuron.engine.view %out at %c{place * LANES * COLUMNS} : {memory} -> {HBM}")
        made.line(f"neuron.engine.dma_copy sync queue 0 dst %h{place} : {HBM} src {source}")
    constants = sorted({*range(8), *(place * LANES * COLUMNS for place in range(STORED))})
    text = "\n".join(
        [
            f'func.func @f(%out: {memory}, %numbers: {numbers}) attributes {{tile.arg_names = ["out", "numbers"]}} {{',
            *(f"%c{n} = arith.constant {n} : index" for n in constants),
            "%half = arith.constant 0.5 : f32",
            *made.lines,
            "func.return",
            "}",
        ]
    )
    return ValueProgram(text, [*(step for _, step in first), *body], stored)
