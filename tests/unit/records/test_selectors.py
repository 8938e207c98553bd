"""Label selectors: rules N2 and N3."""

import pytest

from clusterdns.records.selectors import format_selector, matches, parse_selector


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        ("environment=prod", "environment=prod"),
        ("environment == prod", "environment=prod"),
        ("environment in (production, staging, qa),application=nginx", "application=nginx,environment in (production,qa,staging)"),
        ("application = nginx, environment in (qa,staging,production)", "application=nginx,environment in (production,qa,staging)"),
        ("istio-injection=enabled", "istio-injection=enabled"),
        ("tier", "tier"),
        ("!tier", "!tier"),
        ("! tier", "!tier"),
        ("tier!=web", "tier!=web"),
        ("tier notin (web)", "tier!=web"),
        ("tier in(web)", "tier=web"),
        ("app.kubernetes.io/name=web", "app.kubernetes.io/name=web"),
        ("tier=", "tier="),
    ],
)
def test_a_selector_has_one_canonical_text(text: str, canonical: str) -> None:
    assert format_selector(parse_selector(text)) == canonical
    assert parse_selector(canonical) == parse_selector(format_selector(parse_selector(canonical)))


@pytest.mark.parametrize(
    "text",
    [
        "environment in (production, qa",
        "a b",
        ",",
        "a=b,",
        "=b",
        "a=b=c",
        "a>1",
        "a in b",
        "in (a)",
        "a/b/c",
        "-a",
        "a=-b",
        "x" * 64,
        "a=" + "x" * 64,
    ],
)
def test_what_is_no_selector_is_an_error_that_says_why(text: str) -> None:
    with pytest.raises(ValueError, match="label"):
        parse_selector(text)


@pytest.mark.parametrize(
    ("text", "labels", "admitted"),
    [
        ("", {}, True),
        ("app=web", {"app": "web", "x": "y"}, True),
        ("app=web", {"app": "db"}, False),
        ("app=web", {}, False),
        ("app!=web", {}, True),
        ("app!=web", {"app": "web"}, False),
        ("app in (web,db)", {"app": "db"}, True),
        ("app notin (web,db)", {"app": "db"}, False),
        ("app notin (web,db)", {}, True),
        ("app", {"app": ""}, True),
        ("app", {}, False),
        ("!app", {}, True),
        ("!app", {"app": ""}, False),
        ("app=web,tier=front", {"app": "web", "tier": "back"}, False),
    ],
)
def test_a_selector_admits_objects_by_their_labels(text: str, labels: dict[str, str], admitted: bool) -> None:
    assert matches(parse_selector(text), labels) is admitted
