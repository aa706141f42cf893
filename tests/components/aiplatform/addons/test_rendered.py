"""What is changed in a rendered chart before its objects become resources."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import yaml

from aiplatform.addons import rendered
from aiplatform.addons.catalog import catalog
from tests.components.aiplatform.addons import chart_facts

NAMESPACE = "kueue-system"
CHART = """\
---
# Source: kueue/templates/crd.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: queues.example.com
  annotations: {a: b}
spec:
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          description: |
            Several lines,
            --- one of which looks like a separator.
          properties:
            description: {type: string, description: Of a queue.}
            since: {type: string, default: 2026-01-01, enum: ["on", "off"]}
---
apiVersion: v1
kind: Service
metadata: {name: webhook}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: cert-manager-webhook
  annotations: {cert-manager.io/inject-ca-from-secret: "cert-manager/cert-manager-webhook-ca"}
webhooks: [{name: webhook.cert-manager.io}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: kueue}
---
# A comment that stays.
apiVersion: v1
kind: ConfigMap
metadata: {name: manager}
data:
  configuration: |
    kind: Service
    metadata: {}
"""


def objects(text: str) -> list[dict[str, Any]]:
    return [body for body in yaml.load_all(text, yaml.CBaseLoader) if body]


@pytest.fixture(scope="module")
def changed() -> list[dict[str, Any]]:
    return objects(rendered.adapted(CHART, NAMESPACE))


def test_a_definition_stays_in_the_cluster_and_is_taken_over(changed: list[dict[str, Any]]) -> None:
    assert changed[0]["metadata"]["annotations"] == {
        "a": "b",
        "helm.sh/resource-policy": "keep",
        "pulumi.com/patchForce": "true",
    }


def test_a_definition_loses_the_descriptions_of_fields_and_keeps_fields_of_that_name(
    changed: list[dict[str, Any]],
) -> None:
    assert changed[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == {
        "type": "object",
        "properties": {
            "description": {"type": "string"},
            "since": {"type": "string", "default": "2026-01-01", "enum": ["on", "off"]},
        },
    }


def test_a_service_is_not_waited_for(changed: list[dict[str, Any]]) -> None:
    assert changed[1]["metadata"] == {
        "name": "webhook",
        "annotations": {"pulumi.com/skipAwait": "true"},
    }


def test_a_webhook_is_waited_for_until_cert_manager_has_injected_its_authority(
    changed: list[dict[str, Any]],
) -> None:
    waited, other = changed[2]["metadata"], changed[3]["metadata"]
    assert waited["annotations"]["pulumi.com/waitFor"] == ("jsonpath={.webhooks[0].clientConfig.caBundle}"), (
        "before that the API server refuses issuers and certificates"
    )
    assert other == {"name": "kueue"}, "a controller that injects it itself is ready only afterwards"


def test_the_text_of_other_objects_is_the_same() -> None:
    config_map = CHART[CHART.index("\n# A comment") :]
    assert rendered.adapted(CHART, NAMESPACE).endswith(config_map)


def test_helm_runs_it_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-I", rendered.__file__, NAMESPACE],
        input=CHART,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == rendered.adapted(CHART, NAMESPACE)


@pytest.mark.parametrize("name", [name for name, addon in catalog().items() if addon.crds])
def test_the_definitions_of_a_chart_lose_nothing_but_descriptions(name: str) -> None:
    file = chart_facts.folder(name, catalog()[name].file_name) / "crds.yaml"
    if not file.is_file():
        pytest.skip("the definitions are in subcharts")
    text = file.read_text()
    for before, after in zip(objects(text), objects(rendered.adapted(text, NAMESPACE)), strict=True):
        if before["kind"] != "CustomResourceDefinition":
            assert after == before, "the policy of Gateway API stays as it is"
            continue
        assert after["spec"] == {
            **before["spec"],
            "versions": [
                {**version, "schema": rendered.without_descriptions(version["schema"])}
                for version in before["spec"]["versions"]
            ],
        }


def test_a_role_for_everyone_who_reaches_the_api_server_is_left_out() -> None:
    head = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: %s}\n"
    everyone = head % "public" + "subjects: [{kind: Group, name: system:authenticated}]\n"
    account = head % "own" + "subjects: [{kind: ServiceAccount, name: manager, namespace: x}]\n"
    text = rendered.adapted(f"---\n{everyone}---\n{account}", NAMESPACE)
    assert "public" not in text
    assert "name: own" in text


WORKLOAD = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: manager}
spec:
  template:
    spec:
      containers:
        - name: main
          env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: token, key: token}}}]
          envFrom: [{configMapRef: {name: variables}}, {configMapRef: {name: of-another-chart}}]
      volumes:
        - name: configuration
          configMap: {name: configuration}
        - name: certificate
          secret: {secretName: certificate}
        - name: many
          projected: {sources: [{configMap: {name: projected}}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: configuration, namespace: kueue-system}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: variables}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: projected}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: configuration, namespace: another}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: unread}
---
apiVersion: v1
kind: Secret
metadata: {name: certificate}
---
apiVersion: v1
kind: Secret
metadata: {name: token}
"""


def test_a_workload_is_updated_after_the_configuration_that_its_pods_read() -> None:
    """Else Pods that the chart makes for a new configuration may begin with the one before."""
    [deployment, *_] = objects(rendered.adapted(WORKLOAD, NAMESPACE))
    annotations = deployment["metadata"]["annotations"]
    assert annotations.pop("config.kubernetes.io/depends-on").split(",") == [
        f"/namespaces/{NAMESPACE}/{name}"
        for name in (
            "ConfigMap/configuration",
            "ConfigMap/variables",
            "ConfigMap/projected",
            "Secret/certificate",
            "Secret/token",
        )
    ]
    deployment["metadata"].pop("annotations")
    assert deployment == objects(WORKLOAD)[0], "all else stays"


def test_a_workload_that_reads_nothing_of_the_chart_stays_as_it_is() -> None:
    text = WORKLOAD.partition("---\napiVersion: v1")[0]
    assert rendered.adapted(text, NAMESPACE).strip() == text.strip()
