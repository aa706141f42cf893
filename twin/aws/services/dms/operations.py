"""DMS's operations: moto knows no certificates and no serverless replications, and changes no endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services import facts
from twin.aws.services.dms.validation import CERTIFICATES, CONFIGS, ENDPOINTS, SECRETS, SUBNETS
from twin.aws.validation import extension_store
from twin.aws.validation.kinds import Kind
from twin.core.normalization import without_none

Params = dict[str, Any]

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_FACTS: Final = facts(__name__)
_FILTERS: Final[dict[str, str]] = _FACTS["filters"]
_DISPLAYED: Final[dict[str, str]] = _FACTS["engines"]


def _arn(backend: Any, kind: str, name: str = "") -> str:
    from moto.moto_api._internal import mock_random

    drawn = name or "".join(mock_random.choice(_ALPHABET) for _ in range(26))
    return f"arn:aws:dms:{backend.region_name}:{backend.account_id}:{kind}:{drawn}"


def _seen(kind: Kind, member: str, gone: str) -> Callable[[Params, Any], Params]:
    def report(params: Params, backend: Any) -> Params:
        descriptions = [thing.description for thing in kind.all(backend).values()]
        for filter_ in params.get("Filters") or []:
            name = _FILTERS[filter_["Name"]]
            descriptions = [one for one in descriptions if one.get(name) in filter_["Values"]]
        if params.get("Filters") and not descriptions:
            raise Refusal("ResourceNotFoundFault", f"No {gone} found matching the filters.")
        return {member: descriptions}

    return report


def _new(backend: Any, kind: Kind, arn: str, params: Params, description: Params, **internal: Any) -> Params:
    """Store a thing that an arn names."""
    extension_store.tag_anew(backend, arn, extension_store.pairs(params.get("Tags")))
    return kind.add(backend, arn, {**description, kind.key[0]: arn}, **internal)


def _group(params: Params, backend: Any) -> Params:
    from moto.ec2.models import ec2_backends

    subnets_: dict[str, Any] = {}
    for zone in ec2_backends[backend.account_id][backend.region_name].subnets.values():
        subnets_ |= zone
    subnets = [subnets_[id] for id in params["SubnetIds"]]
    return {
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


def make_group(params: Params, backend: Any) -> Params:
    """CreateReplicationSubnetGroup."""
    name = params["ReplicationSubnetGroupIdentifier"].lower()
    described = params.get("ReplicationSubnetGroupDescription") or ""
    description = {
        "ReplicationSubnetGroupIdentifier": name,
        "ReplicationSubnetGroupDescription": described,
        **_group(params, backend),
    }
    SUBNETS.add(backend, name, description)
    extension_store.tag_anew(
        backend, _arn(backend, "subgrp", name), extension_store.pairs(params.get("Tags"))
    )
    return {"ReplicationSubnetGroup": description}


def change_group(params: Params, backend: Any) -> Params:
    """ModifyReplicationSubnetGroup."""
    description = SUBNETS.get(params, backend).description
    description.update(_group(params, backend))
    if params.get("ReplicationSubnetGroupDescription"):
        description["ReplicationSubnetGroupDescription"] = params["ReplicationSubnetGroupDescription"]
    return {"ReplicationSubnetGroup": description}


def make_certificate(params: Params, backend: Any) -> Params:
    """ImportCertificate."""
    arn = _arn(backend, "cert")
    names = ("CertificateIdentifier", "CertificatePem", "CertificateWallet", "KmsKeyId")
    description = {name: params[name] for name in names if params.get(name) is not None}
    description |= {"CertificateOwner": backend.account_id, "CertificateCreationDate": extension_store.now()}
    return {"Certificate": _new(backend, CERTIFICATES, arn, params, description)}


def make_endpoint(params: Params, backend: Any) -> Params:
    """CreateEndpoint."""
    arn = _arn(backend, "endpoint", params.get("ResourceIdentifier") or "")
    description = without_none(params, "Tags", "Password")
    engine = params["EngineName"]
    description |= {
        "EndpointType": params["EndpointType"].upper(),
        "EngineDisplayName": _DISPLAYED.get(engine, engine),
        "SslMode": params.get("SslMode") or "none",
        "Status": "active",
        "IsReadOnly": False,
    }
    description.setdefault("KmsKeyId", _arn(backend, "key").replace(":dms:", ":kms:"))
    return {"Endpoint": _new(backend, ENDPOINTS, arn, params, description)}


def change_endpoint(params: Params, backend: Any) -> Params:
    """ModifyEndpoint: settings that are given are merged with those that are there, unless they are exact."""
    description = ENDPOINTS.get(params, backend).description
    for name, value in without_none(params, "Password", "ExactSettings").items():
        merge = name in ("S3Settings", *SECRETS.values()) and not params.get("ExactSettings")
        description[name] = {**(description.get(name) or {}), **value} if merge else value
    description["EndpointType"] = str(description["EndpointType"]).upper()
    return {"Endpoint": description}


def make_config(params: Params, backend: Any) -> Params:
    """CreateReplicationConfig."""
    arn = _arn(backend, "replication-config", params.get("ResourceIdentifier") or "")
    now = extension_store.now()
    description = {
        "ReplicationSettings": "{}",
        **without_none(params, "Tags", "ResourceIdentifier"),
        "IsReadOnly": False,
        "ReplicationConfigCreateTime": now,
        "ReplicationConfigUpdateTime": now,
    }
    return {"ReplicationConfig": _new(backend, CONFIGS, arn, params, description, status="created")}


def change_config(params: Params, backend: Any) -> Params:
    """ModifyReplicationConfig."""
    description = CONFIGS.get(params, backend).description
    compute = {**description["ComputeConfig"], **(params.get("ComputeConfig") or {})}
    description.update(without_none(params))
    description |= {"ComputeConfig": compute, "ReplicationConfigUpdateTime": extension_store.now()}
    return {"ReplicationConfig": description}


def _replication(thing: extension_store.Thing) -> Params:
    names = ("ReplicationConfigIdentifier", "ReplicationConfigArn", "SourceEndpointArn", "TargetEndpointArn")
    reported = {name: thing.description[name] for name in (*names, "ReplicationType")}
    return {**reported, "Status": thing.internal["status"]}


def _to(status: str) -> Callable[[Params, Any], Params]:
    def move(params: Params, backend: Any) -> Params:
        thing = CONFIGS.get(params, backend)
        thing.internal["status"] = status
        return {"Replication": _replication(thing)}

    return move


def tell_replications(params: Params, backend: Any) -> Params:
    """DescribeReplications."""
    replications = _seen(CONFIGS, "found", "replications")(params, backend)["found"]
    things = CONFIGS.all(backend)
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
    "DeleteReplicationSubnetGroup": SUBNETS.drop(),
    "DescribeReplicationSubnetGroups": _seen(SUBNETS, "ReplicationSubnetGroups", "subnet groups"),
    "ImportCertificate": make_certificate,
    "DeleteCertificate": CERTIFICATES.drop("Certificate"),
    "DescribeCertificates": _seen(CERTIFICATES, "Certificates", "certificates"),
    "CreateEndpoint": make_endpoint,
    "ModifyEndpoint": change_endpoint,
    "DeleteEndpoint": ENDPOINTS.drop("Endpoint"),
    "DescribeEndpoints": _seen(ENDPOINTS, "Endpoints", "Endpoints"),
    "CreateReplicationConfig": make_config,
    "ModifyReplicationConfig": change_config,
    "DeleteReplicationConfig": CONFIGS.drop("ReplicationConfig"),
    "DescribeReplicationConfigs": _seen(CONFIGS, "ReplicationConfigs", "replication configs"),
    "StartReplication": _to("running"),
    "StopReplication": _to("stopped"),
    "DescribeReplications": tell_replications,
}
OPERATIONS: Final = extension_store.operations(_ACTS)
