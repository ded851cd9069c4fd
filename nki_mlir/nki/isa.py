"""`nki.isa`: instructions by name, none of which is supported yet: reading one in a kernel is an error."""

from __future__ import annotations

from typing import Any

from nki_mlir.frontend.builtin import Unsupported as _Unsupported


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Unsupported(f"nisa.{name}", "write the kernel with nl.* functions")
