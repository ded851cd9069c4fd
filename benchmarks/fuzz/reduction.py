"""Makes the text of a fault smaller while it stays the same fault."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzz.report import Case

ATTEMPTS = 300


def reduced(case: Case) -> str:
    """Lines go one by one; in a kernel, expressions give way to one of their parts."""
    wanted, best, left = case.outcome().key, case.text, ATTEMPTS
    while True:
        for smaller in _smaller(case, best):
            left -= 1
            if left < 0:
                return best
            if case.outcome(smaller).key == wanted:
                best = smaller
                break
        else:
            return best


def _smaller(case: Case, text: str) -> Iterator[str]:
    lines = text.splitlines(keepends=True)
    for size in (8, 3, 1):
        for at in range(0, len(lines), size):
            yield "".join(lines[:at] + lines[at + size :])
    if case.part != "text":
        yield from _with_parts(text)


def _with_parts(source: str) -> Iterator[str]:
    """The source with one expression replaced by an expression inside it."""
    try:
        count = sum(isinstance(node, ast.expr) for node in ast.walk(ast.parse(source)))
    except SyntaxError:
        return
    for at in range(count):
        for part in range(3):
            tree = ast.parse(source)
            node = [n for n in ast.walk(tree) if isinstance(n, ast.expr)][at]
            if not isinstance(node, ast.BinOp | ast.Call | ast.UnaryOp | ast.Compare):
                break
            parts = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
            if part >= len(parts):
                break
            yield ast.unparse(ast.fix_missing_locations(_Replace(node, parts[part]).visit(tree))) + "\n"


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.expr, new: ast.expr):
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else super().generic_visit(node)
