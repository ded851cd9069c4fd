"""What is no user error leaves every part of the package as one InternalError; faults are injected."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from module_texts import COPY
from xdsl.context import Context
from xdsl.dialects import test
from xdsl.dialects.builtin import ModuleOp, StringAttr, i32
from xdsl.passes import ModulePass

import nki_mlir
import nki_mlir.language as tl
from nki_mlir import CompileError, ExecutionError, InternalError
from nki_mlir.dialects import neuron_mem as mem
from nki_mlir.errors import internal_errors
from nki_mlir.frontend.expressions import Expressions
from nki_mlir.passes import select_instructions
from nki_mlir.passes.pipelines import pipeline
from nki_mlir.tools import nki_opt, nki_run


@nki_mlir.jit
def copy(x_ptr, out_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets))


def line_of(text: str) -> int:
    return 1 + next(i for i, line in enumerate(Path(__file__).read_text().splitlines()) if text in line)


def arrays() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    return np.ones(64, np.float32), np.zeros(64, np.float32)


def lost(*args: object, **options: object) -> NoReturn:
    raise KeyError("lost")


@pytest.fixture
def no_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """select-instructions fails on every load."""

    def failing(selector: object, op: object, emit: object) -> NoReturn:
        lost()

    monkeypatch.setitem(select_instructions.HANDLERS, mem.LoadOp, failing)


def test_a_pass_that_fails_on_a_kernel(no_loads: None) -> None:
    with pytest.raises(InternalError) as caught:
        copy[(1,)](*arrays(), BLOCK=64)
    error, line = caught.value, line_of("tl.store(out_ptr + offsets")
    assert (error.stage, error.file, error.line) == ("pass select-instructions", __file__, line)
    assert error.operation is not None and error.operation.name == "neuron.mem.load"
    assert isinstance(error.original, KeyError)
    head, source, caret, *rest = str(error).splitlines()
    assert head == (
        f"{__file__}:{line}:{error.column}: internal error: pass select-instructions, at neuron.mem.load: KeyError: 'lost'"
    )
    assert source.strip().startswith("tl.store(out_ptr + offsets") and caret.strip() == "^"
    assert rest == [
        "This is a bug of nki-mlir, not of your program. Please report it to the issue tracker of nki-mlir, with the"
        " program and this message; NKI_MLIR_TRACEBACK=1 adds Python's traceback."
    ]


@pytest.mark.parametrize("asked", [False, True])
def test_the_cause_is_there_only_if_asked_for(no_loads: None, monkeypatch: pytest.MonkeyPatch, asked: bool) -> None:
    monkeypatch.setenv("NKI_MLIR_TRACEBACK", "1" if asked else "")
    with pytest.raises(InternalError) as caught:
        copy.compile(*arrays(), BLOCK=64, grid=(1,))
    assert isinstance(caught.value.__cause__, KeyError) == asked
    assert caught.value.__suppress_context__


def test_a_script_shows_no_frame_of_a_pass(tmp_path: Path) -> None:
    """What a user sees of an error that nobody catches."""
    script = tmp_path / "script.py"
    script.write_text(
        "import nki_mlir\n"
        "from nki_mlir.dialects import neuron_mem as mem\n"
        "from nki_mlir.passes import select_instructions\n"
        "select_instructions.HANDLERS[mem.LoadOp] = lambda *args: {}['lost']\n"
        f"nki_mlir.pipeline('lower-to-isa')(nki_mlir.parse({COPY!r}))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.returncode == 1
    assert "InternalError: " in done.stderr and "at neuron.mem.load: KeyError: 'lost'" in done.stderr
    assert "select_instructions.py" not in done.stderr and "selector.py" not in done.stderr


@pytest.mark.parametrize("tool", [nki_opt.main, nki_run.main])
@pytest.mark.parametrize("asked", [False, True])
def test_tools_exit_with_70(
    no_loads: None,
    tool: Callable[[list[str]], int],
    asked: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NKI_MLIR_TRACEBACK", "1" if asked else "")
    Path("t.mlir").write_text(COPY)
    flags = ["--lower-to-isa"] if tool is nki_opt.main else ["--random", "0"]
    assert tool(["t.mlir", *flags]) == 70
    err = capsys.readouterr().err
    head = "t.mlir:3:3: internal error: pass select-instructions, at neuron.mem.load: KeyError: 'lost'\n"
    assert err.startswith(f"{head}    %a = tile.read")
    assert "bug of nki-mlir" in err
    assert ("Traceback" in err) == asked


def test_a_tool_that_fails_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(nki_run, "_program", lost)
    path = tmp_path / "t.mlir"
    path.write_text(COPY)
    assert nki_run.main([str(path), "--random", "0"]) == 70
    assert capsys.readouterr().err.startswith("internal error: nki-run: KeyError: 'lost'\n")


def test_the_frontend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Expressions, "expr_BinOp", lost)
    with pytest.raises(InternalError) as caught:
        copy.trace(*arrays(), BLOCK=64, grid=(1,))
    line = line_of("tl.store(out_ptr + offsets")
    assert str(caught.value).startswith(f"{__file__}:{line}:14: internal error: the frontend: KeyError: 'lost'\n")


def test_the_parser_and_the_verifier(monkeypatch: pytest.MonkeyPatch) -> None:
    text = str(pipeline("lower-to-isa", stop_after="place")(nki_mlir.parse(COPY)))
    monkeypatch.setattr(mem.LoadOp, "verify_", lost)
    at = 1 + next(i for i, line in enumerate(text.splitlines()) if "neuron.mem.load" in line)
    with pytest.raises(InternalError, match=rf"^m:{at}:5: internal error: the verifier, at neuron.mem.load: KeyError"):
        nki_mlir.parse(text, "m")
    monkeypatch.setattr("xdsl.parser.Parser.parse_optional_operation", lost)
    with pytest.raises(InternalError, match=r"^m:1:1: internal error: the parser: KeyError: 'lost'"):
        nki_mlir.parse(text, "m")


def test_the_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    program = nki_mlir.pipeline("lower-to-isa")(nki_mlir.parse(COPY))
    monkeypatch.setattr("nki_mlir.executor.dma_actions.DmaAction.issue", lost)
    with pytest.raises(InternalError, match=r"internal error: the executor, at neuron.isa.dma_copy: KeyError: 'lost'"):
        nki_mlir.execute(program, list(arrays()))


class Break(ModulePass):
    """Leaves a module that doesn't verify."""

    name = "test-break"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        unplaced = test.TestOp(result_types=[i32])
        op.body.block.add_op(test.TestOp(unplaced.results))


