"use strict";
// The same judgement as kiosk/config/settings.py, from the rules that it wrote into this page (BOOK). One function for
// each of its ideas, under the same name; tests/docs/test_settings_page.py holds the two together.

function fullmatch(pattern, text) {
  return new RegExp(`^(?:${pattern})$`, "u").test(text);
}

function sentence(problem, key, what, language) {
  return BOOK.sentences[problem][language].replaceAll("{key}", key).replaceAll("{what}", what);
}

function fault(line, key, problem, what = "", whatJa = what) {
  const last = key.slice(key.lastIndexOf(".") + 1);
  return { line, key, en: sentence(problem, last, what, 0), ja: sentence(problem, last, whatJa, 1) };
}

function decoded(bytes) {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes).replaceAll("\r\n", "\n");
}

function keyLines(text) {
  const lines = new Map();
  const counts = new Map();
  let section = "";
  text.split("\n").forEach((line, index) => {
    const number = index + 1;
    let found;
    if ((found = /^[ \t]*\[\[([A-Za-z0-9_.-]+)\]\]/.exec(line))) {
      const count = counts.get(found[1]) || 0;
      section = `${found[1]}[${count}]`;
      counts.set(found[1], count + 1);
      lines.set(section, number);
    } else if ((found = /^[ \t]*\[([A-Za-z0-9_.-]+)\]/.exec(line))) {
      section = found[1];
      lines.set(section, number);
    } else if ((found = /^[ \t]*([A-Za-z0-9_-]+)[ \t]*=/.exec(line))) {
      const full = section ? `${section}.${found[1]}` : found[1];
      if (!lines.has(full)) lines.set(full, number);
    }
  });
  return lines;
}

// Python's difflib.SequenceMatcher(None, a, b).ratio() for short texts.
function matching(a, b) {
  let best = [0, 0, 0];
  for (let i = 0; i < a.length; i++)
    for (let j = 0; j < b.length; j++) {
      let size = 0;
      while (i + size < a.length && j + size < b.length && a[i + size] === b[j + size]) size++;
      if (size > best[2]) best = [i, j, size];
    }
  const [i, j, size] = best;
  if (!size) return 0;
  return size + matching(a.slice(0, i), b.slice(0, j)) + matching(a.slice(i + size), b.slice(j + size));
}

function closest(word, known) {
  let best = null;
  for (const name of known) {
    const ratio = (2 * matching(name, word)) / (name.length + word.length);
    if (ratio >= 0.6 && (!best || ratio > best.ratio || (ratio === best.ratio && name > best.name)))
      best = { ratio, name };
  }
  return best && best.name;
}

const own = (table, key) => Object.prototype.hasOwnProperty.call(table, key);
const isTable = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
const isNumber = (value) => typeof value === "number" || typeof value === "bigint";
const given = (table, key) => own(table, key) && table[key] !== "";

const short = (rule, text) => !rule.octets || new TextEncoder().encode(text).length <= rule.octets;
const fits = (rule, text) => fullmatch(rule.pattern, text) && short(rule, text);

const KINDS = {
  text: (rule, value) =>
    typeof value === "string" && ((rule.blank && value === "") || fits(rule, value)),
  number: (rule, value) => isNumber(value) && value >= rule.low && value <= rule.high,
  whole: (rule, value) => KINDS.number(rule, value) && (Number(value) - rule.low) % rule.step === 0,
  flag: (rule, value) => typeof value === "boolean",
  choice: (rule, value) => typeof value === "string" && rule.allowed.includes(value),
  names: (rule, value) => Array.isArray(value),
  words: (rule, value) =>
    Array.isArray(value) && value.every((word) => typeof word === "string" && fullmatch(rule.pattern, word)),
};

function namesFault(rule, value, tell) {
  const right =
    value.length && value.every((name) => rule.allowed.includes(name)) && new Set(value).size === value.length;
  if (!right) tell(rule.key, "must_list", rule.allowed.map((name) => `"${name}"`).join(", "));
}

function rulesOf(section, fresh) {
  const own = (rule) => rule.section === section;
  const first = fresh ? BOOK.fresh.filter(own) : [];
  const other = (rule) => first.find((each) => each.key === rule.key);
  return BOOK.rules.filter(own).map((rule) => other(rule) ?? rule);
}

