"""What GKE states of a cluster."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cli.clients.gcp import ApiError
from cli.estimate.resources import Resources
from cli.preflight.scope import UncheckedError
from cli.upgrades import gcp
from cli.upgrades.facts import Facts
from tests.cli.estimate.samples import resource
from tests.cli.preflight.fakes import PROJECT, Google
from tests.cli.upgrades.samples import document

LOCATION = f"projects/{PROJECT}/locations/us-central1"
NAME = f"{LOCATION}/clusters/acme-dev-cluster"
CONFIG = {
    "channels": [
        {
            "channel": "REGULAR",
            "validVersions": ["1.36.2-gke.10", "1.36.10-gke.1", "1.35.7-gke.20", "1.35.6-gke.10"],
        },
        {"channel": "RAPID", "validVersions": ["1.37.0-gke.1"]},
    ],
    "validMasterVersions": ["1.34.9-gke.1"],
}
RUNNING: dict[str, Any] = {
    "name": "acme-dev-cluster",
    "location": "us-central1",
    "currentMasterVersion": "1.35.6-gke.10",
    "releaseChannel": {"channel": "REGULAR"},
    "nodePools": [
        {
            "name": "general-x",
            "version": "1.35.1-gke.5",
            "config": {"labels": {"ai-platform/pool": "general"}},
        }
    ],
}


def facts(*clusters: Any, info: Any = None, resources: Any = ()) -> Facts:
    client = Google(
        {
            f"container projects/{PROJECT}/locations/-/clusters": {"clusters": list(clusters)},
            f"container {LOCATION}/serverConfig": CONFIG,
            f"container {NAME}:fetchClusterUpgradeInfo": info or ApiError(403, "denied"),
        }
    )
    return gcp.read(client, PROJECT, "us-central1", "acme-dev-cluster", document(), Resources(resources))


def test_cluster_that_runs_has_its_version_and_the_end_of_its_support() -> None:
    info = {
        "endOfStandardSupportTimestamp": "2027-04-11T00:00:00Z",
        "endOfExtendedSupportTimestamp": "2028-02-11",
    }
    known = facts({**RUNNING, "name": "other"}, RUNNING, info=info)
    control = known.control
    assert (control.exists, control.version, control.next) == (True, "1.35", "1.36")
    assert (control.support.standard, control.support.extended) == (date(2027, 4, 11), date(2028, 2, 11))
    assert not control.pays_extended
    assert known.notes == []


def test_newest_release_of_nodes_is_not_newer_than_the_control_plane() -> None:
    (nodes,) = facts(RUNNING).nodes
    assert (nodes.pool, nodes.release, nodes.newest) == ("general", "1.35.1-gke.5", "1.35.6-gke.10")
    assert nodes.newest_next == "1.36.10-gke.1", "10 is newer than 2"


def test_end_of_support_that_cannot_be_read_is_a_note() -> None:
    known = facts(RUNNING)
    assert known.control.support.standard is None
    assert known.notes == ["the end of support is not looked up: 403: denied"]


def test_only_the_extended_channel_pays() -> None:
    assert facts({**RUNNING, "releaseChannel": {"channel": "EXTENDED"}}).control.pays_extended


def test_channel_that_lacks_the_version_is_no_support() -> None:
    assert not facts({**RUNNING, "releaseChannel": {"channel": "RAPID"}}).control.is_offered


def test_cluster_that_does_not_exist_has_the_file_and_the_preview() -> None:
    cluster = resource(
        "gcp:container/cluster:Cluster", location="us-central1", releaseChannel={"channel": "REGULAR"}
    )
    pool = resource(
        "gcp:container/nodePool:NodePool",
        "general",
        version="1.35.6-gke.10",
        nodeConfig={"labels": {"ai-platform/pool": "general"}},
    )
    known = facts(resources=(cluster, pool))
    assert (known.control.exists, known.control.version) == (False, "1.35")
    assert [(nodes.pool, nodes.newest) for nodes in known.nodes] == [("general", "1.35.7-gke.20")]
    assert "GKE states it of clusters that exist" in known.notes[0]


def test_project_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(UncheckedError, match="404"):
        gcp.read(Google({}), PROJECT, "us-central1", "x", document(), Resources(()))
