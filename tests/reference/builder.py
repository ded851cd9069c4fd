"""Writes `tile` modules for tests, with Python's operators on values: broadcasting, constants and source locations come
by themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    AnyFloat,
    FileLineColLoc,
    FloatAttr,
    IndexType,
    IntAttr,
    IntegerAttr,
    IntegerType,
    MemRefType,
    ModuleOp,
    StringAttr,
    i1,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.scf import ForOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from nki_mlir.analysis.indices import expr_of
from nki_mlir.dialects import tile
from nki_mlir.dialects.coordinates import Coordinates, Position, guard, strided
from nki_mlir.dialects.expr import Expr
from reference.elements import is_float

Shape = tuple[int, ...]
Operand = "Value | float"

_OPS: dict[str, tuple[type[Operation] | None, type[Operation] | None]] = {
    "+": (arith.AddfOp, arith.AddiOp),
    "-": (arith.SubfOp, arith.SubiOp),
    "*": (arith.MulfOp, arith.MuliOp),
    "/": (arith.DivfOp, None),
    "//": (None, arith.DivSIOp),
    "%": (None, arith.RemSIOp),
    "&": (None, arith.AndIOp),
    "|": (None, arith.OrIOp),
    "^": (None, arith.XOrIOp),
    "maximum": (arith.MaximumfOp, arith.MaxSIOp),
    "minimum": (arith.MinimumfOp, arith.MinSIOp),
    "maxnum": (arith.MaxnumfOp, None),
    "minnum": (arith.MinnumfOp, None),
}
"""operator -> its operation on floats and on integers."""

UNARY: dict[str, type[Operation]] = {
    "exp": math.ExpOp,
    "log": math.LogOp,
    "sqrt": math.SqrtOp,
    "rsqrt": math.RsqrtOp,
    "sin": math.SinOp,
    "cos": math.CosOp,
    "floor": math.FloorOp,
    "ceil": math.CeilOp,
    "trunc": math.TruncOp,
    "tanh": math.TanhOp,
    "erf": math.ErfOp,
    "abs": math.AbsFOp,
    "neg": arith.NegfOp,
}


@dataclass(frozen=True, eq=False)
class Value:
    """A scalar, a tensor, pointers, or an argument in HBM (which counts as the pointer to its first element)."""

    kernel: Kernel
    ssa: SSAValue

    @property
    def shape(self) -> Shape:
        return tile.shape_of(self.ssa)

    @property
    def element(self) -> Attribute:
        return tile.element_of(self.ssa)

    def __add__(self, other: Value | float) -> Value:
        return self.kernel.binary("+", self, other)

    def __sub__(self, other: Value | float) -> Value:
        return self.kernel.binary("-", self, other)

    def __mul__(self, other: Value | float) -> Value:
        return self.kernel.binary("*", self, other)

    def __truediv__(self, other: Value | float) -> Value:
        return self.kernel.binary("/", self, other)

    def __floordiv__(self, other: Value | int) -> Value:
        return self.kernel.binary("//", self, other)

    def __mod__(self, other: Value | int) -> Value:
        return self.kernel.binary("%", self, other)

    def __and__(self, other: Value | int) -> Value:
        return self.kernel.binary("&", self, other)

    def __or__(self, other: Value | int) -> Value:
        return self.kernel.binary("|", self, other)

    def __xor__(self, other: Value | int) -> Value:
        return self.kernel.binary("^", self, other)

    def __lt__(self, other: Value | float) -> Value:
        return self.kernel.compare("lt", self, other)

    def __le__(self, other: Value | float) -> Value:
        return self.kernel.compare("le", self, other)

    def __gt__(self, other: Value | float) -> Value:
        return self.kernel.compare("gt", self, other)

    def __ge__(self, other: Value | float) -> Value:
        return self.kernel.compare("ge", self, other)

    def __neg__(self) -> Value:
        return self.kernel.unary("neg", self)

    def row(self) -> Value:
        """A vector as a matrix of one row."""
        return self.kernel.emit(tile.ExpandDimsOp(self.ssa, 0))

    def column(self) -> Value:
        """A vector as a matrix of one column."""
        return self.kernel.emit(tile.ExpandDimsOp(self.ssa, 1))

    @property
    def T(self) -> Value:
        return self.permute(*reversed(range(len(self.shape))))

    def permute(self, *order: int) -> Value:
        return self.kernel.emit(tile.PermuteOp(self.ssa, order))

    def reshape(self, *shape: int) -> Value:
        return self.kernel.emit(tile.ReshapeOp(self.ssa, shape))

    def to(self, element: Attribute) -> Value:
        return self.kernel.emit(tile.CastOp(self.ssa, element))

    def broadcast(self, shape: Shape) -> Value:
        if self.shape == shape:
            return self
        if not self.shape:
            return self.kernel.emit(tile.SplatOp(self.ssa, shape))
        return self.kernel.emit(tile.BroadcastOp(self.ssa, shape))

    def reduce(self, kind: str, axis: int, keep: bool = False) -> Value:
        reduced = self.kernel.emit(tile.ReduceOp(kind, self.ssa, axis))
        if not keep:
            return reduced
        return self.kernel.emit(tile.ExpandDimsOp(reduced.ssa, axis))

    def scan(
        self,
        kind: str,
        axis: int,
        scale: Value | None = None,
        reverse: bool = False,
        initial: Value | None = None,
    ) -> Value:
        factor, first = (None if value is None else value.ssa for value in (scale, initial))
        return self.kernel.emit(tile.ScanOp(kind, self.ssa, axis, factor, reverse, first))

    def last(self, axis: int) -> Value:
        return self.kernel.emit(tile.LastOp(self.ssa, axis))

    def flip(self, axis: int) -> Value:
        return self.kernel.emit(tile.FlipOp(self.ssa, axis))

    def slice(self, axis: int, at: int, size: int) -> Value:
        return self.kernel.emit(tile.SliceOp(self.ssa, axis, at, size))

    def concat(self, axis: int, *others: Value) -> Value:
        return self.kernel.emit(tile.ConcatOp([v.ssa for v in (self, *others)], axis))


class Kernel:
    """A kernel under construction; `args` are its arguments. Every operation has a line of its own."""

    def __init__(self, grid: Sequence[int], args: Sequence[tuple[Attribute, Sequence[int]]]):
        self.entry = Block(arg_types=[MemRefType(element, shape) for element, shape in args])
        self.programs, self.line = tile.ProgramsOp(grid), 0
        self.block = self.programs.body.block
        self.args = [Value(self, a) for a in self.entry.args]

    def add(self, op: Operation) -> Operation:
        self.line += 1
        op.location = FileLineColLoc(StringAttr("kernel.py"), IntAttr(self.line), IntAttr(1))
        self.block.add_op(op)
        return op

    def emit(self, op: Operation) -> Value:
        return Value(self, self.add(op).results[0])

    def module(self) -> ModuleOp:
        end = ReturnOp()
        self.entry.add_ops([self.programs, end])
        func = FuncOp("kernel", ([a.type for a in self.entry.args], []), Region(self.entry))
        module = ModuleOp([func])
        for op in (module, func, self.programs, end):
            op.location = FileLineColLoc(StringAttr("kernel.py"), IntAttr(1), IntAttr(1))
        return module

    # Scalars and vectors of integers.
    def constant(self, number: float, element: Attribute) -> Value:
        if is_float(element):
            return self.emit(arith.ConstantOp(FloatAttr(number, cast(AnyFloat, element))))
        value = -int(bool(number)) if element == i1 else int(number)
        return self.emit(arith.ConstantOp(IntegerAttr(value, cast(IndexType | IntegerType, element))))

    def index(self, number: int) -> Value:
        return self.constant(number, IndexType())

    def program_id(self, axis: int = 0) -> Value:
        return Value(self, self.programs.ids[axis])

    def arange(self, end: int, start: int = 0) -> Value:
        return self.emit(tile.ArangeOp(start, end))

    def full(self, shape: Shape, number: float, element: Attribute) -> Value:
        return self.constant(number, element).broadcast(shape)

    # Operators.
    def match(self, left: Value, right: Value | float, element: Attribute | None = None) -> tuple[Value, Value]:
        """Both with their common shape; a number becomes a constant of the type."""
        if not isinstance(right, Value):
            right = self.constant(right, element or left.element)
        if not left.shape or not right.shape:
            shape = left.shape or right.shape
        else:
            shape = tuple(max(a, b) for a, b in zip(left.shape, right.shape, strict=True))
        return left.broadcast(shape), right.broadcast(shape)

    def binary(self, symbol: str, left: Value, right: Value | float) -> Value:
        if isinstance(left.ssa.type, MemRefType):
            left = self.emit(tile.BaseOp(left.ssa))
        if isinstance(left.element, tile.PtrType):
            ptr, offset = self.match(left, right, IndexType())
            return self.emit(tile.AddPtrOp(ptr.ssa, offset.ssa))
        a, b = self.match(left, right)
        op = _OPS[symbol][0 if is_float(a.element) else 1]
        assert op is not None
        return self.emit(op.create(operands=[a.ssa, b.ssa], result_types=[a.ssa.type]))

    def compare(self, predicate: str, left: Value, right: Value | float) -> Value:
        a, b = self.match(left, right)
        return self.emit(tile.CompareOp(predicate, a.ssa, b.ssa))

    def unary(self, name: str, x: Value) -> Value:
        return self.emit(UNARY[name].create(operands=[x.ssa], result_types=[x.ssa.type]))

    def where(self, condition: Value, x: Value, y: Value | float) -> Value:
        x, y = self.match(x, y)
        x = x.broadcast(condition.shape)
        return self.emit(tile.SelectOp(condition.ssa, x.ssa, y.broadcast(condition.shape).ssa))

    def dot(self, a: Value, b: Value, acc: Value | None = None, element: Attribute | None = None) -> Value:
        from xdsl.dialects.builtin import f32

        return self.emit(tile.DotOp(a.ssa, b.ssa, acc.ssa if acc else None, element or f32))

    # Memory: pointer form, then structured form.
    def load(self, ptr: Value, mask: Value | None = None, other: float | None = None) -> Value:
        if isinstance(ptr.ssa.type, MemRefType):
            ptr = self.emit(tile.BaseOp(ptr.ssa))
        element = cast(tile.PtrType, ptr.element).element_type
        default = None if other is None else self.constant(other, element).ssa
        return self.emit(tile.LoadOp(ptr.ssa, self._mask(mask, ptr), default))

    def store(self, ptr: Value, value: Value, mask: Value | None = None) -> None:
        if isinstance(ptr.ssa.type, MemRefType):
            ptr = self.emit(tile.BaseOp(ptr.ssa))
        self.add(tile.StoreOp(ptr.ssa, value.ssa, self._mask(mask, ptr)))

    def _mask(self, mask: Value | None, ptr: Value) -> SSAValue | None:
        return None if mask is None else mask.broadcast(ptr.shape).ssa

    def read(
        self,
        memory: Value,
        offset: Value,
        strides: Shape,
        shape: Shape,
        valid: Shape = (),
        other: float | None = None,
    ) -> Value:
        default = FloatAttr(other, cast(AnyFloat, memory.element)) if other is not None else None
        type_ = tile.with_shape(memory.element, shape)
        return self.emit(tile.ReadOp(memory.ssa, _coordinates(offset, strides, valid), type_, other=default))

    def write(self, value: Value, memory: Value, offset: Value, strides: Shape, valid: Shape = ()) -> None:
        self.add(tile.WriteOp(value.ssa, memory.ssa, _coordinates(offset, strides, valid)))

    # Loops.
    def loop(
        self, low: int, high: int, step: int, inits: Sequence[Value], body: Callable[..., Sequence[Value]]
    ) -> list[Value]:
        """`body(counter, *carried)` gives the next carried values."""
        bounds = [self.index(b).ssa for b in (low, high, step)]
        block = Block(arg_types=[IndexType(), *(i.ssa.type for i in inits)])
        outer, self.block = self.block, block
        results = body(*(Value(self, a) for a in block.args))
        self.add(YieldOp(*(r.ssa for r in results)))
        self.block = outer
        loop = self.add(ForOp(bounds[0], bounds[1], bounds[2], [i.ssa for i in inits], Region(block)))
        return [Value(self, r) for r in loop.results]


Build = Callable[..., Any]


def _coordinates(offset: Value, strides: Shape, valid: Shape) -> Coordinates:
    """An access from an offset on, of which so many places of each dimension are valid."""
    bounds = (guard(Expr.counter(Position(dim)), 0, extent) for dim, extent in enumerate(valid))
    return Coordinates((*strided(strides, expr_of(offset.ssa)), *bounds))
