// What a reviewer does on the pages of a change beside reading: drafts on lines, threads, steps from difference to
// difference, the reply. Everything that is seen comes from the server: after each act the page is fetched again.
const ko = document.documentElement.lang === "ko";
const words = ko
  ? { on: (line) => `${line}번째 줄에 의견 달기`, saved: "초안 저장됨", saving: "저장 중…", leave: "저장하지 않은 글이 있습니다.", ended: "마지막 차이입니다. n을 한 번 더 누르면 다음 파일로 갑니다.",
      chosen: (votes, number) => `고른 투표: ${votes}. 패치 세트 ${number}에만 셉니다. 아래 단추로 보내면 글만 갑니다. 새 패치 세트를 열면 고른 것이 남아 있습니다.`,
      lost: (votes) => `고른 투표: ${votes}. 이제 줄 수 없습니다. 그 사이에 권한이나 변경의 상태가 바뀌었습니다. 글은 그 투표 없이 갑니다. 줄 수 있어야 한다면 프로젝트 소유자에게 물어보세요.`,
      alone: (votes) => `${votes} 없이 보내려면 한 번 더 누르세요.` }
  : { on: (line) => `Comment on line ${line}`, saved: "draft saved", saving: "saving…", leave: "Something is not saved.", ended: "That was the last difference: n again leads to the next file.",
      chosen: (votes, number) => `You had chosen ${votes}. It counts on patch set ${number} only: from here your text goes without it; on the newest patch set it is still chosen.`,
      lost: (votes) => `You had chosen ${votes}, which you may not give any more: your rights or the state of the change are not what they were. Your text goes without it. Ask an owner of the project if you should be able to give it.`,
      alone: (votes) => `Press again to send your text without ${votes}.` };
const refresh = () => document.dispatchEvent(new Event("gatebot:refresh"));
const others = window.BroadcastChannel && new BroadcastChannel("gatebot-drafts");
others?.addEventListener("message", refresh);
const changed = () => { refresh(); others?.postMessage(""); };
const page = () => document.querySelector("[data-change]");

async function rest(method, path, body) {
  const proof = /(?:^|; )XSRF_TOKEN=([^;]*)/.exec(document.cookie)?.[1] || "";
  const headers = { "X-Gerrit-Auth": proof, Accept: "application/json", ...(body ? { "Content-Type": "application/json" } : {}) };
  const answer = await fetch(path, { method, headers, credentials: "same-origin", keepalive: true, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text.trim() || answer.statusText);
  return text ? JSON.parse(text.replace(/^\)\]\}'/, "")) : null;
}

// Where a draft belongs: the file, the line and the side of a cell, and what is selected of the text.
function placeOf(cell) {
  const file = cell.closest("[data-file]").dataset, home = page().dataset;
  const old = cell.dataset.side === "old";
  const [patchSet, side] = (old ? home.old : home.new).split(" ");
  return { patchSet, body: { path: old && side === "PARENT" ? file.file : old ? file.oldFile : file.file, line: +cell.dataset.line, side } };
}
const column = (row, side) => [...row.querySelectorAll("td.n[data-side]")].find((cell) => cell.dataset.side === side);
function selected() {
  const chosen = getSelection();
  if (!chosen || chosen.isCollapsed || !chosen.rangeCount) return null;
  const range = chosen.getRangeAt(0), ends = [[range.startContainer, range.startOffset], [range.endContainer, range.endOffset]];
  const cells = ends.map(([node]) => (node.nodeType === 1 ? node : node.parentElement)?.closest("table.diff td.code"));
  if (!cells[0] || !cells[1] || cells[0].closest("table") !== cells[1].closest("table")) return null;
  const side = cells[0].matches(".old") || cells[0].parentElement.matches(".del") ? "old" : "new";
  const numbers = cells.map((cell) => column(cell.parentElement, side));
  if (!numbers[0] || !numbers[1]) return null;
  const characters = ends.map(([node, offset], at) => {
    const before = document.createRange();
    before.selectNodeContents(cells[at]);
    before.setEnd(node, offset);
    return Math.max(0, before.toString().length - 1); // the sign before the text
  });
  const [first, last] = numbers.map((cell) => +cell.dataset.line);
  if (last < first || (last === first && characters[0] >= characters[1])) return null;
  return { cell: numbers[1], range: { start_line: first, start_character: characters[0], end_line: last, end_character: characters[1] } };
}

