"""Zone changes as they cross to the engine."""

from __future__ import annotations

import msgspec
import pytest

from clusterdns.zones import (
    AddressLabels,
    Exists,
    Group,
    Member,
    MemberSet,
    Owner,
    Port,
    Primitive,
    RRset,
    Synthesis,
    ZoneChange,
    encode_change,
)


@pytest.mark.parametrize(
    "data",
    [
        (),
        (Exists(),),
        (Synthesis(5),),
        (RRset(1, 5, ("10.0.0.1", "10.0.0.2")),),
        (MemberSet(5, ("10.0.0.1",), (Port("http", "tcp", 80),), (Group((), (Member("10.0.0.2", "a"),), "base"),), True, True),),
    ],
)
def test_a_change_is_read_again_as_it_was_written(data: tuple[Primitive, ...]) -> None:
    change = ZoneChange((Owner("a.b", 7, data, (16,)),), 1, replace=True, complete=False)
    assert msgspec.msgpack.decode(encode_change(change), type=ZoneChange) == change


def test_structs_are_arrays_and_say_what_they_are() -> None:
    owner, client = Owner("a", 7, (RRset(1, 5, ("10.0.0.1",)), Exists())), AddressLabels("10.0.0.1", ("shop", None))
    a = ["a", 7, [["rrset", 1, 5, ["10.0.0.1"]], ["exists"]], []]
    change = [[a], 1, False, True, False, [["10.0.0.1", ["shop", None]]]]
    assert msgspec.msgpack.decode(encode_change(ZoneChange((owner,), 1, addresses=(client,)))) == change
