"""Only approved accelerators are requested."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..framework import Option, Options, Outcome, Policy, Resource, Violation, check_each
from ..framework.accelerators import MACHINES, Accelerator, accelerators

POLICY = Policy(
    title="Approved accelerators only",
    severity="high",
    description="A node of eight H100 costs more in a day than a T4 in half a year, and one line of a "
    "program creates either. enforcement.yaml lists the accelerators that a profile may use.",
    remediation="Use an accelerator that is approved for this profile, or have the list extended.",
    frameworks=("NIST 800-53 CM-7",),
    options={
        "approved": Option(
            {"type": "array", "items": {"type": "string"}},
            [
                "t4",
                "l4",
                "a10g",
                "l40s",
                "a100",
                "a100-80",
                "h100",
                "h100-mega",
                "h200",
                "b200",
                "inferentia2",
                "trainium",
                "trainium2",
                "tpu-v5e",
                "tpu-v5p",
                "tpu-v6e",
            ],
            "The accelerators that may be requested.",
        )
    },
)


@POLICY.on(*MACHINES)
def on_machines(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Machine types with an accelerator, and attached accelerators. Each accelerator is reported once."""
    reported: set[str] = set()
    yield from check_each(accelerators(resource), _check, resource, options["approved"], reported)


def _check(
    accelerator: Accelerator, resource: Resource, approved: Collection[str], reported: set[str]
) -> Iterator[Outcome]:
    name = accelerator.name
    if name not in approved and name not in reported:
        reported.add(name)
        requested = resource.known(accelerator.path)
        yield Violation(accelerator.path, f"requests {requested!r}, a {name}; expected {', '.join(approved)}")
