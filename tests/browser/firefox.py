"""Firefox, driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), which it speaks by itself.

Debian has no geckodriver, and playwright drives a Firefox of its own only.
"""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
ENTER = "\ue007"


class Firefox:
    """One window of a Firefox that runs; elements are named by CSS."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.number = socket, 0
        self.errors: list[str] = []  # what the console said was wrong
        self.command("session.new", capabilities={})
        self.command("session.subscribe", events=["log.entryAdded"])
        self.window = self.command("browsingContext.getTree")["contexts"][0]["context"]

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; AssertionError where it answers with an error."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv(timeout=60))
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] == "error":
                self.errors.append(str(answer["params"]["text"]))
            if answer.get("id") == self.number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def go(self, address: str) -> None:
        """Open an address and wait until it is loaded."""
        self.command("browsingContext.navigate", context=self.window, url=address, wait="complete")

    def run(self, expression: str) -> Any:
        """Evaluate JavaScript; the value, as JSON carries it."""
        result = self._evaluate(f"JSON.stringify({expression})")
        return json.loads(result["value"]) if result["type"] == "string" else None

    def _evaluate(self, expression: str) -> dict[str, Any]:
        target = {"context": self.window}
        answer = self.command("script.evaluate", expression=expression, target=target, awaitPromise=True)
        assert answer["type"] == "success", answer
        return answer["result"]

    def wait_for(self, expression: str, seconds: float = 30) -> Any:
        """Return the expression's value once it is true; AssertionError when it never is."""
        deadline = time.monotonic() + seconds
        while (value := self.run(f"({expression}) || null")) is None:
            assert time.monotonic() < deadline, f"waited in vain for {expression}"
            time.sleep(0.1)
        return value

    def size(self, width: int, height: int) -> None:
        """Give the window another size, in CSS pixels."""
        viewport = {"width": width, "height": height}
        self.command("browsingContext.setViewport", context=self.window, viewport=viewport)

    def _node(self, css: str) -> dict[str, Any]:
        self.wait_for(f"!!document.querySelector({json.dumps(css)})")
        return {"sharedId": self._evaluate(f"document.querySelector({json.dumps(css)})")["sharedId"]}

    def click(self, css: str) -> None:
        """Press the mouse in the middle of an element, as a person does."""
        origin = {"type": "element", "element": self._node(css)}
        self._evaluate(f"document.querySelector({json.dumps(css)}).scrollIntoView({{block: 'center'}})")
        steps = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        mouse = {"type": "pointer", "id": "mouse", "actions": steps}
        self.command("input.performActions", context=self.window, actions=[mouse])

    def type(self, text: str, css: str = "") -> None:
        """Type a text, into an element if one is named."""
        if css:
            self.click(css)
        steps = [{"type": kind, "value": character} for character in text for kind in ("keyDown", "keyUp")]
        keys = {"type": "key", "id": "keyboard", "actions": steps}
        self.command("input.performActions", context=self.window, actions=[keys])

    def choose_files(self, css: str, *files: Path) -> None:
        """Give files to a file field."""
        names = [str(file) for file in files]
        self.command("input.setFiles", context=self.window, element=self._node(css), files=names)


@contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """Start Firefox without a window, with a profile of its own in `folder`, and end it."""
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    assert path, "Firefox is not installed"
    command = [path, "--headless", "--no-remote", "--profile", str(folder), "--remote-debugging-port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stderr is not None
            address = next(match[1] for line in process.stderr if (match := LISTENS.search(line)))
            with connect(f"{address}/session", max_size=None) as socket:
                yield Firefox(socket)
        finally:
            process.terminate()
            process.communicate(timeout=30)
