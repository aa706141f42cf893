"""The workflows of CI: pinned, with no more rights than they need, and calling what is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cli.stacks import NAMES

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
PINNED = re.compile(r"uses: +(?P<action>[^@\s]+)@(?P<commit>[0-9a-f]{40}) # v\d+\.\d+\.\d+")
MAKE = re.compile(r"\bmake +(?P<target>[a-z-]+)")
# What a job may request in addition to reading the repository, and why.
RIGHTS = {
    # An identity.
    "id-token": {"dev", "staging", "prod-plan", "prod", "look", "cloud", "image", "pypi", "publish"},
    "pages": {"publish"},
    "security-events": {"policy"},  # SARIF
    "actions": {"policy"},  # SARIF of a private repository
    "pull-requests": {"comment"},
    "issues": {"issue"},
}

WRITES = {"notes"}
"""Jobs that may write to the repository: the release on GitHub."""

PUSHES_IMAGES = "image"
"""The job that builds images. Its identity may only push them: it is no deployer, and reads no stack."""


def _load(file: Path) -> dict[str, Any]:
    return YAML(typ="safe").load(file)


def _jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in WORKFLOWS:
        yield from _load(file)["jobs"].items()


def _steps() -> Iterator[dict[str, Any]]:
    for _, job in _jobs():
        yield from job["steps"]
    for file in ACTIONS:
        yield from _load(file)["runs"]["steps"]


def _cloud(job: dict[str, Any]) -> dict[str, Any]:
    """The step of a job that gets it a cloud's identity; empty where there is none."""
    return next((step for step in job["steps"] if step.get("uses") == "./.github/actions/cloud"), {})


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _ids(files: list[Path]) -> list[str]:
    return [str(file.relative_to(GITHUB)) for file in files]


def test_the_workflows_are_those_of_the_documentation() -> None:
    table = (ROOT / "docs" / "ci.md").read_text().partition("| workflow |")[2].partition("\n\n")[0]
    documented = re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)
    assert [file.stem for file in WORKFLOWS] == sorted(documented)


@pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS], ids=_ids([*WORKFLOWS, *ACTIONS]))
def test_an_action_is_pinned_by_its_commit_with_its_version_in_a_comment(file: Path) -> None:
    used = [line.strip() for line in file.read_text().splitlines() if re.search(r"\buses:", line)]
    wrong = [line for line in used if "uses: ./" not in line and not PINNED.search(line)]
    assert not wrong, "expected OWNER/NAME@<40 hexadecimal digits> # vX.Y.Z"


def test_an_action_has_one_commit_everywhere() -> None:
    text = "\n".join(file.read_text() for file in [*WORKFLOWS, *ACTIONS])
    commits_by_action: dict[str, set[str]] = {}
    for match in PINNED.finditer(text):
        commits_by_action.setdefault(match["action"], set()).add(match["commit"])
    assert commits_by_action
    assert {action for action, commits in commits_by_action.items() if len(commits) > 1} == set()


def test_a_local_action_exists() -> None:
    local = [step["uses"] for step in _steps() if str(step.get("uses", "")).startswith("./")]
    assert local
    assert [name for name in local if not (ROOT / name / "action.yml").is_file()] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=_ids(WORKFLOWS))
def test_a_workflow_grants_nothing_and_its_jobs_what_they_need(file: Path) -> None:
    workflow = _load(file)
    assert workflow["permissions"] == {}, "each job asks for its own"
    for name, job in workflow["jobs"].items():
        permissions = dict(job["permissions"])
        assert permissions.pop("contents", "read") == ("write" if name in WRITES else "read"), name
        assert {right for right in permissions if name not in RIGHTS[right]} == set(), name
        assert 0 < job["timeout-minutes"] <= 180, name


@pytest.mark.parametrize("file", WORKFLOWS, ids=_ids(WORKFLOWS))
def test_runs_of_one_thing_do_not_meet(file: Path) -> None:
    workflow = _load(file)
    changing = [job for job in workflow["jobs"].values() if "concurrency" in job]
    assert "concurrency" in workflow or changing


def test_job_that_changes_a_cloud_is_in_its_concurrency_group() -> None:
    for name, job in _jobs():
        text = "\n".join(step.get("run", "") for step in job["steps"])
        if re.search(r"pulumi (up|destroy)\b", text):
            assert job["concurrency"]["group"].startswith("cloud-"), name
            assert "cancel-in-progress" not in job["concurrency"], "an update is never broken off"
            assert "environment" in job, "its rights come from a GitHub environment"


