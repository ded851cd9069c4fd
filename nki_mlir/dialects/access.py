"""How an instruction reaches memory, as plain data: what legality rules are written over, on both machine levels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, SpacedOpaqueSyntaxAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.utils.str_enum import StrEnum

from nki_mlir.dialects.dtypes import dtype
from nki_mlir.dialects.expr import Expr


class Space(StrEnum):
    HBM = "hbm"
    SBUF = "sbuf"
    PSUM = "psum"


class Engine(StrEnum):
    TENSOR = "tensor"
    VECTOR = "vector"
    SCALAR = "scalar"
    GPSIMD = "gpsimd"
    SYNC = "sync"


@irdl_attr_definition
class EngineAttr(EnumAttribute[Engine], SpacedOpaqueSyntaxAttribute):
    name = "neuron.engine.engine"


Dim = tuple[int, int]
"""(step, count): `count` elements, `step` elements apart."""


@dataclass(frozen=True)
class Access:
    """A rectangle of memory. On chip: partitions `start .. start + partitions` and, on each of them, the free pattern
    `dims` from byte `address`. In HBM: `dims` alone (partitions is 0), from byte `address` of `tensor`.

    `address` is None where it is not decided yet (`neuron.engine` before allocation). `core` owns the memory.
    """

    space: Space
    element_type: Attribute
    dims: tuple[Dim, ...]
    start: int = 0
    partitions: int = 0
    address: Expr | None = None
    tensor: str | None = None
    core: int = 0

    @property
    def on_chip(self) -> bool:
        return self.space is not Space.HBM

    @property
    def itemsize(self) -> int:
        return dtype(self.element_type).bytes

    @property
    def free_elements(self) -> int:
        """Elements per partition; in HBM, all elements."""
        return math.prod(count for _, count in self.dims)

    @property
    def elements(self) -> int:
        return self.free_elements * (self.partitions if self.on_chip else 1)

    @property
    def extent(self) -> tuple[int, int]:
        """First and one-past-last byte touched, relative to `address` (on chip: in each partition)."""
        low = sum(min(0, step * (count - 1)) for step, count in self.dims)
        high = sum(max(0, step * (count - 1)) for step, count in self.dims)
        return low * self.itemsize, (high + 1) * self.itemsize
