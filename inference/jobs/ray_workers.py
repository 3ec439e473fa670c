"""Tagging past one machine, on Ray: actors that each hold the model and take articles in lots.

Results come back in the order of the articles, so that parts, manifest and bytes are those of one process, whatever the
number of workers. An actor that dies is started again, somewhere, and the lots that it had are tagged anew: tagging
changes nothing but what it gives back. The program that was started reads and writes, and holds two lots a worker.
"""

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import cycle, islice
from typing import Any

from claimstance.inference.jobs.run import Item, Tagged
from claimstance.inference.tagger import Tagger
from claimstance.model.errors import ClaimstanceError, ConfigError
from claimstance.model.predictor import Stop, StoppedError

LOT = 20  # articles: a second or two of work
AHEAD = 2  # lots a worker


class _Worker:
    """One of the actors."""

    def __init__(self, tagger: Tagger) -> None:
        self._tagger = tagger

    def tag(self, lot: list[Item], targets: list[str]) -> list[Tagged]:
        return list(self._tagger.tag_all(lot, targets))


@contextmanager
def ray_workers(
    tagger: Tagger,
    targets: Sequence[str],
    stop: Stop,
    workers: int | None = None,
    address: str | None = None,
) -> Iterator[Callable[[Iterable[Item]], Iterator[Tagged]]]:
    """What tags articles, and errors of those that could not be read, on Ray (``Work.tag`` of a long run).

    Args:
        tagger: what each worker loads anew: its model has to lie where it does here, on every machine.
        targets: as for ``Tagger.tag_all``.
        stop: once it says so, ``StoppedError`` is raised before the next lot.
        workers: how many actors, each with ``tagger.threads`` processors; as many as Ray has room for if ``None``.
        address: of a cluster (``auto``: the one that this machine belongs to); one is started here if ``None``.

    Raises:
        ConfigError: without Ray, or if there is no room for so many workers.
        ClaimstanceError: if no cluster can be reached, or workers die faster than they can be started.
    """
    try:
        ray: Any = import_module("ray")
    except ModuleNotFoundError:
        raise ConfigError("--engine: this needs 'ray': pip install 'claimstance[scale]'") from None
    try:
        with _sigterm_kept():
            ray.init(
                address or "local",
                configure_logging=False,
                log_to_driver=False,
                include_dashboard=False if address is None else None,
            )
    except Exception as error:  # of many kinds, none of Ray's own among them
        raise ClaimstanceError(
            f"--ray-address: no cluster at '{address or 'local'}': {error}"
        ) from None
    try:
        room = int(ray.cluster_resources().get("CPU", 0)) // tagger.threads
        if (count := workers or room) > room or not count:
            raise ConfigError(
                f"--workers: expected at most {room}, for which Ray has processors ({tagger.threads} "
                f"each), found {count}"
            )
        remote = ray.remote(num_cpus=tagger.threads, max_restarts=-1, max_task_retries=-1)(_Worker)
        actors = [remote.remote(tagger) for _ in range(count)]

        def tag(items: Iterable[Item]) -> Iterator[Tagged]:
            left = iter(items)
            lots: Iterable[list[Item]] = iter(lambda: list(islice(left, LOT)), [])
            try:
                yield from _in_order(ray, actors, lots, list(targets), stop)
            except ray.exceptions.RayError as error:
                raise ClaimstanceError(f"ray: {str(error).splitlines()[0]}") from None

        yield tag
    finally:
        ray.shutdown()


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Leaves SIGTERM to whoever had it: Ray takes it as it starts, and would end the run in the middle of a part."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _in_order(
    ray: Any, actors: Sequence[Any], lots: Iterable[list[Item]], targets: list[str], stop: Stop
) -> Iterator[Tagged]:
    waiting: deque[Any] = deque()
    for actor, lot in zip(cycle(actors), lots, strict=False):
        if stop():
            raise StoppedError
        waiting.append(actor.tag.remote(lot, targets))
        if len(waiting) >= AHEAD * len(actors):
            yield from ray.get(waiting.popleft())
    while waiting:
        yield from ray.get(waiting.popleft())
