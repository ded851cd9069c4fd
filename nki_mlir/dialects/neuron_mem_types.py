"""The type of a placed tile: where each element of a logical tensor lies on chip.

A dimension longer than 128 folds: index `i` lies on partition `i // fold`, at position `i % fold` of a leading free
dimension. `none` puts the whole tensor on one partition.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    IntAttr,
)
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import (
    Attribute,
    ParametrizedAttribute,
    SpacedOpaqueSyntaxAttribute,
    SSAValue,
    TypeAttribute,
)
from xdsl.irdl import (
    irdl_attr_definition,
)
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.access import Space
from nki_mlir.dialects.dtypes import dtype, f32, is_number

PARTITIONS = 128
MOVING = 512
PSUM_BYTES = 16 * 1024
"""Per partition, on every generation (docs/hardware.md#cores)."""


@irdl_attr_definition
class SpaceAttr(EnumAttribute[Space], SpacedOpaqueSyntaxAttribute):
    name = "neuron.mem.space"


@cache
def partitions_for(size: int) -> int:
    """How many partitions a dimension of this size lies on: all of it up to 128, else its largest divisor up to 128."""
    return next(p for p in range(min(size, PARTITIONS), 0, -1) if size % p == 0)


@irdl_attr_definition
class TileType(ParametrizedAttribute, TypeAttribute):
    """`<sbuf, 128 x [8] x f32, dim 0 of [1024]>`: a tensor of shape [1024], dimension 0 on the partitions, 128 of them
    with 8 elements on each."""

    name = "neuron.mem.tile"
    space: SpaceAttr
    shape: ArrayAttr[IntAttr]
    dim: IntAttr
    element_type: Attribute

    @staticmethod
    def of(space: Space, shape: Sequence[int], dim: int | None, element_type: Attribute) -> TileType:
        sizes = ArrayAttr([IntAttr(s) for s in shape])
        return TileType(SpaceAttr(space), sizes, IntAttr(-1 if dim is None else dim), element_type)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(s.data for s in self.shape)

    @property
    def partition_dim(self) -> int | None:
        return None if self.dim.data < 0 else self.dim.data

    @property
    def partitions(self) -> int:
        return 1 if self.partition_dim is None else partitions_for(self.sizes[self.partition_dim])

    @property
    def fold(self) -> int:
        """Consecutive indices of the partition dimension that share a partition."""
        return 1 if self.partition_dim is None else self.sizes[self.partition_dim] // self.partitions

    @property
    def free(self) -> tuple[int, ...]:
        """The free dimensions: the fold where it is not 1, then the logical dimensions that are not on partitions."""
        rest = [s for d, s in enumerate(self.sizes) if d != self.partition_dim]
        return tuple(([self.fold] if self.fold > 1 else []) + rest) or (1,)

    @property
    def bytes(self) -> int:
        """Bytes on each partition."""
        return math.prod(self.free) * dtype(self.element_type).bytes

    @property
    def is_psum(self) -> bool:
        return self.space.data is Space.PSUM

    def with_space(self, space: Space) -> TileType:
        return TileType.of(space, self.sizes, self.partition_dim, self.element_type)

    def with_element(self, element_type: Attribute) -> TileType:
        return TileType.of(self.space.data, self.sizes, self.partition_dim, element_type)

    def verify(self) -> None:
        if not is_number(self.element_type):
            raise VerifyException(f"{self.element_type} is no element type that a tile is computed in")
        if self.space.data is Space.HBM:
            raise VerifyException("a tile lies in sbuf or psum; HBM is reached through memrefs")
        if any(s < 1 for s in self.sizes):
            raise VerifyException(f"a tile has no empty dimension, got {list(self.sizes)}")
        if self.dim.data >= len(self.sizes):
            raise VerifyException(f"dimension {self.dim.data} is outside shape {list(self.sizes)}")
        if self.is_psum and (self.element_type != f32 or self.bytes > PSUM_BYTES):
            raise VerifyException(
                f"psum holds f32 in {PSUM_BYTES} bytes per partition, got {self.bytes} bytes of {self.element_type}"
            )

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            start = parser.pos
            space = Space(parser.parse_str_enum(Space))
            parser.parse_punctuation(",")
            partitions = parser.parse_integer(allow_boolean=False, allow_negative=False)
            parser.parse_keyword("x")
            free = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
            parser.parse_keyword("x")
            element_type = parser.parse_type()
            parser.parse_punctuation(",")
            dim = -1
            if parser.parse_optional_keyword("none") is None:
                parser.parse_keyword("dim")
                dim = parser.parse_integer(allow_boolean=False, allow_negative=False)
            parser.parse_keyword("of")
            shape = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
            try:
                made = TileType.of(space, shape, None if dim < 0 else dim, element_type)
            except VerifyException as error:
                parser.raise_error(str(error), start, parser.pos)
            if (partitions, tuple(free)) != (made.partitions, made.free):
                parser.raise_error(
                    f"shape {list(shape)} with this placement is {made.partitions} x {list(made.free)},"
                    f" not {partitions} x {list(free)}",
                    start,
                    parser.pos,
                )
            return made.parameters

    def print_parameters(self, printer: Printer) -> None:
        placed = "none" if self.partition_dim is None else f"dim {self.partition_dim}"
        printer.print_string(f"<{self.space.data.value}, {self.partitions} x {list(self.free)} x ")
        printer.print_attribute(self.element_type)
        printer.print_string(f", {placed} of {list(self.sizes)}>")


def tile_type(value: SSAValue) -> TileType:
    return cast(TileType, value.type)
