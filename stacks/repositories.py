"""The addresses of an environment's repositories of images, before they exist. Pure: no resource, no call."""

from __future__ import annotations

from aiplatform.container_registry.args import REPOSITORIES
from stacks import team_parts
from stacks.settings import Settings
from stacks.settings.generated import stated


def urls(settings: Settings) -> dict[str, str]:
    """Return repository -> its address, without a scheme: what the output `repositories` of the component
    ContainerRegistry has. Empty where the file does not state the account or project."""
    environment = settings.environment
    if settings.container_registry is None:
        return {}
    of_file: list[str] = stated(settings.container_registry).get("repositories", [])
    names = [*of_file, *team_parts.repositories(settings)]
    if (environment.project_id if environment.cloud == "gcp" else environment.account_id) is None:
        return {}
    if environment.cloud == "gcp":
        place = f"{environment.region}-docker.pkg.dev/{environment.project_id}"
        return {name: f"{place}/{environment.prefix}-{name}" for name in names}
    suffix = "amazonaws.com.cn" if environment.region.startswith("cn-") else "amazonaws.com"
    host = f"{environment.account_id}.dkr.ecr.{environment.region}.{suffix}"
    return {name: f"{host}/{REPOSITORIES.of(environment.prefix)}{name}" for name in names}
