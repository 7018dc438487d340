// The two lanes with the wire between them.

const FOLD_FROM = 9; // equal rows in a run that are worth folding
const FOLD_KEEP = 2; // of them shown at either end
const PAGE = 400; // rows drawn at once

function lanes(detail, options) {
  const body = el("tbody");
  const table = el("table", { class: `lanes${options.wire ? "" : " no-wire"}${options.one ? " one" : ""}` }, lanesHead(detail, options), body, lanesFoot(detail, options));
  const parts = options.fold ? folded(detail.rows) : [{ from: 0, to: detail.rows.length }];
  draw(body, detail, parts, options, 0);
  if (!detail.rows.length) body.append(el("tr", {}, el("td", { colspan: 4, class: "empty" }, "Neither client handed anything on, and nothing was on the wire.")));
  return table;
}

function lanesHead(detail, options) {
  const [left, right] = detail.lanes;
  const head = (lane, role) => el("th", { scope: "col" }, el("b", {}, ...text(lane.client)), el("small", {}, ` ${role} · ${plural(lane.chunks.length, "chunk")}`));
  const wire = el("th", { scope: "col", class: "wire" }, el("b", {}, "wire"), el("small", {}, ` ${plural(detail.wire.length, "event")}`));
  const both = el("th", { scope: "col" }, el("b", {}, "< ", ...text(left.client)), el("small", {}, " reference, "), el("b", {}, "> ", ...text(right.client)), el("small", {}, " candidate"));
  return el("thead", {}, el("tr", {}, el("th", { scope: "col", class: "mark" }, el("span", { class: "sr" }, "Same or not")),
    ...(options.one ? [both, wire] : [head(left, "reference"), wire, head(right, "candidate")])));
}

// How each lane ended.
function lanesFoot(detail, options) {
  const side = (lane) => el("td", {},
    lane.failure ? el("div", { class: "bad failure", title: "in full: usage and end" }, el("b", {}, "✗ ", ...text(lane.failure[0])), " ", ...text(lane.failure[1].slice(0, 400))) : el("b", { class: "good" }, "✓ ended"),
    el("small", {}, ` finish ${lane.finish.join(", ") || "none"} · text ${lane.hash} · took ${ms(lane.duration)} when replayed`));
  const ends = detail.exchanges.map((exchange) => `${exchange.status || "no answer"}, ${exchange.end}`);
  const wire = el("td", { class: "wire" }, ...text(ends.join(" → ") || "nothing recorded"));
  const line = (sign, ...cells) => el("tr", {}, el("td", { class: "mark" }, sign), ...cells);
  if (options.one) return el("tfoot", {}, line("<", side(detail.lanes[0]), wire), line(">", side(detail.lanes[1]), el("td", { class: "wire" })));
  return el("tfoot", {}, line("", side(detail.lanes[0]), wire, side(detail.lanes[1])));
}

// Runs of equal rows, their middle folded.
function folded(rows) {
  const parts = [];
  for (let from = 0; from < rows.length; ) {
    let to = from;
    while (to < rows.length && rows[to].eq === rows[from].eq) to += 1;
    if (rows[from].eq && to - from >= FOLD_FROM) {
      parts.push({ from, to: from + FOLD_KEEP }, { from: from + FOLD_KEEP, to: to - FOLD_KEEP, fold: true }, { from: to - FOLD_KEEP, to });
    } else parts.push({ from, to });
    from = to;
  }
  return parts;
}

// Draws as many rows as a page holds, then leaves a button: five thousand rows are drawn when asked for.
function draw(body, detail, parts, options, number) {
  let room = PAGE;
  for (; number < parts.length && room > 0; number += 1) {
    const part = parts[number];
    if (part.fold) {
      body.append(foldRow(detail, part, options));
      continue;
    }
    const to = Math.min(part.to, part.from + room);
    body.append(...rowsBetween(detail, part.from, to, options));
    room -= to - part.from;
    if (to < part.to) {
      parts = [...parts.slice(0, number), { from: to, to: part.to }, ...parts.slice(number + 1)];
      break;
    }
  }
  if (number < parts.length) body.append(moreRow(detail, parts.slice(number), options));
}

