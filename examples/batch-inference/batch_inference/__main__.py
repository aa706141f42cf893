r"""Predict for a table, in shards.

    python -m batch_inference shard --run R --shards 4 --table T --snapshot ID --columns a,b --key k \
        --release churn/3
    python -m batch_inference commit --run R --shards 4 --output P

Each shard writes its predictions to one object below CHECKPOINTS_URI with its final name, so that a shard
that runs again replaces the same rows. `commit` waits for the shards and appends all of them to the output
table in one snapshot: readers see the predictions of a run completely or not at all, and a second `commit` of
the run adds nothing.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from batch_inference import release, tables
from batch_inference.storage import Folder

POLL_SECONDS = 5
log = logging.getLogger("batch_inference")


def shard(options: argparse.Namespace, number: int) -> None:
    """Write the predictions of a shard."""
    columns = options.columns.split(",")
    rows = tables.rows(options.table, options.snapshot, [options.key, *columns], number, options.shards)
    version = f"{os.environ['RELEASES_URI']}/{os.environ['PLATFORM_TEAM']}/{options.release}"
    with tempfile.TemporaryDirectory() as folder:
        model = release.load(Folder(version), Path(folder))
        predicted = model.predict(rows.select(columns).to_pandas()) if len(rows) else np.zeros(0)
    result = pa.table(
        {
            options.key: rows[options.key],
            "probability": pa.array(np.asarray(predicted), pa.float64()),
            "release": pa.array([options.release] * len(rows), pa.string()),
        }
    )
    file = pa.BufferOutputStream()
    parquet.write_table(result, file)
    _staged(options.run).write(_name(number), file.getvalue().to_pybytes())
    log.info("shard %d of %d: %d rows", number, options.shards, len(rows))


def commit(options: argparse.Namespace) -> None:
    """Wait for all shards, and append their predictions to the table."""
    staged, names = _staged(options.run), [_name(number) for number in range(options.shards)]
    while missing := set(names) - set(staged.names()):
        log.info("waiting for %d of %d shards", len(missing), options.shards)
        time.sleep(POLL_SECONDS)
    parts = [parquet.read_table(pa.BufferReader(staged.read(name))) for name in names]
    done = tables.commit(options.output, options.run, parts)
    log.info("%d rows %s", sum(map(len, parts)), "committed" if done else "were committed before")


def _staged(run: str) -> Folder:
    return Folder(f"{os.environ['CHECKPOINTS_URI']}/{run}")


def _name(number: int) -> str:
    return f"shard-{number:05d}.parquet"


def main(words: Sequence[str] | None = None) -> None:
    """Run one of the two steps."""
    parser = argparse.ArgumentParser(prog="batch_inference", description="Predict for a table, in shards.")
    steps = parser.add_subparsers(dest="step", required=True)
    for name in ("shard", "commit"):
        step = steps.add_parser(name)
        step.add_argument("--run", required=True, help="name of the run, one for each set of predictions")
        step.add_argument("--shards", type=int, required=True)
        if name == "commit":
            step.add_argument("--output", required=True, help="the table to append to")
            continue
        step.add_argument("--table", required=True, help="database.table of the platform's catalog")
        step.add_argument("--snapshot", required=True, help="id or tag of the snapshot to read")
        step.add_argument("--columns", required=True, help="the model's columns, separated by commas")
        step.add_argument("--key", required=True, help="the column that identifies a row")
        step.add_argument("--release", required=True, help="MODEL/VERSION of the team's releases")
    options = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.step == "shard":
        shard(options, int(os.environ["JOB_COMPLETION_INDEX"]))
    else:
        commit(options)


if __name__ == "__main__":
    main()
