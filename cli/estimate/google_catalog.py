"""Prices from the catalog of Cloud Billing, which needs an API key.

The catalog sells vCPUs, memory and accelerators apart: a machine type costs the sum of its parts. A price has
tiers; the first that is not free counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from cli.estimate.http import opened
from cli.estimate.table import Price, Table
from cli.output import CommandError

ADDRESS: Final = "https://cloudbilling.googleapis.com"
_COMPUTE: Final = "Compute Engine"
_USAGE: Final = {False: "OnDemand", True: "Preemptible"}


def prices(
    table: Table,
    region: str,
    key: str,
    queries: Mapping[str, Any],
    families: Mapping[str, str],
    address: str = ADDRESS,
) -> dict[str, float]:
    """Return the prices of a table that the catalog has for a region."""
    names = {str(query["service"]) for query in queries.values()} | {_COMPUTE}
    skus: dict[str, list[Mapping[str, Any]]] = {}
    for service in _pages(f"{address}/v1/services", "services", key):
        if service["displayName"] in names:
            skus[service["displayName"]] = [
                sku
                for sku in _pages(f"{address}/v1/{service['name']}/skus", "skus", key)
                if {region, "global"} & set(sku.get("serviceRegions") or ())
            ]
    result: dict[str, float] = {}
    for name, price in table.prices.items():
        # The price on spot has no size: it is the machine's.
        size = table.prices.get(name.removesuffix("/spot"), price)
        usd = _machine(name, size, skus.get(_COMPUTE, []), families)
        if usd is None and name in queries:
            query = queries[name]
            usd = _usd(skus.get(query["service"], []), query["sku"], spot=False)
        if usd is not None:
            result[name] = usd
    return result


def _machine(
    name: str, price: Price, skus: list[Mapping[str, Any]], families: Mapping[str, str]
) -> float | None:
    """Return the price of a machine type without accelerators; None for anything else."""
    kind, _, rest = name.partition("/")
    machine, _, spot = rest.partition("/")
    family = families.get(machine.partition("-")[0])
    if kind != "compute" or family is None or not price.vcpus:
        return None
    prefix = "Spot Preemptible " if spot else ""
    core = _usd(skus, rf"{prefix}{family} Instance Core running in .*", spot=bool(spot))
    memory = _usd(skus, rf"{prefix}{family} Instance Ram running in .*", spot=bool(spot))
    if core is None or memory is None:
        return None
    return price.vcpus * core + price.memory_gib * memory


def _usd(skus: list[Mapping[str, Any]], pattern: str, *, spot: bool) -> float | None:
    for sku in skus:
        usage = sku.get("category", {}).get("usageType")
        if usage == _USAGE[spot] and re.fullmatch(pattern, str(sku.get("description"))):
            try:
                # By time; the last one applies now.
                rates = sku["pricingInfo"][-1]["pricingExpression"]["tieredRates"]
                paid = [usd for rate in rates if (usd := _money(rate["unitPrice"]))]
            except (LookupError, TypeError, ValueError) as error:
                raise CommandError(
                    f"{ADDRESS}: the SKU {sku.get('description')!r} has no price in the form of the API: "
                    f"{error!r}"
                ) from None
            if paid:
                return paid[0]
    return None


def _money(money: Mapping[str, Any]) -> float:
    return int(money.get("units") or 0) + int(money.get("nanos") or 0) / 1e9


def _pages(url: str, field: str, key: str) -> Iterator[Mapping[str, Any]]:
    token = ""
    while True:
        page_token = {"pageToken": token} if token else {}
        query = urlencode({"pageSize": "5000", "currencyCode": "USD", **page_token})
        # The key is a header, so that no address in a message has it.
        with opened(f"{url}?{query}", {"X-Goog-Api-Key": key}) as response:
            try:
                page: Any = json.load(response)
            except ValueError as error:
                raise CommandError(f"{url}: an answer that is no JSON: {error}") from None
        if not isinstance(page, dict):
            raise CommandError(f"{url}: an answer of another form; expected an object with {field!r}")
        yield from page.get(field) or ()
        token = str(page.get("nextPageToken") or "")
        if not token:
            return
