"""What a choice of layout costs, in ns: the instructions and transfers that a layout asks for, priced by the target's
table before there are instructions.

They rank layouts: how an access is cut into rectangles, and what waits for what, is not known yet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache

from xdsl.dialects.builtin import i1
from xdsl.ir import Attribute

from nki_mlir.costs import instructions, movement, transfers
from nki_mlir.costs.operations import of_instance
from nki_mlir.dialects.access import Access, Engine, Space
from nki_mlir.dialects.dtypes import f32, u8
from nki_mlir.dialects.instructions import BY_NAME, Alu, Instance
from nki_mlir.dialects.layout import Layout
from nki_mlir.dialects.neuron_mem import TileType
from nki_mlir.dialects.ways import Way, exact_ways, why_not
from nki_mlir.targets import Target


class Prices:
    """Prices on one target."""

    def __init__(self, target: Target):
        self.target = target
        self._vector, self._transfer = cache(self._vector_price), cache(self._transfer_price)
        self._multiply, self._turn = cache(self._multiply_price), cache(self._turn_price)

    def compute(self, layout: Layout, element: Attribute) -> float:
        """An instruction of the Vector engine over a tile: its busy time, whatever the number of partitions."""
        return self.compute_elements(layout.elements, element)

    def compute_elements(self, elements: int, element: Attribute) -> float:
        """The same, over so many elements of each partition."""
        return self._vector(elements, element)

    def _vector_price(self, elements: int, element: Attribute) -> float:
        tile = self._tile(self.target.memory.partitions, elements, element)
        operands = {"dst": tile, "data": tile, "operand0": 0.0}
        return instructions.cost(self._instance("tensor_scalar", Engine.VECTOR, operands, op0=Alu.ADD)).occupancy

    def product(self, rows: int, columns: int, terms: int, element: Attribute) -> float:
        """The Tensor engine's time for a product, in pieces of what the array takes."""
        limits = self.target.limits
        (rows, pieces), (terms, more) = _cut(rows, limits.stationary_free), _cut(terms, limits.partitions)
        whole, rest = divmod(columns, limits.moving_free)
        once = whole * self._multiply(rows, limits.moving_free, terms, element) if whole else 0.0
        return pieces * more * (once + (self._multiply(rows, rest, terms, element) if rest else 0.0))

    def leave(self, columns: int) -> float:
        """The Vector engine's time for bringing so many columns of sums out of PSUM."""
        lanes = self.target.memory.partitions
        operands = {"dst": self._tile(lanes, columns, f32), "src": self._tile(lanes, columns, f32, Space.PSUM)}
        return of_instance(self._instance("tensor_copy", Engine.VECTOR, operands)).busy

    def _multiply_price(self, rows: int, columns: int, terms: int, element: Attribute) -> float:
        """Of what the array takes at once."""
        operands = {
            "dst": self._tile(rows, columns, f32, Space.PSUM),
            "stationary": self._tile(terms, rows, element),
            "moving": self._tile(terms, columns, element),
        }
        return of_instance(self._instance("nc_matmul", Engine.TENSOR, operands)).work[Engine.TENSOR]

    def transfer(self, layout: Layout, strides: Sequence[int], element: Attribute, store: bool = False) -> float:
        """Moving a tile from HBM, or to it, where its dimension `d` has stride `strides[d]`: the time of the DMA engine
        that has most to do, or what each transfer takes, however little it moves, if that is longer."""
        return self._transfer(layout, tuple(strides), element, store)

    def _transfer_price(self, layout: Layout, strides: tuple[int, ...], element: Attribute, store: bool) -> float:
        stored, spots = _stored(element), layout.spots
        dims = tuple((strides[s.dim] * s.step if s.dim >= 0 else 0, s.size) for s in spots)
        free = tuple((s.stride, s.size) for s in spots if not s.on_partitions)
        ends = Access(Space.SBUF, stored, free, 0, layout.partitions), Access(Space.HBM, stored, dims)
        src, dst = ends if store else ends[::-1]
        i = self._instance("dma_copy", Engine.SYNC, {"dst": dst, "src": src}, queue=0)
        made = transfers.generation(i)
        return max(made.prepare + transfers.least_ns(self.target), *(share.ring for share in transfers.shares(i)))

    def convert(
        self, have: Layout, want: Layout, element: Attribute, ways: Sequence[Way] | None = None
    ) -> tuple[float, Way]:
        """The cheapest of some ways from one layout in SBUF to another; absent, of those that are exact for all
        values."""
        src, dst = (TileType.of(Space.SBUF, layout, element) for layout in (have, want))
        if why_not(Way.NOTHING, src, dst, self.target) is None:
            return 0.0, Way.NOTHING
        tried = exact_ways(self.target) if ways is None else ways
        best: tuple[float, Way] | None = None
        for way in tried:
            if why_not(way, src, dst, self.target) is None:
                most = math.inf if best is None else best[0]
                found = self._way(way, src, dst, most), way
                best = found if best is None else min(best, found)
        assert best is not None, "DMA moves everything"
        return best

    def turn(self, rows: int, columns: int, element: Attribute) -> float:
        """Bringing the columns of a tile on the partitions, where its rows are, in the cheapest way that is exact."""
        return self._turn(rows, columns, element)

    def _turn_price(self, rows: int, columns: int, element: Attribute) -> float:
        have, want = (Layout.lanes((rows, columns), dim, self.target.memory.partitions, False) for dim in (0, 1))
        return self.convert(have, want, element)[0]

    def _way(self, way: Way, src: TileType, dst: TileType, most: float) -> float:
        match way:
            case Way.NOTHING:
                return 0.0
            case Way.COPY:
                return self.compute(dst.layout, dst.element_type)
            case _:
                return movement.price(way, src, dst, self.target, most)

    def _tile(self, partitions: int, elements: int, element: Attribute, space: Space = Space.SBUF) -> Access:
        return Access(space, _stored(element), ((1, elements),), 0, partitions)

    def _instance(
        self, name: str, engine: Engine, operands: Mapping[str, Access | float], **fields: object
    ) -> Instance:
        return Instance(BY_NAME[name], engine, operands, fields, self.target)


def _stored(element: Attribute) -> Attribute:
    """Truth values are bytes on chip."""
    return u8 if element == i1 else element


def _cut(size: int, most: int) -> tuple[int, int]:
    """The size of a piece and the number of pieces."""
    return min(size, most), -(-size // most)