// What saves each form that is open, by the form; who leaves the page or looks away from it saves them all.
const unsaved = new Map();
const saveAll = () => unsaved.forEach((save, form) => (form.isConnected ? save() : unsaved.delete(form)));
addEventListener("pagehide", saveAll);
document.addEventListener("visibilitychange", () => { if (document.hidden) saveAll(); });

// One form for a new comment, an answer, or a draft that is written anew. What is typed is kept as a draft at once.
function write({ patchSet, body, id = "", text = "", unresolved = true, put, sure = false, lines = null }) {
  const form = document.getElementById("writing").content.firstElementChild.cloneNode(true);
  const field = form.elements.text, state = form.querySelector("[role=status]");
  field.value = text;
  form.elements.unresolved.checked = unresolved;
  const box = put(form);
  let kept = id ? text : "", flag = unresolved, timer = 0, due = 0, saving = Promise.resolve();
  const number = page().dataset.change, drafts = `/changes/${number}/revisions/${patchSet}/drafts`;
  const save = () => {
    clearTimeout(timer);
    due = 0;
    saving = saving.then(async () => {
      const said = field.value.trim(), open = form.elements.unresolved.checked;
      if (said === kept.trim() && open === flag) return;
      state.textContent = words.saving;
      if (said) id = (await rest("PUT", id ? `${drafts}/${id}` : drafts, { ...body, message: said, unresolved: open })).id;
      else if (id) { await rest("DELETE", `${drafts}/${id}`); id = ""; }
      form.dataset.writes = id;
      [kept, flag] = [said, open];
      delete form.dataset.failed;
      state.textContent = said ? words.saved : "";
      others?.postMessage("");
    }).catch((error) => { state.textContent = error.message; form.dataset.failed = "1"; throw error; });
    return saving;
  };
  const quietly = () => save().catch(() => { saving = Promise.resolve(); });
  unsaved.set(form, quietly);
  const close = () => { box.remove(); hide(); changed(); };
  const done = () => save().then(close, () => { saving = Promise.resolve(); });
  form.dataset.writes = id;
  // After a pause, and at the latest some seconds after the first key that is not saved.
  form.addEventListener("input", () => {
    clearTimeout(timer);
    due ||= Date.now() + 3000;
    timer = setTimeout(quietly, Math.max(0, Math.min(1200, due - Date.now())));
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); done(); });
  form.querySelector("[data-cancel]").addEventListener("click", done);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey))) { event.preventDefault(); done(); }
  });
  const suggest = form.querySelector("[data-suggest]");
  suggest.hidden = lines === null;
  suggest.addEventListener("click", () => {
    const before = field.value.trim(), begin = `${before}${before ? "\n\n" : ""}\`\`\`suggestion\n`;
    field.value = `${begin}${lines}\n\`\`\``;
    field.focus();
    field.setSelectionRange(begin.length, begin.length + lines.length);
    form.dispatchEvent(new Event("input"));
  });
  hide();
  if (sure) return done();
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}
// A draft that is being written is not shown a second time.
function hide() {
  const written = new Set([...document.querySelectorAll("form.editor")].map((form) => form.dataset.writes).filter(Boolean));
  for (const one of document.querySelectorAll("[data-draft]")) {
    const alone = one.parentElement.querySelectorAll(".remark").length === 1;
    const box = (alone && (one.closest("tr.note") || one.closest("[data-thread]"))) || one;
    box.classList.toggle("written", written.has(one.dataset.draft));
  }
}
const behind = (row) => (form) => {
  const box = document.createElement("tr"), cell = box.appendChild(document.createElement("td"));
  box.className = "note";
  box.dataset.keep = "";
  cell.colSpan = [...row.children].reduce((sum, one) => sum + one.colSpan, 0);  // not more: it would widen the table
  cell.append(form);
  while (row.nextElementSibling?.matches(".note:not([data-keep])")) row = row.nextElementSibling;
  row.after(box);
  return box;
};
const under = (thread) => (form) => {
  const row = thread.closest("tr.note");
  if (row) return behind(row)(form);
  thread.after(form);
  form.dataset.keep = "";
  return form;
};
// What the lines up to that of a cell say, for a suggestion of other words.
function texts(cell, first) {
  const found = [];
  for (const one of cell.closest("tbody").querySelectorAll("td.n[data-side='new']")) {
    const number = +one.textContent;
    if (number < first || number > +cell.dataset.line) continue;
    const code = [...one.parentElement.querySelectorAll("td.code")].at(-1).cloneNode(true);
    for (const extra of code.querySelectorAll(".sign, .noend")) extra.remove();
    found.push(code.textContent);
  }
  return found.join("\n");
}
function begin(cell, range) {
  const { patchSet, body } = placeOf(cell);
  const next = cell.parentElement.nextElementSibling;
  if (next?.matches(".note[data-keep]")) return next.querySelector("textarea").focus();
  const lines = body.side === "REVISION" && cell.dataset.side === "new" ? texts(cell, range?.start_line ?? body.line) : null;
  write({ patchSet, body: range ? { ...body, range } : body, put: behind(cell.parentElement), lines });
}
function answer(thread, { text = "", unresolved, sure = false }) {
  const [patchSet, path, line, side] = JSON.parse(thread.dataset.place);
  const body = { path, side, in_reply_to: thread.dataset.answers, ...(line ? { line } : {}) };
  write({ patchSet, body, text, unresolved: unresolved ?? !!thread.dataset.unresolved, put: under(thread), sure });
}

