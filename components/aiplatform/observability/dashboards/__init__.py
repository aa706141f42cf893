"""Dashboards of Grafana as code, with grafana-foundation-sdk.

    for name, text in dashboards(settings).items(): ...    # a ConfigMap each

A dashboard exists where the metrics of its panels do. Its uid never changes, so that links to it stay valid.
"""

from collections.abc import Mapping

from aiplatform.observability.rules.models import PUSHGATEWAY
from aiplatform.observability.settings import Settings

__all__ = ["dashboards"]


def dashboards(settings: Settings) -> Mapping[str, str]:
    """Return the dashboards of an environment: name -> JSON. The name is the last part of its uid."""
    # Imported late: Grafana's types take a fifth of a second to load.
    from grafana_foundation_sdk.cog.encoder import JSONEncoder

    from aiplatform.observability.dashboards import (
        cluster,
        costs,
        models,
        objectives,
        panels,
        platform,
        queues,
        serving,
        teams,
        training,
    )

    boards = {
        cluster.NAME: cluster.dashboard(settings),
        platform.NAME: platform.dashboard(settings),
        serving.NAME: serving.dashboard(settings),
    }
    if "kueue" in settings.addons:
        boards[queues.NAME] = queues.dashboard()
    if "jobset" in settings.addons:
        boards[training.NAME] = training.dashboard(settings)
    if PUSHGATEWAY in settings.addons:
        boards[models.NAME] = models.dashboard()
    if settings.opencost:
        boards[costs.NAME] = costs.dashboard(settings)
    if settings.slos:
        boards[objectives.NAME] = objectives.dashboard()
    for team in settings.teams:
        boards[teams.name_of(team)] = teams.dashboard(team, settings)
    encoder = JSONEncoder(sort_keys=True, separators=(",", ":"))
    return {name: encoder.encode(panels.arranged(board)) for name, board in sorted(boards.items())}
