"""Measure the bus bandwidth of a collective operation between GPUs, as nccl-tests does. Run by torchrun.

Bus bandwidth with n GPUs: bytes / seconds * 2 (n - 1) / n of an all-reduce, * (n - 1) / n of an all-gather.
It compares with the bandwidth of the network whatever n is (nccl-tests, doc/PERFORMANCE.md).
"""

import argparse
import importlib
import json
import os
import sys
import time
from typing import Any

WARMUP = 5
ITERATIONS = 20


def bus_bandwidth(collective: str, size: int, ranks: int, seconds: float) -> float:
    """Return GB/s (10^9 bytes)."""
    factor = (2 if collective == "all_reduce" else 1) * (ranks - 1) / ranks
    return size / seconds * factor / 1e9


def main() -> None:
    """Measure, and print the result as JSON in the process of rank 0."""
    # Not at the top: only the image of the test has it.
    torch: Any = importlib.import_module("torch")
    dist: Any = importlib.import_module("torch.distributed")
    parser = argparse.ArgumentParser()
    parser.add_argument("--collective", choices=["all_reduce", "all_gather"], default="all_reduce")
    parser.add_argument("--bytes", type=int, default=2**33)
    options = parser.parse_args()
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl")
    rank, ranks = dist.get_rank(), dist.get_world_size()
    count = options.bytes // 4 // ranks * ranks
    whole = torch.ones(count, dtype=torch.float32, device="cuda")
    part = torch.ones(count // ranks, dtype=torch.float32, device="cuda")
    sums = options.collective == "all_reduce"

    def operate() -> None:
        if sums:
            # No average: switches with NVLink SHARP compute sums only, and nccl-tests measures those.
            dist.all_reduce(whole, op=dist.ReduceOp.SUM)
        else:
            dist.all_gather_into_tensor(whole, part)

    operate()
    correct = bool((whole == (ranks if sums else 1)).all())
    # Sums of zeros stay zero however often they are added.
    whole.zero_()
    part.zero_()
    for _ in range(WARMUP):
        operate()
    torch.cuda.synchronize()
    dist.barrier()
    began = time.perf_counter()
    for _ in range(ITERATIONS):
        operate()
    torch.cuda.synchronize()
    seconds = (time.perf_counter() - began) / ITERATIONS
    if rank == 0:
        result = {
            "collective": options.collective,
            "bytes": count * 4,
            "ranks": ranks,
            "bus_bandwidth_gb_per_second": round(
                bus_bandwidth(options.collective, count * 4, ranks, seconds), 1
            ),
            "correct": correct,
        }
        sys.stdout.write(f"{json.dumps(result)}\n")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
