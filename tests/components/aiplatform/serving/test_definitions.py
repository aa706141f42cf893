"""Runtimes, templates and the container that copies models against KServe's own definitions
(AIPLATFORM_CHART_FACTS)."""

from __future__ import annotations

import json
from string import Template
from typing import Any

import jsonschema
import pytest
import yaml

from aiplatform.addons.catalog import catalog
from aiplatform.serving import runtimes, templates
from aiplatform.serving.args import DEFINITIONS, KSERVE
from tests.components.aiplatform.addons import chart_facts
from tests.components.aiplatform.queues.test_definitions import TOP_LEVEL, strict
from tests.components.aiplatform.serving.example import arguments, service, settings
from tests.components.recording import record


def definition(kind: str, api_version: str) -> dict[str, Any]:
    """The strict schema of a kind."""
    file = chart_facts.folder(DEFINITIONS, catalog()[DEFINITIONS].file_name) / "crds.yaml"
    documents = yaml.load_all(file.read_text(), yaml.CSafeLoader)
    [chosen] = [entry for entry in documents if entry and entry["spec"]["names"]["kind"] == kind]
    [version] = [entry for entry in chosen["spec"]["versions"] if api_version.endswith(f"/{entry['name']}")]
    schema = strict(version["schema"]["openAPIV3Schema"])
    schema["properties"] = {**schema["properties"], **TOP_LEVEL}
    return schema


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_every_runtime_has_the_fields_of_its_definition(cloud: str) -> None:
    schema = definition(runtimes.KIND, runtimes.API_VERSION)
    manifests = runtimes.runtimes(settings(cloud), {})
    assert set(manifests) == {"vllm-inference", "sklearn", "xgboost"}
    for manifest in manifests.values():
        jsonschema.validate(manifest, schema)


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_every_template_has_the_fields_of_its_definition(cloud: str) -> None:
    schema = definition(templates.KIND, templates.API_VERSION)
    uri = "s3://acme-dev-releases"
    texts = templates.templates(settings(cloud), "search", uri)
    assert set(texts) == {"chat", "fares"}
    adapters = service(adapters={"support": {"model": "support-lora", "version": 3}})
    tuned = templates.templates(settings(cloud, **adapters), "search", uri)["chat"]
    for text in (*texts.values(), tuned):
        created = json.loads(Template(text).substitute(NAME="chat-green", VERSION="7"))
        jsonschema.validate(created, schema)


def test_container_that_copies_models_has_the_fields_of_its_definition() -> None:
    from aiplatform.serving import Serving

    args: Any = arguments()
    recording = record(lambda: Serving("serving", args))
    kind = "ClusterStorageContainer"
    [loader] = recording.all(f"kubernetes:{runtimes.API_VERSION}:{kind}")
    jsonschema.validate(dict(loader.inputs), definition(kind, runtimes.API_VERSION))


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
