"""Online stores of Feast on each cloud, and their latencies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from aiplatform._shared.args import Problem, got
from aiplatform._shared.cloud_support import CLOUDS, Cloud

Latency = Literal["tens_of_milliseconds", "milliseconds", "sub_millisecond"]
OnlineStore = Literal["dynamodb", "valkey", "datastore", "bigtable"]

LATENCIES: Final[tuple[Latency, ...]] = ("tens_of_milliseconds", "milliseconds", "sub_millisecond")
"""The classes of latency, from the slowest; each meets the ones before."""


@dataclass(frozen=True)
class Store:
    """An online store. meets: the fastest class that it meets according to its cloud. title: its product
    name."""

    cloud: Cloud
    meets: Latency
    title: str


# The order is that of preference: of those that meet a class, the first costs least when idle.
STORES: Final[Mapping[OnlineStore, Store]] = {
    # "Single-digit millisecond performance at any scale" (DynamoDB developer guide, introduction).
    "dynamodb": Store("aws", "milliseconds", "DynamoDB"),
    # "Microsecond read latency" (ElastiCache user guide, "Comparing Valkey and Redis OSS caches").
    "valkey": Store("aws", "sub_millisecond", "ElastiCache Serverless for Valkey"),
    # Strong consistency over several zones: no latency is documented; tens of milliseconds are observed.
    "datastore": Store("gcp", "tens_of_milliseconds", "Firestore in Datastore mode"),
    # "Consistent sub-10ms latency" (Bigtable, "Understand performance").
    "bigtable": Store("gcp", "milliseconds", "Bigtable"),
}


def meeting(cloud: Cloud, latency: Latency) -> list[OnlineStore]:
    """Return the stores of a cloud that meet a class, the cheapest first."""
    required = LATENCIES.index(latency)
    return [
        name
        for name, store in STORES.items()
        if store.cloud == cloud and LATENCIES.index(store.meets) >= required
    ]


def problems(cloud: Cloud, latency: Latency, chosen: OnlineStore | None) -> Iterator[Problem]:
    """Return a problem where no store of the cloud meets the class, or the chosen one does not."""
    fitting = meeting(cloud, latency)
    if not fitting:
        yield Problem(
            "latency",
            f"{got(latency)}, which no online store of Feast on {CLOUDS[cloud]} meets: Memorystore requires "
            "IAM's tokens, which Feast's client cannot renew; expected milliseconds",
        )
        return
    if chosen is None or chosen in fitting:
        return
    store = STORES[chosen]
    if store.cloud != cloud:
        yield Problem(
            "online_store", f"{got(chosen)}, which {CLOUDS[cloud]} does not have; {_one_of(fitting)}"
        )
        return
    yield Problem(
        "online_store",
        f"{got(chosen)}, {store.title} meets {store.meets} and not {latency}; {_one_of(fitting)}",
    )


def _one_of(names: list[OnlineStore]) -> str:
    return f"expected {' or '.join(names)}"
