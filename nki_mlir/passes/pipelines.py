"""The standard pipelines, by name, and a pipeline as a value: built, cut, extended and applied to a module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from nki_mlir.dialects import LEVELS
from nki_mlir.errors import CompileError
from nki_mlir.passes import all_passes

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.passes import ModulePass
    from xdsl.utils.arg_spec import ArgSpec

_CLEAN = "canonicalize,cse,dce"

STAGES: dict[str, str] = {
    "tile": f"normalize-loops,structure-accesses,{_CLEAN},map-programs,{_CLEAN}",
    "tile-to-mem": f"place,{_CLEAN},split-to-hardware-tiles,promote-accumulators,peel-tails,{_CLEAN}",
    "mem-to-engine": f"select-instructions,{_CLEAN},multi-buffer,allocate",
    "engine-to-isa": "emit-streams,insert-semaphores",
}
"""The lowering, cut where a level is complete: after `tile-to-mem` the module is at `neuron.mem`, and so on."""

NAMED: dict[str, str] = {**STAGES, "lower-to-isa": ",".join(STAGES.values())}

_ENDS = {"tile-to-mem": "neuron.mem", "mem-to-engine": "neuron.engine", "engine-to-isa": "neuron.isa"}


def expand(spec: str) -> Iterator[ArgSpec]:
    """The specs of single passes that a text names; names of pipelines are written out. Raises CompileError."""
    from xdsl.utils.arg_spec import parse_pipeline
    from xdsl.utils.exceptions import ArgSpecParseError

    try:
        parsed = list(parse_pipeline(spec))
    except ArgSpecParseError as error:
        raise CompileError(f"can't read the pipeline '{spec}': {error}") from None
    for one in parsed:
        if one.name in NAMED:
            yield from expand(NAMED[one.name])
        else:
            yield one


def build(spec: str | Iterable[str | ModulePass]) -> list[ModulePass]:
    """Passes for a spec text, or for a list of texts and passes. Raises CompileError for an unknown name or option."""
    from xdsl.passes import ModulePass

    if not isinstance(spec, str):
        return [p for part in spec for p in ([part] if isinstance(part, ModulePass) else build(part))]
    known = all_passes()
    passes: list[ModulePass] = []
    for one in expand(spec):
        if one.name not in known:
            raise CompileError(f"there is no pass '{one.name}'; there are {', '.join(sorted(known))}")
        try:
            passes.append(known[one.name]().from_spec(one))
        except ValueError as error:
            raise CompileError(f"pass {one.name}: {error}") from None
    return passes


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
        run(self.passes, result, verify=verify)
        return result


def pipeline(
    spec_or_passes: str | Iterable[str | ModulePass], stop_after: str | None = None, target: str | None = None
) -> Pipeline:
    """A pipeline from a spec text (`"lower-to-isa"`, `"place,canonicalize"`) or a list of specs and passes.

    `target` (trn1, trn2, trn3) is set on modules that name none; a module that names another is a CompileError.
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


def run(
    passes: Iterable[ModulePass],
    module: ModuleOp,
    verify: bool = True,
    after: Callable[[ModulePass, ModuleOp], None] | None = None,
) -> None:
    """Applies passes in place. `after` is called after each; `verify` verifies after each, otherwise not at all."""
    from xdsl.context import Context
    from xdsl.utils.exceptions import DiagnosticException

    from nki_mlir.dialects import load_all
    from nki_mlir.passes.verify import verify_module

    ctx = Context()
    load_all(ctx)
    for one in passes:
        try:
            one.apply(ctx, module)
            if verify:
                verify_module(module)
        except CompileError:
            raise
        except DiagnosticException as error:
            raise CompileError(f"in pass {one.name}: {str(error).splitlines()[0]}") from error
        if after is not None:
            after(one, module)


def lower_levels(module: ModuleOp) -> dict[str, ModuleOp]:
    """A `tile` module lowered all the way: a copy at each level. The last pass of each level is verified."""
    from nki_mlir.passes.verify import verify_module

    levels = {LEVELS[0]: module}
    current = module.clone()
    for stage, spec in STAGES.items():
        run(build(spec), current, verify=False)
        verify_module(current)
        if stage in _ENDS:
            levels[_ENDS[stage]] = current.clone()
    return levels
