// Filters while one types; without it the form does the same on the server.
const filter = document.getElementById('filter');
const plain = (text) => text.normalize('NFD').replace(/\p{Mn}/gu, '').toLowerCase();

function show() {
  const wanted = plain(filter.value).split(/\s+/).filter(Boolean);
  const people = document.getElementById('people');
  for (const person of people.querySelectorAll('li')) {
    person.hidden = !wanted.every((word) => person.dataset.search.includes(word));
  }
  for (const group of people.querySelectorAll('.team, section')) {
    group.hidden = !group.querySelector('li:not([hidden])');
  }
  document.getElementById('nobody').hidden = Boolean(people.querySelector('li:not([hidden])'));
}

if (filter) {
  filter.addEventListener('input', show);
  filter.focus();
}
