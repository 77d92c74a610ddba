"""Each domain at its rate, counted in a real Redis by all workers together."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from suite.mail import throttle
from suite.mail.throttle import BadRates, Bucket, ThrottleDown, bucket, parse_rates, reserve


def test_rates_are_read() -> None:
    assert parse_rates("gouv.fr=50, *=0,") == {"gouv.fr": 50.0, "*": 0.0}
    assert parse_rates("") == {}


@pytest.mark.parametrize("text", ["gouv.fr", "gouv.fr=", "=5", "gouv.fr=-1", "gouv.fr=nan", "gouv.fr=beaucoup"])
def test_bad_rates_are_refused(text: str) -> None:
    with pytest.raises(BadRates):
        parse_rates(text)


def test_the_most_precise_domain_counts(settings: Any) -> None:
    settings.MAIL_DOMAIN_RATES = "gouv.fr=50,dinum.gouv.fr=5,libre.gouv.fr=0,*=2"
    assert bucket("a@gouv.fr") == bucket("a@Mer.Gouv.fr") == Bucket("gouv.fr", 50)
    assert bucket("a@dinum.gouv.fr") == Bucket("dinum.gouv.fr", 5)
    assert bucket("a@libre.gouv.fr") is None
    assert bucket("a@x.example") == Bucket("*x.example", 2)
    assert bucket("a@notgouv.fr") == Bucket("*notgouv.fr", 2)
    settings.MAIL_DOMAIN_RATES = "gouv.fr=50,*=0"
    assert bucket("a@x.example") is None


def test_slots_follow_one_another_whoever_asks(redis_client: redis.Redis) -> None:
    one, other = Bucket("gouv.fr", 10), Bucket("x.example", 1)
    [first] = reserve([(one, 3)])
    assert first == pytest.approx([0.0, 0.1, 0.2], abs=0.001)
    second, apart = reserve([(one, 2), (other, 1)])
    # What was reserved is kept, less the time that passed.
    assert 0.0 < second[0] <= 0.3
    assert second[1] - second[0] == pytest.approx(0.1)
    assert apart == pytest.approx([0.0], abs=0.001)
    assert 0 < redis_client.ttl(throttle.settings.REDIS_PREFIX + ":mail:gouv.fr") <= 70


def test_only_one_rings(redis_client: redis.Redis) -> None:
    assert [throttle.may_wake(at) for at in (10, 10, 12, 10)] == [True, False, True, False]


def test_without_redis_it_says_so(settings: Any) -> None:
    settings.REDIS_URL = "redis://localhost:9/0"
    with pytest.raises(ThrottleDown):
        reserve([(Bucket("gouv.fr", 10), 1)])
    assert not throttle.may_wake(1)
