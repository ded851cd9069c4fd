"""The standard pipelines, by name, and a pipeline as a value: built, cut, extended and applied to a module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from nki_mlir.dialects import LEVELS
from nki_mlir.errors import CompileError, InternalError, internal_errors, nearest_position, operation_at_fault
from nki_mlir.passes import KnownPasses, all_passes, plugin_passes
from nki_mlir.passes.stages import STAGES

if TYPE_CHECKING:
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Operation
    from xdsl.passes import ModulePass
    from xdsl.utils.arg_spec import ArgSpec


NAMED: dict[str, str] = {**STAGES, "lower-to-isa": ",".join(STAGES.values())}

_ENDS = {"tile-to-mem": "neuron.mem", "mem-to-engine": "neuron.engine", "engine-to-isa": "neuron.isa"}


def expand(spec: str) -> Iterator[ArgSpec]:
    """The specs of single passes that a text names; names of pipelines are written out. Raises CompileError."""
    from xdsl.utils.exceptions import ArgSpecParseError

    try:
        parsed = _parsed(spec)
    except ArgSpecParseError as error:
        raise CompileError(f"can't read the pipeline '{spec}': {error}") from None
    for one in parsed:
        if one.name in NAMED:
            if one.parameters:
                raise CompileError(
                    f"'{one.name}' is a pipeline and takes no options; give them to a pass: {NAMED[one.name]}"
                )
            yield from expand(NAMED[one.name])
        else:
            yield one


@cache
def _parsed(spec: str) -> tuple[ArgSpec, ...]:
    from xdsl.utils.arg_spec import parse_pipeline

    return tuple(parse_pipeline(spec))


def build(spec: str | Iterable[str | ModulePass], known: KnownPasses | None = None) -> list[ModulePass]:
    """Passes for a spec text, or for a list of texts and passes. Raises CompileError for an unknown name or option.

    `known` are the passes that a text may name: ours and xDSL's, unless given; those of other packages, which xDSL's
    entry points tell, come after them.
    """
    from xdsl.passes import ModulePass

    if not isinstance(spec, str):
        return [p for part in spec for p in ([part] if isinstance(part, ModulePass) else build(part, known))]
    known = all_passes() if known is None else known
    passes: list[ModulePass] = []
    for one in expand(spec):
        get = known.get(one.name) or plugin_passes().get(one.name)
        if get is None:
            raise CompileError(f"there is no pass '{one.name}'; there are {', '.join(sorted(known))}")
        try:
            passes.append(get().from_spec(one) if one.parameters else _without_options(get(), one.name))
        except ValueError as error:
            raise CompileError(f"pass {one.name}: {error}") from None
    return passes


@cache
def _without_options(pass_: type[ModulePass], name: str) -> ModulePass:
    """A pass is frozen, so that one does for all pipelines; xDSL takes as long to make it as some take to run."""
    from xdsl.utils.arg_spec import ArgSpec

    return pass_.from_spec(ArgSpec(name, {}))


class Pipeline:
    """A sequence of passes. Calling it on a module gives a lowered copy; the module itself stays as it was.

    `pipeline("lower-to-isa", stop_after="place")` cuts after the first pass of that name; `a + b` joins.
    """

    def __init__(self, passes: Iterable[ModulePass], target: str | None = None):
        self.passes, self.target = tuple(passes), target

    def __add__(self, other: Pipeline | str) -> Pipeline:
        more = other.passes if isinstance(other, Pipeline) else build(other)
        return Pipeline((*self.passes, *more), self.target)

    def __str__(self) -> str:
        return ",".join(str(p) for p in self.passes)

    def stop_after(self, name: str) -> Pipeline:
        """The passes up to and with the first one of that name."""
        for i, one in enumerate(self.passes):
            if one.name == name:
                return Pipeline(self.passes[: i + 1], self.target)
        raise CompileError(
            f"the pipeline has no pass '{name}'; it has {', '.join(dict.fromkeys(p.name for p in self.passes))}"
        )

    def __call__(self, module: ModuleOp, verify: bool = True) -> ModuleOp:
        result = module.clone()
        set_target(result, self.target)
        try:
            run(self.passes, result, verify=verify)
        except InternalError:
            verify_input(module)
            raise
        return result


def pipeline(
    spec_or_passes: str | Iterable[str | ModulePass], stop_after: str | None = None, target: str | None = None
) -> Pipeline:
    """A pipeline from a spec text (`"lower-to-isa"`, `"place,canonicalize"`) or a list of specs and passes.

    `target` (trn1, trn2, trn3, inf2) is set on modules that name none; a module that names another is a CompileError.
    """
    made = Pipeline(build(spec_or_passes), target)
    return made if stop_after is None else made.stop_after(stop_after)


def set_target(module: ModuleOp, target: str | None) -> None:
    """Makes a module name its target: the one that it names already, else this one, else the first there is."""
    from xdsl.dialects.builtin import StringAttr

    from nki_mlir.dialects.table_ops import target_of
    from nki_mlir.targets import TARGETS

    if target is not None and target not in TARGETS:
        raise CompileError(f"there is no target '{target}'; there are {', '.join(TARGETS)}")
    named = module.attributes.get("neuron.target")
    if isinstance(named, StringAttr) and target not in (None, named.data):
        raise CompileError(f"the module is for {named.data}; it can't be compiled for {target}")
    if named is None:
        module.attributes["neuron.target"] = StringAttr(target or TARGETS[0])
    target_of(module)


def verify_input(module: ModuleOp) -> None:
    """A module that a user made and that doesn't verify is a CompileError at the operation."""
    from xdsl.utils.exceptions import VerifyException

    from nki_mlir.passes.verify import verify_module

    with internal_errors("the verifier"):
        try:
            verify_module(module)
        except VerifyException as error:
            raise _at_fault(error, f"the module is not valid: {_first_line(error)}") from None


