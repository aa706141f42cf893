"""Serve on PORT, 8080 by default: `python -m serving`."""

from __future__ import annotations

import os

import uvicorn

from serving.app import create

if __name__ == "__main__":
    uvicorn.run(create(), host="0.0.0.0", port=int(os.environ.get("PORT", "8080")), access_log=False)  # noqa: S104
