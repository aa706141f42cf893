"""Which InferenceServices teams create, on a real API server: those of the templates, with releases of the
team."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from string import Template
from typing import Any

import pytest

from aiplatform.serving import Serving, templates
from aiplatform.serving.admission import INTERNAL
from tests.components.aiplatform.serving.example import arguments, settings
from tests.components.recording import record
from tests.end_to_end.guardrails import ADMIN, Cluster, Object, control_plane_of, until

pytestmark = pytest.mark.end_to_end

TEAM = "search"
BUCKET = "s3://acme-dev-releases"
LABEL = "ai-platform/team"


def service(version: str = "7") -> Object:
    """Return an InferenceService made from a template."""
    text = templates.templates(settings(), TEAM, BUCKET)["fares"]
    return json.loads(Template(text).substitute(NAME="fares-blue", VERSION=version))


def changed(change: Callable[[Object], Any]) -> Object:
    """Return it with a change of its predictor."""
    body = copy.deepcopy(service())
    change(body["spec"]["predictor"])
    return body


def with_uri(uri: str) -> Object:
    """Return it with another model."""
    return changed(lambda predictor: predictor["model"].update(storageUri=uri))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    args: Any = arguments(teams={})
    with control_plane_of(tmp_path_factory.mktemp("home")) as running:
        running.apply(record(lambda: Serving("serving", args)))
        for name, labels in ((TEAM, {LABEL: TEAM}), ("pricing", {LABEL: "pricing"}), ("other", {})):
            running.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        # Policies are enforced a moment after they are created.
        assert until(lambda: running.refusal(with_uri("hf://acme/model"), ADMIN, TEAM)), "nothing is enforced"
        yield running


def tuned(*entries: tuple[str, str]) -> Object:
    """Return a service with these releases, each a URI and its folder."""
    uris = [{"uri": uri, "mountPath": folder} for uri, folder in entries]

    def change(predictor: Object) -> None:
        predictor["model"].pop("storageUri")
        predictor["storageUris"] = uris

    return changed(change)


MODEL = (f"{BUCKET}/search/assistant/7", "/mnt/models")
ADAPTER = (f"{BUCKET}/search/support-lora/3", "/mnt/adapters/support")


def test_service_with_adapters_of_the_team_is_created(cluster: Cluster) -> None:
    assert cluster.refusal(tuned(MODEL, ADAPTER), ADMIN, TEAM) == ""


def test_service_of_a_template_is_created(cluster: Cluster) -> None:
    assert cluster.refusal(service(), ADMIN, TEAM) == ""
    assert cluster.refusal(service("hf-" + "a" * 40), ADMIN, TEAM) == "", "an import that was promoted"


REFUSED: dict[str, tuple[Object, str]] = {
    **{
        f"the model {uri}": (with_uri(uri), "to be a release of the namespace's team")
        for uri in (
            "hf://acme/model",
            "https://models.example/search/fares/7",
            "s3://acme-dev-releases-2/search/fares/7",
            "s3://acme-dev-checkpoints/search/fares/7",
            f"{BUCKET}/pricing/fares/7",
            f"{BUCKET}/imports/search/fares/hf-{'a' * 40}",
            f"{BUCKET}/search/fares/latest",
            f"{BUCKET}/search/fares/7/model",
            f"{BUCKET}/search/../pricing/fares/7",
            f"{BUCKET}/search-ads/fares/7",
        )
    },
    "no model": (
        changed(lambda predictor: predictor.pop("model")),
        "to be a release of the namespace's team",
    ),
    "a model in both fields": (
        changed(lambda predictor: predictor.update(storageUris=[{"uri": MODEL[0], "mountPath": MODEL[1]}])),
        "to be a release of the namespace's team",
    ),
    "an adapter of another team": (
        tuned(MODEL, (f"{BUCKET}/pricing/support-lora/3", "/mnt/adapters/support")),
        "to be a release of the namespace's team",
    ),
    "an adapter that is no release": (
        tuned(MODEL, ("hf://acme/lora", "/mnt/adapters/support")),
        "to be a release of the namespace's team",
    ),
    "adapters without a model": (tuned(ADAPTER), "one of `predictor.storageUris` at /mnt/models"),
    "two models": (tuned(MODEL, MODEL), "one of `predictor.storageUris` at /mnt/models"),
    "an adapter outside of the folder of adapters": (
        tuned(MODEL, (ADAPTER[0], "/mnt/models/support")),
        "and the others at /mnt/adapters/NAME",
    ),
    "the field of a framework": (
        changed(lambda predictor: predictor.update(sklearn={"storageUri": "hf://acme/model"})),
        "without transformer, explainer and canary",
    ),
    "credentials of a Secret": (
        changed(lambda predictor: predictor["model"].update(storage={"key": "mine"})),
        "without transformer, explainer and canary",
    ),
    "a share of requests that KServe ignores": (
        changed(lambda predictor: predictor.update(canaryTrafficPercent=10)),
        "no `predictor.canaryTrafficPercent`",
    ),
    **{
        f"a {part}": (
            {**service(), "spec": {**service()["spec"], part: {"predictor": {}}}},
            "without transformer, explainer and canary",
        )
        for part in ("canary", "explainer", "transformer")
    },
    **{
        f"{kind} that instruct KServe": (
            {**service(), "metadata": {**service()["metadata"], kind: {f"{INTERNAL}localmodel": "mine"}}},
            "no label and no annotation",
        )
        for kind in ("labels", "annotations")
    },
    "annotations of Pods that instruct KServe": (
        changed(lambda predictor: predictor.update(annotations={f"{INTERNAL}agent": "true"})),
        "no label and no annotation",
    ),
    "another program that copies": (
        changed(lambda predictor: predictor.update(storageContainerName="default")),
        "no `storageContainerName`",
    ),
    "an init container": (
        changed(lambda predictor: predictor.update(initContainers=[{"name": "first", "image": "a:1"}])),
        "no `storageContainerName` and no `initContainers`",
    ),
    "a runtime that KServe chooses": (
        changed(lambda predictor: predictor["model"].pop("runtime")),
        "`predictor.model.runtime`",
    ),
    "the team's own identity": (
        changed(lambda predictor: predictor.update(serviceAccountName="workloads")),
        "the service account serving",
    ),
    "the default identity": (
        changed(lambda predictor: predictor.pop("serviceAccountName")),
        "the service account serving",
    ),
}


@pytest.mark.parametrize("what", sorted(REFUSED))
def test_other_service_is_refused(cluster: Cluster, what: str) -> None:
    body, reason = REFUSED[what]
    assert reason in cluster.refusal(body, ADMIN, TEAM)


@pytest.mark.parametrize("namespace", ["pricing", "other"])
def test_release_of_another_team_is_refused(cluster: Cluster, namespace: str) -> None:
    body = service()
    body["metadata"]["namespace"] = namespace
    assert "to be a release of the namespace's team" in cluster.refusal(body, ADMIN, namespace)


def test_service_that_exists_can_be_labelled_and_deleted(cluster: Cluster) -> None:
    path = f"/apis/{templates.API_VERSION}/namespaces/{TEAM}/inferenceservices"
    cluster.create(path, service())
    here = f"{path}/fares-blue"
    status, text, _ = cluster.request("PATCH", here, {"metadata": {"labels": {"a": "b"}}})
    assert status == 200, text
    instructed = {"metadata": {"annotations": {f"{INTERNAL}agent": "true"}}}
    status, text, _ = cluster.request("PATCH", here, instructed)
    assert (status, "no label and no annotation" in text) == (403, True), text
    other = {"spec": {"predictor": {"model": {"storageUri": "hf://acme/model"}}}}
    status, text, _ = cluster.request("PATCH", here, other)
    assert (status, "to be a release" in text) == (403, True), text
    assert cluster.request("DELETE", here)[0] == 200
