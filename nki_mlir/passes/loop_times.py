"""How long an iteration of a loop takes, whose instructions engines do in order."""

from __future__ import annotations

import math
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
    pipe = _Pipe(order, slots)
    places = [(pipe.places[node], ahead) for node, ahead in order]
    every = [place for place, ahead in places if ahead]
    every += [pipe.number(place, iteration + ahead) for iteration in range(ROUNDS) for place, ahead in places]
    given = pipe.run(every)
    last = [place for place, ahead in places if not ahead]
    ends = [max(given[pipe.number(place, n)] for place in last) for n in range(ROUNDS)]
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

    def number(self, place: int, iteration: int) -> int:
        """That of an instance."""
        return iteration * len(self.places) + place

    def run(self, order: Sequence[int]) -> dict[int, float]:
        """When each instance has given its result."""
        size, all_kept = len(self.places), self.kept
        queues: dict[str, deque[int]] = {}
        for instance in order:
            queues.setdefault(self.engines[instance % size], deque()).append(instance)
        free: dict[str, float] = defaultdict(float)
        given = dict[int, float]()
        ready, asked = dict[str, tuple[float, int]](), list(queues)
        waiting: dict[int, list[str]] = {}
        while True:
            for name in asked:
                instance, at = queues[name][0], 0.0
                place = instance % size
                for distance in self.waits[place]:
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
                    ready[name] = at, place
            if not ready:
                return given
            first, name = math.inf, ""
            for other, (at, place) in ready.items():
                for resource, _ in all_kept[place]:
                    if free[resource] > at:
                        at = free[resource]
                if at < first or (at == first and other < name):
                    first, name = at, other
            _, place = ready.pop(name)
            instance = queues[name].popleft()
            for resource, kept in all_kept[place]:
                if first + kept > free[resource]:
                    free[resource] = first + kept
            given[instance] = first + self.latencies[place]
            asked = waiting.pop(instance, [])
            if queues[name]:
                asked.append(name)