document.addEventListener("click", (event) => {
  const on = (what) => event.target.closest(what);
  const thread = on("[data-thread]"), draft = on("[data-draft]");
  if (on("td.n button")) begin(on("td.n"), null);
  else if (on("button[data-write]")) { const here = selected(), row = document.querySelector("#lines [aria-selected='true']"); if (here) begin(here.cell, here.range); else if (row) begin(column(row, "new") || column(row, "old"), null); }
  else if (on("[data-write-file]")) {
    const home = page().dataset;
    write({ patchSet: home.new.split(" ")[0], body: { path: home.file, side: "REVISION" }, put: (form) => { form.dataset.keep = ""; document.getElementById("whole").append(form); return form; } });
  } else if (on("[data-say]")) answer(thread, { text: on("[data-say]").dataset.say, unresolved: false, sure: true });
  else if (on("button[data-answer]")) {
    const last = thread.querySelector(".remark:last-of-type pre")?.textContent || "";
    answer(thread, { text: "quote" in on("button[data-answer]").dataset ? `${last.replace(/^/gm, "> ")}\n\n` : "" });
  } else if (on("[data-edit]")) {
    const [, path, line, side] = JSON.parse(thread.dataset.place);
    const last = draft.matches(":last-of-type") ? !!thread.dataset.unresolved : true;
    write({ patchSet: draft.dataset.of, body: { path, side, ...(line ? { line } : {}) }, id: draft.dataset.draft, text: draft.dataset.source ?? draft.querySelector("pre").textContent, unresolved: last, put: under(thread) });
  } else if (on("[data-discard]")) rest("DELETE", `/changes/${page().dataset.change}/revisions/${draft.dataset.of}/drafts/${draft.dataset.draft}`).then(changed, changed);
  else if (on("[data-step]")) step(+on("[data-step]").dataset.step);
  else if (on("button[data-thread]")) { toThread(+on("button[data-thread]").dataset.thread); }
  else if (on("a[data-more]")) { event.preventDefault(); history.replaceState(null, "", on("a[data-more]").href); refresh(); }
});

// From difference to difference, from comment to comment.
function step(by) {
  const all = [...document.querySelectorAll("#lines > tr[data-first]")];
  const now = document.querySelector("#lines > [aria-selected='true']");
  const place = (one) => now ? now.compareDocumentPosition(one) : 4;
  const next = by > 0 ? all.find((one) => place(one) & 4) : all.reverse().find((one) => place(one) & 2);
  const told = document.getElementById("ended"), again = told?.textContent && by > 0;
  if (told) told.textContent = next || by < 0 ? "" : words.ended;
  if (!next && again) document.querySelector("#steps [data-key=']']")?.click();
  if (!next) return;
  now?.removeAttribute("aria-selected");
  next.setAttribute("aria-selected", "true");
  next.scrollIntoView({ block: "center" });
}
function toThread(by) {
  const all = [...document.querySelectorAll(".thread")], now = all.indexOf(document.activeElement);
  const next = all[now < 0 ? (by > 0 ? 0 : all.length - 1) : now + by];
  if (!next) return;
  next.tabIndex = -1;
  next.focus();
  next.scrollIntoView({ block: "center" });
}

