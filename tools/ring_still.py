"""Draw the still picture of the ring game, book/figures/live_ring.png: `.venv/bin/python tools/ring_still.py`.

Plays the game of the built page (`make book`) in an installed Chromium, with the page's own scripts.
"""

import base64
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "_build" / "html" / "book" / "ring.html"
ROUNDS = 4000
PLAY = """rounds => {
    const root = document.querySelector('[data-live="ring"]')
    while (root.live.game.rounds < rounds) ringGame.round(root.live.game, root.live.settings)
    root.live.look()
    return root.querySelector("canvas").toDataURL("image/png").split(",")[1]
}"""


def main() -> int:
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None or not PAGE.is_file():
        print("this needs the built book (`make book`) and a Chromium (apt install chromium)", file=sys.stderr)
        return 2
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(color_scheme="light")
        page.goto(PAGE.as_uri())
        picture = base64.b64decode(page.evaluate(PLAY, ROUNDS))
        browser.close()
    (ROOT / "book" / "figures" / "live_ring.png").write_bytes(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
