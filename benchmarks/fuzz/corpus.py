"""What is mutated: kernels and MLIR text of the repository's examples and tests, and generated kernels."""

from __future__ import annotations

import ast
import builtins
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from fuzz.generator import generate
from fuzz.sources import IMPORTED

ROOT = Path(__file__).parents[2]
LONGEST = 8000
"""Longer texts are left out: they take long, and say little more."""


def files(pattern: str) -> list[Path]:
    found = [*ROOT.glob(f"examples/{pattern}"), *ROOT.glob(f"tests/**/{pattern}")]
    return sorted(p for p in found if "Inputs" not in p.parts)


@cache
def kernels() -> tuple[str, ...]:
    """The decorated functions of examples and tests that use no name of their file."""
    sources = [source for path in files("*.py") for source in _decorated(path.read_text(encoding="utf-8"))]
    return tuple(source for source in sources if _is_closed(source))


def _is_closed(source: str) -> bool:
    names = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    made |= {node.arg for node in ast.walk(ast.parse(source)) if isinstance(node, ast.arg)}
    return {node.id for node in names} <= made | set(IMPORTED) | set(vars(builtins))


def _decorated(text: str) -> list[str]:
    found = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and any(_is_jit(d) for d in node.decorator_list):
            lines = text.splitlines()[node.decorator_list[0].lineno - 1 : node.end_lineno]
            found.append("\n".join(lines) + "\n")
    return found


def _is_jit(decorator: ast.expr) -> bool:
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(call, ast.Attribute) and call.attr == "jit"


@cache
def texts() -> tuple[str, ...]:
    """Modules of every level: the .mlir files, cut where they are split, and the example kernels lowered."""
    chunks = [c for path in files("*.mlir") for c in path.read_text(encoding="utf-8").split("// -----")]
    return tuple(c for c in [*map(_without_comments, chunks), *_lowered()] if c.strip() and len(c) < LONGEST)


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//")) + "\n"


def _lowered() -> list[str]:
    from kernel_set import compiled_kernels

    from nki_mlir.dialects import LEVELS

    found = []
    for make in compiled_kernels(small=True).values():
        compiled = make()[0]
        found += [compiled.ir(level) for level in LEVELS]
    return found


def mutant_base(rng: random.Random, seed: int) -> tuple[str, Callable[[Any], object]]:
    """A kernel's source, and how to launch what it defines."""
    if rng.random() < 0.4:
        kernel = generate(seed)
        return kernel.source, lambda scope: scope["kernel"][kernel.grid](**copied(kernel.arguments))
    source = rng.choice(kernels())
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.FunctionDef)
    arguments = [_argument(a, rng) for a in definition.args.args]
    is_nki = "nki.jit" in source.splitlines()[0] and "nki_mlir.jit" not in source.splitlines()[0]
    grid = rng.choice(((1,), (2,), (2, 2)))

    def launch(scope: Any) -> object:
        kernel, given = scope[definition.name], copied(dict(enumerate(arguments))).values()
        return kernel(*given) if is_nki and len(grid) == 1 else kernel[grid](*given)

    return source, launch


def copied(arguments: dict[Any, Any]) -> dict[Any, Any]:
    return {k: a.copy() if isinstance(a, np.ndarray) else a for k, a in arguments.items()}


def _argument(parameter: ast.arg, rng: random.Random) -> Any:
    """A guess by annotation and name: mutants need not make sense."""
    name = parameter.arg
    if parameter.annotation is not None or name.isupper():
        return rng.choice((16, 32, 64, 2, True, False))
    if name.endswith("_ptr") or (len(name) <= 3 and name.lower() not in ("n", "m", "k", "s")) or "tensor" in name:
        shape = rng.choice(((4096,), (128, 512), (64, 64)))
        dtype = rng.choice((np.float32, np.float32, ml_dtypes.bfloat16, np.int32))
        return np.random.default_rng(rng.randrange(1000)).integers(-9, 9, shape).astype(dtype)
    return rng.choice((1, 2, 60, 64, 512))
