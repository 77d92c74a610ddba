"""How the catcher misbehaves, told through its API: refusals, slowness and lost replies, by recipient."""

import threading
from collections.abc import Callable
from dataclasses import dataclass


class BadRule(Exception):
    """The rule cannot be understood; the message says why."""


@dataclass(kw_only=True)
class Rule:
    """What happens to one recipient (or to all: "*").

    `reply` is an SMTP reply such as "451 4.3.0 Try again later", given at RCPT; `seconds` holds the message back;
    `lose_reply` keeps the message, then drops the connection before the 250; `times` is how often the rule still
    applies (None: for ever).
    """

    recipient: str
    reply: str = ""
    seconds: float = 0.0
    lose_reply: bool = False
    times: int | None = None

    def fits(self, address: str) -> bool:
        return self.recipient in ("*", address.lower())


def parse(given: object) -> Rule:
    """A rule out of JSON; raises BadRule."""
    if not isinstance(given, dict) or not isinstance(given.get("recipient"), str):
        raise BadRule("a rule is an object with a recipient")
    unknown = given.keys() - {"recipient", "reply", "seconds", "lose_reply", "times"}
    if unknown:
        raise BadRule(f"unknown: {', '.join(sorted(unknown))}")
    reply = str(given.get("reply", ""))
    if reply and not (reply[:3].isdigit() and reply[0] in "45" and reply[3:4] == " " and "\n" not in reply):
        raise BadRule("reply must read like '451 4.3.0 Try again later'")
    times = given.get("times")
    return Rule(
        recipient=given["recipient"].lower(),
        reply=reply,
        seconds=min(float(given.get("seconds", 0)), 60.0),
        lose_reply=bool(given.get("lose_reply", False)),
        times=None if times is None else int(times),
    )


class Rules:
    """The rules in force; safe between the SMTP loop and the page's threads."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, rule: Rule) -> None:
        with self._lock:
            self._rules.append(rule)

    def clear(self, recipient: str = "") -> None:
        with self._lock:
            self._rules = [rule for rule in self._rules if recipient and rule.recipient != recipient.lower()]

    def all(self) -> list[Rule]:
        with self._lock:
            return list(self._rules)

    def refusal(self, address: str) -> str:
        """The reply to RCPT for `address`, "" when it is welcome; counts the rule as used."""
        rule = self._take(address, lambda rule: bool(rule.reply))
        return rule.reply if rule else ""

    def delay(self, address: str) -> float:
        rule = self._take(address, lambda rule: rule.seconds > 0 and not rule.reply)
        return rule.seconds if rule else 0.0

    def loses_reply(self, address: str) -> bool:
        return self._take(address, lambda rule: rule.lose_reply) is not None

    def _take(self, address: str, concerns: Callable[[Rule], bool]) -> Rule | None:
        with self._lock:
            for rule in self._rules:
                if rule.times != 0 and rule.fits(address) and concerns(rule):
                    if rule.times is not None:
                        rule.times -= 1
                    return rule
        return None
