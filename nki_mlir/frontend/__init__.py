"""From a kernel's Python source to a `tile` module.

`trace.trace` binds a call's arguments, then `interpreter` walks the syntax tree: what is known at compile time is
computed, the rest is emitted through a `Builder`. The functions of the two kernel languages (`nki_mlir.language`,
`nki_mlir.nki.language`) are `builtin.Builtin` objects whose bodies emit; `operators` and `functions` hold what both
share.
"""
