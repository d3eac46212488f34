"""Moving in from Mailman 2.1, step by step, in the order in which one needs the other."""

from dataclasses import replace

from postroad.upgrade.importing.models import ImportedObject
from postroad.upgrade.importing.plan import Step
from postroad.upgrade.mailman2 import archives, lists, people, queues, requests, texts
from postroad.upgrade.mailman2.site import OldSite


def steps(site: OldSite) -> tuple[Step, ...]:
    """All of them; what an earlier run brought of a list that cannot be read any more stays."""
    site = _with_earlier(site)
    all_steps = (
        *lists.steps(site),
        *people.steps(site),
        *texts.steps(site),
        *requests.steps(site),
        *archives.steps(site),
        *queues.steps(site),
    )
    return tuple(replace(step, spared=site.is_of_broken) for step in all_steps)


def _with_earlier(site: OldSite) -> OldSite:
    """Where lists are named, those that earlier runs brought are looked at too: unseen, they would count as gone."""
    if not site.only:
        return site
    brought = ImportedObject.objects.filter(source__name=site.name, kind="lists").values_list("key", flat=True)
    there = (name for name in brought if (site.root / "lists" / name).is_dir())
    return replace(site, only=sorted({*site.only, *there}))
