"""Makes Grafana's JSON of the panels beside it: `make dashboards`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import business
import infrastructure
import overview
import service_health
from panel import Panel

FOLDER = Path(__file__).parent / "dashboards"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24

DASHBOARDS: dict[str, tuple[str, Sequence[Panel]]] = {
    "overview": ("E-Commerce Overview", overview.PANELS),
    "service-health": ("Service Health", service_health.PANELS),
    "infrastructure": ("Infrastructure Metrics", infrastructure.PANELS),
    "business": ("Business Metrics", business.PANELS),
}


def dashboard(name: str) -> dict[str, Any]:
    """Return one dashboard in Grafana's form."""
    title, panels = DASHBOARDS[name]
    return {
        "uid": f"ecommerce-{name}",
        "title": title,
        "tags": ["ecommerce"],
        "timezone": "browser",
        "schemaVersion": 41,
        "refresh": "30s",
        "time": {"from": "now-24h" if name == "business" else "now-3h", "to": "now"},
        "links": [
            {
                "title": "Dashboards",
                "type": "dashboards",
                "tags": ["ecommerce"],
                "asDropdown": True,
                "keepTime": True,
            },
        ],
        "templating": {"list": _variables(name)},
        "panels": _placed(panels),
    }


def _variables(name: str) -> list[dict[str, Any]]:
    variables: list[dict[str, Any]] = [
        {"name": "datasource", "label": "Source", "type": "datasource", "query": "prometheus"}
    ]
    asked = {
        "service-health": ("route", 'label_values(http_requests_total{job="web"}, route)'),
        "infrastructure": ("namespace", "label_values(kube_pod_info, namespace)"),
    }
    if name in asked:
        label, query = asked[name]
        variables.append(
            {
                "name": label,
                "label": label.title(),
                "type": "query",
                "datasource": SOURCE,
                "query": query,
                "refresh": 2,
                "sort": 1,
                "multi": True,
                "includeAll": True,
                "allValue": ".+",
                "current": {"text": "All", "value": "$__all"},
            }
        )
    return variables


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    placed, x, y, row = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        height = 4 if panel.kind == "stat" else 8
        if x + panel.width > WIDTH:
            x, y, row = 0, y + row, 0
        placed.append(_panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": height}))
        x, row = x + panel.width, max(row, height)
    return placed


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.red is not None:
        steps.append({"color": "red", "value": panel.red})
    if panel.red_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.red_below}]
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    options: dict[str, Any] = {"reduceOptions": {"calcs": ["lastNotNull"]}}
    if panel.kind == "timeseries":
        defaults["min"] = 0
        defaults["custom"] = {
            "fillOpacity": 5,
            "showPoints": "never",
            "thresholdsStyle": {"mode": "off" if len(steps) == 1 else "dashed"},
        }
        options = {
            "legend": {"displayMode": "list", "placement": "bottom", "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": " ".join(filter(None, (panel.text, _help(panel)))),
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend,
            }
            for place, (legend, expression) in enumerate(panel.asks.items())
        ],
    }


def _help(panel: Panel) -> str:
    return f"When it is red: docs/runbooks/alerts/{panel.runbook}.md" if panel.runbook else ""


def text_of(name: str) -> str:
    """Return the dashboard's file."""
    return json.dumps(dashboard(name), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in DASHBOARDS:
        (FOLDER / f"{each}.json").write_text(text_of(each))
