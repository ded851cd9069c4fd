"""Modules that a pass, a pipeline or the executor can't take: one clear error with a place, at every entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from xdsl.dialects.builtin import ModuleOp, StringAttr, f32
from xdsl.dialects.func import ReturnOp
from xdsl.ir import Operation
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.universe import Universe
from xdsl.utils.exceptions import VerifyException

from nki_mlir import CompileError, ExecutionError, execute, parse, pipeline
from nki_mlir.dialects.access import Engine, EngineAttr
from nki_mlir.dialects.neuron_engine import ViewType
from nki_mlir.passes import OURS, plugin_passes
from nki_mlir.passes.verify import Verifier, verify_module
from nki_mlir.tools import nki_opt, nki_run

TILE = "!neuron.mem.tile<sbuf, 8xf32, [d0] x []>"
BODY = {
    "tile": """
      %v = tile.read %x(%c0) [s0 + d0 by 1] : memref<8xf32> -> tensor<8xf32>
      tile.write %v to %x(%c0) [s0 + d0 by 1] : tensor<8xf32> -> memref<8xf32>
    """,
    "neuron.mem": f"""
      %v = neuron.mem.load %x(%c0) [s0 + d0 by 1] : memref<8xf32> -> {TILE}
      neuron.mem.store %v to %x(%c0) [s0 + d0 by 1] : {TILE} -> memref<8xf32>
    """,
    "neuron.engine": """
      %b = neuron.engine.alloc "b" at 0 : !neuron.engine.buffer<sbuf, 8 x 4>
      %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 8 x 4> -> !neuron.engine.view<sbuf[0:8], [1 x 1], f32>
      neuron.engine.memset vector value 0.0 : f32 dst %v : !neuron.engine.view<sbuf[0:8], [1 x 1], f32>
    """,
}
ISA = """
  neuron.isa.program @f {
    neuron.isa.core 0 {
      neuron.isa.stream vector {
        neuron.isa.memset value 0.0 : f32 dst <sbuf[0:8] at 0, [1 x 1], f32> order 0
      }
    }
  }
