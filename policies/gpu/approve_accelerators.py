"""Only accelerators that somebody has approved."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided
from ..pack.accelerators import MACHINES, accelerators

POLICY = Policy(
    title="Approved accelerators only",
    severity="high",
    description="A node of eight H100 costs more in a day than a T4 in half a year, and one line of a "
    "program makes either. Which accelerators a profile may ask for is said once, in strictness.yaml.",
    remediation="Take an accelerator that is approved for this profile, or have the list extended.",
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
            "The accelerators that may be asked for.",
        )
    },
)


@POLICY.on(*MACHINES)
def on_machines(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Machine types that have an accelerator, and cards that are attached. Each is told of once."""
    told: set[str] = set()
    for path, found in accelerators(resource):
        if found is UNKNOWN:
            yield Undecided(path)
        elif found not in options["approved"] and found not in told:
            told.add(found)
            asked = resource.get(path)
            yield Finding(path, f"asks for {asked!r}; {found} is none of {', '.join(options['approved'])}")
