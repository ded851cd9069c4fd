"""A kernel compiled for certain arguments: its IR at every level, and how to run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import ModuleOp

from nki_mlir.dialects import LEVELS
from nki_mlir.errors import CompileError, ExecutionError, InternalError, internal_errors
from nki_mlir.frontend import arrays
from nki_mlir.frontend.arrays import ArgumentBuffers, ArrayArg
from nki_mlir.frontend.call_site import placed
from nki_mlir.frontend.dtypes import numpy_dtype
from nki_mlir.frontend.observed import Observations, key
from nki_mlir.frontend.source import KernelFunction, plain, unwrapped
from nki_mlir.frontend.trace import ReturnedArray, Traced, as_argument, trace
from nki_mlir.frontend.values import describe
from nki_mlir.recursion import deep_recursion

if TYPE_CHECKING:
    import numpy as np

    from nki_mlir.executor import RunResult
    from nki_mlir.executor.checks import Checks
    from nki_mlir.executor.executable import Executable, Mode


@dataclass(frozen=True)
class Parameters:
    """A call's arguments: the arrays by parameter and as memory, the compile-time rest, and the grid."""

    memory: ArgumentBuffers
    arrays: Mapping[str, ArrayArg]
    constants: Mapping[str, Any]
    grid: tuple[int, ...]

    def emptied(self) -> Parameters:
        """These without the arrays' memory, which is the caller's."""
        held = {name: array.emptied() for name, array in self.arrays.items()}
        memory = replace(self.memory, arrays=tuple(array.emptied() for array in self.memory.arrays))
        return replace(self, memory=memory, arrays=held)

    @property
    def key(self) -> Any:
        """What the compiled code depends on."""
        types = tuple((name, array.key) for name, array in self.arrays.items())
        constants = tuple((name, key(value)) for name, value in self.constants.items())
        return types, self.memory.key, constants, self.grid


LAUNCH_OPTIONS = frozenset(
    "num_warps num_stages num_ctas maxnreg waves_per_eu matrix_instr_nonkdim enable_fp_fusion warmup".split()
)
"""Triton's launch options, which have no meaning on this machine and are ignored."""


def constant_argument(function: KernelFunction, name: str, value: Any) -> Any:
    """An argument that is no array, as the kernel sees it."""
    value = plain(unwrapped(value))
    if any(arrays.is_array(item) for item in (value if isinstance(value, tuple | list) else ())):
        raise CompileError(f"argument '{name}' is a tuple of arrays; pass each array as an argument of its own")
    if type(value) is list:
        value = tuple(value)
    return as_argument(value, name in function.constexprs) if function.language.name == "triton" else value


