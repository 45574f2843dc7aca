// What nobody would expect of the cases that are selected, the largest effect first; what devices share is told once.
const FIRST_SURPRISES = 5;
let shownSurprises = FIRST_SURPRISES;

// The row of a case in the table of all cases, opened.
function openCase(id) {
  opened.add(id);
  shownRows = Math.max(shownRows, 1 + sorted(selected).findIndex((row) => row.id === id));
  showCases();
  holderOfCases.querySelector(`[data-case="${id}"]`).scrollIntoView({ block: "center" });
}

function surpriseLine(rows) {
  const [{ about, what, figure }] = rows;
  const count = (name) => new Set(rows.map((row) => row.about[name])).size - 1;
  const others = count("device") ? `and on ${counted(count("device"), "other device")} ` : count("run") ? `and in ${counted(count("run"), "other run")} ` : null;
  return h("li", {}, h("strong", {}, about.place), " ", SEVERAL_FAMILIES ? h("span", { class: "muted" }, `${named(about.family)} `) : null,
    figure ? `${what}: ${figure}` : what, " ",
    others ? h("span", { class: "muted" }, others) : null,
    h("button", { type: "button", class: "link", "aria-label": `Evidence of ${about.case}`, onclick: () => openCase(about.id) }, "evidence"));
}

function showSurprises() {
  const holder = document.getElementById("surprise-list");
  if (!holder) return;
  const [cases, ids] = [table("cases"), new Set(selected.map((row) => row.id))];
  const mine = table("surprises").filter(({ id }) => ids.has(id)).map((row) => ({ ...row, about: cases[row.id] }));
  const groups = [...groupBy(mine, ({ what, about }) => `${about.family}\n${what}`).values()];
  holder.replaceChildren(...groups.slice(0, shownSurprises).map(surpriseLine));
  document.getElementById("no-surprises").hidden = groups.length > 0;
  const [left, more] = [groups.length - shownSurprises, document.getElementById("more-surprises")];
  more.hidden = left <= 0;
  more.textContent = `and ${left.toLocaleString("en")} more`;
  more.onclick = () => { shownSurprises = Infinity; showSurprises(); };
}
