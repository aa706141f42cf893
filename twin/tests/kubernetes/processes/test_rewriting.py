"""Addresses of Pods, and texts with the folders and addresses of this machine."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.kubernetes.processes import addresses
from twin.kubernetes.processes.rewriting import Rewriter
from twin.tests.kubernetes.builders import pod

FOLDERS = {
    "/etc/app": Path("/private/etc"),
    "/etc/app/inner": Path("/private/inner"),
    "/data/": Path("/private/data"),
}
NODE = addresses.loopback(addresses.of_host("job-node-0", "job", "team"))
REWRITE = Rewriter(FOLDERS, "127.96.0.9", "team", ["job", "other"])
TEXTS = {
    "/etc/app": "/private/etc",
    "--config=/etc/app/a.yaml": "--config=/private/etc/a.yaml",
    "/etc/app/inner/x:/data": "/private/inner/x:/private/data",
    "file:///etc/app/x": "file:///private/etc/x",
    "sqlite:////data/db": "sqlite:////private/data/db",
    "s3://bucket/etc/app": "s3://bucket/etc/app",
    "https://host/data/x": "https://host/data/x",
    "/etc/application": "/etc/application",
    "/srv/etc/app": "/srv/etc/app",
    "../data": "../data",
    "--host=0.0.0.0": "--host=127.96.0.9",
    "127.0.0.1:80,10.0.0.0.1": "127.96.0.9:80,10.0.0.0.1",
    "version 1.0.0.0.0": "version 1.0.0.0.0",
    "job-node-0.job:29500": f"{NODE}:29500",
    "tcp://job-node-0.job.team.svc.cluster.local:1": f"tcp://{NODE}:1",
    "job-node-0.job.team": f"{NODE}",
    "job-node-0.job.example.com": "job-node-0.job.example.com",
    "job-node-0.jobs": "job-node-0.jobs",
    "x.job-node-0.job": "x.job-node-0.job",
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_only_paths_below_mounts_and_addresses_of_pods_are_replaced(text: str, expected: str) -> None:
    assert REWRITE(text) == expected


def test_a_pod_with_a_host_name_has_the_same_address_when_it_is_created_again() -> None:
    first = pod("job-node-0", namespace="team", subdomain="job")
    second = pod("job-node-0", namespace="team", subdomain="job")
    second["metadata"]["uid"] = "another"
    assert addresses.of_pod(first) == addresses.of_pod(second)
    assert addresses.of_pod(first) == addresses.of_host("job-node-0", "job", "team")
    plain, again = pod("web"), pod("web")
    again["metadata"]["uid"] = "another"
    assert addresses.of_pod(plain) != addresses.of_pod(again)


@given(st.text(min_size=1), st.text(min_size=1))
def test_each_address_is_of_a_pod_and_has_one_on_loopback(hostname: str, service: str) -> None:
    address = addresses.of_host(hostname, service, "default")
    assert ip_address(address) in addresses.PODS
    assert 1 <= int(address.rpartition(".")[2]) <= 254
    here = addresses.loopback(address)
    assert here is not None
    assert ip_address(here).is_loopback


def test_other_addresses_are_of_no_pod() -> None:
    # The last two are of a Pod that kwok runs, and of a Service.
    for address in ("10.0.0.1", "localhost", "::1", "100.64.0.7", "172.20.0.1"):
        assert addresses.loopback(address) is None
