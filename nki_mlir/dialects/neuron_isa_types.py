"""What the instructions of `neuron.isa` carry: expressions, access patterns, waits and updates."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Data, SpacedOpaqueSyntaxAttribute
from xdsl.irdl import (
    irdl_attr_definition,
)
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from nki_mlir.dialects.access import Access, Space, parse_partitions, parse_pattern, pattern_text
from nki_mlir.dialects.expr import Expr, is_word, parse_expr


def require_words(*numbers: int | Expr) -> None:
    """No field of the machine, and no number that the model computes with, has more than 64 bits."""
    for number in numbers:
        if not (number.fits() if isinstance(number, Expr) else is_word(number)):
            raise VerifyException(f"{number} does not fit in 64 bits")


@irdl_attr_definition
class ExprAttr(Data[Expr]):
    """An integer expression over repeat counters and registers."""

    name = "neuron.isa.expr"

    def verify(self) -> None:
        require_words(self.data)

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Expr:
        with parser.in_angle_brackets():
            return parse_expr(parser)

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")


class Comparison(StrEnum):
    """What a sequencer compares by (docs/hardware.md#control-flow); `always` compares nothing."""

    ALWAYS = "always"
    LT = "lt"
    LE = "le"
    EQ = "eq"
    NE = "ne"
    GE = "ge"
    GT = "gt"


@irdl_attr_definition
class ComparisonAttr(EnumAttribute[Comparison], SpacedOpaqueSyntaxAttribute):
    name = "neuron.isa.comparison"


@irdl_attr_definition
class AccessAttr(Data[Access]):
    """A physical access pattern: `<sbuf[0:128] at 4096, [1 x 512], f32>` is, on partitions 0 to 127, 512 elements one
    element apart from byte 4096; `<hbm "x" at 4 * i0, [64 x 128, 1 x 64], f32>` starts at a byte of a tensor."""

    name = "neuron.isa.access"

    def verify(self) -> None:
        a = self.data
        require_words(a.start, a.partitions, a.core, *(n for dim in a.dims for n in dim), a.address or Expr())

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Access:
        with parser.in_angle_brackets():
            core = _parse_core(parser) or 0
            space = Space(parser.parse_str_enum(Space))
            start = partitions = 0
            tensor = None
            if space is Space.HBM:
                tensor = parser.parse_str_literal()
            else:
                start, partitions = parse_partitions(parser)
            parser.parse_keyword("at")
            address = parse_expr(parser)
            parser.parse_punctuation(",")
            dims, element_type = parse_pattern(parser)
            return Access(space, element_type, dims, start, partitions, address, tensor, core)

    def print_parameter(self, printer: Printer) -> None:
        a = self.data
        where = f'hbm "{a.tensor}"' if a.space is Space.HBM else f"{a.space}[{a.start}:{a.start + a.partitions}]"
        core = f"core {a.core} " if a.core else ""
        printer.print_string(f"<{core}{where} at {a.address}, {pattern_text(a)}>")


def _parse_core(parser: AttrParser) -> int | None:
    if parser.parse_optional_keyword("core") is None:
        return None
    return parser.parse_integer(allow_boolean=False, allow_negative=False)


@dataclass(frozen=True)
class Wait:
    """The instruction issues once semaphore `semaphore` of its own core has reached `value`."""

    semaphore: Expr
    value: Expr


@dataclass(frozen=True)
class Update:
    """On completion, semaphore `semaphore` rises by `amount`: the own core's, or that of `core`."""

    semaphore: Expr
    amount: int
    core: int | None = None


@irdl_attr_definition
class WaitAttr(Data[Wait]):
    name = "neuron.isa.wait"

    def verify(self) -> None:
        require_words(self.data.semaphore, self.data.value)

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Wait:
        with parser.in_angle_brackets():
            parser.parse_keyword("sem")
            semaphore = parse_expr(parser)
            parser.parse_keyword("reaches")
            return Wait(semaphore, parse_expr(parser))

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<sem {self.data.semaphore} reaches {self.data.value}>")


@irdl_attr_definition
class UpdateAttr(Data[Update]):
    name = "neuron.isa.update"

    def verify(self) -> None:
        require_words(self.data.semaphore, self.data.amount, self.data.core or 0)

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Update:
        with parser.in_angle_brackets():
            core = _parse_core(parser)
            parser.parse_keyword("sem")
            semaphore = parse_expr(parser)
            parser.parse_keyword("add")
            return Update(semaphore, parser.parse_integer(allow_boolean=False, allow_negative=False), core)

    def print_parameter(self, printer: Printer) -> None:
        core = f"core {self.data.core} " if self.data.core is not None else ""
        printer.print_string(f"<{core}sem {self.data.semaphore} add {self.data.amount}>")
