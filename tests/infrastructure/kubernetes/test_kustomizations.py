"""Every kustomization can be built, and what an environment gets is complete and its own."""

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pods import pods_of
from rendering import CLUSTER_WIDE, FOLDERS, Object, namespace_of, render, title

OF_AN_ACCOUNT = re.compile(r"(?<=:|-)(?!0000)(\d{12})\b")
PLACEHOLDER = re.compile(r"OVERLAY|ENVIRONMENT|CLUSTER\b")
DIGEST = "sha256:" + "0123456789abcdef" * 4
EXACT = re.compile(r":v?\d+\.\d+\.\d+$|@sha256:[0-9a-f]{64}$")


def texts(node: object) -> Iterator[str]:
    """Yield every text that stands anywhere in an object."""
    if isinstance(node, dict):
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node


def left_open(objects: list[Object]) -> list[str]:
    """Return the objects in which an overlay should have written something and did not."""
    return [
        title(each) for each in objects if any(PLACEHOLDER.search(text) for text in texts(each))
    ]


def unpinned(objects: list[Object]) -> list[str]:
    """Return the images whose content may change under the same name."""
    images = {container["image"] for pod in pods_of(objects) for container in pod.containers}
    return sorted(image for image in images if not EXACT.search(image))


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_kustomization_is_built(rendered: dict[str, list[Object]], folder: str):
    assert rendered[folder]


def test_a_file_that_is_missing_is_not_overlooked(kubectl: Path, checkout: Path, tmp_path: Path):
    k8s = shutil.copytree(checkout / "k8s", tmp_path / "k8s")
    (k8s / "base" / "beat.yaml").unlink()

    with pytest.raises(RuntimeError, match=r"beat\.yaml"):
        render(kubectl, k8s / "base")


def test_an_overlay_stays_in_its_namespace(rendered: dict[str, list[Object]], environment: str):
    places = {namespace_of(each) for each in rendered[f"overlays/{environment}"]}

    assert places == {f"ecommerce-{environment}"}


def test_what_has_a_namespace_says_which(cluster: list[Object]):
    assert [title(each) for each in cluster if not namespace_of(each)] == [
        title(each) for each in cluster if each["kind"] in CLUSTER_WIDE
    ]


def test_no_object_is_there_twice(cluster: list[Object]):
    names = [title(each) for each in cluster]

    assert sorted(names) == sorted(set(names))


def test_nothing_is_left_open_for_an_overlay(cluster: list[Object]):
    assert left_open(cluster) == []


def test_what_is_left_open_is_named(rendered: dict[str, list[Object]]):
    assert left_open(rendered["base"]) == [
        "ServiceAccount/secrets-reader",
        "ServiceAccount/web",
        "ServiceAccount/worker-shipping",
        "ExternalSecret/ecommerce",
    ]


def test_all_identifiers_are_of_the_account_the_pipeline_uses(
    cluster: list[Object], environment: str, checkout: Path
):
    places = tomllib.loads((checkout / "config/pipeline/environments.toml").read_text())
    accounts = {
        account
        for each in cluster
        for text in texts(each)
        for account in OF_AN_ACCOUNT.findall(text)
    }

    assert accounts == {places[environment]["account"]}


def test_with_the_images_of_a_release_nothing_runs_that_may_change(
    kubectl: Path, checkout: Path, tmp_path: Path, rendered: dict[str, list[Object]]
):
    k8s = shutil.copytree(checkout / "k8s", tmp_path / "k8s")
    shutil.copytree(checkout / "config", tmp_path / "config")
    release = tmp_path / "release"
    release.mkdir()
    image = {"name": "ecommerce", "newName": "registry.example/ecommerce", "digest": DIGEST}
    (release / "kustomization.yaml").write_text(
        json.dumps({"resources": ["../k8s/overlays/production"], "images": [image]})
    )

    objects = render(kubectl, release)

    assert {container["image"] for pod in pods_of(objects) for container in pod.containers} == {
        f"registry.example/ecommerce@{DIGEST}"
    }
    assert unpinned(rendered["clusters/production"]) == []
    assert k8s.exists()


def test_an_image_without_an_exact_version_is_named(spoilt: list[Object]):
    assert unpinned(spoilt) == ["ecommerce"]
