"""The Google provider with the real engine, on a separate cloud without a control plane."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation

from cli import admin_client
from tests.end_to_end.inline import ROOT, Program, Workplace
from tests.end_to_end.test_provider_engine import changes
from twin import environment, instances, path_shims
from twin.instances import Instance
from twin.tests.gcp.services.compute.test_resources import ADDRESS, FIREWALL, NETWORK, RANGES, SUBNETWORK
from twin.tests.gcp.services.test_resources import ACCOUNT, MEMBER, SERVICE
from twin.tests.waiting import eventually
from twin.toolchain import build

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif("pulumi" not in build.locate(), reason="pulumi is not built: `aiplatform doctor`"),
]
PROJECT = "acme-ml-dev"
LINK = "projects/acme-ml-dev/global/networks/net"


@dataclass
class Place(Workplace):
    """A folder with a backend, and the twin's provider with the Google Cloud of a twin."""

    instance: Instance = field(default_factory=lambda: Instance(""))

    def __post_init__(self) -> None:
        super().__post_init__()
        (self.folder / "bin" / "pulumi-resource-aws").unlink()
        plugin = self.folder / "bin" / "pulumi-resource-gcp"
        plugin.write_text(
            f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m twin.gcp.provider "$@"\n'
        )
        plugin.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        base_environment = super().environment
        twin_environment = environment.environment(self.instance)
        return {
            **twin_environment,
            **base_environment,
            "PATH": f"{self.folder / 'bin'}:{base_environment['PATH']}",
        }

    def inventory(self) -> dict[str, Any]:
        """Return what exists in the project, apart from what every project has."""
        return {
            kind: names
            for kind, names in admin_client.request(self.instance, "GET", "inventory").items()
            if names
        }


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A twin instance whose cloud is served."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(tmp_path_factory.mktemp("home")))
        instance = instances.create("engine", cloud="gcp", region="us-central1", account=PROJECT)
        environment.prepare(instance)
        serving = subprocess.Popen(
            [sys.executable, "-m", "twin.gcp.server", "--instance", instance.name],
            cwd=ROOT,
            env={**environment.daemon_environment(instance), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
        )
        eventually("the cloud answers", lambda: _answers(instance), 60)
        yield instance
        serving.send_signal(signal.SIGTERM)
        serving.wait(30)


def _answers(instance: Instance) -> bool:
    try:
        return bool(admin_client.request(instance, "GET", "health")) or True
    except (OSError, ValueError, http.client.HTTPException):
        return False


@pytest.fixture
def place(front: Instance, tmp_path: Path) -> Place:
    assert path_shims.sdk_version("gcp")
    assert os.environ["AIPLATFORM_HOME"]
    return Place(tmp_path, instance=front)


def program(*, mtu: int = 1460, team: str = "ml", cidr: str = "10.0.0.0/20") -> Program:
    return [
        *(
            {"token": SERVICE, "name": api, "props": {"service": f"{api}.googleapis.com"}}
            for api in ("compute", "iam", "cloudresourcemanager")
        ),
        {
            "token": NETWORK,
            "name": "net",
            "props": {"name": "net", "autoCreateSubnetworks": False, "mtu": mtu},
            "after": ["compute"],
        },
        {
            "token": SUBNETWORK,
            "name": "nodes",
            "props": {
                "network": {"ref": "net"},
                "ipCidrRange": cidr,
                "region": "us-central1",
                "secondaryIpRanges": RANGES,
            },
        },
        {"token": ADDRESS, "name": "nat", "props": {"labels": {"team": team}}, "after": ["compute"]},
        {
            "token": FIREWALL,
            "name": "allow",
            "props": {
                "network": {"ref": "net"},
                "allows": [{"protocol": "tcp", "ports": ["443"]}],
                "sourceRanges": ["10.0.0.0/8"],
            },
        },
        {
            "token": ACCOUNT,
            "name": "nodes-account",
            "props": {"accountId": "gke-nodes"},
            "after": ["iam"],
        },
        {
            "token": MEMBER,
            "name": "logs",
            "props": {
                "project": PROJECT,
                "role": "roles/logging.logWriter",
                "member": f"serviceAccount:gke-nodes@{PROJECT}.iam.gserviceaccount.com",
            },
            "after": ["nodes-account", "cloudresourcemanager"],
        },
    ]


def test_a_stack_is_created_changed_and_destroyed(place: Place) -> None:
    stack = place.stack(program())
    assert changes(stack.preview())["create"] == 10
    up = stack.up()
    assert up.outputs["net"].value == LINK
    assert up.outputs["nodes"].value.startswith("projects/acme-ml-dev/regions/us-central1/subnetworks/nodes-")
    assert not changes(stack.preview(refresh=True)), "nothing changed, nothing drifted"

    changed = place.stack(program(team="data", mtu=8896))
    assert changes(changed.preview()) == {"update": 2}
    changed.up()
    assert not changes(changed.preview(refresh=True))

    smaller = place.stack(program(team="data", mtu=8896, cidr="10.0.0.0/24"))
    assert changes(smaller.preview()) == {"replace": 1}

    address = f"projects/{PROJECT}/regions/us-central1/addresses/{_name(up, 'nat')}"
    assert address in str(place.inventory())
    changed.destroy()
    assert place.inventory() == {}


def _name(up: Any, output: str) -> str:
    return str(up.outputs[output].value).rpartition("/")[2]


def test_errors_read_like_those_of_google(place: Place) -> None:
    wrong = program()
    wrong[4]["props"]["secondaryIpRanges"] = [{"rangeName": "pods", "ipCidrRange": "10.0.0.0/21"}]
    with pytest.raises(automation.CommandError, match="googleapi: Error 400"):
        place.stack(wrong).up()
    misspelt = program()
    misspelt[3]["props"]["autoCreateSubnetwork"] = False
    with pytest.raises(automation.CommandError, match="did you mean 'autoCreateSubnetworks'"):
        place.stack(misspelt).up()
    place.stack(program()).destroy()
    assert place.inventory() == {}
