"""The policies as a page: from their own metadata, with how strict each profile is."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Final

from policies.pack.discovery import find
from policies.pack.policy import PROFILES, Policy, Profile
from policies.pack.strictness import Strictness, read_exemptions, read_strictness
from tests.generating.tables import code, page, table

_USING: Final = """\
`bin/aiplatform policy aws-prod` is the same; it exits with 1 for a mandatory fault and with 2 when not
all could be judged. `--sarif policy.sarif` and `--junit policy.xml` write the faults for code scanning
and for test views, `--config policy.json` configures the pack; with make these stand in `ARGS`.
`bin/aiplatform up aws-dev --policy-pack policies` judges an update and stops at the first mandatory
fault: each resource is judged before it is made, the program as a whole when all stands. A preview
tells all."""

_ELSEWHERE: Final = """\
The folder `policies/` is the whole pack: copy it next to any Pulumi program. Which Python runs it is for
Pulumi's language host to choose: where a `uv.lock` or `poetry.lock` is in the folder or above it, that
project's environment, which uv or Poetry (on PATH) first brings up to date; else the `python3` that is
first on PATH. Either needs what `policies/requirements.txt` names. `toolchain: pip` under `runtime:
options:` in `PulumiPolicy.yaml` makes it the second in any folder, and `virtualenv` names an
environment. `strictness.yaml` names the accounts and
projects of this repository: put yours there."""

_WRITING: Final = """\
## Writing a policy

- `policies/<topic>/<verb_noun>.py` holds `POLICY` and its rules: `@POLICY.on(types)` judges one resource by
  its inputs after the provider's Check, `@POLICY.on_stack` the whole program. The forms of AWS, Google Cloud
  and Kubernetes stand together.
- `tests/policies/<topic>/<verb_noun>.py` holds `SPEC`, its cases: what passes, what fails and where, what is
  not known yet, what a configuration changes.
- A seed shows its fault to the real engine: a resource in a program of `tests/end_to_end/seeded/` by the name
  `seed("a-name", "topic.verb_noun")`, with what is right beside it. Every policy has one on each cloud of
  which it names types, without exception: a preview takes any type of the SDKs, one that the twin does not
  know, too.
- A value that is not known is `UNKNOWN`: yield `Undecided(path)`. In a stack that is previewed, what nobody
  said and the cloud will fill in is `UNKNOWN` as well; `Resource.said(path)` takes it for missing. The engine
  tells the resources of a stack in no order."""


def text() -> str:
    """docs/policies.md."""
    policies = find()
    strictness = read_strictness(policies)
    return page(
        "# Policies",
        "What a program may not make. `make policy ENV=aws-prod` previews an environment on its twin and "
        "reports what is wrong, by severity; `pulumi preview --policy-pack policies` does so for any Pulumi "
        "project. A file in `policies/<topic>/` is a policy, and its path its id.",
        _USING,
        "The profile comes from the pack's configuration (`--policy-pack-config`, a JSON file: "
        '`{"pack": {"profile": "staging"}, "network.close_endpoints": {"enforcementLevel": "advisory"}}`), '
        "else from the stack's `ai-platform:environment`, else it is `prod`, the strictest. *Advisory* is "
        "told, *mandatory* stops the update. `policies/strictness.yaml` says how strict each severity is in "
        "each profile, and where a policy differs. What is known only when it has been made is judged at "
        "`up`.",
        "An exemption is an entry of `policies/exemptions.yaml` with policy, resource (a logical name, in "
        "every stack, or a URN; `*` stands for any characters), owner, reason and the last day (UTC) on "
        "which it holds. After that day the pack refuses to run until somebody renews the entry or takes it "
        "out.",
        "While an environment's file says `teardown`, what guards against loss "
        f"({', '.join(code(each.id) for each in policies if each.retiring)}) is told and stops nothing.",
        _ELSEWHERE,
        _WRITING,
        f"## The {len(policies)} policies",
        table(
            ["policy", "what must hold", "severity", *PROFILES, "serves"],
            [
                [
                    f"[{code(each.id)}](#{each.id.replace('.', '')})",
                    each.title,
                    each.severity,
                    *(strictness.level(each, profile) for profile in PROFILES),
                    ", ".join(each.frameworks),
                ]
                for each in policies
            ],
        ),
        "## Exemptions in force",
        _exemptions(policies),
        *(_section(each, strictness) for each in policies),
    )


def _exemptions(policies: Sequence[Policy]) -> str:
    # As of the day that the file was last looked at; the pack itself refuses what has expired.
    found = read_exemptions(policies, datetime.date.min)
    if not found:
        return "None."
    rows = [[code(each.policy), code(each.resource), each.owner, each.reason, each.expires] for each in found]
    return table(["policy", "resource", "owner", "reason", "until"], rows)


def _section(policy: Policy, strictness: Strictness) -> str:
    parts = [f"### {policy.id}", policy.description, f"To mend it: {policy.remediation}"]
    if policy.options:
        rows = [
            [code(key), *(_value(strictness, policy, profile, key) for profile in PROFILES), option.meaning]
            for key, option in policy.options.items()
        ]
        parts.append(table(["key", *PROFILES, "meaning"], rows))
    return "\n\n".join(parts)


def _value(strictness: Strictness, policy: Policy, profile: Profile, key: str) -> str:
    value = strictness.of(policy, profile)[key]
    return code(json.dumps(value))
