// The data of the page, held once: its tables by columns, what repeats in them once.
const data = JSON.parse(document.getElementById("data").textContent);

function listOf(column) {
  if (Array.isArray(column)) return column;
  const { values, at, runs } = column;
  return runs ? runs.flatMap((count, n) => Array(count).fill(values[n])) : at.map((place) => values[place]);
}

function rowsOf({ count, columns }) {
  const rows = Array.from({ length: count }, () => ({}));
  for (const [name, column] of Object.entries(columns)) {
    const list = listOf(column);
    for (let n = 0; n < count; n++) rows[n][name] = list[n];
  }
  return rows;
}

const decoded = new Map();
function table(name) {
  if (!decoded.has(name)) decoded.set(name, rowsOf(data.tables[name]));
  return decoded.get(name);
}

// An element with attributes and children; whatever is a text in the data stays a text.
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const counted = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

function groupBy(rows, keyOf) {
  const groups = new Map();
  for (const row of rows) {
    const key = keyOf(row);
    if (groups.has(key)) groups.get(key).push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
