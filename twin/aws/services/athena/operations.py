"""Athena: workgroups. moto cannot change one, and reports one that is not there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import service_roles
from twin.aws.services.glue.validation.catalog import answer
from twin.aws.validation.moto_state import MotoState, absent

Params = dict[str, Any]

_INVALID: Final = "InvalidRequestException"
_ENGINES: Final = ("AUTO", "Athena engine version 3", "PySpark engine version 3", "Apache Spark version 3.5")


def create(params: Params, state: MotoState) -> None:
    """CreateWorkGroup."""
    name = params["Name"]
    if name in _groups(state):
        raise Refusal(_INVALID, f"WorkGroup {name} is already created")
    _check(params.get("Configuration") or {}, state)


def update(params: Params, state: MotoState) -> None:
    """UpdateWorkGroup."""
    present(params, state)
    updates = params.get("ConfigurationUpdates") or {}
    named = {**updates, "ResultConfiguration": updates.get("ResultConfigurationUpdates")}
    managed = updates.get("ManagedQueryResultsConfigurationUpdates")
    _check({**named, "ManagedQueryResultsConfiguration": managed}, state)


def present(params: Params, state: MotoState) -> None:
    """GetWorkGroup."""
    if params["WorkGroup"] not in _groups(state):
        raise Refusal(_INVALID, f"WorkGroup {params['WorkGroup']} is not found.")


def delete(params: Params, state: MotoState) -> None:
    """DeleteWorkGroup: not Athena's own, and with what is in it only where that is said."""
    name = params["WorkGroup"]
    if name == "primary":
        raise Refusal(_INVALID, "The primary workgroup cannot be deleted")
    present(params, state)
    backend = state.moto.backend("athena", state.region)
    queries = [*backend.named_queries.values(), *backend.executions.values()]
    full = any(getattr(query.workgroup, "name", query.workgroup) == name for query in queries)
    if full and not params.get("RecursiveDeleteOption"):
        raise Refusal(_INVALID, f"WorkGroup {name} is not empty")


def _groups(state: MotoState) -> dict[str, Any]:
    return state.moto.backend("athena", state.region).work_groups


def _check(configuration: Params, state: MotoState) -> None:
    result = configuration.get("ResultConfiguration") or {}
    managed = configuration.get("ManagedQueryResultsConfiguration") or {}
    place = result.get("OutputLocation")
    if place:
        _place(str(place), state)
    if managed.get("Enabled") and (place or result.get("EncryptionConfiguration")):
        raise Refusal(_INVALID, "ResultConfiguration cannot be set when managed query results are enabled")
    encryption = result.get("EncryptionConfiguration") or {}
    option, key = encryption.get("EncryptionOption"), encryption.get("KmsKey")
    if option in ("SSE_KMS", "CSE_KMS") and not key:
        raise Refusal(_INVALID, f"A KMS key is needed for the encryption option {option}")
    if option == "SSE_S3" and key:
        raise Refusal(_INVALID, "A KMS key does not go with the encryption option SSE_S3")
    for named in (key, (managed.get("EncryptionConfiguration") or {}).get("KmsKey")):
        if named and state.key(str(named)) is None:
            raise Refusal(_INVALID, f"The KMS key {named} does not exist")
    engine = (configuration.get("EngineVersion") or {}).get("SelectedEngineVersion")
    if engine and engine not in _ENGINES:
        raise Refusal(_INVALID, f"Unknown engine version {engine}: one of {', '.join(_ENGINES)} is")
    role = configuration.get("ExecutionRole")
    if role and service_roles.by("athena.amazonaws.com", str(role), state) is None:
        raise Refusal(
            _INVALID, f"The role {role} does not exist, or does not let athena.amazonaws.com assume it"
        )


def _place(location: str, state: MotoState) -> None:
    parts = urlsplit(location)
    if parts.scheme != "s3" or not parts.netloc:
        raise Refusal(_INVALID, f"outputLocation is not a valid S3 path: {location}")
    if parts.netloc not in state.s3.buckets:
        raise Refusal(_INVALID, f"Unable to verify/create output bucket {parts.netloc}")


def result_of(params: Params, configuration: Params) -> Params:
    """The result configuration that counts: the workgroup's where it is enforced, else the caller's first."""
    result_location = configuration.get("ResultConfiguration") or {}
    if configuration.get("EnforceWorkGroupConfiguration"):
        return result_location
    return {**result_location, **(params.get("ResultConfiguration") or {})}


def start(params: Params, state: MotoState) -> None:
    """StartQueryExecution: in a workgroup that takes queries, with a place for what they answer."""
    name = params.get("WorkGroup") or "primary"
    group = _groups(state).get(name)
    if group is None:
        raise Refusal(_INVALID, f"WorkGroup {name} is not found.")
    if group.state == "DISABLED":
        raise Refusal(_INVALID, f"WorkGroup {name} is disabled.")
    engine = (group.configuration.get("EngineVersion") or {}).get("EffectiveEngineVersion", "")
    if "Athena engine" not in engine:
        raise Refusal(_INVALID, f"Queries of this type are not supported: WorkGroup {name} runs {engine}")
    context = params.get("QueryExecutionContext") or {}
    if str(context.get("Catalog") or "awsdatacatalog").lower() != "awsdatacatalog":
        raise Refusal(_INVALID, f"Data catalog {context['Catalog']} was not found")
    managed = group.configuration.get("ManagedQueryResultsConfiguration") or {}
    if managed.get("Enabled"):
        if params.get("ResultConfiguration") and not group.configuration.get("EnforceWorkGroupConfiguration"):
            raise Refusal(
                _INVALID, "ResultConfiguration cannot be set when managed query results are enabled"
            )
        return
    place = result_of(params, group.configuration).get("OutputLocation")
    if not place:
        raise Refusal(
            _INVALID,
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input.",
        )
    _place(str(place), state)


