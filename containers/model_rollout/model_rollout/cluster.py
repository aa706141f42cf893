"""The objects of a service in its namespace: InferenceServices and the HTTPRoute."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from kubernetes import client, config
from kubernetes.client import ApiException
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter
from urllib3.exceptions import HTTPError

from model_rollout.errors import RefusedError
from model_rollout.templates import Object

_SERVICES: Final = ("serving.kserve.io", "v1beta1", "inferenceservices")
_ROUTES: Final = ("gateway.networking.k8s.io", "v1", "httproutes")
_MERGE: Final = "application/merge-patch+json"
_GONE: Final = 404
_CONFLICT: Final = 409
_REFUSED: Final = (400, 403, 422)
_SECONDS: Final = 300
"""How long the API server may be away. The workflow then starts the program again."""


def _passes(error: BaseException) -> bool:
    return isinstance(error, HTTPError) or (
        isinstance(error, ApiException) and (error.status == 429 or (error.status or 500) >= 500)
    )


class Cluster:
    """The API of the cluster, for one namespace. Raises RefusedError for what the API server refuses."""

    def __init__(self, namespace: str, api: Any = None) -> None:
        if api is None:
            # The file of KUBECONFIG, or the token of the Pod.
            config.load_config()
            api = client.ApiClient()
        self.namespace = namespace
        self._custom: Any = client.CustomObjectsApi(api)
        self._core: Any = client.CoreV1Api(api)

    def owner(self, account: str) -> Object:
        """Return the reference to a service account as an owner: it is deleted after what it owns."""
        found = self._call(lambda: self._core.read_namespaced_service_account(account, self.namespace))
        return {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "name": account,
            "uid": found.metadata.uid,
            "blockOwnerDeletion": True,
        }

    def service(self, name: str) -> Object | None:
        """Return an InferenceService; None where there is none."""
        return self._get(_SERVICES, name)

    def create_service(self, item: Object) -> None:
        """Create an InferenceService; one that exists already is left as it is."""
        self._create(_SERVICES, item)

    def delete_service(self, name: str) -> None:
        """Delete an InferenceService with its Pods, once they have answered what they work on."""
        self._call(
            lambda: self._custom.delete_namespaced_custom_object(
                *self._place(_SERVICES), name, propagation_policy="Foreground"
            ),
            accepted=_GONE,
        )

    def route(self, name: str) -> Object | None:
        """Return an HTTPRoute; None where there is none."""
        return self._get(_ROUTES, name)

    def routes(self) -> list[Object]:
        """Return the HTTPRoutes of the namespace."""
        answer = self._call(lambda: self._custom.list_namespaced_custom_object(*self._place(_ROUTES)))
        return answer["items"]

    def create_route(self, item: Object) -> bool:
        """Create an HTTPRoute. Returns whether there was none."""
        return self._create(_ROUTES, item)

    def change_route(self, name: str, patch: Object) -> bool:
        """Change an HTTPRoute in the version that `metadata.resourceVersion` of the patch states. Returns
        False where it has changed since."""
        answer = self._call(
            lambda: self._custom.patch_namespaced_custom_object(
                *self._place(_ROUTES), name, patch, _content_type=_MERGE
            ),
            accepted=_CONFLICT,
        )
        return answer is not None

    def _place(self, kind: tuple[str, str, str]) -> tuple[str, str, str, str]:
        group, version, plural = kind
        return group, version, self.namespace, plural

    def _get(self, kind: tuple[str, str, str], name: str) -> Object | None:
        return self._call(
            lambda: self._custom.get_namespaced_custom_object(*self._place(kind), name), accepted=_GONE
        )

    def _create(self, kind: tuple[str, str, str], item: Object) -> bool:
        answer = self._call(
            lambda: self._custom.create_namespaced_custom_object(*self._place(kind), item),
            accepted=_CONFLICT,
        )
        return answer is not None

    def _call(self, request: Callable[[], Any], accepted: int = 0) -> Any:
        """Return the answer; None with the accepted status."""
        attempts = Retrying(
            retry=retry_if_exception(_passes),
            stop=stop_after_delay(_SECONDS),
            wait=wait_exponential_jitter(multiplier=0.5, max=15),
            reraise=True,
        )
        try:
            return attempts(request)
        except ApiException as error:
            if error.status == accepted:
                return None
            if error.status in _REFUSED:
                raise RefusedError(f"the API server refuses it: {_message(error)}") from error
            raise


def _message(error: ApiException) -> str:
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)
