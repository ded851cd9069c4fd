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
    pipe = _Pipe(order, slots)
    given = pipe.run([pipe.number(instance) for instance in every])
    last = [node for node, ahead in order if not ahead]
    ends = [max(given[pipe.number((node, n))] for node in last) for n in range(ROUNDS)]
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
    a buffer waits until its slot is free.

    Instances are known by numbers, those of an iteration behind those of the one before. By the place of a node in an
    iteration, `waits` says how far in front the instances are that it waits for, `kept` what it keeps for how long."""

    def __init__(self, order: Sequence[Instance], slots: Mapping[AllocOp, int]):
        nodes = sorted({node for node, _ in order}, key=lambda node: node.number)
        self.places = {node: place for place, node in enumerate(nodes)}
        users: dict[AllocOp, list[int]] = {}
        for place, node in enumerate(nodes):
            for buffer in node.buffers:
                users.setdefault(buffer, []).append(place)
        self.waits = [
            [place - self.places[earlier] for earlier, waits in node.before.items() if waits]
            for place, node in enumerate(nodes)
        ]
        for buffer, found in users.items():
            if buffer in slots:
                self.waits[found[0]] += [slots[buffer] * len(nodes) + found[0] - user for user in found]
        self.kept = [node.kept for node in nodes]
        self.engines = [kept[-1][0] for kept in self.kept]
        self.latencies = [node.latency for node in nodes]

    def number(self, instance: Instance) -> int:
        node, iteration = instance
        return iteration * len(self.places) + self.places[node]

    def run(self, order: Sequence[int]) -> dict[int, float]:
        """When each instance has given its result."""
        queues: dict[str, deque[int]] = {}
        for instance in order:
            queues.setdefault(self.engines[instance % len(self.places)], deque()).append(instance)
        free: dict[str, float] = defaultdict(float)
        given = dict[int, float]()
        ready, asked = dict[str, float](), list(queues)
        waiting: dict[int, list[str]] = {}
        while True:
            for name in asked:
                instance, at = queues[name][0], 0.0
                for distance in self.waits[instance % len(self.places)]:
                    earlier = instance - distance
                    if earlier < 0:
                        continue
                    done = given.get(earlier)
                    if done is None:
                        waiting.setdefault(earlier, []).append(name)
                        break
                    if done > at:
                        at = done
                else:
                    ready[name] = at
            if not ready:
                return given
            at, name = min([(self._start(queues[name][0], at, free), name) for name, at in ready.items()])
            del ready[name]
            instance = queues[name].popleft()
            place = instance % len(self.places)
            for resource, kept in self.kept[place]:
                if at + kept > free[resource]:
                    free[resource] = at + kept
            given[instance] = at + self.latencies[place]
            asked = waiting.pop(instance, [])
            if queues[name]:
                asked.append(name)

    def _start(self, instance: int, ready: float, free: Mapping[str, float]) -> float:
        for name, _ in self.kept[instance % len(self.places)]:
            if free[name] > ready:
                ready = free[name]
        return ready
