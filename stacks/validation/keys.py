"""Whether what the file names on AWS is of the environment's region: keys of KMS, and a database; and whether
`environment.kms_key_grants` has an effect.

On Google Cloud each component compares a location with its own region. On AWS the region is the
provider's, which a component's arguments do not state: without this rule the component would refuse it
only after others have been created.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from aiplatform._shared import key_grants
from aiplatform._shared.args import Problem, obeys
from aiplatform._shared.cloud_support import Refused
from aiplatform._shared.secret_names import KMS_KEY, key_problems
from aiplatform.model_registry.existing_database import endpoint_in, secret_in
from stacks.key_grants import takes_grants
from stacks.settings import Settings
from stacks.settings.base import Topic
from stacks.settings.generated import stated

_ARGUMENTS: Final = ("kms_key", "volumes_kms_key", "interruptions_kms_key")
"""Arguments by which a component takes a key instead of creating one."""


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield what is of another region, and grants on keys that no topic names. The form of values is a rule
    of the components."""
    region = settings.environment.region
    if not settings.environment.kms_key_grants:
        yield from _grants(settings)
    if settings.environment.cloud != "aws":
        return
    for path, key in _keys(settings):
        if KMS_KEY(key) is None:
            yield from key_problems(path, key, "aws", region)
    for key, rule in (("host", endpoint_in), ("master_secret", secret_in)):
        value = _database(settings).get(key)
        if isinstance(value, str) and rule(None)(value) is None:
            yield from obeys(f"model_registry.database.existing.{key}", value, rule(region))


def _database(settings: Settings) -> Mapping[str, Any]:
    """Return what the file states of a database that exists."""
    registry = stated(settings.model_registry) if settings.model_registry is not None else {}
    return registry.get("database", {}).get("existing", {})


def _grants(settings: Settings) -> Iterator[Problem]:
    refusal = getattr(key_grants.SUPPORT, settings.environment.cloud)
    if isinstance(refusal, Refused):
        yield Problem(
            "environment.kms_key_grants", f"got false, which AWS does not support: {refusal.reason}"
        )
    elif not any(takes_grants(stated(owner)) for _, owner in _owners(settings)):
        yield Problem(
            "environment.kms_key_grants",
            "got false, and no topic names a key that exists; expected one, such as `cluster.kms_key`, or it "
            "left out",
        )


def _keys(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield path and value of each argument with a key."""
    for path, owner in _owners(settings):
        for argument in _ARGUMENTS:
            key = getattr(owner, argument, None)
            if isinstance(key, str):
                yield f"{path}.{argument}", key
    key = _database(settings).get("master_secret_kms_key")
    if isinstance(key, str):
        yield "model_registry.database.existing.master_secret_kms_key", key


def _owners(settings: Settings) -> Iterator[tuple[str, Topic]]:
    """Yield path and value of what may have a key: topics, entries of topics, and their `logs`."""
    for topic, value in settings:
        entries = cast("Mapping[str, Any]", value) if isinstance(value, dict) else {"": value}
        for name, entry in entries.items():
            path = f"{topic}.{name}" if name else topic
            for where, owner in ((path, entry), (f"{path}.logs", getattr(entry, "logs", None))):
                if isinstance(owner, Topic):
                    yield where, owner
