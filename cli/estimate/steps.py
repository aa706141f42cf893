"""Steps that make costs visible, and that no first `up` can take: each with its command, and its state.

- AWS knows the key of a tag up to a day after a resource has it, and only then can it be activated as a cost
  allocation tag (Cost Explorer API, UpdateCostAllocationTagsStatus). What is active is asked where there are
  credentials.
- Split cost allocation data of EKS, and the export of Cloud Billing to BigQuery, have no API.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast

from cli.estimate.resources import Resources, mappings

State = Literal["open", "done", "unknown"]
KEYS: Final = ("team", "cost-center", "environment")
"""The tags by which costs are divided, where a resource has them."""
_FILTER: Final = "TagKeyValue"
_TAGS: Final = "cost allocation tags"
_EXPORT: Final = "aws:bcmdata/export:Export"
_OPTIMIZER: Final = "aws:glue/catalogTableOptimizer:CatalogTableOptimizer"
_GROUPS: Final[Mapping[str, str]] = {
    "compaction": "iceberg-compaction",
    "orphan_file_deletion": "iceberg-orphan-file-deletion",
    "retention": "iceberg-retention",
}
"""Kind of an optimizer -> a part of the name of its log group."""
_DATASET: Final = "gcp:bigquery/dataset:Dataset"
_VIEW: Final = "gcp:bigquery/table:Table"
_BUDGET: Final = "gcp:billing/budget:Budget"
_BILLING: Final = "_billing"
_BILLING_EXPORT: Final = "_billing_export"
"""Ends of the ids of the datasets of the views, and of the export (component Lakehouse)."""
_REGION: Final = "us-east-1"
"""Of Cost Explorer."""
_SECONDS: Final = 10


@dataclass(frozen=True)
class Step:
    """A step. command: what takes it, a command or what to do by hand. keys: of the tags that it
    activates."""

    name: str
    state: State
    reason: str
    command: str
    keys: tuple[str, ...] = ()


def of(cloud: str, resources: Resources) -> list[Step]:
    """Return the steps of an environment by its resources alone: what only the cloud knows is unknown."""
    return list(_of_aws(resources) if cloud == "aws" else _of_google(resources))


def _of_aws(resources: Resources) -> Iterator[Step]:
    keys = _keys(resources)
    if keys:
        yield Step(_TAGS, "unknown", "not asked", activation(keys), keys)
    if resources.of(_EXPORT):
        yield Step(
            "split cost allocation data of EKS",
            "unknown",
            "no API has it",
            "select it once for the account: https://console.aws.amazon.com/costmanagement/home#/settings",
        )

    kinds = sorted({str(optimizer.get("type")) for optimizer in resources.of(_OPTIMIZER)} & _GROUPS.keys())
    if kinds:
        groups = " ".join(_GROUPS[kind] for kind in kinds)
        yield Step(
            "retention of the logs of Glue's optimizers",
            "unknown",
            "Glue creates their log groups at its first run, and keeps them without limit",
            f"for group in {groups}; do aws logs put-retention-policy --retention-in-days 30 "
            '--log-group-name "/aws-glue/$group/logs"; done',
        )


def _keys(resources: Resources) -> tuple[str, ...]:
    used: set[str] = set()
    filtered: set[str] = set()
    for resource in resources.all:
        tags = resource.get("tags", {})
        if resource.type.startswith("aws:") and isinstance(tags, Mapping):
            used.update(cast("Mapping[str, Any]", tags))
    for budget in resources.of("aws:budgets/budget:Budget"):
        for entry in mappings(budget.get("costFilters")):
            if entry.get("name") == _FILTER:
                values = cast("Sequence[str]", entry.get("values") or ())
                filtered |= {value.removeprefix("user:").partition("$")[0] for value in values}
    return tuple(dict.fromkeys([*(key for key in KEYS if key in used | filtered), *sorted(filtered)]))


def activation(keys: Iterable[str]) -> str:
    """Return the command that activates keys of tags."""
    states = " ".join(f"TagKey={key},Status=Active" for key in keys)
    return (
        f"aws ce update-cost-allocation-tags-status --region {_REGION} --cost-allocation-tags-status {states}"
    )


def _of_google(resources: Resources) -> Iterator[Step]:
    datasets = [
        resource
        for resource in resources.of(_DATASET)
        if str(resource.get("datasetId", "")).endswith(_BILLING_EXPORT)
    ]
    name = "export of Cloud Billing to BigQuery"
    if not datasets:
        yield Step(
            name,
            "open",
            "no dataset for it",
            "state lakehouse.billing_export in the environment's file, and run up; it is linked after that",
        )
        return
    accounts = [str(budget.get("billingAccount", "")) for budget in resources.of(_BUDGET)]
    for dataset in datasets:
        project, id_ = dataset.get("project", "PROJECT"), str(dataset.get("datasetId"))
        views = id_.removesuffix(_BILLING_EXPORT) + _BILLING
        linked = any(view.get("datasetId") == views for view in resources.of(_VIEW))
        yield Step(
            name,
            "done" if linked else "open",
            "linked" if linked else "no API links it",
            f"link {project}:{id_} as Detailed usage cost: "
            f"https://console.cloud.google.com/billing/{next(iter(accounts), 'BILLING_ACCOUNT')}/export; "
            "then state lakehouse.billing_export.linked: true, and run up",
        )


def checked(steps: Iterable[Step]) -> list[Step]:
    """Return the steps with what the cloud answers, where there are credentials."""
    return [_checked(step) if step.keys else step for step in steps]


def _checked(step: Step) -> Step:
    # Without it boto3 waits for the metadata of an instance, where there is none.
    if not {"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"} & os.environ.keys():
        return replace(step, reason="no credentials of AWS in the environment's variables")
    import boto3  # takes half a second to import
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 2})
    options: dict[str, Any] = {"region_name": _REGION, "config": config}
    try:
        ce: Any = boto3.client("ce", **options)  # pyright: ignore[reportUnknownMemberType]
        sts: Any = boto3.client("sts", **options)  # pyright: ignore[reportUnknownMemberType]
        account = str(sts.get_caller_identity()["Account"])
        active = _active(ce, step.keys)
    except (BotoCoreError, ClientError, KeyError) as error:
        return replace(
            step,
            reason=f"Cost Explorer does not answer: {error}; in an organization its management account has "
            "these tags",
        )
    missing = [key for key in step.keys if key not in active]
    if not missing:
        return replace(step, state="done", reason=f"active in account {account}")
    return replace(
        step,
        state="open",
        reason=f"not active in account {account}: {', '.join(missing)}; AWS knows a key up to a day after "
        "a resource has it",
        command=activation(missing),
    )


def _active(ce: Any, keys: Sequence[str]) -> set[str]:
    """Return those of the keys that are active."""
    active: set[str] = set()
    page: dict[str, str] = {}
    while True:
        answer = ce.list_cost_allocation_tags(TagKeys=list(keys), Type="UserDefined", **page)
        active |= {tag["TagKey"] for tag in answer["CostAllocationTags"] if tag["Status"] == "Active"}
        if not answer.get("NextToken"):
            return active
        page = {"NextToken": answer["NextToken"]}


def document(step: Step) -> dict[str, Any]:
    """Return a step for JSON."""
    return {
        "name": step.name,
        "state": step.state,
        "reason": step.reason,
        "command": step.command,
        "keys": list(step.keys),
    }


def of_document(value: Mapping[str, Any]) -> list[Step]:
    """Return the steps of an estimate's document; none of one that was committed without them."""
    return [
        Step(entry["name"], entry["state"], entry["reason"], entry["command"], tuple(entry["keys"]))
        for entry in value.get("steps", ())
    ]
