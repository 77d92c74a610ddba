"""Stands in INSTALLED_APPS in place of django.contrib.admin. Apart: an application's module must import no model."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    """Django's admin with the portal's site."""

    default_site = "suite.portal.administration.Administration"
