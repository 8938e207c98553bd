"""Files that a plan was made from: a change of them is taken up, without a change of the Corefile."""

from __future__ import annotations

from pathlib import Path

from tests.server.process import replace, served

WEIGHTED = """\
.:PORT {
    bind 127.0.0.1
    loadbalance weighted weights {
        reload 50ms
    }
    whoami
}
"""


def test_a_changed_file_is_taken_up_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("www.example.org\n192.0.2.1 1\n")
    with served(tmp_path, WEIGHTED) as server:
        replace(tmp_path / "weights", "www.example.org\n192.0.2.1 2\n")
        seen = server.wait_for("[INFO] Reloading complete")
        replace(tmp_path / "weights", "www.example.org\n192.0.2.1 x\n")
        seen = server.wait_for("[ERROR] Restart failed", seen)
        assert "weights:2: `x` is no whole number" in server.lines[seen - 1]
        assert server.ask("a.test.").additional
        replace(tmp_path / "weights", "www.example.org\n192.0.2.1 3\n")
        server.wait_for("[INFO] Reloading complete", seen)
    # What was refused is told once, however often the file is looked at.
    assert len([line for line in server.lines if "Restart failed" in line]) == 1
    assert len([line for line in server.lines if line == "[INFO] Reloading complete"]) == 2
