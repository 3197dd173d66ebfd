"""What is at stake of a cause, once what follows from it is known."""

from datetime import time, timedelta

from rules.hours import Hours
from rules.incident import Stakes
from rules.priority import Impact, Urgency
from rules.stakes import reweigh, with_deadline_of
from tests.rules.build import HOUR, NOW, make_book


def test_wrong_data_downstream_of_what_is_late_is_not_said_of_what_is_late() -> None:
    late = Stakes(name="Orders", product="orders", impact=Impact.SIGNIFICANT,
                  urgency=Urgency.HIGH, deadline=NOW + 5 * HOUR)  # fmt: skip
    readers = Hours(time(0), time(0), "UTC")
    wrong = Stakes(name="Sales", product="sales", impact=Impact.SIGNIFICANT,
                   urgency=Urgency.CRITICAL, deadline=NOW, consumers=readers)  # fmt: skip
    both = with_deadline_of(late, wrong)
    assert both is not None
    assert (both.product, both.promised, both.consumers) == ("orders", "Sales", readers)
    again = reweigh(both, make_book(), NOW + timedelta(minutes=1)).stakes
    assert (again.promised, again.consumers) == ("Sales", readers)