def run(
    passes: Iterable[ModulePass],
    module: ModuleOp,
    verify: bool = True,
    after: Callable[[ModulePass, ModuleOp], None] | None = None,
) -> None:
    """Applies passes in place. `after` is called after each; `verify` verifies after each, otherwise not at all."""
    from xdsl.context import Context
    from xdsl.utils.exceptions import PassFailedException

    from nki_mlir.collection import rare_collection
    from nki_mlir.dialects import load_all
    from nki_mlir.passes.verify import Verifier

    ctx, verifier = Context(), Verifier()
    load_all(ctx)
    with rare_collection():
        for one in passes:
            try:
                apply_pass(one, ctx, module)
            except CompileError:
                raise
            except PassFailedException as error:
                raise _at_fault(error, f"in pass {one.name}: {_first_line(error)}") from None
            if verify:
                verify_result(one, module, verifier.verify)
            if after is not None:
                after(one, module)


def apply_pass(one: ModulePass, ctx: Context, module: ModuleOp) -> None:
    """Applies a pass. By PassFailedException, such as CompileError, it refuses a module; whatever else escapes it is an
    InternalError."""
    from xdsl.utils.exceptions import PassFailedException

    from nki_mlir.collection import rare_collection

    passing = (PassFailedException,)
    with rare_collection(), internal_errors(f"pass {one.name}", passing=passing, owner=_owner(one)):
        one.apply(ctx, module)


def verify_result(one: ModulePass, module: ModuleOp, verify: Callable[[Operation], None]) -> None:
    """What a pass leaves must verify; if it doesn't, that is an InternalError of the pass."""
    with internal_errors(f"the result of pass {one.name}", owner=_owner(one)):
        verify(module)


def _owner(one: ModulePass) -> str:
    """Whose bug it is if a pass fails. What xDSL's passes fail on, ours have made."""
    package = type(one).__module__.partition(".")[0]
    return "nki-mlir" if package in ("nki_mlir", "xdsl") else package


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _at_fault(error: Exception, message: str) -> CompileError:
    op = operation_at_fault(error)
    place = nearest_position(op) if op is not None else None
    return CompileError(message, *place) if place is not None else CompileError(message)


def lower_levels(module: ModuleOp) -> dict[str, ModuleOp]:
    """A `tile` module lowered all the way: a copy at each level. The last pass of each level is verified."""
    from nki_mlir.collection import rare_collection
    from nki_mlir.passes.emit_streams import EmitStreams
    from nki_mlir.passes.verify import verify_module

    levels, current = {LEVELS[0]: module}, module
    with rare_collection():
        for stage, spec in STAGES.items():
            first, *passes = build(spec)
            if isinstance(first, EmitStreams):
                with internal_errors(f"pass {first.name}", passing=(CompileError,), owner=_owner(first)):
                    current = first.emit(current)
            else:
                current = current.clone() if current in levels.values() else current
                passes.insert(0, first)
            run(passes, current, verify=False)
            verify_result(passes[-1], current, verify_module)
            if stage in _ENDS:
                levels[_ENDS[stage]] = current
    return levels
