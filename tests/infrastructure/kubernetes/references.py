"""What one object says of another: that it exists, that it has the port, that labels agree."""

from collections.abc import Iterable, Iterator
from typing import Any

from pods import Pod, pods_of
from rendering import CLUSTER_WIDE, Object, labels_of, matches, namespace_of, of_kind, title

# Made by people or by the clusters' own software, outside of this repository.
MADE_OUTSIDE = {
    ("Namespace", "kube-system"),
    ("PriorityClass", "system-cluster-critical"),
    ("Secret", "public-tls"),
}


def reference_findings(objects: list[Object]) -> list[str]:
    """Return every reference that leads nowhere, one line each."""
    known = set(_names(objects)) | {(kind, name, "") for kind, name in MADE_OUTSIDE}
    findings = []
    for who, kind, name, namespace in _references(objects):
        place = "" if kind in CLUSTER_WIDE else namespace
        if (kind, name, place) not in known and (kind, name, "") not in known:
            findings.append(f"{who} names {kind}/{name}, which does not exist")
    return findings


def _names(objects: Iterable[Object]) -> Iterator[tuple[str, str, str]]:
    for each in objects:
        name, namespace = each["metadata"]["name"], namespace_of(each)
        yield each["kind"], name, namespace
        match each["kind"]:
            case "ExternalSecret":
                yield "Secret", each["spec"]["target"]["name"], namespace
            case "Certificate":
                yield "Secret", each["spec"]["secretName"], namespace
            case "Elasticsearch":
                yield "Secret", f"{name}-es-http-certs-public", namespace
                yield "Secret", f"{name}-es-elastic-user", namespace
            case "Kibana":
                yield "Secret", f"{name}-kb-http-certs-public", namespace


def _references(objects: list[Object]) -> Iterator[tuple[str, str, str, str]]:
    for pod in pods_of(objects):
        for kind, name in _of_pod(pod):
            yield pod.title, kind, name, pod.namespace
    for each in objects:
        for kind, name, namespace in _of_object(each):
            yield title(each), kind, name, namespace


def _of_pod(pod: Pod) -> Iterator[tuple[str, str]]:
    if account := pod.spec.get("serviceAccountName"):
        yield "ServiceAccount", account
    if priority := pod.spec.get("priorityClassName"):
        yield "PriorityClass", priority
    for volume in pod.spec.get("volumes") or []:
        for source in [volume, *(volume.get("projected") or {}).get("sources", [])]:
            if "configMap" in source:
                yield "ConfigMap", source["configMap"]["name"]
            if "secret" in source:
                yield "Secret", source["secret"].get("secretName") or source["secret"]["name"]
    for container in pod.containers:
        for source in container.get("envFrom") or []:
            if "configMapRef" in source:
                yield "ConfigMap", source["configMapRef"]["name"]
            if "secretRef" in source:
                yield "Secret", source["secretRef"]["name"]
        for variable in container.get("env") or []:
            origin = variable.get("valueFrom") or {}
            if "configMapKeyRef" in origin:
                yield "ConfigMap", origin["configMapKeyRef"]["name"]
            if "secretKeyRef" in origin:
                yield "Secret", origin["secretKeyRef"]["name"]


