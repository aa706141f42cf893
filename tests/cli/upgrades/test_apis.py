"""Removed APIs, by the table."""

from __future__ import annotations

import re

import pytest

from cli.upgrades import apis
from cli.upgrades.facts import minor
from tests.cli.estimate.samples import resource

BETA = resource(
    "kubernetes:storage.k8s.io/v1beta1:VolumeAttributesClass",
    "fast",
    apiVersion="storage.k8s.io/v1beta1",
    kind="VolumeAttributesClass",
)
STABLE = resource(
    "kubernetes:storage.k8s.io/v1:VolumeAttributesClass",
    "slow",
    apiVersion="storage.k8s.io/v1",
    kind="VolumeAttributesClass",
)


@pytest.mark.parametrize(
    ("version", "removed", "deprecated"), [("1.33", 0, 0), ("1.34", 0, 1), ("1.36", 0, 1), ("1.37", 1, 0)]
)
def test_api_is_deprecated_and_then_removed(version: str, removed: int, deprecated: int) -> None:
    used = apis.used([BETA, STABLE])
    assert len(apis.removed_in(version, used)) == removed
    assert len(apis.deprecated_in(version, used)) == deprecated


def test_reason_names_the_resource_and_what_replaces_the_api() -> None:
    (reason,) = apis.removed_in("1.37", apis.used([BETA, STABLE]))
    assert reason == (
        "storage.k8s.io/v1beta1 VolumeAttributesClass, of fast, is removed in 1.37: use storage.k8s.io/v1"
    )


def test_every_row_is_an_api_that_is_deprecated_before_it_is_removed() -> None:
    assert len(apis.table()) > 20
    for name, api in apis.table().items():
        assert re.fullmatch(r"[a-z0-9.]+/v\d((alpha|beta)\d)? [A-Z]\w+", name), name
        assert minor(api.deprecated) < minor(api.removed), name
        assert minor(api.removed) >= 32, name
        assert api.use != name.partition(" ")[0], name
