"""An image is signed by its digest, with a login that no other user of the machine sees."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from cli.images import signing
from cli.output import CommandError
from tests.cli.images.programs import Programs

HOST = "111122223333.dkr.ecr.us-west-2.amazonaws.com"
REFERENCE = f"{HOST}/acme/app@sha256:{'a' * 64}"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path / "bin", monkeypatch)


def test_login_is_in_a_file_of_this_user_and_in_no_argument(programs: Programs) -> None:
    programs.add("cosign")
    signing.sign(REFERENCE, HOST, lambda _: "AWS:s3cret")
    [call] = programs.calls
    assert call["arguments"] == ["sign", "--yes", REFERENCE]
    auth = call["login"]["auths"][HOST]["auth"]
    assert (base64.b64decode(auth), call["mode"]) == (b"AWS:s3cret", 0o600)
    assert "s3cret" not in str(call["arguments"])
    assert "s3cret" not in str(call["environment"])
    assert not Path(call["environment"]["DOCKER_CONFIG"]).exists(), "deleted afterwards"


def test_key_of_a_key_management_service_signs_in_place_of_an_identity(programs: Programs) -> None:
    programs.add("cosign")
    key = "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k"
    signing.sign(REFERENCE, HOST, lambda _: "AWS:s3cret", key)
    assert programs.calls[0]["arguments"] == ["sign", "--yes", "--key", key, REFERENCE]


def test_machine_without_cosign_is_reported_before_a_build(programs: Programs) -> None:
    with pytest.raises(CommandError, match="cosign is not on PATH"):
        signing.refuse_without_cosign()
    programs.add("cosign", failing="sign")
    signing.refuse_without_cosign()
    with pytest.raises(CommandError, match=r"cosign did not sign .*The image is pushed"):
        signing.sign(REFERENCE, HOST, lambda _: "AWS:s3cret")
