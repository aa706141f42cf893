"""Functions comply with the policies of production."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from aiplatform.function import Function
from tests.components.aiplatform.function.example import CALLERS, NETWORKS, arguments, ingest
from tests.components.recording import ACCOUNT, REGION, Recording, record
from tests.policies.test_environments import violations

USES: dict[str, Any] = {
    "ingest": ingest,
    "http": lambda cloud: {"http": {"callers": [CALLERS[cloud]]}, "network": NETWORKS[cloud]},
}


def _recorded(cloud: str, **more: Any) -> Recording:
    place = {"project": "acme-ml-prod"} if cloud == "gcp" else {}
    args: Any = arguments(cloud, prefix="acme-prod", tags={"cost-center": "ml-4711"}, **place, **more)

    def program() -> None:
        import pulumi_aws as aws
        import pulumi_gcp as gcp

        provider: pulumi.ProviderResource = (
            aws.Provider("aws", region=REGION, allowed_account_ids=[ACCOUNT])
            if cloud == "aws"
            else gcp.Provider("gcp", project="acme-ml-prod", region="us-central1")
        )
        Function("ingest", args, pulumi.ResourceOptions(providers=[provider]))

    return record(program, stack=f"{cloud}-prod")


def _problems(recording: Recording, cloud: str) -> list[str]:
    return [
        f"{entry.policy.id}: {entry.name}.{entry.path}: {entry.problem}"
        for entry in violations(recording, f"{cloud}-prod")
    ]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_a_function_has_no_violation(cloud: str, use: str) -> None:
    assert not _problems(_recorded(cloud, **USES[use](cloud)), cloud)


def test_a_service_that_is_open_to_the_internet_is_a_violation() -> None:
    recorded = _recorded("gcp", http={"callers": [CALLERS["gcp"]], "from_internet": True})
    [problem] = _problems(recorded, "gcp")
    assert problem.startswith("network.restrict_functions: ")
