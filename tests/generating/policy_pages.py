"""The pages in docs/policies/: one for each policy, and an index for each topic."""

from __future__ import annotations

import datetime
import importlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from policies.framework.discovery import find, topics
from policies.framework.enforcement import Enforcement, read_enforcement
from policies.framework.policy import PROFILES, Policy, Profile
from policies.framework.server import PAGES
from policies.framework.values import Hidden
from tests.generating.tables import code, page, table
from tests.policies.evaluating import evaluate, spec_of
from tests.policies.spec import Resource, Stack, Subject

FOLDER: Final = Path(PAGES)
_LONGEST_EXAMPLE: Final = 30
_CASES: Final = """\
Cases of its tests: resources that violate the policy, with the property and the problem as reported;
resources that pass; and those with a value that is unknown in a preview, whose check is deferred to `up`."""
_MANY_TYPES: Final = 12
_TOKEN: Final = re.compile(r"AKIA|ghp_|PRIVATE KEY")
"""What scanners of repositories take for a secret; the specs put such values together from parts."""


def paths() -> list[Path]:
    """Return the paths of the pages."""
    return [*(_index_of(topic) for topic in topics()), *(path_of(policy) for policy in find())]


def files() -> Mapping[Path, str]:
    """Return the contents of the pages by path."""
    policies = find()
    enforcement = read_enforcement(policies)
    return {
        **{_index_of(topic): _index(topic, policies, enforcement) for topic in topics()},
        **{path_of(policy): _page(policy, enforcement) for policy in policies},
    }


def path_of(policy: Policy) -> Path:
    """Return the path of a policy's page."""
    topic, _, name = policy.id.partition(".")
    return FOLDER / topic / f"{name}.md"


def overview(policies: Sequence[Policy], enforcement: Enforcement, folder: Path) -> str:
    """Return a table of policies with links from a page in the folder."""
    return table(
        ["policy", "requirement", "severity", *PROFILES, "controls"],
        [
            [
                f"[{code(policy.id)}]({path_of(policy).relative_to(folder)})",
                policy.title,
                policy.severity,
                *(enforcement.level(policy, profile) for profile in PROFILES),
                ", ".join(policy.frameworks),
            ]
            for policy in policies
        ],
    )


def introduction(topic: str) -> str:
    """Return what the policies of a topic are about, from the docstring of its package."""
    return (importlib.import_module(f"policies.{topic}").__doc__ or "").strip()


def title(topic: str) -> str:
    """Return the heading of a topic."""
    return topic.replace("_", " ").capitalize().replace("Gpu", "GPU")


def _index_of(topic: str) -> Path:
    return FOLDER / topic / "README.md"


def _index(topic: str, policies: Sequence[Policy], enforcement: Enforcement) -> str:
    members = [policy for policy in policies if policy.id.startswith(f"{topic}.")]
    return page(
        f"# {title(topic)}",
        introduction(topic),
        overview(members, enforcement, FOLDER / topic),
        "[Policies](../../policies.md) describes how the pack is run and configured.",
    )


def _page(policy: Policy, enforcement: Enforcement) -> str:
    topic, _, name = policy.id.partition(".")
    source = f"policies/{topic}/{name}.py"
    levels = [[policy.severity, *(enforcement.level(policy, profile) for profile in PROFILES)]]
    return page(
        f"# {policy.id}",
        f"**{policy.title}.** {policy.description}",
        table(["severity", *PROFILES], levels),
        f"Controls: {', '.join(policy.frameworks)}." if policy.frameworks else "",
        f"Evaluated: {_evaluated(policy)}. The rule is in [{source}](../../../{source}).",
        "## What to change",
        policy.remediation,
        *_options(policy, enforcement),
        "## Examples",
        *_example(policy),
        _CASES,
        table(["case", "result", "reported"], _cases(policy)),
        "## Exempting a resource",
        *_exempting(policy),
    )


