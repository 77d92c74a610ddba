"""The catcher's pages, in French: the list and one message."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode

from suite.local.catcher.store import MOST_KEPT, Summary

STYLE = """\
:root { color-scheme: light dark; --line: light-dark(#929292, #7a7a7a); }
:root { --quiet: light-dark(#555, #bbb); --link: light-dark(#000091, #8585f6); }
* { box-sizing: border-box; }
body { background: light-dark(#fff, #161616); color: light-dark(#161616, #fff); }
body { font: 1rem/1.5 Marianne, system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
a { color: var(--link); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
form.search { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin-bottom: 1rem; }
label { display: block; } input, button { background: light-dark(#f6f6f6, #1e1e1e); border: 1px solid var(--line); color: inherit; }
input, button { font: inherit; padding: .375rem .5rem; }
ol.messages { list-style: none; padding: 0; } ol.messages li { border-bottom: 1px solid var(--line); padding: .5rem 0; }
ol.messages a { font-weight: 700; } p.meta, dl { color: var(--quiet); margin: 0; font-size: .875rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; } dd { margin: 0; overflow-wrap: anywhere; }
dt { font-weight: 700; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); padding: 1rem; }
iframe { width: 100%; height: 40rem; border: 1px solid var(--line); background: #fff; }
"""


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/style.css"></head>'
        f"<body><main>{body}</main></body></html>"
    )


def _counted(number: int) -> str:
    grouped = f"{number:,}".replace(",", "\u202f")
    return f"{grouped} message" if number < 2 else f"{grouped} messages"


def list_page(*, found: Sequence[Summary], count: int, to: str, subject: str) -> str:
    rows = "".join(
        f'<li><a href="/messages/{one.id}">{escape(one.subject) or "(sans objet)"}</a>'
        f'<p class="meta">À : {escape(", ".join(one.recipients))} · de : {escape(one.sender)}'
        f' · <time datetime="{one.received_at}">{one.received_at[:19].replace("T", " ")} UTC</time></p></li>'
        for one in found
    )
    older = ""
    if found and found[-1].id > 1 and len(found) >= 50:
        query = urlencode({"to": to, "subject": subject, "before": found[-1].id})
        older = f'<p><a href="/?{escape(query)}">Messages plus anciens</a></p>'
    messages = f'<ol class="messages">{rows}</ol>' if rows else "<p>Aucun message.</p>"
    return _page(
        "Boîte aux lettres",
        "<h1>Boîte aux lettres</h1>"
        f'<p class="meta">Tout ce que le portail envoie sur cette machine arrive ici : {_counted(count)}.'
        f" Les {_counted(MOST_KEPT)} les plus récents sont gardés.</p>"
        '<form class="search" method="get" action="/" role="search">'
        f'<div><label for="to">Destinataire</label><input id="to" name="to" type="email" value="{escape(to)}"></div>'
        '<div><label for="subject">Objet contenant</label>'
        f'<input id="subject" name="subject" value="{escape(subject)}"></div>'
        "<button>Filtrer</button></form>"
        f"{messages}{older}",
    )


def not_taken_page(number: int, words: str) -> str:
    return _page(
        "Réponse non remise",
        f'<p><a href="/messages/{number}">Retour au message</a></p><h1>Réponse non remise</h1>'
        f"<p>Le portail n’a pas pris la réponse : {escape(words)}</p>",
    )


def message_page(
    summary: Summary, parts: dict[str, Any], *, choices: Mapping[str, str] | None = None, sent: str = ""
) -> str:
    """`choices`: buttons that answer as the recipient's calendar would; `sent`: the one that was pressed."""
    shown = ("From", "To", "Subject", "Date", "Message-ID", "Reply-To", "Auto-Submitted")
    headers = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in parts["headers"] if name in shown
    )
    body = [
        '<p><a href="/">Tous les messages</a></p>',
        f"<h1>{escape(summary.subject) or '(sans objet)'}</h1>",
        f"<dl>{headers}<dt>Enveloppe</dt><dd>{escape(', '.join(summary.recipients))}</dd></dl>",
        f'<p><a href="/api/messages/{summary.id}/raw">Source du message</a></p>',
    ]
    if sent:
        body.append(f'<p role="status">Réponse envoyée : {escape(sent)}.</p>')
    if choices:
        buttons = "".join(
            f'<button name="answer" value="{escape(value)}">{escape(words)}</button>'
            for value, words in choices.items()
        )
        body.append(
            f"<h2>Répondre comme l’agenda de {escape(summary.recipients[0])}</h2>"
            f'<form class="search" method="post" action="/messages/{summary.id}/answer">{buttons}</form>'
        )
    if parts["html"] is not None:
        body.append(
            f'<h2>HTML</h2><p><a href="/messages/{summary.id}/html">Ouvrir seul</a></p>'
            f'<iframe title="Le message en HTML" src="/messages/{summary.id}/html" sandbox="allow-popups"></iframe>'
        )
    if parts["text"] is not None:
        body.append(f"<h2>Texte</h2><pre>{escape(parts['text'])}</pre>")
    for calendar in parts["calendars"]:
        name = f"{calendar['type']} {calendar['method']} {calendar['filename'] or ''}"
        body.append(f"<h2>Calendrier ({escape(name.strip())})</h2><pre>{escape(calendar['content'])}</pre>")
    for one in parts["attachments"]:
        body.append(f"<h2>Pièce jointe</h2><p>{escape(str(one['filename']))} ({one['type']}, {one['size']} octets)</p>")
    return _page(summary.subject or "(sans objet)", "".join(body))
