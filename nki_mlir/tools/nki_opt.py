"""`nki-opt`: parse MLIR text at any level, run passes over it, print it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from inspect import signature
from io import BytesIO, StringIO
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute
from xdsl.passes import ModulePass, PassPipeline
from xdsl.printer import Printer
from xdsl.utils.arg_spec import parse_pipeline, parse_spec
from xdsl.utils.diagnostic import Diagnostic
from xdsl.utils.exceptions import DiagnosticException, VerifyException
from xdsl.utils.target import Target
from xdsl.xdsl_opt_main import xDSLOptMain

from nki_mlir.dialects import load_all
from nki_mlir.errors import CompileError, internal_errors
from nki_mlir.op_parser import OpParser
from nki_mlir.parsing import harden_lexer
from nki_mlir.passes import all_passes
from nki_mlir.passes.pipelines import apply_pass, build, set_target, verify_result
from nki_mlir.passes.verify import Verifier
from nki_mlir.tools.diagnostics import cap_notes, capped, guarded, message
from nki_mlir.tools.outputs import check_outputs, text_writer, write_files
from nki_mlir.tools.source import read_input

if TYPE_CHECKING:
    from nki_mlir.tools.pass_report import PassReport

LOWER_TO_ISA = "lower-to-isa"
TO_STDOUT = (None, "-")
"""Values of -o for which there is no file."""


class _KeptText(StringIO):
    """An output file's text; the driver closes it, and it is written to the file once all went well."""

    def close(self) -> None:
        pass


@dataclass
class _Progress:
    """How far a chunk of the input has come, for the message if it fails; `failing_pass` is the one that is running,
    or whose result is being checked."""

    failing_pass: str | None = None
    source: OpParser | None = None
    module: ModuleOp | None = None
    verifier: Verifier = field(default_factory=Verifier)
    started: float = field(default_factory=time.perf_counter)


