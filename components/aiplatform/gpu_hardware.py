"""Test the GPUs of a node without DCGM: memory, matrix products and copies. Needs PyTorch for CUDA.

- memory: patterns in all free memory, and a value for each address.
- products: every GPU multiplies the same matrices for some minutes. cuBLAS computes the same bits each time
  on GPUs of one model (its documentation, "Results Reproducibility"): a result that differs is an error.
- copies: to the GPU and back, and from each GPU to the next. What arrives must be what was sent; a GPU that
  is much slower than the others has a bad link.

A process of CUDA uses one partition of a GPU (MIG) at most. Where a container has some, each is tested by
a separate process, and the report names its profile and UUID.

The last line of output is a JSON object. It exits with 0 also where a GPU failed.
"""

import argparse
import contextlib
import importlib
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

PATTERNS = (0, -1, 0x55555555, -0x55555556, None)
"""Of 32 bits: all off, all on, alternating. None: a value for each address."""
LEAST_SPEED = 0.5
"""The part of the median speed of a node's GPUs below which a link is bad."""
LEAST_ROUNDS = 3
"""Rounds of products, however little time there is."""
CHUNK = 2**28
"""Bytes of memory that are compared at once."""
RESERVE = 2**31
"""Bytes of memory that are left for everything else."""
SIZE = 8192
"""Rows and columns of a matrix."""
PRODUCTS = 20
"""Products of a round."""
PROCESSES = 4
"""Partitions that are tested at the same time: each process takes some GB of memory of the host."""
VISIBLE = "CUDA_VISIBLE_DEVICES"
_PARTITION = re.compile(r"MIG (\S+)\s+Device\s+\d+: \(UUID: (MIG-[^)\s]+)\)")
Value = TypeVar("Value")


class Gpu(Protocol):
    """A GPU. Errors of CUDA are RuntimeErrors."""

    model: str

    def fill(self, pattern: int | None) -> None:
        """Write a pattern to all free memory."""
        ...

    def mismatches(self, pattern: int | None) -> int:
        """Return how many words of 32 bits differ from the pattern."""
        ...

    def release(self) -> None:
        """Release the memory."""
        ...

    def product(self) -> int:
        """Return a digest of the products of a round; it differs where one of them does."""
        ...

    def round_trip(self) -> tuple[bool, float, float]:
        """Return whether a copy to the GPU and back is intact, and GB/s there and back."""
        ...

    def receive(self, other: int) -> tuple[bool, float]:
        """Return whether a copy from another GPU is intact, and GB/s."""
        ...


class Failures:
    """Test and GPU -> why it failed."""

    def __init__(self) -> None:
        self.reasons: dict[tuple[str, int], str] = {}

    def add(self, test: str, gpu: int, reason: str) -> None:
        """Record the first failure of a test on a GPU."""
        self.reasons.setdefault((test, gpu), reason)

    def passed(self, test: str, count: int) -> list[int]:
        """Return the GPUs on which the test did not fail."""
        return [gpu for gpu in range(count) if (test, gpu) not in self.reasons]


def deviating(results: Sequence[int | None]) -> list[int]:
    """Return the GPUs whose result is not that of most; all with a result where two results are as frequent.
    None: no result."""
    counts = Counter(result for result in results if result is not None).most_common()
    if len(counts) < 2:
        return []
    tie = counts[0][1] == counts[1][1]
    return [
        gpu for gpu, result in enumerate(results) if result is not None and (tie or result != counts[0][0])
    ]


def slow(speeds: Sequence[float | None]) -> dict[int, float]:
    """Return GPU -> GB/s of those that are much slower than the median; none of fewer than three. None: no
    result."""
    known = [speed for speed in speeds if speed is not None]
    if len(known) < 3:
        return {}
    least = LEAST_SPEED * statistics.median(known)
    return {gpu: speed for gpu, speed in enumerate(speeds) if speed is not None and speed < least}