def test_what_a_pass_leaves_is_verified() -> None:
    module = nki_mlir.parse(COPY)
    with pytest.raises(InternalError, match=r"internal error: the result of pass test-break, at test.op: VerifyExc"):
        pipeline([Break()])(module)
    assert pipeline([Break()])(module, verify=False) is not module


def test_the_last_pass_of_a_level_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling a kernel verifies once for each level."""
    from nki_mlir.passes.allocate import Allocate

    monkeypatch.setattr(Allocate, "apply", Break.apply)
    with pytest.raises(
        InternalError, match=r"internal error: the result of pass allocate, at test.op: VerifyException"
    ):
        copy.compile(*arrays(), BLOCK=64, grid=(1,), target="trn2")


def test_a_module_that_was_broken_before_is_the_users_fault() -> None:
    """However a pass fails on it."""
    module = nki_mlir.parse(COPY)
    Break().apply(Context(), module)
    with pytest.raises(CompileError, match="not valid: Operation using value defined out of its Isol"):
        pipeline("canonicalize")(module)


def test_what_passes() -> None:
    for error in (CompileError("x"), ExecutionError("x"), KeyboardInterrupt(), SystemExit(3)):
        with pytest.raises(type(error)) as caught, internal_errors("a test"):
            raise error
        assert caught.value is error
    with pytest.raises(OSError), internal_errors("a test", passing=(OSError,)):
        raise OSError
    with (
        pytest.raises(CompileError, match="a test: this machine has too little memory: 9 GiB"),
        internal_errors("a test"),
    ):
        raise MemoryError("9 GiB")
    with pytest.raises(ExecutionError, match="memory"), internal_errors("a test", limit=ExecutionError):
        raise MemoryError


def test_an_inner_stage_is_the_one_that_is_named() -> None:
    with pytest.raises(InternalError) as caught, internal_errors("outer"), internal_errors("inner"):
        raise KeyError(StringAttr("x"))
    assert caught.value.stage == "inner"
