"""Log groups, and the DNS records that external-dns created."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cli.sweep.external_dns import owned
from cli.sweep.item import Item, Kind, Scope

_GB: Final = 1e9
_ZONE: Final = "/hostedzone/"


def _log_groups(scope: Scope) -> Iterator[Item]:
    identity = scope.identity
    for prefix in (*identity.log_groups, *identity.similar_log_groups):
        groups: list[Any] = scope.client.pages(
            "logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix
        )
        for group in groups:
            yield _log_group(scope, group, exact=prefix in identity.log_groups)


def _log_group(scope: Scope, group: Mapping[str, Any], *, exact: bool) -> Item:
    name = str(group["logGroupName"])
    arn = str(group["arn"]).removesuffix(":*")
    tags: Mapping[str, str] = scope.client.call("logs", "list_tags_for_resource", resourceArn=arn)["tags"]
    similar = next((p for p in scope.identity.similar_log_groups if name.startswith(p)), "")
    # Without what the service begins its names with.
    physical = name if exact else scope.identity.prefix + name.removeprefix(similar)
    reason = ""
    if tags and scope.identity.retains:
        reason = "logs of a production environment outlive it (teardown: with_data deletes them)"
    return Item(
        "log group",
        name,
        name=physical,
        exact=exact,
        tags=tags,
        since=_date(group.get("creationTime")),
        also=(arn,),
        reason=reason,
        costs=(("logs/stored", float(group.get("storedBytes") or 0) / _GB),),
        command=f"aws --region {scope.region} logs delete-log-group --log-group-name {name}",
        delete=lambda client: client.call("logs", "delete_log_group", logGroupName=name),
    )


def _date(milliseconds: Any) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat() if milliseconds else ""


def _dns_records(scope: Scope) -> Iterator[Item]:
    zones: list[Any] = scope.client.pages("route53", "list_hosted_zones", "HostedZones")
    for zone in zones:
        id = str(zone["Id"]).removeprefix(_ZONE)
        records: list[Any] = scope.client.pages(
            "route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=id
        )
        texts = [
            (
                str(record["Name"]).rstrip("."),
                str(record["Type"]),
                " ".join(str(value["Value"]) for value in record.get("ResourceRecords") or ()),
            )
            for record in records
        ]
        for place, owner in owned(texts):
            yield _dns_record(id, records[place], owner)


def _dns_record(zone: str, record: Mapping[str, Any], owner: str) -> Item:
    name, type_ = str(record["Name"]).rstrip("."), str(record["Type"])
    changes = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": dict(record)}]}
    parts = [zone, name, type_, str(record.get("SetIdentifier", ""))]
    return Item(
        "DNS record",
        "/".join(part for part in parts if part),
        owners={f"text external-dns/owner={owner}": owner},
        command=f"aws route53 change-resource-record-sets --hosted-zone-id {zone} (DELETE {name} {type_})",
        delete=lambda client: _change(client, zone, changes),
    )


def _change(client: Any, zone: str, changes: Mapping[str, Any]) -> None:
    client.call("route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=changes)


LOG_GROUPS: Final = Kind("log group", _log_groups)
DNS_RECORDS: Final = Kind("DNS record", _dns_records)
