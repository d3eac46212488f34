"""`upgrade` and `rollback`: the site moves to this release, or goes back, with mail accepted all the while."""

import os
import signal
import time
from collections.abc import Callable

from django.db import ProgrammingError, connection
from django.db.utils import OperationalError

from postroad.foundation.configuration import current
from postroad.foundation.errors import Conflict, PostroadError
from postroad.foundation.instance import alone, running
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.actions import LEASE_SECONDS
from postroad.mailflow.archive import rebuilding
from postroad.upgrade import preflight, schema, self_test, snapshot
from postroad.upgrade.migrate import migrate_and_test
from postroad.upgrade.report import Report

LONGEST_PAUSE = 900.0
"""Seconds after which the former release goes on by itself if the upgrade died before it changed anything."""
RESTART_SECONDS = 60.0
_LAST_WRITE_SECONDS = 0.1
"""For what had looked for a pause a moment before it began."""
_TOLD_EVERY = 10_000
"""Mails indexed between two lines of progress."""
_RUNS = "another `postroad upgrade` or `rollback` of this home runs just now"


def upgrade(say: Callable[[str], None] = lambda _: None, *, only_check: bool = False) -> Report:
    """Bring the site to this release; on any failure it is as it was before.

    Raises:
        ConfigurationError: the database is of a newer release, or a new one that is not in UTF-8.
        Conflict: another upgrade of this home runs.
        PreflightFailed: it would fail; nothing was touched.
    """
    report = Report(say=say)
    with alone(current().home, "upgrade", _RUNS):
        schema.refuse_newer()
        schema.refuse_encoding()
        plan = schema.lacking()
        if not plan:
            _finish_interrupted(report)
            _index(report)
            return report
        with report.step("preflight, on a copy") as step:
            forecast = preflight.rehearse()
            step.detail = (
                f"{len(plan)} migrations in {forecast.seconds:.1f} s; snapshot {forecast.snapshot_bytes / 1e6:,.0f} MB"
                + (f"; then {forecast.mails_to_index:,} mails to index anew" if forecast.mails_to_index else "")
            )
        if only_check:
            report.outcome = "checked"
            return report
        try:
            with snapshot.beginning(plan) as complete:
                paused = time.monotonic()
                _pause(report)
                with report.step("snapshot"):
                    complete()
            with report.step("migrations and self-test") as step:
                step.detail = f"{len(plan)} migrations, one post through the whole road"
                migrate_and_test()
        except (PostroadError, OperationalError, OSError) as error:
            report.outcome, report.error = "failed", str(error)
            _go_on()
            return report
        _restart(report)
        report.paused_seconds = time.monotonic() - paused
        _index(report)
    return report


def rollback(say: Callable[[str], None] = lambda _: None) -> Report:
    """Go back to the snapshot before the last upgrade; mail accepted since is kept.

    Raises:
        NotFound: there is no snapshot.
        Conflict: `serve` runs on this home, or an upgrade does.
    """
    report = Report(say=say)
    with alone(current().home, "upgrade", _RUNS):
        made = snapshot.last()
        if serving() is not None:
            raise Conflict("stop `postroad serve` first: it must not go on with a database of another release")
        try:
            with report.step("back to the snapshot") as step:
                carried = snapshot.go_back()
                step.detail = f"of {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(made.made_at))}"
        except (OperationalError, OSError) as error:
            report.outcome, report.error = "failed", f"{error}; nothing was changed, and it can be called again"
            return report
        _go_on()
        report.findings.append(
            f"what was changed by web, REST or mail since then is gone; mail is not: {carried.waiting} waiting jobs and"
            f" {carried.held} held posts stand as they stood, {carried.archived_again} posts will be archived again"
            + (f", {carried.stranded} mails are quarantined, as their lists are gone" if carried.stranded else "")
        )
        report.findings.append("now install the former release and start `postroad serve`")
    return report


def serving() -> int | None:
    """Process id of the `postroad serve` of this home on this host; None when none runs."""
    return running(current().home)


def _pause(report: Report) -> None:
    """Queue-only mode: mail is taken, nothing else begins; wait for what was begun."""
    with report.step("queue-only mode") as step:
        if not _can_pause():
            step.detail = "the present schema cannot pause; one transaction does it all"
            return
        queue.pause(LONGEST_PAUSE, "an upgrade runs")
        if serving() is None and not queue.in_hand():
            return
        end = time.monotonic() + LEASE_SECONDS
        time.sleep(queue.PAUSE_NOTICED_SECONDS + _LAST_WRITE_SECONDS)
        while queue.in_hand() and time.monotonic() < end:
            time.sleep(0.05)


def _can_pause() -> bool:
    return "queue_pause" in connection.introspection.table_names()


def _finish_interrupted(report: Report) -> None:
    """Nothing to migrate; if an upgrade died between its commit and the restart, do what it left."""
    if queue.paused_until() is None:
        report.outcome = "nothing to do"
        return
    with report.step("self-test"):
        self_test.run()
    _restart(report)
    report.findings.append("an earlier upgrade was interrupted after its last change; it is finished now")


def _index(report: Report) -> None:
    """A new index of words, if this release asks with other ones; the site works meanwhile, on the old index."""
    if not rebuilding.is_outdated():
        return
    with report.step("index, beside the old one") as step:
        whole, done = rebuilding.to_do(), 0
        try:
            for count in rebuilding.rebuild():
                done += count
                if done % _TOLD_EVERY < count:
                    report.say(f"{'':28}{done:,} of {whole:,} mails")
        except (PostroadError, OperationalError, OSError) as error:
            report.findings.append(f"the index is not whole, searching uses the old one; call upgrade again: {error}")
        step.detail = f"{done:,} mails"
        report.outcome = "done"


def _restart(report: Report) -> None:
    """Let the running `serve` become this release's, which ends the pause; without one, end it here."""
    pid = serving()
    if pid is None:
        _go_on()
        return
    with report.step("restart"):
        os.kill(pid, signal.SIGHUP)
        end = time.monotonic() + RESTART_SECONDS
        while queue.paused_until() is not None:
            if time.monotonic() > end:
                report.findings.append(
                    f"`postroad serve` (process {pid}) has not restarted in {RESTART_SECONDS:.0f} s; restart it by hand"
                )
                return
            time.sleep(0.05)


def _go_on() -> None:
    try:
        if _can_pause():
            queue.resume()
    except (OperationalError, ProgrammingError):
        connection.close()
        raise
