"""What all tests share: the repository's root, no network, and one browser."""

import gc
import os
import signal
import socket
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import browsers
import pytest

from tests import warm  # xdist's own process reads this, too, while all others wait: nothing heavy stands here


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Keep bytes and addresses out of the names of tests: pytest's workers must all collect the same."""
    return argname if isinstance(val, bytes) or (isinstance(val, str) and " at 0x" in val) else None


def pytest_configure() -> None:
    """Hear Ctrl-C: a shell's background job, as the tests may be, is born deaf to it, and so are its children."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()  # what is imported and collected stays: to look through it again and again takes seconds


@pytest.hookimpl(tryfirst=True)  # before xdist's own process, which collects nothing, goes into its loop
def pytest_runtestloop() -> None:
    """Look for garbage again, but not among what has been imported and collected."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each worker its share of the long tests, and let it begin with them: none runs while all others wait.

    Every second worker begins at their other end, lest all should wait for the one server of warm processes.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long, short = (
        [item for item in items if (item.get_closest_marker("long") is not None) == wanted] for wanted in (True, False)
    )
    bounds = [len(short) * k // workers for k in range(workers + 1)]  # neighbours stay together: they share fixtures
    items[:] = [
        item
        for k, (start, end) in enumerate(pairwise(bounds))
        for item in [*long[k::workers][:: (-1) ** k], *short[start:end]]
    ]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root folder."""
    return Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuse every connection that leaves this machine: no test may need one."""
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"a test tried to reach {address[0]}; tests use no network")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", local_only)
        yield


@pytest.fixture(params=["float64", "meta"])
def defaults(request: pytest.FixtureRequest) -> Iterator[None]:
    """A reader who has changed torch's defaults: numbers of another width, or another device."""
    import torch

    if request.param == "float64":
        torch.set_default_dtype(torch.float64)
    else:
        torch.set_default_device("meta")  # stands for a GPU: what is made there by mistake has no values
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the package as its wheel installs it."""
    from tests import outside

    return outside.installed(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def warm_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where to ask for a process that has the heavy libraries imported: all workers share one server."""
    folder = tmp_path_factory.getbasetemp()
    with warm.server(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) as path:
        yield path


@pytest.fixture
def warm_kernel(warm_socket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel `python3` is such a process."""
    warm.write_kernel(warm_socket, tmp_path / "jupyter", "python3")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium as the machine has it; skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = browsers.chromium()
    if chromium is None:
        pytest.skip(f"no Chromium on this machine (Debian, Ubuntu: {browsers.REMEDY})")
    arguments = [*browsers.ARGUMENTS, "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        instance = driver.chromium.launch(executable_path=chromium, args=arguments)
        yield instance
        instance.close()


@pytest.fixture(scope="session")
def tab(browser: Any) -> Iterator[Any]:
    """A page of the browser in which one page of the book is opened after another."""
    context = browser.new_context()
    yield context.new_page()
    context.close()
