"""The text of a new environment file."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any, Final

from stacks.new_environment import others as files
from stacks.new_environment.answers import Answers
from stacks.new_environment.others import Other
from stacks.new_environment.pools import Plan

MOST_LINES: Final = 40
_WIDTH: Final = 110
MARK: Final = "# Placeholder"
"""How a comment begins where a value has to be changed before the environment is deployed in the cloud."""
_ACCOUNT: Final = {"aws": "account_id", "gcp": "project_id"}
_NO_ID: Final = "00000000-0000-0000-0000-000000000000"
_FIRST: Final = IPv4Network("10.16.0.0/12")
_ALL: Final = IPv4Network("10.0.0.0/8")
_PLAIN: Final = re.compile(r"[A-Za-z](?:[\w@./-]|:(?=[\w/]))*")
_NOT_TEXT: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


_DOLLARS: Final[Mapping[str, int]] = {"dev": 500, "staging": 1500, "prod": 10000}
"""Profile -> dollars a month after which a budget alerts."""


def free_range(others: Sequence[Other], length: int) -> str:
    """Return the first range of /length that no other file's ranges overlap; empty where there is none."""
    taken = files.ranges(others)
    candidates = [*_FIRST.subnets(new_prefix=length)] if length >= _FIRST.prefixlen else []
    for candidate in [*candidates, *_ALL.subnets(new_prefix=length)]:
        if not any(candidate.overlaps(network) for network in taken):
            return str(candidate)
    return ""


def text(answers: Answers, plan: Plan, others: Sequence[Other], cidr: str) -> str:
    """Return the file. others: the files of all environments, which state what is usual."""
    return "\n".join(_lines(answers, plan, others, cidr)) + "\n"


def _lines(answers: Answers, plan: Plan, others: Sequence[Other], cidr: str) -> Iterator[str]:
    yield "# yaml-language-server: $schema=schema.json"
    yield "config:"
    yield '  pulumi:disable-default-providers: ["*"]'
    yield "  ai-platform:environment:"
    for key, value in _environment(answers).items():
        yield f"    {key}: {scalar(value)}"
    shared = files.shared_files(others)
    if shared:
        yield f"  ai-platform:shared: {{files: [{', '.join(shared)}]}}"
    zones = ""
    if plan.zone_ids is not None:
        zones = f", zone_ids: [{', '.join(plan.zone_ids)}]"
    elif plan.zone_count is not None:
        zones = f", zone_count: {plan.zone_count}"
    yield f"  ai-platform:network: {{cidr: {cidr}{zones}}}"
    yield from _cluster(answers, json.dumps(files.version(others, answers.cloud)))
    if answers.profile == "prod":
        yield from _prod(answers)
    yield from _pools(plan)
    yield from _budget(answers)


def _environment(answers: Answers) -> dict[str, str]:
    return {
        "org": answers.org,
        "name": answers.name,
        "profile": answers.profile,
        "cloud": answers.cloud,
        "region": answers.region,
        _ACCOUNT[answers.cloud]: answers.account,
        "owner": answers.label if answers.cloud == "gcp" else answers.owner,
        "cost_center": answers.cost_center,
    }


def _cluster(answers: Answers, version: str) -> Iterator[str]:
    in_prod, on_google = answers.profile == "prod", answers.cloud == "gcp"
    if in_prod != on_google:
        mode = "dns" if on_google else "in_vpc"
        yield f"  ai-platform:cluster: {{version: {version}, api_access: {{mode: {mode}}}}}"
        return
    yield "  ai-platform:cluster:"
    yield f"    version: {version}"
    if on_google:
        group = scalar(f"gke-security-groups@{answers.domain}")
        yield "    api_access: {mode: dns}"
        yield f"    gke: {{google_groups: {group}}}  {MARK}: your domain"
    else:
        yield f"    {MARK}: the addresses of your offices, VPN or CI."
        yield "    api_access: {mode: cidrs, cidrs: [192.52.193.0/24]}"


