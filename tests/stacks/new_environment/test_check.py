"""A new environment file passes the checks of a preview, and a wrong answer is refused before."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cli.new import offers
from stacks.loading import load_file
from stacks.new_environment import others, render
from stacks.new_environment.__main__ import reply
from stacks.new_environment.answers import KEYS, read
from stacks.new_environment.check import GENERAL, Checked, check, load_errors
from stacks.new_environment.others import Other
from stacks.settings import Settings

REGIONS = {"aws": ["eu-west-1", "us-east-1", "us-west-2"]}
PLACES = {"aws": ("us-west-2", "111122223333"), "gcp": ("us-central1", "acme-ml-lab")}
RELEASES = {"aws": "1.35.8-20260930", "gcp": "1.35.6-gke.1250000"}
ACCELERATORS: Mapping[str, Sequence[tuple[str, ...]]] = {
    "aws": ((), ("t4",), ("l4", "h100:8", "trainium")),
    "gcp": ((), ("t4",), ("l4", "h100:8", "tpu-v6e")),
}
COMBINATIONS = [
    (cloud, profile, names)
    for cloud, profile in itertools.product(PLACES, ("dev", "staging", "prod"))
    for names in ACCELERATORS[cloud]
]
OTHERS = others.read()


def answers(on: str, **changes: Any) -> dict[str, Any]:
    """Return complete answers."""
    region, account = PLACES[on]
    return {
        "environment": f"{on}-lab",
        "cloud": on,
        "profile": "dev",
        "org": "acme",
        "account": account,
        "region": region,
        "owner": "jo.doe@acme.example",
        "cost_center": "research",
        "accelerators": [],
        **changes,
    }


def checked(on: str, *, files: Sequence[Other] = OTHERS, **changes: Any) -> Checked:
    """Return the check of answers."""
    values = read(answers(on, **changes))
    return check(values, offers.by_zone(values.cloud, values.region), REGIONS, files)


def problem(on: str, key: str, **changes: Any) -> str:
    """Return the only problem of answers, which is one of an answer."""
    problems = checked(on, **changes).problems
    assert list(problems) == [key], problems
    [reason] = problems[key]
    return reason


def loaded(folder: Path, cloud: str, text: str) -> Settings:
    """Return the settings of a file."""
    file = folder / f"Pulumi.{cloud}-lab.yaml"
    file.write_text(text)
    return load_file(file)


@pytest.mark.parametrize(("cloud", "profile", "names"), COMBINATIONS, ids=str)
def test_file_of_each_profile_is_valid_and_short(
    tmp_path: Path, cloud: str, profile: str, names: tuple[str, ...]
) -> None:
    result = checked(cloud, profile=profile, accelerators=names, release=RELEASES[cloud])
    assert not result.problems
    assert len(result.text.splitlines()) <= render.MOST_LINES
    settings = loaded(tmp_path, cloud, result.text)
    assert settings.environment.prefix == "acme-lab"
    assert [pool.accelerator for pool in settings.gpu_pools.values()] == [
        name.partition(":")[0] for name in names
    ]
    assert settings.shared.files == OTHERS[0].stated("shared", "files"), "as the other environments"
    queues = settings.queues
    assert queues is not None
    pools = {quota["pool"] for quota in queues.model_dump()["queues"][0]["quotas"]}
    assert pools == {*settings.node_pools, *settings.gpu_pools}, "work reaches every pool"


@pytest.mark.parametrize("cloud", PLACES)
def test_range_overlaps_that_of_no_other_environment(tmp_path: Path, cloud: str) -> None:
    taken = [IPv4Network(other.stated("network", "cidr")) for other in OTHERS]
    peer = Other("on-premises", {"ai-platform:network": {"gcp": {"peers": ["10.17.0.0/16"]}}})
    text = checked(cloud, files=[*OTHERS, peer]).text
    cidr = IPv4Network(loaded(tmp_path, cloud, text).network.cidr)
    assert not any(cidr.overlaps(network) for network in [*taken, IPv4Network("10.17.0.0/16")])


def test_range_grows_with_the_nodes_of_pools_on_google_cloud(tmp_path: Path) -> None:
    names = [f"{name}:1" for name in ("t4", "l4", "a100", "a100-80")]
    result = checked("gcp", profile="prod", accelerators=names, release=RELEASES["gcp"])
    assert not result.problems
    assert IPv4Network(loaded(tmp_path, "gcp", result.text).network.cidr).prefixlen <= 16


def test_no_free_range_is_an_error() -> None:
    everything = Other("all", {"ai-platform:network": {"cidr": "10.0.0.0/8"}})
    assert "no range of 10.0.0.0/8 is free" in checked("aws", files=[everything]).problems[GENERAL][0]


@pytest.mark.parametrize("cloud", PLACES)
def test_first_environment_of_a_repository_is_valid(cloud: str) -> None:
    assert not checked(cloud, files=[]).problems


def test_prod_without_a_release_of_nodes_is_refused() -> None:
    reasons = checked("aws", profile="prod").problems["release"]
    assert all("expected a release" in reason or "expected" in reason for reason in reasons)


@pytest.mark.parametrize("cloud", PLACES)
def test_owner_is_valid_on_each_cloud(tmp_path: Path, cloud: str) -> None:
    settings = loaded(tmp_path, cloud, checked(cloud, owner="Jo.Doe@acme.example").text)
    assert settings.environment.owner == {"aws": "Jo.Doe@acme.example", "gcp": "jo-doe"}[cloud]


WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    ("aws", "environment", {"environment": "aws-dev"}, "exists, and is not overwritten"),
    ("aws", "environment", {"environment": "aws-Lab"}, "expected lower-case letters"),
    ("aws", "environment", {"environment": "aws-prod-data"}, "the stack of the layer data of aws-prod"),
    ("aws", "environment", {"environment": "aws-x"}, "at least 2 characters"),
    ("aws", "org", {"environment": "dev"}, "begins the names of resources of aws-dev already"),
    ("aws", "org", {"environment": "aws-machine-learn", "org": "acmes"}, "at most 17 characters, got 19"),
    ("gcp", "org", {"environment": "gcp-research-2", "org": "acmes"}, "at most 14 characters, got 16"),
    ("aws", "org", {"org": "Acme"}, "got 'Acme'"),
    ("aws", "cloud", {"environment": "gcp-lab"}, "expected gcp, or the name aws-lab"),
    ("aws", "cloud", {"cloud": "awss"}, "did you mean 'aws'?"),
    ("gcp", "profile", {"profile": "production"}, "expected one of dev, staging, prod"),
    ("aws", "account", {"account": "1111"}, "12 digits"),
    ("gcp", "account", {"account": "Acme"}, "a project's id"),
    ("aws", "region", {"region": "us-central1"}, "a region of Google Cloud; expected a region of AWS"),
    ("gcp", "region", {"region": "us-west-2"}, "a region of AWS; expected a region of Google Cloud; did you"),
    ("aws", "region", {"region": "us-wst-2"}, "did you mean 'us-west-2'?"),
    ("gcp", "owner", {"owner": "The Team"}, "did you mean 'the-team'?"),
    ("aws", "accelerators", {"accelerators": ["tpu-v6e"]}, "which AWS does not have"),
    ("gcp", "accelerators", {"accelerators": ["h10"]}, "did you mean 'h100'?"),
    ("aws", "accelerators", {"accelerators": ["t4:3"]}, "expected 1, 4 or 8"),
    ("aws", "accelerators", {"accelerators": ["t4:many"]}, "expected NAME or NAME:COUNT, such as t4:8"),
    ("aws", "accelerators", {"accelerators": ["t4", "t4"]}, "a second time"),
    ("aws", "accelerators", {"accelerators": ["b200"], "region": "eu-west-1"}, "no zone of eu-west-1 offers"),
    (
        "gcp",
        "accelerators",
        {"accelerators": ["tpu-v5e"], "region": "us-east1"},
        "expected one of those that",
    ),
]


@pytest.mark.parametrize(("cloud", "key", "changes", "message"), WRONG)
def test_wrong_answer_is_refused_with_what_is_expected(
    cloud: str, key: str, changes: dict[str, Any], message: str
) -> None:
    assert message in problem(cloud, key, **changes)


def test_each_answer_is_checked_before_the_next_is_known() -> None:
    cases = ((cloud, key, changes) for cloud, key, changes, _ in WRONG if len(changes) == 1)
    for cloud, key, changes in cases:
        [(changed, value)] = changes.items()
        known: dict[str, Any] = {"environment": f"{cloud}-lab", "cloud": cloud, changed: value}
        problems = check(read(known), {}, REGIONS, OTHERS).problems
        assert set(problems) <= {key, changed}, "nothing is reported of what is not answered"
        if changed == key:
            assert problems, f"{changed} {value!r} is refused at once"


def test_zone_that_eks_cannot_use_is_not_one_of_the_network(tmp_path: Path) -> None:
    types = ["m7i.large", "t4g.medium"]
    recorded = {"use1-az1": types, "use1-az2": types, "use1-az3": [*types, "g4dn.xlarge"], "use1-az4": types}
    values = answers("aws", region="us-east-1")
    reasons = check(read({**values, "accelerators": ["t4"]}), recorded, REGIONS, OTHERS).problems
    assert "no 2 zones of us-east-1 on AWS have all of them" in reasons["accelerators"][0]
    recorded["use1-az6"] = [*types, "g4dn.xlarge"]
    text = check(read({**values, "accelerators": ["t4"]}), recorded, REGIONS, OTHERS).text
    assert loaded(tmp_path, "aws", text).network.zone_ids == ["use1-az1", "use1-az6"]


def test_zones_are_stated_where_the_first_ones_lack_the_accelerator(tmp_path: Path) -> None:
    # TPU v6e of us-east1 is in zone d, and a network of dev has b and c.
    result = checked("gcp", region="us-east1", accelerators=["tpu-v6e"])
    assert loaded(tmp_path, "gcp", result.text).network.zone_ids == ["us-east1-b", "us-east1-d"]


def test_region_with_two_zones_has_a_network_of_two(tmp_path: Path) -> None:
    types = ["m7i.large", "m7i.xlarge", "m6i.xlarge"]
    two = {"usw2-az1": types, "usw2-az2": types}
    result = check(read(answers("aws", profile="staging")), two, REGIONS, OTHERS)
    assert not result.problems
    assert loaded(tmp_path, "aws", result.text).network.zones == 2


def test_region_without_the_nodes_of_the_profile_is_refused() -> None:
    two = {"usw2-az1": ["m5.large"], "usw2-az2": ["m5.large"]}
    problems = check(read(answers("aws")), two, REGIONS, OTHERS).problems
    assert "does not offer m7i.large or m6i.large" in problems["region"][0]


def test_region_that_nothing_is_recorded_of_is_accepted() -> None:
    assert not offers.by_zone("gcp", "europe-north1")
    assert not checked("gcp", region="europe-north1", accelerators=["l4"]).problems


def test_two_pools_of_an_accelerator_have_different_names(tmp_path: Path) -> None:
    result = checked("aws", accelerators=["l4", "l4:4"])
    assert list(loaded(tmp_path, "aws", result.text).gpu_pools) == ["l4-x1", "l4-x4"]


def test_too_many_pools_for_the_limit_of_lines_are_refused() -> None:
    names = ["t4", "a10g", "l4", "l40s", "a100", "h100", "h200", "trainium", "inferentia2", "b200"]
    reason = problem("aws", "accelerators", profile="prod", accelerators=names, release=RELEASES["aws"])
    assert f"expected at most {render.MOST_LINES}" in reason


def test_capacity_is_what_the_cloud_sells(tmp_path: Path) -> None:
    names = ["b200", "h100:1"]
    text = checked("gcp", profile="prod", accelerators=names, release=RELEASES["gcp"]).text
    pools = loaded(tmp_path, "gcp", text).gpu_pools
    assert {tuple(pool.capacity) for pool in pools.values()} == {("spot", "flex_start")}, "no on-demand ones"


@pytest.mark.parametrize("word", ["no", "1e3", "a: b", "#x", "[x]", '"', "null"])
def test_answer_is_a_text_in_the_file(word: str) -> None:
    document = YAML(typ="safe").load(checked("aws", cost_center=word).text)
    assert document["config"]["ai-platform:environment"]["cost_center"] == word


@pytest.mark.parametrize("key", ["org", "account", "region", "owner", "cost_center", "release"])
@pytest.mark.parametrize("cloud", PLACES)
def test_no_answer_adds_a_line_to_the_file(cloud: str, key: str) -> None:
    lines = checked(cloud, profile="prod", release=RELEASES[cloud]).text.splitlines()
    changed: dict[str, Any] = {
        "profile": "prod",
        "release": RELEASES[cloud],
        key: 'x": 1\n  ai-platform:teams: {}\n#',
    }
    result = checked(cloud, **changed)
    assert len(result.text.splitlines()) == len(lines), "it is quoted"
    assert key in result.problems or key in ("owner", "cost_center"), "and refused where a rule does"


def test_file_is_checked_as_a_preview_checks_it() -> None:
    text = checked("aws").text.replace("max: 4", "max: 0")
    [error] = load_errors("aws-lab", text)
    line = next(number for number, part in enumerate(text.splitlines(), 1) if "max: 0" in part)
    assert error.startswith(f"environments/Pulumi.aws-lab.yaml:{line}: node_pools.general.max: ")


def test_answers_to_open_questions_are_suggested() -> None:
    suggested = reply({"answers": {"environment": "gcp-prod-2"}})["defaults"]
    assert (suggested["cloud"], suggested["profile"]) == ("gcp", "prod"), "as the name states"
    assert suggested["region"] == "us-central1", "as the other environments of the cloud"
    stated = {"environment": "aws-lab", "cloud": "aws", "profile": "prod", "region": "us-west-2"}
    offered = reply({"answers": stated, "offers": {"usw2-az1": ["g6.xlarge"], "usw2-az2": []}})
    assert offered["choices"]["accelerators"] == ["l4"]
    assert offered["defaults"]["accelerators"] == ["l4"]


def test_every_answer_has_a_key() -> None:
    assert {*answers("aws"), "release"} == {*KEYS}
