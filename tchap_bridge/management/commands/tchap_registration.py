"""`manage.py tchap_registration`: the registration file that makes the portal an application service of a homeserver."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tchap_bridge.registration import registration_yaml


class Command(BaseCommand):
    help = "Print the application service registration file (it holds both tokens) for the homeserver's operator."

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.MATRIX_ACCESS_TOKEN and settings.MATRIX_HS_TOKEN):
            raise CommandError("Set MATRIX_ACCESS_TOKEN (as_token) and MATRIX_HS_TOKEN (hs_token) first.")
        self.stdout.write(
            registration_yaml(
                appservice_id=settings.MATRIX_APPSERVICE_ID,
                url=settings.PORTAL_URL,
                as_token=settings.MATRIX_ACCESS_TOKEN,
                hs_token=settings.MATRIX_HS_TOKEN,
            ),
            ending="",
        )
