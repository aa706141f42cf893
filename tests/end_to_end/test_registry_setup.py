"""The step `database` of the model registry's setup in a PostgreSQL server that others use, too.

As the Job runs it, but for the address: the secret of the master comes from a server on loopback with Secrets
Manager's protocol, and PostgreSQL has no TLS. test_mlflow.py has both.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from aiplatform.model_registry import container_files
from tests.end_to_end import clients
from tests.end_to_end.postgres import Postgres

pytestmark = pytest.mark.end_to_end

MASTER: Final = "dba"
PASSWORD: Final = "hunter2-of-the-master"
SECRET: Final = "arn:aws:secretsmanager:us-west-2:111122223333:secret:rds!db-0a1b2c3d-AbCdEf"


class Secrets(ThreadingHTTPServer):
    """GetSecretValue of Secrets Manager. value: of the only secret."""

    value: str = json.dumps({"username": MASTER, "password": PASSWORD})

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Secrets  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
        body = json.dumps({"ARN": request["SecretId"], "SecretString": self.server.value}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A server whose master is none of the registry's, with the database of another application."""
    server = Postgres(Path(clients.run("mlflow", "installed", {})["packages"]))
    try:
        server.initialize(MASTER, PASSWORD)
        server.sql("CREATE DATABASE shop")
        server.sql("CREATE TABLE orders (id int)", database="shop")
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def secrets() -> Iterator[Secrets]:
    """The secret of the master."""
    server = Secrets()
    yield server
    server.shutdown()
    server.server_close()


