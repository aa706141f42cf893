"""What the pack itself says of a run: the engine has it before the answer that may end the run."""

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

from policies.pack import notes
from policies.pack.server import PACK, Pack
from tests.policies.test_pack import BY_SEVERITY, LEAST, policy
from tests.policies.test_server import AbortedError, analyze, configure, in_profile

FOLDER = Path(__file__).parents[2] / "policies"
PROD = "1 policies in profile prod (nothing says another)"
DEV = "1 policies in profile dev (ai-platform:environment of the stack)"


class Engine(engine_pb2_grpc.EngineServicer):
    """The engine's own service, as far as the pack speaks to it."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.address = ""

    def Log(self, request: engine_pb2.LogRequest, context: Any) -> empty_pb2.Empty:  # noqa: N802
        assert request.severity == engine_pb2.INFO, "it is told, and is neither a warning nor an error"
        self.log.append(request.message)
        return empty_pb2.Empty()


@pytest.fixture
def engine() -> Iterator[Engine]:
    served = Engine()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    engine_pb2_grpc.add_EngineServicer_to_server(served, server)
    served.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield served
    server.stop(None).wait()


@contextlib.contextmanager
def started(engine: str) -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    """The pack as a process, as Pulumi's hosts for Python start it."""
    command = [sys.executable, "-u", "-m", "pulumi.policy", "--tracing", "file:///t", engine, str(FOLDER)]
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None, "it is a pipe"
        try:
            with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
                yield analyzer_pb2_grpc.AnalyzerStub(channel)
        finally:
            process.terminate()


def listening() -> tuple[Pack, list[str]]:
    said: list[str] = []
    made = Pack([policy(options=LEAST)], BY_SEVERITY, [], said.append)
    made.GetAnalyzerInfo(None, None)
    return made, said


def test_the_profile_is_said_once_and_before_anything_is_judged() -> None:
    made, said = listening()
    in_profile(made, "dev")
    assert said == [], "the pack's configuration may still say another"
    configure(made, data__name_buckets={"least": 5})
    assert said == [DEV], "a run that breaks off before its first resource has it, too"
    analyze(made, bucket="acme")
    analyze(made, bucket="acme")
    assert said == [DEV]


def test_a_pack_that_the_engine_does_not_configure_says_it_with_its_first_judgement() -> None:
    made, said = listening()
    analyze(made, bucket="acme")
    assert said == [PROD]


def test_a_profile_that_changes_is_said_anew() -> None:
    made, said = listening()
    configure(made, data__name_buckets={"least": 5})
    configure(made, **{PACK: {"profile": "staging"}})
    assert said == [PROD, "1 policies in profile staging (the pack's configuration)"]


def test_a_configuration_that_is_refused_says_no_profile() -> None:
    made, said = listening()
    with pytest.raises(AbortedError):
        configure(made, **{PACK: {"profile": "test"}})
    assert said == [], "nothing is judged by any"


def test_the_engine_has_every_line_before_it_has_the_answer(engine: Engine) -> None:
    with started(engine.address) as pack:
        # As the engine calls a pack for a program of one bucket.
        pack.ConfigureStack(proto.AnalyzerStackConfigureRequest(project="shop", stack="s"))
        pack.GetAnalyzerInfo(empty_pb2.Empty())
        request = proto.AnalyzeRequest(type="aws:s3/bucket:Bucket", name="b", urn="urn:b")
        pack.Analyze(request)
        [first] = engine.log
        assert first.startswith(notes.SAID)
        assert first.endswith(" policies in profile prod (nothing says another)")
        resource = proto.AnalyzerResource(type="aws:s3/bucket:Bucket", name="b", urn="urn:b")
        pack.AnalyzeStack(proto.AnalyzeStackRequest(resources=[resource, resource]))
        assert engine.log[1] == f"{notes.SAID}2 resources judged"


def test_the_pack_has_no_remedies_and_says_so_by_the_protocol_s_own_answer() -> None:
    with started("127.0.0.1:1") as pack, pytest.raises(grpc.RpcError) as answered:
        pack.Remediate(proto.AnalyzeRequest())
    assert answered.value.code() is grpc.StatusCode.UNIMPLEMENTED, "with any other the engine ends the run"


def test_a_line_that_the_engine_does_not_take_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    notes.to_engine("127.0.0.1:1")("lost?")
    assert capsys.readouterr().err == f"{notes.SAID}lost?\n"