def run(gpus: Sequence[Gpu], minutes: float, clock: Callable[[], float] = time.monotonic) -> dict[str, Any]:
    """Test the GPUs, all at the same time, and return the report."""
    failures = Failures()
    _memory(gpus, failures)
    speeds = _copies(gpus, failures)
    rounds = _products(gpus, failures, clock() + 60 * minutes, clock)
    tests = ("memory", "copies", "products")
    return {
        "gpus": len(gpus),
        "models": sorted({gpu.model for gpu in gpus}),
        "passed": {test: failures.passed(test, len(gpus)) for test in tests},
        "failed": [
            {"test": test, "gpu": gpu, "reason": reason} for (test, gpu), reason in failures.reasons.items()
        ],
        "rounds": rounds,
        "gb_per_second": speeds,
    }


def _attempt(
    gpus: Sequence[Gpu], number: int, test: str, failures: Failures, operation: Callable[[Gpu], Value]
) -> Value | None:
    """Return the result of an operation on a GPU that has not failed the test; None where it fails now."""
    if (test, number) in failures.reasons:
        return None
    try:
        return operation(gpus[number])
    except RuntimeError as error:
        failures.add(test, number, " ".join(str(error).split())[:300] or type(error).__name__)
        return None


def _of_each(
    gpus: Sequence[Gpu], test: str, failures: Failures, operation: Callable[[Gpu], Value]
) -> list[Value | None]:
    """Run an operation on all GPUs at the same time."""

    def attempt(number: int) -> Value | None:
        return _attempt(gpus, number, test, failures, operation)

    with ThreadPoolExecutor(len(gpus)) as threads:
        return list(threads.map(attempt, range(len(gpus))))


def _memory(gpus: Sequence[Gpu], failures: Failures) -> None:
    for pattern in PATTERNS:

        def write(gpu: Gpu, value: int | None = pattern) -> int:
            gpu.fill(value)
            return gpu.mismatches(value)

        for number, wrong in enumerate(_of_each(gpus, "memory", failures, write)):
            if wrong:
                text = "addresses" if pattern is None else f"{pattern & 0xFFFFFFFF:#010x}"
                failures.add("memory", number, f"{wrong} words differ from the pattern {text}")
    for gpu in gpus:
        with contextlib.suppress(RuntimeError):  # of a GPU that has failed
            gpu.release()


def _copies(gpus: Sequence[Gpu], failures: Failures) -> dict[str, float]:
    """Return the lowest GB/s of each kind of copy."""
    count = len(gpus)
    # One after the other: they share links of the host.
    host = [_attempt(gpus, gpu, "copies", failures, lambda gpu: gpu.round_trip()) for gpu in range(count)]
    between: list[tuple[bool, float] | None] = [None] * count
    for gpu in range(count):
        source = (gpu - 1) % count
        if source != gpu and ("copies", source) not in failures.reasons:
            between[gpu] = _attempt(
                gpus, gpu, "copies", failures, lambda to, source=source: to.receive(source)
            )
    for gpu in range(count):
        if not all(copy[0] for copy in (host[gpu], between[gpu]) if copy is not None):
            failures.add("copies", gpu, "a copy arrived with other contents")
    kinds: dict[str, list[float | None]] = {
        "to GPU": [copy[1] if copy else None for copy in host],
        "from GPU": [copy[2] if copy else None for copy in host],
        "between GPUs": [copy[1] if copy else None for copy in between],
    }
    for kind, speeds in kinds.items():
        for gpu, speed in slow(speeds).items():
            failures.add("copies", gpu, f"{kind}: {speed:.1f} GB/s, far below the node's other GPUs")
    known = {kind: [speed for speed in speeds if speed is not None] for kind, speeds in kinds.items()}
    return {kind: round(min(speeds), 1) for kind, speeds in known.items() if speeds}


def _products(gpus: Sequence[Gpu], failures: Failures, deadline: float, clock: Callable[[], float]) -> int:
    """Return the number of rounds."""
    first: list[int | None] = [None] * len(gpus)
    rounds = 0
    while rounds < LEAST_ROUNDS or clock() < deadline:
        results = _of_each(gpus, "products", failures, lambda gpu: gpu.product())
        for number, result in enumerate(results):
            if first[number] is None:
                first[number] = result
            elif result is not None and result != first[number]:
                failures.add("products", number, f"round {rounds + 1}: another result than in the first")
        rounds += 1
        if not failures.passed("products", len(gpus)):
            break
    if len({gpu.model for gpu in gpus}) == 1:
        for number in deviating(first):
            failures.add("products", number, "another result than the node's other GPUs")
    return rounds


