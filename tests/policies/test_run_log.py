"""The messages of the pack about a run: the engine has them before the response that may end the run."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2 as proto
from pulumi.runtime.proto import analyzer_pb2_grpc, engine_pb2, engine_pb2_grpc

from policies.framework import run_log
from policies.framework.server import PACK, Pack
from tests.policies.test_framework import BY_SEVERITY, LEAST, example_policy
from tests.policies.test_server import AbortedError, analyze, configure, in_profile

FOLDER = Path(__file__).parents[2] / "policies"
PROD = "1 policies in profile prod (the default)"
DEV = "1 policies in profile dev (ai-platform:environment of the stack)"


class Engine(engine_pb2_grpc.EngineServicer):
    """The service of the engine, as far as the pack calls it."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.address = ""

    def Log(self, request: engine_pb2.LogRequest, context: Any) -> empty_pb2.Empty:  # noqa: N802
        assert request.severity == engine_pb2.INFO, "it is neither a warning nor an error"
        self.log.append(request.message)
        return empty_pb2.Empty()


@pytest.fixture
def engine() -> Iterator[Engine]:
    service = Engine()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    engine_pb2_grpc.add_EngineServicer_to_server(service, server)
    service.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield service
    server.stop(None).wait()


@contextlib.contextmanager
def started(engine: str) -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    """Start the pack as a process, as Pulumi's Python hosts do."""
    command = [sys.executable, "-u", "-m", "pulumi.policy", "--tracing", "file:///t", engine, str(FOLDER)]
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None, "it is a pipe"
        try:
            with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
                yield analyzer_pb2_grpc.AnalyzerStub(channel)
        finally:
            process.terminate()


def logging_pack() -> tuple[Pack, list[str]]:
    """Return a pack, and the lines that it logs."""
    lines: list[str] = []
    pack = Pack([example_policy(options=LEAST)], BY_SEVERITY, [], lines.append)
    pack.GetAnalyzerInfo(None, None)
    return pack, lines


def test_profile_is_logged_once_and_before_the_first_evaluation() -> None:
    pack, lines = logging_pack()
    in_profile(pack, "dev")
    assert lines == [], "the pack's configuration may still set another one"
    configure(pack, data__name_buckets={"least": 5})
    assert lines == [DEV], "the log of a run that is aborted before its first resource has it as well"
    analyze(pack, bucket="acme")
    analyze(pack, bucket="acme")
    assert lines == [DEV]


def test_profile_is_logged_with_the_first_evaluation_without_a_configuration() -> None:
    pack, lines = logging_pack()
    analyze(pack, bucket="acme")
    assert lines == [PROD]


def test_profile_is_logged_again_after_a_change() -> None:
    pack, lines = logging_pack()
    configure(pack, data__name_buckets={"least": 5})
    configure(pack, **{PACK: {"profile": "staging"}})
    assert lines == [PROD, "1 policies in profile staging (the pack's configuration)"]


def test_profile_is_not_logged_for_a_rejected_configuration() -> None:
    pack, lines = logging_pack()
    with pytest.raises(AbortedError):
        configure(pack, **{PACK: {"profile": "test"}})
    assert lines == [], "no policy is evaluated"


def test_engine_has_every_line_before_the_response(engine: Engine) -> None:
    with started(engine.address) as pack:
        # The calls of the engine for a program with one bucket.
        pack.ConfigureStack(proto.AnalyzerStackConfigureRequest(project="shop", stack="s"))
        pack.GetAnalyzerInfo(empty_pb2.Empty())
        request = proto.AnalyzeRequest(type="aws:s3/bucket:Bucket", name="b", urn="urn:b")
        pack.Analyze(request)
        [first] = engine.log
        assert first.startswith(run_log.PREFIX)
        assert first.endswith(" policies in profile prod (the default)")
        resource = proto.AnalyzerResource(type="aws:s3/bucket:Bucket", name="b", urn="urn:b")
        pack.AnalyzeStack(proto.AnalyzeStackRequest(resources=[resource, resource]))
        assert engine.log[1] == f"{run_log.PREFIX}2 resources evaluated"


def test_remediation_is_unimplemented() -> None:
    with started("127.0.0.1:1") as pack, pytest.raises(grpc.RpcError) as error:
        pack.Remediate(proto.AnalyzeRequest())
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED, (
        "with any other status the engine ends the run"
    )


def test_line_that_the_engine_does_not_accept_is_written_to_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_log.to_engine("127.0.0.1:1")("lost?")
    assert capsys.readouterr().err == f"{run_log.PREFIX}lost?\n"
