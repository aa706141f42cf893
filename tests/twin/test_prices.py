"""The twin has prices of all accelerators of the platform."""

from __future__ import annotations

from aiplatform.accelerators import MACHINES
from twin.aws.services.ec2.operations import prices


def test_price_list_has_the_prices_of_the_platforms_accelerators() -> None:
    catalog = {machine.type: machine.price.usd_per_hour for machine in MACHINES if machine.price}
    assert {kind: prices.on_demand().get(kind) for kind in catalog} == catalog
