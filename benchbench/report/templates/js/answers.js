// What to ship on each device under limits that can be moved. The frames say what each case loses and which cases
// cannot be told apart in speed; here they are only held against the limits.
const LEAST_LOSS = data.least_loss; // a share
const limits = new Map(); // column -> number, a loss in points
const LIMITED = [{ column: "median_ms", title: "Latency", unit: "ms", better: "lower" }, ...data.quantities];
let preferred = "median_ms";
const CARDS = 12; // at first
let shownCards = CARDS;
const FEW = 6; // cards that are read at a glance
const pairOf = (row) => `${row.place}\n${row.family}`;
const candidatesOf = groupBy(table("cases").filter((row) => row.best && !row.network), pairOf);

const lossLimit = () => limits.get("loss") ?? 100 * LEAST_LOSS;
const atDefault = () => limits.size === 0 && preferred === "median_ms";
const describe = (row) => `${row.variant} on ${row.delegate}${row.threads ? `, ${counted(row.threads, "thread")}` : ""}${row.affinity ? `, on cores ${row.affinity}` : ""}`;
const timed = (row) => `${describe(row)} (${row.time})`;
const pointsOf = (points) => (points === 1 ? "a point" : `${points} points`);
const quality = (row) => (row.likeness ? "fidelity" : "accuracy");

function limitParameters() {
  const found = {};
  for (const [name, value] of limits) found[`limit.${name}`] = value;
  if (preferred !== "median_ms") found.prefer = preferred;
  return found;
}

function readLimits(found) {
  limits.clear();
  for (const name of ["loss", ...LIMITED.map(({ column }) => column)]) {
    const value = found.get(`limit.${name}`);
    if (value !== null && value !== "" && Number.isFinite(Number(value))) limits.set(name, Number(value));
  }
  const wanted = found.get("prefer");
  preferred = wanted === "loss" || LIMITED.some(({ column }) => column === wanted) ? wanted : "median_ms";
}

// Why a case is beyond a limit; null where it is within all of them.
function beyond(row) {
  if (row.loss > lossLimit() / 100) return row.drawback;
  for (const { column, title, unit, better } of LIMITED) {
    const limit = limits.get(column);
    if (limit === undefined) continue;
    const value = row[column];
    if (value === null || value === undefined) return `its ${title} is not known`;
    const scaled = unit === "share" ? 100 * value : value;
    if (better === "higher" ? scaled < limit : scaled > limit) {
      const said = column === "median_ms" ? row.time : row[`${column}:text`];
      return `its ${title.charAt(0).toLowerCase()}${title.slice(1)} is ${said}, beyond your limit`;
    }
  }
  return null;
}

const lessOf = (keys) => (a, b) => {
  const [x, y] = [keys(a), keys(b)];
  for (let n = 0; n < x.length; n++) if (x[n] !== y[n]) return x[n] < y[n] ? -1 : 1;
  return 0;
};

function ranking(row) {
  if (preferred === "median_ms") return [row.median_ms];
  if (preferred === "loss") return [row.rank];
  const sign = LIMITED.find(({ column }) => column === preferred)?.better === "higher" ? -1 : 1;
  return [row[preferred] === null || row[preferred] === undefined ? Infinity : sign * row[preferred], row.median_ms];
}

// The case to ship, the ones as fast, and whether it is slower than the best float for lack of others.
function pick(candidates) {
  const known = candidates.filter((row) => row.known);
  const within = known.filter((row) => beyond(row) === null);
  const able = within.filter((row) => !row.behind_float);
  const pool = (able.length ? able : within).sort(lessOf(ranking));
  if (!pool.length) return null;
  if (preferred !== "median_ms") return { row: pool[0], equals: [], forced: !able.length };
  const equals = pool.filter((row) => pool[0].equals.includes(row.id));
  const row = [...equals].sort(lessOf((one) => [one.rank]))[0];
  return { row, equals: equals.filter((one) => one !== row), forced: !able.length };
}

