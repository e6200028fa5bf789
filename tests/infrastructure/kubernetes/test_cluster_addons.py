"""The charts of others: exact versions, and everything that the objects here need is among them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from rendering import Object

# API groups of custom resources -> the chart that brings them.
BRINGS = {
    "cert-manager.io": "cert-manager",
    "elasticsearch.k8s.elastic.co": "eck-operator",
    "external-secrets.io": "external-secrets",
    "generators.external-secrets.io": "external-secrets",
    "kibana.k8s.elastic.co": "eck-operator",
    "monitoring.coreos.com": "kube-prometheus-stack",
}
BUILT_IN = re.compile(r"|apps|autoscaling|batch|policy|[a-z]+(\.[a-z]+)*\.k8s\.io")


@pytest.fixture(scope="session")
def charts(checkout: Path) -> dict[str, dict[str, str]]:
    return tomllib.loads((checkout / "k8s/cluster/addons/charts.toml").read_text())


def test_every_custom_resource_has_a_chart_that_knows_it(
    cluster: list[Object], charts: dict[str, dict[str, str]]
):
    groups = {each["apiVersion"].rpartition("/")[0] for each in cluster}
    custom = {group for group in groups if not BUILT_IN.fullmatch(group)}

    assert custom == set(BRINGS)
    assert set(BRINGS.values()) <= set(charts)


def test_every_chart_has_an_exact_version_and_values_that_can_be_read(
    charts: dict[str, dict[str, str]], checkout: Path
):
    for name, chart in charts.items():
        assert re.fullmatch(r"v?\d+\.\d+\.\d+", chart["version"]), name
        values = yaml.safe_load((checkout / f"k8s/cluster/addons/values/{name}.yaml").read_text())
        assert isinstance(values, dict), name


def test_what_others_report_to_is_installed_before_them(charts: dict[str, dict[str, str]]):
    assert next(iter(charts)) == "kube-prometheus-stack"


def test_the_commands_are_printed_and_name_the_cluster(checkout: Path):
    printed = subprocess.run(
        [sys.executable, "k8s/cluster/addons/install.py", "staging"],
        check=True,
        capture_output=True,
        text=True,
        cwd=checkout,
    ).stdout.splitlines()

    assert printed[1] == (
        "helm upgrade --install aws-load-balancer-controller aws-load-balancer-controller "
        "--repo=https://aws.github.io/eks-charts --version=3.6.0 --namespace=kube-system "
        "--create-namespace --kube-context=ecommerce-staging "
        "--values=k8s/cluster/addons/values/aws-load-balancer-controller.yaml "
        "--set-string=clusterName=ecommerce-staging --set-string=vpcTags.Name=ecommerce-staging "
        r"'--set-string=serviceAccount.annotations.eks\.amazonaws\.com/role-arn="
        "arn:aws:iam::111122223333:role/ecommerce-staging-load-balancer-controller' "
        "--rollback-on-failure --timeout=10m"
    )
    assert all("--kube-context=ecommerce-staging " in line for line in printed)


def test_a_cluster_that_is_not_ours_is_refused(checkout: Path):
    done = subprocess.run(
        [sys.executable, "k8s/cluster/addons/install.py", "elsewhere"],
        check=False,
        capture_output=True,
        text=True,
        cwd=checkout,
    )

    assert done.returncode == 2
    assert "invalid choice: 'elsewhere'" in done.stderr
