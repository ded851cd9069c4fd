"""Pieces of tiles of `neuron.mem`: slices, inserts, and the tile that nothing has been inserted into yet.

    %p = neuron.mem.slice %t(%j) [s0, 512 * s1 + d0, d1] : !tile -> !piece

One entry a dimension of the tile: where along it the piece begins, affine in the index scalars `s0, s1, …`, plus the
position `dD` along the piece's dimension D; a dimension without a position is one that the piece does not have.
A piece lies as it does in the tile: of each dimension, the fast digits are the piece's, the slow ones say where it
begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import IndexType, IntegerAttr
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import Attribute, Data, SSAValue
from xdsl.irdl import (
    ParsePropInAttrDict,
    VarConstraint,
    base,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.coordinates import Position, Scalar, parse_counter
from nki_mlir.dialects.expr import Counter, Expr, parse_expr
from nki_mlir.dialects.layout import LayoutError
from nki_mlir.dialects.neuron_mem_scans import AllocEffect, MemOp
from nki_mlir.dialects.neuron_mem_types import TileType, tile_type
from nki_mlir.dialects.pieces import Piece, piece_of


@irdl_attr_definition
class PlacesAttr(Data[tuple[Expr, ...]]):
    """Of each dimension of a tile, where along it an element of a piece is."""

    name = "neuron.mem.places"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Expr, ...]:
        return tuple(
            parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parse_expr(parser, parse_counter))
        )

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(self.text)

    @property
    def text(self) -> str:
        return f"[{', '.join(map(str, self.data))}]"


class PieceOp(MemOp):
    """What names a piece of the tile `tile`."""

    T: ClassVar = VarConstraint("T", base(TileType))

    tile = operand_def(T)
    scalars = var_operand_def(IndexType())
    places = prop_def(PlacesAttr)
    irdl_options = (ParsePropInAttrDict(),)

    @property
    def piece(self) -> SSAValue:
        """The value that is the piece."""
        raise NotImplementedError

    def where(self, scalars: Mapping[Scalar, Expr] | None = None) -> Piece:
        """Where the piece is, over the scalars that are not constants, or over what stands for these. Raises
        LayoutError."""
        values = {Scalar(n): _known(value) for n, value in enumerate(self.scalars)}
        known = {key: value for key, value in values.items() if value is not None}
        places = [place.substitute({**(scalars or {}), **known}) for place in self.places.data]
        return piece_of(tile_type(self.tile).layout, places, tile_type(self.piece).sizes)

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """What else is said of the scalars."""
        return ()

    @property
    def names(self) -> dict[Scalar, Expr]:
        """The SSA values of the scalars."""
        return {Scalar(number): Expr.counter(value) for number, value in enumerate(self.scalars)}

    @property
    def over_values(self) -> Piece:
        """Where the piece is, over the SSA values of the scalars."""
        return self.where(self.names)

    @property
    def is_whole(self) -> bool:
        """Whether the piece is all of the tile."""
        wanted = tuple(Expr.counter(Position(dim)) for dim in range(len(tile_type(self.tile).sizes)))
        return self.places.data == wanted and self.piece.type == self.tile.type

    def is_where(self, other: PieceOp) -> bool:
        """Whether the pieces of two tiles that are alike are at the same place."""
        same = self.places == other.places and list(self.scalars) == list(other.scalars)
        return same and (self.piece.type, self.tile.type) == (other.piece.type, other.tile.type)

    def verify_(self) -> None:
        super().verify_()
        tile, piece = tile_type(self.tile), tile_type(self.piece)
        self._verify_places(len(tile.sizes), len(piece.sizes))
        try:
            wanted = tile.with_layout(self.where().layout)
        except LayoutError as reason:
            raise VerifyException(f"{self.places.text} of what lies like {tile.layout} is no tile: {reason}") from None
        if piece != wanted:
            raise VerifyException(f"the piece must be {wanted}, got {piece}")

    def _verify_places(self, rank: int, positions: int) -> None:
        places = self.places.data
        if len(places) != rank:
            raise VerifyException(f"the tile has {rank} dimensions, got {len(places)} places")
        places = (*places, *self.conditions)
        used = {key for place in places for key in place.counters()}
        for place in places:
            _verify_place(place, positions, len(self.scalars))
        for number in range(len(self.scalars)):
            if Scalar(number) not in used:
                raise VerifyException(f"the index scalar s{number} is not used")


def _known(value: SSAValue) -> Expr | None:
    owner = value.owner
    if isinstance(owner, ConstantOp) and isinstance(owner.value, IntegerAttr):
        return Expr(owner.value.value.data)
    return None


def _verify_place(place: Expr, positions: int, scalars: int) -> None:
    if not place.fits():
        raise VerifyException(f"the numbers of '{place}' are of 64 bits")
    for term, factor in place.terms:
        key = term.key if isinstance(term, Counter) else None
        match key:
            case Position(dim):
                if factor != 1:
                    raise VerifyException(f"a piece is made of neighbours, not of every {factor}th: '{place}'")
                if dim >= positions:
                    raise VerifyException(f"{key} is beyond the {positions} dimensions of the piece")
            case Scalar(number):
                if number >= scalars:
                    raise VerifyException(f"there are {scalars} index scalars, and no {key}")
            case _:
                raise VerifyException(f"'{place}' is not affine in positions and index scalars")
    if sum(isinstance(key, Position) for key in place.counters()) > 1:
        raise VerifyException(f"'{place}' moves with two dimensions of the piece")


@irdl_op_definition
class EmptyOp(MemOp):
    """A tile that nobody wrote: it holds anything."""

    name = "neuron.mem.empty"
    result = result_def(TileType)
    traits = traits_def(AllocEffect())
    assembly_format = "attr-dict `:` type($result)"

    def verify_(self) -> None:
        super().verify_()
        _verify_sbuf(self.result)


def _verify_sbuf(value: SSAValue) -> None:
    if tile_type(value).is_psum:
        raise VerifyException("what lies in psum is made by products; this is a tile in sbuf")


@irdl_op_definition
class SliceOp(PieceOp, HasFolderInterface):
    """A piece of a tile, which stays where it is."""

    name = "neuron.mem.slice"
    result = result_def(TileType)
    traits = traits_def(Pure())
    assembly_format = "$tile (`(` $scalars^ `)`)? $places attr-dict `:` type($tile) `->` type($result)"

    def __init__(self, tile: SSAValue, scalars: Sequence[SSAValue], places: Sequence[Expr], result_type: Attribute):
        properties = {"places": PlacesAttr(tuple(places))}
        super().__init__(operands=[tile, scalars], properties=properties, result_types=[result_type])

    @property
    def piece(self) -> SSAValue:
        return self.result

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        if self.is_whole:
            return (self.tile,)
        source = self.tile.owner
        if not isinstance(source, InsertOp) or source.guard is not None or not self.is_where(source):
            return None
        return (source.value,)


@irdl_op_definition
class InsertOp(PieceOp, HasFolderInterface):
    """The tile with `value` as one of its pieces; with `where`, in those iterations only in which that, affine in the
    index scalars, is above 0: in the others it is the tile as it was."""

    name = "neuron.mem.insert"
    value = operand_def(TileType)
    guard = opt_prop_def(PlacesAttr)
    result = result_def(PieceOp.T)
    traits = traits_def(Pure())
    assembly_format = (
        "$value `into` $tile (`(` $scalars^ `)`)? $places (`where` $guard^)? attr-dict"
        " `:` type($value) `into` type($tile)"
    )

    def __init__(
        self,
        value: SSAValue,
        tile: SSAValue,
        scalars: Sequence[SSAValue],
        places: Sequence[Expr],
        guard: Expr | None = None,
    ):
        properties = {
            "places": PlacesAttr(tuple(places)),
            "guard": None if guard is None else PlacesAttr((guard,)),
        }
        super().__init__(operands=[value, tile, scalars], properties=properties, result_types=[tile.type])

    @property
    def piece(self) -> SSAValue:
        return self.value

    @property
    def conditions(self) -> tuple[Expr, ...]:
        return () if self.guard is None else self.guard.data

    @property
    def condition(self) -> Expr | None:
        """What is above 0 where it is inserted, over the SSA values of the scalars; None where it always is."""
        return self.guard.data[0].substitute(self.names) if self.guard is not None else None

    def verify_(self) -> None:
        super().verify_()
        _verify_sbuf(self.result)
        if self.guard is None:
            return
        if len(self.guard.data) != 1:
            raise VerifyException(f"where a piece is inserted is one number, got {self.guard.text}")
        if any(isinstance(key, Position) for key in self.guard.data[0].counters()):
            raise VerifyException(f"where a piece is inserted does not depend on positions, got {self.guard.text}")

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        return (self.value,) if self.is_whole and self.guard is None else None
