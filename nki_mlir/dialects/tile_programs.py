"""The programs of a grid: one parallel region at `tile`, and what is left of it once it is loops."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import DenseArrayBase, IndexType, UnitAttr, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import HasParent, MemoryWriteEffect, NoTerminator, RecursiveMemoryEffect, get_effects
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects.tile_accesses import AtomicOp, LoadOp, ReadOp, StoreOp, WriteOp

MOST_PROGRAMS = 2**31 - 1
"""Of a grid, along one axis and altogether: CUDA's limit for the first axis of a grid, which Triton has."""
MOST_AXES = 3


def grid_problem(grid: Sequence[int]) -> str | None:
    """Why a kernel can't be launched on this grid; None if it can. A grid with a size of 0 has no programs."""
    if not 1 <= len(grid) <= MOST_AXES:
        return f"a grid has 1 to {MOST_AXES} axes, got {len(grid)}"
    for axis, size in enumerate(grid):
        if not 0 <= size <= MOST_PROGRAMS:
            return f"a grid has 0 to 2^31 - 1 = {MOST_PROGRAMS} programs along an axis, got {size} along axis {axis}"
    if math.prod(grid) > MOST_PROGRAMS:
        return f"a grid has at most 2^31 - 1 = {MOST_PROGRAMS} programs, got {math.prod(grid)}"
    return None


def groups_of(grid: Sequence[int], widths: Sequence[int]) -> tuple[int, ...]:
    """How many groups of so many programs along each axis there are; the last one may have fewer."""
    return tuple(-(-size // width) for size, width in zip(grid, widths, strict=True))


def _verify_widths(grid: Sequence[int], widths: Sequence[int]) -> None:
    """A grid of groups of programs: how many there are in one along each axis."""
    if len(widths) != len(grid) or min(widths, default=1) < 1:
        raise VerifyException(f"groups of {list(widths)} programs are none of a grid of {list(grid)}")


def _verify_sizes(sizes: Sequence[int]) -> None:
    if min(sizes, default=1) < 1:
        raise VerifyException(f"a grid is made of positive sizes, got {list(sizes)}")
    if math.prod(sizes) > MOST_PROGRAMS:
        raise VerifyException(f"a grid has at most 2^31 - 1 = {MOST_PROGRAMS} programs, got {math.prod(sizes)}")


@irdl_op_definition
class ProgramsOp(IRDLOperation):
    """The body once for each program of a grid of these sizes, with the program's ids as arguments.

    It means whole programs one after the other, in some order that a pass may choose. What a program does reaches
    others through memory alone, and memory through accesses alone, so that who asks for dependences looks at accesses
    only. A function may have several, which follow one another; a grid without axes is one program.

    `in [8] by [125] of [1000]` says that each of the 8 does what 125 programs of the kernel do, of which there are
    1,000: reports name those. `anonymous` programs are none of the kernel's, and have no names. Those that are to run
    `together` are one program for `widen`, whatever they don't have in common."""

    name = "tile.programs"
    sizes = prop_def(DenseArrayBase.constr(i64))
    widths = opt_prop_def(DenseArrayBase.constr(i64))
    kernel = opt_prop_def(DenseArrayBase.constr(i64))
    anonymous = opt_prop_def(UnitAttr)
    together = opt_prop_def(UnitAttr)
    body = region_def("single_block")
    traits = traits_def(NoTerminator(), RecursiveMemoryEffect(), HasParent(FuncOp))

    def __init__(
        self,
        sizes: Sequence[int],
        body: Region | None = None,
        widths: Sequence[int] | None = None,
        kernel: Sequence[int] | None = None,
        anonymous: bool = False,
        together: bool = False,
    ):
        region = Region(Block(arg_types=[IndexType()] * len(sizes))) if body is None else body
        given = {"sizes": sizes, "widths": widths, "kernel": kernel}
        properties: dict[str, Attribute | None] = {
            name: None if value is None else DenseArrayBase.from_list(i64, value) for name, value in given.items()
        }
        words = {"anonymous": anonymous, "together": together}
        properties |= {word: UnitAttr() if said else None for word, said in words.items()}
        super().__init__(properties=properties, regions=[region])

    @property
    def grid(self) -> tuple[int, ...]:
        """The number of programs along each axis."""
        return tuple(self.sizes.get_values())

    @property
    def kernel_grid(self) -> tuple[int, ...]:
        """The kernel's grid, as it was launched."""
        return self.grid if self.kernel is None else tuple(self.kernel.get_values())

    @property
    def group(self) -> tuple[int, ...]:
        """How many of the kernel's programs each of these does along each axis."""
        return (1,) * len(self.grid) if self.widths is None else tuple(self.widths.get_values())

    @property
    def ids(self) -> tuple[SSAValue, ...]:
        """A program's place along each axis."""
        return tuple(self.body.block.args)

    def verify_(self) -> None:
        _verify_sizes(self.grid)
        if (self.widths is None) != (self.kernel is None):
            raise VerifyException("a grid of groups says how many programs are in one, and how many there are")
        _verify_widths(self.kernel_grid, self.group)
        if self.grid != groups_of(self.kernel_grid, self.group):
            kernel, group = list(self.kernel_grid), list(self.group)
            raise VerifyException(f"{kernel} programs are not {list(self.grid)} groups of {group}")
        types = [value.type for value in self.ids]
        if types != [IndexType()] * len(self.grid):
            raise VerifyException(f"a grid of {len(self.grid)} axes gives as many ids, which are index; got {types}")
        for op in self.body.walk():
            _verify_effects(op)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        with printer.in_parens():
            printer.print_list(self.ids, printer.print_ssa_value)
        printer.print_string(" in ")
        with printer.in_square_brackets():
            printer.print_list(self.grid, printer.print_int)
        for word, given in (("by", self.widths), ("of", self.kernel)):
            if given is not None:
                printer.print_string(f" {word} ")
                with printer.in_square_brackets():
                    printer.print_list(given.get_values(), printer.print_int)
        for word, said in (("anonymous", self.anonymous), ("together", self.together)):
            if said is not None:
                printer.print_string(f" {word}")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False, print_empty_block=False)

    @classmethod
    def parse(cls, parser: Parser) -> ProgramsOp:
        ids = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=False)
        )
        parser.parse_keyword("in")
        sizes = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
        more = [
            parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
            if parser.parse_optional_keyword(word) is not None
            else None
            for word in ("by", "of")
        ]
        anonymous, together = (parser.parse_optional_keyword(w) is not None for w in ("anonymous", "together"))
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parser.parse_region([one.resolve(IndexType()) for one in ids])
        op = cls(sizes, body, widths=more[0], kernel=more[1], anonymous=anonymous, together=together)
        if attributes is not None:
            op.attributes |= attributes.data
        return op


