// The page about one recording: its differences at the side, one view of it in the middle.

const VIEWS = { lanes: "Lanes", text: "Text", time: "Time line", requests: "Requests", usage: "Usage and end", telemetry: "Telemetry" };
const SHOW = { lanes: (detail) => lanes(detail, options), text: texts, time: timeline, requests, usage, telemetry };
const options = { fold: true, wire: true, raw: false, one: false };
const unpacked = new Map();
const KEPT = 12; // details held unpacked
let current = null; // { number, item, detail, view, at }: what is open, and which of its differences is selected

// Details are compressed in the page, each by itself: opening one costs what that one costs.
async function unpack(number) {
  if (!unpacked.has(number)) {
    const bytes = Uint8Array.from(atob($(`item-${number}`).textContent.trim()), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    unpacked.set(number, JSON.parse(await new Response(stream).text()));
    if (unpacked.size > KEPT) unpacked.delete(unpacked.keys().next().value);
  }
  return unpacked.get(number);
}

async function openRecord(number, asked) {
  const item = DATA.items[number];
  const at = item.found.findIndex((found) => found.print === asked.d);
  const again = current?.number === number;
  const address = location.hash;
  const detail = again ? current.detail : item.detail ? await unpack(number) : null;
  if (location.hash !== address) return; // somebody went on while this was unpacked
  const view = VIEWS[asked.view] ? asked.view : at >= 0 ? DATA.views[item.found[at].kind] || "lanes" : again ? current.view : "lanes";
  if (!current) indexTop = scrollY;
  current = { number, item, detail, view, at };
  $("index").hidden = true;
  $("record").hidden = false;
  $("record").replaceChildren(recordHead(item), el("div", { class: "two" }, side(item), el("div", { class: "stage" }, tabs(), el("div", { id: "view", role: "tabpanel", tabindex: -1 }))));
  showView();
  document.title = `${item.id} · ${DATA.reference} against ${DATA.candidate}`;
  if (!again) arrive();
  if (at >= 0) pointAt(item.found[at]);
}

// Whoever cannot see the page is told that it is another one.
function arrive() {
  scrollTo(0, 0);
  document.querySelector("#record h1").focus({ preventScroll: true });
}

function recordHead(item) {
  const [before, after] = neighbours();
  const step = (number, key, label) => button(el("span", {}, el("kbd", {}, key), ` ${label}`), () => go({ rec: number }), { disabled: number === undefined });
  return el("div", { class: "record-head" },
    el("a", { href: indexAddress, class: "back" }, "← all recordings"),
    el("h1", { tabindex: -1 }, ...text(item.id)), chip(item.state),
    el("span", { class: "facts" }, ...text([item.from, item.on].filter(Boolean).join(", recorded "))),
    el("span", { class: "steps" }, step(before, "[", "previous"), step(after, "]", "next")));
}

function neighbours() {
  const place = shownItems.indexOf(current.number);
  return [shownItems[place - 1], place < 0 ? shownItems[0] : shownItems[place + 1]];
}

// The differences of this recording, and what else there is to say about it.
function side(item) {
  const cards = item.found.map((found, place) => difference(found, place));
  return el("aside", { "aria-label": "Differences" },
    el("h2", {}, "Differences ", el("span", { class: "n" }, cards.length)),
    item.problem ? el("p", { class: "note bad" }, ...text(item.problem)) : null,
    cards.length ? el("ol", { class: "differences" }, ...cards) : el("p", { class: "empty" }, item.problem ? "It could not be compared." : "None: both clients agree."),
    item.noise ? noise() : null, reproduce(item));
}

// The commands that show the same once more.
function reproduce(item) {
  if (!DATA.again) return null;
  const lines = [`${DATA.again} --scenario ${item.id}`, ...(current.detail?.curl ? [`llm-contracts serve --scenario ${item.id}`, current.detail.curl] : [])];
  return el("details", { class: "reproduce" }, el("summary", {}, "Reproduce"), ...lines.map((line) => el("code", { class: "command" }, ...long(line))));
}

function difference(found, place) {
  const open = () => go({ rec: current.number, d: found.print });
  const about = { prints: [found.print], group: `${found.kind} at ${found.where} in ${current.item.id}`, scope: "recording" };
  return el("li", { class: `difference${place === current.at ? " on" : ""}`, "data-place": place },
    el("button", { type: "button", class: "head", onclick: open, "aria-current": place === current.at ? "true" : null }, chip(found.waived === null ? found.severity : "accepted"), " ", el("code", { class: "kind" }, found.kind), el("span", { class: "where" }, ...text(found.where))),
    el("dl", {}, ...sides(found)),
    found.waived === null ? decisionButtons(about, refresh) : el("p", { class: "reason" }, ...text(found.waived)));
}

function sides(found) {
  if (found.reference === found.candidate) return [el("dt", {}, "both"), el("dd", {}, el("code", {}, ...text(found.reference)))];
  return [el("dt", {}, "reference"), el("dd", {}, el("code", {}, ...text(found.reference))), el("dt", {}, "candidate"), el("dd", {}, el("code", {}, ...text(found.candidate)))];
}

function noise() {
  const rows = current.detail?.noise || [];
  return el("section", {}, el("h3", {}, chip("noise"), " reference against itself"), el("ul", { class: "lines" }, ...rows.map(([kind, where, one, other]) => el("li", {}, el("code", {}, kind), " ", ...text(where), ": ", el("code", {}, ...text(short(one).slice(0, 200))), " then ", el("code", {}, ...text(short(other).slice(0, 200)))))));
}

function tabs() {
  const one = ([name, title], place) => el("button", { type: "button", role: "tab", "aria-controls": "view", "aria-selected": String(name === current.view), onclick: () => go({ rec: current.number, d: current.item.found[current.at]?.print, view: name }) }, el("kbd", {}, place + 1), ` ${title}`);
  const toggle = (key, label, name) => button(el("span", {}, el("kbd", {}, key), ` ${label}`), () => turn(name), { "aria-pressed": String(options[name]) });
  return el("div", { class: "tabs" }, el("div", { role: "tablist", "aria-label": "Views" }, ...Object.entries(VIEWS).map(one)),
    current.view === "lanes" ? el("div", { class: "toggles" }, toggle("f", "fold", "fold"), toggle("w", "wire", "wire"), toggle("o", "raw", "raw"), toggle("l", "one lane", "one")) : null);
}

function showView() {
  const { detail, item } = current;
  const content = !detail
    ? el("p", { class: "empty" }, "This page does not hold this recording in full: both clients agree on it, and there are too many.")
    : detail.problem || !detail.lanes
      ? el("p", { class: "note bad" }, ...text(item.problem || "It was not compared."))
      : SHOW[current.view](detail);
  $("view").replaceChildren(content);
}

function refresh() {
  const { at } = current;
  document.querySelector("aside").replaceWith(side(current.item));
  current.at = at;
}

function turn(name) {
  options[name] = !options[name];
  if (current?.view !== "lanes") return;
  document.querySelector(".tabs").replaceWith(tabs());
  showView();
}

// Brings the place of a difference into view, unfolding what hides it.
function pointAt(found) {
  document.querySelector(".difference.on")?.scrollIntoView({ block: "nearest" });
  const row = current.view === "lanes" ? laneOf(found) : $("view").querySelector("tr.ne, .minus, .plus, .word");
  const target = typeof row === "number" ? laneRowNode(row) : row;
  if (!target) return;
  target.closest("details")?.setAttribute("open", "");
  target.classList.add("target");
  target.scrollIntoView({ block: "center" });
}

// The next row that differs in this view; after the last, the first.
function nextDifference() {
  if (!current) return;
  const differing = "tr.ne, .minus, .plus, .word";
  const rows = [...$("view").querySelectorAll(differing)].filter((each) => !each.parentElement.closest(differing));
  const row = rows[rows.findIndex((each) => each.classList.contains("target")) + 1] || rows[0];
  if (!row) return toast("Nothing differs in this view.");
  $("view").querySelectorAll(".target").forEach((each) => each.classList.remove("target"));
  row.classList.add("target");
  row.scrollIntoView({ block: "center" });
}

function laneOf({ kind, where }) {
  const { rows, lanes: both } = current.detail;
  const chunks = (row) => [row.l === null ? null : both[0].chunks[row.l], row.r === null ? null : both[1].chunks[row.r]].filter(Boolean);
  const delta = where.match(/^delta\[(\d+)\]/);
  if (delta) return deltaRow(Number(delta[1]));
  const field = { finish_reason: "finish", tool_calls: "tools", model_name: "model", response_id: "id" }[kind];
  const found = rows.findIndex((row) => (field ? chunks(row).some((chunk) => chunk[field]) : !row.eq));
  return found >= 0 ? found : null;
}

function deltaRow(number) {
  let seen = -1;
  return current.detail.rows.findIndex((row) => row.l !== null && current.detail.lanes[0].chunks[row.l].text && (seen += 1) === number);
}

function laneRowNode(number) {
  for (let tries = 0; tries < 50; tries += 1) {
    const node = $("view").querySelector(`tr[data-row="${number}"]`);
    if (node) return node;
    const fold = [...$("view").querySelectorAll("tr.fold")].find((row) => row.holds.from <= number && number < row.holds.to);
    if (!fold) return null;
    fold.more();
  }
  return null;
}

// The next difference, in the next recording if need be.
function step(direction) {
  const { item, at } = current;
  const next = at + direction;
  if (next >= 0 && next < item.found.length) return go({ rec: current.number, d: item.found[next].print });
  const place = shownItems.indexOf(current.number);
  const rest = direction > 0 ? shownItems.slice(place + 1) : shownItems.slice(0, Math.max(place, 0)).reverse();
  const other = rest.find((number) => DATA.items[number].found.length);
  if (other === undefined) return toast(direction > 0 ? "That was the last difference." : "That was the first difference.");
  const { found } = DATA.items[other];
  return go({ rec: other, d: found[direction > 0 ? 0 : found.length - 1].print });
}
