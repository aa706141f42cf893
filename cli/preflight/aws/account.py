"""Whether there are credentials, and whether they are of the environment's account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cli.clients.aws import ApiError
from cli.clients.errors import UncheckedError
from cli.preflight.results import Result, ok, problem
from cli.preflight.scope import Scope

CHECK: Final = "credentials"
_LOG_IN: Final = "export AWS_PROFILE=PROFILE; aws sso login; aws sts get-caller-identity"


def check(scope: Scope) -> Iterator[Result]:
    """Compare the account of the credentials with that of the environment's file."""
    try:
        caller = scope.client.call("sts", "get_caller_identity")
    except (ApiError, UncheckedError) as error:
        yield problem(CHECK, scope.account, f"AWS accepts no credentials: {error}", _LOG_IN)
        return
    account, principal = str(caller["Account"]), str(caller["Arn"])
    if account == scope.account:
        yield ok(CHECK, account, principal)
        return
    yield problem(
        CHECK,
        scope.account,
        f"the credentials are of account {account} ({principal}); expected account {scope.account}, which "
        f"environments/Pulumi.{scope.environment}.yaml states",
        _LOG_IN,
    )
