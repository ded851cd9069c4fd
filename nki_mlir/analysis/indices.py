"""What is known of integers: scalars as expressions over loop counters and program ids, with ranges; index tensors
as an offset and a stride for each dimension."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IndexType, IntegerAttr, IntegerType
from xdsl.dialects.scf import ForOp, IfOp, WhileOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from nki_mlir.analysis.constants import limits
from nki_mlir.dialects import tile
from nki_mlir.dialects.expr import Expr, FloorDiv, Mod
from nki_mlir.dialects.tile_programs import ProgramsOp

UNKNOWN = (-(2**62), 2**62)
EXACT = 2**31
"""What numbers of either sign are divided as an expression reach at most."""


class NotAffine(Exception):
    """Why an address or a mask is no strided, bounded access; the text completes 'is not supported: …'."""


class DataDependent(NotAffine):
    """An address or a mask that is known only once data has been loaded."""


def constant(value: SSAValue) -> int | None:
    """The integer, if the value is a constant (of whatever form)."""
    op = value.owner
    if type(op) is arith.ConstantOp and type(op.value) is IntegerAttr and type(value.type) is IndexType:
        return op.value.value.data  # what most bounds and steps are
    expr = expr_of(value)
    return expr.const if expr.is_const else None


def trip_count(loop: ForOp) -> int | None:
    """The number of iterations, if the bounds are constants."""
    low, high, step = constant(loop.lb), constant(loop.ub), constant(loop.step)
    if low is None or high is None or step is None or step < 1:
        return None
    return max(0, -(-(high - low) // step))


def only_counts(loop: ForOp) -> bool:
    """Whether a loop counts from 0 by 1 to a number of at least two, and carries nothing."""
    trips = trip_count(loop)
    return bool(trips and trips > 1 and (constant(loop.lb), constant(loop.step)) == (0, 1) and not loop.iter_args)


def enclosing_loops(op: Operation) -> list[ForOp]:
    """From the outermost in."""
    loops: list[ForOp] = []
    parent = op.parent_op()
    while parent is not None:
        if isinstance(parent, ForOp):
            loops.append(parent)
        parent = parent.parent_op()
    return loops[::-1]


def is_run_time(op: Operation) -> bool:
    """Whether how often its regions run is known at run time only: a loop without constant bounds, a while, an if."""
    return trip_count(op) is None if type(op) is ForOp else type(op) in (IfOp, WhileOp)


def repeated_loops(op: Operation) -> list[ForOp]:
    """The loops around an operation, from the outermost in, as far as no run-time control flow is in between."""
    loops: list[ForOp] = []
    parent = op.parent_op()
    while parent is not None and not is_run_time(parent):
        if isinstance(parent, ForOp):
            loops.append(parent)
        parent = parent.parent_op()
    return loops[::-1]


def is_known_early(expr: Expr) -> bool:
    """Whether it is made of the counters of loops with constant bounds."""
    return all(is_loop_counter(key) and range_of(key)[1] < UNKNOWN[1] for key in expr.counters())


def range_of(key: Hashable) -> tuple[int, int]:
    """The inclusive range of an atom: a loop counter, a program id, or anything."""
    if not isinstance(key, SSAValue):
        return UNKNOWN
    type_ = key.type
    if type(type_) is IntegerType:
        return limits(type_)
    if is_program_id(key):
        assert isinstance(key, BlockArgument)
        return 0, cast(ProgramsOp, key.owner.parent_op()).grid[key.index] - 1
    loop = key.owner.parent_op() if isinstance(key.owner, Block) else None
    if isinstance(loop, ForOp) and key is loop.body.block.args[0]:
        trips, low, step = trip_count(loop), constant(loop.lb), constant(loop.step)
        if trips and low is not None and step is not None:
            return low, low + step * (trips - 1)
        if trips is None and low is not None and step is not None and step >= 1:
            return low, UNKNOWN[1]
    return UNKNOWN


def bounds(expr: Expr) -> tuple[int, int]:
    return expr.bounds(range_of)


def expr_of(value: SSAValue) -> Expr:
    """A scalar integer over atoms: loop counters, program ids, and whatever else can't be looked into, such as what may
    wrap around in its type."""
    expr, type_ = _expr_of(value), value.type
    if type(type_) is IntegerType and not _fits(bounds(expr), type_):
        return Expr.counter(value)
    return expr


def _fits(range_: tuple[int, int], type_: IntegerType) -> bool:
    low, high = limits(type_)
    return low <= range_[0] and range_[1] <= high


def _expr_of(value: SSAValue) -> Expr:
    rule = _RULES.get(type(value.owner))
    return Expr.counter(value) if rule is None else rule(value.owner, value)


def _constant(op: arith.ConstantOp, value: SSAValue) -> Expr:
    return Expr(op.value.value.data) if isinstance(op.value, IntegerAttr) else Expr.counter(value)


def _sides(op: Operation) -> tuple[Expr, Expr]:
    """Those of two operands; asking for these by their names takes longer."""
    left, right = op.operands
    return expr_of(left), expr_of(right)


def _sum(op: arith.AddiOp, value: SSAValue) -> Expr:
    left, right = _sides(op)
    return left + right


def _difference(op: arith.SubiOp, value: SSAValue) -> Expr:
    left, right = _sides(op)
    return left - right


def _product(op: arith.MuliOp, value: SSAValue) -> Expr:
    left, right = _sides(op)
    if left.is_const:
        return right * left.const
    return left * right.const if right.is_const else Expr.counter(value)


def _cast(op: tile.CastOp, value: SSAValue) -> Expr:
    return expr_of(op.source) if isinstance(op.source.type, IndexType | IntegerType) else Expr.counter(value)


def _division(op: arith.DivSIOp | arith.RemSIOp | arith.FloorDivSIOp, value: SSAValue) -> Expr:
    left, right = _sides(op)
    if not right.is_const or right.const <= 0:
        return Expr.counter(value)
    divide = modulo if isinstance(op, arith.RemSIOp) else quotient
    low, high = bounds(left)
    if low >= 0 or isinstance(op, arith.FloorDivSIOp):
        return divide(left, right.const)
    if high <= 0:
        return divide(left * -1, right.const) * -1
    if low < -EXACT or high > EXACT:
        return Expr.counter(value)
    is_negative = left.floordiv(max(-low, high) + 1) * -1
    result = quotient(left + is_negative * (right.const - 1), right.const)
    return left - result * right.const if isinstance(op, arith.RemSIOp) else result


def _powers(op: arith.ShLIOp | arith.ShRSIOp | arith.AndIOp, value: SSAValue) -> Expr:
    left, right = _sides(op)
    factor = _power(op, right.const) if right.is_const else None
    if factor is None:
        return Expr.counter(value)
    if isinstance(op, arith.ShLIOp):
        return left * factor
    return modulo(left, factor) if isinstance(op, arith.AndIOp) else quotient(left, factor)


def _magnitude(expr: Expr, value: SSAValue) -> Expr:
    low, high = bounds(expr)
    return expr if low >= 0 else expr * -1 if high <= 0 else Expr.counter(value)


def _power(op: arith.ShLIOp | arith.ShRSIOp | arith.AndIOp, right: int) -> int | None:
    """The power of two by which a bit operator multiplies, divides, or takes the remainder."""
    if isinstance(op, arith.AndIOp):
        return right + 1 if right >= 0 and right & right + 1 == 0 else None
    return 1 << right if 0 <= right < 63 else None


def divisor_of(op: Operation) -> int | None:
    """The positive constant by which tiles of indices are divided, or of which the remainder is taken, also by bits."""
    try:
        number = index_tensor(op.operands[1])
    except NotAffine:
        return None
    if not number.is_const:
        return None
    if isinstance(op, arith.ShRSIOp | arith.AndIOp):
        return _power(op, number.offset.const)
    return number.offset.const if number.offset.const > 0 else None


def quotient(expr: Expr, divisor: int) -> Expr:
    """floordiv, with quotients that are the same whatever the counters are as numbers."""
    result = expr.floordiv(divisor)
    for term, coefficient in result.terms:
        if isinstance(term, FloorDiv):
            low, high = (bound // term.divisor for bound in bounds(term.value))
            if low == high:
                result = result - Expr(0, ((term, coefficient),)) + coefficient * low
    return result


def modulo(expr: Expr, divisor: int) -> Expr:
    result = expr.mod(divisor)
    if len(result.terms) == 1 and isinstance(term := result.terms[0][0], Mod):
        low, high = bounds(term.value)
        if low // divisor == high // divisor:
            return term.value - divisor * (low // divisor)
    return result


def _extremum(op: arith.MinSIOp | arith.MaxSIOp, value: SSAValue) -> Expr:
    found = chosen(op, *_sides(op), bounds)
    return Expr.counter(value) if found is None else found


_RULES: Mapping[type, Callable[[Any, SSAValue], Expr]] = {
    arith.ConstantOp: _constant,
    arith.AddiOp: _sum,
    arith.SubiOp: _difference,
    arith.MuliOp: _product,
    arith.IndexCastOp: lambda op, value: expr_of(op.input),
    tile.CastOp: _cast,
    **dict.fromkeys((arith.DivSIOp, arith.RemSIOp, arith.FloorDivSIOp), _division),
    **dict.fromkeys((arith.MinSIOp, arith.MaxSIOp), _extremum),
    **dict.fromkeys((arith.ShLIOp, arith.ShRSIOp, arith.AndIOp), _powers),
    math.AbsIOp: lambda op, value: _magnitude(expr_of(op.operand), value),
}
"""What is looked into, by its kind."""


def chosen(
    op: arith.MinSIOp | arith.MaxSIOp, left: Expr, right: Expr, bounds: Callable[[Expr], tuple[int, int]]
) -> Expr | None:
    """The side that a minimum or a maximum always is; None where it may be either."""
    low, high = bounds(left - right)
    if low < 0 < high:
        return None
    return left if isinstance(op, arith.MinSIOp) == (high <= 0) else right


class Chosen(NamedTuple):
    """`factor` times an element of `values`, a tensor or a scalar of integers that is no affine expression: the one at
    the places along these dimensions; None is place 0."""

    values: SSAValue
    dims: tuple[int | None, ...]
    factor: int


@dataclass(frozen=True)
class IndexTensor:
    """Element `i` is `offset + sum(i[d] * strides[d])`, plus what is chosen from elsewhere."""

    offset: Expr
    strides: tuple[int, ...]
    chosen: tuple[Chosen, ...] = ()

    def __add__(self, other: IndexTensor) -> IndexTensor:
        strides = tuple(a + b for a, b in zip(self.strides, other.strides, strict=True))
        return IndexTensor(self.offset + other.offset, strides, (*self.chosen, *other.chosen))

    def __mul__(self, factor: int) -> IndexTensor:
        chosen = tuple(c._replace(factor=c.factor * factor) for c in self.chosen if factor)
        return IndexTensor(self.offset * factor, tuple(s * factor for s in self.strides), chosen)

    def reshaped(self, op: tile.ShapeOp) -> IndexTensor:
        """What a shape operation makes of it."""
        places = reshaped_dims(op, len(self.strides)) if self.chosen else ()
        chosen = (c._replace(dims=tuple(None if d is None else places[d] for d in c.dims)) for c in self.chosen)
        return IndexTensor(self.offset, reshaped(op, self.strides), tuple(chosen))

    def sliced(self, op: tile.SliceOp) -> IndexTensor:
        """What a slice has of it, where nothing is chosen."""
        return IndexTensor(self.offset + self.strides[op.axis.value.data] * op.at.value.data, self.strides)

    def range(self, shape: tuple[int, ...]) -> tuple[int, int]:
        low, high = bounds(self.offset)
        spans = [(n - 1) * s for n, s in zip(shape, self.strides, strict=True)]
        return low + sum(min(0, s) for s in spans), high + sum(max(0, s) for s in spans)

    @property
    def is_const(self) -> bool:
        return self.offset.is_const and not any(self.strides) and not self.chosen


def place_of(value: SSAValue) -> IndexTensor:
    """An integer tensor (or scalar) as offset, strides, and what is chosen from tensors that are no affine expressions:
    what was loaded, or divided. Sums and multiples of these are looked into, as if they did not wrap around."""
    try:
        return index_tensor(value)
    except NotAffine:
        pass
    shape, op = tile.shape_of(value), value.owner
    match op:
        case tile.ExpandDimsOp() | tile.BroadcastOp() | tile.PermuteOp():
            return place_of(op.source).reshaped(op)
        case tile.SplatOp():
            inner = place_of(op.value)
            return IndexTensor(inner.offset, (0,) * len(shape), inner.chosen)
        case tile.CastOp() if _widens(op):
            return place_of(op.source)
        case arith.IndexCastOp():
            return place_of(op.input)
        case arith.AddiOp():
            return place_of(op.lhs) + place_of(op.rhs)
        case arith.SubiOp():
            return place_of(op.lhs) + place_of(op.rhs) * -1
        case arith.MuliOp():
            left, right = place_of(op.lhs), place_of(op.rhs)
            if left.is_const:
                return right * left.offset.const
            if right.is_const:
                return left * right.offset.const
        case _:
            pass
    return IndexTensor(Expr(0), (0,) * len(shape), (Chosen(value, tuple(range(len(shape))), 1),))


def _widens(op: tile.CastOp) -> bool:
    """Whether a cast of integers keeps the number."""
    source, result = tile.element_of(op.source), tile.element_of(op.result)
    if isinstance(result, IndexType):
        return isinstance(source, IntegerType)
    return isinstance(source, IntegerType) and isinstance(result, IntegerType) and _fits(limits(source), result)


def index_tensor(value: SSAValue) -> IndexTensor:
    """An integer tensor (or scalar) as offset and strides. Raises NotAffine."""
    place = _index_tensor(value)
    element = tile.element_of(value)
    if isinstance(element, IntegerType) and not _fits(place.range(tile.shape_of(value)), element):
        raise NotAffine(f"indices that may wrap around in {element}")
    return place


def _index_tensor(value: SSAValue) -> IndexTensor:
    shape, op = tile.shape_of(value), value.owner
    if not shape:
        return IndexTensor(known(expr_of(value)), ())
    match op:
        case tile.SplatOp():
            return IndexTensor(known(expr_of(op.value)), (0,) * len(shape))
        case tile.ArangeOp():
            return IndexTensor(Expr(op.start.value.data), (1,))
        case tile.ShapeOp():
            return index_tensor(op.source).reshaped(op)
        case tile.SliceOp():
            return index_tensor(op.source).sliced(op)
        case tile.CastOp() if isinstance(tile.element_of(op.source), IndexType | IntegerType):
            return index_tensor(op.source)
        case arith.ConstantOp(value=DenseIntOrFPElementsAttr() as dense) if dense.is_splat():
            return IndexTensor(Expr(int(cast(int, dense.get_values()[0]))), (0,) * len(shape))
        case arith.AddiOp():
            return index_tensor(op.lhs) + index_tensor(op.rhs)
        case arith.SubiOp():
            return index_tensor(op.lhs) + index_tensor(op.rhs) * -1
        case arith.MuliOp():
            left, right = index_tensor(op.lhs), index_tensor(op.rhs)
            if left.is_const:
                return right * left.offset.const
            if right.is_const:
                return left * right.offset.const
            raise NotAffine("a product of two values that both vary")
        case arith.DivSIOp() | arith.RemSIOp() | arith.FloorDivSIOp():
            return _tensor_division(op, shape)
        case arith.ShLIOp() | arith.ShRSIOp() | arith.AndIOp():
            return _tensor_powers(op, shape)
        case _:
            no_data(value)
            raise NotAffine(f"an address or a mask computed by {describe_op(op)}")


def describe_op(op: Operation | Block) -> str:
    return op.name if isinstance(op, Operation) else "a loop-carried value that is not start + iteration * step"


def known(expr: Expr) -> Expr:
    """The expression, if it is made of program ids, loop counters and what they alone determine. Raises NotAffine."""
    for key in expr.counters():
        if isinstance(key, SSAValue):
            no_data(key)
            if not isinstance(key.type, IndexType):
                wraps = isinstance(key.owner, Operation) and (key.owner.name.startswith("arith.") or _is_cast(key))
                raise NotAffine(
                    f"an integer that may wrap around in {key.type}"
                    if wraps
                    else f"an address or a mask computed by {describe_op(key.owner)}"
                )
            if not _is_arithmetic(key):
                by = "" if isinstance(key.owner, Block) else "an address or a mask computed by "
                raise NotAffine(by + describe_op(key.owner))
    return expr


def _is_arithmetic(value: SSAValue) -> bool:
    """Whether a scalar index is a counter, a program id, an argument of the function, or computed of such: neither
    chosen by a condition nor carried by a loop."""
    owner = value.owner
    if isinstance(owner, Block):
        return is_loop_counter(value) or not isinstance(owner.parent_op(), ForOp | WhileOp)
    return not isinstance(owner, tile.SelectOp | math.AbsIOp | ForOp | IfOp | WhileOp)


def _is_cast(value: SSAValue) -> bool:
    return isinstance(value.owner, tile.CastOp | arith.IndexCastOp)


def no_data(value: SSAValue) -> None:
    """Raises DataDependent if a value is computed from what was loaded."""
    seen, pending = {value}, [value]
    while pending:
        op = pending.pop().owner
        if isinstance(op, tile.LoadOp | tile.ReadOp):
            raise DataDependent("loaded data")
        new = [v for v in op.operands if v not in seen] if isinstance(op, Operation) else []
        seen.update(new)
        pending += new


def _tensor_division(op: arith.DivSIOp | arith.RemSIOp | arith.FloorDivSIOp, shape: tuple[int, ...]) -> IndexTensor:
    left, right = index_tensor(op.lhs), index_tensor(op.rhs)
    word = "remainder" if isinstance(op, arith.RemSIOp) else "division"
    if not right.is_const or right.offset.const <= 0:
        raise NotAffine(f"a {word} by something that is not a positive constant")
    return _divided(left, right.offset.const, word, shape)


def _tensor_powers(op: arith.ShLIOp | arith.ShRSIOp | arith.AndIOp, shape: tuple[int, ...]) -> IndexTensor:
    left, right = index_tensor(op.lhs), index_tensor(op.rhs)
    factor = _power(op, right.offset.const) if right.is_const else None
    if factor is None:
        raise NotAffine(f"indices computed by {op.name} with something that is no constant power of two")
    if isinstance(op, arith.ShLIOp):
        return left * factor
    return _divided(left, factor, "remainder" if isinstance(op, arith.AndIOp) else "division", shape)


def _divided(left: IndexTensor, divisor: int, word: str, shape: tuple[int, ...]) -> IndexTensor:
    """Indices that are not negative, over or modulo a positive number."""
    low, high = left.range(shape)
    if high >= 2**31:
        raise NotAffine(f"a {word} of indices that reach {high}: kernels count in 32 bits")
    if 0 <= low and high < divisor:
        return left if word == "remainder" else IndexTensor(Expr(0), (0,) * len(shape))
    if not any(left.strides) and low >= 0:
        scalar = modulo(left.offset, divisor) if word == "remainder" else quotient(left.offset, divisor)
        return IndexTensor(scalar, left.strides)
    if low >= 0 and (parts := _parted(left, divisor, shape)) is not None:
        return parts[1] if word == "remainder" else parts[0]
    raise NotAffine(f"a {word} by {divisor} of indices that reach {low}..{high}: it does not keep their stride")


def _parted(left: IndexTensor, divisor: int, shape: tuple[int, ...]) -> tuple[IndexTensor, IndexTensor] | None:
    """The quotient and the remainder of indices whose parts that a divisor does not divide come to less than it: along
    dimensions they are steps, and of the rest a remainder that is never as much as a step more."""
    rests = tuple(stride % divisor for stride in left.strides)
    inside = sum((n - 1) * rest for n, rest in zip(shape, rests, strict=True) if n)
    remainder = modulo(left.offset, divisor)
    if bounds(remainder)[1] + inside >= divisor:
        return None
    wholes = tuple((stride - rest) // divisor for stride, rest in zip(left.strides, rests, strict=True))
    return IndexTensor(quotient(left.offset, divisor), wholes), IndexTensor(remainder, rests)


def reshaped_dims(op: tile.ShapeOp, rank: int) -> Sequence[int | None]:
    """Where each dimension of a shape operation's source is in its result; None where it is repeated.

    Raises NotAffine for a reshape.
    """
    match op:
        case tile.ExpandDimsOp():
            axis = op.axis.value.data
            return [d + (d >= axis) for d in range(rank)]
        case tile.BroadcastOp():
            sizes = zip(tile.shape_of(op.source), tile.shape_of(op.result), strict=True)
            return [d if src == dst else None for d, (src, dst) in enumerate(sizes)]
        case tile.PermuteOp():
            order = op.order.get_values()
            return [order.index(d) for d in range(rank)]
        case _:
            raise NotAffine("a reshape of indices that are no affine expression")


def reshaped(op: tile.ShapeOp, strides: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of the result of a shape operation, from those of its source. Raises NotAffine."""
    match op:
        case tile.ExpandDimsOp():
            axis = op.axis.value.data
            return (*strides[:axis], 0, *strides[axis:])
        case tile.BroadcastOp():
            sizes = zip(tile.shape_of(op.source), tile.shape_of(op.result), strides, strict=True)
            return tuple(0 if src != dst else stride for src, dst, stride in sizes)
        case tile.PermuteOp():
            return tuple(strides[d] for d in op.order.get_values())
        case _:
            return _restrided(tile.shape_of(op.source), tile.shape_of(op.result), strides)


