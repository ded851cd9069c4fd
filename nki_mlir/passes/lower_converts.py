"""lower-converts: every convert gets the way in which it is done."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from nki_mlir.analysis.operations import operations
from nki_mlir.analysis.plain_numbers import is_plain
from nki_mlir.analysis.psum_use import PsumUse
from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_mem import ConvertOp, FillOp, IotaOp, LoadOp, MaskOp, TileType, tile_type
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.turns import BANKS
from nki_mlir.dialects.ways import THROUGH_PSUM, Way, WayAttr, exact_ways, why_not
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass, functions
from nki_mlir.passes.levels import MEM


@dataclass(frozen=True)
class LowerConverts(LevelPass):
    """Chooses, among the ways that are exact, the cheapest for each convert:

        %t = convert %a : <sbuf, 64x32xf32, [d0] x [d1]> -> <sbuf, 64x32xf32, [d1] x [d0]>
          =>
        %t = convert %a by vector : …

    What is loaded, filled or counted is made again where that is cheaper than moving it; a value that already lies as
    wanted needs nothing. Values are multiplied by an identity only if they are known to be finite and no -0, and go
    through the array only where sums leave it banks of PSUM. To and from PSUM a value is copied; what changes its
    partitions besides is converted in SBUF. Converts that have a way keep it.
    """

    name = "lower-converts"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            lowering = _Lowering(func)
            for convert in [inner for inner in operations(func) if isinstance(inner, ConvertOp) and inner.by is None]:
                lowering.lower(convert)


class _Lowering:
    """Of the converts of a function."""

    def __init__(self, func: FuncOp):
        self.target = target_of(func)
        self.prices, self.psum = Prices(self.target), PsumUse(func, self.target)

    def lower(self, convert: ConvertOp) -> None:
        src, dst = tile_type(convert.source), tile_type(convert.result)
        if src.is_psum or dst.is_psum:
            self._of_psum(convert, src, dst)
            return
        price, way = self._cheapest(convert)
        source = convert.source.owner
        if isinstance(source, Operation) and self._again(source, dst) < price:
            _make_again(source, convert)
        else:
            convert.properties["by"] = WayAttr(way)

    def _again(self, source: Operation, wanted: TileType) -> float:
        """What it costs to make a value where it is wanted, instead of where it is or once more."""
        made = source.results[0]
        saved = _price_again(source, tile_type(made), self.prices) if made.has_one_use() else 0.0
        again = _price_again(source, wanted, self.prices)
        return again if math.isinf(again) else again - saved

    def _of_psum(self, convert: ConvertOp, src: TileType, dst: TileType) -> None:
        """A copy, or a copy and a convert in SBUF."""
        ways = (Way.NOTHING, Way.COPY)
        fit = [way for way in ways if why_not(way, src, dst, self.target) is None]
        if fit:
            convert.properties["by"] = WayAttr(fit[0])
            return
        middle = (src if src.is_psum else dst).with_space(Space.SBUF)
        if (reason := why_not(Way.COPY, middle, middle, self.target)) is not None:
            raise CompileError.at(convert, f"what lies like {middle} is not copied to or from psum: {reason}")
        first = ConvertOp.create(operands=[convert.source], result_types=[middle])
        convert.operands[0] = Emitter.before(convert).value(first)
        self.lower(first)
        self.lower(convert)

    def _cheapest(self, convert: ConvertOp) -> tuple[float, Way]:
        src, dst = tile_type(convert.source), tile_type(convert.result)
        ways = exact_ways(self.target, is_plain(convert.source))
        if self.psum.free_banks(convert) < BANKS:
            ways = [way for way in ways if way not in THROUGH_PSUM]
        return self.prices.convert(src.layout, dst.layout, src.element_type, ways)


def _make_again(source: Operation, convert: ConvertOp) -> None:
    """What makes a value, once more, where the convert would put it."""
    made = type(source).create(
        operands=source.operands, result_types=[convert.result.type], properties=source.properties
    )
    result = Emitter.before(source).value(made)
    result.name_hint = convert.result.name_hint
    convert.result.replace_all_uses_with(result)
    convert.detach()
    convert.erase()


def _price_again(source: Operation, wanted: TileType, prices: Prices) -> float:
    """What it costs to make a value once more; infinite where that is not the same."""
    match source:
        case LoadOp() if not source.indices:
            return prices.transfer(wanted.layout, source.coordinates.strides(len(wanted.sizes)), wanted.element_type)
        case FillOp():
            return prices.compute(wanted.layout, wanted.element_type)
        case IotaOp() | MaskOp() if wanted.layout.is_counted:
            return prices.compute(wanted.layout, wanted.element_type)
        case _:
            return math.inf
