"""What every level of every example prints, in custom and in generic form, parses back to the same module; so do the
floats of constants, whatever they are."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import (
    AnyFloat,
    BFloat16Type,
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    TensorType,
)
from xdsl.printer import Printer

from nki_mlir.dialects import LEVELS
from nki_mlir.errors import CompileError
from nki_mlir.parsing import parse
from nki_mlir.passes.pipelines import lower_levels

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.mlir"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("level", LEVELS)
def test_custom_and_generic_form(path: Path, level: str) -> None:
    module = lower_levels(parse(path.read_text()))[level]
    custom, generic = str(module), StringIO()
    Printer(generic, print_generic_format=True).print_op(module)
    assert str(parse(custom)) == custom
    assert str(parse(generic.getvalue())) == custom


FLOATS = (
    (BFloat16Type(), st.sampled_from((0.0, -0.0, 1.5, 3e38))),
    (Float16Type(), st.floats(width=16)),
    (Float32Type(), st.floats(width=32)),
    (Float64Type(), st.floats(width=64)),
)


def _constant(text: str) -> DenseIntOrFPElementsAttr:
    module = parse(f"func.func @f() {{\n  %a = arith.constant {text}\n  func.return\n}}")
    (found,) = (op.value for op in module.walk() if isinstance(op, ConstantOp))
    assert isinstance(found, DenseIntOrFPElementsAttr)
    return found


@given(st.sampled_from(FLOATS), st.data())
def test_floats_of_any_bits(of: tuple[AnyFloat, st.SearchStrategy[float]], data: st.DataObject) -> None:
    type_, most = of
    special = st.sampled_from((float("inf"), -float("inf"), float("nan"), -0.0))
    values = data.draw(st.lists(most | special, min_size=1, max_size=4))
    made = DenseIntOrFPElementsAttr.from_list(TensorType(type_, [len(values)]), values)
    assert str(_constant(str(made))) == str(made)


def test_hexadecimal_elements() -> None:
    assert list(_constant("dense<0xff800000> : tensor<2xf32>").get_values()) == [-float("inf")] * 2
    assert list(_constant("dense<[0x3f80, 0xC000]> : tensor<2xbf16>").get_values()) == [1.0, -2.0]
    assert list(_constant("dense<[0x10, -2]> : tensor<2xi32>").get_values()) == [16, -2]
    for text in ("0x1ff800000", "-0x1"):
        with pytest.raises(CompileError, match=f"{text} are not the bits of one f32, which has 32"):
            _constant(f"dense<{text}> : tensor<2xf32>")
    with pytest.raises(CompileError, match="16777216 elements, got 2147483648; load it"):
        _constant("dense<3> : tensor<2147483648xi32>")
