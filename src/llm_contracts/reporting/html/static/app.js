// The first page, the address, the keyboard.

const ORDER = ["breaking", "visible", "unreadable", "noise", "cosmetic", "accepted", "agree"];
const LISTED = 100;
const FOLDED = 3; // rows that are shown of a block with more
const haystacks = DATA.items.map((item) => [item.id, item.state, item.from, item.problem, ...item.found.flatMap((found) => [found.kind, found.where, found.reference, found.candidate, found.waived])].join(" ").toLowerCase());
const wellFormed = (value) => value.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "?");
const numberOf = new Map(DATA.items.map((item, number) => [wellFormed(item.id), number]));
let shownItems = DATA.items.map((_, number) => number);
let routed = null; // the address that is shown
let selected = -1; // which group of the first page
let indexAddress = "#"; // the first page as it was left: its filters, its open group
let indexTop = 0; // and how far down it was
const FILTERS = { q: "q", provider: "f-provider", state: "f-state", kind: "f-kind", decision: "f-decision" }; // in the address, on the page

// The address: #rec=…&d=…&view=… of a recording; #q=…&provider=…&state=…&kind=…&decision=…&group=… of the first page.

function addressOf({ rec, d, view }) {
  if (rec === undefined) return indexAddress;
  return addressWith({ rec: wellFormed(DATA.items[rec].id), d, view });
}

const addressWith = (fields) => `#${Object.entries(fields).filter(([, value]) => value).map(([name, value]) => `${name}=${encodeURIComponent(wellFormed(value)).replaceAll("%2F", "/")}`).join("&")}`;

function go(place) {
  location.hash = addressOf(place);
  route(); // now: the browser tells of the new address only when it comes to it
}

function addressChanged() {
  if (location.hash !== routed) route();
}

function asked() {
  const fields = {};
  for (const part of location.hash.slice(1).split("&")) {
    const [name, value = ""] = part.split("=", 2);
    try {
      fields[name] = decodeURIComponent(value);
    } catch {
      fields[name] = value;
    }
  }
  return fields;
}

function route() {
  routed = location.hash;
  const fields = asked();
  const number = numberOf.get(fields.rec);
  if (number !== undefined) return openRecord(number, fields).catch(failed);
  if (fields.rec) toast("This run has no such recording.");
  showIndex(fields);
  return undefined;
}

// The first page, filtered as the address says, as far down as it was left.
function showIndex(fields) {
  const back = current !== null;
  current = null;
  $("record").hidden = true;
  $("index").hidden = false;
  document.title = title;
  for (const [name, id] of Object.entries(FILTERS)) $(id).value = fields[name] || "";
  indexAddress = location.hash || "#";
  update();
  if (fields.group) pointAtGroup(fields.group);
  if (back) scrollTo(0, indexTop);
  else if (fields.provider || fields.state) $("filters").scrollIntoView();
}

// What somebody sets on the first page can be sent, and is there again after Back.
function rememberIndex(group) {
  const fields = Object.fromEntries(Object.entries(FILTERS).map(([name, id]) => [name, $(id).value]));
  indexAddress = routed = addressWith({ ...fields, group });
  history.replaceState(null, "", indexAddress);
}

// #group=…, with the name that `review` gives it.
function pointAtGroup(id) {
  const meant = [...document.querySelectorAll("tr.group.rest")].find((row) => row.dataset.id === id);
  if (meant) unfold(meant.parentElement);
  const place = groupsShown().findIndex((row) => row.dataset.id === id);
  if (place < 0) return toast("This run has no such group that is open.");
  selected = place - 1;
  selectGroup(1);
  return openGroup(groupsShown()[place]);
}

const title = document.title;
const failed = (error) => toast(`This recording cannot be shown: ${error.message}. A browser of 2023 or newer is needed.`);

// Filters

const open = (item) => item.found.filter((found) => found.waived === null);

