"""Alerts fire where they should, and nowhere else: in the real promtool."""

import re
from pathlib import Path

import pytest

from aiplatform.observability import rules
from aiplatform.observability.rule_types import Alert, RuleGroup
from aiplatform.observability.rules import data, gpu, registry
from aiplatform.observability.settings import CustomRule
from tests.components.aiplatform.observability import environments
from tests.components.aiplatform.observability.rules import promtool

ALERTS = [alert for group in rules.rule_groups(environments.COMPLETE) for alert in group.alerts]
NAMES = sorted({alert.name for alert in ALERTS})
RUNBOOKS = Path(__file__).parents[5] / "docs" / "runbooks"
ALWAYS = {"Watchdog"}
OF_TARGET = {"job", "instance", "namespace", "service", "pod"}
LABEL = re.compile(r"\$labels\.(\w+)")


def test_each_alert_fires_for_its_cases_and_for_no_others(tmp_path: Path) -> None:
    tool = promtool.find()
    groups = rules.rule_groups(environments.COMPLETE)
    promtool.run(tool, "test", "rules", *(promtool.tests_file(name, groups, tmp_path) for name in NAMES))


@pytest.mark.parametrize("environment", environments.ALL)
def test_promtool_accepts_the_rules(environment: str, tmp_path: Path) -> None:
    groups = rules.rule_groups(environments.ALL[environment])
    report = promtool.run(
        promtool.find(),
        "check",
        "rules",
        "--lint=all",
        "--lint-fatal",
        promtool.rules_file(groups, tmp_path / "rules.json"),
    )
    assert f"{sum(len(group.rules) for group in groups)} rules found" in report


def test_promtool_refuses_a_rule_that_the_environment_got_past_the_check(tmp_path: Path) -> None:
    group = RuleGroup("g", (Alert("A", "info", "rate(up)", "s", "d"),), "https://example.com")
    with pytest.raises(AssertionError, match="expected type range vector"):
        promtool.run(promtool.find(), "check", "rules", promtool.rules_file([group], tmp_path / "rules.json"))


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(name: str) -> None:
    cases = [case for case in promtool.cases() if case.alert == name]
    assert any(case.alerts for case in cases), "no case in which it fires"
    assert name in ALWAYS or any(not case.alerts for case in cases), "no case in which it does not fire"


def test_cases_are_of_alerts_that_exist() -> None:
    assert {case.alert for case in promtool.cases()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_has_a_runbook(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    for section in ("## Meaning", "## What to do"):
        assert section in text, f"no section {section}"


def test_each_runbook_is_of_an_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"} == set(NAMES)
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"[{name}]({name}.md)" not in index] == []


def test_notifications_link_to_the_runbook() -> None:
    for alert in ALERTS:
        link = alert.as_spec("https://example.com/runbooks")["annotations"]["runbook_url"]
        assert link == f"https://example.com/runbooks/{alert.name}.md"


def test_texts_use_labels_that_the_alert_has() -> None:
    labels = {
        case.alert: {label for entry in case.alerts for label in entry}
        for case in promtool.cases()
        if case.alerts
    }
    # Of series whose cases leave labels out.
    shortened = {
        "GpuUncorrectedMemoryErrors",
        "GpuRowRemapFailed",
        "GpuNeedsReset",
        "GpuThrottledByTemperature",
    }
    shortened |= {"GpuThrottledByHardware", "GpuXidProgramError"}
    of_gpus = {"gpu", "modelName", "Hostname"}
    for alert in ALERTS:
        used = set(LABEL.findall(alert.summary + alert.description))
        known = labels[alert.name] | (of_gpus if alert.name in shortened else set()) | set(alert.labels)
        assert used <= known, alert.name


def test_rules_are_unique() -> None:
    rules_by_key = [(alert.name, alert.severity, tuple(sorted(alert.labels.items()))) for alert in ALERTS]
    assert len(rules_by_key) == len(set(rules_by_key))
    groups = [group.name for group in rules.rule_groups(environments.COMPLETE)]
    assert len(groups) == len(set(groups))


def test_xid_errors_are_never_read_by_a_rate() -> None:
    for alert in ALERTS:
        for function in ("rate", "increase", "changes", "delta"):
            assert f"{function}(DCGM_FI_DEV_XID_ERRORS" not in alert.expression, "it is always 0"


def test_a_small_environment_has_no_alerts_of_what_it_lacks() -> None:
    names = {alert.name for group in rules.rule_groups(environments.SMALL) for alert in group.alerts}
    assert "Watchdog" in names
    assert "CertificateNotReady" in names
    for prefix in ("Gpu", "Queue", "Karpenter", "RemoteWrite", "Slo", "JobSet"):
        assert not [name for name in names if name.startswith(prefix)], (
            f"{prefix} needs what is not installed"
        )


def test_an_alert_of_the_environment_is_a_rule() -> None:
    settings = environments.Settings(
        cloud="aws",
        cluster="acme",
        custom_rules=(
            CustomRule("DiskIsSlow", "up == 0", "slow", "critical", 7, "https://example.com/slow"),
        ),
    )
    spec = {group.name: group.as_spec() for group in rules.rule_groups(settings)}["environment"]
    assert spec["rules"] == [
        {
            "alert": "DiskIsSlow",
            "expr": "up == 0",
            "for": "7m",
            "labels": {"severity": "critical"},
            "annotations": {"summary": "slow", "runbook_url": "https://example.com/slow"},
        }
    ]


def test_names_of_other_parts_of_the_platform_are_theirs() -> None:
    from aiplatform.feature_store import args as feature_store
    from aiplatform.model_registry import args as model_registry
    from cli.maintenance.results import FATAL_XIDS

    assert registry.SERVER == model_registry.SERVER
    assert (data.SERVER, data.MATERIALIZER) == (feature_store.SERVER, feature_store.MATERIALIZER)
    assert set(gpu.HARDWARE_XIDS) == FATAL_XIDS, "the alert and `aiplatform gpu check` disagree"
    assert not set(gpu.PROGRAM_XIDS) & FATAL_XIDS
