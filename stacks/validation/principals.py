"""Principals that grants name: workload identities of the file by name, or principals of the cloud."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiplatform._shared.args import Problem, nearest
from aiplatform._shared.cloud_support import CLOUDS
from stacks.settings import Settings
from stacks.settings.principals import EVERYBODY

_OF_THE_ACCOUNT: Final = ("lakehouse.writers", "feature_store.readers", "feature_store.appliers")
"""Keys whose principals get a policy attached, or a trust policy of this account: roles of other accounts
cannot."""


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield the principals that do not exist, and those of another account where the account's own are
    needed."""
    yield from _unknown_names(settings)
    yield from _of_another_account(settings)


def _unknown_names(settings: Settings) -> Iterator[Problem]:
    for path, name in settings.named_principals.items():
        if ":" not in name and name not in settings.identities:
            everybody = ", which is every principal" if name in EVERYBODY else ""
            yield Problem(
                path,
                f"got {name!r}{everybody}; expected the name of one of this file's workload_identities, or a "
                f"principal of {CLOUDS[settings.environment.cloud]}{nearest(name, settings.identities)}",
            )


def _of_another_account(settings: Settings) -> Iterator[Problem]:
    account = settings.environment.account_id
    if settings.environment.cloud != "aws" or account is None:
        return
    for path, name in settings.named_principals.items():
        if path.startswith(_OF_THE_ACCOUNT) and ":role/" in name and f":iam::{account}:" not in name:
            yield Problem(path, f"got {name!r}; expected a role of this account, {account}")
