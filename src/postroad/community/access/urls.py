"""Addresses of one's tokens."""

from django.urls import path

from postroad.community.access import web

app_name = "access"
urlpatterns = [
    path("accounts/tokens/", web.tokens, name="tokens"),
    path("accounts/tokens/<int:pk>/revoke/", web.revoke, name="revoke"),
]
