"""Tagging on Ray: actors on one or more machines load the model and tag articles in batches.

Results come back in the order of the articles, so that parts and manifest are the same bytes as those of
one process, whatever the number of workers. Ray restarts an actor that dies, possibly on another
machine, and repeats its batches, which is safe because tagging has no side effects. The program that was
started reads inputs and writes results, and keeps ``BATCHES_PER_WORKER`` batches per worker in memory.
"""

import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import cycle, islice
from typing import Any

from claimstance.inference.jobs.run import InputItem, TagItems
from claimstance.inference.results import ResultItem
from claimstance.inference.tagger import Tagger
from claimstance.model.encoding import CancelledError, ShouldCancel
from claimstance.model.errors import ClaimstanceError, ConfigError

BATCH_SIZE = 20  # articles, a second or two of work
BATCHES_PER_WORKER = 2  # so that a worker need not wait for the next batch


class _Worker:
    """Tag batches in an actor."""

    def __init__(self, tagger: Tagger) -> None:
        self._tagger = tagger

    def tag(self, batch: list[InputItem], targets: list[str], neutral: bool) -> list[ResultItem]:
        return list(self._tagger.tag_all(batch, targets, neutral=neutral))


@contextmanager
def ray_workers(
    tagger: Tagger,
    targets: Sequence[str],
    should_cancel: ShouldCancel,
    workers: int | None = None,
    address: str | None = None,
    neutral: bool = False,
) -> Iterator[TagItems]:
    """Start workers on Ray and return the function that tags with them.

    Args:
        tagger: each worker loads its model anew, from the same path on every machine.
        targets: as for ``Tagger.tag_all``.
        should_cancel: once it returns True, ``CancelledError`` is raised before the next batch.
        workers: the number of actors, each with ``tagger.threads`` processors; ``None`` for as many as fit.
        address: the address of a cluster (``auto``: the one of this machine); ``None`` to start one here.
        neutral: as for ``Tagger.tag_all``.

    Raises:
        ConfigError: if Ray is not installed, or so many workers do not fit.
        ClaimstanceError: if the cluster cannot be reached, or workers die faster than they restart.
    """
    try:
        ray: Any = import_module("ray")
    except ModuleNotFoundError:
        raise ConfigError("--engine: this needs 'ray': pip install 'claimstance[scale]'") from None
    sigterm_handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address or "local",
            configure_logging=False,
            log_to_driver=False,
            # A cluster that serves one run needs no dashboard; a running cluster has its own setting.
            include_dashboard=False if address is None else None,
        )
    except Exception as error:  # Ray raises many kinds of errors here, none of them its own
        raise ClaimstanceError(
            f"--ray-address: no cluster at '{address or 'local'}': {error}"
        ) from None
    finally:
        # Ray replaces the handler, and would end the run in the middle of a part.
        is_main_thread = threading.current_thread() is threading.main_thread()
        if sigterm_handler is not None and is_main_thread:
            signal.signal(signal.SIGTERM, sigterm_handler)
    try:
        actors = _start_actors(ray, tagger, workers)

        def tag(items: Iterable[InputItem]) -> Iterator[ResultItem]:
            try:
                yield from _tag_in_order(ray, actors, items, list(targets), neutral, should_cancel)
            except ray.exceptions.RayError as error:
                raise ClaimstanceError(f"ray: {str(error).splitlines()[0]}") from None

        yield tag
    finally:
        ray.shutdown()


def _start_actors(ray: Any, tagger: Tagger, workers: int | None) -> list[Any]:
    """Start the actors; raise ``ConfigError`` if the cluster has too few processors."""
    capacity = int(ray.cluster_resources().get("CPU", 0)) // tagger.threads
    count = workers or capacity
    if not 0 < count <= capacity:
        raise ConfigError(
            f"--workers: expected at most {capacity}, since Ray has processors for so many ({tagger.threads} "
            f"each), found {count}"
        )
    # Tagging has no side effects: a batch can be repeated as often as an actor dies.
    options = {"num_cpus": tagger.threads, "max_restarts": -1, "max_task_retries": -1}
    actor_class = ray.remote(**options)(_Worker)
    return [actor_class.remote(tagger) for _ in range(count)]


def _tag_in_order(
    ray: Any,
    actors: Sequence[Any],
    items: Iterable[InputItem],
    targets: list[str],
    neutral: bool,
    should_cancel: ShouldCancel,
) -> Iterator[ResultItem]:
    """Hand batches to the actors in turn and yield their results in order."""
    pending: deque[Any] = deque()
    remaining = iter(items)
    for actor in cycle(actors):
        batch = list(islice(remaining, BATCH_SIZE))
        if not batch:
            break
        if should_cancel():
            raise CancelledError
        pending.append(actor.tag.remote(batch, targets, neutral))
        # The oldest batch comes first, even if a later one is ready: results keep their order.
        if len(pending) >= BATCHES_PER_WORKER * len(actors):
            yield from ray.get(pending.popleft())
    while pending:
        yield from ray.get(pending.popleft())
