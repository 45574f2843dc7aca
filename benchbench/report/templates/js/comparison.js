// The tables of runs that are compared, and of one network in both formats: their rows of cases that are selected.
const COMPARED = ["device", "family", "variant", "delegate"];
const PAIRED = [...COMPARED, "threads"];

function showCompared() {
  const compared = selectedBy(COMPARED);
  for (const row of document.querySelectorAll("#comparison-table tbody tr")) row.hidden = !compared(row.dataset);
  const paired = selectedBy(PAIRED);
  for (const pair of document.querySelectorAll("#formats-table tbody")) {
    pair.hidden = ![...pair.querySelectorAll("tr[data-variant]")].every((row) => paired(row.dataset));
  }
}

// Whether a case is selected, by what these columns say of it.
function selectedBy(columns) {
  const key = (values) => columns.map((name) => values[name] ?? "").join("\n");
  const keys = new Set(selected.map(key));
  return (values) => keys.has(key(values));
}
