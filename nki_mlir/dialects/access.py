"""How an instruction reaches memory, as plain data: what legality rules are written over, on both machine levels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, SpacedOpaqueSyntaxAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.utils.str_enum import StrEnum

from nki_mlir.dialects.dtypes import dtype, is_dtype
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


class Comb(NamedTuple):
    """Which of the partitions that an access spans are touched: the first `width` of every `every`, or all of them."""

    every: int = 1
    width: int = 1

    def dims(self, partitions: int) -> list[Dim]:
        """The touched ones of `partitions`, in steps of partitions."""
        blocks = (self.every, -(-partitions // self.every))
        return [blocks, (1, self.width)] if self.width > 1 else [blocks]

    def mask(self, start: int, partitions: int) -> int:
        """The touched ones as the bits of an integer."""
        ends = (1 << self.every * -(-partitions // self.every)) - 1
        kept = ends // ((1 << self.every) - 1) * ((1 << self.width) - 1)
        return (kept & (1 << partitions) - 1) << start


WHOLE = Comb()


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

    @cached_property
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
    def counts(self) -> tuple[int, ...]:
        """How many there are of each dimension: on chip the partitions first, then those of the pattern."""
        free = tuple(count for _, count in self.dims)
        return (self.partitions, *free) if self.on_chip else free

    def limited(self, most: Mapping[int, int]) -> Access:
        """With at most so many of some dimensions, by their place in `counts`."""
        counts = [min(count, most.get(dim, count)) for dim, count in enumerate(self.counts)]
        partitions = counts.pop(0) if self.on_chip else 0
        dims = tuple((step, count) for (step, _), count in zip(self.dims, counts, strict=True))
        return replace(self, dims=dims, partitions=partitions)

    @cached_property
    def extent(self) -> tuple[int, int]:
        """First and one-past-last byte touched, relative to `address` (on chip: in each partition)."""
        low = high = 0
        for step, count in self.dims:
            if step > 0:
                high += step * (count - 1)
            else:
                low += step * (count - 1)
        item = self.itemsize
        return low * item, (high + 1) * item


def contiguous(dims: Sequence[Dim]) -> list[Dim]:
    """The same elements in the same order with as few dimensions as possible, at least one."""
    merged: list[Dim] = []
    for step, count in dims:
        if count == 1:
            continue
        if merged and merged[-1][0] == step * count:
            merged[-1] = (step, merged[-1][1] * count)
        else:
            merged.append((step, count))
    return merged or [(dims[-1][0] if dims else 1, 1)]


def parse_partitions(parser: AttrParser) -> tuple[int, int]:
    """`[start:end]`: the first partition, and how many there are."""
    with parser.in_square_brackets():
        position = parser.pos
        start = parser.parse_integer(allow_boolean=False, allow_negative=False)
        parser.parse_punctuation(":")
        end = parser.parse_integer(allow_boolean=False, allow_negative=False)
        if end <= start:
            parser.raise_error(
                f"partitions {start}:{end} are none; the last is in front of {end}", position, parser.pos
            )
        return start, end - start


def parse_pattern(parser: AttrParser) -> tuple[tuple[Dim, ...], Attribute]:
    """`[step x count, …], element type`."""
    dims = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: _parse_dim(parser))
    parser.parse_punctuation(",")
    position = parser.pos
    element_type = parser.parse_type()
    if not is_dtype(element_type):
        parser.raise_error(f"{element_type} is not an element type of the machine", position)
    return tuple(dims), element_type


def _parse_dim(parser: AttrParser) -> Dim:
    step = parser.parse_integer(allow_boolean=False)
    parser.parse_keyword("x")
    return step, parser.parse_integer(allow_boolean=False, allow_negative=False)


def pattern_text(access: Access) -> str:
    """What `parse_pattern` reads."""
    return f"[{', '.join(f'{step} x {count}' for step, count in access.dims)}], {access.element_type}"
