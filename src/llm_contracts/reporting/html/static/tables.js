// Views that are tables: joined text, requests, usage and end, telemetry.

const ABSENT = "<absent>";

function valueCell(value) {
  if (value === null || value === undefined || value === ABSENT) return el("td", { class: "absent" }, "–", el("span", { class: "sr" }, " absent"));
  return el("td", { class: typeof value === "number" ? "num" : "" }, el("code", {}, ...(typeof value === "string" ? long(value, (part) => text(part, true)) : long(json(value), laidOut))));
}

// JSON laid out in lines: these line ends are ours and mean nothing.
const laidOut = (value) => value.split("\n").flatMap((line, place) => (place ? ["\n", ...text(line)] : text(line)));

const same = (a, b) => short(a ?? null) === short(b ?? null);

function compared(heads, rows, left, right) {
  const line = (row) => {
    const equal = same(row[left], row[right]);
    return el("tr", { class: equal ? "eq" : "ne" }, el("td", { class: "mark", title: equal ? "the same" : "differs" }, equal ? "=" : "≠"),
      el("th", { scope: "row" }, ...text(row[0])), ...row.slice(1).map(valueCell));
  };
  return el("table", { class: "facts-table" },
    el("thead", {}, el("tr", {}, el("th", { class: "mark" }, el("span", { class: "sr" }, "Same or not")), ...heads.map((head) => el("th", { scope: "col" }, ...text(head))))),
    el("tbody", {}, ...rows.map(line)));
}

const clients = (detail) => detail.lanes.map((lane) => lane.client);

function texts(detail) {
  const parts = [joined("Text", detail.text, detail), joined("Reasoning", detail.reasoning, detail)];
  return el("div", {}, ...parts.filter(Boolean), detail.text || detail.reasoning ? null : el("p", { class: "empty" }, "No text from either client, and none on the wire."));
}

function joined(title, found, detail) {
  if (!found) return null;
  const [left, right] = clients(detail);
  const equal = found.reference.length === 1 && found.reference[0] === found.candidate[0];
  const box = (label, pieces, tag, same) => el("figure", {},
    el("figcaption", {}, el("b", {}, ...text(label)), same === undefined ? null : el("small", {}, same ? " = wire" : " ≠ wire")),
    el("div", { class: "prose" }, ...(pieces.length === 1 ? long(pieces[0], (part) => text(part, true)) : markedProse(pieces, tag))));
  const boxes = equal
    ? [box(`${left} and ${right}, the same`, found.reference, "del", found.same.reference)]
    : [box(left, found.reference, "del", found.same.reference), box(right, found.candidate, "ins", found.same.candidate)];
  if (found.wire !== null) boxes.push(box("wire", [found.wire], "del"));
  return el("section", {}, el("h3", {}, title), el("div", { class: "beside" }, ...boxes));
}

const markedProse = (pieces, tag) => pieces.map((part, place) => (place % 2 ? el(tag, { class: "word" }, ...text(part, true)) : text(part, true)));

function requests(detail) {
  if (!detail.requests.length) return el("p", { class: "empty" }, "Neither client made a request.");
  return el("div", {}, ...detail.requests.map((request, number) => oneRequest(detail, request, number)), hidden(detail));
}

function oneRequest(detail, request, number) {
  const [left, right] = clients(detail);
  const headers = compared(["header", left, right], request.headers, 1, 2);
  const differing = request.headers.filter((row) => !same(row[1], row[2])).length;
  return el("section", {}, el("h3", {}, `Request ${number + 1}`),
    compared(["What", left, right], [["target", ...request.target]], 1, 2),
    el("h4", {}, "Body, keys in order"), lines(request.body),
    el("details", {}, el("summary", {}, `${plural(request.headers.length, "header")}, ${differing} not the same`), headers));
}

// A diff in one column: the sign says whose line it is.
function lines(found) {
  if (!found.length) return el("p", { class: "empty" }, "No body.");
  const word = { "=": "both", "<": "reference", ">": "candidate" };
  return el("table", { class: "lines-diff" }, el("tbody", {}, ...found.map(([sign, line]) =>
    el("tr", { class: { "=": "eq", "<": "minus", ">": "plus" }[sign] }, el("td", { class: "mark", title: word[sign] }, sign), el("td", {}, el("code", {}, ...long(line)))))));
}

function usage(detail) {
  const [left, right] = clients(detail);
  const withDelta = detail.usage.map((row) => [...row, typeof row[2] === "number" && typeof row[3] === "number" ? signed(row[3] - row[2]) : null]);
  return el("div", {},
    el("section", {}, el("h3", {}, "Usage"), detail.usage.length ? compared(["What", "wire", left, right, "more or less"], withDelta, 2, 3) : el("p", { class: "empty" }, "Nobody reported totals.")),
    el("section", {}, el("h3", {}, "How it ended"), compared(["What", "wire", left, right], detail.ends, 2, 3)),
    answers(detail), hidden(detail));
}

const signed = (number) => (number > 0 ? `+${number}` : String(number));

function answers(detail) {
  const one = (exchange, number) => el("details", {}, el("summary", {}, ...text(`Answer ${number + 1}: status ${exchange.status}, ${exchange.type || "no type"}, ${exchange.bytes.toLocaleString("en")} bytes, ${exchange.end}`)),
    el("table", { class: "facts-table" }, el("tbody", {}, ...exchange.headers.map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, ...text(name)), valueCell(value))))));
  return el("section", {}, el("h3", {}, "What the provider answered"), ...detail.exchanges.map(one));
}

// What was taken away before comparing, so that nobody thinks it was never there.
function hidden(detail) {
  const names = Object.entries(detail.normalised);
  if (!names.length) return null;
  return el("section", {}, el("h3", {}, "Not counted as differences"), el("ul", { class: "lines" }, ...names.map(([name, count]) => el("li", {}, el("code", {}, name), ` ${plural(count, "time")}`))));
}

function telemetry(detail) {
  if (!detail.telemetry.length) return el("p", { class: "empty" }, "Neither client sent telemetry.");
  const [left, right] = clients(detail);
  return el("div", {}, ...detail.telemetry.map((rows, number) => el("section", {}, el("h3", {}, `Generation ${number + 1}`), compared(["Field", left, right], rows, 1, 2))), hidden(detail));
}
