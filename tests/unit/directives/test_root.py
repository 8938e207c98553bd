"""`root`: where the files of other directives are looked for."""

from clusterdns.corefile.problems import Severity
from clusterdns.hostsfile import HostsOptions
from tests.unit.directives.blocks import compile_lines, problems

WEIGHTS = {"conf/weights": "www.example.org\n192.0.2.1 2\n"}


def path_of_hosts(lines: str) -> str:
    """The path of the file that `hosts` reads."""
    (feed,) = compile_lines(lines).feeds
    assert isinstance(feed.options, HostsOptions)
    return feed.options.path


def test_relative_files_are_looked_for_there_wherever_the_line_stands() -> None:
    assert path_of_hosts("hosts names\nroot /srv") == "/srv/names"
    assert path_of_hosts("root /srv/\nhosts /etc/names") == "/etc/names"
    assert path_of_hosts("root a\nroot b\nhosts names") == "b/names"
    assert path_of_hosts("hosts names") == "names"


def test_weights_are_looked_for_there_and_watched_there() -> None:
    compilation = compile_lines("root conf\nloadbalance weighted weights", WEIGHTS)
    assert compilation.problems == ()
    assert [file.path for file in compilation.watched] == ["conf/weights"]


def test_certificates_are_looked_for_there() -> None:
    compilation = compile_lines("root keys\nforward . tls://192.0.2.1 {\ntls ca.pem\n}", {"keys/ca.pem": ""})
    assert [file.path for file in compilation.watched] == ["keys/ca.pem"]


def test_a_folder_that_is_not_there_is_a_warning() -> None:
    assert problems("root conf", Severity.WARNING, WEIGHTS) == []
    ((code, text),) = problems("root nowhere*", Severity.WARNING, WEIGHTS)
    assert code == "missing-root"
    assert "the folder nowhere* does not exist" in text


def test_there_is_one_path() -> None:
    assert [code for code, _ in problems("root")] == ["argument-count"]
    assert [code for code, _ in problems("root a b")] == ["argument-count"]
    assert [code for code, _ in problems("root a {\nx\n}")] == ["unexpected-block"]
