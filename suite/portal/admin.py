"""What other packages put into the administration and nobody here works with."""

from django.contrib import admin
from django.contrib.auth.models import Group
from dsfr.models import DsfrConfig

admin.site.unregister([Group, DsfrConfig])
