"""What is read of a project: all places at once, links, costs, what is in use, keys, and deletions."""

from __future__ import annotations

from typing import Any

import pytest

from cli.estimate import table
from cli.sweep import costs, kinds
from cli.sweep.claims import evaluate
from cli.sweep.gcp import compute, records, retained
from cli.sweep.item import Item, Scope
from tests.cli.preflight.fakes import PROJECT
from tests.cli.sweep import fakes
from tests.cli.sweep.fakes import OURS, Google, aggregated, link, resource

DISKS = f"compute projects/{PROJECT}/aggregated/disks"
NETWORK = "global/networks/acme-dev-network"
SERVICE = "a0123456789abcdef0123456789abcde"
"""The name that GKE gives to the load balancer of a Service."""


def project(answers: dict[str, Any]) -> Scope:
    return fakes.scope(Google(answers), cloud="gcp")


def of(word: str, *entries: dict[str, Any], place: str = "global") -> dict[str, Any]:
    return {f"compute projects/{PROJECT}/aggregated/{word}": aggregated(word, *entries, place=place)}


def all_global(word: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {f"compute projects/{PROJECT}/global/{word}": {"items": list(entries)}}


def sections(scope: Scope) -> dict[str, str]:
    """Return `kind name` -> section of all kinds."""
    items = fakes.read(scope, kinds.of("gcp"))
    entries = evaluate(items, scope.identity, frozenset())
    return {f"{entry.item.kind} {entry.item.name}": entry.section for entry in entries}


def monthly(item: Item) -> float | None:
    return costs.monthly(item, table.load("gcp"))


def test_empty_project_has_nothing() -> None:
    assert fakes.read(project({}), kinds.of("gcp")) == []


def test_disk_is_recognised_by_its_label_or_by_the_key_that_encrypts_it() -> None:
    ring = f"projects/{PROJECT}/locations/us-central1/keyRings/cluster-keys-1"
    key = f"{ring}/cryptoKeys/volumes"
    disk = {"sizeGb": "20", "type": link("zones/us-central1-a/diskTypes/pd-balanced")}
    zone = "zones/us-central1-a"
    scope = project(
        {
            f"cloudkms projects/{PROJECT}/locations/us-central1/keyRings": {"keyRings": [{"name": ring}]},
            f"cloudkms {ring}/cryptoKeys": {"cryptoKeys": [{"name": key, "labels": OURS}]},
            **of(
                "disks",
                resource(
                    f"{zone}/disks/pvc-1",
                    **disk,
                    diskEncryptionKey={"kmsKeyName": f"{key}/cryptoKeyVersions/1"},
                ),
                resource(f"{zone}/disks/pvc-2", **disk, labels={"goog-k8s-cluster-name": "acme-dev-cluster"}),
                resource(f"{zone}/disks/pvc-3", **disk),
                place=zone,
            ),
        }
    )
    assert sections(scope) == {"disk pvc-1": "left", "disk pvc-2": "left", "key ": "retained"}
    item = next(item for item in fakes.read(scope, compute.MACHINES) if item.name == "pvc-1")
    assert monthly(item) == pytest.approx(20 * 0.1)
    assert item.command == f"gcloud compute disks delete pvc-1 --zone us-central1-a --project {PROJECT}"
    assert item.delete is not None
    item.delete(scope.client)
    assert scope.client.deleted == [f"compute projects/{PROJECT}/{zone}/disks/pvc-1"]


def test_load_balancer_of_a_service_is_recognised_by_its_firewall_rule_in_the_network() -> None:
    region = "regions/us-central1"
    pool = resource(f"{region}/targetPools/{SERVICE}", instances=[link("zones/us-central1-a/instances/gone")])
    scope = project(
        {
            **all_global("networks", resource(NETWORK)),
            **all_global("firewalls", resource(f"global/firewalls/k8s-fw-{SERVICE}", network=link(NETWORK))),
            **of("targetPools", pool, place=region),
            **of(
                "forwardingRules",
                resource(f"{region}/forwardingRules/{SERVICE}", target=pool["selfLink"]),
                place=region,
            ),
        }
    )
    assert sections(scope) == {
        f"forwarding rule {SERVICE}": "left",
        f"target pool {SERVICE}": "left",
        f"firewall rule k8s-fw-{SERVICE}": "left",
    }


def test_load_balancer_without_a_network_is_uncertain() -> None:
    rule = resource(f"regions/us-central1/forwardingRules/{SERVICE}")
    assert sections(project(of("forwardingRules", rule, place="regions/us-central1"))) == {
        f"forwarding rule {SERVICE}": "uncertain"
    }


def test_load_balancer_of_another_network_is_not_reported() -> None:
    default = "global/networks/default"
    group = resource(
        "zones/us-central1-a/networkEndpointGroups/k8s1-01234567-default-web-80-abcd", network=link(default)
    )
    scope = project(
        {
            **all_global("networks", resource(NETWORK), resource(default)),
            **of("networkEndpointGroups", group, place="zones/us-central1-a"),
            **of("forwardingRules", resource("global/forwardingRules/k8s2-fr-01234567-default-web-abcd")),
        }
    )
    assert sections(scope) == {}


def test_health_check_is_of_what_uses_it() -> None:
    group = resource(
        "zones/us-central1-a/networkEndpointGroups/k8s1-01234567-default-web-80-abcd", network=link(NETWORK)
    )
    shared = resource("global/healthChecks/shared")
    check = resource("global/healthChecks/hc")
    service = resource(
        "global/backendServices/k8s1-01234567-default-web-80-ef",
        backends=[{"group": group["selfLink"]}],
        healthChecks=[check["selfLink"], shared["selfLink"]],
    )
    stranger = resource("global/backendServices/office", healthChecks=[shared["selfLink"]])
    scope = project(
        {
            **all_global("networks", resource(NETWORK)),
            **of("networkEndpointGroups", group, place="zones/us-central1-a"),
            **of("backendServices", service, stranger),
            **of("healthChecks", check, shared),
        }
    )
    assert sections(scope) == {
        f"backend service {service['name']}": "left",
        "health check hc": "left",
        f"network endpoint group {group['name']}": "left",
    }, "the shared one stays"


def test_attached_disk_and_used_address_are_in_use() -> None:
    zone = "zones/us-central1-a"
    disk = {"sizeGb": "20", "type": link(f"{zone}/diskTypes/pd-balanced")}
    scope = project(
        {
            **of(
                "disks", resource(f"{zone}/disks/a", **disk, users=[link(f"{zone}/instances/vm")]), place=zone
            ),
            **of(
                "addresses",
                resource("global/addresses/free"),
                resource("global/addresses/used", users=[link("global/forwardingRules/rule")]),
                resource("global/addresses/inside", addressType="INTERNAL"),
            ),
        }
    )
    items = {item.name: item for item in fakes.read(scope, compute.MACHINES)}
    assert (items["a"].busy, items["used"].busy) == ("attached to vm", "in use by rule")
    assert monthly(items["free"]) == pytest.approx(730 * 0.01)
    assert monthly(items["used"]) == pytest.approx(730 * 0.005)
    assert monthly(items["inside"]) == 0
    assert items["used"].uses == (f"projects/{PROJECT}/global/forwardingRules/rule",)


def test_regional_disk_is_paid_in_both_zones() -> None:
    place = "regions/us-central1"
    zones = [link("zones/us-central1-a"), link("zones/us-central1-b")]
    disk = {"sizeGb": "20", "type": link(f"{place}/diskTypes/pd-ssd"), "replicaZones": zones}
    (item,) = fakes.read(
        project(of("disks", resource(f"{place}/disks/a", **disk), place=place)), compute.MACHINES
    )
    assert monthly(item) == pytest.approx(2 * 20 * 0.17)


def test_running_machine_has_its_price_and_groups_of_node_pools_are_left_out() -> None:
    zone = "zones/us-central1-a"
    machine = {
        "machineType": link(f"{zone}/machineTypes/e2-standard-4"),
        "networkInterfaces": [{"network": link(NETWORK)}],
    }
    scope = project(
        {
            **of(
                "instances",
                resource(f"{zone}/instances/on", **machine, status="RUNNING"),
                resource(f"{zone}/instances/off", **machine, status="TERMINATED"),
                place=zone,
            ),
            **of(
                "instanceGroups",
                resource(f"{zone}/instanceGroups/k8s-ig--0123456789abcdef"),
                resource(f"{zone}/instanceGroups/gke-acme-dev-cluster-x-grp"),
                place=zone,
            ),
        }
    )
    items = {item.name: item for item in fakes.read(scope, (*compute.MACHINES, *compute.BACKENDS))}
    assert items["on"].network == f"projects/{PROJECT}/{NETWORK}"
    assert monthly(items["on"]) == pytest.approx(730 * table.load("gcp").prices["compute/e2-standard-4"].usd)
    assert monthly(items["off"]) == 0
    assert "gke-acme-dev-cluster-x-grp" not in items


@pytest.mark.parametrize(
    ("states", "reason", "usd", "verb"),
    [
        (["ENABLED"], "is lost with its versions", 0.06, "destroy 1"),
        (["DESTROY_SCHEDULED"], "in deletion until 2026-12-29", 0, "restore 1"),
        (["DESTROYED", "ENABLED"], "is lost with its versions", 0.06, "destroy 2"),
        (["DESTROYED"], "deletes no key", 0, ""),
        ([], "deletes no key", 0, ""),
    ],
)
def test_key_states_what_becomes_of_its_versions(
    states: list[str], reason: str, usd: float, verb: str
) -> None:
    ring = f"projects/{PROJECT}/locations/us-central1/keyRings/r"
    key = f"{ring}/cryptoKeys/k"
    versions = [
        {"name": f"{key}/cryptoKeyVersions/{place}", "state": state, "destroyTime": "2026-12-29T00:00:00Z"}
        for place, state in enumerate(states, 1)
    ]
    scope = project(
        {
            f"cloudkms projects/{PROJECT}/locations/us-central1/keyRings": {"keyRings": [{"name": ring}]},
            f"cloudkms {ring}/cryptoKeys": {"cryptoKeys": [{"name": key, "labels": OURS}]},
            f"cloudkms {key}/cryptoKeyVersions": {"cryptoKeyVersions": versions},
        }
    )
    (item,) = fakes.read(scope, [retained.KEYS])
    assert reason in item.reason
    assert monthly(item) == pytest.approx(usd)
    assert verb in item.command
    assert item.delete is None


def test_records_of_external_dns_have_their_clusters_name() -> None:
    zones = f"projects/{PROJECT}/managedZones"
    text = '"heritage=external-dns,external-dns/owner=acme-dev-cluster"'
    rrsets = [
        {"name": "web.example.com.", "type": "A", "rrdatas": ["192.0.2.1"]},
        {"name": "a-web.example.com.", "type": "TXT", "rrdatas": [text]},
    ]
    scope = project(
        {f"dns {zones}": {"managedZones": [{"name": "z"}]}, f"dns {zones}/z/rrsets": {"rrsets": rrsets}}
    )
    items = fakes.read(scope, [records.DNS_RECORDS])
    assert [set(item.owners.values()) for item in items] == [{"acme-dev-cluster"}] * 2
    assert items[0].delete is not None
    items[0].delete(scope.client)
    assert scope.client.deleted == [f"dns {zones}/z/rrsets/web.example.com./A"]
