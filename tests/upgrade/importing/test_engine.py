"""The frame of the importers: resumed, repeated, incremental, never stopped by one object, planned by the same code."""

import json
import threading
import time

import pytest
from django.db import OperationalError, connection

from postroad.community.bans.models import Ban
from postroad.community.notices.models import OwnText
from postroad.community.notices.own_texts import keep
from postroad.community.notices.templates import ALL_NAMES
from postroad.foundation.configuration import current
from postroad.foundation.errors import BadInput
from postroad.upgrade.importing.both_sides import Rows
from postroad.upgrade.importing.engine import run
from postroad.upgrade.importing.models import ImportedObject
from postroad.upgrade.importing.on_disk import OnDisk
from postroad.upgrade.importing.plan import MOST_OCTETS, ImportStopped, Item, Step
from postroad.upgrade.importing.progress import Silent
from postroad.upgrade.importing.report import as_html, as_json, as_text

pytestmark = pytest.mark.django_db(transaction=True)


class Old:
    """An old installation that holds bans."""

    def __init__(self, **bans: str) -> None:
        self.bans = dict(bans)
        self.written: list[str] = []
        self.killed_at = ""
        self.full_at = ""

    def read(self):
        return (Item(key, email, name=email) for key, email in self.bans.items())

    def write(self, batch):
        for item in batch.items:
            if item.data == self.full_at:
                raise OperationalError("database or disk is full")
            if "@" not in item.data:
                raise BadInput(f"Invalid email address: {item.data}")
            if item.target is None:
                ban = Ban.objects.create(email=item.data)
            else:
                ban = Ban(pk=item.target, email=item.data)
                ban.save()
            batch.done(item, ban.pk)
            if item.data.startswith("^"):
                batch.mapped(item, "patterns are read without case here")
            self.written.append(item.data)
            if item.data == self.killed_at:
                raise KeyboardInterrupt

    def step(self, **more):
        return Step("bans", self.read, self.write, remove=lambda keys: Ban.objects.filter(pk__in=keys).delete(), **more)

    def run(self, size: int = 2, *, dry_run: bool = False, take_away: bool = False, **more):
        self.written.clear()
        return run("an old site", [self.step(size=size, **more)], Silent(), dry_run=dry_run, take_away=take_away)


def bans() -> list[str]:
    return sorted(Ban.objects.values_list("email", flat=True))


def test_everything_is_brought_in_and_a_second_run_writes_nothing():
    old = Old(a="a@x.example", b="b@x.example", c="c@x.example")
    report = old.run()
    assert bans() == ["a@x.example", "b@x.example", "c@x.example"]
    assert (report.kinds[0].new, report.kinds[0].unchanged) == (3, 0)
    report = old.run()
    assert old.written == []
    assert (report.kinds[0].new, report.kinds[0].unchanged, report.exit_code) == (0, 3, 0)


def test_what_went_and_came_again_under_another_key_stays():
    """Its row was found and taken over; it is not taken away for the key that is gone."""
    old = Old(a="a@x.example", b="b@x.example")

    def write(batch):
        for item in batch.items:
            batch.done(item, Ban.objects.get_or_create(email=item.data)[0].pk)

    step = Step("bans", old.read, write, remove=lambda keys: Ban.objects.filter(pk__in=keys).delete())
    run("an old site", [step], Silent())
    old.bans = {"c": "a@x.example"}
    kind = run("an old site", [step], Silent()).kinds[0]
    assert bans() == ["a@x.example"]
    assert (kind.new, kind.removed) == (1, 2)


class Texts(Old):
    """An old installation that holds texts: each key says which, and each value what."""

    def read(self):
        return (Item(key, text, name=key) for key, text in self.bans.items())

    def write(self, batch):
        for item in batch.items:
            batch.done(item, keep(item.key, "", item.data))

    def step(self, **more):
        return Step("texts", self.read, self.write, rows=Rows(OwnText, ("text",)), **more)


def texts() -> dict[str, str]:
    return dict(OwnText.objects.values_list("name", "text"))


