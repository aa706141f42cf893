"""Arguments of a cluster that are refused on Google Cloud, and those of GKE that are refused on AWS."""

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError, read
from aiplatform.cluster.args import ClusterSettings
from aiplatform.cluster.gcp.versions import CHANNELS, not_offered
from tests.components.aiplatform.cluster.gke import ARGS, NETWORK

EXCLUSION = {"name": "x", "start": "2026-12-18T00:00:00Z", "end": "2027-01-04T00:00:00Z"}


def _problems(**arguments: Any) -> list[str]:
    with pytest.raises(ArgumentError) as refused:
        read(ClusterSettings, {**ARGS, **arguments}, "ClusterArgs")
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"version": "1.33"}, "expected a version that the regular channel offers: 1.36, 1.35, 1.34"),
        ({"version": "1.33"}, "extended offer 1.33"),
        ({"version": "1.36", "gke": {"release_channel": "stable"}}, "the stable channel offers: 1.35, 1.34"),
        ({"gke": {"release_channel": "weekly"}}, "expected one of rapid, regular, stable, extended"),
        ({"gke": {"control_plane": "zonl"}}, "did you mean 'zonal'?"),
        ({"prefix": "a" * 30}, "expected at most 24 characters, got 30"),
        ({"prefix": "a" * 30}, "a service account's id, which may have 30"),
        ({"admins": ["arn:aws:iam::111122223333:role/a"]}, "user:, serviceAccount: or group:"),
        (
            {"admins": ["group:a@acme.com"]},
            "ClusterArgs.admins[0]: got 'group:a@acme.com'; expected gke.google_groups",
        ),
        ({"gke": {"google_groups": "admins@acme.com"}}, "gke-security-groups@ and your domain"),
        ({"log_retention_days": 0}, "expected 1 to 3650 days"),
        ({"tags": {"Team": "ml"}}, "lower-case letters"),
        ({"system_nodes": {"instance_types": ["m7i.large"]}}, "a machine type such as n2-standard-8"),
        (
            {"system_nodes": {"instance_types": ["c3-standard-8-lssd"]}},
            "system_nodes.instance_types[0]: got 'c3-standard-8-lssd', which has local SSDs",
        ),
        ({"system_nodes": {"instance_types": ["g2-standard-8"]}}, "which has L4 cards"),
        ({"system_nodes": {"instance_types": ["e2-standard-4", "n2-standard-4"]}}, "one machine type"),
        ({"gke": {"maintenance_window": {"start": "25:00"}}}, "a time of day such as 03:00, in UTC"),
        ({"gke": {"maintenance_window": {"start": "03:00", "hours": 3}}}, "expected 4 to 24 hours"),
        (
            {"gke": {"maintenance_window": {"start": "03:00", "hours": 4, "days": ["SA"]}}},
            "got 4 hours a week; expected 12 at least",
        ),
        ({"gke": {"maintenance_window": {"start": "03:00", "days": ["XX"]}}}, "expected one of MO, TU"),
        (
            {"gke": {"maintenance_exclusions": [{**EXCLUSION, "end": "2026-12-01T00:00:00Z"}]}},
            "a moment after start",
        ),
        (
            {"gke": {"maintenance_exclusions": [{**EXCLUSION, "start": "tomorrow"}]}},
            "a moment in UTC such as",
        ),
        (
            {"gke": {"maintenance_exclusions": [{"name": "x", "start": "2026-12-18T00:00:00Z"}]}},
            "maintenance_exclusions[0].end: missing; expected the end of an exclusion of scope no_upgrades",
        ),
        ({"gke": {"maintenance_exclusions": [EXCLUSION, EXCLUSION]}}, "maintenance_exclusions[1].name"),
        (
            {"gke": {"maintenance_exclusions": [{**EXCLUSION, "name": f"x{number}"} for number in range(4)]}},
            "got 4 of scope no_upgrades; expected at most 3",
        ),
        (
            {"gke": {"node_auto_provisioning": {"max_cpus": 8}}},
            "node_auto_provisioning.max_memory_gib: missing",
        ),
        (
            {
                "gke": {
                    "node_auto_provisioning": {
                        "max_cpus": 8,
                        "max_memory_gib": 8,
                        "accelerators": {"h100": 8},
                    }
                }
            },
            "GKE's type of an accelerator such as nvidia-l4",
        ),
        ({"gke": {"binary_authorization": ["Docker.io/x"]}}, "an image name pattern such as"),
        (
            {"gke": {"binary_authorization": ["registry.acme.example:x/team/**"]}},
            "an image name pattern such as",
        ),
        ({"api_access": {"mode": "dns", "cidrs": ["192.52.193.0/24"]}}, "which IAM guards; expected none"),
        ({"api_access": {"mode": "in_vpc", "security_group_id": "sg-1"}}, "there are no security groups"),
        ({"network": {**NETWORK, "zones": []}}, "ClusterArgs.network.zones: missing"),
        ({"network": {**NETWORK, "project": None}}, "ClusterArgs.network.project: missing"),
        ({"eks": {"support": "extended"}}, "`gke.release_channel` decides how long a version stays"),
        ({"eks": {"addons": {"coredns": {}}}}, "GKE installs DNS, network, storage and metrics"),
        ({"eks": {"service_cidr": "172.20.0.0/16"}}, "a secondary range of the network's subnet"),
        ({"eks": {"creator_is_admin": True}}, "roles/container.admin"),
        ({"eks": {"zonal_shift": True}}, "which Google Cloud does not support"),
    ],
)
def test_bad_input_is_refused_with_its_path(arguments: dict[str, Any], problem: str):
    problems = _problems(**arguments)
    assert any(problem in text for text in problems), problems


