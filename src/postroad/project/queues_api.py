"""REST of the queues, in Mailman's shape (facts: /queues)."""

from django.http import HttpRequest, HttpResponse

from postroad.community.lists.queries import find_list
from postroad.foundation.configuration import current
from postroad.foundation.errors import BadInput
from postroad.foundation.rest import fields
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.operation import shows, takes
from postroad.foundation.rest.resource import Json, created, done, found, link, ok, paged
from postroad.foundation.rest.shapes import LINK, TEXT, TEXTS, WHOLE, many, shape
from postroad.project.queues import QUEUES, drop, inject, jobs_of

QUEUE = shape("Queue", name=TEXT, directory=TEXT, count=WHOLE, files=TEXTS, self_link=LINK)


def _resource(request: HttpRequest, name: str) -> Json:
    files = [str(pk) for pk in jobs_of(name).values_list("pk", flat=True)]
    return {
        "name": name,
        "directory": str(current().home / "queue" / name),
        "count": len(files),
        "files": files,
        "self_link": link(request, f"queues/{name}"),
    }


def _show_all(request: HttpRequest) -> HttpResponse:
    """Every queue with what waits in it."""
    return paged(request, list(QUEUES), lambda name: _resource(request, name), self_link=link(request, "queues"))


def _show(request: HttpRequest, name: str) -> HttpResponse:
    """One queue; `files` are the keys of what waits."""
    return ok(_resource(request, found(name if name in QUEUES else None)))


def _inject(request: HttpRequest, values: Values, name: str) -> HttpResponse:
    """Put a mail into a queue as if it had come to the list."""
    if name not in QUEUES:
        raise BadInput(f"No such queue: {name}")
    mailing_list = find_list(values["list_id"])
    if mailing_list is None:
        raise BadInput("No such list")
    return created(request, f"queues/{name}/{inject(name, mailing_list, values['text'].encode(), by='over REST')}")


def _drop(request: HttpRequest, values: Values, name: str, file: str) -> HttpResponse:
    """Drop one waiting mail."""
    known = name in QUEUES and file.isascii() and file.isdigit() and len(file) < 19
    found(True if known and drop(name, int(file)) else None)
    return done()


queues = endpoint(get=shows(_show_all, many(QUEUE), paged=True))
queue = endpoint(
    get=shows(_show, QUEUE), post=takes(_inject, {"list_id": fields.line, "text": fields.mail}, status=201)
)
queue_file = endpoint(delete=takes(_drop))
