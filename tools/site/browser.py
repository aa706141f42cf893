"""Look at the built site in headless Chromium: `make docs-check`.

    python -m tools.site.browser [--pictures FOLDER] [PAGE...]

Each page of the site, or each PAGE (`twin/`), is opened in the width of a desktop and of a phone. Reported
are messages of errors in the browser's console, requests to another host, pages that are wider than the
window, and texts that are wider than their box of a diagram. The exit code is 1 where there is one.
--pictures writes a picture of each page.

The site is served from a folder, on loopback; Chromium is `chromium`, `google-chrome` or CHROMIUM on PATH.
"""

from __future__ import annotations

import argparse
import base64
import functools
import http.client
import http.server
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import websocket

from tools.site.links import ROOT

SITE: Final = ROOT / "site"
SIZES: Final = {"desktop": (1440, 900), "phone": (390, 844)}
_TIMEOUT: Final = 60
_HIGHEST: Final = 6000
"""Pixels of a page that a picture shows."""
_LAYOUT: Final = """JSON.stringify({
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  high: document.documentElement.scrollHeight,
  texts: [...document.querySelectorAll('.diagram text')].filter((text) =>
    text.getBBox().width > text.parentNode.querySelector('rect').getBBox().width,
  ).map((text) => text.textContent),
})"""


class Tab:
    """A tab of the browser, by the DevTools protocol."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, timeout=_TIMEOUT, suppress_origin=True)
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method and return its result; events that arrive meanwhile are kept."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def wait_for(self, event: str) -> None:
        """Wait until an event has arrived."""
        while not any(message.get("method") == event for message in self.events):
            self.events.append(json.loads(self._socket.recv()))


def problems(tab: Tab, origin: str, page: str, pictures: Path | None) -> Iterator[str]:
    """Open a page and yield what is wrong with it, in a window of each size.

    pictures: the folder for a picture of each size; None for no pictures.
    """
    tab.events.clear()
    for number, (size, (width, height)) in enumerate(SIZES.items()):
        window = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        tab.call("Emulation.setDeviceMetricsOverride", **window)
        if number == 0:
            tab.call("Page.navigate", url=f"{origin}/{page}")
            tab.wait_for("Page.loadEventFired")
        layout = json.loads(tab.call("Runtime.evaluate", expression=_LAYOUT)["result"]["value"])
        if layout["wide"] > 0:
            yield f"{size}: is {layout['wide']} pixels wider than the window"
        yield from (f"{size}: the diagram's text {text!r} is wider than its box" for text in layout["texts"])
        if pictures:
            name = f"{page.strip('/').replace('/', '-') or 'index'}-{size}.png"
            clip = {"x": 0, "y": 0, "width": width, "height": min(layout["high"], _HIGHEST), "scale": 1}
            shot = tab.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
            pictures.mkdir(parents=True, exist_ok=True)
            (pictures / name).write_bytes(base64.b64decode(shot["data"]))
    yield from _messages(tab.events)
    yield from _foreign(tab.events, origin)


def _messages(events: list[dict[str, Any]]) -> Iterator[str]:
    for event in events:
        parameters = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            yield f"an exception: {parameters['exceptionDetails']['text']}"
        elif event.get("method") == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
            yield f"the console: {[value.get('value') for value in parameters['args']]}"
        elif event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            yield f"the log: {parameters['entry']['text']} {parameters['entry'].get('url', '')}"


def _foreign(events: list[dict[str, Any]], origin: str) -> Iterator[str]:
    for event in events:
        if event.get("method") == "Network.requestWillBeSent":
            url = event["params"]["request"]["url"]
            if not url.startswith((f"{origin}/", "data:", "blob:")):
                yield f"requests {url}"


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback and yield its origin."""
    handler = functools.partial(_Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def browser() -> Iterator[Tab]:
    """Start Chromium with a new profile, and yield a tab."""
    names = (os.environ.get("CHROMIUM") or "chromium", "google-chrome", "chromium-browser")
    program = next((path for name in names if (path := shutil.which(name))), None)
    if program is None:
        raise SystemExit(
            "docs-check: Chromium is not on PATH; expected `chromium`, `google-chrome` or CHROMIUM"
        )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        options += ["--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")  # Chromium refuses to start as root with it
        process = subprocess.Popen([program, *options, "about:blank"], stderr=subprocess.PIPE, text=True)
        try:
            yield _tab(process)
        finally:
            process.terminate()
            process.wait(_TIMEOUT)


def _tab(process: subprocess.Popen[str]) -> Tab:
    for line in process.stderr or ():
        listening = re.search(r"DevTools listening on ws://([^/]+)/", line)
        if listening:
            # Else the browser would wait once the pipe is full.
            threading.Thread(target=lambda: [*(process.stderr or ())], daemon=True).start()
            return _first_page(listening[1])
    raise RuntimeError("Chromium ended before it listened")


def _first_page(address: str) -> Tab:
    connection = http.client.HTTPConnection(address, timeout=_TIMEOUT)
    connection.request("GET", "/json")
    targets = json.loads(connection.getresponse().read())
    tab = Tab(next(target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page"))
    for domain in ("Page", "Runtime", "Log", "Network"):
        tab.call(f"{domain}.enable")
    return tab


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=Path, help="write a picture of each page into this folder")
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="a page's path on the site, such as twin/")
    chosen = parser.parse_args(arguments)
    pages = chosen.pages or sorted(
        f"{file.parent.relative_to(SITE)}/".removeprefix("./") for file in SITE.rglob("index.html")
    )
    count = 0
    with served(SITE) as origin, browser() as tab:
        for page in pages:
            for problem in problems(tab, origin, page, chosen.pictures):
                sys.stdout.write(f"{page or '/'}: {problem}\n")
                count += 1
    sys.stdout.write(f"{len(pages)} pages, {count} problems\n")
    return 1 if count or not pages else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