def _restrided(have: Sequence[int], want: Sequence[int], strides: Sequence[int]) -> tuple[int, ...]:
    """Strides of the same elements under another shape in row-major order. Raises NotAffine."""
    steps = [(n, stride) for n, stride in zip(have, strides, strict=True) if n != 1]
    found: list[int] = []
    for size in reversed(want):
        stride, filled = steps[-1][1] if size > 1 else 0, 1
        while filled < size:
            n, step = steps.pop()
            part = min(n, size // filled)
            if step != stride * filled or n % part:
                raise NotAffine("a reshape that does not keep the stride of indices")
            if part < n:
                steps.append((n // part, step * part))
            filled *= part
        if filled != size:
            raise NotAffine("a reshape that does not keep the stride of indices")
        found.append(stride)
    return tuple(reversed(found))


def is_loop_counter(value: Hashable) -> bool:
    owner = value.owner if isinstance(value, SSAValue) else None
    return isinstance(owner, Block) and isinstance(owner.parent_op(), ForOp) and value is owner.args[0]


def counts_at_run_time(value: Hashable) -> bool:
    """Whether it is the counter of a loop whose bounds are known at run time only."""
    owner = value.owner if isinstance(value, SSAValue) and is_loop_counter(value) else None
    loop = owner.parent_op() if isinstance(owner, Block) else None
    return loop is not None and is_run_time(loop)


def is_program_id(value: Hashable) -> bool:
    owner = value.owner if isinstance(value, SSAValue) else None
    return isinstance(owner, Block) and isinstance(owner.parent_op(), ProgramsOp)