def _evaluated(policy: Policy) -> str:
    types = list(dict.fromkeys(type_ for types, _ in policy.resource_rules for type_ in types))
    parts: list[str] = []
    if types:
        tokens = ", ".join(code(type_) for type_ in types[:_MANY_TYPES])
        further = len(types) - _MANY_TYPES
        parts.append(tokens + (f" and {further} further types" if further > 0 else ""))
    if policy.stack_rules:
        parts.append("the resources of a program together")
    return "; ".join(parts)


def _options(policy: Policy, enforcement: Enforcement) -> Iterator[str]:
    if not policy.options:
        return
    yield "## Options"
    yield (
        f"`policies/enforcement.yaml` states them under `policies: {policy.id}`, for each profile; the file "
        "of `--policy-pack-config` under the policy's id."
    )
    yield table(
        ["key", *PROFILES, "meaning"],
        [
            [code(key), *(_value(enforcement, policy, profile, key) for profile in PROFILES), option.meaning]
            for key, option in policy.options.items()
        ],
    )


def _value(enforcement: Enforcement, policy: Policy, profile: Profile, key: str) -> str:
    return code(json.dumps(enforcement.options_of(policy, profile)[key]))


def _exempting(policy: Policy) -> Iterator[str]:
    entry = {
        "policy": policy.id,
        "resource": "logical-name",
        "owner": "ml-platform@acme.example",
        "reason": "why the resource needs it, and until when",
        "expires": datetime.date(2027, 1, 31),
    }
    yield (
        "An entry in `policies/exemptions.yaml`, which applies until its date "
        "([how](../../policies.md#exemptions)):"
    )
    yield f"```yaml\n{_dumped([entry])}```"
    if policy.teardown_exempt:
        yield "While an environment's file has `teardown`, the policy is advisory."


def _example(policy: Policy) -> Iterator[str]:
    """Yield the first short violation of a policy's spec as a program in YAML, with what is reported."""
    for name, case in spec_of(policy).fails.items():
        text = program(case.subject)
        if text is not None and text.count("\n") <= _LONGEST_EXAMPLE and not _TOKEN.search(text):
            yield f"A violation ({name}):"
            yield f"```yaml\n{text}```"
            yield f"Reported: {_reported(policy, case.subject)}"
            return


def program(subject: Subject) -> str | None:
    """Return resources as a program in YAML; None where a value has no such form, such as an unknown one."""
    resources = subject.resources if isinstance(subject, Stack) else [subject]
    if any(resource.provider or _has_secret(resource.props) for resource in resources):
        return None
    try:
        return _dumped({"resources": {resource.name: _declaration(resource) for resource in resources}})
    except (TypeError, yaml.YAMLError):
        return None


def _has_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_secret, value.values()))
    if isinstance(value, list):
        return any(map(_has_secret, value))
    return isinstance(value, Hidden)


def _declaration(resource: Resource) -> Mapping[str, Any]:
    # json.dumps refuses unknown values, and makes lists of tuples.
    properties = json.loads(json.dumps(dict(resource.props)))
    return {
        "type": resource.type,
        **({"properties": properties} if properties else {}),
        **({"options": {"protect": True}} if resource.protect else {}),
    }


def _dumped(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, width=100, allow_unicode=True)


def _cases(policy: Policy) -> list[list[str]]:
    """Return the cases of a policy's spec, with what the policy reports of them."""
    spec = spec_of(policy)
    rows = [[name, "violation", _reported(policy, case.subject)] for name, case in spec.fails.items()]
    rows += [[name, "passes", ""] for name in spec.passes]
    rows += [[name, "deferred", ""] for name in spec.unknown]
    for name, case in spec.configured.items():
        options = code(json.dumps(dict(case.options)))
        reported = _reported(policy, case.subject, case.options) if case.fails else ""
        rows.append([f"{name}, with {options}", "violation" if case.fails else "passes", reported])
    return rows


def _reported(policy: Policy, subject: Subject, options: Mapping[str, Any] | None = None) -> str:
    findings = evaluate(policy, subject, options).diagnostics
    parts = [
        f"{code(finding.path)}: {finding.problem}" if finding.path else finding.problem
        for finding in findings
    ]
    # A problem may quote what Markdown would read as an element of HTML.
    return "; ".join(parts).replace("<", "&lt;")
