"""Every address of the web, mounted slice by slice."""

from django.urls import include, path

urlpatterns = [
    path("", include("postroad.community.subscriptions.urls")),
    path("", include("postroad.mailflow.archive.urls")),
    path("", include("postroad.mailflow.bounces.urls")),
    path("", include("postroad.project.moderators.urls")),
    path("", include("postroad.project.webhooks.urls")),
    path("", include("postroad.project.posting.urls")),
    path("", include("postroad.community.access.urls")),
    path("accounts/", include("allauth.urls")),
    path("outbox/", include("postroad.project.outbox.urls")),
    path("", include("postroad.project.old_addresses")),
]
