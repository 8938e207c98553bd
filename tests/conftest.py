"""Where everything has to run (CLUSTERDNS_REQUIRE_ALL=1, as CI sets it), a test that is skipped for want of something has failed.

A skip that is right wherever the tests run says so: its reason begins with `by design:`.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

REQUIRE_ALL = "CLUSTERDNS_REQUIRE_ALL"
BY_DESIGN = "by design:"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Makes a failure of a skip that is not by design."""
    report = yield
    why = call.excinfo.value if call.excinfo is not None else None
    if os.environ.get(REQUIRE_ALL) and isinstance(why, pytest.skip.Exception) and not str(why).startswith(BY_DESIGN):
        report.outcome = "failed"
        report.longrepr = f"skipped, where all tests have to run ({REQUIRE_ALL}): {why}"
    return report
