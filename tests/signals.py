"""For tests that press Ctrl-C."""

import signal


def hear_ctrl_c() -> None:
    """Make a new process listen to SIGINT: a shell's background job, as the tests may be, is born deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
