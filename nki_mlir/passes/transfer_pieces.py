"""Transfers in pieces: products begin with the first terms that are there, and sums that are done are stored while the
array makes others."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.indices import enclosing_loops, trip_count
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects.coordinates import Position
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.neuron_mem import (
    BinaryOp,
    CastOp,
    ConvertOp,
    InsertOp,
    LoadOp,
    MatmulOp,
    RelabelOp,
    SliceOp,
    StoreOp,
    TileType,
    UnaryOp,
    tile_type,
)
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.walks import Digit, Walk
from nki_mlir.targets import Target

LOADED, STORED = 1 << 18, 1 << 17
"""The least that a piece moves. A loaded one takes about 1.25 us on trn1, 6% less than two of half the bytes, as each
has semaphores to write; the last ones that are stored are waited for."""

_BALANCE = 190
"""So many bytes may be moved for each ns that the array multiplies: the DMA engines move about 230 on trn1, more on
later cores, of which some are for what else is moved."""

_MOST = 8
"""Pieces of a transfer: each is an instruction, and has semaphores of its own."""

_SHARE = 0.25
"""What part of the time of the products that are made of one transfer all pieces of all transfers may take."""

_RUN = 1024
"""The least bytes in a row that a cut may leave in HBM: shorter ones take the DMA engines longer than they save."""


def terms_along(load: LoadOp) -> int | None:
    """The dimension of what is loaded along which products take it, term by term: as it is, or made into what they
    take. None where there is none, or are two, or where the array waits for loads anyway."""
    found, products = set[int](), set[MatmulOp]()
    for dim in range(len(tile_type(load.result).sizes)):
        todo: list[tuple[SSAValue, int]] = [(load.result, dim)]
        seen = set(todo)
        while todo:
            value, at = todo.pop()
            for use in value.uses:
                if isinstance(use.operation, MatmulOp):
                    if use.index < 2 and at == 1 - use.index:
                        found.add(dim)
                        products.add(use.operation)
                    continue
                more = [one for one in _goes_on(use.operation, value, at) if one not in seen]
                seen.update(more)
                todo += more
    return found.pop() if len(found) == 1 and _keep_busy(products, load.result, load) else None


def _keep_busy(products: Collection[MatmulOp], moved: SSAValue, mover: Operation) -> bool:
    """Whether products take the array longer than it takes to move what they take, or make, as often as they are made
    for each time that it is moved; or else so long that to begin with the first piece of the last transfer saves much
    more than all pieces take."""
    type_, loops, target = tile_type(moved), enclosing_loops(mover), target_of(mover)
    nbytes, busy = math.prod(type_.sizes) * dtype(type_.element_type).bytes, _array_ns(products, len(loops), target)
    if nbytes <= _BALANCE * busy:
        return True
    moves = math.prod(trip_count(loop) or 1 for loop in loops)
    return moves * _MOST * target.dma.semaphore_ns <= _SHARE * busy


def _array_ns(products: Collection[MatmulOp], around: int, target: Target) -> float:
    """How long some products take the array in an iteration of so many loops around them."""
    prices, busy = Prices(target), 0.0
    for op in products:
        times = math.prod(trip_count(loop) or 1 for loop in enclosing_loops(op)[around:])
        rows, columns, terms = map(len, op.piece)
        busy += times * prices.product(rows, columns, terms, tile_type(op.lhs).element_type)
    return busy


def _goes_on(op: Operation, value: SSAValue, dim: int) -> Iterator[tuple[SSAValue, int]]:
    """The values that an operation makes of one, with what one of its dimensions is there."""
    match op:
        case ConvertOp() | UnaryOp() | CastOp() | BinaryOp():
            yield op.results[0], dim
        case RelabelOp() if op.reshape is None and op.permute is not None:
            yield op.result, list(op.permute.get_values()).index(dim)
        case InsertOp() if op.value is value:
            places = enumerate(op.places.data)
            yield from ((op.result, at) for at, place in places if Position(dim) in place.counters())
        case SliceOp():
            yield from ((op.result, key.dim) for key in op.places.data[dim].counters() if isinstance(key, Position))
        case _:
            return


def sums_along(store: StoreOp) -> int | None:
    """The dimension of what is stored along which the array makes it, some rows after the others; None where it does
    not, where what it makes goes through anything but element-wise operations, or where stores take longer."""
    todo, seen = [store.value], {store.value}
    products = set[MatmulOp]()
    while todo:
        value = todo.pop()
        if isinstance(value.owner, MatmulOp):
            products.add(value.owner)
            todo.append(value.owner.acc)
        elif isinstance(value.owner, ConvertOp | UnaryOp | CastOp | BinaryOp):
            sizes = tile_type(value).sizes
            for one in value.owner.operands:
                if one not in seen and isinstance(one.type, TileType) and one.type.sizes == sizes:
                    seen.add(one)
                    todo.append(one)
    return 0 if products and _keep_busy(products, store.value, store) else None


def pieces(walk: Walk, dim: int, itemsize: int, kept: Collection[Digit], least: int) -> Iterator[Walk]:
    """The walk of a tile, and of HBM, as walks of some indices of a dimension each, in order; as it is where they would
    be of fewer than `least` bytes, or the dimension's slowest digit lies on partitions or is one of those `kept`."""
    digits = [i for i, (of, _) in enumerate(walk.digits) if of == dim and not walk.legs[0][i].on_partitions]
    slowest = max(digits, key=lambda i: walk.digits[i][1], default=None)
    if slowest is None or walk.digits[slowest] in kept:
        yield walk
        return
    count, size = walk.counts[slowest], math.prod(walk.counts) * itemsize
    most = min(_MOST, count, size // least)
    if walk.legs[1][slowest].stride == 1:
        most = min(most, count * itemsize // _RUN)
    number = next((n for n in range(most, 1, -1) if count % n == 0), 1)
    if number == 1:
        yield walk
    else:
        yield from walk.cut(slowest, count // number).singly([slowest])
