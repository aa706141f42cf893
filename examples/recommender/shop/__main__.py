"""Write clicks as files of JSON lines, one for each day: `python -m shop FOLDER --first-day 2026-11-02 --days 14`.

Prints the number of clicks. `--broken` of each file's lines are not valid, as those of a wrong client are.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from shop.events import Shop


def main(words: Sequence[str] | None = None) -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(prog="shop", description="Simulate clicks.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--first-day", required=True, help="the day 0, such as 2026-11-02")
    parser.add_argument("--day", type=int, default=0, help="the first day that is written")
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--count", type=int, default=50_000, help="clicks of all days")
    parser.add_argument(
        "--shift", type=float, default=0.0, help="share of users whose taste has changed, 0 to 1"
    )
    parser.add_argument("--broken", type=int, default=0, help="lines of a file that are not valid")
    parser.add_argument("--seed", type=int, default=Shop.seed)
    options = parser.parse_args(words)
    first = datetime.fromisoformat(options.first_day).replace(tzinfo=UTC)
    shop = Shop(seed=options.seed, first_day=first)
    options.folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for number in range(options.days):
        share = options.count // options.days + (options.count % options.days if number == 0 else 0)
        clicks = shop.clicks(options.day + number, share, options.shift)
        lines = [json.dumps(click) for click in clicks]
        lines += [
            json.dumps({**clicks[0], "event_id": f"broken-{place}", "price": "?"})
            for place in range(options.broken)
        ]
        (options.folder / f"day-{options.day + number:03d}.jsonl").write_text("\n".join(lines) + "\n")
        written += len(clicks)
    sys.stdout.write(f"{written}\n")


if __name__ == "__main__":
    main()
