"""Print, or run, the commands of Helm 4 for the charts of charts.toml.

install.py staging
install.py staging --apply
"""

import argparse
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

CHARTS = Path("k8s/cluster/addons/charts.toml")
VALUES = Path("k8s/cluster/addons/values")


def main() -> None:
    """Do what the arguments say; the first command that fails ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", choices=("staging", "production"))
    parser.add_argument("--apply", action="store_true", help="run the commands, too")
    options = parser.parse_args()
    for command in commands(f"ecommerce-{options.environment}"):
        print(shlex.join(command), flush=True)
        if options.apply:
            subprocess.run(command, check=True)


def commands(cluster: str) -> list[list[str]]:
    """Return the commands that bring every chart, in its exact version, into the cluster."""
    charts = tomllib.loads(CHARTS.read_text())
    return [_command(name, chart, cluster) for name, chart in charts.items()]


def _command(name: str, chart: dict[str, Any], cluster: str) -> list[str]:
    place = chart["repository"]
    source = [f"{place}/{name}"] if place.startswith("oci://") else [name, f"--repo={place}"]
    return [
        *("helm", "upgrade", "--install", name, *source),
        f"--version={chart['version']}",
        f"--namespace={chart['namespace']}",
        "--create-namespace",
        f"--kube-context={cluster}",
        f"--values={VALUES / name}.yaml",
        *(
            f"--set-string={key}={value.format(cluster=cluster)}"
            for key, value in chart.get("set", {}).items()
        ),
        *("--rollback-on-failure", "--timeout=10m"),
    ]


if __name__ == "__main__":
    main()