function moreRow(detail, parts, options) {
  const holds = { from: parts[0].from, to: parts[parts.length - 1].to };
  const row = el("tr", { class: "fold" }, el("td", { class: "mark" }, "…"), el("td", { colspan: options.one ? 2 : 3 },
    button(`show more: ${plural(holds.to - holds.from, "row")} left`, () => row.more())));
  return unfolding(row, holds, detail, parts, options);
}

// A row that stands for others, until it is asked for them.
function unfolding(row, holds, detail, parts, options) {
  row.holds = holds;
  row.more = () => {
    const drawn = document.createDocumentFragment();
    draw(drawn, detail, parts, options, 0);
    row.replaceWith(drawn);
  };
  return row;
}

function foldRow(detail, part, options) {
  const said = detail.rows.slice(part.from, Math.min(part.to, part.from + 40)).map((row) => chunkAt(detail, 0, row.l)?.text || "").join("");
  const row = el("tr", { class: "fold" }, el("td", { class: "mark" }, "="), el("td", { colspan: options.one ? 2 : 3 },
    button([el("b", {}, `${(part.to - part.from).toLocaleString("en")} equal chunks`), el("span", { class: "said" }, ...text(said.slice(0, 120)))], () => row.more(), { "aria-expanded": "false" })));
  return unfolding(row, part, detail, [{ from: part.from, to: part.to }], options);
}

const rowsBetween = (detail, from, to, options) => detail.rows.slice(from, to).flatMap((row, place) => (options.one ? oneLane : laneRow)(detail, row, from + place, options));

// Both lanes in one column: what they share once, and where they part the reference's chunk above the candidate's.
function oneLane(detail, row, number, options) {
  const cells = [[0, row.l, row.lm, "<"], [1, row.r, row.rm, ">"]].filter(([, place]) => place !== null).slice(0, row.eq ? 1 : 2);
  if (!cells.length) return el("tr", { class: "eq", "data-row": number }, el("td", { class: "mark" }), el("td", { class: "none" }), wireCell(detail, row, options));
  return cells.map(([side, place, pieces, sign], which) => el("tr", { class: row.eq ? "eq" : `ne ${side ? "plus" : "minus"}`, "data-row": which ? null : number },
    el("td", { class: "mark", title: row.eq ? "the same" : side ? "candidate" : "reference" }, row.eq ? "=" : sign),
    chunkCell(detail, side, place, pieces, row), which ? el("td", { class: "wire" }) : wireCell(detail, row, options)));
}

const chunkAt = (detail, side, place) => (place === null ? null : detail.lanes[side].chunks[place]);

function laneRow(detail, row, number, options) {
  const sign = row.l === null && row.r === null ? ["", "on the wire alone"] : row.eq ? ["=", "the same"] : row.l === null ? [">", "candidate alone"] : row.r === null ? ["<", "reference alone"] : ["≠", "differs"];
  return el("tr", { class: row.eq ? "eq" : "ne", "data-row": number },
    el("td", { class: "mark", title: sign[1] }, sign[0]),
    chunkCell(detail, 0, row.l, row.lm, row),
    wireCell(detail, row, options),
    chunkCell(detail, 1, row.r, row.rm, row));
}

function chunkCell(detail, side, place, pieces, row) {
  if (place === null) return el("td", { class: row.l === null && row.r === null ? "none" : "gap" }, el("span", { class: "sr" }, "nothing"));
  const chunk = chunkAt(detail, side, place);
  const other = chunkAt(detail, 1 - side, side ? row.l : row.r);
  return el("td", { class: "chunk" }, el("span", { class: "no", title: `chunk ${place}` }, place), ...chunkParts(chunk, other, pieces, side));
}

