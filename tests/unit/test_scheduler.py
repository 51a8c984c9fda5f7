from datetime import UTC, datetime, timedelta

import pytest

from withearth.local.scheduler import CLOUD_JOBS, REPLAY_JOBS, Job, Scheduler

MINUTE = timedelta(minutes=1)
MIDNIGHT = datetime(2024, 1, 1, tzinfo=UTC)
EVERY_FIVE = Job("dispatcher", "*/5 * * * *")


def _functions(scheduler: Scheduler) -> tuple[datetime, list[str]]:
    at, jobs = scheduler.pop()
    return at, [job.function for job in jobs]


def _fired(jobs: list[Job], start: datetime, count: int) -> list[datetime]:
    scheduler = Scheduler(jobs, start)
    return [scheduler.pop()[0] for _ in range(count)]


def test_a_start_on_a_firing_minute_fires_at_once() -> None:
    """The instant of the start is not skipped."""
    assert MIDNIGHT == Scheduler([EVERY_FIVE], MIDNIGHT).due()


@pytest.mark.parametrize(
    "late", [timedelta(microseconds=1), timedelta(seconds=1), MINUTE, timedelta(minutes=4, seconds=59)]
)
def test_a_start_after_a_firing_waits_for_the_next(late: timedelta) -> None:
    """What was due before is not made up for."""
    assert MIDNIGHT + 5 * MINUTE == Scheduler([EVERY_FIVE], MIDNIGHT + late).due()


def test_a_job_fires_at_every_time_its_expression_names() -> None:
    """Once each, over the end of the day and the year."""
    start = datetime(2023, 12, 31, 23, 52, tzinfo=UTC)

    assert [start + minutes * MINUTE for minutes in (3, 8, 13)] == _fired([EVERY_FIVE], start, 3)


def test_instants_are_in_utc() -> None:
    """As bars are."""
    assert [timedelta(0)] * 3 == [at.utcoffset() for at in _fired([Job("any", "0 0 * * *")], MIDNIGHT, 3)]


@pytest.mark.parametrize("order", [["first", "second"], ["second", "first"]])
def test_jobs_of_one_instant_keep_their_order(order: list[str]) -> None:
    """The dispatcher is called before the reconciler because it stands first, whatever it is called."""
    scheduler = Scheduler([Job(name, "*/5 * * * *") for name in order], MIDNIGHT)

    assert (MIDNIGHT, order) == _functions(scheduler)
    assert (MIDNIGHT + 5 * MINUTE, order) == _functions(scheduler)


def test_jobs_keep_their_order_where_their_schedules_meet() -> None:
    """Also when one has fired alone in between."""
    scheduler = Scheduler([EVERY_FIVE, Job("reconciler", "* * * * *")], MIDNIGHT)
    fired = [_functions(scheduler) for _ in range(6)]

    assert (MIDNIGHT, ["dispatcher", "reconciler"]) == fired[0]
    assert [(MIDNIGHT + minute * MINUTE, ["reconciler"]) for minute in (1, 2, 3, 4)] == fired[1:5]
    assert (MIDNIGHT + 5 * MINUTE, ["dispatcher", "reconciler"]) == fired[5]


def test_looking_does_not_fire() -> None:
    """What is due stays due until it is taken."""
    scheduler = Scheduler([EVERY_FIVE], MIDNIGHT)

    assert scheduler.due() == scheduler.due() == scheduler.pop()[0]
    assert scheduler.due() == MIDNIGHT + 5 * MINUTE


@pytest.mark.parametrize("jobs", [CLOUD_JOBS, REPLAY_JOBS])
def test_every_bar_is_dispatched_before_it_is_reconciled(jobs: list[Job]) -> None:
    """In the cloud's schedule as in the replay's, at each of the 288 closes of a day."""
    scheduler = Scheduler(jobs, MIDNIGHT)
    closes = []
    while scheduler.due() < MIDNIGHT + timedelta(days=1):
        at, functions = _functions(scheduler)
        if "dispatcher" in functions:
            assert ["dispatcher", "reconciler"] == functions
            closes.append(at)

    assert [MIDNIGHT + number * 5 * MINUTE for number in range(288)] == closes
