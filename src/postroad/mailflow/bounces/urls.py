"""Addresses of bounces."""

from django.urls import path

from postroad.mailflow.bounces import web

app_name = "bounces"
urlpatterns = [path("lists/<str:list_id>/resume/<str:token>", web.resume, name="resume")]
