"""Every address of the web, mounted slice by slice."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
]
