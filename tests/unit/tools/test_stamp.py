"""Stamps: a step is done again when, and only when, its inputs differ."""

import os
from pathlib import Path

from tools.stamp import Stamp, fingerprint_of_sources, fingerprint_of_texts


def test_a_stamp_is_fresh_after_it_was_written_and_stale_for_other_inputs(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path / "stamps/step", "one")
    assert not stamp.is_fresh()
    stamp.write()
    assert stamp.is_fresh()
    assert not Stamp(stamp.path, "two").is_fresh()


def test_the_fingerprint_of_texts_tells_where_one_ends() -> None:
    assert fingerprint_of_texts(["ab", "c"]) != fingerprint_of_texts(["a", "bc"])


def test_the_fingerprint_of_sources_changes_with_content_time_and_files(tmp_path: Path) -> None:
    crate = tmp_path / "crates/core"
    crate.mkdir(parents=True)
    source = crate / "lib.rs"
    source.write_text("one")
    seen = [fingerprint_of_sources([tmp_path])]

    source.write_text("longer")
    seen.append(fingerprint_of_sources([tmp_path]))
    os.utime(source, ns=(1, 1))
    seen.append(fingerprint_of_sources([tmp_path]))
    (crate / "new.rs").write_text("")
    seen.append(fingerprint_of_sources([tmp_path]))
    assert len(set(seen)) == len(seen)

    assert fingerprint_of_sources([tmp_path]) == seen[-1]


def test_a_file_that_is_missing_counts_as_nothing(tmp_path: Path) -> None:
    assert fingerprint_of_sources([tmp_path / "Cargo.lock"]) == fingerprint_of_sources([])
