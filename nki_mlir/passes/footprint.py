"""Products that can't fit, found from the sizes of their operands before anything is made of them."""

from __future__ import annotations

from xdsl.ir import Operation, SSAValue

from nki_mlir.analysis.lifetimes import capacity
from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_mem import tile_type
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError


def check_product(op: Operation, lhs: SSAValue, rhs: SSAValue) -> None:
    """Raises CompileError where the operands of a product are together larger than SBUF."""
    available, needed = capacity(target_of(op), Space.SBUF), tile_type(lhs).bytes + tile_type(rhs).bytes
    if lhs is not rhs and needed > available:
        raise CompileError.at(
            op,
            f"the operands of this product need {needed} bytes on each partition, and sbuf has {available}: "
            f"{_size(lhs)}; {_size(rhs)}; use smaller blocks",
        )


def _size(tile: SSAValue) -> str:
    type_ = tile_type(tile)
    name = f"'{tile.name_hint}'" if tile.name_hint is not None else "a tile"
    lanes = type_.layout.partitions
    where = "its one partition" if lanes == 1 else f"each of {lanes} partitions"
    return f"{name}, {list(type_.sizes)} of {type_.element_type}, needs {type_.bytes} bytes on {where}"
