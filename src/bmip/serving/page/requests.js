// Requests to the server, a few at a time, and what is said when one fails.

const AT_ONCE = 4;
const TRIES = 6; // of a request that a busy server puts off

// An answer of the server that is not the one that was asked for, in the server's words.
export class Refusal extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

// No answer at all: the server has ended, or the way to it is broken.
export class Silence extends Error {
  constructor() {
    super("The server does not answer. Is bmip serve still running?");
  }
}

async function refusal(answer) {
  const { detail } = await answer.json().catch(() => ({}));
  const text = Array.isArray(detail) ? detail.map((one) => one.msg).join("; ") : detail;
  return new Refusal(answer.status, text || `The server answered ${answer.status} ${answer.statusText}.`);
}

function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}

// Asks the server. While it is busy, asks again after the time that it names; `putsOff` is told these seconds.
async function ask(path, { as, form, signal, putsOff }) {
  for (let tried = 1; ; tried += 1) {
    const answer = await fetch(path, { method: form ? "POST" : "GET", body: form, signal });
    if (answer.ok) return answer[as]();
    if (answer.status !== 503 || tried === TRIES) throw await refusal(answer);
    const seconds = Number(answer.headers.get("Retry-After") ?? 1);
    putsOff(seconds);
    await sleep(seconds, signal);
  }
}

// Adds a file to a form, with a name that no step on the way changes: refusals name the file by it.
export function append(form, field, file) {
  form.append(field, file, sentName(file));
}

export const sentName = (file) => [...file.name.replace(/[^\p{L}\p{M}\p{N}._ -]/gu, "_").trim()].slice(0, 90).join("") || "picture";

const waiting = [];
let running = 0;

// The answer to a request, `as` "json" or "blob". It begins when fewer than AT_ONCE others are being answered.
export async function send(path, { as = "json", form, signal = new AbortController().signal, putsOff = () => {} } = {}) {
  if (running === AT_ONCE) await new Promise((start) => waiting.push(start));
  else running += 1;
  try {
    signal.throwIfAborted();
    return await ask(path, { as, form, signal, putsOff });
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof TypeError ? new Silence() : error; // a TypeError is what a broken connection is to a browser
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

// What concerns the whole page, not one picture: nobody answers, or the token is missing. Otherwise "".
export function problem(error) {
  if (error instanceof Silence) return error.message;
  if (!(error instanceof Refusal)) throw error;
  return error.status === 401 ? error.message : "";
}
