// The one script of all pages: live regions, times in the reader's zone, keys. Every page is complete without it.
// A region is any element with an id and `data-region`; when the server says that something it shows has changed,
// the page is fetched again and each region whose markup differs is replaced in place.
const say = (text, state) => {
  const dot = document.getElementById("live");
  if (!dot) return;
  dot.hidden = false;
  dot.className = `live quiet ${state}`;
  dot.lastElementChild.textContent = text;
};

// Gerrit's first addresses: all of them stood behind `#`.
if (location.pathname === "/" && location.hash.startsWith("#/")) location.replace(location.hash.slice(1));

const ko = document.documentElement.lang === "ko";
const words = ko
  ? { live: "실시간", lost: "연결 끊김, 다시 시도 중", paused: "멈춤", key: { j: "다음", k: "이전", o: "열기", u: "위로", "/": "검색", "?": "이 도움말", "g t": "내 변경", "g s": "상태", "g c": "변경", "g m": "회의", "g b": "빌드", p: "실시간 멈춤/재개", e: "첫 오류", "Ctrl+Enter": "쓴 글 보내기" } }
  : { live: "live", lost: "lost, retrying", paused: "paused", key: { j: "next", k: "previous", o: "open", u: "up", "/": "search", "?": "this help", "g t": "your changes", "g s": "status", "g c": "changes", "g m": "meetings", "g b": "builds", p: "pause or resume live updates", e: "first error of a log", "Ctrl+Enter": "send or save what is written" } };

function times(root) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const node of root.querySelectorAll("time[datetime]")) {
    const at = new Date(node.dateTime);
    if (!Number.isNaN(+at) && !("relative" in node.dataset)) node.textContent = format.format(at);
  }
}

const since = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
function relative(at) {
  const seconds = (at - Date.now()) / 1000;
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return since.format(Math.round(seconds / size), unit);
  }
  return since.format(Math.round(seconds), "second");
}

// What only the script does is hidden, or not told, without it.
function reveal(root) {
  for (const node of root.querySelectorAll("[data-copy], .scripted")) node.hidden = false;
  for (const node of root.querySelectorAll("[data-scriptless]")) node.hidden = true;
  for (const node of root.querySelectorAll("[data-scripted]")) node.textContent = node.dataset.scripted;
}

// How long something runs, and how long ago something was, counts on by itself; what is compared has no such numbers in it.
function quiet(root) {
  for (const node of root.querySelectorAll("[data-started], time[data-relative]")) node.textContent = "";
}
function tick() {
  for (const node of document.querySelectorAll("time[data-relative]")) {
    const text = relative(new Date(node.dateTime));
    if (node.textContent !== text) node.textContent = text;
  }
  for (const node of document.querySelectorAll("[data-until]")) if (new Date(node.dataset.until) < Date.now()) node.remove();
  for (const node of document.querySelectorAll("[data-started]")) {
    node.since ??= Date.now() - 1000 * node.dataset.started;
    const s = Math.max(0, Math.round((Date.now() - node.since) / 1000)), two = (n) => String(n).padStart(2, "0");
    const [hour, minute, second] = ko ? ["시간", "분", "초"] : [" h", " min", " s"];
    node.textContent = s >= 3600 ? `${Math.floor(s / 3600)}${hour} ${two(Math.floor(s % 3600 / 60))}${minute}`
      : s >= 60 ? `${Math.floor(s / 60)}${minute} ${two(s % 60)}${second}` : `${s}${second}`;
  }
}

