"""Writes the rules as an object of the Prometheus operator: `make prometheus-rule`."""

from pathlib import Path
from typing import Any

import yaml

CONFIG = Path(__file__).parent
OBJECT = CONFIG.parents[1] / "k8s" / "monitoring" / "prometheus-rule.yaml"
HEAD = "# Made from config/prometheus/rules by `make prometheus-rule`. Change it there.\n"


class _Readable(yaml.SafeDumper):
    """Writes long expressions as blocks."""


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _string)


def prometheus_rule(rules: Path) -> dict[str, Any]:
    """Return one PrometheusRule with all groups of the folder."""
    groups = [
        group
        for file in sorted(rules.glob("*.yml"))
        for group in yaml.safe_load(file.read_text())["groups"]
    ]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "store"},
        "spec": {"groups": groups},
    }


def text_of(rules: Path) -> str:
    """Return the object's file."""
    return HEAD + yaml.dump(prometheus_rule(rules), Dumper=_Readable, sort_keys=False, width=100)


if __name__ == "__main__":
    OBJECT.write_text(text_of(CONFIG / "rules"))
