"""Cloud Run: jobs, and members of their policies."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field, local, only_read
from twin.gcp.services.iam.resources.policies import ResourceMember

_FORM = "projects/{project}/locations/{location}/jobs/{name}"
_CONTAINER = "template.template.containers"


class Job(GcpResource):
    token = "gcp:cloudrunv2/job:Job"
    title = "Job"
    collection = "run.projects.locations.jobs"
    schema = "GoogleCloudRunV2Job"
    create_method = "create"
    params = {"name": _FORM}
    create_params = {"parent": "projects/{project}/locations/{location}", "jobId": "{name}"}
    id_form = _FORM
    place = "location"
    names = frozenset({"name"})
    labels = "labels"
    fields = {
        "name": Field(sent=False),
        **local("location", "deletionPolicy", "deletionProtection", "tags"),
        **local("runExecutionToken", "startExecutionToken"),
        **only_read("createTime", "creator", "deleteTime", "etag", "executionCount", "expireTime"),
        **only_read("generation", "lastModifier", "latestCreatedExecutions", "observedGeneration"),
        **only_read("reconciling", "uid", "updateTime"),
        **only_read(conditions="conditions", terminalConditions="terminalCondition"),
        f"{_CONTAINER}.commands": Field("command"),
        f"{_CONTAINER}.dependsOns": Field("dependsOn"),
        f"{_CONTAINER}.envs": Field("env"),
    }
    changes = (Change(("annotations", "launchStage", "template"), whole=True),)


class JobMember(ResourceMember):
    token = "gcp:cloudrunv2/jobIamMember:JobIamMember"
    collection = "run.projects.locations.jobs"
    attribute = "name"
    form = _FORM
    place = "location"
