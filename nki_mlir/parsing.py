"""Reading MLIR text into a verified module."""

from __future__ import annotations

import linecache
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nki_mlir.errors import CompileError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Operation

Place = tuple[str, int, int]
"""File, line and column, from 1."""


def harden_lexer() -> None:
    """Makes xDSL's lexer linear in the length of a string literal.

    Its pattern nests `+` in `*`, so that a quote without its partner takes time exponential in the rest of the line.
    """
    from xdsl.utils.mlir_lexer import MLIRLexer

    MLIRLexer._unescaped_characters_regex = re.compile(  # pyright: ignore[reportPrivateUsage]
        r'"(?:[^"\\\n\v\f]|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*"'
    )


def parse(text: str, name: str = "<string>") -> ModuleOp:
    """Reads a module of any of our levels and verifies it.

    Whatever is wrong with it is a CompileError with its position; `name` is what the position calls the text.
    """
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.utils.exceptions import ParseError

    from nki_mlir.dialects import load_all
    from nki_mlir.op_parser import OpParser

    class Positioned(OpParser):
        """The parser, which also remembers where each operation begins."""

        starts: dict[Operation, Place] = {}

        def here(self) -> Place:
            return self._current_token.span.get_location()

        def parse_operation(self) -> Operation:
            start = self.here()
            op = super().parse_operation()
            self.starts[op] = start
            return op

    harden_lexer()
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    ctx = Context()
    load_all(ctx)
    parser = Positioned(ctx, text, name)
    parser.starts = {}
    try:
        module = parser.parse_module()
    except ParseError as error:
        raise CompileError(error.msg, *error.span.get_location()) from None
    except RecursionError:
        raise CompileError("the text is nested too deeply", *parser.here()) from None
    except Exception as error:
        raise CompileError(str(error) or type(error).__name__, *parser.here()) from None
    assert isinstance(module, ModuleOp)
    _verify(module, parser.starts, name)
    return module


def _verify(module: ModuleOp, starts: Mapping[Operation, Place], name: str) -> None:
    """Verifies each operation, the inner ones first, so that the error names the one at fault."""
    from xdsl.utils.exceptions import VerifyException

    from nki_mlir.passes.verify import verify_dominance

    op: Operation = module
    try:
        for op in module.walk(reverse=True):
            op.verify(verify_nested_ops=False)
        op = module
        verify_dominance(module)
    except VerifyException as error:
        place = starts.get(op, (name, 1, 1))
        prefix = "" if op is module else f"{op.name}: "
        raise CompileError(f"{prefix}{error}", *place) from None
