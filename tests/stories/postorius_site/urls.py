"""Addresses of a Postorius without an archiver beside it."""

from django.contrib import admin
from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("postorius/", include("postorius.urls")),
    path("", include("django_mailman3.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("hyperkitty/", lambda request: HttpResponse(""), name="hk_root"),
]
