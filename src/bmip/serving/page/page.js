// The page: pictures come by choice, drop, paste or example, and are asked about whenever the names change.

import { Card } from "./card.js";
import { element, find, say, showProblem, tell, warn } from "./elements.js";
import { model, namesOfTraining, setModel, showNames, showNamesError } from "./question.js";
import { problem, send } from "./requests.js";

const MOST = 60; // pictures on the page: all of them are asked again when the names change
const PAUSE = 350; // milliseconds without a key before they are

let cards = []; // as they stand on the page
let pause = 0;

async function askAbout(asked) {
  showNamesError("");
  showProblem("");
  const last = await Promise.all(asked.map((card) => card.ask()));
  if (last.includes(false)) return; // what has been asked since will say what came
  const answers = asked.map((card) => card.best()).filter(Boolean);
  if (answers.length) say(asked.length === 1 ? answers[0] : `${answers.length} of ${asked.length} pictures have answers.`);
}

function add(files) {
  const taken = files.slice(0, MOST - cards.length);
  const left = files.length - taken.length;
  const text = left ? `The page holds ${MOST} pictures: ${left} were left out. Remove some first.` : "";
  tell(find("add-error"), text);
  warn(text);
  const added = taken.map((file) => new Card(file, { askAgain: (card) => askAbout([card]), removed }));
  cards = [...added, ...cards];
  find("shown").prepend(...added.map((card) => card.element));
  showHowMany();
  if (model) askAbout(added);
}

function removed(card) {
  const place = cards.indexOf(card);
  cards = cards.filter((other) => other !== card);
  const next = cards[Math.min(place, cards.length - 1)];
  (next ? next.away : find("add")).focus();
  showHowMany();
}

function showHowMany() {
  find("remove-all").hidden = cards.length < 2;
  document.body.classList.toggle("begun", cards.length > 0);
}

async function addExample({ name, url }) {
  try {
    const picture = await send(here(url), { as: "blob" });
    add([new File([picture], name, { type: picture.type })]);
  } catch (error) {
    showProblem(problem(error) || error.message);
  }
}

// Addresses of the server, below the path that a proxy may have put in front of them.
const here = (url) => url.replace(/^\//, "");

function showExamples() {
  const items = model.examples.map((example) => {
    const image = element("img", { src: here(example.url), alt: `Example ${example.name}` });
    const button = element("button", { type: "button", title: example.name }, image);
    button.addEventListener("click", () => addExample(example));
    return element("li", {}, button);
  });
  find("examples").querySelector("ul").replaceChildren(...items);
  find("examples").hidden = items.length === 0;
}

async function begin() {
  try {
    setModel(await send("api/model"));
  } catch (error) {
    showProblem(problem(error) || error.message);
    return;
  }
  const { method, backbone, trained_on: data, shots } = model;
  const trained = data ? `, trained on ${data}${shots ? ` with ${shots} pictures a class` : ""}` : "";
  find("model").textContent = `Prompts of ${method} around the CLIP ${backbone}${trained}.`;
  showExamples();
  askAbout(cards);
}

function namesChanged(after) {
  showNames();
  clearTimeout(pause);
  pause = setTimeout(() => askAbout(cards), after);
}

find("names").addEventListener("input", () => model && namesChanged(PAUSE));
find("names-reset").addEventListener("click", () => {
  namesOfTraining();
  namesChanged(0);
  find("names").focus();
});
find("add").addEventListener("change", ({ target }) => {
  add([...target.files]);
  target.value = "";
});
find("remove-all").addEventListener("click", () => cards.forEach((card) => card.remove()));
find("problem").querySelector("button").addEventListener("click", begin);

const brings = (event) => event.dataTransfer?.types.includes("Files");
const dropping = (does) => document.body.classList.toggle("dropping", does);
addEventListener("dragover", (event) => {
  if (!brings(event)) return;
  event.preventDefault();
  dropping(true);
});
addEventListener("dragleave", (event) => event.relatedTarget ?? dropping(false));
addEventListener("drop", (event) => {
  if (!brings(event)) return;
  event.preventDefault();
  dropping(false);
  add([...event.dataTransfer.files]);
});
addEventListener("paste", ({ clipboardData: { files } }) => files.length && add([...files]));

history.replaceState(null, "", location.pathname); // a token does not stay in the address
begin();