function chunkParts(chunk, other, pieces, side) {
  const own = (name, nodes) => (other && !same(other[name], chunk[name]) ? [el(side ? "ins" : "del", { class: "word" }, ...nodes)] : nodes);
  const label = (name) => own(name, text(chunk[name]));
  const tagged = (label, ...nodes) => el("span", { class: "part" }, el("em", {}, label), " ", ...nodes);
  const parts = [];
  if (chunk.text) parts.push(el("span", { class: "text" }, ...(pieces?.length > 1 ? marked(pieces, side ? "ins" : "del") : long(chunk.text, piece))));
  if (chunk.reasoning) parts.push(tagged("reasoning", el("span", { class: "text" }, ...own("reasoning", long(chunk.reasoning, piece)))));
  for (const call of chunk.tools || []) parts.push(tagged("tool", el("code", {}, ...own("tools", long(short(call))))));
  if (chunk.finish !== undefined) parts.push(tagged("finish", el("code", {}, ...label("finish"))));
  if (chunk.usage) parts.push(tagged("usage", el("code", {}, ...own("usage", text(chunk.usage)))));
  if (chunk.extra) parts.push(tagged("also", el("code", {}, ...own("extra", long(short(chunk.extra))))));
  for (const other of chunk.others || []) parts.push(tagged("choice", el("code", {}, ...own("others", long(short(other))))));
  if (chunk.role) parts.push(tagged("role", el("code", {}, ...text(chunk.role))));
  if (chunk.model) parts.push(tagged("model", el("code", {}, ...label("model"))));
  if (chunk.id) parts.push(tagged("id", el("code", { class: "id" }, ...label("id"))));
  return parts.length ? parts : [el("span", { class: "part" }, el("em", {}, "empty"))];
}

function wireCell(detail, row, options) {
  const [from, to] = row.w;
  const events = [];
  for (let place = from; place < to; place += 1) {
    const before = place ? detail.wire[place - 1][0] : -1;
    const exchange = detail.wire[place][0];
    if (exchange !== before && detail.exchanges.length > 1) events.push(el("div", { class: "exchange" }, `answer ${exchange + 1} of ${detail.exchanges.length}: status ${detail.exchanges[exchange].status}`));
    events.push(wireEvent(detail.wire[place], options));
    if (events.length >= PAGE) {
      events.push(el("div", { class: "exchange" }, `${(to - place - 1).toLocaleString("en")} more events`));
      break;
    }
  }
  return el("td", { class: "wire" }, ...events);
}

function wireEvent([, kind, data, name, at], options) {
  const shown = options.raw ? data : said(kind, data);
  const label = kind.replaceAll("+", " + ");
  const summary = [el("span", { class: "at" }, ms(at)), el("em", { class: kind.split("+").at(-1) }, ...text(name && name !== "message" ? `${name} · ${label}` : label)), " "];
  if (options.raw) return el("div", { class: "event raw" }, ...summary, el("code", {}, ...long(data)));
  return el("details", { class: "event" }, el("summary", {}, ...summary, el("code", {}, ...piece(shown.slice(0, 160)), shown.length > 160 ? "…" : "")), el("pre", {}, ...long(data)));
}

// What an event says, in a few characters: for people who look for the text, not for its wrapping.
function said(kind, data) {
  const brief = { content: /"(?:content|answer|result|text)"\s*:\s*("(?:[^"\\]|\\.)*")/, reasoning: /"reasoning(?:_content)?"\s*:\s*("(?:[^"\\]|\\.)*")/, finish: /"finish_reason"\s*:\s*("(?:[^"\\]|\\.)*")/ }[kind.split("+")[0]];
  const found = brief && data.match(brief);
  if (!found) return data;
  try {
    return JSON.parse(found[1]);
  } catch {
    return data;
  }
}
