"""Addresses of joining, leaving and saying yes; those of a mail's links are fixed, mails live long."""

from django.urls import path

from postroad.community.subscriptions import web

app_name = "subscriptions"
urlpatterns = [
    path("lists/<str:list_id>/join/", web.join, name="join"),
    path("lists/<str:list_id>/leave/", web.leave, name="leave"),
    path("lists/<str:list_id>/confirm/<str:secret>", web.confirm, name="confirm"),
    path("lists/<str:list_id>/unsubscribe/<str:token>", web.unsubscribe, name="unsubscribe"),
    path("lists/<str:list_id>/choose/<str:thread>/<str:token>", web.choose_thread, name="choose_thread"),
]
