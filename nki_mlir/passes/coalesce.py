"""coalesce: neighbouring dimensions that everything walks as one become one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    IndexType,
    IntegerAttr,
    ModuleOp,
    TensorType,
    i64,
)
from xdsl.dialects.func import FuncOp
from xdsl.dialects.scf import ForOp, IfOp, YieldOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import Rewriter

from nki_mlir.analysis.accesses import resolved
from nki_mlir.analysis.classes import Classes
from nki_mlir.analysis.elementwise import ELEMENTWISE
from nki_mlir.analysis.indices import NotAffine, index_tensor
from nki_mlir.analysis.operations import operations
from nki_mlir.dialects import tile
from nki_mlir.dialects.access_ops import AccessOp
from nki_mlir.dialects.coordinates import Coordinate, Coordinates, Element, Position
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import TILE
from nki_mlir.passes.tile_builder import TileBuilder

Groups = list[list[int]]
"""The dimensions of a value in order, those together that are one dimension of its new shape."""

Seam = tuple[SSAValue, int]
"""Where a value's dimensions `n` and `n + 1` meet."""


@dataclass(frozen=True)
class Coalesce(LevelPass):
    """Merges two neighbouring dimensions of all values that have them in common, where memory is walked as if they were
    one:

        %x = tile.read %in(%i) [8192 * s0 + 1024 * d0 + d1 in * to 98432 by 1] : … -> tensor<8x1024xf32>
          =>
        %x = tile.read %in(%i) [8192 * s0 + d0 in * to 98432 by 1] : … -> tensor<8192xf32>

    so that each partition has a long row of it, wherever blocks end, and a bound on both is one on a single dimension.
    What only puts a dimension of size 1 beside another, or makes one of the two, goes with them.
    Left alone: dimensions that something tells apart, such as a reduction along one of them, and those that would no
    longer fill the partitions evenly.
    """

    name = "coalesce"
    levels = (TILE,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        lanes = target_of(op).memory.partitions
        for func in functions(op):
            _Merge(_Seams(operations(func)), lanes).run(func)


def are_merged(lanes: int, seams: Sequence[Seam]) -> bool:
    """Whether the dimensions that meet there would all become one, but for those of what only indices are made of."""
    merge = _Merge(_Seams(_joined(value for value, _ in seams)), lanes)
    return all(merge.seams.of(seam) in merge.merged for seam in seams if merge.seams.lasts(seam[0]))


def _joined(values: Iterable[SSAValue]) -> list[Operation]:
    """What makes or takes some values, and others of several dimensions that these operations have: of the rest of a
    function nothing bears on their seams."""
    found, todo, seen = dict[Operation, None](), list(values), set[SSAValue]()
    while todo:
        value = todo.pop()
        if value in seen:
            continue
        seen.add(value)
        maker = value.owner if isinstance(value.owner, Operation) else value.owner.parent_op()
        for op in (maker, *(use.operation for use in value.uses)):
            op = op.parent_op() if isinstance(op, YieldOp) else op
            if op is not None and op not in found:
                found[op] = None
                todo += [other for other in _values(op) if len(tile.shape_of(other)) > 1]
    return list(found)


def _values(op: Operation) -> Iterator[SSAValue]:
    """What an operation takes and gives, and what its regions do."""
    yield from (*op.operands, *op.results)
    for block in (block for region in op.regions for block in region.blocks):
        yield from block.args
        yield from block.last_op.operands if block.last_op is not None else ()


class _Seams(Classes[Seam]):
    """The seams of the tensors of some operations: those that only can go together are one class, named by one of
    them."""

    def __init__(self, ops: Sequence[Operation]):
        super().__init__()
        self.ops = ops
        self.kept: set[Seam] = set()
        """Classes that something tells apart."""
        self.counted: set[SSAValue] = set()
        """Indices that are made anew, whatever they are computed from."""
        for op in ops:
            self._note(op)
        self.kept = {self.of(seam) for seam in self.kept}

    def _keep(self, value: SSAValue, seams: Sequence[int] | None = None) -> None:
        """These seams of a value stay, or all."""
        rank = len(tile.shape_of(value))
        self.kept.update((value, n) for n in (range(rank - 1) if seams is None else seams) if 0 <= n < rank - 1)

    def _alike(self, values: Sequence[SSAValue]) -> None:
        """Values of one shape are merged alike."""
        tensors = [value for value in values if tile.shape_of(value)]
        for one, other in pairwise(tensors):
            for n in range(len(tile.shape_of(one)) - 1):
                self.unite((one, n), (other, n))

    def _note(self, op: Operation) -> None:
        if len(op.results) == 1 and self._is_counted(op.results[0]):
            return
        match op:
            case _ if type(op) in ELEMENTWISE:
                self._alike([*op.operands, *op.results])
            case arith.ConstantOp(value=DenseIntOrFPElementsAttr() as dense) if dense.is_splat():
                pass
            case tile.SplatOp():
                pass
            case AccessOp():
                self._access(op)
            case tile.BroadcastOp():
                self._broadcast(op)
            case tile.ExpandDimsOp():
                self._expanded(op)
            case tile.ReshapeOp() if groups := _flattened(op.source, op.result):
                self._reshaped(op.source, op.result, groups)
            case tile.ReshapeOp() if groups := _flattened(op.result, op.source):
                self._reshaped(op.result, op.source, groups)
            case tile.ReduceOp() | tile.LastOp():
                self._reduced(op.result, op.source, op.axis.value.data)
            case tile.PermuteOp():
                self._renumbered(op.result, op.source, list(op.order.get_values()))
            case tile.ScanOp() | tile.FlipOp():
                axis = op.axis.value.data
                initial = op.initial if isinstance(op, tile.ScanOp) else None
                self._alike([*(v for v in op.operands if v is not initial), op.result])
                self._keep(op.result, (axis - 1, axis))
                if initial is not None:
                    self._reduced(initial, op.result, axis)
            case tile.SliceOp() | tile.ConcatOp():
                self._alike([*op.operands, op.result])
                self._keep(op.result, (op.axis.value.data - 1,))
            case tile.DotOp():
                self._product(op)
            case ForOp():
                ends = op.body.block.last_op
                assert ends is not None
                for values in zip(op.iter_args, op.body.block.args[1:], ends.operands, op.results, strict=True):
                    self._alike(values)
            case IfOp():
                for number, result in enumerate(op.results):
                    last = (region.block.last_op for region in op.regions)
                    self._alike([result, *(end.operands[number] for end in last if end is not None)])
            case _ if op.name != "scf.yield":
                for value in (*op.operands, *op.results, *(a for r in op.regions for b in r.blocks for a in b.args)):
                    self._keep(value)
            case _:
                pass

    def _is_counted(self, value: SSAValue) -> bool:
        """Notes indices that are affine in their places; a seam of which stays where they don't count through it."""
        shape = tile.shape_of(value)
        if len(shape) < 2 or not isinstance(tile.element_of(value), IndexType):
            return False
        try:
            strides = index_tensor(value).strides
        except NotAffine:
            return False
        self.counted.add(value)
        self._keep(value, [n for n in range(len(shape) - 1) if strides[n] != shape[n + 1] * strides[n + 1]])
        return True

    def lasts(self, value: SSAValue) -> bool:
        """Whether a value is there when indices have been made anew: something else hangs on it."""
        users = (use.operation for use in value.uses)
        return value not in self.counted or not all(op.results and self.counted.issuperset(op.results) for op in users)

    def _access(self, op: AccessOp) -> None:
        shape = tile.shape_of(op.moved)
        for part in walked(op):
            for n in range(len(shape) - 1):
                if not part.is_affine or part.coefficient(n) != shape[n + 1] * part.coefficient(n + 1):
                    self._keep(op.moved, (n,))
        named = {dim for part in op.coordinates for key in part.elements for dim in key.dims if dim is not None}
        self._keep(op.moved, [n for dim in named for n in (dim - 1, dim)])
        for index in op.indices:
            self._keep(index)
        if op.mask is not None:
            self._alike([op.moved, op.mask])

    def _broadcast(self, op: tile.BroadcastOp) -> None:
        same = [have == want for have, want in zip(tile.shape_of(op.source), tile.shape_of(op.result), strict=True)]
        self._alike([op.source, op.result])
        self._keep(op.result, [n for n, (one, other) in enumerate(pairwise(same)) if one != other])

    def _expanded(self, op: tile.ExpandDimsOp) -> None:
        """A new dimension of size 1 goes together with one that there is."""
        axis, shape = op.axis.value.data, tile.shape_of(op.result)
        places = [d + (d >= axis) for d in range(len(shape) - 1)]
        beside = next((n for n in (axis, axis - 1) if shape[n : n + 2] == (1, 1)), None) if len(shape) > 1 else None
        if beside is None:
            self._renumbered(op.source, op.result, places)
            return
        for n in range(len(shape) - 2):
            self.unite((op.source, n), (op.result, n + (n >= beside)))

    def _reshaped(self, apart: SSAValue, one: SSAValue, groups: Groups) -> None:
        """Dimensions that become one, or are made of one, are one already where everything else takes them so."""
        for n, group in enumerate(groups[:-1]):
            self.unite((apart, group[-1]), (one, n))

    def _product(self, op: tile.DotOp) -> None:
        """Neighbours go together that are summed over with neighbours, common to both, or left of one operand."""
        meets: list[dict[int, tuple[str, int]]] = []
        for value, over, batch in zip((op.a, op.b), op.over, op.batch, strict=True):
            free = [dim for dim in range(len(tile.shape_of(value))) if dim not in (*over, *batch)]
            kinds = {dim: ("over", n) for n, dim in enumerate(over)} | {
                dim: ("batch", n) for n, dim in enumerate(batch)
            }
            meets.append(kinds | {dim: ("free", n) for n, dim in enumerate(free)})
        common, left = len(op.batch[0]), sum(kind == "free" for kind, _ in meets[0].values())
        starts = ({"batch": 0, "free": common}, {"batch": 0, "free": common + left})
        joined = set[int]()
        for value, kinds, other, mine in zip((op.a, op.b), meets, reversed(meets), starts, strict=True):
            there = {kind: dim for dim, kind in other.items()}
            partner = op.b if value is op.a else op.a
            for dim in range(len(kinds) - 1):
                (kind, n), (next_kind, m) = kinds[dim], kinds[dim + 1]
                if kind != next_kind or m != n + 1:
                    self._keep(value, (dim,))
                    continue
                if kind != "free":
                    if there[kind, m] != there[kind, n] + 1:
                        self._keep(value, (dim,))
                        continue
                    self.unite((value, dim), (partner, there[kind, n]))
                if kind in mine:
                    self.unite((value, dim), (op.result, mine[kind] + n))
                    joined.add(mine[kind] + n)
        self._keep(op.result, [n for n in range(len(tile.shape_of(op.result)) - 1) if n not in joined])
        if op.acc is not None:
            self._alike([op.acc, op.result])

    def _reduced(self, few: SSAValue, many: SSAValue, axis: int) -> None:
        """One value has the dimensions of the other but for `axis`."""
        self._renumbered(few, many, [d + (d >= axis) for d in range(len(tile.shape_of(few)))])

    def _renumbered(self, few: SSAValue, many: SSAValue, dims: Sequence[int]) -> None:
        """Dimension `n` of one value is `dims[n]` of the other, which may have more: those go together that are
        neighbours in both."""
        kept = set(range(len(tile.shape_of(many)) - 1))
        for n, (one, other) in enumerate(pairwise(dims)):
            if other == one + 1:
                self.unite((few, n), (many, one))
                kept.discard(one)
            else:
                self._keep(few, (n,))
        self._keep(many, sorted(kept))


def walked(op: AccessOp) -> list[Coordinate]:
    """The coordinates of an access over SSA values, those without bounds as one."""
    parts = list(resolved(op.over_values))
    plain = [part for part in parts if not part.is_bounded and not part.elements]
    address = sum((part.position * part.stride for part in plain), Expr(0))
    others = [part for part in parts if part not in plain]
    return [*others, Coordinate(address)] if address != Expr(0) or not others else others


class _Merge:
    """Merges the dimensions of a function's values at all seams of some classes."""

    def __init__(self, seams: _Seams, lanes: int):
        self.seams, self.lanes = seams, lanes
        self.values = list(_tensors(seams.ops))
        self.changed: dict[SSAValue, Groups] = {}
        classes: dict[Seam, list[Seam]] = {}
        for value in self.values:
            for n in range(len(tile.shape_of(value)) - 1):
                classes.setdefault(seams.of((value, n)), []).append((value, n))
        self.merged = {name for name, members in classes.items() if name not in seams.kept and self._is_worth(members)}

    def _is_worth(self, seams: Sequence[Seam]) -> bool:
        """Whether memory is reached by what the seams belong to, and merged dimensions are in equal shares on the
        partitions, or have a bound in common; those of a product always are."""
        accesses = [(op, n) for value, n in seams for op in _accesses_of(value)]
        if any(isinstance(use.operation, tile.DotOp) for value, _ in seams for use in value.uses):
            return True
        several = any({n, n + 1} <= set(part.dims) for op, n in accesses for part in resolved(op.over_values).bounded)
        sizes = {math.prod(tile.shape_of(value)[n : n + 2]) for value, n in seams}
        even = all(size % -(-size // self.lanes) == 0 for size in sizes)
        return bool(accesses) and (several or even)

    def _groups(self, value: SSAValue) -> Groups:
        """The dimensions of a value, those that become one together."""
        found = [[0]] if tile.shape_of(value) else []
        for dim in range(1, len(tile.shape_of(value))):
            if self.seams.of((value, dim - 1)) in self.merged:
                found[-1].append(dim)
            else:
                found.append([dim])
        return found

    def run(self, func: FuncOp) -> None:
        self.changed = {v: groups for v in self.values if len(groups := self._groups(v)) < len(tile.shape_of(v))}
        for op in self.seams.ops:
            if not self.changed.keys().isdisjoint((*op.operands, *op.results)):
                self._rewrite(op)
        for value, groups in self.changed.items():
            if value not in self.seams.counted:
                Rewriter.replace_value_with_new_type(value, _type(value, groups))
        for op in operations(func):
            if isinstance(op, tile.ExpandDimsOp | tile.ReshapeOp) and op.source.type == op.result.type:
                Rewriter.replace_op(op, (), (op.source,))

    def _number(self, value: SSAValue, dim: int) -> IntegerAttr:
        """Which dimension of a value's new shape one of the old shape is in."""
        groups = self.changed.get(value, [])
        return IntegerAttr(next((n for n, group in enumerate(groups) if dim in group), dim), i64)

    def _place(self, value: SSAValue, dim: int, place: int) -> IntegerAttr:
        """A place along a dimension of a value, along that of its new shape that begins with it."""
        group = next(group for group in self.changed.get(value, [[dim]]) if dim in group)
        return IntegerAttr(place * math.prod(tile.shape_of(value)[inner] for inner in group[1:]), i64)

    def _rewrite(self, op: Operation) -> None:
        """What an operation says of dimensions, of those that there are then; its types follow."""
        match op:
            case _ if len(op.results) == 1 and op.results[0] in self.seams.counted:
                if op.results[0] in self.changed:
                    self._count(op.results[0], self.changed[op.results[0]])
            case arith.ConstantOp(value=DenseIntOrFPElementsAttr() as dense):
                shape = _sizes(op.result, self.changed[op.result])
                op.properties["value"] = DenseIntOrFPElementsAttr(
                    TensorType(dense.get_element_type(), shape), dense.data
                )
            case tile.ExpandDimsOp() | tile.FlipOp() | tile.ScanOp():
                op.properties["axis"] = self._number(op.result, op.axis.value.data)
            case tile.ReduceOp() | tile.LastOp():
                op.properties["axis"] = self._number(op.source, op.axis.value.data)
            case tile.SliceOp():
                op.properties["at"] = self._place(op.result, op.axis.value.data, op.at.value.data)
                op.properties["axis"] = self._number(op.result, op.axis.value.data)
            case tile.ConcatOp():
                op.properties["axis"] = self._number(op.result, op.axis.value.data)
            case tile.PermuteOp():
                order = op.order.get_values()
                groups = self.changed.get(op.result, [[n] for n in range(len(order))])
                numbers = [self._number(op.source, order[group[0]]).value.data for group in groups]
                op.properties["order"] = DenseArrayBase.from_list(i64, numbers)
            case tile.DotOp():
                lists = {"over_a": op.over[0], "over_b": op.over[1], "batch_a": op.batch[0], "batch_b": op.batch[1]}
                for name, dims in lists.items():
                    value = op.a if name.endswith("a") else op.b
                    numbers = dict.fromkeys(self._number(value, dim).value.data for dim in dims)
                    op.properties[name] = DenseArrayBase.from_list(i64, list(numbers))
            case AccessOp() if op.moved in self.changed:
                self._access(op, self.changed.pop(op.moved))
            case _:
                pass

    def _count(self, value: SSAValue, groups: Groups) -> None:
        """Indices under their new shape, for all but indices."""
        owner = value.owner
        assert isinstance(owner, Operation)
        place, sizes = index_tensor(value), _sizes(value, groups)
        build = TileBuilder(Emitter.before(owner))
        moves = (Expr.counter(Position(n)) * place.strides[group[-1]] for n, group in enumerate(groups))
        made = build.positions(sum(moves, place.offset), range(len(sizes)), sizes)
        counted = self.seams.counted
        value.replace_uses_with_if(made, lambda use: counted.isdisjoint(use.operation.results))

    def _access(self, op: AccessOp, groups: Groups) -> None:
        """The same access of a tile under its new shape."""
        number = {dim: n for n, group in enumerate(groups) for dim in group}
        names: dict[object, Expr] = {Position(dim): Expr(0) for group in groups for dim in group[:-1]}
        names |= {Position(group[-1]): Expr.counter(Position(n)) for n, group in enumerate(groups)}
        for key in (key for part in op.coordinates for key in part.elements):
            dims = tuple(None if dim is None else number[dim] for dim in key.dims)
            names[key] = Expr.counter(Element(key.number, dims))
        parts = (replace(part, position=part.position.substitute(names)) for part in walked(op))
        made = Emitter.before(op).add(op.over(Coordinates(tuple(sorted(parts, key=lambda part: -abs(part.stride))))))
        for old, new in zip(op.results, made.results, strict=True):
            new.name_hint = old.name_hint
            old.replace_all_uses_with(new)
        self.changed[made.moved] = groups
        op.detach()
        op.erase()


def _tensors(ops: Iterable[Operation]) -> Iterator[SSAValue]:
    for op in ops:
        yield from (value for value in op.results if tile.shape_of(value))
        yield from (a for r in op.regions for block in r.blocks for a in block.args if tile.shape_of(a))


def _accesses_of(value: SSAValue) -> list[AccessOp]:
    """The accesses that a value is moved by."""
    users = [value.owner, *(use.operation for use in value.uses)]
    return [op for op in users if isinstance(op, AccessOp) and op.moved is value]


def _flattened(apart: SSAValue, one: SSAValue) -> Groups | None:
    """The dimensions of a value that each one of another value is, where that takes neighbours together; but for
    those of size 1 behind the last."""
    groups: Groups = []
    shape = tile.shape_of(apart)
    left = list(range(len(shape)))
    for size in tile.shape_of(one):
        group = list[int]()
        while left and (not group or math.prod(shape[d] for d in group) < size):
            group.append(left.pop(0))
        groups.append(group)
    is_whole = bool(groups) and all(groups) and _sizes(apart, groups) == list(tile.shape_of(one))
    return groups if is_whole else None


def _sizes(value: SSAValue, groups: Groups) -> list[int]:
    shape = tile.shape_of(value)
    return [math.prod(shape[dim] for dim in group) for group in groups]


def _type(value: SSAValue, groups: Groups) -> Attribute:
    return TensorType(tile.element_of(value), _sizes(value, groups))
