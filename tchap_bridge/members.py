"""Who is in a meeting's Tchap room, and what the organiser may do there. Safe to repeat, as all of `rooms`."""

from __future__ import annotations

from suite.agents.models import Agent
from tchap_bridge import desired, messages, owed
from tchap_bridge.accounts import find_account
from tchap_bridge.desired import RoomWanted
from tchap_bridge.facts import MeetingFacts
from tchap_bridge.matrix import Matrix, MatrixError, StateContent
from tchap_bridge.models import MemberState, TchapMember, TchapRoom


class Members:
    """Those of one claimed room."""

    def __init__(self, matrix: Matrix, claim: owed.Claim) -> None:
        self.matrix = matrix
        self.claim = claim
        self.room: TchapRoom = claim.room

    def bring(self, facts: MeetingFacts, wanted: RoomWanted, *, most: int) -> bool:
        """Invite who came, at most so many, take out whom we invited and who left the meeting. True when people are left to invite."""
        known = {member.agent_id: member for member in TchapMember.objects.filter(room=self.room)}
        for member in known.values():
            if member.agent_id not in wanted.agent_ids:
                self._let_go(member, facts)
        if wanted.closed:
            return False
        missing = [pk for pk in wanted.agent_ids if self._is_missing(known.get(pk))]
        agents = Agent.objects.in_bulk(missing[:most])
        for pk in missing[:most]:
            self._let_in(agents[pk])
            self.claim.record()
        return len(missing) > most

    def _is_missing(self, member: TchapMember | None) -> bool:
        if member is None or member.state == MemberState.REMOVED:
            return True
        if member.state in (MemberState.NO_ACCOUNT, MemberState.REFUSED):
            return member.looked_up_at is None or member.looked_up_at < self.claim.now - owed.LOOK_AGAIN
        return False

    def _let_in(self, agent: Agent) -> None:
        account = find_account(self.matrix, agent)
        state = MemberState.NO_ACCOUNT if account is None else self._invite(account)
        TchapMember.objects.update_or_create(
            room=self.room,
            agent=agent,
            defaults={"matrix_id": account or "", "state": state, "looked_up_at": self.claim.now},
        )

    def _invite(self, account: str) -> MemberState:
        try:
            self.matrix.invite(self.room.room_id, account)
        except MatrixError as error:
            if error.status not in (400, 403, 404):
                raise
            # They are in already; or banned there, or wanting no invitations: their affair, which must not stop the others.
            # Were we out of the room ourselves, this question would be refused too.
            if self.matrix.membership(self.room.room_id, account) == "join":
                return MemberState.PRESENT
            return MemberState.REFUSED
        return MemberState.INVITED

    def _let_go(self, member: TchapMember, facts: MeetingFacts) -> None:
        if member.state == MemberState.INVITED:
            self._kick(member.matrix_id, reason=self._farewell(member, facts))
            member.state = MemberState.REMOVED
            member.save(update_fields=["state"])
        elif member.state != MemberState.REMOVED:
            # Without an account, or in the room by somebody else's doing: nothing to undo.
            member.delete()

    def _farewell(self, member: TchapMember, facts: MeetingFacts) -> str:
        return messages.farewell(language=facts.language, is_date_guest=member.agent_id in facts.date_guest_ids)

    def _kick(self, account: str, *, reason: str) -> None:
        try:
            self.matrix.kick(self.room.room_id, account, reason=reason)
        except MatrixError as error:
            if error.status != 403:
                raise
            if self.matrix.membership(self.room.room_id, account) in ("join", "invite"):
                raise

    def give_powers(self, wanted: RoomWanted) -> None:
        """The organiser may invite and moderate; a closed room is written by them and by us alone."""
        organiser = TchapMember.objects.filter(
            room=self.room, agent_id=wanted.organiser_id, state__in=[MemberState.INVITED, MemberState.PRESENT]
        ).first()
        account = organiser.matrix_id if organiser else ""
        powers = {"organiser": account, "closed": wanted.closed}
        if self.room.shown.get("powers") == powers:
            return
        me = self.matrix.whoami()
        levels = self.matrix.state_content(self.room.room_id, "m.room.power_levels") or desired.default_levels(me)
        changed = desired.with_powers(levels, organiser=account, closed=wanted.closed, me=me)
        if changed != levels:
            self.matrix.put_state(self.room.room_id, StateContent("m.room.power_levels", changed))
        self.claim.show(powers=powers)
