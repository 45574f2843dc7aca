// The table of the runs that are compared: its rows of cases that are selected.
const COMPARED = ["device", "family", "variant", "delegate"];

function showCompared() {
  const keys = new Set(selected.map((row) => COMPARED.map((name) => row[name]).join("\n")));
  for (const row of document.querySelectorAll("#comparison-table tbody tr")) {
    row.hidden = !keys.has(COMPARED.map((name) => row.dataset[name]).join("\n"));
  }
}
