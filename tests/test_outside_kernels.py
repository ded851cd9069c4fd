"""What a kernel reads from outside itself: it is compiled anew when that changes, and only then; and its source is
that of its definition."""

from __future__ import annotations

import functools
import itertools
import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from test_bad_kernels import imported, written

import nki_mlir
import nki_mlir.language as tl


class Settings:
    scale = 1.0

    def __init__(self) -> None:
        self.scale = 2.0
        self.inner = SimpleNamespace(scale=2.0, more=[2.0])
        self.unused = 0

    def twice(self) -> float:
        return self.scale * 2

    def __getitem__(self, index: int) -> float:
        return self.scale

    def __iter__(self) -> Any:
        return iter([self.scale])

    def __bool__(self) -> bool:
        return self.scale > 2.0

    def __eq__(self, other: object) -> bool:
        return other == self.scale

    def __hash__(self) -> int:
        return 1

    def __add__(self, other: float) -> float:
        return self.scale + other


@dataclass
class Options:
    scale: float
    tiles: tuple[int, ...] = (1,)


cfg = Settings()
table: dict[str, Any] = {}
lst: list[Any] = []
FACTOR = tl.constexpr(2.0)


def plain_factor(x: float) -> float:
    return x * cfg.scale * (1 + len(lst))


@nki_mlir.jit
def helper(x, by=cfg):
    return x * cfg.scale + by.inner.scale


