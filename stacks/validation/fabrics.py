"""Teams whose Pods use the network between accelerators: their pools, and what limits their namespaces."""

from __future__ import annotations

from collections.abc import Iterator

from aiplatform._shared.args import Problem, got, nearest
from aiplatform.gpu_checks.args import NAMESPACE
from stacks import devices, fabrics, gpu_check_queues
from stacks.settings import Settings
from stacks.settings.generated import stated


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield pools without such a network, and namespaces that nothing or two entries would limit."""
    # The component refuses the argument on AWS.
    if settings.environment.cloud == "gcp":
        for team in settings.teams:
            yield from _team(settings, team)
    yield from _stated(settings)


def _team(settings: Settings, team: str) -> Iterator[Problem]:
    known = list(devices.gpudirect_pools(settings))
    pools = fabrics.pools_of(settings, team)
    expected = f"expected one of {', '.join(known)}" if known else "no pool of the file has it"
    for index, pool in enumerate(pools):
        path = f"teams.{team}.fabric[{index}]"
        if pool not in settings.gpu_pools:
            yield Problem(
                path, f"{got(pool)}, which is no GPU pool of the file; {expected}{nearest(pool, known)}"
            )
        elif pool not in known:
            yield Problem(path, f"{got(pool)}, whose nodes have no GPUDirect; {expected}")
    if pools and settings.guardrails is None:
        yield Problem(
            f"teams.{team}.fabric",
            f"{got(pools)} without the topic guardrails, and nothing would limit what Pods of the level "
            "privileged use of nodes; expected the topic, if only as {}",
        )


def _stated(settings: Settings) -> Iterator[Problem]:
    """Yield entries of namespaces that the platform creates, whose entries it derives."""
    if settings.guardrails is None:
        return
    teams = {settings.namespace_of(team): team for team in settings.teams}
    for namespace in stated(settings.guardrails).get("fabric_namespaces", {}):
        path = f"guardrails.fabric_namespaces.{namespace}"
        if namespace in teams:
            yield Problem(
                path,
                f"the namespace of the team {teams[namespace]}, whose level and entry follow from "
                f"teams.{teams[namespace]}.fabric; expected the pools there",
            )
        elif namespace == NAMESPACE and gpu_check_queues.queues_of(settings):
            yield Problem(path, "the platform derives it from the pools; expected none")
