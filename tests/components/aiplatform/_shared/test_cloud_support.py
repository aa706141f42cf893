"""Arguments that a cloud does not support."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest

from aiplatform._shared.args import ArgumentError, Problem, read
from aiplatform._shared.cloud_support import CloudNeutral, CloudSupport, SupportTable, refused


@dataclass(frozen=True)
class _Entry:
    type: str
    reservation: str | None = None


@dataclass(frozen=True)
class _Pool(CloudNeutral):
    cloud_support: ClassVar[SupportTable] = {
        "cloud": CloudSupport("", ""),
        "endpoints": CloudSupport("interface endpoints", refused("leave it out")),
        "grants": CloudSupport(refused("leave it out", default=True), "grants"),
        "capacity": CloudSupport("node groups", "node pools"),
        "capacity.reservation": CloudSupport(refused("say reservation_id"), "reservation affinity"),
    }
    cloud: Literal["aws", "gcp"] = "aws"
    endpoints: list[str] = field(default_factory=list[str])
    grants: bool = True
    capacity: list[_Entry] = field(default_factory=list[_Entry])

    def check(self) -> Any:
        if self.endpoints == ["wrong"]:
            yield Problem("endpoints[0]", "no such endpoint")


def _problems(arguments: dict[str, Any]) -> list[str]:
    with pytest.raises(ArgumentError) as caught:
        read(_Pool, arguments, "PoolArgs")
    return [str(problem) for problem in caught.value.problems]


def test_an_argument_that_the_cloud_does_not_support_is_refused_with_the_reason() -> None:
    assert _problems({"cloud": "gcp", "endpoints": ["sts"]}) == [
        "PoolArgs.endpoints: got ['sts'], which Google Cloud does not support: leave it out"
    ]


def test_an_argument_inside_a_list_is_named_with_its_index() -> None:
    assert _problems({"capacity": [{"type": "spot"}, {"type": "reserved", "reservation": "r"}]}) == [
        "PoolArgs.capacity[1].reservation: got 'r', which AWS does not support: say reservation_id"
    ]


def test_the_same_argument_is_accepted_where_it_is_supported() -> None:
    assert read(_Pool, {"endpoints": ["sts"]}, "PoolArgs").endpoints == ["sts"]
    arguments = {"cloud": "gcp", "capacity": [{"type": "reserved", "reservation": "r"}]}
    assert read(_Pool, arguments, "PoolArgs").capacity[0].reservation == "r"


def test_false_is_refused_where_true_is_the_default() -> None:
    assert _problems({"grants": False}) == [
        "PoolArgs.grants: got False, which AWS does not support: leave it out"
    ]


def test_an_argument_without_effect_is_accepted_everywhere() -> None:
    assert read(_Pool, {"grants": True}, "PoolArgs").grants
    assert not read(_Pool, {"cloud": "gcp", "grants": False}, "PoolArgs").grants
    assert read(_Pool, {"cloud": "gcp", "endpoints": []}, "PoolArgs").endpoints == []


def test_an_unsupported_argument_is_the_only_problem_of_its_object() -> None:
    assert len(_problems({"cloud": "gcp", "endpoints": ["wrong"]})) == 1, (
        "rules of an argument's values are about a cloud that has it"
    )
