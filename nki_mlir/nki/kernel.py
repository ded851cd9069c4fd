"""NKI's `jit` and what it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, overload

from nki_mlir.kernel import TARGET, Kernel, decorate
from nki_mlir.nki.core import NKI


class NkiKernel(Kernel):
    """An NKI kernel. `kernel(*args)` runs one program, `kernel[grid](*args)` a grid; both give what it returns."""

    language = NKI

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.launch((1,), args, kwargs)

    def grid(self, grid: Any, complete: Mapping[str, Any]) -> tuple[int, ...]:
        return super().grid((1,) if grid is None else grid, complete)


@overload
def jit(function: Callable[..., Any], /) -> NkiKernel: ...
@overload
def jit(*, target: str = TARGET, **options: Any) -> Callable[[Callable[..., Any]], NkiKernel]: ...
def jit(function: Callable[..., Any] | None = None, /, *, target: str = TARGET, **options: Any) -> Any:
    """Makes an NKI kernel of a function. NKI's own options are accepted and have no effect."""
    return decorate(NkiKernel, function, target, options)
