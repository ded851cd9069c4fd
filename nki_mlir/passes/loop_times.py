"""How long an iteration of a loop takes, whose instructions engines do in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from nki_mlir.dialects.neuron_engine import AllocOp
from nki_mlir.passes.engine_nodes import Node

ROUNDS = 4
"""Iterations that are looked at, after which each takes as long as the one before."""

Instance = tuple[Node, int]
"""An instruction in an iteration, or so many iterations ahead."""


def period(order: Sequence[Instance], slots: Mapping[AllocOp, int]) -> float:
    """The time, in ns, that an iteration takes in the end, of whose instructions, in order, each is of so many
    iterations ahead. `slots` is how many there are of each buffer."""
    every = [(node, 0) for node, ahead in order if ahead]
    every += [(node, iteration + ahead) for iteration in range(ROUNDS) for node, ahead in order]
    given = _Pipe(order, slots).run(every)
    ends = [max(given[node, n] for node, ahead in order if not ahead) for n in range(ROUNDS)]
    return (ends[-1] - ends[ROUNDS // 2 - 1]) / (ROUNDS - ROUNDS // 2)


def least(nodes: Iterable[Node]) -> float:
    """The time, in ns, that an iteration takes at least: its busiest engine's, or port's."""
    kept: dict[str, float] = {}
    for node in nodes:
        for name, time in (node.resources | {node.op.engine.data.value: node.busy}).items():
            kept[name] = kept.get(name, 0.0) + time
    return max(kept.values(), default=0.0)


class _Pipe:
    """Engines do their instructions in order, and who can start first has the ports that they share. What begins to use
    a buffer waits until its slot is free."""

    def __init__(self, order: Sequence[Instance], slots: Mapping[AllocOp, int]):
        users: dict[AllocOp, list[Node]] = {}
        for node in sorted({node for node, _ in order}, key=lambda node: node.number):
            for buffer in node.buffers:
                users.setdefault(buffer, []).append(node)
        self.waits = {node: [earlier for earlier, waits in node.before.items() if waits] for node, _ in order}
        self.reuses: dict[Node, list[tuple[Node, int]]] = {node: [] for node, _ in order}
        for buffer, found in users.items():
            if buffer in slots:
                self.reuses[found[0]] += [(user, slots[buffer]) for user in found]

    def run(self, order: Sequence[Instance]) -> dict[Instance, float]:
        """When each instruction has given its result."""
        queues: dict[str, deque[Instance]] = {}
        for node, iteration in order:
            queues.setdefault(node.op.engine.data.value, deque()).append((node, iteration))
        free: dict[str, float] = {}
        given = dict[Instance, float]()
        ready: dict[str, float | None] = dict.fromkeys(queues)
        while queues:
            heads = list[tuple[float, str]]()
            for name, queue in queues.items():
                if ready[name] is None:
                    ready[name] = self._ready(*queue[0], given)
                if (at := ready[name]) is not None:
                    kept = (free.get(resource, 0.0) for resource in queue[0][0].resources)
                    heads.append((max(at, free.get(name, 0.0), *kept), name))
            at, name = min(heads)
            node, iteration = queues[name].popleft()
            ready[name] = None
            if not queues[name]:
                del queues[name]
            for resource, kept in (*node.resources.items(), (name, node.busy)):
                free[resource] = max(free.get(resource, 0.0), at + kept)
            given[node, iteration] = at + node.latency
        return given

    def _ready(self, node: Node, iteration: int, given: Mapping[Instance, float]) -> float | None:
        """When what it waits for is there; None where it is not known yet."""
        at = 0.0
        for instance in self._before(node, iteration):
            if instance not in given:
                return None
            at = max(at, given[instance])
        return at

    def _before(self, node: Node, iteration: int) -> list[Instance]:
        reused = [(user, iteration - slots) for user, slots in self.reuses[node] if iteration >= slots]
        return [*((earlier, iteration) for earlier in self.waits[node]), *reused]
