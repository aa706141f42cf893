"""The DNS records that external-dns created in zones of Cloud DNS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cli.sweep.external_dns import owned
from cli.sweep.item import Item, Kind, Scope


def _dns_records(scope: Scope) -> Iterator[Item]:
    zones = f"projects/{scope.account}/managedZones"
    for zone in scope.client.pages("dns", zones, "managedZones"):
        path = f"{zones}/{zone['name']}/rrsets"
        records: list[Any] = list(scope.client.pages("dns", path, "rrsets"))
        texts = [
            (str(record["name"]).rstrip("."), str(record["type"]), " ".join(record.get("rrdatas") or ()))
            for record in records
        ]
        for place, owner in owned(texts):
            name, type_ = str(records[place]["name"]), str(records[place]["type"])
            id = f"{path}/{name}/{type_}"
            yield Item(
                "DNS record",
                id,
                owners={f"text external-dns/owner={owner}": owner},
                command=f"gcloud dns record-sets delete {name} --type {type_} --zone {zone['name']} "
                f"--project {scope.account}",
                delete=lambda client, id=id: client.delete("dns", id),
            )


DNS_RECORDS: Final = Kind("DNS record", _dns_records)
