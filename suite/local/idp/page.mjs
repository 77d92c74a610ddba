// The provider's pages, in French: choose an agent, sign out, an error.

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text) => String(text).replace(/[&<>"']/g, (character) => escapes[character]);
// Without accents and case: "lea" finds "Léa".
export const plain = (text) => text.normalize('NFD').replace(/\p{Mn}/gu, '').toLowerCase();

function page(title, body) {
  return `<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<link rel="stylesheet" href="/static/style.css">
<script src="/static/page.js" defer></script>
</head>
<body><main>${body}</main></body>
</html>`;
}

function personButton(person) {
  const labels = [person.job_title, person.manager ? 'encadre l’équipe' : '', person.administrator ? 'administre le portail' : ''];
  return `<li data-search="${escape(plain(`${person.given_name} ${person.usual_name} ${person.email}`))}">
<button name="sub" value="${escape(person.sub)}"><strong>${escape(person.given_name)} ${escape(person.usual_name)}</strong>
<span>${escape(labels.filter(Boolean).join(' · '))}</span><span>${escape(person.email)}</span></button></li>`;
}

function grouped(people, key) {
  const groups = new Map();
  for (const person of people) {
    groups.set(key(person), [...(groups.get(key(person)) ?? []), person]);
  }
  return [...groups];
}

function organisationSection([name, people]) {
  const teams = grouped(people, (person) => person.organizational_unit ?? '');
  return `<section><h2>${escape(name)}</h2>${teams
    .map(([team, members]) => `<div class="team"><h3>${escape(team)}</h3><ul>${members.map(personButton).join('')}</ul></div>`)
    .join('')}</section>`;
}

export function choicePage({ uid, people, organisationOf, filter }) {
  const wanted = plain(filter).split(/\s+/).filter(Boolean);
  const shown = people.filter((person) => {
    const text = plain(`${person.given_name} ${person.usual_name} ${person.email}`);
    return wanted.every((word) => text.includes(word));
  });
  const sections = grouped(shown, organisationOf).map(organisationSection).join('');
  return page('Choisir un agent', `
<h1>Choisir un agent de démonstration</h1>
<p>Cette page tient lieu de ProConnect sur cette machine. Choisissez la personne que vous voulez être.</p>
<form method="get" action="/interaction/${escape(uid)}" role="search">
<label for="filter">Filtrer par nom ou par adresse</label>
<input id="filter" name="filter" type="search" value="${escape(filter)}" autocomplete="off">
<button>Filtrer</button>
</form>
<form method="post" action="/interaction/${escape(uid)}" id="people">${sections}</form>
<p id="nobody" role="status"${shown.length ? ' hidden' : ''}>Personne ne correspond.</p>`);
}

export function signOutPage({ form }) {
  return page('Se déconnecter', `
<h1>Se déconnecter du fournisseur d’identité ?</h1>
${form}
<p><button form="op.logoutForm" name="logout" value="yes">Se déconnecter</button></p>`);
}

export function signedOutPage() {
  return page('Déconnecté', '<h1>Vous êtes déconnecté</h1>');
}

export function errorPage({ error, description }) {
  return page('Erreur', `
<h1>La connexion n’a pas abouti</h1>
<p>Revenez au portail et recommencez.</p>
<p><code>${escape(error)}</code> ${escape(description ?? '')}</p>`);
}