// On a narrow screen both sides are shown in one column, whatever was asked for.
const narrow = matchMedia("(max-width: 48rem)"), ways = [...document.querySelectorAll("a[data-view]")];
const asked = ways.find((one) => one.ariaCurrent)?.dataset.view;
function seen() {
  for (const one of ways) one.ariaCurrent = one.dataset.view === (narrow.matches ? "unified" : asked) ? "true" : null;
}
narrow.addEventListener("change", seen);
seen();

// Numbers of lines become buttons; by keys one comments with `c`, so they are not a thousand stops of the Tab key.
function dress() {
  hide();
  if (!document.getElementById("writing")) return;
  for (const cell of document.querySelectorAll("table.diff td.n[data-side]")) {
    if (cell.firstElementChild || !cell.textContent) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1;
    button.textContent = cell.dataset.line = cell.textContent.trim();
    button.setAttribute("aria-label", words.on(button.textContent));
    cell.replaceChildren(button);
  }
}
document.addEventListener("gatebot:shown", dress);
dress();
// `#12` is a line of the new side, `#b12` of the old one: Gerrit's addresses.
function line() {
  const asked = /^#([ab]?)(\d{1,7})$/.exec(location.hash), lines = document.getElementById("lines");
  if (!asked || !lines) return;
  const row = [...lines.querySelectorAll("tr[data-row]")].find((one) => one.querySelectorAll("td.n")[asked[1] ? 0 : 1].textContent.trim() === asked[2]);
  if (row) {
    lines.querySelector("[aria-selected='true']")?.removeAttribute("aria-selected");
    row.setAttribute("aria-selected", "true");
    row.scrollIntoView({ block: "center" });
  } else if (!location.search.includes("more=")) {
    // Folded are equal lines, by their numbers on the new side: as far from the old ones as the last row before them.
    const query = new URLSearchParams(location.search), pairs = [...lines.querySelectorAll("tr[data-row]")].map((one) => [...one.querySelectorAll("td.n")].map((cell) => +cell.textContent));
    const [old, fresh] = (asked[1] && pairs.findLast(([left, right]) => left && right && left < asked[2])) || [0, 0], at = +asked[2] + fresh - old;
    query.set("more", `${Math.max(1, at - 10)}-${at + 10}`);
    location.replace(`?${query}${location.hash}`);
  }
}
addEventListener("hashchange", line);
line();

// A form that changes nothing but what the page shows: sent without leaving the page.
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-stay]");
  if (!form) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  await fetch(form.action, { method: "POST", body, credentials: "same-origin", redirect: "manual" });
  refresh();
});
document.addEventListener("change", (event) => event.target.closest("form[data-choose]")?.requestSubmit());
// The list that one came from: its order is kept, so that a key leads from change to change.
addEventListener("pagehide", () => {
  const all = [...document.querySelectorAll("tr[data-change-row] .main > a:first-child")].map((one) => one.pathname);
  try { if (all.length) sessionStorage.setItem("list", JSON.stringify({ from: location.pathname + location.search, all: [...new Set(all)] })); } catch { /* storage is off */ }
});
function walk() {
  const nav = document.getElementById("walk");
  let list = null;
  try { list = JSON.parse(sessionStorage.getItem("list")); } catch { /* storage is off */ }
  if (!nav || !list) return;
  const [up, before, after] = nav.querySelectorAll("a"), place = list.all.map(decodeURI).indexOf(decodeURI(nav.dataset.path));
  up.href = list.from;
  if (place < 0) return;
  nav.querySelector("span").textContent = `${place + 1} / ${list.all.length}`;
  for (const [link, to] of [[before, list.all[place - 1]], [after, list.all[place + 1]]]) if (to) { link.href = to; link.hidden = false; }
}
walk();
// Back in the list, the change that one comes from is the chosen row.
addEventListener("pagehide", () => {
  const nav = document.getElementById("walk");
  try { if (nav) sessionStorage.setItem("left", nav.dataset.path); } catch { /* storage is off */ }
});
function chosen() {
  const all = [...document.querySelectorAll("tr[data-change-row]")];
  if (!all.length) return;
  let left = null;
  try { left = sessionStorage.getItem("left"); sessionStorage.removeItem("left"); } catch { /* storage is off */ }
  const row = left && all.find((one) => decodeURI(one.querySelector(".main > a").pathname) === decodeURI(left));
  row?.setAttribute("aria-selected", "true");
  row?.scrollIntoView({ block: "center" });
}
chosen();
// The file of a change's list that has the focus is marked as reviewed by key; the button of a file's page goes on.
document.addEventListener("keydown", async (event) => {
  const file = document.activeElement?.closest("li[data-read]");
  if (event.key !== "r" || !file || event.ctrlKey || event.metaKey || event.altKey) return;
  const { change, new: side } = document.getElementById("differences").dataset;
  await rest(file.dataset.done ? "DELETE" : "PUT", `/changes/${change}/revisions/${side.split(" ")[0]}/files/${encodeURIComponent(file.dataset.read)}/reviewed`);
  refresh();
});
document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-read-on]")) return;
  const { change, file, new: side } = page().dataset, steps = document.getElementById("steps");
  const next = steps.querySelector("[data-key=']']");
  await rest("PUT", `/changes/${change}/revisions/${side.split(" ")[0]}/files/${encodeURIComponent(file)}/reviewed`);
  location.href = next.href;
});

