"""The names that IANA gives, held against dnspython's."""

import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest

from clusterdns import iana


@pytest.mark.parametrize("name", [name for name in iana.TYPES if name in dns.rdatatype.RdataType.__members__])
def test_types_have_the_numbers_that_others_know(name: str) -> None:
    assert iana.type_number(name.lower()) == dns.rdatatype.from_text(name)


def test_few_types_are_unknown_to_others() -> None:
    assert len(set(iana.TYPES) & set(dns.rdatatype.RdataType.__members__)) > 60


def test_classes_and_codes_have_the_numbers_that_others_know() -> None:
    assert all(iana.class_number(name) == dns.rdataclass.from_text(name) for name in ("IN", "CH", "HS", "NONE", "ANY", "CLASS9"))
    known = set(iana.RCODES) & set(dns.rcode.Rcode.__members__)
    assert len(known) > 18
    assert {name: iana.rcode_number(name) for name in known} == {name: int(dns.rcode.Rcode[name]) for name in known}


def test_a_type_without_a_name_is_written_with_its_number() -> None:
    assert iana.type_number("type65280") == 65280
    assert iana.type_number("TYPE65536") is None
    assert iana.type_number("TYPE") is None
    assert iana.class_number("CLASS65535") == 65535
    assert iana.rcode_number("RCODE5") is None