KERNELS: dict[str, tuple[str, Callable[[], Any], float, float]] = {
    "attribute": ("cfg.scale", lambda: setattr(cfg, "scale", 3.0), 2, 3),
    "nested attribute": ("cfg.inner.scale", lambda: setattr(cfg.inner, "scale", 3.0), 2, 3),
    "nested object": ("cfg.inner.scale", lambda: setattr(cfg, "inner", SimpleNamespace(scale=3.0)), 2, 3),
    "list in an object": ("cfg.inner.more[0]", lambda: cfg.inner.more.__setitem__(0, 3.0), 2, 3),
    "class attribute": ("Settings.scale", lambda: setattr(Settings, "scale", 3.0), 1, 3),
    "type of a number": ("1.0 if type(cfg.scale) is float else 2.0", lambda: setattr(cfg, "scale", 2), 1, 2),
    "sign of zero": ("math.copysign(1.0, lst[1])", lambda: lst.__setitem__(1, -0.0), 1, -1),
    "element of a dict": ('table["s"]', lambda: table.update(s=3.0), 2, 3),
    "element in a dict": ('table["l"][0]', lambda: table["l"].__setitem__(0, 3.0), 2, 3),
    "method of a dict": ('table.get("new", 2.0)', lambda: table.update(new=3.0), 2, 3),
    "element of a list": ("lst[0]", lambda: lst.__setitem__(0, 3.0), 2, 3),
    "length of a list": ("len(lst)", lambda: lst.append(3.0), 2, 3),
    "membership": ("3.0 if 3.0 in lst else 2.0", lambda: lst.append(3.0), 2, 3),
    "constexpr": ("FACTOR", lambda: setattr(FACTOR, "value", 3.0), 2, 3),
    "plain function": ("plain_factor(1.0)", lambda: setattr(cfg, "scale", 3.0), 6, 9),
    "plain function and its list": ("plain_factor(1.0)", lambda: lst.append(0), 6, 8),
    "method": ("cfg.twice()", lambda: setattr(cfg, "scale", 3.0), 4, 6),
    "helper": ("helper(1.0)", lambda: setattr(cfg, "scale", 3.0), 4, 5),
    "default of a helper": ("helper(1.0)", lambda: setattr(cfg.inner, "scale", 3.0), 4, 5),
    "getattr": ("getattr(cfg, 'scale')", lambda: setattr(cfg, "scale", 3.0), 2, 3),
    "user's element": ("cfg[1]", lambda: setattr(cfg, "scale", 3.0), 2, 3),
    "user's truth": ("3.0 if cfg else 2.0", lambda: setattr(cfg, "scale", 3.0), 2, 3),
    "user's comparison": ("3.0 if cfg == 3.0 else 2.0", lambda: setattr(cfg, "scale", 3.0), 2, 3),
    "user's operator": ("cfg + 1.0", lambda: setattr(cfg, "scale", 3.0), 3, 4),
    "text": ("2.0 if f'{cfg.scale}' == '2.0' else 3.0", lambda: setattr(cfg, "scale", 3.0), 2, 3),
    "module": ("math.somewhere", lambda: setattr(math, "somewhere", 3.0), 2, 3),
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    """The objects above, as they begin."""
    monkeypatch.setattr(math, "somewhere", 2.0, raising=False)
    monkeypatch.setattr(Settings, "scale", 1.0)
    for name, value in {"cfg": cfg, "table": table, "lst": lst}.items():
        monkeypatch.setitem(globals(), name, value)
    cfg.__init__()
    table.clear()
    table.update(s=2.0, l=[2.0])
    lst[:] = [2.0, 0.0]
    setattr(FACTOR, "value", 2.0)  # noqa: B010 - a constexpr is typed as what it holds


def kernel_of(value: str, folder: Path, before: str = "pass") -> Any:
    """A kernel that stores a value, with this module's names as its globals."""
    source = f"""
from test_outside_kernels import *
@nki_mlir.jit
def kernel(out_ptr):
    {before}
    tl.store(out_ptr + tl.arange(0, 8), tl.full((8,), {value}, tl.float32))
"""
    path, _ = written(source, folder)
    module = imported(path)
    kernel = module.kernel
    # The kernel reads this module's variables, not copies of them.
    vars(module).clear()
    vars(module).update(globals())
    return kernel


def run(kernel: Any, *args: Any) -> float:
    out = np.zeros(8, np.float32)
    kernel[1](out, *args)
    return float(out[0])


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.usefixtures("world")
def test_a_change_outside_is_compiled_anew(name: str, tmp_path: Path) -> None:
    value, change, before, after = KERNELS[name]
    kernel = kernel_of(value, tmp_path)
    out = np.zeros(8, np.float32)
    first = kernel.compile(out, grid=1)
    assert run(kernel) == before
    cfg.unused += 1
    assert kernel.compile(out, grid=1) is first, "what the kernel doesn't read doesn't matter"
    change()
    assert run(kernel) == after


@pytest.mark.usefixtures("world")
def test_another_object_under_the_name(tmp_path: Path) -> None:
    kernel = kernel_of("cfg.scale", tmp_path)
    assert run(kernel) == 2
    kernel.fn.__globals__["cfg"] = SimpleNamespace(scale=3.0)
    assert run(kernel) == 3


@pytest.mark.usefixtures("world")
def test_iterating_over_an_object(tmp_path: Path) -> None:
    kernel = kernel_of("x", tmp_path, "for x in cfg: pass")
    assert run(kernel) == 2
    cfg.scale = 3.0
    assert run(kernel) == 3


@nki_mlir.jit
def argument_kernel(out_ptr, options: tl.constexpr):
    tl.store(out_ptr + tl.arange(0, 8), tl.full((8,), options.scale, tl.float32))


def test_an_object_passed_as_an_argument() -> None:
    out = np.zeros(8, np.float32)
    options = Options(2.0)
    assert run(argument_kernel, options) == 2
    first = argument_kernel.compile(out, options, grid=1)
    assert argument_kernel.compile(out, Options(2.0), grid=1) is first, "equal dataclasses compile to the same"
    options.scale = 3.0
    assert run(argument_kernel, options) == 3
    settings = Settings()
    assert run(argument_kernel, settings) == 2
    settings.scale = 5.0
    assert run(argument_kernel, settings) == 5, "an object that is equal to itself may still have changed"


def test_arguments_that_python_calls_equal(capsys: pytest.CaptureFixture[str]) -> None:
    for scale in (1, 1.0, True):
        printing_kernel[1](np.zeros(8, np.float32), Options(scale))
    assert capsys.readouterr().out.split() == ["1", "1.0", "True"]


@nki_mlir.jit
def printing_kernel(out_ptr, options: tl.constexpr):
    tl.static_print(options.scale)
    tl.store(out_ptr, 1.0)


def test_a_variable_of_an_enclosing_function() -> None:
    scale = 2.0
    held = {"scale": 2.0}

    @nki_mlir.jit
    def kernel(out_ptr):
        tl.store(out_ptr + tl.arange(0, 8), tl.full((8,), scale * held["scale"], tl.float32))

    assert run(kernel) == 4
    scale = 3.0
    assert run(kernel) == 6
    held["scale"] = 3.0
    assert run(kernel) == 9


def test_a_variable_that_is_not_set_yet() -> None:
    @nki_mlir.jit
    def kernel(out_ptr):
        tl.store(out_ptr, later)

    with pytest.raises(nki_mlir.CompileError, match="'later' of the enclosing function is not set yet"):
        kernel.trace(np.zeros(8, np.float32), grid=1)
    later = 1.0


LIMIT = [4]


@nki_mlir.autotune([nki_mlir.Config({"N": 8}), nki_mlir.Config({"N": 4})])
@nki_mlir.jit
def tuned_kernel(out_ptr, N: tl.constexpr):
    tl.static_assert(N <= LIMIT[0])
    tl.store(out_ptr + tl.arange(0, N), tl.full((N,), 1.0, tl.float32))


def test_a_configuration_that_failed_is_tried_again_after_a_change() -> None:
    for limit, expected in ((4, 4), (8, 8), (4, 4)):
        LIMIT[0] = limit
        out = np.zeros(8, np.float32)
        tuned_kernel[1](out)
        assert out.sum() == expected


# Sources.
SOURCE = """
@nki_mlir.jit
def kernel(out_ptr):
    tl.store(out_ptr + tl.arange(0, 8), tl.full((8,), 2.0, tl.float32))
def added(t):
    return t + 2.0
@nki.jit
def calls(a):
    result = nl.ndarray(a.shape, a.dtype, buffer=nl.shared_hbm)
    nl.store(result, added(nl.load(a)))
    return result
"""


def edit(path: Path, text: str) -> None:
    path.write_text(text)
    os.utime(path, (later := path.stat().st_mtime + 10, later))


def test_a_file_edited_after_its_import_does_not_change_the_kernel(tmp_path: Path) -> None:
    path, _ = written(SOURCE, tmp_path)
    module = imported(path)
    edit(path, "# Other lines.\n" * 3 + path.read_text().replace("2.0", "3.0").replace("def kernel", "def other"))
    assert run(module.kernel) == 2
    a = np.zeros((4, 4), np.float32)
    assert module.calls(a)[0, 0] == 2, "a plain function of the same file"
    assert run(imported(path).other) == 3, "imported again, it is the new one"


def test_messages_quote_the_source_that_was_compiled(tmp_path: Path) -> None:
    path, place = written("@nki_mlir.jit\ndef kernel(out_ptr):\n    x = §tl.nothing\n", tmp_path)
    module = imported(path)
    edit(path, "pass\n" * 40)
    with pytest.raises(nki_mlir.CompileError) as raised:
        module.kernel.trace(np.zeros(8, np.float32), grid=1)
    assert place is not None and str(raised.value).splitlines()[1].strip() == "x = tl.nothing"


def test_a_plain_function_whose_file_was_edited_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # an edit within a second does not make it old
    library = tmp_path / "library.py"
    edit(library, "def added(t):\n    return t + 2.0\n")
    path, _ = written(SOURCE, tmp_path)
    kernels: Any = imported(path)
    kernels.added = imported(library).added
    a = np.zeros((4, 4), np.float32)
    assert kernels.calls(a)[0, 0] == 2
    kernels.added = imported(library).added
    edit(library, "def added(t):\n    return t + 3.0\n")
    assert kernels.calls(a)[0, 0] == 2, "its source was read before the edit"
    kernels.added = imported(library).added
    assert kernels.calls(a)[0, 0] == 3
    other = tmp_path / "other.py"
    edit(other, "def added(t):\n    return t + 2.0\n")
    kernels.added = imported(other).added
    edit(other, "def added(t):\n    return t + 3.0\n")
    with pytest.raises(nki_mlir.CompileError, match="was edited after 'added' was imported from it"):
        kernels.calls(a)


def test_a_decorator_below_jit_is_refused() -> None:
    def doubled(function: Any) -> Any:
        @functools.wraps(function)
        def inner(*args: Any) -> Any:
            return function(*args) * 2

        return inner

    with pytest.raises(nki_mlir.CompileError, match="'kernel' is wrapped by another decorator"):

        @nki_mlir.jit
        @doubled
        def kernel(out_ptr):
            pass


# Scalars of compiled kernels.
@nki_mlir.jit
def scalars_kernel(x_ptr, out_ptr, n, scale, N: tl.constexpr):
    i = tl.arange(0, N)
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=i < n) * scale, mask=i < n)


