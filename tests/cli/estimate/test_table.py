"""The tables of prices: complete, dated, and the same as the prices that the repository has elsewhere."""

from __future__ import annotations

from datetime import date

import pytest

from aiplatform.accelerators import aws as aws_catalog
from aiplatform.accelerators import gcp as gcp_catalog
from cli.estimate import refreshing, table
from twin.aws.services.ec2.operations import prices as twin_prices

WITHOUT_A_DATE = {table.UNVERIFIED, "assumption"}


@pytest.mark.parametrize("cloud", table.CLOUDS)
def test_file_is_what_a_renewal_writes(cloud: str) -> None:
    assert (table.FOLDER / f"{cloud}.toml").read_text() == table.dump(table.load(cloud))


@pytest.mark.parametrize("cloud", table.CLOUDS)
def test_every_price_has_a_source_that_is_described_and_a_date_unless_it_was_read_nowhere(cloud: str) -> None:
    prices = table.load(cloud)
    for key, price in prices.prices.items():
        assert price.source in prices.sources, key
        assert bool(price.date) != (price.source in WITHOUT_A_DATE), key
        assert not price.date or date.fromisoformat(price.date) <= date.today(), key


def test_prices_of_ec2_are_those_of_the_catalog_of_accelerators_and_of_the_twin() -> None:
    prices = table.load("aws").prices
    for machine in aws_catalog.MACHINES:
        if machine.price is not None:
            assert prices[f"ec2/{machine.type}"].usd == pytest.approx(machine.price.usd_per_hour), (
                machine.type
            )
    for key, price in prices.items():
        kind, _, name = key.partition("/")
        if kind == "ec2" and "." in name:
            assert price.usd == pytest.approx(twin_prices.on_demand()[name]), name


def test_prices_of_compute_engine_are_near_those_of_the_catalog_of_accelerators() -> None:
    # Of another date and source: within a tenth.
    prices = table.load("gcp").prices
    compared = [machine for machine in gcp_catalog.MACHINES if machine.price and not machine.attached]
    assert len(compared) > 15
    for machine in compared:
        assert machine.price is not None
        assert prices[f"compute/{machine.type}"].usd == pytest.approx(machine.price.usd_per_hour, rel=0.1)


@pytest.mark.parametrize("cloud", table.CLOUDS)
def test_a_query_renews_a_price_of_the_table(cloud: str) -> None:
    assert set(refreshing.QUERIES[cloud]) <= set(table.load(cloud).prices)


def test_renewal_keeps_what_the_source_lacks_and_dates_what_it_has() -> None:
    before = table.load("aws")
    after = table.renewed(before, {"kms/key": 2.0}, "list", "A list", "us-east-1")
    assert after.prices["kms/key"] == table.Price(2.0, "month", date.today().isoformat(), "list")
    assert after.prices["nat/hours"] == before.prices["nat/hours"]
    assert after.covers("us-west-2")


def test_renewal_for_another_region_no_longer_stands_for_equal_regions() -> None:
    after = table.renewed(table.load("aws"), {"kms/key": 2.0}, "list", "A list", "eu-central-1")
    assert after.covers("eu-central-1")
    assert not after.covers("us-west-2")
