"""`nki-opt`: parse MLIR text at any level, run passes over it, print it."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from io import BytesIO, StringIO
from typing import IO

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute
from xdsl.passes import ModulePass, PassPipeline
from xdsl.printer import Printer
from xdsl.utils.arg_spec import parse_pipeline
from xdsl.utils.diagnostic import Diagnostic
from xdsl.utils.exceptions import ArgSpecParseError, DiagnosticException
from xdsl.utils.target import Target
from xdsl.xdsl_opt_main import xDSLOptMain

from nki_mlir.dialects import load_all
from nki_mlir.errors import CompileError
from nki_mlir.parsing import harden_lexer
from nki_mlir.passes import all_passes
from nki_mlir.passes.pipelines import build, set_target
from nki_mlir.passes.verify import verify_module
from nki_mlir.tools.diagnostics import cap_notes, capped, message, python_traceback
from nki_mlir.tools.source import Source, read_text

LOWER_TO_ISA = "lower-to-isa"


class _Stage(Enum):
    """What the tool was doing when something failed."""

    PARSING = auto()
    CHECKING_INPUT = auto()
    RUNNING_PASS = auto()
    CHECKING_RESULT = auto()
    PRINTING = auto()


class _KeptText(StringIO):
    """An output file's text; the driver closes it, and it is written to the file once all went well."""

    def close(self) -> None:
        pass


@dataclass
class _Progress:
    """How far a chunk of the input has come, for the message if it fails."""

    stage: _Stage = _Stage.PARSING
    running: str = ""
    source: Source | None = None
    module: ModuleOp | None = None
    started: float = field(default_factory=time.perf_counter)

    @property
    def failing_pass(self) -> str | None:
        """The pass that raised, or that left IR which doesn't verify."""
        return self.running if self.stage in (_Stage.RUNNING_PASS, _Stage.CHECKING_RESULT) else None


