"""Tiles that can't fit, found from their sizes before anything is made of them; why a tile lies on one partition."""

from __future__ import annotations

from xdsl.ir import Operation, SSAValue

from nki_mlir.dialects.access import Space
from nki_mlir.dialects.neuron_mem import PARTITIONS, BroadcastOp, RelabelOp, TileType, tile_type
from nki_mlir.dialects.table_ops import target_of
from nki_mlir.errors import CompileError, position
from nki_mlir.passes.layout import Infeasible
from nki_mlir.passes.multi_buffer import capacity

ONE_PARTITION = "neuron.one_partition"
"""The attribute of an operation on tiles, and of a buffer, that says why it lies on one partition."""


def one_partition_reason(type_: TileType, cause: Infeasible | None) -> str | None:
    """Why a tile of several elements lies on one partition; None where it doesn't."""
    if type_.partitions > 1 or max(type_.sizes, default=1) == 1:
        return None
    if type_.partition_dim is not None:
        rows = type_.sizes[type_.partition_dim]
        return None if rows == 1 else f"its {rows} rows have no divisor from 2 to {PARTITIONS}"
    if cause is None:
        return None
    where = position(cause.op)
    return f"{cause.reason} ({f'{where[0]}:{where[1]}' if where else cause.op.name})"


def check_tile(op: Operation, tile: SSAValue, reason: str | None) -> None:
    """Raises CompileError where the result of an operation is larger than all of SBUF."""
    if isinstance(tile.owner, BroadcastOp | RelabelOp):
        return
    available = capacity(target_of(op), Space.SBUF)
    if tile_type(tile).bytes > available:
        because = "" if reason is None else f"; it lies on one partition because {reason}"
        raise CompileError.at(op, f"{_size(tile)}, and sbuf has {available}{because}")


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
    where = "its one partition" if type_.partitions == 1 else f"each of {type_.partitions} partitions"
    return f"{name}, {list(type_.sizes)} of {type_.element_type}, needs {type_.bytes} bytes on {where}"
