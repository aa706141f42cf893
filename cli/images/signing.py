"""Sign a pushed image by cosign."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cli.output import CommandError

if TYPE_CHECKING:
    from cli.images.registry import Credentials


def refuse_without_cosign() -> None:
    """Raise CommandError where cosign is not on PATH: before a build, not after it."""
    if shutil.which("cosign") is None:
        raise CommandError("--sign: cosign is not on PATH; expected cosign 3")


def sign(reference: str, host: str, credentials: Credentials, key: str = "") -> None:
    """Sign an image. reference: with its digest; a signature of a tag would be one of whatever it has then.

    key: of a key management service, `awskms:///arn:...` or `gcpkms://projects/...`; empty: by an identity
    token of this machine (OpenID Connect), as jobs of GitHub have one. The login is in a file that only this
    user reads, and is deleted: arguments of a process are visible to every user of a machine.
    """
    with TemporaryDirectory() as folder:
        login = base64.b64encode(credentials(host).encode()).decode()
        config = Path(folder, "config.json")
        config.touch(mode=0o600)
        config.write_text(json.dumps({"auths": {host: {"auth": login}}}))
        command = ["cosign", "sign", "--yes", *(["--key", key] if key else []), reference]
        variables = {**os.environ, "DOCKER_CONFIG": folder}
        if subprocess.run(command, env=variables, stdout=2, check=False).returncode != 0:
            raise CommandError(f"cosign did not sign {reference}; see above. The image is pushed")
