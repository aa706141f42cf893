"""Pulumi's wire format."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime import rpc

from twin.property_values import (
    SIGNATURE,
    Archive,
    Asset,
    compact,
    dumps,
    has_unknown,
    loads,
    loads_config,
    marshal,
    show,
    unmarshal,
)
from twin.provider_interface import UNKNOWN

LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.just(UNKNOWN)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), TREES, max_size=4))
@settings(max_examples=50)
def test_what_is_marshalled_comes_back(props: dict[str, Any]) -> None:
    assert unmarshal(marshal(props)).props == props


def test_whole_numbers_are_integers_and_others_are_not() -> None:
    props = unmarshal(marshal({"a": 3, "b": 2.5})).props
    assert isinstance(props["a"], int)
    assert props["b"] == 2.5


def test_empty_lists_and_objects_stay_what_they_are() -> None:
    assert unmarshal(marshal({"a": [], "b": {}})).props == {"a": [], "b": {}}


def test_a_secret_keeps_its_place() -> None:
    values = unmarshal(marshal({"a": {"b": ["x", "y"]}}, [("a", "b", 1)]))
    assert values.props == {"a": {"b": ["x", "y"]}}
    assert values.secrets == {("a", "b", 1)}


def test_the_sdk_understands_our_secrets_and_unknowns() -> None:
    seen = rpc.deserialize_properties(marshal({"a": "x", "b": UNKNOWN}, [("a",)]), keep_unknowns=True)
    assert rpc.is_rpc_secret(seen["a"])
    assert type(seen["b"]).__name__ == "Unknown"


def signed(signature: str, **fields: Any) -> struct_pb2.Struct:
    return marshal({"v": {SIGNATURE: signature, **fields}})


def test_an_output_value_is_its_value_or_unknown() -> None:
    output = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
    assert unmarshal(signed(output, value=5, dependencies=["urn"])).props == {"v": 5}
    assert unmarshal(signed(output)).props == {"v": UNKNOWN}
    assert unmarshal(signed(output, value=5, secret=True)).secrets == {("v",)}


def test_a_resource_reference_is_its_id() -> None:
    reference = "5cf8f73096256a8f31e491e813e4eb8e"
    assert unmarshal(signed(reference, urn="u", id="i-1")).props == {"v": "i-1"}
    assert unmarshal(signed(reference, urn="u", id="")).props == {"v": UNKNOWN}
    assert unmarshal(signed(reference, urn="u")).props == {"v": "u"}


def test_an_unknown_signature_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown signature"):
        unmarshal(signed("ffff"))


@pytest.mark.parametrize(
    "value",
    [
        Asset(text=""),
        Asset(text="x", hash="h"),
        Asset(path="/f"),
        Archive(path="/d"),
        Archive(assets={"a": Asset(text="x")}),
    ],
)
def test_assets_come_back(value: Any) -> None:
    assert unmarshal(marshal({"v": value})).props == {"v": value}
    assert loads(dumps({"v": value})) == {"v": value}


def test_a_remote_asset_is_not_fetched() -> None:
    with pytest.raises(ValueError, match="remote"):
        Asset(uri="https://example.com/x").read()


def test_what_is_no_property_value_is_named_with_its_path() -> None:
    with pytest.raises(TypeError, match=r"a\[0\].b: object"):
        marshal({"a": [{"b": object()}]})


def test_configuration_tells_its_secrets_and_unknowns() -> None:
    secret = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "value": "s"}
    assert loads_config(dumps({"a": secret})) == {"a": "s"}
    assert loads_config('{"a": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}') == {"a": UNKNOWN}


def test_compact_leaves_out_what_says_nothing() -> None:
    props = {
        "a": None,
        "b": {"c": None, "d": 0, "__defaults": []},
        "__defaults": ["b"],
        "e": [None, {"f": None}],
    }
    assert compact(props) == {"b": {"d": 0}, "e": [None, {}]}


def test_unknowns_are_found_at_any_depth() -> None:
    assert has_unknown({"a": [{"b": UNKNOWN}]})
    assert not has_unknown({"a": [{"b": 1}]})


def test_paths_read_as_pulumis() -> None:
    assert show(("vpcConfig", "subnetIds", 0)) == "vpcConfig.subnetIds[0]"
    assert show(("tags", "kubernetes.io/role")) == 'tags["kubernetes.io/role"]'
