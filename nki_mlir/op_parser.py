"""xDSL's parser, saying more of what it does not know, and remembering where each operation stands."""

from __future__ import annotations

import math
import re
import struct
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

from xdsl.context import Context
from xdsl.dialects.builtin import (
    UNKNOWN_LOC,
    AnyFloat,
    ComplexType,
    FileLineColLoc,
    IndexType,
    IntAttr,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    StringAttr,
)
from xdsl.ir import Operation
from xdsl.parser import AttrParser, ForwardDeclaredValue, Parser
from xdsl.utils.exceptions import ParseError, VerifyException
from xdsl.utils.lexer import Span
from xdsl.utils.mlir_lexer import MLIRTokenKind

from nki_mlir.errors import internal_errors, position

INDEX = IndexType()

MOST_ELEMENTS = 1 << 24
"""Of a dense constant, which xDSL holds as a list."""


class Place(NamedTuple):
    """Where in a text; line and column count from 1."""

    file: str
    line: int
    column: int


def text_of(error: ParseError) -> str:
    """What is wrong with a text, the lexer's one unfilled template filled in."""
    return error.msg.replace("{first_char}", error.span.text[:1])


class _Bits(Parser._TensorLiteralElement):
    """A hexadecimal element of a dense constant: of floats it is their bits, as MLIR reads, and xDSL prints, them."""

    def to_type(self, parser: AttrParser, type: AnyFloat | IntegerType | IndexType | ComplexType) -> Any:
        if not isinstance(type, AnyFloat):
            return super().to_type(parser, type)
        assert isinstance(self.value, int)
        size = type.compile_time_size
        if not 0 <= self.value < 1 << 8 * size:
            parser.raise_error(f"{self.span.text} are not the bits of one {type}, which has {8 * size}", self.span)
        return type.unpack(self.value.to_bytes(size, "little"), 1)[0]


