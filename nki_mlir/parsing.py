"""Reading MLIR text into a verified module."""

from __future__ import annotations

import linecache
import re
from typing import TYPE_CHECKING

from nki_mlir.errors import CompileError, position

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp


def harden_lexer() -> None:
    """Makes xDSL's lexer linear in the length of a string literal.

    Its pattern nests `+` in `*`, so that a quote without its partner takes time exponential in the rest of the line.
    """
    from xdsl.utils.mlir_lexer import MLIRLexer

    MLIRLexer._unescaped_characters_regex = re.compile(  # pyright: ignore[reportPrivateUsage]
        r'"(?:[^"\\\n\v\f]|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*"'
    )


def parse(text: str, name: str = "<string>") -> ModuleOp:
    """Reads a module of any of our levels and verifies it. Whatever is wrong with it is a CompileError with its position;
    `name` is what the position calls the text."""
    from xdsl.context import Context
    from xdsl.parser import Parser
    from xdsl.utils.exceptions import ParseError

    from nki_mlir.dialects import load_all

    harden_lexer()
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    ctx = Context()
    load_all(ctx)
    parser = Parser(ctx, text, name)
    try:
        module = parser.parse_module()
    except ParseError as error:
        raise CompileError(error.msg, *error.span.get_location()) from None
    except RecursionError:
        raise CompileError("the text is nested too deeply", name) from None
    except Exception as error:
        place = parser._current_token.span.get_location()  # pyright: ignore[reportPrivateUsage]
        raise CompileError(str(error) or type(error).__name__, *place) from None
    _verify(module, name)
    return module


def _verify(module: ModuleOp, name: str) -> None:
    from xdsl.utils.exceptions import VerifyException

    for op in module.walk(reverse=True):
        try:
            op.verify(verify_nested_ops=False)
        except VerifyException as error:
            raise CompileError(f"{op.name}: {error}", *(position(op) or (name,))) from None
