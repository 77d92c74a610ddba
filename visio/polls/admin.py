"""Administration of polls: read, and links revoked. Changes go through the operations that mail and tell."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from suite.core.administration import LedgerAdmin, list_link, object_link
from visio.polls.models import Poll, PollOption, PollParticipant, PollVote
from visio.polls.tokens import revoke_link


@admin.register(Poll)
class PollAdmin(LedgerAdmin[Poll]):
    list_display = ["title", "organiser_link", "status", "deadline", "people_link", "answers", "meeting_link"]
    list_select_related = ["organiser", "meeting"]
    list_filter = ["status", "shows_votes", "is_demo", ("deadline", admin.DateFieldListFilter)]
    search_fields = ["title", "organiser__search_name"]
    search_help_text = _("Titre ou organisateur")
    fields = [
        "title",
        "organiser_link",
        ("status", "deadline"),
        ("minutes", "time_zone"),
        "place",
        ("shows_votes", "wants_room", "wants_tchap"),
        "meeting_link",
        "related",
        "public_id",
        ("created_at", "changed_at", "is_demo"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Poll]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                people_count=Count("participants"),
                answer_count=Count("participants", filter=Q(participants__answered_at__isnull=False)),
            )
        )

    @display(description=_("organisateur"), ordering="organiser__usual_name")
    def organiser_link(self, poll: Poll) -> SafeString | str:
        return object_link(poll.organiser)

    @display(description=_("réunion"))
    def meeting_link(self, poll: Poll) -> SafeString | str:
        return object_link(poll.meeting)

    @display(description=_("personnes consultées"), ordering="people_count")
    def people_link(self, poll: Any) -> SafeString:
        return list_link(PollParticipant, poll.people_count, poll__id__exact=poll.pk)

    @display(description=_("réponses"), ordering="answer_count")
    def answers(self, poll: Any) -> str:
        return str(poll.answer_count)

    @display(description=_("liens"))
    def related(self, poll: Poll) -> SafeString:
        return list_link(PollOption, _("Dates proposées"), poll__id__exact=poll.pk)


class OfPollAdmin(LedgerAdmin[Any]):
    """Rows of a poll."""

    list_select_related = ["poll"]

    @display(description=_("sondage"))
    def poll_link(self, row: Any) -> SafeString | str:
        return object_link(row.poll)


@admin.register(PollOption)
class PollOptionAdmin(OfPollAdmin):
    list_display = ["poll_link", "starts_at", "ends_at", "is_chosen", "votes_link"]
    list_filter = ["is_chosen", ("starts_at", admin.DateFieldListFilter)]
    fields = ["poll_link", ("starts_at", "ends_at"), "is_chosen", "votes_link"]

    @display(description=_("votes"))
    def votes_link(self, option: PollOption) -> SafeString:
        return list_link(PollVote, _("Voir les votes"), option__id__exact=option.pk)


@admin.register(PollParticipant)
class PollParticipantAdmin(OfPollAdmin):
    list_display = ["person", "email", "poll_link", "is_required", "answered_at", "reminded_at"]
    list_select_related = ["poll", "agent"]
    list_filter = ["is_required", ("answered_at", admin.EmptyFieldListFilter), ("agent", admin.EmptyFieldListFilter)]
    search_fields = ["email", "name", "poll__title"]
    fields = [
        "person",
        "email",
        "name",
        "poll_link",
        "is_required",
        ("asked_at", "answered_at", "reminded_at"),
        "comment",
    ]
    actions = ["revoke_links"]

    @display(description=_("personne"))
    def person(self, participant: PollParticipant) -> SafeString | str:
        return object_link(participant.agent) if participant.agent else participant.display_name

    @admin.action(description=_("Révoquer les liens des sondages"), permissions=["act"])
    def revoke_links(self, request: HttpRequest, queryset: QuerySet[PollParticipant]) -> None:
        participants = list(queryset)
        for participant in participants:
            revoke_link(participant)
        self.record(request, participants, gettext("Lien de sondage révoqué"))
        number = len(participants)
        self.message_user(request, ngettext("%(n)d lien révoqué.", "%(n)d liens révoqués.", number) % {"n": number})


@admin.register(PollVote)
class PollVoteAdmin(LedgerAdmin[PollVote]):
    list_display = ["participant", "option", "choice"]
    list_select_related = ["participant__agent", "option"]
    list_filter = ["choice"]
    fields = ["participant", "option", "choice"]
