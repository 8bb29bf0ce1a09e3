"""A headless Chromium, driven through chromedriver's own protocol (W3C WebDriver), and TensorBoard to look at."""

import base64
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

# Every element of a page, those in shadow trees and frames too.
DEEP = """
function* deep(root) {
  for (const e of root.querySelectorAll('*')) {
    yield e;
    if (e.shadowRoot) yield* deep(e.shadowRoot);
    if (e.contentDocument) yield* deep(e.contentDocument);
  }
}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def waited(what, found, seconds=100.0):
    """What `found()` gives once it is true. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while True:
        value = found()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {seconds:g} seconds")
        time.sleep(0.2)


class Browser:
    """One page."""

    def __init__(self, base, session):
        self._base = f"{base}/session/{session}"

    def _ask(self, path, body=None, method=None):
        return asked(f"{self._base}/{path}", body, method)

    def open(self, address):
        self._ask("url", {"url": address})

    def run(self, script, *args):
        """What a script returns; `deep(root)` in it goes through all elements."""
        return self._ask("execute/sync", {"script": DEEP + script, "args": list(args)})

    def text(self):
        """All text on the page."""
        return self.run(
            "return [...deep(document)].filter(e => e.checkVisibility && e.checkVisibility())"
            ".map(e => [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join(' '))"
            ".filter(t => t).join('\\n')"
        )

    def count(self, selector):
        """How many elements match, in shadow trees too."""
        return self.run("return [...deep(document)].filter(e => e.matches(arguments[0])).length", selector)

    def click(self, script, *args):
        """Click the element that a script returns."""
        element = self.run(script, *args)
        assert element is not None, f"nothing to click: {script}"
        self._ask(f"element/{element[ELEMENT]}/click", {})

    def picture(self, path):
        Path(path).write_bytes(base64.b64decode(self._ask("screenshot")))

    def log(self):
        """Messages of errors on the page."""
        return [m["message"] for m in self._ask("se/log", {"type": "browser"}) if m["level"] == "SEVERE"]


def asked(address, body=None, method=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=120) as reply:
        return json.load(reply)["value"]


@contextlib.contextmanager
def browser(width=1000, height=760):
    """A Browser with a window of that size."""
    port = free_port()
    driver = subprocess.Popen([DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    session = None
    try:
        waited("chromedriver", lambda: is_up(f"{base}/status"))
        arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--window-size={width},{height}"]
        arguments += [
            "--enable-unsafe-swiftshader",
            "--use-gl=angle",
            "--use-angle=swiftshader",
        ]  # the projector draws with WebGL
        options = {"binary": CHROMIUM, "args": arguments}
        told = {
            "capabilities": {"alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}
        }
        session = asked(f"{base}/session", told)["sessionId"]
        yield Browser(base, session)
    finally:
        if session is not None:
            with contextlib.suppress(OSError):
                asked(f"{base}/session/{session}", method="DELETE")
        driver.terminate()
        driver.wait(20)


def is_up(address):
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def board(logdir):
    """The address of a TensorBoard on `logdir`, started as `thalweg board` starts it."""
    command = [
        sys.executable,
        "-m",
        "thalweg",
        "board",
        str(logdir),
        "--port",
        str(free_port()),
        "--reload_interval",
        "1",
    ]
    started = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        cwd=Path(logdir).parent,
    )
    try:
        address = None
        for line in started.stdout:
            found = re.search(r"http://\S+:(\d+)/", line)
            if found:
                address = f"http://127.0.0.1:{found[1]}/"
                break
        assert address, "TensorBoard did not start"
        waited("TensorBoard", lambda: is_up(address + "data/environment"))
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, 15)
        started.wait(20)
        started.stdout.close()
