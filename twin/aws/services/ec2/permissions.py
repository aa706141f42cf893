"""The rights of calls that launch, tag and end machines, create volumes, and of instance profiles.

Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2": a launch needs the
action on each resource that it uses or creates, and the tags of a request are those of the resource's kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from twin.aws.api_server.request import Call, Refusal
from twin.aws.iam.policy_evaluation import AuthorizationRequest
from twin.aws.services.ec2.operations.fleets import template_of
from twin.aws.services.kms import permissions as kms
from twin.aws.validation import stated

Params = dict[str, Any]
Tags = Mapping[str, str]

_LAUNCHED: Final = ("instance", "volume", "network-interface")
_SPOT: Final = "spot-instances-request"
_STATED: Final = stated.read(__name__)
_ON_QUEUE_KEY: Final[Mapping[str, tuple[str, ...]]] = {
    "ReceiveMessage": ("kms:Decrypt",),
    "SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
}
"""SQS developer guide, "Configuring AWS KMS permissions"."""


def needed(call: Call, moto: Any) -> list[AuthorizationRequest]:
    """Return the rights that a call needs; none where this module does not know its resources."""
    find = _ASKED.get(f"{call.service}:{call.operation}")
    return list(find(call, moto)) if find else []


def _launch(call: Call, moto: Any) -> Iterator[AuthorizationRequest]:
    """CreateFleet and RunInstances."""
    backend, place = moto.backend("ec2", call.region), _place(call, moto)
    params = call.params
    tags_of = _by_kind(params.get("TagSpecifications"))
    configurations: list[Params] = params.get("LaunchTemplateConfigs") or [
        {"LaunchTemplateSpecification": params.get("LaunchTemplate") or {}, "Overrides": [params]}
    ]
    target = (params.get("TargetCapacitySpecification") or {}).get("DefaultTargetCapacityType")
    used: dict[str, Tags] = {}
    profiles: set[str] = set()
    for configuration in configurations:
        data: Params = {}
        specification = configuration.get("LaunchTemplateSpecification") or {}
        if specification:
            try:
                template = template_of(backend, specification)
            except Refusal:
                continue  # which is what EC2 answers
            data = template.get_version(str(specification.get("Version") or "$Default")).data
            used[f"{place}launch-template/{template.id}"] = _tags(backend, template.id)
        tags_of = {**_by_kind(data.get("TagSpecifications")), **tags_of}
        for override in configuration.get("Overrides") or [{}]:
            merged = {**data, **override}
            used |= {key: {} for key in _existing(merged, place, call.region)}
            profile = merged.get("IamInstanceProfile") or {}
            profiles |= {str(name) for name in (profile.get("Name") or profile.get("Arn"),) if name}
    created = [*_LAUNCHED, *(["fleet"] if call.operation == "CreateFleet" else [])]
    created += [_SPOT] if target == "spot" else []
    actions = dict.fromkeys(("ec2:RunInstances", f"ec2:{call.operation}"))
    for action in actions:
        yield from (
            AuthorizationRequest(action, arn, _context("ResourceTag", tags)) for arn, tags in used.items()
        )
        for kind in created:
            if kind != "fleet" or action == "ec2:CreateFleet":
                yield AuthorizationRequest(
                    action, f"{place}{kind}/*", _context("RequestTag", tags_of.get(kind, {}))
                )
    yield from _tagged(call.operation, place, {kind: tags_of[kind] for kind in created if tags_of.get(kind)})
    for name in sorted(profiles):
        yield from _passed_by(moto, name)


def _existing(data: Params, place: str, region: str) -> Iterator[str]:
    cards: list[Params] = data.get("NetworkInterfaces") or []
    groups = [
        *(data.get("SecurityGroupIds") or []),
        *(one for card in cards for one in card.get("Groups", [])),
    ]
    subnets = [data.get("SubnetId"), *(card.get("SubnetId") for card in cards)]
    if data.get("ImageId"):
        yield f"arn:aws:ec2:{region}::image/{data['ImageId']}"
    yield from (f"{place}security-group/{group}" for group in groups)
    yield from (f"{place}subnet/{subnet}" for subnet in subnets if subnet)
    placement: Params = data.get("Placement") or {}
    group = placement.get("GroupName") or placement.get("GroupId")
    if group:
        yield f"{place}placement-group/{group}"
    reservation = (data.get("CapacityReservationSpecification") or {}).get("CapacityReservationTarget") or {}
    if reservation.get("CapacityReservationId"):
        yield f"{place}capacity-reservation/{reservation['CapacityReservationId']}"


def _passed_by(moto: Any, profile: str) -> Iterator[AuthorizationRequest]:
    for one in moto.backend("iam").instance_profiles.values():
        if profile in (one.name, one.arn):
            yield from (_pass(role.arn) for role in one.roles)


def _pass(role: str) -> AuthorizationRequest:
    return AuthorizationRequest("iam:PassRole", role, {"iam:PassedToService": "ec2.amazonaws.com"})


def _create_template(call: Call, moto: Any) -> Iterator[AuthorizationRequest]:
    return _created(call, moto, "launch-template")


def _create_volume(call: Call, moto: Any) -> Iterator[AuthorizationRequest]:
    yield from _created(call, moto, "volume")
    if snapshot := call.params.get("SnapshotId"):
        context = _context("ResourceTag", _tags(moto.backend("ec2", call.region), snapshot))
        # The ARN of a snapshot has no account.
        arn = f"arn:aws:ec2:{call.region}::snapshot/{snapshot}"
        yield AuthorizationRequest(f"ec2:{call.operation}", arn, context)


def _created(call: Call, moto: Any, kind: str) -> Iterator[AuthorizationRequest]:
    place = _place(call, moto)
    tags = _by_kind(call.params.get("TagSpecifications")).get(kind, {})
    yield AuthorizationRequest(f"ec2:{call.operation}", f"{place}{kind}/*", _context("RequestTag", tags))
    if tags:
        yield from _tagged(call.operation, place, {kind: tags})


def _tagged(operation: str, place: str, tags: Mapping[str, Tags]) -> Iterator[AuthorizationRequest]:
    """Tags of what a call creates need a separate right."""
    for kind, created in tags.items():
        context = {**_context("RequestTag", created), "ec2:CreateAction": operation}
        yield AuthorizationRequest("ec2:CreateTags", f"{place}{kind}/*", context)


def _tag(call: Call, moto: Any) -> Iterator[AuthorizationRequest]:
    backend, place = moto.backend("ec2", call.region), _place(call, moto)
    tags = {tag["Key"]: tag.get("Value") or "" for tag in call.params.get("Tags") or []}
    request = _context("RequestTag", tags)
    for resource in call.params.get("Resources") or []:
        prefix = str(resource).partition("-")[0]
        context = {**request, **_context("ResourceTag", _tags(backend, resource))}
        yield AuthorizationRequest(
            f"ec2:{call.operation}", f"{place}{_STATED['kinds'].get(prefix, prefix)}/{resource}", context
        )


def _end(call: Call, moto: Any) -> Iterator[AuthorizationRequest]:
    backend, place = moto.backend("ec2", call.region), _place(call, moto)
    for instance in call.params.get("InstanceIds") or []:
        context = _context("ResourceTag", _tags(backend, instance))
        yield AuthorizationRequest(f"ec2:{call.operation}", f"{place}instance/{instance}", context)


def _delete_template(call: Call, moto: Any) -> Iterator[AuthorizationRequest]:
    backend, params = moto.backend("ec2", call.region), call.params
    try:
        template = template_of(backend, params)
    except Refusal:
        return
    context = _context("ResourceTag", _tags(backend, template.id))
    yield AuthorizationRequest(
        f"ec2:{call.operation}", f"{_place(call, moto)}launch-template/{template.id}", context
    )


def _profile(call: Call, moto: Any) -> Iterator[AuthorizationRequest]:
    params = call.params
    name = str(params.get("InstanceProfileName") or "")
    known = {one.name: one for one in moto.backend("iam").instance_profiles.values()}.get(name)
    path = known.path if known else params.get("Path") or "/"
    request = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or []}
    context = {
        **_context("RequestTag", request),
        **_context("ResourceTag", _profile_tags(known)),
    }
    arn = f"arn:aws:iam::{moto.account}:instance-profile{path}{name}"
    yield AuthorizationRequest(f"iam:{call.operation}", arn, context)
    if call.operation == "CreateInstanceProfile" and request:
        both = {**context, **_context("ResourceTag", request)}
        yield AuthorizationRequest("iam:TagInstanceProfile", arn, both)
    if call.operation == "AddRoleToInstanceProfile":
        roles = moto.backend("iam").roles.values()
        yield from (_pass(role.arn) for role in roles if role.name == params.get("RoleName"))


def _profile_tags(profile: Any) -> Tags:
    tags: Any = getattr(profile, "tags", None) or {}
    pairs = tags.values() if isinstance(tags, dict) else tags
    return {tag["Key"]: tag["Value"] for tag in pairs}


def _queue(call: Call, moto: Any) -> Iterator[AuthorizationRequest]:
    name = str(call.params.get("QueueName") or call.params.get("QueueUrl") or "").rpartition("/")[2]
    if not name:
        return
    arn = f"arn:aws:sqs:{call.region}:{moto.account}:{name}"
    queue: Any = moto.backend("sqs", call.region).queues.get(name)
    yield AuthorizationRequest(f"sqs:{call.operation}", arn, {}, getattr(queue, "policy", None))
    if queue is None:
        return
    context = {"kms:EncryptionContext:aws:sqs:arn": arn}
    for on_key in _ON_QUEUE_KEY.get(call.operation, ()):
        yield from kms.by_service(moto, call.region, "sqs", on_key, queue.kms_master_key_id, context)


def _parameter(call: Call, moto: Any) -> Iterator[AuthorizationRequest]:
    name = str(call.params.get("Name") or "")
    account = "" if name.startswith("/aws/service/") else moto.account
    arn = f"arn:aws:ssm:{call.region}:{account}:parameter/{name.lstrip('/')}"
    yield AuthorizationRequest(f"ssm:{call.operation}", arn, {})


def _place(call: Call, moto: Any) -> str:
    return f"arn:aws:ec2:{call.region}:{moto.account}:"


def _by_kind(specifications: Iterable[Params] | None) -> dict[str, dict[str, str]]:
    return {
        one["ResourceType"]: {tag["Key"]: tag.get("Value") or "" for tag in one.get("Tags") or []}
        for one in specifications or ()
        if one.get("ResourceType")
    }


def _tags(backend: Any, resource: str) -> Tags:
    return {tag["key"]: tag["value"] for tag in backend.describe_tags(filters={"resource-id": [resource]})}


def _context(kind: str, tags: Tags) -> dict[str, str]:
    """Return the condition keys of tags: of `RequestTag` or of `ResourceTag`."""
    context = {f"aws:{kind}/{key}": value for key, value in tags.items()}
    if kind == "ResourceTag":
        context |= {f"ec2:ResourceTag/{key}": value for key, value in tags.items()}
    elif tags:
        context["aws:TagKeys"] = "\n".join(tags)
    return context


_ASKED: Final = {
    "ec2:CreateFleet": _launch,
    "ec2:RunInstances": _launch,
    "ec2:CreateLaunchTemplate": _create_template,
    "ec2:CreateVolume": _create_volume,
    "ec2:DeleteLaunchTemplate": _delete_template,
    "ec2:CreateTags": _tag,
    "ec2:DeleteTags": _tag,
    "ec2:TerminateInstances": _end,
    **{f"iam:{operation}": _profile for operation in _STATED["instance_profiles"]},
    **{f"sqs:{operation}": _queue for operation in _STATED["queues"]},
    "ssm:GetParameter": _parameter,
}
