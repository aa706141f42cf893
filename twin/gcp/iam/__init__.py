"""IAM as the API server evaluates it: identities, policies; resources are in services/iam."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PERMISSIONS: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("permissions.toml").read_text()
)
"""What permissions are called otherwise than the methods and the resources that they are for."""
