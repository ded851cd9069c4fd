"""Random integer arithmetic of mixed widths, int64 among them: exactly as in Triton, or refused by name."""

from __future__ import annotations

import importlib.util
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import integers

import nki_mlir

SIZE, PROGRAMS, TRIPS = 16, 3, 3
LOADED = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "bool")
TYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "int64")
INFIX = ("+", "-", "*", "&", "|", "^")
COMPARISONS = {"<": np.less, "<=": np.less_equal, "==": np.equal, "!=": np.not_equal, ">": np.greater}
ARITHMETIC = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "&": np.bitwise_and,
    "|": np.bitwise_or,
    "^": np.bitwise_xor,
    "maximum": np.maximum,
    "minimum": np.minimum,
}
REASONS = ("64", "int32", "division", "remainder", "uint32", "bool")
"""What a refusal names."""


@dataclass
class Term:
    """An expression of a kernel, and its numbers: those of each program, as arrays of the expression's type."""

    text: str
    values: list[np.ndarray]

    @property
    def dtype(self) -> np.dtype:
        return self.values[0].dtype


def promoted(a: np.dtype, b: np.dtype) -> np.dtype:
    """Triton's rule for two typed integers."""
    if a == b or b.kind == "b":
        return a
    if a.kind == "b":
        return b
    if a.kind == b.kind:
        return max(a, b, key=lambda dtype: dtype.itemsize)
    unsigned, signed = (a, b) if a.kind == "u" else (b, a)
    return unsigned if unsigned.itemsize >= signed.itemsize else signed


class Writer:
    """Writes the statements of one kernel and computes what they give."""

    def __init__(self, rng: random.Random):
        self.rng, self.lines = rng, ["pid = tl.program_id(0)", f"at = tl.arange(0, {SIZE})"]
        place = np.arange(SIZE, dtype=np.int32)
        self.known = [Term("at", [place] * PROGRAMS)]
        self.known.append(Term("(at * 0 + pid)", [place * 0 + np.int32(p) for p in range(PROGRAMS)]))
        self.arrays: dict[str, np.ndarray] = {}
        for name in rng.sample(LOADED, 3):
            self.load(name)

    def load(self, name: str) -> None:
        array = integers(PROGRAMS * SIZE, "uint8" if name == "bool" else name, self.rng.randrange(1000))
        array[::3] %= 7
        array = array % 2 == 1 if name == "bool" else array
        self.arrays[f"{name}_ptr"] = array
        self.keep(f"tl.load({name}_ptr + pid * {SIZE} + at)", list(array.reshape(PROGRAMS, SIZE)))

    def keep(self, text: str, values: list[np.ndarray]) -> Term:
        """A variable of that value."""
        name = f"v{len(self.known)}"
        self.lines.append(f"{name} = {text}")
        self.known.append(Term(name, values))
        return self.known[-1]

    def any(self) -> Term:
        return self.rng.choice(self.known[-4:] if self.rng.random() < 0.6 else self.known)

    def number(self) -> Term:
        """Anything but truth values."""
        term = self.any()
        return self.cast(term, "int32") if term.dtype.kind == "b" else term

    def cast(self, term: Term, name: str) -> Term:
        return Term(f"({term.text}).to(tl.{name})", [v.astype(name) for v in term.values])

    def statement(self) -> None:
        often = [self.binary, self.binary, self.constant, self.convert]
        kinds = [*often, *often, self.shift, self.compare, self.where, self.wide, self.reduce, self.scan, self.loop]
        term = self.rng.choice(kinds)()
        self.keep(term.text, term.values)

    def both(self, name: str, left: Term, right: Term) -> Term:
        dtype = promoted(left.dtype, right.dtype)
        text = f"({left.text} {name} {right.text})" if name in INFIX else f"tl.{name}({left.text}, {right.text})"
        pairs = zip(left.values, right.values, strict=True)
        return Term(text, [ARITHMETIC[name](a.astype(dtype), b.astype(dtype)) for a, b in pairs])

    def binary(self) -> Term:
        return self.both(self.rng.choice([*ARITHMETIC, "+", "*"]), self.number(), self.number())

    def constant(self) -> Term:
        """Beside a Python number, which takes the other's type."""
        term = self.number()
        number = self.rng.choice([2, 3, 7, 100, 2**40, 2**33 + 5] if term.dtype == np.int64 else [2, 3, 7, 100])
        weak = Term(str(number), [np.array(number, term.dtype)] * PROGRAMS)
        if self.rng.random() < 0.3:
            name = self.rng.choice(["//", "%"])
            work = _quotient if name == "//" else _remainder
            return Term(f"({term.text} {name} {number})", [work(v, number) for v in term.values])
        return self.both(self.rng.choice(list(ARITHMETIC)), term, weak)

    def shift(self) -> Term:
        term, left = self.number(), self.rng.random() < 0.6
        by = self.rng.choice([1, 3, 8 * term.dtype.itemsize - 1, 4 * term.dtype.itemsize])
        work = np.left_shift if left else np.right_shift
        text = f"({term.text} {'<<' if left else '>>'} {by})"
        return Term(text, [work(v, v.dtype.type(by)) for v in term.values])

    def convert(self) -> Term:
        return self.cast(self.any(), self.rng.choice(TYPES))

    def compare(self) -> Term:
        name, left, right = self.rng.choice(list(COMPARISONS)), self.number(), self.number()
        dtype = promoted(left.dtype, right.dtype)
        pairs = zip(left.values, right.values, strict=True)
        values = [COMPARISONS[name](a.astype(dtype), b.astype(dtype)) for a, b in pairs]
        return Term(f"({left.text} {name} {right.text})", values)

    def where(self) -> Term:
        condition, left, right = self.compare(), self.number(), self.number()
        dtype = promoted(left.dtype, right.dtype)
        parts = zip(condition.values, left.values, right.values, strict=True)
        values = [np.where(c, a.astype(dtype), b.astype(dtype)) for c, a, b in parts]
        return Term(f"tl.where({condition.text}, {left.text}, {right.text})", values)

    def wide(self) -> Term:
        """A number that is an int64 from the start."""
        number = self.rng.choice([0, 1, 5, -3, 2**31, 2**40 + 7])
        text = f"tl.full(({SIZE},), {number}, tl.int64)" if number else f"tl.zeros(({SIZE},), tl.int64)"
        return Term(text, [np.full(SIZE, number, np.int64)] * PROGRAMS)

    def reduce(self) -> Term:
        """Short integers are reduced as int32."""
        name, term = self.rng.choice(["sum", "max", "min"]), self.number()
        if term.dtype.itemsize < 4:
            term = self.cast(term, "int32")
        work = {"sum": np.sum, "max": np.max, "min": np.min}[name]
        options = {"dtype": term.dtype} if name == "sum" else {}
        values = [np.broadcast_to(work(v, **options), SIZE) for v in term.values]
        return Term(f"tl.broadcast_to(tl.{name}({term.text}, axis=0), ({SIZE},))", values)

    def scan(self) -> Term:
        term = self.number()
        if term.dtype.itemsize < 4:
            term = self.cast(term, "int32")
        return Term(f"tl.cumsum({term.text}, axis=0)", [v.cumsum(dtype=v.dtype) for v in term.values])

    def loop(self) -> Term:
        """A sum that a loop carries, of the type that it starts with."""
        start, term = self.number(), self.number()
        if promoted(start.dtype, term.dtype) != start.dtype:
            start = self.cast(start, promoted(start.dtype, term.dtype).name)
        total = self.keep(start.text, start.values)
        self.lines += [f"for _ in range({TRIPS}):", f"    {total.text} += {term.text}"]
        pairs = zip(start.values, term.values, strict=True)
        total.values = [a + b.astype(a.dtype) * a.dtype.type(TRIPS) for a, b in pairs]
        return Term(total.text, total.values)

    def source(self) -> str:
        result = self.known[-1]
        store = f"tl.store(out_ptr + pid * {SIZE} + at, {result.text})"
        names = ", ".join([*self.arrays, "out_ptr"])
        head = ["import nki_mlir", "import nki_mlir.language as tl", "", "", "@nki_mlir.jit", f"def kernel({names}):"]
        return "\n".join([*head, *(f"    {line}" for line in [*self.lines, store])]) + "\n"