@pytest.mark.parametrize(
    "pattern",
    [
        "europe-docker.pkg.dev/acme/**",
        "registry.acme.example:5000/team/**",
        "registry.acme.example:5000/team/server:V1@sha256:0a",
    ],
)
def test_an_image_name_pattern_may_name_a_port_a_tag_and_a_digest(pattern: str):
    accepted = read(ClusterSettings, {**ARGS, "gke": {"binary_authorization": [pattern]}}, "ClusterArgs")
    assert list(accepted.gke.binary_authorization) == [pattern]


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("release_channel", "stable"),
        ("control_plane", "zonal"),
        ("maintenance_window", {"start": "03:00"}),
        ("gateway_api", True),
        ("gcs_fuse", True),
        ("multi_networking", True),
        ("binary_authorization", ["docker.io/**"]),
        ("google_groups", "gke-security-groups@acme.com"),
    ],
)
def test_options_of_gke_are_refused_on_aws(argument: str, value: Any):
    network = {"vpc_id": "vpc-1", "cidr": "10.16.0.0/16", "private_subnet_ids": ["subnet-1", "subnet-2"]}
    args = {"prefix": "acme-dev", "version": "1.35", "network": network, "gke": {argument: value}}
    with pytest.raises(
        ArgumentError, match=f"ClusterArgs.gke.{argument}: got .*, which AWS does not support"
    ):
        read(ClusterSettings, args, "ClusterArgs")


def test_an_endpoint_that_iam_guards_is_refused_on_aws():
    network = {"vpc_id": "vpc-1", "cidr": "10.16.0.0/16", "private_subnet_ids": ["subnet-1", "subnet-2"]}
    args = {"prefix": "a", "version": "1.35", "network": network, "api_access": {"mode": "dns"}}
    with pytest.raises(ArgumentError, match="EKS has no endpoint that IAM alone guards"):
        read(ClusterSettings, args, "ClusterArgs")


def test_every_channel_names_the_others_that_offer_a_version():
    assert not_offered("1.35", "stable") is None
    reason = str(not_offered("1.37", "regular"))
    assert "rapid offer 1.37" in reason
    assert "1.29" not in str(CHANNELS)
    assert str(not_offered("1.29", "regular")).endswith("1.36, 1.35, 1.34")
