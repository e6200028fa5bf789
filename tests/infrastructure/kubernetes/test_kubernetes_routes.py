"""What comes in from the internet: the store's pages do, what is for the platform only does not."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from references import port_findings, reference_findings, selector_findings
from rendering import Object, found, render

FOR_THE_PLATFORM = ("/metrics", "/metrics/", "/health", "/health/live", "/health/ready")
FOR_SHOPPERS = ("/", "/api/v1/products", "/admin/login/", "/static/a.css", "/healthy", "/metrical")


@pytest.fixture(scope="session")
def behind_nginx(
    kubectl: Path, checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Object]:
    """The production store with the component of NGINX in the place of the ALB's."""
    folder = tmp_path_factory.mktemp("nginx")
    shutil.copytree(checkout / "k8s", folder / "k8s")
    overlay = folder / "k8s" / "overlays" / "production"
    kustomization = overlay / "kustomization.yaml"
    kustomization.write_text(
        kustomization.read_text().replace("../../components/alb", "../../components/nginx")
    )
    host = [
        {"op": "replace", "path": "/spec/rules/0/host", "value": "shop.example.com"},
        {"op": "replace", "path": "/spec/tls/0/hosts/0", "value": "shop.example.com"},
    ]
    (overlay / "ingress.yaml").write_text(json.dumps(host))
    return render(kubectl, overlay)


def answer_of_alb(ingress: Object, path: str) -> str:
    """Return the service or the status that the load balancer answers a path with.

    Rules of an ALB are tried in the order of the Ingress; Prefix means whole parts of the path.
    """
    [rule] = ingress["spec"]["rules"]
    for each in rule["http"]["paths"]:
        prefix = each["path"].rstrip("/")
        if path == prefix or path.startswith(f"{prefix}/"):
            service = each["backend"]["service"]
            if service["port"]["name"] != "use-annotation":
                return str(service["name"])
            name = f"alb.ingress.kubernetes.io/actions.{service['name']}"
            action = json.loads(ingress["metadata"]["annotations"][name])
            return str(action["fixedResponseConfig"]["statusCode"])
    return "404"


def answer_of_nginx(ingress: Object, path: str) -> str:
    """Return the service or the status that NGINX answers a path with."""
    snippet = ingress["metadata"]["annotations"]["nginx.org/server-snippets"]
    locations = re.findall(r"location (=?) ?(\S+) \{ return (\d+); \}", snippet)
    for exact, place, status in locations:
        if path == place or (not exact and path.startswith(place)):
            return str(status)
    [rule] = ingress["spec"]["rules"]
    [only] = rule["http"]["paths"]
    return str(only["backend"]["service"]["name"])


@pytest.mark.parametrize("path", FOR_THE_PLATFORM)
def test_what_is_for_the_platform_is_not_found_from_outside(path: str, cluster: list[Object]):
    assert answer_of_alb(found(cluster, "Ingress", "web"), path) == "404"


@pytest.mark.parametrize("path", FOR_SHOPPERS)
def test_everything_else_reaches_web(path: str, cluster: list[Object]):
    assert answer_of_alb(found(cluster, "Ingress", "web"), path) == "web"


def test_probes_and_metrics_are_among_what_is_closed(spoilt: list[Object]):
    [container] = found(spoilt, "Deployment", "web")["spec"]["template"]["spec"]["containers"]
    [endpoint] = found(spoilt, "ServiceMonitor", "web")["spec"]["endpoints"]
    paths = {endpoint["path"]}
    paths |= {probe["httpGet"]["path"] for name, probe in container.items() if "Probe" in name}
    ingress = found(spoilt, "Ingress", "web")

    assert {answer_of_alb(ingress, path) for path in paths} == {"404"}

    ingress["spec"]["rules"][0]["http"]["paths"].reverse()

    assert {answer_of_alb(ingress, path) for path in paths} == {"web"}


def test_the_load_balancer_takes_modern_tls_only_and_stands_behind_the_firewall(
    cluster: list[Object], environment: str
):
    annotations = found(cluster, "Ingress", "web")["metadata"]["annotations"]
    alb: Callable[[str], str] = lambda name: annotations[f"alb.ingress.kubernetes.io/{name}"]  # noqa: E731

    assert alb("ssl-policy").startswith("ELBSecurityPolicy-TLS13-1-2-")
    assert alb("ssl-redirect") == "443"
    assert alb("certificate-arn").startswith("arn:aws:acm:us-east-1:")
    assert f"/ecommerce-{environment}/" in alb("wafv2-acl-arn")
    assert (alb("target-type"), alb("backend-protocol")) == ("ip", "HTTPS")
    assert "drop_invalid_header_fields.enabled=true" in alb("load-balancer-attributes")


def test_rollouts_wait_for_the_targets(cluster: list[Object], environment: str):
    namespace = found(cluster, "Namespace", f"ecommerce-{environment}")

    assert namespace["metadata"]["labels"]["elbv2.k8s.aws/pod-readiness-gate-inject"] == "enabled"


def test_behind_nginx_the_same_paths_are_closed(behind_nginx: list[Object]):
    ingress = found(behind_nginx, "Ingress", "web")

    assert {answer_of_nginx(ingress, path) for path in FOR_THE_PLATFORM} == {"404"}
    assert {answer_of_nginx(ingress, path) for path in FOR_SHOPPERS} == {"web"}


def test_behind_nginx_everything_fits_together_as_well(
    behind_nginx: list[Object], rendered: dict[str, list[Object]]
):
    everything = [*rendered["clusters/production"], *behind_nginx]

    assert reference_findings(everything) == []
    assert selector_findings(everything) == []
    assert port_findings(everything) == []
