"""Objects of Cloud Storage as members with roles on a bucket, or on a managed folder in it, use them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from googleapiclient.http import MediaIoBaseUpload

from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp.api_servers import PROJECT, client, refused

BUCKET = "acme-releases"
CREATOR, VIEWER, USER = (f"roles/storage.object{word}" for word in ("Creator", "Viewer", "User"))
WRITER = "user:promoter@example.com"
TEAM = "user:team@example.com"


@pytest.fixture
def storage(google: ApiServer) -> ApiServer:
    """A bucket with uniform access, in which one member creates and reads objects, and another uses a
    folder."""
    service = client(google, "storage")
    uniform = {"uniformBucketLevelAccess": {"enabled": True}}
    body: dict[str, Any] = {"name": BUCKET, "location": "US-CENTRAL1", "iamConfiguration": uniform}
    service.buckets().insert(project=PROJECT, body=body).execute()
    bindings = [{"role": role, "members": [WRITER]} for role in (CREATOR, VIEWER)]
    service.buckets().setIamPolicy(bucket=BUCKET, body={"bindings": bindings}).execute()
    folders = service.managedFolders()
    folders.insert(bucket=BUCKET, body={"name": "team/"}).execute()
    bindings = [{"role": USER, "members": [TEAM]}]
    folders.setIamPolicy(bucket=BUCKET, managedFolder="team/", body={"bindings": bindings}).execute()
    return google


def _objects(server: ApiServer, member: str) -> Any:
    return client(server, "storage", token=server.identity.token(member)).objects()


def _insert(server: ApiServer, member: str, name: str, content: bytes = b"1", **more: Any) -> Any:
    media = MediaIoBaseUpload(io.BytesIO(content), "text/plain", resumable=False)
    # The name in the metadata, as google-cloud-storage states it.
    return _objects(server, member).insert(bucket=BUCKET, body={"name": name}, media_body=media, **more)


def test_a_creator_replaces_no_object(storage: ApiServer) -> None:
    _insert(storage, WRITER, "a").execute()
    error = refused(_insert(storage, WRITER, "a", b"2"))
    assert error.code == 403
    assert "storage.objects.delete" in error.message
    assert refused(_insert(storage, WRITER, "a", b"2", ifGenerationMatch=0)).code == 412


def test_a_creator_deletes_no_object(storage: ApiServer) -> None:
    _insert(storage, WRITER, "b").execute()
    assert refused(_objects(storage, WRITER).delete(bucket=BUCKET, object="b")).code == 403


def test_a_copy_over_an_object_needs_its_deletion(storage: ApiServer) -> None:
    for name in ("c", "d"):
        _insert(storage, WRITER, name).execute()
    copy = {"sourceBucket": BUCKET, "sourceObject": "c", "destinationBucket": BUCKET, "body": {}}
    objects = _objects(storage, WRITER)
    assert refused(objects.rewrite(**copy, destinationObject="d")).code == 403
    objects.rewrite(**copy, destinationObject="e").execute()


def test_a_member_of_a_folder_uses_and_lists_what_is_below_it(storage: ApiServer) -> None:
    _insert(storage, TEAM, "team/1").execute()
    _insert(storage, TEAM, "team/1", b"2").execute()
    page = _objects(storage, TEAM).list(bucket=BUCKET, prefix="team/").execute()
    assert [object_["name"] for object_ in page["items"]] == ["team/1"]


@pytest.mark.parametrize("name", ["other/1", "team-b/1", "team"])
def test_a_member_of_a_folder_has_nothing_outside_it(storage: ApiServer, name: str) -> None:
    _insert(storage, WRITER, name).execute()
    assert refused(_insert(storage, TEAM, name)).code == 403
    assert refused(_objects(storage, TEAM).get(bucket=BUCKET, object=name)).code == 403


@pytest.mark.parametrize("prefix", [None, "", "te", "team", "other/"])
def test_a_member_of_a_folder_lists_nothing_outside_it(storage: ApiServer, prefix: str | None) -> None:
    more = {} if prefix is None else {"prefix": prefix}
    assert refused(_objects(storage, TEAM).list(bucket=BUCKET, **more)).code == 403