def test_what_was_changed_on_both_sides_is_the_source_s_and_named_with_both_values():
    old = Texts(**{ALL_NAMES[0]: "old", ALL_NAMES[1]: "old", ALL_NAMES[2]: "old"})
    old.run()
    for name in ALL_NAMES[:2]:
        keep(name, "", "<b>mine</b>")
    old.bans |= {ALL_NAMES[0]: "new", ALL_NAMES[2]: "new"}
    for _ in range(2):  # And it is told until the object is written again: the run that saw it may have been killed.
        report = old.run()
        assert texts() == {ALL_NAMES[0]: "new", ALL_NAMES[1]: "<b>mine</b>", ALL_NAMES[2]: "new"}
        assert list(report.clashes.values()) == [("texts", ALL_NAMES[0], "text", "<b>mine</b>", "new")]
        assert report.exit_code == 1
    assert "here it was: <b>mine</b>\n      it is now:   new\n" in "".join(as_text(report))
    assert "<td>&lt;b&gt;mine&lt;/b&gt;</td><td>new</td>" in "".join(as_html(report))
    assert json.loads("".join(as_json(report)))["clashes"] == [
        {"kind": "texts", "name": ALL_NAMES[0], "part": "text", "here_it_was": "<b>mine</b>", "it_is": "new",
         "counts": "the source's"}
    ]  # fmt: skip
    old.bans[ALL_NAMES[0]] = "newer"
    assert not old.run().clashes


def test_what_was_changed_here_alone_stays_although_its_object_is_written_again():
    old = Texts(**{ALL_NAMES[0]: "old"})
    old.run()
    keep(ALL_NAMES[0], "", "mine")
    for fingerprint in (7, 8):
        old.read = lambda told=fingerprint: [Item(ALL_NAMES[0], "old", fingerprint=told)]
        report = old.run()
        assert (texts(), report.kinds[0].changed, len(report.clashes)) == ({ALL_NAMES[0]: "mine"}, 1, 0)


def test_what_was_removed_here_stays_removed_whatever_the_source_says_and_is_named():
    old = Texts(**{ALL_NAMES[0]: "old", ALL_NAMES[1]: "old"})
    old.run()
    OwnText.objects.all().delete()
    old.bans[ALL_NAMES[0]] = "new"
    report = old.run()
    assert texts() == {}
    assert (report.kinds[0].here, report.kinds[0].gone_here, report.exit_code) == (0, 2, 1)
    assert [note[:3] for note in report.notes] == [("texts", name, "removed") for name in ALL_NAMES[:2]]
    old.bans = {}
    report = old.run()
    assert (list(report.notes), report.kinds[0].removed) == ([], 2)


def weighed(items, octets: int):
    for item in items:
        item.octets = octets
    return items


