"""Python's statements in kernels: lists act as Python's, and loops leave variables as Python's do. What can't be so in
a rolled loop is refused by name."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_bad_kernels import check, imported, written

import nki_mlir

X = np.arange(1, 9, dtype=np.float32)


def kernel_of(body: str, folder: Path, before: str = "") -> tuple[Any, Path, tuple[int, int] | None]:
    """A kernel with this body; `x` is what it loads, `r` what it stores, FLAG is False."""
    start = "i = tl.arange(0, 8)\nx = tl.load(x_ptr + i)\nr = x\n"
    end = "\ntl.store(out_ptr + i, r)\n"
    source = f"{before}\n@nki_mlir.jit\ndef kernel(x_ptr, out_ptr, FLAG: tl.constexpr = False, N: tl.constexpr = 4):\n"
    path, place = written(source + textwrap.indent(start + body + end, "    "), folder)
    return imported(path).kernel, path, place


# Each body is also run by Python, with NumPy's array as `x`.
VALUES = {
    "append": "l = []\nfor k in tl.static_range(3):\n    l.append(x * k)\nr = l[0] + l[1] + l[2]",
    "append in a loop over a tuple": "l = []\nfor k in (1.0, 2.0):\n    l.append(x * k)\nr = l[0] - l[1]",
    "alias": "l = [x]\nm = l\nm += [x * 2]\nr = l[1] + len(l)",
    "alias of append": "l = [x]\nm = l\nm.append(x * 3)\nr = l[1]",
    "no alias": "l = [x]\nm = l + [x * 2]\nr = x * len(l) + len(m)",
    "copy": "l = [x]\nm = l.copy()\nm.append(x)\nr = x * len(l)",
    "slice copies": "l = [x, x * 2, x * 3]\nm = l[1:]\nm[0] = x * 5\nr = l[1] + m[0]",
    "list copies": "l = [x]\nm = list(l)\nm.append(x)\nr = x * len(l)",
    "assignment": "l = [x, x]\nl[0] = x * 3\nl[-1] = x * 4\nr = l[0] - l[1]",
    "augmented element": "l = [x + 0, x + 0]\nl[0] += 2 * x\nl[1] *= x\nr = l[0] - l[1]",
    "index evaluated once": "l = [x + 0, x * 2]\nat = [0, 1]\nl[at.pop()] += x\nr = l[1] * len(at)",
    "nested": "l = [[x, x], [x, x]]\nl[0][1] = x * 3\nl[1] = [x * 5]\nr = l[0][1] - l[1][0]",
    "times": "l = [x] * 3\nl[1] = x * 7\nr = l[0] + l[1] + l[2] + len([0] * 5)",
    "times aliases": "l = [[x]] * 2\nl[0].append(x * 2)\nr = l[1][1]",
    "in place times": "l = [x]\nm = l\nl *= 3\nr = x * len(m)",
    "extend": "l = [x]\nl.extend((x * 2, x * 3))\nl += (x * 4,)\nr = l[3] + l[2]",
    "insert and pop": "l = [x, x * 2]\nl.insert(0, x * 9)\nr = l.pop() + l.pop(0) * len(l)",
    "clear": "l = [x]\nl.clear()\nr = x * len(l)",
    "reverse": "l = [x, x * 2]\nl.reverse()\nr = l[0]",
    "sorted": "l = [3, 1, 2]\nl.sort()\nm = sorted([3, 1, 2])\nm.append(9)\nr = x * l[0] + m[-1]",
    "index and count": "l = [4, 5, 5]\nr = x * l.index(5) + l.count(5)",
    "iteration": "r = x * 0\nfor v in [x, x * 2]:\n    r += v",
    "iteration sees changes": "l = [1, 2]\nfor v in l:\n    if v < 3:\n        l.append(v + 2)\nr = x * len(l)",
    "enumerate and zip": "r = x * 0\nfor k, (a, b) in enumerate(zip([x, x * 2], [1.0, 2.0])):\n    r += a * b * k",
    "unpacking": "l = [x, x * 2]\na, b = l\nl[0] = x * 50\nr = a - b",
    "swap": "l = [x, x * 2]\nl[0], l[1] = l[1], l[0]\nr = l[0] * 10 + l[1]",
    "helper": "l = [x]\ngrow(l, x * 2)\nr = l[1]",
    "list of a helper": "l = made(x)\nl.append(x)\nr = l[0] + l[1]",
    "slice assignment": "l = [x, x, x]\nl[1:] = [x * 2]\nr = l[1] * len(l)",
    "made in a rolled loop": "r = x * 0\nfor k in range(3):\n    l = []\n    l.append(x)\n    l.append(x * 2)\n    r += l[1]",
    "unrolled in a rolled loop": (
        "r = x * 0\nfor k in range(2):\n    l = []\n    for j in tl.static_range(3):\n        l.append(x * j)\n"
        "    r += l[2]"
    ),
    "read in a rolled loop": "l = [x, x * 2]\nr = x * 0\nfor k in range(3):\n    r += l[1]",
    "set to the same": "m = 'a'\nr = x * 0\nfor k in range(3):\n    m = 'a'\n    r += x if m == 'a' else 0 * x",
    # Loops.
    "unset under a flag": "for k in range(3):\n    if FLAG:\n        b = x\n    r = r + x",
    "unset under else": "for k in range(3):\n    if not FLAG:\n        r = r + x\n    else:\n        b = x\n        c = b",
    "unset in an empty loop": "for k in range(3):\n    for j in range(0):\n        b = x\n    r = r + x",
    "empty loop around another": "for k in range(0):\n    for j in range(3):\n        r = r + x",
    "empty loop in another": "for k in range(3):\n    for j in range(0):\n        r = r + x\n    r = r * 2.0",
    "none under a flag": "b = None\nfor k in range(3):\n    if FLAG:\n        b = x\n    r = r + x\nif b is not None:\n    r = b",
    "constant under a flag": "n = 4\nfor k in range(3):\n    if FLAG:\n        n = n + 4\n    r = r + x * (n == 4)",
    "tuple under a flag": "t = (1.0, 2.0)\nfor k in range(3):\n    if FLAG:\n        t = (x, x)\n    r = r + x * t[1]",
    "changed under a flag": "n = x * 0\nfor k in range(3):\n    if not FLAG:\n        n = n + x\n    r = r + n",
    "number changed under a flag": "n = 0.0\nfor k in range(4):\n    if not FLAG:\n        n = n * 2.0 + 1.0\nr = r * n",
    "changed by turns": "a = x\nb = x * 2\nfor k in range(3):\n    if not FLAG:\n        a, b = b, a\nr = a * 10.0 + b",
    "changed two loops in": (
        "n = x * 0\nfor k in range(2):\n    if not FLAG:\n        for j in range(2):\n            if not FLAG:\n"
        "                n += x\nr = n"
    ),
    "loop variable": "for k in range(3, 10, 3):\n    r = r + x\nr = r * k",
    "loop variable of an empty loop": "k = 7\nfor k in range(0):\n    r = r + x\nr = r * k",
    "unrolled loop variable": "for k in tl.static_range(5):\n    pass\nr = r * k",
    "negative step": "for k in range(9, 0, -4):\n    r = r + x\nr = r * k",
    "after the loop": "for k in range(3):\n    n = 5\nr = r * n",
    "many unrolled in a loop that is tried out": (
        "n = 0.0\nfor k in range(2):\n    for j in tl.static_range(6000):\n        pass\n    n = n + 1.0\nr = r * n"
    ),
    "many terms": "r = " + " + ".join(["x"] * 250),
    "many negations": "r = " + "-" * 80 + "x",
    "deep calls": "r = " + "tl.abs(" * 80 + "x" + ")" * 80,
}

HELPERS = """
@nki_mlir.jit
def grow(l, v):
    l.append(v)
