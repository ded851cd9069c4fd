"""Runs pieces of work in processes of their own, some at a time, each stage of them for so many seconds at most."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

PROCESSES = multiprocessing.get_context("fork")
"""What the parent has imported, its children need not."""

Report = Callable[..., None]
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Task:
    """`work` gets a function that it calls at the end of each stage with what it found, and the arguments."""

    key: Key
    work: Callable[..., None]
    arguments: Sequence[Any]
    stages: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What a task reported, by name, and why that is not all, if it isn't."""

    values: dict[str, Any]
    note: str = ""


def _work(pipe: Connection, task: Task) -> None:
    """In the other process: sends a dictionary for each stage, or an error as text, without its place in a source."""
    try:
        task.work(lambda **found: pipe.send(found), *task.arguments)
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {getattr(error, 'message', error)}")


@dataclass
class _Running:
    task: Task
    seconds: float
    found: dict[str, Any] = field(default_factory=dict[str, Any])
    stage: int = 0

    def __post_init__(self) -> None:
        self.pipe, theirs = PROCESSES.Pipe(duplex=False)
        self.process = PROCESSES.Process(target=_work, args=(theirs, self.task), daemon=True)
        self.process.start()
        theirs.close()
        self.deadline = time.monotonic() + self.seconds

    def look(self, ready: bool) -> Found | None:
        """What the task found, once it is at its end."""
        note = self._received() if ready else self._late()
        if note is None and self.stage < len(self.task.stages):
            return None
        self.process.kill()
        self.process.join()
        self.pipe.close()
        return Found(self.found, note or "")

    def _received(self) -> str | None:
        try:
            answer = self.pipe.recv()
        except EOFError:
            self.process.join()
            return f"the process ended with exit code {self.process.exitcode}"
        if isinstance(answer, str):
            return answer.strip().splitlines()[0]
        self.found |= answer
        self.stage, self.deadline = self.stage + 1, time.monotonic() + self.seconds
        return None

    def _late(self) -> str | None:
        if time.monotonic() < self.deadline:
            return None
        return f"TimeoutError: {self.task.stages[self.stage]} takes more than {self.seconds:g} s"


def run(tasks: Sequence[Task], seconds: float, jobs: int) -> dict[Key, Found]:
    """By key; a key that several tasks have is run once. Says on stderr what is done."""
    waiting, running = list({task.key: task for task in tasks}.values()), list[_Running]()
    done: dict[Key, Found] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            running.append(_Running(waiting.pop(0), seconds))
        least = min(one.deadline for one in running) - time.monotonic()
        ready = wait([one.pipe for one in running], timeout=max(0.0, least))
        for one in list(running):
            found = one.look(one.pipe in ready)
            if found is not None:
                running.remove(one)
                done[one.task.key] = found
                count, name = len(done) + len(running) + len(waiting), ", ".join(map(str, one.task.key))
                print(f"{len(done)} of {count}: {name}", file=sys.stderr, flush=True)
    return done
