"""Python processes that begin with the heavy libraries imported: a server has imported them, and forks.

A chapter's kernel imports for five seconds before it begins, and there are as many kernels as chapters. The server
imports nothing of ours, so what a process is given by its PYTHONPATH is what it runs.

    python tests/warm.py SOCKET                    serves, until the last holder of the socket has gone
    python -S tests/warm.py SOCKET MODULE ARG …    is python -m MODULE ARG …, forked from there
"""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

HEAVY = (
    *("torch", "torch._dynamo", "torchvision", "matplotlib.pyplot"),
    *("scipy.stats", "scipy.optimize", "sklearn.datasets", "tqdm.auto", "IPython", "ipykernel.kernelapp"),
    *("ipykernel.zmqshell", "jupyter_client.manager", "nbformat", "pytest"),
)
INLINE = "module://matplotlib_inline.backend_inline"  # what a kernel takes, unless its environment says another
HOLD = b"hold\n"
# glibc would give the memory of each large tensor back, and get it again, page by page, for the next.
HOARD = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**32)}


# --- a server -------------------------------------------------------------------------------------------------------


def serve(path: str) -> None:
    """Import what is heavy; then fork a process for each that asks at the socket, until nobody holds it any more."""
    gc.disable()
    for name in os.environ.get("GAN_LESSONS_HEAVY", "").split() or HEAVY:
        __import__(name)
    gc.freeze()  # what is imported stays: a fork need not look through it for garbage
    assert threading.active_count() == 1, "a process with threads cannot be forked safely"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended processes leave nothing behind
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        holders: list[socket.socket] = []
        while True:
            ready, _, _ = select.select([listener, *holders], [], [], 300)
            if listener in ready:
                asker, _ = listener.accept()
                order, fds, _, _ = socket.recv_fds(asker, 10_000_000, 3)
                if order == HOLD:
                    holders.append(asker)
                    continue
                if os.fork() == 0:
                    for one in (listener, *holders):
                        one.close()
                    _become(asker, order, fds)
                for fd in fds:
                    os.close(fd)
                asker.close()
            holders = [one for one in holders if one not in ready or one.recv(1)]
            if ready != [listener] and not holders:  # or nobody has come
                Path(path).unlink()
                return


def _become(asker: socket.socket, order: bytes, fds: list[int]) -> None:
    """Turn this fork into the process that was asked for, and tell its exit status. Does not return."""
    status = 1
    try:
        while not order.endswith(b"\n"):
            order += asker.recv(1_000_000)
        asked = json.loads(order)
        for k, fd in enumerate(fds):
            os.dup2(fd, k)
        gc.enable()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        given = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
        sys.path[:] = [asked["cwd"], *given, *(part for part in sys.path[1:] if part not in given)]
        sys.argv = ["-m", *asked["arguments"]]
        _choose_backend(INLINE if asked["module"] == "ipykernel_launcher" else None)
        threading.Thread(target=_heed, args=(asker,), daemon=True).start()
        runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        asker.sendall(bytes([status & 255]))
        os._exit(status)


def _choose_backend(usual: str | None) -> None:
    """Matplotlib asks the environment for its backend when it is imported, which it is: ask once more."""
    import matplotlib as mpl

    if backend := os.environ.get("MPLBACKEND", usual):
        mpl.rcParams["backend"] = backend
    else:
        mpl.rcParams["backend"] = mpl.rcParamsDefault["backend"]


def _heed(asker: socket.socket) -> None:
    """End when the one who asked is gone, and pass its interrupts on."""
    while asker.recv(1):
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(1)


# --- those who ask --------------------------------------------------------------------------------------------------


def python(path: str) -> list[str]:
    """The command that runs a module which is named after it, in a warm process where there is a server."""
    return [sys.executable, "-S", __file__, path] if path else [sys.executable, "-m"]


def write_kernel(path: str, jupyter: Path, name: str) -> None:
    """Give a folder of Jupyter's, a part of JUPYTER_PATH, a kernel of this name that is such a process."""
    folder = jupyter / "kernels" / name
    folder.mkdir(parents=True)
    launch = [*python(path), "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": launch, "display_name": "Python 3", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def ask(path: str, module: str, arguments: list[str]) -> int:
    """Stand for a forked process: its output is ours, our end and interrupts are its own. Returns its exit status."""
    order = {"module": module, "arguments": arguments, "cwd": os.getcwd(), "environment": dict(os.environ)}  # noqa: PTH109
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        signal.signal(signal.SIGINT, lambda *_: server.sendall(b"i"))
        sent = socket.send_fds(server, [text := json.dumps(order).encode() + b"\n"], [0, 1, 2])
        server.sendall(text[sent:])
        status = server.recv(1)
    return status[0] if status else 1


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The socket of the one server of all that share a folder; the first of them starts it, and sees it end.

    "" where a process with libraries in it is not safely forked, which is everywhere but on Linux.
    """
    if sys.platform != "linux":
        yield ""
        return
    path = str(folder / "warm.socket")
    with ExitStack() as stack:
        try:
            (folder / "warm").mkdir()
        except FileExistsError:
            pass  # another has started it
        else:
            command = [sys.executable, __file__, path]
            stack.enter_context(subprocess.Popen(command, cwd=folder, env=os.environ | HOARD, start_new_session=True))
        holder = stack.enter_context(socket.socket(socket.AF_UNIX))
        _connect(holder, path)
        holder.sendall(HOLD)
        yield path


def _connect(one: socket.socket, path: str, seconds: float = 120) -> None:
    for _ in range(int(10 * seconds)):
        try:
            return one.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.1)
    raise TimeoutError(f"no server of warm processes came up at {path}")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        serve(sys.argv[1])
    else:
        sys.exit(ask(sys.argv[1], sys.argv[2], sys.argv[3:]))
