"""The Google APIs that the provider calls: their hosts, versions and the provider's own settings for them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Api:
    """One API.

    name, version: of its discovery document. path: the service path below the host, with the version
    (`compute/v1/`). setting: the middle of the provider's variable and property for another endpoint
    (`GOOGLE_KMS_CUSTOM_ENDPOINT`, `kmsCustomEndpoint`). host_of: the API on whose host it is, where it has
    none.
    """

    name: str
    version: str
    path: str
    setting: str
    host_of: str = ""

    @property
    def host(self) -> str:
        """Where Google serves it."""
        return f"{self.host_of or self.name}.googleapis.com"

    @property
    def variable(self) -> str:
        """The variable that names another endpoint."""
        return f"GOOGLE_{self.setting}_CUSTOM_ENDPOINT"

    @property
    def argument(self) -> str:
        """The provider's property that names another endpoint."""
        first, *rest = self.setting.lower().split("_")
        return first + "".join(word.capitalize() for word in rest) + "CustomEndpoint"

    @property
    def default(self) -> str:
        """Google's own endpoint."""
        return f"https://{self.host}/{self.path}"


APIS: Final = {
    name: Api(name, **{"path": f"{fields['version']}/", **fields})
    for name, fields in tomllib.loads(Path(__file__).with_suffix(".toml").read_text()).items()
}
"""By name. The real provider speaks the beta versions of compute and container, whose additions no stable
environment may use; the twin is held to the stable ones."""
