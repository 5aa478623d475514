// A picture with its answers.

import { element, say, showProblem, tell, warn } from "./elements.js";
import { Explanation } from "./explanation.js";
import { model, names, showNamesError } from "./question.js";
import { append, problem, Refusal, send, sentName } from "./requests.js";

const SHOWN = 5; // names of a picture, until the others are asked for
const TINY = 100; // pixels: such pictures are shown with sharp edges

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

export class Card {
  // `askAgain` and `removed` are called with the card when a person wants that.
  constructor(file, { askAgain, removed }) {
    this.file = file;
    this.askAgain = askAgain;
    this.removed = removed;
    this.scores = []; // the most probable name first
    this.all = false; // whether all names are shown
    this.asked = new AbortController();
    this.address = URL.createObjectURL(file);
    this.build();
    this.show();
  }

  build() {
    const { name } = this.file;
    const picture = element("img", { className: "picture", src: this.address, alt: "" });
    picture.addEventListener("load", () => picture.classList.toggle("tiny", picture.naturalWidth < TINY));
    picture.addEventListener("error", () => picture.replaceWith(element("p", { className: "picture" }, "No preview")));
    this.error = element("p", { className: "error", hidden: true });
    this.waits = element("p", { className: "waits", hidden: true });
    this.rows = element("tbody");
    this.table = element("table", { ariaLabel: `Probabilities for ${name}` }, this.rows);
    this.explain = this.button("What it looks at", () => this.explanation.toggle());
    this.more = this.button("All names", () => { this.all = !this.all; this.show(); });
    this.again = this.button("Ask again", () => this.askAgain(this));
    this.away = this.button("Remove", () => this.remove());
    this.away.className = "quiet";
    const actions = element("div", { className: "actions" }, this.explain, this.more, this.again, this.away);
    const beside = element("div", {}, element("h3", {}, name), this.table, this.waits, this.error, actions);
    this.element = element("li", { className: "card" }, picture, beside);
    this.explanation = new Explanation(this.file, this.explain, this.element);
  }

  button(text, action) {
    const about = element("span", { className: "unseen" }, ` for ${this.file.name}`);
    const made = element("button", { type: "button" }, element("span", {}, text), about);
    made.addEventListener("click", action);
    return made;
  }

  // Asks the server. An answer to an older question, or for a picture that was removed, is never shown.
  // Says whether this was the last question.
  async ask() {
    this.asked.abort();
    const { signal } = (this.asked = new AbortController());
    this.element.setAttribute("aria-busy", "true");
    tell(this.error, "");
    tell(this.waits, "");
    try {
      const found = await this.answer(signal);
      if (signal.aborted) return false;
      this.scores = found;
      tell(this.waits, "");
    } catch (error) {
      const unreadable = await this.unreadable();
      if (signal.aborted) return false;
      this.scores = [];
      tell(this.waits, "");
      this.mayPass = !(error instanceof Refusal) || error.status === 408 || error.status >= 500;
      this.showFailure(error, unreadable);
    }
    this.element.setAttribute("aria-busy", "false");
    this.show();
    return true;
  }

  async answer(signal) {
    const most = model.limits.image_bytes;
    if (this.file.size > most) {
      const text = `${this.file.name} has ${megabytes(this.file.size)}: the server takes ${megabytes(most)} at most`;
      throw new Refusal(413, text);
    }
    const form = new FormData();
    append(form, "images", this.file);
    for (const name of names()) form.append("classes", name);
    const putsOff = (seconds) => tell(this.waits, `The server is busy. It is asked again in ${seconds} s.`);
    const answer = await send("api/predict", { form, signal, putsOff });
    return answer.predictions[0].scores;
  }

  // Whether the browser itself cannot read the file: a folder was dropped, or the file has changed since.
  unreadable() {
    return this.file.slice(0, 1).arrayBuffer().then(() => false, () => true);
  }

  // A refusal that does not name the picture is about the names.
  showFailure(error, unreadable) {
    const { name } = this.file;
    if (unreadable) return this.fail(`${name} cannot be read: it is a folder, or the file has changed or gone`);
    const general = problem(error);
    if (general) {
      showProblem(general);
      return this.fail("No answer came");
    }
    if ([400, 422].includes(error.status) && !error.message.includes(sentName(this.file))) {
      tell(this.waits, "No answer: see below the names.");
      return showNamesError(error.message);
    }
    return this.fail(error.message);
  }

  fail(text) {
    tell(this.error, text);
    warn(text);
  }

  show() {
    const shown = this.all ? this.scores : this.scores.slice(0, SHOWN);
    this.rows.replaceChildren(...shown.map((score) => {
      const bar = element("span", { className: "bar" });
      bar.style.width = `${100 * score.probability}%`;
      const rail = element("span", { className: "rail" }, bar);
      const name = element("th", { scope: "row" }, score.class);
      return element("tr", {}, name, element("td", { ariaHidden: "true" }, rail), element("td", {}, percent(score.probability)));
    }));
    this.table.hidden = shown.length === 0;
    this.more.hidden = this.scores.length <= SHOWN;
    this.more.firstChild.textContent = this.all ? "Fewer names" : `All ${this.scores.length} names`;
    this.again.hidden = this.error.hidden || !this.mayPass;
    this.explain.hidden = !model?.explains || this.scores.length === 0;
    this.explanation.askAbout(this.scores.map((score) => score.class));
  }

  // The answer in one sentence, "" where there is none.
  best() {
    const [first] = this.scores;
    return first ? `${this.file.name}: ${first.class}, ${percent(first.probability)}` : "";
  }

  remove() {
    this.asked.abort();
    this.explanation.close();
    URL.revokeObjectURL(this.address);
    this.element.remove();
    say(`${this.file.name} is removed.`);
    this.removed(this);
  }
}