def enclosing_programs(op: Operation) -> ProgramsOp | None:
    """The programs that an operation stands in."""
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, ProgramsOp):
        parent = parent.parent_op()
    return parent


def _verify_effects(op: Operation) -> None:
    """Effects of a program come by accesses. What is unknown to have any has none."""
    if not op.regions and not isinstance(op, LoadOp | StoreOp | AtomicOp | ReadOp | WriteOp) and get_effects(op):
        raise VerifyException(f"a program reaches memory by accesses of tile only, not by {op.name}")


@irdl_op_definition
class BeginProgramOp(IRDLOperation):
    """What follows in this block belongs to one program of the grid, whose place in it, in row-major order, is
    `number`; with `by`, to one group of so many programs along each axis, whose place among the groups it is. It does
    nothing; it tells reports who does what, down to `neuron.engine`."""

    name = "tile.begin_program"
    number = operand_def(IndexType())
    grid = prop_def(DenseArrayBase.constr(i64))
    widths = opt_prop_def(DenseArrayBase.constr(i64))
    traits = traits_def(MemoryWriteEffect())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$number `of` $grid (`by` $widths^)? attr-dict"

    def __init__(self, number: SSAValue, grid: Sequence[int], widths: DenseArrayBase | None = None):
        properties = {"grid": DenseArrayBase.from_list(i64, grid), "widths": widths}
        super().__init__(operands=[number], properties=properties)

    def verify_(self) -> None:
        if not len(self.grid):
            raise VerifyException("a grid of one program has no program to name")
        _verify_sizes(self.grid.get_values())
        if self.widths is not None:
            _verify_widths(self.grid.get_values(), self.widths.get_values())
