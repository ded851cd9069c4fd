"""Kernels from text: a function that is compiled from its source needs a file, or what `linecache` takes for one."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Mapping
from typing import Any

import numpy as np

import nki_mlir
import nki_mlir.language as tl
import nki_mlir.nki as nki
import nki_mlir.nki.isa as nisa
import nki_mlir.nki.language as nl

_numbers = itertools.count()
IMPORTED = {
    "nki_mlir": nki_mlir,
    "triton": nki_mlir,
    "tl": tl,
    "nki": nki,
    "nl": nl,
    "nisa": nisa,
    "np": np,
    "libdevice": tl.math,
}
"""What a kernel's text may use."""


def define(source: str, names: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The globals of a module of that text. What Python itself raises for it is the caller's."""
    name = f"<fuzz {next(_numbers)}>"
    code = compile(source, name, "exec")
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    scope: dict[str, Any] = {"__name__": name, **IMPORTED, **(names or {})}
    exec(code, scope)
    return scope


def forget() -> None:
    """Drops the texts of the kernels made so far."""
    for name in [n for n in linecache.cache if n.startswith("<fuzz ")]:
        del linecache.cache[name]
