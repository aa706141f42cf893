"""The test of GPUs with PyTorch, with GPUs that have injected errors."""

from __future__ import annotations

import json
import sys
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from aiplatform import gpu_hardware
from aiplatform.gpu_hardware import deviating, run, slow
from cli.maintenance.results import of_hardware


class FakeGpu:
    """A GPU. stuck: words of its memory that are always off. digests: of its products, by round. speed: GB/s
    of its copies. broken: the operation that raises an error of CUDA."""

    def __init__(
        self,
        *,
        stuck: int = 0,
        digests: tuple[int, ...] = (1,),
        speed: float = 25,
        intact: bool = True,
        broken: str = "",
        model: str = "H100",
    ) -> None:
        self.model, self.released, self.rounds = model, 0, 0
        self._stuck, self._digests, self._speed, self._intact, self._broken = (
            stuck,
            digests,
            speed,
            intact,
            broken,
        )
        self._written: Any = "nothing"

    def _work(self, operation: str) -> None:
        if operation == self._broken:
            raise RuntimeError("CUDA error: uncorrectable ECC error encountered\nCompile with ...")

    def fill(self, pattern: int | None) -> None:
        self._work("fill")
        self._written = pattern

    def mismatches(self, pattern: int | None) -> int:
        assert self._written == pattern
        return self._stuck if pattern else 0

    def release(self) -> None:
        self._work("release")
        self.released += 1

    def product(self) -> int:
        self._work("product")
        self.rounds += 1
        return self._digests[min(self.rounds, len(self._digests)) - 1]

    def round_trip(self) -> tuple[bool, float, float]:
        self._work("round trip")
        return self._intact, self._speed, self._speed

    def receive(self, other: int) -> tuple[bool, float]:
        self._work("receive")
        return True, 300


def reasons(*gpus: FakeGpu) -> dict[tuple[str, int], str]:
    """Return test and GPU -> why it failed."""
    report = run(gpus, 0)
    failed = {(entry["test"], entry["gpu"]): entry["reason"] for entry in report["failed"]}
    for test, passed in report["passed"].items():
        assert {*passed} == {gpu for gpu in range(len(gpus)) if (test, gpu) not in failed}
    return failed


def test_gpus_without_errors_pass_every_test() -> None:
    report = run([FakeGpu() for _ in range(8)], 0)
    assert report["failed"] == []
    assert report["passed"] == {test: list(range(8)) for test in ("memory", "copies", "products")}
    assert report["gb_per_second"] == {"to GPU": 25, "from GPU": 25, "between GPUs": 300}
    assert report["rounds"] == gpu_hardware.LEAST_ROUNDS


def test_one_gpu_is_compared_with_itself() -> None:
    assert reasons(FakeGpu()) == {}
    assert list(reasons(FakeGpu(digests=(1, 1, 2)))) == [("products", 0)]


def test_memory_that_keeps_no_pattern_fails() -> None:
    gpus = [FakeGpu(), FakeGpu(stuck=7)]
    assert reasons(*gpus) == {("memory", 1): "7 words differ from the pattern 0xffffffff"}
    assert [gpu.released for gpu in gpus] == [1, 1], "the products need memory"


@pytest.mark.parametrize("operation", ["fill", "round trip", "receive", "product"])
def test_error_of_cuda_fails_its_gpu_and_not_the_program(operation: str) -> None:
    test = {"fill": "memory", "product": "products"}.get(operation, "copies")
    failed = reasons(FakeGpu(), FakeGpu(broken=operation), FakeGpu())
    assert failed == {(test, 1): "CUDA error: uncorrectable ECC error encountered Compile with ..."}


def test_memory_that_cannot_be_released_is_no_error_of_the_program() -> None:
    assert reasons(FakeGpu(broken="release")) == {}


def test_gpu_that_computes_another_product_than_the_others_fails() -> None:
    failed = reasons(FakeGpu(), FakeGpu(digests=(2,)), FakeGpu())
    assert failed == {("products", 1): "another result than the node's other GPUs"}
    assert reasons(FakeGpu(), FakeGpu(digests=(2,), model="L4")) == {}, "models differ in their sums"


def test_product_that_differs_from_the_first_fails() -> None:
    failed = reasons(FakeGpu(), FakeGpu(digests=(1, 1, 5)), FakeGpu())
    assert failed == {("products", 1): "round 3: another result than in the first"}


def test_copy_with_other_contents_fails() -> None:
    assert reasons(FakeGpu(), FakeGpu(intact=False)) == {("copies", 1): "a copy arrived with other contents"}


def test_link_that_is_far_slower_than_the_others_fails() -> None:
    failed = reasons(FakeGpu(), FakeGpu(speed=3), FakeGpu())
    assert failed == {("copies", 1): "to GPU: 3.0 GB/s, far below the node's other GPUs"}


def test_products_last_for_the_minutes() -> None:
    seconds = count(step=10)
    report = run([FakeGpu()], 2, lambda: next(seconds))
    assert report["rounds"] == pytest.approx(2 * 60 / 10, abs=3)


