"""Stories of fixes, for tests of what starts their runs."""

from tests.stories.conftest import tell

__all__ = ["tell"]
