"""Files that a tool writes: each is there whole or not at all, and what can't be written is said before the work."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from nki_mlir.errors import ExecutionError

Writer = Callable[[IO[bytes]], object]


def check_outputs(paths: Sequence[Path]) -> None:
    """Raises ExecutionError for a file that can't be written, and for two results that would go to one."""
    for index, path in enumerate(paths):
        if (reason := _why_not(path)) is not None:
            raise ExecutionError(f"can't write {path}: {reason}")
        if any(_same_file(path, other) for other in paths[:index]):
            raise ExecutionError(f"two results would be written to {path}; give each a file of its own")


def _why_not(path: Path) -> str | None:
    folder = path.parent
    if path.is_dir():
        return "it is a folder"
    if not folder.is_dir():
        return f"{folder} is {'no folder' if folder.exists() else 'not there'}"
    if path.exists() and not os.access(path, os.W_OK):
        return "it is write-protected"
    if _is_replaceable(path) and not os.access(folder, os.W_OK | os.X_OK):
        return f"no file can be made in {folder}"
    return None


def _same_file(a: Path, b: Path) -> bool:
    """Not so a device, which takes any number of results."""
    return _is_replaceable(a) and os.path.realpath(a) == os.path.realpath(b)


def text_writer(text: str) -> Writer:
    return lambda file: file.write(text.encode())


def write_files(files: Sequence[tuple[Path, Writer]]) -> None:
    """Writes every file beside its place, and moves them all there once all are written. An OSError names the place."""
    moves: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, write in files:
            beside = path.with_name(f".{path.name}.{os.getpid()}.{len(moves)}") if _is_replaceable(path) else path
            with open(beside, "wb") as file:
                moves.append((beside, path))
                write(file)
        for beside, path in moves:
            os.replace(beside, path)
    except BaseException as error:
        for beside, target in moves:
            if beside != target:
                beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno or 0, error.strerror or str(error), str(path)) from None
        raise


def _is_replaceable(path: Path) -> bool:
    """Not so a device or a pipe, which are written in place."""
    return path.is_file() or not path.exists()