@pytest.mark.parametrize(
    ("args", "meta", "message"),
    [
        ((50, 3.0), {"N": 64}, "argument 'n': compiled for int 40, got int 50"),
        ((40, 3.0), {"N": 64}, "argument 'scale': compiled for float 2.0, got float 3.0"),
        ((40, 2), {"N": 64}, "argument 'scale': compiled for float 2.0, got int 2"),
        ((40, 2.0), {"N": 32}, "argument 'N': compiled for int 64, got int 32"),
        ((40, 2.0), {"M": 32}, "it has no argument 'M'"),
    ],
)
def test_a_compiled_kernel_refuses_other_scalars(args: tuple[Any, ...], meta: dict[str, Any], message: str) -> None:
    x, out = np.ones(64, np.float32), np.zeros(64, np.float32)
    compiled = scalars_kernel.compile(x, out, 40, 2.0, N=64, grid=1)
    with pytest.raises(nki_mlir.ExecutionError) as raised:
        compiled.run(x, out, *args, **meta)
    assert message in str(raised.value)


def test_a_compiled_kernel_takes_equal_scalars_and_none() -> None:
    x, out = np.ones(64, np.float32), np.zeros(64, np.float32)
    compiled = scalars_kernel.compile(x, out, 40, 2.0, N=64, grid=1)
    given: list[tuple[Any, ...]] = [(), (40,), (40, 2.0), (np.int32(40), np.float64(2.0))]
    metas: list[dict[str, Any]] = [{}, {"N": 64}]
    for args, meta in itertools.product(given, metas):
        out[:] = 0
        compiled.run(x, out, *args, **meta)
        assert out.sum() == 80
