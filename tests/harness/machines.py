"""Kafka, Chromium and the real data: what a machine has or has not."""

from __future__ import annotations

import gc
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.kafka import find_java, jar_folder, start_kafka, stop_kafka
from deploy.local.processes import CannotStart
from tests.harness.requirements import cannot_have

_BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_OF_A_CONNECTION = (
    "Unclosed AIOKafkaConnection",
    "loop is closed",
    "unclosed transport",
    "unclosed <socket",
)
_REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The broker of this session: `REDRESS_TEST_KAFKA_BOOTSTRAP`, else one started for it.

    Tests share it: topics and groups must have names of their own.
    """
    given = os.environ.get("REDRESS_TEST_KAFKA_BOOTSTRAP")
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp("kafka")
    try:
        started = start_kafka(folder, with_parent=True)
    except CannotStart as failure:
        cannot_have("KAFKA", str(failure))
    yield started.bootstrap
    stop_kafka(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def kafka_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a broker that this test starts, kills and starts again (`start_kafka`)."""
    try:
        find_java()
        jar_folder()
    except CannotStart as failure:
        cannot_have("KAFKA", str(failure))
    folder = tmp_path / "kafka"
    yield folder
    stop_kafka(folder)


@pytest.fixture(autouse=True)
def what_aiokafka_lets_go_of_late(request: pytest.FixtureRequest) -> Iterator[None]:
    """Collect connections that aiokafka was making when it was closed, with the test they are of.

    It forgets them without closing them. The collector would warn of them in whichever test it
    comes by next, and fail that one.
    """
    yield
    if request.node.get_closest_marker("kafka") is not None:
        with warnings.catch_warnings():
            # Its consumers, producers and all that is ours are warned of as ever.
            for message in _OF_A_CONNECTION:
                warnings.filterwarnings("ignore", message, ResourceWarning)
            gc.collect()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser: `REDRESS_TEST_CHROMIUM`, else the one on the path."""
    given = os.environ.get("REDRESS_TEST_CHROMIUM")
    found = given or next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        cannot_have("BROWSER", "the pages are looked at in Chromium: no chromium on this machine")
    return found


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real complaints beside the repository (`REDRESS_TEST_DATA`, else `../shared/data`)."""
    given = os.environ.get("REDRESS_TEST_DATA")
    folder = Path(given) if given else _REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data are not here: no ../shared/data")
    return folder
