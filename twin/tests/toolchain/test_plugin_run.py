"""Policy packs and component plugins run through the language host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, language_pb2

from twin.tests.toolchain.hosting import (
    WRITES_ITS_PID,
    Host,
    alive,
    eventually,
    plugin_request,
    running_host,
    write_program,
    written_pid,
)
from twin.toolchain.interpreter import Interpreter
from twin.toolchain.plugin_run import plugin_command

# A pack, reduced: it serves, prints its port, and answers with what ConfigureStack says.
POLICY_PACK = """
import os
from concurrent import futures
import grpc
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

class Pack(analyzer_pb2_grpc.AnalyzerServicer):
    def ConfigureStack(self, request, context):
        self.stack = request.stack
        return analyzer_pb2.AnalyzerStackConfigureResponse()
    def GetAnalyzerInfo(self, request, context):
        return analyzer_pb2.AnalyzerInfo(name=self.stack, description=os.getcwd())

server = grpc.server(futures.ThreadPoolExecutor())
analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Pack(), server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
print("after the port", flush=True)
server.wait_for_termination()
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running_host(tmp_path_factory.mktemp("host")) as host:
        yield host


def outcome(responses: Iterator[language_pb2.RunPluginResponse]) -> tuple[bytes, bytes, list[int]]:
    stdout, stderr, codes = b"", b"", []
    for response in responses:
        stdout += response.stdout
        stderr += response.stderr
        if response.WhichOneof("output") == "exitcode":
            codes.append(response.exitcode)
    return stdout, stderr, codes


def test_a_plugin_streams_its_output_and_its_exit_code(host: Host, tmp_path: Path) -> None:
    plugin = write_program(
        tmp_path / "plugin",
        """
        import os, sys
        print("port", *sys.argv[1:], os.environ["COLOUR"], os.getcwd())
        print("complaint", file=sys.stderr)
        sys.exit(7)
        """,
    )
    request = plugin_request(plugin, args=["127.0.0.1:1"], env=["COLOUR=blue"])
    stdout, stderr, codes = outcome(host.stub.RunPlugin(request))
    assert stdout.decode() == f"port 127.0.0.1:1 blue {tmp_path}\n"
    assert stderr == b"complaint\n"
    assert codes == [7]


def test_a_plugins_first_line_arrives_while_it_runs(host: Host, tmp_path: Path) -> None:
    plugin = write_program(tmp_path / "plugin", WRITES_ITS_PID + 'print("12345", flush=True)\ntime.sleep(60)')
    call = host.stub.RunPlugin(plugin_request(plugin))
    assert next(call).stdout.strip() == b"12345"
    pid = written_pid(tmp_path / "pid")
    assert alive(pid)
    call.cancel()
    eventually(lambda: not alive(pid), "the plugin outlived its call")


def test_a_folder_that_is_no_plugin_is_an_error_that_says_why(host: Host, tmp_path: Path) -> None:
    (tmp_path / "plugin").mkdir()
    with pytest.raises(grpc.RpcError) as caught:
        list(host.stub.RunPlugin(plugin_request(tmp_path / "plugin")))
    assert "neither __main__.py nor pyproject.toml" in str(caught.value.details())


def test_an_installable_package_is_run_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "my-components"\n')
    request = plugin_request(tmp_path, args=["127.0.0.1:1"])
    assert plugin_command(request, Interpreter(Path("/python"), None)) == [
        "/python",
        "-m",
        "pulumi.run.plugin",
        "my-components",
        "127.0.0.1:1",
    ]


def first_line(call: Iterator[language_pb2.RunPluginResponse]) -> bytes:
    return next(call).stdout


def analyzer(port: bytes) -> analyzer_pb2_grpc.AnalyzerStub:
    return analyzer_pb2_grpc.AnalyzerStub(grpc.insecure_channel(f"127.0.0.1:{int(port)}"))


def test_a_policy_pack_speaks_to_the_engine_directly(host: Host, tmp_path: Path) -> None:
    pack = write_program(tmp_path / "policies", POLICY_PACK)
    request = plugin_request(pack, kind="analyzer", args=["127.0.0.1:1"])
    call = host.stub.RunPlugin(request)
    printed = first_line(call)
    stub = analyzer(printed.partition(b"\n")[0])
    stub.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(project="shop", stack="prod"))
    info = stub.GetAnalyzerInfo(empty_pb2.Empty())
    assert info.name == "prod"
    assert info.description == str(pack), "a pack runs in its own folder"
    call.cancel()


@pytest.mark.parametrize("by", [None, "letter"])
def test_another_way_to_learn_of_the_stack_is_refused(host: Host, tmp_path: Path, by: str | None) -> None:
    request = plugin_request(write_program(tmp_path / "policies", POLICY_PACK), kind="analyzer")
    request.info.options.Clear()
    if by is not None:
        request.info.options.update({"stackConfiguration": by})
    with pytest.raises(
        grpc.RpcError, match=f"stackConfiguration of the policy pack is {by!r}; expected 'call'"
    ):
        next(host.stub.RunPlugin(request))


def test_a_policy_pack_that_raises_ends_with_its_words(host: Host, tmp_path: Path) -> None:
    pack = write_program(tmp_path / "policies", 'raise ValueError("a bad policy")')
    call = host.stub.RunPlugin(plugin_request(pack, kind="analyzer", args=["127.0.0.1:1"]))
    _, stderr, codes = outcome(call)
    assert b"ValueError: a bad policy" in stderr
    assert codes == [1]
