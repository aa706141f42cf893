"""The program of the image.

python -m ingestion serve               the function: on Lambda where its runtime API is, else a server on PORT
python -m ingestion files FOLDER KEY...  registers files of a folder that has the keys of raw; prints JSON
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pyarrow import fs

from ingestion import handlers


def main(words: Sequence[str] | None = None) -> None:
    """Run a command."""
    parser = argparse.ArgumentParser(prog="ingestion", description="Register records of files.")
    commands = parser.add_subparsers(required=True, dest="command")
    commands.add_parser("serve", help="handle events")
    files = commands.add_parser("files", help="register files of a folder")
    files.add_argument("folder", type=Path, help="what stands for the bucket of raw")
    files.add_argument("keys", nargs="+", help="files/incoming/clicks/1.jsonl and its like")
    options = parser.parse_args(words)
    if options.command == "serve":
        _serve()
        return
    gate, system = handlers.of_variables(), fs.LocalFileSystem()
    results = {key: asdict(gate.register(system, str(options.folder), key)) for key in options.keys}
    sys.stdout.write(json.dumps(results) + "\n")


def _serve() -> None:
    """Become the server of the cloud that runs the image."""
    if "AWS_LAMBDA_RUNTIME_API" in os.environ:
        words = ["awslambdaric", "ingestion.handlers.aws"]
    else:
        words = ["functions_framework", "--target=gcp", f"--source={handlers.__file__}"]
        words.append(f"--port={os.environ.get('PORT', '8080')}")
    os.execv(sys.executable, [sys.executable, "-m", *words])  # noqa: S606 - the server of the image


if __name__ == "__main__":
    main()
