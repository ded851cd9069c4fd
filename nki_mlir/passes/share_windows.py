"""share-windows: what loads of windows of one memory have in common is loaded once; each window is a view of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block

from nki_mlir.analysis.accesses import resolved
from nki_mlir.analysis.aliases import memories_of
from nki_mlir.analysis.indices import UNKNOWN, is_loop_counter, range_of
from nki_mlir.analysis.operations import operations
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects.coordinates import Coordinate, Coordinates, Position, guard
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.layout import Factor, Layout
from nki_mlir.dialects.neuron_mem import LoadOp, SliceOp, StoreOp, TileType, tile_type
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import MEM

_SHARE = 4
"""What windows have in common takes at most one part in so many of what SBUF holds of each partition."""
_SOONER = 0.75
"""What part of the time of two loads one may take that takes their place: two are under way at once."""


@dataclass(frozen=True)
class ShareWindows(LevelPass):
    """Loads once what several loads of a block have in common, where they are the same window of one memory, moved
    along a dimension that lies free:

        %a = load %x(%i) [s0 + d1 by 1]                %u = load %x(%i) [s0 + d1 by 1]         two longer
        %b = load %x(%i) [s0 + d1 + 1 by 1]       =>   %a = slice %u [d0, d1]
        %c = load %x(%i) [s0 + d1 + 2 by 1]            %b = slice %u [d0, 1 + d1]
                                                       %c = slice %u [d0, 2 + d1]

    as in a convolution, a stencil or a sliding sum; and neighbours, if the long rows that they make are loaded sooner
    than the short ones. Single elements of each partition that are neighbours become a dimension. What bounds leave out
    of one window they must leave out of the others, as far as these have it. Left alone: other windows that have
    nothing in common, or are moved along partitions; memory that is written to in between; rows that index tiles name;
    and what would fill more than a quarter of SBUF.
    """

    name = "share-windows"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            sharing = _Sharing(func)
            for block in [block for inner in func.walk() for region in inner.regions for block in region.blocks]:
                sharing.block(block)


@dataclass(frozen=True)
class _Window:
    """What a load reads, over loop counters; `limits` are at least 0 where an element is not left out."""

    load: LoadOp
    coordinates: Coordinates
    limits: tuple[Expr, ...]

    @property
    def type(self) -> TileType:
        return tile_type(self.load.result)

    @property
    def strides(self) -> tuple[int, ...]:
        return self.coordinates.strides(len(self.type.sizes))


@dataclass(frozen=True)
class _Union:
    """Windows, the first in memory first, that are views of one tile of type `type`, each `places` further along its
    dimension `dim`; `limits` are those of all."""

    windows: tuple[_Window, ...]
    places: tuple[int, ...]
    dim: int
    type: TileType
    strides: tuple[int, ...]
    limits: tuple[Expr, ...]


class _Sharing:
    """Of the loads of a function."""

    def __init__(self, func: FuncOp):
        self.memories = memories_of(func)
        self.room = target_of(func).memory.sbuf_usable_bytes // _SHARE
        self.prices = Prices(target_of(func))

    def block(self, block: Block) -> None:
        """Shares along one dimension after the other: what windows have in common may be a window itself."""
        while any([self._share(alike) for alike in self._groups(block)]):
            pass

    def _groups(self, block: Block) -> list[list[_Window]]:
        """Loads that may be views of one tile if they are near enough: nothing in between writes to their memory."""
        groups = list[list[_Window]]()
        going_on = dict[Hashable, list[_Window]]()
        for op in block.ops:
            written = {self.memories[store.memory] for store in operations(op) if isinstance(store, StoreOp)}
            for key in [key for key, group in going_on.items() if self.memories[group[0].load.memory] in written]:
                del going_on[key]
            if isinstance(op, LoadOp) and op.mask is None and not op.indices:
                window = _window(op)
                groups.append([])
                group = going_on.setdefault((op.memory, op.result.type, window.strides), groups[-1])
                group.append(window)
        return [group for group in groups if len(group) > 1]

    def _share(self, windows: Sequence[_Window]) -> bool:
        """Whether some of them have something in common that was loaded once."""
        for dim in _dims_of(windows[0]):
            unions = [union for line in _lines(windows, dim) for union in self._unions(line, dim)]
            shared = [union for union in unions if len(union.windows) > 1]
            for union in shared:
                _load(union)
            if shared:
                return True
        return False

    def _unions(self, line: Sequence[_Window], dim: int) -> list[_Union]:
        """Of windows in the order in which they follow one another along a dimension."""
        found = list[_Union]()
        for window in line:
            alone = _alone(window, dim)
            longer = self._longer(found[-1], alone) if found else None
            found[-1:] = [longer] if longer is not None else [*found[-1:], alone]
        return found

    def _longer(self, union: _Union, one: _Union) -> _Union | None:
        """With another window, where both have something in common; of single elements, where they are neighbours."""
        (window,), dim = one.windows, union.dim
        place = _distance(union.windows[0], window, one.strides[dim])
        end, size = union.type.sizes[dim], one.type.sizes[dim]
        if place is None or place > end:
            return None
        type_ = one.type.with_layout(_sized(one.type.layout, dim, max(end, place + size)))
        if type_.bytes > self.room or (size > 1 and place == end and not self._is_sooner(type_, union, one)):
            return None
        windows, places = (*union.windows, window), (*union.places, place)
        limits = _common_limits(windows, places, dim)
        if limits is None or not _leave_out_alike(windows):
            return None
        return _Union(windows, places, dim, type_, one.strides, limits)

    def _is_sooner(self, type_: TileType, *unions: _Union) -> bool:
        """Whether neighbours are loaded sooner as one tile of a type."""
        apart = sum(self.prices.transfer(x.type.layout, x.strides, x.type.element_type, False) for x in unions)
        return self.prices.transfer(type_.layout, unions[0].strides, type_.element_type, False) < _SOONER * apart


def _alone(window: _Window, dim: int) -> _Union:
    """A window by itself; a dimension that it does not have has size 1 and stride 1."""
    type_, strides = window.type, window.strides
    if dim == len(strides):
        type_, strides = type_.with_layout(type_.layout.expanded(dim)), (*strides, 1)
    return _Union((window,), (0,), dim, type_, strides, ())


def _window(load: LoadOp) -> _Window:
    coordinates = resolved(load.over_values)
    lows = [part.position - part.low for part in coordinates if part.low is not None]
    highs = [Expr(part.high - 1) - part.position for part in coordinates if part.high is not None]
    return _Window(load, coordinates, (*lows, *highs))


def _dims_of(window: _Window) -> list[int]:
    """The dimensions along which windows of another place are views of one tile, those of neighbours first; where each
    partition has a single element, one that there is not yet."""
    layout, strides = window.type.layout, window.strides
    found = [dim for dim, stride in enumerate(strides) if stride and layout.is_along(dim)]
    new = [len(strides)] if layout.elements == 1 else []
    return [*new, *sorted(found, key=lambda dim: abs(strides[dim]))]


def _lines(windows: Sequence[_Window], dim: int) -> list[list[_Window]]:
    """Windows that are some places along a dimension from one another, in that order."""
    lines = list[list[tuple[int, _Window]]]()
    for window in windows:
        stride = (*window.strides, 1)[dim]
        for line in lines:
            if (place := _distance(line[0][1], window, stride)) is not None:
                line.append((place, window))
                break
        else:
            lines.append([(0, window)])
    return [[window for _, window in sorted(line, key=lambda found: found[0])] for line in lines]


def _distance(one: _Window, other: _Window, stride: int) -> int | None:
    """How many places from one window the other one is; None where that is not the same in all iterations."""
    apart = other.coordinates.offset - one.coordinates.offset
    return apart.const // stride if apart.is_const and apart.const % stride == 0 else None


def _sized(layout: Layout, dim: int, size: int) -> Layout:
    """With another size of a dimension that lies free, neighbours next to each other if it had none."""
    shape = (*layout.shape[:dim], size, *layout.shape[dim + 1 :])
    free = [factor._replace(size=size) if factor.dim == dim else factor for factor in layout.free]
    if all(factor.dim != dim for factor in free):
        free.append(Factor(dim, size))
    return Layout.of(shape, layout.partition, free)


def _common_limits(windows: Sequence[_Window], places: Sequence[int], dim: int) -> tuple[Expr, ...] | None:
    """The limits of all windows, over positions in what they have in common; None where one of them has more elements
    than those leave."""
    limits = list[Expr]()
    own = [_moved(window.limits, dim, place) for window, place in zip(windows, places, strict=True)]
    for limit in (limit for found in own for limit in found):
        if not _has(limits, limit):
            limits.append(limit)
    for window, place, found in zip(windows, places, own, strict=True):
        ends: dict[Hashable, tuple[int, int]] = {Position(d): (0, size - 1) for d, size in enumerate(window.type.sizes)}
        low, high = ends.get(Position(dim), (0, 0))
        ends[Position(dim)] = low + place, high + place
        if any(not _has(found, limit) and _least(limit, ends) < 0 for limit in limits):
            return None
    return tuple(limits)


def _moved(limits: Sequence[Expr], dim: int, place: int) -> list[Expr]:
    """Over positions in a tile in which the window begins at a place along a dimension."""
    at = {Position(dim): Expr.counter(Position(dim)) - place}
    return [limit.substitute(at) for limit in limits]


def _has(limits: Sequence[Expr], limit: Expr) -> bool:
    return any(limit - one == Expr(0) for one in limits)


def _least(limit: Expr, ends: Mapping[Hashable, tuple[int, int]]) -> int:
    """The smallest that a limit may be, by what is known of counters: other limits are those of all windows, and so of
    values that are there for the first one."""

    def ends_of(key: Hashable) -> tuple[int, int]:
        return ends[key] if key in ends else range_of(key) if is_loop_counter(key) else UNKNOWN

    return limit.bounds(ends_of)[0]


def _leave_out_alike(windows: Sequence[_Window]) -> bool:
    """Whether elements that are left out read as the same."""
    return len({(window.load.other, window.load.undefined) for window in windows if window.limits}) <= 1


def _first(windows: Sequence[_Window]) -> LoadOp:
    """The load that comes first in the block."""
    first, *others = (window.load for window in windows)
    for load in others:
        first = load if load.is_before_in_block(first) else first
    return first


def _load(union: _Union) -> None:
    """Loads what windows have in common, and takes each of them from that."""
    base, dim = union.windows[0], union.dim
    more = [limit for limit in union.limits if not _has(base.limits, limit)]
    coordinates = list(base.coordinates)
    if dim == len(base.strides):
        coordinates.append(Coordinate(Expr.counter(Position(dim))))
    coordinates += [guard(limit, low=0) for limit in more]
    says = next((window.load for window in union.windows if window.limits), base.load)
    first = _first(union.windows)
    emit = Emitter.before(first)
    other, undefined = says.other, says.undefined
    load = LoadOp(first.memory, Coordinates(tuple(coordinates)), union.type, other=other, undefined=undefined)
    load.result.name_hint = first.result.name_hint
    emit.add(load)
    for window, place in zip(union.windows, union.places, strict=True):
        places = [Expr.counter(Position(d)) for d in range(len(union.type.sizes))]
        places[dim] = places[dim] + place if dim < len(base.strides) else Expr(place)
        piece = SliceOp(load.result, [], places, window.load.result.type)
        piece.result.name_hint = window.load.result.name_hint
        Emitter(emit.point, window.load.location).add(piece)
        window.load.result.replace_all_uses_with(piece.result)
    for window in union.windows:
        window.load.detach()
        window.load.erase()
