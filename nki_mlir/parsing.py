"""Reading MLIR text into a verified module."""

from __future__ import annotations

import linecache
import re
from typing import TYPE_CHECKING

from nki_mlir.errors import CompileError, internal_errors, operation_at_fault

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Operation

    from nki_mlir.op_parser import OpParser


def harden_lexer() -> None:
    """Makes xDSL's lexer linear in the length of a string literal, and says where a number is too large.

    Its pattern for strings nests `+` in `*`, so that a quote without its partner takes time exponential in the rest of
    the line. No type here is wider than 64 bits; xDSL takes longer integers in some places, and raises in others.
    """
    from xdsl.utils.exceptions import ParseError
    from xdsl.utils.mlir_lexer import MLIRLexer, MLIRToken, MLIRTokenKind

    if getattr(MLIRLexer, "_is_hardened", False):
        return
    lex_number = MLIRLexer._lex_number  # pyright: ignore[reportPrivateUsage]

    def bounded(self: MLIRLexer, start_pos: int) -> MLIRToken:
        token = lex_number(self, start_pos)
        if token.kind is MLIRTokenKind.INTEGER_LIT and len(token.text) > _SHORT and _number(token.text) >= 2**64:
            raise ParseError(token.span, "this number has more than 64 bits")
        return token

    MLIRLexer._lex_number = bounded  # pyright: ignore[reportPrivateUsage]
    MLIRLexer._unescaped_characters_regex = re.compile(  # pyright: ignore[reportPrivateUsage]
        r'"(?:[^"\\\n\v\f]|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*"'
    )
    MLIRLexer._is_hardened = True  # pyright: ignore[reportAttributeAccessIssue]


_SHORT = 17
"""Digits of a number that has at most 64 bits, decimal or hexadecimal with 0x."""


def _number(text: str) -> int:
    """The number; one of so many digits that Python would not read it is just large."""
    return 2**64 if len(text) > 100 else int(text, 0 if text.startswith("0x") else 10)


def parse(text: str, name: str = "<string>") -> ModuleOp:
    """Reads a module of any of our levels and verifies it.

    Whatever is wrong with it is a CompileError with its position; `name` is what the position calls the text. It is
    the location of operations that state none.
    """
    from xdsl.context import Context
    from xdsl.utils.exceptions import ParseError

    from nki_mlir.collection import rare_collection
    from nki_mlir.dialects import load_all
    from nki_mlir.op_parser import OpParser, text_of

    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise CompileError(f"parse takes MLIR text, a str, got {type(text).__name__}")
    harden_lexer()
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    ctx = Context()
    load_all(ctx)
    try:
        with rare_collection():
            # Making the parser lexes the first token, so that this too can be a syntax error.
            parser = OpParser(ctx, text, name)
            module = parser.parse_module()
    except ParseError as error:
        raise CompileError(text_of(error), *error.span.get_location()) from None
    parser.locate()
    _verify(module, parser)
    return module


def _verify(module: ModuleOp, parser: OpParser) -> None:
    """Verifies each operation, the inner ones first, so that the error names the one at fault."""
    from xdsl.utils.exceptions import VerifyException

    from nki_mlir.dialects.table_ops import target_of
    from nki_mlir.passes.verify import verify_dominance, verify_one

    op: Operation = module
    target_of(module)
    with internal_errors("the verifier", lambda: parser.start_of(op)):
        try:
            for op in module.walk(reverse=True):
                verify_one(op)
        except VerifyException as error:
            prefix = "" if op is module else f"{op.name}: "
            raise CompileError(f"{prefix}{error}", *parser.start_of(op)) from None
        try:
            verify_dominance(module)
        except VerifyException as error:
            raise CompileError(str(error), *parser.start_of(operation_at_fault(error) or module)) from None
