"""Which loops go on from block to block as a running maximum and sums scaled by it, and which don't."""

from __future__ import annotations

from itertools import pairwise

import pytest
from xdsl.dialects.scf import ForOp

from nki_mlir.analysis.recurrences import Recurrence, recurrence
from nki_mlir.parsing import parse

LOOP = """
builtin.module attributes {neuron.target = "trn1"} {
func.func @f(%q: tensor<64x32xf32>, %b: memref<2048x32xf32>, %w: tensor<64x64xf32>, %r: tensor<64xf32>) {
  %low = arith.constant dense<-3.0e38> : tensor<64xf32>
  %zero = arith.constant dense<0.0> : tensor<64xf32>
  %none = arith.constant dense<0.0> : tensor<64x32xf32>
  %zeros = arith.constant dense<0.0> : tensor<64x64xf32>
  %half = arith.constant dense<0.5> : tensor<64xf32>
  %third = arith.constant dense<0.25> : tensor<64xf32>
  %minus = arith.constant dense<-0.5> : tensor<64xf32>
  %halves = arith.constant dense<0.5> : tensor<64x64xf32>
  %from = arith.constant 0 : index
  %to = arith.constant 32 : index
  %one = arith.constant 1 : index
  %m, %l, %o = scf.for %k = %from to %to step %one iter_args(%m0 = %low, %l0 = %zero, %o0 = %none) -> (tensor<64xf32>, tensor<64xf32>, tensor<64x32xf32>) {
    %x = tile.read %b(%k) [64 * s0 + d0 by 32, d1 by 1] : memref<2048x32xf32> -> tensor<64x32xf32>
    %s = tile.dot %q, %x over [1] x [1] : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x64xf32>
    %top = tile.reduce maxnum %s axis 1 : tensor<64x64xf32> -> tensor<64xf32>
    %scaled = arith.mulf %top, %half : tensor<64xf32>
    %m1 = arith.maxnumf %m0, %scaled : tensor<64xf32>
    %m2 = tile.expand_dims %m1 axis 1 : tensor<64xf32> -> tensor<64x1xf32>
    %m3 = tile.broadcast %m2 : tensor<64x1xf32> -> tensor<64x64xf32>
    %t = arith.mulf %s, %halves : tensor<64x64xf32>
    %u = arith.subf %t, %m3 : tensor<64x64xf32>
    %p = math.exp %u : tensor<64x64xf32>
    %d = arith.subf %m0, %m1 : tensor<64xf32>
    %a = math.exp %d : tensor<64xf32>
    %sum = tile.reduce sum %p axis 1 : tensor<64x64xf32> -> tensor<64xf32>
    %l1 = arith.mulf %l0, %a : tensor<64xf32>
    %l2 = arith.addf %l1, %sum : tensor<64xf32>
    %a1 = tile.expand_dims %a axis 1 : tensor<64xf32> -> tensor<64x1xf32>
    %a2 = tile.broadcast %a1 : tensor<64x1xf32> -> tensor<64x32xf32>
    %o1 = arith.mulf %a2, %o0 : tensor<64x32xf32>
    %o2 = tile.dot %p, %x acc %o1 over [1] x [0] : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
    scf.yield %m1, %l2, %o2 : tensor<64xf32>, tensor<64xf32>, tensor<64x32xf32>
  }
  "test.op"(%m, %l, %o) : (tensor<64xf32>, tensor<64xf32>, tensor<64x32xf32>) -> ()
  func.return
} }
"""


def found(*changes: str) -> Recurrence | None:
    """What is found of the loop where, of lines that differ in what they compute, the second stands for the first."""
    text = LOOP
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    module = parse(text)
    module.verify()
    (loop,) = (op for op in module.walk() if isinstance(op, ForOp))
    return recurrence(loop)


