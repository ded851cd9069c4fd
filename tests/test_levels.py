"""What each level may hold, how a module's level is found, and what of the lowering is left from there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import VerifyException

from nki_mlir.dialects import LEVELS
from nki_mlir.parsing import parse
from nki_mlir.passes.levels import LEGAL, first_of, level_of, remaining_pipeline, verify_level
from nki_mlir.passes.pipelines import build, lower_levels, run
from nki_mlir.passes.stages import STAGES

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.mlir"))


KERNELS = {
    "tile": """
      %p = tile.base %x : memref<8xf32> -> !tile.ptr<f32>
      %sum = arith.addf %tensor, %tensor : tensor<8xf32>
      %root = math.sqrt %sum : tensor<8xf32>
      %carried = scf.for %i = %zero to %n step %one iter_args(%acc = %root) -> (tensor<8xf32>) {
        scf.yield %acc : tensor<8xf32>
      }
    """,
    "neuron.mem": """
      %a = neuron.mem.load %x(%zero) [s0 + d0 by 1] : memref<8xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
      %next = arith.addi %zero, %n : index
      %carried = scf.for %i = %zero to %n step %one iter_args(%acc = %a)
          -> (!neuron.mem.tile<sbuf, 8xf32, [d0] x []>) {
        scf.yield %acc : !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
      }
    """,
    "neuron.engine": """
      %a = neuron.engine.alloc : !neuron.engine.buffer<sbuf, 8 x 4>
      %half = arith.constant 0.5 : f32
      scf.for %i = %zero to %n step %one {
        %next = arith.muli %i, %n : index
      }
    """,
}

PROGRAM = """
neuron.isa.program @f {
  neuron.isa.tensor "x" : memref<8xf32>
}
"""


def kernel(body: str, tensor: bool = False) -> ModuleOp:
    """A kernel with some constants and this body."""
    made = "%tensor = tile.splat %float : f32 -> tensor<8xf32>" if tensor else ""
    return parse(f"""
      func.func @f(%x: memref<8xf32>) {{
        %zero = arith.constant 0 : index
        %one = arith.constant 1 : index
        %n = arith.constant 8 : index
        %float = arith.constant 1.0 : f32
        {made}
        {body}
        func.return
      }}
    """)


def at(level: str) -> ModuleOp:
    return parse(PROGRAM) if level == "neuron.isa" else kernel(KERNELS[level], tensor=level == "tile")


def test_every_level_has_a_line_in_the_table() -> None:
    assert tuple(LEGAL) == LEVELS


@pytest.mark.parametrize("level", LEVELS)
def test_level_of(level: str) -> None:
    assert level_of(at(level)) == level


@pytest.mark.parametrize("text", ["builtin.module {}", "func.func @f() { func.return }"])
def test_standard_dialects_alone_are_tile(text: str) -> None:
    assert level_of(parse(text)) == "tile"


def test_what_several_levels_hold_makes_a_module_none_of_them() -> None:
    module = kernel("tile.begin_program %zero of [2]")
    assert first_of(module, "tile") is None
    assert first_of(at("tile"), "tile") is not None


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_legal(level: str) -> None:
    verify_level(at(level), level)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("other", LEVELS)
def test_operations_of_another_level(level: str, other: str) -> None:
    if level != other:
        with pytest.raises(VerifyException, match=rf"is not an operation of {level}$"):
            verify_level(at(other), level)


TENSOR = '%t = "arith.constant"() {value = dense<1.0> : tensor<8xf32>} : () -> tensor<8xf32>'
LOOP = """
%c = scf.for %i = %zero to %n step %one iter_args(%acc = %zero) -> (index) {
  scf.yield %acc : index
}
"""
IF = """
%true = arith.constant true
%c = scf.if %true -> (index) {
  scf.yield %zero : index
} else {
  scf.yield %one : index
}
"""
CONTROL = """
%true = arith.constant true
scf.if %true {
}
scf.while () : () -> () {
  scf.condition(%true)
} do {
  scf.yield
}
"""


@pytest.mark.parametrize("level", ["neuron.mem", "neuron.engine"])
def test_run_time_control_flow_is_legal(level: str) -> None:
    verify_level(kernel(CONTROL), level)


@pytest.mark.parametrize(
    ("body", "level", "message"),
    [
        (TENSOR, "neuron.mem", "arith.constant: neuron.mem has no values of type tensor<8xf32>"),
        (TENSOR, "neuron.engine", "arith.constant: neuron.engine has no values of type tensor<8xf32>"),
        ("%s = arith.addf %float, %float : f32", "neuron.mem", "arith.addf: neuron.mem has no values of type f32"),
        ("%s = arith.addf %float, %float : f32", "neuron.engine", "arith.addf: neuron.engine has no values of type"),
        ("%s = math.sqrt %float : f32", "neuron.mem", "math.sqrt is not an operation of neuron.mem"),
        (LOOP, "neuron.engine", "a loop of neuron.engine carries tiles alone"),
        (IF, "neuron.engine", "a loop of neuron.engine carries tiles alone, and an if yields no others, not index"),
        ('"test.op"() : () -> ()', "tile", "test.op is not an operation of tile"),
        ("", "neuron.isa", "func.func is not an operation of neuron.isa"),
    ],
)
def test_what_is_not(body: str, level: str, message: str) -> None:
    with pytest.raises(VerifyException, match=re.escape(message)):
        verify_level(kernel(body), level)


def test_a_tensor_argument() -> None:
    module = parse("func.func @f(%x: tensor<8xf32>) { func.return }")
    verify_level(module, "tile")
    with pytest.raises(VerifyException, match=r"func\.func: neuron\.mem has no values of type tensor<8xf32>"):
        verify_level(module, "neuron.mem")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_lowering_keeps_to_the_table(path: Path) -> None:
    for level, module in lower_levels(parse(path.read_text(), path.name)).items():
        assert level_of(module) == level
        verify_level(module, level)


@pytest.mark.parametrize(
    ("level", "spec"),
    [
        ("tile", ",".join(STAGES)),
        ("neuron.mem", "mem-to-engine,engine-to-isa"),
        ("neuron.engine", "bufferize,multi-buffer,allocate,engine-to-isa"),
        ("neuron.isa", ""),
    ],
)
def test_what_is_left_of_the_lowering(level: str, spec: str) -> None:
    assert remaining_pipeline(at(level)) == spec


def test_a_module_with_addresses_just_continues() -> None:
    module = at("neuron.engine")
    run(build("allocate"), module)
    assert remaining_pipeline(module) == "engine-to-isa"
