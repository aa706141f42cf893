"""Cloud Logging: sinks and log buckets."""

from __future__ import annotations

from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server import initial_state, operations
from twin.gcp.api_server.errors import exists, invalid, not_found, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles, rules
from twin.gcp.methods.standard_methods import create, patch, serve

_OWN_BUCKETS: Final = {"_Default": 30, "_Required": 400}
_OWN_SINKS: Final = ("_Default", "_Required")
_SHARED_WRITER: Final = "cloud-logs@system.gserviceaccount.com"


_MOST_EXCLUSIONS: Final = 50
"""Of a sink ("Quotas and limits" of Cloud Logging)."""
_MOST: Final = {"sinks": 200, "buckets": 100}
"""Of a project, with log buckets that are being deleted ("Quotas and limits")."""


def _prepare_sink(call: Call, sink: Body) -> None:
    """A sink has an account that writes.

    One into the same project's log bucket is authorized as it is and has no account: "Route logs to supported
    destinations" of Cloud Logging.
    """
    if sink["name"] in _OWN_SINKS:
        raise exists(f"Sink {sink['name']} already exists")
    _check_room(call, "sinks")
    if not str(sink.get("destination")).startswith(f"logging.googleapis.com/projects/{call.project}/"):
        agent = f"service-{call.project_number}@gcp-sa-logging.iam.gserviceaccount.com"
        unique = call.parameters.get("uniqueWriterIdentity")
        sink["writerIdentity"] = f"serviceAccount:{agent if unique else _SHARED_WRITER}"
    sink["resourceName"] = f"projects/{call.project}/sinks/{sink['name']}"


def _check_room(call: Call, kind: str) -> None:
    """Refuse another sink or log bucket of a project that has as many as it may have."""
    of_project = call.state.of(f"logging.{kind}", f"logging/projects/{call.project}/")
    created = [name for name, _ in of_project if name.rsplit("/", 1)[-1] not in _OWN_SINKS]
    if len(created) >= _MOST[kind]:
        raise precondition(f"There can be at most {_MOST[kind]} {kind} in projects/{call.project}.")


def _prepare_exclusion(call: Call, _: Body) -> None:
    """A project's exclusions are of its `_Default` sink, and count with those that the sink states."""
    _own_sinks(call)
    sink = f"projects/{call.project}/sinks/_Default"
    stated = (call.state.get(f"logging/{sink}") or {}).get("exclusions", [])
    of_project = call.state.of("logging.exclusions", f"logging/projects/{call.project}/exclusions/")
    if len(stated) + len(of_project) >= _MOST_EXCLUSIONS:
        raise precondition(f"There can be at most {_MOST_EXCLUSIONS} exclusions in {sink}.")


SINKS: Final = serve("logging.projects.sinks", prepare=_prepare_sink)
serve("logging.projects.exclusions", prepare=_prepare_exclusion)


@handles("logging.projects.sinks.list")
def list_sinks(call: Call) -> dict[str, Any]:
    """The project's sinks."""
    _own_sinks(call)
    return generic.list_page(call, f"logging/projects/{call.project}/sinks/", "logging.sinks")


@handles("logging.projects.sinks.update", "logging.projects.sinks.patch")
def change_sink(call: Call) -> dict[str, Any]:
    """Filter, destination, exclusions."""
    _own_sinks(call)
    return patch(call, SINKS)


@handles("logging.projects.sinks.delete")
def delete_sink(call: Call) -> dict[str, Any]:
    """A sink goes."""
    _need_sink(call)
    if _sink(call).endswith("/_Required"):
        raise invalid("The _Required sink cannot be deleted.")
    call.state.delete(_sink(call))
    return {}


@handles("logging.projects.locations.buckets.createAsync", "logging.projects.locations.buckets.updateAsync")
def bucket_later(call: Call) -> dict[str, Any]:
    """As create and patch, with an operation for an answer."""
    created = call.method.name == "createAsync"
    operation_result = create(call, BUCKETS) if created else change_bucket(call)
    place = "/".join(operation_result["name"].split("/")[:4])
    what = "createBucketRequest" if created else "updateBucketRequest"
    metadata: Body = {
        "@type": "type.googleapis.com/google.logging.v2.BucketMetadata",
        "startTime": call.timestamp,
        "endTime": call.timestamp,
        "state": "OPERATION_STATE_SUCCEEDED",
        what: {"name": operation_result["name"]},
    }
    return operations.long_running(
        call,
        f"{place}/operations/{operations.numeric_id()}",
        operation_result,
        kind="google.logging.v2.LogBucket",
        metadata=metadata,
    )


@handles("logging.projects.locations.buckets.get")
def get_bucket(call: Call) -> dict[str, Any]:
    """A log bucket; every project has _Default and _Required."""
    return _bucket(call, call.parameters["name"])


