"""
Make one measurement of one peer, in the peer's environment, and print it as JSON.

``python -m benchmarks.peers.worker PEER MEASUREMENT [WHAT ...]`` with nothing but the
standard library and the peer.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from importlib import import_module
from inspect import iscoroutinefunction
from itertools import cycle
from pathlib import Path
from types import ModuleType
from typing import Any

MICRO = 1e6
MILLI = 1e3

_WARM_UP = 3
_DECODE_SECONDS = 0.3
_LISTINGS = 5
_CALLS_OF_A_BATCH, _BATCHES = 100, 5
_AT_ONCE, _CALLS_AT_ONCE = 32, 1500
_BEAT = 0.001


def decode(peer: ModuleType, page: str) -> float:
    """Return the microseconds of CPU per backup of decoding one page again and again."""
    body = Path(page).read_bytes()
    for _ in range(_WARM_UP):
        count = len(peer.decode(body))
    times: list[float] = []
    while sum(times) < _DECODE_SECONDS:
        begun = time.process_time()
        peer.decode(body)
        times.append(time.process_time() - begun)
    return statistics.median(times) / count * MICRO


def _pages(folder: str) -> list[bytes]:
    return [page.read_bytes() for page in sorted(Path(folder).glob("listing-*.json"))]


def growth(peer: ModuleType, folder: str, count: str, collector: str = "on") -> float:
    """Return the microseconds of CPU per backup of decoding pages into one list."""
    goal = int(count)
    if collector == "off":
        gc.disable()
    pages = cycle(_pages(folder))
    times = []
    for _ in range(max(1, 5000 // goal)):
        kept: list[object] = []
        gc.collect()
        begun = time.process_time()
        while len(kept) < goal:
            kept.extend(peer.decode(next(pages)))
        times.append(time.process_time() - begun)
        assert len(kept) == goal
    return statistics.median(times) / goal * MICRO


def memory(peer: ModuleType, folder: str) -> float:
    """Return the bytes that Python holds per backup, once what is not kept is gone."""
    bodies = _pages(folder)
    peer.decode(bodies[0])
    gc.collect()
    tracemalloc.start()
    kept: list[object] = []
    for body in bodies:
        kept.extend(peer.decode(body))
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / len(kept)


def listing(peer: ModuleType, url: str) -> float:
    """Return the microseconds per backup of a whole listing over HTTP."""
    seconds, backups = _round(peer, url, "list_all", time.perf_counter, _LISTINGS, calls=1)
    return seconds / len(backups) * MICRO


def cpu(peer: ModuleType, url: str) -> float:
    """Return the microseconds of CPU per call, one call after the other."""
    calls = _CALLS_OF_A_BATCH
    seconds, _ = _round(peer, url, "call", time.process_time, _BATCHES, calls=calls)
    return seconds / calls * MICRO


def _round(
    peer: ModuleType, url: str, name: str, clock: Callable[[], float], rounds: int, *, calls: int
) -> tuple[float, Any]:
    """
    Return the median of rounds of *calls*, in seconds of *clock*, and what the last returned.

    One more round comes first and warms up.
    """
    call = getattr(peer, name)
    if iscoroutinefunction(call):
        return asyncio.run(_awaited_round(peer.connect(url), call, clock, rounds, calls))
    times = []
    with peer.connect(url) as client:
        for _ in range(rounds + 1):
            begun = clock()
            for _ in range(calls):
                last = call(client)
            times.append(clock() - begun)
    return statistics.median(times[1:]), last


async def _awaited_round(
    connected: AbstractAsyncContextManager[Any],
    call: Callable[[Any], Awaitable[Any]],
    clock: Callable[[], float],
    rounds: int,
    calls: int,
) -> tuple[float, Any]:
    times = []
    async with connected as client:
        for _ in range(rounds + 1):
            begun = clock()
            for _ in range(calls):
                last = await call(client)
            times.append(clock() - begun)
    return statistics.median(times[1:]), last


def concurrent(peer: ModuleType, url: str) -> float:
    """Return the calls per second of 32 tasks on one client."""
    return asyncio.run(_concurrent(peer, url))


async def _concurrent(peer: ModuleType, url: str) -> float:
    async with peer.connect(url) as client:

        async def work(calls: int) -> None:
            for _ in range(calls):
                await peer.call(client)

        async def together(calls: int) -> None:
            await asyncio.gather(*(work(calls // _AT_ONCE) for _ in range(_AT_ONCE)))

        await together(_AT_ONCE * 5)
        begun = time.perf_counter()
        await together(_CALLS_AT_ONCE)
        return _CALLS_AT_ONCE // _AT_ONCE * _AT_ONCE / (time.perf_counter() - begun)


def stall(peer: ModuleType, url: str) -> float:
    """Return the longest time in ms that the event loop stood still while a client was made."""
    return asyncio.run(_stall(peer, url))


async def _stall(peer: ModuleType, url: str) -> float:
    gaps: list[float] = []

    async def beat() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(_BEAT)
            now = time.perf_counter()
            gaps.append(now - last - _BEAT)
            last = now

    task = asyncio.create_task(beat())
    await asyncio.sleep(20 * _BEAT)
    gaps.clear()
    async with peer.connect(url):
        await asyncio.sleep(5 * _BEAT)
        task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return max(gaps) * MILLI


def main() -> None:
    """Do as the command line says."""
    name, measurement, *rest = sys.argv[1:]
    peer = import_module(f"benchmarks.peers.adapters.{name}")
    measures = (decode, growth, listing, memory, cpu, concurrent, stall)
    measure = {one.__name__: one for one in measures}
    print(json.dumps(measure[measurement](peer, *rest)))


if __name__ == "__main__":
    main()
