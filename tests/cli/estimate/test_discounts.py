"""Discounts and commitments."""

from __future__ import annotations

import pytest

from cli.estimate.discounts import Commitment, parse_commitments, parse_discounts
from cli.estimate.usage import Usage
from cli.output import CommandError
from tests.cli.estimate.samples import eks_group, make, resource

UNUSED = Usage("dev", {"general": 0.0})
KEY = resource("aws:kms/key:Key")


def test_discount_of_a_group_replaces_that_of_all() -> None:
    estimate = make(KEY, resource("aws:ec2/eip:Eip"), discounts=parse_discounts(["all=10", "network=50"]))
    assert estimate.total.idle == pytest.approx(1.0 * 0.9 + 3.65 * 0.5)


def test_discount_does_not_change_a_credit() -> None:
    cluster = resource("gcp:container/cluster:Cluster", location="us-central1-a")
    estimate = make(cluster, cloud="gcp", discounts={"all": 50.0})
    assert estimate.total.idle == pytest.approx(73 * 0.5 - 73)


def test_commitment_is_paid_while_idle_and_covers_use_on_demand() -> None:
    group = eks_group("general")
    plain = make(*group, use=UNUSED).total
    saved = make(*group, use=UNUSED, commitments=[Commitment("compute", 0.10, 50.0)]).total
    assert saved.idle == pytest.approx(plain.idle + 73)
    assert saved.maximum == pytest.approx(plain.maximum + 73 - 146), "73 dollars cover 146 on demand"


def test_commitment_covers_no_spot_capacity() -> None:
    group = eks_group("general", capacityType="SPOT")
    plain = make(*group, use=UNUSED).total
    saved = make(*group, use=UNUSED, commitments=[Commitment("compute", 0.10, 50.0)]).total
    assert saved.maximum == pytest.approx(plain.maximum + 73)


@pytest.mark.parametrize("value", ["compute", "compute=x", "compute=100", "compute=-1", "disks=10", "=5"])
def test_wrong_discount_is_refused(value: str) -> None:
    with pytest.raises(CommandError, match="--discount"):
        parse_discounts([value])


@pytest.mark.parametrize("value", ["compute=1", "compute=1:100", "all=1:10", "compute=x:10"])
def test_wrong_commitment_is_refused(value: str) -> None:
    with pytest.raises(CommandError, match="--commitment"):
        parse_commitments([value])
