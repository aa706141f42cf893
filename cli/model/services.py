"""The services of a team that serve a model: their routes, which a rollback moves at once where the release
before is still there (containers/model_rollout keeps it), and else the rollout of that release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cli.maintenance.cluster import api_errors, client_of
from cli.output import CommandError, note

TEMPLATES: Final = "serving-templates"
TEMPLATE: Final = "rollout"
"""The WorkflowTemplate in the namespace of the team."""
COLORS: Final = ("blue", "green")
STABLE: Final = "ai-platform/stable"
PREVIOUS: Final = "ai-platform/previous"
STAGE: Final = "ai-platform/rollout-stage"
RESULT: Final = "ai-platform/rollout-result"
REASON: Final = "ai-platform/rollout-reason"
ROLLED_BACK_AT: Final = "ai-platform/rolled-back-at"
"""Annotations of a route (containers/model_rollout/model_rollout/route.py)."""
MODEL: Final = "ai-platform/model"
RELEASE: Final = "ai-platform/release"
_BY: Final = "aiplatform model rollback"
_ATTEMPTS: Final = 5
_VERSION: Final = "${VERSION}"
_ADVICE: Final = (
    "expected a member of the release group (argument `release_group` of the model store), and the topic "
    "ai-platform:serving with `rollouts`"
)
_SERVICES: Final = ("serving.kserve.io", "v1beta1", "inferenceservices")
_ROUTES: Final = ("gateway.networking.k8s.io", "v1", "httproutes")
_WORKFLOWS: Final = ("argoproj.io", "v1alpha1", "workflows")
Object = dict[str, Any]


@dataclass
class Services:
    """The services of a team. api: of the client `kubernetes`."""

    api: Any
    namespace: str

    def __post_init__(self) -> None:
        from kubernetes import client

        self._core: Any = client.CoreV1Api(self.api)
        self._custom: Any = client.CustomObjectsApi(self.api)

    @classmethod
    def of(cls, file: Path, namespace: str) -> Services:
        """Connect by a kubeconfig. Raises CommandError for one that is none."""
        return cls(client_of(file, 30), namespace)

    def serving(self, model: str) -> dict[str, Object]:
        """Return service -> template, of those that serve a model of the team. Empty, with a note, where the
        user has no right to them, as in a cluster without rollouts."""
        from kubernetes.client import ApiException

        with api_errors(_ADVICE):
            try:
                data = self._core.read_namespaced_config_map(TEMPLATES, self.namespace).data or {}
            except ApiException as error:
                if error.status not in (403, 404):
                    raise
                if error.status == 403:
                    note(f"requests are not moved: no right to services of {self.namespace}; {_ADVICE}")
                return {}
        templates: dict[str, Object] = {name: json.loads(text) for name, text in data.items()}
        return {
            name: template
            for name, template in templates.items()
            if template["metadata"].get("labels", {}).get(MODEL) == model
        }

    def move_back(self, service: str, leaves: str = "") -> str | None:
        """Move the requests of a service to its release before, and return that version; None where it is not
        there any more. A rollout in progress ends with the release that it began with.

        leaves: the version that has the requests now; where it is another one, they have moved already.
        Raises CommandError where the cluster refuses it.
        """
        with api_errors(_ADVICE):
            for _ in range(_ATTEMPTS):
                route = self._get(_ROUTES, service)
                if route is None:
                    return None
                annotations: Mapping[str, str] = route["metadata"].get("annotations") or {}
                stable = annotations.get(STABLE, "")
                if stable not in COLORS:
                    return None
                moving = bool(annotations.get(STAGE)) and not annotations.get(RESULT)
                target = stable if moving else annotations.get(PREVIOUS, "")
                if leaves and not moving and (served := self._version(service, stable)) != leaves:
                    return served
                version = self._version(service, target) if target in COLORS else None
                if version is None:
                    return None
                if self._patch(service, _moved(route, service, target)):
                    return version
        raise CommandError(f"the HTTPRoute {self.namespace}/{service} changes all the time; run it again")

    def submit(self, service: str, template: Object, version: str) -> str:
        """Start the rollout of a release to all requests at once, and return the name of its workflow."""
        predictor = template["spec"]["predictor"]
        # With adapters the model is the first of several.
        uris = [predictor["model"].get("storageUri", "")]
        uris += [entry["uri"] for entry in predictor.get("storageUris") or ()]
        uri = next(uri for uri in uris if uri.endswith(_VERSION)).replace(_VERSION, version)
        parameters = {"service": service, "model_uri": uri, "weights": "100", "no_traffic": "continue"}
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"generateName": f"rollback-{service}-", "namespace": self.namespace},
            "spec": {
                "workflowTemplateRef": {"name": TEMPLATE},
                "arguments": {
                    "parameters": [{"name": name, "value": value} for name, value in parameters.items()]
                },
            },
        }
        with api_errors(_ADVICE):
            created = self._custom.create_namespaced_custom_object(*self._place(_WORKFLOWS), body)
        return created["metadata"]["name"]

    def _version(self, service: str, color: str) -> str | None:
        """Return the release of a color that is ready; None where there is none."""
        item = self._get(_SERVICES, f"{service}-{color}")
        if item is None or item["metadata"].get("deletionTimestamp"):
            return None
        conditions = (item.get("status") or {}).get("conditions") or ()
        ready = any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)
        return item["metadata"]["labels"][RELEASE] if ready else None

    def _place(self, kind: tuple[str, str, str]) -> tuple[str, str, str, str]:
        group, version, plural = kind
        return group, version, self.namespace, plural

    def _get(self, kind: tuple[str, str, str], name: str) -> Object | None:
        from kubernetes.client import ApiException

        try:
            return self._custom.get_namespaced_custom_object(*self._place(kind), name)
        except ApiException as error:
            if error.status == 404:
                return None
            raise

    def _patch(self, service: str, patch: Object) -> bool:
        """Change a route; returns False where it has changed since it was read."""
        from kubernetes.client import ApiException

        try:
            self._custom.patch_namespaced_custom_object(
                *self._place(_ROUTES), service, patch, _content_type="application/merge-patch+json"
            )
        except ApiException as error:
            if error.status == 409:
                return False
            raise
        return True


def _moved(route: Object, service: str, target: str) -> Object:
    """Return the patch of a route whose requests a color gets, all of them."""
    rules: list[Object] = json.loads(json.dumps(route["spec"]["rules"]))
    for reference in rules[0]["backendRefs"]:
        reference["weight"] = 100 if reference["name"] == f"{service}-{target}-predictor" else 0
    rules[0]["filters"] = [entry for entry in rules[0].get("filters", ()) if entry["type"] != "RequestMirror"]
    return {
        "metadata": {
            "resourceVersion": route["metadata"]["resourceVersion"],
            "annotations": {
                STABLE: target,
                PREVIOUS: None,
                RESULT: "rolled-back",
                REASON: _BY,
                ROLLED_BACK_AT: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            },
        },
        "spec": {"rules": rules},
    }
