"""`manage.py messages`: bring the catalogues up to date; `--check` names what is missing; `--compile` makes the .mo files."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from suite import catalogs


class Command(BaseCommand):
    help = "Updates, checks or compiles the message catalogues under locale/."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail when a language is incomplete")
        parser.add_argument("--compile", action="store_true", help="write the .mo files")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            faults = [fault for language in catalogs.LANGUAGES for fault in catalogs.missing(language)]
            if faults:
                raise CommandError("\n".join(faults))
            self.stdout.write("catalogues complete")
            return
        for language in catalogs.LANGUAGES:
            if not options["compile"]:
                catalog = catalogs.update(language)
                self.stdout.write(f"{language}: {len(catalog)} messages")
            if catalogs.po_path(language).exists():
                catalogs.compile_catalog(language)
