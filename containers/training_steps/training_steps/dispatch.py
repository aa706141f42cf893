"""Messages, and the workflows that they start.

    {"train": {"model": "fares", "cause": "drift"}}                            the team's queue
    {"data": {"table": "acme_dev_curated.orders"}}                             a commit to a table
    {"rollout": {"model": "pricing/fares", "version": "7", "request": "..."}}  a promotion
    {"promote": {"model": "fares", "version": "7"}}                            the queue of promotions

The queue says which team it is: a message of a team promotes models of this team only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from training_steps.declaration import Model
from training_steps.errors import RefusedError
from training_steps.queues import Message

GROUP, VERSION, PLURAL = "argoproj.io", "v1alpha1", "workflows"
APPROVED_BY: Final = "ai-platform/approved-by"
MODEL_LABEL: Final = "ai-platform/model"
CAUSE_LABEL: Final = "ai-platform/cause"
_CAUSE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?")
_VERSION: Final = re.compile(r"[1-9][0-9]{0,9}")
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")
Object = dict[str, Any]


def content_of(message: Message) -> str | None:
    """Return the text of a message. A notification of Cloud Storage is one about the table that its attribute
    `table` names; None where it is not about a commit, of which the last file is the metadata of the
    table."""
    if "eventType" not in message.attributes:
        return message.text
    if not message.attributes.get("objectId", "").endswith(".metadata.json"):
        return None
    return json.dumps({"data": {"table": message.attributes.get("table", "")}})


def parse(text: str) -> tuple[str, Mapping[str, str]]:
    """Return the kind of a message and its content. Raises RefusedError for one of another form."""
    try:
        message = json.loads(text)
        [(kind, content)] = message.items()
        is_text = all(isinstance(value, str) for value in content.values())
    except (ValueError, AttributeError) as error:
        raise RefusedError(f"message {text[:200]!r}: {error}; expected an object with one kind") from error
    if not is_text:
        raise RefusedError(f"message {text[:200]!r}: expected values that are text")
    return kind, content


def _workflow(name: str, template: str, parameters: Mapping[str, str], labels: Mapping[str, str]) -> Object:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Workflow",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {
            "workflowTemplateRef": {"name": template},
            "arguments": {"parameters": [{"name": key, "value": value} for key, value in parameters.items()]},
        },
    }


def name_of(first: str, model: str, key: str) -> str:
    """Return a workflow's name: the same for a message that arrives twice. It is part of the names of
    TrainJobs and their Pods."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:8]
    return f"{first}-{model.replace('_', '-')[:28].strip('-')}-{digest}"


def _training(model: str, cause: str, key: str) -> Object:
    labels = {MODEL_LABEL: model, CAUSE_LABEL: cause}
    return _workflow(name_of("train", model, key), f"train-{model}", {"cause": cause}, labels)


def of_team(
    text: str, identifier: str, models: Mapping[str, Model], team: str, releases: str
) -> Iterator[Object]:
    """Yield the workflows of a message of the team's queue. identifier: of the message. releases: the URI of
    all releases. Raises RefusedError for a message that names what is not declared."""
    kind, content = parse(text)
    if kind == "train":
        model, cause = content.get("model", ""), content.get("cause", "message")
        if model not in models:
            raise RefusedError(f"train: model {model!r} is not declared; expected one of {', '.join(models)}")
        if not _CAUSE.fullmatch(cause):
            raise RefusedError(f"train: cause {cause!r}: expected lower-case letters, digits and hyphens")
        yield _training(model, cause, identifier)
    elif kind == "data":
        table = content.get("table", "")
        for model, declared in models.items():
            if declared.on_data and table in (
                declared.table,
                *(v.table for v in declared.feature_views.values()),
            ):
                yield _training(model, "data", identifier)
    elif kind == "rollout":
        yield from _rollout(content, models, team, releases)
    else:
        raise RefusedError(f"message: kind {kind!r}; expected train, data or rollout")


def _rollout(
    content: Mapping[str, str], models: Mapping[str, Model], team: str, releases: str
) -> Iterator[Object]:
    owner, _, model = content.get("model", "").partition("/")
    version, request = content.get("version", ""), content.get("request", "")
    if owner != team or model not in models or not _VERSION.fullmatch(version) or not request:
        raise RefusedError(f"rollout: got {dict(content)}; expected a version of a declared model of {team}")
    declared = models[model]
    if declared.service is None:
        return
    uri = f"{releases}/{team}/{model}/{version}"
    parameters = {"service": declared.service, "model_uri": uri, **declared.rollout}
    labels = {MODEL_LABEL: model, CAUSE_LABEL: "promotion"}
    yield _workflow(name_of("rollout", model, request), "rollout", parameters, labels)


def of_promotions(text: str, identifier: str, team: str, queue: str, *, waits: bool) -> Object:
    """Return the workflow of a request for a promotion. queue: of the team, for the rollout; empty: none.
    waits: whether a member of the release group has to resume it. Raises RefusedError for another message."""
    kind, content = parse(text)
    model, version = content.get("model", ""), content.get("version", "")
    if kind != "promote" or not _NAME.fullmatch(model) or not _VERSION.fullmatch(version):
        raise RefusedError(f"message {text[:200]!r}: expected promote, with model and version")
    parameters = {"model": f"{team}/{model}", "version": version, "queue": queue}
    labels = {"ai-platform/team": team, MODEL_LABEL: model}
    body = _workflow(name_of("promote", f"{team}-{model}", identifier), "promotion", parameters, labels)
    body["metadata"]["annotations"] = {APPROVED_BY: ""}
    if waits:
        body["spec"]["suspend"] = True
    return body


@dataclass
class Workflows:
    """The workflows of a namespace. api: CustomObjectsApi of the client `kubernetes`."""

    api: Any
    namespace: str

    def submit(self, body: Object) -> bool:
        """Create a workflow. Returns False where it exists already, and where data arrived while a training
        of the model for the same reason has not begun: that one reads the newest snapshot."""
        from kubernetes.client import ApiException

        labels = body["metadata"]["labels"]
        if labels.get(CAUSE_LABEL) == "data" and self._waits(labels[MODEL_LABEL]):
            return False
        try:
            self.api.create_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, body)
        except ApiException as error:
            if error.status == 409:
                return False
            if error.status in (400, 403, 422):
                raise RefusedError(
                    f"Workflow {self.namespace}/{body['metadata']['name']}: {error.body}"
                ) from error
            raise
        return True

    def _waits(self, model: str) -> bool:
        listed = self.api.list_namespaced_custom_object(
            GROUP, VERSION, self.namespace, PLURAL, label_selector=f"{MODEL_LABEL}={model},{CAUSE_LABEL}=data"
        )
        # Pending: it waits for the training before it. No phase: the controller has not seen it yet.
        return any(
            (item.get("status") or {}).get("phase") in (None, "", "Pending") for item in listed["items"]
        )
