"""The registry's databases, and a user of the server's own that may use these and no more.

A server that existed before the registry has other users and databases, too. There REGISTRY_PREFIX names the
registry, and a role or a database that could be another's ends the step before anything is changed.
"""
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import os
import sys

import registry_cloud

_MARK = "Model registry of "
_LEAST = 16
_ROLE = "SELECT rolcanlogin, rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = %s"
_BY_IAM = "SELECT pg_has_role(%s, 'rds_iam', 'USAGE')"
_DATABASE = (
    "SELECT pg_has_role(datdba, 'USAGE'), shobj_description(oid, 'pg_database'), "
    "datallowconn AND has_database_privilege(oid, 'CONNECT') FROM pg_database WHERE datname = %s"
)
_RIGHTS = (
    "SELECT has_database_privilege(%s, %s, 'CONNECT'), has_schema_privilege(%s, 'public', 'USAGE'), "
    "has_schema_privilege(%s, 'public', 'CREATE')"
)
# In all schemas. Not members of extensions, and not what superusers own: these are of the cloud alone
# (rdsadmin, cloudsqladmin).
_OWNERS = """
    SELECT DISTINCT owner.rolname
    FROM (
        SELECT 'pg_class'::regclass AS catalog, oid, relowner AS role, relnamespace AS space FROM pg_class
        UNION ALL SELECT 'pg_proc'::regclass, oid, proowner, pronamespace FROM pg_proc
    ) AS made
    JOIN pg_namespace ON pg_namespace.oid = made.space
    JOIN pg_roles AS owner ON owner.oid = made.role
    WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'
    AND NOT owner.rolsuper AND NOT EXISTS (
        SELECT FROM pg_depend WHERE classid = made.catalog AND objid = made.oid AND deptype = 'e'
    )
    ORDER BY 1
"""
# With the server's createrole_self_grant the master would inherit rds_iam by its new role, and its password
# would sign in no more. One statement for both: a role that is left without rds_iam could be another's.
_CREATE_ROLE = "SET createrole_self_grant = ''; CREATE ROLE {0} LOGIN IN ROLE rds_iam"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


class Server:
    """The server as its master sees it. master: psycopg2's arguments. mark: the comment of the databases in
    a server that existed, else empty."""

    def __init__(self, master: dict) -> None:
        self.master = master
        self.user = os.environ["REGISTRY_DATABASE_USER"]
        prefix = os.environ.get("REGISTRY_PREFIX")
        self.mark = f"{_MARK}{prefix}" if prefix else ""
        self.creates = os.environ.get("REGISTRY_CREATE_DATABASES") != "false"
        self.by_iam = registry_cloud.CLOUD == "aws"

    def set_up(self, names: list) -> None:
        """Create what is missing of user and databases, and give the user its rights."""
        there = {name: self._rows("postgres", _DATABASE, name) for name in names}
        role = self._rows("postgres", _ROLE, self.user)
        if self.mark:
            self._refuse_server()
            self._refuse_role(role)
            for name in names:
                self._refuse_database(name, there[name])
        self._create_role(role)
        for name in names:
            if not there[name]:
                self._run("postgres", "CREATE DATABASE {0}", name)
                _say(f"made the database {name}")
            self._grant(name)
        _say(f"{self.user} may use {', '.join(names)}")

    def _create_role(self, role: list) -> None:
        if role:
            if self.by_iam and not self._is_by_iam():
                # By it RDS lets the role in with tokens of IAM, and with no password any more.
                self._run("postgres", "GRANT rds_iam TO {0}", self.user)
        elif self.by_iam:
            self._run("postgres", _CREATE_ROLE, self.user)
            _say(f"made the role {self.user}")
        else:
            # Its API makes the users that sign in by IAM.
            raise SystemExit(
                f"the instance has no user {self.user}; expected that of the service account, which "
                "database.existing.create_user creates"
            )

    def _grant(self, name: str) -> None:
        # A database that its owner prepared may be of another role than this one, who grants nothing there.
        [(owned, comment, _)] = self._rows("postgres", _DATABASE, name)
        if owned:
            self._run("postgres", "REVOKE ALL ON DATABASE {0} FROM PUBLIC", name)
            self._run("postgres", "GRANT CONNECT ON DATABASE {0} TO {1}", name, self.user)
            self._run(name, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
            self._run(name, "GRANT USAGE, CREATE ON SCHEMA public TO {0}", self.user)
            if self.mark and comment is None:
                self._run("postgres", "COMMENT ON DATABASE {0} IS %s", name, values=(self.mark,))
        if not all(self._rows(name, _RIGHTS, self.user, name, self.user, self.user)[0]):
            raise SystemExit(
                f"{self.user} may not use the database {name}, of which {self.master['user']} is no owner; "
                f'expected its owner to run: GRANT CONNECT ON DATABASE {name} TO "{self.user}"; and in it: '
                f'GRANT USAGE, CREATE ON SCHEMA public TO "{self.user}"'
            )

    def _refuse_server(self) -> None:
        if self._rows("postgres", "SELECT pg_is_in_recovery()")[0][0]:
            raise SystemExit("the server is a replica, which accepts no writes; expected its primary")
        version = int(self._rows("postgres", "SHOW server_version_num")[0][0]) // 10000
        if version < _LEAST:
            raise SystemExit(f"the server is PostgreSQL {version}; expected {_LEAST} or later")

    def _refuse_role(self, role: list) -> None:
        """End where the user may be one that others use: rds_iam would end its password."""
        if self.user == self.master["user"]:
            raise SystemExit(f"{self.user} is the master; expected another database.existing.name")
        if not role:
            return
        [(signs_in, administers)] = role
        if not signs_in or administers or (self.by_iam and not self._is_by_iam()):
            raise SystemExit(
                f"the role {self.user} exists, and is none that signs in by IAM alone; expected LOGIN, "
                "neither CREATEDB nor CREATEROLE, and on AWS membership in rds_iam, or another "
                "database.existing.name"
            )

    def _refuse_database(self, name: str, database: list) -> None:
        """End where a database is another registry's, or has contents of another user."""
        if not database:
            if not self.creates:
                raise SystemExit(f"there is no database {name}; expected one, as create_databases is false")
            return
        [(_, comment, connects)] = database
        comment = comment or ""
        if comment.startswith(_MARK) and comment != self.mark:
            raise SystemExit(
                f"the database {name} has the comment {comment!r}, and this is {self.mark!r}; expected "
                "another database.existing.name"
            )
        if not connects:
            master = self.master["user"]
            raise SystemExit(
                f"{master} may not connect to the database {name}; expected its owner to run: GRANT CONNECT "
                f'ON DATABASE {name} TO "{master}"; or another database.existing.name'
            )
        others = [owner for (owner,) in self._rows(name, _OWNERS) if owner != self.user]
        if others:
            raise SystemExit(
                f"the database {name} has tables, views, sequences or functions of {', '.join(others)}; "
                f"expected another database.existing.name, or {self.user} as the owner of all "
                "(ALTER ... OWNER TO)"
            )

    def _is_by_iam(self) -> bool:
        return self._rows("postgres", _BY_IAM, self.user)[0][0]

    def _rows(self, database: str, query: str, *values) -> list:
        return self._run(database, query, values=values)

    def _run(self, database: str, statement: str, *names: str, values=()) -> list:
        """The rows of a statement; its {0} and {1} are names of roles and databases."""
        import psycopg2
        from psycopg2 import sql

        connection = psycopg2.connect(dbname=database, **self.master)
        connection.autocommit = True  # a database is made outside of transactions
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)), values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()