function passes(item, number) {
  const words = $("q").value.toLowerCase().split(/\s+/).filter(Boolean);
  const decision = $("f-decision").value;
  return words.every((word) => haystacks[number].includes(word))
    && (!$("f-provider").value || item.provider === $("f-provider").value)
    && (!$("f-state").value || item.state === $("f-state").value)
    && (!$("f-kind").value || item.found.some((found) => found.kind === $("f-kind").value))
    && (!decision || open(item).some((found) => Boolean(decided(found.print)) === (decision === "done")));
}

function update() {
  shownItems = DATA.items.map((item, number) => (passes(item, number) ? number : -1)).filter((number) => number >= 0);
  shownItems.sort((a, b) => ORDER.indexOf(DATA.items[a].state) - ORDER.indexOf(DATA.items[b].state) || a - b);
  const shown = new Set(shownItems);
  $("found").textContent = shown.size === DATA.items.length ? "" : `${shown.size.toLocaleString("en")} of ${plural(DATA.items.length, "recording")}`;
  for (const link of document.querySelectorAll(".matrix [data-item]")) link.classList.toggle("dim", !shown.has(Number(link.dataset.item)));
  for (const row of document.querySelectorAll("tr.group")) updateGroup(row);
  for (const block of document.querySelectorAll(".block")) fold(block);
  list(0);
  counted();
}

const members = (group) => shownItems.flatMap((number) => DATA.items[number].found.filter((found) => found.group === group).map((found) => ({ number, found })));

function updateGroup(row) {
  const group = Number(row.dataset.group);
  const kind = $("f-kind").value;
  const found = members(group).filter((member) => !kind || member.found.kind === kind);
  row.hidden = !found.length;
  if (row.nextElementSibling?.classList.contains("members")) row.nextElementSibling.remove();
  row.querySelector(".toggle").setAttribute("aria-expanded", "false");
  row.querySelector(".shown-count").textContent = new Set(found.map((member) => member.number)).size.toLocaleString("en");
  if (found.length && found[0].found.waived === null) row.querySelector(".decide").replaceChildren(decisionButtons(aboutGroup(found), update));
}

// Of what means the same the first few are shown, and the others when somebody asks for them.
function fold(block) {
  const rows = [...block.querySelectorAll("tr.group")].filter((row) => !row.hidden);
  block.hidden = !rows.length;
  block.querySelector(".unfold")?.remove();
  const rest = rows.slice(block.classList.contains("whole") ? rows.length : FOLDED);
  for (const row of rows) row.classList.toggle("rest", rest.length > 1 && rest.includes(row));
  if (rest.length > 1) block.append(el("tr", { class: "unfold" }, el("td", { colspan: 6 }, button(`${rest.length} more`, () => unfold(block), { class: "more" }))));
}

function unfold(block) {
  block.classList.add("whole");
  fold(block);
}

const aboutGroup = (found) => ({ prints: found.map((member) => member.found.print), group: DATA.groups[found[0].found.group], scope: "group" });

function toggleGroup(row) {
  const next = row.nextElementSibling;
  const wasOpen = next?.classList.contains("members");
  if (wasOpen) next.remove();
  else openGroup(row);
  row.querySelector(".toggle").setAttribute("aria-expanded", String(!wasOpen));
  rememberIndex(wasOpen ? "" : row.dataset.id);
}

// The recordings of a group, below its row.
function openGroup(row) {
  row.after(el("tr", { class: "members" }, el("td", { colspan: 6 }, memberList(members(Number(row.dataset.group))))));
  row.querySelector(".toggle").setAttribute("aria-expanded", "true");
}

