"""Addresses of the archive."""

from django.urls import path

from postroad.mailflow.archive import (
    downloads,
    feeds,
    hyperkitty_archiver,
    hyperkitty_reading,
    searching,
    taking_part,
    web,
)

app_name = "archive"

_LIST = "lists/<str:list_id>/"
_THREAD = f"{_LIST}thread/<str:key>/"
_MESSAGE = f"{_LIST}message/<str:hash_>/"

urlpatterns = [
    path("", web.home, name="home"),
    path("favorites/", taking_part.favorites, name="favorites"),
    path("search/", searching.search, name="search"),
    path("search/help/", searching.help_page, name="search_help"),
    path("search/feed.atom", searching.feed, name="search_feed"),
    path("search/description.xml", searching.description, name="search_description"),
    path(_LIST, web.overview, name="overview"),
    path(f"{_LIST}read/", taking_part.mark_list_read, name="mark_list_read"),
    path(f"{_LIST}search/", searching.search, name="list_search"),
    path(f"{_LIST}search/feed.atom", searching.feed, name="list_search_feed"),
    path(f"{_LIST}feed.atom", feeds.of_list, name="feed"),
    path(f"{_LIST}archive/<int:year>/<int:month>/", web.month, name="month"),
    path(f"{_LIST}archive/<int:year>/<int:month>.mbox.gz", downloads.mbox, name="mbox"),
    path(f"{_LIST}mail/<path:message_id>", web.by_message_id, name="by_message_id"),
    path(_THREAD, web.thread, name="thread"),
    path(f"{_THREAD}feed.atom", feeds.of_thread, name="thread_feed"),
    path(f"{_THREAD}mbox.gz", downloads.thread_mbox, name="thread_mbox"),
    path(f"{_THREAD}tags/", taking_part.tags, name="tags"),
    path(f"{_THREAD}favorite/", taking_part.favorite, name="favorite"),
    path(f"{_THREAD}read/", taking_part.mark_read, name="mark_read"),
    path(f"{_THREAD}category/", taking_part.category, name="category"),
    path(f"{_THREAD}reattach/", taking_part.reattach, name="reattach"),
    path(f"{_THREAD}delete/", taking_part.delete_thread, name="delete_thread"),
    path(_MESSAGE, web.message, name="message"),
    path(f"{_MESSAGE}raw", downloads.raw, name="raw"),
    path(f"{_MESSAGE}attachment/<int:number>/", downloads.attachment, name="attachment"),
    path(f"{_MESSAGE}picture/<int:number>/", downloads.picture, name="picture"),
    path(f"{_MESSAGE}vote/", taking_part.vote, name="vote"),
    path(f"{_MESSAGE}delete/", taking_part.delete_message, name="delete_message"),
]

_API = (
    # Where a Mailman Core archives, and programs read; the plugin's base_url ends in either of the two prefixes.
    ("mailman/urls", hyperkitty_archiver.urls, "urls"),
    ("mailman/archive", hyperkitty_archiver.take, "take"),
    ("lists/", hyperkitty_reading.lists, "lists"),
    ("list/<str:name>/", hyperkitty_reading.one_list, "list"),
    ("list/<str:name>/threads/", hyperkitty_reading.threads, "threads"),
    ("list/<str:name>/thread/<str:key>/", hyperkitty_reading.one_thread, "thread"),
    ("list/<str:name>/thread/<str:key>/emails/", hyperkitty_reading.thread_emails, "thread_emails"),
    ("list/<str:name>/emails/", hyperkitty_reading.emails, "emails"),
    ("list/<str:name>/email/<str:hash_>/", hyperkitty_reading.one_email, "email"),
    ("sender/<str:sender>/emails/", hyperkitty_reading.sender_emails, "sender_emails"),
    ("tags/", hyperkitty_reading.tags, "tags"),
)
urlpatterns += [path(f"archives/api/{suffix}", view) for suffix, view, _ in _API]
urlpatterns += [path(f"hyperkitty/api/{suffix}", view, name=f"hk_{name}") for suffix, view, name in _API]
