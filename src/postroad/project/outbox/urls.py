"""Addresses of the outbox."""

from django.urls import path

from postroad.project.outbox import web

app_name = "outbox"
urlpatterns = [
    path("", web.outbox, name="all"),
    path("post/", web.post, name="post"),
    path("<int:pk>/", web.mail, name="mail"),
    path("trace/<path:message_id>/", web.trace, name="trace"),
]
