"""Objects below a URI of S3 or Cloud Storage, with the identity of this process.

Each example that needs it has this file, so that its folder can be copied; the copies are equal.
"""

from __future__ import annotations

import os
from typing import Any

from pyarrow import fs


class Folder:
    """The objects below a URI: `s3://` (needs AWS_REGION), `gs://` or `file://`."""

    def __init__(self, uri: str) -> None:
        scheme, _, self._path = uri.rstrip("/").partition("://")
        self.uri = uri
        self._system: Any
        if scheme == "s3":
            # By its URI, the file system also reads AWS_ENDPOINT_URL.
            region = os.environ["AWS_REGION"]
            self._system, self._path = fs.FileSystem.from_uri(f"s3://{self._path}?region={region}")
        elif scheme == "gs":
            self._system = fs.GcsFileSystem()
        elif scheme == "file":
            self._system = fs.LocalFileSystem()
        else:
            raise ValueError(f"{uri}: unknown scheme; expected s3, gs or file")

    def read(self, name: str) -> bytes:
        """Return an object. Raises FileNotFoundError."""
        with self._system.open_input_stream(f"{self._path}/{name}") as file:
            return file.read()

    def write(self, name: str, data: bytes) -> None:
        """Write an object with its final name: readers see all of it or nothing."""
        path = f"{self._path}/{name}"
        if isinstance(self._system, fs.LocalFileSystem):
            self._system.create_dir(path.rpartition("/")[0])
        with self._system.open_output_stream(path) as file:
            file.write(data)

    def folders(self) -> list[str]:
        """Return the names below the URI that have objects below them."""
        return self._names(fs.FileType.Directory)

    def names(self) -> list[str]:
        """Return the names of the objects directly below the URI."""
        return self._names(fs.FileType.File)

    def _names(self, kind: fs.FileType) -> list[str]:
        entries = self._system.get_file_info(fs.FileSelector(self._path, allow_not_found=True))
        return [entry.base_name for entry in entries if entry.type == kind]
