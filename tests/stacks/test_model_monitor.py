"""The topic `model_monitor`: what an environment supplies, and what it refuses by file and line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from aiplatform.model_monitor.tables import REQUESTS, RESULTS
from stacks.images import addons_of, repositories
from stacks.loading import load_file
from tests.policies.test_environments import violations
from tests.stacks.environments import REGISTRY, build
from tests.stacks.test_continuous_training import DIGEST, model
from tests.stacks.test_continuous_training import topic as training
from tests.stacks.test_google_files import changed, problems

MONITOR = "model_monitor.teams.search.monitors.fares"
REQUESTS_TABLE, RESULTS_TABLE, LABELS_TABLE = "curated.requests", "curated.results", "curated.paid"


def columns(names: Any, **classifications: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "type": kind,
            **({"classification": classifications[name]} if name in classifications else {}),
        }
        for name, kind in dict(names).items()
    ]


def tables(**more: Any) -> list[dict[str, Any]]:
    """The tables of a monitor, next to that of the baseline. more: changes of the table of requests."""
    stored = {"driver_id": "double", "rider_email": "string", "fare": "double", "trip_id": "string"}
    requests = {
        "zone": "curated",
        "name": "requests",
        "owner": "search@acme.example",
        "columns": columns({**REQUESTS, **stored}, rider_email="pii"),
        **more,
    }
    trips = {
        "picked_up_at": "timestamptz",
        "trip_id": "long",
        "driver_id": "long",
        "fare": "decimal(10,2)",
        "rider_email": "string",
    }
    return [
        {
            "zone": "curated",
            "name": "trips",
            "owner": "mobility@acme.example",
            "columns": columns(trips, rider_email="pii"),
        },
        requests,
        {"zone": "curated", "name": "results", "columns": columns(RESULTS)},
        {"zone": "curated", "name": "paid", "columns": columns({"trip_id": "string", "paid": "double"})},
    ]


REGISTRIES = {
    "aws": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/acme",
    "gcp": "europe-west4-docker.pkg.dev/acme-ml-prod/acme",
}
"""Those that policies of production allow."""
GRANTS: list[dict[str, Any]] = [
    {
        "name": "search",
        "principal": "search",
        "actions": ["read", "write"],
        "tables": ["curated.requests", "curated.results"],
        "classifications": ["public", "internal", "pii"],
    },
    {
        "name": "search-read",
        "principal": "search",
        "actions": ["read"],
        "tables": ["curated.trips", "curated.paid"],
        "classifications": ["public", "internal", "pii"],
    },
]


def grant(index: int, **more: Any) -> list[dict[str, Any]]:
    """The grants, one of them with other keys; None: without the key."""
    changed = {key: value for key, value in {**GRANTS[index], **more}.items() if value is not None}
    return [changed if at == index else entry for at, entry in enumerate(GRANTS)]


def monitor(**more: Any) -> dict[str, Any]:
    return {
        "owner": "search@acme.example",
        "service": "fares",
        "requests_table": REQUESTS_TABLE,
        "results_table": RESULTS_TABLE,
        "columns": [
            {"name": "driver_id", "type": "number"},
            {"name": "rider_email", "type": "category", "classification": "pii"},
        ],
        "predictions": [{"name": "fare", "type": "number"}],
        "keys": ["trip_id"],
        **more,
    }


def service(**more: Any) -> dict[str, Any]:
    served = {"model": "fares", "runtime": "sklearn", "request_log": {}, **more}
    return {
        "server_image": f"{REGISTRY}/model-server{DIGEST}",
        "default_runtimes": [],
        "runtimes": {"sklearn": {"pool": "general", "engine": "sklearn"}},
        "teams": {"search": {"services": {"fares": served}}},
    }


def topic(
    stack: str = "aws-prod", *, declared: dict[str, Any] | None = None, **change: Any
) -> dict[str, Any]:
    changes = {
        **training(stack),
        "lakehouse/tables": tables(),
        "lakehouse/grants": GRANTS,
        "feature_store": None,
        "serving": service(),
        "model_monitor": {
            "image": f"{REGISTRIES[stack.partition('-')[0]]}/model-monitor{DIGEST}",
            "teams": {"search": {"monitors": {"fares": declared or monitor()}}},
        },
    }
    return {**changes, **{key.replace("__", "/"): value for key, value in change.items()}}


@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
def test_production_is_monitored_without_a_violation(tmp_path: Path, stack: str) -> None:
    settings = load_file(changed(tmp_path, topic(stack), stack))
    assert "prometheus-pushgateway" in addons_of(settings)
    assert any(name.endswith("/model-monitor") for name in repositories(settings))
    recording = build(settings).recording
    [config] = [
        entry
        for entry in recording.all("kubernetes:core/v1:ConfigMap")
        if entry.inputs["metadata"]["name"] == "model-monitor"
    ]
    declared = json.loads(config.inputs["data"]["monitors.json"])["fares"]
    assert declared["baseline_table"].endswith("_curated.trips"), "what the model is trained with"
    assert declared["requests_table"].endswith("_curated.requests"), "as the catalog names it"
    [job] = [
        entry.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
        for entry in recording.all("kubernetes:batch/v1:CronJob")
        if entry.inputs["metadata"]["name"] == "model-monitor-compare-fares"
    ]
    known = {entry["name"]: entry.get("value") for entry in job["env"]}
    assert known["PUSHGATEWAY_URL"] == "http://prometheus-pushgateway.pushgateway.svc:9091"
    assert "search-training" in known["QUEUE"], "the queue that starts trainings"
    [templates] = [
        entry
        for entry in recording.all("kubernetes:core/v1:ConfigMap")
        if entry.inputs["metadata"]["name"] == "serving-templates"
    ]
    predictor = json.loads(templates.inputs["data"]["fares"])["spec"]["predictor"]
    assert predictor["logger"]["url"] == known["LOGS_URI"], "the service stores what the monitor reads"
    reported = [
        f"{entry.policy.id}: {entry.name}.{entry.path}: {entry.problem}"
        for entry in violations(recording, stack)
    ]
    assert not reported, "\n".join(reported)


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "an unknown table of requests": (
        {"requests_table": "curated.request"},
        "requests_table",
        "no table 'curated.request'.*mean 'curated.requests'",
    ),
    "an unknown table of results": (
        {"results_table": "serving.none"},
        "results_table",
        "no table 'serving.none'",
    ),
    "a table of results with other columns": (
        {"results_table": "curated.paid"},
        "results_table",
        "curated.paid lacks columns; expected also run_id string",
    ),
    "an unknown column": (
        {"columns": [{"name": "driver", "type": "number"}]},
        r"columns\[0\].name",
        "no column 'driver'.*mean 'driver_id'",
    ),
    "a column of another type": (
        {"columns": [{"name": "driver_id", "type": "category"}]},
        r"columns\[0\].type",
        "has it as double; expected string",
    ),
    "a column that the baseline lacks": (
        {"columns": [{"name": "driver_id", "type": "number", "baseline_column": "driver"}]},
        r"columns\[0\].baseline_column",
        "the baseline curated.trips has no column 'driver'",
    ),
    "pii that is declared as internal": (
        {"columns": [{"name": "rider_email", "type": "category"}]},
        r"columns\[0\].classification",
        "got 'internal', and curated.requests has pii",
    ),
    "pii of the baseline that is declared as internal": (
        {"columns": [{"name": "inference_service", "type": "category", "baseline_column": "rider_email"}]},
        r"columns\[0\].classification",
        "has 'rider_email' as pii, which a report would show",
    ),
    "an unknown service": ({"service": "fare"}, "service", "no service 'fare'.*mean 'fares'"),
    "a key that is no column": ({"keys": ["tripid"]}, r"keys\[0\]", "expected a column of curated.requests"),
    "a label column that the table lacks": (
        {
            "labels": {
                "table": LABELS_TABLE,
                "key": "trip_id",
                "label": "payed",
                "prediction": "fare",
                "metric": "mae",
                "max_loss": 1,
            }
        },
        "labels.label",
        "no column 'payed'.*mean 'paid'",
    ),
    "a cool-down of zero in prod": ({"cooldown_hours": 0}, "cooldown_hours", "in prod drift would retrain"),
    "a window shorter than its schedule": ({"window_hours": 12}, "window_hours", "up to 24 hours"),
    "a schedule that is none": ({"schedule": "0 25 * * *"}, "schedule", "expected hour from 0 to 23"),
    "a time zone that is none": ({"timezone": "Europe/Berln"}, "timezone", "expected a time zone of IANA"),
    "a threshold that never fires": (
        {"columns": [{"name": "driver_id", "type": "number", "thresholds": {"ks": 0}}]},
        r"columns\[0\].thresholds.ks",
        "no p-value is below it",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_monitor_is_reported_with_its_line(tmp_path: Path, name: str) -> None:
    change, key, reason = WRONG[name]
    reported = problems(tmp_path, topic(declared=monitor(**change)), "aws-prod")
    pattern = rf"Pulumi\.aws-prod\.yaml:\d+: {re.escape(MONITOR)}\.{key}: .*{reason}"
    assert any(re.search(pattern, problem) for problem in reported), reported


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"continuous_training__teams": {"search": {"models": {"fare": model()}}}},
            rf"{MONITOR}: no baseline: nothing trains 'fares'.*mean 'fare'",
        ),
        ({"serving": service(request_log=None)}, rf"{MONITOR}\.service: 'fares' stores no requests"),
        (
            {"serving": service(request_log={"mode": "request"})},
            r"request_log\.mode: got 'request'.*expected all",
        ),
        ({"serving": service(model="prices")}, rf"{MONITOR}\.service: 'fares' serves the model 'prices'"),
        (
            {"lakehouse__grants": GRANTS[1:]},
            rf"{MONITOR}\.requests_table: the team may not write curated\.requests",
        ),
        ({"lakehouse__grants": GRANTS[:1]}, rf"{MONITOR}: the team may not read curated\.trips"),
        (
            {"lakehouse__grants": grant(0, actions=["write"])},
            rf"{MONITOR}\.results_table: the team may not read curated\.results",
        ),
        (
            {"lakehouse__grants": grant(1, classifications=None)},
            rf"{MONITOR}: the team may read some columns or rows of curated\.trips only.*internal, pii",
        ),
        (
            {"lakehouse__grants": grant(0, tables=None, zones=["curated"], classifications=["internal"])},
            rf"{MONITOR}\.requests_table: the team may write some columns or rows of curated\.requests",
        ),
        (
            {"lakehouse__tables": tables(owner=None, columns=columns({**REQUESTS, "driver_id": "double"}))},
            rf"{MONITOR}\.requests_table: curated\.requests has no owner",
        ),
        (
            {"addons__options__prometheus-pushgateway": {"enabled": False}},
            r"addons\.options\.prometheus-pushgateway\.enabled: got false",
        ),
    ],
)
def test_what_another_topic_lacks_is_reported(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    reported = problems(tmp_path, topic(**change), "aws-prod")
    assert any(re.search(reason, problem) for problem in reported), reported


def test_an_unknown_team_is_reported(tmp_path: Path) -> None:
    change = topic()
    change["model_monitor"]["teams"] = {"serch": {"monitors": {"fares": monitor()}}}
    reported = problems(tmp_path, change, "aws-prod")
    assert any("model_monitor.teams.serch: no team has this name" in entry for entry in reported), reported


def test_a_log_without_a_monitor_has_no_bucket(tmp_path: Path) -> None:
    change = topic()
    del change["model_monitor"]
    reported = problems(tmp_path, change, "aws-prod")
    assert any("request_log: stated, and there is no `request_logs`" in entry for entry in reported), reported


def test_the_example_is_accepted_in_prod(tmp_path: Path) -> None:
    examples = Path(__file__).parents[2] / "examples"
    change: dict[str, Any] = {"feature_store": None}
    for example in ("continuous-training", "model-monitoring"):
        for key, content in yaml.safe_load((examples / example / "environment.yaml").read_text()).items():
            name = key.removeprefix("ai-platform:")
            for part, value in content.items():
                # Topics of the file keep their other keys.
                change |= (
                    {f"addons/options/{addon}": option for addon, option in value.items()}
                    if name == "addons"
                    else {f"{name}/{part}": value}
                )
    change["teams/pricing"]["priority_classes"] = ["serving"]
    change["lakehouse/tables"] = [tables()[0], *change["lakehouse/tables"]]
    settings = load_file(changed(tmp_path, change, "aws-prod"))
    assert settings.model_monitor is not None
