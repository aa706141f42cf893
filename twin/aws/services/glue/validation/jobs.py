"""Glue's jobs, triggers, rulesets and security configurations: what Glue refuses, and what moto lacks of
them.

Sources: the Web API's CreateJob, CreateTrigger, CreateSecurityConfiguration and CreateDataQualityRuleset;
"Data Quality Definition Language (DQDL) reference" and "Time-based schedules for jobs and crawlers". No job
runs here: moto says of a run that it succeeded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam import service_roles
from twin.aws.services import facts
from twin.aws.validation import schedules
from twin.aws.validation.kinds import Kind
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

_FACTS: Final = facts(__name__)
VERSIONS: Final = _FACTS["versions"]
COMMANDS: Final = _FACTS["commands"]
RULESETS: Final = Kind(
    "glue",
    "data_quality_rulesets",
    ("Name",),
    ("EntityNotFoundException", "Data quality ruleset {} not found.", 400),
)
_DQDL: Final = re.compile(
    r"\s*(?:[A-Za-z]+\s*=\s*(?:\[.*?\]|\"[^\"]*\")\s*)*Rules\s*=\s*\[(.*)\]\s*\S*\s*", re.DOTALL
)
_LEAST_WORKERS: Final = 2


def invalid(words: str) -> Refusal:
    """Glue's answer to parameters that it does not take."""
    return Refusal("InvalidInputException", words)


def missing(words: str) -> Refusal:
    """Glue's answer where something that is named is not there."""
    return Refusal("EntityNotFoundException", words)


def create_job(params: Params, state: MotoState) -> None:
    """CreateJob."""
    name = str(params.get("Name"))
    if name in _backend(state).jobs:
        raise Refusal(
            "IdempotentParameterMismatchException",
            f"Job with name {name} already submitted with different configuration",
        )
    _job(params, state)


def update_job(params: Params, state: MotoState) -> None:
    """UpdateJob: the whole is given again."""
    job(state, params.get("JobName"))
    _job(params.get("JobUpdate") or {}, state)


def _job(job_update: Params, state: MotoState) -> None:
    command = job_update.get("Command") or {}
    kind, script = command.get("Name"), str(command.get("ScriptLocation") or "")
    if kind not in COMMANDS:
        raise invalid(f"Command name {kind} is not one of {', '.join(COMMANDS)}")
    if script and not script.startswith("s3://"):
        raise invalid(f"Script location must be in S3: {script}")
    version = job_update.get("GlueVersion")
    if version is not None and version not in VERSIONS:
        raise invalid(
            f"Glue version {version} is not supported. Supported versions are {', '.join(VERSIONS)}"
        )
    named = str(job_update.get("Role"))
    arn = named if named.startswith("arn:") else f"arn:aws:iam::{state.account}:role/{named}"
    if service_roles.by("glue.amazonaws.com", arn, state) is None:
        raise invalid("Service is unable to assume provided role. Please verify role's TrustPolicy")
    _capacity(job_update, str(kind))
    _settings(job_update, state)


def _capacity(job_update: Params, kind: str) -> None:
    worker, count, capacity = (
        job_update.get(name) for name in ("WorkerType", "NumberOfWorkers", "MaxCapacity")
    )
    if capacity is not None and (worker or count):
        raise invalid("Please do not set Max Capacity if using Worker Type and Number of Workers.")
    if bool(worker) != bool(count):
        raise invalid("Worker Type and Number of Workers go together.")
    if kind in ("glueetl", "gluestreaming") and count is not None and count < _LEAST_WORKERS:
        raise invalid(f"Number of workers of {kind} must be at least {_LEAST_WORKERS}, got {count}")
    if kind == "pythonshell" and worker:
        raise invalid("Worker Type is not supported for Job Command pythonshell")
    if job_update.get("ExecutionClass") == "FLEX" and kind != "glueetl":
        raise invalid("Execution class FLEX is for jobs of the command glueetl")


def _settings(job_update: Params, state: MotoState) -> None:
    backend = _backend(state)
    configuration = job_update.get("SecurityConfiguration")
    if configuration and configuration not in backend.security_configurations:
        raise missing(f"Security configuration {configuration} not found.")
    for connection in (job_update.get("Connections") or {}).get("Connections") or []:
        if connection not in backend.connections:
            raise missing(f"Connection {connection} not found.")


def create_trigger(params: Params, state: MotoState) -> None:
    """CreateTrigger."""
    name = str(params.get("Name"))
    if name in _backend(state).triggers:
        raise Refusal(
            "IdempotentParameterMismatchException",
            f"Trigger with name {name} already submitted with different configuration",
        )
    kind = params.get("Type")
    if kind == "ON_DEMAND" and params.get("StartOnCreation"):
        raise invalid("A trigger of type ON_DEMAND cannot be started on creation")
    workflow = params.get("WorkflowName")
    if workflow and workflow not in _backend(state).workflows:
        raise missing(f"Workflow {workflow} not found.")
    _trigger(params, state)