function memberList(found, from = 0) {
  const links = found.slice(from, from + LISTED).map(({ number, found: one }) => el("li", {},
    el("a", { href: addressOf({ rec: number, d: one.print }) }, ...text(DATA.items[number].id)),
    decided(one.print) ? el("small", { class: `chosen ${decided(one.print).decision}` }, SIGNS[decided(one.print).decision], " ", WORDS[decided(one.print).decision]) : null));
  const rest = found.length - from - LISTED;
  const nodes = el("ul", { class: "ids" }, ...links);
  if (rest > 0) nodes.append(el("li", {}, button(`${rest.toLocaleString("en")} more`, (event) => event.target.closest("li").replaceWith(...memberList(found, from + LISTED).childNodes), { class: "more" })));
  return nodes;
}

// All recordings, a page at a time.
function list(from) {
  $("records").hidden = false;
  $("records-count").textContent = shownItems.length.toLocaleString("en");
  const rows = shownItems.slice(from, from + LISTED).map(listRow);
  if (!from) {
    const head = el("thead", {}, el("tr", {}, ...["State", "Recording", "Differences", "Recorded"].map((name) => el("th", { scope: "col" }, name))));
    const widths = el("colgroup", {}, ...["c-state", "c-id", "c-kinds", "c-from"].map((name) => el("col", { class: name })));
    $("list").replaceChildren(shownItems.length ? el("table", { class: "list" }, widths, head, el("tbody")) : el("p", { class: "empty" }, "No recording fits these filters."));
  }
  $("list").querySelector("tbody")?.append(...rows);
  $("list").querySelector(":scope > .more")?.remove();
  const rest = shownItems.length - from - LISTED;
  if (rest > 0) $("list").append(button(`show more: ${rest.toLocaleString("en")} left`, () => list(from + LISTED), { class: "more" }));
}

function listRow(number) {
  const item = DATA.items[number];
  const counts = new Map();
  for (const found of open(item)) counts.set(found.kind, (counts.get(found.kind) || 0) + 1);
  const done = open(item).filter((found) => decided(found.print)).length;
  return el("tr", { "data-item": number }, el("td", {}, chip(item.state)),
    el("th", { scope: "row" }, el("a", { href: addressOf({ rec: number }) }, ...text(item.id))),
    el("td", {}, ...[...counts].flatMap(([kind, count]) => [el("code", { class: "kind" }, kind), count > 1 ? el("small", {}, `×${count} `) : " "]),
      done ? el("small", {}, `${done} decided`) : null, item.problem ? el("small", { class: "bad" }, ...text(item.problem)) : null),
    el("td", {}, el("small", {}, ...text([item.from, item.on].filter(Boolean).join(" ")))));
}

function counted() {
  $("decided").textContent = Object.keys(decisions).length;
}

// Keyboard

const groupsShown = () => [...document.querySelectorAll("tr.group")].filter((row) => !row.hidden && !row.classList.contains("rest"));

function selectGroup(direction) {
  const rows = groupsShown();
  if (!rows.length) return;
  rows.forEach((row) => row.classList.remove("on"));
  selected = Math.min(Math.max(selected + direction, 0), rows.length - 1);
  rows[selected].classList.add("on");
  rows[selected].querySelector(".toggle").focus({ preventScroll: true });
  rows[selected].scrollIntoView({ block: "nearest" });
}

// What a key that decides is about: the selected difference, or the selected group.
function subject() {
  if (current) {
    const found = current.item.found[current.at];
    return found && found.waived === null ? { prints: [found.print], group: `${found.kind} at ${found.where} in ${current.item.id}`, scope: "recording" } : null;
  }
  const row = groupsShown()[selected];
  const found = row ? members(Number(row.dataset.group)) : [];
  return found.length && found[0].found.waived === null ? aboutGroup(found) : null;
}

function mark(choice) {
  const about = subject();
  if (!about) return toast("Select an open difference first: j or k.");
  return decide(choice, about, onward);
}

function skip() {
  const about = subject();
  if (about?.prints.some(decided)) keep(about.prints, null);
  onward();
}

function onward() {
  redraw();
  if (current) step(1);
  else selectGroup(1);
}

