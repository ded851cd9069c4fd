"""Which arguments of a kernel may share memory."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects.builtin import DenseArrayBase
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from nki_mlir.dialects.tile import ALIASES


def memories_of(func: FuncOp) -> Mapping[SSAValue, int]:
    """A number for each argument, the same for those that may have elements in common."""
    arguments, groups = func.body.block.args, func.attributes.get(ALIASES)
    numbers = groups.get_values() if isinstance(groups, DenseArrayBase) else range(len(arguments))
    return {argument: int(number) for argument, number in zip(arguments, numbers, strict=True)}