TAKEN = {
    "as it is": (),
    "a product that is added": (
        "%o2 = tile.dot %p, %x acc %o1 over",
        "%y = tile.dot %p, %x over [1] x [0] : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>\n"
        "%o2 = arith.addf %y, %o1 : tensor<64x32xf32>\n %unused = tile.dot %p, %x over",
    ),
    "scores that are masked": (
        "%u = arith.subf %t, %m3",
        "%c = tile.compare gt %w, %zeros : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xi1>\n"
        "%n = tile.select %c, %t, %zeros : tensor<64x64xi1>, tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>\n"
        "%u = arith.subf %n, %m3",
    ),
    "probabilities that are masked": (
        "%sum = tile.reduce sum %p",
        "%c = tile.compare gt %w, %zeros : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xi1>\n"
        "%n = tile.select %c, %p, %zeros : tensor<64x64xi1>, tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>\n"
        "%sum = tile.reduce sum %n",
    ),
    "probabilities that are rounded and weighed": (
        "%sum = tile.reduce sum %p",
        "%c = tile.cast %p : tensor<64x64xf32> -> tensor<64x64xbf16>\n"
        "%d1 = tile.cast %c : tensor<64x64xbf16> -> tensor<64x64xf32>\n"
        "%n = arith.mulf %w, %d1 : tensor<64x64xf32>\n %v = arith.divf %n, %halves : tensor<64x64xf32>\n"
        "%sum = tile.reduce sum %v",
    ),
    "a difference of sums, halved": (
        "%l2 = arith.addf %l1, %sum",
        "%neg = arith.negf %p : tensor<64x64xf32>\n"
        "%other = tile.reduce sum %neg axis 1 : tensor<64x64xf32> -> tensor<64xf32>\n"
        "%both = arith.subf %other, %sum : tensor<64xf32>\n %h = arith.mulf %both, %half : tensor<64xf32>\n"
        "%l2 = arith.addf %h, %l1",
    ),
    "scaled behind the maximum": (
        "%scaled = arith.mulf %top, %half", "%scaled = arith.mulf %half, %top",
        "%u = arith.subf %t, %m3", "%v = arith.subf %t, %m3 : tensor<64x64xf32>\n %u = arith.mulf %halves, %v",
        "%a = math.exp %d", "%e = arith.mulf %d, %half : tensor<64xf32>\n %a = math.exp %e",
    ),
    "each scaled by itself, as a sum": (
        "%d = arith.subf %m0, %m1",
        "%e = arith.divf %m0, %half : tensor<64xf32>\n %g = arith.divf %m1, %half : tensor<64xf32>\n"
        "%h = arith.negf %g : tensor<64xf32>\n %d = arith.addf %e, %h",
        "%u = arith.subf %t, %m3",
        "%n = arith.subf %t, %m3 : tensor<64x64xf32>\n %u = arith.subf %n, %m3",
    ),
    "a plain sum beside it": (
        "%l1 = arith.mulf %l0, %a", "%l1 = arith.negf %a",
        "%sum = tile.reduce sum %p", "%sum = tile.reduce sum %s",
        "%l2 = arith.addf %l1, %sum", "%l2 = arith.addf %l0, %sum",
    ),
    "a maximum alone": ("scf.yield %m1, %l2, %o2", "scf.yield %m1, %l0, %o0"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_is_taken(name: str) -> None:
    recurrence = found(*TAKEN[name])
    assert recurrence is not None and recurrence.has_maximum
    joins = {"a maximum alone": 1, "a difference of sums, halved": 4}.get(name, 3)
    assert len(recurrence.joins) == joins


REFUSED = {
    "a smaller maximum": ("%scaled = arith.mulf %top, %half", "%scaled = arith.mulf %top, %minus"),
    "a maximum times a number of each row": ("%scaled = arith.mulf %top, %half", "%scaled = arith.mulf %top, %r"),
    "a minimum": ("%m1 = arith.maxnumf", "%m1 = arith.minnumf"),
    "a smallest score": ("tile.reduce maxnum", "tile.reduce minnum"),
    "a maximum of what is carried": (
        "%top = tile.reduce maxnum %s", "%v = tile.dot %o0, %x over [1] x [1] : tensor<64x32xf32>, tensor<64x32xf32>"
        " -> tensor<64x64xf32>\n %top = tile.reduce maxnum %v",
    ),
    "scores of what is carried": (
        "%t = arith.mulf %s", "%v = tile.dot %o0, %x over [1] x [1] : tensor<64x32xf32>, tensor<64x32xf32>"
        " -> tensor<64x64xf32>\n %t = arith.mulf %v",
    ),
    "the maximum of the block alone": ("%m2 = tile.expand_dims %m1", "%m2 = tile.expand_dims %scaled"),
    "the maximum before the block": ("%m2 = tile.expand_dims %m1", "%m2 = tile.expand_dims %m0"),
    "one that grows with the maximum": ("%u = arith.subf %t, %m3", "%u = arith.addf %t, %m3"),
    "one times the maximum": ("%u = arith.subf %t, %m3", "%u = arith.mulf %t, %m3"),
    "a column's maximum": (
        "%m2 = tile.expand_dims %m1 axis 1 : tensor<64xf32> -> tensor<64x1xf32>",
        "%m2 = tile.expand_dims %m1 axis 0 : tensor<64xf32> -> tensor<1x64xf32>",
        "%m3 = tile.broadcast %m2 : tensor<64x1xf32>", "%m3 = tile.broadcast %m2 : tensor<1x64xf32>",
    ),
    "a product over the rows": ("over [1] x [0] : tensor<64x64xf32>", "over [0] x [0] : tensor<64x64xf32>"),
    "sums of columns": ("%sum = tile.reduce sum %p axis 1", "%sum = tile.reduce sum %p axis 0"),
    "a largest probability": ("%sum = tile.reduce sum %p", "%sum = tile.reduce max %p"),
    "a sum that is not scaled": ("%l2 = arith.addf %l1, %sum", "%l2 = arith.addf %l0, %sum"),
    "a sum that is scaled as it ends": (
        "%l1 = arith.mulf %l0, %a", "%l1 = arith.addf %l0, %sum",
        "%l2 = arith.addf %l1, %sum", "%l2 = arith.mulf %l1, %a",
    ),
    "a factor of another row's maximum": (
        "%m, %l, %o = scf.for", "%c, %m, %l, %o = scf.for",
        "iter_args(%m0 = %low, %l0 = %zero, %o0 = %none) -> (",
        "iter_args(%c0 = %zeros, %m0 = %low, %l0 = %zero, %o0 = %none) -> (tensor<64x64xf32>, ",
        "scf.yield %m1, %l2, %o2 : ",
        "%n = tile.expand_dims %m0 axis 0 : tensor<64xf32> -> tensor<1x64xf32>\n"
        "%before = tile.broadcast %n : tensor<1x64xf32> -> tensor<64x64xf32>\n"
        "%e = arith.subf %before, %m3 : tensor<64x64xf32>\n %g = math.exp %e : tensor<64x64xf32>\n"
        "%c1 = arith.mulf %c0, %g : tensor<64x64xf32>\n scf.yield %c1, %m1, %l2, %o2 : tensor<64x64xf32>, ",
    ),
    "a factor that is half": ("%a = math.exp %d", "%e = arith.mulf %d, %half : tensor<64xf32>\n %a = math.exp %e"),
    "a factor the other way": ("%d = arith.subf %m0, %m1", "%d = arith.subf %m1, %m0"),
    "a factor of the maximum before alone": ("%a = math.exp %d", "%a = math.exp %m0"),
    "a factor with something more": ("%a = math.exp %d", "%e = arith.addf %d, %r : tensor<64xf32>\n %a = math.exp %e"),
    "a factor that is weighed": ("%l1 = arith.mulf %l0, %a", "%e = arith.mulf %a, %r : tensor<64xf32>\n"
        " %l1 = arith.mulf %l0, %e"),
    "a sum of both scaled and plain": ("%sum = tile.reduce sum %p", "%e = arith.addf %p, %w : tensor<64x64xf32>\n"
        " %sum = tile.reduce sum %e"),
    "a number for each block": ("%l2 = arith.addf %l1, %sum", "%l2 = arith.addf %l1, %r"),
    "a sum that is multiplied by itself": ("%l1 = arith.mulf %l0, %a", "%l1 = arith.mulf %l0, %l0"),
    "a sum in another": ("%l2 = arith.addf %l1, %sum", "%e = arith.addf %l1, %l1 : tensor<64xf32>\n"
        " %l2 = arith.addf %e, %sum"),
    "a product onto another": (
        "%l2 = arith.addf %l1, %sum",
        "%e = tile.dot %p, %w acc %zeros over [1] x [1] : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>\n"
        "%g = tile.reduce sum %e axis 1 : tensor<64x64xf32> -> tensor<64xf32>\n %l2 = arith.addf %l1, %g",
    ),
    "anything else": ("%l2 = arith.addf %l1, %sum", "%l2 = math.sqrt %l1"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(name: str) -> None:
    assert found(*REFUSED[name]) is None


def test_changes_are_told_apart() -> None:
    """Each of the loops above is another one."""
    texts = sorted(str(changes) for changes in (*TAKEN.values(), *REFUSED.values()))
    assert all(one != other for one, other in pairwise(texts))
