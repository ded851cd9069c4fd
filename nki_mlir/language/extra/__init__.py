"""`triton.language.extra`: only `libdevice`."""

from __future__ import annotations

from nki_mlir.language.extra import libdevice

__all__ = ["libdevice"]
