"""Children: they end with their block, whatever ends it, and when they do not want to."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import children
from tools.children import child

PYTHON = Path(sys.executable)
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """What a child's end does to the signals of this process is undone."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, action in kept.items():
        signal.signal(number, action)


def test_a_child_ends_with_its_block() -> None:
    with child(PYTHON, "-c", "import signal; signal.pause()") as process:
        assert process.poll() is None
    assert process.returncode == -signal.SIGTERM


def test_a_child_ends_when_the_block_fails() -> None:
    with pytest.raises(KeyError), child(PYTHON, "-c", "import signal; signal.pause()") as process:
        raise KeyError
    assert process.returncode == -signal.SIGTERM


def test_a_child_that_does_not_want_to_end_is_killed(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(children, "PATIENCE", 0.05)
    with child(PYTHON, "-c", STUBBORN) as process:
        while "deaf" not in capfd.readouterr().out:
            assert process.poll() is None
    assert process.returncode == -signal.SIGKILL
