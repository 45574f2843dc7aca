// What each delegate took of the cases that are selected; devices on which it took the same of a graph share a row.
const FIRST_DELEGATIONS = 40; // rows
const MOST_NAMED = 3; // devices or variants in a row
const WORST_FIRST = ["unavailable", "none", "mixed", "unknown", "partial", "full"];
const TAKEN = ["nodes_delegated", "nodes_total", "partitions", "macs_share", "time_share", "ops_left"];
let shownDelegations = FIRST_DELEGATIONS;

const percent = (share) => (share === null ? "–" : `${(100 * share).toFixed(share > 0.995 && share < 1 ? 1 : 0)} %`);
const firstKnown = (rows, name) => rows.map((row) => row[name]).find((value) => value !== null && value !== undefined) ?? null;
const several = (names) => [names.slice(0, MOST_NAMED).join(", "), names.length > MOST_NAMED ? small(` and ${names.length - MOST_NAMED} more`) : null];

// One of each place, variant and delegate: threads make no difference to who takes what.
function delegations() {
  const asked = selected.filter((row) => row.delegated && (row.status === "ok" || ["none", "unavailable"].includes(row.verdict)) && row.launches_all > 0);
  return [...groupBy(asked, GRID[0]).values()].map((rows) => {
    const first = rows.find((row) => row.status === "ok") ?? rows[0];
    return { ...first, ...Object.fromEntries(TAKEN.map((name) => [name, firstKnown(rows, name)])) };
  });
}

// The devices of a variant that are alike, and variants of the same devices that were taken whole or not at all.
function delegationRows(found) {
  const alike = keyed("family", "variant", "delegate", "executor", "status", "badge", ...TAKEN.filter((name) => name !== "time_share"));
  const rows = [...groupBy(found, alike).values()].map((group) => ({ ...group[0], places: group.map(({ place }) => place),
    time_share: group.length === 1 ? group[0].time_share : null }));
  const sameOf = (row) => (["full", "unavailable"].includes(row.verdict) && row.status === "ok"
    ? [row.family, row.delegate, row.executor, row.places.join()].join("\n") : alike(row));
  return [...groupBy(rows, sameOf).values()].map((group) => ({ ...group[0], variants: group.map(({ variant }) => variant) }))
    .sort((a, b) => WORST_FIRST.indexOf(a.verdict) - WORST_FIRST.indexOf(b.verdict));
}

function nodesCell({ variants, verdict, status, nodes_delegated: taken, nodes_total: total, partitions }) {
  if (status !== "ok" || taken === null || !total || (variants.length > 1 && verdict !== "full")) return h("td", { class: "n" }, "–");
  if (variants.length > 1) return h("td", { class: "n share", style: "--v:1" }, "all");
  return h("td", { class: "n share", style: `--v:${taken / total}` }, `${taken} of ${total} `, 
    small([percent(taken / total), partitions > 1 ? [" in ", h("br"), counted(partitions, "partition")] : null]));
}

const DELEGATION_COLUMNS = [
  ["Device", ({ places }) => h("th", { scope: "row", class: "narrow", title: places.join(", ") }, several(places))],
  ["Variant", ({ family, variants }) => h("td", { class: "narrow", title: variants.join(", ") }, several(variants), SEVERAL_FAMILIES ? small(` of ${family}`) : null)],
  ["Asked for", (row) => h("td", {}, named(row.delegate))],
  ["Ran on", (row) => h("td", { class: `narrow${["none", "unavailable", "mixed"].includes(row.verdict) ? " elsewhere" : ""}` }, row.executor ?? row.became)],
  ["Delegation", (row) => h("td", {}, h("span", { class: `badge ${row.verdict}`, title: row.evidence },
    h("span", { "aria-hidden": "true" }, `${row.symbol} `), row.badge.replace(/ \d+\/\d+$/, "")))],
  ["Nodes taken", nodesCell, "nodes_total"],
  ["MACs taken", (row) => h("td", { class: "n" }, percent(row.macs_share)), "macs_share"],
  ["Of the time", (row) => h("td", { class: "n" }, percent(row.time_share)), "time_share"],
  ["Ops left", (row) => h("td", { class: "wide" }, row.ops_left ?? "–"), "ops_left"],
];
const NUMBERS = ["nodes_total", "macs_share", "time_share"];
const SEVERAL_FAMILIES = new Set(table("cases").map(({ family }) => family)).size > 1;

function showDelegation() {
  const holder = document.getElementById("delegation-table");
  if (!holder) return;
  const found = delegations();
  const rows = delegationRows(found);
  const columns = DELEGATION_COLUMNS.filter(([, , name]) => !name || rows.some((row) => row[name] !== null));
  holder.replaceChildren(
    h("thead", {}, h("tr", {}, columns.map(([title, , name]) => h("th", { scope: "col", class: NUMBERS.includes(name) ? "n" : null }, title)))),
    h("tbody", {}, rows.slice(0, shownDelegations).map((row) => h("tr", {}, columns.map(([, cell]) => cell(row))))));
  const counts = WORST_FIRST.toReversed().map((verdict) => [verdict, found.filter((row) => row.verdict === verdict).length]);
  document.getElementById("delegation-said").textContent = found.length
    ? `${counted(found.length, "graph")} on a delegate: ${counts.filter(([, n]) => n).map(([verdict, n]) => `${n} ${verdict}`).join(", ")}.`
    : "No delegate is in the selection.";
  const [left, more] = [rows.length - shownDelegations, document.getElementById("more-delegation")];
  more.hidden = left <= 0;
  more.textContent = `Show ${left.toLocaleString("en")} more`;
  more.onclick = () => { shownDelegations = Infinity; showDelegation(); };
}
