// Nodes are built here and nowhere else. Text only ever becomes text: there is no innerHTML in this program.

const $ = (id) => document.getElementById(id);

function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) set(node, key, value);
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function set(node, key, value) {
  if (value === false || value === null || value === undefined) return;
  if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
  else if (key === "class") node.className = value;
  else node.setAttribute(key, value === true ? "" : value);
}

// What hides, breaks lines where none should be, or turns the direction of what follows. The joiners U+200C and
// U+200D stay: emoji and Indic scripts are made with them.
const HIDDEN = new RegExp(
  "[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f" +
    "\\ufeff\\ufff9-\\ufffb]|[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]|\\n|\\t", "g");

const sign = (text, title) => el("span", { class: "inv", title }, text);

function drawn(character, breaks) {
  if (character === "\n") return breaks ? [sign("↵", "line feed"), "\n"] : [sign("↵", "line feed")];
  if (character === "\t") return [sign("→", "tab"), "\t"];
  const code = "U+" + character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return [sign(code, "a character that cannot be seen")];
}

// A text as nodes, with everything that cannot be seen drawn. `breaks` keeps its line ends.
function text(value, breaks = false) {
  const whole = String(value);
  const nodes = [];
  let from = 0;
  for (const found of whole.matchAll(HIDDEN)) {
    if (found.index > from) nodes.push(whole.slice(from, found.index));
    nodes.push(...drawn(found[0], breaks));
    from = found.index + found[0].length;
  }
  nodes.push(whole.slice(from));
  return nodes;
}

// A piece of a stream: its ends show, too, because a space or half a letter there is what people look for.
function piece(value) {
  const nodes = [];
  let inner = value;
  if (/^[\p{M}\u200d]/u.test(inner)) nodes.push(sign("◌", "begins inside a character"));
  const lead = inner.match(/^ +/);
  if (lead) {
    nodes.push(sign("␣".repeat(lead[0].length), "space"));
    inner = inner.slice(lead[0].length);
  }
  const tail = inner.match(/ +$/);
  nodes.push(...text(tail ? inner.slice(0, -tail[0].length) : inner));
  if (tail) nodes.push(sign("␣".repeat(tail[0].length), "space"));
  return nodes;
}

const LONGEST = 4000; // characters of one value that are shown at once

// A long text is cut, and says so: a line of megabytes would make the page stand still.
function long(value, render = text) {
  const whole = String(value);
  if (whole.length <= LONGEST) return render(whole);
  const rest = el("button", { type: "button", class: "more" }, `show ${(whole.length - LONGEST).toLocaleString("en")} more characters`);
  const nodes = [...render(whole.slice(0, LONGEST)), rest];
  rest.addEventListener("click", () => rest.replaceWith(...render(whole.slice(LONGEST))));
  return nodes;
}

// Pieces in turns shared and own, see marks.py.
function marked(pieces, tag) {
  return pieces.map((part, place) => {
    if (!part) return null;
    return place % 2 ? el(tag, { class: "word" }, ...long(part)) : long(part);
  });
}

const json = (value) => (typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value, null, 1));
const short = (value) => JSON.stringify(value);
const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const ms = (value) => (value === undefined || value === null ? "" : value >= 10000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value * 10) / 10} ms`);

function chip(state, label = state) {
  return el("span", { class: `chip ${state}` }, el("i", { "aria-hidden": "true" }, DATA.marks[state] || "·"), ` ${label}`);
}

function button(label, action, attributes = {}) {
  return el("button", { type: "button", onclick: action, ...attributes }, label);
}

function toast(message) {
  $("toast").textContent = message;
  $("toast").classList.add("on");
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => $("toast").classList.remove("on"), 2600);
}

const DATA = JSON.parse($("data").textContent);
