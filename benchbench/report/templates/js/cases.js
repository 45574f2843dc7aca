// The table of all cases that are selected: sorted by a click on a header, a row opened for its evidence.
const AT_FIRST = 100; // rows
const holderOfCases = document.getElementById("case-table");
let sortedBy = null;
let descending = false;
let shownRows = AT_FIRST;
const opened = new Set();

const small = (words) => h("small", {}, words);
const number = (column) => (row) => h("td", { class: "n" }, row[`${column}:text`] ?? "–");
const aside = (row) => (row.headline ? "n" : "n aside");

function latencyCell(row) {
  const time = row.time ?? "–";
  return h("td", { class: aside(row), title: row.why }, row.headline || time === "–" ? time : `(${time})`,
    data.statistic === "latency" && row.statistic ? small(` ${row.statistic}`) : null,
    row.broken ? h("span", { class: "verdict bad" }, " ✕ output broken") : null);
}

const COLUMNS = [
  { title: "Device", key: (row) => row.place, cell: (row) => h("th", { scope: "row" }, row.place) },
  { title: "Family", key: (row) => row.family, cell: (row) => h("td", { class: "name" }, h("span", {}, named(row.family))) },
  { title: "Variant", key: (row) => row.variant, cell: (row) => h("td", { class: "name", title: row.variant },
      h("span", {}, row.variant), row.scheme && row.scheme !== row.variant ? small(` ${row.scheme}`) : null) },
  { title: "Asked for", key: (row) => row.delegate, cell: (row) => h("td", {}, named(row.delegate)) },
  { title: "Ran on", key: (row) => row.executor ?? row.became, cell: (row) =>
      h("td", { class: ["none", "unavailable", "mixed"].includes(row.verdict) ? "elsewhere" : null }, row.executor ?? row.became) },
  { title: "Delegation", key: (row) => row.badge, cell: (row) => h("td", {}, h("span", { class: `badge ${row.verdict}`, title: row.evidence },
      h("span", { "aria-hidden": "true" }, `${row.symbol} `), row.badge)) },
  { title: "Threads", numeric: true, key: (row) => row.threads, cell: (row) =>
      h("td", { class: "n" }, named(row.threads), row.affinity ? small(` @${row.affinity}`) : null) },
  { title: data.statistic[0].toUpperCase() + data.statistic.slice(1), numeric: true, key: (row) => row.median_ms, cell: latencyCell },
  { title: data.interval, numeric: true, key: (row) => (row.low_ms == null ? null : row.high_ms - row.low_ms),
    cell: (row) => h("td", { class: aside(row) }, row.ends ?? "–") },
  { title: "CV", numeric: true, key: (row) => row.between_cv, cell: number("between_cv") },
  ...data.quantities.map(({ column, title, about }) => ({ title, about, numeric: true, key: (row) => row[column], cell: number(column) })),
  { title: "Launches", numeric: true, key: (row) => row.launches, cell: (row) => h("td", { class: "n" }, named(row.launches),
      row.launches !== row.launches_all ? small(` of ${row.launches_all}`) : null, row.stopped ? h("small", {}, h("br"), row.stopped) : null) },
  { title: "Doubts", key: (row) => (row.doubts.length ? row.doubts.map((n) => data.doubts[n].kind).join(", ") : null),
    cell: (row) => h("td", { class: "doubts" }, row.doubts.map((n) => data.doubts[n].kind).join(", ") || "–") },
];

function sorted(rows) {
  if (sortedBy === null) return rows;
  const { key } = COLUMNS[sortedBy];
  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  return rows.map((row) => [key(row) ?? null, row]).sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null); // empty cells stay last
    const order = typeof a === "number" ? a - b : compare(a, b);
    return descending ? -order : order;
  }).map(([, row]) => row);
}

const logLink = (run, log) => h("a", { href: data.runs[run].logs + log.split("/").map(encodeURIComponent).join("/") }, log);

