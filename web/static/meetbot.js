// The log of a day: the reader's own zone among those to choose, and the address of several lines by two clicks.
const zone = document.getElementById("tz"), own = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) {
  if (own && ![...zone.options].some((one) => one.value === own)) zone.add(new Option(own, own));
  zone.addEventListener("change", () => zone.form.submit());
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
