// What the model looks at in a picture, drawn when it is asked for.

import { element, say, tell, warn } from "./elements.js";
import { append, problem, send } from "./requests.js";

export class Explanation {
  constructor(file, button, place) {
    this.file = file;
    this.button = button;
    this.place = place;
    this.names = []; // the most probable first
    this.pair = []; // those that are told apart; "" for the most probable other class of training
    this.panel = null;
    this.asked = new AbortController();
    button.setAttribute("aria-expanded", "false");
  }

  // Takes the names of an answer. A picture about two of them holds whatever the others are.
  askAbout(names) {
    this.names = names;
    if (this.panel && !this.pair.every((name) => name === "" || names.includes(name))) this.close();
  }

  toggle() {
    if (this.panel) this.close();
    else this.open();
  }

  open() {
    this.pair = [this.names[0], this.names[1] ?? ""];
    const first = this.choice(0, "First name", this.names.map((name) => new Option(name)));
    const others = [...this.names.map((name) => new Option(name)), new Option("(the nearest class of training)", "")];
    const second = this.choice(1, "Second name", others);
    const question = element("p", {}, "What speaks for ", first, " and what for ", second);
    this.figure = element("figure");
    this.panel = element("div", { className: "explained" }, question, this.figure);
    this.place.append(this.panel);
    this.button.setAttribute("aria-expanded", "true");
    this.draw();
  }

  close() {
    this.asked.abort();
    this.forget();
    this.panel?.remove();
    this.panel = null;
    this.button.setAttribute("aria-expanded", "false");
  }

  choice(place, label, options) {
    const list = element("select", { ariaLabel: `${label} for ${this.file.name}` }, ...options);
    list.value = this.pair[place];
    list.addEventListener("change", () => {
      this.pair[place] = list.value;
      this.draw();
    });
    return list;
  }

  async draw() {
    this.asked.abort();
    const { signal } = (this.asked = new AbortController());
    const { name } = this.file;
    const waits = element("p", { className: "waits" }, "The picture is being drawn …");
    this.figure.replaceChildren(waits);
    const form = new FormData();
    append(form, "image", this.file);
    const named = this.pair.filter(Boolean);
    for (const one of named) form.append("classes", one);
    const putsOff = (seconds) => tell(waits, `The server is busy. It is asked again in ${seconds} s.`);
    try {
      const picture = await send("api/explain", { as: "blob", form, signal, putsOff });
      if (signal.aborted) return;
      this.forget();
      this.address = URL.createObjectURL(picture);
      const about = named.map((one) => `“${one}”`).join(" and for ");
      const alt = `What the model looks at in ${name}, and what speaks for ${about}`;
      const link = element("a", { href: this.address, download: `${name}-explained.png` }, "Save this picture");
      this.figure.replaceChildren(element("img", { src: this.address, alt }), link);
      say(`The explanation of ${name} is there.`);
    } catch (error) {
      if (signal.aborted) return;
      const text = problem(error) || error.message;
      this.figure.replaceChildren(element("p", { className: "error" }, text));
      warn(text);
    }
  }

  forget() {
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = null;
  }
}
