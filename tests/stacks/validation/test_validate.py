"""The entry point of validation: which rules it evaluates, and when it asks the cloud."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest

from aiplatform._shared.args import Problem
from stacks import validation
from stacks.loading import load_file
from stacks.settings import Settings
from stacks.validation import validate
from tests.stacks.environments import STACKS, settings_of
from tests.stacks.files import changed

PROVIDER = cast("pulumi.ProviderResource", object())


def _with_nat(nat: str, **environment: Any) -> Settings:
    settings = settings_of("aws-prod", **environment)
    return settings.model_copy(update={"network": settings.network.model_copy(update={"nat": nat})})


@pytest.mark.parametrize("stack", STACKS)
def test_environment_file_without_a_problem_has_none_offline(stack: str) -> None:
    assert validate(settings_of(stack)) == []


def test_every_module_with_rules_is_evaluated() -> None:
    modules = [
        importlib.import_module(f"stacks.validation.{module.name}")
        for module in pkgutil.iter_modules(validation.__path__)
    ]
    # The shape is checked by the model, before there are settings; shape.py words its errors.
    rules = {
        module.problems
        for module in modules
        if hasattr(module, "problems") and module.__name__ != "stacks.validation.shape"
    }
    assert rules == {*validation.RULES, *validation.CLOUD_RULES}, (
        "a rule that is not listed is never evaluated"
    )


def test_problems_of_several_concerns_are_returned_together() -> None:
    settings = _with_nat("single", account_id="1")
    assert [problem.path for problem in validate(settings)][:2] == ["environment.account_id", "network.nat"]


def test_cloud_is_asked_only_if_a_provider_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Problem("environment.region", "not offered")
    providers: list[object] = []

    def rule(_: Settings, provider: pulumi.ProviderResource) -> list[Problem]:
        providers.append(provider)
        return [answer, answer]

    monkeypatch.setattr(validation, "CLOUD_RULES", (rule,))
    assert validate(settings_of("aws-dev")) == []
    assert not providers, "offline validation makes no call"
    assert validate(settings_of("aws-dev"), PROVIDER) == [answer], "each problem once"
    assert providers == [PROVIDER]


def test_cloud_is_not_asked_of_settings_that_an_offline_rule_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(_settings: Settings, _provider: pulumi.ProviderResource) -> list[Problem]:
        raise AssertionError("the cloud was asked")

    monkeypatch.setattr(validation, "CLOUD_RULES", (rule,))
    assert [problem.path for problem in validate(_with_nat("single"), PROVIDER)] == ["network.nat"]


def test_error_of_a_file_has_a_line_for_each_problem_and_a_count(tmp_path: Path) -> None:
    file = changed(
        tmp_path,
        {"config/ai-platform:network/cidr": "8.8.0.0/16", "config/ai-platform:cluster/version": "1.29"},
    )
    with pytest.raises(Exception, match="nothing was changed") as refused:
        load_file(file)
    *problems, count = str(refused.value).splitlines()
    keys = [problem.split(": ")[1] for problem in problems]
    lines = [int(problem.split(": ")[0].removeprefix(f"{file}:")) for problem in problems]
    assert keys == ["network.cidr", "cluster.version"]
    text = file.read_text().splitlines()
    assert ["8.8.0.0/16" in text[lines[0] - 1], "1.29" in text[lines[1] - 1]] == [True, True], (
        "editors jump there"
    )
    assert count == "2 errors; nothing was changed"