def _prod(answers: Answers) -> Iterator[str]:
    """Yield what only prod has to state."""
    cloud, account, region = answers.cloud, answers.account, answers.region
    image = "al2023" if cloud == "aws" else "gke"
    yield f"  ai-platform:node_images: {{{image}: {scalar(answers.release)}}}  # docs/operations/upgrades.md"
    if cloud == "aws":
        yield "  ai-platform:runner:"
        yield f"    {MARK}s: what runs the program in the network (docs/operations/aws-prod-runner.md)."
        runner = {
            "deployer_role_arn": f"arn:aws:iam::{account}:role/platform-deployer",
            "repository": f"https://github.com/{answers.org}/ai-platform",
            "connection_arn": f"arn:aws:codeconnections:{region}:{account}:connection/{_NO_ID}",
            "state": f"s3://{answers.org}-{answers.name}-pulumi-state",
        }
        yield from (f"    {key}: {scalar(value)}" for key, value in runner.items())
    channel, group = f"projects/{account}/notificationChannels/1234567890", f"group:models@{answers.domain}"
    if cloud == "aws":
        channel, group = f"arn:aws:sns:{region}:{account}:on-call", f"arn:aws:iam::{account}:role/models"
    yield "  ai-platform:observability:"
    yield "    notifications: {default: none}  # until there are receivers (docs/observability.md)"
    yield f"    {MARK}: what the cloud notifies when metrics stay away."
    yield f"    long_term_storage: {{alarm: {{notify: [{json.dumps(channel)}]}}}}"
    yield f"  {MARK}: who approves promotions of models."
    yield f"  ai-platform:model_store: {{release_group: [{json.dumps(group)}]}}"


def _pools(plan: Plan) -> Iterator[str]:
    general = plan.general
    least = f"min: {general.min}, " if general.min else ""
    kinds = f"capacity: [{', '.join(general.capacity)}], " if general.capacity else ""
    yield "  ai-platform:node_pools:"
    yield f"    general: {{instance_types: [{', '.join(general.types)}], {kinds}{least}max: {general.max}}}"
    if plan.pools:
        yield "  ai-platform:gpu_pools:"
    for pool in plan.pools:
        values = f"accelerator: {pool.accelerator}, count: {pool.count}"
        yield f"    {pool.name}: {{{values}, capacity: [{', '.join(pool.capacity)}], max: {pool.max}}}"
    quotas = [f"{{pool: {pool.name}, accelerators: {pool.count * pool.max}}}" for pool in plan.pools]
    quotas.append(f"{{pool: general, cpu: {general.cpus}}}")
    yield "  ai-platform:queues:"
    yield "    queues:"
    yield "      - name: shared"
    yield from textwrap.wrap(
        f"quotas: [{', '.join(quotas)}]",
        width=_WIDTH,
        initial_indent=" " * 8,
        subsequent_indent=" " * 10,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _budget(answers: Answers) -> Iterator[str]:
    amount = _DOLLARS[answers.profile]
    see = "dollars a month (docs/budgets.md)"
    if answers.cloud == "gcp":
        mail = answers.owner if "@" in answers.owner else f"{answers.label}@{answers.domain}"
        yield f"  # With your billing account, {see}:"
        yield "  # ai-platform:cost:"
        budget = f"{{amount: {amount}, emails: [{scalar(mail)}]}}"
        yield f"  #   {{billing_account: 01AB23-45CD67-89EF01, budget: {budget}}}"
    else:
        yield f"  ai-platform:cost: {{budget: {{amount: {amount}{_emails(answers)}}}}}  # {see}"


def _emails(answers: Answers) -> str:
    return "" if "@" in answers.owner else f", emails: [{scalar(f'platform@{answers.domain}')}]"


def scalar(value: Any) -> str:
    """Return a text as YAML, in quotes where it could be something else."""
    word = str(value)
    return word if _PLAIN.fullmatch(word) and word.lower() not in _NOT_TEXT else json.dumps(word)
