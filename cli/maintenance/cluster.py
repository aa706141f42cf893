"""The cluster of an environment, as commands that maintain its nodes need it."""

from __future__ import annotations

import difflib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from cli.output import CommandError, note

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


def client_of(file: Path, patience: float = 0) -> Any:
    """Return the client of a kubeconfig. patience: how long a request is repeated, seconds. Raises
    CommandError for a file that is no kubeconfig."""
    from kubernetes import config

    from cli.maintenance.retries import Requests

    try:
        api: Any = config.new_client_from_config(str(file))
    except config.ConfigException as error:
        raise CommandError(f"{file}: no kubeconfig: {error}") from error
    api.rest_client.request = Requests(api.rest_client.request, note, patience)
    return api


def pools_of(environment: str) -> list[str]:
    """Return the pools of an environment's file, those of accelerators first."""
    return [*accelerator_pools(environment), *_pools(environment, "node")]


def accelerator_pools(environment: str) -> list[str]:
    """Return the pools of an environment's file that have accelerators."""
    return _pools(environment, "gpu")


def _pools(environment: str, kind: str) -> list[str]:
    from cli import instances

    instances.of_environment(environment)  # refuses one that has no file
    topic = instances.config(environment).get(f"ai-platform:{kind}_pools")
    return list(topic) if isinstance(topic, dict) else []


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
        """Connect to the cluster of an environment. Raises CommandError where there is no kubeconfig, and for
        one of another cluster."""
        from cli.maintenance import retries

        file = kubeconfig_of(environment, kubeconfig)
        api = client_of(file)
        with api_errors(f"expected a cluster that answers at the address in {file}"):
            cluster = cls(api)
        # Not before: an address that is wrong is an error at once.
        api.rest_client.request.patience = retries.PATIENCE
        return cluster

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

    def set_active(self, workload: str, *, active: bool) -> None:
        """Activate or deactivate a Workload of Kueue (NAMESPACE/NAME); one that is gone does not matter."""
        from kubernetes.client import ApiException

        namespace, _, name = workload.partition("/")
        resource = self._resource({"apiVersion": KUEUE, "kind": "Workload"})
        body = {"spec": {"active": active}}
        try:
            resource.patch(
                body=body, name=name, namespace=namespace, content_type="application/merge-patch+json"
            )
        except ApiException as error:
            if error.status != 404:
                raise

    def _resource(self, item: Object) -> Any:
        """Return the API of a kind. Raises CommandError where the cluster does not know it."""
        from kubernetes.dynamic.exceptions import ResourceNotFoundError

        try:
            return self._dynamic.resources.get(api_version=item["apiVersion"], kind=item["kind"])
        except ResourceNotFoundError as error:
            kind = f"{item['kind']} ({item['apiVersion']})"
            raise CommandError(
                f"the cluster has no kind {kind}; expected the add-on that brings it"
            ) from error

    def apply(self, item: Object, manager: str = MANAGER) -> None:
        """Set the fields of an object that the item states, and give up those that an earlier one stated.
        manager: of the fields."""
        resource = self._resource(item)
        metadata = item["metadata"]
        resource.server_side_apply(
            body=item,
            name=metadata["name"],
            namespace=metadata.get("namespace"),
            field_manager=manager,
            force_conflicts=True,
        )

    def replace(self, item: Object) -> None:
        """Create an object in the place of one with its name, which may be left of an interrupted command.
        Raises CommandError where the cluster refuses it."""
        from kubernetes.client import ApiException

        self.delete(item)
        metadata = item["metadata"]
        resource = self._resource(item)
        for _ in range(60):
            try:
                resource.create(body=item, namespace=metadata["namespace"])
            except ApiException as error:
                if error.status == 409:
                    time.sleep(1)
                    continue
                place = f"{item['kind']} {metadata['namespace']}/{metadata['name']}"
                raise CommandError(f"{place}: {message(error)}") from error
            return
        raise CommandError(f"{item['kind']} {metadata['name']} of an earlier check is still being deleted")

    def delete(self, item: Object) -> None:
        """Delete an object with all that it controls; one that is gone does not matter."""
        from kubernetes.client import ApiException

        metadata = item["metadata"]
        resource = self._resource(item)
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


@contextmanager
def api_errors(advice: str, code: int = 1) -> Iterator[None]:
    """Raise CommandError with the advice and the exit code where the cluster refuses a request or does not
    answer."""
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        reason = f"{message(error)} (status {error.status})"
        raise CommandError(f"the cluster refused a request: {reason}; {advice}", code) from error
    except HTTPError as error:
        raise CommandError(f"the cluster does not answer: {error}; {advice}", code) from error


def message(error: Any) -> str:
    """Return what the API server states in an ApiException."""
    try:
        return str(json.loads(error.body)["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def kubeconfig_of(environment: str, stated: Path | None) -> Path:
    """Return the stated kubeconfig, or that of the environment on its twin. Raises CommandError where it is
    not deployed there, and for a kubeconfig of another cluster."""
    from cli import instances
    from cli.maintenance import kubeconfigs

    if stated is not None:
        kubeconfigs.refuse_other(environment, stated)
        return stated
    from twin import environment as variables

    file = variables.stack_kubeconfig(instances.for_environment(environment))
    if not file.exists():
        raise CommandError(
            f"{environment} is not deployed on its twin; run `aiplatform up {environment}`, or name the "
            "cluster by --kubeconfig"
        )
    return file
