"""What is changed in a rendered chart before its objects become resources. Helm runs this file as a
post-renderer: it gets the objects as text, and prints them.

Only custom resource definitions, Services and webhook configurations change, and a role is granted to no one
but accounts and groups of the platform. This is done here and not by a
transform of Pulumi's: a transform gets every object, and definitions of thousands of lines take seconds in
it.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any, Final, cast

import yaml

_SEPARATOR: Final = "\n---"
_BINDINGS: Final = ("RoleBinding", "ClusterRoleBinding")
_EVERYONE: Final = ("system:anonymous", "system:authenticated", "system:unauthenticated")
_INJECTED: Final = "cert-manager.io/inject-ca-from"
_TYPES: Final = ("null", "bool", "int", "float")


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: without the dates and times of YAML 1.1."""

    yaml_implicit_resolvers: Final = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in _TYPES]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def adapted(text: str) -> str:
    """Return the objects of a chart with those changed that need it."""
    return _SEPARATOR.join(_documents(text))


def _documents(text: str) -> Iterator[str]:
    for document in f"\n{text}".split(_SEPARATOR):
        kinds = [line for line in document.splitlines() if line.startswith("kind:")]
        kind = kinds[0].partition(":")[2].strip(" \"'") if kinds else ""
        if kind == "CustomResourceDefinition":
            yield f"\n{json.dumps(definition(_object(document)))}\n"
        elif kind == "Service":
            yield f"\n{json.dumps(service(_object(document)))}\n"
        elif kind in _BINDINGS and binds_everyone(_object(document)):
            continue
        elif kind.endswith("WebhookConfiguration"):
            yield f"\n{json.dumps(webhooks(_object(document)))}\n"
        else:
            yield document


def _object(document: str) -> dict[str, Any]:
    return yaml.load(document, _Loader)  # noqa: S506 - a subclass of the safe loader


def definition(body: dict[str, Any]) -> dict[str, Any]:
    """Return a custom resource definition that stays when its add-on is removed, since its end would delete
    every object of its kind; that is taken over when it exists already; and without the descriptions of
    fields: most of its text, which the engine would save with the state after each step."""
    annotated(body, "helm.sh/resource-policy", "keep")
    annotated(body, "pulumi.com/patchForce", "true")
    for version in body["spec"]["versions"]:
        if "schema" in version:
            version["schema"] = without_descriptions(version["schema"])
    return body


def service(body: dict[str, Any]) -> dict[str, Any]:
    """Return a Service that is not waited for: the Deployments behind it are."""
    return annotated(body, "pulumi.com/skipAwait", "true")


def webhooks(body: dict[str, Any]) -> dict[str, Any]:
    """Return a webhook configuration. One into which cert-manager injects the authority of its certificate is
    waited for until then: the Pods that serve it are ready before, and objects that it guards would be
    refused."""
    annotations: dict[str, str] = body["metadata"].get("annotations") or {}
    if any(name.startswith(_INJECTED) for name in annotations):
        annotated(body, "pulumi.com/waitFor", "jsonpath={.webhooks[0].clientConfig.caBundle}")
    return body


def binds_everyone(body: dict[str, Any]) -> bool:
    """Return whether a binding grants its role to all who reach the API server, on GKE to every Google
    account: it is left out."""
    return any(subject.get("name") in _EVERYONE for subject in body.get("subjects") or ())


def annotated(body: dict[str, Any], name: str, value: str) -> dict[str, Any]:
    """Return an object with an annotation."""
    metadata = body["metadata"]
    metadata["annotations"] = {**(metadata.get("annotations") or {}), name: value}
    return body


def without_descriptions(node: Any) -> Any:
    """Return a schema without descriptions. A property with that name is an object, and stays."""
    if isinstance(node, dict):
        entries = cast("dict[str, Any]", node)
        return {
            key: without_descriptions(value)
            for key, value in entries.items()
            if key != "description" or not isinstance(value, str)
        }
    if isinstance(node, list):
        return [without_descriptions(entry) for entry in cast("list[Any]", node)]
    return node


if __name__ == "__main__":
    sys.stdout.write(adapted(sys.stdin.read()))
