"""Postorius from PyPI, unchanged and in an environment of its own, administers a Postroad, tried in a real browser.

`POSTROAD_POSTORIUS` names the Python that has Postorius; without it, `.tools/postorius` (which `.ci/run` makes) counts.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.stories.running_site import Site, wait_until

sync_api = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
PYTHON = Path(os.environ.get("POSTROAD_POSTORIUS", ROOT / ".tools/postorius/bin/python"))
pytestmark = [
    pytest.mark.skipif(not PYTHON.exists(), reason="no Postorius here: set POSTROAD_POSTORIUS to a Python that has it"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no chromium here"),
    pytest.mark.timeout(300),
]
LIST = "dogs.example.com"
SET_UP = """
import django; django.setup()
from django.core.management import call_command; call_command("migrate", verbosity=0)
from django.contrib.auth import get_user_model
user = get_user_model().objects.create_superuser("root", "root@example.com", "secret")
user.emailaddress_set.create(email="root@example.com", verified=True, primary=True)
"""
SECTIONS = (
    "list_identity", "automatic_responses", "alter_messages", "dmarc_mitigations", "digest", "message_acceptance",
    "archiving", "subscription_policy", "bounce_processing",
)  # fmt: skip


class Postorius:
    """The pages of a running Postorius, as its administrator uses them."""

    def __init__(self, page, url: str) -> None:
        self.page, self.url = page, url
        page.set_default_timeout(20_000)

    def open(self, path: str) -> None:
        answer = self.page.goto(f"{self.url}/{path}")
        assert answer.status == 200, f"{path}: {answer.status}"

    def of_list(self, path: str) -> None:
        self.open(f"postorius/lists/{LIST}/{path}")

    def submit(self, having: str, **values: str) -> None:
        """Fill the form that has this field, and send it."""
        form = self.page.locator(f"form:has([name='{having}'])")
        for name, value in values.items():
            field = form.locator(f"[name='{name.replace('__', '-')}']")
            field.select_option(value) if field.evaluate("e => e.tagName") == "SELECT" else field.fill(value)
        form.locator("[type=submit]").first.click()
        self.page.wait_for_load_state()
        complaints = self.page.locator(".alert-danger, .errorlist, .invalid-feedback").all_inner_texts()
        assert not complaints, complaints

    def sees(self, *texts: str) -> bool:
        content = self.page.content()
        return all(text in content for text in texts)


@pytest.fixture
def postorius(site: Site, tmp_path) -> Iterator[Postorius]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    site.templates = {"fetch_from": [url]}
    site.start()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "POSTROAD_", "PYTHON"))},
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": str(Path(__file__).parent / "postorius_site"),
        "POSTORIUS_DATABASE": str(tmp_path / "postorius.db"),
        "POSTORIUS_URL": url,
        "MAILMAN_REST_API_URL": f"http://127.0.0.1:{site.rest_port}",
        "MAILMAN_REST_API_USER": "restadmin",
        "MAILMAN_REST_API_PASS": site.rest_password,
    }
    subprocess.run([PYTHON, "-c", SET_UP], env=environment, check=True)
    with (tmp_path / "log").open("w") as log:
        served = [PYTHON, "-m", "django", "runserver", "--noreload", f"127.0.0.1:{port}"]
        process = subprocess.Popen(served, env=environment, stdout=log, stderr=log)
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
            made = Postorius(browser.new_page(), url)
            wait_until(lambda: is_open(made), 30, "Postorius did not answer")
            yield made
            browser.close()
        process.terminate()
        process.wait(20)


def is_open(made: Postorius) -> bool:
    try:
        made.open("accounts/login/")
    except sync_api.Error:
        return False
    return True


def test_an_administrator_runs_a_list_with_postorius(site, sink, postorius):
    """Domain, list, every settings page, members, bans, checks, templates, held posts, requests, and the end of it."""
    p = postorius
    p.submit("password", login="root", password="secret")

    p.open("postorius/domains/new/")
    p.submit("mail_host", mail_host="example.com", description="A domain")
    p.open("postorius/domains/example.com/")
    p.submit("description", description="Another")
    p.open("postorius/domains/example.com/owners")
    p.submit("email", email="olga@example.com")
    assert p.sees("olga@example.com")
    p.open("postorius/lists/new/")
    p.submit("listname", listname="dogs", mail_host="example.com", list_owner="root@example.com", description="Dogs")
    assert LIST in p.page.url

    for section in SECTIONS:
        p.of_list(f"settings/{section}")
        p.page.locator("form:has([name=csrfmiddlewaretoken]) [type=submit].btn-primary").last.click()
        p.page.wait_for_load_state()
        assert p.sees("The settings have been updated"), section
    p.of_list("settings/list_identity")
    p.submit("description", description="All about dogs")
    p.of_list("")
    assert p.sees("All about dogs")

    members(p)
    for role in ("owner", "moderator", "nonmember"):
        p.of_list(f"members/{role}/")
        p.submit("email", email=f"{role}@example.org")
        assert p.sees(f"{role}@example.org")
    for place in (f"postorius/lists/{LIST}/bans/", "postorius/bans/"):
        p.open(place)
        p.submit("email", email="bad@example.net" if "lists" in place else "^.*@spam.example")
        assert p.sees("bad@example.net" if "lists" in place else "spam.example")
    p.of_list("header-matches/")
    p.submit("form-0-header", form__0__header="X-Spam", form__0__pattern="^yes", form__0__action="discard")
    p.of_list("header-matches/")
    assert p.page.input_value("[name=form-0-pattern]") == "^yes"

    a_template(site, sink, p)
    held_posts(site, p)
    a_request(p)
    for page in ("postorius/system/", "postorius/users", "postorius/accounts/subscriptions/"):
        p.open(page)
    p.of_list("delete")
    p.page.locator("form [type=submit].btn-danger").first.click()
    p.open("postorius/lists/?all-lists")
    assert not p.sees(LIST)


def members(p: Postorius) -> None:
    """Two are added at once, found, changed, and one is removed."""
    add(p, "anne@example.org\nBill <bill@example.org>", approved=True)
    p.of_list("members/member/?q=bill")
    assert p.sees("bill@example.org")
    assert not p.sees("anne@example.org")
    p.of_list("members/options/anne@example.org")
    p.submit("moderation_action", moderation_action="hold")
    p.of_list("members/options/anne@example.org")
    assert p.page.input_value("[name=moderation_action]") == "hold"
    p.page.locator("[name=receive_own_postings]").nth(1).check()
    p.submit("receive_own_postings")
    p.of_list("mass_removal/")
    p.submit("emails", emails="bill@example.org")
    p.of_list("members/member/")
    assert p.sees("anne@example.org")
    assert not p.sees("bill@example.org")


def add(p: Postorius, emails: str, *, approved: bool) -> None:
    p.of_list("mass_subscribe/")
    for name in ("pre_confirmed", "pre_verified", "pre_approved"):
        p.page.locator(f"[name={name}]").set_checked(approved or name != "pre_approved")
    p.submit("emails", emails=emails)


def a_template(site: Site, sink, p: Postorius) -> None:
    """A text that is written in Postorius and kept behind its URI greets the next member."""
    p.of_list("templates/new")
    p.submit("data", name="list:user:notice:welcome", data="Woof, welcome to $display_name!")
    p.of_list("templates")
    assert p.sees("list:user:notice:welcome")
    add(p, "dora@example.org", approved=True)
    wait_until(lambda: any(b"Woof, welcome to Dogs!" in mail.content for mail in sink.mails), 20, "no welcome came")


def held_posts(site: Site, p: Postorius) -> None:
    """One is accepted from the list of held posts, the subject of another is shown by Postorius's own script."""
    for number, sender in enumerate(("zoe@example.net", "anne@example.org")):
        header = (
            f"From: {sender}\r\nTo: dogs@example.com\r\nSubject: Number {number}\r\nMessage-ID: <{number}@example.net>"
        )
        site.post(sender, "dogs@example.com", f"{header}\r\n\r\nPlease.\r\n".encode())

    def both_wait() -> bool:
        p.of_list("held_messages")
        return p.sees("Number 0", "Number 1")

    wait_until(both_wait, 20, "the posts were not held")
    p.page.get_by_text("Number 0").first.click()
    p.page.locator(".modal-body").get_by_text("Please.").first.wait_for()
    p.of_list("held_messages")
    p.page.locator("input[name=choices]").first.check()
    p.page.locator("[name=accept]").first.click()
    p.page.wait_for_load_state()
    assert p.sees("were accepted")


def a_request(p: Postorius) -> None:
    """Somebody asks to join a moderated list, and is let in."""
    p.of_list("settings/subscription_policy")
    p.submit("subscription_policy", subscription_policy="moderate")
    add(p, "carl@example.org", approved=False)
    p.of_list("subscription_requests")
    assert p.sees("carl@example.org")
    p.page.locator("[name=accept], button:has-text('Accept')").first.click()
    p.page.wait_for_load_state()
    p.of_list("members/member/")
    assert p.sees("carl@example.org")
