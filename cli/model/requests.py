"""`aiplatform model requests` and `approve`: promotions that a training requested, and that wait for a member
of the release group. Each is a workflow of the namespace `release`, suspended until then."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from cli.maintenance.cluster import KUBECONFIG, client_of, kubeconfig_of
from cli.model.jobs import APPROVED_BY, NAMESPACE, errors
from cli.output import CommandError, say, table
from cli.stacks import ENVIRONMENT

GROUP, VERSION, PLURAL = "argoproj.io", "v1alpha1", "workflows"
TEMPLATE: Final = "promotion"
Object = dict[str, Any]
JSON = typer.Option(False, "--json", help="Print the result as JSON.")
NAME = typer.Argument(metavar="REQUEST", help="As `aiplatform model requests` prints it.", show_default=False)


def requests(
    environment: str = ENVIRONMENT, as_json: bool = JSON, kubeconfig: Path | None = KUBECONFIG
) -> None:
    """List promotions that trainings requested, and which of them wait for an approval."""
    rows = [summary(workflow) for workflow in _promotions(environment, kubeconfig).all()]
    if as_json:
        say(json.dumps(rows, indent=1))
        return
    heads = ("request", "model", "version", "state", "approved by", "created")
    table(heads, [tuple(row[key] or "-" for key in row) for row in rows])


def approve(
    environment: str = ENVIRONMENT, request: str = NAME, kubeconfig: Path | None = KUBECONFIG
) -> None:
    """Approve a promotion that a training requested: it begins.

    The user of the kubeconfig is recorded as the approver.
    """
    approved = _promotions(environment, kubeconfig).approve(request)
    say(f"{approved['model']} {approved['version']} is being promoted, approved by {approved['approved_by']}")
    say(f"Next: aiplatform model show {environment} {approved['model']}")


def summary(workflow: Object) -> dict[str, str]:
    """Return what is printed of a workflow."""
    parameters = {
        entry["name"]: str(entry.get("value", ""))
        for entry in (workflow["spec"].get("arguments") or {}).get("parameters") or ()
    }
    metadata = workflow["metadata"]
    waits = bool(workflow["spec"].get("suspend"))
    phase = (workflow.get("status") or {}).get("phase") or "Pending"
    return {
        "request": metadata["name"],
        "model": parameters.get("model", ""),
        "version": parameters.get("version", ""),
        "state": "waits for an approval" if waits else phase,
        "approved_by": (metadata.get("annotations") or {}).get(APPROVED_BY, ""),
        "created": metadata.get("creationTimestamp", ""),
    }


@dataclass
class Promotions:
    """The promotions of a cluster. api: of the client `kubernetes`."""

    api: Any

    def __post_init__(self) -> None:
        from kubernetes import client

        self._custom: Any = client.CustomObjectsApi(self.api)
        self._authentication: Any = client.AuthenticationV1Api(self.api)

    def all(self) -> list[Object]:
        """Return the workflows, the oldest first."""
        with errors():
            items = self._custom.list_namespaced_custom_object(GROUP, VERSION, NAMESPACE, PLURAL)["items"]
        named = [item for item in items if _template(item) == TEMPLATE]
        return sorted(named, key=lambda item: item["metadata"].get("creationTimestamp", ""))

    def approve(self, name: str) -> dict[str, str]:
        """Resume a workflow with the user's name; repeated, it changes nothing. Returns its summary.

        Raises CommandError for an unknown one, and for one that another user approved or that needed none."""
        known = {workflow["metadata"]["name"]: workflow for workflow in self.all()}
        if name not in known:
            waiting = [key for key, entry in known.items() if entry["spec"].get("suspend")]
            expected = f"expected one of {', '.join(waiting)}" if waiting else "no request waits"
            raise CommandError(f"request {name!r} does not exist; {expected}")
        user = self._user()
        before = summary(known[name])
        if not known[name]["spec"].get("suspend"):
            if before["approved_by"] == user:
                return before
            raise CommandError(
                f"request {name!r} does not wait: it is {before['state']}, approved by "
                f"{before['approved_by'] or '-'}"
            )
        body = {"metadata": {"annotations": {APPROVED_BY: user}}, "spec": {"suspend": None}}
        with errors():
            changed = self._custom.patch_namespaced_custom_object(
                GROUP, VERSION, NAMESPACE, PLURAL, name, body, _content_type="application/merge-patch+json"
            )
        return summary(changed)

    def _user(self) -> str:
        """Return the user, as the API server authenticates it: the admission policies compare it."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        with errors():
            return self._authentication.create_self_subject_review(body).status.user_info.username


def _template(workflow: Object) -> str:
    return (workflow["spec"].get("workflowTemplateRef") or {}).get("name", "")


def _promotions(environment: str, kubeconfig: Path | None) -> Promotions:
    from cli import instances

    instances.of_environment(environment)  # refuses one that has no file
    return Promotions(client_of(kubeconfig_of(environment, kubeconfig), 120))