def test_run_ends_where_every_gpu_has_failed() -> None:
    report = run([FakeGpu(broken="product")], 1000)
    assert (report["rounds"], report["passed"]["products"]) == (1, [])


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([1, 1, 1], []),
        ([1, 2, 1], [1]),
        ([1, None, 1], []),
        ([None, None], []),
        ([1, 2], [0, 1]),
        ([1, 1, 2, 2, 3], [0, 1, 2, 3, 4]),
    ],
)
def test_result_of_most_is_the_right_one(results: list[int | None], expected: list[int]) -> None:
    assert deviating(results) == expected, "of two results that are as frequent none is known to be right"


@pytest.mark.parametrize(
    ("speeds", "expected"),
    [([10, 10, 4], {2: 4}), ([10, 4], {}), ([10, 10, None, 6], {}), ([None], {})],
)
def test_speed_is_compared_with_the_median(speeds: list[float | None], expected: dict[int, float]) -> None:
    assert slow(speeds) == expected, "of two speeds neither is known to be right"


@pytest.mark.parametrize(
    ("architectures", "capability", "expected"),
    [
        (["sm_80", "sm_90"], (9, 0), True),
        (["sm_80", "sm_86"], (8, 9), True),
        (["sm_80", "sm_90"], (10, 0), False),
        (["sm_80", "sm_90", "compute_90"], (10, 0), True),
        (["sm_90a"], (10, 0), False),
        (["sm_100"], (10, 0), True),
        (["sm_100", "sm_120"], (9, 0), False),
        ([], (9, 0), False),
    ],
)
def test_image_without_code_for_a_gpu_is_recognized(
    architectures: list[str], capability: tuple[int, int], expected: bool
) -> None:
    assert gpu_hardware.has_code(architectures, capability) is expected


def test_gpu_for_which_the_image_has_no_code_is_not_run_and_not_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = SimpleNamespace(
        device_count=lambda: 8,
        get_device_name=lambda _: "NVIDIA B200",
        get_device_capability=lambda _: (10, 0),
        get_arch_list=lambda: ["sm_80", "sm_86", "sm_90"],
    )
    torch = SimpleNamespace(cuda=cuda, device=lambda *_: "cuda", version=SimpleNamespace(cuda="12.6"))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(sys, "argv", ["hardware.py"])
    with pytest.raises(SystemExit) as ended:
        gpu_hardware.main()
    text = str(ended.value)
    assert "(CUDA 12.6) has no code for the NVIDIA B200, compute capability 10.0" in text
    assert of_hardware("training", "node", f"{text}\n", gpus=8).outcome == "not run"


LISTING = """GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f)
  MIG 3g.20gb     Device  0: (UUID: MIG-c7384736-a75d-5afc-978f-d2f1294409fd)
  MIG 1g.5gb      Device  1: (UUID: MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-4200ccc0-2667-d4cb-9137-f932c716232a)
  MIG 3g.20gb     Device  0: (UUID: MIG-43d9c8f2-6b1f-5e4b-9d3a-9a8e0a2a9f11)
"""


def test_partitions_are_those_that_the_container_has() -> None:
    known = gpu_hardware.partitions(LISTING)
    assert [profile for profile, _ in known] == ["3g.20gb", "1g.5gb", "3g.20gb"]
    assert known[1][1] == "MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d"
    assert gpu_hardware.partitions(LISTING.partition("\n")[0]) == [], "a GPU without partitions"


def test_each_partition_is_tested_alone_and_named_by_profile_and_uuid() -> None:
    known = gpu_hardware.partitions(LISTING)
    times: dict[str, float] = {}

    def test(uuid: str, minutes: float) -> dict[str, Any]:
        times[uuid] = minutes
        bad = uuid == known[2][1]
        return run([FakeGpu(stuck=1 if bad else 0, model="A100 MIG")], 0)

    report = gpu_hardware.of_partitions(known, 5, test)
    assert times == {uuid: 5 for _, uuid in known}
    assert report["passed"]["memory"] == [0, 1]
    assert report["passed"]["products"] == [0, 1, 2]
    (failed,) = report["failed"]
    assert failed["reason"].startswith("MIG 3g.20gb MIG-43d9c8f2-6b1f-5e4b-9d3a-9a8e0a2a9f11: 1 words differ")
    result = of_hardware("p", "n", json.dumps(report), gpus=3)
    assert result.outcome == "failed"
    assert result.detail.startswith("GPU 2: memory: MIG 3g.20gb")


def test_partitions_that_all_pass_are_counted_by_profile() -> None:
    known = gpu_hardware.partitions(LISTING)
    report = gpu_hardware.of_partitions(known, 5, lambda uuid, minutes: run([FakeGpu()], 0))
    result = of_hardware("p", "n", json.dumps(report), gpus=3)
    assert result.outcome == "ok"
    assert "on 1 partitions 1g.5gb, 2 partitions 3g.20gb" in result.detail
    missing = of_hardware("p", "n", json.dumps(report), gpus=4)
    assert (missing.outcome, "3 of 4" in missing.detail) == ("not run", True), "one is not in the container"


def test_many_partitions_share_the_time() -> None:
    known = [("1g.5gb", f"MIG-{number}") for number in range(10)]
    minutes: list[float] = []

    def test(uuid: str, share: float) -> dict[str, Any]:
        minutes.append(share)
        return run([FakeGpu()], 0)

    gpu_hardware.of_partitions(known, 6, test)
    assert set(minutes) == {2}, "ten in batches of four"