const fixed = (node) => node.outerHTML.replace(/ data-started="\d+"/g, "");
// Takes over what differs: of an element with `data-list` child by child (by id), of one with `data-region` whole.
function take(mine, theirs) {
  if (mine.html === theirs.html) return;
  if ("list" in mine.dataset) {
    const known = new Map([...mine.children].map((child) => [child.id, child]));
    const wanted = [...theirs.children].map((child) => {
      const old = child.id && known.get(child.id);
      if (!old) return fresh(child);
      if (old.html === child.html) return old;
      if ("list" in old.dataset) { take(old, child); return old; }
      return swap(old, child);
    });
    // What a script has put between them, as a form in which somebody writes, stays where it is.
    for (const child of [...mine.children]) if (!wanted.includes(child) && !("keep" in child.dataset)) child.remove();
    let at = mine.firstElementChild;
    for (const child of wanted) {
      while (at && "keep" in at.dataset) at = at.nextElementSibling;
      if (at === child) at = at.nextElementSibling; else mine.insertBefore(child, at);
    }
    mine.html = theirs.html;
  } else swap(mine, theirs);
}
function fresh(theirs) {
  const node = document.importNode(theirs, true);
  node.html = theirs.html;
  remember(node);
  node.classList.add("changed");
  return node;
}
function swap(mine, theirs) {
  if (mine.contains(document.activeElement) && mine.querySelector("textarea, input:not([type=hidden])")) return mine;
  const focus = mine.contains(document.activeElement) && document.activeElement, node = fresh(theirs);
  for (const open of mine.querySelectorAll("details[id]")) { const same = node.querySelector(`#${CSS.escape(open.id)}`); if (same) same.open = open.open; }
  if (mine.matches("details")) node.open = mine.open;
  const chosen = mine.matches("[aria-selected='true']") ? mine : mine.querySelector("[id][aria-selected='true']");
  if (chosen) (chosen === mine ? node : node.querySelector(`#${CSS.escape(chosen.id)}`))?.setAttribute("aria-selected", "true");
  mine.replaceWith(node);
  if (focus) (focus.id ? document.getElementById(focus.id) : [...node.querySelectorAll("a, button, summary")].find((one) => one.textContent === focus.textContent))?.focus();
  return node;
}
function remember(root) {
  for (const node of [root, ...root.querySelectorAll("[data-region], [data-list], [data-list] > *")]) node.html ??= fixed(node);
}

let busy = false, again = false, failed = 0;
async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  again = false;
  const text = await load();
  try { if (text) show(new DOMParser().parseFromString(text, "text/html")); } finally {
    busy = false;
    failed = text === null ? failed + 1 : 0;
    if (failed) setTimeout(refresh, Math.min(1000 * failed, 15000));
    else if (again) setTimeout(refresh, 200);
  }
}
// The page as it is now, of what it showed when it was loaded: `data-again` is the address that goes on meaning this.
// "" when there is none for this reader any more, null when asking again may help.
async function load() {
  try {
    // What does not live shows only what is told everybody.
    const again = document.body.dataset.live ? document.querySelector("[data-again]")?.dataset.again ?? location.href : "/notices";
    const answer = await fetch(again, {
      headers: { "X-Live": "1" }, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(10000),
    });
    return answer.ok ? await answer.text() : answer.status < 500 ? "" : null;
  } catch { return null; }
}
function show(page) {
  reveal(page);
  times(page);
  quiet(page);
  remember(page.body);
  for (const mine of document.querySelectorAll("[data-region][id], [data-list][id]")) {
    if (!mine.isConnected || mine.parentElement.closest("[data-list]")) continue;  // replaced, or part of a list
    const theirs = page.getElementById(mine.id);
    if (theirs) take(mine, theirs);
  }
  tick();
  if (following !== null && (page.body.dataset.live || "") !== following) {
    Object.assign(document.body.dataset, { live: page.body.dataset.live || "", since: page.body.dataset.since || "" });
    follow();
  }
  document.title = page.title || document.title;
  document.dispatchEvent(new CustomEvent("gatebot:shown", { detail: page }));
}
document.addEventListener("gatebot:refresh", refresh);

