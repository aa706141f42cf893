"""The policies, by id, that the environments of one profile violate and a stricter profile enforces."""

from __future__ import annotations

from typing import Final

DEV: Final = frozenset({"reliability.keep_backups"})
"""What dev omits for its cost, and staging requires."""
STAGING: Final = frozenset(
    {
        "data.enable_point_in_time_recovery",
        "reliability.enable_deletion_protection",
        "reliability.keep_last_backup",
        "reliability.keep_logs",
        "reliability.protect_data",
        "reliability.span_zones",
    }
)
"""What staging omits for its cost, and prod requires."""
GOOGLE: Final = frozenset({"supply_chain.admit_verified_images"})
"""The same, only on Google Cloud."""
