"""Messages about secrets, and the time that a search takes."""

from __future__ import annotations

import time

import pytest

from policies.framework.plain_secrets import setting_problem, text_problem

# Put together so that no scanner takes it for a real one.
TOKEN = "ghp_" + "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("name", "value"),
    [("DB_PASSWORD", "hunter2"), ("SETTING", TOKEN), ("URL", "redis://:hunter2@cache:6379")],
)
def test_problem_of_a_setting_does_not_contain_the_value(name: str, value: str) -> None:
    problem = setting_problem(name, value)
    assert problem, "it is a secret"
    assert "hunter2" not in problem
    assert TOKEN not in problem


@pytest.mark.parametrize(
    "text",
    ["export DB_PASSWORD=hunter2", "mysql -u root -phunter2 -h db", "echo 'ubuntu:hunter2' | chpasswd"],
)
def test_problem_of_a_script_does_not_contain_the_value(text: str) -> None:
    problem = text_problem(text)
    assert problem, "it has a secret"
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "projects/acme/secrets/db/versions/1"),
        ("DB_PASSWORD", "{{resolve:secretsmanager:db}}"),
        ("API_TOKEN", "/run/secrets/token"),
        ("GITHUB_TOKEN", "GITHUB_TOKEN_PROD"),
        ("CLIENT_SECRET", "oidc-client-secret"),
        ("DATABASE_URL", "postgresql://shop:$(DB_PASSWORD)@db/shop"),
        ("partition_key", "user_id"),
        ("IMAGE", f"shop@sha256:{'0f' * 32}"),
    ],
)
def test_setting_that_names_a_secret_has_no_problem(name: str, value: str) -> None:
    assert setting_problem(name, value) is None
    assert text_problem(value) is None


@pytest.mark.parametrize("part", ["a.b-c: d e\n", "x", "curl ", "mysql a ", "password=", "a://:", "--a "])
def test_search_of_a_long_text_ends_soon(part: str) -> None:
    started = time.process_time()
    text_problem(part * 200_000)
    assert time.process_time() - started < 10, "a search that grows with the square takes minutes"
