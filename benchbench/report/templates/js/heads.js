// A chart of many rows scrolls in a box of its own, in which the heads of its columns and the names of its rows stay.
const HEADS = ".role-scope .role-title, .role-scope .role-axis";
const BESIDE = 4; // pixels beside a name
const NAMES = ".role-row-header .role-axis";

// These groups of a drawing once more, in a drawing that is cut to a part of it.
function partOf(drawing, groups, kind, [left, top, width, height]) {
  const part = drawing.cloneNode(false);
  part.removeAttribute("style"); // its ground
  for (const [name, value] of Object.entries({ width, height, viewBox: `${left} ${top} ${width} ${height}`, class: kind, "aria-hidden": "true" })) {
    part.setAttribute(name, value);
  }
  for (const group of groups) {
    const { a, b, c, d, e, f } = group.parentNode.getCTM();
    const holder = document.createElementNS(drawing.namespaceURI, "g");
    holder.setAttribute("transform", `matrix(${[a, b, c, d, e, f].join(" ")})`);
    holder.append(group.cloneNode(true));
    part.append(holder);
  }
  return part;
}

// Each row of facets has a band over it, in which copies of its heads and names stand on the drawing's own.
function keepInSight(place) {
  const drawing = place.querySelector("svg");
  const [box, home] = [drawing.getBoundingClientRect(), place.getBoundingClientRect()];
  const startOf = (group) => group.parentNode.getCTM().f;
  const heads = groupBy(drawing.querySelectorAll(HEADS), startOf);
  const names = groupBy(drawing.querySelectorAll(NAMES), startOf);
  for (const [start, groups] of heads) {
    const named = names.get(start) ?? [];
    const texts = named.flatMap((group) => [...group.querySelectorAll("text")]);
    const left = Math.ceil(Math.max(0, ...texts.map((text) => text.getBoundingClientRect().right - box.left)) + BESIDE);
    const top = Math.floor(Math.min(...groups.map((group) => group.getBoundingClientRect().top)) - box.top);
    const bottom = Math.ceil(Math.max(start, ...named.map((group) => group.getBoundingClientRect().bottom - box.top)));
    const parts = [partOf(drawing, groups, "heads", [0, top, box.width, start - top])];
    if (left < place.clientWidth / 2) { // else hardly a column stays beside the names
      parts.unshift(partOf(drawing, named, "names", [0, start, left, bottom - start]));
      parts.push(partOf(drawing, [], "corner", [0, top, left, start - top]));
    }
    const at = `left:${box.left - home.left}px; top:${box.top - home.top + top}px; width:${box.width}px; height:${bottom - top}px`;
    const band = h("div", { class: "band", style: at }, parts);
    band.style.setProperty("--heads", `${start - top}px`);
    place.append(band);
  }
}