class CompiledKernel:
    """What `kernel.compile` gives.

    `ir(level)` is the MLIR text and `module(level)` the module at "tile", "neuron.mem", "neuron.engine" or
    "neuron.isa".
    `run(*args)` writes the output arrays and gives the run's result; what an NKI kernel returns is then in `returned`.
    """

    def __init__(
        self,
        function: KernelFunction,
        parameters: Parameters,
        target: str,
        traced: Traced,
        modules: dict[str, ModuleOp],
    ):
        self.name, self.target, self.grid = function.name, target, parameters.grid
        self.traced, self.returned = traced, None
        self._function, self._parameters, self._modules = function, parameters.emptied(), modules

    @classmethod
    def build(
        cls, function: KernelFunction, parameters: Parameters, target: str, observed: Observations
    ) -> CompiledKernel:
        """Compiles through all levels; `observed` notes what the kernel reads from outside. Raises CompileError."""
        from nki_mlir.passes.pipelines import lower_levels

        traced = trace(function, parameters.memory, parameters.constants, parameters.grid, target, observed)
        try:
            with deep_recursion():
                modules = lower_levels(traced.module)
        except RecursionError:
            raise CompileError(
                f"an expression of '{function.name}' is nested too deeply; use several statements", *function.position
            ) from None
        return cls(function, parameters, target, traced, {**modules, "tile": traced.module})

    def module(self, level: str) -> ModuleOp:
        """The module at a level."""
        found = self._modules.get(level)
        if found is None:
            raise placed(CompileError(f"there is no level {level!r}; there are {', '.join(LEVELS)}"))
        return found

    def ir(self, level: str) -> str:
        """The MLIR text at a level."""
        return str(self.module(level))

    def run(
        self, *args: Any, seed: int | None = None, checks: Checks = True, mode: Mode = "plan", **meta: Any
    ) -> RunResult:
        """Runs on these arguments: the arrays alone, or all as they were given to `compile`. Arrays must be like those
        compiled for, and everything else equal.

        `seed` perturbs the engines' timing, which must not change results; `checks` looks for races, reads of bytes
        never written or undefined, misuse of PSUM and buffers that overlap. `checks="strict"` also reports uses of what
        a masked `tl.load` without `other` left out, which reads as zero here. `mode="events"` runs every event again,
        where "plan" takes over from an earlier run what does not depend on data.
        """
        try:
            with internal_errors(f"the run of {self.name}", limit=ExecutionError):
                given = self._arrays(args, meta)
                self._check(given)
                memory = arrays.memory_of(given)
                return self.execute(
                    Parameters(memory, given, self._parameters.constants, self.grid), seed, checks, mode
                )
        except (CompileError, ExecutionError, InternalError) as error:
            raise error.with_traceback(None) from error.__cause__

    @cached_property
    def executable(self) -> Executable:
        """The program, and what its runs so far have found out about it."""
        from nki_mlir.executor.executable import Executable

        return Executable(self._modules["neuron.isa"])

    def execute(
        self, parameters: Parameters, seed: int | None = None, checks: Checks = True, mode: Mode = "plan"
    ) -> RunResult:
        """Runs on arguments that are known to fit."""
        memory = parameters.memory
        self._check_outputs(memory)
        as_torch = bool(parameters.arrays) and all(a.library == "torch" for a in parameters.arrays.values())
        return self._execute([a.seen for a in memory.arrays], memory.apart, as_torch, seed, checks, mode)

    def execute_plain(self, given: Sequence[np.ndarray[Any, Any]]) -> RunResult:
        """Runs on NumPy arrays that are known to fit, one for each array parameter, none of which overlap."""
        for slot in self.traced.written:
            if slot < len(given) and not given[slot].flags.writeable:
                raise self._read_only(slot, "read-only")
        return self._execute(given, True, False)

    def _execute(
        self,
        given: Sequence[np.ndarray[Any, Any]],
        apart: bool,
        as_torch: bool,
        seed: int | None = None,
        checks: Checks = True,
        mode: Mode = "plan",
    ) -> RunResult:
        made = [np_zeros(o.shape, numpy_dtype(o.dtype)) for o in self.traced.outputs]
        seen = [*given, *made]
        data = [arrays.as_stored(array) for array in seen]
        empty, wanted = self._written
        result = self.executable.run(
            data,
            seed=seed,
            checks=checks,
            uninitialised=empty,
            outputs=wanted,
            mode=mode,
            apart=apart,
        )
        self.returned = _returned(self.traced.returned, seen, as_torch)
        return result

    @cached_property
    def _written(self) -> tuple[frozenset[int], tuple[int, ...]]:
        """Which of the program's tensors begin without content, and which of them it is to write."""
        outputs = self.traced.outputs
        first = len(self._parameters.memory.arrays)
        empty = frozenset(first + k for k, output in enumerate(outputs) if not output.filled)
        wanted = (self.traced.written - empty) | (_arguments(self.traced.returned) & empty)
        return empty, tuple(sorted(wanted)) if all(self.grid) else ()

    # Checks of a call against what was compiled.
    def _arrays(self, args: Sequence[Any], meta: Mapping[str, Any]) -> dict[str, ArrayArg]:
        """The arrays of a call by parameter: given as to compile, or the arrays alone."""
        wanted = self._parameters.arrays
        if len(args) == len(wanted) and not meta and all(arrays.is_array(a) for a in args):
            values = dict(zip(wanted, args, strict=True))
        else:
            values = dict(zip(self._function.signature.parameters, args, strict=False)) | dict(meta)
            self._check_constants(values)
        missing = [name for name in wanted if not arrays.is_array(values.get(name))]
        if missing or len(args) > len(self._function.signature.parameters):
            given = sum(arrays.is_array(value) for value in (*args, *meta.values()))
            which = f"; '{missing[0]}' is missing" if missing else ""
            raise ExecutionError(f"{self.name} takes {len(wanted)} arrays ({', '.join(wanted)}), got {given}{which}")
        try:
            return {
                name: arrays.array_arg(values[name], name, pointer=self._function.language.name == "triton")
                for name in wanted
            }
        except CompileError as error:
            raise ExecutionError(error.message) from None

    def _check_constants(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if name not in self._function.signature.parameters and name not in LAUNCH_OPTIONS:
                raise ExecutionError(f"{self.name}: it has no argument '{name}'")
            if name in self._parameters.constants:
                then = self._parameters.constants[name]
                now = constant_argument(self._function, name, value)
                if key(now) != key(then):
                    raise ExecutionError(f"argument '{name}': compiled for {describe(then)}, got {describe(now)}")

    def _check(self, given: Mapping[str, ArrayArg]) -> None:
        for name, array in given.items():
            compiled = self._parameters.arrays[name]
            if array.key != compiled.key:
                detail = f"{compiled}, got {array}"
                if str(compiled) == str(array):
                    detail = f"{compiled} with strides {compiled.strides}, got strides {array.strides}"
                raise ExecutionError(f"argument '{name}': compiled for {detail}")
        now, then = arrays.memory_of(given), self._parameters.memory
        if now.key != then.key:
            names = list(given)
            pairs = ((a, b) for i, b in enumerate(names) for a in names[:i])
            a, b = next(p for p in pairs if _relation(now, *p) != _relation(then, *p))
            raise ExecutionError(
                f"argument '{b}' {_relation(now, a, b)} '{a}', but the kernel was compiled for one that "
                f"{_relation(then, a, b)} it"
            )

    def _check_outputs(self, memory: ArgumentBuffers) -> None:
        for slot, array in enumerate(memory.arrays):
            if slot in self.traced.written and not array.writable:
                raise self._read_only(
                    slot, "a JAX array, which can't be written" if array.library == "jax" else "read-only"
                )

    def _read_only(self, slot: int, kind: str) -> ExecutionError:
        return ExecutionError(f"argument '{self._parameters.memory.names[slot]}' is an output, but it is {kind}")


def _relation(memory: ArgumentBuffers, a: str, b: str) -> str:
    """How the second array lies to the first."""
    first, second = memory.slots[a], memory.slots[b]
    if first == second:
        return "is the same as"
    return "overlaps" if memory.groups[first] == memory.groups[second] else "lies apart from"


def np_zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    import numpy as np

    return np.zeros(shape, dtype)


def _arguments(returned: Any) -> set[int]:
    """Which of the module's arguments a kernel returns."""
    if isinstance(returned, tuple):
        return set[int]().union(*map(_arguments, returned))
    return {returned.argument} if isinstance(returned, ReturnedArray) else set()


def _returned(returned: Any, data: Sequence[np.ndarray], as_torch: bool) -> Any:
    """What the kernel returns, made of the arrays that it ran on."""
    if isinstance(returned, tuple):
        return tuple(_returned(item, data, as_torch) for item in returned)
    if not isinstance(returned, ReturnedArray):
        return returned
    array = data[returned.argument].reshape(returned.shape)
    return arrays.to_torch(array) if as_torch else array
