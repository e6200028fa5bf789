"""How often a password may be guessed."""

from datetime import timedelta

import pytest
from django.db.models import F

from apps.users.models import LoginAttempts
from apps.users.services import attempts, sessions
from apps.users.tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def log_in(user, password=PASSWORD, ip="192.0.2.1"):
    return sessions.log_in(email=user.email, password=password, ip=ip, user_agent="test")


def fail(user, **where):
    with pytest.raises(sessions.InvalidCredentials):
        log_in(user, password="wrong", **where)


def test_an_account_is_guessed_at_ten_times_from_wherever(settings):
    user = UserFactory()
    for n in range(settings.LOGIN_ATTEMPTS_PER_ACCOUNT):
        fail(user, ip=f"192.0.2.{n}")

    with pytest.raises(attempts.TooManyAttempts) as refusal:
        log_in(user, ip="198.51.100.1")

    assert 890 <= refusal.value.facts["retry_after"] <= 900


def test_guessing_goes_on_after_the_window():
    user = UserFactory()
    for _ in range(10):
        fail(user)
    LoginAttempts.objects.update(
        window_ends_at=F("window_ends_at") - timedelta(seconds=attempts.WINDOW_SECONDS + 1)
    )

    assert log_in(user)


def test_an_unknown_address_is_counted_alike(settings):
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 1
    nobody = UserFactory.build()
    fail(nobody)

    with pytest.raises(attempts.TooManyAttempts):
        log_in(nobody)


@pytest.mark.parametrize(
    "ips",
    [
        ["192.0.2.1"],
        ["::ffff:192.0.2.1", "192.0.2.1"],
        ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::"],
        [None],
    ],
)
def test_a_network_fails_only_so_often(settings, ips):
    settings.LOGIN_ATTEMPTS_PER_ADDRESS = 6
    for n in range(6):
        fail(UserFactory(), ip=ips[n % len(ips)])

    with pytest.raises(attempts.TooManyAttempts):
        log_in(UserFactory(), ip=ips[0])
    assert log_in(UserFactory(), ip="2001:db8:0:1::1")


def test_a_success_clears_the_account_and_takes_itself_back_from_the_network(settings):
    settings.LOGIN_ATTEMPTS_PER_ADDRESS = 3
    user = UserFactory()
    fail(user)
    fail(user)

    for _ in range(5):
        log_in(user)

    counted = dict(LoginAttempts.objects.values_list("key", "failures"))
    assert counted.pop("network:192.0.2.1") == 2
    assert counted.pop(attempts.STORE) == 2
    assert list(counted.values()) == [0, 0]


def test_the_store_fails_only_so_often_a_minute(settings):
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 3
    for n in range(3):
        fail(UserFactory(), ip=f"192.0.2.{n}")

    with pytest.raises(attempts.TooManyAttempts) as refusal:
        log_in(UserFactory(), ip="198.51.100.1")
    assert 50 <= refusal.value.facts["retry_after"] <= 60

    LoginAttempts.objects.filter(key=attempts.STORE).update(
        window_ends_at=F("window_ends_at") - timedelta(seconds=attempts.STORE_WINDOW_SECONDS + 1)
    )
    assert log_in(UserFactory(), ip="198.51.100.1")


def test_one_network_cannot_use_up_the_limit_of_the_store(settings):
    settings.LOGIN_ATTEMPTS_PER_ADDRESS, settings.LOGIN_ATTEMPTS_PER_MINUTE = 2, 3
    fail(UserFactory())
    fail(UserFactory())
    for _ in range(5):
        with pytest.raises(attempts.TooManyAttempts):
            log_in(UserFactory())

    assert log_in(UserFactory(), ip="198.51.100.1")


def test_what_a_network_is_refused_counts_against_no_account(settings):
    settings.LOGIN_ATTEMPTS_PER_ADDRESS, settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 2, 3
    victim = UserFactory()
    fail(UserFactory())
    fail(UserFactory())
    for _ in range(5):
        with pytest.raises(attempts.TooManyAttempts):
            log_in(victim)

    for n in range(3):
        fail(victim, ip=f"198.51.100.{n}")


@pytest.mark.parametrize(
    ("before", "now"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::ffff:2")],
    ids=["IPv4", "IPv6"],
)
def test_whoever_guesses_elsewhere_does_not_lock_a_person_out_at_home(settings, before, now):
    settings.LOGIN_ATTEMPTS_PER_MINUTE = settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 3
    victim = UserFactory()
    log_in(victim, ip=before)
    for n in range(3):
        fail(victim, ip=f"198.51.100.{n}")
    with pytest.raises(attempts.TooManyAttempts):
        log_in(victim, ip="203.0.113.1")

    assert log_in(victim, ip=now)
    with pytest.raises(attempts.TooManyAttempts):
        log_in(victim, ip="203.0.113.1")


def test_at_home_an_account_is_guessed_at_just_as_often(settings):
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 3
    victim, neighbour = UserFactory(), UserFactory()
    log_in(victim)
    for _ in range(3):
        fail(victim)

    with pytest.raises(attempts.TooManyAttempts):
        log_in(victim)
    assert log_in(victim, ip="198.51.100.1")
    assert log_in(neighbour)


def test_counting_costs_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        attempts.count_attempt(email="ada@example.com", ip="192.0.2.1")


def test_addresses_are_not_readable_in_the_counters():
    fail(UserFactory(email="ada@example.com"))

    assert not LoginAttempts.objects.filter(key__contains="ada").exists()
