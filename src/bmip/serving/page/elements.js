// Small tools for the elements of the page.

export const find = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// A text that is hidden while there is none.
export function tell(place, text) {
  place.textContent = text;
  place.hidden = text === "";
}

// For those who hear the page: what has come, and what went wrong.
export const say = (text) => { find("said").textContent = text; };
export const warn = (text) => { find("alarm").textContent = text; };

// What concerns the whole page stands above it.
export function showProblem(text) {
  tell(find("problem").querySelector("p"), text);
  find("problem").hidden = text === "";
}
