"""Whether database and code belong together: asked before the site or its worker starts."""

from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connections
from django.db.migrations.executor import MigrationExecutor


class WrongDatabaseError(Exception):
    """The database and the code do not belong together; the message says what helps."""


def check_database() -> None:
    """Raise WrongDatabaseError unless the database's schema is that of this code."""
    connection = connections["default"]
    try:
        executor = MigrationExecutor(connection)
    except OperationalError as error:
        raise WrongDatabaseError(f"The database cannot be opened: {error}") from error
    graph, applied = executor.loader.graph, executor.loader.applied_migrations
    ours = {app for app, _ in graph.nodes}
    strange = sorted(
        f"{app}.{name}"
        for app, name in applied
        if app in ours and (app, name) not in graph.nodes and not executor.loader.replacements
    )
    if strange:
        raise WrongDatabaseError(
            f"The database is newer than this code (it has {strange[-1]}). Install the version that made it, "
            "or restore a backup from before."
        )
    if executor.migration_plan(graph.leaf_nodes()):
        raise WrongDatabaseError(
            "The database is older than this code. Make a backup, then run: python manage.py migrate"
        )


def refuse_wrong_database() -> None:
    """End this process with a sentence unless the database is right."""
    import django

    try:
        django.setup()
        check_database()
    except (WrongDatabaseError, ImproperlyConfigured) as reason:
        raise SystemExit(f"Picfusion does not start. {reason}") from reason
    finally:
        connections.close_all()
        if close_pool := getattr(connections["default"], "close_pool", None):
            close_pool()  # this process forks: its children must not share connections