// A letter means the same as in the terminal's review, or nothing there.
const KEYS = {
  j: () => (current ? step(1) : selectGroup(1)),
  k: () => (current ? step(-1) : selectGroup(-1)),
  "]": () => near(1),
  "[": () => near(0),
  a: () => mark("accept"),
  r: () => mark("fix"),
  x: () => mark("noise"),
  s: skip,
  f: () => turn("fold"),
  w: () => turn("wire"),
  o: () => turn("raw"),
  l: () => turn("one"),
  n: nextDifference,
  u: undo,
  e: openExport,
  t: theme,
  "/": search,
  "?": () => $("help").showModal(),
  Escape: () => go({}),
};

function near(which) {
  const number = current ? neighbours()[which] : shownItems[0];
  if (number !== undefined) go({ rec: number });
}

function search() {
  if (current) go({});
  setTimeout(() => $("q").focus());
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.closest("input, textarea, select");
  if (typing) return void (event.key === "Escape" && typing.blur());
  const view = Object.keys(VIEWS)[Number(event.key) - 1];
  const action = current && view ? () => go({ rec: current.number, d: current.item.found[current.at]?.print, view }) : KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function theme() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  write("llm-contracts/theme", document.documentElement.dataset.theme);
}

// Beginning

// Reasons name scenarios, and there are many: a card shows how each begins, and all of it when asked.
function clamp(card) {
  card.classList.add("clamped");
  const cut = [...card.querySelectorAll("li")].some((line) => line.scrollHeight > line.clientHeight + 2);
  if (!cut) return;
  card.append(button("all of it", (event) => event.target.textContent = card.classList.toggle("clamped") ? "all of it" : "less", { class: "quiet" }));
}

function fill(id, values) {
  $(id).append(...[...new Set(values)].filter(Boolean).map((value) => el("option", { value }, ...value)));
}

function begin() {
  const stored = read("llm-contracts/theme");
  if (stored === "dark" || stored === "light") document.documentElement.dataset.theme = stored;
  for (const node of document.querySelectorAll(".tools, #filters")) node.hidden = false;
  for (const row of document.querySelectorAll("tr.group")) {
    const head = row.querySelector("th");
    const toggle = button([head.querySelector(".kind"), " ", head.querySelector(".where")], () => toggleGroup(row), { class: "toggle", "aria-expanded": "false" });
    head.prepend(toggle);
  }
  document.querySelectorAll(".card").forEach(clamp);
  fill("f-provider", DATA.items.map((item) => item.provider));
  fill("f-state", ORDER.filter((state) => DATA.items.some((item) => item.state === state)));
  fill("f-kind", DATA.items.flatMap((item) => item.found.map((found) => found.kind)).sort());
  $("filters").addEventListener("input", filtered);
  $("filters").addEventListener("reset", () => setTimeout(filtered));
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("theme").addEventListener("click", theme);
  $("open-help").addEventListener("click", () => $("help").showModal());
  $("open-export").addEventListener("click", openExport);
  $("export-save").addEventListener("click", saveExport);
  $("export-copy").addEventListener("click", copyExport);
  $("export-clear").addEventListener("click", forget);
  $("export-close").addEventListener("click", () => $("export").close());
  $("d-cancel").addEventListener("click", () => $("decide").close());
  listeners.push(counted);
  counted();
  addEventListener("keydown", pressed);
  addEventListener("hashchange", addressChanged);
  history.scrollRestoration = "manual";
  route();
}

function filtered() {
  selected = -1;
  update();
  rememberIndex("");
}

// The clipboard's own interface is not to be had on pages that are files.
function copyExport() {
  $("export-text").select();
  document.execCommand("copy");
  toast("Copied.");
}

function forget() {
  keep(Object.keys(decisions), null);
  redraw();
  $("export").close();
  openExport();
}

const redraw = () => (current ? refresh() : update());

begin();
