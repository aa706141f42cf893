"""OCI image layouts: one image, whose blobs are there and are what their digests say."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from cli.images.layouts import Layout, layout_at
from cli.output import CommandError
from tests.cli.images.oci_layouts import archive, write


def test_archive_is_read_as_a_folder_is(tmp_path: Path) -> None:
    digest = write(tmp_path / "layout")
    with layout_at(archive(tmp_path / "layout", tmp_path / "image.tar")) as layout:
        assert layout.manifest.digest == digest
        assert all(layout.blob(blob).is_file() for blob, _ in layout.manifest.blobs)


def test_changed_blob_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    layout = Layout(tmp_path)
    (blob, _), *_ = layout.manifest.blobs
    layout.blob(blob).write_bytes(b"another")
    with pytest.raises(CommandError, match="its content has sha256:"), layout.opened(blob):
        pass


def test_missing_blob_and_changed_manifest_are_refused(tmp_path: Path) -> None:
    digest = write(tmp_path)
    layout = Layout(tmp_path)
    (blob, _), *_ = layout.manifest.blobs
    layout.blob(blob).unlink()
    with pytest.raises(CommandError, match="missing; expected all blobs"):
        layout.blob(blob)
    layout.blob(digest).write_bytes(b"{}")
    with pytest.raises(CommandError, match="its content has"):
        Layout(tmp_path)


def test_layout_with_two_images_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    index = json.loads((tmp_path / "index.json").read_text())
    index["manifests"].append({**index["manifests"][0], "digest": f"sha256:{'0' * 64}"})
    (tmp_path / "index.json").write_text(json.dumps(index))
    with pytest.raises(CommandError, match="has 2 images; expected a layout with one"):
        Layout(tmp_path)


def test_image_of_another_kind_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    index = json.loads((tmp_path / "index.json").read_text())
    index["manifests"][0]["mediaType"] = "application/vnd.cncf.helm.chart"
    (tmp_path / "index.json").write_text(json.dumps(index))
    with pytest.raises(CommandError, match="expected an image or an index of images"):
        Layout(tmp_path)


def test_what_is_no_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="missing; expected an OCI image layout"), layout_at(tmp_path):
        pass
    with pytest.raises(CommandError, match="no such file"), layout_at(tmp_path / "absent"):
        pass
    (tmp_path / "text").write_text("no archive")
    with (
        pytest.raises(CommandError, match="expected an OCI image layout as a tar"),
        layout_at(tmp_path / "text"),
    ):
        pass


def test_archive_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with tarfile.open(tmp_path / "image.tar", "w") as files:
        files.add(tmp_path / "file", "../outside")
    with pytest.raises(CommandError, match="outside the destination"), layout_at(tmp_path / "image.tar"):
        pass
