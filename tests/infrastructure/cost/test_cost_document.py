"""docs/cost.md says what the plan of production costs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import toolbox

PLAN = toolbox.CHECKOUT / "tests" / "infrastructure" / "terraform" / "plan.py"
ESTIMATE = toolbox.CHECKOUT / "terraform" / "cost" / "estimate.py"


@pytest.mark.slow
def test_the_document_holds_what_the_plan_costs(tmp_path: Path, checkout: Path):
    planned = subprocess.run(
        [sys.executable, str(PLAN), "production"], check=False, capture_output=True, text=True
    )
    if planned.returncode:
        pytest.skip(planned.stderr.strip().splitlines()[-1])
    document = checkout / "docs" / "cost.md"
    written = tmp_path / "cost.md"
    written.write_text(document.read_text())

    for plan in (planned.stdout, with_another_node(planned.stdout)):
        subprocess.run(
            [sys.executable, str(ESTIMATE), "--into", str(written)],
            check=True,
            input=plan,
            text=True,
        )
        same = written.read_text() == document.read_text()
        assert same == (plan is planned.stdout), "run `make cost`"


def with_another_node(plan: str) -> str:
    """Return the plan with one more node at the most, which must not go unnoticed."""
    changed = json.loads(plan)
    [group, *_] = [
        resource
        for module in everything(changed["planned_values"]["root_module"])
        for resource in module.get("resources", ())
        if resource["type"] == "aws_eks_node_group"
    ]
    group["values"]["scaling_config"][0]["max_size"] += 1
    return json.dumps(changed)


def everything(module: dict) -> list[dict]:
    return [
        module,
        *(each for child in module.get("child_modules", ()) for each in everything(child)),
    ]
