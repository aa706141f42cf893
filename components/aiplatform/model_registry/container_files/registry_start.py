"""Starts the server: `python -m registry_start <arguments of mlflow server>`.

What is secret comes from the secret manager into this process and its children, and stands in no object of
Kubernetes.
"""
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import configparser
import os
import secrets
import sys
import tempfile
from pathlib import Path

import registry_cloud

SIGNING = "signing_key"
METRICS = "--expose-prometheus="


def configuration(database_uri: str) -> str:
    """MLflow's file of its accounts' settings, for this process alone."""
    settings = configparser.RawConfigParser()
    settings["mlflow"] = {
        # What an account created is its own; registry_isolation lets other accounts read it.
        "default_permission": "NO_PERMISSIONS",
        # MLflow reads the file with interpolation: a single % is an error there.
        "database_uri": database_uri.replace("%", "%%"),
        "admin_username": "admin",
        # The account is there already, with the password of the secret manager (registry_setup). Were it not,
        # it would be made with this one, which nobody knows.
        "admin_password": secrets.token_urlsafe(32),
        "authorization_function": "mlflow.server.auth:authenticate_request_basic_auth",
    }
    path = Path(tempfile.mkdtemp()) / "accounts.ini"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        settings.write(file)
    return str(path)


def clear_metrics(arguments: list) -> None:
    """Delete what an earlier server of this Pod counted: its processes may have had the same numbers."""
    for argument in arguments:
        if argument.startswith(METRICS):
            for file in Path(argument.removeprefix(METRICS)).glob("*.db"):
                file.unlink()


def main(arguments: list) -> None:
    """Become the server."""
    clear_metrics(arguments)
    secret = registry_cloud.read_secret(os.environ["REGISTRY_SERVER_SECRET"])
    if secret is None:
        raise SystemExit("the server's secret is empty: the step that sets up secrets has not run")
    os.environ["MLFLOW_FLASK_SERVER_SECRET_KEY"] = secret[SIGNING]
    os.environ["MLFLOW_AUTH_CONFIG_PATH"] = configuration(os.environ["REGISTRY_ACCOUNTS_URI"])
    command = [sys.executable, "-m", "mlflow", "server", *arguments]
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
