"""What a key of an environment file means, as JSON.

    python -m stacks.explain gpu_pools.training.max aws-prod

The environment is optional. Exits with 1 and the reason for an unknown key or an environment whose file
cannot be read.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from aiplatform._shared.cloud_support import CLOUDS
from stacks.explain import checked, defaults, effects, keys, types, values
from stacks.explain.keys import Key, UnknownKeyError
from stacks.loading import SettingsError
from stacks.profiles import PROFILES


def document(text: str, environment: str = "") -> dict[str, Any]:
    """Return what is known of a key. Raises UnknownKeyError and SettingsError."""
    key, stated = keys.resolve(text)
    below = keys.children(key.path)
    answer: dict[str, Any] = {
        "key": key.dotted,
        "meaning": key.meaning,
        "type": types.words(key.field.annotation).replace("`", ""),
        "allowed": checked.allowed(key),
        "unit": checked.unit(key),
        "default": None if _is_object(key) else _defaults(key),
        "effect": {cloud: asdict(effect) for cloud, effect in effects.effects(key).items()},
        "clouds": dict(CLOUDS),
        "taken_by": effects.taken_by(key),
        "docs": effects.page(key),
        "keys": {other.dotted: other.summary for other in below},
    }
    if environment:
        answer["environment"] = environment
        answer["values"] = [asdict(value) for value in values.values(key, stated, environment)]
    return answer


def _is_object(key: Key) -> bool:
    """Return whether a key is a topic or an object, whose keys have defaults."""
    inside = [path for path, _ in types.blocks(key.field.annotation)]
    return len(key.path) == 1 or () in inside


def _defaults(key: Key) -> dict[str, dict[str, Any]]:
    """Return profile -> cloud -> the default; `required` where a file has to state it."""
    profiles = PROFILES["aws"]
    return {profile: {cloud: _default(key, cloud, profile) for cloud in CLOUDS} for profile in profiles}


def _default(key: Key, cloud: str, profile: str) -> dict[str, Any]:
    value = defaults.default(key, cloud, profile)
    of_profile = defaults.of_profile(cloud, profile, key.path) is not defaults.MISSING
    if value is defaults.MISSING:
        return {"required": True}
    return {"value": value, "source": "profile" if of_profile else "default"}


def main(arguments: list[str]) -> int:
    """Print what is known of a key. Return the exit code."""
    try:
        answer = document(*arguments)
    except (UnknownKeyError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(answer, indent=1, default=str) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
