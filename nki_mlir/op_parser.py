"""xDSL's parser, saying more of operations that it does not know."""

from __future__ import annotations

from xdsl.ir import Operation
from xdsl.parser import Parser

from nki_mlir.dialects.instructions import why_not_modelled


class OpParser(Parser):
    def _get_op_by_name(self, name: str) -> type[Operation]:
        """As xDSL's, but an unknown operation is reported where it stands, not at the token after it, and an
        instruction that is left out with the reason."""
        if found := self.ctx.get_optional_op(name, dialect_stack=self._parser_state.dialect_stack):
            return found
        start = self.lexer.input.content.rfind(name, 0, self.pos)
        reason = why_not_modelled(name)
        text = f"{name} is not modelled: {reason}" if reason else f"Operation {name} is not registered"
        self.raise_error(text, start, start + len(name))
