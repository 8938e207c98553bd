"""Rule G6: the keys of a server block."""

import pytest

from clusterdns.corefile.keys import InvalidKey, Key, parse_key, zone_origins


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (".", [".:53"]),
        (".:5353", [".:5353"]),
        ("Example.ORG", ["example.org.:53"]),
        ("dns://example.org:1053", ["example.org.:1053"]),
        ("example.org.:0", ["example.org.:0"]),
        ("10.0.0.0/8:53", ["10.in-addr.arpa.:53"]),
        ("10.2.0.0/15", ["2.10.in-addr.arpa.:53", "3.10.in-addr.arpa.:53"]),
        ("2001:db8::/32", ["8.b.d.0.1.0.0.2.ip6.arpa.:53"]),
        ("2001:db8::/32:1053", ["8.b.d.0.1.0.0.2.ip6.arpa.:1053"]),
        ("10.0.0.0/33", ["10.0.0.0/33.:53"]),
        ("foo://.:53", ["foo://.:53"]),
        ("example.org:x", ["example.org:x.:53"]),
    ],
)
def test_G6_a_key_is_a_zone_and_a_port(text: str, keys: list[str]) -> None:
    assert [f"{key.zone}:{key.port}" for key in parse_key(text)] == keys


def test_G6_the_default_port_is_a_parameter() -> None:
    assert parse_key("org", default_port=1053) == (Key("dns", "org.", 1053),)
    assert str(parse_key(".")[0]) == "dns://.:53"


def test_G6_tls_has_a_default_port_of_its_own() -> None:
    assert parse_key("tls://Example.org", default_port=1053) == (Key("tls", "example.org.", 853),)
    assert [str(key) for key in parse_key("tls://10.0.0.0/15:8853")] == ["tls://0.10.in-addr.arpa.:8853", "tls://1.10.in-addr.arpa.:8853"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("example.org:", "ends where a port should be"),
        ("", "cannot be empty"),
        ("dns://", "cannot be empty"),
        (".:99999", "no port"),
        (".:-1", "no port"),
        (".:" + "9" * 5000, "no port"),
        ("a..b:53", "two dots"),
        (":53", "cannot be empty"),
        ("a" * 64, "at most 63 octets"),
        ("a." * 150, "at most 255 characters, this has 300"),
        ("::/0", "no prefix that can be served"),
        ("0::/8", "no prefix that can be served"),
    ],
)
def test_G6_a_text_that_is_no_key_says_why(text: str, reason: str) -> None:
    with pytest.raises(InvalidKey, match=reason):
        parse_key(text)


@pytest.mark.parametrize("scheme", ["quic", "grpc", "https", "https3", "unix"])
def test_G6_other_schemes_are_not_supported_yet(scheme: str) -> None:
    with pytest.raises(InvalidKey, match=f"{scheme}://` is not supported yet") as raised:
        parse_key(f"{scheme}://example.org")
    assert "dns://" in raised.value.hint


def test_G6_an_argument_of_a_directive_names_zones_as_a_key_does() -> None:
    assert zone_origins("Cluster.Local") == ("cluster.local.",)
    assert zone_origins("dns://cluster.local:53") == ("cluster.local.",)
    assert len(zone_origins("10.0.0.0/27")) == 32
