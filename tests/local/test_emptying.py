"""The database after a test that committed: as Django's flush would leave it."""

import threading

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

from suite.agents.models import Agent, Organisation
from tests import emptying, factories
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def filled_tables() -> set[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        found = set()
        for name in names:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {connection.ops.quote_name(name)})")
            if cursor.fetchone()[0]:
                found.add(name)
    return found


def test_every_row_goes_but_what_the_models_themselves_are() -> None:
    kept = list(ContentType.objects.values_list()), list(Permission.objects.values_list())
    organiser = factories.agent()
    organiser.user_permissions.add(Permission.objects.all()[0])
    factories.meeting(organiser, guests=[factories.agent(), "x@ext.example"])
    assert len(filled_tables()) > 8

    emptying.empty("default")

    assert filled_tables() == emptying.KEPT
    assert (list(ContentType.objects.values_list()), list(Permission.objects.values_list())) == kept
    assert all(kept)


def test_numbers_go_on() -> None:
    before = factories.organisation().pk
    emptying.empty("default")
    assert factories.organisation().pk > before


def many_organisations() -> None:
    Organisation.objects.bulk_create(
        Organisation(name="x" * 100, legal_name="y" * 100, siret=f"{number:014d}", domain=f"o{number}.example")
        for number in range(3000)
    )


def size_of_organisations() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s)", [Organisation._meta.db_table])
        return int(cursor.fetchone()[0])


def test_what_was_rolled_back_leaves_no_large_file() -> None:
    with transaction.atomic():
        many_organisations()
        transaction.set_rollback(True)
    assert size_of_organisations() > emptying.LARGE

    emptying.empty("default")

    assert size_of_organisations() == 0


def test_a_large_table_is_emptied_too() -> None:
    many_organisations()
    assert size_of_organisations() > emptying.LARGE
    factories.agent()

    emptying.empty("default")

    assert filled_tables() == emptying.KEPT


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE NOT granted AND datname = current_database())"
        )
        return bool(cursor.fetchone()[0])


def test_what_others_have_begun_to_write_goes_too() -> None:
    def empty() -> None:
        emptying.empty("default")
        connection.close()

    emptier = threading.Thread(target=empty)
    with transaction.atomic():
        factories.agent()
        emptier.start()
        until(waits_for_a_lock)
    emptier.join()

    assert not Agent.objects.exists()
