"""Whether programs of a grid, or iterations of a loop, may run at the same time, and which of their values differ."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from xdsl.dialects.scf import ForOp, IfOp, YieldOp
from xdsl.ir import Block, Operation, SSAValue

from nki_mlir.analysis.accesses import resolved
from nki_mlir.analysis.aliases import memories_of
from nki_mlir.analysis.indices import UNKNOWN, bounds, range_of
from nki_mlir.analysis.overlap import Variable, solvable
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp, sizes_of
from nki_mlir.dialects.coordinates import Coordinate, Element, Position
from nki_mlir.dialects.expr import Counter, Expr, Term
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.dialects.tile_types import enclosing_func


@dataclass(frozen=True)
class Repeated:
    """What is done once for each value of an id, of which there are so many."""

    body: Block
    id: SSAValue
    count: int

    @classmethod
    def programs(cls, programs: ProgramsOp, axis: int) -> Repeated:
        """Along one axis; the ids along the others are any."""
        return cls(programs.body.block, programs.ids[axis], programs.grid[axis])

    @classmethod
    def loop(cls, loop: ForOp, trips: int) -> Repeated:
        """The iterations of a loop that counts from 0."""
        return cls(loop.body.block, loop.body.block.args[0], trips)


def varying(programs: ProgramsOp, axis: int) -> set[SSAValue]:
    """The values of a program that may depend on its id along an axis."""
    return depending(programs.body.block, {programs.ids[axis]})


def depending(block: Block, on: Iterable[SSAValue]) -> set[SSAValue]:
    """Some values and those inside a block that may depend on them."""
    found = set(on)
    while _spread(block, found):
        pass
    return found


def _spread(block: Block, found: set[SSAValue]) -> bool:
    """Adds what depends on the values found; whether that is anything new."""
    before = len(found)
    for op in block.ops:
        for region in op.regions:
            for inner in region.blocks:
                _spread(inner, found)
        match op:
            case ForOp():
                end = op.body.block.last_op
                assert isinstance(end, YieldOp)
                for start, argument, yielded, result in zip(
                    op.iter_args, op.body.block.args[1:], end.operands, op.results, strict=True
                ):
                    if not found.isdisjoint((start, argument, yielded)):
                        found |= {argument, result}
            case IfOp():
                for number, result in enumerate(op.results):
                    sides = (region.block.last_op for region in op.regions)
                    if op.cond in found or any(end is not None and end.operands[number] in found for end in sides):
                        found.add(result)
            case _ if not found.isdisjoint(op.operands):
                found.update(op.results)
            case _:
                pass
    return len(found) > before


def are_independent(programs: ProgramsOp, axis: int) -> bool:
    """Whether no element of memory that a program writes is touched by one with another id along the axis, whatever the
    ids along the others are. Memory that may be shared in part counts as touched; so does what is reached in pointer
    form."""
    return are_apart(Repeated.programs(programs, axis))


def are_apart(repeated: Repeated, left_out: Collection[Operation] = ()) -> bool:
    """As `are_independent`, of what is done for different ids, some operations left out."""
    ops = [op for op in repeated.body.walk() if op not in left_out]
    accesses = [op for op in ops if isinstance(op, AccessOp)]
    if any(isinstance(op, tile.LoadOp | tile.StoreOp | tile.AtomicOp) for op in ops):
        return False
    writes = [op for op in accesses if isinstance(op, tile.WriteOp)]
    return all(_are_apart(write, other, repeated) for write in writes for other in accesses)


def _are_apart(write: AccessOp, other: AccessOp, repeated: Repeated) -> bool:
    if write.memory is not other.memory:
        return not _share(write, other)
    most, id_ = repeated.count - 1, repeated.id
    if most == 0:
        return True
    limited = [(a, b) for a in _limited(write, id_) for b in _limited(other, id_) if a.is_comparable(b)]
    return any(
        all(_never_meet(write, other, repeated, ends, pair) for ends in ((1, most), (-most, -1)))
        for pair in (None, *limited)
    )


def _never_meet(
    write: AccessOp,
    other: AccessOp,
    repeated: Repeated,
    ends: tuple[int, int],
    pair: tuple[_Limited, _Limited] | None,
) -> bool:
    """Whether no address is one of both where the other id is more than this one by as much as `ends` say. How far a
    pair of limited coordinates is apart then counts as one number."""
    one, two = pair or (None, None)
    mine, theirs = _address(write, repeated, one), _address(other, repeated, two)
    if mine is None or theirs is None:
        return False
    constant, variables = _difference(mine, theirs, repeated.id)
    variables.append(Variable(-theirs.factor, *ends))
    if one is not None and two is not None:
        variables.append(Variable(-one.part.stride, *one.distance(two, ends)))
    return not solvable(constant, variables)


@dataclass(frozen=True)
class _Limited:
    """A coordinate with bounds that is `factor` times a program's id and a number from `low` to `high`; its valid
    values are `first` to `last`."""

    part: Coordinate
    factor: int
    low: int
    high: int
    first: int
    last: int

    def is_comparable(self, other: _Limited) -> bool:
        return (self.part.stride, self.factor) == (other.part.stride, other.factor)

    def distance(self, other: _Limited, ends: tuple[int, int]) -> tuple[int, int]:
        """The smallest and the largest number by which the other coordinate is more, both being valid."""
        far = [self.factor * end for end in ends]
        return (
            max(min(far) + other.low - self.high, other.first - self.last),
            min(max(far) + other.high - self.low, other.last - self.first),
        )


def _limited(op: AccessOp, id_: SSAValue) -> list[_Limited]:
    """The coordinates of an access that have bounds and an id in them."""
    parts = list(resolved(op.over_values))
    places = _places(op, parts)
    found: list[_Limited] = []
    for part in parts:
        factor = part.position.coefficient(id_)
        rest = part.position - Expr.counter(id_) * factor
        if part.is_bounded and factor and id_ not in rest.counters():
            found.append(_Limited(part, factor, *_extent(rest, places), *_within(part, places)))
    return found


def _share(one: AccessOp, other: AccessOp) -> bool:
    """Whether two arguments may have elements in common; how their addresses relate is not known."""
    func = enclosing_func(one)
    memories = memories_of(func) if func is not None else {}
    return all(op.memory in memories for op in (one, other)) and memories[one.memory] == memories[other.memory]


class _Address:
    """An address as `factor` times an id, what is the same for all ids, and what takes any value of a range."""

    def __init__(self, factor: int, shared: Expr, free: list[Variable]):
        self.factor, self.shared, self.free = factor, shared, free


def _places(op: AccessOp, parts: list[Coordinate]) -> dict[Position, tuple[int, int]]:
    """The first and the last place in each dimension of a tile that is valid."""
    places = {Position(dim): (0, size - 1) for dim, size in enumerate(sizes_of(op.moved))}
    for part in parts:
        _narrow(part, places)
    return places


def _address(op: AccessOp, repeated: Repeated, left_out: _Limited | None = None) -> _Address | None:
    """None where the id enters otherwise than by a factor. Without the coordinate that is left out."""
    id_ = repeated.id
    parts = list(resolved(op.over_values))
    places = _places(op, parts)
    if left_out is not None:
        parts.remove(left_out.part)
    factor, shared, free = 0, Expr(0), list[Variable]()
    expanded = Expr(0)
    for part in parts:
        if part.is_bounded and part.stride and id_ not in part.position.counters():
            free.append(Variable(part.stride, *_within(part, places)))
        else:
            expanded = expanded + part.position * part.stride
    for term, coefficient in expanded.terms:
        if term == Counter(id_):
            factor = coefficient
        elif id_ in Expr(0, ((term, 1),)).counters():
            return None
        elif _is_shared(term, repeated.body):
            shared = shared + Expr(0, ((term, coefficient),))
        else:
            free.append(Variable(coefficient, *_range(term, places)))
    return _Address(factor, shared + expanded.const, free)


def _narrow(part: Coordinate, places: dict[Position, tuple[int, int]]) -> None:
    """What bounds on a single position say of it."""
    if not part.is_bounded or len(part.position.terms) != 1 or len(part.dims) != 1:
        return
    place = Position(part.dims[0])
    step, first = part.coefficient(place.dim), part.position.const
    low, high = places[place]
    ends = [(part.low - first, 1)] if part.low is not None else []
    ends += [(part.high - 1 - first, -1)] if part.high is not None else []
    for end, sign in ends:
        if step * sign > 0:
            low = max(low, -(-end // step))
        else:
            high = min(high, end // step)
    places[place] = low, high


def _within(part: Coordinate, places: dict[Position, tuple[int, int]]) -> tuple[int, int]:
    """The valid values of a coordinate."""
    low, high = _extent(part.position, places)
    return (
        low if part.low is None else max(low, part.low),
        high if part.high is None else min(high, part.high - 1),
    )


def _extent(expr: Expr, places: dict[Position, tuple[int, int]]) -> tuple[int, int]:
    """The smallest and the largest value."""
    low = high = expr.const
    for term, coefficient in expr.terms:
        ends = [coefficient * end for end in _range(term, places)]
        low, high = low + min(ends), high + max(ends)
    return low, high


def _range(term: Term, places: dict[Position, tuple[int, int]]) -> tuple[int, int]:
    match term:
        case Counter(Position() as place):
            return places[place]
        case Counter(Element()):
            return UNKNOWN
        case Counter(key):
            return range_of(key)
        case _:
            return bounds(Expr(0, ((term, 1),)))


def _is_shared(term: Term, body: Block) -> bool:
    """Whether a term is the same for all ids: a value that is not made inside."""
    return all(isinstance(key, SSAValue) and not _is_inside(key, body) for key in Expr(0, ((term, 1),)).counters())


def _is_inside(value: SSAValue, body: Block) -> bool:
    block: Block | None = value.owner if isinstance(value.owner, Block) else value.owner.parent
    while block is not None and block is not body:
        op: Operation | None = block.parent_op()
        block = op.parent if op is not None else None
    return block is body


def _difference(mine: _Address, theirs: _Address, id_: SSAValue) -> tuple[int, list[Variable]]:
    """One address minus another, but for what the other id is more than this one."""
    rest = mine.shared - theirs.shared
    variables = [*mine.free, *_negated(theirs.free)]
    variables += [Variable(coefficient, *_range(term, {})) for term, coefficient in rest.terms]
    variables.append(Variable(mine.factor - theirs.factor, *range_of(id_)))
    return rest.const, variables


def _negated(variables: Iterable[Variable]) -> Iterator[Variable]:
    return (Variable(-v.coefficient, v.low, v.high) for v in variables)
