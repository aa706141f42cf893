"""The exemptions of the pack, whatever their date: `test_files_of_the_pack_are_valid_today` reads that."""

from __future__ import annotations

import datetime

from policies.framework.discovery import find
from policies.framework.enforcement import read_exemptions

EXEMPTIONS = read_exemptions(find(), datetime.date.min)
