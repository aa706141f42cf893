"""Glue's jobs, triggers and rulesets as Glue reports them: moto changes none, and knows no rulesets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.moto_wrapping import wrap
from twin.aws.api_server.request import Answer, Call
from twin.aws.services.glue.validation.jobs import RULESETS
from twin.aws.validation import extension_store

Params = dict[str, Any]

_TIMEOUT: Final = 480
"""Minutes that a run of Glue 5.0 and later may take where the job does not say."""


def install() -> None:
    """Let moto report of a job and a trigger what it was given, once."""
    from moto.glue.models import FakeJob, FakeTrigger

    for kind in (FakeJob, FakeTrigger):
        wrap(kind, as_dict=_as_dict)


def _as_dict(self: Any) -> Params:
    reported: Params = {name: value for name, value in self.twin_as_dict().items() if value is not None}
    return {**reported, **getattr(self, "twin_given", {})}


def make_job(call: Call, backend: Any) -> Answer:
    """CreateJob, whole."""
    install()
    params = call.params
    backend.create_job(
        params["Name"],
        params["Role"],
        params["Command"],
        *(None for _ in range(11)),
        {},
        *(None for _ in range(7)),
    )
    _keep(backend.jobs[params["Name"]], params)
    backend.tag_resource(backend.jobs[params["Name"]].arn, params.get("Tags") or {})
    return extension_store.respond(call, {"Name": params["Name"]})


def _keep(job: Any, job_update: Params) -> None:
    attributes = {name: value for name, value in job_update.items() if name != "Tags" and value is not None}
    defaults = {"Timeout": _TIMEOUT, "MaxRetries": 0, "ExecutionProperty": {"MaxConcurrentRuns": 1}}
    job.twin_given = {
        "Name": job.name,
        "ExecutionClass": "STANDARD",
        "JobMode": "SCRIPT",
        **defaults,
        **attributes,
    }


def change_job(call: Call, backend: Any) -> Answer:
    """UpdateJob, which moto lacks: what is left out is gone."""
    job = backend.jobs[call.params["JobName"]]
    _keep(job, call.params["JobUpdate"])
    job.last_modified_on = extension_store.now()
    return extension_store.respond(call, {"JobName": job.name})


def make_trigger(call: Call, backend: Any) -> Answer:
    """CreateTrigger, whole: moto asks for parts of a predicate that may be left out."""
    install()
    params = call.params
    backend.create_trigger(
        name=params["Name"],
        workflow_name=params.get("WorkflowName"),
        trigger_type=params["Type"],
        schedule=params.get("Schedule"),
        predicate=None,
        actions=[],
        description=params.get("Description"),
        start_on_creation=bool(params.get("StartOnCreation")),
        tags=params.get("Tags") or {},
        event_batching_condition=params.get("EventBatchingCondition"),
    )
    parts = ("Actions", "Predicate")
    backend.triggers[params["Name"]].twin_given = {name: params[name] for name in parts if params.get(name)}
    return extension_store.respond(call, {"Name": params["Name"]})


def change_trigger(call: Call, backend: Any) -> Answer:
    """UpdateTrigger, which moto lacks."""
    install()
    trigger = backend.triggers[call.params["Name"]]
    wanted = {name: value for name, value in call.params["TriggerUpdate"].items() if name != "Name"}
    trigger.twin_given = {**getattr(trigger, "twin_given", {}), **wanted}
    return extension_store.respond(call, {"Trigger": trigger.as_dict()})


def make_ruleset(params: Params, backend: Any) -> Params:
    """CreateDataQualityRuleset."""
    description = {name: value for name, value in params.items() if name not in ("Tags", "ClientToken")}
    description["CreatedOn"] = description["LastModifiedOn"] = extension_store.now()
    RULESETS.add(backend, params["Name"], description)
    if params.get("Tags"):
        backend.tag_resource(_arn(backend, params["Name"]), params["Tags"])
    return {"Name": params["Name"]}


def change_ruleset(params: Params, backend: Any) -> Params:
    """UpdateDataQualityRuleset."""
    description = RULESETS.get(params, backend).description
    description |= {name: params[name] for name in ("Description", "Ruleset") if params.get(name) is not None}
    description["LastModifiedOn"] = extension_store.now()
    return {name: description[name] for name in ("Name", "Description", "Ruleset") if name in description}


def list_rulesets(_: Params, backend: Any) -> Params:
    """ListDataQualityRulesets."""
    rulesets = [thing.description for thing in RULESETS.all(backend).values()]
    return {"Rulesets": [{k: v for k, v in ruleset.items() if k != "Ruleset"} for ruleset in rulesets]}


def drop_ruleset(params: Params, backend: Any) -> Params:
    """DeleteDataQualityRuleset."""
    backend.tagger.delete_all_tags_for_resource(_arn(backend, params["Name"]))
    return RULESETS.drop()(params, backend)


def _arn(backend: Any, name: str) -> str:
    return f"arn:aws:glue:{backend.region_name}:{backend.account_id}:dataQualityRuleset/{name}"


def _mended(_: Call, __: Any) -> None:
    install()


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "CreateJob": make_job,
    "UpdateJob": change_job,
    "GetJob": _mended,
    "CreateTrigger": make_trigger,
    "UpdateTrigger": change_trigger,
    "GetTrigger": _mended,
    "CreateDataQualityRuleset": extension_store.operation(make_ruleset),
    "UpdateDataQualityRuleset": extension_store.operation(change_ruleset),
    "GetDataQualityRuleset": extension_store.operation(RULESETS.describe()),
    "ListDataQualityRulesets": extension_store.operation(list_rulesets),
    "DeleteDataQualityRuleset": extension_store.operation(drop_ruleset),
}
