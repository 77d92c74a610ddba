// Another time: the end follows the beginning. Both are plain fields that work without this.
const DAY = 24 * 60;

const parse = (value) => {
  const [hours, rest] = value.split(":").map(Number);
  return value ? hours * 60 + rest : NaN;
};
const two = (number) => String(number).padStart(2, "0");

export function proposedHours() {
  const from = document.getElementById("proposition-de");
  const to = document.getElementById("proposition-a");
  if (!from || !to) return;
  // How long it lasts, as last said by the two fields.
  let length = parse(to.defaultValue) - parse(from.defaultValue);

  const follow = () => {
    const end = parse(from.value) + length;
    // Past midnight there is no such hour that day: the end stays, and the portal says what is wrong.
    if (length > 0 && end < DAY) to.value = `${two(Math.floor(end / 60))}:${two(end % 60)}`;
  };
  const measure = () => {
    const lasts = parse(to.value) - parse(from.value);
    if (!Number.isNaN(lasts)) length = lasts;
  };

  // What was changed before this script came counts like what is changed after it.
  if (to.value !== to.defaultValue) measure();
  else if (from.value !== from.defaultValue) follow();
  from.addEventListener("input", follow);
  to.addEventListener("input", measure);
}