"""
LEVELS = (*BODY, "neuron.isa")
TAKES = {
    "normalize-loops": ("tile", "neuron.mem", "neuron.engine"),
    "induction": ("tile",),
    "carried-indices": ("tile",),
    "fold-constants": ("tile",),
    "ungroup": ("tile",),
    "reblock": ("tile",),
    "expand-atomics": ("tile",),
    "structure-accesses": ("tile",),
    "clean": LEVELS,
    "recognize-functions": ("tile",),
    "trim": ("tile",),
    "unwrap": ("tile",),
    "regrid": ("tile",),
    "sum-programs": ("tile",),
    "sum-by-products": ("tile",),
    "merge-factors": ("tile",),
    "equalize-trips": ("tile",),
    "peel-masks": ("tile",),
    "maximum-first": ("tile",),
    "merge-steps": ("tile",),
    "scan-loops": ("tile",),
    "widen-loops": ("tile",),
    "widen": ("tile",),
    "coalesce": ("tile",),
    "interleave": ("tile",),
    "programs-to-loops": ("tile",),
    "bound-loops": ("tile",),
    "expand-branches": ("tile",),
    "diagonal-products": ("tile",),
    "join-products": ("tile",),
    "expand-products": ("tile",),
    "expand-accesses": ("tile",),
    "expand-indices": ("tile",),
    "split-words": ("tile",),
    "expand-division": ("tile",),
    "expand-maxnum": ("tile",),
    "bound-exponentials": ("tile",),
    "expand-trigonometry": ("tile",),
    "expand-rounding": ("tile",),
    "split-reductions": ("tile",),
    "place": ("tile",),
    "hoist-loads": ("neuron.mem",),
    "share-loads": ("neuron.mem",),
    "share-windows": ("neuron.mem",),
    "reuse-loads": ("neuron.mem",),
    "split-to-hardware-tiles": ("neuron.mem",),
    "promote-accumulators": ("neuron.mem",),
    "split-sums": ("neuron.mem",),
    "lower-converts": ("neuron.mem",),
    "select-instructions": ("neuron.mem",),
    "combine-instructions": ("neuron.engine",),
    "stage-in-psum": ("neuron.engine",),
    "assign-engines": ("neuron.engine",),
    "bufferize": ("neuron.engine",),
    "schedule": ("neuron.engine",),
    "spread": ("neuron.engine",),
    "spread-transfers": ("neuron.engine",),
    "skew": ("neuron.engine",),
    "order-loads": ("neuron.engine",),
    "multi-buffer": ("neuron.engine",),
    "allocate": ("neuron.engine",),
    "emit-streams": ("neuron.engine",),
    "insert-semaphores": ("neuron.isa",),
}


def kernel(level: str) -> str:
    if level == "neuron.isa":
        return ISA
    return f"""
      func.func @f(%x: memref<8xf32>) {{
        %c0 = arith.constant 0 : index
        {BODY[level]}
        func.return
      }}
    """


def error_of(call: Callable[[], object]) -> CompileError:
    with pytest.raises(CompileError) as caught:
        call()
    return caught.value


def test_every_pass_is_tried() -> None:
    assert TAKES.keys() == OURS.keys()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", OURS)
def test_a_pass_takes_its_levels_only(name: str, level: str) -> None:
    run, text = pipeline(name, target="trn1"), kernel(level)
    if level in TAKES[name]:
        run(parse(text))
        return
    error = error_of(lambda: run(parse(text)))
    assert error.message.startswith(f"{name} takes {' or '.join(TAKES[name])}; this module is at {level}")
    assert error.line is not None and level in text.splitlines()[error.line - 1]
    before = LEVELS.index(level) < LEVELS.index(TAKES[name][0])
    assert error.message.endswith(" first") is before


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("level", BODY)
def test_what_is_advised_leads_to_the_pass(name: str, level: str) -> None:
    if LEVELS.index(level) < LEVELS.index(TAKES[name][0]):
        message = error_of(lambda: pipeline(name, target="trn1")(parse(kernel(level)))).message
        advice = message.partition(": run ")[2].removesuffix(" first")
        pipeline(f"{advice},{name}", target="trn1")(parse(kernel(level)))


@pytest.mark.parametrize("name", OURS)
def test_modules_without_anything_of_a_level(name: str) -> None:
    for text in ("builtin.module {}", "func.func @f(%x: memref<8xf32>) { func.return }"):
        assert str(pipeline(name)(parse(text)))


def test_the_whole_lowering_of_machine_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "f.mlir"
    path.write_text(ISA)
    assert nki_opt.main(["--lower-to-isa", str(path)]) == 1
    assert "this module is at neuron.isa already: nothing of its lowering is left" in capsys.readouterr().err


FUNCTIONS = {
    "no body": ("func.func private @f(memref<8xf32>)", "function @f has no body"),
    "two blocks": (
        'func.func @f() {\n"test.termop"()[^bb1] : () -> ()\n^bb1:\nfunc.return\n}',
        "function @f has 2 blocks; a kernel has one",
    ),
    "returns": (
        "func.func @f() -> index {\n%c0 = arith.constant 0 : index\nfunc.return %c0 : index\n}",
        "function @f returns values",
    ),
    "nested": (
        "builtin.module {\nbuiltin.module {\nfunc.func @f() {\nfunc.return\n}\n}\n}",
        "function @f stands inside",
    ),
}


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("case", FUNCTIONS)
def test_functions_that_are_no_kernels(name: str, case: str) -> None:
    text, message = FUNCTIONS[case]
    error = error_of(lambda: pipeline(name)(parse(text)))
    assert message in error.message and error.line is not None


ARGUMENTS = ["f32", "tensor<8xf32>", "i32", TILE, "!neuron.engine.buffer<sbuf, 8 x 4>", "index"]


@pytest.mark.parametrize("type_", ARGUMENTS)
@pytest.mark.parametrize("level", BODY)
def test_arguments_that_are_no_memory(level: str, type_: str) -> None:
    """Whatever the pass that sees it first, the argument is named. The level of the text is that of its body."""
    text = kernel(level).replace("(%x: memref<8xf32>)", f"(%x: memref<8xf32>, %other: {type_})")
    spec = {"tile": "place,canonicalize,cse,dce,mem-to-engine", "neuron.mem": "mem-to-engine"}.get(
        level, "bufferize,allocate"
    )
    error = error_of(lambda: pipeline(f"{spec},emit-streams", target="trn1")(parse(text)))
    if "neuron" in type_ and level == "tile":
        assert "place takes tile; this module is at neuron" in error.message or "'other'" in error.message
    else:
        assert error.message.startswith(f"argument 'other' is {type_}; a kernel's arguments are memrefs")
    assert error.line is not None


TARGETS = {'"x"': '"x"', "3 : i64": "3 : i64", "[]": "[]"}


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_that_there_is_not(target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = f"the module's neuron.target is {target}; it must be one of trn1, trn2, trn3, inf2"
    text = f"builtin.module attributes {{neuron.target = {target}}} {{\n{ISA}\n}}"
    error = error_of(lambda: parse(text))
    assert (error.message, error.line) == (message, 1)
    module = parse(text.replace(f"neuron.target = {target}", "neuron.other = 1"))
    wrong = parse(f"builtin.module attributes {{other = {target}}} {{}}").attributes["other"]
    module.attributes["neuron.target"] = wrong
    for spec in ("canonicalize", "insert-semaphores", "lower-to-isa"):
        assert message in error_of(lambda spec=spec: pipeline(spec)(module)).message
    with pytest.raises(ExecutionError) as caught:
        execute(module, [])
    assert str(caught.value) == message
    path = tmp_path / "f.mlir"
    path.write_text(text)
    for command in (nki_opt.main, nki_run.main):
        assert command([str(path)]) == 1
        assert f"{path}:1:1: error: {message}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%w = arith.addf %c0, %c0 : index", "Unexpected attribute index"),
        ("%w = arith.constant 300 : i8", "Integer value 300 is out of range for type i8"),
        ("%w = arith.constant 1.0 : i32", "Floating point value is not valid for integer type"),
        ("%w = tile.splat %c0 : index -> index", "index should be of base attribute tensor"),
        ("%w = neuron.engine.alloc : index", "index should be of base attribute neuron.engine.buffer"),
        ("%w = arith.constant dense<[1, 2]> : tensor<3xi32>", "Shape mismatch in dense literal"),
        ("%w = arith.addi %c0, %nothing : index", "%nothing is used but not defined"),
        ("scf.for %i = %c0 to %i step %c0 {\n }", "'scf.for': operand #1 is used before its definition"),
        ("%w = arith.addi %c0, %w : index", "'arith.addi': operand #1 is used before its definition"),
    ],
)
def test_errors_of_text_stand_at_their_operation(
    line: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"func.func @f() {{\n  %c0 = arith.constant 0 : index\n  {line}\n\n  %z = arith.constant 1 : index\n  func.return\n}}"
    error = error_of(lambda: parse(text, "t.mlir"))
    assert message in error.message and (error.file, error.line, error.column) == ("t.mlir", 3, 3)
    path = tmp_path / "f.mlir"
    path.write_text(text)
    assert nki_opt.main([str(path)]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith(f"{path}:3:3: error: ") and message in shown


def test_a_pass_places_its_error_in_parsed_text() -> None:
    """Operations get their place when they are parsed, unless the text states one."""
    body = "%f = math.tan %v : tensor<8xf32>\n tile.write %f"
    text = kernel("tile").replace("tile.write %v", body)
    error = error_of(lambda: pipeline("lower-to-isa")(parse(text, "k.mlir")))
    assert error.file == "k.mlir" and error.line is not None and "math.tan" in text.splitlines()[error.line - 1]
    stated = text.replace("math.tan %v : tensor<8xf32>", 'math.tan %v : tensor<8xf32> loc("k.py":7:9)')
    error = error_of(lambda: pipeline("lower-to-isa")(parse(stated, "k.mlir")))
    assert (error.file, error.line, error.column) == ("k.py", 7, 9)


def test_a_value_used_behind_its_region() -> None:
    """No text can say so, but a pass can make it."""
    module = parse(
        "func.func @f() {\n%c0 = arith.constant 0 : index\nscf.for %i = %c0 to %c0 step %c0 {\n"
        "%c1 = arith.constant 1 : index\n}\n%s = arith.addi %c0, %c0 : index\nfunc.return\n}"
    )
    add = next(op for op in module.walk() if op.name == "arith.addi")
    inner = next(op for op in module.walk() if op.name == "arith.constant" and op.results[0].name_hint == "c1")
    add.operands[0] = inner.results[0]
    with pytest.raises(VerifyException, match=r"'arith.addi': operand #0 is used before its definition"):
        verify_module(module)


UNCHANGED = """
func.func @f(%x: memref<8xf32>) attributes {tile.arg_names = ["x"]} {
  %c = arith.constant 2.0 : f32
  %b = neuron.engine.alloc "b" : !neuron.engine.buffer<sbuf, 128 x 32>
  %v = neuron.engine.view %b : !neuron.engine.buffer<sbuf, 128 x 32> -> !neuron.engine.view<sbuf[0:128], [1 x 8], f32>
  neuron.engine.tensor_scalar vector op0 add dst %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> data %v : !neuron.engine.view<sbuf[0:128], [1 x 8], f32> operand0 %c : f32
  func.return
}"""


def _first(module: ModuleOp, name: str) -> Operation:
    return next(op for op in module.walk() if op.name == name)


def _wrong_property(module: ModuleOp) -> None:
    _first(module, "neuron.engine.tensor_scalar").properties["engine"] = EngineAttr(Engine.TENSOR)


def _wrong_type(module: ModuleOp) -> None:
    view = _first(module, "neuron.engine.view").results[0]
    Rewriter.replace_value_with_new_type(view, ViewType(replace(cast(ViewType, view.type).data, start=1)))


def _wrong_operand(module: ModuleOp) -> None:
    instruction = _first(module, "neuron.engine.tensor_scalar")
    instruction.operands[2] = _first(module, "neuron.engine.view").operands[0]


def _no_property(module: ModuleOp) -> None:
    del _first(module, "neuron.engine.tensor_scalar").properties["op0"]


def _wrong_order(module: ModuleOp) -> None:
    constant, end = _first(module, "arith.constant"), _first(module, "func.return")
    constant.detach()
    Rewriter.insert_op(constant, InsertPoint.before(end))


def _two_ends(module: ModuleOp) -> None:
    Rewriter.insert_op(ReturnOp(), InsertPoint.after(_first(module, "func.return")))


def _wrong_argument(module: ModuleOp) -> None:
    Rewriter.replace_value_with_new_type(_first(module, "func.func").regions[0].block.args[0], f32)


@pytest.mark.parametrize(
    "slip",
    [_wrong_property, _wrong_type, _wrong_operand, _no_property, _wrong_order, _two_ends, _wrong_argument],
)
def test_what_a_pass_changed_is_verified_again(slip: Callable[[ModuleOp], None]) -> None:
    module, verifier = parse(UNCHANGED), Verifier()
    verifier.verify(module)
    slip(module)
    with pytest.raises(VerifyException):
        verifier.verify(module)


def test_what_no_pass_changed_is_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    module, verifier = parse(UNCHANGED), Verifier()
    verified: list[str] = []
    original = Operation.verify

    def verify(op: Operation, verify_nested_ops: bool = True) -> None:
        verified.append(op.name)
        original(op, verify_nested_ops)

    monkeypatch.setattr(Operation, "verify", verify)
    verifier.verify(module)
    assert len(verified) == 7
    verifier.verify(module)
    assert len(verified) == 7
    constant = _first(module, "arith.constant")
    constant.attributes["name"] = StringAttr("c")
    verifier.verify(module)
    assert verified[7:] == [
        "arith.constant",
        "neuron.engine.tensor_scalar",
        "func.return",
        "func.func",
        "builtin.module",
    ]
    module.attributes["neuron.target"] = StringAttr("trn2")
    verifier.verify(module)
    assert len(verified) == 12 + 7


def test_addresses_and_attributes_of_too_many_bits() -> None:
    with pytest.raises(CompileError, match="i127"):
        parse("builtin.module { func.func @k() attributes {tile.aliases = array<i127: 1>} { func.return } }")
    text = """func.func @f(%x: memref<8xf32>) {
      %v = neuron.mem.load %x [d0 + 9223372036854775807 by 1] : memref<8xf32> -> !neuron.mem.tile<sbuf, 8xf32, [d0] x []>
      neuron.mem.store %v to %x [d0 + 9223372036854775807 by 1] : !neuron.mem.tile<sbuf, 8xf32, [d0] x []> -> memref<8xf32>
      func.return
    }"""
    with pytest.raises(CompileError, match="does not fit in 64 bits") as caught:
        pipeline("mem-to-engine,engine-to-isa")(parse(text, "far.mlir"))
    assert caught.value.line == 2


PIPELINES = {
    "no pass's name": ("cse,,dce", None, "can't read the pipeline 'cse,,dce': Error parsing pass pipeline"),
    "no pass": ("cse,tidy-up", None, "there is no pass 'tidy-up'; there are "),
    "no option": ("widen{length=3}", None, "pass widen: Provided arguments"),
    "an option's type": ("widen{width=a}", None, "pass widen: Incompatible types: given ('a',), expected int"),
    "a pipeline's option": ("tile{width=3}", None, "'tile' is a pipeline and takes no options; give them to a pass: "),
    "where to stop": ("cse,dce", "place", "the pipeline has no pass 'place'; it has cse, dce"),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_that_there_is_not(name: str) -> None:
    spec, last, message = PIPELINES[name]
    assert message in error_of(lambda: pipeline(spec, stop_after=last)).message


def test_a_module_of_another_target() -> None:
    module = parse('builtin.module attributes {neuron.target = "trn2"} {}')
    message = error_of(lambda: pipeline("cse", target="trn1")(module)).message
    assert message == "the module is for trn2; it can't be compiled for trn1"
    assert error_of(lambda: pipeline("cse", target="trn9")(parse(""))).message.startswith("there is no target 'trn9'; ")


def test_passes_of_packages_that_can_not_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ImportError("no module named other")

    plugin_passes.cache_clear()
    monkeypatch.setattr(Universe, "get_multiverse", broken)
    message = error_of(lambda: pipeline("other-pass")).message
    assert message == "the xDSL plugins of this environment can't be loaded: ImportError: no module named other"
