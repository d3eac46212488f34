"""Addresses of the moderators' pages; notices to moderators link to them."""

from django.urls import path

from postroad.project.moderators import held, requests, texts

app_name = "moderators"
_LIST = "lists/<str:list_id>/"
urlpatterns = [
    path(f"{_LIST}held/", held.held, name="held"),
    path(f"{_LIST}held/<int:request_id>/", held.one, name="held_one"),
    path(f"{_LIST}held/<int:request_id>/raw", held.raw, name="held_raw"),
    path(f"{_LIST}requests/", requests.requests, name="requests"),
    path(f"{_LIST}texts/", texts.texts, name="texts"),
    path(f"{_LIST}texts/<str:name>/", texts.one, name="text"),
]
