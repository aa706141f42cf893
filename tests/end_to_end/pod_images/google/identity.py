"""Print project and account of the credentials that Google's library finds without configuration."""

from __future__ import annotations

import sys
from typing import Any

import google.auth
from google.auth.transport.requests import Request

credentials: Any
credentials, project = google.auth.default()
credentials.refresh(Request())
sys.stdout.write(f"{project}\n{credentials.service_account_email}\n")
