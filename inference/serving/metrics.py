"""Metrics of the server, for Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_ARTICLES = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64)


class Metrics:
    """Hold the counters, histograms and gauges of one server."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "claimstance_requests",
            "Requests answered, by route and status.",
            ("route", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "claimstance_request_seconds",
            "From a request's head to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.articles = Counter("claimstance_articles", "Articles tagged.", registry=registry)
        self.sentences = Counter("claimstance_sentences", "Sentences of them.", registry=registry)
        self.records = Counter("claimstance_records", "Records predicted.", registry=registry)
        self.batch = Histogram(
            "claimstance_batch_size",
            "Articles or documents being read together, each time one was begun.",
            buckets=_ARTICLES,
            registry=registry,
        )
        self._waiting = Gauge(
            "claimstance_queue_depth",
            "Articles or documents that wait to be begun.",
            registry=registry,
        )
        self._in_flight = Gauge(
            "claimstance_in_flight",
            "Articles or documents that wait or are being read.",
            registry=registry,
        )

    def watch(self, queued: Callable[[], int], in_flight: Callable[[], int]) -> None:
        """Set the functions that return the current values of the gauges."""
        self._waiting.set_function(queued)
        self._in_flight.set_function(in_flight)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an answer with ``status`` to a request of ``route``, after ``seconds``."""
        self.requests.labels(route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
