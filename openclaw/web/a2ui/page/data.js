// The data model of a surface: maps, arrays and plain values, addressed by paths like /user/name.
// Maps are Maps and never objects, so that no key means anything special.

/** The most segments of a path. */
const DEEPEST = 64;

/** The segments of a path. One without a slash at its start goes on from a context. */
export function segments(path, context = "/") {
  const whole = path.startsWith("/") ? path : `${context}/${path}`;
  const found = whole.replace(/\[(\d+)\]/g, "/$1").split("/").filter((segment) => segment && segment !== ".");
  if (found.length > DEEPEST) throw new RangeError("a path of the data model is too long");
  return found;
}

/** The path that stands for these segments. */
export function join(found) {
  return `/${found.join("/")}`;
}

/** What is at a path, or undefined. */
export function get(root, found) {
  let value = root;
  for (const segment of found) {
    if (value instanceof Map) value = value.get(segment);
    else if (Array.isArray(value) && /^\d+$/.test(segment)) value = value[Number(segment)];
    else return undefined;
  }
  return value;
}

/** Put a value at a path, below maps that are made where there are none. The whole model when the path is empty. */
export function set(root, found, value) {
  if (!found.length) return value;
  const [segment, ...rest] = found;
  if (Array.isArray(root) && /^\d+$/.test(segment) && Number(segment) <= root.length) {
    root[Number(segment)] = set(root[Number(segment)], rest, value);
    return root;
  }
  const map = root instanceof Map ? root : new Map();
  map.set(segment, set(map.get(segment), rest, value));
  return map;
}

/** A value of the model from JSON. */
export function fromJson(value) {
  if (Array.isArray(value)) return value.map(fromJson);
  if (value && typeof value === "object") {
    return new Map(Object.entries(value).map(([key, member]) => [key, fromJson(member)]));
  }
  return value;
}

/** A value of the model as JSON. */
export function toJson(value) {
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [key, toJson(member)]));
  return value;
}

/** The contents of a dataModelUpdate: entries with a key and one value each; a single one called "." is the value itself. */
export function fromContents(contents) {
  if (!Array.isArray(contents)) return fromJson(contents);
  const entries = contents.filter((entry) => entry && typeof entry === "object" && typeof entry.key === "string");
  if (entries.length === 1 && entries[0].key === ".") return valueOf(entries[0]);
  return new Map(entries.map((entry) => [entry.key, valueOf(entry)]));
}

function valueOf(entry) {
  if ("valueMap" in entry) return fromContents(entry.valueMap ?? []);
  for (const name of ["valueString", "valueNumber", "valueBoolean"]) if (name in entry) return entry[name];
  return fromJson(entry.valueArray ?? entry.value);
}

/** The items of a list, with the last segment of the path to each: lists come as arrays, or as maps in their order. */
export function items(value) {
  if (value instanceof Map) return [...value];
  return Array.isArray(value) ? value.map((item, index) => [String(index), item]) : [];
}
