"""What the server counts, in Prometheus' form."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from components.fer.dataset import EIGHT, expression_names

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Bounds of the latency's histogram."""


class Metrics:
    """Counters of one server."""

    def __init__(self, name: str, version: str, data_md5: str, expressions: int) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "ferflow_requests",
            "Requests for answers, by protocol and status",
            ["protocol", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "ferflow_request_seconds",
            "From a request's headers to its answer",
            ["protocol"],
            buckets=SECONDS,
            registry=registry,
        )
        self.images = Counter("ferflow_images", "Images answered", registry=registry)
        self.errors = Counter("ferflow_errors", "Requests refused, and faults, by kind", ["kind"], registry=registry)
        self.expressions = Counter(
            "ferflow_expressions", "Images answered, by the likeliest expression", ["expression"], registry=registry
        )
        for expression in expression_names(expressions):
            self.expressions.labels(expression)
        self.present = Gauge("ferflow_requests_present", "Requests that wait or are being answered", registry=registry)
        model = Gauge("ferflow_model", "The version that answers", ["name", "version", "data_md5"], registry=registry)
        model.labels(name, version, data_md5).set(1)

    def answered(self, expressions: Sequence[int]) -> None:
        """Count images by the numbers of their likeliest expressions."""
        self.images.inc(len(expressions))
        for number in expressions:
            self.expressions.labels(EIGHT[number]).inc()

    def text(self) -> bytes:
        """All of them as Prometheus reads them."""
        return generate_latest(self._registry)
