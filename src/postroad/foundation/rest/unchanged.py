"""Answers a question again, word for word, to who asks it over and over, as long as nothing at all was written.

A page of fifty memberships costs the database and us far more to make than to ask whether anything was written since.
Who asks for the first time pays nothing for this, who asks on one short question more.
"""

import functools
import threading
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from postroad.foundation.rest.operation import View
from postroad.foundation.rest.resource import again
from postroad.foundation.walking import State, present

MOST_OCTETS = 4_000_000
"""Of answers that one thread keeps, each counted with `_OF_A_QUESTION` for its question; then it begins anew."""
_OF_A_QUESTION = 1000


class _Answers(threading.local):
    """What was asked, and what was answered in which state of the database to what was asked twice."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.kept: dict[str, tuple[State, HttpResponse] | None] = {}
        self.octets = 0

    def keep(self, question: str, answer: tuple[State, HttpResponse] | None) -> None:
        """Keep this in place of what was kept for the question."""
        self.octets += _octets(answer) - (_octets(self.kept[question]) if question in self.kept else 0)
        self.kept[question] = answer
        if self.octets > MOST_OCTETS:
            self.forget()


def _octets(answer: tuple[State, HttpResponse] | None) -> int:
    return _OF_A_QUESTION + (len(answer[1].content) if answer else 0)


_answers = _Answers()


def while_unchanged(view: View) -> View:
    """The same view, which must read nothing but its address, its parameters and the database."""

    @functools.wraps(view)
    def answer(request: HttpRequest, *values: Any, **arguments: Any) -> HttpResponse:
        if connection.in_atomic_block or request.body:
            return view(request, *values, **arguments)
        question = f"{request.path_info}?{request.META.get('QUERY_STRING', '')}"
        if question not in _answers.kept:
            _answers.keep(question, None)
            return view(request, *values, **arguments)
        now = present()
        known = _answers.kept[question]
        if known is not None and known[0] == now:
            return again(known[1])
        response = view(request, *values, **arguments)
        _answers.keep(question, (now, response))  # Was something written meanwhile? No state comes a second time.
        return response

    return answer
