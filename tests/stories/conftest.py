"""What the stories stand on: a sink in place of the world, and a site that delivers to it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.running_site import Site
from tests.stories.sink import Sink


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()


@pytest.fixture
def site(sink) -> Iterator[Site]:
    """A site that is not started yet; what it sends arrives at `sink`."""
    with tempfile.TemporaryDirectory(prefix="postroad-story-") as folder:
        made = Site(Path(folder) / "home", sink.port)
        yield made
        made.close()
