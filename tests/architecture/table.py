"""Every address of the portal, by whom it opens for; a new one gets its row here."""

from __future__ import annotations

# Anybody, signed in or not; what a token or a bearer opens is tested by the part itself.
PUBLIC = {
    "portal:sign_in",
    "portal:sign_out",
    "portal:refused",
    "portal:language",
    "portal:accessibility",
    "portal:legal",
    "portal:personal_data",
    "portal:cookies",
    "portal:heartbeat",
    "portal:lb_heartbeat",
    "portal:version",
    "portal:theme",
    "oidc_authentication_init",
    "oidc_authentication_callback",
    "oidc_logout",
    "api-schema",
    "api-docs",
    "api-unknown",
}
# A secret in the address or the header: nobody without it.
SECRET = {
    "poll_guest:page",
    "rsvp:page",
    "rsvp:ics",
    "rooms:guest",
    "exchange:feed",
    "reminders:stop",
    "tchap_bridge:transaction",
    "tchap_bridge:ping",
    "tchap_bridge:user",
    "tchap_bridge:room",
}
# Any signed-in agent, who sees only what is theirs.
OWN = {
    "polls:list",
    "polls:new",
    "polls",
    "portal:dashboard",
    "portal:fragment",
    "portal:search",
    "portal:settings",
    "portal:create_token",
    "portal:revoke_token",
    "portal:presence",
    "portal:delegations",
    "reminders:shown",
    "reminders:dismiss",
    "reminders:settings",
    "portal:end_delegation",
    "portal:hours",
    "portal:add_leave",
    "portal:remove_leave",
    "portal:restore_leave",
    "meetings:list",
    "meetings:plan",
    "meetings:recap",
    "meetings:directory",
    "meetings:group",
    "meetings:addresses",
    "meetings:availability",
    "meetings:slots",
    "meetings:instant",
    "exchange:feeds",
    "exchange:revoke_feed",
    "exchange:import",
    "exchange:preview",
    "exchange:agenda",
    "picker:choose",
    "places:list",
    "places:requests",
    "resources-api",
    "meetings",
    "directory",
    "presence-api",
    "availability-api",
    "slots-api",
    "agenda-api",
}
# The people of one meeting; 404 for everybody else.
MEETING = {
    "meetings:detail",
    "meetings:answer",
    "meetings:ics",
    "meetings:fragment-facts",
    "meetings:fragment-ledger",
    "meetings:fragment-side",
    "meetings:fragment-history",
    "meetings:fragment-dates",
    "meetings:propose",
    "meeting",
    "meeting-answer",
    "meeting-undo",
    "occurrences",
    "occurrence",
    "occurrence-answer",
    "counters",
    "counter-accept",
    "counter-refuse",
}
# Its organiser alone; its guests get 403 or 404, everybody else 404.
ORGANISER = {
    "meetings:edit",
    "meetings:cancel",
    "meetings:resend",
    "meetings:undo",
    "meetings:decide",
    "inbox:received",
}
# The people of one poll; 404 for everybody else.
POLL = {"polls:detail", "polls:fragment", "polls:answer", "poll", "poll-vote", "poll-choose", "poll-close"}
# Its organiser alone; those who are asked get 403, everybody else 404.
POLL_ORGANISER = {"polls:edit", "polls:choose", "polls:close", "polls:reopen", "polls:remind"}
ROOM = {"rooms:room"}
# A physical room: everybody of the organisation that lends it; 404 for everybody else.
PLACE = {"places:room"}
TEAM = {"calendars:team", "calendars:team-grid"}
API = {
    "polls",
    "poll",
    "poll-vote",
    "poll-choose",
    "poll-close",
    "meetings",
    "meeting",
    "meeting-answer",
    "meeting-undo",
    "occurrences",
    "occurrence",
    "occurrence-answer",
    "counters",
    "counter-accept",
    "counter-refuse",
    "resources-api",
    "directory",
    "presence-api",
    "availability-api",
    "slots-api",
    "agenda-api",
}
TABLE = PUBLIC | SECRET | OWN | MEETING | ORGANISER | POLL | POLL_ORGANISER | ROOM | TEAM | PLACE
