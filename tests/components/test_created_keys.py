"""Keys that components create: where data is protected or retained, so is its key, and another key that is
stated later takes nothing away."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from aiplatform._plugin import COMPONENTS
from aiplatform.addons.catalog import catalog
from aiplatform.observability import Observability
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.cloud_answers import PROJECT
from tests.components.recording import Recording, record
from tests.components.test_existing_keys import AWS, GOOGLE, GRANT
from tests.generating.components import entity

ROOT: Final = Path(__file__).parents[2] / "components" / "aiplatform"
KEYS: Final = {"aws": "aws:kms/key:Key", "gcp": "gcp:kms/cryptoKey:CryptoKey"}
NAMES: Final[Mapping[str, str]] = {entity(component): component.__name__ for component in COMPONENTS}
"""Entity -> component."""
OF_NO_DATA: Final = frozenset({"addons", "continuous_training", "cost", "function", "workflow"})
"""Components without `protect` and `retain_data`: their keys encrypt messages, which expire after two weeks,
and logs that are deleted with the component (docs/bring-your-own.md)."""
CASES: Final = [*(("aws", name) for name in AWS), *(("gcp", name) for name in GOOGLE)]


def _observability(cloud: str) -> Callable[..., Recording]:
    addons = {name: catalog()[name].version for name in ("cert-manager", "external-secrets")}
    cluster = {"aws": CLUSTER, "gcp": {**GOOGLE_CLUSTER, "workload_pool": f"{PROJECT}.svc.id.goog"}}[cloud]
    common: Any = {"prefix": "acme-dev", "cluster": cluster, "addons": addons, "logs": {}}

    def recorded(**more: Any) -> Recording:
        args: Any = {**common, **more}
        return record(lambda: Observability("it", args))

    return recorded


def build(cloud: str, name: str, **arguments: bool) -> Recording:
    """Record a component that creates its keys."""
    if name == "observability":
        return _observability(cloud)(**arguments)
    build = AWS[name] if cloud == "aws" else GOOGLE[name][1]
    return build(kms_key=None, **arguments)


def safeguards_of(name: str) -> frozenset[str]:
    """Return the arguments of a component that protect or retain what it stores."""
    source = (ROOT / name / "inputs.py").read_text()
    definition = source.partition(f"class {NAMES[name]}Args(TypedDict")[2].partition("\nclass ")[0]
    return frozenset(re.findall(r"^    (protect|retain_data): ", definition, re.MULTILINE))


@pytest.mark.parametrize(("cloud", "calls"), [("aws", r"\bkms\.Key\("), ("gcp", r"\b(data_)?key\(")])
def test_these_tests_cover_every_component_that_creates_a_key(cloud: str, calls: str) -> None:
    creating = {
        file.relative_to(ROOT).parts[0]
        for file in ROOT.rglob("*.py")
        if re.search(calls, file.read_text()) and "_shared" not in file.parts
        if cloud == "aws" or "gcp.keys import" in file.read_text()
    }
    assert creating == set(AWS if cloud == "aws" else GOOGLE)


@pytest.mark.parametrize(("cloud", "name"), CASES)
def test_a_created_key_is_protected_and_retained_as_data_is(cloud: str, name: str) -> None:
    safeguards = safeguards_of(name)
    keys = build(cloud, name, **dict.fromkeys(safeguards, True)).all(KEYS[cloud])
    assert keys, "the component creates its key"
    for key in keys:
        assert bool(key.protect) == ("protect" in safeguards), f"{key.name}: no update deletes it"
        assert bool(key.retain_on_delete) == ("retain_data" in safeguards), (
            f"{key.name}: data of before is decrypted by it"
        )


@pytest.mark.parametrize(("cloud", "name"), CASES)
def test_a_created_key_is_deleted_with_a_component_that_retains_nothing(cloud: str, name: str) -> None:
    for key in build(cloud, name).all(KEYS[cloud]):
        assert not key.protect, key.name
        assert not key.retain_on_delete, f"{key.name}: nothing needs it"


@pytest.mark.parametrize("name", GOOGLE)
def test_service_agents_use_a_retained_key_after_another_is_stated(name: str) -> None:
    safeguards = safeguards_of(name)
    grants = build("gcp", name, **dict.fromkeys(safeguards, True)).all(GRANT)
    assert grants, "service agents encrypt by the key"
    for grant in grants:
        assert bool(grant.retain_on_delete) == ("retain_data" in safeguards), (
            f"{grant.name}: data of before is read by its service"
        )


@pytest.mark.parametrize(("cloud", "name"), CASES)
def test_a_month_remains_to_restore_a_created_key(cloud: str, name: str) -> None:
    for key in build(cloud, name).all(KEYS[cloud]):
        if cloud == "aws":
            # The default of KMS is the same.
            assert key.inputs.get("deletionWindowInDays", 30) == 30, key.name
        else:
            assert key.inputs["destroyScheduledDuration"] == f"{30 * 24 * 3600}s", key.name


def test_only_components_whose_messages_expire_neither_protect_nor_retain() -> None:
    assert {name for _, name in CASES if not safeguards_of(name)} == OF_NO_DATA
