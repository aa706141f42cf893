"""Runtimes, templates and the container that copies models against KServe's own definitions
(AIPLATFORM_CHART_FACTS)."""

from __future__ import annotations

import json
from string import Template
from typing import Any

import pytest

from aiplatform.addons.catalog import catalog
from aiplatform.serving import runtimes, templates
from aiplatform.serving.args import DEFINITIONS, KSERVE
from tests.components.aiplatform.addons import chart_facts
from tests.components.aiplatform.addons.definitions import validator
from tests.components.aiplatform.serving.example import arguments, service, settings
from tests.components.recording import record


def check(item: Any, kind: str, api_version: str) -> None:
    """Check an object by the definition of its kind."""
    validator(DEFINITIONS, kind, api_version).validate(item)


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_every_runtime_has_the_fields_of_its_definition(cloud: str) -> None:
    manifests = runtimes.runtimes(settings(cloud), {})
    assert set(manifests) == {"vllm-inference", "sklearn", "xgboost"}
    for manifest in manifests.values():
        check(manifest, runtimes.KIND, runtimes.API_VERSION)


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_every_template_has_the_fields_of_its_definition(cloud: str) -> None:
    uri = "s3://acme-dev-releases"
    texts = templates.templates(settings(cloud), "search", uri)
    assert set(texts) == {"chat", "fares"}
    adapters = service(adapters={"support": {"model": "support-lora", "version": 3}})
    tuned = templates.templates(settings(cloud, **adapters), "search", uri)["chat"]
    for text in (*texts.values(), tuned):
        created = json.loads(Template(text).substitute(NAME="chat-green", VERSION="7"))
        check(created, templates.KIND, templates.API_VERSION)


def test_container_that_copies_models_has_the_fields_of_its_definition() -> None:
    from aiplatform.serving import Serving

    args: Any = arguments()
    recording = record(lambda: Serving("serving", args))
    kind = "ClusterStorageContainer"
    [loader] = recording.all(f"kubernetes:{runtimes.API_VERSION}:{kind}")
    check(dict(loader.inputs), kind, runtimes.API_VERSION)


def test_chart_makes_no_container_that_copies_models() -> None:
    """KServe takes the first one that fits a URI, so that a second one decides by its name."""
    facts = chart_facts.objects(chart_facts.folder(KSERVE, catalog()[KSERVE].file_name))
    assert "ClusterStorageContainer" in {entry.kind for entry in facts}, "by default it does"
    from aiplatform.addons.values import VALUES
    from aiplatform.addons.values.setup import Setup

    kserve = VALUES[KSERVE](Setup())["kserve"]
    assert kserve["createSharedResources"] is False
    assert "storagecontainer" not in kserve, "a value false is none to the chart's template"
    assert kserve["inferenceServiceConfig"] == kserve["certManager"] == {"enabled": True}
