"""Wrong values of functions, workflows, costs, monitors, serving, pipelines, training, gateway and
observability: each is one problem, at its key, in words that lead to a right file."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from stacks.loading import SettingsError, load_file
from stacks.schema import schema
from stacks.validation import shape
from tests.stacks import test_functions, test_gateway, test_model_monitor, test_workflows
from tests.stacks.files import complete
from tests.stacks.test_google_files import changed

FUNCTION, WORKFLOW, GATEWAY = "functions/score", "workflows/scoring", "gateway"
MONITOR = "model_monitor/teams/search/monitors/fares"
SERVICE = "serving/teams/search/services/fares"
SCHEDULE = "pipelines/teams/search/schedules/nightly"
MODEL = "continuous_training/teams/search/models/fares"
TOPIC = "arn:aws:sns:eu-west-1:333344445555:on-call"
KEY = "arn:aws:kms:us-west-2:333344445555:key/"
DIGEST = f"@sha256:{'5' * 64}"


@cache
def _topics(stack: str) -> dict[str, Any]:
    cloud = stack.partition("-")[0]
    schedule = {"template": "train", "schedules": ["0 3 * * *"], "timezone": "Europe/Berlin"}
    return {
        **test_model_monitor.topic(stack),
        **test_functions.topic(stack),
        **test_workflows.topic(cloud, schedule={"cron": "0 3 * * *", "timezone": "Europe/Berlin"}),
        f"{FUNCTION}/http/callers": ["pipelines"],
        "pipelines": {"teams": {"search": {"schedules": {"nightly": schedule}}}},
        GATEWAY: {
            "hosts": ["models.acme.example"],
            "authentication": test_gateway.TOKENS,
            "routes": {"other": {"team": "search", "backends": [{"service": "other"}]}},
        },
        "cost/currency": "USD",
    }


def file_of(folder: Path, stack: str, change: dict[str, Any]) -> Path:
    """Return a file that has all of these topics, with a change."""
    return changed(folder, {**deepcopy(_topics(stack)), **change}, stack)


def problems(folder: Path, stack: str, change: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_file(file_of(folder, stack, change))
    return list(refused.value.problems)


@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
def test_file_with_all_topics_is_right(tmp_path: Path, stack: str) -> None:
    load_file(file_of(tmp_path, stack, {}))


# stack, key with slashes, value, and the problem.
WRONG: list[tuple[str, str, Any, str]] = [
    ("aws-prod", f"{FUNCTION}/max_instance", 3, "unknown key; did you mean 'max_instances'?"),
    (
        "aws-prod",
        f"{FUNCTION}/environment",
        {"DEBUG": True},
        "got true; expected a string: write it in quotes",
    ),
    ("aws-prod", f"{FUNCTION}/environment", {"LEVEL": 3}, "got the number 3; expected a string: write it in"),
    (
        "aws-prod",
        f"{FUNCTION}/image",
        f"gcr.io/acme/x{DIGEST}",
        "expected an image in a private repository of ECR",
    ),
    (
        "gcp-prod",
        f"{FUNCTION}/image",
        f"111122223333.dkr.ecr.us-west-2.amazonaws.com/x{DIGEST}",
        "expected an image of Artifact Registry",
    ),
    (
        "aws-prod",
        f"{FUNCTION}/role",
        "arn:aws:iam::444455556666:role/x",
        "expected a role of this account, 333344445555",
    ),
    ("aws-prod", f"{FUNCTION}/log_days", 31, "2922, 3288, 3653 days; 30 is the nearest"),
    ("aws-prod", f"{FUNCTION}/traffic", {"latest": "100%"}, "got '100%'; expected an integer"),
    (
        "gcp-prod",
        f"{WORKFLOW}/functions/validate",
        {"arn": "arn:aws:lambda:us-west-2:111122223333:function:x"},
        "which Google Cloud does not support: its form on the other cloud",
    ),
    (
        "aws-prod",
        f"{WORKFLOW}/functions/validate/url",
        "https://validate.example",
        "which AWS does not support: its form on the other cloud",
    ),
    ("aws-prod", f"{WORKFLOW}/schedule/timezone", "Europe/Berln", "did you mean 'Europe/Berlin'?"),
    ("aws-prod", f"{WORKFLOW}/schedule/cron", "0 25 * * *", "expected hour from 0 to 23"),
    ("aws-prod", "cost/budget", {"amount": "40000"}, "got '40000'; expected a number"),
    ("aws-prod", "cost/budget", {"amount": -5}, "expected 1 to 100000000"),
    ("aws-prod", "cost/hours", {"training": 800}, "got the number 800; expected at most 730"),
    ("aws-prod", "cost/image", "cost-control:latest", "expected an image with a digest"),
    (
        "aws-prod",
        f"{MONITOR}/columns",
        [{"name": "rider_email", "type": "category", "classification": "PII"}],
        "did you mean 'pii'?",
    ),
    ("aws-prod", f"{MONITOR}/service", "fare", "did you mean 'fares'?"),
    ("aws-prod", f"{SERVICE}/runtime", "sklern", "did you mean 'sklearn'?"),
    ("aws-prod", f"{SERVICE}/request_log", True, "got true; expected an object with"),
    ("aws-prod", "serving/server_image", "x:latest", "expected an image with its digest"),
    (
        "aws-prod",
        f"{SCHEDULE}/parameters",
        {"flag": False},
        "got false; expected a string: write it in quotes",
    ),
    ("aws-prod", f"{SCHEDULE}/concurrency", "Forbid", "did you mean 'forbid'?"),
    ("aws-prod", f"{MODEL}/evaluation/thresholds", {"accuracy": 0.9}, "expected an object with max, min"),
    ("aws-prod", f"{MODEL}/evaluation/margin", "5%", "got '5%'; expected a number"),
    ("aws-prod", f"{GATEWAY}/gateway_class", "nginx", "got 'nginx'; expected 'envoy'"),
    ("aws-prod", f"{GATEWAY}/gateway_class", "gke", "which only GKE has; expected 'envoy'"),
    (
        "aws-prod",
        f"{GATEWAY}/routes/other/hosts",
        ["model.acme.example"],
        "expected one of models.acme.example; did you mean 'models.acme.example'?",
    ),
    (
        "aws-prod",
        "observability/notifications/default",
        "on-cal",
        "expected one of on-call, none; did you mean",
    ),
    ("aws-prod", "observability/opencost", True, "expected an object without keys: {}"),
    ("aws-prod", "observability/opencost", {"spot": 1}, "unknown key; expected none: the object has no keys"),
    ("aws-prod", "teams/Vision", {"owners": ["x"]}, "expected lower-case letters and digits in words"),
    ("aws-prod", "environment/account_id", 333344445555, "expected a string: write it in quotes"),
    ("gcp-prod", "environment/project_id", 123456, "expected a string: write it in quotes"),
    ("gcp-prod", "cluster/version", "1.29", "expected a version that the stable channel offers"),
    (
        "gcp-prod",
        "cluster/api_access",
        {"mode": "cidrs", "cidrs": ["2001:db8::/64"]},
        "expected an IPv4 range",
    ),
    ("aws-prod", "network/cidr", "10.16.0.0", "expected an IPv4 range such as 10.0.0.0/16"),
    ("aws-prod", "images/mirrors", {"registry.k8s.oi": "x.example/y"}, "did you mean 'registry.k8s.io'?"),
    ("aws-prod", "images/mirrors", {"ghcr.io/other/x": "x.example/y"}, "without effect, since no image"),
    ("aws-prod", "node_pools/general/disk_gib", 65_537, "expected 20 to 65536 GiB"),
    ("gcp-prod", "node_pools/general/disk_gib", 65_537, "expected 20 to 65536 GiB"),
    (
        "aws-prod",
        f"{FUNCTION}/alarm_targets",
        [TOPIC],
        "a topic of another region; expected one in us-west-2",
    ),
    (
        "aws-prod",
        f"{WORKFLOW}/alarm_targets",
        [TOPIC],
        "a topic of another region; expected one in us-west-2",
    ),
    (
        "aws-prod",
        "observability/long_term_storage/alarm/notify",
        [TOPIC],
        "a topic of another region; expected one in us-west-2",
    ),
    (
        "gcp-prod",
        f"{WORKFLOW}/definition",
        {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}},
        "expected `main`, the workflow that is executed, and no state machine of Step Functions",
    ),
    (
        "aws-prod",
        "teams/search/queue",
        "trainig",
        "serving, training; did you mean 'training'?",
    ),
    ("aws-prod", "serving/queue", "servin", "no LocalQueue of the team search; expected one of default"),
    ("aws-prod", "training/runtimes/big", {"pool": "training", "nodes": 40}, "expected at most 8, the nodes"),
    ("aws-prod", f"{MODEL}/training/nodes", 100, "expected at most 8, the nodes that 'training' can have"),
    ("gcp-prod", "training/runtimes/big", {"pool": "training", "nodes": 40}, "expected at most 8, the nodes"),
    ("aws-prod", "gpu_pools/training/zones", ["us-west-2a"], "expected a zone's id such as usw2-az1"),
    ("aws-prod", "node_pools/general/zones", ["us-west-2a"], "expected a zone's id such as usw2-az1"),
    ("aws-prod", "node_pools/general/instance_types", ["m7i.2xl"], "did you mean 'm7i.2xlarge'?"),
    ("aws-prod", "node_pools/general/instance_types", ["m7i.l"], "did you mean 'm7i.large'?"),
    (
        "aws-prod",
        "network/aws/endpoints",
        ["com.amazonaws.us-west-2.sqs"],
        "expected a service such as ecr.api, without com.amazonaws and region",
    ),
    ("aws-prod", "network/aws/endpoints", ["s3-express"], "the name of no endpoint; expected s3express"),
    (
        "aws-prod",
        "observability/slos",
        [{"name": "api", "indicator": "api_availability", "objective_percent": 0.999, "owner": "x"}],
        "got 0.999; expected 1 to 100 percent: 99.5, and not the fraction 0.995",
    ),
    ("aws-prod", "lakehouse/kms_key", f"{KEY}key", "expected the id of a key at its end"),
    (
        "aws-prod",
        "addons/options/kueue",
        {"enabled": False},
        "it is the controller of the topic queues; expected true, or no topic queues",
    ),
    ("aws-prod", f"{SERVICE}/min_replicas", 0, "got 0, and scikit-learn has no metric requests_waiting"),
    (
        "aws-prod",
        "teams/search/limits",
        {"cpu": "0.5"},
        "expected a whole number of CPUs such as '64'",
    ),
    (
        "aws-prod",
        "container_registry/repository_writers",
        {"training": ["pipeline"]},
        "expected the name of one of this file's workload_identities",
    ),
    (
        "aws-prod",
        "training/runtimes",
        {"torch_gpu": {"pool": "general"}},
        "got an object with 'torch_gpu'; expected names of 1 to 63 lower-case letters",
    ),
]
WITHOUT_VALUE = re.compile(r"got '?None|https://yaml|did you mean '[^']*'\?;|::None:|datetime|\^\[|EKS takes")
"""What a problem never has: values that no file has, addresses of a parser, and patterns."""


@pytest.mark.parametrize(
    ("stack", "key", "value", "expected"), WRONG, ids=lambda value: str(value)[:40] if value else None
)
def test_a_mistake_is_one_problem_at_its_key(
    tmp_path: Path, stack: str, key: str, value: Any, expected: str
) -> None:
    [problem] = problems(tmp_path, stack, {key: value})
    assert f": {key.replace('/', '.')}" in problem, problem
    assert expected in problem, problem
    assert re.search(r"\.yaml:\d+: ", problem), "the reader needs the line"
    assert not WITHOUT_VALUE.search(problem), problem


@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
@pytest.mark.parametrize("value", ["hunter2", ["hunter2"]])
def test_pasted_secret_is_not_quoted(tmp_path: Path, stack: str, value: Any) -> None:
    entry = {"upstream": "docker.io", "credential": value}
    reported = problems(tmp_path, stack, {"container_registry/caches": [entry]})
    assert any("credential: got a value that is not shown" in problem for problem in reported), reported
    assert "hunter2" not in "\n".join(reported)


@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
def test_pasted_token_is_no_name_of_a_secret(tmp_path: Path, stack: str) -> None:
    token = "hf_" + "abcdefghijklmnopqrstuvwxyz012345"
    [problem] = problems(tmp_path, stack, {"model_store/hugging_face": {"secret": token}})
    assert "model_store.hugging_face.secret: got a value that is not shown" in problem
    assert "never the secret itself" in problem
    assert token not in problem


def test_queue_that_is_stated_twice_is_one_problem(tmp_path: Path) -> None:
    queues = complete("aws-prod")["config"]["ai-platform:queues"]["queues"]
    twice = {"name": "serving", "quotas": [{"pool": "general", "cpu": 1}]}
    [problem] = problems(tmp_path, "aws-prod", {"queues/queues": [*queues, twice]})
    assert "queues.queues[2].name: got 'serving', which duplicates queues[0]" in problem


def test_queue_of_servers_may_be_one_that_the_topic_queues_declares(tmp_path: Path) -> None:
    queues = complete("aws-prod")["config"]["ai-platform:queues"]["queues"]
    queues[1]["local_queues"] = [{"name": "servers", "namespace": "search"}]
    load_file(file_of(tmp_path, "aws-prod", {"serving/queue": "servers", "queues/queues": queues}))


RIGHT: list[tuple[str, str, Any]] = [
    ("aws-prod", f"{FUNCTION}/log_days", 3653),
    ("aws-prod", f"{FUNCTION}/timeout_seconds", 60.0),
    ("aws-prod", f"{FUNCTION}/image", f"111122223333.dkr-ecr.us-west-2.on.aws/x{DIGEST}"),
    ("gcp-prod", f"{FUNCTION}/image", f"docker.io/acme/x{DIGEST}"),
    ("gcp-prod", f"{FUNCTION}/image", f"gcr.io/acme/x{DIGEST}"),
    ("aws-prod", "node_pools/general/disk_gib", 65_536),
    ("gcp-prod", "node_pools/general/disk_gib", 65_536),
    ("aws-prod", "images/mirrors", {"registry.k8s.io": "x.example/y", "quay.io/jetstack": "x.example/z"}),
    ("aws-prod", f"{SCHEDULE}/schedules", ["0,30 3-5 * * 1-5"]),
    ("aws-prod", f"{GATEWAY}/source_ranges", ["2001:db8::/32", "192.52.193.7/32"]),
    ("aws-prod", f"{MODEL}/evaluation/thresholds", {"accuracy": {"min": 1}, "loss": {"max": 1e-3}}),
    ("aws-prod", "training/runtimes/big", {"pool": "training", "nodes": 8}),
    ("gcp-prod", "training/runtimes/slice", {"pool": "batch", "nodes": 4}),
    ("aws-prod", "node_pools/general/instance_types", ["m7i.8xlarge"]),
    ("aws-prod", "lakehouse/kms_key", f"{KEY}mrk-{'0' * 32}"),
    ("aws-prod", "model_store/hugging_face", {"secret": "hf_token"}),
    ("aws-prod", "container_registry/repository_writers", {"training": ["pipelines"]}),
]


@pytest.mark.parametrize(("stack", "key", "value"), RIGHT, ids=lambda value: str(value)[:40])
def test_unusual_and_right_value_is_accepted(tmp_path: Path, stack: str, key: str, value: Any) -> None:
    load_file(file_of(tmp_path, stack, {key: value}))


def test_volume_of_a_pool_of_karpenter_has_its_limit(tmp_path: Path) -> None:
    pool = {"gpu_pools/training/node_provisioning": "karpenter"}
    reported = problems(tmp_path, "aws-prod", {**pool, "gpu_pools/training/disk_gib": 59_001})
    assert any("gpu_pools.training.disk_gib: got 59001" in problem for problem in reported), reported
    reported = problems(tmp_path, "aws-prod", {**pool, "gpu_pools/training/disk_gib": 59_000})
    assert not any("disk_gib" in problem for problem in reported), reported


WORDS = [
    ("aws-prod", "gpu_pools/training/capacity", ["flexstart"], ("flex_start", "queued")),
    ("aws-prod", "cluster/api_access", {"mode": "vpc"}, ("dns",)),
    ("aws-prod", f"{GATEWAY}/gateway_class", "x", ("gke",)),
    ("gcp-prod", "gpu_pools/training/node_provisioning", "autoscaler", ("karpenter",)),
]


@pytest.mark.parametrize(("stack", "key", "value", "words"), WORDS, ids=lambda value: str(value)[:30])
def test_words_of_the_other_cloud_are_not_offered(
    tmp_path: Path, stack: str, key: str, value: Any, words: tuple[str, ...]
) -> None:
    reported = "\n".join(problems(tmp_path, stack, {key: value}))
    assert not [word for word in words if f"'{word}'" in reported], reported


@pytest.mark.parametrize(
    ("stack", "change"),
    [
        ("aws-prod", {"gpu_pools/training/capacity": ["flex_start"]}),
        ("aws-prod", {"gpu_pools/training/capacity": ["queued"]}),
        ("aws-prod", {f"{GATEWAY}/gateway_class": "gke"}),
        ("aws-prod", {"cluster/api_access/mode": "dns"}),
        ("gcp-prod", {"gpu_pools/training/node_provisioning": "karpenter"}),
        ("gcp-prod", {"gpu_pools/training/node_provisioning": "moving_to_karpenter"}),
    ],
    ids=str,
)
def test_words_of_the_other_cloud_are_refused(tmp_path: Path, stack: str, change: dict[str, Any]) -> None:
    [(key, word)] = change.items()
    cloud = {"aws": "gcp", "gcp": "aws"}[stack.partition("-")[0]]
    words = shape.OF_ONE_CLOUD[cloud][key.rpartition("/")[2]]
    assert (word[0] if isinstance(word, list) else word) in words
    [problem] = problems(tmp_path, stack, change)
    assert key.replace("/", ".").removesuffix(".mode") in problem


@pytest.mark.parametrize(
    ("stack", "with_topics", "place"),
    [
        ("aws-prod", True, r"at most (\d+) characters on AWS"),
        ("gcp-prod", False, r"and (\d+) on Google Cloud"),
        ("gcp-prod", True, r"with `model_monitor` (\d+)"),
    ],
)
def test_length_of_the_prefix_in_the_schema_is_that_of_the_tightest_name(
    tmp_path: Path, stack: str, with_topics: bool, place: str
) -> None:
    description: str = schema()["$defs"]["Environment"]["properties"]["org"]["description"]
    match = re.search(place, " ".join(description.split()))
    assert match, description
    topics = deepcopy(_topics(stack)) if with_topics else {}
    topics |= {"environment/org": "a" * 16, "environment/name": "n" * 15}
    with pytest.raises(SettingsError) as refused:
        load_file(changed(tmp_path, topics, stack))
    [problem] = refused.value.problems
    assert f"expected at most {match.group(1)} characters, got 32" in problem
