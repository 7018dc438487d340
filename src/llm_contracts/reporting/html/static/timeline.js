// The time line, drawn to scale: when bytes came, and what had come when each client handed its chunks on.

const WIDE = 1000;
const TRACKS = { reference: 34, wire: 94, candidate: 154 };
const HALF = 13;
const SPECIAL = { usage: ["◆", 24], finish: ["■", 5], error: ["✕", 5] };

const has = (mark, kind) => mark.kind.split("+").includes(kind);

function timeline(detail) {
  const clock = timesOf(detail);
  if (!clock.wire.length && !clock.lanes.some((lane) => lane.length)) return el("p", { class: "empty" }, "Nothing happened that has a time.");
  const last = Math.max(1, ...clock.wire.map((mark) => mark.t), ...clock.lanes.flat().map((mark) => mark.t));
  const x = (t) => 96 + (t / last) * (WIDE - 120);
  const image = svg("svg", { viewBox: `0 0 ${WIDE} 214`, class: "timeline", role: "img", "aria-label": "Time line; the numbers are in the table below" });
  image.append(...axis(last, x, clock.scaled));
  image.append(...track("reference", detail.lanes[0].client, clock.lanes[0], x), ...track("wire", "wire", clock.wire, x), ...track("candidate", detail.lanes[1].client, clock.lanes[1], x));
  return el("div", {}, el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Time line" }, image), el("p", { class: "legend" }, "│ text   ┊ no text   ◆ usage   ■ finish   ✕ error   ● first text"),
    el("p", { class: "hint" }, clock.scaled
      ? "The wire at recorded times. A chunk stands at the last event that had been played when it was handed on, so that what buffers shows as a gap, on any machine."
      : "The recording holds no times: the scale counts events."), firsts(detail, clock));
}

// Times in ms of the recording; numbers of events where it has none.
function timesOf(detail) {
  const scaled = detail.wire.some((event) => event[4] !== null);
  const events = detail.wire.filter((event) => event[1] !== "body").length;
  const wire = detail.wire.map((event, place) => ({ t: scaled ? event[4] ?? 0 : place + 1, kind: event[1] }));
  const lane = ({ chunks }) => chunks.map((chunk) => ({ t: scaled ? chunk.wire_ms : Math.min(chunk.pos ?? 0, events), kind: chunk.kind })).filter((mark) => mark.t !== undefined);
  return { scaled, wire, lanes: detail.lanes.map(lane) };
}

function axis(last, x, scaled) {
  const step = niceStep(last);
  const nodes = [];
  for (let t = 0; t <= last; t += step) {
    nodes.push(svg("line", { x1: x(t), x2: x(t), y1: 14, y2: 180, class: "grid" }));
    nodes.push(label(x(t), 198, scaled ? ms(t) || "0" : String(t), "middle"));
  }
  return nodes;
}

function niceStep(last) {
  const raw = last / 8;
  const power = 10 ** Math.floor(Math.log10(raw));
  return Math.max([1, 2, 5, 10].find((factor) => factor * power >= raw) * power, last > 10 ? 1 : 0.1);
}

function label(x, y, content, anchor = "end") {
  const node = svg("text", { x, y, "text-anchor": anchor });
  node.textContent = content;
  return node;
}

// One path element for all plain marks of a kind, so that five thousand of them cost nothing.
function track(name, title, marks, x) {
  const y = TRACKS[name];
  const strokes = (wanted, half) => marks.filter(wanted).map((mark) => `M${x(mark.t).toFixed(1)} ${y - half}V${y + half}`).join("");
  const first = marks.find((mark) => has(mark, "content"));
  const nodes = [label(86, y + 4, title.length > 13 ? title.slice(0, 12) + "…" : title), svg("line", { x1: 96, x2: WIDE - 24, y1: y, y2: y, class: "rail" }),
    svg("path", { d: strokes((mark) => !has(mark, "content") && !has(mark, "finish") && !has(mark, "error"), 5), class: `tick ${name} faint` }),
    svg("path", { d: strokes((mark) => has(mark, "content"), HALF), class: `tick ${name}` })];
  for (const [kind, [sign, drop]] of Object.entries(SPECIAL)) {
    for (const mark of marks.filter((found) => has(found, kind)).slice(-200)) nodes.push(withTitle(label(x(mark.t), y + drop, sign, "middle"), `${kind}, ${ms(mark.t)}`, `special ${kind}`));
  }
  if (first) nodes.push(withTitle(svg("circle", { cx: x(first.t), cy: y - HALF - 4, r: 3.5 }), `first text, ${ms(first.t)}`, "first"));
  return nodes;
}

function withTitle(node, words, name) {
  const title = svg("title");
  title.textContent = words;
  node.append(title);
  node.setAttribute("class", name);
  return node;
}

function firsts(detail, clock) {
  const unit = clock.scaled ? ms : (t) => `event ${t}`;
  const row = (name, marks) => {
    const first = marks.find((mark) => has(mark, "content"));
    return [name, marks.length ? unit(marks[0].t) : null, first ? unit(first.t) : null, marks.length ? unit(marks[marks.length - 1].t) : null, marks.length];
  };
  const [left, right] = clients(detail);
  const rows = [row("wire", clock.wire), row(left, clock.lanes[0]), row(right, clock.lanes[1])];
  return el("table", { class: "facts-table" }, el("thead", {}, el("tr", {}, ...["Lane", "first", "first text", "last", "marks"].map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, ...rows.map((cells) => el("tr", {}, el("th", { scope: "row" }, ...text(cells[0])), ...cells.slice(1).map(valueCell)))));
}
