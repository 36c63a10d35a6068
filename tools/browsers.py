"""An installed Chromium, for what looks at the built book: the tests, the PDF, the still pictures."""

import shutil

# The first has no windows: it loads a page for a third of the processor's work.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu"]
REMEDY = "apt install chromium-headless-shell, or chromium"


def chromium() -> str | None:
    """The path of the first that is installed, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)
