"""Owner, location and tags of an environment: what one cloud accepts and another does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiplatform._shared.args import Problem, Rule, matches
from aiplatform._shared.cloud_support import CLOUDS, Cloud
from aiplatform._shared.gcp.names import PROJECT, REGION
from aiplatform.naming import aws_tags, google_labels
from stacks.settings import Environment, Settings

_REGION: Final[dict[Cloud, Rule]] = {
    "aws": matches(r"[a-z]{2}(-[a-z]+)+-\d", "a region such as us-west-2"),
    "gcp": REGION,
}
_ACCOUNT: Final[dict[Cloud, tuple[str, Rule]]] = {
    "aws": ("account_id", matches(r"\d{12}", "the AWS account, 12 digits in quotes")),
    "gcp": ("project_id", PROJECT),
}
_TAGS: Final[dict[Cloud, Rule]] = {"aws": aws_tags, "gcp": google_labels}
_TAG_KEYS: Final = {"owner": "owner", "cost-center": "cost_center", "environment": "name"}
"""Tag of every resource -> the key that its value comes from."""
_RESERVED_TAGS: Final = frozenset({*_TAG_KEYS, "managed-by"})
_MOST_TAGS: Final = 36
"""AWS accepts 50, Google Cloud 64; tags of the platform and of its components are among them."""


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield the problems of the topic `environment`."""
    environment = settings.environment
    reason = _REGION[environment.cloud](environment.region)
    if reason:
        yield Problem("environment.region", f"got {environment.region!r}; {reason}")
    yield from _account(environment)
    yield from _values_of_tags(environment)
    yield from _tags(environment)


def invalid_keys(settings: Settings) -> frozenset[str]:
    """Return the dotted keys of the topic that have a problem."""
    return frozenset(problem.path for problem in problems(settings))


def _account(environment: Environment) -> Iterator[Problem]:
    key, rule = _ACCOUNT[environment.cloud]
    value = getattr(environment, key)
    reason = rule(value or "")
    if value is None:
        yield Problem(f"environment.{key}", f"missing; {reason}")
    elif reason:
        yield Problem(f"environment.{key}", f"got {value!r}; {reason}")
    for other, _ in _ACCOUNT.values():
        if other != key and getattr(environment, other) is not None:
            yield Problem(
                f"environment.{other}",
                f"belongs to another cloud; expected {key} on {CLOUDS[environment.cloud]}",
            )


def _values_of_tags(environment: Environment) -> Iterator[Problem]:
    for tag, key in _TAG_KEYS.items():
        value = getattr(environment, key)
        reason = _TAGS[environment.cloud]({tag: value})
        if reason:
            # The rule names the tag and its value first; here the key of the file does.
            yield Problem(
                f"environment.{key}", f"got {value!r}; expected {reason.partition('): expected ')[2]}"
            )


def _tags(environment: Environment) -> Iterator[Problem]:
    for name in environment.tags:
        # IAM treats keys that differ only in case as equal.
        if name.lower() in _RESERVED_TAGS:
            yield Problem(
                "environment.tags",
                f"tag {name!r} is set by the platform; expected owner, cost_center or name instead",
            )
    if len(environment.tags) > _MOST_TAGS:
        yield Problem("environment.tags", f"got {len(environment.tags)} tags; expected at most {_MOST_TAGS}")
    reason = _TAGS[environment.cloud](environment.tags)
    if reason:
        yield Problem("environment.tags", reason)
