"""Validation of an environment file: everything that is checked before the engine registers a resource.

    problems = validate(settings)               # offline: no credentials, no call, some milliseconds
    problems = validate(settings, provider)     # also asks the cloud: quotas, zones, machine types

Both return a list of `Problem(path, reason)`: the dotted key of the file (`gpu_pools.t4.capacity[0].zone`)
and what is wrong with it, as `got <value>; expected <what>`. stacks/loading.py adds file and line.

What is checked where:

- Types, unknown and missing keys: the model (stacks/settings); shape.py words the errors.
- The value of a component's argument: the component itself (components/aiplatform/<entity>/args.py).
  components.py reads the arguments that the file leads to and maps each problem to the key of the file. Such
  a rule belongs to the component and is not repeated here.
- Everything else, such as what a profile permits or whether two topics fit together: a module of this package
  for each concern.

To add a rule, find the module of its concern and yield a problem in it:

    def problems(settings: Settings) -> Iterator[Problem]:
        if settings.environment.profile == "prod" and settings.network.nat == "single":
            yield Problem("network.nat", "got 'single'; expected 'per_zone' or 'none' in prod")

A new concern is a new module with such a function, and a line in RULES below; in CLOUD_RULES if the answer
takes a call to the cloud, which is made by the provider that the function then takes. What does not exist
yet, such as the id of the network that a pool refers to, is UNKNOWN in placeholders.py. Tests are
in tests/stacks/validation/: a case is a change of a valid file, the key and a part of the message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import pulumi

from aiplatform._shared.args import Problem
from stacks.settings import Settings
from stacks.validation import (
    alarm_targets,
    availability,
    bootstrap_guard,
    components,
    continuous_training,
    cost,
    cross_references,
    devices,
    environment,
    existing_network,
    fabrics,
    functions,
    gpudirect_ranges,
    ip_capacity,
    keys,
    layers,
    mirrors,
    model_monitor,
    principals,
    private_network,
    profile,
    runner,
    serving,
    teams,
    training,
)

RULES: Final[tuple[Callable[[Settings], Iterable[Problem]], ...]] = (
    environment.problems,
    layers.problems,
    profile.problems,
    runner.problems,
    principals.problems,
    cross_references.problems,
    teams.problems,
    serving.problems,
    training.problems,
    continuous_training.problems,
    model_monitor.problems,
    functions.problems,
    cost.problems,
    devices.problems,
    fabrics.problems,
    components.problems,
    existing_network.problems,
    private_network.problems,
    mirrors.problems,
    ip_capacity.problems,
    gpudirect_ranges.problems,
    keys.problems,
    alarm_targets.problems,
)
"""Rules that settings alone decide, in the order of their problems."""

CLOUD_RULES: Final[tuple[Callable[[Settings, pulumi.ProviderResource], Iterable[Problem]], ...]] = (
    bootstrap_guard.problems,
    availability.problems,
)
"""Rules that need an answer of the cloud. They are asked only of settings that no rule above refuses."""


def validate(settings: Settings, provider: pulumi.ProviderResource | None = None) -> list[Problem]:
    """Return every problem of the settings; an empty list if they can be applied. Pools of machines that the
    cloud does not have are reported alone.

    provider: the environment's, by which the cloud is asked. Without one only the offline rules are
    evaluated.
    """
    problems = components.unknown_machines(settings)
    if not problems:
        problems = [problem for rule in RULES for problem in rule(settings)]
    if provider is not None and not problems:
        problems = [problem for rule in CLOUD_RULES for problem in rule(settings, provider)]
    return list(dict.fromkeys(problems))
