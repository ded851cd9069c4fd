"""The kernel language with NKI's names: `import nki_mlir.nki as nki, nki_mlir.nki.language as nl`."""

from __future__ import annotations

from typing import Any

from nki_mlir.frontend.builtin import unsupported as _unsupported
from nki_mlir.nki import isa, language
from nki_mlir.nki.kernel import jit

__all__ = ["isa", "jit", "language"]

_UNSUPPORTED = _unsupported(
    "nki", "baremetal benchmark profile simulate_kernel trace compiler collectives typing nccl simulate"
)


def __getattr__(name: str) -> Any:
    found = _UNSUPPORTED.get(name)
    if found is None:
        raise AttributeError(f"nki has no {name!r}")
    return found
