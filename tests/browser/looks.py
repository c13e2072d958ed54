"""What is true of every page of ours: it does nothing that it may not, everybody can use it, it is small, it fits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe

from tests.servers.chromium import visit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser, CDPSession, Page

PICTURES = Path(__file__).parents[2] / ".cache" / "screenshots"
MOST_BYTES = 150_000
SERIOUS = {"serious", "critical"}
LOOKS = [(1200, False), (1200, True), (390, False), (390, True)]
"""Widths, and whether the theme is dark."""

EMPTY = """(frames) => frames
  .filter((frame) => ![...frame.querySelectorAll(".plot canvas, .plot svg, .plot p")].some((one) => one.clientHeight))
  .map((frame) => frame.dataset.chart)"""

# An axis alone is no mark. A canvas must hold a dot in the colour of a sample of the key, near enough for the soft
# edges of a line; a drawing a shape of a sample's class with an area.
WITHOUT_MARKS = """() => {
  const sheet = (width, height) =>
    Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
  const pen = sheet(1, 1);
  const colourOf = (sample) => {
    const { fill, stroke } = getComputedStyle(sample);
    pen.fillStyle = stroke === "none" ? fill : stroke;
    pen.fillRect(0, 0, 1, 1);
    return pen.getImageData(0, 0, 1, 1).data;
  };
  const isPainted = (canvas, samples) => {
    const copy = sheet(canvas.width, canvas.height);
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    return samples.map(colourOf).some((colour) => {
      const near = (at) => [0, 1, 2].every((part) => Math.abs(colour[part] - data[at + part]) < 12);
      for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 200 && near(at)) return true;
      return false;
    });
  };
  const isDrawn = (plot, samples) => samples.some((sample) =>
    [...plot.querySelectorAll(`[class="${sample.getAttribute("class")}"]`)].some((shape) => {
      const { width, height } = shape.getBBox();
      return width > 0 && height > 0;
    }));
  const holds = (frame) => {
    const samples = [...frame.querySelectorAll(".key svg > *")];
    const canvas = frame.querySelector(".plot canvas");
    return canvas ? isPainted(canvas, samples) : isDrawn(frame.querySelector(".plot"), samples);
  };
  const frames = [...document.querySelectorAll("figure[data-chart]")];
  return frames.filter((one) => !holds(one)).map((one) => one.dataset.chart);
}"""


def assert_good(
    browser: Browser, url: str, name: str, *, seen: Sequence[str], charts: int = 0, blank: Sequence[str] = ()
) -> None:
    """Look at a page in both widths and themes, and keep pictures; fails with what is wrong.

    `seen` are texts that a person must find on it. It has so many `charts`, and all but the `blank` ones, which say
    why they are so, hold marks.
    """
    for width, dark in LOOKS:
        with visit(browser, width=width, dark=dark) as visitor:
            weight = Weight(visitor.page)
            visitor.open(url)
            settle(visitor.page, charts=charts)
            for text in seen:
                assert visitor.page.get_by_text(text).filter(visible=True).count() > 0, (
                    f"{url} says no {text}"
                )
            assert without_marks(visitor.page) == list(blank)
            keep(visitor.page, f"{name}-{width}-{'dark' if dark else 'light'}")
            assert visitor.misdeeds == [], visitor.misdeeds
            complaints = complaints_of_axe(visitor.page)
            assert complaints == [], complaints
            assert overflow(visitor.page) <= 0, f"{url} scrolls sideways at {width} px"
            assert weight.bytes <= MOST_BYTES, f"{url} weighs {weight.bytes:,} bytes"


def settle(page: Page, charts: int) -> None:
    """Scroll through the page and wait until its charts are drawn, each with a picture or why there is none."""
    frames = page.locator("figure[data-chart]").all()
    assert len(frames) == charts, [frame.get_attribute("data-chart") for frame in frames]
    for frame in frames:
        frame.scroll_into_view_if_needed()
        frame.and_(page.locator("[data-drawn]")).wait_for(state="attached", timeout=20_000)
    page.evaluate("window.scrollTo(0, 0)")
    failed = page.eval_on_selector_all("figure[data-drawn=no]", "(all) => all.map((one) => one.innerText)")
    assert failed == [], failed
    empty = page.eval_on_selector_all("figure[data-chart]", EMPTY)
    assert empty == [], empty


def without_marks(page: Page) -> list[str]:
    """The charts that show nothing of what a key explains: no bar, curve, line or cell in its colours."""
    found: list[str] = page.evaluate(WITHOUT_MARKS)
    return found


def keep(page: Page, name: str) -> Path:
    """A picture of the whole page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def complaints_of_axe(page: Page) -> list[str]:
    """What axe finds serious or critical: the rule, and where."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']][:5]}"
        for one in found
        if one["impact"] in SERIOUS
    ]


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


class Weight:
    """The bytes that a page takes over the wire, compressed as they come."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Network.enable")
        self._session.on("Network.loadingFinished", self._add)

    def _add(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])