function judgeTable(section, name, data, lines, faults, fresh) {
  const rules = rulesOf(section, fresh);
  if (!isTable(data)) {
    faults.push(fault(lines.get(name), name, "not_a_section", name));
    data = {};
  }
  const tell = (key, problem, what, whatJa) => {
    const full = `${name}.${key}`;
    faults.push(fault(lines.get(full) ?? lines.get(name), full, problem, what, whatJa));
  };
  for (const rule of rules) {
    if (!own(data, rule.key)) {
      if (rule.required) tell(rule.key, "missing", rule.what, rule.what_ja);
    } else if (!KINDS[rule.kind](rule, data[rule.key])) tell(rule.key, "must_be", rule.what, rule.what_ja);
    else if (rule.kind === "names") namesFault(rule, data[rule.key], tell);
  }
  for (const [of, keys] of BOOK.together) {
    const there = of === section ? keys.filter((key) => given(data, key)) : [];
    if (there.length)
      for (const key of keys) if (!there.includes(key)) tell(key, "together", there[0]);
  }
  const known = rules.map((rule) => rule.key);
  for (const key of Object.keys(data)) {
    if (known.includes(key)) continue;
    const close = closest(key, known);
    if (close) tell(key, "meant", close);
    else tell(key, "unknown");
  }
}

function judgeStaff(data, lines, faults, fresh) {
  if (!Array.isArray(data)) {
    faults.push(fault(lines.get("staff"), "staff", "not_sections", "staff"));
    return;
  }
  const numbers = [];
  data.forEach((entry, index) => {
    const name = `staff[${index}]`;
    judgeTable("staff", name, entry, lines, faults, fresh);
    const number = isTable(entry) && typeof entry.number === "string" ? entry.number : "";
    if (number && numbers.includes(number)) {
      const line = lines.get(`${name}.number`) ?? lines.get(name);
      faults.push(fault(line, `${name}.number`, "twice"));
    }
    numbers.push(number);
  });
}

// The first member of staff becomes one of the others.
function judgeFirst(data, lines, faults) {
  const first = isTable(data.first_boot) ? data.first_boot.staff_number : "";
  const others = Array.isArray(data.staff) ? data.staff.filter(isTable) : [];
  if (typeof first !== "string" || !first || !others.some((each) => each.number === first)) return;
  const key = "first_boot.staff_number";
  faults.push(fault(lines.get(key) ?? lines.get("first_boot"), key, "twice"));
}

function judgeNeeds(data, lines, faults) {
  const section = (name) => (isTable(data[name]) ? data[name] : {});
  const told = faults.map((each) => each.key);
  for (const need of BOOK.needs) {
    const [whenSection, whenKey] = need.when.split(".");
    if (need.unless && Array.isArray(data[need.unless]) && data[need.unless].length) continue;
    const wants = need.when ? section(whenSection)[whenKey] : "always";
    if (typeof wants !== "string" || !wants) continue;
    const full = `${need.section}.${need.key}`;
    if (given(section(need.section), need.key) || told.includes(full)) continue;
    const rule = BOOK.rules.find((each) => each.section === need.section && each.key === need.key);
    const line = lines.get(full) ?? lines.get(need.section);
    faults.push(fault(line, full, lines.has(full) ? "must_be" : "missing", rule.what, rule.what_ja));
  }
}

function checkDigitFits(institution) {
  let total = 0;
  [...institution].reverse().forEach((digit, place) => {
    const product = Number(digit) * (place % 2 ? 2 : 1);
    total += Math.floor(product / 10) + (product % 10);
  });
  return total % 10 === 0;
}

// { faults, doubts, clinic } of the file's bytes; fresh: of a kiosk that was never started.
function judge(bytes, fresh) {
  let text, data;
  try {
    text = decoded(bytes);
  } catch {
    return { faults: [fault(null, "file", "not_utf8")], doubts: [] };
  }
  const bare = text.indexOf("\r"); // the parser passes some over; tomllib takes none
  if (bare >= 0) {
    const line = text.slice(0, bare).split("\n").length;
    return { faults: [fault(line, "file", "not_toml", "a carriage return without a line feed")], doubts: [] };
  }
  try {
    data = TOML.parse(text, { integersAsBigInt: "asNeeded" });
  } catch (reason) {
    const what = String(reason.message).split("\n")[0].replace("Invalid TOML document: ", "");
    return { faults: [fault(reason.line ?? null, "file", "not_toml", what)], doubts: [] };
  }
  const lines = keyLines(text);
  const faults = [];
  for (const name of BOOK.sections) judgeTable(name, name, own(data, name) ? data[name] : {}, lines, faults, fresh);
  judgeStaff(own(data, "staff") ? data.staff : [], lines, faults, fresh);
  judgeFirst(data, lines, faults);
  for (const name of Object.keys(data))
    if (name !== "staff" && !BOOK.sections.includes(name))
      faults.push(fault(lines.get(name), name, "unknown_section"));
  if (fresh) judgeNeeds(data, lines, faults);
  faults.sort((one, other) => (one.line || 0) - (other.line || 0));
  const doubts = [];
  if (!faults.length && !checkDigitFits(data.clinic.institution)) {
    const [en, ja] = BOOK.institution_doubt;
    doubts.push({ line: lines.get("clinic.institution"), key: "clinic.institution", en, ja });
  }
  return { faults, doubts, clinic: faults.length ? null : data.clinic };
}
