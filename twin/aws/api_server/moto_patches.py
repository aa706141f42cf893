"""Where moto leaves behind what AWS takes away, or does it in an order that no replay could repeat."""

from __future__ import annotations

import hashlib
from typing import Any

from twin.aws.api_server.moto_wrapping import wrap
from twin.aws.iam import policy_statements


def install() -> None:
    """Put the repairs into moto, once."""
    from moto.ec2.models.elastic_block_store import EBSBackend
    from moto.ec2.models.flow_logs import FlowLogsBackend
    from moto.ec2.models.instances import Instance
    from moto.ec2.models.nat_gateways import NatGatewayBackend
    from moto.ec2.models.route_tables import RouteBackend
    from moto.ec2.models.security_groups import SecurityGroupRule
    from moto.ec2.models.subnets import SubnetBackend
    from moto.ec2.models.vpcs import VPCBackend
    from moto.ecr.models import Image
    from moto.iam.responses import IamResponse
    from moto.rds import utils
    from moto.s3.models import FakeBucket, FakeDeleteMarker

    wrap(Instance, terminate=_terminate)
    instance: Any = Instance
    # moto frees addresses when Python collects the object, at a moment that no replay could repeat.
    instance.__del__ = lambda _: None
    wrap(
        VPCBackend,
        delete_vpc=_delete_vpc,
        create_vpc_endpoint=_create_vpc_endpoint,
        modify_vpc_endpoint=_modify_vpc_endpoint,
    )
    wrap(NatGatewayBackend, delete_nat_gateway=_delete_nat_gateway, create_nat_gateway=_create_nat_gateway)
    wrap(SubnetBackend, create_subnet=_create_subnet)
    wrap(RouteBackend, delete_route_table=_delete_route_table)
    wrap(SecurityGroupRule, __init__=_init_rule)
    rules: Any = SecurityGroupRule
    rules.description = property(_described)
    wrap(EBSBackend, _create_default_encryption_key=_create_default_encryption_key)
    wrap(FlowLogsBackend, create_flow_logs=_create_flow_logs)
    wrap(utils, get_overlap_between_two_date_ranges=_overlap)
    images: Any = Image
    # moto's is that of the layers' digests, or random.
    images._create_digest = _create_digest
    identities: Any = IamResponse
    identities.list_instance_profiles = _list_instance_profiles
    markers: Any = FakeDeleteMarker
    # moto frees what a deleted object holds, and fails at a marker among its versions.
    markers.dispose = lambda _: None
    buckets: Any = FakeBucket
    # moto fails at a statement for everybody, which a policy that demands TLS has.
    buckets._log_permissions_enabled_policy = staticmethod(_lets_logs_come)
    # moto reads a bucket's policy without its principals and conditions; twin.aws.iam.authorization decides.
    buckets.get_permission = _decided


def _create_flow_logs(self: Any, **arguments: Any) -> Any:
    """A destination in S3 may end in a folder, of which moto takes the whole for a bucket's name."""
    destination = arguments.get("log_destination") or ""
    bucket, slash, folder = destination.partition("/")
    if arguments.get("log_destination_type") != "s3" or not folder:
        return self.twin_create_flow_logs(**arguments)
    created, failed = self.twin_create_flow_logs(**{**arguments, "log_destination": bucket})
    for log in created:
        log.log_destination = f"{bucket}{slash}{folder}"
    return created, failed


def _overlap(*ranges: Any) -> int:
    """RDS lets a maintenance window begin when the backup window ends; moto calls that an overlap."""
    from moto.rds import utils

    module: Any = utils
    return module.twin_get_overlap_between_two_date_ranges(*ranges) - 1


def _create_digest(self: Any) -> None:
    """The digest of an image is that of its manifest (OCI Image Format Specification, "Descriptors")."""
    self._image_digest = f"sha256:{hashlib.sha256(self.image_manifest.encode()).hexdigest()}"


def _terminate(self: Any, *args: Any, **kwargs: Any) -> Any:
    """An instance frees its addresses; its interfaces go along, and the volumes that shall not outlive it."""
    done = self.twin_terminate(*args, **kwargs)
    for subnets in self.ec2_backend.subnets.values():
        if self.subnet_id in subnets:
            for address in self._private_ips:
                subnets[self.subnet_id].del_subnet_ip(address)
    for device in self.block_device_mapping.values():
        if str(device.delete_on_termination).lower() != "false":
            self.ec2_backend.volumes.pop(device.volume_id, None)
    for card in self.nics.values():
        self.ec2_backend.enis.pop(card.id, None)
    return done


def _delete_vpc(self: Any, vpc_id: str) -> Any:
    """A VPC takes its network ACLs along."""
    done = self.twin_delete_vpc(vpc_id)
    for acl_id in [key for key, acl in self.network_acls.items() if acl.vpc_id == vpc_id]:
        del self.network_acls[acl_id]
    return done


def _create_subnet(self: Any, vpc_id: str, *args: Any, **kwargs: Any) -> Any:
    """Only a default VPC's subnets give public addresses by themselves; moto takes each zone's first so."""
    subnet = self.twin_create_subnet(vpc_id, *args, **kwargs)
    if not self.get_vpc(vpc_id).is_default:
        subnet.default_for_az = subnet.map_public_ip_on_launch = False
    return subnet


