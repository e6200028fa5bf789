"""Run by the Python of tests/tools/python/monitoring.txt: what dashboards and rules say.

Reads {"dashboards": {name: content}, "expressions": [text]} and writes {"unknown": {name: [path]},
"metrics": {expression: [name]}, "errors": {expression: message}}.
"""

import json
import sys
from collections.abc import Iterator

import promql_parser
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def lost(before: object, after: object, path: str = "") -> Iterator[str]:
    """Yield the places of what Grafana's own model of a dashboard does not know."""
    if isinstance(before, dict):
        other = after if isinstance(after, dict) else {}
        for key, value in before.items():
            if value is not None and key not in other:
                yield f"{path}.{key}"
            else:
                yield from lost(value, other.get(key), f"{path}.{key}")
    elif isinstance(before, list):
        other = after if isinstance(after, list) else []
        for place, value in enumerate(before):
            found = other[place] if place < len(other) else None
            yield from lost(value, found, f"{path}[{place}]")


def metrics(expression: object) -> Iterator[str]:
    """Yield the names of the metrics that an expression asks for."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression.name
    elif isinstance(expression, promql_parser.MatrixSelector):
        yield expression.vector_selector.name
    for part in ("lhs", "rhs", "expr", "param"):
        if (inner := getattr(expression, part, None)) is not None:
            yield from metrics(inner)
    for argument in getattr(expression, "args", ()):
        yield from metrics(argument)


def main() -> None:
    """Read, look, write."""
    register_default_plugins()
    given = json.load(sys.stdin)
    unknown, asked, errors = {}, {}, {}
    for name, content in given["dashboards"].items():
        again = json.loads(JSONEncoder().encode(Dashboard.from_json(content)))
        unknown[name] = sorted(lost(content, again))
    for text in given["expressions"]:
        try:
            asked[text] = sorted(set(metrics(promql_parser.parse(text))))
        except ValueError as error:
            errors[text] = str(error)
    json.dump({"unknown": unknown, "metrics": asked, "errors": errors}, sys.stdout)


main()
