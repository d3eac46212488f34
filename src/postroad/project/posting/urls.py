"""Addresses of the pages to write to a list."""

from django.urls import path

from postroad.project.posting import web

app_name = "posting"
urlpatterns = [
    path("lists/<str:list_id>/post/", web.post, name="post"),
    path("lists/<str:list_id>/message/<str:hash_>/reply/", web.reply, name="reply"),
]
