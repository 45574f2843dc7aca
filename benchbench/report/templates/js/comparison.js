// What a page holds whole, of runs compared, one network in both formats and devices: what of it is selected.
const COMPARED = ["device", "family", "variant", "delegate"];
const PAIRED = [...COMPARED, "threads"];

function showCompared() {
  const compared = selectedBy(COMPARED);
  for (const row of document.querySelectorAll("#comparison-table tbody tr")) row.hidden = !compared(row.dataset);
  const paired = selectedBy(PAIRED);
  for (const pair of document.querySelectorAll("#formats-table tbody")) {
    pair.hidden = ![...pair.querySelectorAll("tr[data-variant]")].every((row) => paired(row.dataset));
  }
  tellWhereBare("formats", "tbody");
}

// What is told of a device as a whole; one that has no case, so that none can be selected, stays.
function showDevices() {
  const placesOf = (rows) => new Set(rows.map(({ place }) => place));
  const [known, shown] = [placesOf(table("cases")), placesOf(selected)];
  for (const part of document.querySelectorAll("[data-place]")) {
    part.hidden = known.has(part.dataset.place) && !shown.has(part.dataset.place);
  }
  tellWhereBare("devices", "[data-place]");
  tellWhereBare("canary", "[data-place]");
}

// A section whose parts are all hidden says why it has none.
function tellWhereBare(section, parts) {
  const holder = document.getElementById(section);
  if (holder) holder.querySelector(".unselected").hidden = Boolean(holder.querySelector(`${parts}:not([hidden])`));
}

// Whether a case is selected, by what these columns say of it.
function selectedBy(columns) {
  const key = (values) => columns.map((name) => values[name] ?? "").join("\n");
  const keys = new Set(selected.map(key));
  return (values) => keys.has(key(values));
}
