"""List the routes of MLflow's server that change something: {"folder": a scratch folder} on stdin.

Prints {"flask": endpoint -> its methods and paths, "native": methods and paths that FastAPI serves itself}.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAFE = {"GET", "HEAD", "OPTIONS"}


def native(routes: Any, prefix: str = "") -> Iterator[str]:
    """Yield the routes of FastAPI. Newer releases represent an included router as one route."""
    for route in routes:
        router = getattr(route, "original_router", None)
        if router is not None:
            yield from native(router.routes, prefix + route.include_context.prefix)
        for method in set(getattr(route, "methods", None) or ()) - SAFE:
            yield f"{method} {prefix}{route.path}"


def main() -> None:
    """Build the server's app as uvicorn does, and list its routes."""
    folder = Path(json.load(sys.stdin)["folder"])
    settings = folder / "accounts.ini"
    settings.write_text(
        "[mlflow]\ndefault_permission = READ\nadmin_username = admin\nadmin_password = nobody-knows-it\n"
        f"database_uri = sqlite:///{folder}/accounts.db\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    os.environ["MLFLOW_AUTH_CONFIG_PATH"] = str(settings)
    os.environ["MLFLOW_FLASK_SERVER_SECRET_KEY"] = "signs nothing"
    os.environ["_MLFLOW_SGI_NAME"] = "uvicorn"
    from mlflow.server import app, auth

    served = auth.create_app(app)
    flask: dict[str, list[str]] = defaultdict(list)
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - SAFE):
            flask[rule.endpoint].append(f"{method} {rule.rule}")
    sys.stdout.write("\n")
    json.dump({"flask": flask, "native": sorted(native(served.routes))}, sys.stdout)


if __name__ == "__main__":
    main()
