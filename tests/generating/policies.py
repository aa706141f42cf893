"""docs/policies.md: how the pack is used, and a table of its policies; policy_pages has a page for each."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from policies.framework.discovery import find, topics
from policies.framework.enforcement import read_enforcement, read_exemptions
from policies.framework.policy import Policy
from tests.generating import policy_pages
from tests.generating.tables import code, page, table

PAGE: Final = Path("docs/policies.md")
_USING: Final = """\
`bin/aiplatform policy aws-prod` does the same. It exits with 1 for a mandatory violation and with 2 when
the evaluation is incomplete. `--sarif policy.sarif` and `--junit policy.xml` write the violations for code
scanning and for test views, where a policy with a deferred check is skipped. `--config policy.json`
configures the pack: `{"all": "advisory"}` is the level of every policy that it does not name. The end of a
run names exemptions without effect, which no violation needs. With make, put these options into `ARGS`.

`bin/aiplatform up aws-dev --policy-pack policies` evaluates an update and stops at the first
mandatory violation: each resource is evaluated before it is created, the program as a whole at the end. A
preview reports all violations."""

_ELSEWHERE: Final = """\
The folder `policies/` is the whole pack: copy it next to any Pulumi program. Pulumi's language host chooses
the Python that runs it: with a `uv.lock` or `poetry.lock` in the folder or above it, that project's
environment, which uv or Poetry (on PATH) first updates; else the first `python3` on PATH. Either needs the
packages in `policies/requirements.txt`. `toolchain: pip` under `runtime: options:` in `PulumiPolicy.yaml`
selects the second in any folder, and `virtualenv` names an environment. `enforcement.yaml` contains the
accounts and projects of this repository: replace them by yours."""

_WRITING: Final = """\
## Writing a policy

- `policies/<topic>/<verb_noun>.py` contains `POLICY` and its rules: `@POLICY.on(types)` evaluates one
  resource by its inputs after the provider's Check, `@POLICY.on_stack` the whole program. One file covers
  AWS, Google Cloud and Kubernetes. `@POLICY.on(*WORKLOADS)` with `check_containers` or `check_contexts` finds
  Pods in built-in kinds, in custom resources and in the values of Helm releases.
- `tests/policies/<topic>/<verb_noun>.py` contains `SPEC`, its cases: what passes, what violates the policy
  and at which property, what is unknown in a preview, what an option changes.
- A program in `tests/end_to_end/violations/` declares a resource with the violation, its name
  `violates("a-name", "topic.verb_noun")`, and a compliant one. Every policy has one for each cloud of its
  types, without exception: a preview accepts every type of the SDKs, including those that the twin does not
  support.
- `resource.known(path)` returns a value. For an unknown one it ends the rule and defers it to `up`; no rule
  tests for unknown values itself, and violations that were reported before stay.
  `check_each(resource.entries(path), check)` applies a check to each entry of a list and defers only the
  entries that need an unknown value. `any_of(candidates, test)` is true by one known candidate, whatever is
  unknown about the others.
- In the preview of a stack, values that the cloud will fill in are unknown as well;
  `resource.declared(path)` returns None for them.
- `allowed_statements(resource, path)` yields the Allow statements of any IAM policy document, and
  `require_customer_keys(POLICY, {type: Key(path, ...)})` is a policy for encryption as a table;
  `check_mapping`, `check_variables`, `check_arguments` and `check_text` of `framework/plain_secrets.py` find
  secrets in clear text."""


def text() -> str:
    """docs/policies.md."""
    policies = find()
    enforcement = read_enforcement(policies)
    return page(
        "# Policies",
        "Rules for the resources of a program. `make policy ENV=aws-prod` previews an environment on its "
        "twin and reports the violations by severity; `pulumi preview --policy-pack policies` does so for "
        "any Pulumi project. Each file in `policies/<topic>/` is a policy, and its path its id.",
        "## Reports",
        _USING,
        "## Severity, profiles and configuration",
        "The profile comes from the pack's configuration (`--policy-pack-config`, a JSON file: "
        '`{"pack": {"profile": "staging"}, "network.restrict_cluster_endpoints": {"enforcementLevel": '
        '"advisory"}}`), else from the stack\'s `ai-platform:environment`, else it is `prod`, the strictest. '
        "*Advisory* violations are reported, *mandatory* ones stop the update. `policies/enforcement.yaml` "
        "contains the level of each severity in each profile, and the policies that differ. A check that "
        "needs a value which is unknown in a preview is deferred to `up`. "
        "A policy document of IAM that the program builds as a text (`Output.json_dumps`, "
        "`aws.iam.get_policy_document`) or passes as an object is unknown as a whole while one ARN in it is: "
        "Pulumi's provider passes on no part of it. "
        "`bin/aiplatform up ENV --policy-pack policies` on a twin evaluates it before the cloud is asked.",
        "## Exemptions",
        "An exemption is an entry of `policies/exemptions.yaml` with policy, resource (a logical name, in "
        "every stack, or a URN; `*` matches any characters), owner, reason and the last day (UTC) on which "
        "it applies. After that day the pack does not run until the entry is renewed or removed.",
        "While an environment's file has `teardown`, the policies against data loss "
        f"({', '.join(code(policy.id) for policy in policies if policy.teardown_exempt)}) are advisory.",
        "## In other programs",
        _ELSEWHERE,
        _WRITING,
        f"## The {len(policies)} policies",
        "The page of a policy has the reason, what to change, its options by profile, and the cases of its "
        "tests with what is reported.",
        *(
            part
            for topic in topics()
            for part in (
                f"### {policy_pages.title(topic)}",
                policy_pages.introduction(topic),
                policy_pages.overview(
                    [policy for policy in policies if policy.id.startswith(f"{topic}.")],
                    enforcement,
                    PAGE.parent,
                ),
            )
        ),
        "## Exemptions in force",
        _exemptions(policies),
    )


def _exemptions(policies: Sequence[Policy]) -> str:
    # Expired entries are included: the page is the same on every day, and the pack itself rejects them.
    exemptions = read_exemptions(policies, datetime.date.min)
    if not exemptions:
        return "No exemption is in force."
    rows = [
        [code(entry.policy), code(entry.resource), entry.owner, entry.reason, entry.expires]
        for entry in exemptions
    ]
    return table(["policy", "resource", "owner", "reason", "until"], rows)
