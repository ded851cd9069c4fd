"""Programs of `neuron.isa` from their text, for what the builder of kernels has no form for."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.context import Context
from xdsl.parser import Parser

from nki_mlir.dialects import load_all
from nki_mlir.executor import RunResult, time_program


def timed(streams: str, tensors: Mapping[str, str], target: str) -> RunResult:
    """A program of one core, from its streams and from the types of its tensors."""
    context = Context()
    load_all(context)
    declared = "\n".join(f'neuron.isa.tensor "{name}" : {kind}' for name, kind in tensors.items())
    body = f"neuron.isa.program @stream {{\n{declared}\nneuron.isa.core 0 {{\n{streams}\n}}\n}}"
    text = f'builtin.module attributes {{neuron.target = "{target}"}} {{\n{body}\n}}'
    module = Parser(context, text, "stream.mlir").parse_module()
    module.verify()
    return time_program(module)
