"""Moving in from Mailman 3, step by step, in the order in which one needs the other."""

from postroad.upgrade.importing.plan import Step
from postroad.upgrade.mailman3 import lists, members, queues, records, requests, site, templates
from postroad.upgrade.mailman3.moving import Moving
from postroad.upgrade.mailman3.people import People


def steps(moving: Moving) -> tuple[Step, ...]:
    """All of them."""
    return (
        *site.steps(moving),
        *People(moving).steps(),
        *lists.steps(moving),
        *members.steps(moving),
        *templates.steps(moving),
        *requests.steps(moving),
        *records.steps(moving),
        *queues.steps(moving),
    )
