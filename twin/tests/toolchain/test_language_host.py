"""Programs run through the language host as the engine would run them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2

from twin.tests.toolchain.hosting import (
    WRITES_ITS_PID,
    Host,
    Uv,
    alive,
    eventually,
    fake_uv,
    plugin_request,
    program_info,
    run_request,
    running_host,
    write_program,
    written_pid,
)
from twin.toolchain.child_process import Child, Children
from twin.toolchain.versions import read_versions

IGNORES_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running_host(tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture(scope="module")
def host_with_uv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, Uv]]:
    folder = tmp_path_factory.mktemp("host-with-uv")
    uv = fake_uv(folder / "uv")
    with running_host(folder, env={"PATH": uv.path}) as host:
        yield host, uv


@pytest.fixture
def uv_host(host_with_uv: tuple[Host, Uv]) -> Host:
    """A host that finds `uv` on its PATH."""
    return host_with_uv[0]


@pytest.fixture
def uv(host_with_uv: tuple[Host, Uv]) -> Uv:
    """The uv of `uv_host`, without any call so far."""
    host_with_uv[1].reset()
    return host_with_uv[1]


def test_a_program_that_ends_well_is_reported_without_error(host: Host, tmp_path: Path) -> None:
    response = host.stub.Run(run_request(write_program(tmp_path, "pass")))
    assert (response.error, response.bail) == ("", False)


def test_a_program_gets_the_stack_its_configuration_and_the_engines_address(
    host: Host, tmp_path: Path
) -> None:
    program = """
        import json, os
        with open("seen.json", "w") as file:
            json.dump({**vars(options), "env": dict(os.environ)}, file)
    """
    request = run_request(write_program(tmp_path, program), config={"shop:size": "3"})
    assert host.stub.Run(request).error == ""
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert seen["engine"] == "127.0.0.1:1", "as it came by Handshake"
    assert seen["monitor"] == "127.0.0.1:2"
    assert (seen["project"], seen["stack"], seen["organization"]) == ("shop", "dev", "acme")
    assert (seen["dry_run"], seen["parallel"]) == ("true", "4")
    assert seen["root_directory"] == str(tmp_path)
    assert json.loads(seen["env"]["PULUMI_CONFIG"]) == {"shop:size": "3"}
    assert json.loads(seen["env"]["PULUMI_CONFIG_SECRET_KEYS"]) == ["shop:key"]


def test_what_a_program_prints_reaches_the_engine_by_the_hosts_own_streams(
    host: Host, tmp_path: Path
) -> None:
    program = 'import sys; print("to stdout"); print("to stderr", file=sys.stderr)'
    assert host.stub.Run(run_request(write_program(tmp_path, program))).error == ""
    assert "to stdout" in host.out.read_text()
    assert "to stderr" in host.err.read_text()


def test_a_program_that_raises_shows_its_traceback_and_fails(host: Host, tmp_path: Path) -> None:
    response = host.stub.Run(run_request(write_program(tmp_path, 'raise ValueError("broken on purpose")')))
    assert response.error == "program exited with non-zero exit code: 1"
    assert "ValueError: broken on purpose" in host.err.read_text()


def test_an_error_that_the_user_has_seen_already_is_not_reported_twice(host: Host, tmp_path: Path) -> None:
    response = host.stub.Run(run_request(write_program(tmp_path, "import sys; sys.exit(32)")))
    assert (response.error, response.bail) == ("", True)


def test_a_run_error_is_its_message_alone(host: Host, tmp_path: Path) -> None:
    program = 'class RunError(Exception): pass\nraise RunError("dev.yaml: 2 errors")'
    response = host.stub.Run(run_request(write_program(tmp_path, program)))
    assert (response.error, response.bail) == ("", True), "an error that says nothing more"
    output = host.err.read_text()
    assert "error: dev.yaml: 2 errors" in output
    assert "RunError" not in output, "errors of settings need no traceback"


def test_a_program_that_exits_non_zero_is_reported_with_its_exit_code(host: Host, tmp_path: Path) -> None:
    response = host.stub.Run(run_request(write_program(tmp_path, "import sys; sys.exit(1)")))
    assert response.error == "program exited with non-zero exit code: 1"


def test_a_program_that_is_killed_is_reported_as_the_official_host_does(host: Host, tmp_path: Path) -> None:
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    response = host.stub.Run(run_request(write_program(tmp_path, program)))
    assert response.error == "program exited with non-zero exit code: -1"


SHOWS_WHERE = 'import os; open("seen", "w").write(os.environ["MARK"] + " " + os.environ["VIRTUAL_ENV"])'


def write_project(folder: Path, source: str = SHOWS_WHERE) -> Path:
    """A project of uv with a program in it."""
    write_program(folder, source)
    (folder / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    (folder / "uv.lock").touch()
    return folder


def test_a_program_runs_in_its_projects_environment_once_uv_has_synced_it(
    uv_host: Host, uv: Uv, tmp_path: Path
) -> None:
    project = write_project(tmp_path / "project")
    assert uv_host.stub.Run(run_request(project, toolchain="uv", virtualenv=".venv")).error == ""
    assert (project / "seen").read_text() == f"own {project / '.venv'}"
    assert uv.calls() == [[str(project), "sync --inexact", str(project / ".venv")]], (
        "as the official host does"
    )


def test_a_program_whose_project_has_a_lock_of_uv_needs_no_option(
    uv_host: Host, uv: Uv, tmp_path: Path
) -> None:
    project = write_project(tmp_path / "project")
    write_program(project / "stacks", SHOWS_WHERE)
    assert uv_host.stub.Run(run_request(project / "stacks")).error == ""
    assert uv.calls() == [[str(project / "stacks"), "sync --inexact", str(project / ".venv")]]


def test_uv_is_looked_for_on_path_and_nowhere_else(tmp_path: Path) -> None:
    uv = fake_uv(tmp_path / "uv")
    project = write_project(tmp_path / "project")
    pack = write_program(project / "policies", "pass")
    elsewhere = {"PATH": "/usr/bin:/bin", "UV": str(uv.folder / "uv")}
    with running_host(tmp_path, env=elsewhere) as host:
        for call in (
            lambda: host.stub.Run(run_request(project, toolchain="uv")),
            lambda: host.stub.GetRequiredPackages(
                language_pb2.GetRequiredPackagesRequest(info=program_info(project, toolchain="uv"))
            ),
            lambda: list(host.stub.RunPlugin(plugin_request(pack, kind="analyzer"))),
            lambda: list(host.stub.RunPlugin(plugin_request(project, toolchain="uv"))),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                call()
            assert "Could not find `uv` executable" in str(caught.value.details())
    assert not (project / "seen").exists()
    assert not uv.calls(), "$UV is what bootstrap and `uv run` read; the official host does not"


def test_a_plugin_and_a_policy_pack_are_synced_before_they_start(
    uv_host: Host, uv: Uv, tmp_path: Path
) -> None:
    project = write_project(tmp_path / "project")
    plugin = write_program(project / "components", "pass")
    pack = write_program(project / "policies", "pass")
    list(uv_host.stub.RunPlugin(plugin_request(plugin, toolchain="uv")))
    call = uv_host.stub.RunPlugin(plugin_request(pack, kind="analyzer"))
    assert next(call).stdout.strip().isdigit(), "the go-between's port, behind which the pack starts"
    call.cancel()
    assert [[where, words] for where, words, _ in uv.calls()] == [
        [str(plugin), "sync --inexact"],
        [str(pack), "sync --inexact"],
    ]


def test_a_sync_that_fails_stops_the_program_with_uvs_words(uv_host: Host, uv: Uv, tmp_path: Path) -> None:
    uv.fail()
    project = write_project(tmp_path / "project")
    with pytest.raises(grpc.RpcError) as caught:
        uv_host.stub.Run(run_request(project, toolchain="uv"))
    assert "the lock is not up to date" in str(caught.value.details())
    assert not (project / "seen").exists()


def test_required_packages_are_those_that_the_lock_names(uv_host: Host, uv: Uv, tmp_path: Path) -> None:
    uv.export("pulumi", "pulumi-aws")
    project = write_project(tmp_path / "project")
    request = language_pb2.GetRequiredPackagesRequest(info=program_info(project, toolchain="uv"))
    packages = uv_host.stub.GetRequiredPackages(request).packages
    assert [package.name for package in packages] == ["aws"], "others are installed, and not the project's"
    assert [words for _, words, _ in uv.calls()] == [
        f"venv --quiet --allow-existing {project / '.venv'}",
        "sync --inexact",
        "export --package shop --locked --format pylock.toml",
    ]


def test_an_option_that_cannot_be_honoured_is_an_error_that_says_what_would_be(
    host: Host, tmp_path: Path
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        host.stub.Run(run_request(write_program(tmp_path, "pass"), toolchain="conda"))
    assert "'conda'" in str(caught.value.details())
    assert "pip and uv" in str(caught.value.details())


def test_it_says_who_it_is_and_what_would_run_a_program(uv_host: Host, uv: Uv, tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    assert uv_host.stub.GetPluginInfo(empty_pb2.Empty()).version == read_versions().pulumi
    about = uv_host.stub.About(language_pb2.AboutRequest(info=program_info(project)))
    assert about.executable == str(project / ".venv" / "bin" / "python")
    assert about.metadata == {"toolchain": "uv"}


def test_a_project_of_poetry_is_an_error_that_says_what_would_be_right(host: Host, tmp_path: Path) -> None:
    (write_program(tmp_path, "pass") / "poetry.lock").touch()
    with pytest.raises(grpc.RpcError) as caught:
        host.stub.Run(run_request(tmp_path))
    assert "set the runtime option toolchain to pip or uv" in str(caught.value.details())


def test_installing_dependencies_streams_the_output_and_fails_with_the_command(
    uv_host: Host, uv: Uv, tmp_path: Path
) -> None:
    uv.fail()
    project = write_project(tmp_path / "project")
    request = language_pb2.InstallDependenciesRequest(info=program_info(project, toolchain="uv"))
    call = uv_host.stub.InstallDependencies(request)
    assert next(call).stdout.startswith(b"Installing dependencies...")
    assert b"the lock is not up to date" in next(call).stdout
    with pytest.raises(grpc.RpcError) as caught:
        list(call)
    assert "sync` in" in str(caught.value.details())


def test_cancel_interrupts_the_program(tmp_path: Path) -> None:
    cleans_up = (
        "async def never_awaited(): pass\nstarted = never_awaited()\n"
        + WRITES_ITS_PID
        + "try: time.sleep(60)\nfinally: open('cleaned', 'w').close()"
    )
    program = write_program(tmp_path / "program", cleans_up)
    with running_host(tmp_path) as host:
        call = host.stub.Run.future(run_request(program))
        pid = written_pid(program / "pid")
        host.stub.Cancel(empty_pb2.Empty())
        response = call.result(timeout=10)
        assert (response.error, response.bail) == ("", True), "the engine has reported the reason already"
        assert not alive(pid)
        assert (program / "cleaned").exists(), "it is interrupted, so that it can clean up"
        assert host.err.read_text() == "", "an interruption's traceback would hide the error that matters"
        late = host.stub.Run(run_request(write_program(tmp_path / "late", "import time; time.sleep(60)")))
        assert late.bail, "a program that starts after the cancellation is cancelled too"


def test_a_program_finds_no_module_of_the_host_instead_of_its_own(host: Host, tmp_path: Path) -> None:
    program = """
        import sys
        sys.path.append(".")
        import child, pathlib
        assert pathlib.Path(child.__file__).parent == pathlib.Path.cwd(), child.__file__
    """
    (write_program(tmp_path, program) / "child.py").touch()
    response = host.stub.Run(run_request(tmp_path))
    assert response.error == "", host.err.read_text()


def test_a_call_that_the_engine_gives_up_ends_the_program(tmp_path: Path) -> None:
    program = write_program(tmp_path / "program", WRITES_ITS_PID + "time.sleep(60)")
    with running_host(tmp_path) as host:
        call = host.stub.Run.future(run_request(program))
        pid = written_pid(program / "pid")
        call.cancel()
        eventually(lambda: not alive(pid), "the program outlived its call")


def test_interrupting_the_host_leaves_no_orphan(tmp_path: Path) -> None:
    program = write_program(tmp_path / "program", WRITES_ITS_PID + "time.sleep(60)")
    with running_host(tmp_path) as host:
        call = host.stub.Run.future(run_request(program))
        pid = written_pid(program / "pid")
        host.process.send_signal(signal.SIGINT)
        assert host.process.wait(10) == 0
        assert not alive(pid)
        assert "language_host" not in host.err.read_text(), "only the program's own traceback is shown"
        assert call.done() or call.cancel()


def test_a_host_whose_engine_was_killed_ends_with_its_program(tmp_path: Path) -> None:
    program = write_program(tmp_path / "program", WRITES_ITS_PID + "time.sleep(60)")
    engine = write_program(
        tmp_path / "engine",
        f"""
        import pathlib, sys, time
        from twin.tests.toolchain.hosting import run_request, running_host
        folder = pathlib.Path({str(tmp_path)!r})
        with running_host(folder) as host:
            (folder / "host.pid").write_text(str(host.process.pid))
            call = host.stub.Run.future(run_request(folder / "program"))
            time.sleep(60)
        """,
    )
    with subprocess.Popen(
        [sys.executable, str(engine / "__main__.py")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    ) as process:
        try:
            pid = written_pid(program / "pid")
            host_pid = written_pid(tmp_path / "host.pid")
        finally:
            process.kill()
    eventually(lambda: not alive(pid) and not alive(host_pid), "the killed engine's children went on")


def test_a_program_that_ignores_the_interruption_is_killed_with_its_children(tmp_path: Path) -> None:
    stubborn = IGNORES_CTRL_C + WRITES_ITS_PID + "time.sleep(60)"
    source = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {stubborn!r}])"
    write_program(tmp_path, f"{IGNORES_CTRL_C}\n{source}\ntime.sleep(60)")
    child = Child([sys.executable, str(tmp_path)], {}, tmp_path)
    grandchild = written_pid(tmp_path / "pid")
    child.interrupt(grace=0.1)
    assert child.wait() == -1
    eventually(lambda: not alive(grandchild), "the grandchild went on")


def test_ending_the_children_waits_until_none_is_left(tmp_path: Path) -> None:
    write_program(tmp_path, IGNORES_CTRL_C + WRITES_ITS_PID + "time.sleep(60)")
    children = Children()
    child = Child([sys.executable, str(tmp_path)], {}, tmp_path)
    children.add(child)
    pid = written_pid(tmp_path / "pid")
    start = time.monotonic()
    children.end(grace=0.2)
    assert not alive(pid)
    assert time.monotonic() - start < 3


def test_a_program_needs_the_engines_address_first(tmp_path: Path) -> None:
    with running_host(tmp_path, handshake=False) as host:
        with pytest.raises(grpc.RpcError) as caught:
            host.stub.Run(run_request(write_program(tmp_path / "program", "pass")))
        assert "Handshake before Run" in str(caught.value.details())


def test_without_its_executor_the_host_says_where_that_lies(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "twin.toolchain.language_host"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "next to the pulumi" in done.stderr
