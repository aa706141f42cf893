"""The program as a process: what Envoy's messages become, its probes and its end."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import grpc
import pytest
from envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue
from envoy.service.ext_proc.v3 import external_processor_pb2 as api
from envoy.service.ext_proc.v3 import external_processor_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from moto.server import ThreadedMotoServer

AWS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
PROMPT = json.dumps({"messages": [{"role": "user", "content": "Hello"}]}).encode()


def _port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


class Server:
    """The program with a bucket of S3."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.port, self.metrics_port = _port(), _port()
        file = folder / "logger.json"
        service = {"chat": {"batch_size": 100, "batch_seconds": 600}}
        file.write_text(json.dumps({"services": service, "refusals": ["I cannot help"]}))
        variables = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("AWS_", "KUBERNETES_"))
            },
            **AWS,
            "AWS_ENDPOINT_URL": endpoint,
            "LOGGER_FILE": str(file),
            "LOGS_URI": "s3://logs/logs",
            "NAMESPACE": "search",
            "PORT": str(self.port),
            "METRICS_PORT": str(self.metrics_port),
            # Nothing answers there: versions are not known.
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": "1",
        }
        self.process = subprocess.Popen([sys.executable, "-m", "llm_logger"], env=variables)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")

    def is_healthy(self) -> bool:
        """Whether the probe of Kubernetes succeeds."""
        stub = health_pb2_grpc.HealthStub(self.channel)
        answer = stub.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=20)
        return answer.status == health_pb2.HealthCheckResponse.SERVING

    def copy(self, *messages: Any) -> list[Any]:
        """Send messages as Envoy does; returns the answers."""
        stub = external_processor_pb2_grpc.ExternalProcessorStub(self.channel)
        return list(stub.Process(iter(messages), wait_for_ready=True, timeout=20))

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5) as answer:
            return answer.read().decode()

    def end(self) -> int:
        """End it as the kubelet does."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    bucket = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    bucket.start()
    host, port = bucket.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    # Servers of one process share what they store.
    urllib.request.urlopen(
        urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
    ).close()
    boto3.client("s3").create_bucket(Bucket="logs")
    started = Server(tmp_path, f"http://{host}:{port}")
    yield started
    started.process.kill()
    started.process.wait()
    started.channel.close()
    bucket.stop()


def _headers(**values: str) -> api.HttpHeaders:
    entries = [HeaderValue(key=key, raw_value=value.encode()) for key, value in values.items()]
    return api.HttpHeaders(headers=HeaderMap(headers=entries))


def _request(path: str = "/search/chat/v1/chat/completions") -> list[api.ProcessingRequest]:
    headers = _headers(**{":method": "POST", ":path": path, "x-request-id": "4b1c9a52-1111"})
    return [
        api.ProcessingRequest(request_headers=headers, observability_mode=True),
        api.ProcessingRequest(request_body=api.HttpBody(body=PROMPT, end_of_stream=True)),
    ]


def _from_server(message: api.ProcessingRequest) -> api.ProcessingRequest:
    """Return a message with the attribute that Envoy sends."""
    message.attributes["envoy.filters.http.ext_proc"].update({"response.code_details": "via_upstream"})
    return message


def _answer(*, ends: bool = True) -> list[api.ProcessingRequest]:
    headers = _headers(**{":status": "200", "content-type": "text/event-stream", "x-served-by": "chat-blue"})
    event = {"choices": [{"index": 0, "delta": {"content": "I cannot help"}, "finish_reason": "stop"}]}
    return [
        _from_server(api.ProcessingRequest(response_headers=headers)),
        api.ProcessingRequest(response_body=api.HttpBody(body=f"data: {json.dumps(event)}\n\n".encode())),
        *([api.ProcessingRequest(response_body=api.HttpBody(end_of_stream=True))] if ends else []),
    ]


def _stored() -> list[dict[str, Any]]:
    client = boto3.client("s3")
    entries: list[dict[str, Any]] = []
    for listed in client.list_objects_v2(Bucket="logs").get("Contents", []):
        assert listed["Key"].startswith("logs/search/chat-blue/gateway/requests/")
        entries += json.loads(client.get_object(Bucket="logs", Key=listed["Key"])["Body"].read())
    return entries


def test_requests_are_records_that_are_stored_before_the_end(server: Server) -> None:
    assert server.is_healthy()
    assert server.copy(*_request(), *_answer()) == []
    assert server.copy(*_request(), *_answer(ends=False)) == []
    assert server.copy(*_request("/search/chat/v1/models"), *_answer()) == []
    text = server.metrics()
    assert 'llm_logger_requests_total{result="logged"} 2.0' in text
    assert 'llm_logger_requests_total{result="other"} 1.0' in text
    assert "llm_logger_waiting_records 2.0" in text
    assert server.end() == 0
    records = _stored()
    assert [record["id"] for record in records] == ["4b1c9a52-1111"] * 2
    values = [json.loads(base64.b64decode(record["bytes"]))["instances"][0] for record in records]
    assert [value["finish_reason"] for value in values] == ["stop", "aborted"]
    assert {value["refusal"] for value in values} == {"phrase"}
    assert {value["prompt_characters"] for value in values} == {5}
    assert not {"prompt", "answer"} & set(values[0]), "texts are not stored by default"
    assert records[0]["annotations"] == {}, "its version is not known"


def test_message_that_is_not_read_costs_its_own_request_only(server: Server) -> None:
    assert server.is_healthy()
    wrong = api.ProcessingRequest(response_body=api.HttpBody(body=b"\xff" * 100))
    assert server.copy(wrong, api.ProcessingRequest(), *_answer()) == []
    assert server.copy(*_request(), *_answer()) == []
    assert 'requests_total{result="logged"} 1.0' in server.metrics()


def test_requests_at_the_end_are_no_aborted_answers(server: Server) -> None:
    assert server.is_healthy()

    def messages() -> Iterator[api.ProcessingRequest]:
        yield from _request()
        yield from _answer(ends=False)
        time.sleep(60)

    stub = external_processor_pb2_grpc.ExternalProcessorStub(server.channel)
    call = stub.Process(messages(), timeout=60)
    time.sleep(1)
    assert server.end() == 0
    with pytest.raises(grpc.RpcError):
        list(call)
    assert _stored() == []


def test_wrong_configuration_is_one_line_and_exit_code_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "llm_logger"],
        env={**os.environ, "LOGGER_FILE": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: /nowhere: ")
    assert done.stderr.count("\n") == 1