@pytest.mark.parametrize(
    ("held", "weighs", "sizes"),
    [
        (0, 0, [7, 3]), (MOST_OCTETS // 4, 0, [4, 4, 2]), (MOST_OCTETS * 2, 0, [1] * 10),
        (0, MOST_OCTETS // 4, [4, 3, 3]), (0, MOST_OCTETS * 2, [1] * 10),
    ],
)  # fmt: skip
def test_a_batch_holds_so_many_octets_at_most_or_one_large_object(held, weighs, sizes):
    """Whether an object holds them when it is read, or will when it is fetched, which is asked of new ones alone."""
    old, written = Old(**{f"k{n}": f"{n}@x.example" for n in range(10)}), []
    step = Step(
        "bans", lambda: weighed(list(old.read()), held), lambda batch: (written.append(len(batch.items)), old.write(batch)),
        size=7, weigh=(lambda items: weighed(items, weighs)) if weighs else None,
    )  # fmt: skip
    assert run("an old site", [step], Silent()).kinds[0].new == 10
    assert written == sizes


def test_what_changed_is_written_again_and_what_is_gone_is_taken_away():
    old = Old(a="a@x.example", b="b@x.example", c="c@x.example")
    old.run()
    old.bans = {"a": "a@x.example", "b": "other@x.example", "d": "d@x.example"}
    kind = old.run().kinds[0]
    assert bans() == ["a@x.example", "d@x.example", "other@x.example"]
    assert (kind.new, kind.changed, kind.unchanged, kind.removed) == (1, 1, 1, 1)


def test_what_did_not_come_from_the_source_is_left_alone():
    Ban.objects.create(email="mine@x.example")
    Old(a="a@x.example").run()
    Old().run()
    assert bans() == ["mine@x.example"]


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(("before", "left"), [(3, 0), (40, 29)])
def test_a_source_that_comes_up_empty_or_much_smaller_takes_nothing_away_unless_told(before, left, dry_run):
    """Its disk is not mounted, or its database was restored by halves: a plan says so too."""
    whole = {f"k{n}": f"a{n:02}@x.example" for n in range(before)}
    old = Old(**whole)
    old.run(lasting=True)
    old.bans = dict(list(whole.items())[:left])
    with pytest.raises(ImportStopped, match=rf"an old site holds {left} of the {before} bans .*--take-away"):
        old.run(lasting=True, dry_run=dry_run)
    assert len(bans()) == before
    assert old.run(lasting=True, take_away=True).kinds[0].removed == before - left
    assert len(bans()) == left


def test_what_usually_goes_is_taken_away_without_a_word():
    """A quarter of what lasts, and all of what never does, such as posts that wait."""
    whole = {f"k{n}": f"a{n:02}@x.example" for n in range(40)}
    old = Old(**whole)
    old.run(lasting=True)
    old.bans = dict(list(whole.items())[:30])
    assert old.run(lasting=True).kinds[0].removed == 10
    old.bans = {}
    assert old.run().kinds[0].removed == 30


def test_another_source_at_the_same_place_is_no_smaller_and_takes_nothing_away_either():
    old = Old(a="a@x.example", b="b@x.example")
    old.run(lasting=True)
    old.bans = {"c": "c@x.example", "d": "d@x.example"}
    with pytest.raises(ImportStopped, match="0 of the 2 bans"):
        old.run(lasting=True)
    assert bans() == ["a@x.example", "b@x.example", "c@x.example", "d@x.example"]


def test_a_mailbox_that_begins_elsewhere_now_is_as_large_as_it_was():
    """Nothing is taken away where nothing can be; only how much there is counts, for keys are places in a file."""
    old = Old(a="a@x.example", b="b@x.example")
    step = Step("bans", old.read, old.write, lasting=True)
    run("an old site", [step], Silent())
    old.bans = {"c": "c@x.example", "d": "d@x.example"}
    assert run("an old site", [step], Silent()).kinds[0].removed == 2
    old.bans = {}
    with pytest.raises(ImportStopped, match="0 of the 2 bans"):
        run("an old site", [step], Silent())


def test_what_the_source_cannot_tell_of_just_now_stays():
    old = Old(a="a@x.example", b="b@x.example")
    old.run()
    old.bans = {}
    kind = old.run(spared=lambda key: key == "a").kinds[0]
    assert (bans(), kind.removed) == (["a@x.example"], 1)


def test_a_bad_object_is_named_and_stops_nothing_and_is_tried_again():
    old = Old(a="a@x.example", b="not an address", c="c@x.example", d="^.*@d")
    report = old.run(size=10)
    assert bans() == ["^.*@d", "a@x.example", "c@x.example"]
    assert ("bans", "not an address", "impossible", "Invalid email address: not an address") in report.notes
    assert ("bans", "^.*@d", "mapped", "patterns are read without case here") in report.notes
    assert report.exit_code == 1
    old.bans["b"] = "b@x.example"
    report = old.run(size=10)
    assert old.written == ["b@x.example"]
    assert [note[2] for note in report.notes] == ["mapped"]


def test_odd_bytes_in_names_and_reasons_stop_nothing_and_are_told_as_escapes():
    """Of files and of people: what no column keeps."""
    old = Old(**{"a\udce4\0": "odd \udce4\0", "b" + "\udce4" * 499: "b@x.example"})
    report = old.run()
    assert (bans(), report.kinds[0].refused) == (["b@x.example"], 1)
    assert [note[1] for note in report.notes] == [r"odd \udce4\u0000"]
    assert old.run().kinds[0].unchanged == 1


def test_a_kill_leaves_whole_batches_and_the_next_run_goes_on():
    old = Old(a="a@x.example", b="b@x.example", c="c@x.example", d="d@x.example")
    old.killed_at = "d@x.example"
    with pytest.raises(KeyboardInterrupt):
        old.run()
    assert bans() == ["a@x.example", "b@x.example"]
    old.killed_at = ""
    old.run()
    assert old.written == ["c@x.example", "d@x.example"]
    assert ImportedObject.objects.count() == 4


def test_a_full_disk_stops_with_the_step_s_name_and_a_second_run_goes_on():
    old = Old(a="a@x.example", b="b@x.example", c="c@x.example")
    old.full_at = "c@x.example"
    with pytest.raises(ImportStopped, match=r"bans of an old site: database or disk is full.*call the same command"):
        old.run()
    assert bans() == ["a@x.example", "b@x.example"]
    old.full_at = ""
    assert old.run().kinds[0].new == 1


def test_a_plan_tells_what_an_import_would_and_changes_nothing():
    old = Old(a="a@x.example", b="not an address", c="^c@x.example")
    plan = old.run(dry_run=True)
    assert bans() == []
    assert not ImportedObject.objects.exists()
    done = old.run()
    assert [as_tuple(k) for k in plan.kinds] == [as_tuple(k) for k in done.kinds]
    assert list(plan.notes) == list(done.notes)


def as_tuple(kind):
    return (kind.kind, kind.new, kind.changed, kind.unchanged, kind.removed, kind.refused)


@pytest.mark.parametrize("jobs", [1, 2])
def test_objects_are_prepared_in_their_order_here_or_in_other_processes(jobs):
    old = Old(**{f"k{n}": f"a{n}@x.example" for n in (1, 0, 3, 2, 5, 4, 6)})
    run("an old site", [old.step(size=2, prepare=sorted)], Silent(), jobs=jobs)
    assert old.written == [f"a{n}@x.example" for n in range(7)]


def test_the_report_is_told_in_three_ways():
    report = Old(a="a@x.example", b="<script>", c="^c@x.example").run()
    text = "".join(as_text(report))
    assert "bans: <script>\n      not possible: Invalid email address: <script>" in text
    assert '"outcome": "mapped"' in "".join(as_json(report))
    assert "<td>&lt;script&gt;</td>" in "".join(as_html(report))
    assert "<script>" not in "".join(as_html(report))


def test_a_living_site_writes_while_a_plan_is_made(tmp_path):
    """On SQLite too, where one writer keeps all others waiting."""
    waited: list[float] = []

    def write_from_elsewhere():
        begin = time.monotonic()
        Ban.objects.create(email="mine@x.example")
        waited.append(time.monotonic() - begin)
        connection.close()

    class Living(Old):
        def write(self, batch):
            super().write(batch)
            elsewhere = threading.Thread(target=write_from_elsewhere)
            elsewhere.start()
            elsewhere.join()

    plan = Living(a="a@x.example").run(dry_run=True)
    assert plan.kinds[0].new == 1
    assert bans() == ["mine@x.example"]
    assert waited[0] < 1
    assert not list((current().home / "run").glob("plan*"))


def test_what_grows_with_a_site_may_be_kept_on_disk_like_a_dictionary():
    kept = OnDisk[tuple[str, int], list[str]]()
    kept["b", 1] = ["x"]
    kept["a\udce4", 2] = ["y"]
    kept["b", 1] = ["z"]
    assert dict(kept) == {("b", 1): ["z"], ("a\udce4", 2): ["y"]}
    assert list(kept) == [("b", 1), ("a\udce4", 2)]
    del kept["b", 1]
    assert ("b", 1) not in kept
    with pytest.raises(KeyError):
        del kept["b", 1]