RULES: Final = {
    "StartQueryExecution": start,
    "CreatePreparedStatement": absent("a prepared statement"),
    "GetQueryRuntimeStatistics": absent("statistics of a query"),
    "CreateWorkGroup": create,
    "UpdateWorkGroup": update,
    "GetWorkGroup": present,
    "DeleteWorkGroup": delete,
}


# Operations


def make(call: Call, backend: Any) -> Answer:
    """CreateWorkGroup, with the time of it."""
    params = call.params
    tags = list(params.get("Tags") or [])
    configuration = _effective({**_DEFAULTS, **(params.get("Configuration") or {})})
    group = backend.create_work_group(params["Name"], configuration, params.get("Description"), tags)
    group.created = time.time()
    return answer({})


_DEFAULTS: Final[Params] = {
    "ResultConfiguration": {},
    "EnforceWorkGroupConfiguration": True,
    "PublishCloudWatchMetricsEnabled": False,
    "RequesterPaysEnabled": False,
}


def _effective(configuration: Params) -> Params:
    engine = configuration.get("EngineVersion") or {"SelectedEngineVersion": "AUTO"}
    selected = engine["SelectedEngineVersion"]
    effective = "Athena engine version 3" if selected == "AUTO" else selected
    return {
        **configuration,
        "EngineVersion": {"SelectedEngineVersion": selected, "EffectiveEngineVersion": effective},
    }


def change(call: Call, backend: Any) -> Answer:
    """UpdateWorkGroup."""
    params = call.params
    group = backend.work_groups[params["WorkGroup"]]
    if params.get("Description") is not None:
        group.description = params["Description"]
    if params.get("State"):
        group.state = params["State"]
    updates: Params = params.get("ConfigurationUpdates") or {}
    configuration = dict(group.configuration)
    for name, value in updates.items():
        if name.startswith("Remove"):
            if value:
                configuration.pop(name.removeprefix("Remove"), None)
        elif name.endswith("ConfigurationUpdates"):
            member = name.removesuffix("Updates")
            configuration[member] = _merged(configuration.get(member) or {}, value)
        else:
            configuration[name] = value
    group.configuration = _effective(configuration)
    return answer({})


def _merged(before: Params, updates: Params) -> Params:
    result = {**before, **{name: update for name, update in updates.items() if not name.startswith("Remove")}}
    for name, value in updates.items():
        if name.startswith("Remove") and value:
            result.pop(name.removeprefix("Remove"), None)
    return result


def report(call: Call, backend: Any) -> Answer:
    """GetWorkGroup."""
    group = backend.work_groups[call.params["WorkGroup"]]
    reported = {
        "Name": group.name,
        "State": group.state,
        "Configuration": group.configuration,
        "Description": group.description or "",
        "CreationTime": getattr(group, "created", 0.0),
    }
    return answer({"WorkGroup": reported})


def drop(call: Call, backend: Any) -> Answer:
    """DeleteWorkGroup, with what is in it."""
    name = call.params["WorkGroup"]
    for collection in (backend.named_queries, backend.executions):
        for key, entry in list(collection.items()):
            if getattr(entry.workgroup, "name", entry.workgroup) == name:
                del collection[key]
    backend.tagger.delete_all_tags_for_resource(backend.work_groups[name].arn)
    del backend.work_groups[name]
    return answer({})


def tell_tags(call: Call, backend: Any) -> Answer:
    """ListTagsForResource: moto refuses a workgroup that has none."""
    arn = call.params["ResourceARN"]
    tags = backend.tagger.get_tag_dict_for_resource(arn)
    return answer({"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})


def begin(call: Call, backend: Any) -> Answer:
    """StartQueryExecution, as far as it is remembered: the same token names the same execution. The query
    runs after it (twin/aws/services/athena/queries/service.py)."""
    params = call.params
    tokens: dict[str, str] = vars(backend).setdefault("twin_tokens", {})
    token = str(params.get("ClientRequestToken") or "")
    if token in tokens:
        return answer({"QueryExecutionId": tokens[token]})
    # moto's own way would note databases, by a pattern, that the catalog need not have.
    from moto.athena.models import Execution

    group = backend.work_groups[params.get("WorkGroup") or "primary"]
    execution = Execution(params["QueryString"], "", {}, group, params.get("ExecutionParameters"))
    backend.executions[execution.id] = execution
    if token:
        tokens[token] = execution.id
    return answer({"QueryExecutionId": execution.id})


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "StartQueryExecution": begin,
    "CreateWorkGroup": make,
    "UpdateWorkGroup": change,
    "GetWorkGroup": report,
    "DeleteWorkGroup": drop,
    "ListTagsForResource": tell_tags,
}
