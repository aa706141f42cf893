"""What a query was asked with: by whom, where, and where its results go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twin.aws.api_server.internal_client import Inside
from twin.aws.services.athena.queries.storage import Meter, Storage


@dataclass(frozen=True)
class QueryContext:
    """One execution's surroundings.

    caller: AWS in the name of who asks. service: AWS as Athena itself, for what Lake Formation gives.
    principal: the caller's IAM arn. lake: the region's Lake Formation. output: where results go, with a slash
    at its end; empty where Athena keeps them. enforced: whether the workgroup says where.
    """

    execution: str
    region: str
    account: str
    principal: str
    caller: Inside
    service: Inside
    lake: Any
    database: str = "default"
    output: str = ""
    enforced: bool = False
    encryption: dict[str, str] = field(default_factory=dict[str, str])
    meter: Meter = field(default_factory=Meter)

    @property
    def results(self) -> Storage:
        """S3 for what the query itself writes: in the caller's name."""
        return Storage(self.caller, self.encryption)
