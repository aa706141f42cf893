"""boto3's clients of an account: endpoints and credentials are those of the variables that the provider
reads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from cli.clients.errors import UncheckedError

_SECONDS: Final = 15
_DENIED: Final = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess")


class ApiError(UncheckedError):
    """An error that a service answered. code: as the service names it; a HEAD request has the status."""

    def __init__(self, code: str, message: str) -> None:
        """Store both."""
        super().__init__(f"{code}: {message}")
        self.code = code


class Client:
    """Calls of one region."""

    def __init__(self, region: str) -> None:
        """Make no request yet."""
        self.region = region
        self._of = cache(self._make)

    def call(self, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """Return an answer. Raises ApiError, and UncheckedError where the caller lacks the permission or the
        service cannot be reached."""
        with _errors(service, operation):
            return getattr(self._of(service), operation)(**parameters)

    def pages(self, service: str, operation: str, key: str, **parameters: Any) -> list[Any]:
        """Return the entries of all pages under a key. Raises as `call`."""
        with _errors(service, operation):
            client = self._of(service)
            if not client.can_paginate(operation):
                return list(getattr(client, operation)(**parameters)[key])
            paginator = client.get_paginator(operation)
            return [entry for page in paginator.paginate(**parameters) for entry in page.get(key) or ()]

    def _make(self, service: str) -> Any:
        import boto3  # takes half a second to import
        from botocore.config import Config

        retries: Any = {"total_max_attempts": 3}
        config = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries=retries)
        make: Any = boto3.client  # its types know each service by a literal
        return make(service, region_name=self.region, config=config)


class _errors:  # noqa: N801 - a context manager
    def __init__(self, service: str, operation: str) -> None:
        self._call = f"{service}:{''.join(part.capitalize() for part in operation.split('_'))}"

    def __enter__(self) -> None:
        """Enter."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            answer: Mapping[str, Any] = error.response.get("Error") or {}
            code = str(answer.get("Code"))
            if code in _DENIED:
                raise UncheckedError(f"it takes the permission {self._call}: {code}") from error
            raise ApiError(code, str(answer.get("Message") or "no message")) from error
        if isinstance(error, BotoCoreError):
            raise UncheckedError(f"{self._call}: {error}") from error
