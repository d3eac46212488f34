"""Moving in from Mailman 3, step by step, in the order in which one needs the other."""

from postroad.upgrade.hyperkitty import readers
from postroad.upgrade.hyperkitty.archives import Archives
from postroad.upgrade.hyperkitty.mails import Mails
from postroad.upgrade.hyperkitty.prototype import Prototype
from postroad.upgrade.importing.plan import Step
from postroad.upgrade.mailman3 import lists, members, queues, records, requests, site, templates, web_settings
from postroad.upgrade.mailman3.moving import Moving
from postroad.upgrade.mailman3.people import People


def steps(moving: Moving) -> tuple[Step, ...]:
    """All of them."""
    return (
        *site.steps(moving),
        *web_settings.steps(moving),
        *People(moving).steps(),
        *lists.steps(moving),
        *members.steps(moving),
        *templates.steps(moving),
        *requests.steps(moving),
        *records.steps(moving),
        *_archive_steps(moving),
        *queues.steps(moving),
    )


def _archive_steps(moving: Moving) -> tuple[Step, ...]:
    """HyperKitty's, where the site has it, and then what only the prototype archiver has."""
    web = moving.installation.web
    if web is None or not web.has("hyperkitty_email"):
        return Prototype(moving.installation, None).steps()
    archives = Archives(web, moving.installation)
    return (
        *archives.steps(),
        *Mails(archives, moving.installation.attachments).steps(),
        *readers.steps(web),
        *Prototype(moving.installation, archives).steps(),
    )