// A newer patch set than the one that was read: said, not put under the reader's eyes.
const newest = () => +document.getElementById("newest")?.dataset.number || 0;
const loaded = newest();
document.addEventListener("gatebot:shown", () => {
  const arrived = document.getElementById("arrived"), now = newest();
  if (!arrived || now <= loaded) return;
  const link = arrived.querySelector("a");
  link.href = `${document.getElementById("walk").dataset.path}/${loaded}..${now}`;
  arrived.hidden = false;
});

// The form at the foot of a change, in a dialog.
const form = document.getElementById("reply"), box = document.getElementById("replying");
function reply() {
  if (!form || !box || box.open) return;
  const home = document.createComment("");
  form.before(home);
  box.append(form);
  box.addEventListener("close", () => home.replaceWith(form), { once: true });
  box.showModal();
  form.elements.message.focus();
}
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-reply]")) { event.preventDefault(); reply(); }
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
});
form?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(form.querySelector("button[value=send]")); }
});
form?.addEventListener("input", async (event) => {
  if (!["reviewers", "cc"].includes(event.target.name)) return;
  const [, begun, word] = /^(.*[,;]\s*)?([^,;]*)$/s.exec(event.target.value);
  if (word.trim().length < 2) return;
  const found = await rest("GET", `/changes/${page().dataset.change}/suggest_reviewers?q=${encodeURIComponent(word)}`).catch(() => []);
  document.getElementById("known-people").replaceChildren(...found.map(({ account }) => {
    const option = document.createElement("option");
    option.value = (begun || "") + account.username;
    option.label = account.name || account.username;
    return option;
  }));
});
// What is typed there outlives a reload in this tab, until the server has taken it, which its answer says by the
// address that it leads to; what the server gives back comes first.
let waiting = []; // votes chosen on a patch set that is not the newest any more
const lost = new Map(); // votes chosen that may not be given any more
const spelled = (several) => [...several].map(([name, value]) => `${name.slice("label-".length)} ${value > 0 ? "+" : ""}${value}`).join(", ");
const kept = form && `reply ${page()?.dataset.change} ${document.querySelector(".who a")?.textContent}`;
const fields = () => [...form.querySelectorAll("[name=message], [name=reviewers], [name=cc], select[name^=label-]")];
const given = (field) => (field.options ? [...field.options].find((one) => one.defaultSelected)?.value : field.defaultValue) ?? "";
function keep() {
  const typed = [...waiting, ...lost, ...fields().filter((field) => field.value !== given(field)).map((field) => [field.name, field.value])];
  try { if (typed.length) sessionStorage.setItem(kept, JSON.stringify(typed)); else sessionStorage.removeItem(kept); } catch { /* storage is off */ }
}
if (form) {
  let typed = null;
  if (location.hash === "#taken") {
    history.replaceState(null, "", location.pathname + location.search);
    try { sessionStorage.removeItem(kept); } catch { /* storage is off */ }
  }
  try { typed = new Map(JSON.parse(sessionStorage.getItem(kept))); } catch { /* storage is off */ }
  if (!form.elements.message.defaultValue) for (const field of fields()) {
    const value = typed?.get(field.name);
    if (value !== undefined && (!field.options || [...field.options].some((one) => one.value === value))) field.value = value;
  }
  if (!document.querySelector("#my-votes a")) for (const [name, value] of typed ?? []) {
    const menu = form.elements[name];
    if (name.startsWith("label-") && ![...(menu?.options ?? [])].some((one) => one.value === value)) lost.set(name, value);
  }
  sayLost();
  form.addEventListener("input", keep);
}
// The votes that may be given are those of now. What was chosen stays chosen while it may be given, and what was left
// alone follows the news; the menus stay the same elements, so that one that is open or has the focus keeps it.
// Of a patch set that is not the newest any more no vote can be sent: what was chosen is said, kept for the newest one,
// and not left out of a reply before it was said so.
const votes = () => spelled(waiting);
function later(mine, number) {
  const told = document.createElement("p");
  told.id = "waiting";
  delete form.dataset.sure;
  told.setAttribute("role", "alert");
  told.textContent = words.chosen(votes(), number);
  mine.append(told);
  for (const link of mine.querySelectorAll("a")) link.search = "?reply";
}
form?.addEventListener("submit", (event) => {
  if (!waiting.length || event.submitter?.value !== "send" || form.dataset.sure) return;
  event.preventDefault();
  event.stopPropagation();
  form.dataset.sure = "1";
  document.getElementById("waiting").textContent = words.alone(votes());
});
// What was chosen and may not be given any more is said as long as it may not.
function sayLost() {
  document.getElementById("lost")?.remove();
  if (!lost.size) return;
  const told = document.createElement("p");
  told.id = "lost";
  told.setAttribute("role", "alert");
  told.textContent = words.lost(spelled(lost));
  document.getElementById("my-votes").append(told);
}
let votable = document.getElementById("my-votes")?.innerHTML;
document.addEventListener("gatebot:shown", ({ detail: page }) => {
  const mine = document.getElementById("my-votes"), theirs = page?.getElementById("my-votes");
  if (!mine || !theirs || theirs.innerHTML === votable) return;
  votable = theirs.innerHTML;
  const menus = new Map([...mine.querySelectorAll("select")].map((menu) => [menu.name, menu]));
  const was = (menu) => menu.parentElement.querySelector("input[name^=was-]");
  const fresh = document.importNode(theirs, true), past = !!fresh.querySelector("a");
  if (!past) waiting = [];
  else for (const menu of menus.values()) if (menu.value !== was(menu).value) waiting.push([menu.name, menu.value]);
  if (!past) for (const menu of menus.values()) if (menu.value !== was(menu).value) {
    const offered = [...(fresh.querySelector(`select[name="${CSS.escape(menu.name)}"]`)?.options ?? [])];
    if (!offered.some((one) => one.value === menu.value)) lost.set(menu.name, menu.value);
  }
  for (const menu of fresh.querySelectorAll("select")) {
    if ([...menu.options].some((one) => one.value === lost.get(menu.name))) {
      menu.value = lost.get(menu.name); // it may be given again
      lost.delete(menu.name);
    }
    const old = menus.get(menu.name), chosen = old && old.value !== was(old).value ? old.value : menu.value;
    const options = [...menu.options].map((one) => one.cloneNode(true)), permitted = options.some((one) => one.value === chosen);
    if (!old) continue;
    was(old).value = was(menu).value;
    old.replaceChildren(...options);
    old.value = permitted ? chosen : menu.value;
    menu.closest("label").dataset.kept = menu.name;
  }
  const labels = [...fresh.children].map((one) => (one.dataset.kept ? menus.get(one.dataset.kept).closest("label") : one));
  for (const one of [...mine.children]) if (!labels.includes(one)) one.remove();
  labels.forEach((one, at) => { if (mine.children[at] !== one) mine.insertBefore(one, mine.children[at] ?? null); });
  sayLost();
  if (waiting.length) later(mine, page.getElementById("newest").dataset.number);
  keep();
});
if (form && new URLSearchParams(location.search).has("reply")) { history.replaceState(null, "", location.pathname); reply(); }

addEventListener("beforeunload", (event) => {
  saveAll(); // the request outlives the page; only where one failed there is something to lose
  if (document.querySelector("form.editor[data-failed]")) event.preventDefault();
});
