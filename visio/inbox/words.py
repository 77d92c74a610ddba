"""Why an answer by mail did not count, for the organiser. In the current language."""

from __future__ import annotations

from django.utils.translation import gettext as _

_LENGTH = 500


def reason_words(reason: str, *, name: str = "") -> str:
    """`reason`: of Mail.problem, Malformed, verdicts.Refused or acting; `name`: an address or a day that the sentence names."""
    words = {
        # --- not understood
        "unreadable": _("Le message est illisible."),
        "too_much": _("Le message est trop long ou trop compliqué pour être lu."),
        "tnef": _("La réponse est dans un format propre à Outlook (winmail.dat), que le portail ne lit pas."),
        "no_calendar": _("Le message ne contient pas de réponse de calendrier : seulement du texte."),
        "automatic": _("Réponse automatique, sans réponse à l’invitation."),
        "calendar": _("La réponse de calendrier est mal formée."),
        "no_event": _("La réponse de calendrier ne parle d’aucune réunion."),
        "no_method": _("Le message ne dit pas s’il accepte, décline ou propose."),
        "method": _("Le message n’est ni une réponse ni une proposition d’horaire."),
        "no_uid": _("La réponse ne dit pas de quelle réunion elle parle."),
        "people": _("La réponse ne dit pas de qui elle vient, ou nomme plusieurs personnes."),
        "zone": _("La réponse utilise un fuseau horaire inconnu."),
        "times": _("L’horaire de la réponse n’a pas de sens."),
        "sequence": _("Le numéro de version de la réponse n’a pas de sens."),
        # --- not theirs
        "dmarc": _("L’adresse de l’expéditeur est contrefaite d’après le serveur de courriel."),
        "other_sender": _("Réponse au nom de cette personne, envoyée par %(name)s."),
        "other_attendee": _("Réponse de %(name)s, envoyée à l’adresse d’une autre personne invitée."),
        "stranger": _("%(name)s a répondu sans être sur la liste."),
        "removed": _("%(name)s n’est plus sur la liste."),
        "uid": _("Le message parle d’une autre réunion."),
        "date": _("Le message parle d’une date que cette réunion n’a pas."),
        # --- without effect
        "older": _("Une réponse plus récente de cette personne est déjà arrivée."),
        "older_than_page": _("Cette personne a répondu depuis sur le portail."),
        "earlier": _("L’horaire a changé depuis : la réponse vaut pour une version précédente."),
        "following": _(
            "Réponse donnée pour le %(name)s et toutes les dates suivantes : elle n’est pas enregistrée, "
            "une réponse vaut pour une date ou pour toute la série. Demandez à cette personne de répondre ainsi."
        ),
        "no_answer": _("Le message n’accepte ni ne décline."),
        "too_often": _("Le calendrier de cette personne a déjà redemandé la réunion plusieurs fois."),
        "delayed": _("Avis de retard : le serveur du destinataire n’a pas encore pris l’invitation."),
        "notice": _("Avis d’un serveur de courriel, sans effet."),
        "bounce": _("Avis de non-remise qui ne correspond à aucun envoi."),
        "cancelled": _("La réunion, ou cette date, est annulée."),
        "over": _("La réunion, ou cette date, est terminée."),
        "organiser": _("La personne qui organise n’a rien à répondre."),
        "not_invited": _("%(name)s n’est pas sur la liste de cette date."),
        "past": _("L’horaire proposé est déjà passé."),
        "reversed": _("La fin proposée vient avant le début."),
        "too_long": _("La durée proposée dépasse quatorze jours."),
        "unchanged": _("L’horaire proposé est déjà celui de la réunion."),
        # --- with effect, and worth a line
        "delegated": _(
            "Délègue sa place à %(name)s : comptée « peut-être », invitez cette personne si vous l’acceptez."
        ),
        "bounced": _("Avis de non-remise : l’invitation n’est pas arrivée."),
    }
    text = words[reason]
    return (text % {"name": name or _("une adresse inconnue")} if "%(name)s" in text else text)[:_LENGTH]
