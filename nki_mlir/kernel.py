"""`jit` and what it makes: Triton kernels, to be launched by `kernel[grid](...)`, compiled by `kernel.compile(...)`."""

from __future__ import annotations

import copy
import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from nki_mlir.compiled import LAUNCH_OPTIONS, CompiledKernel, Parameters, constant_argument
from nki_mlir.dialects.tile_programs import grid_problem
from nki_mlir.errors import CompileError, ExecutionError, InternalError, internal_errors
from nki_mlir.frontend import arrays
from nki_mlir.frontend.builtin import Language
from nki_mlir.frontend.call_site import placed
from nki_mlir.frontend.observed import Observations
from nki_mlir.frontend.source import KernelFunction, plain, unwrapped
from nki_mlir.frontend.trace import Traced, trace
from nki_mlir.known_launches import KnownLaunches
from nki_mlir.language.elementwise import TRITON

if TYPE_CHECKING:
    from nki_mlir.executor import RunResult

TARGET = "trn1"
"""The chip that kernels are compiled for unless told otherwise."""

JIT_OPTIONS = frozenset(
    "version repr launch_metadata do_not_specialize do_not_specialize_on_alignment debug noinline "
    "mode kernel_return experimental_flags platform_target show_compiler_tb".split()
)
"""Options of Triton's and NKI's decorators, which are ignored."""

_CACHE_SIZE = 256

_Cached = tuple[CompiledKernel | CompileError, Observations]
"""What compiling gave, and what that depends on besides the arguments."""

Alternatives = Callable[[Mapping[str, Any]], Iterator[dict[str, Any]]]
"""A decorator's part in a launch: from the arguments so far to alternatives of further ones."""

K = TypeVar("K", bound="Kernel")


