"""Kernels mean the same at every level of their lowering: the reference interpreter's `tile` and `neuron.mem` after each
pass, and the executor's machine code under several timings."""

from __future__ import annotations

import pytest
from reference.case import Case
from reference.levels import check_levels, rejected
from reference.vectors import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_levels_agree(case: Case) -> None:
    module, arrays = case.kernel().module(), case.arrays()
    if case.rejects is None:
        check_levels(module, arrays, rtol=case.rtol, atol=case.atol)
    else:
        message = rejected(module, arrays)
        assert message is not None and case.rejects in message
