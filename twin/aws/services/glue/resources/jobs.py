"""Glue: jobs, triggers, security configurations and rulesets of data quality."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import Field, kept, pascal, to_api
from twin.aws.resources.tags import Tagging
from twin.provider_interface import AutoName, Failure, Props

_NOT_FOUND: Final = frozenset({"EntityNotFoundException"})


def _arn(kind: str) -> str:
    return "arn:{partition}:glue:{region}:{account}:" + kind + "/{name}"


def _tagging(kind: str) -> Tagging:
    return Tagging(
        key="",
        value="",
        listing=Call("GetTags", {"ResourceArn": _arn(kind)}),
        listed="Tags",
        add=Call("TagResource", {"ResourceArn": _arn(kind), "TagsToAdd": "{tags}"}),
        remove=Call("UntagResource", {"ResourceArn": _arn(kind), "TagsToRemove": "{keys}"}),
    )


def _connections(value: Any) -> Any:
    return {"Connections": value} if isinstance(value, list) else value


class Job(AwsResource):
    token = "aws:glue/job:Job"
    service = "glue"
    title = "Glue Job"
    fields = {
        **pascal("defaultArguments", "description", "executionClass", "glueVersion", "jobMode"),
        **pascal("jobRunQueuingEnabled", "maintenanceWindow", "maxCapacity", "maxRetries", "name"),
        **pascal("nonOverridableArguments", "numberOfWorkers", "securityConfiguration", "timeout"),
        **pascal("workerType"),
        "roleArn": Field("Role"),
        "connections": Field("Connections", encode=_connections, read="Connections.Connections"),
        "command": Field("Command", of=pascal("name", "pythonVersion", "runtime", "scriptLocation")),
        "executionProperty": Field("ExecutionProperty", of=pascal("maxConcurrentRuns")),
        "notificationProperty": Field("NotificationProperty", of=pascal("notifyDelayAfter")),
        "sourceControlDetails": Field(
            "SourceControlDetails",
            of=pascal("authStrategy", "authToken", "branch", "folder", "lastCommitId", "owner", "provider")
            | pascal("repository"),
        ),
    }
    create_call = Call("CreateJob")
    id_form = "{name}"
    arn_form = _arn("job")
    read_call = Call("GetJob", {"JobName": "{id}"})
    item = "Job"
    not_found = _NOT_FOUND
    delete_call = Call("DeleteJob", {"JobName": "{id}"})
    tagging = _tagging("job")
    autoname = AutoName(max_length=255)
    computed = frozenset(
        {"executionProperty", "glueVersion", "jobMode", "maxCapacity", "notificationProperty", "region"}
        | {"numberOfWorkers", "timeout", "workerType", "executionClass"}
    )
    paths = {
        "IdempotentParameterMismatchException": "name",
        "InvalidInputException: assume provided role": "roleArn",
        "InvalidInputException: Command name": "command.name",
        "InvalidInputException: Script location": "command.scriptLocation",
        "InvalidInputException: Glue version": "glueVersion",
        "InvalidInputException: Number of workers": "numberOfWorkers",
        "InvalidInputException: Worker Type": "workerType",
        "InvalidInputException: Execution class": "executionClass",
        "EntityNotFoundException: Security configuration": "securityConfiguration",
        "EntityNotFoundException: Connection": "connections",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        if inputs.get("maxCapacity") is not None and inputs.get("workerType"):
            yield Failure("maxCapacity", '"max_capacity": conflicts with number_of_workers, worker_type')

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if not changed:
            return
        wanted = {name: value for name, value in new.items() if value is not None}
        params = {name: value for name, value in to_api(self.fields, wanted).items() if name != "Name"}
        context.call("glue", "UpdateJob", {"JobName": id, "JobUpdate": params})


_ACTION: Final = {
    **pascal("arguments", "crawlerName", "jobName", "securityConfiguration", "timeout"),
    "notificationProperty": Field("NotificationProperty", of=pascal("notifyDelayAfter")),
}


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


class Trigger(AwsResource):
    token = "aws:glue/trigger:Trigger"
    service = "glue"
    title = "Glue Trigger"
    fields = {
        **pascal("description", "name", "schedule", "type", "workflowName"),
        "startOnCreation": Field("StartOnCreation", read=""),
        "actions": Field("Actions", of=_ACTION),
        "eventBatchingConditions": Field(
            "EventBatchingCondition",
            encode=lambda value: to_api(pascal("batchSize", "batchWindow"), _first(value)),
            read="",
        ),
        "predicate": Field(
            "Predicate",
            of={
                **pascal("logical"),
                "conditions": Field(
                    "Conditions",
                    of=pascal("crawlState", "crawlerName", "jobName", "logicalOperator", "state"),
                ),
            },
        ),
        "enabled": Field(read=""),
        "state": Field(read="State"),
    }
    create_call = Call("CreateTrigger")
    id_form = "{name}"
    arn_form = _arn("trigger")
    read_call = Call("GetTrigger", {"Name": "{id}"})
    item = "Trigger"
    not_found = _NOT_FOUND
    delete_call = Call("DeleteTrigger", {"Name": "{id}"})
    tagging = _tagging("trigger")
    autoname = AutoName(max_length=255)
    volatile = frozenset({"state"})
    paths = {
        "IdempotentParameterMismatchException": "name",
        "InvalidInputException: chedule": "schedule",
        "InvalidInputException: predicate": "predicate",
        "InvalidInputException: action": "actions",
        "InvalidInputException: ON_DEMAND": "startOnCreation",
        "EntityNotFoundException: Workflow": "workflowName",
        "EntityNotFoundException": "actions",
    }

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        # The provider starts it with its creation, but for one on demand, where it is to be enabled.
        if (
            inputs.get("startOnCreation") is None
            and inputs.get("enabled")
            and inputs.get("type") != "ON_DEMAND"
        ):
            params["StartOnCreation"] = True
        return params

    def after_create(self, context: AwsContext, id: str, inputs: Props, answer: Props) -> None:
        if inputs.get("enabled") is False and inputs.get("type") != "ON_DEMAND":
            context.call("glue", "StopTrigger", {"Name": id})

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        on = item.get("State") in ("ACTIVATED", "ACTIVATING")
        return {"enabled": known.get("enabled", True) if item["Type"] == "ON_DEMAND" else on}

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if changed & {"actions", "description", "eventBatchingConditions", "predicate", "schedule"}:
            wanted = {name: value for name, value in new.items() if value is not None}
            names = ("actions", "description", "eventBatchingConditions", "predicate", "schedule")
            params = to_api({name: self.fields[name] for name in names}, wanted)
            context.call("glue", "UpdateTrigger", {"Name": id, "TriggerUpdate": params})
        if "enabled" in changed:
            operation = "StartTrigger" if new.get("enabled") is not False else "StopTrigger"
            context.call("glue", operation, {"Name": id})


_CONFIGURED: Final = {
    "cloudwatchEncryption": Field(
        "CloudWatchEncryption",
        of={**pascal("kmsKeyArn"), "cloudwatchEncryptionMode": Field("CloudWatchEncryptionMode")},
    ),
    "jobBookmarksEncryption": Field(
        "JobBookmarksEncryption", of=pascal("jobBookmarksEncryptionMode", "kmsKeyArn")
    ),
    "s3Encryption": Field("S3Encryption", of=pascal("kmsKeyArn", "s3EncryptionMode"), read="S3Encryption[0]"),
}


class SecurityConfiguration(AwsResource):
    token = "aws:glue/securityConfiguration:SecurityConfiguration"
    service = "glue"
    title = "Glue Security Configuration"
    fields = {**pascal("name"), "encryptionConfiguration": Field("EncryptionConfiguration", of=_CONFIGURED)}
    create_call = Call("CreateSecurityConfiguration")
    id_form = "{name}"
    read_call = Call("GetSecurityConfiguration", {"Name": "{id}"})
    item = "SecurityConfiguration"
    not_found = _NOT_FOUND
    delete_call = Call("DeleteSecurityConfiguration", {"Name": "{id}"})
    autoname = AutoName(max_length=255)
    paths = {
        "AlreadyExistsException": "name",
        "InvalidInputException": "encryptionConfiguration",
    }

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        encryption = params.get("EncryptionConfiguration")
        if isinstance(encryption, dict):
            # An absent mode is one, and S3's is a list of one.
            for member, mode in (
                ("CloudWatchEncryption", "CloudWatchEncryptionMode"),
                ("JobBookmarksEncryption", "JobBookmarksEncryptionMode"),
                ("S3Encryption", "S3EncryptionMode"),
            ):
                encryption[member] = {mode: "DISABLED", **(encryption.get(member) or {})}
            encryption["S3Encryption"] = [encryption["S3Encryption"]]
        return params


class DataQualityRuleset(AwsResource):
    token = "aws:glue/dataQualityRuleset:DataQualityRuleset"
    service = "glue"
    title = "Glue Data Quality Ruleset"
    fields = {
        **pascal("description", "name", "ruleset"),
        "targetTable": Field("TargetTable", of=pascal("catalogId", "databaseName", "tableName")),
        "createdOn": Field(read="CreatedOn", decode=lambda value: value.strftime("%Y-%m-%dT%H:%M:%SZ")),
        "lastModifiedOn": Field(
            read="LastModifiedOn", decode=lambda value: value.strftime("%Y-%m-%dT%H:%M:%SZ")
        ),
        "recommendationRunId": Field(read="RecommendationRunId"),
        **kept(),
    }
    create_call = Call("CreateDataQualityRuleset")
    id_form = "{name}"
    arn_form = _arn("dataQualityRuleset")
    read_call = Call("GetDataQualityRuleset", {"Name": "{id}"})
    not_found = _NOT_FOUND
    delete_call = Call("DeleteDataQualityRuleset", {"Name": "{id}"})
    tagging = _tagging("dataQualityRuleset")
    autoname = AutoName(max_length=255)
    volatile = frozenset({"lastModifiedOn"})
    paths = {
        "AlreadyExistsException": "name",
        "EntityNotFoundException: Table": "targetTable",
        "InvalidInputException": "ruleset",
    }

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            given = {"Ruleset": new["ruleset"], "Description": new.get("description") or ""}
            context.call("glue", "UpdateDataQualityRuleset", {"Name": id, **given})
