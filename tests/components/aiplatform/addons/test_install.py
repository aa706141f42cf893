"""How the definitions of a manifest are handled, which has no post-renderer."""

from __future__ import annotations

from typing import Any

import pulumi

from aiplatform.addons.install import _adapt  # pyright: ignore[reportPrivateUsage]


def adapted(type_: str, body: dict[str, Any]) -> pulumi.ResourceTransformResult | None:
    options = pulumi.ResourceOptions(protect=True)
    return _adapt(pulumi.ResourceTransformArgs(custom=True, type_=type_, name="x", props=body, opts=options))


def test_a_definition_stays_when_its_addon_is_removed() -> None:
    body = {"metadata": {"name": "a.b"}, "spec": {"versions": [{"name": "v1"}]}}
    result = adapted("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", body)
    assert result is not None
    assert result.opts.retain_on_delete is True
    assert result.opts.protect is True, "options of the program stay"
    props: Any = result.props
    assert props["metadata"]["annotations"]["pulumi.com/patchForce"] == "true"
    assert body["metadata"] == {"name": "a.b"}, "the program's object is not changed"


def test_other_objects_are_left_as_they_are() -> None:
    assert adapted("kubernetes:core/v1:ConfigMap", {"metadata": {"name": "x"}}) is None
