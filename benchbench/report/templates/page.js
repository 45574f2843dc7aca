"use strict";

// Charts follow the page's theme: text and grid take their colours from the style sheet.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const views = new Map();

function config() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const font = getComputedStyle(document.body).fontFamily;
  const [ink, soft, line] = ["--ink", "--soft", "--line"].map(color);
  return {
    background: "transparent",
    font,
    view: { stroke: null },
    axis: { labelColor: soft, titleColor: soft, gridColor: line, domainColor: line, tickColor: line,
            labelFontSize: 11.5, titleFontSize: 11.5, titleFontWeight: "normal", titlePadding: 8 },
    legend: { labelColor: ink, titleColor: soft, labelFontSize: 12, symbolStrokeWidth: 1.5,
              symbolBaseFillColor: soft, symbolBaseStrokeColor: soft },
    header: { labelColor: ink, labelFontSize: 12, labelFontWeight: 600 },
    text: { color: soft },
    rule: { color: ink },
    point: { color: ink },
  };
}

async function draw() {
  for (const holder of document.querySelectorAll(".chart")) {
    const spec = JSON.parse(document.getElementById(holder.dataset.spec).textContent);
    delete spec.config;
    views.get(holder)?.finalize();
    try {
      const actions = { export: true, source: false, compiled: false, editor: false };
      views.set(holder, await vegaEmbed(holder, spec, { renderer: "svg", actions, config: config(), loader: { load: refuse } }));
      holder.dataset.drawn = "yes";
    } catch (error) {
      holder.textContent = `This chart could not be drawn: ${error.message}`;
    }
  }
  document.documentElement.dataset.ready = "yes";
}

function refuse(uri) {
  return Promise.reject(new Error(`this page loads nothing: ${uri}`));
}

// The table: a click on a header sorts by it, a second one turns the order round; empty cells stay last.
const table = document.getElementById("case-table");

function key(row, column) {
  const cell = row.cells[column];
  const raw = cell.dataset.v;
  return raw === undefined ? cell.textContent.trim().toLowerCase() : raw === "" ? null : Number(raw);
}

function sortBy(header) {
  const descending = header.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [key(row, header.cellIndex), row]);
  rows.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    const order = typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
    return descending ? -order : order;
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

function filter() {
  const words = document.getElementById("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const only = document.getElementById("headline").checked;
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    const text = row.dataset.words;
    row.hidden = (only && row.dataset.headline !== "1") || !words.every((word) => text.includes(word));
    shown += !row.hidden;
  }
  document.getElementById("shown").textContent = `${shown} case${shown === 1 ? "" : "s"}`;
}

if (table) {
  for (const header of table.tHead.rows[0].cells) {
    header.querySelector("button").addEventListener("click", () => sortBy(header));
  }
  document.getElementById("filter").addEventListener("input", filter);
  document.getElementById("headline").addEventListener("change", filter);
}

dark.addEventListener("change", draw);
draw();
