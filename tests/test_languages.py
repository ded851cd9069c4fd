"""One entry makes a function of a kernel language: its name in the namespaces, and the method of tensors."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

import nki_mlir.language as tl
import nki_mlir.nki.language as nl
from nki_mlir.frontend.builtin import Builtin, Language, Unsupported, functions_of
from nki_mlir.language import core, elementwise, math, memory, standard
from nki_mlir.nki import core as nki_core


def test_an_entry_is_a_name_and_a_method() -> None:
    language = Language("some", "sl")

    @language.function(member=True)
    def double(b: Any, x: Any) -> Any:
        """Twice x."""
        return b, x

    @language.function(member="to as_")
    def cast_(b: Any, x: Any) -> Any: ...

    @language.function()
    def alone(b: Any) -> Any: ...

    missing = language.unsupported("sort", member=True)
    assert (repr(double), double.__doc__, str(double.signature)) == ("sl.double", "Twice x.", "(x: 'Any') -> 'Any'")
    assert language.members == {"double": double, "to": cast_, "as_": cast_, **missing}
    assert functions_of({"double": double, "cast_": cast_, "twice": double, "n": 1, "sort": missing["sort"]}) == [
        "double",
        "twice",
    ]
    assert repr(alone) == "sl.alone"


@pytest.mark.parametrize(
    "namespace, modules",
    [(tl, (core, elementwise, memory, standard)), (tl.math, (elementwise, math)), (nl, (nki_core,))],
)
def test_namespaces_have_all_entries(namespace: ModuleType, modules: tuple[ModuleType, ...]) -> None:
    entries = {name for module in modules for name, found in vars(module).items() if isinstance(found, Builtin)}
    names = {name.removesuffix("_") for name in entries}
    assert names - set(namespace.__all__) <= ({"range"} if namespace is tl.math else set())
    assert len(namespace.__all__) == len(set(namespace.__all__))
    assert all(hasattr(namespace, name) for name in namespace.__all__)


@pytest.mark.parametrize("namespace", [tl, nl])
def test_a_star_takes_what_the_language_has(namespace: ModuleType) -> None:
    taken: dict[str, Any] = {}
    exec(f"from {namespace.__name__} import *", taken)
    known = set(namespace.__all__) | {"__builtins__"}
    assert set(taken) == known
    assert not {"Any", "Builder", "CompileError", "functions", "annotations"} & set(taken)


def test_methods_of_tensors() -> None:
    methods = elementwise.TRITON.members
    aliases = {"to": tl.cast, "view": tl.reshape}
    for name, found in methods.items():
        assert found is aliases.get(name) or found is getattr(tl, name)
    assert {"sum", "exp", "store", "to"} <= {name for name, found in methods.items() if isinstance(found, Builtin)}
    assert isinstance(methods["sort"], Unsupported) and "tanh" not in methods
    assert elementwise.TRITON.pointer_members == {"load": tl.load, "store": tl.store, "advance": tl.advance}
    assert elementwise.TRITON.descriptor_members == {
        "load": tl.load_tensor_descriptor,
        "store": tl.store_tensor_descriptor,
    }
    assert nki_core.NKI.members == {
        "astype": nl.static_cast,
        "broadcast_to": nl.broadcast_to,
        "expand_dims": nl.expand_dims,
    }
