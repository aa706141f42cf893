"""Two teams on each cloud, for the page on their isolation: what an environment registers for them."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final

from aiplatform.model_monitor import ModelMonitor
from aiplatform.teams.args import ROLES
from stacks.loading import load_file
from tests.components.aiplatform.model_monitor.example import arguments
from tests.components.recording import ACCOUNT, Recording, record
from tests.stacks.environments import build
from tests.stacks.test_google_files import changed

SEARCH, ADS = "search", "search-ads"
TEAMS: Final = (SEARCH, ADS)
TABLES: Final = {SEARCH: "curated.trips", ADS: "serving.driver_stats"}
"""Team -> its table."""
NAMESPACES: Final = {SEARCH: "search-ml", ADS: "search-ml-ads"}
"""Team -> its namespace. Names and namespaces of one team begin with those of the other."""
STACKS: Final = {"aws": "aws-dev", "gcp": "gcp-dev"}
PROJECT: Final = "acme-ml-dev"
CI: Final = {
    "aws": f"arn:aws:iam::{ACCOUNT}:role/TEAM-ci",
    "gcp": f"serviceAccount:TEAM-ci@{PROJECT}.iam.gserviceaccount.com",
}
IDENTITY_OF: Final = {
    "aws": f"arn:aws:iam::{ACCOUNT}:role/acme-dev-wi-TEAM",
    # The recording engine answers another project in the email addresses of service accounts.
    "gcp": "serviceAccount:acme-dev-wi-TEAM@acme-dev-0123.iam.gserviceaccount.com",
}
"""Cloud -> the principal of a team's identity."""
MEMBERS: Final = {
    "aws": f"arn:aws:iam::{ACCOUNT}:role/TEAM-ROLE",
    "gcp": "group:TEAM-ROLE@acme.example",
}


def _change(cloud: str) -> dict[str, Any]:
    grants = [
        {"name": "features", "principal": "features", "actions": ["read"], "zones": ["serving"]},
        *(
            {"name": team, "principal": team, "actions": ["read"], "tables": [table]}
            for team, table in TABLES.items()
        ),
    ]
    return {
        "teams": {
            team: {
                **{
                    f"{role}s": [MEMBERS[cloud].replace("TEAM", team).replace("ROLE", role)] for role in ROLES
                },
                "namespace": NAMESPACES[team],
                "serves": True,
                "repositories": ["train"],
                "pushers": [CI[cloud].replace("TEAM", team)],
                "tables": [TABLES[team]],
            }
            for team in TEAMS
        },
        "lakehouse/grants": grants,
        "pipelines": {"teams": {SEARCH: {}, ADS: {}}},
        **({"cluster/gke/google_groups": "gke-security-groups@acme.example"} if cloud == "gcp" else {}),
    }


@cache
def recording(cloud: str) -> Recording:
    """Return what an environment with two teams registers."""
    with tempfile.TemporaryDirectory() as folder:
        return build(load_file(changed(Path(folder), _change(cloud), STACKS[cloud]))).recording


@cache
def monitoring(cloud: str) -> Recording:
    """Return what model monitoring registers for the same teams: requests and reports by team."""
    declared = arguments(cloud)
    [block] = declared["teams"].values()
    identities = IDENTITY_OF[cloud]
    blocks = {
        team: {
            **block,
            "namespace": NAMESPACES[team],
            "identity": {
                **block["identity"],
                "principal": identities.replace("TEAM", team),
                "namespace": NAMESPACES[team],
                **({"role_name": f"acme-dev-wi-{team}"} if cloud == "aws" else {}),
            },
        }
        for team in TEAMS
    }
    args: Any = {**declared, "teams": blocks}
    return record(lambda: ModelMonitor("monitor", args))
