"""Whether keys of AWS KMS that the file names are of the environment's region.

On Google Cloud each component compares the location of a key with its own region. On AWS the region is the
provider's, which a component's arguments do not state: without this rule the component would refuse the key
only after others have been created.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from aiplatform._shared.args import Problem, matches, obeys
from aiplatform._shared.secret_names import KMS_KEY, key_problems
from stacks.settings import Settings

_WITH_ID: Final = matches(
    r".*:key/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})",
    "the id of a key at its end, key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
)
_ARGUMENTS: Final = ("kms_key", "volumes_kms_key", "interruptions_kms_key")
"""Arguments by which a component takes a key instead of creating one."""


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield the keys of another region, and those without a whole id. The rest of their form is a rule of the
    components."""
    region = settings.environment.region
    if settings.environment.cloud != "aws":
        return
    for path, key in _keys(settings):
        if KMS_KEY(key) is None:
            yield from list(obeys(path, key, _WITH_ID)) or key_problems(path, key, "aws", region)


def _keys(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield path and value of each argument with a key, of topics and of the entries of topics."""
    for topic, value in settings:
        entries = cast("Mapping[str, Any]", value) if isinstance(value, dict) else {"": value}
        for name, entry in entries.items():
            path = f"{topic}.{name}" if name else topic
            for where, owner in ((path, entry), (f"{path}.logs", getattr(entry, "logs", None))):
                for argument in _ARGUMENTS:
                    key = getattr(owner, argument, None)
                    if isinstance(key, str):
                        yield f"{where}.{argument}", key
