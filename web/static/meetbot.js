// The log of a day: the reader's own zone among those to choose, and the address of several lines by two clicks.
// Another zone may put the line that one looks at on another day: the form says which line that is.
const zone = document.getElementById("tz"), own = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) {
  if (own && ![...zone.options].some((one) => one.value === own)) zone.add(new Option(own, own));
  zone.form.addEventListener("submit", () => { const { at } = zone.form.elements; if (at) at.value = lookedAt() || at.value; });
  zone.addEventListener("change", () => zone.form.requestSubmit());
}

// What one looks at: the line that the address points at, or else the first one in sight.
function lookedAt() {
  const pointed = document.querySelector(".line:target, .line:has(.at:target), .line.marked");
  const inSight = (line) => { const box = line.getBoundingClientRect(); return box.height && box.bottom > 0 && box.top < innerHeight; };
  return (pointed || [...document.querySelectorAll(".line")].find(inSight))?.id.slice(1);
}
// The address of a line of another day: in this zone it is on that one.
const elsewhere = /^#l(\d+)$/.exec(location.hash)?.[1];
if (zone?.form.elements.at && elsewhere && !document.getElementById(`l${elsewhere}`) && !new URLSearchParams(location.search).has("at")) {
  const address = new URL(location.href);
  address.searchParams.set("at", elsewhere);
  location.replace(address);
}

let first = /^#l(\d+)$/.exec(location.hash)?.[1];
document.addEventListener("click", (event) => {
  const time = event.target.closest?.(".line .at");
  if (!time) return;
  const number = time.hash.slice(2);
  if (!event.shiftKey || !first) { first = number; return; }
  event.preventDefault();
  const [from, to] = [+first, +number].sort((one, other) => one - other);
  const address = new URL(location.href);
  address.searchParams.set("lines", `${from}-${to}`);
  address.hash = `l${from}`;
  location.assign(address);
});
