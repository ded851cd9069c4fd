"""Reading MLIR text into a verified module."""

from __future__ import annotations

import linecache
import re
from typing import TYPE_CHECKING

from nki_mlir.errors import CompileError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Operation


def harden_lexer() -> None:
    """Makes xDSL's lexer linear in the length of a string literal.

    Its pattern nests `+` in `*`, so that a quote without its partner takes time exponential in the rest of the line.
    """
    from xdsl.utils.mlir_lexer import MLIRLexer

    MLIRLexer._unescaped_characters_regex = re.compile(  # pyright: ignore[reportPrivateUsage]
        r'"(?:[^"\\\n\v\f]|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*"'
    )


def parse(text: str, name: str = "<string>") -> ModuleOp:
    """Reads a module of any of our levels and verifies it. Operations without a location get their place in the text.

    Whatever is wrong with it is a CompileError with its position; `name` is what the position calls the text.
    """
    from xdsl.context import Context
    from xdsl.utils.exceptions import ParseError

    from nki_mlir.dialects import load_all
    from nki_mlir.op_parser import OpParser

    harden_lexer()
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    ctx = Context()
    load_all(ctx)
    parser: OpParser | None = None
    try:
        parser = OpParser(ctx, text, name)  # lexes the first token, so that even this can be a syntax error
        module = parser.parse_module()
    except ParseError as error:
        raise CompileError(error.msg, *error.span.get_location()) from None
    except Exception as error:
        what = "the text is nested too deeply" if isinstance(error, RecursionError) else str(error)
        file, line, column = (name, 1, 1) if parser is None else parser.place()
        raise CompileError(what or type(error).__name__, file, line, column) from None
    parser.locate()
    _verify(module)
    return module


def _verify(module: ModuleOp) -> None:
    """Verifies each operation, the inner ones first, so that the error names the one at fault."""
    from xdsl.utils.exceptions import VerifyException

    from nki_mlir.dialects.table_ops import target_of
    from nki_mlir.passes.verify import DominanceError, verify_dominance

    target_of(module)
    op: Operation = module
    try:
        for op in module.walk(reverse=True):
            op.verify(verify_nested_ops=False)
        verify_dominance(module)
    except DominanceError as error:
        raise CompileError.at(error.op, str(error)) from None
    except VerifyException as error:
        raise CompileError.at(op, f"{op.name}: {error}") from None
