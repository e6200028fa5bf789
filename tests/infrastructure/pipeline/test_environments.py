"""Where the pipeline deploys to is what Terraform makes and what the overlays are for."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture
def places(checkout: Path) -> dict[str, Any]:
    return tomllib.loads((checkout / "config" / "pipeline" / "environments.toml").read_text())


@pytest.fixture(params=["staging", "production"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_overlay_is_for_that_namespace_and_address(checkout, places, name):
    overlay = checkout / "k8s" / "overlays" / name
    settings = dict(
        line.split("=", 1) for line in (overlay / "settings.env").read_text().splitlines() if line
    )

    namespace = yaml.safe_load((overlay / "kustomization.yaml").read_text())["namespace"]
    assert namespace == places[name]["namespace"]
    assert settings["PUBLIC_URL"] == places[name]["url"]


def test_the_cluster_and_the_role_are_terraforms(checkout, places, name):
    terraform = checkout / "terraform"
    environment = (terraform / "environments" / name / "main.tf").read_text()

    assert f'environment       = "{name}"' in environment
    assert '"ecommerce-${var.environment}"' in (terraform / "modules/store/main.tf").read_text()
    assert places[name]["cluster"] == f"ecommerce-{name}"
    role = places[name]["role"].rpartition("/")[2]
    assert f":role/{role}" in environment
    assert f'name           = "{role}"' in (terraform / "account" / "main.tf").read_text()
    assert places["registry"]["role"] == places[name]["role"]


def test_only_production_waits_for_people_and_all_fits_into_one_identity(places, name):
    place = places[name]
    longest = place["migration_seconds"] + 2 * place["rollout_seconds"] + 300

    assert place["needs_approval"] == (name == "production")
    assert longest < 3600  # for so long Jenkins' token and the role's session are good