let paused = false, source = null, following = null;
// A browser opens six connections to a host, for all its windows together. Three windows that are seen hold a stream,
// by a lock that ends with its page; the others ask every few seconds, and take a lock when one becomes free. Where
// there are no locks (they need https or localhost), the window in which somebody works holds one.
const asks = { seen: 3, hidden: 30 };
let held = null, trying = null;
function share() {
  leave();
  if (document.hidden) return;
  if (!navigator.locks) { if (document.hasFocus()) held = () => {}; return; }
  const mine = trying = new AbortController();
  for (const name of ["live 1", "live 2", "live 3"]) {
    navigator.locks.request(name, { signal: mine.signal }, () => {
      if (held || trying !== mine) return null;  // two were free at once, or this page was left
      const kept = new Promise((free) => { held = free; });
      mine.abort();
      following = null;
      follow();
      return kept;
    }).catch(() => {});  // given up, as there is one
  }
}
function leave() {
  trying?.abort();
  held?.();
  trying = held = null;
}
function shareAgain() {
  share();
  following = null;
  follow();
}
// Every page hears what is told everybody; one that hears nothing else does so while somebody sees it.
function follow() {
  const { live = "", since } = document.body.dataset;
  if (!window.EventSource || live === following || (!live && document.hidden)) return;
  following = live;
  source?.close();
  const log = document.getElementById("log"), topics = live ? `${live},banner` : "banner";
  const every = held ? "" : document.hidden ? asks.hidden : asks.seen;
  const query = new URLSearchParams({ topics, since: since || "", offset: log?.dataset.offset || "", every });
  const mine = source = new EventSource(`/live?${query}`);
  let heard = false, lost = false, timer = 0;
  // The first news of a burst sets the clock, the others do not set it back: a busy gate is shown too.
  const news = () => { timer ||= setTimeout(() => { timer = 0; if (!paused && source === mine) refresh(); }, 120); };
  source.onopen = () => {
    if (live) say(paused ? words.paused : words.live, paused ? "" : "on");
    if (lost) news();
    [heard, lost] = [true, false];
  };
  source.onerror = () => {
    if (every && heard) { heard = false; return; }  // answered; the browser asks again by itself
    lost = true;
    if (live) say(words.lost, "lost");
    // A browser gives up on an answer that is no stream, as of a proxy without its server.
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => source === mine && resume(), 3000);
  };
  source.addEventListener("changed", news);
  source.addEventListener("log", (event) => {
    if (log) log.dataset.offset = event.lastEventId.split(":")[1];
    grow(log, JSON.parse(event.data));
  });
}
function resume() {
  following = null;
  follow();
  if (!paused) refresh();
}
function pause() {
  paused = !paused;
  say(paused ? words.paused : words.live, paused ? "" : "on");
  if (!paused) refresh();
}

