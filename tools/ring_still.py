"""Draw the ring game's still pictures, live_ring.png and live_heap.png: `.venv/bin/python tools/ring_still.py`.

Plays the games of the built page (`make book`) in an installed Chromium, with the page's own scripts.
"""

import base64
import sys
from pathlib import Path

import browsers

ROOT = Path(__file__).parent.parent
BUILT = ROOT / "_build" / "html" / "book"
STILLS = {"live_ring": ("ring", 4000), "live_heap": ("04_gan_in_1d", 1500)}  # picture -> page, after so many rounds
PLAY = """rounds => {
    const root = document.querySelector('[data-live="ring"]')
    while (root.live.game.rounds < rounds) ringGame.round(root.live.game, root.live.settings)
    root.live.look()
    return root.querySelector("canvas").toDataURL("image/png").split(",")[1]
}"""


def main() -> int:
    from playwright.sync_api import sync_playwright

    chromium = browsers.chromium()
    missing = not all((BUILT / f"{page}.html").is_file() for page, _ in STILLS.values())
    if chromium is None or missing:
        print(f"this needs the built book (`make book`) and a Chromium ({browsers.REMEDY})", file=sys.stderr)
        return 2
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=browsers.ARGUMENTS)
        page = browser.new_page(color_scheme="light")
        for name, (file, rounds) in STILLS.items():
            page.goto((BUILT / f"{file}.html").as_uri())
            picture = base64.b64decode(page.evaluate(PLAY, rounds))
            (ROOT / "book" / "figures" / f"{name}.png").write_bytes(picture)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
