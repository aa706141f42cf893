"""What two teams of a file may not share, and grants on what is another team's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from stacks.loading import load_file
from tests.components.recording import ACCOUNT
from tests.stacks.test_google_files import Change, changed, problems

ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role"
SEARCH: Final[Change] = {"owners": [f"{ROLE}/search"]}
ADS: Final[Change] = {"owners": [f"{ROLE}/ads"]}
TABLE: Final = "serving.driver_stats"


def teams(search: Change | None = None, ads: Change | None = None, **change: Any) -> Change:
    """Two teams with these keys, and further changes of the file."""
    return {"teams": {"search": {**SEARCH, **(search or {})}, "ads": {**ADS, **(ads or {})}}, **change}


def on_google(search: Change | None = None, ads: Change | None = None, **change: Any) -> Change:
    """The same on Google Cloud."""
    groups: Change = {"cluster/gke": {"google_groups": "gke-security-groups@acme.example"}}
    return {
        **groups,
        **teams(
            {"owners": ["group:search@acme.example"], **(search or {})},
            {"owners": ["group:ads@acme.example"], **(ads or {})},
            **change,
        ),
    }


def granted(principal: str, **grant: Any) -> Change:
    """Change of the file: a grant next to those that it has."""
    features = {"name": "features", "principal": "features", "actions": ["read"], "tables": [TABLE]}
    return {
        "lakehouse/grants": [
            features,
            {"name": "more", "principal": principal, "actions": ["read"], **grant},
        ]
    }


CASES: Final[dict[str, tuple[Change, str]]] = {
    "a queue of two teams": (
        teams({"queue": "shared"}, {"queue": "shared"}),
        "teams.ads.queue: got 'shared', which is the queue of search; expected another one",
    ),
    "an owner of two teams": (
        teams(ads=SEARCH),
        f"teams.ads.owners[0]: got '{ROLE}/search', which is in teams.search.owners, too; expected a "
        "principal of this team alone",
    ),
    "a developer that reads another team": (
        teams({"developers": [f"{ROLE}/dev"]}, {"readers": [f"{ROLE}/dev"]}),
        "teams.search.developers[0]: got",
    ),
    "a secret below another team's path": (
        teams(ads={"secrets": {"hub": {"secret": "acme-dev/teams/search/hub", "keys": {"a": "b"}}}}),
        "teams.ads.secrets.hub.secret: got 'acme-dev/teams/search/hub', which is below the path of search; "
        "expected a secret below acme-dev/teams/ads/, or one of no team",
    ),
    "the same by arn": (
        teams(
            ads={
                "secrets": {
                    "hub": {
                        "secret": f"arn:aws:secretsmanager:us-west-2:{ACCOUNT}:secret:acme-dev/teams/search/"
                        "hub-a1b2C3",
                        "keys": {"a": "b"},
                    }
                }
            }
        ),
        "which is below the path of search",
    ),
    "another team's account as a secret": (
        teams(
            ads={
                "secrets": {"other": {"secret": "acme-dev/mlflow/accounts/search", "keys": {"a": "password"}}}
            }
        ),
        "teams.ads.secrets.other.secret: got 'acme-dev/mlflow/accounts/search', the account of search in the "
        "model registry; expected its consent: teams.search.shares.ads: [models]",
    ),
    "a table of two teams": (
        teams({"tables": [TABLE]}, {"tables": [TABLE]}),
        f"teams.ads.tables[0]: got '{TABLE}', which is a table of search; expected one team for each",
    ),
    "an unknown table": (
        teams({"tables": ["serving.driver_stat"]}),
        f"teams.search.tables[0]: got 'serving.driver_stat', which is no table of the file; did you mean "
        f"'{TABLE}'?",
    ),
    "a share for an unknown team": (
        teams({"tables": [TABLE], "shares": {"adds": [TABLE]}}),
        "teams.search.shares.adds: got 'adds', which is no other team of the file; did you mean 'ads'?",
    ),
    "a share of what is not the team's": (
        teams({"shares": {"ads": [TABLE]}}),
        f"teams.search.shares.ads[0]: got '{TABLE}', which is not the team's; expected one of models",
    ),
    "a grant on another team's table": (
        teams({"tables": [TABLE]}, **granted("ads", tables=[TABLE])),
        f"lakehouse.grants[1].tables[0]: gives {TABLE}, a table of search, to ads; expected its consent: "
        f"teams.search.shares.ads: [{TABLE}]",
    ),
    "the same by the whole zone": (
        teams({"tables": [TABLE]}, **granted("ads", zones=["serving"])),
        "lakehouse.grants[1].zones[0]: gives",
    ),
    "the same for a member": (
        teams({"tables": [TABLE]}, **granted(f"{ROLE}/ads", tables=[TABLE])),
        "to ads; expected its consent",
    ),
    "the same for the role of the identity": (
        teams({"tables": [TABLE]}, **granted(f"{ROLE}/acme-dev-wi-ads", tables=[TABLE])),
        "to ads; expected its consent",
    ),
    "a writer of all tables": (
        teams({"tables": [TABLE]}, None, **{"lakehouse/writers": ["pipelines", "ads"]}),
        f"lakehouse.writers[1]: gives {TABLE}, a table of search, to ads",
    ),
    "another team's account in the model registry": (
        teams(
            **{"model_registry/accounts": {"release": {"promotes": True}, "search": {"principals": ["ads"]}}}
        ),
        "model_registry.accounts.search.principals[0]: gives the models of search, to ads; expected its "
        "consent: teams.search.shares.ads: [models]",
    ),
    "another team's models, by an account": (
        teams(**{"model_registry/accounts": {"release": {"promotes": True}, "ads": {"reads": ["search"]}}}),
        "model_registry.accounts.ads.reads[0]: gives the models of search, to ads; expected its consent: "
        "teams.search.shares.ads: [models]",
    ),
    "the same by a shared account": (
        teams(
            **{
                "model_registry/accounts": {
                    "release": {"promotes": True},
                    "audit": {"reads": ["search"], "principals": ["ads"]},
                }
            }
        ),
        "model_registry.accounts.audit.principals[0]: gives the models of search, to ads; expected its",
    ),
    "models of an account that does not exist": (
        teams(**{"model_registry/accounts": {"release": {"promotes": True}, "ads": {"reads": ["serch"]}}}),
        "accounts.ads.reads[0]: got 'serch'; expected another account of `accounts`; did you mean 'search'?",
    ),
    "the account that promotes": (
        teams(**{"model_registry/accounts": {"release": {"promotes": True, "principals": ["ads"]}}}),
        "model_registry.accounts.release.principals[0]: gives the models of search, to ads",
    ),
    "a quota that is more than the pools of the cohort have": (
        teams(
            {"queue": "search"},
            **{
                "queues/cohorts": [{"name": "all"}],
                "queues/queues": [
                    {"name": "search", "cohort": "all", "quotas": [{"pool": "t4", "accelerators": 100}]}
                ],
            },
        ),
        "queues.queues[0].quotas[0].accelerators: got 100 nvidia.com/gpu; expected at most",
    ),
    "a group that is no role": (
        teams({"developers": ["group:search@acme.example"]}),
        "teams.search.developers[0]: got 'group:search@acme.example'; expected an IAM role's arn",
    ),
    "a name that is too long": (
        {"teams": {"a" * 21: SEARCH}},
        f"teams.{'a' * 21}: got '{'a' * 21}'; expected at most 20 characters",
    ),
    "the name of the account that administers the model registry": (
        {"teams": {"admin": SEARCH}},
        "teams.admin: got 'admin', which is the account of the model registry that administers it",
    ),
    "the name of an account that promotes": (
        {"teams": {"release": SEARCH}},
        "teams.release: got 'release', which is the account of the model registry that promotes",
    ),
    "a namespace of two teams": (
        teams({"namespace": "shared"}, {"namespace": "shared"}),
        "teams.ads.namespace: got 'shared', which is the namespace of search; expected another one",
    ),
    "the namespace of an archived team": (
        teams({"archive": True, "namespace": "search-ml"}, {"namespace": "search-ml"}),
        "teams.ads.namespace: got 'search-ml', which was that of search, an archived team with data below",
    ),
    "a topic that names an archived team": (
        teams({"archive": True}, **granted("search", tables=[TABLE])),
        "lakehouse.grants[1].principal: got 'search'; expected the name of one of this file's",
    ),
}

GOOGLE_CASES: Final[dict[str, tuple[Change, str]]] = {
    "a namespace of two teams": (
        on_google({"namespace": "shared"}, {"namespace": "shared"}),
        "teams.ads.namespace: got 'shared', which is the namespace of search; expected another one",
    ),
    "a queue of two teams": (
        on_google({"queue": "shared"}, {"queue": "shared"}),
        "teams.ads.queue: got 'shared', which is the queue of search; expected another one",
    ),
    "a quota that is more than the pools of the cohort have": (
        on_google(
            {"queue": "search"},
            **{
                "queues/cohorts": [{"name": "all"}],
                "queues/queues": [
                    {"name": "search", "cohort": "all", "quotas": [{"pool": "t4", "accelerators": 100}]}
                ],
            },
        ),
        "queues.queues[0].quotas[0].accelerators: got 100 nvidia.com/gpu; expected at most",
    ),
    "another team's models, by an account": (
        on_google(
            **{"model_registry/accounts": {"release": {"promotes": True}, "ads": {"reads": ["search"]}}}
        ),
        "model_registry.accounts.ads.reads[0]: gives the models of search, to ads; expected its consent: "
        "teams.search.shares.ads: [models]",
    ),
    "a name that is too long": (
        on_google() | {"teams": {"a" * 21: {"owners": ["group:search@acme.example"]}}},
        f"teams.{'a' * 21}: got '{'a' * 21}'; expected at most 20 characters",
    ),
    "a user in place of a group": (
        on_google({"developers": ["user:ann@acme.example"]}),
        "teams.search.developers[0]: got 'user:ann@acme.example'; expected a Google group",
    ),
    "a group without a domain": (
        on_google({"developers": ["group:search"]}),
        "teams.search.developers[0]: got 'group:search'; expected a Google group",
    ),
    "a group of two teams": (
        on_google(ads={"developers": ["group:search@acme.example"]}),
        "teams.ads.developers[0]: got 'group:search@acme.example', which is in teams.search.owners, too",
    ),
    "a secret below another team's path": (
        on_google(
            ads={
                "secrets": {
                    "hub": {"secret": "projects/p/secrets/acme-dev-teams-search_hub", "keys": {"a": "b"}}
                }
            }
        ),
        "which is below the path of search; expected a secret below acme-dev-teams-ads_",
    ),
    "a grant on another team's table": (
        on_google(
            {"tables": [TABLE]},
            **granted("serviceAccount:acme-dev-wi-ads@acme-ml-dev.iam.gserviceaccount.com", tables=[TABLE]),
        ),
        f"lakehouse.grants[1].tables[0]: gives {TABLE}, a table of search, to ads",
    ),
}


@pytest.mark.parametrize(("change", "expected"), CASES.values(), ids=CASES)
def test_what_two_teams_may_not_share_is_refused(tmp_path: Path, change: Change, expected: str) -> None:
    assert expected in "\n".join(problems(tmp_path, change, "aws-dev"))


@pytest.mark.parametrize(("change", "expected"), GOOGLE_CASES.values(), ids=GOOGLE_CASES)
def test_what_two_teams_may_not_share_is_refused_on_google_cloud(
    tmp_path: Path, change: Change, expected: str
) -> None:
    assert expected in "\n".join(problems(tmp_path, change))


def test_consent_of_the_owner_permits_a_grant(tmp_path: Path) -> None:
    consent = {"tables": [TABLE], "shares": {"ads": [TABLE, "models"]}}
    accounts = {
        "release": {"promotes": True},
        "search": {"principals": ["ads"]},
        "ads": {"reads": ["search"]},
    }
    change = teams(consent, **granted("ads", tables=[TABLE]), **{"model_registry/accounts": accounts})
    assert load_file(changed(tmp_path, change, "aws-dev")).teams.keys() == {"search", "ads"}


def test_a_grant_to_no_team_and_to_the_owner_needs_no_consent(tmp_path: Path) -> None:
    for principal in ("analysts", "search", f"{ROLE}/search"):
        change = teams({"tables": [TABLE]}, **granted(principal, tables=[TABLE]))
        assert load_file(changed(tmp_path, change, "aws-dev")), principal


def test_one_group_may_read_several_teams(tmp_path: Path) -> None:
    audit = {"readers": [f"{ROLE}/audit"]}
    assert load_file(changed(tmp_path, teams(audit, audit), "aws-dev")), "a reader runs nothing"


def test_an_archived_team_keeps_its_tables_and_its_path_of_secrets(tmp_path: Path) -> None:
    archived = {"tables": [TABLE], "archive": True}
    settings = load_file(changed(tmp_path, teams(archived), "aws-dev"))
    assert settings.teams.keys() == {"ads"}
    assert settings.archived_teams.keys() == {"search"}
    assert "search" not in settings.identities, "its identity is deleted"
    change = teams(archived, **granted("ads", tables=[TABLE]))
    assert "a table of search, to ads" in "\n".join(problems(tmp_path, change, "aws-dev"))
