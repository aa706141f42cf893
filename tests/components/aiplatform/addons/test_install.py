"""How the definitions of a manifest are handled, which has no post-renderer, and what others wait for."""

from __future__ import annotations

from typing import Any

import pulumi
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc

from aiplatform.addons.install import _adapt, resources_of  # pyright: ignore[reportPrivateUsage]
from tests.components.recording import record, value


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


def test_custom_resources_of_a_chart_are_nothing_to_depend_on() -> None:
    def reference(kind: str) -> Any:
        """An object of a chart, as the engine returns it."""
        urn = f"urn:pulumi:dev::platform::{kind}::issuer"
        struct = Struct()
        struct.update({rpc._special_sig_key: rpc._special_resource_sig, "urn": urn, "id": "ns/issuer"})  # pyright: ignore[reportPrivateUsage]
        return rpc.deserialize_property(struct)

    def program() -> Any:
        issuer = reference("kubernetes:cert-manager.io/v1:Issuer")
        assert not isinstance(issuer, pulumi.Resource), "the SDK would take it for a dependency"
        return resources_of(pulumi.Output.from_input([pulumi.ComponentResource("a:b:C", "c"), issuer]))

    known = value(record(program).result)
    assert [type(entry) for entry in known] == [pulumi.ComponentResource]
    assert value(record(lambda: resources_of(pulumi.Output.from_input(None))).result) == []
