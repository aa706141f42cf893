"""The cluster of an environment, as commands that maintain its nodes need it."""

from __future__ import annotations

import difflib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from cli.output import CommandError

POOL: Final = "ai-platform/pool"
"""The node label with the name of a pool."""
KUEUE: Final = "kueue.x-k8s.io/v1beta2"
MANAGER: Final = "ai-platform-drain"
"""Manager of the fields that these commands set (server-side apply)."""
NAMESPACE: Final = "kube-system"

KUBECONFIG = typer.Option(
    None,
    "--kubeconfig",
    metavar="FILE",
    help="Kubeconfig of the cluster. Default: that of the environment on its twin.",
    show_default=False,
)
Object = dict[str, Any]


def pools_of(environment: str) -> list[str]:
    """Return the pools of an environment's file, those of GPUs first."""
    from cli import instances

    instances.of_environment(environment)  # refuses one that has no file
    config = instances.config(environment)
    topics = (config.get(f"ai-platform:{kind}_pools") for kind in ("gpu", "node"))
    return [name for topic in topics if isinstance(topic, dict) for name in topic]


def refuse_unknown(environment: str, pool: str, known: Sequence[str]) -> None:
    """Raise CommandError for a pool that the environment does not have."""
    if pool in known:
        return
    close = difflib.get_close_matches(pool, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    expected = f"expected one of {', '.join(known)}" if known else "its file states no pool"
    raise CommandError(f"environments/Pulumi.{environment}.yaml: no pool {pool!r}; {expected}{hint}")


@dataclass
class Cluster:
    """Requests to a cluster. api: of the client `kubernetes`."""

    api: Any

    def __post_init__(self) -> None:
        from kubernetes import client, dynamic

        self.core: Any = client.CoreV1Api(self.api)
        self._dynamic: Any = dynamic.DynamicClient(self.api)

    @classmethod
    def of(cls, environment: str, kubeconfig: Path | None) -> Cluster:
        """Connect to the cluster of an environment. Raises CommandError where there is no kubeconfig."""
        from kubernetes import config

        file = kubeconfig or _of_twin(environment)
        try:
            return cls(config.new_client_from_config(str(file)))
        except config.ConfigException as error:
            raise CommandError(f"{file}: no kubeconfig: {error}") from error

    def nodes(self, pool: str) -> list[Any]:
        """Return the nodes of a pool."""
        return self.core.list_node(label_selector=f"{POOL}={pool}").items

    def list(self, api_version: str, kind: str) -> list[Object]:
        """Return all objects of a kind; none where the cluster does not know it."""
        from kubernetes.dynamic.exceptions import ResourceNotFoundError

        try:
            resource = self._dynamic.resources.get(api_version=api_version, kind=kind)
        except ResourceNotFoundError:
            return []
        return resource.get().to_dict()["items"]

    def apply(self, item: Object) -> None:
        """Set the fields of an object that the item states, and give up those that an earlier one stated."""
        resource = self._dynamic.resources.get(api_version=item["apiVersion"], kind=item["kind"])
        metadata = item["metadata"]
        resource.server_side_apply(
            body=item,
            name=metadata["name"],
            namespace=metadata.get("namespace"),
            field_manager=MANAGER,
            force_conflicts=True,
        )

    def replace(self, item: Object) -> None:
        """Create an object in the place of one with its name, which may be left of an interrupted command.
        Raises CommandError where the cluster refuses it."""
        from kubernetes.client import ApiException

        self.delete(item)
        metadata = item["metadata"]
        resource = self._dynamic.resources.get(api_version=item["apiVersion"], kind=item["kind"])
        for _ in range(60):
            try:
                resource.create(body=item, namespace=metadata["namespace"])
            except ApiException as error:
                if error.status == 409:
                    time.sleep(1)
                    continue
                place = f"{item['kind']} {metadata['namespace']}/{metadata['name']}"
                raise CommandError(f"{place}: {_message(error)}") from error
            return
        raise CommandError(f"{item['kind']} {metadata['name']} of an earlier check is still being deleted")

    def delete(self, item: Object) -> None:
        """Delete an object with all that it controls; one that is gone does not matter."""
        from kubernetes.client import ApiException

        metadata = item["metadata"]
        resource = self._dynamic.resources.get(api_version=item["apiVersion"], kind=item["kind"])
        options = {"propagationPolicy": "Background"}
        try:
            resource.delete(name=metadata["name"], namespace=metadata["namespace"], body=options)
        except ApiException as error:
            if error.status != 404:
                raise

    def pods_on(self, nodes: Sequence[str]) -> Iterator[Any]:
        """Yield the Pods on nodes that a drain evicts: not those of DaemonSets and of the kubelet."""
        for node in nodes:
            pods = self.core.list_pod_for_all_namespaces(field_selector=f"spec.nodeName={node}").items
            for pod in pods:
                owners = {owner.kind for owner in pod.metadata.owner_references or ()}
                if not owners & {"DaemonSet", "Node"} and pod.status.phase not in ("Succeeded", "Failed"):
                    yield pod


def _message(error: Any) -> str:
    """Return what the API server states."""
    try:
        return str(json.loads(error.body)["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def _of_twin(environment: str) -> Path:
    from cli import instances
    from twin import environment as variables

    file = variables.stack_kubeconfig(instances.for_environment(environment))
    if not file.exists():
        raise CommandError(
            f"{environment} is not deployed on its twin; run `aiplatform up {environment}`, or name the "
            "cluster by --kubeconfig"
        )
    return file
