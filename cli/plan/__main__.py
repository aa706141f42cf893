"""`python -m cli.plan`: the commands of `aiplatform plan` with nothing installed but the group `plan`.

For deployments, where neither the twin nor what it needs is installed.
"""

import sys

from cli.output import CommandError, note
from cli.plan.command import app


def main() -> int:
    """Run the command line. Prints errors that the user can act on as one message, without a traceback."""
    try:
        app(prog_name="aiplatform plan")
    except CommandError as error:
        note(f"error: {error}")
        return error.code
    except (FileNotFoundError, PermissionError) as error:
        note(f"error: {error.filename}: {error.strerror}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