@nki_mlir.jit
def made(v):
    return [v]
"""


class Python:
    """What the bodies use, for Python itself."""

    static_range, abs = range, staticmethod(np.abs)


def by_python(body: str) -> np.ndarray:
    scope: dict[str, Any] = {"tl": Python, "x": X.copy(), "r": X.copy(), "FLAG": False, "N": 4}
    exec("def grow(l, v): l.append(v)\ndef made(v): return [v]\n" + body, scope)
    return scope["r"]


@pytest.mark.parametrize("name", VALUES)
def test_values_are_python_s(name: str, tmp_path: Path) -> None:
    kernel, _, _ = kernel_of(VALUES[name], tmp_path, HELPERS)
    out = np.zeros(8, np.float32)
    kernel[1](X, out)
    np.testing.assert_array_equal(out, by_python(VALUES[name]))


INDICES = {
    "position": ("k * 2 + 1", "5"),
    "converted": ("(k * 2 + 1).to(tl.int32)", "5"),
    "positions": ("i + k", "at + 2"),
    "under an if": ("i if k != 1 else n", "at"),
    "program": ("tl.program_id(0)", "0"),
}
"""What an iteration sets to, and what that is after three."""


@pytest.mark.parametrize("name", INDICES)
@pytest.mark.parametrize("loop", ["for k in range(3):", "while k < 3:"])
def test_indices_take_the_place_of_loaded_integers(name: str, loop: str, tmp_path: Path) -> None:
    value, expected = INDICES[name]
    loaded = "tl.load(x_ptr + i).to(tl.int32)" if "at" in expected else "tl.load(x_ptr).to(tl.int32)"
    body, before = f"    n = {value}", ""
    if loop.startswith("while"):
        before, body = "k = 0\n", f"{body}\n    k += 1"
    kernel = kernel_of(f"n = {loaded}\n{before}{loop}\n{body}\nr = x * 0 + n", tmp_path)[0]
    out = np.zeros(8, np.float32)
    kernel[(1,)](X, out)
    np.testing.assert_array_equal(out, eval(expected, {"at": np.arange(8)}) + np.zeros(8))


def test_a_pointer_under_a_false_flag_stays_an_address(tmp_path: Path) -> None:
    body = "p = x_ptr + i\nfor k in range(3):\n    if FLAG:\n        p = x_ptr + i * 0\n    r = r + tl.load(p)"
    kernel, _, _ = kernel_of(body, tmp_path)
    out = np.zeros(8, np.float32)
    kernel[1](X, out)
    np.testing.assert_array_equal(out, X * 4)


REFUSED = {
    "append in a rolled loop": (
        "l = [x]\nfor k in range(3):\n    §l.append(x)",
        "'append' changes a list that was made outside",
    ),
    "pop in a rolled loop": (
        "l = [x]\nfor k in range(3):\n    r = §l.pop()",
        "'pop' changes a list that was made outside of this",
    ),
    "alias in a rolled loop": ("l = [x]\nfor k in range(3):\n    m = l\n    §m.append(x)", "use tl.static_range"),
    "element in a rolled loop": (
        "l = [x]\nfor k in range(3):\n    §l[0] = x * 2",
        "this assignment changes a list that was made",
    ),
    "nested element": (
        "l = [[x]]\nfor k in range(3):\n    §l[0][0] = x * 2",
        "this assignment changes a list that was made outside",
    ),
    "augmented in a rolled loop": (
        "l = [x]\nfor k in range(3):\n    §l += [x]",
        "'+=' changes a list that was made outside of this",
    ),
    "helper in a rolled loop": (
        "l = [x]\nfor k in range(3):\n    grow(l, x)",
        "'append' changes a list that was made outside",
    ),
    "inner rolled loop": (
        "for j in range(2):\n    l = [x]\n    for k in range(3):\n        §l.append(x)",
        "'append' changes a list that was made outside of this loop",
    ),
    "rebound in a rolled loop": ("l = [x]\nfor k in range(3):\n    §l = [l[0] + x]", "'l' is a list before the loop"),
    "list from outside": ("§outside.append(1)", "'append' changes a list that comes from outside the kernel"),
    "element from outside": ("§outside[0] = 1", "this assignment changes a list that comes from outside"),
    "dict from outside": ("§table.update(outside)", "'update' changes a dict that comes from outside the kernel"),
    "element of a tuple": ("t = (x, x)\n§t[0] = x", "the elements of a tuple can't be assigned to"),
    "too long": ("l = §[0] * 10**9", "at most 10,000 items, and this has 1,000,000,000"),
    "too long a range": ("l = §list(range(10**12))", "at most 10,000 items, and this has 1,000,000,000,000"),
    "endless": ("l = [0]\nfor v in l:\n    l.append(v)", "at most 10,000"),
    "comparing tensors": ("l = [x]\nn = §l.index(x)", "'index' of a list works on compile-time values only"),
    "out of range": ("l = [x]\nr = §l[1]", "IndexError: list index out of range"),
    "star": ("§a, *b = [x, x]", "'*' in the target of an assignment is not supported"),
    "unrolled without limit": ("§for k in tl.static_range(10**8):\n    pass", "at most 10,000 iterations together"),
    "nested unrolled": (
        "for k in tl.static_range(200):\n    for j in tl.static_range(200):\n        pass",
        "the unrolled loops of a kernel have at most 10,000 iterations together",
    ),
    "range beyond 64 bits": ("§for k in range(2**63):\n    r = r + x", "a loop has at most 2,147,483,647 iterations"),
    "long range": ("§for k in range(10**30):\n    r = r + x", "a loop has at most 2,147,483,647 iterations"),
    "far range": ("§for k in range(10**30, 10**30 + 2):\n    r = r + x * k", "is out of range for int64"),
    "loop variable changed": (
        "for k in range(3):\n    k = k * 2\n    r = r + x * k\nr = r * §k",
        "'k' is the variable of a loop",
    ),
    "unset after the loop": ("for k in range(3):\n    if FLAG:\n        b = x\nr = §b", "'b' is read before it is set"),
    "changed to a tensor": (
        "b = None\nfor k in range(3):\n    if not FLAG:\n        §b = x\nr = b",
        "'b' is None before the loop",
    ),
    "huge power": ("n = §10 ** 10 ** 10", "too large"),
    "huge shift": ("n = §1 << 10 ** 12", "too large"),
    "huge text": ("n = §'a' * 10 ** 12", "too large"),
    "huge float": ("r = x * §10.0 ** 400", "Numerical result out of range"),
    "huge integer": ("m = §i < 10**400", "an integer of more than 128 bits is out of range for int64"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name: str, tmp_path: Path) -> None:
    body, message = REFUSED[name]
    kernel, path, place = kernel_of(body, tmp_path, HELPERS + "outside = [1, 2]\ntable = {}\n")
    with pytest.raises(nki_mlir.CompileError) as raised:
        kernel.trace(X, X.copy(), grid=1)
    if place is not None:
        check(raised.value, path, place, message)
    assert message in raised.value.message and raised.value.line is not None


def test_static_print_prints_once_however_often_a_body_is_compiled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = (
        "n = x * 0\nm = 0.0\nc = 0\ntl.static_print('before')\nfor k in range(3):\n    tl.static_print('outer')\n"
        "    for j in range(2):\n        tl.static_print('inner', end='!\\n')\n"
        "        m = m + tl.sum(x)\n        if not FLAG:\n            n = n + x\n    c = c + tl.sum(x)\nr = n + m + c"
    )
    kernel, _, _ = kernel_of(body, tmp_path)
    kernel.trace(X, X.copy(), grid=1)
    assert capsys.readouterr().out == "before\nouter\ninner!\n"


@pytest.mark.parametrize("change", ["pass", "n = n + 1.0", "if not FLAG: x = x * 2.0"])
def test_static_print_prints_before_an_error(change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a loop that is tried out first, too."""
    body = f"n = 0.0\nfor k in range(3):\n    tl.static_print('seen')\n    {change}\n    nothing()"
    kernel, _, _ = kernel_of(body, tmp_path)
    with pytest.raises(nki_mlir.CompileError, match="nothing"):
        kernel.trace(X, X.copy(), grid=1)
    assert capsys.readouterr().out == "seen\n"


@pytest.mark.parametrize(
    "body",
    [
        "r = " + " + ".join(["x"] * 900),
        "r = " + "-" * 150 + "(" + " * ".join(["x"] * 500) + ")",
    ],
)
def test_very_deep_expressions_work_or_are_refused(body: str, tmp_path: Path) -> None:
    kernel, _, _ = kernel_of(body, tmp_path)
    try:
        kernel.trace(X, X.copy(), grid=1)
    except nki_mlir.CompileError as error:
        assert "nested too deeply" in error.message and error.line is not None
