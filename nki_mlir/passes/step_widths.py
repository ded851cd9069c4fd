"""How many iterations of a running maximum had best become one: what a step costs, before anything is placed."""

from __future__ import annotations

import math
from collections.abc import Iterable

from xdsl.dialects.scf import ForOp
from xdsl.ir import Operation, SSAValue

from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects import tile
from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.tile_programs import ProgramsOp
from nki_mlir.passes.widths import DEPTH, is_placed, is_view, size_of, stored, words
from nki_mlir.targets import Target

_PSUM_SHARE = 2
"""Products that differ may have half of PSUM: what is turned for the next product, and its result, are there too."""

_SHARE_TOGETHER = 4
"""A quarter in one of several groups of programs, as the products of others are there too."""


class StepWidths:
    """A loop of `trips` steps that go on along a block of `size` elements. `differs` are the values of one step that
    grow with it; the others it costs as often as it runs."""

    def __init__(self, loop: ForOp, trips: int, joins: Iterable[Operation], differs: set[SSAValue], target: Target):
        self.trips, self.target, self.prices = trips, target, Prices(target)
        sources = [op.source for op in joins if isinstance(op, tile.ReduceOp)]
        self.size = max(tile.shape_of(op.source)[op.axis.value.data] for op in joins if isinstance(op, tile.ReduceOp))
        made = [v for op in loop.body.block.ops if not is_view(op) for v in op.results if is_placed(v)]
        self.grows = [v for v in made if v in differs]
        self.stays = [v for v in made if v not in differs]
        self.products = [v for v in self.grows if isinstance(v.owner, tile.DotOp)]
        programs = loop.parent_op()
        is_grid = isinstance(programs, ProgramsOp)
        grid = math.prod(programs.grid) if is_grid else 1
        self.share = _SHARE_TOGETHER if is_grid and programs.together else _PSUM_SHARE
        rows = max(size_of(v) // self.size for v in sources) * grid
        self.groups = -(-rows // target.memory.partitions)

    def best(self) -> int:
        """The width that costs least of those that there is room for; 1 where there is none."""
        widths = [width for width in range(1, self.trips + 1) if width == 1 or self._fits(width)]
        return min(widths, key=self._price)

    def _fits(self, width: int) -> bool:
        memory = self.target.memory
        banks = sum(-(-self._bytes(v, width) // memory.psum_bank_bytes) for v in self.products)
        room = sum(self._bytes(v, width) for v in self.grows)
        return DEPTH * banks * self.share <= memory.psum_banks and DEPTH * room <= memory.sbuf_usable_bytes

    def _price(self, width: int) -> float:
        """The time, in ns, of all steps, and of the first one, which nothing hides."""
        count, rest = divmod(self.trips, width)
        whole = self._step(width)
        return self.groups * (count * whole + (self._step(rest) if rest else 0.0)) + whole

    def _step(self, width: int) -> float:
        values = [(v, width) for v in self.grows] + [(v, 1) for v in self.stays]
        return sum(self.prices.compute_elements(self._each(v, n), stored(v)) for v, n in values)

    def _bytes(self, value: SSAValue, width: int) -> int:
        return self._each(value, width) * words(value) * dtype(stored(value)).bytes

    def _each(self, value: SSAValue, width: int) -> int:
        """How many elements a partition has of so many of a tile."""
        lanes = min(self.target.memory.partitions, max(1, size_of(value) // self.size))
        return -(-size_of(value) * width // lanes)
