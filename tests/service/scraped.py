"""Read the page of metrics of a server."""

from __future__ import annotations

import urllib.request
from typing import Any

from prometheus_client import openmetrics
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser

OPEN_METRICS = openmetrics.exposition.CONTENT_TYPE_LATEST
_families: Any = parser.text_string_to_metric_families


def page(port: int, accept: str) -> tuple[str, str]:
    """Type and text of the page of metrics, in the format that `accept` asks for."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def scraped(port: int) -> dict[str, Metric]:
    """The metrics of a server in the format of OpenMetrics, by name."""
    content_type, text = page(port, OPEN_METRICS)
    assert "openmetrics" in content_type
    return {family.name: family for family in _families(text)}


def value(found: dict[str, Metric], name: str, **labels: str) -> float:
    """The one sample of a name that has these labels."""
    samples = [sample for family in found.values() for sample in family.samples if sample.name == name]
    (one,) = [sample for sample in samples if sample.labels.items() >= labels.items()]
    return float(one.value)