def _init_rule(self: Any, *args: Any, **kwargs: Any) -> None:
    """A rule of a prefix list keeps its description."""
    self.twin_init(*args, **kwargs)
    prefix_list = kwargs.get("prefix_list_id") or next(iter(args[7:8]), None)
    self.twin_description = prefix_list.get("Description") if prefix_list else None


def _create_vpc_endpoint(self: Any, *args: Any, **kwargs: Any) -> Any:
    """An endpoint that names no type is a gateway; moto forgets that when it deletes one."""
    vpc_endpoint = self.twin_create_vpc_endpoint(*args, **kwargs)
    vpc_endpoint.vpc_endpoint_type = vpc_endpoint.vpc_endpoint_type or "Gateway"
    return vpc_endpoint


def _modify_vpc_endpoint(self: Any, *args: Any, **kwargs: Any) -> Any:
    """A gateway endpoint routes in the tables that it has: moto notes the tables and changes no route."""
    endpoint = self.vpc_end_points[kwargs["vpc_id"] if "vpc_id" in kwargs else args[0]]
    before = list(endpoint.route_table_ids or [])
    done = self.twin_modify_vpc_endpoint(*args, **kwargs)
    prefix_lists = endpoint.destination_prefix_list_id
    if prefix_lists:
        for table in endpoint.route_table_ids:
            if table not in before:
                self.create_route(
                    table, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_lists
                )
        for table in before:
            if table not in endpoint.route_table_ids and table in self.route_tables:
                self.delete_route(table, None, destination_prefix_list_id=prefix_lists)
    return done


def _delete_route_table(self: Any, route_table_id: str) -> Any:
    """The endpoints that routed in it leave it."""
    done = self.twin_delete_route_table(route_table_id)
    for endpoint in self.vpc_end_points.values():
        if route_table_id in (endpoint.route_table_ids or []):
            endpoint.route_table_ids.remove(route_table_id)
    return done


def _described(self: Any) -> str | None:
    """A rule's description, of one that names a group too: moto keeps it there and looks for it elsewhere."""
    description: str | None = vars(self).get("twin_description")
    return self.ip_range.get("Description") or self.source_group.get("Description") or description


def _create_default_encryption_key(self: Any) -> str:
    """The key that AWS makes for volumes of no other key is AWS's own."""
    from moto.kms.models import kms_backends

    arn: str = self.twin_create_default_encryption_key()
    kms_backends[self.account_id][self.region_name].describe_key(arn).key_manager = "AWS"
    return arn


def _create_nat_gateway(self: Any, *args: Any, **kwargs: Any) -> Any:
    """A public NAT gateway in a VPC without internet gateway is made, and fails."""
    nat_gateway = self.twin_create_nat_gateway(*args, **kwargs)
    attached = any(
        internet_gateway.vpc and internet_gateway.vpc.id == nat_gateway.vpc_id
        for internet_gateway in self.internet_gateways.values()
    )
    if (nat_gateway.connectivity_type or "public") == "public" and not attached:
        nat_gateway.state, nat_gateway.failure_code = "failed", "Gateway.NotAttached"
        nat_gateway.failure_message = f"Network {nat_gateway.vpc_id} has no Internet gateway attached"
        _let_go(self, nat_gateway)
    return nat_gateway


def _delete_nat_gateway(self: Any, nat_gateway_id: str) -> Any:
    """A NAT gateway takes its interface along and releases its address."""
    gateway = self.nat_gateways.get(nat_gateway_id)
    done = self.twin_delete_nat_gateway(nat_gateway_id)
    if gateway:
        _let_go(self, gateway)
    return done


def _let_go(ec2: Any, gateway: Any) -> None:
    for address in ec2.addresses:
        if address.eni is gateway._eni:
            address.eni = address.association_id = None
    ec2.enis.pop(gateway._eni.id, None)


def _list_instance_profiles(self: Any) -> Any:
    """Of the path only that is asked for: moto lists all, whatever the prefix."""
    from moto.core.responses import ActionResult

    prefix = self._get_param("PathPrefix") or "/"
    profiles = [
        instance_profile
        for instance_profile in self.backend.get_instance_profiles()
        if instance_profile.path.startswith(prefix)
    ]
    return ActionResult({"InstanceProfiles": profiles})


def _decided(*_: Any) -> Any:
    from moto.iam.access_control import PermissionResult

    return PermissionResult.PERMITTED


def _lets_logs_come(target_bucket: Any, target_prefix: str | None) -> bool:
    """Whether a bucket's policy lets S3's logging service write below the prefix."""
    if not target_bucket.policy:
        return False
    arn = f"arn:{target_bucket.partition}:s3:::{target_bucket.name}"
    places = {f"{arn}/{target_prefix or ''}*", f"{arn}/*"}
    return any(
        statement.get("Effect") == "Allow"
        and "logging.s3.amazonaws.com" in policy_statements.services(statement)
        and "s3:PutObject" in _as_list(statement.get("Action"))
        and places & set(_as_list(statement.get("Resource")))
        for statement in policy_statements.statements(target_bucket.policy)
    )


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
