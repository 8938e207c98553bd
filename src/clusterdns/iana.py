"""The numbers behind the names of record types, classes and response codes, as IANA registers them.

Letters of either case mean the same; the tables have the upper ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

TYPES: Final[Mapping[str, int]] = {
    **{"A": 1, "NS": 2, "MD": 3, "MF": 4, "CNAME": 5, "SOA": 6, "MB": 7, "MG": 8, "MR": 9, "NULL": 10, "PTR": 12, "HINFO": 13},
    **{"MINFO": 14, "MX": 15, "TXT": 16, "RP": 17, "AFSDB": 18, "X25": 19, "ISDN": 20, "RT": 21, "NSAP-PTR": 23, "SIG": 24},
    **{"KEY": 25, "PX": 26, "GPOS": 27, "AAAA": 28, "LOC": 29, "NXT": 30, "EID": 31, "NIMLOC": 32, "SRV": 33, "ATMA": 34},
    **{"NAPTR": 35, "KX": 36, "CERT": 37, "DNAME": 39, "OPT": 41, "APL": 42, "DS": 43, "SSHFP": 44, "IPSECKEY": 45, "RRSIG": 46},
    **{"NSEC": 47, "DNSKEY": 48, "DHCID": 49, "NSEC3": 50, "NSEC3PARAM": 51, "TLSA": 52, "SMIMEA": 53, "HIP": 55, "NINFO": 56},
    **{"RKEY": 57, "TALINK": 58, "CDS": 59, "CDNSKEY": 60, "OPENPGPKEY": 61, "CSYNC": 62, "ZONEMD": 63, "SVCB": 64, "HTTPS": 65},
    **{"SPF": 99, "UINFO": 100, "UID": 101, "GID": 102, "UNSPEC": 103, "NID": 104, "L32": 105, "L64": 106, "LP": 107, "EUI48": 108},
    **{"EUI64": 109, "NXNAME": 128, "TKEY": 249, "TSIG": 250, "IXFR": 251, "AXFR": 252, "MAILB": 253, "MAILA": 254, "ANY": 255},
    **{"URI": 256, "CAA": 257, "AVC": 258, "AMTRELAY": 260, "RESINFO": 261, "TA": 32768, "DLV": 32769},
}

CLASSES: Final[Mapping[str, int]] = {"IN": 1, "CS": 2, "CH": 3, "HS": 4, "NONE": 254, "ANY": 255}

RCODES: Final[Mapping[str, int]] = {
    **{"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "NOTIMPL": 4, "REFUSED": 5, "YXDOMAIN": 6, "YXRRSET": 7},
    **{"NXRRSET": 8, "NOTAUTH": 9, "NOTZONE": 10, "DSOTYPENI": 11, "BADVERS": 16, "BADSIG": 16, "BADKEY": 17, "BADTIME": 18},
    **{"BADMODE": 19, "BADNAME": 20, "BADALG": 21, "BADTRUNC": 22, "BADCOOKIE": 23},
}
"""With one of CoreDNS's own ways to write NOTIMP."""

_UNNAMED_TYPE = re.compile(r"TYPE([0-9]{1,5})")
_UNNAMED_CLASS = re.compile(r"CLASS([0-9]{1,5})")
_MOST = 65535


def type_number(name: str) -> int | None:
    """The number of a record type by its name, or by `TYPE123` (RFC 3597 5)."""
    return TYPES.get(name.upper(), _unnamed(_UNNAMED_TYPE, name))


def class_number(name: str) -> int | None:
    """The number of a class by its name, or by `CLASS123` (RFC 3597 5)."""
    return CLASSES.get(name.upper(), _unnamed(_UNNAMED_CLASS, name))


def rcode_number(name: str) -> int | None:
    """The number of a response code by its name."""
    return RCODES.get(name.upper())


def _unnamed(pattern: re.Pattern[str], name: str) -> int | None:
    """The number that stands in a name which is none."""
    found = pattern.fullmatch(name.upper())
    return int(found[1]) if found and int(found[1]) <= _MOST else None
