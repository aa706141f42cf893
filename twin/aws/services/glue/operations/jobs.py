"""Glue's jobs, triggers and rulesets as Glue reports them: moto changes none, and knows no rulesets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

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
        made: Any = kind
        if not hasattr(made, "twin_as_dict"):
            made.twin_as_dict, made.as_dict = made.as_dict, _as_dict


def _as_dict(self: Any) -> Params:
    reported: Params = {name: value for name, value in self.twin_as_dict().items() if value is not None}
    return {**reported, **getattr(self, "twin_given", {})}


def make_job(call: Call, backend: Any) -> Answer:
    """CreateJob, whole."""
    install()
    given = call.params
    backend.create_job(
        given["Name"],
        given["Role"],
        given["Command"],
        *(None for _ in range(11)),
        {},
        *(None for _ in range(7)),
    )
    _keep(backend.jobs[given["Name"]], given)
    backend.tag_resource(backend.jobs[given["Name"]].arn, given.get("Tags") or {})
    return extension_store.respond(call, {"Name": given["Name"]})


def _keep(job: Any, given: Params) -> None:
    kept = {name: value for name, value in given.items() if name != "Tags" and value is not None}
    defaults = {"Timeout": _TIMEOUT, "MaxRetries": 0, "ExecutionProperty": {"MaxConcurrentRuns": 1}}
    job.twin_given = {"Name": job.name, "ExecutionClass": "STANDARD", "JobMode": "SCRIPT", **defaults, **kept}


def change_job(call: Call, backend: Any) -> Answer:
    """UpdateJob, which moto lacks: what is left out is gone."""
    job = backend.jobs[call.params["JobName"]]
    _keep(job, call.params["JobUpdate"])
    job.last_modified_on = extension_store.now()
    return extension_store.respond(call, {"JobName": job.name})


def make_trigger(call: Call, backend: Any) -> Answer:
    """CreateTrigger, whole: moto asks for parts of a predicate that may be left out."""
    install()
    given = call.params
    backend.create_trigger(
        name=given["Name"],
        workflow_name=given.get("WorkflowName"),
        trigger_type=given["Type"],
        schedule=given.get("Schedule"),
        predicate=None,
        actions=[],
        description=given.get("Description"),
        start_on_creation=bool(given.get("StartOnCreation")),
        tags=given.get("Tags") or {},
        event_batching_condition=given.get("EventBatchingCondition"),
    )
    parts = ("Actions", "Predicate")
    backend.triggers[given["Name"]].twin_given = {name: given[name] for name in parts if given.get(name)}
    return extension_store.respond(call, {"Name": given["Name"]})


def change_trigger(call: Call, backend: Any) -> Answer:
    """UpdateTrigger, which moto lacks."""
    install()
    trigger = backend.triggers[call.params["Name"]]
    wanted = {name: value for name, value in call.params["TriggerUpdate"].items() if name != "Name"}
    trigger.twin_given = {**getattr(trigger, "twin_given", {}), **wanted}
    return extension_store.respond(call, {"Trigger": trigger.as_dict()})


def make_ruleset(params: Params, backend: Any) -> Params:
    """CreateDataQualityRuleset."""
    shown = {name: value for name, value in params.items() if name not in ("Tags", "ClientToken")}
    shown["CreatedOn"] = shown["LastModifiedOn"] = extension_store.now()
    extension_store.held(backend, RULESETS)[params["Name"]] = extension_store.Thing(shown)
    if params.get("Tags"):
        backend.tag_resource(_arn(backend, params["Name"]), params["Tags"])
    return {"Name": params["Name"]}


def change_ruleset(params: Params, backend: Any) -> Params:
    """UpdateDataQualityRuleset."""
    shown = extension_store.held(backend, RULESETS)[params["Name"]].shown
    shown |= {name: params[name] for name in ("Description", "Ruleset") if params.get(name) is not None}
    shown["LastModifiedOn"] = extension_store.now()
    return {name: shown[name] for name in ("Name", "Description", "Ruleset") if name in shown}


def tell_ruleset(params: Params, backend: Any) -> Params:
    """GetDataQualityRuleset."""
    return extension_store.held(backend, RULESETS)[params["Name"]].shown


def list_rulesets(_: Params, backend: Any) -> Params:
    """ListDataQualityRulesets."""
    names = ("Name", "Description", "CreatedOn", "LastModifiedOn", "TargetTable")
    things = extension_store.held(backend, RULESETS).values()
    return {"Rulesets": [{name: each.shown[name] for name in names if name in each.shown} for each in things]}


def drop_ruleset(params: Params, backend: Any) -> Params:
    """DeleteDataQualityRuleset."""
    del extension_store.held(backend, RULESETS)[params["Name"]]
    arn = _arn(backend, params["Name"])
    backend.tagger.delete_all_tags_for_resource(arn)
    return {}


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
    "GetDataQualityRuleset": extension_store.operation(tell_ruleset),
    "ListDataQualityRulesets": extension_store.operation(list_rulesets),
    "DeleteDataQualityRuleset": extension_store.operation(drop_ruleset),
}
