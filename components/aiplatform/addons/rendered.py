"""What is changed in a rendered chart before its objects become resources. Helm runs this file as a
post-renderer: it gets the objects as text, and prints them.

Only custom resource definitions, Services, webhook configurations and workloads change, and a role is granted
to no one but accounts and groups of the platform. This is done here and not by a transform of Pulumi's: a
transform gets every object, and definitions of thousands of lines take seconds in it.

Its argument is the namespace of the chart, in which objects are that state none.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import yaml

_SEPARATOR: Final = "\n---"
_DEPENDS_ON: Final = "config.kubernetes.io/depends-on"
_CONFIGURATION: Final = ("ConfigMap", "Secret")
_WORKLOADS: Final = ("DaemonSet", "Deployment", "StatefulSet")
_BINDINGS: Final = ("RoleBinding", "ClusterRoleBinding")
_EVERYONE: Final = ("system:anonymous", "system:authenticated", "system:unauthenticated")
_READS: Final = {
    "configMap": "ConfigMap",
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
    "secret": "Secret",
    "secretKeyRef": "Secret",
    "secretRef": "Secret",
}
"""Key in the specification of a Pod -> the kind of what it names."""
_INJECTED: Final = "cert-manager.io/inject-ca-from"
_TYPES: Final = ("null", "bool", "int", "float")


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: without the dates and times of YAML 1.1."""

    yaml_implicit_resolvers: Final = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in _TYPES]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def adapted(text: str, namespace: str) -> str:
    """Return the objects of a chart with those changed that need it."""
    return _SEPARATOR.join(_documents(text, namespace))


def _documents(text: str, namespace: str) -> Iterator[str]:
    documents = f"\n{text}".split(_SEPARATOR)
    kinds = [_kind(document) for document in documents]
    configuration = [
        _configuration(_object(document), namespace)
        for document, kind in zip(documents, kinds, strict=True)
        if kind in _CONFIGURATION
    ]
    for document, kind in zip(documents, kinds, strict=True):
        if kind == "CustomResourceDefinition":
            yield f"\n{json.dumps(definition(_object(document)))}\n"
        elif kind == "Service":
            yield f"\n{json.dumps(service(_object(document)))}\n"
        elif kind in _BINDINGS and binds_everyone(_object(document)):
            continue
        elif kind.endswith("WebhookConfiguration"):
            yield f"\n{json.dumps(webhooks(_object(document)))}\n"
        elif kind in _WORKLOADS and configuration:
            yield f"\n{json.dumps(workload(_object(document), namespace, configuration))}\n"
        else:
            yield document


def _kind(document: str) -> str:
    lines = (line for line in document.splitlines() if line.startswith("kind:"))
    return next(lines, "").partition(":")[2].strip(" \"'")


def _configuration(body: Mapping[str, Any], namespace: str) -> str:
    """Return the reference to a ConfigMap or Secret."""
    return _reference(_namespace(body, namespace), body["kind"], body["metadata"]["name"])


def _namespace(body: Mapping[str, Any], default: str) -> str:
    return body["metadata"].get("namespace") or default


def _reference(namespace: str, kind: str, name: str) -> str:
    """Return what the annotation calls an object of the core API."""
    return f"/namespaces/{namespace}/{kind}/{name}"


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


def workload(body: dict[str, Any], namespace: str, configuration: Sequence[str]) -> dict[str, Any]:
    """Return a workload that is updated after those of the chart's ConfigMaps and Secrets that its Pods read:
    charts give new Pods to a workload whose configuration changes, and these would else begin with that
    before. configuration: all that the chart has.
    """
    namespace = _namespace(body, namespace)
    read = {_reference(namespace, kind, name) for kind, name in _read(body["spec"]["template"]["spec"])}
    if known := [reference for reference in configuration if reference in read]:
        annotated(body, _DEPENDS_ON, ",".join(known))
    return body


def _read(node: Any) -> Iterator[tuple[str, str]]:
    """Yield kind and name of the ConfigMaps and Secrets of a Pod: in its volumes and variables."""
    if isinstance(node, dict):
        for key, value in cast("dict[str, Any]", node).items():
            kind = _READS.get(key)
            if kind is not None and isinstance(value, dict):
                entry = cast("dict[str, Any]", value)
                yield kind, str(entry.get("name") or entry.get("secretName"))
            else:
                yield from _read(value)
    elif isinstance(node, list):
        for entry in cast("list[Any]", node):
            yield from _read(entry)


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
    sys.stdout.write(adapted(sys.stdin.read(), sys.argv[1]))
