// What was decided on this page: kept in the browser under the run's name, exported in the format that
// `llm-contracts review apply` reads.

const KEY = `llm-contracts/${DATA.run}`;
const WORDS = { accept: "accepted", fix: "needs a fix", noise: "noise" };
const SIGNS = { accept: "~", fix: "✗", noise: "≈" };
const DAYS = 90;
const listeners = [];
let decisions = read(KEY) || {};

// Storage may be forbidden: then decisions last as long as the page is open.
function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    return;
  }
}

const decided = (print) => decisions[print];

function keep(prints, decision) {
  for (const print of prints) {
    if (decision) decisions[print] = decision;
    else delete decisions[print];
  }
  write(KEY, decisions);
  for (const tell of listeners) tell();
}

const earlier = [];

function undo() {
  const before = earlier.pop();
  if (!before) return toast("There is nothing to undo.");
  for (const [print, decision] of before) keep([print], decision);
  redraw();
  return toast("Undone.");
}

// One entry for all that was decided alike.
function exported() {
  const rows = new Map();
  for (const [print, decision] of Object.entries(decisions)) {
    const name = JSON.stringify(decision);
    if (!rows.has(name)) rows.set(name, { ...filled(decision), fingerprints: [] });
    rows.get(name).fingerprints.push(print);
  }
  return JSON.stringify({ format: 1, run: DATA.run, decisions: [...rows.values()] }, null, 2) + "\n";
}

const filled = (row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value));

function inDays(days) {
  const day = new Date(Date.now() + days * 86400000);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

// Asks for what a decision needs. Nothing is accepted without a reason, a name and a last day.
function decide(choice, about, done) {
  const accept = choice === "accept";
  $("decide-title").textContent = accept ? "Accept this difference" : choice === "fix" ? "Needs a fix" : "Noise";
  $("decide-about").replaceChildren(...text(`${about.group}: ${plural(about.prints.length, "difference")}`));
  $("reason-label").textContent = accept ? "Why may it stay?" : choice === "fix" ? "What is to be fixed? (optional)" : "What makes it noise? (optional)";
  $("d-accept").hidden = !accept;
  $("d-reason").value = "";
  $("d-by").value = read("llm-contracts/by") || "";
  $("d-until").value = inDays(DAYS);
  $("d-scope").value = about.scope;
  $("d-error").textContent = "";
  $("d-scope").onchange = () => ($("d-reach").textContent = accept ? reach(about.prints, $("d-scope").value) : "");
  $("d-scope").onchange();
  $("decide").querySelector("form").onsubmit = (event) => {
    const row = accept ? acceptance() : { decision: choice, note: $("d-reason").value.trim() };
    const fault = accept ? lacking(row) : "";
    $("d-error").textContent = fault;
    if (fault) return event.preventDefault();
    if (accept) write("llm-contracts/by", row.by);
    earlier.push(about.prints.map((print) => [print, decided(print)]));
    keep(about.prints, { ...row, group: about.group });
    toast(`${WORDS[choice]}: ${about.group}`);
    done();
  };
  $("decide").showModal();
}

// What an acceptance would cover beyond what was selected, so that none is wider than it was meant.
function reach(prints, scope) {
  const chosen = new Set(prints);
  const all = DATA.items.flatMap((item) => item.found.map((found) => ({ item, found })));
  const meant = all.filter(({ found }) => chosen.has(found.print));
  const place = ({ found }) => `${found.kind} ${found.where.replace(/\[\d+\]/g, "[*]")}`;
  const name = (row) => (scope === "provider" ? `${row.item.provider} ${place(row)}` : place(row));
  if (scope === "recording") return "It covers what is selected in these recordings, and nothing else.";
  const names = new Set(meant.map(name));
  const groups = new Set(meant.map(({ found }) => found.group));
  const others = scope === "group" ? all.filter(({ found }) => groups.has(found.group) && !chosen.has(found.print)) : all.filter((row) => names.has(name(row)) && !chosen.has(row.found.print));
  const where = scope === "provider" ? "and whatever comes up there later, in any scenario of the provider" : scope === "field" ? "and whatever comes up there later, at any provider" : "but nothing that comes up later";
  return `It covers ${plural(meant.length, "selected difference")}${others.length ? ` and ${plural(others.length, "other")} of this run` : ""}, ${where}.`;
}

const acceptance = () => ({
  decision: "accept",
  reason: $("d-reason").value.trim(),
  by: $("d-by").value.trim(),
  until: $("d-until").value,
  scope: $("d-scope").value,
});

function lacking(row) {
  if (!row.reason) return "A reason is needed: the next person will ask.";
  if (!row.by) return "A name is needed.";
  if (!row.until) return "A last day is needed: nothing is accepted for ever.";
  return "";
}

function openExport() {
  const count = Object.keys(decisions).length;
  $("export-about").textContent = count
    ? `${plural(count, "difference")} decided. Save the file, and apply it where the recordings are.`
    : "Nothing has been decided yet. Select a difference, then press a, r or x.";
  $("export-text").value = exported();
  $("export").showModal();
}

function saveExport() {
  const url = URL.createObjectURL(new Blob([exported()], { type: "application/json" }));
  el("a", { href: url, download: "decisions.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function decisionButtons(about, done) {
  const current = about.prints.every((print) => decided(print)) ? decided(about.prints[0]) : null;
  const mark = (choice, key, label) =>
    button(el("span", {}, el("kbd", {}, key), ` ${label}`), (event) => {
      event.stopPropagation();
      decide(choice, about, done);
    }, { "aria-pressed": String(current?.decision === choice), title: label });
  return el("div", { class: "choices" },
    current && el("span", { class: `chosen ${current.decision}` }, `${SIGNS[current.decision]} ${WORDS[current.decision]}`,
      current.until ? el("small", {}, ` until ${current.until}`) : null),
    mark("accept", "a", "accept"), mark("fix", "r", "fix"), mark("noise", "x", "noise"));
}
