"""The browser of tests, where there is one."""

import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),  # all tests of a process share one browser
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
