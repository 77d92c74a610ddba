"""Administration of organisations, teams, agents and their tokens."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from suite.agents.admin_forms import AgentForm, OrganisationForm, TeamForm
from suite.agents.deactivation import deactivate, reactivate
from suite.agents.folding import fold
from suite.agents.models import Agent, Organisation, PersonalToken, Team
from suite.agents.permissions import can_govern, governable_by
from suite.agents.tokens import revoke_token
from suite.core.administration import LedgerAdmin, M, PortalAdmin, list_link, object_link


def counted(model: type[Agent] | type[Team], field: str) -> Coalesce:
    """How many rows of `model` point here by `field`: a subquery, because two joins would multiply each other."""
    rows = model.objects.order_by().filter(**{field: OuterRef("pk")}).values(field)
    return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0)


def administrator(request: HttpRequest) -> Agent:
    """Who asks."""
    if not isinstance(request.user, Agent):
        raise PermissionDenied
    return request.user


class KnowsWhoAsks(PortalAdmin[M]):
    """Its form has the administrator as `by`."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"by": administrator(request)})


@admin.register(Organisation)
class OrganisationAdmin(KnowsWhoAsks[Organisation]):
    form = OrganisationForm
    list_display = ["name", "legal_name", "siret", "domain", "agents_link", "teams_link", "is_demo"]
    list_filter = ["is_demo"]
    search_fields = ["name", "legal_name", "siret", "domain"]
    ordering = ["name"]
    readonly_fields = ["public_id", "is_demo"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organisation]:
        return (
            super()
            .get_queryset(request)
            .annotate(agent_count=counted(Agent, "organisation"), team_count=counted(Team, "organisation"))
        )

    @display(description=_("agents"), ordering="agent_count")
    def agents_link(self, organisation: Any) -> SafeString:
        return list_link(Agent, organisation.agent_count, organisation__id__exact=organisation.pk)

    @display(description=_("équipes"), ordering="team_count")
    def teams_link(self, organisation: Any) -> SafeString:
        return list_link(Team, organisation.team_count, organisation__id__exact=organisation.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Organisation | None = None) -> bool:
        """Its agents and their meetings hang on it."""
        return False


