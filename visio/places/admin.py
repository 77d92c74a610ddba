"""Administration of rooms and equipment. Bookings are looked at: they change only through the meetings that hold them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import display
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from suite.core.administration import LedgerAdmin, PortalAdmin, list_link, object_link
from visio.places.features import FEATURES
from visio.places.models import BookingStatus, Resource, ResourceBooking


class ResourceForm(forms.ModelForm[Resource]):
    features = forms.MultipleChoiceField(
        label=_("équipements"),
        required=False,
        choices=list(FEATURES.items()),
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Resource
        fields = [
            "organisation",
            "kind",
            "name",
            "site",
            "floor",
            "capacity",
            "features",
            "needs_approval",
            "managers",
            "is_active",
        ]

    def clean(self) -> dict[str, Any]:
        """Managers are of the same organisation, and a resource that asks for approval has one."""
        said = super().clean() or {}
        home, managers = said.get("organisation"), said.get("managers")
        strangers = [str(one) for one in managers or [] if home is not None and one.organisation_id != home.pk]
        if strangers:
            words = _g("D’une autre organisation : %(names)s.") % {"names": ", ".join(strangers)}
            self.add_error("managers", ValidationError(words))
        if said.get("needs_approval") and managers is not None and not managers:
            self.add_error("managers", ValidationError(_g("Désignez qui valide les demandes.")))
        if self.instance.pk and home is not None and home.pk != self.instance.organisation_id and self.has_bookings():
            self.add_error("organisation", ValidationError(_g("Cette salle a des réservations dans son organisation.")))
        return said

    def has_bookings(self) -> bool:
        return ResourceBooking.objects.filter(resource=self.instance).exists()


@admin.register(Resource)
class ResourceAdmin(PortalAdmin[Resource]):
    form = ResourceForm
    list_display = ["name", "site", "kind", "organisation", "capacity", "needs_approval", "is_active", "bookings_link"]
    list_select_related = ["organisation"]
    list_filter = ["kind", "is_active", "needs_approval", "organisation", "site"]
    search_fields = ["name", "site", "organisation__name"]
    autocomplete_fields = ["organisation", "managers"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Resource]:
        coming = ResourceBooking.objects.order_by().filter(
            resource=OuterRef("pk"),
            status__in=[BookingStatus.PENDING, BookingStatus.ACCEPTED],
            during__endswith__gt=timezone.now(),
        )
        counted = coming.values("resource").annotate(number=Count("pk")).values("number")
        return super().get_queryset(request).annotate(booking_count=Coalesce(Subquery(counted), 0))

    @display(description=_("réservations à venir"), ordering="booking_count")
    def bookings_link(self, resource: Any) -> SafeString:
        return list_link(ResourceBooking, resource.booking_count, resource__id__exact=resource.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Resource | None = None) -> bool:
        """A room that was ever booked is closed, not deleted: its bookings are part of meetings' histories."""
        if obj is not None and ResourceBooking.objects.filter(resource=obj).exists():
            return False
        return super().has_delete_permission(request, obj)


@admin.register(ResourceBooking)
class ResourceBookingAdmin(LedgerAdmin[ResourceBooking]):
    list_display = ["resource_link", "when", "status", "meeting_link", "decided_by_link", "decided_at"]
    list_select_related = ["resource", "meeting", "decided_by"]
    list_filter = ["status", ("decided_at", admin.DateFieldListFilter)]
    search_fields = ["resource__name", "resource__site"]
    fields = ["resource_link", "when", "status", "meeting_link", "decided_by_link", "decided_at", "words", "created_at"]

    @display(description=_("salle ou équipement"), ordering="resource__name")
    def resource_link(self, booking: ResourceBooking) -> SafeString | str:
        return object_link(booking.resource)

    @display(description=_("réunion"))
    def meeting_link(self, booking: ResourceBooking) -> SafeString | str:
        return object_link(booking.meeting)

    @display(description=_("décidé par"), ordering="decided_by__usual_name")
    def decided_by_link(self, booking: ResourceBooking) -> SafeString | str:
        return object_link(booking.decided_by)

    @display(description=_("quand"), ordering="during")
    def when(self, booking: ResourceBooking) -> str:
        start, end = timezone.localtime(booking.during.lower), timezone.localtime(booking.during.upper)
        return f"{date_format(start, 'SHORT_DATETIME_FORMAT')} – {end:%H:%M}"
