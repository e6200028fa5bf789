"""The environment that a process of a pod would see, with stand-ins for what is secret."""

import re
from urllib.parse import quote_plus

from rendering import Object, found, namespace_of, title

EXPRESSION = re.compile(r"\{\{ \.(\w+)( \| urlquery)? \}\}")


def environment_of(owner: Object, objects: list[Object], secrets: dict[str, str]) -> dict[str, str]:
    """Return the variables of the one container of a Deployment, Job or CronJob.

    `secrets` holds what Secrets Manager would. Raises ValueError for a reference that leads
    nowhere or a template that this module does not read.
    """
    container = container_of(owner)
    place = namespace_of(owner)
    variables: dict[str, str] = {}
    for source in container["envFrom"]:
        if "configMapRef" in source:
            settings = found(objects, "ConfigMap", source["configMapRef"]["name"], place)
            variables |= settings["data"]
        else:
            secret = found(objects, "ExternalSecret", source["secretRef"]["name"], place)
            variables |= synced(secret, secrets)
    for each in container.get("env") or []:
        if "value" not in each:
            raise ValueError(f"{title(owner)} takes {each['name']} from elsewhere")
        variables[each["name"]] = each["value"]
    return variables


def container_of(owner: Object) -> Object:
    """Return the one container of a Deployment, Job or CronJob. Raises ValueError."""
    spec = owner["spec"]
    job = spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec
    [container] = job["template"]["spec"]["containers"]
    return container


def synced(external: Object, secrets: dict[str, str]) -> dict[str, str]:
    """Return what the operator would write into the Secret. Raises ValueError."""
    template = external["spec"]["target"]["template"]
    return {name: _filled(text, secrets) for name, text in template["data"].items()}


def _filled(text: str, secrets: dict[str, str]) -> str:
    """Fill in a template as Go's text/template would: a name, and `urlquery`, is all we use."""
    filled = EXPRESSION.sub(
        lambda use: quote_plus(secrets[use[1]]) if use[2] else secrets[use[1]], text
    )
    if "{{" in EXPRESSION.sub("", text):
        raise ValueError(f"{text} is more than a name")
    return filled


def secret_names(external: Object) -> set[str]:
    """Return what the template takes from Secrets Manager."""
    template = external["spec"]["target"]["template"]
    return {use[0] for text in template["data"].values() for use in EXPRESSION.findall(text)}
