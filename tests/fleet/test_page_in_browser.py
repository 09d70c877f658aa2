"""The page in Chromium: what it shows, what it refuses, and who can read it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from rendering_rig import (
    Failure,
    fleet_of,
    renamed,
    renamed_failure,
    report_with_everything,
)

from fsxcopy_sdk.fleet.rendering import render

playwright = pytest.importorskip("playwright.sync_api", reason="nox -s page installs playwright")
axe = pytest.importorskip("axe_playwright_python.base", reason="nox -s page installs axe-core")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("chromium is not installed", allow_module_level=True)

# As root there is no sandbox, and without the rest the browser calls home.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES = {"wide": 1200, "narrow": 360}
HOSTILE = (
    "\"'></title></svg></style><script>document.title='gone'</script><img src=x onerror=alert(1)>"
)
AXE_RUN = "axe.run({resultTypes: ['violations']})"


@pytest.fixture(scope="module", name="browser")
def _browser() -> Iterator[playwright.Browser]:
    """Chromium without a window."""
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield browser
        browser.close()


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: a folder that is named, to look at them, or a temporary one."""
    named = os.environ.get("FSXCOPY_TEST_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("page")
    folder.mkdir(exist_ok=True, parents=True)
    west = report_with_everything()
    east = report_with_everything(destination="ca-central-1")
    texts = {
        "everything": render("html", [west, east], [Failure()]),
        "hostile": render("html", [renamed(west, HOSTILE)], [renamed_failure(HOSTILE)]),
        "large": render("html", fleet_of(500, ["us-west-2"])),
        "empty": render("html", []),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return folder


class _Opened:
    """A page, and what it did that it should not do."""

    def __init__(
        self, browser: playwright.Browser, file: Path, *, width: int = 1200, dark: bool = False
    ) -> None:
        scheme = "dark" if dark else "light"
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=scheme)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page = context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())

    def findings(self) -> list[str]:
        """Return what axe-core finds, with the elements that it means."""
        self.page.evaluate(axe.AXE_FILE_PATH.read_text("utf-8"))
        found = self.page.evaluate(AXE_RUN)["violations"]
        return [f"{one['impact']} {one['id']}: {one['nodes'][0]['html']:.300}" for one in found]


def _open_all(opened: _Opened) -> None:
    opened.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("name", ["everything", "hostile", "empty"])
def test_accessible(
    browser: playwright.Browser, folder: Path, name: str, width: int, dark: bool
) -> None:
    """axe-core finds nothing, of whatever impact, with all parts opened."""
    opened = _Opened(browser, folder / f"{name}.html", width=width, dark=dark)
    _open_all(opened)
    opened.page.screenshot(path=folder / f"{name}-{width}-{'dark' if dark else 'light'}.png")
    assert [] == opened.findings()
    assert [] == opened.complaints


@pytest.mark.parametrize("name", ["everything", "hostile", "large", "empty"])
def test_a_phone_scrolls_down_only(browser: playwright.Browser, folder: Path, name: str) -> None:
    """At 360 pixels the page is not wider than the screen; wide tables scroll by themselves."""
    opened = _Opened(browser, folder / f"{name}.html", width=360)
    _open_all(opened)
    assert 360 >= opened.page.evaluate("document.documentElement.scrollWidth")


def test_nothing_is_loaded(browser: playwright.Browser, folder: Path) -> None:
    """The page asks for itself, and for nothing else."""
    file = folder / "everything.html"
    opened = _Opened(browser, file)
    assert [file.as_uri()] == opened.requests


def test_hostile_text_is_shown(browser: playwright.Browser, folder: Path) -> None:
    """It is text, in tables and in the titles of pictures, and nothing runs or loads."""
    file = folder / "hostile.html"
    opened = _Opened(browser, file)
    assert [file.as_uri()] == opened.requests
    assert [] == opened.complaints
    assert opened.page.title().startswith("FSx backup copies")
    assert 0 == opened.page.locator("script, img").count()
    assert opened.page.locator("th", has_text=HOSTILE).count()
    titles = opened.page.locator("svg title").all_text_contents()
    assert any(HOSTILE in one for one in titles)