function doubtsOf({ row, equals }, candidates, shared) {
  const said = row.doubts.map((n) => data.doubts[n]).filter(({ kind }) => !shared.includes(kind)).map((doubt) => doubt.text);
  if (equals.length) said.push(`not to be told apart in speed from ${equals.map(timed).join("; ")}: none of them is more faithful, as far as it matters`);
  said.push(...row.as_fast);
  const unknown = candidates.filter((one) => one.headline && !one.known && !one.broken);
  if (unknown.length) said.push(`outputs are not known for ${counted(unknown.length, "case")}: ${unknown.slice(0, 6).map(describe).join("; ")}`);
  if (row.likeness) said.push("there are no labels: fidelity to the reference says nothing about being right");
  const most = lossLimit() / 100;
  if (row.too_few && row.too_few[0] < most && most < row.too_few[1]) {
    said.push(`too few samples to tell whether it loses ${pointsOf(lossLimit())} of ${quality(row)}`);
  }
  return said;
}

function evidenceOf({ row, equals }, candidates) {
  const ahead = candidates.filter((one) => one.median_ms < row.median_ms && !equals.includes(one));
  const said = ahead.map((one) => {
    const why = one.known ? beyond(one) ?? (preferred === "median_ms" ? one.drawback : "is not what you prefer") : one.drawback;
    return `${describe(one)} is faster (${one.time}) but ${why}`;
  });
  const base = candidates.find((one) => one.is_base);
  const other = base && base !== row ? `; ${describe(base)}: ${base.measured}` : "";
  return [...said, `${row.metric_name} ${row.measured}${other}`];
}

function nearest(candidates) {
  const known = candidates.filter((row) => row.known).sort(lessOf(ranking));
  return known.slice(0, 3).map((row) => `${timed(row)}: ${beyond(row) ?? "within"}`);
}

const listed = (title, lines, open) => (lines.length
  ? h("details", { open }, h("summary", {}, `${title} `, h("span", { class: "count" }, String(lines.length))), h("ul", {}, lines.map((line) => h("li", {}, line))))
  : null);

function cardOf(choice) {
  const candidates = candidatesOf.get(pairOf(choice)) ?? [];
  const heading = h("h3", {}, choice.place, " ", h("span", { class: "muted" }, choice.family));
  const pitfalls = listed("Known pitfalls met", choice.pitfalls, false);
  if (choice.why) {
    const fastest = candidates.filter((row) => !row.broken).sort((one, other) => one.median_ms - other.median_ms)[0];
    return h("article", { class: "card" }, heading, h("p", { class: "choice none" }, choice.why),
      fastest ? h("p", { class: "muted" }, `The fastest case is ${[timed(fastest), ...fastest.as_fast].join(", ")}.`) : null, pitfalls);
  }
  const found = pick(candidates);
  if (!found) {
    return h("article", { class: "card" }, heading, h("p", { class: "choice none" }, "No case is within these limits."),
      listed("The nearest ones", nearest(candidates), true), pitfalls);
  }
  const { row, forced } = found;
  const most = lossLimit();
  const claims = [row.time, ...row.claims];
  if (forced) claims.push(`slower than the device’s best float case, which is not within these limits`);
  if (preferred !== "median_ms" && preferred !== "loss") claims.push(`${LIMITED.find(({ column }) => column === preferred).title}: ${row[`${preferred}:text`] ?? "–"}`);
  const doubts = doubtsOf(found, candidates, choice.shared);
  return h("article", { class: "card", "data-pick": row.case, "data-limit": most }, heading,
    h("p", { class: "choice" }, describe(row)), h("ul", { class: "claims" }, claims.map((claim) => h("li", {}, claim))),
    listed("Evidence", evidenceOf(found, candidates), false), listed("Doubts", doubts, doubts.length <= 2), pitfalls);
}

// Of many devices, on how many each case is the one to ship.
function tallyOf([family, choices]) {
  const answer = (choice) => {
    if (choice.why) return "cannot recommend";
    const found = pick(candidatesOf.get(pairOf(choice)) ?? []);
    return found ? describe(found.row) : "no case is within these limits";
  };
  const answers = [...groupBy(choices, answer)].sort(([, one], [, other]) => other.length - one.length);
  return h("li", {}, h("span", { class: "muted" }, `${named(family)}: `), answers.map(([words, on], n) => [n ? "; " : "",
    h("strong", {}, words), ` on ${on.length} of ${counted(choices.length, data.runs.length > 1 ? "device and run" : "device", data.runs.length > 1 ? "devices and runs" : "devices")}`]));
}

