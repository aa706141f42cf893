"""Arguments that pipelines refuse, before anything is registered."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from tests.components.aiplatform.pipelines.example import IDENTITIES, arguments, pipelines


@pytest.mark.parametrize(
    ("cloud", "more", "message"),
    [
        ("aws", {"teams": {}}, "teams: "),
        ("aws", {"expire_days": 0}, "expire_days: got 0"),
        ("aws", {"replicas": 4}, "replicas: got 4"),
        ("aws", {"kms_key": "projects/p/locations/l/keyRings/r/cryptoKeys/k"}, "kms_key: got"),
        ("gcp", {"kms_key": "arn:aws:kms:us-west-2:111122223333:key/0"}, "kms_key: got"),
        ("aws", {"team": {"submitters": ["group:ci@acme.example"]}}, "teams.search.submitters[0]: got"),
        ("gcp", {"team": {"submitters": ["arn:aws:iam::1:role/ci"]}}, "teams.search.submitters[0]: got"),
        ("gcp", {"team": {"submitters": ["user:anna@acme.example"]}}, "teams.search.submitters[0]: got"),
        ("aws", {"team": {"namespace": "Search"}}, "teams.search.namespace: got 'Search'"),
        ("aws", {"team": {"namespace": "other"}}, "teams.search.identity.namespace: got 'search'; expected"),
        (
            "aws",
            {"team": {"identity": {**IDENTITIES["aws"], "service_account": "pipeline-jobs"}}},
            "teams.search.identity.service_account: got 'pipeline-jobs'",
        ),
        (
            "aws",
            {"team": {"identity": {"principal": "p", "role_name": "r"}}},
            "teams.search.identity.service_account: missing",
        ),
        (
            "aws",
            {"team": {"identity": {"principal": "p", "service_account": "workloads"}}},
            "teams.search.identity.role_name: missing",
        ),
        ("aws", {"force_destroy": True, "protect": True}, "force_destroy: got true together with protect"),
    ],
)
def test_a_wrong_argument_is_named(cloud: str, more: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        pipelines(cloud, **more)
    assert f"PipelinesArgs.{message}" in str(refused.value)


def test_two_teams_do_not_share_a_namespace() -> None:
    team = arguments("aws")["teams"]["search"]
    with pytest.raises(ArgumentError, match=r"teams\.ads\.namespace: got 'search', which is the namespace"):
        pipelines("aws", teams={"search": team, "ads": team})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schedules": ["0 3 * *"]}, "schedules[0]: got '0 3 * *'; expected cron's five fields"),
        ({"schedules": ["0 25 * * *"]}, "schedules[0]: got '0 25 * * *'; expected hour from 0 to 23"),
        ({"schedules": ["@daily"]}, "schedules[0]: got '@daily'; expected cron's five fields"),
        ({"schedules": ["0 17-9 * * *"]}, "schedules[0]: got '0 17-9 * * *'; expected ranges whose first"),
        ({"schedules": []}, "schedules: got [], of length 0; expected 1 to 10 schedules"),
        ({"timezone": "Europe/Berln"}, "timezone: got 'Europe/Berln'; expected a time zone of IANA"),
        ({"timezone": "CEST"}, "timezone: got 'CEST'"),
        ({"concurrency": "never"}, "concurrency: got 'never'"),
        ({"deadline_minutes": 2000}, "deadline_minutes: got 2000; expected 0 to 1440"),
        ({"template": "Train"}, "template: got 'Train'"),
    ],
)
def test_a_schedule_that_is_none_is_refused(change: dict[str, Any], message: str) -> None:
    schedule = {"template": "train", "schedules": ["0 3 * * *"], **change}
    with pytest.raises(ArgumentError) as refused:
        pipelines("aws", team={"schedules": {"nightly": schedule}})
    assert f"PipelinesArgs.teams.search.schedules.nightly.{message}" in str(refused.value)


def test_a_schedule_has_a_name_from_which_argo_makes_a_label() -> None:
    schedule = {"template": "train", "schedules": ["0 3 * * *"]}
    with pytest.raises(ArgumentError, match="at most 52 characters"):
        pipelines("aws", team={"schedules": {"n" * 53: schedule}})
