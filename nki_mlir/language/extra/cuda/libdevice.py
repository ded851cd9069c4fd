"""libdevice's elementary functions: those of `nki_mlir.language.math`."""

from __future__ import annotations

from typing import Any

from nki_mlir.language import math
from nki_mlir.language.math import *  # noqa: F403


def __getattr__(name: str) -> Any:
    return getattr(math, name)
