"use strict";
// The page around judge(): a file is chosen, its faults are listed, it can be mended and saved.

const element = (id) => document.getElementById(id);
let bytes = null;

function entry(found, doubt) {
  const item = document.createElement("li");
  if (doubt) item.className = "doubt";
  if (found.line) {
    const go = document.createElement("button");
    go.textContent = `${found.line} 行目`;
    go.onclick = () => select(found.line);
    item.append(go);
  }
  const key = document.createElement("code");
  key.textContent = found.key;
  const english = document.createElement("span");
  english.className = "en";
  english.textContent = `${found.line ? `line ${found.line}: ` : ""}${found.key}: ${found.en}`;
  item.append(key, ` ${found.ja}`, english);
  return item;
}

function select(line) {
  const area = element("text");
  const rows = area.value.split("\n");
  const start = rows.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  area.focus();
  area.setSelectionRange(start, start + rows[line - 1].length);
  area.scrollTop = Math.max(0, (line - 6) * (area.scrollHeight / rows.length));
}

function show() {
  const { faults, doubts, clinic } = judge(bytes, !element("enrolled").checked);
  const result = element("result");
  result.hidden = false;
  result.className = faults.length ? "bad" : "good";
  element("verdict").textContent = faults.length
    ? `直すところが ${faults.length} 件あります / ${faults.length} to mend`
    : `このまま使えます / in order (${clinic.name}, ${clinic.institution}, ${clinic.terminal})`;
  element("faults").replaceChildren(
    ...faults.map((found) => entry(found, false)), ...doubts.map((found) => entry(found, true)));
}

element("file").disabled = false;
element("file").onchange = async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  bytes = new Uint8Array(await file.arrayBuffer());
  element("editor").hidden = false;
  try {
    element("text").value = decoded(bytes);
  } catch {
    element("editor").hidden = true;
  }
  show();
};
element("text").oninput = () => {
  bytes = new TextEncoder().encode(element("text").value);
  show();
};
element("enrolled").onchange = () => bytes && show();
element("save").onclick = () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  link.download = "kiosk.toml";
  link.click();
};
