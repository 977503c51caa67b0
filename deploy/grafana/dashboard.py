"""Make the dashboard of Grafana: `python deploy/grafana/dashboard.py` writes dashboards/tariffs.json of panels.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
PANELS, DASHBOARD = HERE / "panels.yaml", HERE / "dashboards" / "tariffs.json"
_SOURCE = {"type": "prometheus", "uid": "prometheus"}
_WIDTH = 24
_KINDS = {"stat": "stat", "table": "table", "": "timeseries"}
# Width and height of a panel in cells of Grafana.
_SIZES = {"stat": (4, 4), "table": (12, 6), "": (8, 8)}


def dashboard(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Make the dashboard of rows of panels."""
    return {
        "title": "tariffs",
        "uid": "tariffs",
        "tags": ["tariffs"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_job()]},
        "panels": [{"id": index + 1, **panel} for index, panel in enumerate(_placed(rows))],
    }


def text(rows: list[dict[str, Any]]) -> str:
    """Return the dashboard as the text of its file."""
    return json.dumps(dashboard(rows), indent=1) + "\n"


def _job() -> dict[str, Any]:
    return {
        "name": "job",
        "type": "query",
        "datasource": _SOURCE,
        "query": "label_values(tariffs_serving, job)",
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _placed(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield headings and panels with their places, from left to right and from top to bottom."""
    top = 0
    for row in rows:
        yield {"type": "row", "title": row["row"], "gridPos": {"x": 0, "y": top, "w": _WIDTH, "h": 1}}
        left, top, height = 0, top + 1, 0
        for panel in row["panels"]:
            width, own = _SIZES[panel.get("kind", "")]
            if left + width > _WIDTH:
                left, top, height = 0, top + height, 0
            yield {**_panel(panel), "gridPos": {"x": left, "y": top, "w": width, "h": own}}
            left, height = left + width, max(height, own)
        top += height


def _panel(panel: Mapping[str, Any]) -> dict[str, Any]:
    kind = panel.get("kind", "")
    return {
        "type": _KINDS[kind],
        "title": panel["title"],
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": panel["unit"], "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "expr": expression,
                "legendFormat": legend,
                "exemplar": panel.get("exemplars", False),
                **({"format": "table", "instant": True} if kind == "table" else {}),
            }
            for index, (legend, expression) in enumerate(panel["queries"].items())
        ],
    }


if __name__ == "__main__":
    DASHBOARD.parent.mkdir(exist_ok=True)
    DASHBOARD.write_text(text(yaml.safe_load(PANELS.read_text(encoding="utf-8"))), encoding="utf-8")
