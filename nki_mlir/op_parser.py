"""xDSL's parser, which remembers where each operation begins, and shows an error at the operation that it is about."""

from __future__ import annotations

from typing import NoReturn

from xdsl.context import Context
from xdsl.dialects.builtin import UNKNOWN_LOC, FileLineColLoc, IntAttr, ModuleOp, StringAttr
from xdsl.ir import Operation
from xdsl.parser import ForwardDeclaredValue, Parser
from xdsl.utils.exceptions import ParseError, VerifyException
from xdsl.utils.lexer import Span
from xdsl.utils.mlir_lexer import MLIRTokenKind

from nki_mlir.dialects.instructions import why_not_modelled


class OpParser(Parser):
    """`starts` says where each operation began; `line_offset` is how many lines of the input come before the text."""

    def __init__(self, ctx: Context, text: str, name: str, line_offset: int = 0):
        super().__init__(ctx, text, name)
        self.line_offset = line_offset
        self.starts: dict[Operation, Span] = {}

    def parse_operation(self) -> Operation:
        start = self._current_token.span
        try:
            op = super().parse_operation()
        except ParseError as error:
            if self._is_about_what_was_read(error):
                self._raise_at(start, error.msg)
            raise
        except (VerifyException, ValueError, OverflowError) as error:
            self._raise_at(start, str(error))
        self.starts[op] = start
        return op

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        """As xDSL's, but a value that is used and never defined is shown at its first use."""
        try:
            module = super().parse_module(allow_implicit_module)
        except ParseError as error:
            if self._current_token.kind is MLIRTokenKind.EOF and self.forward_ssa_references:
                self._raise_undefined(error)
            raise
        for op in self.starts:
            for number, operand in enumerate(op.operands):
                if isinstance(operand, ForwardDeclaredValue):
                    self._raise_at(self.starts[op], f"'{op.name}': operand #{number} is used before its definition")
        return module

    def locate(self) -> None:
        """Gives the operations that state no location their place in the text."""
        for op, span in self.starts.items():
            if op.location == UNKNOWN_LOC:
                file, line, column = self.position_of(span)
                op.location = FileLineColLoc(StringAttr(file), IntAttr(line), IntAttr(column))

    def place(self) -> tuple[str, int, int]:
        """Where the parser stands."""
        return self.position_of(self._current_token.span)

    def position_of(self, span: Span) -> tuple[str, int, int]:
        """File, line and column, from 1."""
        file, line, column = span.get_location()
        return file, line + self.line_offset, column

    def _is_about_what_was_read(self, error: ParseError) -> bool:
        """Whether an error that xDSL shows at the token it has come to is about what stands before it: it says what is
        wrong with a type or an attribute, or the token is on a further line."""
        token = self._current_token
        if error.span.start != token.span.start or token.kind is MLIRTokenKind.EOF:
            return False
        text = token.span.input.content
        before = text[: token.span.start]
        return isinstance(error.__context__, VerifyException) or before.rstrip(" \t").endswith("\n")

    def _raise_at(self, span: Span, message: str) -> NoReturn:
        raise ParseError(Span(span.start, span.end, span.input), message) from None

    def _raise_undefined(self, error: ParseError) -> NoReturn:
        for name, values in self.forward_ssa_references.items():
            for value in values.values():
                for use in value.uses:
                    if use.operation in self.starts:
                        self._raise_at(self.starts[use.operation], f"%{name} is used but not defined")
        raise error

    def _get_op_by_name(self, name: str) -> type[Operation]:
        """As xDSL's, but an unknown operation is reported where it stands, not at the token after it, and an
        instruction that is left out with the reason."""
        if found := self.ctx.get_optional_op(name, dialect_stack=self._parser_state.dialect_stack):
            return found
        start = self.lexer.input.content.rfind(name, 0, self.pos)
        reason = why_not_modelled(name)
        text = f"{name} is not modelled: {reason}" if reason else f"Operation {name} is not registered"
        self.raise_error(text, start, start + len(name))
