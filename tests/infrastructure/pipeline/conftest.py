"""A checkout with a small overlay of its own, and programs that only pretend."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import toolbox
from declarative import Pipeline, read
from small_overlay import write_overlays
from stand_in_cluster import KUBECTL, Cluster
from stand_ins import ACCOUNT, StandIns, Workplace


@pytest.fixture
def programs(tmp_path: Path) -> StandIns:
    """Stand-ins for docker, aws, trivy and sonar-scanner that know an account, and nothing else."""
    programs = StandIns(tmp_path / "programs")
    for name in ("docker", "aws", "trivy", "sonar-scanner"):
        programs.add(name)
    programs.answer("aws", "sts", out=ACCOUNT)
    return programs


@pytest.fixture
def workplace(tmp_path: Path, checkout: Path, programs: StandIns) -> Workplace:
    """A checkout with the real Makefile and the real tools of the pipeline."""
    folder = tmp_path / "checkout"
    (folder / "ecommerce" / "local").mkdir(parents=True)
    for name in ("Makefile", ".trivyignore.yaml", "config/pipeline"):
        source = checkout / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    bootstrap = Path("ecommerce", "local", "bootstrap.py")
    shutil.copy(checkout / bootstrap, folder / bootstrap)
    _lend_packages(checkout / ".venv", folder)
    write_overlays(folder / "k8s")
    workplace = Workplace(folder, programs)
    workplace.git("init", "--quiet")
    workplace.git("add", "Makefile", "config", "k8s")
    workplace.git("commit", "--quiet", "--message=first")
    return workplace


def _lend_packages(environment: Path, folder: Path) -> None:
    """Have the checkout's packages in the folder, as installed for requirements of its own."""
    (folder / ".venv").mkdir()
    for part in environment.iterdir():
        if part.name != "installed.stamp":
            (folder / ".venv" / part.name).symlink_to(part)
    (folder / "requirements.txt").touch()
    stamp = hashlib.sha256(b"").hexdigest()
    (folder / ".venv" / "installed.stamp").write_text(stamp)


@pytest.fixture(scope="session")
def read_jenkinsfiles(tool: Callable[[str], Path]) -> Callable[[list[Path]], list[Pipeline | str]]:
    """Return what becomes of each file; Java starts once for all of them."""
    java = tool("java")
    try:
        modules = toolbox.node_modules()
    except toolbox.CannotHave as reason:
        pytest.skip(str(reason))
    jars = sorted((modules / "npm-groovy-lint" / "lib" / "java" / "groovy" / "lib").glob("*.jar"))
    return lambda files: read(files, java=java, jars=jars)


@pytest.fixture(scope="session")
def pipeline(
    checkout: Path, read_jenkinsfiles: Callable[[list[Path]], list[Pipeline | str]]
) -> Pipeline:
    """The project's own."""
    [pipeline] = read_jenkinsfiles([checkout / "Jenkinsfile"])
    assert isinstance(pipeline, Pipeline), pipeline
    return pipeline


@pytest.fixture
def cluster_of(
    tmp_path: Path, programs: StandIns, tool: Callable[[str], Path]
) -> Callable[[str], Cluster]:
    """Have kubectl find the cluster of that environment."""
    kubectl = str(tool("kubectl"))

    def make(environment: str) -> Cluster:
        cluster = Cluster(tmp_path / environment, environment)
        programs.add_script("kubectl", KUBECTL, CLUSTER=str(cluster.folder), KUBECTL=kubectl)
        return cluster

    return make


@pytest.fixture
def cluster(cluster_of: Callable[[str], Cluster]) -> Cluster:
    return cluster_of("staging")
