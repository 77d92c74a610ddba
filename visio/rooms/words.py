"""Every sentence of the call page that its script says, in the reader's language: the script itself holds none."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from visio.rooms.access import Refusal, Role


def call_words(capacity: int) -> dict[str, Any]:
    """Sentences by key; `{name}` and the like are filled in by the script. Plurals are ready made, for 0 to `capacity`."""
    return {
        "roles": {role.value: str(role.label) for role in Role if role != Role.AGENT},
        "you": _("vous"),
        "people": [
            ngettext("%(count)d personne", "%(count)d personnes", count) % {"count": count}
            for count in range(capacity + 1)
        ],
        "present": {
            "none": _("Personne n’est encore dans la réunion."),
            "one": _("{first} est déjà dans la réunion."),
            "two": _("{first} et {second} sont déjà dans la réunion."),
            "more": [
                ngettext(
                    "{first}, {second} et %(count)d autre personne sont déjà dans la réunion.",
                    "{first}, {second} et %(count)d autres personnes sont déjà dans la réunion.",
                    count,
                )
                % {"count": count}
                for count in range(capacity + 1)
            ],
        },
        "mic": {
            "on": _("Micro activé"),
            "off": _("Micro coupé"),
            "short": _("Micro"),
            "none": _("Aucun micro"),
            "turn_on": _("Activer le micro"),
            "turn_off": _("Couper le micro"),
        },
        "camera": {
            "on": _("Caméra activée"),
            "off": _("Caméra coupée"),
            "short": _("Caméra"),
            "none": _("Aucune caméra"),
            "turn_on": _("Activer la caméra"),
            "turn_off": _("Couper la caméra"),
        },
        "level": {
            "muted": _("Micro coupé"),
            "silent": _("Aucun son"),
            "low": _("Niveau faible"),
            "good": _("Bon niveau"),
            "loud": _("Niveau trop fort"),
        },
        "device": {
            "default": _("Par défaut"),
            "mic": _("Micro {number}"),
            "camera": _("Caméra {number}"),
            "speaker": _("Haut-parleur {number}"),
        },
        "problem": {
            "both_denied": _(
                "Le navigateur n’a pas donné accès à la caméra et au micro. Cliquez sur l’icône à gauche de l’adresse de la"
                " page, autorisez-les, puis réessayez. Vous pouvez aussi rejoindre sans : vous verrez et entendrez les autres."
            ),
            "mic_denied": _(
                "Le navigateur n’a pas donné accès au micro. Cliquez sur l’icône à gauche de l’adresse de la page,"
                " autorisez-le, puis réessayez. Vous pouvez rejoindre sans micro."
            ),
            "camera_denied": _(
                "Le navigateur n’a pas donné accès à la caméra. Cliquez sur l’icône à gauche de l’adresse de la page,"
                " autorisez-la, puis réessayez. Vous pouvez rejoindre sans caméra."
            ),
            "both_missing": _("Aucune caméra ni aucun micro sur cet appareil : vous verrez et entendrez les autres."),
            "mic_missing": _("Aucun micro trouvé. Branchez-en un, ou rejoignez pour écouter."),
            "camera_missing": _("Aucune caméra trouvée. Les autres verront vos initiales."),
            "mic_busy": _("Le micro est utilisé par une autre application. Fermez-la, puis réessayez."),
            "camera_busy": _("La caméra est utilisée par une autre application. Fermez-la, puis réessayez."),
            "both_busy": _("La caméra et le micro sont utilisés par une autre application. Fermez-la, puis réessayez."),
            "insecure": _("La caméra et le micro ne marchent qu’à une adresse en https. Vous pouvez voir et écouter."),
            "lost_mic": _("Le micro a été débranché."),
            "lost_camera": _("La caméra a été débranchée."),
        },
        "refused": {
            **{refusal.value: str(refusal.label) for refusal in Refusal},
            "full": ngettext(
                "La réunion est complète (%(count)d personne). Réessayez quand quelqu’un sera parti.",
                "La réunion est complète (%(count)d personnes). Réessayez quand quelqu’un sera parti.",
                capacity,
            )
            % {"count": capacity},
            "name": _("Indiquez votre nom : les autres participants le verront."),
            "no_room": _("Cette réunion n’existe plus."),
            "bad_ticket": _("Votre lien d’invitation n’est plus valable."),
            "signed_out": _("Vous avez été déconnecté du portail."),
            "taken_over": _("Vous avez rejoint cette réunion depuis une autre fenêtre."),
        },
        "connection": {
            "lost": _("Connexion au portail perdue. La conversation continue, nouvelle tentative en cours…"),
            "offline": _("Vous n’êtes plus connecté au réseau. La réunion reprendra dès son retour."),
            "back": _("Connexion rétablie."),
            "waiting": _("Connexion au portail…"),
        },
        "peer": {
            "connecting": _("Connexion…"),
            "unstable": _("Connexion instable…"),
            "failed": _("Connexion impossible pour l’instant, nouvelle tentative…"),
            "speaks": _("Parle"),
        },
        "quality": {
            # Only what is wrong is said.
            "good": "",
            "fair": _("Connexion moyenne"),
            "poor": _("Connexion faible"),
        },
        "said": {
            "joined": _("Vous êtes dans la réunion."),
            "came": _("{name} a rejoint la réunion."),
            "went": _("{name} a quitté la réunion."),
            "mic_on": _("Micro activé."),
            "mic_off": _("Micro coupé."),
            "camera_on": _("Caméra activée."),
            "camera_off": _("Caméra coupée."),
            "shortcuts_on": _("Raccourcis clavier activés."),
            "shortcuts_off": _("Raccourcis clavier désactivés."),
        },
        "duration": {"minutes": _("depuis {minutes} min"), "hours": _("depuis {hours} h {minutes}")},
        "left": {"you": _("Vous avez quitté la réunion"), "ended": _("Vous n’êtes plus dans la réunion")},
        "join": {"ready": _("Rejoindre"), "again": _("Réessayer"), "busy": _("Entrée…")},
    }
