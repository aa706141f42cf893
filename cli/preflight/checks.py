"""The checks of each cloud, in the order of the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cli.preflight import images
from cli.preflight.results import Result, not_checked
from cli.preflight.scope import Check, Scope, run


def results(scope: Scope) -> Iterator[Result]:
    """Yield the results of all checks. Without credentials the others are not checked."""
    (name, credentials), *others = _aws() if scope.cloud == "aws" else _gcp()
    first = list(run([(name, credentials)], scope))
    yield from first
    if all(result.state == "ok" for result in first):
        yield from run(others, scope)
    else:
        for other, _ in others:
            yield not_checked(other, scope.account, "it takes credentials of the account")


def _aws() -> Sequence[tuple[str, Check]]:
    from cli.preflight.aws import account, names, offerings, quotas, reservations, versions

    return [
        (account.CHECK, account.check),
        (quotas.CHECK, quotas.check),
        (offerings.CHECK, offerings.check),
        (reservations.CHECK, reservations.check),
        (versions.CHECK, versions.check),
        (names.CHECK, names.check),
        (images.CHECK, images.check),
    ]


def _gcp() -> Sequence[tuple[str, Check]]:
    from cli.preflight.gcp import names, offerings, project, quotas, reservations, versions

    return [
        (project.CREDENTIALS, project.check_credentials),
        (project.APIS, project.check_apis),
        (quotas.CHECK, quotas.check),
        (offerings.CHECK, offerings.check),
        (reservations.CHECK, reservations.check),
        (versions.CHECK, versions.check),
        (names.CHECK, names.check),
        (images.CHECK, images.check),
    ]
