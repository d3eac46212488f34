"""Addresses of the pages about webhooks: those of the site, and those of a list."""

from django.urls import path

from postroad.project.webhooks import web

app_name = "webhook_pages"
_LIST = "lists/<str:list_id>/"
urlpatterns = [
    path(f"{prefix}{address}", view, name=name)
    for prefix in ("", _LIST)
    for address, view, name in (("webhooks/", web.hooks, "all"), ("webhooks/<int:pk>/", web.one, "one"))
]
