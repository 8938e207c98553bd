"""The feed from manifests: what is given when, and again when it could not be applied."""

from __future__ import annotations

from pathlib import Path

from clusterdns.control.manifestfeed import ManifestFeed
from clusterdns.control.origins import Origins
from clusterdns.records.options import ClusterOptions

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {clusterIP: 10.96.0.7, ports: [{port: 80}]}\n"


def fed(tmp_path: Path) -> tuple[ManifestFeed, Path]:
    """A feed of one Service, and its file."""
    file = tmp_path / "web.yaml"
    file.write_text(SERVICE)
    return ManifestFeed("z", ClusterOptions(manifests=(str(file),)), (), Origins()), file


def names(feed: ManifestFeed) -> set[str]:
    """The names in the feed's next transaction."""
    change = feed.poll(1).change
    return set() if change is None else {owner.name for owner in change.owners}


def test_what_has_been_given_is_not_given_again(tmp_path: Path) -> None:
    feed, _ = fed(tmp_path)
    assert "web.shop.svc" in names(feed)
    assert names(feed) == set()


def test_what_could_not_be_applied_is_given_again_though_no_file_has_changed(tmp_path: Path) -> None:
    feed, _ = fed(tmp_path)
    first = names(feed)
    feed.undo()
    assert names(feed) == first
    assert names(feed) == set()