// Lines of a running build, in the form that the server gives them (executor/log_html.py).
const noise = /\x1b\[[0-?]*[ -/]*[@-ln-~]|\x1b\[[0-9;]*[<-?][0-?]*m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[PX^_][^\x1b]*(?:\x1b\\)?|\x1b[()*+][A-Z0-9]|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
const styles = { 1: "bold", 2: "dim", 3: "italic", 4: "underline" };
function restyle(style, codes) {
  const rest = codes.split(";");
  while (rest.length) {
    const code = rest.shift().replace(/^0+/, "");
    if (code === "38" || code === "48") rest.splice(0, rest[0] === "5" ? 2 : 4);
    else if (!code) style.clear();
    else if (styles[code]) style.add(styles[code]);
    else if (code === "22") { style.delete("bold"); style.delete("dim"); }
    else if (/^(3|9)[0-79]$/.test(code)) {
      for (const one of [...style]) if (one.startsWith("f")) style.delete(one);
      if (code[1] !== "9") style.add(`f${+code[1] + (code[0] === "9" ? 8 : 0)}`);
    }
  }
}
function line(text, number) {
  const row = document.createElement("div");
  row.id = `L${number}`;
  const link = row.appendChild(document.createElement("a"));
  link.href = `#L${number}`;
  link.textContent = number;
  const stamp = /^\d{4}-\d\d-\d\d (\d\d:\d\d:\d\d)\.\d+ \| /.exec(text);
  if (stamp) row.appendChild(document.createElement("i")).textContent = stamp[1];
  const said = row.appendChild(document.createElement("span"));
  const style = new Set();
  text.slice(stamp ? stamp[0].length : 0).replace(noise, "").split(/\x1b\[([0-9;]*)m/).forEach((piece, at) => {
    if (at % 2) restyle(style, piece);
    else if (piece) { const span = said.appendChild(document.createElement("span")); span.className = [...style].join(" "); span.textContent = piece.replaceAll("\x1b", ""); }
  });
  return row;
}
function fold(title) {
  const box = document.createElement("details"), head = document.createElement("summary");
  box.open = true;
  box.className = /^[A-Z]/.test(title) ? "task" : "step";
  head.textContent = title;
  box.append(head);
  return box;
}
// Lines that a page left out: fetched where their link is, when it is chosen or comes into sight at the end.
async function more(link) {
  const gap = link.closest(".skipped");
  if (gap.ariaBusy) return;
  gap.ariaBusy = "true";
  const answer = await fetch(link.href, { credentials: "same-origin" });
  const theirs = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("log");
  if (!answer.ok || !theirs) { location.href = link.href; return; }
  gap.replaceWith(...theirs.childNodes);
  sight();
}
const seen = window.IntersectionObserver && new IntersectionObserver((all) => {
  for (const one of all) if (one.isIntersecting) { seen.unobserve(one.target); more(one.target.querySelector("a")); }
}, { rootMargin: "300px" });
function sight() {
  const last = document.querySelector("#log > .skipped:last-child");
  if (last) seen?.observe(last);
}
function grow(log, text) {
  if (!log) return;
  const page = document.scrollingElement;
  const atEnd = innerHeight + page.scrollTop > page.scrollHeight - 80 && +log.dataset.next > 1;
  const fragment = document.createDocumentFragment();
  let place = log.fold?.isConnected ? log.fold : fragment;
  for (const one of text.replace(/\n$/, "").split("\n")) {
    const said = one.replace(/^[\d-]+ [\d:.]+ \| /, ""), title = /^(?:PLAY|TASK|RUNNING HANDLER) \[[^\]]*\]|^PLAY RECAP|^(?:pre-run|run|post-run|cleanup): \S+ \S+$/.exec(said);
    if (title) { place = log.fold = fold(title[0]); fragment.append(place); }
    place.append(line(one, log.dataset.next++));
  }
  log.append(fragment);
  document.getElementById("log-empty").hidden = true;
  if (atEnd) scrollTo(0, page.scrollHeight);
}
// `#L12-L20`: a range of lines.
function mark() {
  const range = /^#L(\d+)(?:-L?(\d+))?$/.exec(location.hash);
  for (const row of document.querySelectorAll("#log .chosen")) row.classList.remove("chosen");
  if (!range || !document.getElementById("log")) return;
  const first = +range[1], last = Math.min(+(range[2] || first), first + 5000);
  const found = document.getElementById(`L${first}`), log = document.getElementById("log");
  if (!found && first <= +log.dataset.lines && !location.search.includes("from=")) location.replace(`?from=${Math.max(1, first - 50)}${location.hash}`);
  for (let box = found?.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  for (let number = first; number <= last; number++) document.getElementById(`L${number}`)?.classList.add("chosen");
  if (range[2] || found?.closest("details")) document.getElementById(`L${first}`)?.scrollIntoView({ block: "center" });
}

const rows = () => {
  const lines = document.querySelectorAll("#lines > [data-row]");
  return lines.length ? [...lines] : [...document.querySelectorAll("[data-row], main tbody tr")].filter((row) => row.querySelector("a"));
};
const chosen = (row) => row.getAttribute("aria-selected") === "true" || (row.matches("li") && row.contains(document.activeElement));
function move(step) {
  const all = rows();
  const at = all.findIndex(chosen);
  const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
  if (!next) return;
  all[at]?.removeAttribute("aria-selected");
  if (next.matches("li")) { next.querySelector("a").focus(); return; }
  next.setAttribute("aria-selected", "true");
  next.scrollIntoView({ block: "nearest" });
}

let prefix = "";
function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (document.querySelector("dialog[open]")) return;
  const pressed = prefix + event.key;
  prefix = "";
  // What a page can do by key is a link or a button on it, which says the key.
  const own = [...document.querySelectorAll(`[data-key="${CSS.escape(pressed)}"]`)].find((one) => !one.closest("[hidden]"));
  if (own) { event.preventDefault(); if (own.matches("input")) own.focus(); else own.click(); return; }
  const go = (href) => { location.href = href; };
  const acts = {
    j: () => move(1), k: () => move(-1), p: () => following && pause(),
    o: () => rows().find(chosen)?.querySelector("a")?.click(),
    Enter: () => acts.o(), u: () => go(location.pathname.replace(/\/[^/]*\/?$/, "") || "/"),
    "?": help, "g": () => { prefix = "g "; },
    "g s": () => go("/status"), "g c": () => go("/q/status:open"), "g m": () => go("/meetings/"), "g b": () => go("/builds"), "g i": () => go("/"), "g t": () => go("/dashboard/self"),
  };
  if (event.key !== "Enter" || event.target === document.body) acts[pressed]?.();
}
// Keys that only some pages have.
const has = {
  j: () => rows().length, k: () => rows().length, o: () => rows().some((row) => row.querySelector("a")), p: () => following,
  e: () => document.querySelector("[data-key=e]"), "Ctrl+Enter": () => document.querySelector("#reply, #writing"),
};
function help() {
  const box = document.getElementById("help");
  // Those of this page come first.
  const own = Object.fromEntries([...document.querySelectorAll("[data-help]")].filter((one) => !one.closest("[hidden]")).map((one) => [one.dataset.key, one.dataset.help]));
  const list = box.querySelector("dl");
  list.replaceChildren();
  for (const [name, what] of Object.entries({ ...own, ...words.key, ...own })) {
    if (has[name] && !has[name]()) continue;
    const [key, text] = [document.createElement("dt"), document.createElement("dd")];
    key.appendChild(document.createElement("kbd")).textContent = name;
    text.textContent = what;
    list.append(key, text);
  }
  box.showModal();
}

function theme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("theme", document.documentElement.dataset.theme); } catch { /* storage is off */ }
}

