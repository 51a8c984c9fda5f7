"""Benchmarks: what the hot paths cost beside their peers, on the machine they run on.

A benchmark is a module here with `run() -> list[str]`, which prints its tables and returns one sentence for each
target that was missed. CPU time is compared, because a shared machine's wall time tells more about its other users.
Peers take turns inside one run, and a ratio is the median of the rounds' own ratios, because absolute times drift.
"""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """One way of doing the work; `calls` of it make one round's measurement."""

    name: str
    work: Callable[[], object]
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """CPU nanoseconds of one call of each peer, one number a round."""

    rounds: Mapping[str, list[float]]

    def cpu_us(self, peer: str) -> float:
        """Median CPU microseconds of one call."""
        return statistics.median(self.rounds[peer]) / 1000

    def ratio(self, peer: str, reference: str) -> float:
        """Median over the rounds of this peer's time divided by the reference's."""
        pairs = zip(self.rounds[peer], self.rounds[reference], strict=True)
        return statistics.median(own / theirs for own, theirs in pairs)


def take_turns(peers: list[Peer], rounds: int) -> Comparison:
    """Time every peer once a round, the first of the round changing, after one call of each that is not counted."""
    for peer in peers:
        peer.work()
    times: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for turn in range(rounds):
        first = turn % len(peers)
        for peer in peers[first:] + peers[:first]:
            times[peer.name].append(_cpu_ns_a_call(peer))
    return Comparison(times)


def _cpu_ns_a_call(peer: Peer) -> float:
    gc.collect()
    start = time.process_time_ns()
    for _ in range(peer.calls):
        peer.work()
    return (time.process_time_ns() - start) / peer.calls
