"""lower-converts: every convert gets the way in which it is done."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from nki_mlir.costs.layouts import Prices
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_mem import ConvertOp, FillOp, IotaOp, LoadOp, MaskOp, TileType, tile_type
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.dialects.ways import Way, WayAttr, why_not
from nki_mlir.errors import CompileError
from nki_mlir.passes.emitter import Emitter
from nki_mlir.passes.level_pass import LevelPass
from nki_mlir.passes.levels import MEM


@dataclass(frozen=True)
class LowerConverts(LevelPass):
    """Chooses, among the ways that are exact, the cheapest for each convert:

        %t = convert %a : <sbuf, 64x32xf32, [d0] x [d1]> -> <sbuf, 64x32xf32, [d1] x [d0]>
          =>
        %t = convert %a by vector : …

    What is loaded, filled or counted is made again where that is cheaper than moving it; a value that already lies as
    wanted needs nothing. To and from PSUM a value is copied; what changes its partitions besides is converted in SBUF.
    Converts that have a way keep it.
    """

    name = "lower-converts"
    levels = (MEM,)

    def lower(self, ctx: Context, op: ModuleOp) -> None:
        prices = Prices(target_of(op))
        for convert in [inner for inner in op.walk() if isinstance(inner, ConvertOp) and inner.by is None]:
            _lower(convert, prices)


def _lower(convert: ConvertOp, prices: Prices) -> None:
    src, dst = tile_type(convert.source), tile_type(convert.result)
    if (src.is_psum or dst.is_psum) and why_not(Way.COPY, src, dst) is not None:
        middle = (src if src.is_psum else dst).with_space(Space.SBUF)
        if (reason := why_not(Way.COPY, middle, middle)) is not None:
            raise CompileError.at(convert, f"what lies like {middle} is not copied to or from psum: {reason}")
        first = ConvertOp.create(operands=[convert.source], result_types=[middle])
        convert.operands[0] = Emitter.before(convert).value(first)
        _lower(first, prices)
        _lower(convert, prices)
        return
    price, way = _cheapest(src, dst, prices)
    source = convert.source.owner
    if isinstance(source, Operation) and _price_again(source, tile_type(convert.result), prices) < price:
        result = Emitter.before(source).value(
            type(source).create(
                operands=source.operands, result_types=[convert.result.type], properties=source.properties
            )
        )
        result.name_hint = convert.result.name_hint
        convert.result.replace_all_uses_with(result)
        convert.detach()
        convert.erase()
    else:
        convert.properties["by"] = WayAttr(way)


def _cheapest(src: TileType, dst: TileType, prices: Prices) -> tuple[float, Way]:
    if not src.is_psum and not dst.is_psum:
        return prices.convert(src.layout, dst.layout, src.element_type)
    return 0.0, Way.NOTHING if why_not(Way.NOTHING, src, dst) is None else Way.COPY


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
