// One selection for the whole page. It stands in the address, so that a link keeps it: #section?device=a&text=int8
const FACETS = [
  ["run", "Run"], ["device", "Device"], ["family", "Family"], ["runtime", "Runtime"], ["scheme", "Scheme"],
  ["delegate", "Delegate"], ["threads", "Threads"],
].filter(([name]) => new Set(table("cases").map((row) => row[name] ?? null)).size > 1);
const chosen = new Map(FACETS.map(([name]) => [name, new Set()]));
const followers = []; // [id, show]: elements that follow it, and what fills each
let text = "";
let headlines = false;
let selected = table("cases");

const named = (value) => (value === null || value === undefined ? "–" : String(value));

// What the text looks in: what was asked for and what mainly ran, but not what ran the rest.
for (const row of table("cases")) {
  const ran = (row.executor ?? "").split(/[,(?]/)[0].trim();
  const parts = [row.place, row.family, row.variant, row.scheme, row.delegate, row.runtime, row.verdict, row.became,
                 row.affinity, ran, row.threads ? `t${row.threads}` : null, ...row.doubts.map((n) => data.doubts[n].kind)];
  row.words = parts.filter(Boolean).join(" ").toLowerCase();
}

function choose() {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const active = [...chosen].filter(([, values]) => values.size);
  selected = table("cases").filter((row) =>
    active.every(([name, values]) => values.has(named(row[name]))) && (!headlines || row.headline)
      && words.every((word) => (/^t\d+$/.test(word) ? word === `t${row.threads}` : row.words.includes(word))));
}

function parameters() {
  const found = new URLSearchParams();
  for (const [name, values] of chosen) for (const value of values) found.append(name, value);
  if (text) found.set("text", text);
  if (headlines) found.set("headlines", "1");
  for (const [name, value] of Object.entries(limitParameters())) found.set(name, value);
  return found.toString();
}

function readAddress() {
  const [, section, query] = /^#?([^?]*)\??(.*)$/s.exec(location.hash);
  const found = new URLSearchParams(query);
  for (const [name, values] of chosen) {
    values.clear();
    for (const value of found.getAll(name)) values.add(value);
  }
  text = found.get("text") ?? "";
  headlines = found.has("headlines");
  readLimits(found);
  return section;
}

// Every link within the page takes the selection along.
function keepInLinks() {
  const query = parameters();
  const tail = query ? `?${query}` : "";
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    link.setAttribute("href", link.getAttribute("href").split("?")[0] + tail);
  }
  const [section] = location.hash.split("?");
  history.replaceState(null, "", `${section || "#"}${tail}`);
}

// What the reader sees follows at once; the rest when that stands on the screen, or at once, too, before there is any.
function apply(atOnce) {
  choose();
  const there = followers.map(([id, show]) => [document.getElementById(id), show]).filter(([holder]) => holder);
  const now = there.map(([holder]) => atOnce || seen(holder)); // asked of all before any changes, which costs a layout
  showControls();
  there.forEach(([holder, show], n) => (now[n] ? show() : later(holder, show)));
  drawAll();
  keepInLinks();
}

let changedAt = 0; // the time origin is that of the page
function changed(atOnce = false) {
  changedAt = performance.now();
  delete document.documentElement.dataset.took;
  apply(atOnce);
}

function toggle(name, value) {
  const values = chosen.get(name);
  if (!values) return;
  if (!values.delete(value)) values.add(value);
  changed();
}

const summaries = new Map();
const boxes = new Map();

function buildControls() {
  const holder = document.getElementById("facets");
  for (const [name, title] of FACETS) {
    const values = [...new Set(table("cases").map((row) => named(row[name])))];
    const list = values.map((value) => {
      const box = h("input", { type: "checkbox", onchange: () => toggle(name, value) });
      boxes.set(`${name} ${value}`, [box, name, value]);
      return h("label", {}, box, h("span", {}, value));
    });
    const summary = h("summary");
    summaries.set(name, [summary, title, values.length]);
    const clear = h("button", { type: "button", onclick: () => { chosen.get(name).clear(); changed(); } }, "all");
    holder.append(h("details", { class: "facet" }, summary,
      h("fieldset", {}, h("legend", { class: "hidden" }, title), clear, list)));
  }
  document.addEventListener("click", (event) => {
    for (const open of holder.querySelectorAll("details[open]")) if (!open.contains(event.target)) open.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && holder.querySelector("details[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
  });
  document.getElementById("filter").addEventListener("input", (event) => { text = event.target.value; changed(); });
  document.getElementById("headline").addEventListener("change", (event) => { headlines = event.target.checked; changed(); });
  document.getElementById("reset").addEventListener("click", () => {
    for (const values of chosen.values()) values.clear();
    [text, headlines] = ["", false];
    changed();
  });
}

function showControls() {
  for (const [name, [summary, title, all]] of summaries) {
    const values = [...chosen.get(name)];
    const said = values.length === 0 ? `all ${all}` : values.length === 1 ? values[0] : `${values.length} of ${all}`;
    summary.replaceChildren(`${title} `, h("strong", {}, said));
    summary.classList.toggle("chosen", values.length > 0);
  }
  for (const [box, name, value] of boxes.values()) box.checked = chosen.get(name).has(value);
  const filter = document.getElementById("filter");
  if (filter.value !== text) filter.value = text;
  document.getElementById("headline").checked = headlines;
  const whole = selected.length === table("cases").length;
  document.getElementById("shown").textContent = whole
    ? counted(selected.length, "case") : `${selected.length.toLocaleString("en")} of ${counted(table("cases").length, "case")}`;
  document.getElementById("reset").hidden = whole && !text && !headlines;
}