@admin.register(Team)
class TeamAdmin(KnowsWhoAsks[Team]):
    form = TeamForm
    list_display = ["name", "organisation", "managers_named", "members_link"]
    list_select_related = ["organisation"]
    search_fields = ["name", "organisation__name"]
    ordering = ["organisation__name", "name"]
    autocomplete_fields = ["organisation", "managers"]

    def get_readonly_fields(self, request: HttpRequest, obj: Team | None = None) -> tuple[str, ...]:
        """A team stays where it is: elsewhere, others would open the week of its members."""
        return ("organisation", "public_id") if obj else ("public_id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        rows = super().get_queryset(request).annotate(member_count=counted(Agent, "team"))
        return rows.prefetch_related("managers")

    @display(description=_("responsables"))
    def managers_named(self, team: Team) -> str:
        return ", ".join(manager.full_name for manager in team.managers.all()) or "–"

    @display(description=_("membres"), ordering="member_count")
    def members_link(self, team: Any) -> SafeString:
        return list_link(Agent, team.member_count, team__id__exact=team.pk)


class ByLanguage(admin.AllValuesFieldListFilter):
    """Languages by their names."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        names = dict(settings.LANGUAGES)
        for choice in super().choices(changelist):
            yield {**choice, "display": names.get(str(choice["display"]), choice["display"])}


@admin.register(Agent)
class AgentAdmin(PortalAdmin[Agent]):
    """Names and addresses come from ProConnect with every sign-in: they are shown, not edited."""

    form = AgentForm
    list_display = [
        "full_name_shown",
        "email",
        "organisation",
        "team",
        "job_title",
        "has_tchap",
        "is_active",
        "is_staff",
        "last_login",
    ]
    list_select_related = ["organisation", "team"]
    list_filter = [
        "is_active",
        "is_staff",
        "is_demo",
        ("language", ByLanguage),
        ("last_login", admin.DateFieldListFilter),
    ]
    search_fields = ["search_name", "sub", "organisation__name", "team__name"]
    date_hierarchy = "created_at"
    ordering = ["usual_name", "given_name", "pk"]
    autocomplete_fields = ["team"]
    actions = ["deactivate_agents", "reactivate_agents", "revoke_tokens"]
    from_provider = (
        "public_id",
        "sub",
        "email",
        "given_name",
        "usual_name",
        "organisation_link",
        "organizational_unit",
        "last_login",
        "created_at",
        "is_demo",
        "is_active",
        "tokens_link",
    )
    for_superusers = ("is_staff", "is_superuser")
    fieldsets = [
        (None, {"fields": ["given_name", "usual_name", "email", "sub", "organisation_link", "organizational_unit"]}),
        (_("Dans le portail"), {"fields": ["team", "job_title", "matrix_id", "language", "time_zone", "theme"]}),
        (_("Accès"), {"fields": ["is_active", "is_staff", "is_superuser", "tokens_link"]}),
        (_("Suivi"), {"fields": ["last_login", "created_at", "is_demo", "public_id"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Agent | None = None) -> tuple[str, ...]:
        """Only a superuser makes administrators."""
        return self.from_provider if request.user.is_superuser else (*self.from_provider, *self.for_superusers)

    def has_change_permission(self, request: HttpRequest, obj: Agent | None = None) -> bool:
        """Not for accounts with more rights than one's own: they are shown."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or can_govern(administrator(request), obj))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Agent], search_term: str
    ) -> tuple[QuerySet[Agent], bool]:
        """`search_name` holds names without accents, so the words are folded the same way."""
        return super().get_search_results(request, queryset, fold(search_term))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Agents come by signing in."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Agent | None = None) -> bool:
        """Their meetings stay: agents are deactivated instead."""
        return False

    @display(description=_("nom"), ordering=("usual_name"))
    def full_name_shown(self, agent: Agent) -> str:
        return agent.full_name

    @display(description=_("Tchap"), boolean=True)
    def has_tchap(self, agent: Agent) -> bool:
        return bool(agent.matrix_id)

    @display(description=_("organisation"))
    def organisation_link(self, agent: Agent) -> SafeString | str:
        return object_link(agent.organisation)

    @display(description=_("jetons personnels"))
    def tokens_link(self, agent: Agent) -> SafeString:
        return list_link(PersonalToken, _("Voir les jetons"), agent__id__exact=agent.pk)

    @admin.action(description=_("Désactiver : fermer les sessions, révoquer les jetons"), permissions=["change"])
    def deactivate_agents(self, request: HttpRequest, queryset: QuerySet[Agent]) -> None:
        """Never oneself: the last administrator would lock the door from outside."""
        chosen = _governed(self, request, queryset.filter(is_active=True))
        agents = list(chosen.exclude(pk=administrator(request).pk))
        number = deactivate(agents=Agent.objects.filter(pk__in=[agent.pk for agent in agents]), now=timezone.now())
        self.record(request, agents, gettext("Désactivé"))
        self.message_user(
            request, ngettext("%(n)d agent désactivé.", "%(n)d agents désactivés.", number) % {"n": number}
        )

    @admin.action(description=_("Réactiver"), permissions=["change"])
    def reactivate_agents(self, request: HttpRequest, queryset: QuerySet[Agent]) -> None:
        agents = list(_governed(self, request, queryset.filter(is_active=False)))
        number = reactivate(agents=Agent.objects.filter(pk__in=[agent.pk for agent in agents]))
        self.record(request, agents, gettext("Réactivé"))
        self.message_user(request, ngettext("%(n)d agent réactivé.", "%(n)d agents réactivés.", number) % {"n": number})

    @admin.action(description=_("Révoquer tous les jetons personnels"), permissions=["change"])
    def revoke_tokens(self, request: HttpRequest, queryset: QuerySet[Agent]) -> None:
        governed = _governed(self, request, queryset)
        _revoke(self, request, PersonalToken.objects.filter(agent__in=governed.order_by().values("pk")))


@admin.register(PersonalToken)
class PersonalTokenAdmin(LedgerAdmin[PersonalToken]):
    list_display = ["name", "agent_link", "created_at", "last_used_at", "expires_at", "revoked_at"]
    list_select_related = ["agent"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), ("expires_at", admin.DateFieldListFilter)]
    search_fields = ["name", "agent__search_name"]
    date_hierarchy = "created_at"
    fields = ["name", "agent_link", "created_at", "last_used_at", "expires_at", "revoked_at"]
    actions = ["revoke"]

    @display(description=_("agent"), ordering="agent__usual_name")
    def agent_link(self, token: PersonalToken) -> SafeString | str:
        return object_link(token.agent)

    @admin.action(description=_("Révoquer"), permissions=["act"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[PersonalToken]) -> None:
        holders = Agent.objects.filter(pk__in=queryset.order_by().values("agent"))
        governed = _governed(self, request, holders)
        _revoke(self, request, queryset.filter(agent__in=governed.order_by().values("pk")))


def _governed(page: PortalAdmin[Any], request: HttpRequest, agents: QuerySet[Agent]) -> QuerySet[Agent]:
    """Those of `agents` that the administrator may act on; how many others there are is said."""
    governed = governable_by(administrator(request), agents)
    left_alone = agents.count() - governed.count()
    if left_alone:
        words = ngettext(
            "%(n)d compte a plus de droits que vous : rien n’y a changé.",
            "%(n)d comptes ont plus de droits que vous : rien n’y a changé.",
            left_alone,
        )
        page.message_user(request, words % {"n": left_alone}, messages.WARNING)
    return governed


def _revoke(page: PortalAdmin[Any], request: HttpRequest, tokens: QuerySet[PersonalToken]) -> None:
    now = timezone.now()
    revoked = [
        token for token in tokens.select_related("agent") if revoke_token(agent=token.agent, token_id=token.pk, now=now)
    ]
    page.record(request, revoked, gettext("Révoqué"))
    number = len(revoked)
    page.message_user(request, ngettext("%(n)d jeton révoqué.", "%(n)d jetons révoqués.", number) % {"n": number})
