"""Rows: what is behind, near the end of its support, or out of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from packaging.requirements import Requirement

from cli.upgrades import items
from cli.upgrades.facts import Addon, Facts, Support
from cli.upgrades.items import Item, Terms, control_plane, fits
from cli.upgrades.software import Published, Sdk
from tests.cli.upgrades.samples import TERMS, TODAY, chart, control, document, nodes, stated


def state(support: Support, **changes: Any) -> str:
    return control_plane(control("1.36", support=support, **changes), TERMS).state


def test_control_plane_behind_the_newest_has_days_until_the_end_of_its_support() -> None:
    item = control_plane(control(), TERMS)
    assert (item.state, item.newest, item.days_left(TODAY)) == ("behind", "1.36", 118)
    assert not item.usd_per_hour, "EKS upgrades a cluster with standard support; nothing is paid"


@pytest.mark.parametrize(
    ("standard", "extended", "pays", "expected"),
    [
        (date(2027, 2, 28), None, False, "current"),
        (date(2027, 2, 27), None, False, "ends soon"),
        (date(2026, 11, 29), None, True, "ends soon"),
        (date(2026, 11, 28), date(2027, 11, 28), True, "extended"),
        (date(2026, 11, 28), date(2027, 11, 28), False, "unsupported"),
        (date(2025, 11, 28), date(2026, 11, 28), True, "unsupported"),
        (date(2026, 11, 28), None, True, "unsupported"),
        (None, None, False, "current"),
    ],
)
def test_state_follows_the_ends_of_support(
    standard: date | None, extended: date | None, pays: bool, expected: str
) -> None:
    assert state(Support(standard, extended), pays_extended=pays) == expected


def test_version_that_the_cloud_no_longer_offers_is_unsupported() -> None:
    assert state(Support(), is_offered=False) == "unsupported"


def test_extended_support_has_its_price_where_it_would_be_paid() -> None:
    assert control_plane(control(pays_extended=True), TERMS).usd_per_hour == 0.6


@pytest.mark.parametrize(
    ("release", "version", "newest", "expected"),
    [
        ("1.35.8-20260930", "1.35", "1.35.8-20260930", "current"),
        ("1.35.8-20260815", "1.35", "1.35.8-20260930", "behind"),
        ("1.35.6-gke.1250000", "1.35", "1.35.10-gke.1000", "behind"),
        ("1.64.0-6f4c2b1e", "1.35", "1.64.0-0a4c2b1e", "current"),
        ("1.34.11-20260930", "1.34", "1.35.8-20260930", "behind"),
        ("1.31.14-20260930", "1.31", "1.35.8-20260930", "unsupported"),
        ("", "1.35", "", "not looked up"),
        ("", "1.34", "", "behind"),
    ],
)
def test_nodes_are_compared_by_release_and_by_distance_to_the_control_plane(
    release: str, version: str, newest: str, expected: str
) -> None:
    known = Facts(control(), [nodes("general", release, version=version, newest=newest)])
    (item,) = items.nodes_of(known, document(nodes=[]), TERMS)
    assert item.state == expected


def test_gke_allows_nodes_two_minor_versions_behind() -> None:
    known = Facts(control(), [nodes("general", version="1.32")])
    (of_eks,) = items.nodes_of(known, document(nodes=[]), TERMS)
    (of_gke,) = items.nodes_of(known, document(nodes=[]), Terms("gcp", TODAY, 90, 0.5))
    assert (of_eks.state, of_gke.state) == ("current", "unsupported")


def test_nodes_of_karpenter_are_listed_and_not_looked_up() -> None:
    pool = stated("batch", release="v20261110", karpenter=True, accelerators=True)
    (item,) = items.nodes_of(Facts(control(), []), document(nodes=[pool]), TERMS)
    assert (item.name, item.has, item.state) == ("batch (Karpenter)", "v20261110", "not looked up")


def test_pinned_addon_is_compared_with_the_newest_and_another_one_with_the_default() -> None:
    addon = Addon("coredns", "v1.13.2-eksbuild.4", "v1.13.2-eksbuild.4", "v1.13.2-eksbuild.10")
    known = Facts(control(), [], [addon])
    (follows,) = items.addons_of(known, document())
    (pinned,) = items.addons_of(known, document(addons={"coredns": addon.version}))
    assert (follows.state, pinned.state) == ("current", "behind"), "build 10 is newer than build 4"


def test_chart_is_not_looked_up_until_its_repository_is_asked() -> None:
    stated_charts = document(charts=[chart("kueue")])
    (offline,) = items.charts_of(stated_charts, "1.35", None)
    (online,) = items.charts_of(stated_charts, "1.35", {"kueue": Published("1.1.0")})
    (failed,) = items.charts_of(stated_charts, "1.35", {"kueue": Published(problem="no answer")})
    assert (offline.state, offline.newest) == ("not looked up", "")
    assert (online.state, online.newest) == ("behind", "1.1.0")
    assert (failed.state, failed.reason) == ("not looked up", "no answer")


def test_chart_older_than_the_catalog_is_behind_without_a_request() -> None:
    (item,) = items.charts_of(document(charts=[chart("kueue", version="0.9.0")]), "1.35", None)
    assert (item.state, item.newest) == ("behind", "1.0.0")


def test_chart_that_does_not_support_the_control_plane_is_unsupported() -> None:
    (item,) = items.charts_of(document(charts=[chart("keda", "1.33-1.34")]), "1.35", None)
    assert item.state == "unsupported"
    assert "for Kubernetes 1.33-1.34 (its documentation)" in item.reason


def test_sdk_beyond_the_range_of_the_project_is_named() -> None:
    sdk = Sdk("pulumi-aws", "7.30.0", Requirement("pulumi-aws>=7.30,<8"))
    (inside,) = items.sdks_of([sdk], {"pulumi-aws": Published("7.31.0")})
    (beyond,) = items.sdks_of([sdk], {"pulumi-aws": Published("8.0.0")})
    (unknown,) = items.sdks_of([sdk], None)
    assert (inside.state, inside.reason) == ("behind", "")
    assert (beyond.state, beyond.reason) == ("behind", "pyproject.toml allows <8,>=7.30")
    assert (unknown.state, unknown.reason) == ("not looked up", "--online asks PyPI")


@pytest.mark.parametrize(
    ("supported", "kubernetes", "expected"),
    [
        ("1.33-1.36", "1.33", True),
        ("1.33-1.36", "1.36", True),
        ("1.33-1.36", "1.37", False),
        ("1.33-1.36", "1.32", False),
        ("1.32-", "1.40", True),
        ("1.32-", "1.31", False),
        ("", "1.99", True),
    ],
)
def test_range_of_kubernetes_versions(supported: str, kubernetes: str, expected: bool) -> None:
    assert fits(supported, kubernetes) is expected


@pytest.mark.parametrize(
    ("states", "blocked", "code"),
    [
        (("current", "behind", "not looked up"), False, 0),
        (("current",), True, 3),
        (("ends soon",), False, 3),
        (("extended", "behind"), False, 3),
        (("ends soon", "unsupported"), True, 2),
    ],
)
def test_exit_code_is_that_of_the_worst_row(states: tuple[Any, ...], blocked: bool, code: int) -> None:
    rows = [Item("chart", "x", "1", "", state) for state in states]
    assert items.exit_code(rows, blocked) == code