function details(row) {
  const run = data.runs[row.run_number];
  const line = (title, ...content) => [h("dt", {}, title), h("dd", {}, ...content)];
  const planned = row.status !== "skipped" || row.launches_all;
  const again = run.quoted && planned && `benchbench run --again ${run.quoted} --only ${row.quoted ?? row.case}`;
  const facts = [
    row.evidence ? line("Evidence", h("q", {}, row.evidence)) : [],
    row.error ? line("Error", h("q", {}, row.error), row.remedy ? ` Remedy: ${row.remedy}` : "") : [],
    row.doubts.length ? line("Doubts", h("ul", {}, row.doubts.map((n) => h("li", {}, data.doubts[n].text, ". ",
      h("span", { class: "muted" }, `Remedy: ${data.doubts[n].remedy}.`))))) : [],
    row.threads_got ? line("Threads", `${named(row.threads)} asked for, ${row.threads_got} used by the tool's account`) : [],
    row.cache ? line("Compile cache", `${row.cache} asked for; used: ${row.cache_used}. `, row.cache_evidence ? h("q", {}, row.cache_evidence) : null) : [],
    row.ops_left ? line("Ops left", row.ops_left) : [],
    row.samples_ms.length ? line("Launches, ms", row.samples_ms.join("  ")) : [],
    row.tails ? line("Tail", row.tails) : [],
    row.command ? line("On the device", h("code", {}, row.command)) : [],
    again ? line("Do it again", h("code", {}, again), " ", h("button", { type: "button", onclick: (event) => copy(event.target, again) }, "Copy")) : [],
    row.lines ? line("Its telling lines", h("pre", { class: "lines", tabindex: 0 }, row.lines)) : [],
    row.log ? line("Raw log", logLink(row.run_number, row.log),
      h("span", { class: "muted" }, " in the run folder")) : [],
  ];
  return h("tr", { class: "details" }, h("td", { colspan: COLUMNS.length + 1 }, h("dl", {}, facts)));
}

async function copy(button, words) {
  try {
    await navigator.clipboard.writeText(words);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select the text to copy it";
  }
}

function rowOf(row) {
  const open = () => { if (!opened.delete(row.id)) opened.add(row.id); showCases(); };
  const button = h("button", { type: "button", "aria-expanded": String(opened.has(row.id)), onclick: open,
                               "aria-label": `Evidence of ${row.case}` }, opened.has(row.id) ? "▾" : "▸");
  const shown = h("tr", { "data-case": row.id }, h("td", { class: "open" }, button), COLUMNS.map(({ cell }) => cell(row)));
  return opened.has(row.id) ? [shown, details(row)] : [shown];
}

function showCases() {
  if (!holderOfCases) return;
  const rows = sorted(selected);
  holderOfCases.tBodies[0].replaceChildren(...rows.slice(0, shownRows).flatMap(rowOf));
  const left = rows.length - shownRows;
  const more = document.getElementById("more-cases");
  more.hidden = left <= 0;
  more.textContent = `Show all ${rows.length.toLocaleString("en")}`;
  [...holderOfCases.tHead.rows[0].cells].slice(1).forEach((header, n) => {
    if (n === sortedBy) header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    else header.removeAttribute("aria-sort");
  });
}

function csvOf(rows) {
  const names = Object.keys(data.tables.cases.columns).filter((name) => !name.includes(":") && !data.inner.includes(name));
  const cell = (value) => {
    const words = Array.isArray(value) ? value.join(" ") : value === null || value === undefined ? "" : String(value);
    const safe = /^[=+@\t\r]/.test(words) || /^-[^\d.]/.test(words) ? `'${words}` : words; // no formula for a spreadsheet
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [names, ...rows.map((row) => names.map((name) => cell(row[name])))].map((line) => line.join(",")).join("\r\n");
}

function linkLogs() {
  for (const place of document.querySelectorAll("[data-log]")) place.replaceChildren(logLink(place.dataset.run, place.dataset.log));
}

function buildCases() {
  if (!holderOfCases) return;
  holderOfCases.tHead.replaceChildren(h("tr", {}, h("td"), COLUMNS.map(({ title, about, numeric }, n) =>
    h("th", { scope: "col", class: numeric ? "n" : null, title: about }, h("button", { type: "button", onclick: () => {
      descending = sortedBy === n && !descending;
      sortedBy = n;
      showCases();
    } }, title)))));
  document.getElementById("more-cases").addEventListener("click", () => { shownRows = Infinity; showCases(); });
  const link = document.getElementById("csv");
  link.addEventListener("click", () => {
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob(["\ufeff", csvOf(sorted(selected))], { type: "text/csv" }));
  });
}
