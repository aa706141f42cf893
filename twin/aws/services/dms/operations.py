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
        descriptions = [
            resource.description for resource in extension_store.resources(backend, kind).values()
        ]
        for filter_ in params.get("Filters") or []:
            name = _FILTERS[filter_["Name"]]
            descriptions = [
                description for description in descriptions if description.get(name) in filter_["Values"]
            ]
        if params.get("Filters") and not descriptions:
            raise Refusal("ResourceNotFoundFault", f"No {gone} found matching the filters.")
        return {member: descriptions}

    return report


def _group(params: Params, backend: Any) -> Params:
    from moto.ec2.models import ec2_backends

    subnets_: dict[str, Any] = {}
    for zone in ec2_backends[backend.account_id][backend.region_name].subnets.values():
        subnets_ |= zone
    subnets = [subnets_[id] for id in params["SubnetIds"]]
    subnet_group = {
        "SubnetIdentifier": [subnet.id for subnet in subnets],
        "SubnetGroupStatus": "Complete",
        "SupportedNetworkTypes": ["IPV4"],
        "VpcId": subnets[0].vpc_id,
        "Subnets": [
            {
                "SubnetIdentifier": subnet.id,
                "SubnetAvailabilityZone": {"Name": subnet.availability_zone},
                "SubnetStatus": "Active",
            }
            for subnet in subnets
        ],
    }
    return {name: value for name, value in subnet_group.items() if name != "SubnetIdentifier"}


def make_group(params: Params, backend: Any) -> Params:
    """CreateReplicationSubnetGroup."""
    name = params["ReplicationSubnetGroupIdentifier"].lower()
    described = params.get("ReplicationSubnetGroupDescription") or ""
    description = {
        "ReplicationSubnetGroupIdentifier": name,
        "ReplicationSubnetGroupDescription": described,
        **_group(params, backend),
    }
    extension_store.resources(backend, SUBNETS)[name] = extension_store.Thing(description)
    extension_store.tag_anew(
        backend, _arn(backend, "subgrp", name), extension_store.pairs(params.get("Tags"))
    )
    return {"ReplicationSubnetGroup": description}


def change_group(params: Params, backend: Any) -> Params:
    """ModifyReplicationSubnetGroup."""
    description = extension_store.resources(backend, SUBNETS)[
        params["ReplicationSubnetGroupIdentifier"]
    ].description
    description.update(_group(params, backend))
    if params.get("ReplicationSubnetGroupDescription"):
        description["ReplicationSubnetGroupDescription"] = params["ReplicationSubnetGroupDescription"]
    return {"ReplicationSubnetGroup": description}


def drop_group(params: Params, backend: Any) -> Params:
    """DeleteReplicationSubnetGroup."""
    del extension_store.resources(backend, SUBNETS)[params["ReplicationSubnetGroupIdentifier"]]
    return {}


def make_certificate(params: Params, backend: Any) -> Params:
    """ImportCertificate."""
    arn = _arn(backend, "cert")
    names = ("CertificateIdentifier", "CertificatePem", "CertificateWallet", "KmsKeyId")
    description = {name: params[name] for name in names if params.get(name) is not None}
    description |= {"CertificateArn": arn, "CertificateOwner": backend.account_id}
    description["CertificateCreationDate"] = extension_store.now()
    extension_store.resources(backend, CERTIFICATES)[arn] = extension_store.Thing(description)
    extension_store.tag_anew(backend, arn, extension_store.pairs(params.get("Tags")))
    return {"Certificate": description}


def drop_certificate(params: Params, backend: Any) -> Params:
    """DeleteCertificate."""
    return {
        "Certificate": extension_store.resources(backend, CERTIFICATES)
        .pop(params["CertificateArn"])
        .description
    }