def _of_object(each: Object) -> Iterator[tuple[str, str, str]]:
    spec, here = each.get("spec") or {}, namespace_of(each)
    match each["kind"]:
        case "HorizontalPodAutoscaler":
            yield spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"], here
        case "Certificate":
            yield spec["issuerRef"]["kind"], spec["issuerRef"]["name"], here
        case "Issuer" if "ca" in spec:
            yield "Secret", spec["ca"]["secretName"], here
        case "SecretStore":
            account = spec["provider"]["aws"]["auth"]["jwt"]["serviceAccountRef"]["name"]
            yield "ServiceAccount", account, here
        case "ExternalSecret":
            if store := spec.get("secretStoreRef"):
                yield store["kind"], store["name"], here
            for source in spec["dataFrom"]:
                if made := source.get("sourceRef"):
                    yield made["generatorRef"]["kind"], made["generatorRef"]["name"], here
        case "RoleBinding" | "ClusterRoleBinding":
            yield each["roleRef"]["kind"], each["roleRef"]["name"], here
            for subject in each["subjects"]:
                if subject["kind"] == "ServiceAccount":
                    yield subject["kind"], subject["name"], subject["namespace"]
        case "Elasticsearch":
            for section in (spec.get("auth") or {}).values():
                for source in section:
                    yield "Secret", source["secretName"], here
        case "Kibana":
            yield "Elasticsearch", spec["elasticsearchRef"]["name"], here
        case "Alertmanager":
            yield "Secret", spec["configSecret"], here
            for name in spec.get("secrets") or []:
                yield "Secret", name, here
        case "Prometheus":
            for target in spec["alerting"]["alertmanagers"]:
                yield "Service", target["name"], target["namespace"]
        case "ServiceMonitor":
            for endpoint in spec["endpoints"]:
                authority = (endpoint.get("tlsConfig") or {}).get("ca") or {}
                if "secret" in authority:
                    yield "Secret", authority["secret"]["name"], here
    if here:
        yield "Namespace", here, ""
    for claim in _claims(each):
        yield "StorageClass", claim["storageClassName"], ""


def _claims(each: Object) -> Iterator[Object]:
    match each["kind"]:
        case "Prometheus" | "Alertmanager":
            yield each["spec"]["storage"]["volumeClaimTemplate"]["spec"]
        case "Elasticsearch":
            for nodes in each["spec"]["nodeSets"]:
                for claim in nodes["volumeClaimTemplates"]:
                    yield claim["spec"]


def selector_findings(objects: list[Object]) -> list[str]:
    """Return selectors that select nothing, or not what their own template makes."""
    pods = pods_of(objects)
    strangers = [
        f"{title(each)} does not select its own pods"
        for each in of_kind(objects, "Deployment", "DaemonSet", "StatefulSet")
        if not matches(each["spec"]["selector"], each["spec"]["template"]["metadata"]["labels"])
    ]
    idle = [
        f"{who} selects nothing"
        for who, selector, candidates in _selections(objects, pods)
        if not any(matches(selector, labels) for labels in candidates)
    ]
    return [*strangers, *idle, *_shared_selectors(objects, pods)]


def _selections(
    objects: list[Object], pods: list[Pod]
) -> Iterator[tuple[str, Any, list[dict[str, str]]]]:
    for each in objects:
        spec, here = each.get("spec") or {}, namespace_of(each)
        inside = [pod.labels for pod in pods if pod.namespace == here]
        match each["kind"]:
            case "Service":
                yield title(each), {"matchLabels": spec["selector"]}, inside
            case "PodDisruptionBudget" | "PodMonitor":
                yield title(each), spec["selector"], inside
            case "ServiceMonitor":
                services = [
                    labels_of(other)
                    for other in of_kind(objects, "Service")
                    if namespace_of(other) == here
                ]
                yield title(each), spec["selector"], services
            case "NetworkPolicy":
                yield title(each), spec["podSelector"], inside
                for peer in _peers(spec):
                    if "podSelector" in peer and "namespaceSelector" not in peer:
                        yield f"{title(each)}, in a rule,", peer["podSelector"], inside
    for pod in pods:
        for constraint in pod.spec.get("topologySpreadConstraints") or []:
            yield f"{pod.title}, in its spread,", constraint["labelSelector"], [pod.labels]


def _peers(spec: Object) -> Iterator[Object]:
    for rule in spec.get("ingress") or []:
        yield from rule.get("from") or []
    for rule in spec.get("egress") or []:
        yield from rule.get("to") or []


def _shared_selectors(objects: list[Object], pods: list[Pod]) -> Iterator[str]:
    """Yield Deployments whose selector also takes the pods of another."""
    for each in of_kind(objects, "Deployment", "DaemonSet"):
        for pod in pods:
            same = pod.owner is each or pod.namespace != namespace_of(each)
            if not same and matches(each["spec"]["selector"], pod.labels):
                yield f"{title(each)} also selects the pods of {pod.title}"


