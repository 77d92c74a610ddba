"""Find people by a few letters of their name or address."""

from django.db.models import Case, IntegerField, QuerySet, Value, When

from suite.agents.folding import fold
from suite.agents.models import Agent

SHORTEST = 2
MOST_WORDS = 5


def search_agents(*, viewer: Agent, text: str, limit: int = 10) -> QuerySet[Agent]:
    """Active agents of every organisation whose name or address holds all the words of `text`, at most `limit`.

    Accents and case do not matter. The viewer's own organisation comes first, then names that begin with the text.
    Fewer than two letters find nobody.
    """
    folded = fold(text)
    if len(folded) < SHORTEST:
        return Agent.objects.none()
    found = Agent.objects.filter(is_active=True)
    for word in folded.split()[:MOST_WORDS]:
        found = found.filter(search_name__contains=word)
    return (
        found.annotate(
            distance=Case(
                When(organisation_id=viewer.organisation_id, search_name__startswith=folded, then=Value(0)),
                When(organisation_id=viewer.organisation_id, then=Value(1)),
                When(search_name__startswith=folded, then=Value(2)),
                default=Value(3),
                output_field=IntegerField(),
            )
        )
        .select_related("organisation", "team")
        .order_by("distance", "usual_name", "given_name", "pk")[:limit]
    )
