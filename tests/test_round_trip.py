"""What every level of every example prints, in custom and in generic form, parses back to the same module."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from xdsl.printer import Printer

from nki_mlir.dialects import LEVELS
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
