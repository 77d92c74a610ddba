"""What a room has, as keys in `Resource.features` and labels in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# In the order in which people look for them.
FEATURES: dict[str, str | Promise] = {
    "visio": _("Visioconférence"),
    "screen": _("Écran"),
    "projector": _("Vidéoprojecteur"),
    "whiteboard": _("Tableau blanc"),
    "paperboard": _("Chevalet"),
    "phone": _("Pieuvre téléphonique"),
    "accessible": _("Accès fauteuil roulant"),
    "hearing_loop": _("Boucle magnétique"),
    "dividable": _("Cloison mobile"),
    "secure": _("Accès contrôlé"),
}


def feature_words(keys: Iterable[str]) -> list[str]:
    """The labels of `keys` in their usual order; a key of an older version keeps its own name, last."""
    wanted = set(keys)
    known = [str(label) for key, label in FEATURES.items() if key in wanted]
    return known + sorted(wanted - FEATURES.keys())