class Kernel:
    """A Triton kernel.

    `kernel[grid](*args, **meta)` compiles for these arguments, unless that was done before, and runs; the grid is an
    integer, a tuple of up to three, or a function of the arguments' dict. `last_run` is the result of the last run.
    """

    language: ClassVar[Language] = TRITON

    def __init__(self, function: Callable[..., Any], target: str = TARGET, alternatives: Sequence[Alternatives] = ()):
        try:
            self.kernel_function = KernelFunction(function, self.language)
        except CompileError as error:
            raise placed(error) from None
        self.fn, self.target, self.alternatives = function, target, tuple(alternatives)
        self.last_run: RunResult | None = None
        self._cache: OrderedDict[Any, _Cached] = OrderedDict()
        self.__name__, self.__doc__, self.__module__ = function.__name__, function.__doc__, function.__module__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.__name__}>"

    def __getitem__(self, grid: Any) -> Launch:
        return Launch(self, grid)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise placed(CompileError(f"launch the kernel with a grid: {self.__name__}[grid](...)"))

    def compile(self, *args: Any, grid: Any = None, target: str | None = None, **meta: Any) -> CompiledKernel:
        """Compiles for these arguments; a kernel compiled for them before is used again."""
        try:
            with internal_errors(f"the compilation of {self.__name__}"):
                return self._compiled(grid, args, meta, target or self.target)[0]
        except CompileError as error:
            raise placed(error).with_traceback(None) from None
        except InternalError as error:
            raise error.with_traceback(None) from error.__cause__

    def trace(self, *args: Any, grid: Any = None, target: str | None = None, **meta: Any) -> Traced:
        """The kernel at the `tile` level, for these arguments; nothing is lowered and nothing is kept."""
        try:
            with internal_errors(f"the compilation of {self.__name__}"):
                return self._traced(args, grid, target or self.target, meta)
        except CompileError as error:
            raise placed(error).with_traceback(None) from None
        except InternalError as error:
            raise error.with_traceback(None) from error.__cause__

    def launch(self, grid: Any, args: Sequence[Any], meta: Mapping[str, Any]) -> Any:
        """Compiles and runs; what the kernel returns."""
        try:
            with internal_errors(f"the launch of {self.__name__}"):
                call = None if self._known is None else self._known.call(grid, args, meta)
                compiled = None if self._known is None or call is None else self._known.find(call)
                if compiled is not None and call is not None:
                    self.last_run = compiled.execute_plain(call.arrays)
                    return compiled.returned
                compiled, parameters = self._compiled(grid, args, meta, self.target)
                if self._known is not None and call is not None:
                    self._known.note(call, compiled, self._cache[parameters.key, self.target][1])
                self.last_run = compiled.execute(parameters)
                return compiled.returned
        except CompileError as error:
            raise placed(error).with_traceback(None) from None
        except (ExecutionError, InternalError) as error:
            raise error.with_traceback(None) from error.__cause__

    def with_alternatives(self: K, more: Alternatives) -> K:
        """This kernel with one more decorator around it."""
        made = copy.copy(self)
        made.alternatives, made.last_run, made._cache = (more, *self.alternatives), None, OrderedDict()
        made.__dict__.pop("_known", None)
        return made

    @cached_property
    def _known(self) -> KnownLaunches | None:
        """None where decorators or unusual parameters make more of a call than what it says."""
        names = self.kernel_function.plain_names
        if self.alternatives or names is None:
            return None
        parameters = self.kernel_function.signature.parameters.values()
        return KnownLaunches(names, {p.name: p.default for p in parameters if p.default is not p.empty})

    # From a call to compiled code.
    def _traced(self, args: Sequence[Any], grid: Any, target: str, meta: Mapping[str, Any]) -> Traced:
        """The kernel at `tile`, for the first of the decorators' alternatives."""
        _check_target(target)
        bound = next(_alternatives(self.alternatives, self._given(args, meta)))
        parameters = self._parameters(self._complete(bound), grid)
        return trace(
            self.kernel_function, parameters.memory, parameters.constants, parameters.grid, target, Observations()
        )

    def _compiled(
        self, grid: Any, args: Sequence[Any], meta: Mapping[str, Any], target: str
    ) -> tuple[CompiledKernel, Parameters]:
        """The first of the decorators' alternatives that compiles."""
        _check_target(target)
        given = self._given(args, meta)
        failed: CompileError | None = None
        for bound in _alternatives(self.alternatives, given):
            parameters = self._parameters(self._complete(bound), grid)
            compiled = self._cached(parameters, target)
            if isinstance(compiled, CompiledKernel):
                return compiled, parameters
            failed = failed or compiled
        assert failed is not None
        raise CompileError(failed.message, failed.file, failed.line, failed.column)

    def _cached(self, parameters: Parameters, target: str) -> CompiledKernel | CompileError:
        wanted = (parameters.key, target)
        found = self._cache.get(wanted)
        if found is None or not found[1].hold():
            found = self._cache[wanted] = self._build(parameters, target)
        self._cache.move_to_end(wanted)
        while len(self._cache) > _CACHE_SIZE:
            self._cache.popitem(last=False)
        return found[0]

    def _build(self, parameters: Parameters, target: str) -> _Cached:
        observed = Observations()
        try:
            return CompiledKernel.build(self.kernel_function, parameters, target, observed), observed
        except CompileError as error:
            if not self.alternatives:
                raise
            return error, observed

    def _given(self, args: Sequence[Any], meta: Mapping[str, Any]) -> dict[str, Any]:
        """The call's arguments by parameter, without defaults."""
        signature = self.kernel_function.signature
        options = {name for name in meta if name in LAUNCH_OPTIONS and name not in signature.parameters}
        named = {name: value for name, value in meta.items() if name not in options}
        plainly = self._plainly(args, named)
        if plainly is not None:
            return plainly
        try:
            bound = signature.bind_partial(*args, **named)
        except TypeError as error:
            raise CompileError(f"{self.__name__}: {error}; it is {self.__name__}{_bare(signature)}") from None
        return dict(bound.arguments)

    def _plainly(self, args: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any] | None:
        """What `inspect` would bind, where all parameters can be given either way: it takes longer than small kernels.
        None where it has something to say."""
        names = self.kernel_function.plain_names
        if names is None or len(args) > len(names):
            return None
        first, rest = names[: len(args)], names[len(args) :]
        found = dict(zip(first, args, strict=True)) | {name: named[name] for name in rest if name in named}
        return found if len(found) == len(args) + len(named) else None

    def _complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments in order, defaults filled in."""
        complete: dict[str, Any] = {}
        for name, parameter in self.kernel_function.signature.parameters.items():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise CompileError(f"{self.__name__}: a kernel can't have '*{name}' parameters")
            if name not in given and parameter.default is parameter.empty:
                kind = "constexpr argument" if name in self.kernel_function.constexprs else "argument"
                raise CompileError(f"{self.__name__}: missing {kind} '{name}'")
            complete[name] = plain(unwrapped(given.get(name, parameter.default)))
        return complete

    def _parameters(self, complete: Mapping[str, Any], grid: Any) -> Parameters:
        found: dict[str, arrays.ArrayArg] = {}
        constants: dict[str, Any] = {}
        for name, value in complete.items():
            if not arrays.is_array(value):
                constants[name] = constant_argument(self.kernel_function, name, value)
            elif name in self.kernel_function.constexprs:
                raise CompileError(f"argument '{name}' is a constexpr, but an array was passed")
            else:
                found[name] = arrays.array_arg(value, name, pointer=self.language.name == "triton")
        return Parameters(arrays.memory_of(found), found, constants, self.grid(grid, complete))

    def grid(self, grid: Any, complete: Mapping[str, Any]) -> tuple[int, ...]:
        """The number of programs along each axis."""
        if grid is None:
            raise CompileError(f"{self.__name__} needs a grid: compile(..., grid=...) or {self.__name__}[grid](...)")
        if callable(grid):
            try:
                grid = grid(dict(complete))
            except Exception as error:
                raise CompileError(f"the grid function raised {type(error).__name__}: {error}") from None
        sizes = tuple(plain(n) for n in grid) if isinstance(grid, tuple | list) else (plain(grid),)
        if any(not isinstance(n, int) or isinstance(n, bool) for n in sizes):
            raise CompileError(f"a grid is 1 to 3 integers, got {grid!r}")
        if (problem := grid_problem(sizes)) is not None:
            raise CompileError(f"{self.__name__}: {problem}")
        return sizes


@dataclass(frozen=True)
class Launch:
    """`kernel[grid]`, to be called with the kernel's arguments."""

    kernel: Kernel
    grid: Any

    def __call__(self, *args: Any, **meta: Any) -> Any:
        return self.kernel.launch(self.grid, args, meta)