def partitions(listing: str) -> list[tuple[str, str]]:
    """Return profile and UUID of each partition in the output of `nvidia-smi -L`."""
    return [(match[1], match[2]) for match in _PARTITION.finditer(listing)]


def of_partitions(
    known: Sequence[tuple[str, str]], minutes: float, test: Callable[[str, float], Mapping[str, Any]]
) -> dict[str, Any]:
    """Test each partition in a process that has no other one, and return one report of all of them.

    known: profile and UUID. minutes: of all products. test: runs a process, for a UUID and minutes.
    """
    batches = -(-len(known) // PROCESSES)

    def run_one(partition: tuple[str, str]) -> Mapping[str, Any]:
        return test(partition[1], minutes / batches)

    with ThreadPoolExecutor(PROCESSES) as threads:
        reports = list(threads.map(run_one, known))
    failed = [
        {**entry, "gpu": number, "reason": f"MIG {known[number][0]} {known[number][1]}: {entry['reason']}"}
        for number, report in enumerate(reports)
        for entry in report["failed"]
    ]
    tests = sorted({test for report in reports for test in report["passed"]})
    kinds = sorted({kind for report in reports for kind in report["gb_per_second"]})
    speeds = {
        kind: [report["gb_per_second"][kind] for report in reports if kind in report["gb_per_second"]]
        for kind in kinds
    }
    return {
        "gpus": len(known),
        "models": sorted({model for report in reports for model in report["models"]}),
        "partitions": [{"profile": profile, "uuid": uuid} for profile, uuid in known],
        "passed": {
            test: [number for number, report in enumerate(reports) if report["passed"].get(test)]
            for test in tests
        },
        "failed": failed,
        "rounds": min(report["rounds"] for report in reports),
        "gb_per_second": {kind: min(values) for kind, values in speeds.items()},
    }


def _in_process(uuid: str, minutes: float) -> Mapping[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, f"--minutes={minutes:g}"],
        env={**os.environ, VISIBLE: uuid},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        sys.exit(f"{uuid}: {(done.stderr.strip().splitlines() or ['no report'])[-1]}")
    return json.loads(lines[-1])


def _listing() -> str:
    """Return what nvidia-smi, which the driver has, lists in the container; empty without it."""
    try:
        return subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout  # noqa: S607
    except OSError:
        return ""


class TorchGpu:
    """A GPU by PyTorch."""

    def __init__(self, torch: Any, index: int) -> None:
        self._torch = torch
        self._device = torch.device("cuda", index)
        self._chunks: list[Any] = []
        self._matrices: tuple[Any, ...] = ()
        self.model = str(torch.cuda.get_device_name(self._device))

    def _pattern(self, chunk: Any, number: int, pattern: int | None) -> None:
        if pattern is not None:
            chunk.fill_(pattern)
            return
        self._torch.arange(chunk.numel(), out=chunk)
        # Odd factors and overflow keep the values of a chunk different.
        chunk.add_(number * 0x10001).mul_(0x01000193)

    def _empty(self) -> Any:
        return self._torch.empty(CHUNK // 4, dtype=self._torch.int32, device=self._device)

    def fill(self, pattern: int | None) -> None:
        """Write a pattern to all free memory."""
        if not self._chunks:
            free, _ = self._torch.cuda.mem_get_info(self._device)
            count = max(1, (free - RESERVE) // CHUNK)
            self._chunks = [self._empty() for _ in range(count)]
        for number, chunk in enumerate(self._chunks):
            self._pattern(chunk, number, pattern)
        self._torch.cuda.synchronize(self._device)

    def mismatches(self, pattern: int | None) -> int:
        """Return how many words of 32 bits differ from the pattern."""
        expected, wrong = self._empty(), 0
        for number, chunk in enumerate(self._chunks):
            self._pattern(expected, number, pattern)
            wrong += int(self._torch.count_nonzero(chunk != expected))
        return wrong

    def release(self) -> None:
        """Release the memory."""
        self._chunks = []
        self._torch.cuda.empty_cache()

    def product(self) -> int:
        """Return a digest of the products of a round; it differs where one of them does."""
        torch = self._torch
        if not self._matrices:
            generator = torch.Generator().manual_seed(0)
            left, right = (
                torch.randn(SIZE, SIZE, generator=generator).to(torch.float16).to(self._device)
                for _ in range(2)
            )
            # Weights, so that two results that are swapped change the digest.
            weights = torch.arange(1, SIZE + 1, dtype=torch.int64, device=self._device)
            self._matrices = left, right, weights
        left, right, weights = self._matrices
        digest = torch.zeros((), dtype=torch.int64, device=self._device)
        for number in range(1, PRODUCTS + 1):
            result = torch.matmul(left, right).view(torch.int16).sum(dim=0, dtype=torch.int64)
            digest = digest * 31 + (result * weights).sum() + number
        return int(digest)

    def _random(self) -> Any:
        return self._torch.randint(-(2**31), 2**31 - 1, (CHUNK // 4,), dtype=self._torch.int32)

    def _seconds(self, copy: Callable[[], object]) -> float:
        self._torch.cuda.synchronize(self._device)
        began = time.perf_counter()
        copy()
        self._torch.cuda.synchronize(self._device)
        return time.perf_counter() - began

    def round_trip(self) -> tuple[bool, float, float]:
        """Return whether a copy to the GPU and back is intact, and GB/s there and back."""
        sent = self._random().pin_memory()
        received = self._torch.empty_like(sent).pin_memory()
        memory = self._empty()
        memory.copy_(sent)  # the first copy also starts the driver
        there = self._seconds(lambda: memory.copy_(sent, non_blocking=True))
        back = self._seconds(lambda: received.copy_(memory, non_blocking=True))
        return bool(self._torch.equal(sent, received)), CHUNK / there / 1e9, CHUNK / back / 1e9

    def receive(self, other: int) -> tuple[bool, float]:
        """Return whether a copy from another GPU is intact, and GB/s."""
        sent = self._random()
        source = sent.to(self._torch.device("cuda", other))
        memory = self._empty()
        memory.copy_(source)
        memory.zero_()
        seconds = self._seconds(lambda: memory.copy_(source, non_blocking=True))
        return bool(self._torch.equal(memory.cpu(), sent)), CHUNK / seconds / 1e9


def has_code(architectures: Sequence[str], capability: tuple[int, int]) -> bool:
    """Return whether a build of PyTorch has code for GPUs of a compute capability: binary code of the same
    major and no later minor one, or PTX of no later one ("CUDA C++ Programming Guide", Application
    Compatibility). architectures: `sm_90`, `compute_90` for PTX."""
    for name in architectures:
        match = re.fullmatch(r"(sm|compute)_(\d+)(\d)([af]?)", name)
        if match is None:
            continue
        kind, major, minor, specific = match[1], int(match[2]), int(match[3]), match[4]
        if (major, minor) == capability:
            return True
        if specific or (major, minor) > capability:
            continue
        if kind == "compute" or major == capability[0]:
            return True
    return False


def main() -> None:
    """Test all GPUs that the container has, and print the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5)
    options = parser.parse_args()
    known = partitions(_listing()) if VISIBLE not in os.environ else []
    if known:
        report = of_partitions(known, options.minutes, _in_process)
        sys.stdout.write(f"{json.dumps(report)}\n")
        return
    # Not at the top: only the image of the test has it.
    torch: Any = importlib.import_module("torch")
    gpus = [TorchGpu(torch, index) for index in range(torch.cuda.device_count())]
    if not gpus:
        sys.exit("the container has no GPU that PyTorch can use")
    capability = torch.cuda.get_device_capability(0)
    if not has_code(torch.cuda.get_arch_list(), capability):
        # Each operation would fail, and a GPU without an error be reported as broken.
        sys.exit(
            f"the image's PyTorch (CUDA {torch.version.cuda}) has no code for the {gpus[0].model}, compute "
            f"capability {capability[0]}.{capability[1]}: name another image by --image"
        )
    sys.stdout.write(f"{json.dumps(run(gpus, options.minutes))}\n")


if __name__ == "__main__":
    main()