def test_there_is_no_key_and_no_secret() -> None:
    text = "\n".join(file.read_text() for file in [*WORKFLOWS, *ACTIONS])
    for wrong in (
        "secrets.",
        "aws-access-key-id",
        "aws-secret-access-key",
        "credentials_json",
        "--show-secrets",
    ):
        assert wrong not in text


def test_a_checkout_leaves_no_token_behind() -> None:
    checkouts = [step for step in _steps() if str(step.get("uses", "")).startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_a_job_that_may_write_runs_nothing_of_the_pull_request() -> None:
    job = _load(GITHUB / "workflows" / "pull-request.yml")["jobs"]["comment"]
    assert not any("run" in step or "checkout" in step.get("uses", "") for step in job["steps"])


def test_job_that_publishes_pages_runs_nothing_of_the_repository_and_on_main_alone() -> None:
    workflow = _load(GITHUB / "workflows" / "docs.yml")
    job = workflow["jobs"]["publish"]
    assert [step["uses"].partition("@")[0] for step in job["steps"]] == ["actions/deploy-pages"]
    assert workflow["on"] == {"pull_request": None, "push": {"branches": ["main"]}}
    for guarded in (job, workflow["jobs"]["site"]["steps"][-1]):
        assert guarded["if"].startswith("github.event_name == 'push' && ")
    assert job["permissions"] == {"pages": "write", "id-token": "write"}


def test_no_expression_is_pasted_into_a_script() -> None:
    # A title or a branch's name would be run: what a script needs comes by its environment.
    scripts = [step.get("run", "") + str(step.get("with", {}).get("script", "")) for step in _steps()]
    assert [script for script in scripts if "${{" in script] == []


def test_a_make_target_that_a_step_calls_exists() -> None:
    called = {match["target"] for step in _steps() for match in MAKE.finditer(step.get("run", ""))}
    assert {
        "lint",
        "test-unit",
        "test-end-to-end",
        "test-nightly",
        "test-controllers",
        "test-official",
        "docs",
        "policy",
        "up",
        "destroy",
        "drift",
    } <= called
    assert called <= _targets()


def test_every_environment_is_checked_deployed_and_watched() -> None:
    checked = _load(GITHUB / "workflows" / "pull-request.yml")["jobs"]["policy"]["strategy"]["matrix"]
    assert sorted(checked["environment"]) == NAMES
    watched = _load(GITHUB / "workflows" / "drift.yml")["jobs"]["look"]["strategy"]["matrix"]["include"]
    assert sorted(entry["environment"] for entry in watched) == NAMES
    jobs = _load(GITHUB / "workflows" / "deploy.yml")["jobs"]
    plain = [
        name for stage in ("dev", "staging") for name in jobs[stage]["strategy"]["matrix"]["environment"]
    ]
    prod = [entry["environment"] for entry in jobs["prod"]["strategy"]["matrix"]["include"]]
    assert sorted([*plain, *prod]) == NAMES


def test_prod_is_compared_after_its_approval_and_before_its_update() -> None:
    jobs = _load(GITHUB / "workflows" / "deploy.yml")["jobs"]
    assert (jobs["staging"]["needs"], jobs["prod-plan"]["needs"], jobs["prod"]["needs"]) == (
        "dev",
        "staging",
        "prod-plan",
    )
    assert jobs["prod"]["environment"] == "prod"
    scripts = [step.get("run", "") for step in jobs["prod"]["steps"]]
    compares = next(place for place, text in enumerate(scripts) if "plan compare" in text)
    updates = next(place for place, text in enumerate(scripts) if "pulumi up" in text)
    assert compares < updates


def test_prod_on_aws_runs_inside_its_network() -> None:
    files = YAML(typ="safe").load(ROOT / "environments" / "Pulumi.aws-prod.yaml")["config"]
    runner = f"codebuild-{files['ai-platform:environment']['org']}-prod-jobs-"
    for workflow, job in (("deploy", "prod"), ("deploy", "prod-plan"), ("drift", "look")):
        entries = _load(GITHUB / "workflows" / f"{workflow}.yml")["jobs"][job]["strategy"]["matrix"][
            "include"
        ]
        entry = next(item for item in entries if item["environment"] == "aws-prod")
        assert entry["runner"] == f"{runner}${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}"


def test_the_tools_are_cached_by_all_that_they_are_built_from() -> None:
    text = (GITHUB / "actions" / "tools" / "action.yml").read_text()
    hashed = re.search(r"hashFiles\(([^)]*)\)", text)
    assert hashed is not None
    wanted = {"versions.toml", "tools.toml", "build_specs.py", "golang.py", "go/**"}
    assert {name.strip(" '") for name in hashed[1].split(",")} == {
        f"twin/toolchain/{name}" for name in wanted
    }, "an exact hit with old tools is never saved again"
    assert "restore-keys:" in text


def test_a_job_in_a_cloud_works_by_its_own_identity_on_every_machine() -> None:
    text = (GITHUB / "actions" / "cloud" / "action.yml").read_text()
    assert "DEPLOYER_ROLE_ARN" not in text
    assert "EcsContainer" not in text, "what the machine itself may do is anyone's who can push a branch"
    step = _load(GITHUB / "actions" / "cloud" / "action.yml")["runs"]["steps"][0]
    longest = max(job["timeout-minutes"] for _, job in _jobs() if _cloud(job))
    assert step["with"]["role-duration-seconds"] >= 60 * longest, "credentials outlive the update"


def test_an_update_is_interrupted_itself_and_not_its_shell() -> None:
    # A shell keeps SIGINT for itself, and is killed with all that it started: the stack's lock stays.
    lines = [
        (name, line)
        for name, job in _jobs()
        for step in job["steps"]
        for line in re.findall(r"^.*pulumi (?:up|destroy)\b", step.get("run", ""), re.MULTILINE)
    ]
    assert {name for name, _ in lines} == {"dev", "staging", "prod", "cloud"}
    assert [(name, line) for name, line in lines if not line.startswith("exec ")] == []


def test_every_job_that_saves_a_state_compresses_it() -> None:
    """In a bucket each step writes the whole state. Jobs that did not agree would write two files in turn."""
    states = [(name, job["env"]) for name, job in _jobs() if "PULUMI_BACKEND_URL" in job.get("env", {})]
    assert len(states) >= 4
    assert [name for name, variables in states if variables.get("PULUMI_DIY_BACKEND_ZSTD") != "true"] == []


def test_previews_alone_skip_checkpoints() -> None:
    skip = "PULUMI_SKIP_CHECKPOINTS"
    wide = [name for name, job in _jobs() if skip in job.get("env", {})]
    wide += [file.stem for file in WORKFLOWS if skip in _load(file).get("env", {})]
    assert not wide, "an update that is broken off is repaired from its checkpoints"
    counts = {True: 0, False: 0}
    for step in _steps():
        script = str(step.get("run", ""))
        if "--run pulumi" not in script:
            continue
        previews = "--run pulumi preview" in script
        saves = re.search(r"--run pulumi (up|refresh|destroy|cancel)\b", script)
        assert not (previews and saves), "one step, one variable"
        assert (step.get("env", {}).get(skip) == "true") == previews, script
        counts[previews] += 1
    assert counts[True] >= 4, "both previews of prod, the drift's, and that after a re-creation"
    assert counts[False] >= 3


def test_what_a_deployment_installs_is_checked_and_locked() -> None:
    (step,) = _load(GITHUB / "actions" / "engine" / "action.yml")["runs"]["steps"]
    assert "tools/install_pulumi.py" in step["run"]
    assert "curl" not in step["run"]
    assert "UV_FROZEN=1" in step["run"]
    deployments = [
        step.get("run", "")
        for name, job in _jobs()
        if _cloud(job) and name != PUSHES_IMAGES
        for step in job["steps"]
    ]
    assert [run for run in deployments if "make " in run or "--development" in run] == [], (
        "tests, linters and twin are not installed where a deployer works"
    )


def test_a_single_artifact_is_read_as_several_are() -> None:
    downloads = [
        step
        for step in _steps()
        if "download-artifact@" in step.get("uses", "") and "pattern" in step["with"]
    ]
    assert len(downloads) == 2
    assert all(step["with"]["merge-multiple"] is True for step in downloads), (
        "a single match is unpacked without a folder of its name"
    )


def test_code_scanning_has_what_main_has_to_compare_with() -> None:
    workflow = _load(GITHUB / "workflows" / "pull-request.yml")
    assert workflow["on"]["push"] == {"branches": ["main"]}
    (upload,) = [
        step for step in workflow["jobs"]["policy"]["steps"] if "upload-sarif@" in step.get("uses", "")
    ]
    assert "github.event_name == 'push'" in upload["if"]


def test_job_that_reads_a_cloud_waits_for_one_that_changes_it() -> None:
    others = ("prod-plan", PUSHES_IMAGES)
    groups = {name: job["concurrency"] for name, job in _jobs() if _cloud(job) and name not in others}
    assert set(groups) == {"dev", "staging", "prod", "look", "cloud"}
    for name, group in groups.items():
        assert group["group"].startswith("cloud-"), name
        assert group["queue"] == "max", "else one that waits is cancelled by the next"


def test_every_change_has_an_owner_and_every_pin_a_bot() -> None:
    owned = (GITHUB / "CODEOWNERS").read_text().splitlines()
    assert any(line.startswith("* @") for line in owned), "all of it runs as the deployer"
    ecosystems = {update["package-ecosystem"] for update in _load(GITHUB / "dependabot.yml")["updates"]}
    assert ecosystems == {"github-actions", "uv", "gomod"}


def test_credentials_that_a_job_writes_into_the_checkout_are_ignored() -> None:
    assert "gha-creds-*.json" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_official_host_is_tried_every_night() -> None:
    job = _load(GITHUB / "workflows" / "recreate.yml")["jobs"]["official"]
    uses = [step.get("uses") or step.get("run") for step in job["steps"]]
    assert uses[-3:] == ["./.github/actions/tools", "./.github/actions/engine", "make test-official"]


def test_job_that_builds_images_has_an_identity_of_its_own_after_what_is_installed() -> None:
    job = _load(GITHUB / "workflows" / "images.yml")["jobs"][PUSHES_IMAGES]
    assert job["environment"].startswith("images-"), "no environment of a deployer"
    steps = [step.get("uses", "") or step.get("run", "") for step in job["steps"]]
    cloud = steps.index("./.github/actions/cloud")
    assert not any("bootstrap.py" in step or "buildx create" in step for step in steps[cloud:])
    (build,) = [step for step in steps if "bin/aiplatform image build" in step]
    assert steps.index(build) > cloud
    assert "--push --sign" in build
    assert "@sha256:" in job["env"]["BUILDKIT"], "the builder is pinned as actions are"


def test_images_of_staging_and_prod_are_built_from_main() -> None:
    jobs = _load(GITHUB / "workflows" / "images.yml")["jobs"]
    (guard,) = [step for step in jobs["changed"]["steps"] if "exit 1" in step.get("run", "")]
    assert guard["if"] == "github.ref != 'refs/heads/main' && !endsWith(inputs.environment, '-dev')"
    assert jobs[PUSHES_IMAGES]["needs"] == "changed"


def test_every_environment_of_github_that_a_job_names_has_rules_in_the_documentation() -> None:
    table = [line for line in (ROOT / "docs" / "ci.md").read_text().splitlines() if line.startswith("| `")]
    rules = {
        name: row[2]
        for row in (line.split("|") for line in table)
        if "branch main" in row[2]
        for name in re.findall(r"`([a-z-]+)`", row[1])
    }
    stages = ("dev", "staging", "prod")
    assert {*stages, "prod-plan", *(f"images-{stage}" for stage in stages)} <= set(rules)
    assert [name for name in sorted(rules) if ", reviewers" in rules[name]] == ["images-prod", "prod"]


def test_documented_identity_of_signatures_is_that_of_main() -> None:
    (pattern,) = re.findall(
        r"--certificate-identity-regexp '([^']+)'", (ROOT / "docs" / "images.md").read_text()
    )
    workflow = "https://github.com/acme/ai-platform/.github/workflows/images.yml@refs/heads/"
    assert re.search(pattern, f"{workflow}main")
    for branch in ("other", "main-2"):
        assert not re.search(pattern, f"{workflow}{branch}"), branch


def test_actionlint_finds_nothing() -> None:
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip("no actionlint on PATH: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12")
    # Newer than the linter (GitHub's changelog, 2026-05-07).
    newer = ["-ignore", 'unexpected key "queue"']
    done = subprocess.run(
        [actionlint, "-no-color", *newer], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
