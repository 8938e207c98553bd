"""The bench of following an API server: that it changes what it says it changes. What it measures is measured by it."""

from bench.cluster import Size, endpoint_slice, objects
from bench.live import Target, _shares, _targets
from bench.plane import PATHS, path_of

SIZE = Size(100, 1000)


def test_a_target_is_the_slice_that_the_cluster_has() -> None:
    slices = {thing["metadata"]["name"]: thing for thing in objects(SIZE) if thing["kind"] == "EndpointSlice"}
    for number in range(SIZE.services):
        target = Target(number, SIZE)
        assert slices[target.slice["metadata"]["name"]] == target.slice


def test_targets_are_headless_and_all_different() -> None:
    targets = _targets(SIZE)
    assert len({target.name for target in targets}) == len(targets) == 10
    assert all("service.kubernetes.io/headless" in target.slice["metadata"]["labels"] for target in targets)


def test_each_object_has_a_place_in_the_api() -> None:
    for thing in objects(SIZE):
        assert path_of(thing) == PATHS[thing["kind"]].replace("{}", "team-000")
    assert endpoint_slice(3, 0, 0)["endpoints"] is None


def test_shares_are_in_milliseconds() -> None:
    assert _shares([0.001 * number for number in range(1, 101)]) == (50.5, 100.0, 100.0)
