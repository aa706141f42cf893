"""The option `--controllers`, and the controllers in `twin status`."""

from __future__ import annotations

import pytest

from cli.controllers import lines, names
from cli.output import CommandError
from twin.instances import Instance
from twin.kubernetes.controllers.reports import Report, State
from twin.lifecycle import ProcessStatus, Status
from twin.toolchain.build import with_needed


def status(report: Report, *, pid: int | None = 1) -> Status:
    instance = Instance("one")
    return Status(instance, (ProcessStatus("cloud", pid, 1, 1, instance.folder),), report=report)


def test_controllers_are_separated_by_commas() -> None:
    assert names("kueue, jobset") == ["kueue", "jobset"]
    assert names("kueue") == ["kueue"]


def test_what_a_program_needs_is_selected_with_it() -> None:
    assert names("prometheus,alertmanager") == ["prometheus", "alertmanager"]
    needed = ["prometheus-operator", "prometheus-config-reloader"]
    assert with_needed(["kueue", "prometheus", "alertmanager"]) == [
        "kueue",
        *needed,
        "prometheus",
        "alertmanager",
    ]
    with pytest.raises(CommandError, match="unknown controller 'prometheus-config-reloader'"):
        names("prometheus-config-reloader")


def test_none_selects_no_controller_and_no_option_leaves_the_selection() -> None:
    assert names("none") == []
    assert names(None) is None


@pytest.mark.parametrize("value", ["kueu", "kueue,none", "", ","])
def test_unknown_controller_is_refused_with_the_known_ones(value: str) -> None:
    with pytest.raises(CommandError, match=r"--controllers .*expected none or some of kueue, jobset"):
        names(value)


def test_status_shows_what_controllers_do_and_what_is_set_aside() -> None:
    report = Report((State("kueue", "ready", 2), State("jobset", "starts")), ("APIService a (Service b/c)",))
    assert list(lines(status(report))) == [
        "controller kueue: ready, restarted 2 times",
        "controller jobset: starts",
        "Set aside, as their controllers do not run here (docs/twin.md):",
        "  APIService a (Service b/c)",
    ]


def test_status_of_a_stopped_twin_shows_no_controllers() -> None:
    assert list(lines(status(Report((State("kueue", "ready"),), ("a",)), pid=None))) == []
