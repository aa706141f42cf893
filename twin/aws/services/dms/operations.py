"""DMS's operations: moto knows no certificates and no serverless replications, and changes no endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services.dms.validation import CERTIFICATES, CONFIGS, ENDPOINTS, SECRETS, SUBNETS
from twin.aws.validation import extension_store

Params = dict[str, Any]

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_FILTERS: Final = {
    "replication-subnet-group-id": "ReplicationSubnetGroupIdentifier",
    "certificate-arn": "CertificateArn",
    "certificate-id": "CertificateIdentifier",
    "endpoint-arn": "EndpointArn",
    "endpoint-id": "EndpointIdentifier",
    "endpoint-type": "EndpointType",
    "engine-name": "EngineName",
    "replication-config-arn": "ReplicationConfigArn",
    "replication-config-id": "ReplicationConfigIdentifier",
}
_DISPLAYED: Final = {"s3": "Amazon S3", "postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}


def _arn(backend: Any, kind: str, name: str = "") -> str:
    from moto.moto_api._internal import mock_random

    drawn = name or "".join(mock_random.choice(_ALPHABET) for _ in range(26))
    return f"arn:aws:dms:{backend.region_name}:{backend.account_id}:{kind}:{drawn}"


def _seen(kind: str, member: str, gone: str) -> Callable[[Params, Any], Params]:
    def report(params: Params, backend: Any) -> Params:
        found = [each.shown for each in extension_store.held(backend, kind).values()]
        for each in params.get("Filters") or []:
            name = _FILTERS[each["Name"]]
            found = [shown for shown in found if shown.get(name) in each["Values"]]
        if params.get("Filters") and not found:
            raise Refusal("ResourceNotFoundFault", f"No {gone} found matching the filters.")
        return {member: found}

    return report


def _group(params: Params, backend: Any) -> Params:
    from moto.ec2.models import ec2_backends

    held: dict[str, Any] = {}
    for zone in ec2_backends[backend.account_id][backend.region_name].subnets.values():
        held |= zone
    subnets = [held[id] for id in params["SubnetIds"]]
    shown = {
        "SubnetIdentifier": [each.id for each in subnets],
        "SubnetGroupStatus": "Complete",
        "SupportedNetworkTypes": ["IPV4"],
        "VpcId": subnets[0].vpc_id,
        "Subnets": [
            {
                "SubnetIdentifier": each.id,
                "SubnetAvailabilityZone": {"Name": each.availability_zone},
                "SubnetStatus": "Active",
            }
            for each in subnets
        ],
    }
    return {name: value for name, value in shown.items() if name != "SubnetIdentifier"}


def make_group(params: Params, backend: Any) -> Params:
    """CreateReplicationSubnetGroup."""
    name = params["ReplicationSubnetGroupIdentifier"].lower()
    described = params.get("ReplicationSubnetGroupDescription") or ""
    shown = {
        "ReplicationSubnetGroupIdentifier": name,
        "ReplicationSubnetGroupDescription": described,
        **_group(params, backend),
    }
    extension_store.held(backend, SUBNETS)[name] = extension_store.Thing(shown)
    extension_store.tag_anew(
        backend, _arn(backend, "subgrp", name), extension_store.pairs(params.get("Tags"))
    )
    return {"ReplicationSubnetGroup": shown}


def change_group(params: Params, backend: Any) -> Params:
    """ModifyReplicationSubnetGroup."""
    shown = extension_store.held(backend, SUBNETS)[params["ReplicationSubnetGroupIdentifier"]].shown
    shown.update(_group(params, backend))
    if params.get("ReplicationSubnetGroupDescription"):
        shown["ReplicationSubnetGroupDescription"] = params["ReplicationSubnetGroupDescription"]
    return {"ReplicationSubnetGroup": shown}


def drop_group(params: Params, backend: Any) -> Params:
    """DeleteReplicationSubnetGroup."""
    del extension_store.held(backend, SUBNETS)[params["ReplicationSubnetGroupIdentifier"]]
    return {}


def make_certificate(params: Params, backend: Any) -> Params:
    """ImportCertificate."""
    arn = _arn(backend, "cert")
    names = ("CertificateIdentifier", "CertificatePem", "CertificateWallet", "KmsKeyId")
    shown = {name: params[name] for name in names if params.get(name) is not None}
    shown |= {"CertificateArn": arn, "CertificateOwner": backend.account_id}
    shown["CertificateCreationDate"] = extension_store.now()
    extension_store.held(backend, CERTIFICATES)[arn] = extension_store.Thing(shown)
    extension_store.tag_anew(backend, arn, extension_store.pairs(params.get("Tags")))
    return {"Certificate": shown}


def drop_certificate(params: Params, backend: Any) -> Params:
    """DeleteCertificate."""
    return {"Certificate": extension_store.held(backend, CERTIFICATES).pop(params["CertificateArn"]).shown}


def make_endpoint(params: Params, backend: Any) -> Params:
    """CreateEndpoint."""
    arn = _arn(backend, "endpoint", params.get("ResourceIdentifier") or "")
    shown = {
        name: value
        for name, value in params.items()
        if name not in ("Tags", "Password") and value is not None
    }
    engine = params["EngineName"]
    shown |= {
        "EndpointArn": arn,
        "EndpointType": params["EndpointType"].upper(),
        "EngineDisplayName": _DISPLAYED.get(engine, engine),
        "SslMode": params.get("SslMode") or "none",
        "Status": "active",
        "IsReadOnly": False,
    }
    shown.setdefault("KmsKeyId", _arn(backend, "key").replace(":dms:", ":kms:"))
    extension_store.held(backend, ENDPOINTS)[arn] = extension_store.Thing(shown)
    extension_store.tag_anew(backend, arn, extension_store.pairs(params.get("Tags")))
    return {"Endpoint": shown}


def change_endpoint(params: Params, backend: Any) -> Params:
    """ModifyEndpoint: settings that are given are merged with those that are there, unless they are exact."""
    shown = extension_store.held(backend, ENDPOINTS)[params["EndpointArn"]].shown
    for name, value in params.items():
        if name in ("Password", "ExactSettings") or value is None:
            continue
        merge = name in ("S3Settings", *SECRETS.values()) and not params.get("ExactSettings")
        shown[name] = {**(shown.get(name) or {}), **value} if merge else value
    shown["EndpointType"] = str(shown["EndpointType"]).upper()
    return {"Endpoint": shown}


def drop_endpoint(params: Params, backend: Any) -> Params:
    """DeleteEndpoint."""
    return {"Endpoint": extension_store.held(backend, ENDPOINTS).pop(params["EndpointArn"]).shown}


def make_config(params: Params, backend: Any) -> Params:
    """CreateReplicationConfig."""
    arn = _arn(backend, "replication-config", params.get("ResourceIdentifier") or "")
    left_out = ("Tags", "ResourceIdentifier")
    shown = {name: value for name, value in params.items() if name not in left_out and value is not None}
    shown |= {"ReplicationConfigArn": arn, "IsReadOnly": False}
    shown["ReplicationConfigCreateTime"] = shown["ReplicationConfigUpdateTime"] = extension_store.now()
    shown.setdefault("ReplicationSettings", "{}")
    extension_store.held(backend, CONFIGS)[arn] = extension_store.Thing(shown, {"status": "created"})
    extension_store.tag_anew(backend, arn, extension_store.pairs(params.get("Tags")))
    return {"ReplicationConfig": shown}


def change_config(params: Params, backend: Any) -> Params:
    """ModifyReplicationConfig."""
    shown = extension_store.held(backend, CONFIGS)[params["ReplicationConfigArn"]].shown
    compute = {**shown["ComputeConfig"], **(params.get("ComputeConfig") or {})}
    shown.update({name: value for name, value in params.items() if value is not None})
    shown |= {"ComputeConfig": compute, "ReplicationConfigUpdateTime": extension_store.now()}
    return {"ReplicationConfig": shown}


def drop_config(params: Params, backend: Any) -> Params:
    """DeleteReplicationConfig."""
    return {
        "ReplicationConfig": extension_store.held(backend, CONFIGS).pop(params["ReplicationConfigArn"]).shown
    }


def _replication(thing: extension_store.Thing) -> Params:
    names = ("ReplicationConfigIdentifier", "ReplicationConfigArn", "SourceEndpointArn", "TargetEndpointArn")
    reported = {name: thing.shown[name] for name in (*names, "ReplicationType")}
    return {**reported, "Status": thing.kept["status"]}


def _to(status: str) -> Callable[[Params, Any], Params]:
    def move(params: Params, backend: Any) -> Params:
        thing = extension_store.held(backend, CONFIGS)[params["ReplicationConfigArn"]]
        thing.kept["status"] = status
        return {"Replication": _replication(thing)}

    return move


def tell_replications(params: Params, backend: Any) -> Params:
    """DescribeReplications."""
    found = _seen(CONFIGS, "found", "replications")(params, backend)["found"]
    things = extension_store.held(backend, CONFIGS)
    return {"Replications": [_replication(things[each["ReplicationConfigArn"]]) for each in found]}


_TAGS: Final = extension_store.TagCalls(
    calls=("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource")
)
_ACTS: Final[dict[str, extension_store.Act]] = {
    **_TAGS.acts(),
    "CreateReplicationSubnetGroup": make_group,
    "ModifyReplicationSubnetGroup": change_group,
    "DeleteReplicationSubnetGroup": drop_group,
    "DescribeReplicationSubnetGroups": _seen(SUBNETS, "ReplicationSubnetGroups", "subnet groups"),
    "ImportCertificate": make_certificate,
    "DeleteCertificate": drop_certificate,
    "DescribeCertificates": _seen(CERTIFICATES, "Certificates", "certificates"),
    "CreateEndpoint": make_endpoint,
    "ModifyEndpoint": change_endpoint,
    "DeleteEndpoint": drop_endpoint,
    "DescribeEndpoints": _seen(ENDPOINTS, "Endpoints", "Endpoints"),
    "CreateReplicationConfig": make_config,
    "ModifyReplicationConfig": change_config,
    "DeleteReplicationConfig": drop_config,
    "DescribeReplicationConfigs": _seen(CONFIGS, "ReplicationConfigs", "replication configs"),
    "StartReplication": _to("running"),
    "StopReplication": _to("stopped"),
    "DescribeReplications": tell_replications,
}
OPERATIONS: Final = extension_store.operations(_ACTS)