def _check_target(target: str) -> None:
    from nki_mlir.targets import TARGETS

    if target not in TARGETS:
        raise CompileError(f"there is no target {target!r}; there are {', '.join(TARGETS)}")


def _bare(signature: inspect.Signature) -> str:
    return str(
        signature.replace(
            parameters=[p.replace(annotation=p.empty) for p in signature.parameters.values()],
            return_annotation=inspect.Signature.empty,
        )
    )


def _alternatives(decorators: Sequence[Alternatives], given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The arguments that the decorators make of a call's, outermost decorator first."""
    if not decorators:
        yield given
        return
    for more in decorators[0](given):
        yield from _alternatives(decorators[1:], {**given, **more})


@overload
def jit(function: Callable[..., Any], /) -> Kernel: ...
@overload
def jit(*, target: str = TARGET, **options: Any) -> Callable[[Callable[..., Any]], Kernel]: ...
def jit(function: Callable[..., Any] | None = None, /, *, target: str = TARGET, **options: Any) -> Any:
    """Makes a Triton kernel of a function. Triton's own options are accepted and have no effect."""
    return decorate(Kernel, function, target, options)


def decorate(cls: type[Kernel], function: Any, target: str, options: Mapping[str, Any]) -> Any:
    """What a `jit` that makes such kernels gives: a kernel or, where there is no function yet, a decorator."""
    try:
        _check_target(target)
        unknown = sorted(options.keys() - JIT_OPTIONS)
        if unknown:
            raise CompileError(f"jit has no option '{unknown[0]}'")
    except CompileError as error:
        raise placed(error) from None
    return cls(function, target) if function is not None else lambda f: cls(f, target)


class Config:
    """One choice for `autotune`: values of constexpr arguments, and launch options, which have no effect here."""

    def __init__(self, kwargs: Mapping[str, Any], **options: Any):
        self.kwargs, self.options = dict(kwargs), options

    def __repr__(self) -> str:
        return f"Config({self.kwargs})"


def autotune(configs: Sequence[Config], key: Sequence[str] = (), **options: Any) -> Callable[[K], K]:
    """Takes the first configuration that compiles; there is no timing. Further options of Triton's have no effect."""
    if not configs:
        raise placed(CompileError("autotune needs at least one Config"))

    def alternatives(given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for config in configs:
            clash = sorted(config.kwargs.keys() & given.keys())
            if clash:
                raise CompileError(f"'{clash[0]}' is set by autotune and can't be passed as well")
            yield config.kwargs

    return lambda kernel: _on_kernel(kernel, "autotune").with_alternatives(alternatives)


def heuristics(values: Mapping[str, Callable[[Mapping[str, Any]], Any]]) -> Callable[[K], K]:
    """Computes arguments from the others: a table of functions of the arguments' dict."""

    def alternatives(given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        known = dict(given)
        for name, function in values.items():
            try:
                known[name] = function(known)
            except Exception as error:
                raise CompileError(f"the heuristic for '{name}' raised {type(error).__name__}: {error}") from None
        yield {name: known[name] for name in values}

    return lambda kernel: _on_kernel(kernel, "heuristics").with_alternatives(alternatives)


def _on_kernel(kernel: K, decorator: str) -> K:
    if not isinstance(kernel, Kernel):
        raise placed(CompileError(f"{decorator} decorates a kernel; put it above @jit"))
    return kernel


def cdiv(x: int, y: int) -> int:
    """x / y, rounded up."""
    return -(-x // y)


def next_power_of_2(n: int) -> int:
    """The smallest power of two that is not less than n."""
    return 1 << max(0, n - 1).bit_length()
