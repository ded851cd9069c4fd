"""The type of a placed tile: space, shape, element type, and the layout that says where each element lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, Data, ParametrizedAttribute, SpacedOpaqueSyntaxAttribute, SSAValue, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.access import Space
from nki_mlir.dialects.dtypes import dtype, is_number
from nki_mlir.dialects.layout import Factor, Layout, LayoutError, replica, unused


@irdl_attr_definition
class SpaceAttr(EnumAttribute[Space], SpacedOpaqueSyntaxAttribute):
    name = "neuron.mem.space"


@irdl_attr_definition
class LayoutAttr(Data[Layout]):
    """`<64x8, [d0] x [d1]>`: a layout by itself, with the shape that it is of."""

    name = "neuron.mem.layout"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Layout:
        with parser.in_angle_brackets():
            shape = parser.parse_dimension_list()
            parser.parse_punctuation(",")
            return parse_layout(parser, shape)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{'x'.join(map(str, self.data.shape))}, {self.data}>")


def parse_layout(parser: AttrParser, shape: Sequence[int]) -> Layout:
    """What `str(layout)` writes: `[d0:128] x [d0/128:8, d1]`."""
    start = parser.pos
    partition = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: _parse_factor(parser, shape))
    parser.parse_keyword("x")
    free = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: _parse_factor(parser, shape))
    try:
        return Layout.of(shape, partition, free)
    except LayoutError as error:
        parser.raise_error(str(error), start, parser.pos)


def _parse_factor(parser: AttrParser, shape: Sequence[int]) -> Factor:
    """`dD/S:N`, `*:N` or `_:N`; a step of 1 and the size of a whole dimension may be left out."""
    start = parser.pos
    if parser.parse_optional_punctuation("*"):
        return replica(_parse_size(parser))
    word = parser.parse_identifier()
    if word == "_":
        return unused(_parse_size(parser))
    if word[0] != "d" or not word[1:].isdigit() or int(word[1:]) >= len(shape):
        parser.raise_error(f"expected a dimension d0 … of {len(shape)}, '*' or '_'", start, parser.pos)
    dim = int(word[1:])
    step = parser.parse_integer(False, False) if parser.parse_optional_punctuation("/") else 1
    has_size = parser.parse_optional_punctuation(":") is not None
    size = parser.parse_integer(False, False) if has_size else -(-shape[dim] // max(step, 1))
    if step < 1 or size < 1:
        parser.raise_error("the step and the size of a factor are positive", start, parser.pos)
    return Factor(dim, size, step)


def _parse_size(parser: AttrParser) -> int:
    parser.parse_punctuation(":")
    start = parser.pos
    size = parser.parse_integer(allow_boolean=False, allow_negative=False)
    if size < 1:
        parser.raise_error("the size of a factor is positive", start, parser.pos)
    return size


@irdl_attr_definition
class TileType(ParametrizedAttribute, TypeAttribute):
    """`<sbuf, 1000x781xf32, [d0:128] x [d0/128:8, d1]>`: its rows are dealt out over the partitions.

    Where on the partitions and at which address it begins belongs to buffers, not to the type.
    """

    name = "neuron.mem.tile"
    space: SpaceAttr
    placed: LayoutAttr
    element_type: Attribute

    @staticmethod
    def of(space: Space, layout: Layout, element_type: Attribute) -> TileType:
        return TileType(SpaceAttr(space), LayoutAttr(layout), element_type)

    @property
    def layout(self) -> Layout:
        return self.placed.data

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.layout.shape

    @property
    def bytes(self) -> int:
        """Bytes on each partition."""
        return self.layout.elements * dtype(self.element_type).bytes

    @property
    def is_psum(self) -> bool:
        return self.space.data is Space.PSUM

    def with_space(self, space: Space) -> TileType:
        return TileType.of(space, self.layout, self.element_type)

    def with_element(self, element_type: Attribute) -> TileType:
        return TileType.of(self.space.data, self.layout, element_type)

    def with_layout(self, layout: Layout) -> TileType:
        return TileType.of(self.space.data, layout, self.element_type)

    def verify(self) -> None:
        if not is_number(self.element_type):
            raise VerifyException(f"{self.element_type} is no element type that a tile is computed in")
        if self.space.data is Space.HBM:
            raise VerifyException("a tile lies in sbuf or psum; HBM is reached through memrefs")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            start = parser.pos
            space = Space(parser.parse_str_enum(Space))
            parser.parse_punctuation(",")
            shape, element_type = parser.parse_ranked_shape()
            parser.parse_punctuation(",")
            try:
                return TileType.of(space, parse_layout(parser, shape), element_type).parameters
            except VerifyException as error:
                parser.raise_error(str(error), start, parser.pos)

    def print_parameters(self, printer: Printer) -> None:
        printer.print_string(f"<{self.space.data.value}, {''.join(f'{n}x' for n in self.sizes)}")
        printer.print_attribute(self.element_type)
        printer.print_string(f", {self.layout}>")


def tile_type(value: SSAValue) -> TileType:
    return cast(TileType, value.type)
