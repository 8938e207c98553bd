"""`metadata`"""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.plan.labels import AddressLabel, Metadata, TextLabel, UpstreamLabel
from clusterdns.plan.ops import LogOp, ZoneOp
from tests.unit.directives.blocks import compile_lines, problems

KUBERNETES = "kubernetes example.org {\npods verified\n}"


def metadata_of(lines: str) -> Metadata | None:
    """What the plan says of the labels of these lines, which have no problems."""
    compilation = compile_lines(lines)
    assert compilation.problems == ()
    assert compilation.plan is not None
    return compilation.plan.blocks[0].metadata


@pytest.mark.parametrize("lines", ["metadata", "metadata a.example.org", "metadata\nforward . 192.0.2.1\nlog"])
def test_labels_that_nobody_asks_for_are_not_kept(lines: str) -> None:
    assert metadata_of(lines) is None


@pytest.mark.parametrize(
    ("words", "zones"), [("", ["example.org."]), (" a.example.org B.example.org", ["a.example.org.", "b.example.org."])]
)
def test_the_zones_are_those_of_the_block_or_of_the_line(words: str, zones: list[str]) -> None:
    metadata = metadata_of(f'metadata{words}\nforward . 192.0.2.1\nlog . "{{/forward/upstream}}"')
    assert metadata == Metadata(zones, {"forward/upstream": UpstreamLabel()}, [])


def test_labels_of_logs_and_views_are_found_whatever_the_order() -> None:
    metadata = metadata_of("log . \"{/view/name}\"\nview v {\nexpr metadata('forward/upstream') == ''\n}\nmetadata\nforward . 192.0.2.1")
    assert metadata is not None
    assert metadata.labels == {"view/name": TextLabel("v"), "forward/upstream": UpstreamLabel()}


def test_labels_of_the_reply_are_for_the_log_alone() -> None:
    plan = compile_lines('metadata\nlog . "{/log/type} {/log/class}"').plan
    assert plan is not None
    (op,) = plan.blocks[0].program
    assert isinstance(op, LogOp)
    assert op.rules[0].format == ["", "/log/type", " ", "/log/class", ""]


def test_labels_of_a_client_are_kept_by_the_zone_if_somebody_asks_for_them() -> None:
    lines = f'metadata\n{KUBERNETES}\nlog . "{{/kubernetes/client-pod-name}} {{/kubernetes/client-label/app.kubernetes.io/name}}"'
    compilation = compile_lines(lines)
    assert compilation.problems == ()
    assert compilation.plan is not None
    block = compilation.plan.blocks[0]
    zone = next(op.zone for op in block.program if isinstance(op, ZoneOp))
    wanted = ("kubernetes/client-label/app.kubernetes.io/name", "kubernetes/client-pod-name")
    assert block.metadata is not None
    assert block.metadata.labels == {wanted[1]: AddressLabel(zone, 1), wanted[0]: AddressLabel(zone, 0)}
    assert compilation.feeds[0].options.client_labels == wanted  # type: ignore[attr-defined]
    nobody = compile_lines(KUBERNETES)
    assert nobody.feeds[0].options.client_labels == ()  # type: ignore[attr-defined]


def test_two_blocks_of_one_cluster_share_its_feed_whoever_asks() -> None:
    from clusterdns.compiler import compile_plan
    from clusterdns.corefile.syntax import parse_corefile
    from clusterdns.sources import sources_of_texts

    view = "view shop {\n expr metadata('kubernetes/client-namespace') == 'shop'\n }\n metadata\n"
    cluster = "kubernetes cluster.local {\n pods verified\n }\n"
    sources = sources_of_texts({"Corefile": f".:53 {{\n {view} {cluster} }}\n.:53 {{\n {cluster} }}\n"})
    compilation = compile_plan(parse_corefile("Corefile", sources), sources)
    assert compilation.problems == ()
    assert len(compilation.feeds) == 1


def test_parts_of_the_name_have_labels() -> None:
    metadata = metadata_of(f'metadata\n{KUBERNETES}\nlog . "{{/kubernetes/service}}"')
    assert metadata is not None
    (grammar,) = metadata.names
    assert grammar.origins == ["example.org."]


@pytest.mark.parametrize(
    ("lines", "code"),
    [("metadata {\n}", "unexpected-block"), ("metadata\nmetadata", "used-twice"), ("metadata foo..bar", "bad-name")],
)
def test_what_is_wrong_is_told(lines: str, code: str) -> None:
    assert [found for found, _ in problems(lines)] == [code]


def test_labels_of_a_client_need_pods_that_are_known() -> None:
    lines = 'metadata\nkubernetes example.org {\npods insecure\n}\nlog . "{/kubernetes/client-namespace}"'
    [(code, text)] = problems(lines, Severity.WARNING)
    assert code == "empty-label"
    assert "pods verified" in text
