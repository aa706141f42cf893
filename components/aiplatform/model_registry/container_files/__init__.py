"""What runs inside MLflow's image: files that its containers are given in a ConfigMap.

They import what the image has (MLflow, SQLAlchemy, boto3, google-auth) and nothing of this package; the image
has nothing of ours. The server starts by `registry_start`, the steps before it by `registry_setup`, and
`registry_metrics` serves its metrics.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

FOLDER: Final = "/opt/registry"
"""Where the files stand in a container; it is on Python's path there."""

_MODULES: Final = (
    "registry_app.py",
    "registry_cloud.py",
    "registry_database.py",
    "registry_guard.py",
    "registry_isolation.py",
    "registry_metrics.py",
    "registry_routes.py",
    "registry_setup.py",
    "registry_start.py",
    "sitecustomize.py",
)
# MLflow finds an app by its entry point, and Python entry points of whatever stands on its path.
_DISTRIBUTION: Final = "ai_platform_registry-1.dist-info"
APP: Final = "ai-platform"
"""The app's name for `mlflow server --app-name`."""
_ENTRY_POINTS: Final = f"[mlflow.app]\n{APP} = registry_app:create_app\n"
_METADATA: Final = "Metadata-Version: 2.1\nName: ai-platform-registry\nVersion: 1\n"
CERTIFICATES: Final = "database-ca.pem"
"""What the database's certificate is verified by."""


def config_map(certificates: str) -> Mapping[str, str]:
    """The ConfigMap's data. certificates: those of the database's authority, PEM."""
    here = files(__name__)
    return {
        **{name: (here / name).read_text() for name in _MODULES},
        "METADATA": _METADATA,
        "entry_points.txt": _ENTRY_POINTS,
        CERTIFICATES: certificates,
    }


def paths() -> Mapping[str, str]:
    """A key of the ConfigMap -> where it stands under FOLDER."""
    return {
        **{name: name for name in (*_MODULES, CERTIFICATES)},
        "METADATA": f"{_DISTRIBUTION}/METADATA",
        "entry_points.txt": f"{_DISTRIBUTION}/entry_points.txt",
    }
