"""Some hundred inputs of the fuzzer: kernels are right or refused, and nothing takes for ever."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from fuzz import values as v
from fuzz.checks import compare
from fuzz.generator import generate
from fuzz.mutations import mutated_python, mutated_text
from fuzz.outcomes import WrongValue, innermost, message_class, outcome
from fuzz.report import cases

from nki_mlir.errors import CompileError

SEED = 7
COUNTS = {"kernels": 40, "mutants": 90, "text": 150}


@pytest.mark.parametrize("part", COUNTS)
def test_right_or_refused(part: str) -> None:
    found: Counter[str] = Counter()
    texts: list[str] = []
    for case, result in cases(part, COUNTS[part], SEED):
        found[result.kind] += 1
        if result.is_fault:
            texts.append(f"seed {case.seed}: {result.kind} {result.detail}\n{result.text}\n{case.text}")
    assert not found["wrong"] and not found["slow"], "\n".join(texts)
    assert not found["raw"], "\n".join(texts)
    assert found["right"] or found["refused"]


def test_references_follow_tritons_types() -> None:
    def vector(dtype: object) -> v.Expr:
        return v.variable("x", (4,), np.dtype(dtype))  # type: ignore[arg-type]

    half, brain, byte, word = vector(v.F16), vector(v.BF16), vector(v.I8), vector(v.I32)
    assert v.common(half, brain) == v.F16
    assert v.common(brain, word) == v.F32
    assert v.common(byte, vector(v.U8)) == v.U8
    assert v.common(word, vector(v.U8)) == v.I32
    assert v.common(byte, v.number(2)) == v.I8
    assert v.common(byte, v.number(2.0)) == v.F32
    assert v.common(half, v.number(2.0), division=True) == v.F32


def test_references_truncate() -> None:
    env = v.Env((), {}, names={"x": np.array([-7, 7, -1], np.int32)})
    x = v.variable("x", (3,), v.I32)
    assert v.arithmetic("//", x, v.number(2)).run(env).tolist() == [-3, 3, 0]
    assert v.arithmetic("%", x, v.number(2)).run(env).tolist() == [-1, 1, -1]


def test_a_wrong_value_is_found() -> None:
    a = np.ones(4, np.float32)
    compare("out", a, a, np.zeros(4))
    with pytest.raises(WrongValue, match=r"out\[2\] is nan"):
        compare("out", np.array([1, 1, np.nan, 1], np.float32), a, np.full(4, 0.5))
    with pytest.raises(WrongValue, match=r"out\[0\] is 2"):
        compare("out", 2 * a, a, np.full(4, 0.5))


def test_outcomes() -> None:
    def fail(error: Exception) -> None:
        raise error

    assert outcome(lambda: None, 1).kind == "right"
    refused = outcome(lambda: fail(CompileError("'x' takes 3 tiles (a, b), got 4")), 1)
    assert refused.key == ("refused", "… takes N tiles …, got N")
    raw = outcome(lambda: fail(KeyError("x")), 1)
    assert raw.kind == "raw" and raw.is_fault

    def forever() -> None:
        while True:
            pass

    assert outcome(forever, 0.05).kind == "slow"


def test_the_frame_that_raised_is_named() -> None:
    from nki_mlir.errors import position

    try:
        position(None)  # type: ignore[arg-type]
    except AttributeError as error:
        assert innermost(error) == "errors.py:position"
    assert message_class("float32 of (1, 2) at -3.5") == "floatN of … at N"


def test_seeds_repeat() -> None:
    import random

    source = generate(3).source
    assert source == generate(3).source
    assert source != generate(4).source
    assert mutated_python(source, random.Random(1)) == mutated_python(source, random.Random(1)) != source
    text = "func.func @f(%x: i32) {\n  return\n}\n"
    assert mutated_text(text, random.Random(1)) == mutated_text(text, random.Random(1)) != text
