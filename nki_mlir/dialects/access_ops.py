"""What loads and stores of `tile` and of `neuron.mem` have in common: one interface for passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from xdsl.dialects.builtin import FloatAttr, IndexType, IntegerAttr, IntegerType, MemRefType, UnitAttr, i1
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AnyAttr,
    AttrSizedOperandSegments,
    IRDLOperation,
    ParsePropInAttrDict,
    base,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    var_operand_def,
)
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.coordinates import AccessAttr, Coordinates, Scalar, verify_coordinates
from nki_mlir.dialects.expr import Expr
from nki_mlir.dialects.neuron_mem_types import TileType
from nki_mlir.dialects.tile_types import element_of, shape_of

ADDRESS = (
    "(`(` $scalars^ `)`)? (`index` `(` $indices^ `:` type($indices) `)`)? $access (`mask` $mask^ `:` type($mask))?"
)
"""The address in an operation's assembly."""

LEFT_OUT = "(`other` $other^)? (`undefined` $undefined^)?"
"""What a load says of elements that are left out, in its assembly."""

CONSTANT = base(FloatAttr) | base(IntegerAttr)


class AccessOp(IRDLOperation):
    """Moves `moved`, a tensor, a tile or a single element, from or to the flattened `memory`, where `access` says
    (`coordinates.py`): `scalars` and `indices` are what it names `s0 …` and `t0 …`. What `mask` leaves out is neither
    read nor written."""

    memory = operand_def(MemRefType)
    scalars = var_operand_def(IndexType())
    indices = var_operand_def(AnyAttr())
    mask = opt_operand_def(AnyAttr())
    access = prop_def(AccessAttr)
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())

    @property
    def moved(self) -> SSAValue:
        """What is read or written."""
        raise NotImplementedError

    def over(self, coordinates: Coordinates, mask: SSAValue | None = None) -> Self:
        """The same operation with other coordinates, over SSA values, and another mask, where one is given."""
        raise NotImplementedError

    @property
    def coordinates(self) -> Coordinates:
        return self.access.data

    @property
    def over_values(self) -> Coordinates:
        """The coordinates over the SSA values of the scalars."""
        return opened(self.coordinates, self.scalars)

    @property
    def is_partial(self) -> bool:
        """Whether some elements may be left out."""
        return self.mask is not None or bool(self.coordinates.bounded)

    def verify_(self) -> None:
        shape = sizes_of(self.moved)
        verify_coordinates(self.coordinates, shape, len(self.scalars), [sizes_of(v) for v in self.indices])
        if element_type_of(self.moved) != element_of(self.memory):
            raise VerifyException(f"memory has elements {element_of(self.memory)}, got {self.moved.type}")
        for number, index in enumerate(self.indices):
            if not isinstance(element_type_of(index), IntegerType | IndexType):
                raise VerifyException(f"t{number} must be of integers, got {index.type}")
        if self.mask is not None and (sizes_of(self.mask), element_type_of(self.mask)) != (shape, i1):
            raise VerifyException(f"the mask must be i1 of shape {list(shape)}, got {self.mask.type}")


def sizes_of(value: SSAValue) -> tuple[int, ...]:
    """The logical shape of a tensor, a tile, or a single element."""
    return value.type.sizes if isinstance(value.type, TileType) else shape_of(value)


def element_type_of(value: SSAValue) -> Attribute:
    return value.type.element_type if isinstance(value.type, TileType) else element_of(value)


def closed(coordinates: Coordinates) -> tuple[AccessAttr, list[SSAValue]]:
    """Coordinates over SSA values as an operation has them: over its scalars, which are given too."""
    found = [key for part in coordinates for key in part.position.counters() if isinstance(key, SSAValue)]
    scalars = list(dict.fromkeys(found))
    names = {value: Expr.counter(Scalar(number)) for number, value in enumerate(scalars)}
    return AccessAttr(coordinates.substitute(names)), scalars


def opened(coordinates: Coordinates, scalars: Sequence[SSAValue]) -> Coordinates:
    """Coordinates over an operation's scalars, over the SSA values that these are."""
    return coordinates.substitute({Scalar(number): Expr.counter(value) for number, value in enumerate(scalars)})


class ReadingOp(AccessOp):
    """A load: the result is `moved`.

    Elements that are left out are `other`, zero by default. With `undefined` they are zero too, but a program that
    uses them is wrong, which the executor's checks report."""

    other = opt_prop_def(CONSTANT)
    undefined = opt_prop_def(UnitAttr)

    def __init__(
        self,
        memory: SSAValue,
        coordinates: Coordinates,
        result_type: Attribute,
        indices: Sequence[SSAValue] = (),
        mask: SSAValue | None = None,
        other: Attribute | None = None,
        undefined: Attribute | None = None,
    ):
        """`coordinates` are over SSA values."""
        access, scalars = closed(coordinates)
        super().__init__(
            operands=[memory, scalars, indices, mask],
            properties={"access": access, "other": other, "undefined": undefined},
            result_types=[result_type],
        )

    def over(self, coordinates: Coordinates, mask: SSAValue | None = None) -> Self:
        mask = self.mask if mask is None else mask
        undefined = self.undefined if mask is not None or coordinates.bounded else None
        return type(self)(self.memory, coordinates, self.moved.type, self.indices, mask, self.other, undefined)

    @property
    def moved(self) -> SSAValue:
        return self.results[0]

    def verify_(self) -> None:
        super().verify_()
        verify_other(self.other, element_type_of(self.moved))
        verify_undefined(self.undefined, self.other, self.is_partial)


class WritingOp(AccessOp):
    """A store: the operand `value` is `moved`. Elements that are left out stay in memory as they were."""

    value = operand_def(AnyAttr())
    atomic = opt_prop_def(UnitAttr)
    """Part of an atomic operation: other programs may write the same elements."""

    def __init__(
        self,
        value: SSAValue,
        memory: SSAValue,
        coordinates: Coordinates,
        indices: Sequence[SSAValue] = (),
        mask: SSAValue | None = None,
        atomic: Attribute | None = None,
    ):
        """`coordinates` are over SSA values."""
        access, scalars = closed(coordinates)
        properties = {"access": access, "atomic": atomic}
        super().__init__(operands=[value, memory, scalars, indices, mask], properties=properties)

    def over(self, coordinates: Coordinates, mask: SSAValue | None = None) -> Self:
        mask = self.mask if mask is None else mask
        return type(self)(self.value, self.memory, coordinates, self.indices, mask, self.atomic)

    @property
    def moved(self) -> SSAValue:
        return self.value


def verify_other(other: Attribute | None, element_type: Attribute) -> None:
    """What masked elements read as is an element."""
    if isinstance(other, FloatAttr | IntegerAttr) and other.type != element_type:
        raise VerifyException(f"'other' must be {element_type}, got {other}")


def verify_undefined(undefined: UnitAttr | None, other: object, bounded: bool) -> None:
    """Only what is left out, and has no value given, can be undefined."""
    if undefined is not None and other is not None:
        raise VerifyException("elements that read as 'other' are not undefined")
    if undefined is not None and not bounded:
        raise VerifyException("nothing is left out that could be undefined")
