"""Readings: asked when due, one after the other; the last answer stays when there is none."""

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection
from prometheus_client.core import GaugeMetricFamily, Metric

from ecommerce.monitoring.readings import Reading, Readings

pytestmark = pytest.mark.django_db(transaction=True)


class Question:
    """Answers 1, 2, 3 …, or fails while `broken`."""

    def __init__(self) -> None:
        self.asked = 0
        self.broken = False

    def __call__(self) -> list[Metric]:
        self.asked += 1
        if self.broken:
            raise DatabaseError
        return [GaugeMetricFamily("answer", "", value=self.asked)]


def samples(readings: Readings) -> Iterator[tuple[str, float]]:
    for metric in readings.collect():
        for sample in metric.samples:
            yield sample.name, sample.value


def test_a_question_is_asked_when_it_is_due_and_not_before() -> None:
    question = Question()
    readings = Readings([Reading("one", question, every=15)])

    for now in (100, 101, 114, 115, 400, 401):
        readings.take_due(now)

    assert question.asked == 3


def test_without_an_answer_the_last_one_stays_and_is_of_its_old_age() -> None:
    question = Question()
    readings = Readings([Reading("one", question)])
    readings.take_due(0)
    before = dict(samples(readings))
    question.broken = True

    readings.take_due(60)

    after = dict(samples(readings))
    assert after["answer"] == before["answer"] == 1
    name = "exporter_last_success_timestamp_seconds"
    assert after[name] == before[name]
    assert after["exporter_reading_failures_total"] == 1


def test_one_question_without_an_answer_keeps_no_other_from_being_asked() -> None:
    broken, well = Question(), Question()
    broken.broken = True
    readings = Readings([Reading("broken", broken), Reading("well", well)])

    readings.take_due(0)

    assert well.asked == 1


def test_a_statement_that_takes_too_long_is_ended_by_the_database() -> None:
    def slow() -> list[Metric]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(10)")
        return []

    readings = Readings([Reading("slow", slow, patience=0.1)])

    readings.take_due(0)

    assert dict(samples(readings))["exporter_reading_failures_total"] == 1
    assert dict(samples(readings))["exporter_reading_duration_seconds"] < 5


@pytest.mark.usefixtures("database_away")
def test_a_database_that_is_away_is_a_missing_answer_and_no_end() -> None:
    readings = Readings([Reading("one", Question())])

    readings.take_due(0)

    assert dict(samples(readings))["exporter_reading_failures_total"] == 1