class OpParser(Parser):
    """`starts` has where each operation began."""

    def __init__(self, ctx: Context, text: str, name: str, line_offset: int = 0):
        super().__init__(ctx, text, name)
        self.line_offset = line_offset
        self.starts: dict[Operation, Span] = {}
        self._given: dict[int, FileLineColLoc] = {}

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        """As MLIR does, an input without operations is an empty module. Raises ParseError for whatever is wrong with
        the text."""
        if allow_implicit_module and self._current_token.kind is MLIRTokenKind.EOF:
            return ModuleOp([])
        with internal_errors("the parser", self.here, passing=(ParseError,)):
            try:
                module = super().parse_module(allow_implicit_module)
            except RecursionError:
                self.raise_error("the text is nested too deeply")
            except ParseError:
                if self._current_token.kind is MLIRTokenKind.EOF:
                    self._check_undefined()
                raise
        for op in self.starts:
            for number, operand in enumerate(op.operands):
                if isinstance(operand, ForwardDeclaredValue):
                    self._raise_at(self.starts[op], f"'{op.name}': operand #{number} is used before its definition")
        return module

    def parse_operation(self) -> Operation:
        """What an attribute, a type or a number of the operation can't be is shown where the operation begins."""
        start = self._current_token.span
        try:
            op = super().parse_operation()
        except ParseError as error:
            if self._is_about_what_was_read(error):
                self._raise_at(start, error.msg)
            raise
        except (VerifyException, ValueError, OverflowError, NotImplementedError) as error:
            self._raise_at(start, str(error))
        except struct.error:
            self._raise_at(start, "a number is out of the range of its type")
        self.starts[op] = start
        self._check_integers(op, start)
        return op

    def _parse_dense_literal_type(self) -> Any:
        type_ = super()._parse_dense_literal_type()
        if (count := math.prod(type_.get_shape())) > MOST_ELEMENTS:
            self.raise_error(f"a dense constant has at most 2^24 = {MOST_ELEMENTS} elements, got {count}; load it")
        return type_

    def _parse_tensor_literal_element(self) -> Parser._TensorLiteralElement:
        one = super()._parse_tensor_literal_element()
        is_hex = isinstance(one.value, int) and one.span.text.lower().removeprefix("-").startswith("0x")
        return _Bits(one.is_negative, one.value, one.span) if is_hex else one

    def _is_about_what_was_read(self, error: ParseError) -> bool:
        """Whether an error that xDSL shows at the token it has come to is about what stands before it: it says what is
        wrong with a type or an attribute, or the token is on a further line."""
        token = self._current_token
        if error.span.start != token.span.start or token.kind is MLIRTokenKind.EOF:
            return False
        before = token.span.input.content[: token.span.start]
        return isinstance(error.__context__, VerifyException) or before.rstrip(" \t").endswith("\n")

    def _raise_at(self, span: Span, message: str) -> NoReturn:
        raise ParseError(Span(span.start, span.end, span.input), message) from None

    def _check_undefined(self) -> None:
        """A value that is used and never defined is shown at its first use."""
        for name, values in self.forward_ssa_references.items():
            for value in values.values():
                for use in value.uses:
                    if use.operation in self.starts:
                        self._raise_at(self.starts[use.operation], f"%{name} is used but not defined")

    def _check_integers(self, op: Operation, start: Span) -> None:
        """An `index` has 64 bits; xDSL keeps whatever it is given."""
        for name, value in (*op.properties.items(), *op.attributes.items()):
            if isinstance(value, IntegerAttr) and value.type == INDEX and not -(2**63) <= value.value.data < 2**63:
                message = f"{op.name}: '{name}' is {value.value.data}, which has more than 64 bits"
                self._raise_at(start, message)

    def _get_op_by_name(self, name: str) -> type[Operation]:
        """As xDSL's, but an unknown operation is reported where it stands, not at the token after it, and an
        instruction that is left out with the reason."""
        if found := self.ctx.get_optional_op(name, dialect_stack=self._parser_state.dialect_stack):
            return found
        from nki_mlir.dialects.instructions import why_not_modelled

        start = self.lexer.input.content.rfind(name, 0, self.pos)
        reason = why_not_modelled(name)
        text = f"{name} is not modelled: {reason}" if reason else f"Operation {name} is not registered"
        self.raise_error(text, start, start + len(name))

    # Positions.
    def locate(self) -> None:
        """Gives the operations that state no location their place in the text: passes hand locations on, so that it is
        known of what they make, too."""
        for op, span in self.starts.items():
            if op.location == UNKNOWN_LOC:
                place = self.place_of_span(span)
                loc = FileLineColLoc(StringAttr(place.file), IntAttr(place.line), IntAttr(place.column))
                self._given[id(loc)] = op.location = loc

    @contextmanager
    def unlocated(self, module: ModuleOp) -> Iterator[None]:
        """Without the locations that `locate` gave, for printing them: text must not depend on where a file lies."""
        given = {op: op.location for op in module.walk() if id(op.location) in self._given}
        for op in given:
            op.location = UNKNOWN_LOC
        try:
            yield
        finally:
            for op, loc in given.items():
                op.location = loc

    def here(self) -> Place:
        """Where the parser stands."""
        return self.place_of_span(self._current_token.span)

    def start_of(self, op: Operation) -> Place:
        """Where an operation begins in the text; the whole text's beginning if it isn't written there."""
        return self.place_of_span(self.starts[op]) if op in self.starts else Place(self.lexer.input.name, 1, 1)

    def place_of_span(self, span: Span) -> Place:
        line = bisect_right(self._lines, span.start)
        return Place(self.lexer.input.name, line + self.line_offset, span.start - self._lines[line - 1] + 1)

    @cached_property
    def _lines(self) -> list[int]:
        """Where each line of the text starts."""
        return [0, *(match.end() for match in re.finditer("\n", self.lexer.input.content))]

    def place_of(self, op: Operation) -> Place | None:
        """The position of the kernel's line if the operation carries one, else that of the nearest operation around
        it that was in the text."""
        at: Operation | None = op
        while at is not None:
            if known := position(at):
                return Place(*known)
            if at in self.starts:
                return self.place_of_span(self.starts[at])
            at = at.parent_op()
        return None
