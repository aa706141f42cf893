"""How the objects of a chart are handled."""

from __future__ import annotations

from typing import Any

import pulumi

from aiplatform.addons.install import _adapt  # pyright: ignore[reportPrivateUsage]


def adapted(type_: str, metadata: dict[str, Any]) -> pulumi.ResourceTransformResult | None:
    props = {"metadata": metadata, "spec": {"replicas": 1}}
    options = pulumi.ResourceOptions(protect=True)
    return _adapt(pulumi.ResourceTransformArgs(custom=True, type_=type_, name="x", props=props, opts=options))


def properties(result: pulumi.ResourceTransformResult) -> dict[str, Any]:
    assert isinstance(result.props, dict)
    return result.props


def test_a_definition_stays_when_its_addon_goes() -> None:
    result = adapted("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", {"name": "a.b"})
    assert result is not None
    assert result.opts.retain_on_delete is True
    assert result.opts.protect is True, "what the program asked for stays"
    assert properties(result)["metadata"] == {"name": "a.b", "annotations": {"pulumi.com/patchForce": "true"}}
    assert properties(result)["spec"] == {"replicas": 1}


def test_a_service_is_not_waited_for_and_keeps_its_annotations() -> None:
    result = adapted("kubernetes:core/v1:Service", {"annotations": {"a": "b"}})
    assert result is not None
    assert properties(result)["metadata"]["annotations"] == {"a": "b", "pulumi.com/skipAwait": "true"}
    assert result.opts.retain_on_delete is None


def test_other_objects_are_left_as_they_are() -> None:
    assert adapted("kubernetes:apps/v1:Deployment", {"name": "x"}) is None
