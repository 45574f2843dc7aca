// The figures: each is one Vega-Lite spec, drawn with the selected rows, and again where these change.
const PARTS = 4; // of a figure at first
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const figures = new Map(data.figures.map((figure) => [figure.name, figure]));
const queue = new Map(); // of what is not as the selection is: element -> what draws it
const views = new Map();
const parts = new Map(); // how many parts of a figure are shown

const fill = (words, row) => words.replace(/\{(\w+)\}/g, (_, name) => named(row[name]));

// Of another table than that of the cases, the rows of the cases that are selected.
function selectedOf(name) {
  if (name === "cases") return selected;
  const rows = table(name);
  const columns = ["place", "device", "family", "variant", "delegate"].filter((column) => rows.length && column in rows[0]);
  const keyOf = (row) => columns.map((column) => row[column]).join("\n");
  const keys = new Set(selected.map(keyOf));
  return rows.filter((row) => keys.has(keyOf(row)));
}

// Of the overview, the cells between selected rows and columns that the selection leaves out: they are not unmeasured.
const keyed = (...names) => (row) => names.map((name) => row[name]).join("\n");
const GRID = [keyed("family", "place", "variant", "delegate"), keyed("family", "place"), keyed("family", "variant", "delegate")];

function withUnselected(taken) {
  const [cells, down, across] = GRID.map((keyOf) => new Set(taken.map(keyOf)));
  const [cellOf, placeOf, columnOf] = GRID;
  const said = { cell: "unselected", label: "not in the selection", executor: null, ends: null, threads: null, median_ms: null, headline: false };
  const between = table("cases").filter((row) => !cells.has(cellOf(row)) && down.has(placeOf(row)) && across.has(columnOf(row)));
  return [...taken, ...between.map((row) => ({ ...row, ...said }))];
}

function groupsOf(figure) {
  const known = (value) => value !== null && value !== undefined;
  const taken = selectedOf(figure.table).filter((row) => figure.needs.every((name) => known(row[name])));
  const rows = figure.name === "overview" ? withUnselected(taken) : taken;
  const groups = [...groupBy(rows, keyed(...figure.each)).values()];
  return figure.varies ? groups.filter((group) => new Set(group.map((row) => row[figure.varies])).size > 1) : groups;
}

function refuse(uri) {
  return Promise.reject(new Error(`this page loads nothing: ${uri}`));
}

// A figure in the colours of the page.
const themed = new Map();
function inColors(figure) {
  const key = `${dark.matches} ${figure.name}`;
  if (!themed.has(key)) {
    const style = getComputedStyle(document.documentElement);
    const text = JSON.stringify(figure.vega).replace(/var\((--\w+)\)/g, (_, name) => style.getPropertyValue(name).trim());
    themed.set(key, JSON.parse(text));
  }
  return themed.get(key);
}

async function drawPart(figure, rows, place) {
  const options = { mode: "vega", logLevel: 1, renderer: "svg", actions: { export: true, source: false, compiled: false, editor: false },
                    loader: { load: refuse }, downloadFileName: figure.name };
  try {
    const spec = inColors(figure);
    const sources = spec.data.map((source) => (source.name === "rows" ? { ...source, values: rows } : source));
    const made = await vegaEmbed(place, { ...spec, data: sources }, options);
    views.set(place, made);
    const drawn = place.querySelector("svg"); // one image with a name: what its marks say is in the tables
    drawn.setAttribute("role", "img");
    drawn.setAttribute("aria-label", fill(figure.alt, rows[0]));
    if (figure.name === "overview") keepInSight(place);
    made.view.addEventListener("click", (_, item) => picked(figure, item?.datum));
    place.dataset.drawn = "yes";
  } catch (error) {
    place.textContent = `This chart could not be drawn: ${error.message}`;
  }
}

// A click on a cell of the overview chooses its device.
function picked(figure, row) {
  if (figure.name === "overview" && row?.device) toggle("device", row.device);
}

// The parts of a figure, which are drawn one by one: those that are seen first.
function drawFigure(holder) {
  const figure = figures.get(holder.dataset.figure);
  const groups = groupsOf(figure);
  const most = parts.get(figure.name) ?? PARTS;
  for (const place of holder.querySelectorAll(".chart")) {
    views.get(place)?.finalize();
    views.delete(place);
    queue.delete(place);
  }
  const shown = groups.slice(0, most).map((rows) => {
    const place = h("div", { class: "chart", ...(figure.wide ? {} : { tabindex: 0, role: "region", "aria-label": fill(figure.alt, rows[0]) }) });
    later(place, () => drawPart(figure, rows, place));
    return h("figure", { class: figure.wide ? null : "narrow" }, h("figcaption", {}, fill(figure.title, rows[0])), place);
  });
  const left = groups.length - shown.length;
  const more = () => { parts.set(figure.name, most + 2 * PARTS); later(holder, drawFigure); };
  holder.replaceChildren(...shown,
    ...(left > 0 ? [h("p", { class: "more" }, `${left.toLocaleString("en")} more in this selection. `,
      h("button", { type: "button", onclick: more }, "Show more"))] : []));
  const section = holder.closest("section");
  const bare = [...section.querySelectorAll("[data-figure]")].every((one) => !one.childElementCount);
  section.querySelector(".unselected").hidden = !bare;
}

let drawing = Promise.resolve();
function later(element, draw) {
  delete document.documentElement.dataset.ready;
  queue.set(element, draw);
  drawing = drawing.then(drawNext);
}

// What is seen comes first; the rest follows when that stands on the screen, one by one, so that a print has all.
const seen = (element) => { const box = element.getBoundingClientRect(); return box.bottom > 0 && box.top < innerHeight; };
const pause = () => new Promise((resolve) => setTimeout(resolve));
const painted = () => (document.hidden ? pause() : new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));

async function drawNext() {
  const told = document.documentElement.dataset;
  const isBehind = () => [...queue.keys()].some(seen);
  if (!isBehind()) {
    await (told.took ? pause() : painted());
    if (!isBehind()) told.took ??= (performance.now() - changedAt).toFixed(1);
  }
  const waiting = [...queue.keys()];
  const element = waiting.find(seen) ?? waiting[0];
  if (!element) return;
  const draw = queue.get(element);
  queue.delete(element);
  await draw(element);
  if (!queue.size) told.ready = "yes";
}

function drawAll() {
  for (const holder of document.querySelectorAll("[data-figure]")) {
    for (const place of holder.querySelectorAll(".chart")) queue.delete(place); // of the selection before
    later(holder, drawFigure);
  }
}
