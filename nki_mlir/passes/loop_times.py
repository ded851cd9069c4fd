"""How long an iteration of a loop takes, whose instructions engines do in order."""

from __future__ import annotations

from collections import defaultdict, deque
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
        nodes = sorted({node for node, _ in order}, key=lambda node: node.number)
        users: dict[AllocOp, list[Node]] = {}
        for node in nodes:
            for buffer in node.buffers:
                users.setdefault(buffer, []).append(node)
        self.waits = {node: [(earlier, 0) for earlier, waits in node.before.items() if waits] for node in nodes}
        for buffer, found in users.items():
            if buffer in slots:
                self.waits[found[0]] += [(user, slots[buffer]) for user in found]
        self.engines = {node: node.op.engine.data.value for node in nodes}
        self.kept = {node: [*node.resources.items(), (self.engines[node], node.busy)] for node in nodes}

    def run(self, order: Sequence[Instance]) -> dict[Instance, float]:
        """When each instruction has given its result."""
        queues: dict[str, deque[Instance]] = {}
        for instance in order:
            queues.setdefault(self.engines[instance[0]], deque()).append(instance)
        free: dict[str, float] = defaultdict(float)
        given = dict[Instance, float]()
        ready, asked = dict[str, float](), list(queues)
        waiting: dict[Instance, list[str]] = {}
        while True:
            for name in asked:
                node, iteration = queues[name][0]
                at = 0.0
                for earlier, back in self.waits[node]:
                    if iteration < back:
                        continue
                    done = given.get((earlier, iteration - back))
                    if done is None:
                        waiting.setdefault((earlier, iteration - back), []).append(name)
                        break
                    if done > at:
                        at = done
                else:
                    ready[name] = at
            if not ready:
                return given
            at, name = min([(self._start(queues[name][0][0], at, free), name) for name, at in ready.items()])
            del ready[name]
            instance = queues[name].popleft()
            for resource, kept in self.kept[instance[0]]:
                free[resource] = max(free[resource], at + kept)
            given[instance] = at + instance[0].latency
            asked = waiting.pop(instance, [])
            if queues[name]:
                asked.append(name)

    def _start(self, node: Node, ready: float, free: Mapping[str, float]) -> float:
        return max(ready, *[free[name] for name, _ in self.kept[node]])
