"""Rule G4: environment variables inside words."""

import pytest

from clusterdns.corefile.variables import EndlessVariable, substitute

ENVIRONMENT = {"X": "x", "SPACES": "a b", "NESTED": "{$X}{%X%}", "LATE": "{%X%}", "EMPTY": "", "BYTES": "a\udcff"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{$X}", "x"),
        ("{%X%}", "x"),
        ("a{$X}b{$X}", "axbx"),
        ("{$UNSET}", ""),
        ("{$EMPTY}a", "a"),
        ("{$SPACES}", "a b"),
        ("{$NESTED}", "x{%X%}"),
        ("{%NESTED%}", "xx"),
        ("{$LATE}", "{%X%}"),
        ("{$X", "{$X"),
        ("{$}{$X}", "{$}{$X}"),
        ("{%%}{%X%}", "{%%}{%X%}"),
        ("{%}", "{%}"),
        ("$X %X%", "$X %X%"),
        ("{$BYTES}", "a?"),
    ],
)
def test_G4_variables_are_replaced_where_they_stand(text: str, expected: str) -> None:
    assert substitute(text, ENVIRONMENT) == expected


@pytest.mark.parametrize("environment", [{"A": "{$A}"}, {"A": "{$B}", "B": "{$A}"}, {"A": "{$A}{$A}"}, {"A": "x" * 2_000_000}])
def test_G4_variables_that_never_end_are_refused(environment: dict[str, str]) -> None:
    with pytest.raises(EndlessVariable, match="without end"):
        substitute("{$A}", environment)