def _quotient(values: np.ndarray, number: int) -> np.ndarray:
    """Towards zero."""
    whole = [int(v) for v in values]
    return np.array([abs(v) // number * (-1 if v < 0 else 1) for v in whole]).astype(values.dtype)


def _remainder(values: np.ndarray, number: int) -> np.ndarray:
    """Of the sign of what is divided."""
    return np.fmod(values.astype(np.int64), number).astype(values.dtype)


def check(rng: random.Random, directory: Path) -> str:
    """Compiles a kernel and runs it; what it was refused for, or nothing."""
    writer = Writer(rng)
    with np.errstate(over="ignore"):
        for _ in range(rng.randint(2, 6)):
            writer.statement()
    path = directory / f"integers_{rng.getrandbits(40)}.py"
    path.write_text(writer.source())
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dtype = rng.choice(["int64", writer.known[-1].dtype.name])
    out = np.zeros(PROGRAMS * SIZE, dtype)
    expected = np.concatenate(writer.known[-1].values).astype(dtype)
    try:
        module.kernel[(PROGRAMS,)](*writer.arrays.values(), out)
    except nki_mlir.CompileError as error:
        assert any(reason in error.message for reason in REASONS), (error, writer.source())
        return error.message
    np.testing.assert_array_equal(out, expected, writer.source())
    return ""


@settings(max_examples=40)
@given(st.integers(0, 2**40))
def test_integers_are_exact_or_refused(tmp_path_factory, seed: int) -> None:
    check(random.Random(seed), tmp_path_factory.mktemp("integers"))
