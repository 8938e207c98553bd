"""Requests, limits, and connections that end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from clusterdns.kube.access import Access, AccessError, NoCredentials, TokenFile
from clusterdns.kube.api import Allowance, Api, Refused, Unreachable, watch_over
from tests.faults.apiserver import ApiServer, Request, page, refuse, stream


def api_of(server: ApiServer, path: str = "") -> Api:
    return Api(lambda: Access(server.url + path, NoCredentials()))


def test_a_whole_answer_and_the_path_of_a_proxy_in_front() -> None:
    with ApiServer() as server:
        server.script["services"] += [page(b"body")]
        assert api_of(server, "/k8s/clusters/c-1").get("/api/v1/services") == b"body"
        assert server.paths == ["/k8s/clusters/c-1/api/v1/services"]


def test_a_refusal_has_its_status_and_how_long_to_wait() -> None:
    with ApiServer() as server:
        server.script["services"] += [refuse(429, b"slow down", Retry_After="7"), refuse(503)]
        with pytest.raises(Refused) as refused:
            api_of(server).get("/api/v1/services")
        assert (refused.value.status.code, refused.value.retry_after) == (429, 7.0)
        with pytest.raises(Refused, match="Service Unavailable"):
            api_of(server).stream("/api/v1/services")


def test_an_answer_that_is_cut_is_none() -> None:
    with ApiServer() as server:
        server.script["services"] += [stream(b"half", Request.cut)]
        with pytest.raises(Unreachable, match="the answer was cut"):
            api_of(server).get("/api/v1/services")


@pytest.mark.parametrize("end", [Api.cut, Api.close])
def test_a_blocked_read_ends_at_once(end: Callable[[Api], None]) -> None:
    with ApiServer() as server:
        server.script["services"] += [stream(b"line\n", Request.hang)]
        api = api_of(server)
        body = api.stream("/api/v1/services")
        assert body.read() == b"line\n"
        ended: list[object] = []

        def read() -> None:
            try:
                ended.append(body.read())
            except Unreachable as why:
                ended.append(why)

        reader = Thread(target=read)
        reader.start()
        end(api)
        reader.join()
        assert isinstance(ended[0], Unreachable)
        body.close()


def test_nothing_is_asked_after_the_end() -> None:
    with ApiServer() as server:
        api = api_of(server)
        api.close()
        api.rest(60)
        with pytest.raises(Unreachable):
            api.get("/api/v1/services")
        watch_over(api, 60)
        assert server.paths == []


def test_a_401_makes_the_token_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("one")
    with ApiServer() as server:
        token = TokenFile(str(tmp_path / "token"))
        api = Api(lambda: Access(server.url, token))
        server.script["services"] += [refuse(401), page(b"")]
        with pytest.raises(Refused):
            api.get("/api/v1/services")
        (tmp_path / "token").write_text("two")
        api.get("/api/v1/services")
        assert [headers["Authorization"] for _, headers in server.requests] == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ("ftp://x", "is no URL of an API server"),
        ("https://", "is no URL"),
        ("http://x:port", "Port could not be cast"),
        ("http://127.0.0.1:1", "refused"),
    ],
)
def test_a_server_that_cannot_be_reached_is_named(server: str, message: str) -> None:
    with pytest.raises(Unreachable, match=message):
        Api(lambda: Access(server, NoCredentials())).get("/")


def test_no_way_to_the_server_is_told_as_it_is() -> None:
    def find() -> Access:
        raise AccessError("the token cannot be read")

    with pytest.raises(Unreachable, match=r"^the token cannot be read$"):
        Api(find).get("/")
    assert not Api(find).alive()


def test_a_process_that_has_been_replaced_is_not_alive() -> None:
    with ApiServer() as server:
        api = api_of(server)
        server.script["version"] += [page(b"{}"), lambda request: request.reset()]
        assert api.alive()
        assert not api.alive()
        assert api.alive()
        api.hang_up()


def test_the_limits_of_the_Corefile_are_kept() -> None:
    now = [100.0]
    waits: list[float] = []

    def rest(seconds: float) -> None:
        waits.append(round(seconds, 3))
        now[0] += seconds

    allowance = Allowance(2.0, 3, rest, lambda: now[0])
    for _ in range(5):
        allowance.take()
    assert waits == [0.5, 0.5]
    now[0] += 60
    for _ in range(4):
        allowance.take()
    assert waits == [0.5, 0.5, 0.5]


def test_so_many_requests_at_once() -> None:
    with ApiServer() as server:
        server.script["services"] += [page(b"a"), page(b"b")]
        api = Api(lambda: Access(server.url, NoCredentials()), qps=1000, burst=2, inflight=1)
        assert [api.get("/api/v1/services"), api.get("/api/v1/services")] == [b"a", b"b"]


def test_a_server_that_is_slow_is_alive_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clusterdns.kube.api.ALIVE_SECONDS", 0.01)
    with ApiServer() as server:
        server.script["version"] += [Request.hang] * 3
        assert [api.alive() for api in [api_of(server)] * 3] == [True, True, False]
