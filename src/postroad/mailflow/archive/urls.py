"""Addresses of the archive."""

from django.urls import path

from postroad.mailflow.archive import downloads, web

app_name = "archive"
urlpatterns = [
    path("", web.home, name="home"),
    path("search/", web.search, name="search"),
    path("lists/<str:list_id>/", web.overview, name="overview"),
    path("lists/<str:list_id>/search/", web.search, name="list_search"),
    path("lists/<str:list_id>/feed.atom", downloads.feed, name="feed"),
    path("lists/<str:list_id>/archive/<int:year>/<int:month>/", web.month, name="month"),
    path("lists/<str:list_id>/archive/<int:year>/<int:month>.mbox.gz", downloads.mbox, name="mbox"),
    path("lists/<str:list_id>/thread/<str:key>/", web.thread, name="thread"),
    path("lists/<str:list_id>/message/<str:hash_>/", web.message, name="message"),
    path("lists/<str:list_id>/message/<str:hash_>/raw", downloads.raw, name="raw"),
    path("lists/<str:list_id>/message/<str:hash_>/attachment/<int:number>/", downloads.attachment, name="attachment"),
]
