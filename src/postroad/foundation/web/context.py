"""What every page's frame shows."""

from django.http import HttpRequest

from postroad.foundation.configuration import current


def site(request: HttpRequest) -> dict[str, object]:
    """The site's name, and whether it has an outbox in place of a relay."""
    return {"site_name": current().site.name, "has_outbox": not current().smtp.host}
