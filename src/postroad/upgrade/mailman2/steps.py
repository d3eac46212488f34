"""Moving in from Mailman 2.1, step by step, in the order in which one needs the other."""

from postroad.upgrade.importing.plan import Step
from postroad.upgrade.mailman2 import archives, lists, people, queues, requests, texts
from postroad.upgrade.mailman2.site import OldSite


def steps(site: OldSite) -> tuple[Step, ...]:
    """All of them."""
    return (
        *lists.steps(site),
        *people.steps(site),
        *texts.steps(site),
        *requests.steps(site),
        *archives.steps(site),
        *queues.steps(site),
    )
