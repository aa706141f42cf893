"""The steps before the server: `python -m registry_setup database|secrets|accounts`. Each may be repeated."""
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import json
import os
import secrets
import sys

import registry_cloud
import registry_database
from registry_start import SIGNING

_MANAGED = "ai_platform_accounts"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def database() -> None:
    """The databases, and a user of the server's own that may use these and no more.

    Works as the database's master: on AWS by the password that RDS keeps and rotates in Secrets Manager, on
    Google Cloud by a token, as an account that Cloud SQL made a member of cloudsqlsuperuser.
    """
    registry_database.Server(_master()).set_up(os.environ["REGISTRY_DATABASES"].split(","))


def _master() -> dict:
    host, port = os.environ["REGISTRY_DATABASE_HOST"], int(os.environ["REGISTRY_DATABASE_PORT"])
    common = {
        "host": host,
        "port": port,
        "sslmode": os.environ["REGISTRY_DATABASE_SSL_MODE"],
        "sslrootcert": os.environ["REGISTRY_DATABASE_CA"],
        "connect_timeout": 30,
    }
    if registry_cloud.CLOUD == "gcp":
        user = os.environ["REGISTRY_MASTER_USER"]
        return {**common, "user": user, "password": registry_cloud.token(host, port, user)}
    try:
        kept = registry_cloud.read_secret(os.environ["REGISTRY_MASTER_SECRET"])
        if kept is None:
            raise SystemExit("the secret of the master has no value yet")
        return {**common, "user": kept["username"], "password": kept["password"]}
    except (KeyError, TypeError, ValueError):
        # Not the error itself: it may quote the secret.
        raise SystemExit("the secret of the master is no JSON with username and password") from None


def _accounts() -> dict:
    """Account -> its secret."""
    return json.loads(os.environ["REGISTRY_ACCOUNT_SECRETS"])


def make_secrets() -> None:
    """A password for each account that has none, and the key that signs the server's sessions."""
    server = os.environ["REGISTRY_SERVER_SECRET"]
    if registry_cloud.read_secret(server) is None:
        registry_cloud.write_secret(server, {SIGNING: secrets.token_urlsafe(48)})
        _say("made the server's signing key")
    for account, name in _accounts().items():
        if registry_cloud.read_secret(name) is None:
            password = secrets.token_urlsafe(32)
            registry_cloud.write_secret(name, {"username": account, "password": password})
            _say(f"made a password for {account}")


def accounts() -> None:
    """MLflow's accounts as they are declared: each with its secret's password, those that were declared once
    and are no more gone. Accounts that people made in MLflow stay as they are."""
    import sqlalchemy
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    uri = os.environ["REGISTRY_ACCOUNTS_URI"]
    store = SqlAlchemyStore()
    store.init_db(uri)
    table = sqlalchemy.Table(
        _MANAGED, sqlalchemy.MetaData(), sqlalchemy.Column("username", sqlalchemy.Text, primary_key=True)
    )
    engine = sqlalchemy.create_engine(uri)
    table.create(engine, checkfirst=True)
    with engine.connect() as connection:
        managed = set(connection.execute(sqlalchemy.select(table.c.username)).scalars())
    declared = _accounts()
    for account, name in declared.items():
        kept = registry_cloud.read_secret(name)
        if kept is None:
            raise SystemExit(f"the secret of {account} is empty: the step `secrets` has not run")
        if not store.has_user(account):
            store.create_user(account, kept["password"], is_admin=account == "admin")
            _say(f"made the account {account}")
        elif not store.authenticate_user(account, kept["password"]):
            store.update_user(account, password=kept["password"])
            _say(f"gave {account} the password of its secret")
    for account in sorted(managed - set(declared)):
        if store.has_user(account):
            store.delete_user(account)
            _say(f"removed the account {account}")
    with engine.begin() as connection:
        connection.execute(table.delete())
        connection.execute(table.insert(), [{"username": account} for account in declared])
    engine.dispose()


if __name__ == "__main__":
    {"database": database, "secrets": make_secrets, "accounts": accounts}[sys.argv[1]]()
