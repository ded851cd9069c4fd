"""`triton.language.extra.cuda`: only `libdevice`, which is not CUDA's here."""

from __future__ import annotations

from nki_mlir.language.extra.cuda import libdevice

__all__ = ["libdevice"]
