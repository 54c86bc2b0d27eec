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

// Speaking without leaving the field. It is emptied when the server took the line; until the bot has said it, and the
// log above shows it, the line stands greyed below the log.
const form = document.getElementById("saying"), waiting = document.getElementById("waiting");
const newest = () => Math.max(0, ...[...document.querySelectorAll("#log .line")].map((one) => +one.id.slice(1)));
const bare = (text) => text.replace(/\s+/g, " ").trim();
function said() {
  const taken = new Set();
  for (const one of [...waiting.children]) {
    // A long line is said in parts: the first one tells that its turn has come.
    const line = [...document.querySelectorAll("#log .line.said")].find((line) => +line.id.slice(1) > one.after && !taken.has(line.id)
      && line.querySelector(".nick").textContent === one.nick && one.text.startsWith(bare(line.querySelector("span").textContent)));
    if (line) { taken.add(line.id); one.remove(); for (const other of waiting.children) if (other.nick === one.nick && other.text === one.text) other.after = +line.id.slice(1); }
  }
}
function wait({ nick, text }, after) {
  if (/^\[nolog\]/i.test(text)) return;  // no log will ever show it
  const row = waiting.appendChild(document.createElement("li")), name = document.createElement("b"), words = document.createElement("span"), state = document.createElement("i");
  [name.textContent, words.textContent, state.textContent] = [nick, text, form.dataset.waiting];
  row.className = "line soft";
  row.append(name, " ", words, " ", state);
  Object.assign(row, { nick, text: bare(text), after });
  said();
}
let sending = false, more = false;
async function speak(event) {
  event.preventDefault();
  if (sending) { more = true; return; }
  const { text } = form.elements, sent = text.value, after = newest(), unsaid = document.getElementById("unsaid");
  let problem = "", taken = null;
  [sending, more] = [true, false];
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" }, credentials: "same-origin", signal: AbortSignal.timeout(15000) });
    if (answer.ok) taken = await answer.json();
    else problem = (await answer.text()).trim() || answer.statusText;
  } catch { problem = form.dataset.lost; }
  sending = false;
  unsaid.textContent = problem;
  unsaid.hidden = !problem;
  text.focus();
  if (!taken) return;
  if (text.value.startsWith(sent)) text.value = text.value.slice(sent.length);  // what was typed meanwhile stays
  wait(taken, after);
  if (more && text.value.trim()) form.requestSubmit();
}
if (form && waiting) {
  form.addEventListener("submit", speak);
  document.addEventListener("gatebot:shown", said);
}
