// Recall and confusions class by class, of the devices and families that are selected.
const FIRST_CLASS_PANELS = 2;
const FULL_TINT = 0.3; // a difference of 30 points has the strongest tint
let shownClassPanels = FIRST_CLASS_PANELS;

// The two ends of a share's 95 % interval (Wilson 1927), as the frame of classes has them.
function wilson(found, n) {
  const [z, share] = [1.959963984540054, found / n];
  const [middle, half] = [share + z * z / (2 * n), z * Math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))];
  return [middle - half, middle + half].map((end) => Math.min(1, Math.max(0, end / (1 + z * z / n))));
}

const whole = (share) => (100 * share).toFixed(0);
const headerUp = (name) => h("th", { scope: "col", class: "up-right" }, h("span", { title: name }, name));
const pathOf = (row) => `${row.variant} on ${row.delegate}`;

function recallCell(panel, row, base, n) {
  const supportOf = (one) => (one.support ?? panel.support)[n];
  const [found, support] = [row.found[n], supportOf(row)];
  if (!support) return h("td", { class: "n" }, "–");
  const against = base && base !== row && supportOf(base) ? found / support - base.found[n] / supportOf(base) : 0;
  const tint = Math.max(-1, Math.min(1, against / FULL_TINT));
  const [low, high] = wilson(found, support);
  return h("td", { class: `n${tint > 0.02 ? " up" : tint < -0.02 ? " down" : ""}`, style: Math.abs(tint) > 0.02 ? `--v:${Math.abs(tint).toFixed(2)}` : null,
    title: `${found} of ${support} [${whole(low)}, ${whole(high)}]` }, whole(found / support));
}

function recallTable(panel, rows) {
  const base = panel.base === null ? null : panel.rows[panel.base];
  const names = panel.classes.map((number) => data.classes.names[panel.family][number]);
  return h("div", { class: "scroll fit", tabindex: 0, role: "region", "aria-label": `Table of recall per class of ${panel.family} on ${panel.place}` },
    h("table", { class: "grid" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Variant, and what ran it"), names.map(headerUp))),
      h("tbody", {}, rows.map((row) => h("tr", { class: row.broken ? "broken" : null },
        h("th", { scope: "row" }, row.variant, " ", small(`${row.ran ?? row.delegate}${row === base ? ", baseline" : ""}`),
          row.broken ? h("span", { class: "verdict bad" }, " ✕ output broken") : null),
        panel.classes.map((_, n) => recallCell(panel, row, base, n)))))));
}

// Rows: what it is. Columns: what it was taken for; an answer that no sample has as its label has an empty row.
function confusionMatrix(panel, { row, cells }) {
  const path = panel.rows[row];
  const support = path.support ?? panel.support;
  const names = data.classes.names[panel.family];
  const numbers = [...new Set([...panel.classes, ...cells.flatMap(([label, answer]) => [label, answer])])].sort((a, b) => a - b);
  const counts = new Map(cells.map(([label, answer, count]) => [`${label} ${answer}`, count]));
  const samples = new Map(panel.classes.map((number, n) => [number, support[n]]));
  const answered = (label) => numbers.reduce((sum, answer) => sum + (counts.get(`${label} ${answer}`) ?? 0), 0);
  const unanswered = numbers.map((label) => (samples.get(label) ?? 0) - answered(label));
  const silent = unanswered.some((count) => count > 0);
  const tinted = (count, of, kind) => h("td", { class: `n ${kind}`, style: `--v:${(of ? count / of : 0).toFixed(2)}` }, count || "");
  return h("div", { class: "scroll fit", tabindex: 0, role: "region", "aria-label": `Confusion matrix of ${panel.family}, ${pathOf(path)}, on ${panel.place}` },
    h("table", { class: "grid matrix" }, h("caption", {}, "Rows: what it is. Columns: what it was taken for."),
      h("thead", {}, h("tr", {}, h("td"), numbers.map((number) => headerUp(names[number])), silent ? headerUp("no answer") : null)),
      h("tbody", {}, numbers.map((label, n) => h("tr", {},
        h("th", { scope: "row", class: "name" }, h("span", { title: names[label] }, names[label])),
        numbers.map((answer) => {
          const count = counts.get(`${label} ${answer}`);
          return count ? tinted(count, samples.get(label), label === answer ? "hit" : "miss") : h("td");
        }),
        silent ? tinted(unanswered[n], samples.get(label), "miss") : null)))));
}

function mistakesTable(panel, mistakes) {
  const [names, based] = [data.classes.names[panel.family], mistakes[0].length > 4];
  const head = (words, kind) => h("th", { scope: "col", class: kind }, words);
  return h("table", {}, h("caption", {}, "Commonest mistakes"),
    h("thead", {}, h("tr", {}, head("Is"), head("Taken for"), head("Samples", "n"), based ? head("Baseline", "n") : null)),
    h("tbody", {}, mistakes.map(([label, answer, count, support, base]) => h("tr", {},
      h("td", { class: "wide" }, names[label]), h("td", { class: "wide" }, names[answer]),
      h("td", { class: "n" }, count, small(` of ${support}`)), based ? h("td", { class: "n" }, base) : null))));
}

function confusionCard(panel, confusion) {
  const { mistakes, cells, role } = confusion;
  return h("article", { class: "card" }, h("h4", {}, `${pathOf(panel.rows[confusion.row])} `, h("span", { class: "muted" }, role)),
    cells ? confusionMatrix(panel, confusion) : null,
    mistakes.length ? mistakesTable(panel, mistakes) : h("p", { class: "about" }, "No mistakes."));
}

function classPanel([panel, rows]) {
  const shown = new Set(rows);
  const confusions = panel.confusions.filter(({ row }) => shown.has(panel.rows[row]));
  const base = panel.base === null ? "" : `; tinted by its difference from ${pathOf(panel.rows[panel.base])}, red = worse`;
  const some = panel.classes.length < panel.total
    ? ` Of ${panel.total.toLocaleString("en")} classes those in which a case differs most, and the worst; all are in classes.csv.` : "";
  return [h("h3", {}, `${panel.place} · ${panel.family}`),
    h("p", { class: "about" }, `Recall in percent${base}. With the samples that a class has here, its recall is known to about ± ${whole(panel.half_width)} points.${some}`),
    recallTable(panel, rows),
    confusions.length ? h("div", { class: "cards confusions" }, confusions.map((one) => confusionCard(panel, one))) : null];
}

function showClasses() {
  const holder = document.getElementById("class-panels");
  if (!holder) return;
  const paths = new Set(selected.map(GRID[0]));
  const chosenOf = (panel) => panel.rows.filter(({ variant, delegate }) => paths.has(GRID[0]({ ...panel, variant, delegate })));
  const panels = data.classes.panels.map((panel) => [panel, chosenOf(panel)]).filter(([, rows]) => rows.length);
  const none = h("p", { class: "empty" }, "Nothing of this is in the selection.");
  holder.replaceChildren(...(panels.length ? panels.slice(0, shownClassPanels).flatMap(classPanel) : [none]).filter(Boolean),
    ...(data.classes.left ? [h("p", { class: "about" }, `Of ${counted(data.classes.left, "further device and family", "further devices and families")} they are in classes.csv and confusion.csv beside this page: here they would make it too large.`)] : []));
  const [left, more] = [panels.length - shownClassPanels, document.getElementById("more-classes")];
  more.hidden = left <= 0;
  more.textContent = `Show ${left.toLocaleString("en")} more`;
  more.onclick = () => { shownClassPanels += 4 * FIRST_CLASS_PANELS; showClasses(); };
}
