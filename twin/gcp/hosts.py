"""Run a command that reaches the twin by Google's own host names: `python -m twin.gcp.hosts COMMAND...`.

For clients that take no other address: Pulumi's state backend `gs://` and its secrets provider `gcpkms://`.
The command runs in the twin's environment (`aiplatform twin run`) with a proxy on loopback, where
`*.googleapis.com` is the twin under a certificate of its authority (`SSL_CERT_FILE`): HTTP goes to the API
server, gRPC of Cloud KMS is served here and answered by the API server. Other hosts are reached directly.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent import futures
from contextlib import suppress
from typing import Any, Final

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from twin.instances import Instance, load
from twin.kubernetes import certificates

GOOGLES: Final = ".googleapis.com"
_KMS: Final = "cloudkms.googleapis.com"
_SERVICE: Final = "google.cloud.kms.v1.KeyManagementService"
_FIELDS: Final[Mapping[str, Mapping[str, int]]] = {
    "EncryptRequest": {"name": 1, "plaintext": 2, "additional_authenticated_data": 3},
    "EncryptResponse": {"name": 1, "ciphertext": 2},
    "DecryptRequest": {"name": 1, "ciphertext": 2, "additional_authenticated_data": 3},
    "DecryptResponse": {"plaintext": 1},
}
"""Of google/cloud/kms/v1/service.proto what is used here, by field number; checksums are optional there."""
_STATUS: Final = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
}


class Hosts:
    """The proxy and what it leads to, while the context lasts."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        pki = certificates.ensure(instance.folder / "kubernetes" / "pki")
        self._certificate, self._key = pki.certificate("google"), pki.key("google")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._kms = _kms(instance, self._key.read_bytes(), self._certificate.read_bytes())
        self._api_server = 0
        self.port = 0

    def __enter__(self) -> Hosts:
        self._thread.start()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._certificate, self._key)
        self._api_server = self._serve(self._to_server, ssl=context)
        self.port = self._serve(self._connect)
        return self

    def __exit__(self, *_: object) -> None:
        self._kms[0].stop(None)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def variables(self) -> dict[str, str]:
        """What a command needs to come by the proxy; loopback does not."""
        return dict.fromkeys(("HTTPS_PROXY", "https_proxy"), f"http://127.0.0.1:{self.port}")

    def _serve(self, handle: Callable[..., Any], **options: Any) -> int:
        starting = asyncio.start_server(handle, "127.0.0.1", 0, **options)
        server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
        return server.sockets[0].getsockname()[1]

    async def _to_server(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _join(reader, writer, "127.0.0.1", self._instance.ports["cloud"])

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A proxy's CONNECT (RFC 9110, 9.3.6)."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.close()
            return
        method, _, rest = head.partition(" ")
        host, _, port = rest.partition(" ")[0].rpartition(":")
        if method != "CONNECT" or not port.isdigit():
            writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        if host.endswith(GOOGLES):
            target = ("127.0.0.1", self._kms[1] if host == _KMS else self._api_server)
        else:
            target = (host.strip("[]"), int(port))
        await _join(reader, writer, *target, greeting=b"HTTP/1.1 200 OK\r\n\r\n")


async def _join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, greeting: bytes = b""
) -> None:
    """Copy bytes both ways until both sides are done."""
    try:
        far_reader, far_writer = await asyncio.open_connection(host, port)
    except OSError:
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n" if greeting else b"")
        writer.close()
        return
    writer.write(greeting)
    await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


def _messages() -> dict[str, Any]:
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="twin/kms.proto", package="twin", syntax="proto3")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for field, number in fields.items():
            kind = kinds.TYPE_STRING if field == "name" else kinds.TYPE_BYTES
            message.field.add(name=field, number=number, type=kind, label=kinds.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    messages = {name: pool.FindMessageTypeByName(f"twin.{name}") for name in _FIELDS}
    return {name: message_factory.GetMessageClass(message) for name, message in messages.items()}


def _kms(instance: Instance, key: bytes, certificate: bytes) -> tuple[grpc.Server, int]:
    """Cloud KMS by gRPC: the server and its port."""
    messages = _messages()

    def handler(verb: str, field: str) -> grpc.RpcMethodHandler:
        message_type = messages[f"{verb}Response"]

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            status, answered = _ask(instance, request, verb.lower(), context.invocation_metadata())
            if status != grpc.StatusCode.OK:
                context.abort(status, answered["error"]["message"])
            return message_type(**{field: base64.b64decode(answered[field])})

        return grpc.unary_unary_rpc_method_handler(
            answer, messages[f"{verb}Request"].FromString, message_type.SerializeToString
        )

    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    methods = {"Encrypt": handler("Encrypt", "ciphertext"), "Decrypt": handler("Decrypt", "plaintext")}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, methods),))
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
    server.start()
    return server, port


def _ask(
    instance: Instance, request: Any, verb: str, metadata: Any
) -> tuple[grpc.StatusCode, dict[str, Any]]:
    """The API server's answer to a request that came by gRPC."""
    fields = {field.name: value for field, value in request.ListFields()}
    name = fields.pop("name", "")
    body = {_camel(field): base64.b64encode(value).decode() for field, value in fields.items()}
    headers = {"Content-Type": "application/json", "Authorization": dict(metadata).get("authorization", "")}
    url = f"{instance.url('cloud')}/{_KMS}/v1/{name}:{verb}"
    http_request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - the API server
    try:
        with urllib.request.urlopen(http_request) as answer:  # noqa: S310
            return grpc.StatusCode.OK, json.load(answer)
    except urllib.error.HTTPError as error:
        return _STATUS.get(error.code, grpc.StatusCode.UNKNOWN), json.load(error)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def main(command: list[str]) -> int:
    """The command's exit code."""
    instance = load(os.environ.get("AIPLATFORM_TWIN", ""))
    if instance is None or instance.cloud != "gcp" or not command:
        sys.stderr.write(
            "usage: aiplatform twin run --name gcp-dev -- python -m twin.gcp.hosts COMMAND...\n"
            "expected a command, in the environment of a twin of Google Cloud\n"
        )
        return 2
    with Hosts(instance) as hosts:
        return subprocess.run(command, env={**os.environ, **hosts.variables}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
