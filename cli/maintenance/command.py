"""The commands that maintain nodes, registered with the application."""

from __future__ import annotations

import typer

from cli.maintenance import gpu_check
from cli.maintenance.drain import drain

PANEL = "Nodes"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PANEL)(drain)
    app.add_typer(gpu_check.app, rich_help_panel=PANEL)
