"""Python imports this before anything else in each of the server's processes, as it stands on its path.

Every connection to the database that has no password gets a fresh token of the workload identity as one
(SQLAlchemy documentation, "Generating dynamic authentication tokens").
"""
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import os

if os.environ.get("REGISTRY_CLOUD"):
    import registry_cloud
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "do_connect")
    def _sign_in(dialect, _record, _arguments, parameters):
        if dialect.name == "postgresql" and "password" not in parameters:
            parameters["password"] = registry_cloud.token(
                parameters["host"], int(parameters.get("port", 5432)), parameters["user"]
            )
