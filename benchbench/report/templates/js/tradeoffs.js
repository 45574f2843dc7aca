// What each variant gains and costs, a table for each device and family that is selected.
const TABLES = 4; // at first
let shownTables = TABLES;

const bracketed = (words) => {
  if (!words) return "–";
  const at = words.indexOf(" [");
  return at < 0 ? words : [words.slice(0, at), " ", small(words.slice(at + 1))];
};

function tradeoffTable(rows) {
  const [first] = rows;
  const metric = rows.some((row) => row.metric_name);
  const changes = metric && !first.likeness;
  const likeness = data.likeness.filter(({ column }) => column !== first.metric && rows.some((row) => row[`${column}:text`] && row[column] != null));
  const memory = data.memory.find(({ column }) => rows.some((row) => row[column] != null));
  const wide = (words, span) => h("th", { scope: "colgroup", colspan: span }, words);
  const narrow = (words) => h("th", { scope: "col", class: "n" }, words);
  const upper = (words) => words.charAt(0).toUpperCase() + words.slice(1);
  const cell = (...content) => h("td", { class: "n" }, ...content);
  const head = h("thead", {},
    h("tr", {}, h("th", { scope: "col", rowspan: 2 }, "Variant, and what ran it"), wide("Speed", 3), metric ? wide(upper(quality(first)), changes ? 2 : 1) : null,
      likeness.length ? wide("Outputs against the reference’s", likeness.length) : null, wide("Cost", memory ? 2 : 1), h("th", { scope: "col", rowspan: 2 }, "Front")),
    h("tr", {}, narrow(upper(first.statistic ?? "latency")), narrow("× float32, same delegate"), narrow("× best float of the device"),
      metric ? narrow(upper(first.metric_name ?? "")) : null, changes ? narrow("Change, points") : null, likeness.map(({ title }) => narrow(title)),
      narrow("File, MB"), memory ? narrow(memory.title) : null));
  const body = rows.map((row) => h("tr", { class: row.broken ? "broken" : null },
    h("th", { scope: "row" }, row.variant, " ", small(`${row.scheme && row.scheme !== row.variant ? `${row.scheme} on ` : ""}${row.delegate}${row.threads ? `, ${counted(row.threads, "thread")}` : ""}${row.affinity ? ` @${row.affinity}` : ""}${row.verdict === "partial" ? ", partial" : ""}`),
      row.kin ? h("small", { class: "flags" }, row.kin) : null, row.broken ? h("span", { class: "verdict bad" }, "✕ output broken ") : null,
      row.flags ? h("small", { class: "flags" }, row.flags) : null),
    cell(row.time, row.ends ? small(` [${row.ends}]`) : null), cell(bracketed(row.speedup_text)), cell(bracketed(row.over_best_text)),
    metric ? cell(bracketed(row.measured)) : null, changes ? cell(bracketed(row.change_text)) : null,
    likeness.map(({ column }) => cell(row[`${column}:text`] ?? "–")),
    cell(row["size_mb:text"] ?? "–", row.smaller_text ? small(` ${row.smaller_text}`) : null),
    memory ? cell(row[`${memory.column}:text`] ?? "–") : null, h("td", {}, row.pareto ? "◆" : "")));
  const samples = first.samples_text ? `${upper(first.metric_name)} over ${first.samples_text}. ` : "";
  const base = rows.find((row) => row.is_base);
  return [h("h3", {}, `${first.place} · ${first.family}`),
    h("p", { class: "about" }, samples, changes && base ? `Changes are against ${describe(base)}. ` : "", memory ? `Memory is ${memory.about}.` : ""),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Table of speed, accuracy and size of ${first.family} on ${first.place}` },
      h("table", { class: "tradeoff" }, head, h("tbody", {}, body)))];
}

function showTradeoffs() {
  const holder = document.getElementById("tradeoffs");
  if (!holder) return;
  const groups = [...groupBy(selected.filter((row) => row.best), (row) => `${row.place}\n${row.family}`).values()]
    .filter((rows) => rows.length > 1 && (rows.some((row) => row.metric_name) || rows.some((row) => row.over_best_text)));
  holder.replaceChildren(...groups.slice(0, shownTables).flatMap(tradeoffTable));
  const left = groups.length - shownTables;
  if (left > 0) {
    holder.append(h("p", { class: "more" }, `${left.toLocaleString("en")} more in this selection. `,
      h("button", { type: "button", onclick: () => { shownTables += 2 * TABLES; showTradeoffs(); } }, "Show more")));
  }
}
