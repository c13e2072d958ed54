// Asks the API, and turns what it refuses into a sentence.

/** What the API answered instead: a problem (RFC 9457) with its sentence and mistakes. */
export class Problem extends Error {
  constructor(status, detail, mistakes = []) {
    super(detail);
    this.status = status;
    this.mistakes = mistakes;
  }
}

/** The JSON at this address; throws a Problem. */
export async function getJson(address, signal) {
  return answered(await reached(address, { headers: { Accept: "application/json" }, signal }));
}

/** What the API answers to this document; null where it answers nothing. Throws a Problem. */
export async function send(method, address, document, signal) {
  const body = document === undefined ? undefined : JSON.stringify(document);
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  return answered(await reached(address, { method, headers, body, signal }));
}

async function reached(address, options) {
  try {
    return await fetch(address, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "driftbell cannot be reached; is it running?");
  }
}

async function answered(response) {
  if (response.status === 204) return null;
  const document = await response.json().catch(() => null);
  if (response.ok && document !== null) return document;
  if (response.status === 401) throw new Problem(401, "your login has ended; load this page again");
  throw new Problem(response.status, document?.detail ?? `driftbell answered ${response.status}`, document?.mistakes);
}
