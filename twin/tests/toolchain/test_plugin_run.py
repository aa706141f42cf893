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

# What pulumi-policy does, reduced: serve, print the port, answer with what the environment says.
POLICY_PACK = """
import os
from concurrent import futures
import grpc
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

class Pack(analyzer_pb2_grpc.AnalyzerServicer):
    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version="1.2.3")
    def GetAnalyzerInfo(self, request, context):
        return analyzer_pb2.AnalyzerInfo(name=str(os.environ.get("PULUMI_STACK")), description=os.getcwd())
    def Analyze(self, request, context):
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no such policy")
    asked = 0
    def Remediate(self, request, context):
        self.asked += 1
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"asked {self.asked} times")

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


def test_a_policy_pack_knows_the_stack_that_the_engine_configures(host: Host, tmp_path: Path) -> None:
    pack = write_program(tmp_path / "policies", POLICY_PACK)
    call = host.stub.RunPlugin(plugin_request(pack, kind="analyzer", args=["127.0.0.1:1"]))
    stub = analyzer(first_line(call))
    stub.Handshake(analyzer_pb2.AnalyzerHandshakeRequest(engine_address="127.0.0.1:1"))
    stub.ConfigureStack(
        analyzer_pb2.AnalyzerStackConfigureRequest(project="shop", stack="prod", config={"shop:a": "1"})
    )
    info = stub.GetAnalyzerInfo(empty_pb2.Empty())
    assert info.name == "prod"
    assert info.description == str(pack), "a pack runs in its own folder"
    with pytest.raises(grpc.RpcError) as caught:
        stub.Analyze(analyzer_pb2.AnalyzeRequest())
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "no such policy"
    assert next(call).stdout == b"after the port\n", "only the port is kept back"
    call.cancel()


def test_a_policy_pack_that_takes_the_call_speaks_to_the_engine_directly(host: Host, tmp_path: Path) -> None:
    takes = """
    def ConfigureStack(self, request, context):
        self.stack = request.stack
        return analyzer_pb2.AnalyzerStackConfigureResponse()
    def GetAnalyzerInfo(self, request, context):
        return analyzer_pb2.AnalyzerInfo(name=self.stack, description=str(os.environ.get("PULUMI_STACK")))
    def Analyze("""
    pack = write_program(tmp_path / "policies", POLICY_PACK.replace("\n    def Analyze(", takes))
    request = plugin_request(pack, kind="analyzer", args=["127.0.0.1:1"])
    request.info.options.update({"stackConfiguration": "call"})
    call = host.stub.RunPlugin(request)
    printed = first_line(call)
    stub = analyzer(printed.partition(b"\n")[0])
    stub.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(project="shop", stack="prod"))
    info = stub.GetAnalyzerInfo(empty_pb2.Empty())
    assert info.name == "prod"
    assert info.description == "None", "it was there before anybody knew of the stack"
    call.cancel()


def test_another_way_to_learn_of_the_stack_is_refused(host: Host, tmp_path: Path) -> None:
    request = plugin_request(write_program(tmp_path / "policies", POLICY_PACK), kind="analyzer")
    request.info.options.update({"stackConfiguration": "letter"})
    with pytest.raises(grpc.RpcError, match="expected 'call' or nothing"):
        next(host.stub.RunPlugin(request))


def test_what_a_policy_pack_has_not_it_is_asked_once(host: Host, tmp_path: Path) -> None:
    pack = write_program(tmp_path / "policies", POLICY_PACK)
    call = host.stub.RunPlugin(plugin_request(pack, kind="analyzer", args=["127.0.0.1:1"]))
    stub = analyzer(first_line(call))
    details: list[str | None] = []
    for _ in range(3):
        with pytest.raises(grpc.RpcError) as caught:
            stub.Remediate(analyzer_pb2.AnalyzeRequest())
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED, "the engine goes on without remedies"
        details.append(caught.value.details())
    assert details[0] == "asked 1 times"
    assert not any(text and text.startswith("asked") for text in details[1:]), "the pack is left alone"
    with pytest.raises(grpc.RpcError, match="no such policy"):
        stub.Analyze(analyzer_pb2.AnalyzeRequest())
    call.cancel()


def test_a_policy_pack_that_no_stack_is_configured_for_starts_all_the_same(
    host: Host, tmp_path: Path
) -> None:
    pack = write_program(tmp_path / "policies", POLICY_PACK)
    call = host.stub.RunPlugin(plugin_request(pack, kind="analyzer", args=["127.0.0.1:1"]))
    stub = analyzer(first_line(call))
    assert stub.GetPluginInfo(empty_pb2.Empty()).version == "1.2.3"
    assert stub.GetAnalyzerInfo(empty_pb2.Empty()).name == "None"
    call.cancel()


def test_a_policy_pack_that_raises_tells_the_engine_instead_of_hanging(host: Host, tmp_path: Path) -> None:
    pack = write_program(tmp_path / "policies", 'raise ValueError("a bad policy")')
    call = host.stub.RunPlugin(plugin_request(pack, kind="analyzer", args=["127.0.0.1:1"]))
    stub = analyzer(first_line(call))
    with pytest.raises(grpc.RpcError):
        stub.GetAnalyzerInfo(empty_pb2.Empty(), timeout=10)
    _, stderr, codes = outcome(call)
    assert b"ValueError: a bad policy" in stderr
    assert codes == [1]


def test_a_policy_pack_that_the_engine_gives_up_before_it_starts_leaves_nothing(
    host: Host, tmp_path: Path
) -> None:
    pack = write_program(tmp_path / "policies", WRITES_ITS_PID)
    call = host.stub.RunPlugin(plugin_request(pack, kind="analyzer", args=["127.0.0.1:1"]))
    assert first_line(call).strip().isdigit()
    call.cancel()
    with pytest.raises(grpc.RpcError):
        next(call)
    assert not (pack / "pid").exists()