class NkiOpt(xDSLOptMain):
    """xDSL's driver with our dialects, passes and messages."""

    version_format = "nki-opt on xdsl {xdsl_version}"

    def __init__(self, args: Sequence[str] | None = None):
        self.progress = _Progress()
        self.report_of_passes: PassReport | None = None
        self.lowers = False
        self.output: IO[str] = sys.stdout
        super().__init__("Runs compiler passes over MLIR text of the Neuron dialects.", args)

    # -- what the driver knows ---------------------------------------------------------------------------------------

    def register_all_dialects(self) -> None:
        load_all(self.ctx)

    def register_all_passes(self) -> None:
        for name, get in all_passes().items():
            self.register_pass(name, get)

    def register_all_frontends(self) -> None:
        """Only MLIR text; xDSL would import those of every installed package."""
        self.available_frontends["mlir"] = lambda text: self.parse_chunk(text, "mlir")

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
            help="The chip to compile for: trn1, trn2, trn3 or inf2. Needed only where the module doesn't name one; "
            "trn1 if it is to be lowered",
        )
        arg_parser.add_argument(
            "--report-passes",
            metavar="FOLDER",
            type=Path,
            help="Write the IR after every pass there, and a page, passes.html, with what each of them changed",
        )
        arg_parser.add_argument(
            "--print-ir-after-all", action="store_true", help="Print the IR after every pass, to standard error"
        )

    # -- passes ------------------------------------------------------------------------------------------------------

    def setup_pipeline(self) -> None:
        spec = ",".join(filter(None, (LOWER_TO_ISA if self.args.lower_to_isa else "", self.args.passes)))
        self.lowers = any(one.name == LOWER_TO_ISA for one in parse_pipeline(spec))
        if self.args.output_file not in TO_STDOUT:
            check_outputs([Path(self.args.output_file)])
        self._check_report_options()
        self._check_target_options()
        self.pipeline = PassPipeline(tuple(build(spec, self.available_passes)), self._between_passes)

    def _check_report_options(self) -> None:
        if self.args.report_passes is None:
            return
        from nki_mlir.tools.pass_report import check_folder

        check_folder(self.args.report_passes)
        if self.args.split_input_file:
            raise CompileError("--report-passes is of one module: it can't be used with --split-input-file")

    def _check_target_options(self) -> None:
        """Those of --target, which xDSL looks at only once it prints."""
        spec = parse_spec(self.args.target)
        factory = self.available_targets[spec.name]
        try:
            if not signature(factory).parameters:
                cast("Callable[[], type[Target]]", factory)().from_spec(spec)
        except ValueError as error:
            raise CompileError(f"--target {spec.name}: {error}") from None

    def apply_passes(self, prog: ModuleOp) -> None:
        self.progress.module = prog
        self._set_target(prog)
        if self.args.report_passes is not None:
            self._begin_report(prog)
        passes = self.pipeline.passes
        try:
            for previous, following in pairwise((None, *passes, None)):
                self._between_passes(previous, prog, following)
                if following is not None:
                    apply_pass(following, self.ctx, prog)
        except DiagnosticException as error:
            cap_notes(error)
            raise

    def _set_target(self, module: ModuleOp) -> None:
        """Record the chip on the module: passes and verifiers look for it there and nowhere else."""
        if self.args.chip is None and not self.lowers:
            return
        set_target(module, self.args.chip)

    def _between_passes(self, previous: ModulePass | None, module: ModuleOp, following: ModulePass | None) -> None:
        progress = self.progress
        if previous is not None and self.args.time_passes:
            print(f"Pass {previous.name} took {time.perf_counter() - progress.started} seconds", file=sys.stderr)
        if not self.args.disable_verify:
            self._verify(previous, module)
        if previous is not None:
            self._print_after(previous, module, following)
            if self.report_of_passes is not None:
                self.report_of_passes.after(previous, module)
        progress.failing_pass = str(following) if following is not None else None
        progress.started = time.perf_counter()

    def _verify(self, previous: ModulePass | None, module: ModuleOp) -> None:
        if previous is not None:
            verify_result(previous, module, self.progress.verifier.verify)
            return
        with internal_errors("the verifier", passing=(VerifyException,)):
            self.progress.verifier.verify(module)

    def _print_after(self, previous: ModulePass, module: ModuleOp, following: ModulePass | None) -> None:
        if self.args.print_ir_after_all or (self.args.print_between_passes and following is not None):
            print(f"// -----// IR after {previous} //----- //\n{self._text(module)}", file=sys.stderr)

    def _begin_report(self, module: ModuleOp) -> None:
        from nki_mlir.tools.pass_report import PassReport

        source = self.progress.source
        assert source is not None
        self.report_of_passes = PassReport(self.get_input_name(), source.lexer.input.content)
        self.report_of_passes.add("input", module)

    def _text(self, module: ModuleOp, generic: bool | None = None) -> str:
        stream = StringIO()
        printer = Printer(
            stream=stream,
            print_generic_format=self.args.print_op_generic if generic is None else generic,
            print_properties_as_attributes=self.args.print_no_properties,
            print_debuginfo=self.args.print_debuginfo,
        )
        with self._unlocated(module):
            printer.print_op(module)
        return stream.getvalue()

    def _unlocated(self, module: ModuleOp) -> AbstractContextManager[None]:
        source = self.progress.source
        return source.unlocated(module) if self.args.print_debuginfo and source is not None else nullcontext()

    # -- input and output --------------------------------------------------------------------------------------------

    def get_input_name(self) -> str:
        return "stdin" if self.args.input_file in (None, "-") else self.args.input_file

    def get_input_stream(self) -> tuple[IO[bytes], str]:
        """The whole input, checked to be text; a file of any name but Python's is taken for MLIR."""
        return BytesIO(read_input(self.args.input_file)[0].encode()), "mlir"

    def parse_chunk(self, chunk: IO[bytes], file_extension: str, start_offset: int = 0) -> ModuleOp:
        self.progress = _Progress()
        text = chunk.read().decode("utf-8")
        # The parser lexes the first token at once, so that even making it can be a syntax error.
        self.progress.source = OpParser(self.ctx, text, self.get_input_name(), start_offset)
        module = self.progress.source.parse_module(not self.args.no_implicit_module)
        self.progress.source.locate()
        return module

    def prepare_output(self) -> IO[str]:
        self.output = sys.stdout if self.args.output_file in TO_STDOUT else _KeptText()
        return self.output

    def output_resulting_program(self, prog: ModuleOp) -> str:
        with internal_errors("the printer", passing=(DiagnosticException,)), self._unlocated(prog):
            return super().output_resulting_program(prog)

    def run(self) -> None:
        super().run()
        if self.report_of_passes is not None:
            self.report_of_passes.write(self.args.report_passes)
        if isinstance(self.output, _KeptText):
            write_files([(Path(self.args.output_file), text_writer(self.output.getvalue()))])

    # -- errors ------------------------------------------------------------------------------------------------------

    def report(self, error: BaseException) -> None:
        """Say on standard error what went wrong, and show the IR that a pass failed on."""
        progress = self.progress
        print(message(error, progress.source), file=sys.stderr)
        if progress.failing_pass is not None and progress.module is not None:
            print(f"// IR at failure of {progress.failing_pass}", file=sys.stderr)
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


def main(argv: Sequence[str] | None = None, driver: type[NkiOpt] = NkiOpt) -> int:
    """The command; returns its exit code, except that usage errors and `--help` end the process by `SystemExit`.

    `driver` may be a subclass that registers passes of its own.
    """
    harden_lexer()
    tool: NkiOpt | None = None

    def work() -> None:
        nonlocal tool
        tool = driver(argv)
        tool.run()

    def report(error: BaseException) -> None:
        if tool is None:
            print(message(error), file=sys.stderr)
        else:
            tool.report(error)

    verify_attribute, colored = Attribute.__post_init__, Diagnostic.colored
    try:
        return guarded("nki-opt", work, report)
    finally:  # what --disable-verify and --syntax-highlight change for the whole process
        Attribute.__post_init__, Diagnostic.colored = verify_attribute, colored


def _mlir_target() -> type[Target]:
    from xdsl.targets.mlir import MLIRTarget

    return MLIRTarget


if __name__ == "__main__":
    sys.exit(main())
