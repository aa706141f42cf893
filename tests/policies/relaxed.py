"""What one profile leaves out, for the price of it, and a stricter one refuses: the policies by their ids."""

from __future__ import annotations

from typing import Final

DEV: Final = frozenset({"reliability.keep_backups"})
"""What dev's files do not keep, and staging's must."""
STAGING: Final = frozenset(
    {
        "data.recover_tables",
        "reliability.guard_deletion",
        "reliability.keep_last_backup",
        "reliability.keep_logs",
        "reliability.protect_data",
        "reliability.span_zones",
    }
)
"""What staging's files do not keep, and prod's must."""
GOOGLE: Final = frozenset({"supply_chain.admit_verified_images"})
"""And on Google Cloud."""
