"""Cloud Run: services, and members of their policies."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator

from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field, local, only_read
from twin.gcp.services.iam.resources.policies import ResourceMember
from twin.provider_interface import Failure, Props

_CONTAINER = "template.containers"
_FORM = "projects/{project}/locations/{location}/services/{name}"


class Service(GcpResource):
    token = "gcp:cloudrunv2/service:Service"
    title = "Service"
    collection = "run.projects.locations.services"
    schema = "GoogleCloudRunV2Service"
    create_method = "create"
    params = {"name": _FORM}
    create_params = {"parent": "projects/{project}/locations/{location}", "serviceId": "{name}"}
    id_form = _FORM
    place = "location"
    names = frozenset({"name"})
    labels = "labels"
    fields = {
        "name": Field(sent=False),
        **local("location", "deletionPolicy", "deletionProtection", "tags"),
        **only_read("createTime", "creator", "deleteTime", "etag", "expireTime", "generation"),
        **only_read("lastModifier", "latestCreatedRevision", "latestReadyRevision", "observedGeneration"),
        **only_read("reconciling", "trafficStatuses", "uid", "updateTime", "uri", "urls"),
        **only_read(conditions="conditions", terminalConditions="terminalCondition"),
        "traffics": Field("traffic"),
        f"{_CONTAINER}.commands": Field("command"),
        f"{_CONTAINER}.dependsOns": Field("dependsOn"),
        f"{_CONTAINER}.envs": Field("env"),
        f"{_CONTAINER}.buildInfos": Field("buildInfo"),
        "template.sandboxes.templates.commands": Field("command"),
        "template.sandboxes.templates.envs": Field("env"),
    }
    computed = frozenset({"scaling", "traffics"})
    changes = (
        Change(
            (
                *("annotations", "binaryAuthorization", "client", "clientVersion", "customAudiences"),
                *("defaultUriDisabled", "description", "iapEnabled", "ingress", "invokerIamDisabled"),
                *("launchStage", "scaling", "template", "traffics"),
            ),
            mask=True,
        ),
    )

    def rules(self, inputs: Props) -> Iterator[Failure]:
        if inputs.get("tags"):
            yield Failure("tags", "of services the twin has those without tags of the Resource Manager")


class ServiceMember(ResourceMember):
    token = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
    collection = "run.projects.locations.services"
    attribute = "name"
    form = _FORM
    place = "location"
