"""Who may plan in one's name, and in whose names one may plan."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from suite.agents import delegation
from suite.agents.delegation import DelegationRefused
from suite.agents.models import Agent
from suite.mail.letter import Button
from suite.mail.to_agent import owe_letter
from visio.meetings.drafts import resolve_invitees

REFUSED = 422


@require_http_methods(["GET", "HEAD", "POST"])
def delegations(request: HttpRequest) -> HttpResponse:
    """The page; a POST names somebody (`person`: a name or an address; `sees_private`)."""
    agent = cast(Agent, request.user)
    if request.method != "POST":
        return _page(request, agent)
    typed = request.POST.get("person", "").strip()[:300]
    sees_private = request.POST.get("sees_private") == "on"
    chosen, words = _person(typed, agent)
    if chosen is None:
        return _page(request, agent, typed=typed, sees_private=sees_private, error=words)
    try:
        made, is_new = delegation.grant(principal=agent, delegate=chosen, sees_private=sees_private)
    except DelegationRefused as refused:
        return _page(request, agent, typed=typed, sees_private=sees_private, error=refused.message)
    if is_new:
        _tell(agent, chosen, made.pk)
    messages.success(request, _("%(name)s peut planifier en votre nom.") % {"name": chosen.full_name})
    return redirect("portal:delegations")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, delegation_id: int) -> HttpResponse:
    """Ask, then end a delegation that one gave or holds; another's does not exist."""
    agent = cast(Agent, request.user)
    if request.method != "POST":
        row = delegation.concerning(agent, delegation_id=delegation_id)
        if row is None:
            raise Http404
        return render(request, "portal/end_delegation.html", {"row": row, "is_mine": row.principal_id == agent.pk})
    ended = delegation.revoke(delegation_id=delegation_id, by=agent)
    if ended is None:
        raise Http404
    if ended.principal_id == agent.pk:
        said = _("%(name)s ne planifie plus en votre nom.") % {"name": ended.delegate.full_name}
    else:
        said = _("Vous ne planifiez plus au nom de %(name)s.") % {"name": ended.principal.full_name}
    messages.success(request, said)
    return redirect("portal:delegations")


def _page(
    request: HttpRequest, agent: Agent, *, typed: str = "", sees_private: bool = False, error: str = ""
) -> HttpResponse:
    context: dict[str, Any] = {
        "given": delegation.delegates_of(agent),
        "held": delegation.held_by(agent),
        "typed": typed,
        "sees_private": sees_private,
        "error": error,
    }
    return render(request, "portal/delegations.html", context, status=REFUSED if error else 200)


def _person(typed: str, agent: Agent) -> tuple[Agent | None, str]:
    """The one agent that was typed, or what is wrong with what was typed."""
    if not typed:
        return None, _("Écrivez le nom ou l’adresse d’une personne de votre organisation.")
    found = resolve_invitees([typed], organiser=agent)
    if found.problems:
        return None, found.problems[0].message
    if found.organiser_dropped:
        return agent, ""
    if len(found.invitees) != 1:
        return None, _("Ajoutez une personne à la fois.")
    [invitee] = found.invitees
    if invitee.agent_id is None:
        return None, _("Cette adresse n’est celle d’aucun agent du portail.")
    return Agent.objects.get(pk=invitee.agent_id), ""


def _tell(principal: Agent, delegate: Agent, delegation_id: int) -> None:
    """One mail to the delegate, in their language."""
    with translation.override(delegate.language):
        subject = _("%(name)s vous confie son agenda") % {"name": principal.full_name}
        owe_letter(
            delegate,
            key=f"delegation:{delegation_id}",
            kind="delegation",
            due_at=timezone.now(),
            subject=subject,
            kicker=_("Délégation"),
            title=subject,
            paragraphs=[
                _("Vous pouvez planifier, modifier et annuler des réunions au nom de %(name)s.")
                % {"name": principal.full_name},
                _("Les invitations diront « de la part de » ; l’historique garde vos deux noms."),
            ],
            buttons=[
                Button(_("Planifier une réunion"), f"{settings.PORTAL_URL}{reverse('meetings:plan')}"),
                Button(_("Voir mes délégations"), f"{settings.PORTAL_URL}{reverse('portal:delegations')}"),
            ],
            answers_to=principal,
        )
