"""Speaks to a provider as the engine does, over gRPC, with plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from twin.property_values import Values, marshal, unmarshal
from twin.provider_interface import Props
from twin.store import Store
from twin.tests.fake_cloud import VPC, Backend

CIDR = {"cidrBlock": "10.0.0.0/16"}


def urn(token: str, name: str = "main") -> str:
    return f"urn:pulumi:dev::proj::{token}::{name}"


class Client:
    """One configured provider."""

    def __init__(self, port: int) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub: Any = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def configure(self, **config: Any) -> Any:
        request = provider_pb2.ConfigureRequest(args=marshal(config), acceptSecrets=True)
        return self.stub.Configure(request)

    def check(
        self, token: str, news: Props, olds: Props | None = None, **more: Any
    ) -> tuple[Props, dict[str, str]]:
        name = more.pop("name", "main")
        more.setdefault("randomSeed", b"seed")
        answer = self.stub.Check(
            provider_pb2.CheckRequest(
                urn=urn(token, name), news=marshal(news), olds=marshal(olds or {}), **more
            )
        )
        return unmarshal(answer.inputs).props, {f.property: f.reason for f in answer.failures}

    def create(
        self, token: str, inputs: Props, *, preview: bool = False, name: str = "main"
    ) -> tuple[str, Props]:
        answer = self.stub.Create(
            provider_pb2.CreateRequest(urn=urn(token, name), properties=marshal(inputs), preview=preview)
        )
        return answer.id, unmarshal(answer.properties).props

    def diff(
        self,
        token: str,
        id: str,
        olds: Props,
        news: Props,
        old_inputs: Props,
        *,
        ignore: tuple[str, ...] = (),
    ) -> tuple[dict[str, str], Any]:
        answer = self.stub.Diff(
            provider_pb2.DiffRequest(
                id=id,
                urn=urn(token),
                olds=marshal(olds),
                news=marshal(news),
                old_inputs=marshal(old_inputs),
                ignoreChanges=ignore,
            )
        )
        kinds = provider_pb2.PropertyDiff.Kind.Name
        return {path: kinds(diff.kind) for path, diff in answer.detailedDiff.items()}, answer

    def read(
        self, token: str, id: str, state: Props | None = None, inputs: Props | None = None, name: str = "main"
    ) -> tuple[str, Props, Props]:
        answer = self.stub.Read(
            provider_pb2.ReadRequest(
                id=id, urn=urn(token, name), properties=marshal(state or {}), inputs=marshal(inputs or {})
            )
        )
        return answer.id, unmarshal(answer.properties).props, unmarshal(answer.inputs).props

    def update(
        self, token: str, id: str, olds: Props, news: Props, old_inputs: Props, *, preview: bool = False
    ) -> Props:
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                id=id,
                urn=urn(token),
                olds=marshal(olds),
                news=marshal(news),
                old_inputs=marshal(old_inputs),
                preview=preview,
            )
        )
        return unmarshal(answer.properties).props

    def delete(self, token: str, id: str, state: Props | None = None) -> None:
        self.stub.Delete(provider_pb2.DeleteRequest(id=id, urn=urn(token), properties=marshal(state or {})))

    def invoke(self, token: str, arguments: Props, *, preview: bool = False) -> tuple[Props, dict[str, str]]:
        answer = self.stub.Invoke(
            provider_pb2.InvokeRequest(tok=token, args=marshal(arguments), preview=preview)
        )
        result: struct_pb2.Struct = getattr(answer, "return")
        return unmarshal(result).props, {f.property: f.reason for f in answer.failures}

    def values(self, struct: struct_pb2.Struct) -> Values:
        return unmarshal(struct)


@dataclass
class Provided:
    """A provider under test and what it uses."""

    backend: Backend
    store: Store
    client: Client

    def create(self, token: str = VPC, inputs: Props | None = None) -> tuple[Props, str, Props]:
        """Checked and created: inputs, id and outputs."""
        checked, failures = self.client.check(token, inputs if inputs is not None else CIDR)
        assert not failures
        id, outputs = self.client.create(token, checked)
        return checked, id, outputs
