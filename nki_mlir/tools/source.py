"""MLIR text as the tools read it, with the positions of operations for messages."""

from __future__ import annotations

import linecache
from typing import NamedTuple

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.utils.lexer import Span
from xdsl.utils.mlir_lexer import MLIRTokenKind

from nki_mlir.errors import position
from nki_mlir.op_parser import OpParser


class Place(NamedTuple):
    """Where in a text; line and column count from 1."""

    file: str
    line: int
    column: int


def read_text(data: bytes, name: str) -> str:
    """The text of an input; `UnicodeDecodeError` if it isn't UTF-8.

    Also hands its lines to `linecache`, from where error messages take the line they quote: that way standard input
    is quoted like a file.
    """
    text = data.decode("utf-8")
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return text


class Source(OpParser):
    """The parser of the tools, which knows the place of every operation.

    `Operation.location` stays as the text gives it (a `loc(...)` of the kernel's source, or unknown): what tests and
    passes see must not depend on where a file lies.
    """

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        """As MLIR does, an input without operations is an empty module."""
        if allow_implicit_module and self._current_token.kind is MLIRTokenKind.EOF:
            return ModuleOp([])
        return super().parse_module(allow_implicit_module)

    def here(self) -> Place:
        """Where the parser stands."""
        return Place(*self.place())

    def place_of_span(self, span: Span) -> Place:
        return Place(*self.position_of(span))

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
