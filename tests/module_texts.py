"""Modules as text that several test files use."""

from __future__ import annotations

COPY = """\
func.func @copy(%x: memref<64xf32>, %out: memref<64xf32>)
    attributes {tile.arg_names = ["x", "out"]} {
  %a = tile.read %x [d0 by 1] : memref<64xf32> -> tensor<64xf32>
  tile.write %a to %out [d0 by 1] : tensor<64xf32> -> memref<64xf32>
  func.return
}
"""
"""A kernel at `tile` that copies 64 elements."""
