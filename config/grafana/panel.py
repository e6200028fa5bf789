"""One picture of a dashboard, and the short way to say a large number."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture: what it asks (legend -> PromQL), from where on it is red, what then helps."""

    title: str
    asks: dict[str, str]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    red: float | None = None
    red_below: float | None = None
    text: str = ""
    runbook: str = ""


def stat(title: str, ask: str, unit: str = "short", **more: Any) -> Panel:
    """Return one large number, a sixth of the width."""
    return Panel(title, {"": ask}, unit, "stat", 4, **more)
