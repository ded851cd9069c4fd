"""The functions of the kernel languages: real Python objects with a signature and a docstring, which emit operations
when a kernel that is being compiled calls them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from nki_mlir.errors import CompileError
from nki_mlir.frontend.values import Unexpected


class OutsideKernel(CompileError):
    """A kernel function was called by ordinary Python code."""


class Builtin:
    """A function of a kernel language.

    `body` takes the builder, then the kernel's arguments: numbers, tuples and so on as they are, what the program
    computes as a `Value`. `host`, where there is one, serves calls from outside a kernel. `memory` marks functions
    whose result depends on, or changes, memory.
    """

    def __init__(
        self, body: Callable[..., Any], name: str, memory: bool = False, host: Callable[..., Any] | None = None
    ):
        self.body, self.name, self.memory, self.host = body, name, memory, host
        signature = inspect.signature(body)
        self.signature = self.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])
        self.__doc__ = body.__doc__
        self.__name__ = name.rpartition(".")[2]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.host is not None:
            return self.host(*args, **kwargs)
        raise OutsideKernel(f"{self.name} can be called only inside a kernel (a function decorated with jit)")

    def __repr__(self) -> str:
        return self.name

    def emit(self, builder: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call, from a kernel; the builder is for the body alone."""
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise CompileError(f"{self.name}: {error}; it is {self.name}{self._shown()}") from None
        try:
            return self.body(builder, *bound.args, **bound.kwargs)
        except Unexpected as error:
            names = [name for name, value in bound.arguments.items() if value is error.value]
            where = f"{self.name}: argument '{names[0]}'" if names else self.name
            raise CompileError(f"{where}: {error.message}") from None

    def _shown(self) -> str:
        bare = [p.replace(annotation=inspect.Parameter.empty) for p in self.signature.parameters.values()]
        return str(inspect.Signature(bare))


class Unsupported:
    """A name that the language has and this compiler does not: an error where a kernel reads it."""

    def __init__(self, name: str, hint: str = ""):
        self.name, self.hint = name, hint

    def __repr__(self) -> str:
        return self.name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise self.error()

    def error(self) -> CompileError:
        return CompileError(f"{self.name} is not supported yet" + (f"; {self.hint}" if self.hint else ""))


def unsupported(prefix: str, names: str, hints: Mapping[str, str] | None = None) -> dict[str, Unsupported]:
    """A table of the names in a text."""
    return {name: Unsupported(f"{prefix}.{name}", (hints or {}).get(name, "")) for name in names.split()}


class Language:
    """A kernel language: makes its functions, under the prefix that kernels know it by. `members` are the functions
    that are also methods of its tensors, `pointer_members` of its block pointers, `descriptor_members` of its tensor
    descriptors."""

    def __init__(self, name: str, prefix: str):
        self.name, self.prefix = name, prefix
        self.members: dict[str, Builtin | Unsupported] = {}
        self.pointer_members: dict[str, Builtin] = {}
        self.descriptor_members: dict[str, Builtin] = {}

    def function(
        self,
        name: str = "",
        memory: bool = False,
        host: Callable[..., Any] | None = None,
        member: bool | str = False,
        pointer_member: bool = False,
        descriptor_member: str = "",
    ) -> Callable[[Callable[..., Any]], Builtin]:
        """The decorator for a body; its name is the function's unless given. `member` says whether it is also a method
        of tensors, or under which names; `pointer_member` whether it is one of block pointers, `descriptor_member`
        which one of tensor descriptors it is."""

        def made(body: Callable[..., Any]) -> Builtin:
            known = name or body.__name__.rstrip("_")
            builtin = Builtin(body, f"{self.prefix}.{known}", memory, host)
            names = member.split() if isinstance(member, str) else [known] if member else []
            self.members.update(dict.fromkeys(names, builtin))
            if pointer_member:
                self.pointer_members[known] = builtin
            if descriptor_member:
                self.descriptor_members[descriptor_member] = builtin
            return builtin

        return made

    def unsupported(
        self, names: str, hints: Mapping[str, str] | None = None, member: bool = False
    ) -> dict[str, Unsupported]:
        """A table of the names in a text."""
        found = unsupported(self.prefix, names, hints)
        if member:
            self.members.update(found)
        return found


def functions_of(module: Mapping[str, Any]) -> list[str]:
    """The functions of a language that a module's namespace has: its `__all__`. One that may not hide Python's own of
    that name in the module ends in an underscore there, and is left out."""
    return sorted(name for name, value in module.items() if isinstance(value, Builtin) and not name.endswith("_"))


_OF_PYTHON = ("Any", "TYPE_CHECKING", "annotations")


def public_names(module: Mapping[str, Any]) -> list[str]:
    """What is meant for a kernel's author in a module's namespace: its `__all__`."""
    return sorted(
        name
        for name, value in module.items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name not in _OF_PYTHON
    )
