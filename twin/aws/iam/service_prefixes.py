"""The prefixes that actions of policies may have."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from twin.aws.validation.parameters import loader


@cache
def service_prefixes() -> frozenset[str]:
    """Botocore's services where they agree, and the others of service_prefixes.toml."""
    stated = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    services = frozenset(loader().list_available_services("service-2"))
    return services.difference(stated["clients_only"]).union(stated["others"])