@handles("logging.projects.locations.buckets.patch")
def change_bucket(call: Call) -> dict[str, Any]:
    """Retention, lock, analytics."""
    name = call.parameters["name"]
    before = _bucket(call, name)
    if before.get("locked"):
        raise precondition(f"Bucket {name} is locked.")
    if not call.parameters.get("updateMask"):
        raise invalid("update_mask must be specified")
    allowed = frozenset({"retentionDays", "description", "locked", "analyticsEnabled", "cmekSettings"}
                        | {"indexConfigs", "restrictedFields"})  # fmt: skip
    bucket = {**generic.masked(call, before, allowed), "updateTime": call.timestamp}
    if name.endswith("/_Required"):
        raise precondition("The _Required bucket cannot be changed.")
    if before.get("analyticsEnabled") and not bucket.get("analyticsEnabled"):
        raise precondition("Log Analytics cannot be disabled once it is enabled.")
    if before.get("cmekSettings") and not bucket.get("cmekSettings", {}).get("kmsKeyName"):
        # Cloud Logging API, LogBucket.cmekSettings.
        raise precondition("CMEK settings of a bucket cannot be disabled once they are enabled.")
    rules.check(call, bucket, BUCKETS.rules)
    _check_bucket(call, bucket)
    return call.state.put(f"logging/{name}", bucket, baseline=name.rsplit("/", 1)[-1] in _OWN_BUCKETS)


@handles("logging.projects.locations.buckets.delete")
def delete_bucket(call: Call) -> dict[str, Any]:
    """A log bucket stays restorable for seven days."""
    name = call.parameters["name"]
    body = _bucket(call, name)
    if name.rsplit("/", 1)[-1] in _OWN_BUCKETS or body.get("locked"):
        raise precondition(f"Bucket {name} cannot be deleted.")
    call.state.put(f"logging/{name}", {**body, "lifecycleState": "DELETE_REQUESTED"})
    return {}


@handles("logging.projects.locations.buckets.list")
def list_buckets(call: Call) -> dict[str, Any]:
    """The log buckets of a place."""
    parent = call.parameters["parent"]
    buckets = [body for _, body in call.state.of("logging.buckets", f"logging/{parent}/buckets/")]
    names = {body["name"].rsplit("/", 1)[-1] for body in buckets}
    if parent.endswith("/global"):
        buckets += [_bucket(call, f"{parent}/buckets/{name}") for name in _OWN_BUCKETS if name not in names]
    return generic.page(call, buckets, "buckets")


@handles("logging.projects.getCmekSettings")
def key_settings(call: Call) -> dict[str, Any]:
    """The account by which log buckets use keys; it is made when it is first asked for."""
    email = f"cmek-p{call.project_number}@gcp-sa-logging.iam.gserviceaccount.com"
    initial_state.agent(call.state, call.project, email, "Cloud Logging CMEK Service Account")
    return {"name": f"projects/{call.project}/cmekSettings", "serviceAccountId": email}


@handles("logging.projects.sinks.get")
def _need_sink(call: Call) -> Body:
    _own_sinks(call)
    return SINKS.need(call, call.parameters["sinkName"])


def _own_sinks(call: Call) -> None:
    """Every project has two sinks from the start."""
    if call.state.internal(f"cloudresourcemanager/projects/{call.project}").get("sinks"):
        return
    for name in _OWN_SINKS:
        sink: Body = {
            "name": name,
            "resourceName": f"projects/{call.project}/sinks/{name}",
            "destination": f"logging.googleapis.com/projects/{call.project}/locations/global/buckets/{name}",
            "filter": services.tables("logging")["filters"][name],
        }
        call.state.put(f"logging/projects/{call.project}/sinks/{name}", sink, baseline=True)
    project = f"cloudresourcemanager/projects/{call.project}"
    call.state.keep(project, {**call.state.internal(project), "sinks": True})


def _bucket(call: Call, name: str) -> Body:
    bucket = call.state.get(f"logging/{name}")
    if bucket is not None:
        return bucket
    last = name.rsplit("/", 1)[-1]
    if name.split("/")[3] == "global" and last in _OWN_BUCKETS:
        return {"name": name, "retentionDays": _OWN_BUCKETS[last], "lifecycleState": "ACTIVE"}
    raise not_found(f"Bucket {name} does not exist")


def _check_bucket(call: Call, bucket: Body) -> None:
    key = bucket.get("cmekSettings", {}).get("kmsKeyName")
    if key:
        _check_key(call, bucket["name"].split("/")[3], key)


def _check_key(call: Call, place: str, key: str) -> None:
    from twin.gcp.services.cloudkms.operations import check_granted

    email = f"cmek-p{call.project_number}@gcp-sa-logging.iam.gserviceaccount.com"
    if key.split("/")[3] != place:
        raise invalid(f"The key's location '{key.split('/')[3]}' must be that of the bucket, '{place}'.")
    check_granted(call, key, email)


def _sink(call: Call) -> str:
    return f"logging/{call.parameters['sinkName']}"


@handles("logging.entries.list")
def entries(_: Call) -> dict[str, Any]:
    """The entries of logs, of which the twin keeps none."""
    return {}


BUCKETS: Final = serve(
    "logging.projects.locations.buckets",
    prepare=lambda call, _: _check_room(call, "buckets"),
    check=_check_bucket,
)