class NkiOpt(xDSLOptMain):
    """xDSL's driver with our dialects, passes and messages."""

    version_format = "nki-opt on xdsl {xdsl_version}"

    def __init__(self, args: Sequence[str] | None = None):
        self.progress = _Progress()
        self.lowers = False
        self.output: IO[str] = sys.stdout
        super().__init__("Runs compiler passes over MLIR text of the Neuron dialects.", args)

    # -- what the driver knows ---------------------------------------------------------------------------------------

    def register_all_dialects(self) -> None:
        load_all(self.ctx)

    def register_all_passes(self) -> None:
        for name, get in all_passes().items():
            self.register_pass(name, get)

    def register_all_targets(self) -> None:
        self.available_targets["mlir"] = _mlir_target

    def register_all_arguments(self, arg_parser: argparse.ArgumentParser) -> None:
        super().register_all_arguments(arg_parser)
        arg_parser.prog = "nki-opt"
        arg_parser.epilog = f"A named pipeline, such as {LOWER_TO_ISA}, can stand anywhere in the list of passes."
        arg_parser.add_argument(
            "--lower-to-isa", action="store_true", help="Run the whole compiler, before the passes of -p"
        )
        arg_parser.add_argument(
            "--chip",
            metavar="CHIP",
            help="The chip to compile for: trn1, trn2 or trn3. Needed only where the module doesn't name one; "
            "trn1 if it is to be lowered",
        )
        arg_parser.add_argument(
            "--print-ir-after-all", action="store_true", help="Print the IR after every pass, to standard error"
        )

    # -- passes ------------------------------------------------------------------------------------------------------

    def setup_pipeline(self) -> None:
        spec = ",".join(filter(None, (LOWER_TO_ISA if self.args.lower_to_isa else "", self.args.passes)))
        self.lowers = any(one.name == LOWER_TO_ISA for one in parse_pipeline(spec))
        self.pipeline = PassPipeline(tuple(build(spec)), self._between_passes)

    def apply_passes(self, prog: ModuleOp) -> None:
        self.progress.module = prog
        self._set_target(prog)
        try:
            super().apply_passes(prog)
        except DiagnosticException as error:
            cap_notes(error)
            raise

    def _set_target(self, module: ModuleOp) -> None:
        """Record the chip on the module: passes and verifiers look for it there and nowhere else."""
        if not (self.args.chip or self.lowers):
            return
        set_target(module, self.args.chip)

    def _between_passes(self, previous: ModulePass | None, module: ModuleOp, following: ModulePass | None) -> None:
        progress = self.progress
        if previous is not None and self.args.time_passes:
            print(f"Pass {previous.name} took {time.perf_counter() - progress.started} seconds", file=sys.stderr)
        progress.stage = _Stage.CHECKING_INPUT if previous is None else _Stage.CHECKING_RESULT
        if not self.args.disable_verify:
            verify_module(module)
        if previous is not None:
            self._print_after(previous, module, following)
        if following is not None:
            progress.stage, progress.running = _Stage.RUNNING_PASS, str(following)
            progress.started = time.perf_counter()

    def _print_after(self, previous: ModulePass, module: ModuleOp, following: ModulePass | None) -> None:
        if self.args.print_ir_after_all or (self.args.print_between_passes and following is not None):
            print(f"// -----// IR after {previous} //----- //\n{self._text(module)}", file=sys.stderr)

    def _text(self, module: ModuleOp, generic: bool | None = None) -> str:
        stream = StringIO()
        Printer(
            stream=stream,
            print_generic_format=self.args.print_op_generic if generic is None else generic,
            print_properties_as_attributes=self.args.print_no_properties,
            print_debuginfo=self.args.print_debuginfo,
        ).print_op(module)
        return stream.getvalue()

    # -- input and output --------------------------------------------------------------------------------------------

    def get_input_stream(self) -> tuple[IO[bytes], str]:
        """The whole input, checked to be text; a file of any name is taken for MLIR."""
        if self.args.input_file is None:
            data = sys.stdin.buffer.read()
        else:
            with open(self.args.input_file, "rb") as file:
                data = file.read()
        try:
            read_text(data, self.get_input_name())
        except UnicodeDecodeError as error:
            raise CompileError(f"{self.get_input_name()}: not UTF-8 text: {error.reason} at {error.start}") from error
        return BytesIO(data), "mlir"

    def parse_chunk(self, chunk: IO[bytes], file_extension: str, start_offset: int = 0) -> ModuleOp:
        self.progress = _Progress()
        text = chunk.read().decode("utf-8")
        # The parser lexes the first token at once, so that even making it can be a syntax error.
        self.progress.source = Source(self.ctx, text, self.get_input_name(), start_offset)
        try:
            return self.progress.source.parse_module(not self.args.no_implicit_module)
        except DiagnosticException as error:
            cap_notes(error)
            raise

    def prepare_output(self) -> IO[str]:
        self.output = sys.stdout if self.args.output_file is None else _KeptText()
        return self.output

    def output_resulting_program(self, prog: ModuleOp) -> str:
        self.progress.stage = _Stage.PRINTING
        return super().output_resulting_program(prog)

    def run(self) -> None:
        super().run()
        if isinstance(self.output, _KeptText):
            with open(self.args.output_file, "w", encoding="utf-8") as file:
                file.write(self.output.getvalue())

    # -- errors ------------------------------------------------------------------------------------------------------

    def report(self, error: BaseException) -> None:
        """Say on standard error what went wrong, and show the IR that a pass failed on."""
        progress = self.progress
        running = progress.failing_pass
        print(message(error, progress.source, progress.stage is _Stage.PARSING, running or ""), file=sys.stderr)
        if progress.stage is _Stage.CHECKING_RESULT:
            print(f"note: this is the result of {running}, which is at fault", file=sys.stderr)
        if running is not None and progress.module is not None:
            print(f"// IR at failure of {running}", file=sys.stderr)
            print(capped(self._text_or_reason(progress.module)), file=sys.stderr)

    def _text_or_reason(self, module: ModuleOp) -> str:
        """The IR, in generic form if its own syntax can't print what a failed pass left."""
        reason = ""
        for generic in (None, True):
            try:
                return self._text(module, generic)
            except Exception as error:
                reason = f"// it can't be printed: {type(error).__name__}: {error}"
        return reason


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code, except that usage errors and `--help` end the process by `SystemExit`."""
    harden_lexer()
    tool: NkiOpt | None = None
    verify_attribute, colored = Attribute.__post_init__, Diagnostic.colored
    try:
        tool = NkiOpt(argv)
        tool.run()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except (Exception, ArgSpecParseError) as error:
        if tool is None:
            print(message(error), file=sys.stderr)
        else:
            tool.report(error)
        print(python_traceback(error), end="", file=sys.stderr)
        return 1
    finally:  # what --disable-verify and --syntax-highlight change for the whole process
        Attribute.__post_init__, Diagnostic.colored = verify_attribute, colored
    return 0


def _mlir_target() -> type[Target]:
    from xdsl.targets.mlir import MLIRTarget

    return MLIRTarget


if __name__ == "__main__":
    sys.exit(main())
