"""Random kernels that are valid Triton, each with the arrays it runs on and its reference in NumPy."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from fuzz import values as v
from fuzz.values import BF16, BOOL, F16, F32, I8, I32, U8, Array, Env, Expr, Shape

INPUT_TYPES = (F32, F32, F32, BF16, F16)
INTEGER_TYPES = (I32, I32, I8, U8)
OUTPUT_TYPES = (F32, F32, F32, BF16, F16)
SEES_INTEGERS = 0.3
"""The part of the kernels that compute with integers, of which the machine has few operators."""
Statement = tuple[str, Callable[[Env], None]]
"""Text without its indentation, and what it does."""


@dataclass
class Kernel:
    """`source` defines `kernel`; `arguments` are by name, the arrays among them flat or of two dimensions."""

    source: str
    arguments: dict[str, Any]
    grid: Shape
    outputs: tuple[str, ...]
    statements: list[Statement]

    def reference(self, noise: np.random.Generator | None = None) -> dict[str, Array]:
        """The outputs after all programs."""
        memory = {k: a.copy() for k, a in self.arguments.items() if isinstance(a, np.ndarray)}
        for ids in itertools.product(*(range(n) for n in self.grid)):
            env = Env(ids, memory, noise)
            for _, run in self.statements:
                run(env)
        return {name: memory[name] for name in self.outputs}


class Generator:
    """Draws one kernel."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.data = np.random.default_rng(seed)
        self.arguments: dict[str, Any] = {}
        self.variables: list[Expr] = []
        self.statements: list[Statement] = []
        self.helpers: list[str] = []
        self.flags: dict[str, bool] = {}
        self.names = (f"v{i}" for i in itertools.count())
        self.loop: tuple[str, int] | None = None

    def kernel(self) -> Kernel:
        rng = self.rng
        self.integers = rng.random() < SEES_INTEGERS
        self.block: Shape = ()
        if rng.random() < 0.5:
            self.block = (rng.choice((1, 2, 16, 64, 128, 256)),)
        else:
            self.block = (rng.choice((1, 4, 16, 32, 64, 128)), rng.choice((1, 8, 16, 32, 64)))
        self.grid = tuple(rng.choice((1, 1, 2, 3)) for _ in self.block)
        self.size = tuple(
            max(1, b * g - rng.choice((0, 0, 1, b // 3))) for b, g in zip(self.block, self.grid, strict=True)
        )
        self.is_masked = any(n < b * g for n, b, g in zip(self.size, self.block, self.grid, strict=True))
        self.is_masked = self.is_masked or rng.random() < 0.3
        self._prologue()
        for _ in range(rng.randint(1, 3)):
            self._statement()
        self._store()
        return self._finished()

    # The frame.
    def _add(self, text: str, run: Callable[[Env], None]) -> None:
        self.statements.append((text, run))

    def _assign(self, e: Expr, name: str | None = None) -> Expr:
        name = name or next(self.names)

        def run(env: Env) -> None:
            env.names[name] = np.broadcast_to(e.run(env), e.shape)

        self._add(f"{name} = {e.text}", run)
        made = v.variable(name, e.shape, e.dtype)
        self.variables = [x for x in self.variables if x.text != name] + [made]
        return made

    def _prologue(self) -> None:
        for d, (block, size) in enumerate(zip(self.block, self.size, strict=True)):
            self.arguments[f"n{d}"], self.arguments[f"B{d}"] = size, block
            index, ids = f"i{d}", d

            def offsets(env: Env, d: int = ids, block: int = block, index: str = index) -> None:
                env.names[index] = (env.ids[d] * block + np.arange(block)).astype(np.int32)

            self._add(f"{index} = tl.program_id({d}) * B{d} + tl.arange(0, B{d})", offsets)

    def _index(self, d: int) -> Expr:
        return v.variable(f"i{d}", (self.block[d],), I32)

    def _dims(self, form: Shape) -> list[int]:
        """The dimensions of the block that a form has."""
        return [d for d, n in enumerate(form) if n == self.block[d]]

    def _access(
        self, form: Shape, stride: str
    ) -> tuple[str, str | None, Callable[[Env], Array], Callable[[Env], Array]]:
        """Offsets and mask of a form: texts and values. A loop's counter moves by whole arrays."""
        dims = self._dims(form)
        terms, bounds = [], []
        for d in dims:
            index = f"i{d}" if len(form) == 1 else f"i{d}[:, None]" if d == 0 else f"i{d}[None, :]"
            terms.append(f"{index} * {stride}" if d == 0 and len(dims) == 2 else index)
            bounds.append(f"({index} < n{d})")

        def place(env: Env) -> Array:
            return _grid([env.names[f"i{d}"] for d in dims], [self.size[d] for d in dims], form)

        def inside(env: Env) -> Array:
            ok = [env.names[f"i{d}"] < self.size[d] for d in dims]
            return _all(ok, dims, form)

        mask = " & ".join(bounds) if self.is_masked and bounds else None
        return " + ".join(terms), mask, place, inside

    def _load(self, form: Shape) -> Expr:
        name = f"x{sum(k.startswith('x') for k in self.arguments)}"
        dtype = self.rng.choice(INPUT_TYPES + INTEGER_TYPES * self.integers)
        dims = self._dims(form)
        form = form if dims else ()
        count = int(np.prod([self.size[d] for d in dims])) if dims else 1
        repeats = self.loop[1] if self.loop else 1
        self.arguments[name] = self._random((count * repeats,), dtype)
        places, mask, place, inside = self._access(form, "n1")
        other: float | None = None
        text = f"{name} + {places}" if places else name
        if self.loop:
            text += f" + {self.loop[0]} * {count}"
        options = ""
        if mask:
            options = f", mask={mask}"
            if self.rng.random() < 0.5:
                other = self.rng.choice((0, 1, 2)) if dtype.kind in "iu" else self.rng.choice((0.0, 1.0, -2.5))
                options += f", other={other}"
        counter = self.loop[0] if self.loop else None
        fill = other or 0

        def run(env: Env) -> Array:
            data = env.memory[name]
            at = place(env) + (int(env.names[counter]) * count if counter else 0)
            ok = inside(env)
            return np.where(ok, data[np.where(ok, at, 0)], np.asarray(fill).astype(dtype)).astype(dtype)

        return Expr(f"tl.load({text}{options})", form, dtype, run)

    def _random(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        if dtype.kind in "iu" and dtype != F32:
            limits = {I32: (-1000, 1000), I8: (-128, 128), U8: (0, 256)}[dtype]
            return self.data.integers(*limits, shape).astype(dtype)
        return self.data.standard_normal(shape).astype(dtype)

    # Statements.
    def _statement(self) -> None:
        kinds = (self._plain, self._plain, self._flag, self._loop, self._helper, self._product)
        self.rng.choice(kinds)()

    def _plain(self) -> None:
        self._assign(self._expression(self._form(), 3))

    def _flag(self) -> None:
        """A variable that a constexpr flag changes."""
        name = f"FLAG{len(self.flags)}"
        self.flags[name] = self.rng.random() < 0.5
        start = self._assign(v.cast(self._expression(self.block, 2), F32))
        keep = self.statements
        self.statements = []
        inner = self._expression(self.block, 2)
        if self.rng.random() < 0.5:
            inner = self._assign(inner)
            self.variables.remove(inner)
        self._assign(v.cast(v.arithmetic("+", start, inner), F32), start.text)
        body, self.statements = self.statements, keep

        def run(env: Env) -> None:
            if self.flags[name]:
                for _, step in body:
                    step(env)

        self._add("\n".join([f"if {name}:", *_indented(body)]), run)

    def _loop(self) -> None:
        """A carried value, and loads that move with the counter."""
        count = self.rng.choice((1, 2, 3, 5))
        if self.rng.random() < 0.6:
            start = Expr(
                f"tl.zeros({self.block}, dtype=tl.float32)",
                self.block,
                F32,
                lambda env: np.zeros(self.block, np.float32),
            )
        else:
            start = v.cast(self._expression(self.block, 2), F32)
        carried = self._assign(start)
        counter = f"k{len(self.statements)}"
        outer, keep, self.statements, self.loop = list(self.variables), self.statements, [], (counter, count)
        inner = self._expression(self.block, 2)
        if self.rng.random() < 0.5:
            inner = self._assign(inner)
        step = v.arithmetic(self.rng.choice("+-"), carried, inner)
        if self.rng.random() < 0.3:
            step = v.arithmetic("*", step, v.number(0.5))
        self._assign(v.cast(step, F32), carried.text)
        body, self.statements, self.variables, self.loop = self.statements, keep, outer, None

        def run(env: Env) -> None:
            for k in range(count):
                env.names[counter] = np.asarray(k)
                for _, one in body:
                    one(env)

        kind = self.rng.choice(("range", "range", "tl.range", "tl.static_range"))
        self._add("\n".join([f"for {counter} in {kind}({count}):", *_indented(body)]), run)

    def _helper(self) -> None:
        """A jit function of one or two blocks."""
        operands = [self._expression(self.block, 1) for _ in range(self.rng.randint(1, 2))]
        operands = [v.cast(e, F32) if e.is_weak else e for e in operands]
        outer, self.variables = self.variables, [v.variable(f"p{i}", e.shape, e.dtype) for i, e in enumerate(operands)]
        statements, self.statements, loads = self.statements, [], self.arguments
        self.arguments = {}
        body = self._expression(self.block, 2, leaves=False)
        self.variables, self.statements, self.arguments = outer, statements, loads
        name = f"helper{len(self.helpers)}"
        parameters = ", ".join(f"p{i}" for i in range(len(operands)))
        self.helpers.append(f"@nki_mlir.jit\ndef {name}({parameters}):\n    return {body.text}\n\n\n")
        self._assign(v.call(name, operands, body))

    def _product(self) -> None:
        """A matrix product of blocks of the kernel's own matrices."""
        if len(self.block) != 2 or self.loop:
            return self._plain()
        a = v.cast(self._expression(self.block, 1), self.rng.choice((F32, BF16, F16)))
        form = (self.block[1], self.block[0])
        square = v.dot(a, v.cast(v.transposed(a), a.dtype))
        assert square.shape == (form[1], form[1])
        self._assign(v.reduction(self.rng.choice(("sum", "max")), square, 1, True))
        return None

    def _store(self) -> None:
        dtype = self.rng.choice(OUTPUT_TYPES + (I32,) * self.integers)
        form = self.block
        e = self._expression(form, 3)
        if dtype == I32:
            e = v.cast(e, I32)
        elif e.dtype == BOOL or (dtype != F32 and e.is_weak):
            e = v.cast(e, F32) if e.dtype != BOOL else v.where(e, v.number(1.0), v.number(0.0))
        self.arguments["out"] = np.zeros(int(np.prod(self.size)), dtype)
        places, mask, place, inside = self._access(form, "n1")
        options = f", mask={mask}" if mask else ""

        def run(env: Env) -> None:
            ok = inside(env)
            result = np.broadcast_to(v.convert(np.asarray(e.run(env)), dtype), form)
            at = np.broadcast_to(place(env), form)
            env.memory["out"][at[ok]] = result[ok]

        self._add(f"tl.store(out + {places}, {e.text}{options})", run)

    def _finished(self) -> Kernel:
        arrays = [k for k, a in self.arguments.items() if isinstance(a, np.ndarray)]
        sizes = [k for k in self.arguments if k not in arrays and not k.startswith("B")]
        constants = [k for k in self.arguments if k.startswith("B")] + list(self.flags)
        parameters = ", ".join([*arrays, *sizes, *(f"{k}: tl.constexpr" for k in constants)])
        lines = _indented(self.statements)
        source = "".join(self.helpers) + "\n".join(["@nki_mlir.jit", f"def kernel({parameters}):", *lines]) + "\n"
        return Kernel(source, self.arguments | self.flags, self.grid, ("out",), self.statements)

    # Expressions.
    def _form(self) -> Shape:
        forms = [self.block, self.block, ()]
        if len(self.block) == 2:
            forms += [(self.block[0], 1), (1, self.block[1])]
        return self.rng.choice(forms)

    def _expression(self, form: Shape, depth: int, leaves: bool = True) -> Expr:
        """Of exactly that shape."""
        e = self._any(form, depth, leaves)
        if e.shape == form and not e.is_weak:
            return e
        return v.arithmetic("+", e, self._full(form))

    def _sees_indices(self) -> bool:
        """Indices as values: mostly where they don't depend on the program."""
        return self.integers or self.grid == (1,) * len(self.grid)

    def _full(self, form: Shape) -> Expr:
        if not form and self.integers:
            return Expr(f"tl.program_id({len(self.grid) - 1})", (), I32, lambda env: np.asarray(env.ids[-1], np.int32))
        value = self.rng.choice((0.0, 1.0, 0.5))
        if not form:
            return self._load(form)
        text = f"tl.full({form}, {value}, tl.float32)"
        return Expr(text, form, F32, lambda env: np.full(form, value, np.float32))

    def _leaf(self, form: Shape, leaves: bool) -> Expr:
        rng = self.rng
        fitting = [x for x in self.variables if x.shape == form]
        draw = rng.random()
        if fitting and draw < 0.5:
            return rng.choice(fitting)
        if draw < 0.6:
            return v.number(rng.choice((1, 2, 3, 0.5, -1.5, 2.0, 7)))
        if draw < 0.68 and not leaves:
            return self._full(form)
        if draw < 0.68 and len(form) == 1 and self._sees_indices():
            return self._index(0)
        if draw < 0.75 and not form:
            return self._full(form)
        if not leaves:
            return rng.choice(fitting) if fitting else v.number(1.5)
        return self._load(form)

    def _any(self, form: Shape, depth: int, leaves: bool) -> Expr:
        if depth == 0:
            return self._leaf(form, leaves)
        makers = (
            self._arithmetic,
            self._arithmetic,
            self._arithmetic,
            self._function,
            self._where,
            self._cast,
            self._extremum,
            self._reduced,
            self._integer,
            self._negated,
            self._broadcasting,
            self._leaf_at,
        )
        return self.rng.choice(makers)(form, depth - 1, leaves)

    def _leaf_at(self, form: Shape, depth: int, leaves: bool) -> Expr:
        return self._leaf(form, leaves)

    def _two(self, form: Shape, depth: int, leaves: bool) -> tuple[Expr, Expr]:
        """Operands of which at least one is a tensor; sometimes one of a smaller shape."""
        a, b = (
            self._any(form, depth, leaves),
            self._any(self._smaller(form, leaves), self.rng.randint(0, depth), leaves),
        )
        if a.is_weak and b.is_weak:
            a = self._leaf_tensor(form, leaves)
        return (a, b) if self.rng.random() < 0.7 else (b, a)

    def _leaf_tensor(self, form: Shape, leaves: bool) -> Expr:
        e = self._leaf(form, leaves)
        return self._full(form) if e.is_weak else e

    def _smaller(self, form: Shape, leaves: bool) -> Shape:
        """A shape that broadcasts to the form. Helpers have no scalars."""
        if len(form) == 2 and self.rng.random() < 0.3:
            return self.rng.choice(((form[0], 1), (1, form[1])))
        return () if leaves and self.rng.random() < 0.1 else form

    def _arithmetic(self, form: Shape, depth: int, leaves: bool) -> Expr:
        a, b = (self._number(e) for e in self._two(form, depth, leaves))
        symbol = self.rng.choice("+++--***/")
        return v.arithmetic(symbol, a, b)

    def _number(self, e: Expr) -> Expr:
        """Truth values as floats."""
        return v.cast(e, F32) if e.dtype == BOOL else e

    def _function(self, form: Shape, depth: int, leaves: bool) -> Expr:
        x = self._number(self._any(form, depth, leaves))
        if x.is_weak:
            x = v.arithmetic("*", self._leaf_tensor(form, leaves), x)
        name = self.rng.choice([f for f in v.FUNCTIONS if self.integers or f not in ("floor", "ceil")])
        if name == "abs":
            return v.function(name, x)
        x = x if x.dtype == F32 else v.cast(x, F32)
        if name in v.POSITIVE:
            x = v.arithmetic("+", v.function("abs", x), v.number(0.25))
        return v.function(name, x)

    def _condition(self, form: Shape, depth: int, leaves: bool) -> Expr:
        a, b = (self._number(e) for e in self._two(form, depth, leaves))
        c = v.compare(self.rng.choice(tuple(v.COMPARISONS)), a, b)
        if depth and self.rng.random() < 0.3:
            c = v.logic(self.rng.choice("&|"), c, self._condition(form, depth - 1, leaves))
        return c

    def _where(self, form: Shape, depth: int, leaves: bool) -> Expr:
        a, b = (self._number(e) for e in self._two(form, depth, leaves))
        return v.where(self._condition(form, depth, leaves), a, b)

    def _cast(self, form: Shape, depth: int, leaves: bool) -> Expr:
        e = self._any(form, depth, leaves)
        if e.is_weak:
            e = self._leaf_tensor(form, leaves)
        return v.cast(e, self.rng.choice((F32, F32, BF16, F16) + (I32, I8) * self.integers))

    def _extremum(self, form: Shape, depth: int, leaves: bool) -> Expr:
        a, b = (self._number(e) for e in self._two(form, depth, leaves))
        return v.extremum(self.rng.choice(("maximum", "minimum")), a, b)

    def _negated(self, form: Shape, depth: int, leaves: bool) -> Expr:
        e = self._number(self._any(form, depth, leaves))
        return v.negative(e) if not e.is_weak and e.dtype.kind != "u" else e

    def _integer(self, form: Shape, depth: int, leaves: bool) -> Expr:
        e = self._any(form, depth, leaves)
        if e.is_weak or e.dtype.kind not in "iu" or e.dtype in v.FLOATS:
            return e
        symbol = self.rng.choice(("&", "|", "^", ">>", "<<", "//", "%"))
        return v.arithmetic(symbol, e, v.number(self.rng.choice((1, 2, 3, 4))))

    def _reduced(self, form: Shape, depth: int, leaves: bool) -> Expr:
        """A reduction whose result has the shape wanted, or broadcasts to it."""
        axis = self.rng.randrange(len(self.block)) if len(form) == 2 else 0
        if len(form) == 2 and 1 in form and form != self.block:
            axis = 0 if form[0] == 1 else 1
        whole = self.block if len(form) == 2 or len(self.block) == 1 else None
        if whole is None:
            return self._leaf(form, leaves)
        x = self._number(self._expression(whole, depth, leaves))
        return v.reduction(self.rng.choice(("sum", "max", "min")), x, axis, len(whole) == 2 and bool(form))

    def _broadcasting(self, form: Shape, depth: int, leaves: bool) -> Expr:
        """A vector as a row or column."""
        if len(form) != 2 or not leaves or not self._sees_indices():
            return self._any(form, depth, leaves)
        d = self.rng.randrange(2)
        if form not in (self.block, (self.block[0], 1) if d == 0 else (1, self.block[1])):
            return self._any(form, depth, leaves)
        return v.expand(self._index(d), 1 - d)


def _grid(indices: Sequence[Array], sizes: Sequence[int], form: Shape) -> Array:
    """Positions in a row-major array of those sizes."""
    if not indices:
        return np.zeros(form, np.int64)
    if len(indices) == 2:
        return indices[0][:, None] * sizes[1] + indices[1][None, :]
    return indices[0].reshape(form)


def _all(inside: Sequence[Array], dims: Sequence[int], form: Shape) -> Array:
    if not inside:
        return np.ones(form, bool)
    if len(inside) == 2:
        return inside[0][:, None] & inside[1][None, :]
    return inside[0].reshape(form)


def _indented(statements: Sequence[Statement]) -> list[str]:
    return [f"    {line}" for text, _ in statements for line in text.splitlines()]


def generate(seed: int) -> Kernel:
    """A kernel whose reference is defined; further seeds are drawn until there is one."""
    for attempt in itertools.count():
        kernel = Generator(seed + (attempt << 40)).kernel()
        try:
            kernel.reference()
            return kernel
        except v.Undefined:
            continue
    raise AssertionError
