"""What the program is configured with: variables of its Pod, and the file of the platform's ConfigMap."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE: Final = "/etc/llm-logger/logger.json"
"""The file by default."""
COLORS: Final = ("-blue", "-green")
"""Endings of the InferenceServices of a service."""


class RefusedError(Exception):
    """The configuration is wrong: starting again does not change it."""


class Service(BaseModel):
    """A service whose requests are logged. payloads: whether records have the texts, too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_size: Annotated[int, Field(ge=1, le=1000)] = 100
    batch_seconds: Annotated[int, Field(ge=1, le=600)] = 10
    payloads: bool = False


class Logged(BaseModel):
    """The file. refusals: openings of answers that are refusals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    services: Annotated[Mapping[str, Service], Field(min_length=1)]
    refusals: tuple[Annotated[str, Field(min_length=3, max_length=100)], ...] = ()

    def service(self, inference_service: str) -> Service | None:
        """Return the service of an InferenceService; None for one that is not logged."""
        for color in COLORS:
            if inference_service.endswith(color):
                return self.services.get(inference_service.removesuffix(color))
        return None


@dataclass(frozen=True)
class Configuration:
    """logs_uri: `s3://BUCKET/PREFIX` or `gs://BUCKET/PREFIX`. namespace: of the InferenceServices."""

    logged: Logged
    logs_uri: str
    namespace: str
    port: int
    metrics_port: int


def read() -> Configuration:
    """Return the configuration. Raises RefusedError for a wrong one."""
    file = Path(os.environ.get("LOGGER_FILE") or FILE)
    try:
        logged = Logged.model_validate(json.loads(file.read_text()))
    except (OSError, ValueError, ValidationError) as error:
        raise RefusedError(f"{file}: {error}; expected the ConfigMap of the platform") from error
    return Configuration(
        logged=logged,
        logs_uri=_variable("LOGS_URI"),
        namespace=_variable("NAMESPACE"),
        port=_port("PORT", 50051),
        metrics_port=_port("METRICS_PORT", 9090),
    )


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise RefusedError(f"{name}: missing; expected the variable of the platform's Deployment")
    return value


def _port(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise RefusedError(f"{name}: got {text!r}; expected a port")
    return int(text)