class Setup:
    """Runs the step in the server."""

    def __init__(self, postgres: Postgres, secrets: Secrets) -> None:
        self.postgres = postgres
        self.secrets = secrets

    def __call__(
        self, name: str, *, prefix: str | None = "acme-dev", creates: bool = True
    ) -> tuple[int, str]:
        """Return the exit code and all output. prefix: None in a server that the registry created."""
        existing = (
            {}
            if prefix is None
            else {"REGISTRY_PREFIX": prefix, "REGISTRY_CREATE_DATABASES": str(creates).lower()}
        )
        variables = {
            **existing,
            "REGISTRY_CLOUD": "aws",
            "REGISTRY_MASTER_SECRET": SECRET,
            "REGISTRY_DATABASE_HOST": "127.0.0.1",
            "REGISTRY_DATABASE_PORT": str(self.postgres.port),
            "REGISTRY_DATABASE_USER": name,
            "REGISTRY_DATABASE_SSL_MODE": "disable",
            "REGISTRY_DATABASE_CA": "",
            "REGISTRY_DATABASES": f"{name},{name}_accounts",
            "PYTHONPATH": str(Path(container_files.__file__).parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_REGION": "us-west-2",
            "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.secrets.server_port}",
        }
        done = subprocess.run(
            [*clients.command("mlflow"), "python", "-m", "registry_setup", "database"],
            env=clients.environment("mlflow", variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        output = done.stdout + done.stderr
        assert PASSWORD not in output, "no log has the password"
        return done.returncode, output

    def refused(self, name: str, expected: str, **more: Any) -> None:
        """Assert that the step ends with this text, and has changed nothing."""
        before = self.inventory()
        code, output = self(name, **more)
        assert code == 1, output
        assert expected in output
        assert "Traceback" not in output
        assert self.inventory() == before

    def inventory(self) -> list[str]:
        """Return roles with their memberships, and databases with their permissions and comments."""
        return [
            self.postgres.sql(query)
            for query in (
                "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolcanlogin FROM pg_roles ORDER BY 1",
                "SELECT roleid::regrole, member::regrole FROM pg_auth_members ORDER BY 1, 2",
                "SELECT datname, datdba::regrole, datacl, shobj_description(oid, 'pg_database') "
                "FROM pg_database ORDER BY 1",
            )
        ]


@pytest.fixture(scope="module")
def setup(postgres: Postgres, secrets: Secrets) -> Setup:
    return Setup(postgres, secrets)


def test_databases_and_user_are_created_once_and_others_stay_as_they_are(setup: Setup) -> None:
    postgres = setup.postgres
    shop = "SELECT datacl, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'shop'"
    before = postgres.sql(shop)
    code, output = setup("models")
    assert code == 0, output
    assert "models may use models, models_accounts" in output
    assert postgres.sql("SELECT pg_has_role('models', 'rds_iam', 'USAGE')") == "t", "no password signs in"
    assert postgres.sql("SELECT has_database_privilege('models', 'models_accounts', 'CONNECT')") == "t"
    comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'models'"
    assert postgres.sql(comment) == "Model registry of acme-dev"
    assert postgres.sql(shop) == before
    again = setup.inventory()
    code, output = setup("models")
    assert (code, setup.inventory()) == (0, again), f"a Job may run again: {output}"
    code, output = setup("models", creates=False)
    assert (code, setup.inventory()) == (0, again), f"and with databases that exist: {output}"


def test_a_database_of_another_registry_is_refused(setup: Setup) -> None:
    assert setup("mine")[0] == 0
    setup.refused(
        "mine", "'Model registry of acme-dev', and this is 'Model registry of acme-prod'", prefix="acme-prod"
    )


@pytest.mark.parametrize(
    "contents",
    [
        "CREATE TABLE runs (id int)",
        "CREATE SCHEMA app; CREATE TABLE app.runs (id int)",
        "CREATE VIEW now AS SELECT 1",
        "CREATE SEQUENCE orders",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_a_database_with_anything_of_another_user_is_refused(setup: Setup, contents: str) -> None:
    setup.postgres.sql("DROP DATABASE IF EXISTS tracking", "DROP ROLE IF EXISTS tracker")
    setup.postgres.sql("CREATE ROLE tracker LOGIN", "CREATE DATABASE tracking OWNER tracker")
    setup.postgres.sql(f"GRANT tracker TO {MASTER}")
    setup.postgres.sql(f"SET ROLE tracker; {contents}", database="tracking")
    setup.refused("tracking", "the database tracking has tables, views, sequences or functions of tracker")


def test_extensions_and_what_is_the_clouds_own_are_no_application(setup: Setup) -> None:
    setup.postgres.sql(f"CREATE DATABASE equipped OWNER {MASTER}")
    setup.postgres.sql(
        "CREATE TABLE of_the_cloud (id int)",
        "CREATE EXTENSION vector",
        f"ALTER FUNCTION l2_distance(vector, vector) OWNER TO {MASTER}",
        database="equipped",
    )
    code, output = setup("equipped")
    assert code == 0, output


def test_a_database_to_which_the_master_may_not_connect_is_refused(setup: Setup) -> None:
    setup.postgres.sql("CREATE DATABASE private", "REVOKE CONNECT ON DATABASE private FROM PUBLIC")
    setup.refused("private", f'expected its owner to run: GRANT CONNECT ON DATABASE private TO "{MASTER}"')


def test_the_master_keeps_its_password_where_creators_inherit_from_new_roles(setup: Setup) -> None:
    setup.postgres.sql(f"ALTER ROLE {MASTER} SET createrole_self_grant = 'set, inherit'")
    try:
        code, output = setup("inherited")
    finally:
        setup.postgres.sql(f"ALTER ROLE {MASTER} RESET createrole_self_grant")
    assert code == 0, output
    assert setup.postgres.sql("SELECT pg_has_role('inherited', 'rds_iam', 'USAGE')") == "t"
    assert setup.postgres.sql(f"SELECT pg_has_role('{MASTER}', 'rds_iam', 'USAGE')") == "f", (
        "a member of rds_iam signs in by tokens alone"
    )


def test_databases_that_their_owner_prepared_are_used(setup: Setup) -> None:
    postgres = setup.postgres
    postgres.sql("CREATE ROLE prepared LOGIN IN ROLE rds_iam")
    for name in ("prepared", "prepared_accounts"):
        postgres.sql(f"CREATE DATABASE {name} OWNER prepared")
    code, output = setup("prepared", creates=False)
    assert code == 0, output
    owner = "SELECT datdba::regrole FROM pg_database WHERE datname = 'prepared'"
    assert postgres.sql(owner) == "prepared"


def test_data_of_a_registry_that_was_destroyed_are_kept(setup: Setup) -> None:
    assert setup("kept")[0] == 0
    insert = "SET ROLE kept; CREATE TABLE runs AS SELECT 7 AS id"
    setup.postgres.sql(insert, database="kept")
    code, output = setup("kept", creates=False)
    assert code == 0, output
    assert setup.postgres.sql("SELECT id FROM runs", database="kept") == "7"


def test_a_missing_database_is_not_created_where_the_settings_say_that_it_exists(setup: Setup) -> None:
    setup.refused("absent", "there is no database absent", creates=False)


def test_a_database_without_permissions_of_its_owner_is_reported(setup: Setup) -> None:
    setup.postgres.sql("CREATE ROLE closed LOGIN IN ROLE rds_iam")
    for name in ("closed", "closed_accounts"):
        setup.postgres.sql(f"CREATE DATABASE {name}")
    code, output = setup("closed")
    assert code == 1
    assert 'in it: GRANT USAGE, CREATE ON SCHEMA public TO "closed"' in output


@pytest.mark.parametrize("attributes", ["LOGIN PASSWORD 'x'", "NOLOGIN", "LOGIN CREATEDB IN ROLE rds_iam"])
def test_a_role_of_another_application_is_refused(setup: Setup, attributes: str) -> None:
    setup.postgres.sql("DROP ROLE IF EXISTS app", f"CREATE ROLE app {attributes}")
    setup.refused("app", "the role app exists, and is none that signs in by IAM alone")


def test_the_master_is_never_the_registrys_user(setup: Setup) -> None:
    setup.refused(MASTER, f"{MASTER} is the master")
    assert setup.postgres.sql(f"SELECT pg_has_role('{MASTER}', 'rds_iam', 'USAGE')") == "f", (
        "it would lose its password"
    )


@pytest.mark.parametrize("value", [PASSWORD, json.dumps({"user": MASTER}), json.dumps([PASSWORD])])
def test_a_secret_without_name_and_password_is_reported_and_not_quoted(setup: Setup, value: str) -> None:
    setup.secrets.value = value
    try:
        setup.refused("late", "the secret of the master is no JSON with username and password")
    finally:
        del setup.secrets.value


def test_a_server_that_the_registry_created_keeps_a_role_of_an_interrupted_step(setup: Setup) -> None:
    setup.postgres.sql("CREATE ROLE begun LOGIN")
    code, output = setup("begun", prefix=None)
    assert code == 0, output
    assert setup.postgres.sql("SELECT pg_has_role('begun', 'rds_iam', 'USAGE')") == "t"
    comment = "SELECT shobj_description(oid, 'pg_database') IS NULL FROM pg_database WHERE datname = 'begun'"
    assert setup.postgres.sql(comment) == "t", "all of its databases are the registry's"


def test_a_replica_is_refused(postgres: Postgres, secrets: Secrets) -> None:
    replica = Postgres(postgres.packages)
    try:
        replica.initialize(MASTER, PASSWORD)
        replica.become_replica()
        Setup(replica, secrets).refused("models", "the server is a replica")
    finally:
        replica.stop()