def make_endpoint(params: Params, backend: Any) -> Params:
    """CreateEndpoint."""
    arn = _arn(backend, "endpoint", params.get("ResourceIdentifier") or "")
    description = {
        name: value
        for name, value in params.items()
        if name not in ("Tags", "Password") and value is not None
    }
    engine = params["EngineName"]
    description |= {
        "EndpointArn": arn,
        "EndpointType": params["EndpointType"].upper(),
        "EngineDisplayName": _DISPLAYED.get(engine, engine),
        "SslMode": params.get("SslMode") or "none",
        "Status": "active",
        "IsReadOnly": False,
    }
    description.setdefault("KmsKeyId", _arn(backend, "key").replace(":dms:", ":kms:"))
    extension_store.resources(backend, ENDPOINTS)[arn] = extension_store.Thing(description)
    extension_store.tag_anew(backend, arn, extension_store.pairs(params.get("Tags")))
    return {"Endpoint": description}


def change_endpoint(params: Params, backend: Any) -> Params:
    """ModifyEndpoint: settings that are given are merged with those that are there, unless they are exact."""
    description = extension_store.resources(backend, ENDPOINTS)[params["EndpointArn"]].description
    for name, value in params.items():
        if name in ("Password", "ExactSettings") or value is None:
            continue
        merge = name in ("S3Settings", *SECRETS.values()) and not params.get("ExactSettings")
        description[name] = {**(description.get(name) or {}), **value} if merge else value
    description["EndpointType"] = str(description["EndpointType"]).upper()
    return {"Endpoint": description}


def drop_endpoint(params: Params, backend: Any) -> Params:
    """DeleteEndpoint."""
    return {"Endpoint": extension_store.resources(backend, ENDPOINTS).pop(params["EndpointArn"]).description}


def make_config(params: Params, backend: Any) -> Params:
    """CreateReplicationConfig."""
    arn = _arn(backend, "replication-config", params.get("ResourceIdentifier") or "")
    left_out = ("Tags", "ResourceIdentifier")
    description = {
        name: value for name, value in params.items() if name not in left_out and value is not None
    }
    description |= {"ReplicationConfigArn": arn, "IsReadOnly": False}
    description["ReplicationConfigCreateTime"] = description["ReplicationConfigUpdateTime"] = (
        extension_store.now()
    )
    description.setdefault("ReplicationSettings", "{}")
    extension_store.resources(backend, CONFIGS)[arn] = extension_store.Thing(
        description, {"status": "created"}
    )
    extension_store.tag_anew(backend, arn, extension_store.pairs(params.get("Tags")))
    return {"ReplicationConfig": description}


def change_config(params: Params, backend: Any) -> Params:
    """ModifyReplicationConfig."""
    description = extension_store.resources(backend, CONFIGS)[params["ReplicationConfigArn"]].description
    compute = {**description["ComputeConfig"], **(params.get("ComputeConfig") or {})}
    description.update({name: value for name, value in params.items() if value is not None})
    description |= {"ComputeConfig": compute, "ReplicationConfigUpdateTime": extension_store.now()}
    return {"ReplicationConfig": description}


def drop_config(params: Params, backend: Any) -> Params:
    """DeleteReplicationConfig."""
    return {
        "ReplicationConfig": extension_store.resources(backend, CONFIGS)
        .pop(params["ReplicationConfigArn"])
        .description
    }


def _replication(thing: extension_store.Thing) -> Params:
    names = ("ReplicationConfigIdentifier", "ReplicationConfigArn", "SourceEndpointArn", "TargetEndpointArn")
    reported = {name: thing.description[name] for name in (*names, "ReplicationType")}
    return {**reported, "Status": thing.internal["status"]}


def _to(status: str) -> Callable[[Params, Any], Params]:
    def move(params: Params, backend: Any) -> Params:
        thing = extension_store.resources(backend, CONFIGS)[params["ReplicationConfigArn"]]
        thing.internal["status"] = status
        return {"Replication": _replication(thing)}

    return move


def tell_replications(params: Params, backend: Any) -> Params:
    """DescribeReplications."""
    replications = _seen(CONFIGS, "found", "replications")(params, backend)["found"]
    things = extension_store.resources(backend, CONFIGS)
    return {
        "Replications": [
            _replication(things[replication["ReplicationConfigArn"]]) for replication in replications
        ]
    }


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
