"""An installed Firefox, driven over its own WebDriver BiDi: a web socket on this machine, and nothing to install."""

import base64
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 300.0  # seconds for one answer: a busy machine starts a browser slowly
PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "app.update.disabledForTesting": True,
}


def program() -> str | None:
    """The path of a Firefox; None where there is none."""
    return next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)


class Socket:
    """The client's side of a web socket (RFC 6455), as much of it as BiDi needs."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        assert parts.hostname is not None
        self.wire = socket.create_connection((parts.hostname, parts.port or 80), timeout=PATIENCE)
        self.held = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self.wire.sendall(
            f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self.held:
            self._more()
        answer, _, self.held = self.held.partition(b"\r\n\r\n")
        assert b" 101 " in answer.splitlines()[0], answer

    def _more(self) -> None:
        part = self.wire.recv(1 << 16)
        if not part:
            raise ConnectionError("Firefox has closed the connection")
        self.held += part

    def _take(self, count: int) -> bytes:
        while len(self.held) < count:
            self._more()
        taken, self.held = self.held[:count], self.held[count:]
        return taken

    def send(self, text: str, kind: int = 1) -> None:
        content = text.encode()
        size = len(content)
        length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0xFE, size)
        if size >= 1 << 16:
            length = struct.pack("!BQ", 0xFF, size)
        mask = os.urandom(4)
        self.wire.sendall(
            bytes([0x80 | kind]) + length + mask + bytes(byte ^ mask[k % 4] for k, byte in enumerate(content))
        )

    def receive(self) -> str:
        text = b""
        while True:
            first, size = self._take(2)
            if size & 127 >= 126:
                (size,) = (
                    struct.unpack("!H", self._take(2)) if size & 127 == 126 else struct.unpack("!Q", self._take(8))
                )
            content = self._take(size)
            if first & 15 == 9:  # a ping
                self.send(content.decode(), kind=10)
            elif first & 15 == 8:
                raise ConnectionError("Firefox has closed the connection")
            else:
                text += content
                if first & 0x80:
                    return text.decode()


class Firefox:
    """One tab, and what went wrong in it: script errors, and requests that leave this machine."""

    def __init__(self, address: str) -> None:
        self.socket = Socket(f"{address}/session")
        self.number = 0
        self.faults: list[str] = []
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self.tab = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def ask(self, method: str, **parameters: Any) -> Any:
        """The result of a command; what happens meanwhile is noted."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self.socket.receive())
            if said.get("id") == self.number:
                if said["type"] == "error":
                    raise RuntimeError(f"{method}: {said['error']}: {said['message']}")
                return said["result"]
            self._note(said.get("method"), said.get("params", {}))

    def _note(self, method: str | None, facts: dict[str, Any]) -> None:
        if method == "log.entryAdded" and facts["level"] == "error":
            self.faults.append(f"error: {facts['text']}")
        if method == "network.beforeRequestSent":
            url = facts["request"]["url"]
            if not url.startswith(("file:", "data:", "blob:", "about:", "resource:", "chrome:")):
                self.faults.append(f"foreign request: {url[:100]}")

    def open(self, page: Path) -> None:
        self.faults.clear()
        self.ask("browsingContext.navigate", context=self.tab, url=page.as_uri(), wait="complete")

    def evaluate(self, expression: str) -> Any:
        """What an expression is worth in the page, a promise when it is kept, as JSON."""
        made = self.ask(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then(JSON.stringify)",
            target={"context": self.tab},
            awaitPromise=True,
        )
        if made["type"] != "success":
            raise RuntimeError(made["exceptionDetails"]["text"])
        return json.loads(made["result"].get("value", "null"))

    def wait(self, condition: str) -> None:
        """Until a condition holds, asked at each frame."""
        look = f"() => ({condition}) ? end(true) : requestAnimationFrame(look)"
        self.evaluate(f"new Promise(end => {{ const look = {look}; look() }})")


@contextmanager
def running(folder: Path) -> Iterator[Firefox]:
    """A Firefox with a profile of its own in `folder`, until the block ends."""
    found = program()
    assert found is not None
    (folder / "user.js").write_text(
        "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items())
    )
    command = [found, "--headless", "--no-remote", "--profile", str(folder), "--remote-debugging-port", "0"]
    command += ["--width", "1280", "--height", "900"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        reader = threading.Thread(target=process.stderr.read, daemon=True)  # a full pipe would stop it
        try:
            said = (re.search(r"WebDriver BiDi listening on (ws://\S+)", line) for line in process.stderr)
            address = next(filter(None, said))
            reader.start()
            one = Firefox(address[1])
            try:
                yield one
            finally:
                one.socket.wire.close()
        finally:
            process.terminate()
            process.wait()
            if reader.ident is not None:
                reader.join(PATIENCE)