def port_findings(objects: list[Object]) -> list[str]:
    """Return every port that is named somewhere and that nothing behind it has."""
    pods = pods_of(objects)
    findings = []
    for who, port, selected in _ports(objects, pods):
        if not any(port in pod.ports or port in pod.ports.values() for pod in selected):
            findings.append(f"{who} uses the port {port}, which no selected pod has")
    for each in of_kind(objects, "ServiceMonitor"):
        for service in _selected_services(each, objects):
            names = {port["name"] for port in service["spec"]["ports"]}
            findings += [
                f"{title(each)} uses the port {endpoint['port']}, which {title(service)} has not"
                for endpoint in each["spec"]["endpoints"]
                if endpoint["port"] not in names
            ]
    for each in of_kind(objects, "Ingress"):
        findings += _ingress_findings(each, objects)
    return findings


def _ports(objects: list[Object], pods: list[Pod]) -> Iterator[tuple[str, Any, list[Pod]]]:
    for pod in pods:
        for container in pod.containers:
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if get := container.get(probe, {}).get("httpGet"):
                    yield f"{pod.title}, in its {probe},", get["port"], [pod]
    for each in objects:
        spec, here = each.get("spec") or {}, namespace_of(each)
        inside = [pod for pod in pods if pod.namespace == here]
        match each["kind"]:
            case "Service":
                selected = _selected(inside, {"matchLabels": spec["selector"]})
                for port in spec["ports"]:
                    yield title(each), port.get("targetPort", port["port"]), selected
            case "PodMonitor":
                for pod in _selected(inside, spec["selector"]):
                    for endpoint in spec["podMetricsEndpoints"]:
                        yield title(each), endpoint["port"], [pod]
            case "NetworkPolicy":
                selected = _selected(inside, spec["podSelector"])
                for rule in spec.get("ingress") or []:
                    for port in rule.get("ports") or []:
                        yield title(each), port["port"], selected
            case "Prometheus":
                for target in spec["alerting"]["alertmanagers"]:
                    there = [pod for pod in pods if pod.namespace == target["namespace"]]
                    yield title(each), target["port"], there


def collected_jobs(objects: list[Object]) -> set[str]:
    """Return the label `job` of everything that Prometheus collects here."""
    jobs = set()
    for each in of_kind(objects, "ServiceMonitor", "PodMonitor"):
        if each["kind"] == "ServiceMonitor":
            selected = [labels_of(service) for service in _selected_services(each, objects)]
        else:
            inside = [pod for pod in pods_of(objects) if pod.namespace == namespace_of(each)]
            selected = [pod.labels for pod in _selected(inside, each["spec"]["selector"])]
        jobs |= {labels[each["spec"]["jobLabel"]] for labels in selected}
    return jobs


def _selected(pods: list[Pod], selector: Any) -> list[Pod]:
    return [pod for pod in pods if matches(selector, pod.labels)]


def _selected_services(monitor: Object, objects: list[Object]) -> list[Object]:
    return [
        service
        for service in of_kind(objects, "Service")
        if namespace_of(service) == namespace_of(monitor)
        and matches(monitor["spec"]["selector"], labels_of(service))
    ]


def _ingress_findings(each: Object, objects: list[Object]) -> Iterator[str]:
    """Yield backends that are neither a port of a service nor an action of the annotations."""
    services = {
        (service["metadata"]["name"], port["name"])
        for service in of_kind(objects, "Service")
        if namespace_of(service) == namespace_of(each)
        for port in service["spec"]["ports"]
    }
    actions = {
        (key.rpartition("/actions.")[2], "use-annotation")
        for key in each["metadata"].get("annotations") or {}
        if "/actions." in key
    }
    for rule in each["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            service = path["backend"]["service"]
            backend = (service["name"], service["port"]["name"])
            if backend not in services | actions:
                yield f"{title(each)} sends {path['path']} to {'/'.join(backend)}, which is nothing"
