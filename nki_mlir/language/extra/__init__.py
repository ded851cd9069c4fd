"""`triton.language.extra`: `libdevice`, also as `cuda.libdevice`."""

from __future__ import annotations

from nki_mlir.language.extra import cuda, libdevice

__all__ = ["cuda", "libdevice"]