def update_trigger(params: Params, state: MotoState) -> None:
    """UpdateTrigger."""
    existing = trigger(state, params.get("Name"))
    before = existing.as_dict()
    _trigger({**before, **(params.get("TriggerUpdate") or {}), "Type": before["Type"]}, state)


def _trigger(params: Params, state: MotoState) -> None:
    kind, schedule = params.get("Type"), params.get("Schedule")
    if kind == "SCHEDULED" and not schedule:
        raise invalid("A trigger of type SCHEDULED needs a schedule")
    if schedule and not (str(schedule).startswith("cron(") and schedules.is_schedule(str(schedule))):
        raise invalid(f"Schedule {schedule} is not a valid cron expression: cron(six fields)")
    conditions = (params.get("Predicate") or {}).get("Conditions") or []
    if kind == "CONDITIONAL" and not conditions:
        raise invalid("A trigger of type CONDITIONAL needs a predicate")
    if not params.get("Actions"):
        raise invalid("A trigger needs an action")
    for action in (*params["Actions"], *conditions):
        for member, things in (("JobName", "jobs"), ("CrawlerName", "crawlers")):
            wanted = action.get(member)
            if wanted and wanted not in getattr(_backend(state), things):
                raise missing(f"{member.removesuffix('Name')} {wanted} not found.")
        configuration = action.get("SecurityConfiguration")
        if configuration and configuration not in _backend(state).security_configurations:
            raise missing(f"Security configuration {configuration} not found.")


def security_configuration(params: Params, _: MotoState) -> None:
    """CreateSecurityConfiguration: a mode that takes a key has one."""
    encryption = params.get("EncryptionConfiguration") or {}
    parts = [
        (encryption.get("CloudWatchEncryption") or {}, "CloudWatchEncryptionMode"),
        (encryption.get("JobBookmarksEncryption") or {}, "JobBookmarksEncryptionMode"),
        *((setting, "S3EncryptionMode") for setting in encryption.get("S3Encryption") or []),
    ]
    for part, mode in parts:
        wants, has = str(part.get(mode) or "").endswith("-KMS"), bool(part.get("KmsKeyArn"))
        if wants and not has:
            raise invalid(f"KmsKeyArn is required for {mode} {part[mode]}")
        if has and not wants:
            raise invalid(f"KmsKeyArn is not allowed for {mode} {part.get(mode)}")


def create_ruleset(params: Params, state: MotoState) -> None:
    """CreateDataQualityRuleset."""
    name = str(params.get("Name"))
    if name in RULESETS.here(state):
        raise Refusal("AlreadyExistsException", f"Data quality ruleset {name} already exists")
    _rules(str(params.get("Ruleset") or ""))
    target = params.get("TargetTable")
    if target:
        database = _backend(state).databases.get(target.get("DatabaseName"))
        if database is None or target.get("TableName") not in database.tables:
            raise missing(f"Table {target.get('DatabaseName')}.{target.get('TableName')} not found.")


def update_ruleset(params: Params, state: MotoState) -> None:
    """UpdateDataQualityRuleset."""
    RULESETS.present(params, state)
    if params.get("Ruleset") is not None:
        _rules(str(params["Ruleset"]))


def _rules(text: str) -> None:
    match = _DQDL.fullmatch(re.sub(r"#[^\n]*", "", text))
    body = re.sub(r'"(?:[^"\\]|\\.)*"', '""', match[1]) if match else ""
    rules = [rule for rule in _split(body) if rule]
    if not rules:
        raise invalid("Ruleset parsing failed: a ruleset is `Rules = [ rule, ... ]` with at least one rule")
    for item in rules:
        for part in re.split(r"\)\s*(?:and|or)\s*\(", item):
            word = re.match(r"\(*\s*(\w+)", part)
            if word is None or word[1] not in _FACTS["rule_types"]:
                raise invalid(f"Ruleset parsing failed: unknown rule type {word[1] if word else part}")


def _split(text: str) -> list[str]:
    """At commas that stand in no brackets."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def job(state: MotoState, name: Any) -> Any:
    """A job, or the refusal."""
    return _require(_backend(state).jobs, name, f"Job {name} not found.")


def trigger(state: MotoState, name: Any) -> Any:
    """A trigger, or the refusal."""
    return _require(_backend(state).triggers, name, f"Trigger {name} not found.")


def _require(things: Mapping[str, Any], name: Any, words: str) -> Any:
    if name not in things:
        raise missing(words)
    return things[name]


def _backend(state: MotoState) -> Any:
    return state.moto.backend("glue", state.region)


RULES: Final = {
    "CreateJob": create_job,
    "UpdateJob": update_job,
    "CreateTrigger": create_trigger,
    "UpdateTrigger": update_trigger,
    "CreateSecurityConfiguration": security_configuration,
    "CreateDataQualityRuleset": create_ruleset,
    "UpdateDataQualityRuleset": update_ruleset,
}
