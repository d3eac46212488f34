"""Every page of the demo in a real browser: no finding of axe, nothing from elsewhere, nothing wider than a phone.

Pages are found by following links, as a visitor and as the site's owner; a new page is in it by itself.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from tests.stories.running_site import PROGRAM, free_port

axe = pytest.importorskip("axe_playwright_python.base")
sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no chromium here"),
    pytest.mark.timeout(500),
]

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
JUDGE = """options => axe.run(document, {...options, resultTypes: ["violations"]}).then(found => found.violations.map(
    ({id, help, nodes}) => `${id}: ${help}: ${nodes.slice(0, 3).map(node => node.html.slice(0, 150)).join("; ")}`))"""
WHAT_LOOKS = {"runOnly": ["color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable"]}
"""The rules that may find something on a desktop where they found nothing on a phone: the page is the same."""
EVERYTHING = {"rules": {"target-size": {"enabled": True}}}
"""axe's own choice, and the size of what is touched (WCAG 2.2, 2.5.8)."""
NOT_LINKED = (
    "/accounts/password/reset/", "/accounts/login/code/", "/nothing-like-this/", "/search/?q=after:yesterday",
    "/search/?q=garden", "/search/?q=spiral&sort=relevance",
)  # fmt: skip
NO_PAGES = re.compile(r"\.(atom|xml|gz)|/raw$|/attachment/|/picture/|^/static/|^/accounts/logout/")


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """A demo that is served, and its address."""
    with tempfile.TemporaryDirectory(prefix="postroad-demo-") as folder:
        home, ports = Path(folder) / "home", [free_port() for _ in range(3)]
        base = f"http://127.0.0.1:{ports[0]}"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("POSTROAD_")} | {
            "POSTROAD_SITE_BASE_URL": base,
            "POSTROAD_WEB_LISTEN": f"127.0.0.1:{ports[0]}",
            "POSTROAD_REST_LISTEN": f"127.0.0.1:{ports[1]}",
            "POSTROAD_LMTP_LISTEN": f"127.0.0.1:{ports[2]}",
        }
        run = [PROGRAM, "demo", "--home", str(home)]
        process = subprocess.Popen(run, stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout is not None
        assert any(line.strip() == "ready" for line in process.stdout)
        subprocess.run([*run, "post", "garden@lists.example.org"], check=True, env=environment, capture_output=True)
        yield base
        process.terminate()
        process.wait(30)
        process.stdout.close()


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


class Visit:
    """A browser that notes what no page of ours may do, on a phone in one color scheme and on a desktop in the other."""

    def __init__(self, browser, demo: str, scheme: str) -> None:
        self.demo = demo
        self.scheme, self.other = scheme, "dark" if scheme == "light" else "light"
        self.context = browser.new_context()
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("request", self._request)
        self.page.on("console", self._console)
        self.page.on("response", self._response)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))

    def _request(self, request) -> None:
        if not request.url.startswith((self.demo, "data:")):
            self.complaints.append(f"{self.page.url} asks {request.url}")

    def _response(self, response) -> None:
        if response.status >= 400 and "nothing-like-this" not in response.url:
            self.complaints.append(f"{response.url} answers {response.status}")

    def _console(self, message) -> None:
        if message.type == "error" and "404 (Not Found)" not in message.text:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def sign_in(self) -> None:
        self.page.goto(f"{self.demo}/accounts/login/")
        self.page.fill("input[name=login]", "ada@example.org")
        self.page.fill("input[name=password]", "garden-gate")
        self.page.click("main form.form button[type=submit]")
        self.page.wait_for_url(f"{self.demo}/")

    def fill(self) -> None:
        """Have a token and a webhook, with texts that do not fit on one line of a phone."""
        long = "a-very-long-path-with-nothing-to-break-it-at"
        self.page.goto(f"{self.demo}/webhooks/")
        self.page.fill("main input[name=url]", f"https://hooks.example.net/{long.replace('-', '')}")
        self.page.click("main form.form button[type=submit]")
        self.page.goto(f"{self.demo}/accounts/tokens/")
        self.page.fill("main input[name=name]", long)
        self.page.click("main form.form button[type=submit]")

    def look(self, path: str) -> list[str]:
        """Go there, judge the page, and tell where it leads."""
        self._be(PHONE, self.scheme)
        self.page.goto(urljoin(self.demo, path))
        self.page.evaluate(axe.AXE_SCRIPT)
        self._judge(path, PHONE, EVERYTHING)
        self._be(DESKTOP, self.other)
        self._judge(path, DESKTOP, WHAT_LOOKS)
        return self.page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")

    def _be(self, size: dict[str, int], scheme: str) -> None:
        self.page.set_viewport_size(size)
        self.page.emulate_media(color_scheme=scheme)

    def _judge(self, path: str, size: dict[str, int], options: dict[str, object]) -> None:
        width = size["width"]
        if self.page.evaluate("document.documentElement.scrollWidth") > width:
            self.complaints.append(f"{path} is wider than {width} px")
        self.complaints += [f"{path} ({width}): {found}" for found in self.page.evaluate(JUDGE, options)]


LISTS = re.compile(r"[\w-]+\.lists\.example\.org")
NUMBERS = re.compile(r"[A-Z0-9]{32}|\d+|[0-9a-f]{40}|[\w.]+@[\w.]+")


def kind(path: str) -> str:
    """The kind of page: addresses that differ only in what they show, or of which list, are one."""
    return NUMBERS.sub("*", LISTS.sub("*", re.sub(r"\?page=\d+", "?page=*", path)))


MAILS = ("PATCH", "November", "Paths", "温室", "Minutes", "Saatgut")
"""Conversations whose mails differ enough for each to be looked at."""


def walk(visit: Visit) -> set[str]:
    """Look at one page of each kind that can be reached."""
    seen: set[str] = set()
    waiting = ["/", *NOT_LINKED]
    while waiting:
        path = waiting.pop(0)
        if kind(path) in seen:
            continue
        seen.add(kind(path))
        for link in visit.look(path):
            parts = urlsplit(link)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            if link.startswith(visit.demo) and not NO_PAGES.search(target) and kind(target) not in seen:
                waiting.append(target)
    return seen


@pytest.mark.parametrize("who", ["visitor", "owner"])
def test_every_page_is_accessible_fits_and_asks_nobody_else(demo, browser, who):
    visit = Visit(browser, demo, "light")
    if who == "owner":
        visit.sign_in()
        visit.fill()
    seen = walk(visit)
    assert len(seen) > (20 if who == "visitor" else 30), seen
    visit.context.close()
    assert not visit.complaints, "\n".join(visit.complaints)


def test_every_sort_of_mail_is_accessible(demo, browser):
    visit = Visit(browser, demo, "dark")
    visit.sign_in()
    for name in ("garden", "board"):
        visit.page.goto(f"{demo}/lists/{name}.lists.example.org/")
        links = visit.page.eval_on_selector_all("h3 a", "all => all.map(a => [a.innerText, a.href])")
        for link in [href for text, href in links if any(word in text for word in MAILS)]:
            visit.look(link)
    visit.context.close()
    assert not visit.complaints, "\n".join(visit.complaints)
