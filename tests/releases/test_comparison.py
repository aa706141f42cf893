"""What counts as deleted and replaced by an upgrade."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.releases import comparison
from tests.releases.comparison import Effect, Intention, effects, intentions, unintended
from tests.releases.records import Resource

VPC = Resource("aws:ec2/vpc:Vpc::net", "aws:ec2/vpc:Vpc net", {"cidrBlock": "[10.0.0.0/16]"})
SUBNET = Resource(
    "aws:ec2/subnet:Subnet::private",
    "aws:ec2/subnet:Subnet private",
    {"vpcId": "['${aws:ec2/vpc:Vpc net.id}']"},
)
RENAMED = Resource("aws:ec2/vpc:Vpc::network", "aws:ec2/vpc:Vpc network", VPC.fixed)
ALIASED = Resource(RENAMED.urn, RENAMED.reference, RENAMED.fixed, frozenset({VPC.urn}))


def test_the_same_resources_and_new_ones_are_no_effect() -> None:
    assert not list(effects([VPC], [VPC, SUBNET]))


def test_a_changed_name_is_a_deletion_unless_an_alias_has_the_former_one() -> None:
    assert list(effects([VPC], [RENAMED])) == [Effect("deleted", VPC.urn)]
    assert not list(effects([VPC], [ALIASED]))


def test_an_alias_does_not_take_the_urn_of_a_resource_that_exists() -> None:
    second = Resource("aws:ec2/vpc:Vpc::other", "aws:ec2/vpc:Vpc other", {"cidrBlock": "[10.9.0.0/16]"})
    taking = Resource(second.urn, second.reference, second.fixed, frozenset({VPC.urn}))
    assert not list(effects([VPC], [VPC, taking]))


def test_another_value_of_an_input_that_cannot_change_is_a_replacement() -> None:
    other = Resource(VPC.urn, VPC.reference, {"cidrBlock": "[10.1.0.0/16]"})
    (effect,) = effects([VPC], [other])
    assert str(effect) == f"replaced: {VPC.urn} (cidrBlock: [10.0.0.0/16] -> [10.1.0.0/16])"
    (removed,) = effects([VPC], [Resource(VPC.urn, VPC.reference, {})])
    assert removed.detail == "cidrBlock: [10.0.0.0/16] -> unset"


def test_a_reference_to_a_renamed_resource_is_the_same_value() -> None:
    moved = Resource(SUBNET.urn, SUBNET.reference, {"vpcId": "['${aws:ec2/vpc:Vpc network.id}']"})
    assert not list(effects([VPC, SUBNET], [ALIASED, moved]))
    assert [effect.kind for effect in effects([VPC, SUBNET], [VPC, ALIASED, moved])] == ["replaced"], (
        "the VPC is another one"
    )


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(comparison, "FOLDER", tmp_path)
    (tmp_path / "1.2.0").mkdir()
    return tmp_path / "1.2.0" / "intended.toml"


def test_an_intended_effect_is_stated_by_kind_and_pattern_with_its_reason(release: Path) -> None:
    assert intentions("1.2.0") == []
    release.write_text('[[deleted]]\nurn = "aws:ec2/vpc:Vpc::*"\nreason = "no longer needed"\n')
    entries = intentions("1.2.0")
    assert entries == [Intention("deleted", "aws:ec2/vpc:Vpc::*", "no longer needed")]
    deleted, replaced = Effect("deleted", VPC.urn), Effect("replaced", VPC.urn)
    other = Effect("deleted", SUBNET.urn)
    assert unintended([deleted, replaced, other], entries) == [replaced, other]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[[deleted]]\nurn = "*"\nreason = " "\n', "no reason"),
        ('[[removed]]\nurn = "*"\nreason = "x"\n', "expected deleted or replaced"),
    ],
)
def test_a_wrong_entry_is_refused(release: Path, text: str, expected: str) -> None:
    release.write_text(text)
    with pytest.raises(ValueError, match=expected):
        intentions("1.2.0")