for (const [id, act] of [["theme", theme], ["keys", help]]) {
  const button = document.getElementById(id);
  if (button) { button.hidden = false; button.addEventListener("click", act); }
}
document.addEventListener("keydown", key);
document.getElementById("live").addEventListener("click", pause);
document.getElementById("log")?.addEventListener("click", (event) => {
  const left = event.target.closest("a[data-more]");
  if (left) { event.preventDefault(); more(left); return; }
  const to = event.target.closest("a[href^='#L']"), from = /^#L(\d+)/.exec(location.hash);
  if (!to || !event.shiftKey || !from) return;
  event.preventDefault();
  const ends = [+from[1], +to.textContent].sort((a, b) => a - b);
  location.hash = `#L${ends[0]}-L${ends[1]}`;
});
sight();
addEventListener("hashchange", mark);
addEventListener("pagehide", () => { source?.close(); leave(); });
document.addEventListener("visibilitychange", () => {
  if (document.hidden && !document.body.dataset.live) source?.close();
  shareAgain();
});
addEventListener("pageshow", (event) => { if (event.persisted) { share(); resume(); } });
if (!navigator.locks) for (const change of ["focus", "blur"]) addEventListener(change, shareAgain);
document.addEventListener("click", (event) => {
  const text = event.target.closest("[data-copy]")?.dataset.copy;
  if (text) navigator.clipboard?.writeText(text).then(() => say("✓", "on"));
});
// What takes long to make is fetched when it is opened: the part of another page that a link names.
document.addEventListener("toggle", async (event) => {
  const link = event.target.open && event.target.querySelector("a[data-part]");
  if (!link) return;
  const part = link.dataset.part;
  delete link.dataset.part;
  event.target.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(link.href, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    link.parentElement.replaceWith(page.getElementById(part) || page.querySelector("[role=alert], main p"));
  } catch { link.dataset.part = part; }
  event.target.removeAttribute("aria-busy");
}, true);
// On a narrow screen the places are one line, moved sideways: to where one is.
const here = document.querySelector(".top nav [aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft - (here.parentElement.clientWidth - here.offsetWidth) / 2;
reveal(document);
times(document);
quiet(document);
remember(document.body);
tick();
setInterval(tick, 1000);
mark();
share();
if (held) follow(); else setTimeout(follow, 200);  // a free lock comes at once, and with it the stream
