"""Dependencies that no property of a resource expresses."""

from __future__ import annotations

from typing import Any

from pulumi import Output
from pulumi_gcp import projects

from aiplatform._shared.dependencies import after
from tests.components.recording import record

SERVICE = "gcp:projects/service:Service"


def _service(name: str, service: Any) -> projects.Service:
    return projects.Service(name, project="acme", service=service)


def test_a_value_waits_for_resources_and_for_what_outputs_depend_on() -> None:
    def program() -> None:
        api, agent = _service("api", "cloudkms"), _service("agent", "pubsub")
        in_place_of_a_grant: Any = agent.id.apply(lambda _: None)
        _service("user", after(Output.from_input("storage"), api, in_place_of_a_grant))

    recording = record(program)
    user = recording.one(SERVICE, "user")
    assert user.inputs["service"] == "storage", "the value is the same"
    for name in ("api", "agent"):
        assert recording.depends(user, recording.one(SERVICE, name)), name


def test_the_output_that_a_value_comes_from_waits_for_nothing_more() -> None:
    def program() -> None:
        api, first = _service("api", "cloudkms"), _service("first", "pubsub")
        after(first.id, api)
        _service("user", first.id)

    recording = record(program)
    assert not recording.depends(recording.one(SERVICE, "user"), recording.one(SERVICE, "api"))