function showAnswers() {
  const holder = document.getElementById("answers");
  if (!holder) return;
  const seen = new Set(selected.map(pairOf));
  const choices = data.choices.filter((choice) => seen.has(pairOf(choice)));
  const tally = document.getElementById("answers-tally");
  tally.hidden = choices.length <= FEW;
  tally.replaceChildren(...(tally.hidden ? [] : [...groupBy(choices, ({ family }) => family)].map(tallyOf)));
  const left = choices.length - shownCards;
  holder.replaceChildren(...choices.slice(0, shownCards).map(cardOf));
  const more = document.getElementById("more-answers");
  more.hidden = left <= 0;
  more.textContent = `Show ${left.toLocaleString("en")} more`;
  showLimits();
  document.getElementById("loss-said").textContent = `${lossLimit()} ${lossLimit() === 1 ? "point" : "points"}`;
  document.getElementById("limits-reset").hidden = atDefault();
}

function buildLimits() {
  const holder = document.getElementById("limits");
  if (!holder) return;
  const range = h("input", { type: "range", min: 0, max: 10, step: 0.1, id: "limit-loss" });
  const moved = () => { limits.set("loss", Number(range.value)); if (lossLimit() === 100 * LEAST_LOSS) limits.delete("loss"); limitsMoved(); };
  range.addEventListener("input", moved);
  const inputs = LIMITED.filter(({ column }) => table("cases").some((row) => row.known && row[column] != null)).map((one) => {
    const input = h("input", { type: "number", step: "any", min: 0, inputmode: "decimal", placeholder: "any" });
    input.addEventListener("input", () => {
      if (input.value === "") limits.delete(one.column); else limits.set(one.column, Number(input.value));
      limitsMoved();
    });
    const unit = one.unit === "share" ? "%" : one.unit;
    const title = one.title.replace(`, ${one.unit}`, "");
    return [one, input, h("label", {}, `${title} ${one.better === "higher" ? "at least" : "up to"} `, input, unit ? ` ${unit}` : "")];
  });
  const select = h("select", {}, [["median_ms", "the fastest"], ["loss", table("cases").some((row) => row.known && !row.likeness) ? "the most accurate" : "the most faithful"],
    ...inputs.filter(([one]) => one.column !== "median_ms").map(([one]) => [one.column, `${one.better === "higher" ? "most" : "least"} ${one.title}`])]
    .map(([value, words]) => h("option", { value }, words)));
  select.addEventListener("change", () => { preferred = select.value; limitsMoved(); });
  const [first, rest] = [inputs.filter(([{ column }]) => ["median_ms", "added_mb"].includes(column)), inputs.filter(([{ column }]) => !["median_ms", "added_mb"].includes(column))];
  holder.append(h("label", {}, "Of what loses at most ", h("output", { id: "loss-said", for: "limit-loss" }), " of accuracy ", range),
    h("label", {}, "prefer ", select), ...first.map(([, , label]) => label),
    rest.length ? h("details", { class: "facet" }, h("summary", {}, "More limits"), h("fieldset", {}, h("legend", { class: "hidden" }, "More limits"), rest.map(([, , label]) => label))) : "",
    h("button", { type: "button", id: "limits-reset", onclick: () => { limits.clear(); preferred = "median_ms"; limitsMoved(); } }, "Usual limits"));
  showLimits = () => {
    range.value = lossLimit();
    select.value = preferred;
    for (const [{ column }, input] of inputs) {
      const value = limits.has(column) ? String(limits.get(column)) : "";
      if (Number(input.value) !== Number(value) || value === "") input.value = value;
    }
  };
  document.getElementById("more-answers").addEventListener("click", () => { shownCards = Infinity; showAnswers(); });
}

let showLimits = () => {};
function limitsMoved() {
  showAnswers();
  keepInLinks();
}
