"""`aiplatform upgrades` on the twin of each cloud: versions of EKS and GKE, and the order to follow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.end_to_end.harness import Twin
from tests.end_to_end.reduced import DATA_LAYER, KUBERNETES_LAYER

pytestmark = pytest.mark.end_to_end

STREAMING: Final = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}


@pytest.fixture(scope="module", params=["aws-dev", "gcp-dev"])
def twin(home: Path, request: pytest.FixtureRequest) -> Iterator[Twin]:
    """The twin of an environment that is not deployed: its network, its cluster and its pools."""
    with Twin(
        request.param, home, STREAMING, without=(*KUBERNETES_LAYER, *DATA_LAYER), checkpoints=False
    ).started() as started:
        if started.instance.cloud == "gcp":
            services: Any = started.google("serviceusage", "v1").services()
            for api in ("compute", "container", "storage"):
                name = f"projects/{started.instance.account}/services/{api}.googleapis.com"
                services.enable(name=name, body={}).execute()
        yield started


def upgrades(twin: Twin, *options: str) -> tuple[int, Mapping[str, Any]]:
    """Return exit code and document."""
    done = twin.cli("upgrades", twin.environment, "--json", *options, check=False)
    assert done.returncode in (0, 2, 3), done.stderr
    document = json.loads(done.stdout)
    assert document["exit_code"] == done.returncode
    return done.returncode, document


def test_versions_are_those_of_the_cloud_and_the_file_is_one_behind(twin: Twin) -> None:
    _, document = upgrades(twin)
    items = {(item["kind"], item["name"]): item for item in document["items"]}
    control = items["control plane", "acme-dev-cluster"]
    assert (control["has"], control["newest"], control["state"]) == ("1.35", "1.36", "behind")
    assert "does not exist yet" in control["reason"]
    releases = [item["newest"] for (kind, _), item in items.items() if kind == "nodes"]
    assert releases
    assert all(release.startswith("1.35.") for release in releases), releases
    if twin.instance.cloud == "aws":
        assert control["end_of_standard_support"] == "2027-03-27"
        assert items["add-on of EKS", "coredns"]["newest"]
    changes = [change for step in document["steps"] for change in step["changes"]]
    file = f"environments/Pulumi.{twin.environment}.yaml"
    assert {"file": file, "key": "ai-platform:cluster.version", "value": '"1.36"'} in changes
    assert twin.inventory() == {}, "it creates nothing"


def test_end_of_support_within_the_days_exits_with_3(twin: Twin) -> None:
    code, document = upgrades(twin, "--within", "100000")
    states = {item["kind"]: item["state"] for item in document["items"]}
    expected = {"aws": "ends soon", "gcp": "behind"}[twin.instance.cloud]
    assert states["control plane"] == expected, "GKE states the end of clusters that exist"
    assert code == 3 or twin.instance.cloud == "gcp"
