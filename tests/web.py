"""A web server on this machine's own loopback, for the tests of downloads: real HTTP, no network."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SILENT = object()  # a page that does not answer for ten seconds


class Site:
    """`pages` maps a path to its bytes; `cut` paths promise twice as much as they send; `asked` records requests."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.pages: dict[str, bytes | object] = {}
        self.cut: set[str] = set()
        self.asked: list[str] = []
        self.over = threading.Event()


@contextmanager
def serving() -> Iterator[Site]:
    """Yield a Site that answers until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            page = site.pages.get(self.path)
            if page is SILENT:
                site.over.wait(10)
                self.close_connection = True
            elif isinstance(page, bytes):
                self.send_response(200)
                self.send_header("Content-Length", str(len(page) * (2 if self.path in site.cut else 1)))
                self.end_headers()
                self.wfile.write(page)
            else:
                self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Site(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            site.over.set()
            server.shutdown()
            thread.join()
