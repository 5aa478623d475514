// What is asked: the model, and the names among which it chooses.

import { find, tell, warn } from "./elements.js";

// As the server describes it; null until it has.
export let model = null;

const typed = () => find("names").value.split("\n").map((line) => line.trim()).filter(Boolean);
const ofTraining = () => JSON.stringify(typed()) === JSON.stringify(model.classes.map((name) => name.trim()));

// The names that are sent: none where those of training are meant.
export const names = () => (ofTraining() ? [] : typed());

// Takes the description of a model; names that were typed before remain.
export function setModel(described) {
  const first = model === null;
  model = described;
  if (first) namesOfTraining();
  else showNames();
}

export function namesOfTraining() {
  find("names").value = model.classes.join("\n");
  showNames();
}

// Says how many names there are, and how to ask the same elsewhere.
export function showNames() {
  const count = typed().length;
  const counted = `${count} ${count === 1 ? "name" : "names"}`;
  find("names-count").textContent = count ? counted : "None: those of training are used.";
  find("names-reset").hidden = ofTraining();
  find("curl").textContent = command();
}

export function showNamesError(text) {
  tell(find("names-error"), text);
  find("names").setAttribute("aria-invalid", String(text !== ""));
  if (text) warn(text);
}

function command() {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const fields = names().map((name) => `--form-string ${quoted(`classes=${name}`)}`);
  const address = quoted(new URL("api/predict", document.baseURI).href);
  return ["curl -F images=@photo.jpg", ...fields, address].join(" \\\n  ");
}