@pytest.mark.parametrize(
    "insert",
    [
        "<script>document.body.dataset.hit = 'yes'</script>",
        "<img src=x onerror=\"document.body.dataset.hit = 'yes'\">",
        "<style>body { --hit: yes }</style>",
        "<link rel=stylesheet href=x.css>",
        "<iframe src=x.html></iframe>",
    ],
)
def test_the_policy_holds_if_escaping_did_not(
    browser: playwright.Browser, folder: Path, tmp_path: Path, insert: str
) -> None:
    """The browser refuses what markup in the page would run or load."""
    text = (folder / "everything.html").read_text("utf-8")
    (tmp_path / "page.html").write_text(text.replace("<main>", f"<main>{insert}"), "utf-8")
    opened = _Opened(browser, tmp_path / "page.html")
    assert any("Content Security Policy" in one for one in opened.complaints)
    hit = "[document.body.dataset.hit, getComputedStyle(document.body).getPropertyValue('--hit')]"
    assert [None, ""] == opened.page.evaluate(hit)


def test_dark_and_light_differ(browser: playwright.Browser, folder: Path) -> None:
    """The page follows what the reader prefers."""
    colour = "getComputedStyle(document.body).backgroundColor"
    colours = {
        _Opened(browser, folder / "everything.html", dark=dark).page.evaluate(colour)
        for dark in (False, True)
    }
    assert 2 == len(colours)


def test_print(browser: playwright.Browser, folder: Path) -> None:
    """On paper everything is open and in light colours, also for who prefers dark ones."""
    opened = _Opened(browser, folder / "everything.html", dark=True)
    opened.page.pdf(path=folder / "everything.pdf", format="A4")
    opened.page.emulate_media(media="print")
    cell = opened.page.locator("details tbody td").first
    assert cell.is_visible()
    colour = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert "rgb(255, 255, 255)" == colour


def test_a_screen_reader_finds_its_way(browser: playwright.Browser, folder: Path) -> None:
    """There are landmarks, one main heading, a name for each picture, and heads for each cell."""
    page = _Opened(browser, folder / "everything.html").page
    for role in ("banner", "main", "contentinfo"):
        assert 1 == page.get_by_role(role).count()
    assert 1 == page.get_by_role("heading", level=1).count()
    assert 6 == page.get_by_role("heading", level=3).count()
    pictures = page.get_by_role("img")
    named = page.get_by_role("img", name=re.compile("^(Backups|Copies) in "))
    assert 18 == pictures.count() == named.count()
    table = page.get_by_role("table", name="The state of the newest copy")
    assert 5 == table.get_by_role("columnheader").count()
    assert 7 == table.get_by_role("rowheader").count()
    assert 1 == page.get_by_role("progressbar", name="progress of the copy").first.count()


def test_a_keyboard_gets_everywhere(browser: playwright.Browser, folder: Path) -> None:
    """The first stop leads past the heading, and tables that scroll can be reached."""
    page = _Opened(browser, folder / "everything.html", width=360).page
    page.keyboard.press("Tab")
    focused = "document.activeElement"
    assert "#standing" == page.evaluate(f"{focused}.getAttribute('href')")
    page.keyboard.press("Tab")
    assert "group" == page.evaluate(f"{focused}.getAttribute('role')")


def test_a_large_page_is_quick(browser: playwright.Browser, folder: Path) -> None:
    """Five hundred sources are shown, each with its pictures."""
    page = _Opened(browser, folder / "large.html").page
    assert 500 == page.get_by_role("heading", level=3).count()
    assert 1000 == page.locator(".strip svg[role=img]").count()
