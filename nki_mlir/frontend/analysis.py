"""What a block of statements reads and writes, by name: which variables a loop carries."""

from __future__ import annotations

import ast
from collections.abc import Iterable


def names_read(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Every name read anywhere inside; `x += 1` reads x."""
    found: set[str] = set()
    for root in nodes:
        for node in ast.walk(root):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found.add(node.id)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
            elif (
                isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
            ):
                found.add(node.value.id)
    return frozenset(found)


def names_bound(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Every name that is given a value anywhere inside; `x[0] = 1` gives none to x."""
    found = (node for root in nodes for node in ast.walk(root))
    return frozenset(n.id for n in found if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


def assignments(nodes: Iterable[ast.AST]) -> dict[str, list[ast.Name]]:
    """Every name written anywhere inside, in order of first writing, with where."""
    found: dict[str, list[ast.Name]] = {}
    for root in nodes:
        stores = [n for n in ast.walk(root) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        subscripts = [
            n.value
            for n in ast.walk(root)
            if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store) and isinstance(n.value, ast.Name)
        ]
        for name in sorted(stores + subscripts, key=lambda n: (n.lineno, n.col_offset)):
            found.setdefault(name.id, []).append(name)
    return found


def unconditional(statements: Iterable[ast.stmt]) -> frozenset[str]:
    """Names written outside of any `if` and `while`; an inner `for` counts as having iterations."""
    found: set[str] = set()
    for statement in statements:
        match statement:
            case ast.If() | ast.While():
                pass
            case ast.For():
                found |= unconditional(statement.body) | set(assignments([statement.target]))
            case _:
                found |= set(assignments([statement]))
    return frozenset(found)


def iteration(loop: ast.For | ast.While) -> list[ast.AST]:
    """What an iteration evaluates, in order."""
    return [loop.test, *loop.body] if isinstance(loop, ast.While) else list(loop.body)


def exposed(statements: Iterable[ast.AST]) -> frozenset[str]:
    """Names that may be read before the statements write them."""
    found: set[str] = set()
    _scan(statements, set(), found)
    return frozenset(found)


def _scan(statements: Iterable[ast.AST], written: set[str], found: set[str]) -> None:
    for statement in statements:
        match statement:
            case ast.If():
                found |= names_read([statement.test]) - written
                branches = [set(written), set(written)]
                _scan(statement.body, branches[0], found)
                _scan(statement.orelse, branches[1], found)
                written |= branches[0] & branches[1]
            case ast.For():
                found |= names_read([statement.iter]) - written
                _scan(statement.body, written | set(assignments([statement.target])), found)
            case ast.While():
                found |= names_read([statement.test]) - written
                _scan(statement.body, set(written), found)
            case _:
                found |= names_read([statement]) - written
                written |= set(assignments([statement]))
