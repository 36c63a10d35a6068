"""How soon a reader sees the built book: text and maths, in Chromium at a quarter of this processor's speed."""

import shutil
from pathlib import Path

HTML = Path(__file__).parent.parent.parent / "_build" / "html" / "book"
SLOWER = 4
OPEN = """document.addEventListener('DOMContentLoaded', async () => {
    await window.MathJax?.startup?.promise
    requestAnimationFrame(() => setTimeout(() => { window.readable = performance.now() }))  // painted
})"""
WATCH = """async () => {
    while (!window.readable) await new Promise(end => setTimeout(end, 20))
    const paint = performance.getEntriesByName('first-contentful-paint')[0]
    await window.formulas?.whole()
    const seen = performance.getEntriesByName('formulas in sight')[0]
    return [paint ? paint.startTime : NaN, seen ? seen.startTime : readable, readable, performance.now()]
}"""
# As readers have it; the one without windows, the tests' first choice (tools/browsers.py), if there is no other.
READERS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")


def pages(names: tuple[str, ...] = ("intro", "03_minimax_game", "04_gan_in_1d", "07_dcgan")) -> None:
    """Print the seconds until text, maths in sight, all that stands open and that in folds are there; nothing cached.

    Folds are asked for as soon as the rest is there, and not in idle time as for a reader.
    """
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, READERS)), None)
    if chromium is None or not HTML.is_dir():
        print("pages: needs the built book (`make book`) and a Chromium")
        return
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name in names:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            page = context.new_page()
            page.add_init_script(OPEN)
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            page.goto((HTML / f"{name}.html").as_uri(), wait_until="load")
            text, seen, maths, folds = (f"{milliseconds / 1000:.1f} s" for milliseconds in page.evaluate(WATCH))
            print(
                f"pages: {name} at 1/{SLOWER} speed: text {text}, "
                f"maths in sight {seen}, all that stands open {maths}, in folds too {folds}"
            )
            context.close()
        browser.close()
